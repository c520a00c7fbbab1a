package output

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var pets = NewCategories([]string{"Cat", "Dog", "Bird"})

func TestClassAnswer(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     int
		err      string
	}{
		{"built-in template", `{"crowd-image-classifier":{"label":"Dog"}}`, 1, ""},
		{"any name, after other inputs", `{"comment":"nice","when":{"x":1},"my thing":{"label":"Bird","workerComment":"?"}}`, 2, ""},
		{"unknown label", `{"c":{"label":"dog"}}`, 0, `"dog" is not one of the job's label categories`},
		{"no label", `{"c":{"labels":["Dog"]}}`, 0, "no element with a label"},
		{"label of another kind", `{"c":{"label":3},"d":null}`, 0, "no element with a label"},
		{"empty form", `{}`, 0, "no element with a label"},
		{"no object", `["Dog"]`, 0, "not a JSON object"},
		{"nothing", ``, 0, "not a JSON object"},
	} {
		got, err := ClassAnswer(json.RawMessage(c.in), pets)
		if got != c.want || !says(err, c.err) {
			t.Errorf("%s: %d, %v", c.name, got, err)
		}
	}
}

func TestLabelsAnswer(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []int
		unknown  []string
		err      string
	}{
		{"several, each once", `{"x":{"labels":["Bird","Cat","Bird"]}}`, []int{2, 0}, nil, ""},
		{"none", `{"x":{"labels":[]}}`, []int{}, nil, ""},
		{"exclusion category", `{"x":{"labels":["None of these"]}}`, []int{}, nil, ""},
		{"a name that is no category beside one that is", `{"x":{"labels":["Cow","Dog"]}}`, []int{1}, []string{"Cow"}, ""},
		{"several names, none a category", `{"x":{"labels":["Cow","Pig"]}}`, nil, nil, `"Cow" to begin with`},
		{"not a list", `{"x":{"labels":"Cat"}}`, nil, nil, "no element with labels"},
		{"no object", `7`, nil, nil, "not a JSON object"},
	} {
		got, unknown, err := LabelsAnswer(json.RawMessage(c.in), pets)
		if diff := cmp.Diff([][]any{{c.want, c.unknown}}, [][]any{{got, unknown}}); diff != "" || !says(err, c.err) {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
}

func TestBoxAnswer(t *testing.T) {
	const size = `,"inputImageProperties":{"height":100,"width":200}}}`
	for _, c := range []struct {
		name, in string
		want     BoxesAnswer
		err      string
	}{
		{"as the built-in template names it", `{"boundingBox":{"boundingBoxes":[{"height":20,"label":"Dog","left":5,"top":6,"width":10}]` + size,
			BoxesAnswer{Boxes: []DrawnBox{{1, 5, 6, 10, 20}}, Width: 200, Height: 100}, ""},
		{"nothing to label", `{"annotatedResult":{"boundingBoxes":[]` + size, BoxesAnswer{Width: 200, Height: 100}, ""},
		{"cut to the image", `{"b":{"boundingBoxes":[{"height":500,"label":"Cat","left":-5.5,"top":90,"width":10.5}]` + size,
			BoxesAnswer{Boxes: []DrawnBox{{0, 0, 90, 5, 10}}, Width: 200, Height: 100}, ""},
		{"bad boxes leave the good one", `{"b":{"boundingBoxes":[{"height":1,"label":"Cow","left":1,"top":1,"width":1},{"height":1,"label":"Cat","left":300,"top":1,"width":1},{"height":-4,"label":"Cat","left":9,"top":9,"width":4},{"height":1,"label":"Cat","left":1,"top":1,"width":1}]` + size,
			BoxesAnswer{Boxes: []DrawnBox{{0, 1, 1, 1, 1}}, Width: 200, Height: 100,
				Dropped: []string{`box 1: "Cow" is not one of the job's label categories`, "box 2: it has no area inside the image", "box 3: it has no area inside the image"}}, ""},
		{"no image size", `{"b":{"boundingBoxes":[]}}`, BoxesAnswer{}, "image is 0 x 0 pixels"},
		{"absurd image size", `{"b":{"boundingBoxes":[],"inputImageProperties":{"height":1e300,"width":5}}}`, BoxesAnswer{}, "image is 5 x 1e+300 pixels"},
		{"boxes of another kind", `{"b":{"boundingBoxes":[[1,2,3,4]]` + size, BoxesAnswer{}, "no element with boundingBoxes"},
		{"too many", `{"b":{"boundingBoxes":[` + strings.Repeat(`{},`, MaxBoxes) + `{}]` + size, BoxesAnswer{}, "5001 boxes"},
		{"no object", `null`, BoxesAnswer{}, "not a JSON object"},
	} {
		got, err := BoxAnswer(json.RawMessage(c.in), pets)
		if diff := cmp.Diff(c.want, got); diff != "" || !says(err, c.err) {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
}

func says(err error, part string) bool {
	if part == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), part)
}

// Workers' browsers send what they like: extraction never fails otherwise
// than by its error, and what it returns holds what it promises.
func FuzzExtraction(f *testing.F) {
	for _, s := range []string{`{"a":{"label":"Cat"}}`, `{"a":{"labels":["Cat","x"]}}`, `{"a":{"boundingBoxes":[{"label":"Cat","left":-1,"top":1e308,"width":1e308,"height":5}],"inputImageProperties":{"width":10,"height":10}}}`, `{"a":`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if i, err := ClassAnswer(content, pets); err == nil && (i < 0 || i >= pets.Len()) {
			t.Fatalf("class %d", i)
		}
		picked, _, err := LabelsAnswer(content, pets)
		if err == nil && (picked == nil || len(picked) > pets.Len()) {
			t.Fatalf("labels %v", picked)
		}
		a, err := BoxAnswer(content, pets)
		if err != nil {
			return
		}
		for _, b := range a.Boxes {
			if !(b.Left >= 0 && b.Top >= 0 && b.Width > 0 && b.Height > 0 && b.Left+b.Width <= float64(a.Width)+1e-6 && b.Top+b.Height <= float64(a.Height)+1e-6) || math.IsNaN(b.Left) {
				t.Fatalf("box %+v outside %dx%d", b, a.Width, a.Height)
			}
		}
	})
}
