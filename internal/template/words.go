package template

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type wordKind uint8

const (
	nameWord   wordKind = iota
	memberWord          // .name
	stringWord
	numberWord
	signWord
)

// lexeme is a word of an expression. Its text is without quotes and dots.
type lexeme struct {
	kind     wordKind
	text     string
	from, to int
}

func (l lexeme) is(sign string) bool    { return l.kind == signWord && l.text == sign }
func (l lexeme) named(name string) bool { return l.kind == nameWord && l.text == name }

func nameStart(c rune) bool { return c == '_' || unicode.IsLetter(c) }
func nameRune(c rune) bool {
	return c == '_' || c == '-' || unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c)
}

var signs = []string{"==", "!=", "<>", "<=", ">=", "..", "<", ">", "=", "|", ":", ",", "(", ")", "[", "]"}

// words cuts an expression into its words.
func words(src string) ([]lexeme, error) {
	var list []lexeme
	for i := 0; ; {
		i += len(src[i:]) - len(strings.TrimLeft(src[i:], spaces))
		if i == len(src) {
			return list, nil
		}
		w, err := wordAt(src, i)
		if err != nil {
			return nil, err
		}
		w.from = i
		list = append(list, w)
		i = w.to
	}
}

func wordAt(src string, i int) (lexeme, error) {
	c, _ := utf8.DecodeRuneInString(src[i:])
	switch {
	case c == '"' || c == '\'':
		n := strings.IndexRune(src[i+1:], c)
		if n < 0 {
			return lexeme{}, fmt.Errorf("a string has no closing %c in %q", c, brief(src))
		}
		return lexeme{kind: stringWord, text: src[i+1 : i+1+n], to: i + n + 2}, nil
	case digit(src, i) || c == '-' && digit(src, i+1):
		n := numberEnd(src, i)
		return lexeme{kind: numberWord, text: src[i:n], to: n}, nil
	case nameStart(c):
		n := nameEnd(src, i)
		return lexeme{kind: nameWord, text: src[i:n], to: n}, nil
	case c == '.' && !strings.HasPrefix(src[i:], ".."):
		from := i + 1 + len(src[i+1:]) - len(strings.TrimLeft(src[i+1:], spaces))
		n := nameEnd(src, from)
		if n == from {
			return lexeme{}, fmt.Errorf("a name is expected after the point before %q in %q", brief(src[from:]), brief(src))
		}
		return lexeme{kind: memberWord, text: src[from:n], to: n}, nil
	}
	for _, s := range signs {
		if strings.HasPrefix(src[i:], s) {
			return lexeme{kind: signWord, text: s, to: i + len(s)}, nil
		}
	}
	return lexeme{}, fmt.Errorf("%q is not expected in %q", brief(src[i:]), brief(src))
}

func digit(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }

func numberEnd(s string, i int) int {
	for i++; digit(s, i); i++ {
	}
	if i < len(s) && s[i] == '.' && digit(s, i+1) {
		for i++; digit(s, i); i++ {
		}
	}
	return i
}

// nameEnd is where a name ends, which may hold dashes and end with a question mark.
func nameEnd(s string, i int) int {
	n := strings.IndexFunc(s[i:], func(c rune) bool { return !nameRune(c) })
	if n < 0 {
		return len(s)
	}
	if n > 0 && s[i+n] == '?' {
		n++
	}
	return i + n
}

func brief(s string) string { return abbreviate(strings.TrimSpace(s), 80) }

// numberOf reads a number literal.
func numberOf(s string) (any, error) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not a number", abbreviate(s, 40))
	}
	return f, nil
}
