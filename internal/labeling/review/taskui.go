package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/template"
)

// TaskUI is a human task UI: a worker task template under a name. It never changes.
type TaskUI struct {
	Name      string
	Content   string
	SHA256    string // of Content, in hex
	CreatedAt time.Time
}

// CreateTaskUI checks a worker task template and keeps it.
func (s *Service) CreateTaskUI(ctx context.Context, name, content string) (TaskUI, error) {
	const op = "review.CreateTaskUI"
	if strings.TrimSpace(content) == "" {
		return TaskUI{}, invalid(op, "UiTemplate.Content", "the template is empty")
	}
	if strings.IndexByte(content, 0) >= 0 {
		return TaskUI{}, invalid(op, "UiTemplate.Content", "the template is not text: it has a zero byte")
	}
	if errs := template.Check(content); len(errs) > 0 {
		return TaskUI{}, invalid(op, "UiTemplate.Content", "the template is not valid: %s: %s", errs[0].Code, errs[0].Located())
	}
	sum := sha256.Sum256([]byte(content))
	u := TaskUI{Name: name, Content: content, SHA256: hex.EncodeToString(sum[:]), CreatedAt: s.now()}
	return u, s.Store.CreateTaskUI(ctx, u)
}

// TaskUI finds a human task UI by its name.
func (s *Service) TaskUI(ctx context.Context, name string) (TaskUI, error) {
	return s.Store.TaskUI(ctx, name)
}

// TaskUIs lists all human task UIs, without their content.
func (s *Service) TaskUIs(ctx context.Context) ([]TaskUI, error) { return s.Store.TaskUIs(ctx) }

// DeleteTaskUI forgets a human task UI. Flow definitions and jobs that began with it
// keep the template.
func (s *Service) DeleteTaskUI(ctx context.Context, name string) error {
	return s.Store.DeleteTaskUI(ctx, name)
}

// TaskUIARN is the ARN of this account's human task UI of the name.
func (s *Service) TaskUIARN(name string) string { return s.arn("human-task-ui", name) }

// Template is the text of the human task UI that an ARN names: one of this account.
// NotFound: there is none.
func (s *Service) Template(ctx context.Context, taskUIARN string) (string, error) {
	a, err := arn.Parse(taskUIARN)
	if err != nil || s.TaskUIARN(a.Name()) != taskUIARN {
		return "", fault.Newf("review.Template", fault.NotFound, "There is no human task UI %s.", labeling.Quote(taskUIARN))
	}
	u, err := s.Store.TaskUI(ctx, a.Name())
	return u.Content, err
}
