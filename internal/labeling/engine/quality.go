package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/manifest"
	"fiducial/internal/labeling/output"
	"fiducial/internal/labeling/quality"
	"fiducial/internal/labeling/queue"
)

// configure reads the quality configuration of a job that is being made, as
// its execution role. What is wrong with it is Invalid and names the member.
func (e *Engine) configure(ctx context.Context, j *labeling.Job) error {
	if j.QualityConfigURI == "" {
		return nil
	}
	refuse := func(words string) error {
		f := fault.Newf("engine.Create", fault.Invalid, "Tags[%s]: %s", labeling.QualityTag, words)
		f.Field = "Tags"
		return f
	}
	b, err := e.bucket(ctx, j)
	var doc []byte
	if err == nil {
		doc, err = e.read(ctx, b, j, "the quality configuration", j.QualityConfigURI, quality.MaxDocument)
	}
	var f *failure
	switch {
	case errors.As(err, &f):
		return refuse(f.reason)
	case err != nil && permanent(err):
		e.forget(j)
		return refuse(explain(err))
	case err != nil:
		return fault.E("engine.Create", fault.Unavailable, explain(err), err)
	}
	if j.Quality, err = quality.Parse(doc, j); err != nil {
		return refuse(fmt.Sprintf("%s: %s.", j.QualityConfigURI, fault.MessageOf(err)))
	}
	return nil
}

// maxGoldManifest bounds the gold manifest.
const maxGoldManifest = 8 << 20

// gold reads the gold questions of a job whose manifest is stored, and fails
// the job if one of them cannot be used or would be known for what it is.
func (e *Engine) gold(ctx context.Context, h Hold, b Bucket, j *labeling.Job, labels []byte) error {
	if !j.HasGold() {
		return nil
	}
	g := j.Quality.Gold
	doc, err := e.read(ctx, b, j, "the gold manifest", g.ManifestS3Uri, maxGoldManifest)
	if err != nil {
		return err
	}
	config := labeling.LabelConfig{}
	if labels != nil {
		if config, err = labeling.ParseLabelConfig(labels, j.TaskType); err != nil {
			return err
		}
	}
	scorer := quality.NewScorer(j.TaskType, (&labeling.Job{Labels: config.Labels}).LabelNames())
	var picture func(uri string) ([]byte, error)
	if j.TaskType.LabelIsFile() {
		left := int64(maxGoldPictures)
		picture = func(uri string) ([]byte, error) {
			p, err := e.read(ctx, b, j, "the label of a gold question", uri, left)
			left -= int64(len(p))
			return p, err
		}
	}
	questions, err := readGold(doc, g, scorer, picture)
	var unread *objectError
	var failed *failure
	switch {
	case errors.As(err, &unread), errors.As(err, &failed):
		return err
	case err != nil:
		return fail("The gold manifest %s cannot be used: %s.", g.ManifestS3Uri, fault.MessageOf(err))
	}
	if err := e.disguised(ctx, j, questions); err != nil {
		return err
	}
	if err := e.openable(ctx, b, j, questions); err != nil {
		return err
	}
	return e.Store.PutGold(ctx, h, questions)
}

// maxGoldPictures bounds the pictures that are the labels of a job's gold questions,
// in bytes of all together.
const maxGoldPictures = 16 << 20

// readGold takes the lines of a gold manifest apart. picture reads the picture that
// a label names; nil: labels are no pictures.
func readGold(doc []byte, g *labeling.Gold, scorer *quality.Scorer, picture func(uri string) ([]byte, error)) (out []GoldQuestion, err error) {
	refuse := func(n int, format string, args ...any) error {
		return fault.Newf("engine.gold", fault.Invalid, "line %d: %s", n, fmt.Sprintf(format, args...))
	}
	r := manifest.NewReader(bytes.NewReader(doc), g.LabelAttributeName)
	for {
		l, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		line, members, err := output.Without(l.Text, g.LabelAttributeName, g.LabelAttributeName+"-metadata")
		if err != nil {
			return nil, err
		}
		label := members[g.LabelAttributeName]
		if label == nil {
			return nil, refuse(int(l.Number), "it has no %s, which is its known answer", labeling.Quote(g.LabelAttributeName))
		}
		q := GoldQuestion{Line: line, Label: label, Metadata: members[g.LabelAttributeName+"-metadata"]}
		var uri string
		if picture != nil && json.Unmarshal(label, &uri) == nil {
			p, err := picture(uri)
			if err != nil {
				return nil, err
			}
			if q.Label, err = output.SegmentsOf(p, q.Metadata); err != nil {
				return nil, refuse(int(l.Number), "%s-metadata: %s", g.LabelAttributeName, err)
			}
		}
		if _, err := scorer.Label(q.Label, q.Metadata); err != nil {
			return nil, refuse(int(l.Number), "%s: %s", g.LabelAttributeName, err)
		}
		if out = append(out, q); len(out) > quality.MaxGold {
			return nil, fault.Newf("engine.gold", fault.Invalid, "it has more than %d lines", quality.MaxGold)
		}
	}
	if len(out) == 0 {
		return nil, fault.Newf("engine.gold", fault.Invalid, "it has no lines")
	}
	return out, nil
}

