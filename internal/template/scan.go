package template

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	maxConstructs = 20_000 // {{ }} and {% %} in one template
	maxConstruct  = 8_192  // bytes of one of them, {% liquid %} aside
	maxErrors     = 20     // that one reading of a template reports
)

type tokenKind uint8

const (
	textToken   tokenKind = iota
	outputToken           // {{ … }}
	tagToken              // {% … %}
	rawToken              // the text of a raw block
)

// position counts from 1.
type position struct{ line, column int }

// token is a piece of a template: text, or what stands between {{ }} or {% %}.
type token struct {
	kind tokenKind
	text string // text; the expression; a tag's arguments
	name string // of a tag
	at   position
	end  int // the offset after it, where it is a tag
}

// fail is an error at a place of the template.
func (p position) fail(code, format string, args ...any) *RenderError {
	return &RenderError{Code: code, Message: fmt.Sprintf(format, args...), Line: p.line, Column: p.column}
}

var (
	endRaw = regexp.MustCompile(`\{%-?\s*endraw\s*-?%\}`)
	// commented finds what counts within a comment: comments within it, and raw
	// blocks, whose text does not.
	commented = regexp.MustCompile(`\{%-?\s*(comment|endcomment|raw)\b[^%]*%\}`)
	// tagHead is a tag's name, or the # of a note.
	tagHead = regexp.MustCompile(`^\s*(#|\w+)`)
)

// scanner cuts a template into tokens.
type scanner struct {
	src    string
	tokens []token
	trim   bool // the text that follows loses its white space in front

	line, lineStart, counted int
}

// scan cuts a template into tokens. Text is trimmed as {%- -%} ask for; comments
// and raw blocks are gone.
func scan(src string) ([]token, *RenderError) {
	s := &scanner{src: src, line: 1}
	for i, n := 0, 0; ; n++ {
		open := nextOpen(src[i:])
		if open < 0 {
			s.text(textToken, src[i:], s.place(i), false)
			return s.tokens, nil
		}
		if n == maxConstructs {
			return nil, s.place(i+open).fail(CodeLimitExceeded, "the template has more than %d tags", maxConstructs)
		}
		next, err := s.construct(i, i+open)
		if err != nil {
			return nil, err
		}
		i = next
	}
}

// nextOpen finds {{ or {%.
func nextOpen(s string) int {
	for i := 0; ; i++ {
		n := strings.IndexByte(s[i:], '{')
		if n < 0 || i+n+1 >= len(s) {
			return -1
		}
		i += n
		if s[i+1] == '{' || s[i+1] == '%' {
			return i
		}
	}
}

// place returns the line and column of an offset. Offsets must not go down.
func (s *scanner) place(at int) position {
	for i := s.counted; i < at; i++ {
		if s.src[i] == '\n' {
			s.line++
			s.lineStart = i + 1
		}
	}
	s.counted = max(s.counted, at)
	return position{s.line, at - s.lineStart + 1}
}

const spaces = " \t\r\n\v\f"

func (s *scanner) text(kind tokenKind, t string, at position, trimRight bool) {
	if s.trim {
		t = strings.TrimLeft(t, spaces)
	}
	if trimRight {
		t = strings.TrimRight(t, spaces)
	}
	if t != "" {
		s.tokens = append(s.tokens, token{kind: kind, text: t, at: at})
	}
	s.trim = false
}

// construct takes the text from an offset to the {{ }} or {% %} at another, and
// that. It returns the offset after it.
func (s *scanner) construct(from, at int) (int, *RenderError) {
	closing, kind := "}}", outputToken
	if s.src[at+1] == '%' {
		closing, kind = "%}", tagToken
	}
	n := closeOf(s.src[at+2:], closing)
	before, where := s.place(from), s.place(at)
	if n < 0 {
		return 0, where.fail(CodeInvalidTemplate, "%q has no %q", s.src[at:at+2], closing)
	}
	inner, end := s.src[at+2:at+2+n], at+2+n+2
	left := strings.HasPrefix(inner, "-")
	inner = strings.TrimPrefix(inner, "-")
	right := strings.HasSuffix(inner, "-")
	inner = strings.TrimSuffix(inner, "-")
	s.text(textToken, s.src[from:at], before, left)
	s.trim = right
	t := token{kind: kind, text: inner, at: where, end: end}
	if kind == tagToken {
		head := tagHead.FindStringSubmatch(inner)
		if head == nil {
			return 0, where.fail(CodeInvalidTemplate, "%q is not a tag: expected {%% name … %%}", abbreviate(s.src[at:end], 80))
		}
		t.name, t.text = head[1], inner[len(head[0]):]
	}
	if n > maxConstruct && t.name != "liquid" && t.name != "#" {
		return 0, where.fail(CodeLimitExceeded, "%s … %s is longer than %d characters", s.src[at:at+2], closing, maxConstruct)
	}
	switch t.name {
	case "#":
		return end, nil
	case "comment":
		return s.comment(t)
	case "raw":
		return s.raw(t)
	}
	s.tokens = append(s.tokens, t)
	return end, nil
}

// closeOf finds the end of a construct. The first }} ends it, unless that leaves
// a string open and a later one does not.
func closeOf(s, closing string) int {
	first := strings.Index(s, closing)
	if first < 0 || !openString(s[:first]) {
		return first
	}
	quote := byte(0)
	for i := 0; i < len(s) && i < maxConstruct; i++ {
		switch c := s[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == 0 && strings.HasPrefix(s[i:], closing):
			return i
		}
	}
	return first
}

func openString(s string) bool {
	quote := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		}
	}
	return quote != 0
}

func (s *scanner) raw(t token) (int, *RenderError) {
	loc := endRaw.FindStringIndex(s.src[t.end:])
	if loc == nil {
		return 0, t.at.fail(CodeInvalidTemplate, "{%% raw %%} has no {%% endraw %%}")
	}
	closing := s.src[t.end+loc[0] : t.end+loc[1]]
	s.text(rawToken, s.src[t.end:t.end+loc[0]], s.place(t.end), strings.HasPrefix(closing, "{%-"))
	s.trim = strings.HasSuffix(closing, "-%}")
	return t.end + loc[1], nil
}

func (s *scanner) comment(t token) (int, *RenderError) {
	for depth, i := 1, t.end; ; {
		m := commented.FindStringSubmatchIndex(s.src[i:])
		if m == nil {
			return 0, t.at.fail(CodeInvalidTemplate, "{%% comment %%} has no {%% endcomment %%}")
		}
		name, whole := s.src[i+m[2]:i+m[3]], s.src[i+m[0]:i+m[1]]
		i += m[1]
		switch name {
		case "comment":
			depth++
		case "endcomment":
			depth--
		case "raw":
			if end := endRaw.FindStringIndex(s.src[i:]); end != nil {
				i += end[1]
			}
		}
		if depth == 0 {
			s.trim = strings.HasSuffix(whole, "-%}")
			return i, nil
		}
	}
}

func abbreviate(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
