// Package hf writes and reads the rows that Hugging Face's datasets library
// loads, as JSON Lines or Parquet, with a dataset card (README.md) that says
// what the columns are.
//
// Both files have the same columns, every row all of them. file_name is where
// load_dataset("imagefolder") looks for the picture, below the folder of the
// file. The columns of a label depend on its kind; info has what the metadata
// says of its making, and the manifest line's other members as JSON text.
package hf

import (
	"encoding/json"

	"fiducial/internal/labeling/exchange"
)

// Object are the columns that say what the data object is. Every row has them:
// parquet-go does not flatten embedded structs.
type Object struct {
	FileName  *string `json:"file_name" parquet:"file_name,optional"`
	SourceRef *string `json:"source_ref" parquet:"source_ref,optional"`
	Text      *string `json:"text" parquet:"text,optional"`
}

// Info is the column of what metadata says of any label.
type Info struct {
	Type       string   `json:"type" parquet:"type"`
	Job        string   `json:"job_name" parquet:"job_name"`
	Human      string   `json:"human_annotated" parquet:"human_annotated"`
	Created    string   `json:"creation_date" parquet:"creation_date"`
	Adjustment *string  `json:"adjustment_status" parquet:"adjustment_status,optional"`
	Workers    *int64   `json:"worker_count" parquet:"worker_count,optional"`
	Feedback   []string `json:"worker_feedback" parquet:"worker_feedback,list"`
	Metadata   *string  `json:"metadata" parquet:"metadata,optional"` // a JSON object
	Members    *string  `json:"members" parquet:"members,optional"`   // a JSON object
}

// ClassRow is a classification or verification.
type ClassRow struct {
	FileName   *string  `json:"file_name" parquet:"file_name,optional"`
	SourceRef  *string  `json:"source_ref" parquet:"source_ref,optional"`
	Text       *string  `json:"text" parquet:"text,optional"`
	Label      int64    `json:"label" parquet:"label"`
	LabelName  string   `json:"label_name" parquet:"label_name"`
	Confidence *float64 `json:"confidence" parquet:"confidence,optional"`
	Info       Info     `json:"info" parquet:"info"`
}

// MultiLabelRow is a multi-label classification.
type MultiLabelRow struct {
	FileName    *string    `json:"file_name" parquet:"file_name,optional"`
	SourceRef   *string    `json:"source_ref" parquet:"source_ref,optional"`
	Text        *string    `json:"text" parquet:"text,optional"`
	Labels      []int64    `json:"labels" parquet:"labels,list"`
	LabelNames  []string   `json:"label_names" parquet:"label_names,list"`
	Confidences []*float64 `json:"confidences" parquet:"confidences,list"`
	Info        Info       `json:"info" parquet:"info"`
}

// BoxesRow is a picture with boxes.
type BoxesRow struct {
	FileName  *string `json:"file_name" parquet:"file_name,optional"`
	SourceRef *string `json:"source_ref" parquet:"source_ref,optional"`
	Text      *string `json:"text" parquet:"text,optional"`
	Width     int64   `json:"width" parquet:"width"`
	Height    int64   `json:"height" parquet:"height"`
	Depth     int64   `json:"depth" parquet:"depth"`
	Objects   Objects `json:"objects" parquet:"objects"`
	Info      Info    `json:"info" parquet:"info"`
}

// Objects has a list for each property, as datasets' object detection has.
type Objects struct {
	Box          [][]float64 `json:"bbox" parquet:"bbox,list"` // x, y, width, height in pixels
	Category     []int64     `json:"category" parquet:"category,list"`
	CategoryName []string    `json:"category_name" parquet:"category_name,list"`
	Score        []*float64  `json:"score" parquet:"score,list"`
}

// MaskRow is a segmentation.
type MaskRow struct {
	FileName  *string `json:"file_name" parquet:"file_name,optional"`
	SourceRef *string `json:"source_ref" parquet:"source_ref,optional"`
	Text      *string `json:"text" parquet:"text,optional"`
	MaskRef   string  `json:"mask_ref" parquet:"mask_ref"`
	ColorMap  string  `json:"internal_color_map" parquet:"internal_color_map"` // a JSON object
	Info      Info    `json:"info" parquet:"info"`
}

// SpansRow is a text with spans.
type SpansRow struct {
	FileName   *string  `json:"file_name" parquet:"file_name,optional"`
	SourceRef  *string  `json:"source_ref" parquet:"source_ref,optional"`
	Text       *string  `json:"text" parquet:"text,optional"`
	Entities   []Entity `json:"entities" parquet:"entities,list"`
	SpanLabels string   `json:"span_labels" parquet:"span_labels"` // a JSON list
	Info       Info     `json:"info" parquet:"info"`
}

