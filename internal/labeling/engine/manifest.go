package engine

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

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
		_ = w.CloseWithError(e.copyRows(ctx, j, w)) // nil is io.EOF for the reader
	}()
	err = b.Put(ctx, t.Bucket(), key, "application/x-jsonlines", r)
	_ = r.Close() // ends the goroutine if Put did not read to the end
	<-written
	if err != nil {
		return &objectError{j.RoleARN, "write", "the output manifest", labeling.S3URI{Bucket: t.Bucket(), Key: key}, err}
	}
	return nil
}

// Bounds of what is read of the store before it is written.
const (
	rowsAhead  = 200
	bytesAhead = 256 << 10
)

// copyRows writes all rows of the job as lines. While some are made into lines
// the next are read.
func (e *Engine) copyRows(ctx context.Context, j *labeling.Job, w io.Writer) error {
	read := make(chan []Row, 2)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(read)
		var rows []Row
		size := 0
		hand := func() error {
			select {
			case read <- rows:
				rows, size = make([]Row, 0, rowsAhead), 0
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := e.Store.Rows(ctx, j.ID, func(r Row) error {
			rows = append(rows, r)
			if size += len(r.Line) + len(r.Label) + len(r.Metadata); len(rows) < rowsAhead && size < bytesAhead {
				return nil
			}
			return hand()
		})
		if err != nil {
			return err
		}
		return hand()
	})
	g.Go(func() error {
		lines := &manifestLines{w: w, attribute: j.LabelAttributeName}
		for rows := range read {
			for _, r := range rows {
				if err := lines.write(r); err != nil {
					return err
				}
			}
		}
		if ctx.Err() != nil {
			return ctx.Err() // the rows were not read to their end
		}
		return lines.flush()
	})
	return g.Wait()
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
