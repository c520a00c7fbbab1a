package policy

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"fiducial/internal/fault"
)

// Malformed is the code of every fault that Parse returns.
const Malformed = "MalformedPolicyDocument"

var sidShape = regexp.MustCompile(`^[0-9A-Za-z]*$`)

// Parse reads and compiles a document. It is strict: what it does not
// understand it refuses, naming the statement and the element, because a
// statement or condition that is silently ignored grants what its author
// meant to withhold. The fault's code is Malformed.
func Parse(doc []byte, kind Kind) (*Document, error) {
	if err := checkSize(doc, kind); err != nil {
		return nil, malformed("", err)
	}
	root, err := parseJSON(doc)
	if err != nil {
		return nil, malformed("", err)
	}
	d, path, err := compile(root, kind)
	if err != nil {
		return nil, malformed(path, err)
	}
	for i := range d.statements {
		d.statements[i].describe(kind, "")
	}
	return d, nil
}

func malformed(path string, err error) error {
	message := err.Error()
	if path != "" {
		message = path + ": " + message
	}
	f := fault.Coded("policy.Parse", fault.Invalid, Malformed, message)
	f.Field = path
	return f
}

func checkSize(doc []byte, kind Kind) error {
	if len(doc) > MaxRaw {
		return fmt.Errorf("the document has %d bytes; at most %d are accepted", len(doc), MaxRaw)
	}
	size, limit, unit := 0, 0, ""
	switch kind {
	case Session:
		size, limit, unit = utf8.RuneCount(doc), MaxSession, "characters"
	case Resource:
		size, limit, unit = len(doc), MaxResource, "bytes"
	case KeyPolicy:
		size, limit, unit = len(doc), MaxKey, "bytes"
	default:
		limit, unit = MaxIdentity, "characters besides white space"
		if kind == Trust {
			limit = MaxTrust
		}
		for _, r := range string(doc) {
			if !unicode.IsSpace(r) {
				size++
			}
		}
	}
	if size > limit {
		return fmt.Errorf("the %s has %d %s; at most %d are accepted", kind, size, unit, limit)
	}
	return nil
}

// compile returns the path of the element at fault with the error.
func compile(root node, kind Kind) (*Document, string, error) {
	if root.kind != nodeObject {
		return nil, "", fmt.Errorf("expected a JSON object, got %s", nodeNames[root.kind])
	}
	d := &Document{Kind: kind}
	var statements []node
	// Version decides how statements are read and may stand after them.
	for _, m := range root.members {
		switch m.name {
		case "Version":
			if m.value.kind != nodeText || m.value.text != "2012-10-17" && m.value.text != "2008-10-17" {
				return nil, "Version", fmt.Errorf(`expected "2012-10-17" or "2008-10-17"`)
			}
			d.variables = m.value.text == "2012-10-17"
		case "Id":
			if m.value.kind != nodeText {
				return nil, "Id", fmt.Errorf("expected a string, got %s", nodeNames[m.value.kind])
			}
			d.ID = m.value.text
		case "Statement":
			switch m.value.kind {
			case nodeObject:
				statements = []node{m.value}
			case nodeList:
				statements = m.value.items
			default:
				return nil, "Statement", fmt.Errorf("expected an object or a list of objects, got %s", nodeNames[m.value.kind])
			}
		default:
			return nil, m.name, fmt.Errorf("unknown element")
		}
	}
	if len(statements) == 0 {
		return nil, "Statement", fmt.Errorf("expected at least one statement")
	}
	d.statements = make([]statement, 0, len(statements))
	var sids map[string]bool // made with the first: a session policy of ours has none
	for i, n := range statements {
		p := statementParser{kind: kind, variables: d.variables, out: statement{index: i}}
		element, err := p.parse(n)
		if err == nil && sids[p.out.sid] {
			element, err = "Sid", fmt.Errorf("another statement has the same Sid")
		}
		if err != nil {
			return nil, p.path(element), err
		}
		if p.out.sid != "" {
			if sids == nil {
				sids = map[string]bool{}
			}
			sids[p.out.sid] = true
		}
		d.statements = append(d.statements, p.out)
	}
	return d, "", nil
}

type statementParser struct {
	kind      Kind
	variables bool
	out       statement
	members   []member
}

// has reports whether the statement has an element. It has few: what is unknown
// and what occurs twice is refused.
func (p *statementParser) has(name, prefix string) bool {
	for i := range p.members {
		if rest, ok := strings.CutPrefix(p.members[i].name, prefix); ok && rest == name {
			return true
		}
	}
	return false
}

