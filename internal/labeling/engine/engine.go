// Package engine drives labeling jobs from CreateLabelingJob to the output
// manifest.
//
// Any number of replicas run it on one database. A replica holds a lease on
// each job that it drives, and every change that it makes to a job is refused
// once another replica holds it. A job is driven in small steps, each of which
// is either one transaction or the writing of files whose keys and bytes follow
// from what is stored. So a crash at any instant loses nothing and doubles
// nothing: whoever drives the job next repeats at most the last step.
//
//	Initializing  template, label categories and manifest are read as the job's
//	              execution role; the lines are stored in batches, and reading
//	              goes on behind the last stored line after a crash
//	InProgress    objects are made ready, up to MaxConcurrentTaskCount, by the
//	              job's own pre-annotation function where it has one; those with
//	              their answers are consolidated in batches of up to 50
//	ending        workers get nothing more, leases end, what has answers is
//	              consolidated, then the manifest is written, last of all files
//
// Functions that requesters wrote are asked again after a crash, and must be
// idempotent; what a pre-annotation function answered is stored with its object
// and not asked for again.
//
// Storage or a function that is away makes a job wait (Job.Note says for what), not fail.
package engine

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/output"
	"fiducial/internal/labeling/queue"
)

// Bucket is storage as one execution role may use it. Faults tell what went
// wrong: NotFound (the object or its bucket), Denied (the message names the
// statement where one decided), anything else is taken for storage that is
// away.
type Bucket interface {
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, ObjectInfo, error)
	// Put writes the object whole or not at all.
	Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error
}

// Sealing is a Bucket that can seal what is written under a key of the KMS.
type Sealing interface {
	Bucket
	// SealedUnder returns the same storage, where all that Put writes is sealed
	// under the key (OutputConfig.KmsKeyId).
	SealedUnder(keyID string) Bucket
}

// ObjectInfo is what the engine must know of an object.
type ObjectInfo struct {
	Size int64
	ETag string
}

// Roles give access to storage as an execution role.
type Roles interface {
	// Assume starts a session of the role for the service, on behalf of the job
	// (aws:SourceArn of the trust policy). Denied: the role's trust policy does
	// not allow it. NotFound: there is no such role.
	Assume(ctx context.Context, roleARN, sessionName, jobARN string) (Bucket, error)
}

// Workers tell who a worker is, for the worker-response files. The zero
// identity is left out of them.
type Workers interface {
	Identity(ctx context.Context, worker string) (output.Identity, error)
}

// Queue is what the engine needs of the queue.
type Queue interface {
	Sweep(ctx context.Context) error
	ExpireJob(ctx context.Context, job int64) error
	Bar(ctx context.Context, b queue.Bar) error
	Admit(ctx context.Context, job int64, worker string) (bool, error)
}

// Watcher hears of every job whose status has changed, after the change is
// durable.
type Watcher interface {
	JobChanged(ctx context.Context, j *labeling.Job)
}

// Results hears of what became of the data objects of live jobs: each object at
// least once, after its result is durable, in no particular order. An error
// makes the engine tell again later.
type Results interface {
	Labeled(ctx context.Context, j *labeling.Job, rows []Row) error
}

// Streams bring the data objects of streaming labeling jobs, whose Live has an
// InputTopicARN. Faults of kind NotFound and Denied say that the input is not
// accessible.
type Streams interface {
	// Open makes ready what objects come by. Again it changes nothing.
	Open(ctx context.Context, j *labeling.Job) error
	// Pull takes up to about so many new objects, hands each to arrive, and
	// forgets it after that has succeeded.
	Pull(ctx context.Context, j *labeling.Job, most int, arrive func(context.Context, ...labeling.Arrival) ([]labeling.Arrived, error)) error
	// Close undoes Open, so that nothing more comes. What has come stays.
	Close(ctx context.Context, j *labeling.Job) error
}

// Options are what an Engine is made of. All but Watcher, Officer, Workers,
// Results, Streams, Functions, TaskUI, Reviews and the times are required.
type Options struct {
	Store   Store
	Queue   Queue
	Roles   Roles
	Workers Workers
	Watcher Watcher
	Officer Officer // nil: nobody hears what quality control does
	// Functions are nil where jobs may name the built-in ones only.
	Functions Functions
	Results   Results
	Streams   Streams
	// Template is the built-in worker task template of a task type.
	Template func(t labeling.TaskType) (src string, ok bool)
	// TaskUI is the template of a human task UI that the account keeps; NotFound if
	// there is none. Nil: there are none.
	TaskUI func(ctx context.Context, arn string) (string, error)
	// Reviews ends human loops; nil where there are no flow definitions.
	Reviews Reviews
	// Owner names this process among the replicas; unique for each start.
	Owner string
	// Alone: no other process uses the database, so leases of earlier
	// processes are void.
	Alone bool
	Now   func() time.Time
	Log   *slog.Logger

	Tick  time.Duration // pause between two looks at a job; default 500 ms
	Quiet time.Duration // how long answered objects wait for others to share a batch; default 2 s
	Lease time.Duration // how long a replica that died keeps its jobs; default 15 s
}

