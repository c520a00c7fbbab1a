package annotate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/output"
)

// by are answers of several workers, w0 first, to an object with the text "source".
func by(contents ...string) labeling.Answered {
	out := labeling.Answered{DataObject: labeling.DataObject{Line: []byte(`{"source":"Ann saw Bob."}`)}}
	for i, c := range contents {
		out.Answers = append(out.Answers, labeling.Answer{Worker: fmt.Sprint("w", i), Content: json.RawMessage(c)})
	}
	return out
}

func newSet(t labeling.TaskType, m classes.Method, names ...string) *Set {
	o := Options{TaskType: t, Method: m}
	for _, n := range names {
		o.Labels = append(o.Labels, labeling.Label{Name: n})
	}
	return New(o)
}

// made is an object's label, or why it has none.
func made(t *testing.T, s *Set) []string {
	t.Helper()
	var out []string
	err := s.Annotate(output.Stamp{Job: "j", Created: time.Unix(0, 0)}, func(i int, r Result) error {
		if i != len(out) {
			t.Errorf("object %d comes as number %d", i, len(out))
		}
		if (r.Label == nil) != (r.Failure != "") || r.Metadata == nil {
			t.Errorf("object %d: %+v", i, r)
		}
		out = append(out, string(r.Label)+r.Failure)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLabelsOfAnswers(t *testing.T) {
	names := []string{"cat", "dog"}
	boxed := func(w, h, left int) string {
		return fmt.Sprintf(`{"b":{"boundingBoxes":[{"label":"dog","left":%d,"top":2,"width":10,"height":10}],"inputImageProperties":{"width":%d,"height":%d}}}`, left, w, h)
	}
	for _, c := range []struct {
		name     string
		taskType labeling.TaskType
		objects  []labeling.Answered
		want     []string
	}{
		{"one category", labeling.TextClassification, []labeling.Answered{by(`{"c":{"label":"dog"}}`, `{"c":{"label":"dog"}}`, `{"c":{"label":"cat"}}`), by(`{"c":{"label":"cow"}}`, `{}`), by(`{"c":{"label":"cow"}}`, `{"c":{"label":"cat"}}`)},
			[]string{"1", `No worker's answer could be used: "cow" is not one of the job's label categories; the answer has no element with a label.`, "0"}},
		{"several", labeling.ImageClassificationMultiLabel, []labeling.Answered{by(`{"c":{"labels":["dog"]}}`, `{"c":{"labels":["dog","cat"]}}`), by(`{"c":{"labels":[]}}`), by(`{"c":1}`)},
			[]string{"[1,0]", "[]", "No worker's answer could be used: the answer has no element with labels."}},
		{"boxes; who saw an image of another size does not count, not even as the first", labeling.ObjectDetection,
			[]labeling.Answered{by(boxed(900, 900, 700), boxed(100, 80, 5), boxed(100, 80, 7)), by(`{"b":{}}`)},
			[]string{`{"image_size":[{"width":100,"height":80,"depth":3}],"annotations":[{"class_id":1,"left":6,"top":2,"width":10,"height":10}]}`,
				"No worker's answer could be used: the answer has no element with boundingBoxes."}},
		{"custom: all of them", labeling.Custom, []labeling.Answered{by(`{"a":1}`)}, []string{`{"annotationsFromAllWorkers":[{"workerId":"w0","annotationData":{"content":"{\"a\":1}"}}]}`}},
	} {
		s := newSet(c.taskType, classes.DawidSkene, names...)
		for i, answers := range c.objects {
			if n := s.Add(answers); n != i {
				t.Errorf("%s: object %d has number %d", c.name, i, n)
			}
		}
		if diff := cmp.Diff(c.want, made(t, s)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.name, diff)
		}
	}
}

// Where two are right, two wrong and one guesses, methods differ.
func TestMethodIsTheOneAskedFor(t *testing.T) {
	got := map[classes.Method]string{}
	for _, m := range []classes.Method{classes.Majority, classes.DawidSkene} {
		s := newSet(labeling.TextClassification, m, "cat", "dog")
		for i := range 60 {
			right, wrong := []string{"cat", "dog"}[i%2], []string{"dog", "cat"}[i%2]
			guess := []string{"cat", "dog"}[i/7%2]
			answer := func(l string) string { return `{"c":{"label":"` + l + `"}}` }
			s.Add(by(answer(right), answer(right), answer(wrong), answer(wrong), answer(guess)))
		}
		got[m] = strings.Join(made(t, s), "")
	}
	if got[classes.Majority] == got[classes.DawidSkene] {
		t.Errorf("both methods: %s", got[classes.Majority])
	}
}