func (p *statementParser) path(element string) string {
	s := fmt.Sprintf("Statement[%d]", p.out.index)
	if p.out.sid != "" {
		s += fmt.Sprintf(" (Sid %q)", p.out.sid)
	}
	if element != "" {
		s += " " + element
	}
	return s
}

// parse fills out and returns the element at fault with the error.
func (p *statementParser) parse(n node) (string, error) {
	if n.kind != nodeObject {
		return "", fmt.Errorf("expected an object, got %s", nodeNames[n.kind])
	}
	p.members = n.members
	for _, m := range n.members {
		if m.name == "Sid" {
			if err := p.sid(m.value); err != nil {
				return "Sid", err
			}
		}
	}
	for _, m := range n.members {
		if err := p.element(m); err != nil {
			return m.name, err
		}
	}
	return p.checkPresence()
}

func (p *statementParser) sid(n node) error {
	if n.kind != nodeText {
		return fmt.Errorf("expected a string, got %s", nodeNames[n.kind])
	}
	if p.kind != Resource && p.kind != KeyPolicy && !sidShape.MatchString(n.text) {
		return fmt.Errorf("%q has characters other than letters and digits", n.text)
	}
	p.out.sid = n.text
	return nil
}

func (p *statementParser) element(m member) (err error) {
	switch m.name {
	case "Sid":
		return nil
	case "Effect":
		if m.value.kind != nodeText || m.value.text != "Allow" && m.value.text != "Deny" {
			return fmt.Errorf(`expected "Allow" or "Deny"`)
		}
		p.out.allow = m.value.text == "Allow"
		return nil
	case "Principal", "NotPrincipal":
		if p.kind == Identity || p.kind == Session {
			return fmt.Errorf("a principal may not stand in an identity or session policy")
		}
		p.out.hasPrincipal, p.out.notPrincipal = true, m.name == "NotPrincipal"
		p.out.principals, err = parsePrincipals(m.value)
		return err
	case "Action", "NotAction":
		p.out.notAction = m.name == "NotAction"
		return p.actions(m.value)
	case "Resource", "NotResource":
		if p.kind == Trust {
			return fmt.Errorf("a resource may not stand in a trust policy: the role is the resource")
		}
		p.out.notResource = m.name == "NotResource"
		return p.resources(m.value)
	case "Condition":
		p.out.conditions, err = parseConditions(m.value, p.variables)
		return err
	}
	return fmt.Errorf("unknown element")
}

func (p *statementParser) actions(n node) error {
	values, err := n.texts()
	if err != nil {
		return err
	}
	for _, v := range values {
		if !isAction(v) || len(v) > 256 {
			return fmt.Errorf(`%q is not an action: expected "*" or service:Operation such as s3:GetObject`, v)
		}
		if p.kind == Trust && !strings.HasPrefix(strings.ToLower(v), "sts:") {
			return fmt.Errorf("%q may not stand in a trust policy: only sts actions may", v)
		}
		pat, err := compilePattern(v, style{wildcards: true, fold: true})
		if err != nil {
			return err
		}
		p.out.actions = append(p.out.actions, pat)
	}
	return nil
}

// isAction: a service is written out; only the operation may have wildcards.
func isAction(s string) bool {
	if s == "*" || s == "*:*" {
		return true
	}
	service, operation, ok := strings.Cut(s, ":")
	if !ok || service == "" || operation == "" {
		return false
	}
	for i := range len(service) {
		if c := service[i]; !alphanumeric(c) && c != '-' {
			return false
		}
	}
	for i := range len(operation) {
		if c := operation[i]; !alphanumeric(c) && c != '-' && c != '_' && c != '*' && c != '?' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (p *statementParser) resources(n node) error {
	values, err := n.texts()
	if err != nil {
		return err
	}
	for _, v := range values {
		r, err := parseResource(v, p.variables)
		if err != nil {
			return err
		}
		p.out.resources = append(p.out.resources, r)
	}
	return nil
}

func (p *statementParser) checkPresence() (string, error) {
	if !p.has("Effect", "") {
		return "Effect", fmt.Errorf("missing")
	}
	pairs := [...]struct {
		name   string
		needed bool
	}{
		{"Action", true},
		{"Resource", p.kind != Trust},
		{"Principal", p.kind == Resource || p.kind == Trust || p.kind == KeyPolicy},
	}
	for _, e := range pairs {
		plain, not := p.has(e.name, ""), p.has(e.name, "Not")
		if plain && not {
			return e.name, fmt.Errorf("a statement has either %s or Not%s, not both", e.name, e.name)
		}
		if e.needed && !plain && !not {
			return e.name, fmt.Errorf("missing: a statement of a %s needs %s or Not%s", p.kind, e.name, e.name)
		}
	}
	return "", nil
}
