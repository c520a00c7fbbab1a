package workforce

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"fiducial/internal/fault"
)

// Worker is a person in a user pool.
type Worker struct {
	ID         string // private.<region>.<16 hex digits>: what answers are signed with
	Sub        string // UUID, never reused
	Username   string
	Email      string
	Pool       string
	Enabled    bool
	Status     string
	Attributes []Attribute // as given, without sub
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Attribute is a named text about a worker.
type Attribute struct{ Name, Value string }

// The statuses of a worker.
const (
	Confirmed           = "CONFIRMED"
	ForceChangePassword = "FORCE_CHANGE_PASSWORD" // the password is temporary
)

// Name is what pages call the worker.
func (w *Worker) Name() string {
	for _, n := range []string{"name", "preferred_username"} {
		if v := w.Attribute(n); v != "" {
			return v
		}
	}
	if w.Email != "" {
		return w.Email
	}
	return w.Username
}

// Attribute returns an attribute's value, "" if there is none.
func (w *Worker) Attribute(name string) string {
	for _, a := range w.Attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

func noUser(op string) error {
	return fault.Coded(op, fault.NotFound, "UserNotFoundException", "User does not exist.")
}

// NewWorker is what AdminCreateUser asks for.
type NewWorker struct {
	Pool, Username string
	Attributes     []Attribute
}

// CreateWorker puts a person into a pool. In a pool that names people by e-mail
// address the username given is that address, and the one kept is the sub. No
// two people of a pool share an address: it is what they sign in with.
func (s *Service) CreateWorker(ctx context.Context, in NewWorker) (Worker, error) {
	const op = "workforce.CreateWorker"
	w, err := s.newWorker(in)
	if err != nil {
		return Worker{}, err
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		p, err := loadPool(ctx, tx, op, in.Pool)
		if err != nil {
			return err
		}
		if err := w.nameFor(&p, op, in.Username); err != nil {
			return err
		}
		if _, err := tx.LoadWorkerByName(ctx, in.Pool, w.Username); err == nil {
			return fault.Coded(op, fault.Exists, "UsernameExistsException", "User account already exists")
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		if w.Email != "" {
			if _, err := tx.LoadWorkerByEmail(ctx, in.Pool, w.Email); err == nil {
				return fault.Coded(op, fault.Exists, "UsernameExistsException", "An account with the given email already exists.")
			} else if !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		return tx.SaveWorker(ctx, w)
	})
	return w, err
}

func (s *Service) newWorker(in NewWorker) (Worker, error) {
	var b [24]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return Worker{}, fault.E("workforce.CreateWorker", fault.Internal, "", err)
	}
	now := s.now()
	w := Worker{
		ID:  "private." + s.Region + "." + hex.EncodeToString(b[16:]),
		Sub: uuid(b[:16]), Pool: in.Pool, Attributes: slices.Clone(in.Attributes),
		Enabled: true, Status: ForceChangePassword, CreatedAt: now, UpdatedAt: now,
	}
	return w, nil
}

// uuid is RFC 9562's version 4 of 16 random bytes.
func uuid(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// nameFor settles username and e-mail address. It may run more than once.
func (w *Worker) nameFor(p *UserPool, op, given string) error {
	w.Username, w.Email = given, w.Attribute("email")
	looksLikeEmail := strings.Contains(given, "@")
	switch {
	case p.NamedByEmail() && !looksLikeEmail:
		return fault.Coded(op, fault.Invalid, "InvalidParameterException", "Username should be an email.")
	case p.NamedByEmail():
		if w.Email != "" && !strings.EqualFold(w.Email, given) {
			return fault.Coded(op, fault.Invalid, "InvalidParameterException", "The username and the email attribute differ.")
		}
		w.Username = w.Sub
	case !looksLikeEmail && w.Email == "":
		return nil
	}
	if w.Email == "" {
		w.Email = given
		w.Attributes = append(w.Attributes, Attribute{"email", given})
	}
	if !emailLike(w.Email) {
		return fault.Coded(op, fault.Invalid, "InvalidParameterException", "Invalid email address format.")
	}
	return nil
}

// emailLike is a loose check: it refuses what no mail system takes.
func emailLike(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && len(s) <= 320 && !strings.ContainsAny(s, " \t\r\n<>(),;:\"\\") && !strings.Contains(domain, "@")
}

// find looks a user up as Cognito's admin operations do: by username, by sub,
// or by e-mail address.
func find(ctx context.Context, r DirectoryReader, op, pool, name string) (Worker, error) {
	if _, err := loadPool(ctx, r, op, pool); err != nil {
		return Worker{}, err
	}
	for _, by := range []func(context.Context, string, string) (Worker, error){r.LoadWorkerByName, r.LoadWorkerBySub, r.LoadWorkerByEmail} {
		w, err := by(ctx, pool, name)
		if !fault.Is(err, fault.NotFound) {
			return w, err
		}
	}
	return Worker{}, noUser(op)
}

// FindWorker finds a person of a pool by username, sub or e-mail address.
func (s *Service) FindWorker(ctx context.Context, pool, name string) (Worker, error) {
	return find(ctx, s.Store, "workforce.FindWorker", pool, name)
}

// Worker finds a person by worker id.
func (s *Service) Worker(ctx context.Context, id string) (Worker, error) {
	return s.Store.LoadWorker(ctx, id)
}

// WorkerByEmail finds a person of the workforce's pool by e-mail address, or by
// username where that is what the person was given.
func (s *Service) WorkerByEmail(ctx context.Context, email string) (Worker, error) {
	w, err := s.Store.LoadWorkforce(ctx)
	if err != nil {
		return Worker{}, err
	}
	worker, err := s.Store.LoadWorkerByEmail(ctx, w.UserPool, email)
	if fault.Is(err, fault.NotFound) {
		return s.Store.LoadWorkerByName(ctx, w.UserPool, email)
	}
	return worker, err
}

// SetEnabled enables or disables a person. Disabling ends the person's grants,
// also when it was done before: the caller may be repeating a request whose
// answer was lost.
func (s *Service) SetEnabled(ctx context.Context, pool, name string, enabled bool) error {
	const op = "workforce.SetEnabled"
	w, err := find(ctx, s.Store, op, pool, name)
	if err != nil {
		return err
	}
	var changes []Change
	if !enabled {
		changes = []Change{{WorkerChanged, w.ID}}
	}
	return s.announce(ctx, "the worker was disabled", func() error {
		return s.edit(ctx, op, w.ID, func(w *Worker) { w.Enabled = enabled })
	}, changes...)
}

// SetStatus says whether a person's password is temporary.
func (s *Service) SetStatus(ctx context.Context, workerID, status string) error {
	return s.edit(ctx, "workforce.SetStatus", workerID, func(w *Worker) { w.Status = status })
}

func (s *Service) edit(ctx context.Context, op, id string, change func(*Worker)) error {
	return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		w, err := tx.LoadWorker(ctx, id)
		if fault.Is(err, fault.NotFound) {
			return noUser(op)
		}
		if err != nil {
			return err
		}
		change(&w)
		w.UpdatedAt = s.now()
		return tx.SaveWorker(ctx, w)
	})
}

// DeleteWorker deletes a person. The worker id stays in the answers.
func (s *Service) DeleteWorker(ctx context.Context, pool, name string) (Worker, error) {
	w, err := find(ctx, s.Store, "workforce.DeleteWorker", pool, name)
	if err != nil {
		return Worker{}, err
	}
	return w, s.announce(ctx, "the worker was deleted", func() error {
		return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.DropWorker(ctx, w.ID) })
	}, Change{WorkerChanged, w.ID})
}

