// Package access makes, ends and checks grants.
//
// A grant is one presigned URL, made for one worker, assignment, object and
// origin. Mint assumes the labeling job's execution role with a session policy
// that allows s3:GetObject on that one object to requests from that one origin,
// and signs a GET with the session's key. The policy travels sealed in the URL's
// session token; whoever holds the URL elsewhere gets 403. The same mechanism
// works on any S3 that has STS: the policy is the contract, not our code path.
//
// A grant is on record before its URL is handed out, never outlives the lease it
// was made under, and dies within a second of its reason ending.
//
// # Ending grants
//
// The session token also says for whom and what it was made (identity.Grant).
// A revocation names a Subject, and ends every grant that rests on it:
//
//   - an assignment, a sign-in, a place, a labeling job or a single grant ends
//     once and for good: none of its grants is ever valid again, and none is made;
//   - a worker, a work team, an object, the media of a job, or "all" may be given
//     rights again later: what ends is every grant made before.
//
// "Before" is not a matter of clocks. Revocations are rows numbered in the order
// they were committed; a grant carries, sealed in its id, the number that the
// next revocation would have, as far as the replica that made it knew (its Epoch).
// A revocation ends the grants whose epoch is not above its own number. So a
// replica that is behind, or whose clock is wrong, makes grants that are too old
// and never ones that are too new.
//
// Every replica keeps the live revocations in memory as 64-bit hashes and reads
// new rows at least every PollEvery. A row is kept for LongestSession: after that
// every session it could concern has expired by itself.
package access

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/sigv4"
)

// Times.
const (
	LongestSession = 12 * time.Hour         // the longest MaxSessionDuration of a role
	PollEvery      = 250 * time.Millisecond // how often other replicas' revocations are read
	maxStale       = 700 * time.Millisecond // how old knowledge may be; with one query under a second
	houseEvery     = time.Minute            // how often expired revocations are dropped
	writeLimit     = 10 * time.Second
	readLimit      = 2 * time.Second
	slack          = 15 * time.Minute // a row outlives the longest session by this, for clocks that differ
)

// RoleSessions gives sessions of execution roles; iam.Service does.
type RoleSessions interface {
	ServiceSessions(ctx context.Context, in iam.ServiceSession) (*iam.ServiceSessions, error)
}

// Revocation is a row: from Seq on, the grants that rest on Subject are over.
type Revocation struct {
	Seq     int64 // given by the store: 1, 2, 3… in the order of commits
	Subject Subject
	Reason  string
	At      time.Time
	Expires time.Time // when no session can be concerned any more
}

// Store keeps revocations.
type Store interface {
	// AddRevocations numbers the rows and commits them together. It returns the
	// number of the last one. A number is never visible before a smaller one.
	AddRevocations(ctx context.Context, rows []Revocation) (int64, error)

	// Revocations returns the rows with a number above after, in order, at most limit.
	Revocations(ctx context.Context, after int64, limit int) ([]Revocation, error)

	// LastRevocation returns the highest number ever given, 0 at first.
	LastRevocation(ctx context.Context) (int64, error)

	// DropRevocations removes the rows that expired before the instant.
	DropRevocations(ctx context.Context, before time.Time) error
}

// Options is what a Service needs.
type Options struct {
	Store    Store
	Roles    RoleSessions
	Audit    audit.Recorder
	Endpoint *sigv4.Endpoint // where the URLs lead: the public API URL
	Region   string
	Account  string
	Now      func() time.Time
	Rand     io.Reader    // of cryptographic quality
	Log      *slog.Logger // nil for none

	Elsewhere Elsewhere // nil: every bucket is kept here

	// Alone says that no other process writes to Store, so that what this one
	// knows is all there is to know: the embedded database.
	Alone bool
}

// Service makes, ends and checks grants. It is safe for concurrent use. Run must
// be called for it to hear of other replicas and to keep house.
type Service struct {
	o     Options
	index index
	known atomic.Int64 // the number up to which revocations are known

	polledAt atomic.Int64 // Unix nanoseconds of the last successful poll
	pollMu   sync.Mutex

	batchMu sync.Mutex
	batch   *batch       // collecting, nil when there is none
	writeMu sync.Mutex   // one write at a time
	unsaved []Revocation // could not be written; tried again (guarded by writeMu)

	jobs string // the ARN of a labeling job without its name

	randMu sync.Mutex
	ahead  [200]byte // randomness that was read ahead
	unused int       // of it, at the end
}

