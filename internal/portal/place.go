package portal

import (
	"context"
	"net/url"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/origin"
	"fiducial/internal/workforce"
)

// Places knows where workers are. *access.Places is one.
type Places interface {
	Ticket(signIn, assignment string) (string, error)
	Arrive(ctx context.Context, a access.Arrival) (place access.Place, moved bool, err error)
	Of(ctx context.Context, assignment, signIn string) (access.Place, error)
}

// ProbePath is where the media endpoint answers probes. No bucket's name begins
// with a dot.
const ProbePath = "/.fiducial/origin"

// binding is what a work team ties its media URLs to.
type binding struct {
	access.Binding
	browser bool
}

// some reports whether the media are tied to anything about the worker.
func (b binding) some() bool { return b.SourceIP || b.VpcSourceIP || b.browser }

func (p *Portal) binding(v *visit, a *labeling.Assignment) (binding, error) {
	var team workforce.Workteam
	for _, t := range v.teams {
		if t.ARN == a.Job.Human.WorkteamARN {
			team = t
		}
	}
	browser, err := p.BrowserBound(v.Context(), a.Job.Human.WorkteamARN)
	return binding{access.Binding{SourceIP: team.BindsSourceIP(), VpcSourceIP: team.BindsVpcSourceIP()}, browser}, err
}

// probeURL is what the page asks the media endpoint before it shows the task;
// "" where nothing depends on the answer.
func (p *Portal) probeURL(v *visit, a *labeling.Assignment) (string, error) {
	b, err := p.binding(v, a)
	if err != nil || !b.some() {
		return "", err
	}
	ticket, err := p.Places.Ticket(v.session.ID, a.ID)
	if err != nil {
		return "", err
	}
	q := url.Values{"ticket": {ticket}}
	if b.browser {
		q.Set("browser", "1")
	}
	return p.media + ProbePath + "?" + q.Encode(), nil
}

// probe answers the page that needs another ticket.
func (p *Portal) probe(v *visit) (reply, error) {
	if err := v.empty(); err != nil {
		return nil, err
	}
	a, err := p.assignment(v)
	if err != nil {
		return nil, err
	}
	u, err := p.probeURL(v, &a)
	if err != nil {
		return nil, err
	}
	return answer{struct {
		Probe string `json:"probe"`
	}{u}}, nil
}

// place takes what the media endpoint said, or that it could not be asked, and
// settles where the worker is.
func (p *Portal) place(v *visit) (reply, error) {
	var in struct {
		Statement string `json:"statement"`
	}
	if err := v.body(&in); err != nil {
		return nil, err
	}
	a, err := p.assignment(v)
	if err != nil {
		return nil, err
	}
	b, err := p.binding(v, &a)
	if err != nil {
		return nil, err
	}
	place, moved, err := p.arrive(v, &a, b, in.Statement)
	if err != nil {
		return nil, err
	}
	return answer{struct {
		Address string `json:"address"`
		Moved   bool   `json:"moved"`
	}{place.Media.String(), moved}}, nil
}

func (p *Portal) arrive(v *visit, a *labeling.Assignment, b binding, statement string) (access.Place, bool, error) {
	return p.Places.Arrive(v.Context(), access.Arrival{
		Worker: v.worker.ID, Job: a.Job.Name, Team: a.Job.Human.WorkteamARN, Assignment: a.ID, SignIn: v.session.ID, Agent: v.UserAgent(),
		Origin: v.origin, Statement: statement, NeedsBrowser: b.browser, Expires: a.ExpiresAt,
	})
}

// placed is the place that a task is rendered at: the one that the page has
// settled just now, or, where it has settled none, the one that the portal sees.
func (p *Portal) placed(v *visit, a *labeling.Assignment, b binding) (access.Place, error) {
	if !b.some() {
		return access.Place{}, nil
	}
	place, err := p.Places.Of(v.Context(), a.ID, v.session.ID)
	if err != nil {
		return place, err
	}
	usable := place.Fresh(p.Now()) && (place.Probed || place.Portal == v.origin.String()) && (place.Browser != "" || !b.browser)
	if !usable {
		place, _, err = p.arrive(v, a, b, "")
		return place, err
	}
	// The networks may have changed since the page settled it.
	switch ok, err := p.Workforce.Admits(v.Context(), place.Media); {
	case err != nil:
		return place, err
	case !ok:
		return place, fault.Coded("portal.placed", fault.Denied, access.CodeNotAdmitted, notAdmitted(place.Media))
	}
	return place, nil
}

// notAdmitted says which address is outside the workforce's networks.
func notAdmitted(o origin.Origin) string {
	return "You are connected from " + o.String() + ", where this workforce may not work from. Connect from a permitted network; what you have done is kept."
}

// probeDocument is the frame that asks the media endpoint. It has the sandbox of
// the task's frame, because what a browser keeps for a host it keeps apart for
// each sort of place that asks: the secret must be where the task's media will be
// asked for.
func (p *Portal) probeDocument(*visit) (reply, error) {
	return probeFrame{}, nil
}
