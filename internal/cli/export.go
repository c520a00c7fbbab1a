package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/coco"
	"fiducial/internal/labeling/exchange/conll"
	"fiducial/internal/labeling/exchange/hf"
	"fiducial/internal/labeling/exchange/mask"
	"fiducial/internal/labeling/exchange/table"
	"fiducial/internal/labeling/exchange/voc"
	"fiducial/internal/labeling/exchange/yolo"
)

// exportFormats are the formats that are written; those of many files want a
// folder.
var (
	exportFormats  = []string{"coco", "yolo", "voc", "conll", "csv", "jsonl", "parquet"}
	folderFormats  = map[string]bool{"yolo": true, "voc": true, "jsonl": true, "parquet": true}
	exportSegments = []string{"rle", "polygons"}
)

func newExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export (--manifest FILE | --job NAME) --to FORMAT --out PATH",
		Short: "Write the labels of an augmented manifest as COCO, YOLO, Pascal VOC, CoNLL-2003, CSV or Hugging Face rows",
		Long: "Reads a manifest line by line, a file or an object in a bucket, and writes the labels in another format:\n\n" +
			"  coco     one JSON file                    boxes, segmentations\n" +
			"  yolo     a folder of text files           boxes, outlines of segmentations\n" +
			"  voc      a folder of XML files            boxes, segmentations\n" +
			"  conll    one text file, CoNLL-2003        text spans\n" +
			"  csv      one file                         every label\n" +
			"  jsonl    a folder, Hugging Face datasets  every label\n" +
			"  parquet  the same as Parquet              every label\n\n" +
			"A kind of label that a format cannot hold is refused. What it holds only in part is told on standard error, and refused with --strict.\n" +
			"Pictures are not copied: their file names are bucket/key or, with --prefix, what follows the prefix, so that aws s3 sync puts\n" +
			"them where the labels expect them. docs/exchange.md has the conventions of each format.\n\n" +
			"Buckets are read through the S3 API, signed with the AWS credentials of the environment, or else with the root credentials in the data folder.",
		Example: "  fiducial export --job birds --to coco --out birds.json\n" +
			"  fiducial export --manifest s3://labels/birds/manifests/output/output.manifest --to yolo --prefix s3://photos/ --out birds\n" +
			"  fiducial export --manifest output.manifest --attribute mood --to csv --out -",
		Args: cobra.NoArgs,
	}
	var o exportOptions
	f := c.Flags()
	f.StringVar(&o.manifest, "manifest", "", "augmented manifest: a file, s3://bucket/key, or - for standard input")
	f.StringVar(&o.job, "job", "", "name of a labeling job that has ended, instead of --manifest and --attribute")
	f.StringVar(&o.format, "to", "", listOf(exportFormats))
	f.StringVar(&o.out, "out", "", "file to write, - for standard output, or for yolo, voc, jsonl and parquet a folder that is empty or not there")
	f.StringVar(&o.attribute, "attribute", "", "label attribute to export (default: the only one that there is)")
	f.StringVar(&o.prefix, "prefix", "", "s3://bucket/folder/ that is left out of file names; every picture must be below it")
	f.StringVar(&o.labels, "labels", "", "label category file (JSON), for the names of classes that no label has (default: the job's)")
	f.StringVar(&o.segments, "segments", "rle", "coco: how segmentations are written, rle or polygons")
	f.StringVar(&o.overlaps, "overlaps", "refuse", "conll: what to do with spans that overlap, refuse or longest")
	f.IntVar(&o.base, "voc-base", 1, "voc: 1 counts pixels from 1, both corners inside; 0 counts from 0, the second corner outside")
	f.BoolVar(&o.strict, "strict", false, "write nothing if anything could not be written as it is")
	o.remote = addRemote(f)
	_ = c.RegisterFlagCompletionFunc("to", cobra.FixedCompletions(exportFormats, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("segments", cobra.FixedCompletions(exportSegments, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("overlaps", cobra.FixedCompletions([]string{"refuse", "longest"}, cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c) }
	return c
}

type exportOptions struct {
	manifest, job, format, out, attribute, prefix, labels, segments, overlaps string
	base                                                                      int
	strict                                                                    bool
	remote                                                                    *remote

	names   exchange.Names
	classes *exchange.Classes
	masks   mask.Open
	notes   exchange.Notes
}

func (o *exportOptions) check() (err error) {
	if (o.manifest == "") == (o.job == "") {
		return errors.New("expected one of --manifest (a file, s3://bucket/key or -) and --job (a labeling job that has ended)")
	}
	if err := oneOf("to", o.format, exportFormats); err != nil {
		return err
	}
	if o.out == "" || o.out == "-" && folderFormats[o.format] {
		return fmt.Errorf("--out %q: expected a file or -, for yolo, voc, jsonl and parquet a folder", o.out)
	}
	if err := oneOf("segments", o.segments, exportSegments); err != nil {
		return err
	}
	if _, err := conll.ParseOverlaps(o.overlaps); err != nil {
		return flag("overlaps", err)
	}
	if o.base != 0 && o.base != 1 {
		return fmt.Errorf("--voc-base %d: expected 1 or 0", o.base)
	}
	o.names, err = prefixOf("prefix", o.prefix)
	return err
}

func (o *exportOptions) run(c *cobra.Command) error {
	if err := o.check(); err != nil {
		return &usageError{err}
	}
	files := &opener{ctx: c.Context(), remote: o.remote, stdin: c.InOrStdin()}
	o.masks = files.object
	var labels []string
	var err error
	if o.job != "" {
		var attribute string
		if o.manifest, attribute, labels, err = files.finished(o.job); err != nil {
			return err
		}
		if o.attribute == "" {
			o.attribute = attribute
		} else if o.attribute != attribute {
			labels = nil // another job's label that came along
		}
	}
	if o.labels != "" {
		if labels, err = files.labelNames(o.labels); err != nil {
			return err
		}
	}
	o.classes = exchange.NewClasses(labels)
	in, err := files.open(o.manifest)
	if err != nil {
		return err
	}
	defer in.Close()
	written := int64(0)
	copyTo := func(w exchange.Writer, err error) error {
		if err != nil {
			return err
		}
		r := exchange.NewReader(in, o.attribute)
		if written, err = exchange.Copy(w, r, &o.notes); err != nil {
			return err
		}
		told := tell(c.ErrOrStderr(), &o.notes, o.strict)
		if written == 0 {
			return fmt.Errorf("no line of the manifest has a label%s", of(r.Attribute()))
		}
		return told
	}
	if folderFormats[o.format] {
		err = writeFolder(o.out, func(f exchange.Files) error { return copyTo(o.folderWriter(f)) })
	} else {
		err = writeTo(o.out, c.OutOrStdout(), func(w io.Writer) error { return copyTo(o.writer(w)) })
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "%d labels exported\n", written)
	return nil
}

func of(attribute string) string {
	if attribute == "" {
		return ""
	}
	return " " + attribute
}

func (o *exportOptions) writer(w io.Writer) (exchange.Writer, error) {
	switch o.format {
	case "coco":
		return coco.NewWriter(w, coco.Options{Names: o.names, Classes: o.classes, Masks: o.masks, Polygons: o.segments == "polygons",
			Notes: &o.notes, Created: time.Now().UTC().Format(time.RFC3339)})
	case "conll":
		return conll.NewWriter(w, conll.Overlaps(o.overlaps), &o.notes), nil
	}
	return table.NewWriter(w), nil
}

func (o *exportOptions) folderWriter(f exchange.Files) (exchange.Writer, error) {
	switch o.format {
	case "yolo":
		return yolo.NewWriter(f, yolo.Options{Names: o.names, Classes: o.classes, Masks: o.masks, Notes: &o.notes})
	case "voc":
		return voc.NewWriter(f, voc.Options{Names: o.names, Classes: o.classes, Masks: o.masks, Base: o.base, Notes: &o.notes})
	}
	return hf.NewWriter(f, hf.Options{Format: hf.Format(o.format), Names: o.names, Classes: o.classes, Notes: &o.notes}), nil
}
