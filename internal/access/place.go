package access

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"sync"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/origin"
)

// Place is where a worker was when a task was rendered: what the task's grants
// are bound to. When the worker moves, the place ends with its grants, and the
// same assignment goes on at another.
type Place struct {
	ID         string
	Assignment string
	SignIn     string
	Portal     string        // the origin that the portal saw, for the record
	Media      origin.Origin // the origin to bind to
	Probed     bool          // the media endpoint said so; otherwise it is the portal's view
	Browser    string        // digest of the browser secret, "" for none
	At         time.Time     // when the worker was last known there
	Expires    time.Time     // when nobody can need the place any more
}

// same reports whether grants made at one place are good at the other.
func (p *Place) same(q *Place) bool {
	return p.Media.Addr == q.Media.Addr && p.Media.VPC == q.Media.VPC && p.Media.VPCE == q.Media.VPCE && p.Browser == q.Browser
}

// FreshFor is how long after an arrival a task may be rendered at the place.
const FreshFor = 2 * time.Minute

// Fresh reports whether the place may still be rendered at.
func (p *Place) Fresh(now time.Time) bool {
	age := now.Sub(p.At)
	return p.ID != "" && age < FreshFor && age > -FreshFor
}

// Codes of what Arrive refuses, for pages to tell apart.
const (
	CodeStale       = "StaleStatement"     // ask again with a new ticket
	CodeNotAdmitted = "AddressNotAdmitted" // the media side is outside the workforce's networks
	CodeNoBrowser   = "BrowserNotBound"    // the team asks for the browser's secret, and there is none
)

// PlaceStore keeps places.
type PlaceStore interface {
	// Place returns the place of an assignment under a sign-in; NotFound if there is none.
	Place(ctx context.Context, assignment, signIn string) (Place, error)

	// SavePlace makes p the place of its assignment and sign-in, and uses up the
	// nonce, in one. An empty nonce is none. A nonce that was used before is a fault of
	// kind Exists, and changes nothing. If the place that was there satisfies
	// keep, only its time is renewed. It returns the place that now stands and,
	// if that is a new one, the former, whose ID is empty if there was none.
	SavePlace(ctx context.Context, p Place, nonce string, keep func(former *Place) bool) (now, former Place, err error)

	// DropPlaces removes what expired before the instant.
	DropPlaces(ctx context.Context, before time.Time) error
}

// BrowserBindingTag is the tag of a work team that has its media open only in the
// browser that the task was rendered in.
const (
	BrowserBindingTag = "fiducial:BrowserBinding"
	BrowserBindingOn  = "Enabled"
	BrowserBindingOff = "Disabled"
)

// BrowserBound reads the tag's value. A value that says neither binds.
func BrowserBound(value string) bool { return value != BrowserBindingOff }

// Admitter knows the workforce's networks; *workforce.Service is one.
type Admitter interface {
	Admits(ctx context.Context, o origin.Origin) (bool, error)
}

// Revoker ends grants; *Service is one.
type Revoker interface {
	Revoke(ctx context.Context, reason string, subjects ...Subject) error
}

// PlacesOptions is what Places needs.
type PlacesOptions struct {
	Store   PlaceStore
	Keys    Sealer
	Grants  Revoker // ends the grants of places that workers have left
	Admits  Admitter
	Audit   audit.Recorder
	Account string
	Now     func() time.Time
	Rand    io.Reader
	Log     *slog.Logger
}

// Places knows where workers are. It is safe for concurrent use.
type Places struct {
	o      PlacesOptions
	randMu sync.Mutex
}

// NewPlaces makes a Places.
func NewPlaces(o PlacesOptions) *Places {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Places{o: o}
}

// Arrival is a worker's page that is about to show a task, or cannot open its
// media any more.
type Arrival struct {
	Worker, Job, Team, Assignment, SignIn, Agent string

	Origin    origin.Origin // of the request to the portal
	Statement string        // of the media endpoint; "" if it could not be asked
	Expires   time.Time     // when the lease ends

	NeedsBrowser bool // the team's media open only in the worker's own browser
}

