package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/coco"
	"fiducial/internal/labeling/exchange/conll"
	"fiducial/internal/labeling/exchange/cvat"
	"fiducial/internal/labeling/exchange/hf"
	"fiducial/internal/labeling/exchange/labelstudio"
	"fiducial/internal/labeling/exchange/mask"
	"fiducial/internal/labeling/exchange/table"
	"fiducial/internal/labeling/exchange/voc"
	"fiducial/internal/labeling/exchange/yolo"
)

// importFormats are the formats that are read, and the kinds of labels that
// can be taken from each, its default first. nil: the file says itself.
var (
	importFormats = []string{"coco", "yolo", "voc", "label-studio", "cvat", "conll", "csv", "jsonl"}
	importKinds   = map[string][]string{
		"coco":         {"boxes", "segmentation"},
		"yolo":         {"boxes", "segmentation"},
		"voc":          {"boxes", "segmentation"},
		"cvat":         {"boxes", "segmentation", "classification", "multi-label"},
		"label-studio": {"", "boxes", "segmentation", "classification", "multi-label", "spans"},
	}
	kindNames = map[string]exchange.Kind{"": "", "boxes": exchange.Boxes, "segmentation": exchange.Mask,
		"classification": exchange.Class, "multi-label": exchange.MultiLabel, "spans": exchange.Spans}
	kindWords = []string{"boxes", "segmentation", "classification", "multi-label", "spans"}
)

