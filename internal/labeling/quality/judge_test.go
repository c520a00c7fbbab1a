package quality

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/output"
)

func ptr(x float64) *float64 { return &x }

// facts reads a word for each fact: g gold right, b gold wrong, s skip,
// a<seconds>/<digest> an answer, c<score> a comparison.
func facts(words string) (out []Fact) {
	for i, w := range strings.Fields(words) {
		f := Fact{Kind: Answered, Worker: "w", Index: int64(i), Seconds: 30, Digest: fmt.Sprint(i)}
		switch w[0] {
		case 'g', 'b':
			f.Index, f.Right = -1, w[0] == 'g'
		case 's':
			f.Kind = Skipped
		case 'c':
			f.Kind = Compared
			_, _ = fmt.Sscan(w[1:], &f.Score)
		case 'a':
			seconds, digest, _ := strings.Cut(w[1:], "/")
			_, _ = fmt.Sscan(seconds, &f.Seconds)
			if digest != "" {
				f.Digest = digest
			}
		}
		out = append(out, f)
	}
	return out
}

// Each rule acts at the facts whose places are listed, and nowhere else.
func TestRulesAct(t *testing.T) {
	for _, c := range []struct {
		name  string
		rule  labeling.QualityRule
		facts string
		want  []int
	}{
		{"gold accuracy, not before it has enough", labeling.QualityRule{Collector: labeling.GoldAccuracy, Window: 4, MinCount: 3, Below: ptr(0.6)}, "b b a9 b g g g g", []int{3}},
		{"gold accuracy looks at the window alone", labeling.QualityRule{Collector: labeling.GoldAccuracy, Window: 3, MinCount: 3, Below: ptr(0.5)}, "g g g g g g g b b", []int{8}},
		{"exactly at the bound is not below", labeling.QualityRule{Collector: labeling.GoldAccuracy, Window: 4, MinCount: 4, Below: ptr(0.5)}, "g g b b b", []int{4}},
		{"it counts anew after it acted", labeling.QualityRule{Collector: labeling.GoldAccuracy, Window: 4, MinCount: 2, Below: ptr(0.6)}, "b b b b g g", []int{1, 3}},
		{"ordinary answers are no gold", labeling.QualityRule{Collector: labeling.GoldAccuracy, Window: 2, MinCount: 1, Below: ptr(1)}, "a9 c0 s", nil},
		{"agreement", labeling.QualityRule{Collector: labeling.Agreement, Window: 3, MinCount: 2, Below: ptr(0.5)}, "c1 a9 c0.2 c0.1 c0", []int{3}},
		{"median, which one slow answer does not lift", labeling.QualityRule{Collector: labeling.MedianSeconds, Window: 5, MinCount: 5, Below: ptr(3)}, "a1 a2 a900 a2 a1 a1", []int{4}},
		{"median of slow answers", labeling.QualityRule{Collector: labeling.MedianSeconds, Window: 3, MinCount: 2, Below: ptr(3)}, "a3 a4 a3", nil},
		{"one answer too fast, each time", labeling.QualityRule{Collector: labeling.AnswerSeconds, Below: ptr(1)}, "a0.5 a1 a0.9", []int{0, 2}},
		{"skips in a row", labeling.QualityRule{Collector: labeling.SkipsInARow, AtLeast: ptr(3)}, "s s a9 s s s s", []int{5}},
		{"comparisons do not end a run of skips", labeling.QualityRule{Collector: labeling.SkipsInARow, AtLeast: ptr(2)}, "s c1 s", []int{2}},
		{"same answers in a row", labeling.QualityRule{Collector: labeling.SameInARow, AtLeast: ptr(3)}, "a9/x a9/x a9/y a9/x a9/x a9/x a9/x a9/x a9/x", []int{5, 8}},
	} {
		c.rule.Name, c.rule.Actions = "r", []labeling.QualityAction{{Type: labeling.PauseWorker, Seconds: 60}, {Type: labeling.Notify}}
		s := &State{}
		var got []int
		for i, f := range facts(c.facts) {
			d := Judge([]labeling.QualityRule{c.rule}, s, f)
			if len(d) == 0 {
				continue
			}
			got = append(got, i)
			if len(d) != 2 || d[0].Action.Type != labeling.PauseWorker || d[0].Action.Seconds != 60 || d[1].Action.Type != labeling.Notify || d[0].Worker != "w" || d[0].Index != f.Index {
				t.Errorf("%s: %+v", c.name, d)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: acts at %v, want %v", c.name, got, c.want)
		}
	}
}

// Two rules about one collector do not disturb each other: one that warns early
// must not keep one that excludes from ever counting that far.
func TestRulesDoNotDisturbEachOther(t *testing.T) {
	rule := func(name string, n float64, c labeling.Collector) labeling.QualityRule {
		return labeling.QualityRule{Name: name, Collector: c, AtLeast: ptr(n), Actions: []labeling.QualityAction{{Type: labeling.Notify}}}
	}
	s, got := &State{}, ""
	rules := []labeling.QualityRule{rule("warn", 2, labeling.SameInARow), rule("exclude", 5, labeling.SameInARow)}
	for range 6 {
		for _, d := range Judge(rules, s, Fact{Kind: Answered, Digest: "x"}) {
			got += fmt.Sprintf("%s at %d; ", d.Rule, d.Count)
		}
	}
	if want := "warn at 2; warn at 4; exclude at 5; warn at 6; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What is kept of a worker does not grow with what they do, and survives being
// written and read.
func TestStateIsBounded(t *testing.T) {
	s := &State{}
	for i := range 5000 {
		s.Observe(Fact{Kind: Answered, Index: -1, Right: i%2 == 0, Seconds: 123.456789, Digest: "0123456789abcdef"})
		s.Observe(Fact{Kind: Compared, Score: 1.0 / 3})
	}
	b, err := json.Marshal(s)
	if err != nil || len(b) > 16<<10 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	var again State
	if err := json.Unmarshal(b, &again); err != nil || again.GoldAsked != 5000 || again.GoldRight != 2500 || len(again.Gold) != MaxWindow {
		t.Errorf("%v %+v", err, again)
	}
}

// marked is the label, and an answer as well, of entities such as "dog 5 9".
func marked(entities ...string) string {
	list := []string{}
	for _, e := range entities {
		var label string
		var start, end int
		_, _ = fmt.Sscan(e, &label, &start, &end)
		list = append(list, fmt.Sprintf(`{"label":"%s","startOffset":%d,"endOffset":%d}`, label, start, end))
	}
	return `{"annotations":{"entities":[` + strings.Join(list, ",") + `]}}`
}

// painted is an answer whose picture has rows of digits: 0 nothing, 1 the first of
// the job's categories.
func painted(t *testing.T, rows ...string) string {
	t.Helper()
	picture, metadata := drawn(t, rows...)
	answer, err := output.SegmentsOf(picture, metadata)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// drawn is the label of such an answer: the picture and its metadata.
func drawn(t *testing.T, rows ...string) (picture []byte, metadata json.RawMessage) {
	t.Helper()
	var pixels []uint8
	for _, c := range []byte(strings.Join(rows, "")) {
		pixels = append(pixels, c-'0')
	}
	names := []string{"cat", "dog", "owl"}
	colors := output.Palette(len(names))
	picture, err := output.SegmentsPNG(len(rows[0]), len(rows), pixels, colors)
	if err != nil {
		t.Fatal(err)
	}
	a, err := output.Segmentation(labeling.SemanticSegmentation, output.Stamp{}, "s3://out/label.png", output.NewCategories(names), colors, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	return picture, a.Metadata
}

// A mask is small and tells the same as its pixels, however it is painted.
func TestMasks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const width, height = 60, 40
	noise := func(classes, run int) []uint8 {
		pixels := make([]uint8, width*height)
		for i := range pixels {
			if pixels[i] = uint8(r.IntN(classes)); i > 0 && r.IntN(run) > 0 {
				pixels[i] = pixels[i-1]
			}
		}
		return pixels
	}
	for range 200 {
		a, b := noise(1+r.IntN(4), 1+r.IntN(300)), noise(1+r.IntN(4), 1+r.IntN(300))
		if n := len(newMask(width, height, a).runs); n > 2*len(a) {
			t.Fatalf("%d pixels take %d bytes", len(a), n)
		}
		var both, either [4]float64
		for i := range a {
			for c := range both {
				in, on := int(a[i]) == c, int(b[i]) == c
				if in && on {
					both[c]++
				}
				if in || on {
					either[c]++
				}
			}
		}
		want, n := 0.0, 0.0
		for c := 1; c < len(either); c++ {
			if either[c] > 0 {
				want, n = want+both[c]/either[c], n+1
			}
		}
		if want /= n; n == 0 {
			want = 1
		}
		if got := newMask(width, height, a).alike(newMask(width, height, b)); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	if n := len(newMask(1_000, 1_000, make([]uint8, 1_000_000)).runs); n > 8 {
		t.Errorf("an empty picture takes %d bytes", n)
	}
}

func TestScores(t *testing.T) {
	names := []string{"cat", "dog", "owl"}
	box := func(label string, left int) string {
		return fmt.Sprintf(`{"b":{"boundingBoxes":[{"label":"%s","left":%d,"top":0,"width":10,"height":10}],"inputImageProperties":{"width":100,"height":100}}}`, label, left)
	}
	for _, c := range []struct {
		name            string
		t               labeling.TaskType
		label, metadata string
		answer          string
		want            float64
	}{
		{"class", labeling.TextClassification, `1`, ``, `{"c":{"label":"dog"}}`, 1},
		{"the name counts more than the number of another job's file", labeling.TextClassification, `0`, `{"class-name":"dog"}`, `{"c":{"label":"dog"}}`, 1},
		{"named directly", labeling.ImageClassification, `"dog"`, ``, `{"c":{"label":"cat"}}`, 0},
		{"no answer of use", labeling.ImageClassification, `"dog"`, ``, `{"c":7}`, 0},
		{"several", labeling.TextClassificationMultiLabel, `[0,1]`, ``, `{"c":{"labels":["dog","owl"]}}`, 1.0 / 3},
		{"several, by the class map", labeling.TextClassificationMultiLabel, `[0,1]`, `{"class-map":{"0":"dog","1":"owl"}}`, `{"c":{"labels":["owl","dog"]}}`, 1},
		{"none", labeling.TextClassificationMultiLabel, `[]`, ``, `{"c":{"labels":[]}}`, 1},
		{"boxes", labeling.ObjectDetection, `{"annotations":[{"class_id":1,"left":5,"top":0,"width":10,"height":10}]}`, ``, box("dog", 0), 1.0 / 3},
		{"boxes of another class", labeling.ObjectDetection, `{"annotations":[{"class_id":1,"left":0,"top":0,"width":10,"height":10}]}`, ``, box("cat", 0), 0},
		{"nothing there", labeling.ObjectDetection, `{"annotations":[]}`, ``, `{"b":{"boundingBoxes":[],"inputImageProperties":{"width":9,"height":9}}}`, 1},
		{"mended boxes", labeling.ObjectDetectionAdjustment, `{"annotations":[{"class_id":1,"left":5,"top":0,"width":10,"height":10}]}`, ``, box("dog", 0), 1.0 / 3},
		{"boxes, known from an answer", labeling.ObjectDetectionAdjustment, box("dog", 5), ``, box("dog", 0), 1.0 / 3},
		{"video", labeling.VideoClassification, `0`, `{"class-name":"owl"}`, `{"c":{"label":"owl"}}`, 1},
		{"verdict", labeling.ObjectDetectionVerification, `1`, ``, `{"c":{"label":"dog"},"comment":"x"}`, 1},
		{"another verdict, known from an answer", labeling.SemanticSegmentationVerification, `{"v":{"label":"cat"}}`, ``, `{"c":{"label":"dog"}}`, 0},
		{"entities", labeling.NamedEntityRecognition, marked("cat 0 3", "dog 5 9", "dog 12 15"), ``, marked("dog 5 9", "cat 0 4", "dog 12 15", "dog 12 15", "cow 0 3"), 2.0 * 2 / 6},
		{"an entity of another category", labeling.NamedEntityRecognition, marked("cat 0 3"), ``, marked("dog 0 3"), 0},
		{"no entities", labeling.NamedEntityRecognition, marked(), ``, marked(), 1},
		{"entities where there are none", labeling.NamedEntityRecognition, marked(), ``, marked("dog 0 3"), 0},
		{"segments", labeling.SemanticSegmentation, painted(t, "1122", "1100"), ``, painted(t, "1120", "1100"), (1 + 1.0/2) / 2},
		{"a category that one alone painted", labeling.SemanticSegmentationAdjustment, painted(t, "1100"), ``, painted(t, "1103"), 1.0 / 2},
		{"nothing painted", labeling.SemanticSegmentation, painted(t, "00", "00"), ``, painted(t, "00", "00"), 1},
		{"another picture", labeling.SemanticSegmentation, painted(t, "11", "11"), ``, painted(t, "1111"), 0},
		{"no picture", labeling.SemanticSegmentation, painted(t, "11", "11"), ``, `{"s":{"labeledImage":{"pngImageData":"AAAA"},"labelMappings":{}}}`, 0},
		{"custom", labeling.Custom, `{"a":{"x":1,"y":2},"b":1}`, ``, `{"b":2,"a":{"y":2,"x":1},"c":0}`, 1.0 / 3},
	} {
		s := NewScorer(c.t, names)
		k, err := s.Label(json.RawMessage(c.label), json.RawMessage(c.metadata))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.Score(k, json.RawMessage(c.answer)); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		t           labeling.TaskType
		label, want string
	}{
		{labeling.TextClassification, `3`, "number from 0 to 2"}, {labeling.TextClassification, `-1`, "number from 0 to 2"},
		{labeling.TextClassification, `"cow"`, "not one of the job's label categories"}, {labeling.TextClassification, `{}`, "expected the name"},
		{labeling.TextClassificationMultiLabel, `1`, "expected a list"}, {labeling.ObjectDetection, `[]`, `expected {"annotations"`},
		{labeling.NamedEntityRecognition, `[]`, `expected {"annotations": {"entities"`}, {labeling.NamedEntityRecognition, `{"annotations":{"labels":[]}}`, `expected {"annotations": {"entities"`},
		{labeling.SemanticSegmentation, `"s3://bucket/label.png"`, "expected the S3 URI of a picture of segments, or an answer"}, {labeling.VideoClassification, `"cow"`, "not one of the job's label categories"},
		{labeling.ObjectDetectionVerification, `9`, "number from 0 to 2"},
		{labeling.ObjectDetection, `{"annotations":[{"class_id":1}]}`, "box 1 has no area"}, {labeling.Custom, `7`, "expected an answer"},
	} {
		if _, err := NewScorer(c.t, names).Label(json.RawMessage(c.label), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %s", c.t, c.label, err, c.want)
		}
	}
}

// A worker of a custom task, whose label is a list of all answers, is compared
// with the others; a rule about agreement would exclude everybody otherwise.
func TestCompare(t *testing.T) {
	by := func(answers ...string) (out []labeling.Answer) {
		for _, a := range answers {
			out = append(out, labeling.Answer{Content: json.RawMessage(a)})
		}
		return out
	}
	for _, c := range []struct {
		name    string
		t       labeling.TaskType
		label   string
		answers []labeling.Answer
		want    string
	}{
		{"custom", labeling.Custom, `{"annotationsFromAllWorkers":[]}`, by(`{"x":1}`, `{"x":1}`, `{"x":2}`), "[0.5 0.5 0]"},
		{"segments, whose label is a file", labeling.SemanticSegmentation, `"s3://out/label.png"`, by(painted(t, "11"), painted(t, "11"), painted(t, "10"), `{}`), "[0.5 0.5 0.3333333333333333 0]"},
		{"entities", labeling.NamedEntityRecognition, marked("dog 1 2"), by(marked("dog 1 2"), marked()), "[1 0]"},
		{"verdict", labeling.SemanticSegmentationVerification, `1`, by(`{"c":{"label":"dog"}}`, `{"c":{"label":"cat"}}`), "[1 0]"},
		{"class", labeling.TextClassification, `1`, by(`{"c":{"label":"dog"}}`, `{"c":{"label":"cat"}}`, `{}`), "[1 0 0]"},
		{"a lone answer", labeling.TextClassification, `1`, by(`{"c":{"label":"dog"}}`), "[]"},
		{"no label", labeling.TextClassification, ``, by(`{}`, `{}`), "[]"},
	} {
		got := NewScorer(c.t, []string{"cat", "dog"}).Compare(json.RawMessage(c.label), nil, c.answers)
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

func TestAgree(t *testing.T) {
	by := func(answers ...string) (out []labeling.Answer) {
		for i, a := range answers {
			out = append(out, labeling.Answer{Worker: fmt.Sprint(i), Content: json.RawMessage(a)})
		}
		return out
	}
	class := func(l string) string { return `{"c":{"label":"` + l + `"}}` }
	abc := strings.NewReplacer(`"cat":`, `"a":`, `"dog":`, `"b":`, `"owl":`, `"c":`).Replace
	sure := func(a ...float64) func(string) float64 {
		return func(w string) float64 { return a[int(w[0]-'0')] }
	}
	for _, c := range []struct {
		name     string
		t        labeling.TaskType
		answers  []labeling.Answer
		accuracy func(string) float64
		want     float64
	}{
		{"two who agree", labeling.TextClassification, by(class("a"), class("a")), sure(0.8, 0.8), 0.64 / (0.64 + 2*0.01)},
		{"two who do not", labeling.TextClassification, by(class("a"), class("b")), sure(0.8, 0.8), 0.08 / (0.08 + 0.08 + 0.01)},
		{"who guesses adds nothing", labeling.TextClassification, by(class("a"), class("b")), sure(0.8, 0), 0.8},
		{"a lone answer is as sure as its worker", labeling.TextClassification, by(class("a")), sure(0.7), 0.7},
		{"one that cannot be used", labeling.TextClassification, by(class("a"), `{}`), sure(0.7, 0.9), 0.7},
		{"none that can", labeling.TextClassification, by(`{}`), sure(0.7), 0},
		{"selections", labeling.TextClassificationMultiLabel, by(`{"c":{"labels":["a","b"]}}`, `{"c":{"labels":["a"]}}`, `{"c":{"labels":["a"]}}`), nil, (0.5 + 0.5 + 1) / 3},
		{"a lone selection", labeling.TextClassificationMultiLabel, by(`{"c":{"labels":["a"]}}`), nil, 0},
		{"custom", labeling.Custom, by(`{"x":1}`, `{"x":1}`, `{"x":2}`), nil, 1.0 / 3},
		{"verdicts", labeling.ObjectDetectionVerification, by(class("a"), class("b")), sure(0.8, 0.8), 0.08 / (0.08 + 0.08 + 0.01)},
		{"video", labeling.VideoClassification, by(class("a")), sure(0.7), 0.7},
		{"segments", labeling.SemanticSegmentation, by(abc(painted(t, "11")), abc(painted(t, "11")), abc(painted(t, "10"))), nil, (1 + 0.5 + 0.5) / 3},
		{"entities", labeling.NamedEntityRecognition, by(`{"e":{"entities":[{"label":"a","startOffset":0,"endOffset":2}]}}`, `{"e":{"entities":[]}}`), nil, 0},
	} {
		if got := NewScorer(c.t, []string{"a", "b", "c"}).Agree(c.answers, c.accuracy); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
