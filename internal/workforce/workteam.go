package workforce

import (
	"context"
	"strings"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
)

// Workteam is a group of workers that jobs are given to.
type Workteam struct {
	Name                 string
	ARN                  string
	WorkforceName        string
	WorkforceARN         string
	Description          string
	SubDomain            string
	Members              []MemberDefinition
	NotificationTopicARN string
	Access               *WorkerAccess // nil: never set
	CreatedAt            time.Time
	UpdatedAt            time.Time
}

// MemberDefinition names a group of a user pool.
type MemberDefinition struct {
	UserPool, Group, ClientID string
}

// WorkerAccess is WorkerAccessConfiguration.S3Presign.IamPolicyConstraints:
// which origin media URLs are bound to. A value is "Enabled", "Disabled", or
// empty where it was not set; empty means Disabled and is not echoed.
type WorkerAccess struct {
	SourceIP    string
	VpcSourceIP string
}

// Enabled is the value that turns a constraint on.
const Enabled = "Enabled"

// BindsSourceIP reports whether media URLs of the team are bound to the
// worker's public address.
func (t *Workteam) BindsSourceIP() bool { return t.Access != nil && t.Access.SourceIP == Enabled }

// BindsVpcSourceIP is the same for the address inside a VPC.
func (t *Workteam) BindsVpcSourceIP() bool { return t.Access != nil && t.Access.VpcSourceIP == Enabled }

// NewWorkteam is what CreateWorkteam asks for. An empty WorkforceName is the
// one private workforce.
type NewWorkteam struct {
	Name, WorkforceName, Description string
	Members                          []MemberDefinition
	NotificationTopicARN             string
	Access                           *WorkerAccess
}

// CreateWorkteam makes a team.
func (s *Service) CreateWorkteam(ctx context.Context, in NewWorkteam) (Workteam, error) {
	const op = "workforce.CreateWorkteam"
	now := s.now()
	t := Workteam{
		Name: in.Name, ARN: s.teamARN(in.Name), Description: in.Description, SubDomain: s.PortalHost,
		Members: in.Members, NotificationTopicARN: in.NotificationTopicARN, Access: in.Access, CreatedAt: now, UpdatedAt: now,
	}
	err := s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		w, err := s.workforceOf(ctx, tx, op, in.WorkforceName)
		if err != nil {
			return err
		}
		t.WorkforceName, t.WorkforceARN = w.Name, w.ARN
		teams, err := tx.LoadTeams(ctx)
		if err != nil {
			return err
		}
		for i := range teams {
			if Key(teams[i].Name) == Key(in.Name) {
				return fault.Newf(op, fault.InUse, "The work team %s already exists.", teams[i].Name)
			}
		}
		if len(teams) >= MaxTeams {
			return fault.Newf(op, fault.Limit, "There are %d work teams already, which is as many as there can be.", len(teams))
		}
		if err := checkMembers(ctx, tx, op, w, in.Members); err != nil {
			return err
		}
		return tx.SaveTeam(ctx, t)
	})
	return t, err
}

// TeamARN is the ARN of the private team of that name.
func (s *Service) TeamARN(name string) string { return s.teamARN(name) }

func (s *Service) teamARN(name string) string {
	return s.arn("sagemaker", "workteam/private-crowd/"+Key(name))
}

func (s *Service) workforceOf(ctx context.Context, r Reader, op, name string) (Workforce, error) {
	if name != "" {
		return load(ctx, r, op, name)
	}
	w, err := r.LoadWorkforce(ctx)
	return w, orInvalid(err, op, "No workforce exists in this account and region. Create one before its work teams.")
}

// checkMembers: every definition is of the workforce's own pool and client, and
// every group is there.
func checkMembers(ctx context.Context, r Reader, op string, w Workforce, members []MemberDefinition) error {
	for i, m := range members {
		if m.UserPool != w.UserPool || m.ClientID != w.ClientID {
			return fault.Newf(op, fault.Invalid,
				"MemberDefinitions[%d].CognitoMemberDefinition: the user pool and client must be those of the workforce %s (%s, %s).", i, w.Name, w.UserPool, w.ClientID)
		}
		if _, err := r.LoadGroup(ctx, m.UserPool, m.Group); err != nil {
			return orInvalid(err, op, "MemberDefinitions[%d].CognitoMemberDefinition: the user pool %s has no group %s.", i, m.UserPool, m.Group)
		}
	}
	return nil
}

// noTeam has the words that AWS's clients look for.
func noTeam(op, name string) error {
	return fault.Coded(op, fault.NotFound, "ValidationException", "The work team "+name+" does not exist.")
}

