package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
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
	var in *inputError
	if permanent(err) && (errors.As(err, &o) || errors.As(err, &r) || errors.As(err, &in)) {
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
	if j.ManifestURI != "" || j.Live == nil {
		if s.Total, s.Kept, err = e.ingest(ctx, h, b, j); err != nil {
			return err
		}
	}
	if err := e.open(ctx, j); err != nil {
		return err
	}
	if err := e.gold(ctx, h, b, j, s.LabelConfig); err != nil {
		return err
	}
	s.Now = e.Now()
	return e.Store.Start(ctx, h, s)
}

func (e *Engine) template(ctx context.Context, b Bucket, j *labeling.Job) (string, error) {
	if j.Human.TemplateURI == "" && !j.BuiltinTemplate() {
		return e.taskUI(ctx, j)
	}
	if j.BuiltinTemplate() {
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
	c, err := labeling.ParseLabelConfig(doc, j.TaskType)
	if err == nil {
		err = j.CheckConfig(c)
	}
	if err != nil {
		return nil, fail("The label category configuration %s cannot be used: %s.", j.LabelCategoryConfigURI, fault.MessageOf(err))
	}
	// Reading the manifest asks for them; the store gives them to others.
	j.Labels, j.AuditLabelAttributeName = c.Labels, c.AuditLabelAttributeName
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
