package policy

import "slices"

// Kind says where a document is attached, which decides what it may contain.
type Kind uint8

// The kinds of document.
const (
	Identity  Kind = iota // a policy of a user or a role
	Session               // the Policy parameter of AssumeRole
	Resource              // a bucket policy
	Trust                 // who may assume a role
	KeyPolicy             // who may use a KMS key
)

var kindNames = [...]string{"identity policy", "session policy", "resource policy", "trust policy", "key policy"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "policy"
}

// Limits of a document. Identity and trust documents are counted without
// white space and raw documents may be MaxRaw bytes; a session policy is
// counted in characters, a resource or key policy in bytes.
const (
	MaxRaw      = 131072
	MaxIdentity = 10240
	MaxSession  = 2048
	MaxResource = 20480
	MaxTrust    = 4096
	MaxKey      = 32768
)

// Document is a parsed and compiled policy. It is immutable and safe for
// concurrent use.
type Document struct {
	Kind Kind
	Name string // shown in decisions; set by WithName
	ID   string // the document's own Id element

	variables  bool // Version 2012-10-17
	statements []statement
}

// WithName returns the same document under a name that decisions will show.
func (d *Document) WithName(name string) *Document {
	c := *d
	c.Name = name
	c.statements = slices.Clone(d.statements)
	for i := range c.statements {
		c.statements[i].describe(c.Kind, name)
	}
	return &c
}

// Actions returns every pattern in Action and NotAction, in document order.
func (d *Document) Actions() []string {
	var out []string
	for i := range d.statements {
		for _, p := range d.statements[i].actions {
			out = append(out, p.raw)
		}
	}
	return out
}

// Resources returns every pattern in Resource and NotResource, in document order.
func (d *Document) Resources() []string {
	var out []string
	for i := range d.statements {
		for _, p := range d.statements[i].resources {
			out = append(out, p.raw)
		}
	}
	return out
}

// Public reports whether an Allow statement names everybody and has no
// condition: what S3 calls a public policy.
func (d *Document) Public() bool {
	for i := range d.statements {
		s := &d.statements[i]
		if s.allow && len(s.conditions) == 0 && s.hasPrincipal && (s.principals.everybody != s.notPrincipal) {
			return true
		}
	}
	return false
}

// statement is one compiled statement.
type statement struct {
	sid    string
	index  int
	allow  bool
	reason string // a Decision's sentence
	label  string // the statement's name in records

	hasPrincipal bool
	notPrincipal bool
	principals   principals

	notAction bool
	actions   []pattern

	notResource bool
	resources   []resourcePattern // empty only in trust policies

	conditions []condition
}
