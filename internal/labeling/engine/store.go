package engine

import (
	"context"
	"time"

	"fiducial/internal/labeling"
)

// Jobs are the rows of labeling jobs as requesters see them.
type Jobs interface {
	// Create stores a new job; Exists if the name is taken, whatever the case.
	Create(ctx context.Context, j *labeling.Job) error
	// Job finds a job by name; NotFound if there is none.
	Job(ctx context.Context, name string) (*labeling.Job, error)
	// Stop makes a job that has not ended Stopping. It answers with the job
	// as it is then, and whether this call changed it.
	Stop(ctx context.Context, name string, now time.Time) (j *labeling.Job, changed bool, err error)
	// List answers with up to f.Limit jobs, and whether there are more.
	List(ctx context.Context, f Filter) (jobs []*labeling.Job, more bool, err error)
}

// Arrivals take data objects for jobs in progress.
type Arrivals interface {
	// Arrive stores objects of a live job that is in progress and makes as many
	// of them ready as may be, in one transaction. An object whose id the job
	// knows is not stored again. The answer is in the order of the objects.
	// Faults: NotFound, there is no such job; InUse with CodeNotInProgress,
	// the job is not live and in progress, and nothing was stored.
	Arrive(ctx context.Context, job int64, objects []labeling.Arrival, now time.Time) ([]labeling.Arrived, error)
}

// CodeNotInProgress says that a job takes no data objects: not yet, or never
// again.
const CodeNotInProgress = "NotInProgress"

// Leases tell which replica drives which job.
type Leases interface {
	// Claim takes the jobs that have not ended and that nobody holds, and
	// renews those that owner holds, until the instant. It answers with the
	// ids of all that owner holds now.
	Claim(ctx context.Context, owner string, now, until time.Time) ([]int64, error)
	// Unclaim lets go of all that owner holds.
	Unclaim(ctx context.Context, owner string) error
	// TakeOver forgets all leases, for a process that knows it is alone.
	TakeOver(ctx context.Context) error
}

// Hold names a job that a replica drives. Every change below is refused with
// ErrLost when the owner does not hold the job any more, so that two replicas,
// one of which woke up late, never work on one job at once.
type Hold struct {
	Job   int64
	Owner string
}

// Progress is how the objects of a job stand.
type Progress struct {
	Preparing int64     // objects that await the pre-annotation function's answer
	Ready     int64     // objects with the workers
	Requeued  int64     // that wait to come back to the workers
	Answered  int64     // objects that await consolidation
	Oldest    time.Time // when the first of the answered got there
	Overdue   int64     // ready, nobody works on them, and on offer since before the cutoff
	Live      int64     // assignments
	Queued    bool      // there are objects to send yet
	Batches   int64     // consolidation batches that were begun and not finished
}

// Line is one manifest line to store.
type Line struct {
	Text string
	Kept bool // it has its label already and is not sent to workers
	// Unfit: it lacks the label that the job adjusts or verifies. It counts as
	// failed and is not sent to workers; why follows from the line (Job.Prior).
	Unfit bool
}

// Prepared is what a pre-annotation function made of an object.
type Prepared struct {
	Index    int64
	Input    []byte // what the template will see; the object is ready now
	Excluded bool   // or: it needs no human annotation
	// Failure is, or: why it cannot be shown to a worker, with what its
	// manifest line gets then.
	Failure  string
	Metadata []byte
}

// Started is what ingestion found out.
type Started struct {
	Template    string
	LabelConfig []byte
	Total, Kept int64
	Now         time.Time
}

// Batch is up to 50 objects that are consolidated together. Everything in its
// files is determined by what is stored, so that doing it again after a crash
// writes the same bytes to the same keys.
type Batch struct {
	Number  int64
	MadeAt  time.Time // unique in the job, to the second: it names files
	Objects []labeling.Answered
	// Closed are objects that left the workers' hands without any answer.
	Closed []Closed
}

// Closed is an object without answers.
type Closed struct {
	Index    int64
	Declined int // by how many workers
}

// BatchBounds bound a batch.
type BatchBounds struct {
	Objects int
	Bytes   int64 // of answers; one object may exceed it
}

// Row is one line of the output manifest.
type Row struct {
	Index    int64
	Line     []byte
	Kept     bool
	Unfit    bool
	Label    []byte // nil: not labelled by this job
	Metadata []byte
	Failure  string
}

