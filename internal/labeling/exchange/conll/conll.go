// Package conll writes and reads the column format of the CoNLL-2003 shared
// task: a token a line, an empty line behind each sentence, a line -DOCSTART-
// before each document, and here a document for each data object.
//
// A line is "token -X- _ tag". The columns for parts of speech and chunks, which
// a manifest does not have, are filled as other tools fill them. Tags are IOB2:
// B- begins a span, I- goes on with it, O is outside of all.
//
// Tokens: white space and control characters separate and are dropped; a run of
// letters, marks, digits and underscores is one token; every other character is
// one of its own. A span's ends are ends of tokens, wherever they are, so spans
// come out exactly. A line break ends a sentence.
package conll

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/exchange"
)

const docStart = "-DOCSTART-"

// Overlaps says what to do with spans that overlap: a token has one tag.
type Overlaps string

// What can be done.
const (
	Refuse  Overlaps = "refuse"
	Longest Overlaps = "longest" // keep the longest, of two the first; tell of the others
)

// ParseOverlaps reads one of them.
func ParseOverlaps(s string) (Overlaps, error) {
	if o := Overlaps(s); o == Refuse || o == Longest {
		return o, nil
	}
	return "", invalid("%q: expected refuse or longest", s)
}

// Writer writes one text.
type Writer struct {
	out      *bufio.Writer
	overlaps Overlaps
	notes    *exchange.Notes
	tags     map[string]string // label in a tag -> label
}

// NewWriter writes to w.
func NewWriter(w io.Writer, overlaps Overlaps, notes *exchange.Notes) *Writer {
	return &Writer{bufio.NewWriter(w), overlaps, notes, map[string]string{}}
}

// Add implements exchange.Writer.
func (w *Writer) Add(r *exchange.Record) error {
	if err := exchange.Need("CoNLL-2003", r, exchange.Spans); err != nil {
		return err
	}
	if r.Ref != "" {
		return invalid("line %d: its text is in %s: CoNLL-2003 needs it in the manifest's source", r.Line, r.Ref)
	}
	spans, err := w.disjoint(r)
	if err != nil {
		return err
	}
	w.lost(r)
	text := []rune(r.Text)
	if _, err := w.out.WriteString(docStart + " -X- _ O\n\n"); err != nil {
		return err
	}
	sentence, at, covered := false, 0, 0
	for _, t := range tokens(text, spans) {
		if sentence && slices.ContainsFunc(text[at:t.start], func(c rune) bool { return c == '\n' }) {
			_ = w.out.WriteByte('\n') // Flush tells
		}
		tag := "O"
		for len(spans) > 0 && spans[0].End <= t.start {
			spans, covered = spans[1:], 0
		}
		if len(spans) > 0 && spans[0].Start <= t.start {
			label, err := w.tag(r, spans[0].Label)
			if err != nil {
				return err
			}
			if tag = "I-" + label; covered == 0 {
				tag = "B-" + label
			}
			covered++
		}
		_, _ = fmt.Fprintf(w.out, "%s -X- _ %s\n", string(text[t.start:t.end]), tag)
		sentence, at = true, t.end
	}
	return w.out.WriteByte('\n')
}

// lost tells of what the format has no column for.
func (w *Writer) lost(r *exchange.Record) {
	w.notes.Line(r, "not in the result: white space as it was")
	for _, s := range r.Spans {
		if s.Confidence.Known {
			w.notes.Line(r, "not in the result: confidences of spans")
		}
	}
	for _, l := range r.SpanLabels {
		if l.Short != "" {
			w.notes.Line(r, "not in the result: shortDisplayName of labels")
		}
	}
	w.notes.Line(r, "not in the result: job-name, human-annotated and creation-date")
}

// disjoint are the spans in the order of the text, none over another, each with
// a token.
func (w *Writer) disjoint(r *exchange.Record) ([]exchange.Span, error) {
	spans := slices.Clone(r.Spans)
	text := []rune(r.Text)
	spans = slices.DeleteFunc(spans, func(s exchange.Span) bool {
		blank := !slices.ContainsFunc(text[s.Start:s.End], func(c rune) bool { return !separates(c) })
		if blank {
			w.notes.Line(r, "left out: spans of white space alone")
		}
		return blank
	})
	slices.SortStableFunc(spans, func(a, b exchange.Span) int {
		if d := (b.End - b.Start) - (a.End - a.Start); d != 0 && w.overlaps == Longest {
			return d
		}
		return a.Start - b.Start
	})
	// Spans kept so far, by start: whichever overlaps the next is beside it.
	kept := make([]exchange.Span, 0, len(spans))
	for _, s := range spans {
		i, _ := slices.BinarySearchFunc(kept, s.Start, func(k exchange.Span, at int) int { return k.Start - at })
		if i > 0 && kept[i-1].End > s.Start || i < len(kept) && kept[i].Start < s.End {
			if w.overlaps != Longest {
				return nil, invalid("line %d: the span of %q from %d to %d overlaps another, and a token has one tag: --overlaps longest keeps the longer one", r.Line, s.Label, s.Start, s.End)
			}
			w.notes.Line(r, "left out: spans that overlap a longer one")
			continue
		}
		kept = slices.Insert(kept, i, s)
	}
	return kept, nil
}