func loadTeam(ctx context.Context, r TeamReader, op, name string) (Workteam, error) {
	t, err := r.LoadTeam(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return t, noTeam(op, name)
	}
	return t, err
}

// DescribeWorkteam finds a team by name.
func (s *Service) DescribeWorkteam(ctx context.Context, name string) (Workteam, error) {
	return loadTeam(ctx, s.Store, "workforce.DescribeWorkteam", name)
}

// Team finds a team by ARN.
func (s *Service) Team(ctx context.Context, teamARN string) (Workteam, error) {
	const op = "workforce.Team"
	a, err := arn.Parse(teamARN)
	if err != nil {
		return Workteam{}, err
	}
	name, ok := strings.CutPrefix(a.Resource, "workteam/private-crowd/")
	if !ok || s.teamARN(name) != teamARN {
		return Workteam{}, noTeam(op, teamARN)
	}
	return loadTeam(ctx, s.Store, op, name)
}

// Workteams lists every team, by name.
func (s *Service) Workteams(ctx context.Context) ([]Workteam, error) { return s.Store.LoadTeams(ctx) }

// WorkteamUpdate is what UpdateWorkteam changes; nil leaves a thing as it is.
type WorkteamUpdate struct {
	Description          *string
	Members              []MemberDefinition
	NotificationTopicARN *string
	Access               *WorkerAccess
}

// UpdateWorkteam changes a team. New members or access rules end the grants of
// the team's workers.
func (s *Service) UpdateWorkteam(ctx context.Context, name string, u WorkteamUpdate) (Workteam, error) {
	const op = "workforce.UpdateWorkteam"
	old, err := loadTeam(ctx, s.Store, op, name)
	if err != nil {
		return Workteam{}, err
	}
	var out Workteam
	commit := func() error {
		return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			t, err := loadTeam(ctx, tx, op, name)
			if err != nil {
				return err
			}
			w, err := tx.LoadWorkforce(ctx)
			if err != nil {
				return err
			}
			if err := checkMembers(ctx, tx, op, w, u.Members); err != nil {
				return err
			}
			u.apply(&t)
			t.UpdatedAt = s.now()
			out = t
			return tx.SaveTeam(ctx, t)
		})
	}
	var changes []Change
	if u.Members != nil || u.Access != nil {
		changes = []Change{{TeamChanged, old.ARN}}
	}
	err = s.announce(ctx, "the members or the access rules of the work team changed", commit, changes...)
	return out, err
}

func (u *WorkteamUpdate) apply(t *Workteam) {
	if u.Description != nil {
		t.Description = *u.Description
	}
	if u.Members != nil {
		t.Members = u.Members
	}
	if u.NotificationTopicARN != nil {
		t.NotificationTopicARN = *u.NotificationTopicARN
	}
	if u.Access != nil {
		t.Access = u.Access
	}
}

// DeleteWorkteam deletes a team without running jobs.
func (s *Service) DeleteWorkteam(ctx context.Context, name string) error {
	const op = "workforce.DeleteWorkteam"
	t, err := loadTeam(ctx, s.Store, op, name)
	if err != nil {
		return err
	}
	running, err := s.Jobs.Running(ctx, t.ARN)
	if err != nil {
		return err
	}
	if running {
		return fault.Newf(op, fault.InUse, "The work team %s cannot be deleted: a labeling job of it has not ended. Stop the job first.", t.Name)
	}
	commit := func() error {
		return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			if _, err := loadTeam(ctx, tx, op, name); err != nil {
				return err
			}
			return tx.DropTeam(ctx, name)
		})
	}
	return s.announce(ctx, "the work team was deleted", commit, Change{TeamChanged, t.ARN})
}

// TeamsOf lists the teams that a worker is in: those with a member definition
// that names one of the worker's groups. None for a disabled worker.
func (s *Service) TeamsOf(ctx context.Context, workerID string) ([]Workteam, error) {
	w, err := s.Store.LoadWorker(ctx, workerID)
	if err != nil {
		return nil, err
	}
	if !w.Enabled {
		return []Workteam{}, nil
	}
	groups, err := s.Store.LoadGroupsOf(ctx, workerID)
	if err != nil {
		return nil, err
	}
	in := make(map[string]bool, len(groups))
	for _, g := range groups {
		in[g.Name] = true
	}
	teams, err := s.Store.LoadTeams(ctx)
	if err != nil {
		return nil, err
	}
	out := []Workteam{}
	for _, t := range teams {
		for _, m := range t.Members {
			if m.UserPool == w.Pool && in[m.Group] {
				out = append(out, t)
				break
			}
		}
	}
	return out, nil
}
