package texts

import (
	"math"
	"strings"
	"testing"
)

func TestConsolidate(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []string
		want    int
		low     float64 // confidence between
		high    float64
	}{
		{"nobody", nil, None, 0, 0},
		{"nobody wrote a word", []string{"", " … ", "?!"}, None, 0, 0},
		{"one", []string{"a cat on a mat"}, 0, 0, 0},
		{"garbage beside one", []string{"", "a cat on a mat", "!"}, 1, 0, 0},
		{"all alike but for case and punctuation", []string{"A cat, on a mat.", "a cat on a mat"}, 0, 1, 1},
		{"the one in the middle", []string{"cats are lying about", "a cat lies on the mat", "a cat lies on the red mat", "a black cat lies on the mat"}, 1, 0.3, 0.9},
		{"nothing in common: the first", []string{"yes", "no"}, 0, 0, 0},
		{"without spaces between words", []string{"彼は昨日来た", "彼は今日来た", "彼は昨日来ました"}, 0, 0.3, 0.9},
	} {
		got := Consolidate(c.answers)
		if got.Index != c.want || got.Confidence < c.low || got.Confidence > c.high || math.IsNaN(got.Confidence) {
			t.Errorf("%s: %+v, want %d with %.1f to %.1f", c.name, got, c.want, c.low, c.high)
		}
	}
}

func FuzzConsolidate(f *testing.F) {
	f.Add("a b c\x00a b\x00\xff")
	f.Fuzz(func(t *testing.T, all string) {
		answers := strings.Split(all, "\x00")
		if len(answers) > 9 {
			return
		}
		got := Consolidate(answers)
		if got.Index < None || got.Index >= len(answers) || !(got.Confidence >= 0 && got.Confidence <= 1+1e-9) {
			t.Fatalf("%+v of %q", got, answers)
		}
	})
}