// tag is a label as a column can hold it.
func (w *Writer) tag(r *exchange.Record, label string) (string, error) {
	tag := strings.Map(func(c rune) rune {
		if separates(c) {
			return '_'
		}
		return c
	}, label)
	if had, ok := w.tags[tag]; ok && had != label {
		return "", invalid("line %d: the labels %q and %q are the same in CoNLL-2003, where _ stands for white space", r.Line, had, label)
	}
	if tag != label {
		w.notes.Line(r, "written with _ for white space: the label %q", label)
	}
	if len(w.tags) < exchange.MaxClasses {
		w.tags[tag] = label
	}
	return tag, nil
}

// Close implements exchange.Writer.
func (w *Writer) Close() error { return w.out.Flush() }

type token struct{ start, end int }

// tokens cuts a text, at the ends of spans too.
func tokens(text []rune, spans []exchange.Span) []token {
	cut := make(map[int]bool, 2*len(spans))
	for _, s := range spans {
		cut[s.Start], cut[s.End] = true, true
	}
	var out []token
	for i := 0; i < len(text); {
		if separates(text[i]) {
			i++
			continue
		}
		start := i
		for i++; i < len(text) && word(text[start]) && word(text[i]) && !cut[i]; i++ {
		}
		out = append(out, token{start, i})
	}
	return out
}

func separates(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }

func word(c rune) bool {
	return unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) || c == '_'
}

// maxLine is the longest line that is read, in bytes.
const maxLine = 1 << 20

// Read reads a text and calls yield for each document or, where no line is
// -DOCSTART-, for each sentence. Tokens are joined by a space, sentences by a
// line break. Tags may be IOB1, IOB2 or IOBES.
func Read(in io.Reader, notes *exchange.Notes, yield func(*exchange.Record) error) error {
	d := reading{yield: yield, notes: notes}
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxLine)
	n := 0
	for s.Scan() {
		n++
		if err := d.line(strings.TrimRight(s.Text(), "\r"), n); err != nil {
			return exchange.Where(err, "line %d", n)
		}
	}
	if err := s.Err(); errors.Is(err, bufio.ErrTooLong) {
		return invalid("line %d: it is longer than %d bytes", n+1, maxLine)
	} else if err != nil {
		return err
	}
	return d.end()
}

// reading is the object that is read.
type reading struct {
	yield     func(*exchange.Record) error
	notes     *exchange.Notes
	documents bool
	count     int64
	text      strings.Builder
	length    int // of text, in code points
	lineBreak bool
	spans     []exchange.Span
	open      bool // the last span goes on if I- follows
}

func (d *reading) line(line string, n int) error {
	if !utf8.ValidString(line) {
		return invalid("it is not UTF-8")
	}
	fields := strings.Fields(line)
	switch {
	case len(fields) == 0:
		d.open = false
		if d.documents {
			d.lineBreak = d.length > 0
			return nil
		}
		return d.end()
	case fields[0] == docStart:
		err := d.end()
		d.documents = true
		return err
	case len(fields) < 2:
		return invalid("it has one column: expected a token first and its tag last")
	}
	if len(fields) > 2 && (fields[1] != "-X-" || fields[2] != "_") && len(fields) > 3 {
		d.notes.Add(fmt.Sprintf("line %d", n), "not in the result: columns between token and tag")
	}
	return d.token(fields[0], fields[len(fields)-1])
}

func (d *reading) token(text, tag string) error {
	if d.length > 0 {
		separator := byte(' ')
		if d.lineBreak {
			separator = '\n'
		}
		d.text.WriteByte(separator)
		d.length++
	}
	d.lineBreak = false
	start := d.length
	d.text.WriteString(text)
	d.length += utf8.RuneCountInString(text)
	if d.text.Len() > exchange.MaxElement || len(d.spans) > exchange.MaxObjects {
		return invalid("its document has more than %d bytes or %d spans", exchange.MaxElement, exchange.MaxObjects)
	}
	if tag == "O" {
		d.open = false
		return nil
	}
	kind, label, ok := strings.Cut(tag, "-")
	if !ok || label == "" || !slices.Contains([]string{"B", "I", "E", "S"}, kind) {
		return invalid("%q is not a tag: expected O, B-LABEL or I-LABEL", tag)
	}
	last := len(d.spans) - 1
	if (kind == "I" || kind == "E") && d.open && d.spans[last].Label == label {
		d.spans[last].End = d.length
	} else {
		d.spans = append(d.spans, exchange.Span{Label: label, Start: start, End: d.length})
	}
	d.open = kind == "B" || kind == "I"
	return nil
}

// end gives the object away.
func (d *reading) end() error {
	d.open, d.lineBreak = false, false
	if d.length == 0 {
		return nil
	}
	d.count++
	r := &exchange.Record{Line: d.count, Text: d.text.String(), Kind: exchange.Spans, Spans: d.spans}
	d.text.Reset()
	d.length, d.spans = 0, nil
	return d.yield(r)
}

func invalid(format string, args ...any) error {
	return fault.Newf("conll", fault.Invalid, format, args...)
}
