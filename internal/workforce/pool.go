package workforce

import (
	"context"
	"encoding/base32"
	"io"
	"strings"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
)

// UserPool is a directory of workers.
type UserPool struct {
	ID                 string // <region>_<9 letters and digits>
	ARN                string
	Name               string
	Policy             PasswordPolicy
	UsernameAttributes []string // "email": people are named by their e-mail address
	AliasAttributes    []string
	Protected          bool   // DeletionProtection: not to be deleted
	Domain             string // prefix of the hosted pages' host in Cognito; kept, not used
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// NamedByEmail reports whether a username of the pool is an e-mail address.
func (p *UserPool) NamedByEmail() bool {
	for _, a := range p.UsernameAttributes {
		if a == "email" {
			return true
		}
	}
	return false
}

// UserPoolClient is an application that may use a pool: here, the portal.
type UserPoolClient struct {
	ID        string // 26 lower-case letters and digits
	Pool      string
	Name      string
	Secret    envelope.Secret `json:"-"` // made on request; nothing of ours asks for it
	Flows     []string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Group is a set of workers of a pool. Member definitions name it.
type Group struct {
	Pool        string
	Name        string
	Description string
	RoleARN     string
	Precedence  *int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

func noPool(op, id string) error {
	return fault.Coded(op, fault.NotFound, "ResourceNotFoundException", "User pool "+id+" does not exist.")
}

func loadPool(ctx context.Context, r DirectoryReader, op, id string) (UserPool, error) {
	p, err := r.LoadPool(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return p, noPool(op, id)
	}
	return p, err
}

const (
	lowerDigits = "abcdefghijklmnopqrstuvwxyz0123456789"
	alphaDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + lowerDigits
)

// random draws n characters of an alphabet without bias.
func random(r io.Reader, alphabet string, n int) (string, error) {
	out := make([]byte, 0, n)
	var buf [64]byte
	limit := 256 - 256%len(alphabet)
	for len(out) < n {
		if _, err := io.ReadFull(r, buf[:]); err != nil {
			return "", fault.E("workforce.random", fault.Internal, "", err)
		}
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out), nil
}

// CreatePool makes a directory.
func (s *Service) CreatePool(ctx context.Context, p UserPool) (UserPool, error) {
	const op = "workforce.CreatePool"
	if err := p.Policy.valid(op); err != nil {
		return UserPool{}, err
	}
	id, err := random(s.Random, alphaDigits, 9)
	if err != nil {
		return UserPool{}, err
	}
	p.ID = s.Region + "_" + id
	p.ARN = s.arn("cognito-idp", "userpool/"+p.ID)
	p.CreatedAt = s.now()
	p.UpdatedAt = p.CreatedAt
	return p, s.Store.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.SavePool(ctx, p) })
}

// Pool finds a pool.
func (s *Service) Pool(ctx context.Context, id string) (UserPool, error) {
	return loadPool(ctx, s.Store, "workforce.Pool", id)
}

// Pools lists pools by id, after the given one.
func (s *Service) Pools(ctx context.Context, after string, limit int) ([]UserPool, error) {
	return s.Store.LoadPools(ctx, after, limit)
}

// SetDomain keeps the domain prefix of a pool.
func (s *Service) SetDomain(ctx context.Context, pool, domain string) error {
	const op = "workforce.SetDomain"
	return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		p, err := loadPool(ctx, tx, op, pool)
		if err != nil {
			return err
		}
		if p.Domain != "" && p.Domain != domain {
			return fault.Coded(op, fault.Invalid, "InvalidParameterException", "The user pool already has a domain configured.")
		}
		p.Domain, p.UpdatedAt = domain, s.now()
		return tx.SavePool(ctx, p)
	})
}

// DeletePool deletes a pool and everybody in it, and returns their worker ids.
// The pool of the workforce stays: a workforce whose workers are gone could not
// be repaired, only deleted.
func (s *Service) DeletePool(ctx context.Context, id string) (gone []string, err error) {
	const op = "workforce.DeletePool"
	err = s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		gone = nil
		p, err := loadPool(ctx, tx, op, id)
		if err != nil {
			return err
		}
		if p.Protected {
			return fault.Coded(op, fault.Invalid, "InvalidParameterException", "The user pool cannot be deleted because deletion protection is activated.")
		}
		w, err := tx.LoadWorkforce(ctx)
		if err == nil && w.UserPool == id {
			return fault.Newf(op, fault.InUse, "The user pool %s is the one of the workforce %s. Delete the workforce first.", id, w.Name)
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		people, err := tx.LoadWorkers(ctx, id, "", MaxWorkers)
		if err != nil {
			return err
		}
		for _, w := range people {
			gone = append(gone, w.ID)
		}
		return tx.DropPool(ctx, id)
	})
	return gone, err
}

