package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/osteele/liquid/expressions"
)

// maxDepth bounds brackets within brackets.
const maxDepth = 50

// The names of filters that only rewritten templates use. Authors cannot: names
// that begin with two underscores are refused.
const (
	printFilter = "__print" // makes a value fit for the library to write
	rangeFilter = "__range" // (a..b)
	itemsFilter = "__items" // what a loop runs over
	isFilter    = "__is"    // == empty, == blank
	isntFilter  = "__isnt"
	notFilter   = "__not"
	caseFilter  = "__case" // what case and when compare
)

// rewriter turns an expression of Liquid into one that the library reads in the
// same sense:
//
//   - and, or are read from the right: what follows one is put in brackets;
//   - strings and floats become names of constants, so that nothing in them can
//     be taken for anything else;
//   - (a..b) becomes (a | __range: b), which takes any value for a number and can
//     be of any size;
//   - x == empty becomes x | __is: empty;
//   - what stands in [ ] may be any expression.
type rewriter struct {
	c      *composer
	src    string
	words  []lexeme
	i      int
	out    []string
	levels []level
}

// level is the text between two brackets.
type level struct {
	open   string
	closes int    // brackets that and, or have opened
	filter string // whose arguments are being read
	args   int
}

// rewrite returns what the library is to read instead of some words of a
// construct, always a single operand.
func (c *composer) rewrite(src string, words []lexeme) (string, error) {
	if len(words) == 0 {
		return "", fmt.Errorf("a value is expected in %q", brief(src))
	}
	r := &rewriter{c: c, src: src, words: words, levels: []level{{}}}
	for ; r.i < len(words); r.i++ {
		if err := r.word(words[r.i]); err != nil {
			return "", err
		}
	}
	if len(r.levels) > 1 {
		return "", fmt.Errorf("a %s has no end in %q", r.top().open, brief(src))
	}
	if err := r.endFilter(); err != nil {
		return "", err
	}
	text := "(" + strings.Join(r.out, " ") + strings.Repeat(")", r.top().closes+1)
	if !parses(text) {
		return "", fmt.Errorf("%q is not a Liquid expression", brief(src[words[0].from:words[len(words)-1].to]))
	}
	return text, nil
}

// parses asks the library, whose lexer panics on some texts.
func parses(text string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	_, err := expressions.Parse(text)
	return err == nil
}

func (r *rewriter) top() *level { return &r.levels[len(r.levels)-1] }

func (r *rewriter) put(text string) { r.out = append(r.out, text) }

// next is the word n places on; a word without text beyond the end.
func (r *rewriter) next(n int) lexeme {
	if r.i+n < len(r.words) {
		return r.words[r.i+n]
	}
	return lexeme{kind: signWord}
}

func (r *rewriter) unexpected(w lexeme) error {
	return fmt.Errorf("%q is not expected in %q", brief(r.src[w.from:]), brief(r.src))
}

func (r *rewriter) word(w lexeme) error {
	switch w.kind {
	case stringWord:
		r.put(r.c.constant(w.text))
	case numberWord:
		n, err := numberOf(w.text)
		if err != nil {
			return err
		}
		if _, whole := n.(int); whole {
			r.put(w.text)
		} else {
			r.put(r.c.constant(n))
		}
	case memberWord:
		if c := []rune(w.text)[0]; nameStart(c) {
			r.put("." + w.text)
		} else {
			r.put("[" + r.c.constant(w.text) + "]")
		}
	case nameWord:
		return r.name(w)
	default:
		return r.sign(w)
	}
	return nil
}

func (r *rewriter) name(w lexeme) error {
	switch {
	case strings.HasPrefix(w.text, "__"):
		return fmt.Errorf("%q: names that begin with two underscores are not for templates", abbreviate(w.text, 40))
	case w.text == "and" || w.text == "or":
		if err := r.endFilter(); err != nil {
			return err
		}
		r.put(w.text + " (")
		r.top().closes++
	case w.text == "null":
		r.put("nil")
	case r.next(1).is(":"):
		// A named argument: only in the filters that take one.
		if !slices.Contains(standardFilters[r.top().filter].named, w.text) {
			return r.unexpected(w)
		}
		r.top().args--
		r.put(w.text + ":")
		r.i++
	default:
		r.put(w.text)
	}
	return nil
}

