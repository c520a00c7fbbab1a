package engine

import (
	"context"
	"fmt"
	"io"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/output"
)

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
		lines := &manifestLines{w: w, attribute: j.LabelAttributeName}
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
	w         io.Writer
	attribute string
	buf       []byte
}

func (m *manifestLines) write(r Row) error {
	line := r.Line
	if len(r.Label) > 0 || len(r.Metadata) > 0 {
		a := output.Annotation{Metadata: r.Metadata}
		if len(r.Label) > 0 {
			a.Label = r.Label
		}
		var err error
		if line, err = output.Line(r.Line, m.attribute, a); err != nil {
			return fault.E("engine.writeManifest", fault.Internal, "", fmt.Errorf("object %d: %w", r.Index, err))
		}
	}
	m.buf = append(append(m.buf, line...), '\n')
	if len(m.buf) < 64<<10 {
		return nil
	}
	return m.flush()
}

func (m *manifestLines) flush() error {
	_, err := m.w.Write(m.buf)
	m.buf = m.buf[:0]
	return err
}