// disguised fails the job if a worker could tell a gold question by what is
// shown of its line.
func (e *Engine) disguised(ctx context.Context, j *labeling.Job, questions []GoldQuestion) error {
	lines := make([]json.RawMessage, len(questions))
	for i, q := range questions {
		lines[i] = q.Line
	}
	d := quality.NewDisguise(lines)
	if err := e.Store.Rows(ctx, j.ID, func(r Row) error {
		d.Line(r.Line)
		return nil
	}); err != nil {
		return err
	}
	for i, line := range lines {
		if tell, words := d.Tell(i+1, line, j.Quality.Gold.AcceptTells); tell != "" {
			return fail("Workers could tell gold questions from others (%s): %s. Mend the gold manifest %s, or put %q into Gold.AcceptTells.", tell, words, j.Quality.Gold.ManifestS3Uri, tell)
		}
	}
	return nil
}

// openable opens the data object of every gold question: one that cannot be
// seen would be wrong for everybody.
func (e *Engine) openable(ctx context.Context, b Bucket, j *labeling.Job, questions []GoldQuestion) error {
	for _, q := range questions {
		ref, source, err := labeling.SourceOf(q.Line)
		if err != nil || !ref {
			continue
		}
		where, err := labeling.ParseS3Object(source)
		if err != nil {
			return fail("%s", fault.MessageOf(err))
		}
		body, _, err := b.Get(ctx, where.Bucket, where.Key)
		if err != nil {
			return &objectError{j.RoleARN, "read", "the data object of a gold question", where, err}
		}
		if err := body.Close(); err != nil {
			return err
		}
	}
	return nil
}

// undecided takes the objects of a batch out of which another worker is to be
// asked: they are in no file, and no function hears of them.
func (e *Engine) undecided(ctx context.Context, j *labeling.Job, objects []labeling.Answered) (decided []labeling.Answered, again []labeling.Consolidated, err error) {
	if j.Quality == nil || j.Quality.Overlap == nil || j.Ending != "" || len(objects) == 0 {
		return objects, nil, nil
	}
	scorer := quality.NewScorer(j.TaskType, j.LabelNames())
	states, err := e.states(ctx, j, objects)
	if err != nil {
		return nil, nil, err
	}
	accuracy := func(worker string) float64 { return states[worker].Accuracy() }
	for _, o := range objects {
		if len(o.Answers) >= o.Wanted && len(o.Answers) < j.Human.Workers && scorer.Agree(o.Answers, accuracy) < j.Quality.Overlap.MinAgreement {
			again = append(again, labeling.Consolidated{Index: o.Index, Again: true})
		} else {
			decided = append(decided, o)
		}
	}
	return decided, again, nil
}

// scores are how far the answers to an object agree with its label.
func scores(j *labeling.Job, answers []labeling.Answer, r labeling.Consolidated) (out []labeling.Score) {
	if j.Quality == nil || r.Failure != "" {
		return nil
	}
	for k, score := range quality.NewScorer(j.TaskType, j.LabelNames()).Compare(r.Label, r.Metadata, answers) {
		out = append(out, labeling.Score{Worker: answers[k].Worker, Value: score})
	}
	return out
}

func (e *Engine) states(ctx context.Context, j *labeling.Job, objects []labeling.Answered) (map[string]*quality.State, error) {
	var workers []string
	seen := map[string]bool{}
	for _, o := range objects {
		for _, a := range o.Answers {
			if !seen[a.Worker] {
				seen[a.Worker] = true
				workers = append(workers, a.Worker)
			}
		}
	}
	return e.Store.States(ctx, j.ID, workers...)
}

// Quality reports on the quality control of a job; InUse if it has none.
func (e *Engine) Quality(ctx context.Context, name string) (*quality.Report, error) {
	j, err := e.controlled(ctx, name)
	if err != nil {
		return nil, err
	}
	return e.report(ctx, j)
}

