package workforce

import (
	"context"
	"strings"
	"time"

	"fiducial/internal/fault"
)

// Key is a name as names are compared: SageMaker's are unique whatever the case.
func Key(name string) string { return strings.ToLower(name) }

// Workforce is the private workforce.
type Workforce struct {
	Name          string
	ARN           string
	UserPool      string // of the member definitions of all its teams
	ClientID      string
	CIDRs         []string // SourceIpConfig.Cidrs; empty: from anywhere
	VPC           *VPC
	IPAddressType string // "ipv4" or "dualstack"
	Status        string
	FailureReason string    `json:"-"`
	SettlesAt     time.Time // until then Initializing or Updating
	SubDomain     string
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// NewWorkforce is what CreateWorkforce asks for.
type NewWorkforce struct {
	Name, UserPool, ClientID string
	CIDRs                    []string
	VPC                      *VPC
	IPAddressType            string
}

// CreateWorkforce makes the one private workforce.
func (s *Service) CreateWorkforce(ctx context.Context, in NewWorkforce) (Workforce, error) {
	const op = "workforce.CreateWorkforce"
	if err := checkCIDRs(op, in.CIDRs); err != nil {
		return Workforce{}, err
	}
	if in.VPC.empty() {
		in.VPC = nil
	}
	now := s.now()
	w := Workforce{
		Name: in.Name, ARN: s.arn("sagemaker", "workforce/"+Key(in.Name)), UserPool: in.UserPool, ClientID: in.ClientID,
		CIDRs: in.CIDRs, VPC: in.VPC, IPAddressType: in.IPAddressType,
		Status: Active, SubDomain: s.PortalHost, CreatedAt: now, UpdatedAt: now,
	}
	if w.IPAddressType == "" {
		w.IPAddressType = IPv4
	}
	if w.VPC != nil {
		w.Status, w.SettlesAt = Initializing, now.Add(Settling)
	}
	if err := s.checkVPC(op, &w); err != nil {
		return Workforce{}, err
	}
	err := s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		switch old, err := tx.LoadWorkforce(ctx); {
		case err == nil && Key(old.Name) == Key(in.Name):
			return fault.Newf(op, fault.InUse, "The workforce %s already exists.", old.Name)
		case err == nil:
			return fault.Newf(op, fault.Limit, "There is one private workforce per account and region, and %s is there already. Delete it first.", old.Name)
		case !fault.Is(err, fault.NotFound):
			return err
		}
		if err := checkClient(ctx, tx, op, "CognitoConfig", in.UserPool, in.ClientID); err != nil {
			return err
		}
		return tx.SaveWorkforce(ctx, w)
	})
	return s.settled(w), err
}

// checkClient refuses a pool or client that is not there.
func checkClient(ctx context.Context, r Reader, op, member, pool, client string) error {
	if _, err := r.LoadPool(ctx, pool); err != nil {
		return orInvalid(err, op, "%s: the user pool %s does not exist.", member, pool)
	}
	if _, err := r.LoadClient(ctx, pool, client); err != nil {
		return orInvalid(err, op, "%s: the user pool %s has no client %s.", member, pool, client)
	}
	return nil
}

// orInvalid makes "not found" the request's fault and keeps other errors.
func orInvalid(err error, op, format string, args ...any) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Newf(op, fault.Invalid, format, args...)
	}
	return err
}

// noWorkforce has the words that AWS's clients look for.
func noWorkforce(op, name string) error {
	return fault.Coded(op, fault.NotFound, "ValidationException", "No workforce found with name: "+name)
}

// load finds the workforce by name.
func load(ctx context.Context, r TeamReader, op, name string) (Workforce, error) {
	w, err := r.LoadWorkforce(ctx)
	if fault.Is(err, fault.NotFound) || err == nil && Key(w.Name) != Key(name) {
		return Workforce{}, noWorkforce(op, name)
	}
	return w, err
}

// DescribeWorkforce finds the workforce by name.
func (s *Service) DescribeWorkforce(ctx context.Context, name string) (Workforce, error) {
	w, err := load(ctx, s.Store, "workforce.DescribeWorkforce", name)
	return s.settled(w), err
}

// Workforce is the one private workforce, whatever its name.
func (s *Service) Workforce(ctx context.Context) (Workforce, error) {
	w, err := s.Store.LoadWorkforce(ctx)
	return s.settled(w), err
}

