package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/store"
)

const team = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/bench"

type bench struct {
	settings
	db     *store.DB
	rows   *store.Labeling
	bucket *bucket
	queue  *queue.Service
	engine *engine.Engine
}

func newBench(s settings, db *store.DB) (*bench, error) {
	keys, err := envelope.New()
	if err != nil {
		return nil, err
	}
	b := &bench{settings: s, db: db, rows: store.NewLabeling(db).Sealed(keys), bucket: &bucket{}}
	b.queue = queue.New(b.rows, nobody{}, time.Now, rand.Reader, quiet())
	b.engine = b.newEngine()
	return b, nil
}

func (b *bench) newEngine() *engine.Engine {
	return engine.New(engine.Options{
		Store: b.rows, Queue: b.queue, Roles: b.bucket, Owner: rand.Text(), Alone: b.db.Dialect() == store.SQLite,
		Template: func(labeling.TaskType) (string, bool) { return "", false }, Now: time.Now, Log: quiet(),
	})
}

// nobody wants to know of ended assignments here.
type nobody struct{}

func (nobody) Ended(context.Context, string, ...string) error { return nil }

// bucket makes the manifest while it is read and counts what is written, so
// that memory and time measured are the engine's. The key of a manifest is its
// number of lines.
type bucket struct {
	written atomic.Int64 // lines of output manifests
	took    atomic.Int64 // nanoseconds that writing them took
}

func (b *bucket) Assume(context.Context, string, string, string) (engine.Bucket, error) {
	return b, nil
}

func (b *bucket) Get(_ context.Context, _, key string) (io.ReadCloser, engine.ObjectInfo, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(key, ".manifest"))
	if err != nil {
		return io.NopCloser(strings.NewReader("<crowd-form></crowd-form>")), engine.ObjectInfo{}, nil
	}
	return io.NopCloser(&lines{left: n}), engine.ObjectInfo{ETag: "bench"}, nil
}

func (b *bucket) Put(_ context.Context, _, key, _ string, body io.Reader) error {
	start, c := time.Now(), &counter{}
	_, err := io.Copy(c, body)
	if strings.HasSuffix(key, "/output.manifest") {
		b.written.Add(c.lines)
		b.took.Add(int64(time.Since(start)))
	}
	return err
}

// counter counts lines.
type counter struct{ lines int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.lines += int64(bytes.Count(p, []byte("\n")))
	return len(p), nil
}

type lines struct {
	left int
	buf  bytes.Buffer
}

func (l *lines) Read(p []byte) (int, error) {
	for l.buf.Len() < len(p) && l.left > 0 {
		l.left--
		fmt.Fprintf(&l.buf, "{\"source-ref\":\"s3://bench/photographs/2026/holiday/%08d.jpg\",\"id\":%d}\n", l.left, l.left)
	}
	return l.buf.Read(p)
}

// create makes a job of n objects.
func (b *bench) create(ctx context.Context, name string, n int) error {
	s := b.spec()
	s.LabelingJobName, s.ManifestS3URI = name, fmt.Sprintf("s3://bench/%d.manifest", n)
	j, err := labeling.NewJob(s, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	return b.engine.Create(ctx, j)
}

// await waits until the job has left the statuses.
func (b *bench) await(ctx context.Context, name string, while ...labeling.Status) (*labeling.Job, error) {
	for {
		j, err := b.engine.Describe(ctx, name)
		if err != nil || !slices.Contains(while, j.Status) {
			return j, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// ingest times CreateLabelingJob to InProgress.
func (b *bench) ingest(ctx context.Context, t *table, name string, n int) error {
	start, before := time.Now(), cpu()
	if err := b.create(ctx, name, n); err != nil {
		return err
	}
	j, err := b.await(ctx, name, labeling.Initializing)
	if err != nil {
		return err
	}
	if j.Status != labeling.InProgress {
		return fmt.Errorf("the job is %s: %s", j.Status, j.FailureReason)
	}
	took, bar := time.Since(start), 50_000.0
	if b.db.Dialect() == store.Postgres {
		bar = 30_000
	}
	rate := float64(n) / took.Seconds()
	t.line("in progress after", took.Round(10*time.Millisecond).String(), "20s", n > 100_000 || took < 20*time.Second)
	t.line("ingest, objects a second", fmt.Sprintf("%.0f", rate), fmt.Sprintf("%.0f", bar), rate >= bar)
	t.line("ingest, processor time an object", ((cpu() - before) / time.Duration(n)).Round(10*time.Nanosecond).String(), "", true)
	return nil
}

// output fills in the labels that the workers did not make, stops the job and
// times its output manifest.
func (b *bench) output(ctx context.Context, t *table, name string) error {
	j, err := b.engine.Describe(ctx, name)
	if err != nil {
		return err
	}
	if err := b.fill(ctx, j.ID, int64(b.lines)); err != nil {
		return err
	}
	before := cpu()
	if err := b.engine.Stop(ctx, name); err != nil {
		return err
	}
	if _, err := b.await(ctx, name, labeling.Stopping); err != nil {
		return err
	}
	n := b.bucket.written.Load()
	if n < int64(b.lines) {
		return fmt.Errorf("the output manifest has %d lines", n)
	}
	rate := float64(n) / time.Duration(b.bucket.took.Load()).Seconds()
	t.line("output manifest, lines a second", fmt.Sprintf("%.0f", rate), "100000", rate >= 100_000)
	// Two are written, for the output tree has an intermediate one.
	t.line("output, processor time a line", ((cpu() - before) / time.Duration(2*n)).Round(10*time.Nanosecond).String(), "", true)
	return nil
}

// fill stores results as consolidation would, for the objects that no worker
// ever got.
func (b *bench) fill(ctx context.Context, job, n int64) error {
	const label = `{"annotations":[{"class_id":0,"height":133,"left":24,"top":42,"width":220}],"image_size":[{"depth":3,"height":1200,"width":1600}]}`
	const metadata = `{"class-map":{"0":"bird"},"creation-date":"2026-05-04T03:02:01.123456","human-annotated":"yes","job-name":"labeling-job/bench","objects":[{"confidence":0.09}],"type":"groundtruth/object-detection"}`
	const chunk = 200
	var from int64
	err := b.db.Read().QueryRowContext(ctx, `select 1 + coalesce(max(idx), -1) from
		(select idx from labeling_tasks where job = $1 union all select idx from labeling_results where job = $1) x`, job).Scan(&from)
	if err != nil {
		return err
	}
	for batch := int64(1 << 40); from < n; batch++ {
		results := make([]labeling.Consolidated, 0, chunk)
		for ; from < n && len(results) < chunk; from++ {
			results = append(results, labeling.Consolidated{Index: from, Label: []byte(label), Metadata: []byte(metadata)})
		}
		err := b.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `insert into labeling_batches (job, batch, made_at) values ($1, $2, 0)`, job, batch)
			return err
		})
		if err != nil {
			return err
		}
		if err := b.rows.FinishBatch(ctx, engine.Hold{Job: job, Owner: b.engine.Owner}, batch, results, time.Now()); err != nil {
			return err
		}
	}
	return nil
}