func (e *Engine) controlled(ctx context.Context, name string) (*labeling.Job, error) {
	j, err := e.Store.Job(ctx, name)
	if err == nil && j.Quality == nil {
		err = fault.Newf("engine.Quality", fault.InUse, "The labeling job %s has no quality control: it was created without the tag %s.", labeling.Quote(j.Name), labeling.QualityTag)
	}
	return j, err
}

func (e *Engine) report(ctx context.Context, j *labeling.Job) (*quality.Report, error) {
	r := &quality.Report{LabelingJobName: j.Name, Config: j.Quality}
	states, err := e.Store.States(ctx, j.ID)
	if err != nil {
		return nil, err
	}
	barred, err := e.Store.Barred(ctx, j.ID, e.Now())
	if err != nil {
		return nil, err
	}
	if r.Actions, err = e.Store.Actions(ctx, j.ID); err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, a := range r.Actions {
		count[a.WorkerId]++
	}
	for worker, s := range states {
		w := quality.Of(worker, s)
		w.Actions = count[worker]
		if until, ok := barred[worker]; ok {
			w.Status = "Excluded"
			if until.Before(queue.Never) {
				w.Status, w.Until = "Paused", &until
			}
		}
		r.Workers = append(r.Workers, w)
	}
	r.Sort()
	questions, err := e.Store.GoldQuestions(ctx, j.ID)
	if err != nil {
		return nil, err
	}
	for i, q := range questions {
		g := quality.GoldReport{Line: int64(i + 1)}
		_, g.Source, _ = labeling.SourceOf(q.Line)
		if s := quality.ShareOf(q.Right, q.Asked); s != nil {
			g.Share = *s
		}
		r.Gold = append(r.Gold, g)
	}
	r.Answers, r.Discarded, err = e.Store.AnswerCounts(ctx, j.ID)
	return r, err
}

// Exclude keeps a worker from a job, on somebody's word. With requeue their
// answers are discarded too.
func (e *Engine) Exclude(ctx context.Context, name, worker string, requeue bool, reason, by string) error {
	j, err := e.controlled(ctx, name)
	if err != nil {
		return err
	}
	if j.Status.Ended() {
		return fault.Newf("engine.Exclude", fault.InUse, "The labeling job %s is %s.", labeling.Quote(j.Name), j.Status)
	}
	actions := []labeling.ActionType{labeling.ExcludeWorker}
	if requeue {
		actions = append(actions, labeling.RequeueAnswers)
	}
	for _, t := range actions {
		if err := e.noted(ctx, j, t, worker, reason, by); err != nil {
			return err
		}
	}
	return e.Queue.Bar(ctx, queue.Bar{Job: j.ID, Worker: worker, Until: queue.Never, Requeue: requeue})
}

// Admit lets a worker who was paused or excluded work on a job again. Answers
// that were discarded stay so: others have been asked.
func (e *Engine) Admit(ctx context.Context, name, worker, reason, by string) error {
	j, err := e.controlled(ctx, name)
	if err != nil {
		return err
	}
	barred, err := e.Store.Barred(ctx, j.ID, e.Now())
	if err != nil {
		return err
	}
	if _, ok := barred[worker]; !ok {
		return fault.Newf("engine.Admit", fault.InUse, "The worker %s is neither paused nor excluded in the labeling job %s.", worker, labeling.Quote(j.Name))
	}
	if err := e.noted(ctx, j, labeling.AdmitWorker, worker, reason, by); err != nil {
		return err
	}
	_, err = e.Queue.Admit(ctx, j.ID, worker)
	return err
}

// noted puts on record what somebody does who drives no job.
func (e *Engine) noted(ctx context.Context, j *labeling.Job, t labeling.ActionType, worker, reason, by string) error {
	a := quality.Acted{Time: e.Now(), Action: string(t), WorkerId: worker, Detail: reason, By: by}
	if err := e.acting(ctx, j, a); err != nil {
		return err
	}
	return e.Store.Acted(ctx, j.ID, a)
}

// writeReport leaves the report beside the other files of a job that ends.
func (e *Engine) writeReport(ctx context.Context, j *labeling.Job, t output.Tree) error {
	if j.Quality == nil {
		return nil
	}
	r, err := e.report(ctx, j)
	if err != nil {
		return err
	}
	doc, err := r.JSON()
	if err != nil {
		return err
	}
	b, err := e.bucket(ctx, j)
	if err != nil {
		return err
	}
	return e.write(ctx, b, j, t, t.QualityReport(), "application/json", doc)
}
