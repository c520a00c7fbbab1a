package quality

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// Version is that of the document.
const Version = "2026-11-01"

// Limits of a quality configuration.
const (
	MaxDocument = 64 << 10 // bytes
	MaxRules    = 20
	MaxWindow   = 200
	MaxGold     = 1000 // gold questions
	MaxOneIn    = 1000 // tasks
	MaxPause    = 30 * 24 * 60 * 60
	maxRun      = 10_000
	defaultOne  = 10
)

// windowed are the collectors that look at a window.
var windowed = []labeling.Collector{labeling.GoldAccuracy, labeling.Agreement, labeling.MedianSeconds}

var collectors = append(slices.Clone(windowed), labeling.AnswerSeconds, labeling.SkipsInARow, labeling.SameInARow)

var actions = []labeling.ActionType{labeling.PauseWorker, labeling.ExcludeWorker, labeling.RequeueAnswers, labeling.AnotherOpinion, labeling.Notify}

// Parse reads the quality configuration of a job. What is wrong is Invalid and
// names the member, as in Rules[2].Actions[0].Seconds.
func Parse(doc []byte, j *labeling.Job) (*labeling.Quality, error) {
	q, err := parse(doc, j)
	if err != nil {
		return nil, fault.Newf("quality.Parse", fault.Invalid, "%s", err)
	}
	return q, nil
}

func parse(doc []byte, j *labeling.Job) (*labeling.Quality, error) {
	if len(doc) > MaxDocument {
		return nil, fmt.Errorf("the document is longer than %d bytes", MaxDocument)
	}
	if doc = bytes.TrimPrefix(doc, []byte("\ufeff")); !utf8.Valid(doc) {
		return nil, fmt.Errorf("the document is not UTF-8")
	}
	top, err := object(doc, "", "Version", "Gold", "Overlap", "Rules")
	if err != nil {
		return nil, err
	}
	if v, err := text(top, "", "Version"); err != nil || v != Version {
		return nil, fmt.Errorf("%s: expected %q", "Version", Version)
	}
	q := &labeling.Quality{}
	if raw, ok := top["Gold"]; ok {
		if q.Gold, err = gold(raw, j); err != nil {
			return nil, err
		}
	}
	if raw, ok := top["Overlap"]; ok {
		if q.Overlap, err = overlap(raw, j); err != nil {
			return nil, err
		}
	}
	if raw, ok := top["Rules"]; ok {
		if q.Rules, err = rules(raw, q); err != nil {
			return nil, err
		}
	}
	if q.Gold == nil && q.Overlap == nil && len(q.Rules) == 0 {
		return nil, fmt.Errorf("expected at least one of Gold, Overlap and Rules")
	}
	return q, nil
}

func gold(raw json.RawMessage, j *labeling.Job) (*labeling.Gold, error) {
	m, err := object(raw, "Gold", "ManifestS3Uri", "LabelAttributeName", "OneTaskIn", "MinScore", "AcceptTells")
	if err != nil {
		return nil, err
	}
	g := &labeling.Gold{LabelAttributeName: j.LabelAttributeName, OneTaskIn: defaultOne, MinScore: minScore(j.TaskType)}
	if g.ManifestS3Uri, err = text(m, "Gold.", "ManifestS3Uri"); err != nil {
		return nil, err
	}
	if _, err := labeling.ParseS3Object(g.ManifestS3Uri); err != nil {
		return nil, fmt.Errorf("Gold.ManifestS3Uri: %s", fault.MessageOf(err))
	}
	if j.Input == labeling.FunctionInput {
		return nil, fmt.Errorf("Gold.ManifestS3Uri: the job has a pre-annotation function of its own, which gold questions do not go through; use a built-in one, or none")
	}
	if g.ManifestS3Uri == j.ManifestURI {
		return nil, fmt.Errorf("Gold.ManifestS3Uri: it is the job's input manifest; gold questions are further lines, which are in no output")
	}
	if _, ok := m["LabelAttributeName"]; ok {
		if g.LabelAttributeName, err = text(m, "Gold.", "LabelAttributeName"); err != nil {
			return nil, err
		}
	}
	if err := whole(m, "Gold.", "OneTaskIn", 2, MaxOneIn, &g.OneTaskIn); err != nil {
		return nil, err
	}
	if x, err := number(m, "Gold.", "MinScore", 0, 1); err != nil {
		return nil, err
	} else if x != nil {
		g.MinScore = *x
	}
	if raw, ok := m["AcceptTells"]; ok {
		if err := json.Unmarshal(raw, &g.AcceptTells); err != nil {
			return nil, fmt.Errorf("Gold.AcceptTells: expected a list of %s", listed(tells))
		}
		for i, t := range g.AcceptTells {
			if !slices.Contains(tells, t) {
				return nil, fmt.Errorf("Gold.AcceptTells[%d]: expected one of %s, not %s", i, listed(tells), labeling.Quote(t))
			}
		}
	}
	return g, nil
}

