package engine

import (
	"context"
	"fmt"
	"io"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/output"
)

// writeEnd writes the last files of a job.
func (e *Engine) writeEnd(ctx context.Context, j *labeling.Job, t output.Tree) error {
	if err := e.writeReport(ctx, j, t); err != nil {
		return err
	}
	for _, key := range []string{t.Intermediate(iteration), t.Manifest()} {
		if err := e.writeManifest(ctx, j, t, key); err != nil {
			return err
		}
	}
	return nil
}

// writeManifest streams the augmented manifest to the key.
func (e *Engine) writeManifest(ctx context.Context, j *labeling.Job, t output.Tree, key string) error {
	b, err := e.bucket(ctx, j)
	if err != nil {
		return err
	}
	r, w := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		lines := &manifestLines{w: w, job: j}
		err := e.Store.Rows(ctx, j.ID, lines.write)
		if err == nil {
			err = lines.flush()
		}
		_ = w.CloseWithError(err) // nil is io.EOF for the reader
	}()
	err = b.Put(ctx, t.Bucket(), key, "application/x-jsonlines", r)
	_ = r.Close() // ends the goroutine if Put did not read to the end
	<-written
	if err != nil {
		return &objectError{j.RoleARN, "write", "the output manifest", labeling.S3URI{Bucket: t.Bucket(), Key: key}, err}
	}
	return nil
}

// manifestLines writes rows as lines of an output manifest.
type manifestLines struct {
	w   io.Writer
	job *labeling.Job
	buf []byte
}

func (m *manifestLines) write(r Row) error {
	line := r.Line
	if r.Unfit {
		var err error
		if r.Metadata, err = unfit(m.job, r.Line); err != nil {
			return err
		}
	}
	if len(r.Label) > 0 || len(r.Metadata) > 0 {
		a := output.Annotation{Metadata: r.Metadata}
		if len(r.Label) > 0 {
			a.Label = r.Label
		}
		var err error
		if line, err = output.Line(r.Line, m.job.LabelAttributeName, a); err != nil {
			return fault.E("engine.writeManifest", fault.Internal, "", fmt.Errorf("object %d: %w", r.Index, err))
		}
	}
	m.buf = append(append(m.buf, line...), '\n')
	if len(m.buf) < 64<<10 {
		return nil
	}
	return m.flush()
}

// unfit is the metadata of an object that was never sent to workers because it
// lacks the label that they were to adjust or verify.
func unfit(j *labeling.Job, line []byte) ([]byte, error) {
	_, reason := j.Prior(line)
	a, err := output.Failed(j.TaskType, output.Stamp{Job: j.Name, Created: j.CreatedAt}, fault.MessageOf(reason))
	return a.Metadata, err
}

func (m *manifestLines) flush() error {
	_, err := m.w.Write(m.buf)
	m.buf = m.buf[:0]
	return err
}
