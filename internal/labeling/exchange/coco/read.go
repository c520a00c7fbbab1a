package coco

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/mask"
	"fiducial/internal/labeling/exchange/spool"
)

// ReadOptions of Read.
type ReadOptions struct {
	Names   exchange.Names
	Classes *exchange.Classes // a label category file's: names keep their places in it
	Mapped  bool              // Classes is such a file: ids are those of the names in it
	Kind    exchange.Kind     // Boxes or Mask
	Masks   mask.Sink
	Notes   *exchange.Notes
}

type foreignAnnotation struct {
	ID           json.RawMessage `json:"id,omitempty"`
	ImageID      *int64          `json:"image_id"`
	CategoryID   *int            `json:"category_id"`
	Box          []float64       `json:"bbox"`
	Segmentation json.RawMessage `json:"segmentation,omitempty"`
	Crowd        int             `json:"iscrowd,omitempty"`
	Score        *float64        `json:"score,omitempty"`
	Keypoints    json.RawMessage `json:"keypoints,omitempty"`
	Caption      *string         `json:"caption,omitempty"`
}

type reader struct {
	ReadOptions
	sorter     *spool.Sorter
	categories map[int]string
	yield      func(*exchange.Record) error
	count      int64

	// The picture whose annotations are read now.
	id      int64
	picture *exchange.Record
	name    string
	mask    *mask.Mask
	colors  map[int]exchange.Color
}

