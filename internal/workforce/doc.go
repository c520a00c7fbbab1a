// Package workforce knows who may label: the private workforce, its work teams,
// and the directory of people behind them.
//
//	Workforce (one per account and region) ── user pool + client
//	   └─ Workteam (at most 25) ── MemberDefinition: pool, group, client
//	                                     └─ Group ── Worker
//
// A worker is in a team when one of the team's member definitions names a group
// that the worker is in. Nobody is put into a team by name. A disabled worker is
// in no team.
//
// The directory has the shape of a Cognito user pool, because that is how a
// private workforce is documented to be built: pool, client, groups, users.
// Passwords are not kept here; signing in is another package's.
//
// When something ends that a grant rests on (a worker is disabled, deleted or
// leaves a group, a team's members or access rules change, the workforce's
// addresses change), the package says so through Changes. It says so twice,
// before and after the commit: after alone, a crash in between would leave old
// grants alive; before alone, a grant made in between would live on.
package workforce

import (
	"context"
	"io"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/origin"
)

// Limits, from SageMaker's quotas; the last is ours.
const (
	MaxTeams   = 25
	MaxCIDRs   = 10
	MaxWorkers = 1_000_000 // of one pool, in one list
)

// Kind of thing that changed; the same words as access.Subject's.
type Kind string

// The kinds of change.
const (
	WorkerChanged Kind = "worker"
	TeamChanged   Kind = "team"
	AllChanged    Kind = "all"
)

// Change names one thing whose grants end. ID is a worker id or a work team
// ARN; empty for AllChanged.
type Change struct {
	Kind Kind
	ID   string
}

// Changes is told what ended.
type Changes interface {
	Changed(ctx context.Context, reason string, changes ...Change) error
}

// Jobs knows the labeling jobs of a team.
type Jobs interface {
	// Running reports whether a job of the work team has not ended.
	Running(ctx context.Context, workteamARN string) (bool, error)
}

// Config is what a Service needs.
type Config struct {
	Store      Store
	Changes    Changes
	Jobs       Jobs
	Region     string
	Account    string
	PortalHost string           // host (and port) of the worker portal: SubDomain
	Networks   *origin.Networks // the VPCs that a workforce may name; nil: none
	Now        func() time.Time
	Random     io.Reader
}

// Service holds the rules.
type Service struct {
	Config
}

// New makes a Service.
func New(c Config) *Service {
	if c.Networks == nil {
		c.Networks = &origin.Networks{}
	}
	return &Service{c}
}

// now has the precision that the store keeps, so what is answered at creation
// is what is answered later.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

func (s *Service) arn(service, resource string) string {
	return arn.ARN{Partition: "aws", Service: service, Region: s.Region, Account: s.Account, Resource: resource}.String()
}

// announce runs commit between two announcements of changes.
func (s *Service) announce(ctx context.Context, reason string, commit func() error, changes ...Change) error {
	if len(changes) == 0 {
		return commit()
	}
	if err := s.Changes.Changed(ctx, reason, changes...); err != nil {
		return err
	}
	if err := commit(); err != nil {
		return err
	}
	return s.Changes.Changed(ctx, reason, changes...)
}
