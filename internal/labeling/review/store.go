package review

import (
	"context"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
)

// TaskUIs keep human task UIs.
type TaskUIs interface {
	// CreateTaskUI stores one; Exists if the name is taken.
	CreateTaskUI(ctx context.Context, u TaskUI) error
	// TaskUI finds one by name, NotFound if there is none.
	TaskUI(ctx context.Context, name string) (TaskUI, error)
	// TaskUIs lists all, without their content.
	TaskUIs(ctx context.Context) ([]TaskUI, error)
	DeleteTaskUI(ctx context.Context, name string) error
}

// Flows keep flow definitions.
type Flows interface {
	// CreateFlow stores a flow definition with its job; Exists if the name is taken.
	CreateFlow(ctx context.Context, f *Flow) error
	Flow(ctx context.Context, name string) (*Flow, error)
	Flows(ctx context.Context) ([]*Flow, error)
	// DeletingFlow makes an active flow's job Stopping: no loop begins and no worker
	// gets a task of it any more. It reports whether it did.
	DeletingFlow(ctx context.Context, f *Flow, now time.Time) (bool, error)
	// DropUnstarted forgets the loops of a flow that is being deleted which have
	// neither ended nor a task.
	DropUnstarted(ctx context.Context, job int64) error
	// DropFlow forgets a flow, its loops and their answers.
	DropFlow(ctx context.Context, job int64) error
}

// Loops keep human loops.
type Loops interface {
	// StartLoop stores a loop and, unless it has ended already, its task. A loop of
	// that name that was started with the same is answered as it is, with another
	// it is Exists. InUse: the flow is not active. Limit: it has most loops in
	// progress.
	StartLoop(ctx context.Context, l *Loop, input []byte, most int64) (*Loop, error)
	Loop(ctx context.Context, name string) (*Loop, error)
	// Loops lists loops of a flow, and says whether there are more.
	Loops(ctx context.Context, f Filter) ([]*Loop, bool, error)
	// StopLoop makes a loop in progress Stopping and closes its task.
	StopLoop(ctx context.Context, name string, now time.Time) error
	// DeleteLoop forgets a loop that has ended, with its answers. It reports whether
	// it did.
	DeleteLoop(ctx context.Context, name string) (bool, error)

	// LoopsAt finds the loops of a job's objects.
	LoopsAt(ctx context.Context, job int64, objects []int64) (map[int64]*Loop, error)
	// EndLoops ends the loops of a batch. Again it does nothing.
	EndLoops(ctx context.Context, h engine.Hold, batch int64, loops []*Loop, now time.Time) error
	// Untold lists loops of a flow's job whose end was not told yet.
	Untold(ctx context.Context, job int64, limit int) ([]*Loop, error)
	Told(ctx context.Context, names []string) error
}

// Store is all of it.
type Store interface {
	TaskUIs
	Flows
	Loops
}

// Filter selects human loops of one flow. Zero members select everything.
type Filter struct {
	Job           int64
	CreatedAfter  time.Time
	CreatedBefore time.Time
	Descending    bool
	Limit         int
	After         *Place // nil: from the beginning
}

// Place is a place in a list of loops, right behind one.
type Place struct {
	At   time.Time
	Name string
}

// Status is a human loop's state, in AWS's words.
type Status = labeling.Status
