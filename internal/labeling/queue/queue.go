// Package queue hands out assignments: leases on data objects, one a worker
// and object.
//
// What holds at every instant, on any number of replicas:
//
//   - live assignments + answers of an object <= what its job wants. The slot
//     is taken by one SQL statement whose "where" repeats that guard, and the
//     table checks it too.
//   - A worker answers an object once: (job, object, worker) is the primary
//     key of assignments, and only a released or expired row is taken again.
//   - A worker holds one live assignment in a job. Asking for work again
//     resumes it.
//   - What Submit acknowledged is stored; the same Submit again is
//     acknowledged again and changes nothing.
//
// A lease ends when it is submitted, released, declined, when its time is up,
// or when its job stops. Whoever must know (the media URLs made for it die)
// hears of it after the commit, through Ended.
package queue

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// Codes of faults that a portal tells apart.
const (
	CodeNoTask       = "NoTask"       // nothing for this worker now
	CodeJobEnded     = "JobEnded"     // and never again in this job
	CodeLeaseExpired = "LeaseExpired" // the assignment is not the worker's any more
)

// Ended hears of every assignment that has ended, after the change is durable.
// It may hear of one more than once. An error is logged: the assignment has
// ended all the same.
type Ended interface {
	Ended(ctx context.Context, reason string, assignmentIDs ...string) error
}

// Take is what a store needs to hand out a task.
type Take struct {
	Job    *labeling.Job
	Worker string
	ID     string // of the assignment, if a new one is made
	Now    time.Time
}

// End is what a store needs to end a lease.
type End struct {
	ID     string
	Worker labeling.Worker
	State  labeling.AssignmentState
	Answer json.RawMessage // for Submitted
	Now    time.Time
}

// Store keeps assignments. Every method is atomic.
type Store interface {
	Barrier
	// Offers lists the jobs in progress of the teams.
	Offers(ctx context.Context, worker string, teams []string, now time.Time) ([]labeling.Offer, error)
	// JobToWorkOn finds a job by name: NotFound if there is none. What never
	// changes of it is right; its status and counters may be old.
	JobToWorkOn(ctx context.Context, name string) (*labeling.Job, error)
	// InProgress reports whether workers can get tasks of the job.
	InProgress(ctx context.Context, job int64) (bool, error)
	// Assignment finds one by id, with its job (see JobToWorkOn), line and
	// draft: NotFound if there is none.
	Assignment(ctx context.Context, id string) (labeling.Assignment, error)
	// Take answers with the worker's live assignment in the job, or makes one;
	// NotFound if there is no object for the worker. expired are assignments
	// whose time was up and which it ended on the way, whatever its error.
	Take(ctx context.Context, t Take) (a labeling.Assignment, expired []string, err error)
	// SaveDraft overwrites the draft of an assignment that is live, the
	// worker's, and of a job of one of the worker's teams. It reports whether
	// it was.
	SaveDraft(ctx context.Context, w labeling.Worker, id string, draft json.RawMessage, now time.Time) (bool, error)
	// EndLease ends an assignment that is live, the worker's, and of a job of
	// one of the worker's teams. It reports whether it was. An assignment
	// whose time is up is not live for Submitted; released or declined it may
	// be until somebody has ended it.
	EndLease(ctx context.Context, e End) (bool, error)
	// Expire ends up to limit assignments whose time is up, and says which.
	Expire(ctx context.Context, now time.Time, limit int) ([]string, error)
	// ExpireJob ends all live assignments of a job that is not in progress.
	ExpireJob(ctx context.Context, job int64, now time.Time) ([]string, error)
	// Untold lists assignments that ended before the instant and whose end
	// has not been noted as told, oldest first.
	Untold(ctx context.Context, before time.Time, limit int) ([]string, error)
	// Told notes that the ends of the assignments have been told.
	Told(ctx context.Context, ids []string) error
}

// Service hands out assignments.
type Service struct {
	store  Store
	ended  Ended
	now    func() time.Time
	random io.Reader
	log    *slog.Logger

	mu   sync.Mutex
	told map[string]bool // told since the last Sweep, which need not tell them again
}

// New makes the queue. random must be cryptographic: assignment ids are not to
// be guessed.
func New(store Store, ended Ended, now func() time.Time, random io.Reader, log *slog.Logger) *Service {
	return &Service{store: store, ended: ended, now: now, random: random, log: log, told: map[string]bool{}}
}

// Offers lists the jobs that the worker may work on, oldest first.
func (s *Service) Offers(ctx context.Context, w labeling.Worker) ([]labeling.Offer, error) {
	if len(w.Teams) == 0 {
		return nil, nil
	}
	return s.store.Offers(ctx, w.ID, w.Teams, s.now())
}

