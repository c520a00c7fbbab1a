package annotate

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/consolidate/masks"
	"fiducial/internal/labeling/output"
)

// Band by band, masks become what they become at once, packed or not.
func TestBandsAreTheWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		width, height, band int
		noise               int // one pixel of so many is any class
	}{{150, 140, 1500, 50}, {300, 240, 10_000, 2}, {3, 5, 1, 2}, {97, 31, 96, 40}, {40, 40, 1 << 20, 5}} {
		var all []packed
		var whole []masks.Mask
		for range 3 {
			pixels := make([]uint8, c.width*c.height)
			for i := range pixels {
				if pixels[i] = uint8(i / c.width / 37 % 3); random.IntN(c.noise) == 0 {
					pixels[i] = uint8(random.IntN(4))
				}
			}
			whole = append(whole, masks.Mask{Width: c.width, Height: c.height, Pixels: pixels})
			all = append(all, pack(output.Segments{Width: c.width, Height: c.height, Pixels: pixels}))
		}
		want := masks.Consolidate(whole)
		got, sure := decide(all, c.band)
		if !bytes.Equal(want.Pixels, got) {
			t.Errorf("%d x %d: band by band it is another mask", c.width, c.height)
		}
		agreed := 0
		for i, class := range got {
			for _, m := range whole {
				if m.Pixels[i] == class {
					agreed++
				}
			}
		}
		if mean := float64(agreed) / float64(3*len(got)); mean != sure {
			t.Errorf("%d x %d: confidence %v, want %v", c.width, c.height, sure, mean)
		}
	}
}

func maskAnswer(width, height int, index uint8) string {
	img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.White, color.RGBA{1, 2, 3, 255}})
	img.SetColorIndex(0, 0, index)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"m":{"labeledImage":{"pngImageData":"%s"},"labelMappings":{"cat":{"color":"#010203"}}}}`, base64.StdEncoding.EncodeToString(b.Bytes()))
}

// An answer of no use costs nobody the others; where all are, the reasons are said.
func TestSegmentsOfAnswers(t *testing.T) {
	tree, err := output.NewTree("s3://out/x", "j")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{TaskType: labeling.SemanticSegmentation, Labels: []labeling.Label{{Name: "cat"}}, Tree: tree})
	first := by(`{}`, maskAnswer(9, 9, 1), maskAnswer(2, 1, 1), maskAnswer(2, 1, 1))
	first.Index = 7
	s.Add(first)
	s.Add(by(`{}`, `{"m":{"labeledImage":{"pngImageData":"AAAA"}}}`))
	var got []Result
	if err := s.Annotate(output.Stamp{Job: "j", Created: time.Unix(0, 0)}, func(_ int, r Result) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	const key = "x/j/annotations/consolidated-annotation/output/7_1970-01-01T00:00:00.000000.png"
	if string(got[0].Label) != `"s3://out/`+key+`"` || got[0].Picture == nil || got[0].Picture.Key != key || !strings.Contains(string(got[0].Metadata), `"1":{"class-name":"cat","hex-color":"#010203","confidence":1}`) {
		t.Errorf("got %s, %s, %+v", got[0].Label, got[0].Metadata, got[0].Picture)
	}
	img, err := png.Decode(bytes.NewReader(got[0].Picture.PNG))
	if err != nil || img.Bounds() != image.Rect(0, 0, 2, 1) || img.(*image.Paletted).ColorIndexAt(0, 0) != 1 {
		t.Errorf("the picture is %v, %v", img, err)
	}
	if want := "No worker's answer could be used: the answer has no element with a labeledImage; its pngImageData is not a PNG."; got[1].Failure != want || got[1].Label != nil || got[1].Picture != nil {
		t.Errorf("got %+v, want %s", got[1], want)
	}
}

// The other types, by their labels.
func TestNewTypesOfAnswers(t *testing.T) {
	box := func(left int, more string) string {
		return fmt.Sprintf(`{"b":{"boundingBoxes":[{"label":"dog","left":%d,"top":2,"width":10,"height":10}],"inputImageProperties":{"width":100,"height":80}%s}}`, left, more)
	}
	const untouched, changed = `,"initialValueModified":false`, `,"initialValueModified":true`
	status := func(answers ...string) string {
		s := newSet(labeling.ObjectDetectionAdjustment, classes.DawidSkene, "cat", "dog")
		s.Add(by(answers...))
		out := ""
		if err := s.Annotate(output.Stamp{Job: "j"}, func(_ int, r Result) error { out = string(r.Metadata); return nil }); err != nil {
			t.Fatal(err)
		}
		_, out, _ = strings.Cut(out, `"adjustment-status":`)
		return out
	}
	for _, c := range []struct {
		answers []string
		want    string
	}{
		{[]string{box(5, untouched), box(5, untouched)}, `"unadjusted"}`},
		{[]string{box(5, untouched), box(9, changed)}, `"adjusted"}`},
		{[]string{box(5, "")}, `"adjusted"}`}, // it came without an initial value
		{[]string{box(5, untouched), `{}`}, `"unadjusted"}`},
	} {
		if got := status(c.answers...); got != c.want {
			t.Errorf("%v: %s, want %s", c.answers, got, c.want)
		}
	}
	s := newSet(labeling.NamedEntityRecognition, classes.Majority, "person", "place")
	s.Add(by(`{"e":{"entities":[{"startOffset":0,"endOffset":3,"label":"person"},{"startOffset":8,"endOffset":40,"label":"person"}]}}`))
	s.Add(by(`{"e":{"entities":[]}}`))
	s.Add(by(`{"e":1}`))
	const labels = `{"annotations":{"labels":[{"label":"person"},{"label":"place"}],"entities":`
	if d := cmp.Diff([]string{labels + `[{"label":"person","startOffset":0,"endOffset":3}]}}`, labels + `[]}}`, "No worker's answer could be used: the answer has no element with entities."}, made(t, s)); d != "" {
		t.Error(d)
	}
	v := newSet(labeling.ObjectDetectionVerification, classes.Majority, "good", "bad")
	v.Add(by(`{"c":{"label":"bad","workerComment":"x"}}`))
	v.Add(by(`{"c":{"label":"dog"}}`))
	if d := cmp.Diff([]string{"1", `No worker's answer could be used: "dog" is not one of the job's label categories.`}, made(t, v)); d != "" {
		t.Error(d)
	}
}
