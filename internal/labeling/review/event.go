package review

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"fiducial/internal/labeling"
)

// Events hears that human loops have ended. It may hear of one more than once, with
// the same ID; after an error it hears of it again.
type Events interface {
	Emit(ctx context.Context, e Event) error
}

// DetailType is the detail-type of a human loop's event.
const DetailType = "SageMaker A2I HumanLoop Status Change"

// Event is a change of status in the form of CloudWatch events.
type Event struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     Detail   `json:"detail"`

	At time.Time `json:"-"` // Time, for sinks that write it themselves
}

// Detail is what an event says of its loop.
type Detail struct {
	CreationTime      string      `json:"creationTime"`
	FailureCode       *string     `json:"failureCode"`
	FailureReason     *string     `json:"failureReason"`
	FlowDefinitionARN string      `json:"flowDefinitionArn"`
	HumanLoopARN      string      `json:"humanLoopArn"`
	HumanLoopName     string      `json:"humanLoopName"`
	HumanLoopOutput   *LoopOutput `json:"humanLoopOutput"`
	HumanLoopStatus   Status      `json:"humanLoopStatus"`
}

// LoopOutput says where a loop's output is.
type LoopOutput struct {
	OutputS3URI string `json:"outputS3Uri"`
}

const (
	eventTime  = "2006-01-02T15:04:05Z"
	detailTime = "2006-01-02T15:04:05.000Z"
)

// event is the event of a loop that has ended.
func (s *Service) event(l *Loop) Event {
	e := Event{
		Version: "0", DetailType: DetailType, Source: "aws.sagemaker", Account: s.Account, Region: s.Region,
		Time: l.EndedAt.UTC().Format(eventTime), At: l.EndedAt, Resources: []string{s.LoopARN(l.Name)},
		Detail: Detail{
			CreationTime: l.CreatedAt.UTC().Format(detailTime), FlowDefinitionARN: s.FlowARN(l.Flow),
			HumanLoopARN: s.LoopARN(l.Name), HumanLoopName: l.Name, HumanLoopStatus: l.Status,
		},
	}
	if l.FailureCode != "" {
		e.Detail.FailureCode, e.Detail.FailureReason = &l.FailureCode, &l.FailureReason
	}
	if l.Status != labeling.Failed {
		e.Detail.HumanLoopOutput = &LoopOutput{l.OutputURI}
	}
	// The same end has the same id, whoever tells of it.
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %d", e.Detail.HumanLoopARN, l.CreatedAt.UnixMicro(), l.Status, l.EndedAt.UnixMicro()))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // a UUID of version 8
	e.ID = fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	return e
}

// untoldAtOnce bounds how many ends one look tells of.
const untoldAtOnce = 100

// Tell tells of the ends of a flow's loops that were not told yet.
func (s *Service) Tell(ctx context.Context, job int64) error {
	loops, err := s.Store.Untold(ctx, job, untoldAtOnce)
	if err != nil || len(loops) == 0 {
		return err
	}
	var told []string
	var failed error
	for _, l := range loops {
		s.Log.InfoContext(ctx, "human loop", "name", l.Name, "flow", l.Flow, "status", l.Status, "code", l.FailureCode, "reason", l.FailureReason)
		if s.Events != nil {
			if failed = s.Events.Emit(ctx, s.event(l)); failed != nil {
				break
			}
		}
		told = append(told, l.Name)
	}
	if len(told) > 0 {
		if err := s.Store.Told(ctx, told); err != nil {
			return err
		}
	}
	if failed != nil {
		s.Log.WarnContext(ctx, "the end of a human loop was not told yet", "error", failed)
	}
	return nil
}