// CreateClient makes a client of a pool.
func (s *Service) CreateClient(ctx context.Context, c UserPoolClient, withSecret bool) (UserPoolClient, error) {
	const op = "workforce.CreateClient"
	id, err := random(s.Random, lowerDigits, 26)
	if err != nil {
		return UserPoolClient{}, err
	}
	c.ID = id
	if withSecret {
		var b [32]byte
		if _, err := io.ReadFull(s.Random, b[:]); err != nil {
			return UserPoolClient{}, fault.E(op, fault.Internal, "", err)
		}
		c.Secret = envelope.NewSecret(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])))
	}
	c.CreatedAt = s.now()
	c.UpdatedAt = c.CreatedAt
	err = s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := loadPool(ctx, tx, op, c.Pool); err != nil {
			return err
		}
		return tx.SaveClient(ctx, c)
	})
	return c, err
}

// Client finds a client of a pool.
func (s *Service) Client(ctx context.Context, pool, id string) (UserPoolClient, error) {
	const op = "workforce.Client"
	if _, err := loadPool(ctx, s.Store, op, pool); err != nil {
		return UserPoolClient{}, err
	}
	c, err := s.Store.LoadClient(ctx, pool, id)
	if fault.Is(err, fault.NotFound) {
		return c, fault.Coded(op, fault.NotFound, "ResourceNotFoundException", "User pool client "+id+" does not exist.")
	}
	return c, err
}

func loadGroup(ctx context.Context, r DirectoryReader, op, pool, name string) (Group, error) {
	if _, err := loadPool(ctx, r, op, pool); err != nil {
		return Group{}, err
	}
	g, err := r.LoadGroup(ctx, pool, name)
	if fault.Is(err, fault.NotFound) {
		return g, fault.Coded(op, fault.NotFound, "ResourceNotFoundException", "Group not found.")
	}
	return g, err
}

// CreateGroup makes a group. Group names differ by case.
func (s *Service) CreateGroup(ctx context.Context, g Group) (Group, error) {
	const op = "workforce.CreateGroup"
	g.CreatedAt = s.now()
	g.UpdatedAt = g.CreatedAt
	err := s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := loadGroup(ctx, tx, op, g.Pool, g.Name)
		if err == nil {
			return fault.Coded(op, fault.Exists, "GroupExistsException", "A group with the name already exists.")
		}
		if fault.CodeOf(err) != "ResourceNotFoundException" {
			return err
		}
		if _, err := loadPool(ctx, tx, op, g.Pool); err != nil {
			return err
		}
		return tx.SaveGroup(ctx, g)
	})
	return g, err
}

// Group finds a group.
func (s *Service) Group(ctx context.Context, pool, name string) (Group, error) {
	return loadGroup(ctx, s.Store, "workforce.Group", pool, name)
}

// Groups lists a pool's groups by name, after the given one.
func (s *Service) Groups(ctx context.Context, pool, after string, limit int) ([]Group, error) {
	if _, err := loadPool(ctx, s.Store, "workforce.Groups", pool); err != nil {
		return nil, err
	}
	return s.Store.LoadGroups(ctx, pool, after, limit)
}

// DeleteGroup deletes a group; its workers are no longer in the teams that
// name it.
func (s *Service) DeleteGroup(ctx context.Context, pool, name string) error {
	const op = "workforce.DeleteGroup"
	if _, err := loadGroup(ctx, s.Store, op, pool, name); err != nil {
		return err
	}
	changes, err := s.teamsNaming(ctx, pool, name)
	if err != nil {
		return err
	}
	commit := func() error {
		return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.DropGroup(ctx, pool, name) })
	}
	return s.announce(ctx, "a group of the work team was deleted", commit, changes...)
}

func (s *Service) teamsNaming(ctx context.Context, pool, group string) ([]Change, error) {
	teams, err := s.Store.LoadTeams(ctx)
	if err != nil {
		return nil, err
	}
	var out []Change
	for _, t := range teams {
		for _, m := range t.Members {
			if m.UserPool == pool && m.Group == group {
				out = append(out, Change{TeamChanged, t.ARN})
				break
			}
		}
	}
	return out, nil
}