// New makes a Service that knows every live revocation.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{o: o, jobs: arn.ARN{Partition: "aws", Service: "sagemaker", Region: o.Region, Account: o.Account, Resource: "labeling-job/"}.String()}
	if s.o.Log == nil {
		s.o.Log = slog.New(slog.DiscardHandler)
	}
	s.index.init()
	// The number first: rows that are committed meanwhile have higher ones.
	last, err := o.Store.LastRevocation(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	s.learn(last)
	return s, nil
}

// The kinds of Subject.
const (
	OfAssignment = "assignment"
	OfSignIn     = "signin"
	OfJob        = "job"
	OfGrant      = "grant"
	OfWorker     = "worker"
	OfTeam       = "team"
	OfAll        = "all"
	OfPlace      = "place"
	OfObject     = "object"    // the ID is bucket/key
	OfJobMedia   = "job-media" // what was made for a job so far; the ID is the job's name
)

// final reports whether what is ended is ended for good.
func final(kind string) bool {
	return kind == OfAssignment || kind == OfSignIn || kind == OfJob || kind == OfGrant || kind == OfPlace
}

// Subject is what a grant rests on. The ID is that of identity.Grant's member,
// bucket/key for OfObject, and empty for OfAll.
type Subject struct{ Kind, ID string }

func (s Subject) String() string {
	if s.ID == "" {
		return s.Kind
	}
	return s.Kind + " " + s.ID
}

// subjects are what a grant rests on, in the order in which they are checked.
func subjects(g *identity.Grant) [9]Subject {
	return [...]Subject{
		{OfAssignment, g.Assignment}, {OfWorker, g.Worker}, {OfSignIn, g.SignIn}, {OfTeam, g.Team},
		{OfJob, g.Job}, {OfGrant, g.ID}, {OfJobMedia, g.Job}, {OfPlace, g.Place}, {OfAll, ""},
	}
}

// Epoch is how much a replica knew of revocations at an instant: the number that
// the next one will have. A grant is ended by revocations from there on.
type Epoch int64

// Epoch returns the present one. A caller of Mint that takes it before it reads
// the worker's rights, and passes it on, closes the last gap: a change between
// the two ends the grant.
func (s *Service) Epoch() Epoch { return Epoch(s.known.Load() + 1) }

// learn raises the number up to which revocations are known.
func (s *Service) learn(seq int64) {
	for {
		old := s.known.Load()
		if seq <= old || s.known.CompareAndSwap(old, seq) {
			return
		}
	}
}

// Check returns nil if the principal's session was not made for a grant, or if
// the grant stands. A grant that is over is Denied; if that cannot be known at
// the moment, Unavailable.
func (s *Service) Check(p *identity.Principal) error {
	const op = "access.Check"
	if !p.IsGrant() {
		return nil
	}
	epoch, ok := epochOf(p.Grant.ID)
	if !ok {
		return fault.Coded(op, fault.Denied, "AccessDenied", "this session was not made by a grant of this server")
	}
	if err := s.upToDate(); err != nil {
		return err
	}
	if over, why := s.over(&p.Grant, epoch); over {
		return fault.Coded(op, fault.Denied, "AccessDenied", "the grant has ended with its "+why)
	}
	return nil
}

// over reports whether a revocation ends the grant, and of what.
func (s *Service) over(g *identity.Grant, epoch Epoch) (bool, string) {
	for _, sub := range subjects(g) {
		if seq := s.index.last(sub); seq > 0 && (final(sub.Kind) || Epoch(seq) >= epoch) {
			return true, sub.Kind
		}
	}
	return false, ""
}

// A grant's id is 16 random characters, a dash and the epoch in base 36.
func grantID(random []byte, epoch Epoch) string {
	return string(strconv.AppendInt(append(random, '-'), int64(epoch), 36))
}

func epochOf(id string) (Epoch, bool) {
	_, digits, ok := strings.Cut(id, "-")
	n, err := strconv.ParseInt(digits, 36, 64)
	return Epoch(n), ok && err == nil && n > 0
}
