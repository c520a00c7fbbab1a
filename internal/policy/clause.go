package policy

import (
	"slices"
	"strings"
)

// Clause is one key of a statement's Condition element, and what a request has
// for it.
type Clause struct {
	Operator string   // as written: "StringNotEquals"
	Key      string   // as written: "aws:SourceVpc"
	Wanted   []string // the values in the document
	Found    []string // the values of the request; empty: the key is not present
	Holds    bool
}

// String is the clause in words: aws:SourceVpc StringNotEquals vpc-1 (the request has none).
func (c Clause) String() string {
	found := "the request has none"
	if len(c.Found) > 0 {
		found = "the request has " + strings.Join(c.Found, ", ")
	}
	return c.Key + " " + c.Operator + " " + strings.Join(c.Wanted, ", ") + " (" + found + ")"
}

// clauses lists the conditions of a statement with what the request has for them.
func (s *statement) clauses(ev *evaluation) []Clause {
	var out []Clause
	for i := range s.conditions {
		c := &s.conditions[i]
		v := ev.lookup(&c.key)
		k := Clause{Operator: c.name, Key: c.key.name, Holds: s.accepts(c.eval(ev))}
		for j := range c.operands {
			k.Wanted = append(k.Wanted, c.operands[j].raw)
		}
		for j := range v.count() {
			k.Found = append(k.Found, v.at(j))
		}
		out = append(out, k)
	}
	return out
}

// ContextKeys returns the names of all condition keys that the document's
// conditions and policy variables mention, each once, in order of appearance.
func (d *Document) ContextKeys() []string {
	var out []string
	add := func(name string) {
		if !slices.ContainsFunc(out, func(s string) bool { return strings.EqualFold(s, name) }) {
			out = append(out, name)
		}
	}
	for i := range d.statements {
		d.statements[i].mention(add)
	}
	return out
}

// mention calls add for every key that the statement reads.
func (s *statement) mention(add func(string)) {
	for i := range s.resources {
		r := &s.resources[i]
		if r.whole != nil {
			r.whole.mention(add)
		}
		for j := range r.parts {
			r.parts[j].mention(add)
		}
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		add(c.key.name)
		for j := range c.operands {
			c.operands[j].pattern.mention(add)
			for k := range c.operands[j].parts {
				c.operands[j].parts[k].mention(add)
			}
		}
	}
}

func (p *pattern) mention(add func(string)) {
	for i := range p.tokens {
		if p.tokens[i].key.name != "" {
			add(p.tokens[i].key.name)
		}
	}
}

// Prefixes returns the networks that the document's address conditions on a key
// name, as written.
func (d *Document) Prefixes(key string) []string {
	var out []string
	for i := range d.statements {
		for j := range d.statements[i].conditions {
			c := &d.statements[i].conditions[j]
			if c.op.family != ipAddress || !strings.EqualFold(c.key.name, key) {
				continue
			}
			for k := range c.operands {
				out = append(out, c.operands[k].prefix.String())
			}
		}
	}
	return out
}