func (r *rewriter) sign(w lexeme) error {
	switch w.text {
	case "|":
		return r.filter()
	case ",":
		if r.top().filter == "" {
			return r.unexpected(w)
		}
		r.top().args++
	case ":", "=":
		return r.unexpected(w)
	case "(", "[":
		return r.open(w.text)
	case ")", "]":
		return r.close(w)
	case "..":
		if r.top().open != "(" {
			return r.unexpected(w)
		}
		if err := r.endFilter(); err != nil {
			return err
		}
		r.put("| " + rangeFilter + ":")
		r.top().open = "(.."
		return nil
	case "==", "!=", "<>", "<", ">", "<=", ">=":
		return r.compare(w)
	}
	r.put(w.text)
	return nil
}

func (r *rewriter) compare(w lexeme) error {
	if err := r.endFilter(); err != nil {
		return err
	}
	by := r.next(1)
	special := by.named(string(empty)) || by.named(string(blank))
	switch {
	case special && w.text == "==":
		r.put("| " + isFilter + ": " + by.text)
		r.i++
	case special && (w.text == "!=" || w.text == "<>"):
		r.put("| " + isntFilter + ": " + by.text)
		r.i++
	case w.text == "<>":
		r.put("!=")
	default:
		r.put(w.text)
	}
	return nil
}

func (r *rewriter) open(bracket string) error {
	if len(r.levels) > maxDepth {
		return &RenderError{Code: CodeLimitExceeded, Message: fmt.Sprintf("brackets are nested more than %d deep", maxDepth)}
	}
	r.levels = append(r.levels, level{open: bracket})
	r.put(bracket + "(")
	return nil
}

func (r *rewriter) close(w lexeme) error {
	l := r.top()
	if len(r.levels) == 1 || (w.text == "]") != (l.open == "[") {
		return r.unexpected(w)
	}
	if err := r.endFilter(); err != nil {
		return err
	}
	r.put(strings.Repeat(")", l.closes+1) + w.text)
	r.levels = r.levels[:len(r.levels)-1]
	return nil
}

func (r *rewriter) filter() error {
	if err := r.endFilter(); err != nil {
		return err
	}
	n := r.next(1)
	if n.kind != nameWord {
		return fmt.Errorf("the name of a filter is expected %s", r.before(n))
	}
	if _, ok := standardFilters[n.text]; !ok {
		return fmt.Errorf("there is no filter %q", n.text)
	}
	r.i++
	r.top().filter, r.top().args = n.text, 0
	if r.next(1).is(":") {
		r.i++
		r.top().args = 1
		r.put("| " + n.text + ":")
		return nil
	}
	r.put("| " + n.text)
	return r.endFilter()
}

func (r *rewriter) before(w lexeme) string {
	if w.text == "" {
		return fmt.Sprintf("at the end of %q", brief(r.src))
	}
	return fmt.Sprintf("before %q in %q", brief(r.src[w.from:]), brief(r.src))
}

// endFilter checks how many arguments a filter was given.
func (r *rewriter) endFilter() error {
	l := r.top()
	if l.filter == "" {
		return nil
	}
	f := standardFilters[l.filter]
	least, most := f.arity()
	if l.args < least || l.args > most {
		return fmt.Errorf("the filter %q takes %s", l.filter, arguments(least, most))
	}
	l.filter = ""
	return nil
}

func arguments(least, most int) string {
	switch {
	case most == 0:
		return "no arguments"
	case least != most:
		return fmt.Sprintf("%d to %d arguments", least, most)
	case most == 1:
		return "1 argument"
	}
	return strconv.Itoa(most) + " arguments"
}
