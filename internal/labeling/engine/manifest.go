package engine

import (
	"context"
	"errors"
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
	return e.writeManifest(ctx, j, t, t.Intermediate(iteration), t.Manifest())
}

// manifestFile is one of the objects that an augmented manifest is written to.
type manifestFile struct {
	w    *io.PipeWriter
	done chan error // an *objectError, or nil when the object is there
}

// writeManifest streams the augmented manifest to the keys. Its lines are read and
// made once for all of them, and each is there, whole, before the next.
func (e *Engine) writeManifest(ctx context.Context, j *labeling.Job, t output.Tree, keys ...string) error {
	b, err := e.bucket(ctx, j)
	if err != nil {
		return err
	}
	files, writers := make([]manifestFile, len(keys)), make([]io.Writer, len(keys))
	for i, key := range keys {
		files[i] = putManifest(ctx, b, j, labeling.S3URI{Bucket: t.Bucket(), Key: key})
		writers[i] = files[i].w
	}
	err = e.writeLines(ctx, j, io.MultiWriter(writers...))
	// What the storage said of one is why the others are given up.
	var refused *objectError
	errors.As(err, &refused)
	for _, f := range files {
		_ = f.w.CloseWithError(err) // nil is io.EOF for the reader
		if gone := <-f.done; gone != nil {
			if err == nil {
				err = gone
			}
			if refused == nil {
				errors.As(gone, &refused)
			}
		}
	}
	if refused != nil {
		return refused
	}
	return err
}

// putManifest begins to write an object.
func putManifest(ctx context.Context, b Bucket, j *labeling.Job, where labeling.S3URI) manifestFile {
	r, w := io.Pipe()
	f := manifestFile{w: w, done: make(chan error, 1)}
	go func() {
		err := b.Put(ctx, where.Bucket, where.Key, "application/x-jsonlines", r)
		if err != nil {
			err = &objectError{j.RoleARN, "write", "the output manifest", where, err}
		}
		_ = r.CloseWithError(err) // ends whoever still writes
		f.done <- err
	}()
	return f
}

// writeLines writes the lines of the augmented manifest.
func (e *Engine) writeLines(ctx context.Context, j *labeling.Job, w io.Writer) error {
	lines, err := output.NewLines(j.LabelAttributeName)
	if err != nil {
		return err
	}
	m := &manifestLines{w: w, job: j, lines: lines, buf: make([]byte, 0, manifestBuffer+16<<10)}
	if err := e.Store.Rows(ctx, j.ID, m.write); err != nil {
		return err
	}
	return m.flush()
}

// manifestBuffer is how many bytes of lines are written at once.
const manifestBuffer = 128 << 10

// manifestLines writes rows as lines of an output manifest.
type manifestLines struct {
	w     io.Writer
	job   *labeling.Job
	lines *output.Lines
	buf   []byte
}

func (m *manifestLines) write(r Row) (err error) {
	if r.Unfit {
		if r.Metadata, err = unfit(m.job, r.Line); err != nil {
			return err
		}
	}
	if len(r.Label) > 0 || len(r.Metadata) > 0 {
		a := output.Annotation{Metadata: r.Metadata}
		if len(r.Label) > 0 {
			a.Label = r.Label
		}
		if m.buf, err = m.lines.Append(m.buf, r.Line, a); err != nil {
			return fault.E("engine.writeManifest", fault.Internal, "", fmt.Errorf("object %d: %w", r.Index, err))
		}
	} else {
		m.buf = append(m.buf, r.Line...)
	}
	m.buf = append(m.buf, '\n')
	if len(m.buf) < manifestBuffer {
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
