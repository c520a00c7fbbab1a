package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"fiducial/internal/arn"
)

// resourcePattern matches a resource ARN segment by segment.
type resourcePattern struct {
	raw string
	all bool // "*"
	// whole is used when the first five segments hold no wildcard: a literal
	// prefix then means the same as five equal segments, and is one comparison.
	whole *pattern
	parts [6]pattern
	// across is the whole text as one pattern, whose wildcards reach over colons.
	across pattern
}

func parseResource(raw string, variables bool) (resourcePattern, error) {
	if raw == "*" {
		return resourcePattern{raw: raw, all: true}, nil
	}
	parts, err := arnParts(raw, variables)
	if err != nil {
		return resourcePattern{}, err
	}
	if strings.ContainsAny(parts[2], "*?") {
		return resourcePattern{}, fmt.Errorf("%q has a wildcard in the service segment", raw)
	}
	head := strings.Join(parts[:5], ":")
	if variables && strings.Contains(head, "${") {
		return resourcePattern{}, fmt.Errorf("%q has a variable before its resource segment", raw)
	}
	r := resourcePattern{raw: raw}
	st := style{wildcards: true, variables: variables}
	if !strings.ContainsAny(head, "*?") {
		whole, err := compilePattern(raw, st)
		if err != nil {
			return resourcePattern{}, err
		}
		r.whole = &whole
		return r, nil
	}
	if r.parts, err = compileParts(parts, st); err == nil {
		r.across, err = compilePattern(raw, st)
	}
	return r, err
}

func compileParts(parts []string, st style) (out [6]pattern, err error) {
	for i, part := range parts {
		if out[i], err = compilePattern(part, st); err != nil {
			return out, err
		}
	}
	return out, nil
}

// arnParts cuts an ARN pattern into its six segments and checks the parts
// that must not be empty.
func arnParts(raw string, variables bool) ([]string, error) {
	parts := splitOutsideVariables(raw, 6, variables)
	if len(parts) != 6 || parts[0] != "arn" {
		return nil, fmt.Errorf(`%q must be "*" or an ARN: arn:partition:service:region:account:resource`, raw)
	}
	if parts[1] == "" || parts[2] == "" || parts[5] == "" {
		return nil, fmt.Errorf("%q has an empty partition, service or resource segment", raw)
	}
	if utf8.RuneCountInString(raw) > arn.MaxLen {
		return nil, fmt.Errorf("an ARN is longer than %d characters", arn.MaxLen)
	}
	return parts, nil
}

func (r *resourcePattern) match(ev *evaluation) outcome {
	switch {
	case r.all:
		return matches
	case r.whole != nil:
		return r.whole.match(ev.req.Resource, ev)
	}
	o := matchParts(&r.parts, ev.req.Resource, ev)
	if o == differs && r.across.match(ev.req.Resource, ev) == matches {
		return arguable
	}
	return o
}

// matchParts compares an ARN with six patterns, each inside its segment.
func matchParts(parts *[6]pattern, s string, ev *evaluation) outcome {
	result := matches
	for i := range parts {
		seg := s
		if i < 5 {
			cut := strings.IndexByte(s, ':')
			if cut < 0 {
				return differs
			}
			seg, s = s[:cut], s[cut+1:]
		}
		switch parts[i].match(seg, ev) {
		case differs:
			return differs
		case unresolved:
			result = unresolved
		}
	}
	return result
}
