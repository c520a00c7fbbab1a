package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/quality"
	"fiducial/internal/labeling/queue"
)

// judgeAtOnce bounds how many facts one transaction takes up, and requeueAtOnce
// how many answers one discards.
const (
	judgeAtOnce   = 200
	requeueAtOnce = 100
)

// judge takes up what has happened in a job since it was last asked, and does
// what the job's rules say. What is done is on record first. A crash in
// between repeats it: bars last as long as they did, and facts are forgotten
// only together with what was found of them.
func (e *Engine) judge(ctx context.Context, h Hold, j *labeling.Job) error {
	if j.Quality == nil {
		return nil
	}
	for {
		facts, err := e.Store.Facts(ctx, h.Job, judgeAtOnce)
		if err != nil {
			return err
		}
		if len(facts) > 0 {
			if err := e.judgeSome(ctx, h, j, facts); err != nil {
				return err
			}
		}
		if len(facts) < judgeAtOnce {
			break
		}
	}
	for {
		if n, err := e.Store.Requeue(ctx, h, requeueAtOnce, e.Now()); err != nil || n == 0 {
			return err
		}
	}
}

func (e *Engine) judgeSome(ctx context.Context, h Hold, j *labeling.Job, facts []Fact) error {
	b, err := e.bench(ctx, j, facts)
	if err != nil {
		return err
	}
	for _, f := range facts {
		b.verdict.Facts = append(b.verdict.Facts, f.ID)
		for _, d := range quality.Judge(j.Quality.Rules, b.verdict.States[f.Worker], b.fact(f)) {
			if err := e.act(ctx, j, b, d); err != nil {
				return err
			}
		}
	}
	return e.Store.Judged(ctx, h, b.verdict)
}

// bench is what facts are judged with.
type bench struct {
	scorer   *quality.Scorer
	known    map[int64]quality.Known // of the gold questions that facts are about
	minScore float64
	verdict  Verdict
}

func (e *Engine) bench(ctx context.Context, j *labeling.Job, facts []Fact) (*bench, error) {
	b := &bench{scorer: quality.NewScorer(j.TaskType, j.LabelNames()), verdict: Verdict{Gold: map[int64]GoldQuestion{}, Now: e.Now()}}
	var workers []string
	seen, gold := map[string]bool{}, map[int64]bool{}
	for _, f := range facts {
		if !seen[f.Worker] {
			seen[f.Worker] = true
			workers = append(workers, f.Worker)
		}
		if f.Index < 0 {
			gold[f.Index] = true
		}
	}
	var err error
	if b.verdict.States, err = e.Store.States(ctx, j.ID, workers...); err != nil || len(gold) == 0 {
		return b, err
	}
	questions, err := e.Store.GoldQuestions(ctx, j.ID)
	if err != nil {
		return nil, err
	}
	b.minScore = j.Quality.Gold.MinScore
	b.known = make(map[int64]quality.Known, len(gold))
	for n, q := range questions {
		index := int64(-1 - n)
		if !gold[index] {
			continue
		}
		if b.known[index], err = b.scorer.Label(q.Label, q.Metadata); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// fact is a fact in the words of package quality.
func (b *bench) fact(f Fact) quality.Fact {
	out := quality.Fact{Kind: f.Kind, Worker: f.Worker, Index: f.Index, Score: f.Score}
	if f.Kind != quality.Answered {
		return out
	}
	sum := sha256.Sum256(f.Content)
	out.Seconds, out.Digest = f.Took.Seconds(), hex.EncodeToString(sum[:8])
	if known, gold := b.known[f.Index]; gold {
		out.Score = b.scorer.Score(known, f.Content)
		out.Right = out.Score >= b.minScore
		g := b.verdict.Gold[f.Index]
		g.Asked++
		if out.Right {
			g.Right++
		}
		b.verdict.Gold[f.Index] = g
	}
	return out
}

// act does what a rule decided: on record first.
func (e *Engine) act(ctx context.Context, j *labeling.Job, b *bench, d quality.Decision) error {
	now := e.Now()
	a := quality.Acted{Time: now, Action: string(d.Action.Type), Rule: d.Rule, WorkerId: d.Worker, Detail: detail(j, d)}
	if d.Index >= 0 {
		a.ObjectId = strconv.FormatInt(d.Index, 10)
	}
	if d.Action.Type == labeling.PauseWorker {
		until := now.Add(time.Duration(d.Action.Seconds) * time.Second).UTC()
		a.Until = &until
	}
	if err := e.acting(ctx, j, a); err != nil {
		return err
	}
	b.verdict.Actions = append(b.verdict.Actions, a)
	bar := queue.Bar{Job: j.ID, Worker: d.Worker}
	switch d.Action.Type {
	case labeling.PauseWorker:
		bar.Until = *a.Until
	case labeling.ExcludeWorker:
		bar.Until = queue.Never
	case labeling.RequeueAnswers:
		bar.Requeue = true
	case labeling.AnotherOpinion:
		b.verdict.Another = append(b.verdict.Another, d.Index)
		return nil
	default:
		return nil
	}
	return e.Queue.Bar(ctx, bar)
}

func (e *Engine) acting(ctx context.Context, j *labeling.Job, a quality.Acted) error {
	if e.Officer == nil {
		return nil
	}
	return e.Officer.Acting(ctx, j, a)
}

// detail says in words why a rule acts.
func detail(j *labeling.Job, d quality.Decision) string {
	for i := range j.Quality.Rules {
		r := &j.Quality.Rules[i]
		switch {
		case r.Name != d.Rule:
		case r.Below != nil:
			return fmt.Sprintf("%s is %.3g over %d, below %g", r.Collector, d.Value, d.Count, *r.Below)
		default:
			return fmt.Sprintf("%s is %d, at least %g", r.Collector, d.Count, *r.AtLeast)
		}
	}
	return ""
}
