package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"fiducial/internal/labeling/consolidate/boxes"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/consolidate/spans"
	"fiducial/internal/labeling/consolidate/table"
)

func newConsolidate() *cobra.Command {
	c := &cobra.Command{
		Use:   "consolidate --task TASK --answers FILE.csv",
		Short: "Make one label of several workers' answers in a CSV file",
		Long: "Reads answers from anywhere and writes one label for each item, with a confidence, as CSV to standard output. No server is needed.\n\n" +
			"  task        columns of the answers                       columns of the result\n" +
			"  classes     item,worker,label                            item,label,confidence\n" +
			"  multilabel  item,worker,label (a row for each pick)      item,label,confidence\n" +
			"  boxes       item,worker,label,left,top,width,height      item,label,confidence,left,top,width,height\n" +
			"  spans       item,worker,start,end,label (end exclusive)  item,label,confidence,start,end\n" +
			"  text        item,worker,text                             item,text,confidence\n\n" +
			"The first line names the columns, in any order; others are ignored. For boxes, spans and multilabel, a row with item and worker\n" +
			"alone says that the worker found nothing there. Rows that cannot be used are left out, and standard error says how many.\n" +
			"What the methods do and what a confidence means is in docs/consolidation.md.",
		Example: "  fiducial consolidate --task classes --answers answers.csv > labels.csv\n" +
			"  fiducial consolidate --task classes --answers answers.csv --method majority --agreement --workers workers.csv\n" +
			"  zcat boxes.csv.gz | fiducial consolidate --task boxes --answers -",
		Args: cobra.NoArgs,
	}
	var o consolidateOptions
	f := c.Flags()
	f.StringVar(&o.task, "task", "", "classes, multilabel, boxes, spans or text")
	f.StringVar(&o.answers, "answers", "", "CSV file of answers; - is standard input")
	f.StringVar(&o.method, "method", "", "classes, multilabel and spans: dawid-skene (default), majority or ground-truth; boxes: median (default) or weighted")
	f.BoolVar(&o.overlapping, "overlapping", false, "spans: keep spans of different labels that overlap")
	f.BoolVar(&o.agreement, "agreement", false, "print how far workers agree, on standard error")
	f.StringVar(&o.workers, "workers", "", "classes: also write worker,answers,accuracy,low,high to this CSV `file`")
	f.StringVar(&o.confusion, "confusion", "", "classes: also write worker,true,label,count to this CSV `file`")
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c) }
	return c
}

type consolidateOptions struct {
	task, answers, method string
	overlapping           bool
	agreement             bool
	workers, confusion    string
}

func (o *consolidateOptions) run(c *cobra.Command) error {
	consolidate, err := o.parse()
	if err != nil {
		return &usageError{err}
	}
	in := c.InOrStdin()
	if o.answers != "-" {
		f, err := os.Open(o.answers)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	out := bufio.NewWriterSize(c.OutOrStdout(), 1<<16)
	report, err := consolidate(in, out)
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if d := report.Dropped; d.Rows > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "%d rows were left out, the first: %s\n", d.Rows, plain(d.First))
	}
	if o.agreement {
		fmt.Fprintf(c.ErrOrStderr(), "%d items, %d workers, %d answers\n", report.Items, report.Workers, report.Answers)
		for _, m := range report.Agreement {
			fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", m.Name, figure(m.Value))
		}
	}
	if err := writeFile(o.workers, func(w *csv.Writer) { writeWorkers(w, report) }); err != nil {
		return err
	}
	return writeFile(o.confusion, func(w *csv.Writer) { writeConfusion(w, report) })
}

// parse turns the flags into the function that does what they say.
func (o *consolidateOptions) parse() (func(io.Reader, io.Writer) (*table.Report, error), error) {
	if o.answers == "" {
		return nil, errors.New("--answers is missing: expected a CSV file, or - for standard input")
	}
	if (o.workers != "" || o.confusion != "") && o.task != "classes" {
		return nil, errors.New("--workers and --confusion need --task classes")
	}
	if o.overlapping && o.task != "spans" {
		return nil, errors.New("--overlapping needs --task spans")
	}
	switch o.task {
	case "boxes":
		f, err := boxes.ParseFusion(o.method)
		return func(in io.Reader, out io.Writer) (*table.Report, error) { return table.Boxes(in, out, f) }, flag("method", err)
	case "text":
		if o.method != "" {
			return nil, errors.New("--method: text has one method only")
		}
		return table.Texts, nil
	case "classes", "multilabel", "spans":
	case "":
		return nil, errors.New("--task is missing: expected classes, multilabel, boxes, spans or text")
	default:
		return nil, fmt.Errorf("--task %q: expected classes, multilabel, boxes, spans or text", o.task)
	}
	m, err := classes.ParseMethod(o.method)
	if err != nil {
		return nil, flag("method", err)
	}
	return func(in io.Reader, out io.Writer) (*table.Report, error) {
		switch o.task {
		case "classes":
			return table.Classes(in, out, m)
		case "multilabel":
			return table.MultiLabel(in, out, m)
		}
		return table.Spans(in, out, spans.Options{Method: m, Overlapping: o.overlapping})
	}, nil
}

// flag says which flag an error is about.
func flag(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("--%s: %s", name, describe(err))
}

// figure writes a number with three decimals; without a value, that.
func figure(x float64) string {
	if math.IsNaN(x) {
		return "not defined: no two answers to compare, or all alike"
	}
	return strconv.FormatFloat(x, 'f', 3, 64)
}

func writeFile(name string, write func(*csv.Writer)) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	write(w)
	w.Flush()
	return errors.Join(w.Error(), f.Close())
}

func writeWorkers(w *csv.Writer, r *table.Report) {
	_ = w.Write([]string{"worker", "answers", "accuracy", "low", "high"}) // Flush tells
	for _, q := range r.Quality {
		_ = w.Write([]string{q.ID, strconv.Itoa(q.Answers), figure(q.Accuracy), figure(q.Low), figure(q.High)})
	}
}

func writeConfusion(w *csv.Writer, r *table.Report) {
	_ = w.Write([]string{"worker", "true", "label", "count"}) // Flush tells
	for _, q := range r.Quality {
		for _, x := range q.Confusion {
			_ = w.Write([]string{q.ID, r.Labels[x.True], r.Labels[x.Label], figure(x.Count)})
		}
	}
}
