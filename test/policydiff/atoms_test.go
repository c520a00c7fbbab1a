package policydiff

import (
	"fmt"
	"sort"
)

// atom is one element of one statement, as a document of its own.
type atom struct {
	q      *question
	effect string
	what   string // "action", "resource", "principal", "condition"
	not    bool   // NotAction, NotResource, NotPrincipal

	version  string
	list     []string // patterns of an action or resource
	who      any      // the principal
	operator string   // of a condition
	key      string
	values   []string

	applies map[string]bool // by engine
}

const (
	own      = "fiducial"
	versity_ = "versitygw"
	simulate = "iam-simulate"
)

// atoms takes a statement apart.
func atoms(q *question, d *document, s *statement) []*atom {
	base := atom{q: q, effect: s.Effect, version: d.Version}
	add := func(out []*atom, a atom) []*atom {
		a.q, a.effect, a.version, a.applies = base.q, base.effect, base.version, map[string]bool{}
		return append(out, &a)
	}
	var out []*atom
	out = add(out, atom{what: "action", not: s.NotAction != nil, list: append(s.Action, s.NotAction...)})
	out = add(out, atom{what: "resource", not: s.NotResource != nil, list: append(s.Resource, s.NotResource...)})
	if s.Principal != nil {
		out = add(out, atom{what: "principal", who: s.Principal})
	}
	if s.NotPrincipal != nil {
		out = add(out, atom{what: "principal", not: true, who: s.NotPrincipal})
	}
	ops := make([]string, 0, len(s.Condition))
	for op := range s.Condition {
		ops = append(ops, op)
	}
	sort.Strings(ops)
	for _, op := range ops {
		keys := make([]string, 0, 1)
		for k := range s.Condition[op] {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			out = add(out, atom{what: "condition", operator: op, key: k, values: s.Condition[op][k]})
		}
	}
	return out
}

// document is the atom alone: a statement that is open in every other element.
func (a *atom) document() *document {
	s := statement{Effect: a.effect, Action: []string{"*"}, Resource: []string{"*"}}
	switch a.what {
	case "action":
		s.Action = a.list
		if a.not {
			s.Action, s.NotAction = nil, a.list
		}
	case "resource":
		s.Resource = a.list
		if a.not {
			s.Resource, s.NotResource = nil, a.list
		}
	case "principal":
		if a.not {
			s.NotPrincipal = a.who
		} else {
			s.Principal = a.who
		}
	case "condition":
		s.Condition = map[string]map[string][]string{a.operator: {a.key: a.values}}
	}
	return &document{Version: a.version, Statement: []statement{s}}
}

// question of the atom alone: as a resource policy if it is about principals.
func (a *atom) question() question {
	q := *a.q
	q.identity, q.session, q.policy = nil, nil, nil
	if a.what == "principal" {
		q.policy = a.document()
	} else {
		q.identity = []*document{a.document()}
	}
	return q
}

// answer of a gate to the question of an atom.
func (a *atom) of(g gates) bool {
	if a.what == "principal" {
		return g.Resource == a.effect
	}
	return g.Identity == a.effect
}

// compose is what an engine must answer to documents by its answers to the atoms.
func compose(engine string, docs [][][]*atom) effect {
	answer := "NoMatch"
	for _, d := range docs {
		for _, s := range d {
			applies := true
			for _, a := range s {
				applies = applies && a.applies[engine]
			}
			switch {
			case applies && s[0].effect == "Deny":
				return "Deny"
			case applies:
				answer = "Allow"
			}
		}
	}
	return answer
}

// takeApart returns the atoms of documents, by document and statement.
func takeApart(q *question, docs ...*document) [][][]*atom {
	var out [][][]*atom
	for _, d := range docs {
		if d == nil {
			continue
		}
		var statements [][]*atom
		for i := range d.Statement {
			statements = append(statements, atoms(q, d, &d.Statement[i]))
		}
		out = append(out, statements)
	}
	return out
}

// String shows what matters of an atom.
func (a *atom) String() string {
	switch a.what {
	case "action":
		return fmt.Sprintf("%s version %q, not %v, action %q, request %s", a.effect, a.version, a.not, a.list, a.q.action)
	case "resource":
		return fmt.Sprintf("%s version %q, not %v, resource %q, request %s, context %q", a.effect, a.version, a.not, a.list, a.q.resource, a.q.context)
	case "principal":
		return fmt.Sprintf("%s not %v, principal %q, request by %s", a.effect, a.not, a.who, a.q.principal.arn)
	}
	value, present := a.q.value(a.key)
	return fmt.Sprintf("%s version %q, %s %s %q, value %q (present %v, list %v)", a.effect, a.version, a.operator, a.key, a.values, value, present, a.q.isList(a.key))
}
