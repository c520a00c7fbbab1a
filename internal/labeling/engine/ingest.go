package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/manifest"
	"fiducial/internal/labeling/output"
)

// maxTemplate is the wire model's bound on a worker task template.
const maxTemplate = 128_000

// initialize makes a job InProgress, or Failed with the reason. An error means
// that it has to be tried again.
func (e *Engine) initialize(ctx context.Context, h Hold, j *labeling.Job) error {
	err := e.prepare(ctx, h, j)
	var f *failure
	switch {
	case err == nil:
		return e.announce(ctx, h.Job)
	case errors.Is(err, ErrLost), errors.Is(err, errStopped), ctx.Err() != nil:
		return err
	case errors.As(err, &f):
		return e.finish(ctx, h, labeling.Failed, f.reason, "")
	}
	var o *objectError
	var r *roleError
	if permanent(err) && (errors.As(err, &o) || errors.As(err, &r)) {
		e.forget(j)
		return e.finish(ctx, h, labeling.Failed, explain(err), "")
	}
	return err
}

// errStopped says that the job was stopped while it was read.
var errStopped = errors.New("engine: the job was stopped")

func (e *Engine) prepare(ctx context.Context, h Hold, j *labeling.Job) error {
	if j.Flow != "" {
		return e.begin(ctx, h, j)
	}
	b, err := e.bucket(ctx, j)
	if err != nil {
		return err
	}
	if err := e.mayInvoke(ctx, j); err != nil {
		return err
	}
	s := Started{}
	if s.Template, err = e.template(ctx, b, j); err != nil {
		return err
	}
	if s.LabelConfig, err = e.labels(ctx, b, j); err != nil {
		return err
	}
	// Written first, so that a role that may not write fails the job now and
	// not when all the work is done.
	if err := e.writeTool(ctx, b, j, s); err != nil {
		return err
	}
	if s.Total, s.Kept, err = e.ingest(ctx, h, b, j); err != nil {
		return err
	}
	s.Now = e.Now()
	return e.Store.Start(ctx, h, s)
}

func (e *Engine) template(ctx context.Context, b Bucket, j *labeling.Job) (string, error) {
	if j.Human.TemplateURI == "" && j.Human.HumanTaskUIARN != "" {
		return e.taskUI(ctx, j)
	}
	if j.Human.TemplateURI == "" {
		src, ok := e.Template(j.TemplateTaskType())
		if !ok {
			return "", fail("There is no built-in worker task template for %s; give one in UiTemplateS3Uri.", j.TemplateTaskType())
		}
		return src, nil
	}
	doc, err := e.read(ctx, b, j, "the worker task template", j.Human.TemplateURI, 4*maxTemplate)
	if err != nil {
		return "", err
	}
	switch n := utf8.RuneCount(doc); {
	case !utf8.Valid(doc) || bytes.IndexByte(doc, 0) >= 0:
		return "", fail("The worker task template %s is not text in UTF-8.", j.Human.TemplateURI)
	case len(bytes.TrimSpace(doc)) == 0:
		return "", fail("The worker task template %s is empty.", j.Human.TemplateURI)
	case n > maxTemplate:
		return "", fail("The worker task template %s has %d characters, more than %d.", j.Human.TemplateURI, n, maxTemplate)
	}
	return string(doc), nil
}

func (e *Engine) labels(ctx context.Context, b Bucket, j *labeling.Job) ([]byte, error) {
	if j.LabelCategoryConfigURI == "" {
		return nil, nil
	}
	doc, err := e.read(ctx, b, j, "the label category configuration", j.LabelCategoryConfigURI, labeling.MaxLabelConfig)
	if err != nil {
		return nil, err
	}
	if _, err := labeling.ParseLabelConfig(doc, j.TaskType); err != nil {
		return nil, fail("The label category configuration %s cannot be used: %s.", j.LabelCategoryConfigURI, fault.MessageOf(err))
	}
	return doc, nil
}

// read reads a small object.
func (e *Engine) read(ctx context.Context, b Bucket, j *labeling.Job, what, uri string, most int64) ([]byte, error) {
	where, err := labeling.ParseS3Object(uri)
	if err != nil {
		return nil, fail("%s", fault.MessageOf(err))
	}
	wrap := func(err error) error { return &objectError{j.RoleARN, "read", what, where, err} }
	body, info, err := b.Get(ctx, where.Bucket, where.Key)
	if err != nil {
		return nil, wrap(err)
	}
	defer body.Close()
	if info.Size > most {
		return nil, fail("The object %s, %s, is longer than %d bytes.", uri, what, most)
	}
	doc, err := io.ReadAll(io.LimitReader(body, most+1))
	if err != nil {
		return nil, wrap(err)
	}
	return doc, nil
}

