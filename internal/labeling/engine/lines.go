package engine

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/manifest"
)

// Bounds of one transaction of ingestion. Workers of other jobs share the writer
// with it, and wait for it: a transaction is a few milliseconds long, and the
// slower the database is, the fewer lines it has.
const (
	firstAppend = 500 // lines
	leastAppend = 250
	mostAppend  = 1000
	appendBytes = 1 << 20

	shortAppend = 10 * time.Millisecond // a transaction that may grow
	longAppend  = 50 * time.Millisecond // one that must shrink
)

// longestRest bounds the rest after a transaction, which is half as long as that
// took: a third of the time belongs to others, processor and writer alike.
const longestRest = 20 * time.Millisecond

// lookEvery is after how many lines a job is looked at, for it may have been
// stopped.
const lookEvery = 10_000

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
	in.size.Store(firstAppend)
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

// ingestion is one reading of a manifest. While one batch of lines is stored the
// next is read, so that at most three are in memory: the one that is stored, one
// that waits and one that is read.
type ingestion struct {
	e     *Engine
	h     Hold
	b     Bucket
	j     *labeling.Job
	where labeling.S3URI
	r     *manifest.Reader
	probe probe
	size  atomic.Int64 // lines of the next transaction

	next   int64 // index of the first line that is not stored
	looked int64 // what next was when the job was last looked at
}

func (in *ingestion) run(ctx context.Context) error {
	batches := make(chan []Line)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(batches)
		return in.read(ctx, batches)
	})
	g.Go(func() error {
		for lines := range batches {
			if err := in.store(ctx, lines); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// read reads the manifest to its end.
func (in *ingestion) read(ctx context.Context, batches chan<- []Line) error {
	var lines []Line
	size := 0
	hand := func() error {
		if len(lines) == 0 {
			return nil
		}
		select {
		case batches <- lines:
			lines, size = make([]Line, 0, in.size.Load()), 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		l, err := in.r.Next()
		if err == io.EOF {
			if err := in.probe.verdict(); err != nil {
				return err
			}
			return hand()
		}
		if err != nil {
			return in.broken(err)
		}
		if err := in.probe.look(ctx, in.b, in.j.RoleARN, l); err != nil {
			return err
		}
		fit, err := in.fits(l)
		if err != nil {
			return err
		}
		lines = append(lines, Line{Text: string(l.Text), Kept: l.Labeled, Unfit: !fit})
		if size += len(l.Text); int64(len(lines)) >= in.size.Load() || size >= appendBytes {
			if err := hand(); err != nil {
				return err
			}
		}
	}
}

// fits reports whether the job can work on a line. Of a job that adjusts or
// verifies labels it is false where there is none; one that cannot be shown ends
// the set-up.
func (in *ingestion) fits(l manifest.Line) (bool, error) {
	if l.Labeled {
		return true, nil
	}
	if in.j.TemplateTaskType() == labeling.NamedEntityRecognition && l.SourceRef != "" {
		return false, fail("The input manifest %s cannot be used: line %d has source-ref; named entity recognition takes its texts from source.", in.where, l.Number)
	}
	if _, audits := in.j.Audits(); !audits {
		return true, nil
	}
	prior, err := in.j.Prior(l.Text)
	if err != nil {
		return false, nil
	}
	if err := in.j.CheckPrior(prior); err != nil {
		return false, fail("The input manifest %s cannot be used: line %d: %s.", in.where, l.Number, fault.MessageOf(err))
	}
	return true, nil
}

func (in *ingestion) store(ctx context.Context, lines []Line) error {
	start := in.e.Now()
	if err := in.e.Store.Append(ctx, in.h, in.next, lines); err != nil {
		return err
	}
	took := in.e.Now().Sub(start)
	in.adapt(took)
	in.next += int64(len(lines))
	select {
	case <-time.After(min(took/2, longestRest)):
	case <-ctx.Done():
		return ctx.Err()
	}
	if in.next-in.looked < lookEvery {
		return nil
	}
	in.looked = in.next
	j, err := in.e.Store.JobByID(ctx, in.h.Job)
	if err == nil && j.Status != labeling.Initializing {
		err = errStopped
	}
	return err
}

// adapt sets how many lines the next transaction takes.
func (in *ingestion) adapt(took time.Duration) {
	n := in.size.Load()
	switch {
	case took < shortAppend:
		n += n / 2
	case took > longAppend:
		n /= 2
	}
	in.size.Store(max(leastAppend, min(mostAppend, n)))
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
