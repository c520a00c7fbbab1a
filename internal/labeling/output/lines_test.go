package output

import (
	"bytes"
	"encoding/json"
	"testing"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

func appendLine(t testing.TB, attribute string, line []byte, a Annotation) ([]byte, error) {
	t.Helper()
	l, err := NewLines(attribute)
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.Append([]byte("before"), line, a)
	if !bytes.HasPrefix(got, []byte("before")) || err != nil && len(got) != len("before") {
		t.Fatalf("%s: it left %q, %v", line, got, err)
	}
	return bytes.TrimPrefix(got, []byte("before")), err
}

// Stored lines that are no objects are seen, and what is no JSON within them at
// least does no harm.
func TestLinesRefuse(t *testing.T) {
	label := Annotation{Label: json.RawMessage(`1`), Metadata: json.RawMessage(`{}`)}
	for _, line := range []string{``, `{`, `}`, `[1]`, `"x"`, `{"a":1`, `{"a":"}`, `{"a":1}}`, `{"a":1} {}`, `{"a`, `{"a":[1}`, `{"a":"\`, `{x}`, `{"a":{"b":1}`} {
		if got, err := appendLine(t, "l", []byte(line), label); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s became %s, %v", line, got, err)
		}
	}
	for _, a := range []Annotation{{Label: json.RawMessage(`1`)}, {Label: json.RawMessage{}, Metadata: json.RawMessage(`1`)}, {}} {
		if got, err := appendLine(t, "l", []byte(`{}`), a); !fault.Is(err, fault.Invalid) {
			t.Errorf("an annotation without a value became %s, %v", got, err)
		}
	}
}

// Whatever is stored, Lines makes of it what Line makes, to the byte; and of what
// is no JSON a line or an error, but no panic.
func FuzzLines(f *testing.F) {
	for _, line := range []string{`{}`, `{ }`, `{"a":1}`, `{"l":{"a":[1,"]}"]},"l-metadata":{}}`, `{ "x" : "\"" , "l" : 1e5 }`, `{"\u006c":1,"l":2}`, `{"a":"\\","b":[[],{}]}`,
		`{"l-metadata":null,"a":1}`, `{"l":1,"l":2}`, "{\"a\":1}\r\n", `{"t":true,"l-metadata":"x" , "l": null }`, `[`, `{"a":"\`, `{"a":[1}`, `{"a" 1}`} {
		f.Add([]byte(line), "l", []byte(`{"v": [1.50, " a \" b "], "w":"\\"}`), []byte(`{"c":0.95}`), true)
		f.Add([]byte(line), "l", []byte{}, []byte(`{"c": 0.95 }`), false)
	}
	f.Fuzz(func(t *testing.T, line []byte, attribute string, label, metadata []byte, labelled bool) {
		a := Annotation{Metadata: metadata}
		if labelled {
			a.Label = label
		}
		got, err := appendLine(t, attribute, line, a)
		want, refused := Line(line, attribute, a)
		if refused == nil && (err != nil || !bytes.Equal(got, want)) {
			t.Fatalf("%q: got %q, %v, want %q", line, got, err, want)
		}
	})
}

func BenchmarkLines(b *testing.B) {
	in := []byte(`{"source-ref":"s3://birdstop-ic-us-west-2/birds-open-images-subset/all_data/0273f487d52c16d2.jpg","n":1}`)
	a, err := Classification(labeling.ImageClassification, stamp, Category{3, "Canary", 0.95})
	if err != nil {
		b.Fatal(err)
	}
	l, err := NewLines("birds")
	if err != nil {
		b.Fatal(err)
	}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		if out, err = l.Append(out[:0], in, a); err != nil {
			b.Fatal(err)
		}
	}
}
