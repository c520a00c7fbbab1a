package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// pattern is a compiled text with wildcards and policy variables. A text
// without either is one literal token; the matcher is the same for all.
type pattern struct {
	raw    string
	tokens []token
	vars   bool // has a variable
}

type tokenKind uint8

const (
	literal  tokenKind = iota
	star               // any run of characters, none included
	question           // one character
	variable           // the value of a context key
)

type token struct {
	kind       tokenKind
	text       string // literal; or the default of a variable
	key        contextKey
	hasDefault bool
}

// style says what is special in a text.
type style struct {
	wildcards bool // * and ?
	variables bool // ${key}, ${key, 'default'}, ${*}, ${?}, ${$}
	fold      bool // literals are lower-cased: matched against any ASCII case
}

func compilePattern(raw string, st style) (pattern, error) {
	p := pattern{raw: raw}
	if raw != "" && strings.IndexByte(raw, '*') < 0 && strings.IndexByte(raw, '?') < 0 && strings.IndexByte(raw, '$') < 0 {
		text := raw
		if st.fold {
			text = strings.ToLower(text)
		}
		p.tokens = []token{{kind: literal, text: text}}
		return p, nil
	}
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			text := lit.String()
			if st.fold {
				text = strings.ToLower(text)
			}
			p.tokens = append(p.tokens, token{kind: literal, text: text})
			lit.Reset()
		}
	}
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case st.wildcards && c == '*':
			flush()
			if n := len(p.tokens); n == 0 || p.tokens[n-1].kind != star {
				p.tokens = append(p.tokens, token{kind: star})
			}
			i++
		case st.wildcards && c == '?':
			flush()
			p.tokens = append(p.tokens, token{kind: question})
			i++
		case st.variables && strings.HasPrefix(raw[i:], "${"):
			t, n, err := parseVariable(raw[i:])
			if err != nil {
				return pattern{}, err
			}
			if t.kind == literal {
				lit.WriteString(t.text)
			} else {
				flush()
				p.tokens = append(p.tokens, t)
				p.vars = true
			}
			i += n
		default:
			lit.WriteByte(c)
			i++
		}
	}
	flush()
	return p, nil
}

// parseVariable reads one ${…} at the start of s and returns its length.
func parseVariable(s string) (token, int, error) {
	end := variableEnd(s)
	if end < 0 {
		return token{}, 0, fmt.Errorf("the variable in %q does not end with }", s)
	}
	body := s[2 : end-1]
	if body == "*" || body == "?" || body == "$" {
		return token{kind: literal, text: body}, end, nil
	}
	t := token{kind: variable}
	name := body
	if i := strings.IndexByte(body, ','); i >= 0 {
		name = body[:i]
		def := strings.TrimSpace(body[i+1:])
		if len(def) < 2 || def[0] != '\'' || def[len(def)-1] != '\'' || strings.Contains(def[1:len(def)-1], "'") {
			return token{}, 0, fmt.Errorf("the default of the variable ${%s} must stand in single quotes", body)
		}
		t.text, t.hasDefault = def[1:len(def)-1], true
	}
	key, err := parseKey(strings.TrimSpace(name))
	if err != nil {
		return token{}, 0, fmt.Errorf("the variable ${%s}: %w", body, err)
	}
	t.key = key
	return t, end, nil
}

// variableEnd returns the index after the } that closes the ${ at the start
// of s, or -1. A default's quotes may contain braces.
func variableEnd(s string) int {
	quoted := false
	for i := 2; i < len(s); i++ {
		switch s[i] {
		case '\'':
			quoted = !quoted
		case '}':
			if !quoted {
				return i + 1
			}
		}
	}
	return -1
}

// splitOutsideVariables cuts s at colons that are not inside ${…}, into at
// most n parts.
func splitOutsideVariables(s string, n int, variables bool) []string {
	parts := make([]string, 0, n)
	start := 0
	for i := 0; i < len(s) && len(parts) < n-1; i++ {
		switch {
		case variables && strings.HasPrefix(s[i:], "${"):
			if end := variableEnd(s[i:]); end > 0 {
				i += end - 1
			}
		case s[i] == ':':
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// outcome of matching a value that may hold variables.
type outcome uint8

const (
	differs outcome = iota
	matches
	unresolved // a variable has no value: matches nothing
	arguable   // matches only if wildcards reach over the colons of an ARN
)

// match compares s with the pattern.
func (p *pattern) match(s string, ev *evaluation) outcome {
	if !p.vars {
		return asOutcome(matchTokens(p.tokens, s, false))
	}
	var buf [8]token
	tokens, ok := p.resolve(buf[:0], ev)
	if !ok {
		return unresolved
	}
	return asOutcome(matchTokens(tokens, s, false))
}

func asOutcome(b bool) outcome {
	if b {
		return matches
	}
	return differs
}

// resolve puts literals in place of variables.
func (p *pattern) resolve(buf []token, ev *evaluation) ([]token, bool) {
	for _, t := range p.tokens {
		if t.kind == variable {
			text, ok := ev.variable(&t)
			if !ok {
				return nil, false
			}
			t = token{kind: literal, text: text}
		}
		buf = append(buf, t)
	}
	return buf, true
}

// expand returns the pattern's text with variables replaced; only meaningful
// for patterns without wildcards.
func (p *pattern) expand(ev *evaluation) (string, bool) {
	if !p.vars {
		if len(p.tokens) == 0 {
			return "", true
		}
		return p.tokens[0].text, true
	}
	var b strings.Builder
	for i := range p.tokens {
		t := &p.tokens[i]
		text := t.text
		if t.kind == variable {
			var ok bool
			if text, ok = ev.variable(t); !ok {
				return "", false
			}
		}
		b.WriteString(text)
	}
	return b.String(), true
}

// matchTokens is the usual greedy match that goes back to the last star only,
// so its cost is at most len(tokens) × len(s).
func matchTokens(tokens []token, s string, fold bool) bool {
	i, j := 0, 0
	starAt, mark := -1, 0
	for {
		if i == len(tokens) {
			if j == len(s) {
				return true
			}
		} else {
			switch t := &tokens[i]; t.kind {
			case star:
				if i == len(tokens)-1 {
					return true
				}
				starAt, mark = i, j
				i++
				continue
			case question:
				if j < len(s) {
					_, w := utf8.DecodeRuneInString(s[j:])
					i, j = i+1, j+w
					continue
				}
			default:
				if hasPrefix(s[j:], t.text, fold) {
					i, j = i+1, j+len(t.text)
					continue
				}
			}
		}
		if starAt < 0 || mark >= len(s) {
			return false
		}
		_, w := utf8.DecodeRuneInString(s[mark:])
		mark += w
		i, j = starAt+1, mark
	}
}

// hasPrefix is strings.HasPrefix, or the same with s lower-cased as ASCII.
func hasPrefix(s, prefix string, fold bool) bool {
	if !fold {
		return strings.HasPrefix(s, prefix)
	}
	if len(s) < len(prefix) {
		return false
	}
	for i := 0; i < len(prefix); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}
