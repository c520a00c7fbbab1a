package mask

import (
	"errors"
	"io"
	"slices"

	"fiducial/internal/labeling/exchange"
)

// Open reads the object that an S3 URI names.
type Open func(ref string) (io.ReadCloser, error)

// Of reads the mask of a record and sets the record's size.
func (open Open) Of(r *exchange.Record) (*Mask, error) {
	body, err := open(r.Mask.Ref)
	if err != nil {
		return nil, invalid("line %d: the mask %s: %s", r.Line, r.Mask.Ref, err)
	}
	defer body.Close()
	m, err := Read(io.LimitReader(body, 256<<20), r.Mask)
	if err != nil {
		return nil, invalid("line %d: the mask %s: %s", r.Line, r.Mask.Ref, err)
	}
	r.Size.Width, r.Size.Height = m.Width, m.Height
	return m, nil
}

// Sink keeps the masks of imported labels: files that the user uploads to
// where Prefix says.
type Sink struct {
	Files  exchange.Files
	Prefix string // s3://bucket/folder/
}

// Put writes the mask of a record, named like its picture, and sets the
// record's label to it.
func (s Sink) Put(r *exchange.Record, name string, m *Mask, colors []exchange.Color) (err error) {
	if s.Files == nil || s.Prefix == "" {
		return invalid("segmentations need a folder for their PNGs and the S3 URI where these will be: say --masks and --mask-prefix")
	}
	r.Kind, r.Mask.Colors = exchange.Mask, colors
	w, named, err := exchange.CreateFor(s.Files, ".", ".png", name, r, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	r.Mask.Ref = s.Prefix + exchange.Stem(named) + ".png"
	return m.Write(w, r.Mask)
}

// WithBackground is the color map of the classes that were painted, and of
// what no class covers.
func WithBackground(painted map[int]exchange.Color) []exchange.Color {
	colors := []exchange.Color{{Choice: exchange.Choice{ID: 0, Name: "BACKGROUND"}, Hex: "#ffffff"}}
	for _, c := range painted {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(a, b exchange.Color) int { return a.ID - b.ID })
	return colors
}