// Read reads a document and calls yield with one record for each picture, in
// the order of their ids. Lists may come in any order; they are sorted on disk.
func Read(in io.Reader, o ReadOptions, yield func(*exchange.Record) error) error {
	r := &reader{ReadOptions: o, sorter: spool.NewSorter(), categories: map[int]string{}, yield: yield}
	defer r.sorter.Close()
	seen := map[string]bool{}
	d := exchange.NewDocument(in)
	err := d.Fields(func(name string) error {
		var element func(json.RawMessage) error
		switch name {
		case "images":
			element = r.image
		case "annotations":
			element = r.annotation
		case "categories":
			element = r.category
		default:
			return d.Skip()
		}
		if seen[name] {
			return invalid("it has %q more than once", name)
		}
		seen[name] = true
		n := -1
		return d.Elements(func(v json.RawMessage) error {
			n++
			if err := element(v); err != nil {
				return exchange.Where(err, "%s[%d]", name, n)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, name := range []string{"images", "annotations", "categories"} {
		if !seen[name] {
			return invalid("it has no %q: expected COCO's object detection format", name)
		}
	}
	if err := r.sorter.Each(r.next); err != nil {
		return err
	}
	return r.finish()
}

// Records of the sorter begin with what they are. Pictures come first, since
// a picture's key is even and the key of its annotations one more.
func (r *reader) image(v json.RawMessage) error {
	var p struct {
		ID     *int64  `json:"id"`
		Width  float64 `json:"width"`
		Height float64 `json:"height"`
		Name   string  `json:"file_name"`
	}
	if err := json.Unmarshal(v, &p); err != nil || p.ID == nil || p.Name == "" {
		return invalid("expected id, width, height and file_name")
	}
	if err := checkID(*p.ID); err != nil {
		return err
	}
	if _, err := exchange.NewSize(p.Width, p.Height); err != nil {
		return err
	}
	return r.sorter.Add(*p.ID*2, v)
}

func (r *reader) annotation(v json.RawMessage) error {
	var a foreignAnnotation
	if err := json.Unmarshal(v, &a); err != nil || a.ImageID == nil {
		return invalid("expected image_id, category_id and bbox")
	}
	if err := checkID(*a.ImageID); err != nil {
		return err
	}
	where := fmt.Sprintf("annotation %s", a.ID)
	if a.Keypoints != nil {
		r.Notes.Add(where, "not in the result: keypoints")
		a.Keypoints = nil
	}
	if a.CategoryID == nil {
		if a.Caption != nil {
			return invalid("it is a caption: expected boxes or segmentations")
		}
		return invalid("expected category_id")
	}
	if r.Kind == exchange.Boxes {
		if n := len(a.Segmentation); n > 0 && string(a.Segmentation) != "[]" && string(a.Segmentation) != "null" {
			r.Notes.Add(where, "not in the result: segmentations (--as segmentation imports them)")
		}
		a.Segmentation = nil
	}
	b, err := json.Marshal(a)
	if err != nil {
		return invalid("expected image_id, category_id and bbox")
	}
	return r.sorter.Add(*a.ImageID*2+1, b)
}

func checkID(id int64) error {
	if id < 0 || id > 1<<60 {
		return invalid("the id %d of an image: expected 0 to 2^60", id)
	}
	return nil
}

func (r *reader) category(v json.RawMessage) error {
	var c struct {
		ID   *int   `json:"id"`
		Name string `json:"name"`
	}
	if err := json.Unmarshal(v, &c); err != nil || c.ID == nil || c.Name == "" {
		return invalid("expected id and name")
	}
	if _, ok := r.categories[*c.ID]; ok || len(r.categories) >= exchange.MaxClasses {
		return invalid("the id %d is there twice, or there are more than %d categories", *c.ID, exchange.MaxClasses)
	}
	r.categories[*c.ID] = c.Name
	if r.Mapped {
		return nil
	}
	return r.Classes.Set(*c.ID, c.Name)
}

// next takes pictures and annotations in order.
func (r *reader) next(s spool.Record) error {
	if s.Key%2 == 0 {
		if r.picture != nil && r.id == s.Key/2 {
			return invalid("two images have the id %d", r.id)
		}
		if err := r.finish(); err != nil {
			return err
		}
		r.id = s.Key / 2
		if err := r.begin(s.Data); err != nil {
			return exchange.Where(err, "image %d", r.id)
		}
		return nil
	}
	var a foreignAnnotation
	if err := json.Unmarshal(s.Data, &a); err != nil {
		return invalid("an annotation cannot be read")
	}
	where := fmt.Sprintf("annotation %s", a.ID)
	if r.picture == nil || r.id != s.Key/2 {
		return invalid("%s: its image_id %d is not in images", where, s.Key/2)
	}
	choice, err := r.choice(&a)
	if err == nil && r.Kind == exchange.Mask {
		err = r.paint(&a, choice, where)
	} else if err == nil {
		err = r.box(&a, choice, where)
	}
	if err != nil {
		return exchange.Where(err, "%s", where)
	}
	return nil
}

func (r *reader) begin(data []byte) error {
	var p picture
	if err := json.Unmarshal(data, &p); err != nil {
		return invalid("expected id, width, height, file_name, and coco_url and attributes of texts if they are there")
	}
	ref, err := r.Names.Ref(p.FileName, p.URL)
	if err != nil {
		return err
	}
	r.count++
	r.picture = &exchange.Record{Line: r.count, Ref: ref, Kind: r.Kind, Size: exchange.Size{Width: p.Width, Height: p.Height}}
	r.name = p.FileName
	workers, _ := strconv.Atoi(p.Attributes["worker-count"])
	r.picture.Meta = exchange.Meta{Job: p.Attributes["job-name"], Human: p.Attributes["human-annotated"], Created: p.Attributes["creation-date"],
		Adjustment: p.Attributes["adjustment-status"], Workers: max(workers, 0)}
	r.mask, r.colors = nil, map[int]exchange.Color{}
	if r.Kind == exchange.Mask {
		r.mask, err = mask.New(p.Width, p.Height)
	}
	return err
}

func (r *reader) choice(a *foreignAnnotation) (exchange.Choice, error) {
	name, ok := r.categories[*a.CategoryID]
	if !ok {
		return exchange.Choice{}, invalid("its category_id %d is not in categories", *a.CategoryID)
	}
	c := exchange.Choice{ID: *a.CategoryID, Name: name}
	if a.Score != nil {
		if !(*a.Score >= 0 && *a.Score <= 1) {
			return c, invalid("its score %g is not from 0 to 1", *a.Score)
		}
		c.Confidence = exchange.Sure(*a.Score)
	}
	if r.Mapped {
		id, err := r.Classes.ID(name)
		c.ID = id
		return c, err
	}
	return c, nil
}

func (r *reader) box(a *foreignAnnotation, c exchange.Choice, where string) error {
	if len(a.Box) != 4 {
		return invalid("expected bbox to be [x, y, width, height]")
	}
	b := exchange.Box{Choice: c, Left: a.Box[0], Top: a.Box[1], Width: a.Box[2], Height: a.Box[3]}
	if err := b.Check(); err != nil {
		return err
	}
	if a.Crowd != 0 {
		r.Notes.Add(where, "not in the result: that a box is of a crowd (iscrowd)")
	}
	b, ok := exchange.Fit(b, r.picture.Size, where, r.Notes)
	if ok {
		r.picture.Boxes = append(r.picture.Boxes, b)
	}
	if len(r.picture.Boxes) > exchange.MaxObjects {
		return invalid("the image %d has more than %d boxes", r.id, exchange.MaxObjects)
	}
	return nil
}

func (r *reader) paint(a *foreignAnnotation, c exchange.Choice, where string) error {
	if c.ID > 255 {
		return invalid("the class id %d has no place in an indexed PNG: expected at most 255; --labels numbers classes anew", c.ID)
	}
	if c.ID == 0 {
		return invalid("the class id 0 is what a PNG has where no class is: --labels numbers classes anew, with BACKGROUND first")
	}
	if had, ok := r.colors[c.ID]; ok && had.Confidence != c.Confidence {
		r.Notes.Add(where, "not in the result: confidences of single areas (a segmentation has one for each class)")
	}
	r.colors[c.ID] = exchange.Color{Choice: c, Hex: mask.Palette(c.ID)}
	return paint(r.mask, a.Segmentation, uint8(c.ID))
}

// paint reads any of the three ways in which COCO has areas.
func paint(m *mask.Mask, v json.RawMessage, index uint8) error {
	var rings [][]float64
	if json.Unmarshal(v, &rings) == nil && len(rings) > 0 {
		for _, flat := range rings {
			if len(flat)%2 != 0 {
				return invalid("a polygon of %d numbers: expected x, y, x, y, …", len(flat))
			}
			ring := make([]mask.Point, len(flat)/2)
			for i := range ring {
				ring[i] = mask.Point{X: flat[2*i], Y: flat[2*i+1]}
			}
			if err := m.PaintPolygon(ring, index); err != nil {
				return err
			}
		}
		return nil
	}
	var rle struct {
		Size   []int           `json:"size"`
		Counts json.RawMessage `json:"counts"`
	}
	if err := json.Unmarshal(v, &rle); err != nil || len(rle.Counts) == 0 {
		return invalid("expected segmentation to be polygons, or size and counts")
	}
	if len(rle.Size) != 2 || rle.Size[0] != m.Height || rle.Size[1] != m.Width {
		return invalid("the segmentation's size is not the picture's, [%d, %d]", m.Height, m.Width)
	}
	var counts []int
	if rle.Counts[0] == '"' {
		var text string
		if err := json.Unmarshal(rle.Counts, &text); err != nil {
			return invalid("expected counts to be a text or numbers")
		}
		var err error
		if counts, err = mask.Unpack(text); err != nil {
			return err
		}
	} else if err := json.Unmarshal(rle.Counts, &counts); err != nil {
		return invalid("expected counts to be a text or numbers")
	}
	return m.PaintRLE(counts, index)
}

// finish gives the picture away.
func (r *reader) finish() error {
	if r.picture == nil {
		return nil
	}
	p := r.picture
	r.picture = nil
	if r.Kind == exchange.Mask {
		if err := r.Masks.Put(p, maskName(p, r.name), r.mask, mask.WithBackground(r.colors)); err != nil {
			return err
		}
	}
	return r.yield(p)
}

// maskName is where the PNG goes: named like the picture if that is a name.
func maskName(r *exchange.Record, name string) string {
	if exchange.CheckPath(name) == nil {
		return name
	}
	n, _ := exchange.Names{}.File(r.Ref) // a Ref that was checked
	return n
}

func invalid(format string, args ...any) error {
	return fault.Newf("coco", fault.Invalid, format, args...)
}