// AddToGroup puts a person into a group.
func (s *Service) AddToGroup(ctx context.Context, pool, name, group string) error {
	const op = "workforce.AddToGroup"
	return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		w, err := find(ctx, tx, op, pool, name)
		if err != nil {
			return err
		}
		if _, err := loadGroup(ctx, tx, op, pool, group); err != nil {
			return err
		}
		return tx.SaveMembership(ctx, pool, group, w.ID)
	})
}

// RemoveFromGroup takes a person out of a group.
func (s *Service) RemoveFromGroup(ctx context.Context, pool, name, group string) error {
	const op = "workforce.RemoveFromGroup"
	w, err := find(ctx, s.Store, op, pool, name)
	if err != nil {
		return err
	}
	if _, err := loadGroup(ctx, s.Store, op, pool, group); err != nil {
		return err
	}
	return s.announce(ctx, "the worker left a group", func() error {
		return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.DropMembership(ctx, pool, group, w.ID) })
	}, Change{WorkerChanged, w.ID})
}

// GroupsOf lists the groups a person is in.
func (s *Service) GroupsOf(ctx context.Context, pool, name string) ([]Group, error) {
	w, err := find(ctx, s.Store, "workforce.GroupsOf", pool, name)
	if err != nil {
		return nil, err
	}
	return s.Store.LoadGroupsOf(ctx, w.ID)
}

// WorkersIn lists the people of a group by username, after the given one.
func (s *Service) WorkersIn(ctx context.Context, pool, group, after string, limit int) ([]Worker, error) {
	if _, err := loadGroup(ctx, s.Store, "workforce.WorkersIn", pool, group); err != nil {
		return nil, err
	}
	return s.Store.LoadWorkersIn(ctx, pool, group, after, limit)
}

// Workers lists the people of a pool that the filter takes, by username, after
// the given one.
func (s *Service) Workers(ctx context.Context, pool string, f Filter, after string, limit int) ([]Worker, error) {
	if _, err := loadPool(ctx, s.Store, "workforce.Workers", pool); err != nil {
		return nil, err
	}
	const batch = 500
	var out []Worker
	for {
		page, err := s.Store.LoadWorkers(ctx, pool, after, batch)
		if err != nil {
			return nil, err
		}
		for _, w := range page {
			if f.Takes(&w) {
				if out = append(out, w); len(out) == limit {
					return out, nil
				}
			}
		}
		if len(page) < batch {
			return out, nil
		}
		after = page[len(page)-1].Username
	}
}