func newImport() *cobra.Command {
	c := &cobra.Command{
		Use:   "import --from FORMAT --in PATH --attribute NAME --out FILE",
		Short: "Make a manifest of labels in COCO, YOLO, Pascal VOC, Label Studio, CVAT and other formats",
		Long: "Reads labels and writes an augmented manifest, from which an adjustment or verification job, or a job that is chained, can start:\n\n" +
			"  coco          a JSON file                       boxes, segmentation\n" +
			"  yolo          a folder with data.yaml, labels/  boxes, segmentation\n" +
			"  voc           a folder with Annotations/        boxes, segmentation\n" +
			"  label-studio  its JSON export                   boxes, segmentation, classification, multi-label, spans\n" +
			"  cvat          CVAT for images 1.1, its XML      boxes, segmentation, classification, multi-label\n" +
			"  conll         CoNLL-2003                        spans\n" +
			"  csv, jsonl    as fiducial export writes them    every label\n\n" +
			"Pictures are where --prefix and their file name say; files that fiducial export wrote know their pictures themselves.\n" +
			"Boxes become whole pixels inside the picture. What is not in the manifest is told on standard error, and refused with --strict.\n" +
			"Segmentations are written as PNGs into --masks, which belong below --mask-prefix.",
		Example: "  fiducial import --from coco --in instances.json --prefix s3://photos/ --attribute boxes --out boxes.manifest\n" +
			"  fiducial import --from cvat --in annotations.xml --as segmentation --prefix s3://photos/ \\\n" +
			"      --masks masks --mask-prefix s3://labels/masks/ --attribute streets-ref --out streets.manifest\n" +
			"  fiducial import --from conll --in train.txt --attribute entities --out entities.manifest",
		Args: cobra.NoArgs,
	}
	var o importOptions
	f := c.Flags()
	f.StringVar(&o.format, "from", "", listOf(importFormats))
	f.StringVar(&o.in, "in", "", "file, s3://bucket/key or - for standard input; for yolo and voc a folder; for jsonl the file in the folder")
	f.StringVar(&o.out, "out", "-", "manifest to write; - is standard output")
	f.StringVar(&o.attribute, "attribute", "", "label attribute name of the imported labels; for segmentation it must end in -ref")
	f.StringVar(&o.as, "as", "", "kind of labels to take: "+listOf(kindWords)+" (default: boxes; of label-studio what its first label is)")
	f.StringVar(&o.prefix, "prefix", "", "s3://bucket/folder/ that comes before file names")
	f.StringVar(&o.labels, "labels", "", "label category file (JSON): classes get the ids of their names in it")
	f.StringVar(&o.masks, "masks", "", "segmentation: folder for the PNGs, empty or not there")
	f.StringVar(&o.maskPrefix, "mask-prefix", "", "segmentation: s3://bucket/folder/ where the PNGs will be")
	f.StringVar(&o.stamp.Job, "job-name", "import", "job-name in the metadata of labels that have none")
	f.StringVar(&o.stamp.Human, "human-annotated", "yes", "human-annotated in the metadata of labels that do not say: yes or no")
	f.IntVar(&o.base, "voc-base", 1, "voc: 1 counts pixels from 1, both corners inside; 0 counts from 0, the second corner outside")
	f.BoolVar(&o.strict, "strict", false, "write nothing if anything could not be written as it is")
	o.remote = addRemote(f)
	_ = c.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(importFormats, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("as", cobra.FixedCompletions(kindWords, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("human-annotated", cobra.FixedCompletions([]string{"yes", "no"}, cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c) }
	return c
}

type importOptions struct {
	format, in, out, attribute, as, prefix, labels, masks, maskPrefix string
	base                                                              int
	strict                                                            bool
	stamp                                                             exchange.Stamp
	remote                                                            *remote

	names   exchange.Names
	classes *exchange.Classes
	sink    mask.Sink
	notes   exchange.Notes
}

func (o *importOptions) check() (err error) {
	if err := oneOf("from", o.format, importFormats); err != nil {
		return err
	}
	if o.in == "" {
		return errors.New("--in is missing: expected a file, s3://bucket/key or -; for yolo and voc a folder")
	}
	if err := attributeName(o.attribute); err != nil {
		return err
	}
	kinds := importKinds[o.format]
	if o.as != "" && !slices.Contains(kinds, o.as) {
		if kinds == nil {
			return fmt.Errorf("--as: %s says itself what its labels are", o.format)
		}
		return oneOf("as", o.as, slices.DeleteFunc(slices.Clone(kinds), func(s string) bool { return s == "" }))
	}
	if o.as == "" && kinds != nil {
		o.as = kinds[0]
	}
	if o.as == "segmentation" && (o.masks == "" || o.maskPrefix == "") {
		return errors.New("--as segmentation needs --masks, a folder for the PNGs, and --mask-prefix, the s3://bucket/folder/ where they will be")
	}
	if o.stamp.Human != "yes" && o.stamp.Human != "no" {
		return fmt.Errorf("--human-annotated %q: expected yes or no", o.stamp.Human)
	}
	if o.base != 0 && o.base != 1 {
		return fmt.Errorf("--voc-base %d: expected 1 or 0", o.base)
	}
	if o.names, err = prefixOf("prefix", o.prefix); err != nil {
		return err
	}
	m, err := prefixOf("mask-prefix", o.maskPrefix)
	o.sink.Prefix = m.Prefix
	return err
}

func (o *importOptions) run(c *cobra.Command) error {
	if err := o.check(); err != nil {
		return &usageError{err}
	}
	files := &opener{ctx: c.Context(), remote: o.remote, stdin: c.InOrStdin()}
	o.stamp.Now = time.Now()
	var labels []string
	if o.labels != "" {
		var err error
		if labels, err = files.labelNames(o.labels); err != nil {
			return err
		}
	}
	o.classes = exchange.NewClasses(labels)
	written := int64(0)
	manifest := func() error {
		return writeTo(o.out, c.OutOrStdout(), func(w io.Writer) error {
			err := o.read(files, func(r *exchange.Record) error {
				line, err := o.line(r, labels)
				if err != nil {
					return err
				}
				written++
				_, err = w.Write(append(line, '\n'))
				return errors.Join(err, c.Context().Err())
			})
			if err != nil {
				return err
			}
			return tell(c.ErrOrStderr(), &o.notes, o.strict)
		})
	}
	var err error
	if o.as == "segmentation" {
		err = writeFolder(o.masks, func(f exchange.Files) error {
			o.sink.Files = f
			return manifest()
		})
	} else {
		err = manifest()
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "%d lines imported\n", written)
	return nil
}

// line is the manifest's line for a record. Names are checked against
// label-attribute rules here, where it is known what kind of label it is.
func (o *importOptions) line(r *exchange.Record, labels []string) ([]byte, error) {
	if r.Kind != "" {
		if isRef := len(o.attribute) > 4 && o.attribute[len(o.attribute)-4:] == "-ref"; isRef != (r.Kind == exchange.Mask) && r.Kind != exchange.Custom {
			return nil, &usageError{fmt.Errorf("--attribute %q: it must end in -ref for segmentations, and for those only", o.attribute)}
		}
		o.stamp.On(r)
	}
	if labels != nil {
		for _, ch := range choices(r) {
			if ch.ID >= len(labels) {
				return nil, fmt.Errorf("the label %q is not in %s", ch.Name, o.labels)
			}
		}
	}
	line, err := exchange.Line(r, o.attribute, &o.notes)
	if err != nil {
		return nil, err
	}
	return bytes.TrimSpace(line), nil
}

func choices(r *exchange.Record) []exchange.Choice {
	all := slices.Clone(r.Choices)
	for _, b := range r.Boxes {
		all = append(all, b.Choice)
	}
	return all
}

// read reads the input in its format.
func (o *importOptions) read(files *opener, yield func(*exchange.Record) error) error {
	kind, mapped := kindNames[o.as], o.labels != ""
	switch o.format {
	case "yolo", "voc":
		root, err := os.OpenRoot(o.in)
		if err != nil {
			return err
		}
		defer root.Close()
		return o.readFolder(root.FS(), kind, mapped, yield)
	}
	in, err := files.open(o.in)
	if err != nil {
		return err
	}
	defer in.Close()
	switch o.format {
	case "coco":
		return coco.Read(in, coco.ReadOptions{Names: o.names, Classes: o.classes, Mapped: mapped, Kind: kind, Masks: o.sink, Notes: &o.notes}, yield)
	case "label-studio":
		return labelstudio.Read(in, labelstudio.Options{Names: o.names, Classes: o.classes, Kind: kind, Masks: o.sink, Notes: &o.notes}, yield)
	case "cvat":
		return cvat.Read(in, cvat.Options{Names: o.names, Classes: o.classes, Kind: kind, Masks: o.sink, Notes: &o.notes}, yield)
	case "conll":
		return conll.Read(in, &o.notes, yield)
	case "jsonl":
		return hf.Read(in, o.names, yield)
	}
	return table.Read(in, o.classes, mapped, &o.notes, yield)
}

func (o *importOptions) readFolder(files fs.FS, kind exchange.Kind, mapped bool, yield func(*exchange.Record) error) error {
	if o.format == "yolo" {
		return yolo.Read(files, yolo.ReadOptions{Names: o.names, Classes: o.classes, Mapped: mapped, Kind: kind, Masks: o.sink, Notes: &o.notes}, yield)
	}
	return voc.Read(files, voc.ReadOptions{Names: o.names, Classes: o.classes, Mapped: mapped, Base: o.base, Kind: kind, Masks: o.sink, Notes: &o.notes}, yield)
}