// Work is what driving a job reads and writes.
type Work interface {
	JobByID(ctx context.Context, id int64) (*labeling.Job, error)
	// Ingested is how far ingestion got, and of what version of the manifest.
	Ingested(ctx context.Context, id int64) (version string, lines int64, err error)
	// Kept is how many of the stored lines have their label already.
	Kept(ctx context.Context, id int64) (int64, error)
	// Restart forgets all lines, to ingest the version from its beginning.
	Restart(ctx context.Context, h Hold, version string) error
	// Append stores the lines that come after the first from lines.
	Append(ctx context.Context, h Hold, from int64, lines []Line) error
	// Start makes the job InProgress and its first objects ready.
	Start(ctx context.Context, h Hold, s Started) error
	Progress(ctx context.Context, id int64, cutoff time.Time) (Progress, error)
	// Preparing are the first of the objects that await the pre-annotation
	// function's answer.
	Preparing(ctx context.Context, id int64, limit int) ([]labeling.DataObject, error)
	// Prepared stores the answers about objects that await them, and lets as
	// many more be prepared as left for good.
	Prepared(ctx context.Context, h Hold, list []Prepared, now time.Time) error
	// TopUp makes objects ready, up to the job's MaxConcurrentTaskCount, or has
	// them prepared where the job has a function for that.
	TopUp(ctx context.Context, h Hold, now time.Time) error
	// CloseOverdue closes the ready objects that nobody works on and that
	// have been on offer since before the cutoff.
	CloseOverdue(ctx context.Context, h Hold, cutoff, now time.Time) error
	// CloseAll closes all ready objects that nobody works on: those with
	// answers go to consolidation, the others become unlabelled again.
	CloseAll(ctx context.Context, h Hold, now time.Time) error
	// Batch answers with the batch that was begun, or begins one;
	// NotFound if no object awaits consolidation.
	Batch(ctx context.Context, h Hold, b BatchBounds, now time.Time) (*Batch, error)
	// FinishBatch stores the batch's results. Again it does nothing.
	FinishBatch(ctx context.Context, h Hold, number int64, results []labeling.Consolidated, now time.Time) error
	// End marks what the job will become when its output is written. Workers
	// get nothing of it any more.
	End(ctx context.Context, h Hold, to labeling.Status, reason string, now time.Time) error
	// Rows calls fn for every line of the manifest in its order.
	Rows(ctx context.Context, id int64, fn func(Row) error) error
	// Finish makes the job end in the status.
	Finish(ctx context.Context, h Hold, to labeling.Status, reason, outputManifest string, now time.Time) error
	// UntoldResults answers with up to limit results of a live job that have not been
	// noted as told, in the order of their objects.
	UntoldResults(ctx context.Context, id int64, limit int) ([]Row, error)
	// ToldResults notes that the results of the objects have been told.
	ToldResults(ctx context.Context, h Hold, indexes []int64) error
	// FailUnsent ends up to limit objects of a live job that were never sent to
	// a worker and that arrived before the cutoff, oldest first, as r says but
	// for its Index.
	FailUnsent(ctx context.Context, h Hold, cutoff time.Time, r labeling.Consolidated, limit int, now time.Time) error
	// Note says why the job waits; "" when it does not any more.
	Note(ctx context.Context, h Hold, note string) error
}

// Store is all of it.
type Store interface {
	Jobs
	Arrivals
	Leases
	Work
	Control
}

// SortBy is what a list is sorted by.
type SortBy string

// The orders of a list.
const (
	ByCreationTime SortBy = "CreationTime"
	ByName         SortBy = "Name"
	ByStatus       SortBy = "Status"
)

// Filter selects jobs. Zero members select everything.
type Filter struct {
	Flows                 bool   // also what the tasks of flow definitions are run by
	Workteam              string // ARN
	NameContains          string
	ReferenceCodeContains string
	Status                labeling.Status
	CreatedAfter          time.Time
	CreatedBefore         time.Time
	ModifiedAfter         time.Time
	ModifiedBefore        time.Time
	SortBy                SortBy // "": by creation time
	Descending            bool
	Limit                 int
	After                 *Position // nil: from the beginning
}

// Position is a place in a sorted list, right behind one job.
type Position struct {
	Key string // the job's value of what is sorted by
	ID  int64
}
