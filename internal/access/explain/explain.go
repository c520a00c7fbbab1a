package explain

import (
	"context"
	"net/netip"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
	"fiducial/internal/workforce"
)

// Verdict is what a gate says.
type Verdict string

// The verdicts.
const (
	Passed     Verdict = "passed"
	Refused    Verdict = "refused"
	NotReached Verdict = "not reached"
)

// Gate is one gate of the way to an object.
type Gate struct {
	Name    string // one of those in the package's documentation
	Title   string
	Verdict Verdict
	By      string // the statement or setting that decided
	Detail  string // what was wanted and found, in words
	Change  string // what to change, of a gate that refuses
}

// Question is what is asked.
type Question struct {
	Worker string // id, e-mail address or user name
	Job    string // name
	Bucket string
	Key    string

	From netip.Addr // where the request for the object comes from
	Via  string     // the VPC endpoint it comes through; "" for none

	// Where the task was opened; From and Via if OpenedFrom is not given.
	OpenedFrom netip.Addr
	OpenedVia  string
}

// Answer is a question with all its gates.
type Answer struct {
	Allowed   bool
	Summary   string // one sentence
	DecidedBy string // name of the gate that refused; "" when allowed
	WorkerID  string
	Worker    string // what people call the worker
	Job       string
	Team      string // ARN
	Object    string // s3://bucket/key
	From      string
	OpenedAt  string // origin that the URL is bound to, where that is another than From
	Gates     []Gate
	Assumed   []string // what was taken for granted
}

// People is what is asked of the workforce; *workforce.Service.
type People interface {
	Workforce(ctx context.Context) (workforce.Workforce, error)
	Admission(ctx context.Context, o origin.Origin) (workforce.Admission, error) // to the portal
	Admits(ctx context.Context, o origin.Origin) (bool, error)                   // to media
	Worker(ctx context.Context, id string) (workforce.Worker, error)
	WorkerByEmail(ctx context.Context, email string) (workforce.Worker, error)
	FindWorker(ctx context.Context, pool, name string) (workforce.Worker, error)
	TeamsOf(ctx context.Context, workerID string) ([]workforce.Workteam, error)
	Team(ctx context.Context, teamARN string) (workforce.Workteam, error)
}

// Grants is what is asked about grants; *access.Service.
type Grants interface {
	Preview(r access.Request) (access.Preview, error)
	Concerning(ctx context.Context, r access.Request) ([]access.Revocation, error)
}

// Roles is what is asked about roles and policies; *iam.Service.
type Roles interface {
	AssumeRoleForService(ctx context.Context, in iam.ServiceSession) (iam.Credentials, *iam.Caller, error)
	Explain(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Explanation, error)
}

// Job is what must be known of a labeling job.
type Job struct {
	Name      string
	Status    string
	Open      bool // workers can get tasks of it
	Team      string
	RoleARN   string
	TimeLimit time.Duration
}

// Task is how an object stands for a worker.
type Task struct {
	Assignment string // the lease that the worker holds in the job; "" for none
	Shows      bool   // the page of the task held, or that would be held, asks for the object
	Would      bool   // none is held, and the worker could be given it
	Index      int64  // of the data object
	Expires    time.Time
	Detail     string // how things stand
	Change     string // what would have to be otherwise, if the worker has no way to the object now
}

// Jobs knows labeling jobs.
type Jobs interface {
	// Job finds a job by name: NotFound if there is none.
	Job(ctx context.Context, name string) (Job, error)
	// Task says how the object stands for the worker, who is in the job's team.
	Task(ctx context.Context, job, worker, bucket, key string) (Task, error)
	// Samples returns some of the objects that the job's tasks show, at least one
	// of each bucket that is found, and the manifest's own if none is known yet.
	Samples(ctx context.Context, job string) (samples []Sample, err error)
}

// Sample is an object that tasks show, or the manifest where that is not known.
type Sample struct {
	Bucket, Key string
	Manifest    bool
}

// Stored is what storage asks before it answers a GET.
type Stored struct {
	Question iam.Question // as the S3 endpoint asks it
	Missing  string       // why there is no such object; "" if there is
	NoBucket bool
	Abroad   bool // another store keeps the bucket
	Sealed   bool
	KeyARN   string // of the KMS key that seals the object; "" for none
}

// Objects is storage.
type Objects interface {
	Ask(ctx context.Context, c *iam.Caller, o origin.Origin, bucket, key string) (Stored, error)
	// OpenKey opens the data key of a sealed object for the caller and throws it
	// away: nil, or the refusal.
	OpenKey(ctx context.Context, c *iam.Caller, o origin.Origin, bucket, key string) error
}

// Side is one of the two doors that a worker's requests come to.
type Side uint8

// The sides.
const (
	PortalSide Side = iota
	MediaSide
)

// Network makes the origin of a request from an address, by the settings. A
// refusal says which setting, in words.
type Network interface {
	Arrive(side Side, from netip.Addr, via string) (o origin.Origin, rule string, err error)
	// Inside is an origin within a VPC, through an endpoint of it that leads to the
	// media; false if there is none.
	Inside(vpc string) (origin.Origin, bool)
}

// Options is what a Service needs.
type Options struct {
	People  People
	Grants  Grants
	Roles   Roles
	Jobs    Jobs
	Objects Objects
	Network Network
	Now     func() time.Time
	// BrowserBound reports whether a work team's media open only in the worker's
	// own browser. Nil: no team's do.
	BrowserBound func(ctx context.Context, teamARN string) (bool, error)
}

// Service explains. It is safe for concurrent use.
type Service struct{ Options }