func overlap(raw json.RawMessage, j *labeling.Job) (*labeling.Overlap, error) {
	m, err := object(raw, "Overlap", "MinWorkers", "MinAgreement")
	if err != nil {
		return nil, err
	}
	o := &labeling.Overlap{}
	if j.Human.Workers < 2 {
		return nil, fmt.Errorf("%s: NumberOfHumanWorkersPerDataObject is %d, so that no other worker can be asked", "Overlap", j.Human.Workers)
	}
	if _, ok := m["MinWorkers"]; !ok {
		return nil, fmt.Errorf("Overlap.MinWorkers: is missing")
	}
	if err := whole(m, "Overlap.", "MinWorkers", 1, int64(j.Human.Workers-1), &o.MinWorkers); err != nil {
		return nil, fmt.Errorf("%w (NumberOfHumanWorkersPerDataObject is %d)", err, j.Human.Workers)
	}
	x, err := number(m, "Overlap.", "MinAgreement", 0, 1)
	if err == nil && x == nil {
		err = fmt.Errorf("Overlap.MinAgreement: is missing")
	}
	if err != nil {
		return nil, err
	}
	o.MinAgreement = *x
	return o, nil
}

func rules(raw json.RawMessage, q *labeling.Quality) ([]labeling.QualityRule, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 || len(list) > MaxRules {
		return nil, fmt.Errorf("%s: expected a list of 1 to %d rules", "Rules", MaxRules)
	}
	var out []labeling.QualityRule
	for i, raw := range list {
		path := fmt.Sprintf("Rules[%d]", i)
		r, err := rule(raw, path, q)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o labeling.QualityRule) bool { return o.Name == r.Name }) {
			return nil, fmt.Errorf("%s.Name: there are two rules named %s", path, labeling.Quote(r.Name))
		}
		out = append(out, r)
	}
	return out, nil
}

func rule(raw json.RawMessage, path string, q *labeling.Quality) (r labeling.QualityRule, err error) {
	m, err := object(raw, path, "Name", "Collector", "Window", "MinCount", "Below", "AtLeast", "Actions")
	if err != nil {
		return r, err
	}
	dot := path + "."
	if r.Name, err = text(m, dot, "Name"); err != nil {
		return r, err
	}
	if utf8.RuneCountInString(r.Name) > 64 {
		return r, fmt.Errorf("%sName: is longer than 64 characters", dot)
	}
	c, err := text(m, dot, "Collector")
	if err != nil {
		return r, err
	}
	r.Collector = labeling.Collector(c)
	switch {
	case !slices.Contains(collectors, r.Collector):
		return r, fmt.Errorf("%sCollector: expected one of %s, not %s", dot, listed(collectors), labeling.Quote(c))
	case r.Collector == labeling.GoldAccuracy && q.Gold == nil:
		return r, fmt.Errorf("%sCollector: GoldAccuracy needs Gold", dot)
	}
	if err := condition(m, dot, &r); err != nil {
		return r, err
	}
	return r, ruleActions(m, dot, &r, q)
}

// condition reads what a rule compares its collector with.
func condition(m map[string]json.RawMessage, dot string, r *labeling.QualityRule) (err error) {
	top := math.MaxFloat64
	below := true
	switch r.Collector {
	case labeling.GoldAccuracy, labeling.Agreement:
		top = 1
	case labeling.SkipsInARow, labeling.SameInARow:
		below = false
	}
	name, other := "Below", "AtLeast"
	if !below {
		name, other = other, name
	}
	if _, ok := m[other]; ok {
		return fmt.Errorf("%s%s: %s is compared by %s", dot, other, r.Collector, name)
	}
	if _, ok := m[name]; !ok {
		return fmt.Errorf("%s%s: is missing", dot, name)
	}
	if below {
		r.Below, err = number(m, dot, name, 0, top)
	} else {
		var n int
		err = whole(m, dot, name, 2, maxRun, &n)
		run := float64(n)
		r.AtLeast = &run
	}
	if err != nil {
		return err
	}
	if !slices.Contains(windowed, r.Collector) {
		for _, name := range []string{"Window", "MinCount"} {
			if _, ok := m[name]; ok {
				return fmt.Errorf("%s%s: %s has none", dot, name, r.Collector)
			}
		}
		return nil
	}
	r.Window = 20
	if err := whole(m, dot, "Window", 1, MaxWindow, &r.Window); err != nil {
		return err
	}
	r.MinCount = min(5, r.Window)
	return whole(m, dot, "MinCount", 1, int64(r.Window), &r.MinCount)
}

