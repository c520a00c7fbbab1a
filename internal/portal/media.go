package portal

import (
	"context"
	"slices"

	"fiducial/internal/labeling"
	"fiducial/internal/template"
)

// Medium is an object that a task's page asks to show.
type Medium struct{ Bucket, Key string }

// Media renders a task as taskFrame does and returns the objects that its page
// asks for, each once. It makes no grant and records nothing; a template that
// fails asks for nothing.
func (p *Portal) Media(ctx context.Context, a *labeling.Assignment) ([]Medium, error) {
	src, input, err := source(a)
	if err != nil {
		return nil, err
	}
	var out []Medium
	_, errs := template.Render(ctx, src, input, template.Functions{
		GrantReadAccess: func(_ context.Context, bucket, key string) (string, error) {
			if m := (Medium{bucket, key}); !slices.Contains(out, m) {
				out = append(out, m)
			}
			return "https://media.invalid/", nil
		},
		Hosts: p.hosts, Now: p.Now,
	}, template.Limits{})
	if len(errs) > 0 {
		return nil, &errs[0]
	}
	return out, nil
}
