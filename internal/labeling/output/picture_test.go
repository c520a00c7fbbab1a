package output

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var catDog = NewCategories([]string{"cat", "dog"})

func encoded(t testing.TB, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func segmentsJSON(data, mappings, more string) json.RawMessage {
	return json.RawMessage(`{"x":1,"s":{"labeledImage":{"pngImageData":"` + data + `"},"labelMappings":` + mappings + more + `}}`)
}

const bothColors = `{"dog":{"color":"#FF0000"},"cat":{"color":"#0000ff"},"cow":{"color":"#00ff00"}}`

// Whatever way a picture holds its colours, they mean the same classes; colours
// without a category, and what is see-through, are nothing.
func TestSegmentsAnswer(t *testing.T) {
	colors := []color.Color{color.RGBA{0, 0, 255, 255}, color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{255, 255, 255, 255}}
	rect := image.Rect(0, 0, 2, 2)
	paletted, rgba, nrgba := image.NewPaletted(rect, color.Palette{colors[3], colors[2], colors[0], colors[1]}), image.NewRGBA(rect), image.NewNRGBA(rect)
	for i, c := range colors {
		for _, img := range []interface{ Set(x, y int, c color.Color) }{paletted, rgba, nrgba} {
			img.Set(i%2, i/2, c)
		}
	}
	nrgba.Set(1, 1, color.NRGBA{255, 0, 0, 100})
	for name, img := range map[string]image.Image{"palette": paletted, "true colour": rgba, "with alpha": nrgba} {
		s, err := SegmentsAnswer(segmentsJSON(encoded(t, img), bothColors, `,"inputImageProperties":{"width":2,"height":2},"initialValueModified":false`), catDog)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := Segments{Width: 2, Height: 2, Pixels: []uint8{1, 2, 0, 0}, Colors: map[int]string{0: "#0000ff", 1: "#ff0000"}, Untouched: true}
		if d := cmp.Diff(want, s); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

// header is a PNG that claims a size and has no pixels.
func header(width, height uint32, depth, kind byte) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(name string, data []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
		at := b.Len()
		b.WriteString(name)
		b.Write(data)
		_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(b.Bytes()[at:]))
	}
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	chunk("IHDR", append(ihdr, depth, kind, 0, 0, 0))
	if kind == 3 {
		chunk("PLTE", []byte{255, 255, 255})
	}
	chunk("IDAT", nil)
	chunk("IEND", nil)
	return b.Bytes()
}

func TestSegmentsAnswerRefuses(t *testing.T) {
	good := encoded(t, image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.White}))
	b64 := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	for _, c := range []struct {
		name    string
		content json.RawMessage
		want    string
	}{
		{"no element", json.RawMessage(`{"s":{"label":"cat"}}`), "no element with a labeledImage"},
		{"no object", json.RawMessage(`[]`), "not a JSON object"},
		{"no Base64", segmentsJSON("!", `{}`, ""), "not Base64"},
		{"no PNG", segmentsJSON(b64([]byte("GIF89a")), `{}`, ""), "not a PNG"},
		{"cut off", segmentsJSON(b64(header(2, 2, 8, 3)), `{}`, ""), "a broken PNG"},
		{"one colour for two", segmentsJSON(good, `{"cat":{"color":"#0000ff"},"dog":{"color":"#0000FF"}}`, ""), "two labels have the colour #0000ff"},
		{"no colour", segmentsJSON(good, `{"cat":{"color":"blue"}}`, ""), `the colour of "cat" is "blue": expected #rrggbb`},
		{"another size than the image", segmentsJSON(good, `{}`, `,"inputImageProperties":{"width":3,"height":2}`), "2 x 2 pixels, the image 3 x 2"},
		{"too many pixels", segmentsJSON(b64(header(100_000, 100_000, 8, 3)), `{}`, ""), "100000 x 100000 pixels, more than 100000000"},
		{"too long a side", segmentsJSON(b64(header(1<<31-1, 1, 8, 3)), `{}`, ""), "more than 100000000"},
		{"pixels that are not there", segmentsJSON(b64(header(10_000, 10_000, 8, 6)), `{}`, ""), "claims 10000 x 10000 pixels, more than its"},
		{"16 bits", segmentsJSON(b64(header(2, 2, 16, 2)), `{}`, ""), "16 bits a sample"},
	} {
		if _, err := SegmentsAnswer(c.content, catDog); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A hostile answer costs what it holds, not what it claims.
func TestClaimsCostNothing(t *testing.T) {
	answer := segmentsJSON(base64.StdEncoding.EncodeToString(header(10_000, 10_000, 8, 6)), `{}`, "")
	if n := testing.AllocsPerRun(5, func() { _, _ = SegmentsAnswer(answer, catDog) }); n > 200 {
		t.Errorf("%v allocations", n)
	}
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_, _ = SegmentsAnswer(answer, catDog)
		}
	})
	if n := r.AllocedBytesPerOp(); n > 64<<10 {
		t.Errorf("%d bytes for a header of %d x %d pixels", n, 10_000, 10_000)
	}
}