// New makes a Service.
func New(o Options) *Service { return &Service{o} }

// Explain answers a question. The error is for questions about what is not there
// (NotFound: no such worker or job) and for trouble.
func (s *Service) Explain(ctx context.Context, q Question) (Answer, error) {
	r, err := s.begin(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	for _, step := range steps {
		if err := step(r, ctx); err != nil {
			return Answer{}, err
		}
		if r.refused() {
			break
		}
	}
	return r.answer(), nil
}

// run is one question on its way.
type run struct {
	*Service
	q       Question
	worker  workforce.Worker
	job     Job
	team    workforce.Workteam
	portal  origin.Origin // where the task is opened
	bound   origin.Origin // the same browser, as the media endpoint sees it
	from    origin.Origin // where the request comes from
	task    Task
	request access.Request
	preview access.Preview
	caller  *iam.Caller
	stored  Stored
	gates   []Gate
	decided string // of the gates that are decided together, the one that the decision names
}

// steps are the gates in order. The one for policies adds three.
var steps = []func(*run, context.Context) error{
	(*run).network, (*run).signIn, (*run).account, (*run).membership, (*run).inProgress, (*run).assignment,
	(*run).binding, (*run).revocation, (*run).trust, (*run).policies, (*run).object, (*run).key,
}

// titles are the gates' names and titles in order.
var titles = [...]struct{ name, title string }{
	{"network", "Network and VPC endpoint"},
	{"sign-in", "Where workers may come from"},
	{"account", "Worker's account"},
	{"membership", "Membership of the work team"},
	{"job", "State of the job"},
	{"assignment", "Assignment"},
	{"binding", "Binding of the media URL"},
	{"revocation", "Revocations"},
	{"trust", "Trust policy of the execution role"},
	{"role", "Policies of the execution role"},
	{"session", "Session policy of the media URL"},
	{"bucket", "Bucket policy"},
	{"object", "The object"},
	{"key", "Key policy"},
}

// Gates are the names of all gates in order.
func Gates() []string {
	out := make([]string, len(titles))
	for i := range titles {
		out[i] = titles[i].name
	}
	return out
}

func (s *Service) begin(ctx context.Context, q Question) (*run, error) {
	const op = "explain.Explain"
	if !q.From.IsValid() {
		return nil, fault.Newf(op, fault.Invalid, "From: expected an IPv4 or IPv6 address.")
	}
	if q.Bucket == "" || q.Key == "" {
		return nil, fault.Newf(op, fault.Invalid, "Object: expected s3://bucket/key.")
	}
	if !q.OpenedFrom.IsValid() {
		q.OpenedFrom, q.OpenedVia = q.From, q.Via
	}
	r := &run{Service: s, q: q}
	var err error
	if r.worker, err = s.FindWorker(ctx, q.Worker); err != nil {
		return nil, err
	}
	if r.job, err = s.Jobs.Job(ctx, q.Job); fault.Is(err, fault.NotFound) {
		return nil, fault.Newf(op, fault.NotFound, "There is no labeling job %q.", q.Job)
	} else if err != nil {
		return nil, err
	}
	if r.team, err = s.People.Team(ctx, r.job.Team); err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return r, nil
}

// FindWorker finds a worker by id, e-mail address, user name or sub.
func (s *Service) FindWorker(ctx context.Context, name string) (workforce.Worker, error) {
	w, err := s.People.Worker(ctx, name)
	if fault.Is(err, fault.NotFound) {
		w, err = s.People.WorkerByEmail(ctx, name)
	}
	if fault.Is(err, fault.NotFound) {
		var all workforce.Workforce
		if all, err = s.People.Workforce(ctx); err == nil {
			w, err = s.People.FindWorker(ctx, all.UserPool, name)
		}
	}
	if fault.Is(err, fault.NotFound) {
		return w, fault.Newf("explain.FindWorker", fault.NotFound, "There is no worker %q: expected a worker id, an e-mail address or a user name.", name)
	}
	return w, err
}

// refused reports whether a gate has refused.
func (r *run) refused() bool {
	for i := range r.gates {
		if r.gates[i].Verdict == Refused {
			return true
		}
	}
	return false
}

// pass and refuse add the next gate.
func (r *run) pass(by, detail string) error {
	return r.add(Gate{Verdict: Passed, By: by, Detail: detail})
}

func (r *run) refuse(by, detail, change string) error {
	return r.add(Gate{Verdict: Refused, By: by, Detail: detail, Change: change})
}

func (r *run) add(g Gate) error {
	t := titles[len(r.gates)]
	g.Name, g.Title = t.name, t.title
	r.gates = append(r.gates, g)
	return nil
}

func (r *run) answer() Answer {
	a := Answer{
		Allowed: !r.refused(), WorkerID: r.worker.ID, Worker: r.worker.Name(), Job: r.job.Name, Team: r.job.Team,
		Object: "s3://" + r.q.Bucket + "/" + r.q.Key, From: place(r.q.From, r.q.Via),
	}
	if opened := place(r.q.OpenedFrom, r.q.OpenedVia); opened != a.From {
		a.OpenedAt = opened
	}
	for i := range r.gates {
		if g := &r.gates[i]; g.Verdict == Refused && (a.DecidedBy == "" || g.Name == r.decided) {
			a.DecidedBy = g.Name
		}
	}
	for len(r.gates) < len(titles) {
		_ = r.add(Gate{Verdict: NotReached})
	}
	a.Gates = r.gates
	a.Summary = r.summary(&a)
	a.Assumed = r.assumed()
	return a
}

func place(a netip.Addr, via string) string {
	return origin.Origin{Addr: a, VPCE: via}.String()
}