// Arrive establishes where the worker is. If that is elsewhere than before, what
// was made for the former place is over. The portal's own origin has been
// admitted before; the one of the statement is here. The arrival is on record
// when Arrive returns, and so is a refusal.
func (p *Places) Arrive(ctx context.Context, a Arrival) (place Place, moved bool, err error) {
	e := audit.Event{
		Time: p.o.Now().UTC(), Kind: audit.Task, Action: "portal:LocateWorker", Verdict: audit.Deny,
		Worker: a.Worker, Job: a.Job, Team: a.Team, Assignment: a.Assignment, SignInID: a.SignIn, Origin: a.Origin.String(), Agent: a.Agent,
	}
	place, former, err := p.arrive(ctx, a, &e)
	if err == nil && former.ID != "" {
		e.FormerMedia = former.Media.String()
		e.Reason = "the worker's media are asked for from elsewhere than before; the grants for there are ended"
		err = p.o.Grants.Revoke(ctx, "the worker moved", Subject{OfPlace, former.ID})
	}
	if err == nil {
		e.Verdict, e.Place = audit.Allow, place.ID
	} else {
		e.Reason, e.Error = fault.MessageOf(err), fault.CodeOf(err)
	}
	if bad := p.o.Audit.Record(context.WithoutCancel(ctx), &e); bad != nil {
		return Place{}, false, bad
	}
	return place, former.ID != "", err
}

func (p *Places) arrive(ctx context.Context, a Arrival, e *audit.Event) (place, former Place, err error) {
	next := Place{
		Assignment: a.Assignment, SignIn: a.SignIn, Portal: a.Origin.String(), Media: a.Origin, At: p.o.Now().UTC(),
		Expires: a.Expires.Add(slack),
	}
	var nonce string
	if a.Statement != "" {
		s, err := p.open(a.Statement, a.SignIn, a.Assignment)
		if s.origin.Known() {
			e.MediaAddr = s.origin.String()
		}
		if err != nil {
			return place, former, err
		}
		if err := p.admitted(ctx, s.origin); err != nil {
			return place, former, err
		}
		next.Media, next.Browser, next.Probed = s.origin, s.browser, true
		nonce = hex.EncodeToString(s.nonce[:])
	}
	if a.NeedsBrowser && next.Browser == "" {
		return place, former, fault.Coded("access.Arrive", fault.Denied, CodeNoBrowser, needsBrowser)
	}
	if next.ID, err = p.newID(); err != nil {
		return place, former, err
	}
	place, former, err = p.o.Store.SavePlace(ctx, next, nonce, next.same)
	if fault.Is(err, fault.Exists) {
		err = fault.Coded("access.Arrive", fault.Denied, CodeStale, "The statement of the media endpoint has been used before.")
	}
	return place, former, err
}

// needsBrowser is what a worker can do about it.
const needsBrowser = "The media of this team open only in your own browser, and it did not keep the cookie that tells it from others. " +
	"Allow cookies for this site (\"third-party\" ones included, if it asks), do not block its scripts, and open the portal by https."

func (p *Places) admitted(ctx context.Context, o origin.Origin) error {
	switch ok, err := p.o.Admits.Admits(ctx, o); {
	case err != nil:
		return err
	case !ok:
		return fault.Coded("access.Arrive", fault.Denied, CodeNotAdmitted,
			"Your browser reaches the media from "+o.String()+", where this workforce may not work from. Connect from a permitted network for both the portal and the media.")
	}
	return nil
}

// Of returns the place of an assignment under a sign-in; the zero Place if it has
// none.
func (p *Places) Of(ctx context.Context, assignment, signIn string) (Place, error) {
	place, err := p.o.Store.Place(ctx, assignment, signIn)
	if fault.Is(err, fault.NotFound) {
		return Place{}, nil
	}
	return place, err
}

// Run drops places and nonces that nobody can use any more, until ctx ends.
func (p *Places) Run(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := p.o.Store.DropPlaces(ctx, p.o.Now()); err != nil && ctx.Err() == nil {
				p.o.Log.Warn("expired places were not removed", "error", err)
			}
		}
	}
}

func (p *Places) newID() (string, error) {
	var b [10]byte
	p.randMu.Lock()
	defer p.randMu.Unlock()
	if _, err := io.ReadFull(p.o.Rand, b[:]); err != nil {
		return "", fault.E("access.Arrive", fault.Internal, "", err)
	}
	return idAlphabet.EncodeToString(b[:]), nil
}