// What is read of any answer fits its own size and the job's categories.
func FuzzSegmentsAnswer(f *testing.F) {
	paletted := image.NewPaletted(image.Rect(0, 0, 3, 2), color.Palette{color.White, color.RGBA{255, 0, 0, 255}})
	paletted.SetColorIndex(1, 1, 1)
	for _, img := range []image.Image{paletted, image.NewRGBA(image.Rect(0, 0, 2, 2)), image.NewNRGBA(image.Rect(0, 0, 1, 5)), image.NewGray(image.Rect(0, 0, 4, 1)), image.NewRGBA64(image.Rect(0, 0, 1, 1))} {
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), bothColors, 2, 2)
	}
	for _, h := range [][]byte{header(1<<31-1, 1<<31-1, 8, 3), header(10_000, 10_000, 8, 6), header(0, 1, 8, 3), header(3, 3, 16, 2), header(3, 3, 1, 0), header(3, 3, 4, 3), nil} {
		f.Add(h, `{"cat":{"color":"#000000"}}`, 0, 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, mappings string, width, height int) {
		content := segmentsJSON(base64.StdEncoding.EncodeToString(data), mappings, fmt.Sprintf(`,"inputImageProperties":{"width":%d,"height":%d}`, width, height))
		s, err := SegmentsAnswer(content, catDog)
		if err != nil {
			return
		}
		if s.Width < 1 || s.Height < 1 || len(s.Pixels) != s.Width*s.Height || len(s.Pixels) > MaxPixels {
			t.Fatalf("%d x %d, %d pixels", s.Width, s.Height, len(s.Pixels))
		}
		for _, p := range s.Pixels {
			if int(p) > catDog.Len() {
				t.Fatalf("class %d", p)
			}
		}
		// It can be written and read again.
		colors := Palette(2, s.Colors)
		out, err := SegmentsPNG(s.Width, s.Height, s.Pixels, colors)
		if err != nil {
			t.Fatal(err)
		}
		names, _ := json.Marshal(map[string]any{"cat": map[string]string{"color": colors[0]}, "dog": map[string]string{"color": colors[1]}})
		again, err := SegmentsAnswer(segmentsJSON(base64.StdEncoding.EncodeToString(out), string(names), ""), catDog)
		if err != nil || !bytes.Equal(again.Pixels, s.Pixels) {
			t.Fatalf("read again: %v", err)
		}
	})
}

func TestPalette(t *testing.T) {
	// White is the background's, and a colour is nobody's twice.
	named := Palette(3, nil, map[int]string{2: "#1f77b4", 0: "#ffffff"}, map[int]string{2: "#000000", 0: "#ff7f0e", 1: "#ff7f0e"})
	if named[0] != "#ff7f0e" || named[2] != "#1f77b4" || named[1] == named[0] || named[1] == named[2] {
		t.Errorf("got %v", named)
	}
	all := Palette(255)
	seen := map[string]bool{"#ffffff": true}
	for i, c := range all {
		if _, ok := parseColor(c); !ok || seen[c] {
			t.Errorf("colour %d is %s, which is none or not the first", i, c)
		}
		seen[c] = true
	}
	if d := cmp.Diff(firstColors[:], all[:10]); d != "" {
		t.Error(d)
	}
}

func TestSpansAnswer(t *testing.T) {
	answer := json.RawMessage(`{"x":{"entities":[{"label":"dog","startOffset":2,"endOffset":4},{"label":"cow","startOffset":0,"endOffset":1},{"label":"cat","startOffset":4,"endOffset":4},{"label":"cat","startOffset":3,"endOffset":99},{"label":"cat","startOffset":-1,"endOffset":2}]}}`)
	got, err := SpansAnswer(answer, catDog, 10)
	if d := cmp.Diff([]Span{{Category: Category{Index: 1, Name: "dog"}, Start: 2, End: 4}}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if got, err := SpansAnswer(json.RawMessage(`{"x":{"entities":[]}}`), catDog, 10); err != nil || got == nil || len(got) != 0 {
		t.Errorf("nothing marked: %v, %v", got, err)
	}
	for _, bad := range []string{`{}`, `{"x":{"entities":{}}}`, `[]`} {
		if _, err := SpansAnswer(json.RawMessage(bad), catDog, 10); err == nil {
			t.Errorf("%s is taken for an answer", bad)
		}
	}
	if _, err := SpansAnswer(json.RawMessage(`{"x":{"entities":[`+strings.Repeat(`{},`, MaxSpans)+`{}]}}`), catDog, 10); err == nil || !strings.Contains(err.Error(), "more than 20000") {
		t.Errorf("too many: %v", err)
	}
}

func TestComment(t *testing.T) {
	for in, want := range map[string]string{
		`{"c":{"label":"bad","workerComment":"why"}}`: "why",
		`{"c":{"label":"bad"}}`:                       "",
		`{"c":{"workerComment":7}}`:                   "",
		`[]`:                                          "",
		`{"c":{"workerComment":"` + strings.Repeat("é", 2001) + `"}}`: strings.Repeat("é", 2000) + "…",
	} {
		if got := Comment(json.RawMessage(in)); got != want {
			t.Errorf("%.60s: got %.60q", in, got)
		}
	}
}