// Take hands the worker a task of the job: the one it holds already, or the
// next. With nothing to hand out it answers NotFound, with CodeNoTask or
// CodeJobEnded.
func (s *Service) Take(ctx context.Context, w labeling.Worker, job string) (labeling.Assignment, error) {
	const op = "queue.Take"
	j, err := s.store.JobToWorkOn(ctx, job)
	if err != nil {
		return labeling.Assignment{}, err
	}
	if !w.In(j.Human.WorkteamARN) {
		// The same answer as for a job that is not there: names of other
		// teams' jobs are not a worker's business.
		return labeling.Assignment{}, fault.Newf(op, fault.NotFound, "there is no job %s for you", labeling.Quote(job))
	}
	id, err := s.id()
	if err != nil {
		return labeling.Assignment{}, err
	}
	a, expired, err := s.store.Take(ctx, Take{Job: j, Worker: w.ID, ID: id, Now: s.now()})
	s.tell(ctx, "expired", expired...)
	if !fault.Is(err, fault.NotFound) {
		return a, err
	}
	running, err := s.store.InProgress(ctx, j.ID)
	if err != nil {
		return a, err
	}
	if !running {
		return a, fault.Coded(op, fault.NotFound, CodeJobEnded, "this job is done")
	}
	return a, fault.Coded(op, fault.NotFound, CodeNoTask, "there is no task for you in this job now")
}

// Get answers with the worker's live assignment.
func (s *Service) Get(ctx context.Context, w labeling.Worker, id string) (labeling.Assignment, error) {
	const op = "queue.Get"
	a, err := s.own(ctx, op, w, id)
	if err != nil {
		return a, err
	}
	if !s.live(&a) {
		return labeling.Assignment{}, ended(op)
	}
	return a, nil
}

// SaveDraft keeps what the worker has entered so far, instead of what was kept
// before. It lasts as long as the lease, whatever happens to browser or server.
func (s *Service) SaveDraft(ctx context.Context, w labeling.Worker, id string, draft json.RawMessage) error {
	const op = "queue.SaveDraft"
	draft, err := labeling.CheckAnswer(draft)
	if err != nil {
		return err
	}
	live, err := s.store.SaveDraft(ctx, w, id, draft, s.now())
	if err != nil || live {
		return err
	}
	if _, err := s.own(ctx, op, w, id); err != nil {
		return err
	}
	return ended(op)
}

// Submit stores the worker's answer and ends the lease. A repeat of a Submit
// that was acknowledged is acknowledged, and the first answer stands. After
// the lease has ended otherwise it answers InUse with CodeLeaseExpired.
func (s *Service) Submit(ctx context.Context, w labeling.Worker, id string, answer json.RawMessage) error {
	const op = "queue.Submit"
	answer, err := labeling.CheckAnswer(answer)
	if err != nil {
		return err
	}
	done, err := s.end(ctx, w, id, labeling.Submitted, answer)
	if err != nil || done {
		return err
	}
	// It was not live: perhaps because this very Submit was made before.
	a, err := s.own(ctx, op, w, id)
	if err != nil {
		return err
	}
	if a.State != labeling.Submitted && a.State != labeling.Discarded { // discarded since it was submitted
		return ended(op)
	}
	return nil
}

// Release gives the task back. The worker may get it again. Releasing what is
// not held any more is done already.
func (s *Service) Release(ctx context.Context, w labeling.Worker, id string) error {
	return s.give(ctx, "queue.Release", w, id, labeling.Released)
}

// Decline gives the task back for good: this worker never gets it again.
func (s *Service) Decline(ctx context.Context, w labeling.Worker, id string) error {
	return s.give(ctx, "queue.Decline", w, id, labeling.Declined)
}

// StopForNow leaves the lease and its draft as they are: the worker may resume
// until the time is up.
func (s *Service) StopForNow(ctx context.Context, w labeling.Worker, id string) error {
	_, err := s.Get(ctx, w, id)
	return err
}

// ExpireJob ends all live assignments of a job that is not in progress.
func (s *Service) ExpireJob(ctx context.Context, job int64) error {
	ids, err := s.store.ExpireJob(ctx, job, s.now())
	if err != nil {
		return err
	}
	s.tell(ctx, "job ended", ids...)
	return nil
}

func (s *Service) give(ctx context.Context, op string, w labeling.Worker, id string, state labeling.AssignmentState) error {
	done, err := s.end(ctx, w, id, state, nil)
	if err == nil && !done {
		_, err = s.own(ctx, op, w, id)
	}
	return err
}

func (s *Service) end(ctx context.Context, w labeling.Worker, id string, state labeling.AssignmentState, answer json.RawMessage) (bool, error) {
	done, err := s.store.EndLease(ctx, End{ID: id, Worker: w, State: state, Answer: answer, Now: s.now()})
	if done && err == nil {
		s.tell(ctx, string(state), id)
	}
	return done, err
}

// own reads an assignment that is the worker's, in a team the worker is in.
// Another's is not found: its id must not be confirmed.
func (s *Service) own(ctx context.Context, op string, w labeling.Worker, id string) (labeling.Assignment, error) {
	a, err := s.store.Assignment(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return a, err
	}
	if err != nil || a.Worker != w.ID {
		return labeling.Assignment{}, fault.Newf(op, fault.NotFound, "there is no such task for you")
	}
	if !w.In(a.Job.Human.WorkteamARN) {
		return labeling.Assignment{}, fault.Newf(op, fault.Denied, "you are no longer in the work team of this job")
	}
	return a, nil
}

func (s *Service) live(a *labeling.Assignment) bool {
	return a.State == labeling.Active && s.now().Before(a.ExpiresAt)
}

func (s *Service) id() (string, error) {
	var b [18]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		return "", fault.E("queue.id", fault.Internal, "", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func ended(op string) error {
	return fault.Coded(op, fault.InUse, CodeLeaseExpired, "the time for this task is up, or it was given back; take the next one")
}
