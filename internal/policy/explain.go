package policy

import (
	"fmt"
	"strings"

	"fiducial/internal/identity"
)

// Explanation is a decision with what every statement that concerns the
// action had to say. It is for people; Authorize is for requests.
type Explanation struct {
	Decision   Decision
	Statements []Trace
}

// Trace is one statement's part in a decision.
type Trace struct {
	By      Decider
	Allow   bool // the statement's Effect
	Applies bool
	Failed  string // what kept it from applying: the element, and what was wanted and found
	Clauses []Clause
}

func (t Trace) String() string {
	effect := "Deny"
	if t.Allow {
		effect = "Allow"
	}
	s := t.By.String()
	s += " [" + effect + "]: "
	if t.Applies {
		return s + "applies"
	}
	return s + "does not apply: " + t.Failed
}

// Explain decides like Authorize and lists the statements whose principal and
// action match, those that apply and those that came near. The decision is
// Authorize's own, so an explanation cannot disagree with what happened.
func Explain(p Policies, req *Request) Explanation {
	out := Explanation{Decision: Authorize(p, req)}
	ev := evaluation{req: req}
	if req.Principal.Type != identity.Anonymous && req.Principal.Type != identity.Service {
		for _, d := range p.Identity {
			out.Statements = d.trace(&ev, out.Statements)
		}
		if p.HasSession && p.Session != nil {
			out.Statements = p.Session.trace(&ev, out.Statements)
		}
	}
	if p.Resource != nil {
		out.Statements = p.Resource.trace(&ev, out.Statements)
	}
	return out
}

func (d *Document) trace(ev *evaluation, out []Trace) []Trace {
	for i := range d.statements {
		s := &d.statements[i]
		if s.nearness(ev.req.Principal) == notNamed || !s.matchAction(ev.req.Action) {
			continue
		}
		t := Trace{By: s.decision(d).By, Allow: s.allow}
		t.Failed = s.obstacle(ev)
		t.Applies = t.Failed == ""
		t.Clauses = s.clauses(ev)
		out = append(out, t)
	}
	return out
}

// obstacle says in words what keeps a statement from applying, or "".
func (s *statement) obstacle(ev *evaluation) string {
	if !s.accepts(s.matchResource(ev)) {
		wanted := make([]string, 0, len(s.resources))
		for i := range s.resources {
			wanted = append(wanted, s.resources[i].raw)
		}
		element := "Resource"
		if s.notResource {
			element = "NotResource"
		}
		return fmt.Sprintf("%s is %s, the request is for %s", element, strings.Join(wanted, ", "), ev.req.Resource)
	}
	for i := range s.conditions {
		if c := &s.conditions[i]; !s.accepts(c.eval(ev)) {
			return c.obstacle(ev)
		}
	}
	return ""
}

func (c *condition) obstacle(ev *evaluation) string {
	wanted := make([]string, 0, len(c.operands))
	for i := range c.operands {
		wanted = append(wanted, c.operands[i].raw)
	}
	v := ev.lookup(&c.key)
	found := "is not present"
	if n := v.count(); n > 0 {
		values := make([]string, 0, n)
		for i := range n {
			values = append(values, v.at(i))
		}
		found = "is " + strings.Join(values, ", ")
	}
	return fmt.Sprintf("Condition %s wants %s [%s], which %s", c.name, c.key.name, strings.Join(wanted, ", "), found)
}