func ruleActions(m map[string]json.RawMessage, dot string, r *labeling.QualityRule, q *labeling.Quality) error {
	var list []json.RawMessage
	if err := json.Unmarshal(m["Actions"], &list); err != nil || len(list) == 0 || len(list) > len(actions) {
		return fmt.Errorf("%sActions: expected a list of 1 to %d actions", dot, len(actions))
	}
	for i, raw := range list {
		path := fmt.Sprintf("%sActions[%d]", dot, i)
		m, err := object(raw, path, "Type", "Seconds")
		if err != nil {
			return err
		}
		name, err := text(m, path+".", "Type")
		if err != nil {
			return err
		}
		a := labeling.QualityAction{Type: labeling.ActionType(name)}
		_, timed := m["Seconds"]
		switch {
		case !slices.Contains(actions, a.Type):
			return fmt.Errorf("%s.Type: expected one of %s, not %s", path, listed(actions), labeling.Quote(name))
		case slices.ContainsFunc(r.Actions, func(o labeling.QualityAction) bool { return o.Type == a.Type }):
			return fmt.Errorf("%s.Type: %s is there twice", path, a.Type)
		case timed != (a.Type == labeling.PauseWorker):
			return fmt.Errorf("%s.Seconds: PauseWorker needs it, and nothing else has it", path)
		case a.Type == labeling.AnotherOpinion && q.Overlap == nil:
			return fmt.Errorf("%s.Type: AnotherOpinion needs Overlap: without it every object has as many workers as the job asks for from the beginning", path)
		case a.Type == labeling.AnotherOpinion && r.Collector == labeling.SkipsInARow:
			return fmt.Errorf("%s.Type: AnotherOpinion is about an answer, and SkipsInARow is not", path)
		}
		if timed {
			var n int
			if err := whole(m, path+".", "Seconds", 1, MaxPause, &n); err != nil {
				return err
			}
			a.Seconds = int64(n)
		}
		r.Actions = append(r.Actions, a)
	}
	return nil
}

// object reads an object that has no members but these. Names are compared as
// they are written; encoding/json would take "gold" for "Gold".
func object(raw json.RawMessage, path string, names ...string) (map[string]json.RawMessage, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		if path == "" {
			return nil, fmt.Errorf("expected a JSON object with %s", listed(names))
		}
		return nil, fmt.Errorf("%s: expected an object with %s", path, listed(names))
	}
	if path != "" {
		path += "."
	}
	for name := range m {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%s%s: there is no such member; expected %s", path, short(name), listed(names))
		}
	}
	return m, nil
}

func short(s string) string {
	if r := []rune(s); len(r) > 64 {
		return string(r[:64]) + "…"
	}
	return s
}

func text(m map[string]json.RawMessage, path, name string) (s string, err error) {
	raw, ok := m[name]
	if !ok {
		return "", fmt.Errorf("%s%s: is missing", path, name)
	}
	if err := json.Unmarshal(raw, &s); err != nil || strings.TrimSpace(s) == "" || raw[0] != '"' {
		return "", fmt.Errorf("%s%s: expected a string that is not empty", path, name)
	}
	return s, nil
}

// number reads a number; nil if it is not there.
func number(m map[string]json.RawMessage, path, name string, low, top float64) (*float64, error) {
	raw, ok := m[name]
	if !ok {
		return nil, nil
	}
	var x *float64
	if err := json.Unmarshal(raw, &x); err != nil || x == nil || !(*x >= low && *x <= top) {
		if top == math.MaxFloat64 {
			return nil, fmt.Errorf("%s%s: expected a number from %g", path, name, low)
		}
		return nil, fmt.Errorf("%s%s: expected a number from %g to %g", path, name, low, top)
	}
	return x, nil
}

// whole reads a whole number; into stays as it is if it is not there.
func whole(m map[string]json.RawMessage, path, name string, low, top int64, into *int) error {
	raw, ok := m[name]
	if !ok {
		return nil
	}
	var n *int64
	if err := json.Unmarshal(raw, &n); err != nil || n == nil || *n < low || *n > top {
		return fmt.Errorf("%s%s: expected a whole number from %d to %d", path, name, low, top)
	}
	*into = int(*n)
	return nil
}

func listed[S ~string](names []S) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = string(n)
	}
	return strings.Join(parts, ", ")
}
