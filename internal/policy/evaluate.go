package policy

import (
	"fmt"
	"strconv"

	"fiducial/internal/identity"
)

// Effect is the outcome of a decision. NoMatch is the zero value: a forgotten
// decision allows nothing.
type Effect uint8

// The effects.
const (
	NoMatch Effect = iota // no statement allows; not permitted
	Allow
	Deny // a Deny statement applies
)

var effectNames = [...]string{"NoMatch", "Allow", "Deny"}

func (e Effect) String() string { return effectNames[e] }

// Gate is one of the sets of documents a request must pass.
type Gate uint8

// The gates.
const (
	NoGate       Gate = iota
	IdentityGate      // the principal's own documents; the root user's standing right
	SessionGate       // the session policy
	ResourceGate      // the resource's or the role's trust policy
)

var gateNames = [...]string{"none", "identity", "session", "resource"}

func (g Gate) String() string { return gateNames[g] }

func gateOf(k Kind) Gate {
	switch k {
	case Session:
		return SessionGate
	case Resource, Trust, KeyPolicy:
		return ResourceGate
	}
	return IdentityGate
}

// Decider names the statement that decided. For NoMatch only Gate is set: the
// gate that did not allow. For the root user's standing right Index is -1.
type Decider struct {
	Gate   Gate
	Policy string // the document's name
	Sid    string
	Index  int // zero-based

	label string // made when the document was compiled
}

// String names the statement for a record: `identity policy "labeler/media"
// statement 2 (Sid "Objects")`; only the gate where no statement decided.
func (d Decider) String() string {
	if d.label != "" {
		return d.label
	}
	if d.Gate == NoGate {
		return ""
	}
	return "no statement of the " + d.Gate.String() + " policy"
}

// Decision is the answer to a request.
type Decision struct {
	Effect Effect
	By     Decider
	Reason string // one sentence for people
}

// Allowed reports whether the request may go ahead.
func (d Decision) Allowed() bool { return d.Effect == Allow }

// Request is a question. Action is service:Operation, Resource an ARN or "*"
// where an operation has none.
type Request struct {
	Principal *identity.Principal
	Action    string
	Resource  string
	Context   Context
}

// Policies are the documents that bear on one request.
type Policies struct {
	Identity   []*Document
	Session    *Document
	HasSession bool // the credentials carry a session policy; with Session nil nothing passes it
	Resource   *Document
	// ResourceAccount owns the resource. Empty means the principal's account.
	ResourceAccount string
}

// Evaluate decides by one set of documents alone: Deny if any Deny statement
// applies, else Allow if any Allow statement does, else NoMatch.
func Evaluate(documents []*Document, req *Request) Decision {
	ev := evaluation{req: req}
	var f finding
	for _, d := range documents {
		if d.scan(&ev, &f) {
			return f.deny.decision(f.denyDoc)
		}
	}
	if f.allow != nil {
		return f.allow.decision(f.allowDoc)
	}
	return Decision{Reason: "no statement allows the request"}
}

// finding is what a scan of a gate's documents found: the first Deny that
// applies, and the Allow that names the caller most closely.
type finding struct {
	deny, allow       *statement
	denyDoc, allowDoc *Document
	near              nearness
}

// scan adds the document's statements and reports whether one denies.
func (d *Document) scan(ev *evaluation, f *finding) bool {
	for i := range d.statements {
		s := &d.statements[i]
		if s.allow && f.near == byEverybody {
			continue // nothing closer can be found
		}
		near := s.applies(ev)
		switch {
		case near == notNamed:
		case !s.allow:
			f.deny, f.denyDoc = s, d
			return true
		case near > f.near:
			f.allow, f.allowDoc, f.near = s, d, near
		}
	}
	return false
}

// applies returns notNamed when the statement does not apply.
func (s *statement) applies(ev *evaluation) nearness {
	near := s.nearness(ev.req.Principal)
	if near == notNamed || !s.matchAction(ev.req.Action) {
		return notNamed
	}
	if !s.accepts(s.matchResource(ev)) {
		return notNamed
	}
	for i := range s.conditions {
		if !s.accepts(s.conditions[i].eval(ev)) {
			return notNamed
		}
	}
	return near
}

// accepts: what holds only for want of a variable's value is enough to deny,
// never to allow.
func (s *statement) accepts(r result) bool {
	return r == holds || r == doubtful && !s.allow
}

func (s *statement) matchAction(action string) bool {
	for i := range s.actions {
		if matchTokens(s.actions[i].tokens, action, true) {
			return !s.notAction
		}
	}
	return s.notAction
}