// WorkforceUpdate is what UpdateWorkforce changes; nil leaves a thing as it is.
type WorkforceUpdate struct {
	CIDRs         *[]string
	VPC           *VPC // an empty one: take it away
	IPAddressType string
}

// UpdateWorkforce changes where workers may come from.
func (s *Service) UpdateWorkforce(ctx context.Context, name string, u WorkforceUpdate) (Workforce, error) {
	const op = "workforce.UpdateWorkforce"
	if u.CIDRs != nil {
		if err := checkCIDRs(op, *u.CIDRs); err != nil {
			return Workforce{}, err
		}
	}
	if _, err := s.updated(ctx, s.Store, op, name, &u); err != nil {
		return Workforce{}, err
	}
	var out Workforce
	commit := func() error {
		return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			w, err := s.updated(ctx, tx, op, name, &u)
			if err != nil {
				return err
			}
			out = w
			return tx.SaveWorkforce(ctx, w)
		})
	}
	var changes []Change
	if u.CIDRs != nil || u.network() {
		changes = []Change{{Kind: AllChanged}}
	}
	err := s.announce(ctx, "the addresses of the workforce changed", commit, changes...)
	return s.settled(out), err
}

// updated is the workforce as the update makes it, or why it may not.
func (s *Service) updated(ctx context.Context, r TeamReader, op, name string, u *WorkforceUpdate) (Workforce, error) {
	w, err := load(ctx, r, op, name)
	if err != nil {
		return w, err
	}
	if status := s.settled(w).Status; u.network() && status != Active && status != Failed {
		return w, fault.Coded(op, fault.Precond, "ConflictException",
			"The workforce "+w.Name+" is "+status+"; its VPC and address type can be changed when it is Active or Failed.")
	}
	u.apply(&w)
	w.UpdatedAt = s.now()
	if u.network() {
		w.Status, w.SettlesAt = Updating, w.UpdatedAt.Add(Settling)
		err = s.checkVPC(op, &w)
	}
	return w, err
}

// network reports whether the update changes how the portal is reached. Ranges
// of addresses hold from the next request on and take no time.
func (u *WorkforceUpdate) network() bool { return u.VPC != nil || u.IPAddressType != "" }

func (u *WorkforceUpdate) apply(w *Workforce) {
	if u.CIDRs != nil {
		w.CIDRs = *u.CIDRs
	}
	if u.VPC != nil {
		w.VPC = u.VPC
		if u.VPC.empty() {
			w.VPC = nil
		}
	}
	if u.IPAddressType != "" {
		w.IPAddressType = u.IPAddressType
	}
}

// DeleteWorkforce deletes a workforce that has no teams and is Active or Failed.
func (s *Service) DeleteWorkforce(ctx context.Context, name string) error {
	const op = "workforce.DeleteWorkforce"
	return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		w, err := load(ctx, tx, op, name)
		if err != nil {
			return err
		}
		if status := s.settled(w).Status; status != Active && status != Failed {
			return fault.Newf(op, fault.InUse, "The workforce %s is %s; it can be deleted when it is Active or Failed.", w.Name, status)
		}
		teams, err := tx.LoadTeams(ctx)
		if err != nil {
			return err
		}
		if len(teams) > 0 {
			return fault.Newf(op, fault.InUse, "The workforce %s cannot be deleted: it has %d work teams. Delete them first.", w.Name, len(teams))
		}
		return tx.DropWorkforce(ctx)
	})
}

// checkCIDRs says which one is wrong. The wire model's pattern lets some things
// through that are no network, and bounds the list nowhere.
func checkCIDRs(op string, cidrs []string) error {
	if len(cidrs) > MaxCIDRs {
		return fault.Newf(op, fault.Invalid, "SourceIpConfig.Cidrs has %d entries; at most %d are allowed.", len(cidrs), MaxCIDRs)
	}
	for i, c := range cidrs {
		if _, err := parseCIDR(c); err != nil {
			return fault.Newf(op, fault.Invalid, "SourceIpConfig.Cidrs[%d]: %q is not an IPv4 or IPv6 network such as 203.0.113.0/24 or 2001:db8::/56.", i, c)
		}
	}
	return nil
}
