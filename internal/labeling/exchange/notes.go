package exchange

import (
	"errors"
	"fmt"
	"slices"

	"fiducial/internal/fault"
)

// maxNotes is how many different things are told; foreign names are in them.
const maxNotes = 200

// Notes tell what a result does not have of what was read.
type Notes struct {
	notes []Note
	index map[string]int
}

// Note is one thing, how often it was so, and where first.
type Note struct {
	Text  string
	Count int64
	First string
}

func (n Note) String() string {
	if n.Count == 1 {
		return fmt.Sprintf("%s (%s)", n.Text, n.First)
	}
	return fmt.Sprintf("%s (%d times, first %s)", n.Text, n.Count, n.First)
}

// Add tells of one thing.
func (n *Notes) Add(where, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	i, ok := n.index[text]
	if !ok {
		if len(n.notes) >= maxNotes {
			text = "more that is not listed here"
			if i, ok = n.index[text]; ok {
				n.notes[i].Count++
				return
			}
		}
		if n.index == nil {
			n.index = map[string]int{}
		}
		i = len(n.notes)
		n.index[text] = i
		n.notes = append(n.notes, Note{Text: text, First: where})
	}
	n.notes[i].Count++
}

// Where puts before an error where it was. What is not a fault, such as a disk
// that is full, stays what it is.
func Where(err error, format string, args ...any) error {
	where := fmt.Sprintf(format, args...)
	var f *fault.Error
	if !errors.As(err, &f) {
		return fmt.Errorf("%s: %w", where, err)
	}
	return fault.E("exchange", f.Kind, where+": "+f.Message, f.Err)
}

// Line tells of something in a line of the manifest.
func (n *Notes) Line(r *Record, format string, args ...any) {
	n.Add(fmt.Sprintf("line %d", r.Line), format, args...)
}

// Unlabelled tells that an object without a label is left out.
func (n *Notes) Unlabelled(r *Record) {
	if r.Failure != "" {
		n.Line(r, "left out: objects whose label failed")
		return
	}
	n.Line(r, "left out: objects without a label")
}

// members tells of the members that only a format with room for them keeps.
func (n *Notes) members(r *Record) {
	for _, m := range r.Members {
		n.Line(r, "not in the result: the member %s", quote(m.Name))
	}
	for _, m := range r.Meta.Others {
		n.Line(r, "not in the result: the metadata's %s", quote(m.Name))
	}
}

// All are the notes in the order in which they first came.
func (n *Notes) All() []Note { return slices.Clone(n.notes) }