func (s *statement) matchResource(ev *evaluation) result {
	if len(s.resources) == 0 {
		return holds // a trust policy
	}
	found := differs
	for i := range s.resources {
		o := s.resources[i].match(ev)
		if o == matches {
			found = matches
			break
		}
		found = max(found, o)
	}
	switch {
	case !s.notResource && found == matches, s.notResource && found == differs:
		return holds
	case s.notResource && found == unresolved, found == arguable:
		return doubtful
	}
	return fails
}

// Authorize decides a request by all documents that bear on it. The package
// comment states the rules.
func Authorize(p Policies, req *Request) Decision {
	ev := evaluation{req: req}
	var own, session, resource finding
	if p.Resource != nil && p.Resource.scan(&ev, &resource) {
		return resource.deny.decision(resource.denyDoc)
	}
	caller := req.Principal
	if caller.Type == identity.Anonymous || caller.Type == identity.Service {
		if resource.allow != nil {
			return resource.allow.decision(resource.allowDoc)
		}
		return Decision{By: Decider{Gate: ResourceGate}, Reason: "no statement of the resource's policy allows " + typeWords[caller.Type]}
	}
	for _, d := range p.Identity {
		if d.scan(&ev, &own) {
			return own.deny.decision(own.denyDoc)
		}
	}
	if p.HasSession && p.Session != nil && p.Session.scan(&ev, &session) {
		return session.deny.decision(session.denyDoc)
	}
	sessionAllows := !p.HasSession || session.allow != nil
	if p.ResourceAccount != "" && p.ResourceAccount != caller.Account {
		return acrossAccounts(caller, &own, &resource, sessionAllows)
	}
	if p.Resource != nil && p.Resource.Kind == Trust && resource.allow == nil {
		return Decision{By: Decider{Gate: ResourceGate}, Reason: "no statement of the role's trust policy allows the caller"}
	}
	if p.Resource != nil && p.Resource.Kind == KeyPolicy && resource.allow == nil {
		return Decision{By: Decider{Gate: ResourceGate}, Reason: "no statement of the key policy allows the caller"}
	}
	return withinAccount(caller, &own, &resource, sessionAllows)
}

var typeWords = [...]string{identity.Anonymous: "anonymous requests", identity.Service: "the service"}

func withinAccount(caller *identity.Principal, own, resource *finding, sessionAllows bool) Decision {
	if caller.Type == identity.Root {
		return rootDecision()
	}
	// A grant is always held to its session policy.
	bound := caller.IsGrant() && !sessionAllows
	switch {
	case resource.near >= byItself && !bound:
		return resource.allow.decision(resource.allowDoc)
	case resource.near == byRole && sessionAllows:
		return resource.allow.decision(resource.allowDoc)
	case own.allow != nil && sessionAllows:
		return own.allow.decision(own.allowDoc)
	}
	return lacking(own, resource.near >= byRole, sessionAllows)
}

func acrossAccounts(caller *identity.Principal, own, resource *finding, sessionAllows bool) Decision {
	switch {
	case resource.allow == nil:
		return Decision{By: Decider{Gate: ResourceGate}, Reason: "the resource belongs to another account and no statement of its policy allows the request"}
	case (caller.Type == identity.Root || own.allow != nil) && sessionAllows:
		return resource.allow.decision(resource.allowDoc)
	}
	return lacking(own, false, sessionAllows)
}

func rootDecision() Decision {
	return Decision{Effect: Allow, By: Decider{Gate: IdentityGate, Policy: "root user", Index: -1, label: "root user"}, Reason: "allowed because the root user needs no policy in its own account"}
}

// lacking names the gate that did not allow.
func lacking(own *finding, resourceAllows, sessionAllows bool) Decision {
	if !sessionAllows && (own.allow != nil || resourceAllows) {
		return Decision{By: Decider{Gate: SessionGate}, Reason: "no statement of the session policy allows the request"}
	}
	return Decision{By: Decider{Gate: IdentityGate}, Reason: "no statement of the caller's policies allows the request"}
}

// decision is the statement's own, with the sentence made when it was compiled.
func (s *statement) decision(d *Document) Decision {
	e := Deny
	if s.allow {
		e = Allow
	}
	return Decision{Effect: e, By: Decider{Gate: gateOf(d.Kind), Policy: d.Name, Sid: s.sid, Index: s.index, label: s.label}, Reason: s.reason}
}

// describe makes the texts of the statement's decisions, for a document called name.
func (s *statement) describe(kind Kind, name string) {
	s.label = kind.String()
	if name != "" {
		s.label += fmt.Sprintf(" %q", name)
	}
	s.label += " statement " + strconv.Itoa(s.index+1)
	if s.sid != "" {
		s.label += fmt.Sprintf(" (Sid %q)", s.sid)
	}
	s.reason = "denied by " + s.label
	if s.allow {
		s.reason = "allowed by " + s.label
	}
}
