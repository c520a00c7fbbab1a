package hf

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"fiducial/internal/labeling/exchange"
)

// rowGroup is how many rows of Parquet are held in memory.
const rowGroup = 5000

// maxClasses is the longest list of classes in a dataset card.
const maxClasses = 10_000

// Format is JSON Lines or Parquet.
type Format string

// The formats.
const (
	JSONLines Format = "jsonl"
	Parquet   Format = "parquet"
)

// Options of a Writer.
type Options struct {
	Format  Format
	Names   exchange.Names
	Classes *exchange.Classes
	Notes   *exchange.Notes
}

// Writer writes a folder: the rows, and README.md.
type Writer struct {
	Options
	files  exchange.Files
	kind   exchange.Kind
	image  bool
	file   string
	out    io.WriteCloser
	rows   rows
	broken bool
}

// rows is a file of rows of one kind.
type rows interface {
	add(*exchange.Record, Object) error
	close() error
}

// NewWriter writes into an empty folder.
func NewWriter(files exchange.Files, o Options) *Writer {
	return &Writer{Options: o, files: files}
}

// HoldsMembers implements exchange.Holder.
func (w *Writer) HoldsMembers() bool { return true }

// Add implements exchange.Writer.
func (w *Writer) Add(r *exchange.Record) (err error) {
	defer func() { w.broken = w.broken || err != nil }()
	if w.rows == nil {
		if err := w.begin(r); err != nil {
			return err
		}
	}
	for _, c := range r.Choices {
		if err := w.Classes.Learn(r, c.ID, c.Name); err != nil {
			return err
		}
	}
	for _, b := range r.Boxes {
		if err := w.Classes.Learn(r, b.ID, b.Name); err != nil {
			return err
		}
	}
	if r.Kind == exchange.Boxes && r.Size.Width == 0 {
		w.Notes.Line(r, "written as 0: sizes of pictures whose label has no image_size")
	}
	o, err := object(r, w.Names)
	if err != nil {
		return exchange.Where(err, "line %d", r.Line)
	}
	return w.rows.add(r, o)
}

// begin opens the file. imagefolder wants it to be called metadata.
func (w *Writer) begin(r *exchange.Record) (err error) {
	w.kind, w.image = r.Kind, r.Ref != "" && r.Kind != exchange.Spans && !strings.Contains(r.Meta.Type, "/text-")
	w.file = "data." + string(w.Format)
	if w.image {
		w.file = "metadata." + string(w.Format)
	}
	if w.out, err = w.files.Create(w.file); err != nil {
		return err
	}
	switch r.Kind {
	case exchange.Class, exchange.Verification:
		w.rows = open(w.out, w.Format, classRow)
	case exchange.MultiLabel:
		w.rows = open(w.out, w.Format, multiLabelRow)
	case exchange.Boxes:
		w.rows = open(w.out, w.Format, boxesRow)
	case exchange.Mask:
		w.rows = open(w.out, w.Format, maskRow)
	case exchange.Spans:
		w.rows = open(w.out, w.Format, spansRow)
	default:
		w.rows = open(w.out, w.Format, customRow)
	}
	return nil
}

func open[T any](w io.Writer, f Format, row func(*exchange.Record, Object) T) rows {
	if f == Parquet {
		return &parquetRows[T]{row: row, out: parquet.NewGenericWriter[T](w, parquet.Compression(&parquet.Snappy))}
	}
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return &jsonRows[T]{row, b, e}
}

type jsonRows[T any] struct {
	row func(*exchange.Record, Object) T
	out *bufio.Writer
	enc *json.Encoder
}

func (j *jsonRows[T]) add(r *exchange.Record, o Object) error { return j.enc.Encode(j.row(r, o)) }
func (j *jsonRows[T]) close() error                           { return j.out.Flush() }

type parquetRows[T any] struct {
	row  func(*exchange.Record, Object) T
	out  *parquet.GenericWriter[T]
	held int
}

func (p *parquetRows[T]) add(r *exchange.Record, o Object) error {
	if _, err := p.out.Write([]T{p.row(r, o)}); err != nil {
		return err
	}
	if p.held++; p.held < rowGroup {
		return nil
	}
	p.held = 0
	return p.out.Flush()
}

func (p *parquetRows[T]) close() error { return p.out.Close() }

// Close implements exchange.Writer.
func (w *Writer) Close() error {
	if w.rows == nil {
		return nil
	}
	err := errors.Join(w.rows.close(), w.out.Close())
	if err != nil || w.broken {
		return err
	}
	f, err := w.files.Create("README.md")
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, w.card())
	return errors.Join(err, f.Close())
}

// card is the dataset card. Which class a number is stands in a table, not in
// the features: a ClassLabel needs all numbers from 0 on.
func (w *Writer) card() string {
	var b strings.Builder
	fmt.Fprintf(&b, "---\nconfigs:\n- config_name: default\n  data_files: %s\n---\n\n# Labels exported by Fiducial\n\n", w.file)
	fmt.Fprintf(&b, "%s, a row for each labelled data object. Load with `load_dataset(%q, data_files=%q)`.\n", w.kind, map[Format]string{JSONLines: "json", Parquet: "parquet"}[w.Format], w.file)
	if w.image {
		b.WriteString("With the pictures beside this file, under the names in the column `file_name`, `load_dataset(\"imagefolder\", data_dir=…)` loads them too.\n")
	}
	ids := w.Classes.IDs()
	if len(ids) > 0 {
		b.WriteString("\n| class | name |\n|---|---|\n")
	}
	for i, id := range ids {
		if i == maxClasses {
			fmt.Fprintf(&b, "| … | and %d more |\n", len(ids)-maxClasses)
			break
		}
		name, _ := w.Classes.Name(id)
		fmt.Fprintf(&b, "| %d | %s |\n", id, plain(name))
	}
	return b.String()
}

// plain keeps a name from being more than text in a table of Markdown.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 {
			return ' '
		}
		return r
	}, strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", "[", "\\[", "`", "\\`").Replace(s))
}