func (e *Engine) writeTool(ctx context.Context, b Bucket, j *labeling.Job, s Started) error {
	tree, err := output.NewTree(j.OutputURI, j.Name)
	if err != nil {
		return fail("%s", fault.MessageOf(err))
	}
	data := s.LabelConfig
	if data == nil {
		if data, err = output.ToolData(nil); err != nil {
			return err
		}
	}
	if err := e.write(ctx, b, j, tree, tree.ToolData(), "application/json", data); err != nil {
		return err
	}
	return e.write(ctx, b, j, tree, tree.ToolTemplate(), "text/plain; charset=utf-8", []byte(s.Template))
}

func (e *Engine) write(ctx context.Context, b Bucket, j *labeling.Job, t output.Tree, key, contentType string, doc []byte) error {
	if err := b.Put(ctx, t.Bucket(), key, contentType, bytes.NewReader(doc)); err != nil {
		return &objectError{j.RoleARN, "write", "the job's output", labeling.S3URI{Bucket: t.Bucket(), Key: key}, err}
	}
	return nil
}

// Bounds of one transaction of ingestion. Small enough that workers of other
// jobs, who share the writer with it, do not notice.
const (
	appendLines = 500
	appendBytes = 1 << 20
)

// ingest stores the manifest's lines, from where an earlier try got to if it
// read the same version of the object.
func (e *Engine) ingest(ctx context.Context, h Hold, b Bucket, j *labeling.Job) (total, kept int64, err error) {
	where, err := labeling.ParseS3Object(j.ManifestURI)
	if err != nil {
		return 0, 0, fail("%s", fault.MessageOf(err))
	}
	body, info, err := b.Get(ctx, where.Bucket, where.Key)
	if err != nil {
		return 0, 0, &objectError{j.RoleARN, "read", "the input manifest", where, err}
	}
	defer body.Close()
	version, from, err := e.Store.Ingested(ctx, h.Job)
	if err != nil {
		return 0, 0, err
	}
	if version != info.ETag || from == 0 {
		if err := e.Store.Restart(ctx, h, info.ETag); err != nil {
			return 0, 0, err
		}
		from = 0
	}
	in := &ingestion{e: e, h: h, b: b, j: j, where: where, next: from, r: manifest.NewReader(body, j.LabelAttributeName)}
	if err := in.r.Skip(from); err != nil {
		return 0, 0, in.broken(err)
	}
	if err := in.run(ctx); err != nil {
		return 0, 0, err
	}
	if in.next == 0 {
		return 0, 0, fail("The input manifest %s has no lines.", where)
	}
	if kept, err = e.Store.Kept(ctx, h.Job); err != nil {
		return 0, 0, err
	}
	return in.next - kept, kept, nil
}

// ingestion is one reading of a manifest.
type ingestion struct {
	e     *Engine
	h     Hold
	b     Bucket
	j     *labeling.Job
	where labeling.S3URI
	r     *manifest.Reader
	next  int64 // index of the first line that is not stored
	probe probe
}

func (in *ingestion) run(ctx context.Context) error {
	lines, size := make([]Line, 0, appendLines), 0
	flush := func() error {
		if len(lines) == 0 {
			return nil
		}
		if err := in.store(ctx, lines); err != nil {
			return err
		}
		lines, size = lines[:0], 0
		return nil
	}
	for {
		l, err := in.r.Next()
		if err == io.EOF {
			if err := in.probe.verdict(); err != nil {
				return err
			}
			return flush()
		}
		if err != nil {
			return in.broken(err)
		}
		if err := in.probe.look(ctx, in.b, in.j.RoleARN, l); err != nil {
			return err
		}
		lines = append(lines, Line{Text: string(l.Text), Kept: l.Labeled})
		if size += len(l.Text); len(lines) == appendLines || size >= appendBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

func (in *ingestion) store(ctx context.Context, lines []Line) error {
	if err := in.e.Store.Append(ctx, in.h, in.next, lines); err != nil {
		return err
	}
	in.next += int64(len(lines))
	if in.next/appendLines%20 != 0 {
		return nil
	}
	j, err := in.e.Store.JobByID(ctx, in.h.Job)
	if err == nil && j.Status != labeling.Initializing {
		err = errStopped
	}
	return err
}

// broken tells a manifest that is wrong from one that could not be read.
func (in *ingestion) broken(err error) error {
	if fault.Is(err, fault.Invalid) {
		return fail("The input manifest %s cannot be used: %s.", in.where, fault.MessageOf(err))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		// Shorter than what was stored of it: storage cut it off, for its
		// version is the same.
		err = fault.E("engine.ingest", fault.Unavailable, "the object ended too early", err)
	}
	return &objectError{in.j.RoleARN, "read", "the input manifest", in.where, err}
}
