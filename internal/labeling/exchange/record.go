package exchange

import (
	"encoding/json"
	"io"
	"slices"
	"strings"

	"fiducial/internal/fault"
)

// Kind is what a label is, as far as formats care.
type Kind string

// The kinds. An object without a label has none.
const (
	Class        Kind = "classification"
	MultiLabel   Kind = "multi-label classification"
	Boxes        Kind = "bounding boxes"
	Mask         Kind = "semantic segmentation"
	Spans        Kind = "text spans"
	Verification Kind = "label verification"
	Custom       Kind = "custom" // anything else, kept as JSON
)

// metadataPrefix begins "type" in a label's metadata.
const metadataPrefix = "groundtruth/"

// KindOf is the kind of a label whose metadata has the type. Types that are
// not known, and those whose value is the URI of a document (video frames,
// point clouds), are custom: their value is kept as it is.
func KindOf(metadataType string) Kind {
	switch strings.TrimPrefix(metadataType, metadataPrefix) {
	case "image-classification", "text-classification", "video-classification":
		return Class
	case "image-classification-multilabel", "text-classification-multilabel":
		return MultiLabel
	case "object-detection":
		return Boxes
	case "semantic-segmentation":
		return Mask
	case "text-span":
		return Spans
	case "label-verification":
		return Verification
	}
	return Custom
}

// Bounds of what a record may hold.
const (
	MaxClassID = 1<<31 - 1
	MaxClasses = 100_000
	MaxSide    = 1 << 24 // pixels of a picture's side
	MaxObjects = 100_000 // boxes, spans or choices of one object
)

// Confidence is a number from 0 to 1, or not known.
type Confidence struct {
	Value float64
	Known bool
}

// Sure is a confidence that is known.
func Sure(v float64) Confidence { return Confidence{v, true} }

// Record is one data object and its label.
type Record struct {
	Line    int64    // of the manifest, or the number of the record; from 1
	Ref     string   // source-ref, or ""
	Text    string   // source, where Ref is ""
	Members []Member // the line's other members
	Kind    Kind     // "" where the object has no label
	Failure string   // failure-reason, where it has none
	Meta    Meta

	Choices    []Choice // Class and Verification: one; MultiLabel: any number
	Size       Size     // of the picture: Boxes; Mask once it is read
	Boxes      []Box
	Mask       Segmentation
	SpanLabels []SpanLabel
	Spans      []Span
	Value      json.RawMessage // Custom
}

// Member is a member of a JSON object.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Meta is what metadata says of any label.
type Meta struct {
	Type       string // "groundtruth/object-detection"
	Job        string // "labeling-job/name"
	Human      string // "yes" or "no"
	Created    string // 2018-10-18T22:18:13.527256
	Adjustment string // "adjusted", "unadjusted" or ""
	Workers    int    // how many answers the label is made of; 0: not known
	Feedback   []string
	Others     []Member
}

// Choice is a category that was chosen.
type Choice struct {
	ID         int
	Name       string
	Confidence Confidence
}

// Size is a picture's, in pixels.
type Size struct{ Width, Height, Depth int }

// Box is a box in pixels.
type Box struct {
	Choice
	Left, Top, Width, Height float64
}

// Segmentation is an indexed PNG and what its indexes mean.
type Segmentation struct {
	Ref    string
	Colors []Color // by index, ascending
}

// Color is an entry of internal-color-map.
type Color struct {
	Choice
	Hex string // "#2acf59"
}

// SpanLabel is a category of text spans.
type SpanLabel struct {
	Label string `json:"label"`
	Short string `json:"shortDisplayName,omitempty"`
}

// Span is a labelled stretch of text: code points from Start to before End.
type Span struct {
	Label      string
	Start, End int
	Confidence Confidence
}

// Source is what the object is, for a message or a column.
func (r *Record) Source() string {
	if r.Ref != "" {
		return r.Ref
	}
	return r.Text
}

// Writer writes one format. Close finishes what Add began and must be called
// once, after an error of Add too.
type Writer interface {
	Add(*Record) error
	Close() error
}

// Holder is a Writer that keeps the other members of a line, and the other
// members of its metadata.
type Holder interface{ HoldsMembers() bool }

// Need refuses a record whose kind the format cannot hold.
func Need(format string, r *Record, kinds ...Kind) error {
	if slices.Contains(kinds, r.Kind) {
		return nil
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return fault.Newf("exchange.Need", fault.Unsupported, "line %d: %s cannot hold %s (%s): it holds %s", r.Line, format, r.Kind, r.Meta.Type, strings.Join(names, ", "))
}

// Copy writes all labelled records of a manifest, and closes w. Objects
// without a label are left out and told of.
func Copy(w Writer, in *Reader, notes *Notes) (written int64, err error) {
	defer func() {
		if cerr := w.Close(); err == nil {
			err = cerr
		}
	}()
	holder, ok := w.(Holder)
	holds := ok && holder.HoldsMembers()
	kind := Kind("")
	for {
		r, err := in.Next()
		switch {
		case err == io.EOF:
			return written, nil
		case err != nil:
			return written, err
		case r.Kind == "":
			notes.Unlabelled(r)
			continue
		case kind != "" && kind != r.Kind:
			return written, refuse(r.Line, "its label is %s, that of lines before is %s: a result has one kind of label", r.Kind, kind)
		}
		kind = r.Kind
		if !holds {
			notes.members(r)
		}
		if err := w.Add(r); err != nil {
			return written, err
		}
		written++
	}
}

func refuse(line int64, format string, args ...any) error {
	return fault.Newf("exchange", fault.Invalid, "line %d: "+format, append([]any{line}, args...)...)
}