// Entity is a span: code points from start to before end.
type Entity struct {
	Label string   `json:"label" parquet:"label"`
	Start int64    `json:"start" parquet:"start"`
	End   int64    `json:"end" parquet:"end"`
	Score *float64 `json:"score" parquet:"score,optional"`
}

// CustomRow is any other label, as JSON text.
type CustomRow struct {
	FileName  *string `json:"file_name" parquet:"file_name,optional"`
	SourceRef *string `json:"source_ref" parquet:"source_ref,optional"`
	Text      *string `json:"text" parquet:"text,optional"`
	Value     string  `json:"value" parquet:"value"`
	Info      Info    `json:"info" parquet:"info"`
}

// object says what the record is of.
func object(r *exchange.Record, names exchange.Names) (o Object, err error) {
	if r.Ref == "" {
		o.Text = &r.Text
		return o, nil
	}
	o.SourceRef = &r.Ref
	name, err := names.File(r.Ref)
	o.FileName = &name
	return o, err
}

func info(r *exchange.Record) Info {
	i := Info{Type: r.Meta.Type, Job: r.Meta.Job, Human: r.Meta.Human, Created: r.Meta.Created, Feedback: r.Meta.Feedback}
	if i.Feedback == nil {
		i.Feedback = []string{}
	}
	if r.Meta.Adjustment != "" {
		i.Adjustment = &r.Meta.Adjustment
	}
	if r.Meta.Workers > 0 {
		n := int64(r.Meta.Workers)
		i.Workers = &n
	}
	i.Metadata, i.Members = members(r.Meta.Others), members(r.Members)
	return i
}

func members(m []exchange.Member) *string {
	if len(m) == 0 {
		return nil
	}
	s := string(exchange.Object(m))
	return &s
}

func score(c exchange.Confidence) *float64 {
	if !c.Known {
		return nil
	}
	return &c.Value
}

func classRow(r *exchange.Record, o Object) ClassRow {
	c := r.Choices[0]
	return ClassRow{o.FileName, o.SourceRef, o.Text, int64(c.ID), c.Name, score(c.Confidence), info(r)}
}

func multiLabelRow(r *exchange.Record, o Object) MultiLabelRow {
	row := MultiLabelRow{o.FileName, o.SourceRef, o.Text, []int64{}, []string{}, []*float64{}, info(r)}
	for _, c := range r.Choices {
		row.Labels, row.LabelNames, row.Confidences = append(row.Labels, int64(c.ID)), append(row.LabelNames, c.Name), append(row.Confidences, score(c.Confidence))
	}
	return row
}

func boxesRow(r *exchange.Record, o Object) BoxesRow {
	row := BoxesRow{o.FileName, o.SourceRef, o.Text, int64(r.Size.Width), int64(r.Size.Height), int64(r.Size.Depth), Objects{[][]float64{}, []int64{}, []string{}, []*float64{}}, info(r)}
	for _, b := range r.Boxes {
		row.Objects.Box = append(row.Objects.Box, []float64{b.Left, b.Top, b.Width, b.Height})
		row.Objects.Category = append(row.Objects.Category, int64(b.ID))
		row.Objects.CategoryName = append(row.Objects.CategoryName, b.Name)
		row.Objects.Score = append(row.Objects.Score, score(b.Confidence))
	}
	return row
}

func maskRow(r *exchange.Record, o Object) MaskRow {
	colors, _ := exchange.ColorMap(r.Mask) // numbers and texts
	return MaskRow{o.FileName, o.SourceRef, o.Text, r.Mask.Ref, string(colors), info(r)}
}

func spansRow(r *exchange.Record, o Object) SpansRow {
	labels := r.SpanLabels
	if labels == nil {
		labels = []exchange.SpanLabel{}
	}
	b, _ := json.Marshal(labels) // texts
	row := SpansRow{o.FileName, o.SourceRef, o.Text, []Entity{}, string(b), info(r)}
	for _, s := range r.Spans {
		row.Entities = append(row.Entities, Entity{s.Label, int64(s.Start), int64(s.End), score(s.Confidence)})
	}
	return row
}

func customRow(r *exchange.Record, o Object) CustomRow {
	return CustomRow{o.FileName, o.SourceRef, o.Text, string(r.Value), info(r)}
}
