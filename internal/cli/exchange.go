package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/folder"
	"fiducial/internal/labeling/output"
)

// opener opens what export and import read: files, and objects in buckets.
type opener struct {
	ctx    context.Context
	remote *remote
	stdin  io.Reader
	api    *client
}

// client is made when it is first needed: files need no server.
func (o *opener) client() (*client, error) {
	if o.api == nil {
		var err error
		if o.api, err = o.remote.client(); err != nil {
			return nil, err
		}
	}
	return o.api, nil
}

// open opens a file, - for standard input, or s3://bucket/key.
func (o *opener) open(name string) (io.ReadCloser, error) {
	switch {
	case name == "-":
		return io.NopCloser(o.reader(o.stdin)), nil
	case strings.HasPrefix(name, "s3://"):
		return o.object(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{o.reader(f), f}, nil
}

func (o *opener) object(uri string) (io.ReadCloser, error) {
	u, err := labeling.ParseS3Object(uri)
	if err != nil {
		return nil, err
	}
	c, err := o.client()
	if err != nil {
		return nil, err
	}
	return c.open(o.ctx, u.Bucket, u.Key)
}

// reader ends with the command.
func (o *opener) reader(r io.Reader) io.Reader { return &untilDone{o.ctx, r} }

type untilDone struct {
	ctx context.Context
	in  io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.in.Read(p)
}

// labelNames reads a label category file, for the ids that its names have.
func (o *opener) labelNames(name string) ([]string, error) {
	f, err := o.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doc, err := io.ReadAll(io.LimitReader(f, labeling.MaxLabelConfig+1))
	if err != nil {
		return nil, err
	}
	config, err := labeling.ParseLabelConfig(doc, labeling.Custom)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return (&labeling.Job{Labels: config.Labels}).LabelNames(), nil
}

// finished is what a job that has ended has left.
func (o *opener) finished(name string) (manifest, attribute string, labels []string, err error) {
	c, err := o.client()
	if err != nil {
		return "", "", nil, err
	}
	var job describedJob
	if err := c.json(o.ctx, "sagemaker", "SageMaker.DescribeLabelingJob", map[string]string{"LabelingJobName": name}, &job); err != nil {
		return "", "", nil, err
	}
	if job.LabelingJobOutput.OutputDatasetS3Uri == "" {
		return "", "", nil, fmt.Errorf("the labeling job %s is %s and has no output manifest: only a job that has ended can be exported", job.LabelingJobName, job.LabelingJobStatus)
	}
	tree, err := output.NewTree(job.OutputConfig.S3OutputPath, job.LabelingJobName)
	if err != nil {
		return "", "", nil, err
	}
	labels, err = o.labelNames(tree.URI(tree.ToolData()))
	var api *apiError
	if errors.As(err, &api) && api.Code == "NoSuchKey" {
		err = nil // a custom job without label categories
	}
	return job.LabelingJobOutput.OutputDatasetS3Uri, job.LabelAttributeName, labels, err
}

// writeFolder writes a new folder, whole or not at all.
func writeFolder(name string, fn func(exchange.Files) error) error {
	name = filepath.Clean(name)
	if entries, err := os.ReadDir(name); err == nil && len(entries) > 0 {
		return fmt.Errorf("the folder %s is not empty: name one that is, or that is not there", name)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	part := name + ".part"
	if err := os.Mkdir(part, 0o755); err != nil {
		return err
	}
	files, err := folder.Open(part)
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := errors.Join(fn(files), files.Close()); err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, os.RemoveAll(part))
	}
	return os.Rename(part, name)
}

// tell prints what the result does not have; with strict it is an error.
func tell(w io.Writer, notes *exchange.Notes, strict bool) error {
	all := notes.All()
	for _, n := range all {
		fmt.Fprintf(w, "note: %s\n", plain(n.String()))
	}
	if strict && len(all) > 0 {
		return errors.New("--strict: the result would not have all that was read, or not as it was")
	}
	return nil
}

// listOf is "a, b or c" for a flag's help and errors.
func listOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// oneOf refuses a flag's value that is not on the list.
func oneOf(name, value string, words []string) error {
	for _, w := range words {
		if w == value {
			return nil
		}
	}
	if value == "" {
		return fmt.Errorf("--%s is missing: expected %s", name, listOf(words))
	}
	return fmt.Errorf("--%s %q: expected %s", name, value, listOf(words))
}

// prefixOf is --prefix, checked.
func prefixOf(name, s string) (exchange.Names, error) {
	n, err := exchange.NewNames(s)
	if err != nil {
		return n, fmt.Errorf("--%s: %s", name, describe(err))
	}
	return n, nil
}

// attributeName refuses what no job would take for a label attribute.
func attributeName(s string) error {
	if s == "" || len(s) > 127 || s == "source" || s == "source-ref" || strings.HasSuffix(s, "-metadata") || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return fmt.Errorf("--attribute %q: expected the name of a label attribute, 1 to 127 letters, digits and hyphens, not source or source-ref, not ending in -metadata", cmp.Or(s, ""))
	}
	return nil
}
