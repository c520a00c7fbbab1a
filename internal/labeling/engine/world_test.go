package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/output"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/store"
)

const (
	team = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/readers"
	role = "arn:aws:iam::000000000000:role/labeler"
)

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// storage is buckets in memory. The zero value has every bucket.
type storage struct {
	mu      sync.Mutex
	objects map[string][]byte
	order   []string         // keys in the order in which they were first put
	deny    map[string]error // by "get URI" or "put URI", a prefix
	assume  error
	assumed []string // "role for job", in order
}

func newStorage() *storage {
	return &storage{objects: map[string][]byte{}, deny: map[string]error{}}
}

func (s *storage) Assume(_ context.Context, roleARN, _, jobARN string) (engine.Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assumed = append(s.assumed, roleARN+" for "+jobARN)
	return s, s.assume
}

func (s *storage) refusal(verb, uri string) error {
	for prefix, err := range s.deny {
		if strings.HasPrefix(verb+" "+uri, prefix) {
			return err
		}
	}
	return nil
}

func (s *storage) Get(_ context.Context, bucket, key string) (io.ReadCloser, engine.ObjectInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uri := "s3://" + bucket + "/" + key
	if err := s.refusal("get", uri); err != nil {
		return nil, engine.ObjectInfo{}, err
	}
	b, ok := s.objects[uri]
	if !ok {
		return nil, engine.ObjectInfo{}, fault.Coded("test", fault.NotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return io.NopCloser(bytes.NewReader(b)), engine.ObjectInfo{Size: int64(len(b)), ETag: fmt.Sprint(len(b), uri)}, nil
}

func (s *storage) Put(_ context.Context, bucket, key, _ string, body io.Reader) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	uri := "s3://" + bucket + "/" + key
	if err := s.refusal("put", uri); err != nil {
		return err
	}
	if _, ok := s.objects[uri]; !ok {
		s.order = append(s.order, uri)
	}
	s.objects[uri] = b
	return nil
}

func (s *storage) set(uri, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[uri] = []byte(text)
}

func (s *storage) get(uri string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.objects[uri])
}

func (s *storage) keys(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, k := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(k, prefix) {
			out = append(out, strings.TrimPrefix(k, prefix))
		}
	}
	return out
}

type silent struct{}

func (silent) Ended(context.Context, string, ...string) error { return nil }

type people struct{}

func (people) Identity(_ context.Context, worker string) (output.Identity, error) {
	return output.Identity{ProviderType: "Cognito", Issuer: "https://cognito-idp.us-east-1.amazonaws.com/pool", Sub: "sub-" + worker}, nil
}

// statuses records what the engine says of jobs.
type statuses struct {
	mu  sync.Mutex
	log []string
}

func (s *statuses) JobChanged(_ context.Context, j *labeling.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, string(j.Status))
}

// world is an engine and a queue over a real database and storage in memory.
type world struct {
	t       testing.TB
	store   *store.Labeling
	clock   *clock
	storage *storage
	queue   *queue.Service
	engine  *engine.Engine
	heard   *statuses
	told    *results
}

func newWorld(t testing.TB, db *store.DB) *world {
	w := &world{t: t, store: store.NewLabeling(db), clock: newClock(), storage: newStorage(), heard: &statuses{}, told: &results{}}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	w.queue = queue.New(w.store, silent{}, w.clock.now, rand.Reader, quiet)
	w.engine = engine.New(w.options("first"))
	w.storage.set("s3://input/template.liquid", "<crowd-form></crowd-form>")
	w.storage.set("s3://input/labels.json", `{"document-version":"2018-11-28","labels":[{"label":"cat"},{"label":"dog"}]}`)
	return w
}

// restart is another engine in the place of the first.
func (w *world) restart(o engine.Options) { w.engine = engine.New(o) }

func (w *world) options(owner string) engine.Options {
	return engine.Options{
		Store: w.store, Queue: w.queue, Roles: w.storage, Workers: people{}, Watcher: w.heard, Results: w.told, Owner: owner,
		Template: func(t labeling.TaskType) (string, bool) {
			return "built in: " + string(t), t == labeling.ObjectDetection
		},
		Now: w.clock.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Tick: time.Millisecond, Quiet: 2 * time.Second, Lease: 15 * time.Second,
	}
}

// texts is a manifest of n texts.
func texts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"source\":\"text %d\",\"n\":%d.50}\n", i, i)
	}
	return b.String()
}

// spec is a job of single-label text classification for two workers.
func spec(name string) labeling.Spec {
	const f = "arn:aws:lambda:us-east-1:432418664414:function:"
	return labeling.Spec{
		Account: "000000000000", Region: "us-east-1", LabelingJobName: name, LabelAttributeName: "mood",
		ManifestS3URI: "s3://input/input.manifest", S3OutputPath: "s3://out/jobs/", RoleARN: role,
		LabelCategoryConfigURI: "s3://input/labels.json", UITemplateS3URI: "s3://input/template.liquid",
		WorkteamARN: team, PreHumanTaskLambdaARN: f + "PRE-TextMultiClass", AnnotationConsolidationLambdaARN: f + "ACS-TextMultiClass",
		TaskTitle: "Read", TaskDescription: "Read it", NumberOfHumanWorkersPerDataObject: 2, TaskTimeLimitInSeconds: 60,
	}
}

func (w *world) create(s labeling.Spec, manifest string) *labeling.Job {
	w.t.Helper()
	w.storage.set("s3://input/input.manifest", manifest)
	j, err := labeling.NewJob(s, w.clock.now(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.start(j)
}

func (w *world) start(j *labeling.Job) *labeling.Job {
	w.t.Helper()
	if err := w.engine.Create(context.Background(), j); err != nil {
		w.t.Fatal(err)
	}
	return j
}

func (w *world) pass() {
	w.t.Helper()
	if err := w.engine.Pass(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) describe(name string) *labeling.Job {
	w.t.Helper()
	j, err := w.engine.Describe(context.Background(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func worker(id string) labeling.Worker { return labeling.Worker{ID: id, Teams: []string{team}} }

// label is a worker who answers everything there is now, up to n objects.
func (w *world) label(id, job string, n int, answer func(index int64) string) int {
	w.t.Helper()
	ctx := context.Background()
	for done := range n {
		a, err := w.queue.Take(ctx, worker(id), job)
		if fault.Is(err, fault.NotFound) {
			return done
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.clock.add(time.Second)
		if err := w.queue.Submit(ctx, worker(id), a.ID, json.RawMessage(answer(a.Index))); err != nil {
			w.t.Fatal(err)
		}
	}
	return n
}

// says is the answer of a classification template.
func says(label string) func(int64) string {
	return func(int64) string { return `{"crowd-classifier":{"label":"` + label + `"}}` }
}