// Engine drives labeling jobs. Make it with New, run it with Run.
type Engine struct {
	Options
	wake  chan struct{}
	mu    sync.Mutex
	roles map[acting]session
	wrote map[int64]written // live jobs' manifests

	pictures sync.Mutex // held while pictures of segments are made
}

// acting is a role that is used for a job. A trust policy may admit one job and
// not another, so that sessions are not shared between jobs.
type acting struct{ role, job string }

func actingFor(j *labeling.Job) acting { return acting{j.RoleARN, j.ARN} }

// session is an assumed role, kept for a while.
type session struct {
	bucket Bucket
	until  time.Time
}

// New makes an engine.
func New(o Options) *Engine {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&o.Tick, 500*time.Millisecond)
	set(&o.Quiet, 2*time.Second)
	set(&o.Lease, 15*time.Second)
	return &Engine{Options: o, wake: make(chan struct{}, 1), roles: map[acting]session{}, wrote: map[int64]written{}}
}

// Create stores a job that labeling.NewJob made. The background does the rest.
// A function that nobody can run is Invalid.
func (e *Engine) Create(ctx context.Context, j *labeling.Job) error {
	if err := e.mapped(j); err != nil {
		return err
	}
	if err := e.configure(ctx, j); err != nil {
		return err
	}
	if err := e.Store.Create(ctx, j); err != nil {
		return err
	}
	e.changed(ctx, j)
	e.nudge()
	return nil
}

// Describe finds a job by name. A job that is not there is NotFound.
func (e *Engine) Describe(ctx context.Context, name string) (*labeling.Job, error) {
	return e.Store.Job(ctx, name)
}

// Stop begins to stop a job: no worker gets anything of it from now on, and
// what is answered will be in its output. Stopping a job that is stopping or
// has ended changes nothing.
func (e *Engine) Stop(ctx context.Context, name string) error {
	j, changed, err := e.Store.Stop(ctx, name, e.Now())
	if err != nil || !changed {
		return err
	}
	// Grants of its workers die now, not when the background gets there.
	if err := e.Queue.ExpireJob(ctx, j.ID); err != nil {
		e.Log.Warn("assignments of a stopping job remain for now", "job", name, "error", err)
	}
	e.changed(ctx, j)
	e.nudge()
	return nil
}

func (e *Engine) changed(ctx context.Context, j *labeling.Job) {
	if e.Watcher != nil {
		e.Watcher.JobChanged(context.WithoutCancel(ctx), j)
	}
}

// nudge makes Run look for jobs now.
func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// sessionLasts is how long an assumed role is used again. Permissions are
// looked up at each use all the same; this only saves making sessions.
const sessionLasts = 10 * time.Minute

// bucket is storage as the job's execution role may use it.
func (e *Engine) bucket(ctx context.Context, j *labeling.Job) (Bucket, error) {
	e.mu.Lock()
	s, ok := e.roles[actingFor(j)]
	e.mu.Unlock()
	if ok && e.Now().Before(s.until) {
		return s.bucket, nil
	}
	b, err := e.Roles.Assume(ctx, j.RoleARN, "GroundTruth-"+j.Name[:min(len(j.Name), 48)], j.ARN)
	if err != nil {
		return nil, &roleError{j.RoleARN, err}
	}
	if j.OutputKMSKeyID != "" {
		s, ok := b.(Sealing)
		if !ok {
			return nil, fault.Newf("engine.bucket", fault.Denied, "the storage of this job cannot seal under OutputConfig.KmsKeyId, and nothing is written unsealed instead")
		}
		b = s.SealedUnder(j.OutputKMSKeyID)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.roles) > 1000 {
		clear(e.roles)
	}
	e.roles[actingFor(j)] = session{b, e.Now().Add(sessionLasts)}
	return b, nil
}

// forget drops the kept session of a job's role: the next use makes a new one.
func (e *Engine) forget(j *labeling.Job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.roles, actingFor(j))
}

// identity is who a worker is; an account that is gone has none.
func (e *Engine) identity(ctx context.Context, worker string) (output.Identity, error) {
	if e.Workers == nil {
		return output.Identity{}, nil
	}
	id, err := e.Workers.Identity(ctx, worker)
	if fault.Is(err, fault.NotFound) {
		return output.Identity{}, nil
	}
	return id, err
}
