package output

import (
	"bytes"
	"encoding/json"
	"testing"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

func TestSplice(t *testing.T) {
	label := []Member{{"l", json.RawMessage("9")}, {"l-metadata", json.RawMessage(`{"c": 0.95}`)}}
	for _, c := range []struct{ name, in, want string }{
		{"appended", `{"source-ref":"s3://b/k"}`, `{"source-ref":"s3://b/k","l":9,"l-metadata":{"c":0.95}}`},
		{"empty object", `{}`, `{"l":9,"l-metadata":{"c":0.95}}`},
		{"empty object with room", `{ }`, `{"l":9,"l-metadata":{"c":0.95} }`},
		{"replaced where it stands", `{"l":{"deep":[1,{"l":2}]},"a":1,"l-metadata":"x"}`, `{"l":9,"a":1,"l-metadata":{"c":0.95}}`},
		{"one there, one not", `{"l-metadata":null,"a":1}`, `{"l-metadata":{"c":0.95},"a":1,"l":9}`},
		{"numbers keep their digits", `{"n":12345678901234567890.10,"e":1E+2}`, `{"n":12345678901234567890.10,"e":1E+2,"l":9,"l-metadata":{"c":0.95}}`},
		{"white space of the line itself stays", `{ "a" : 1 , "l" : 2 }`, `{ "a" : 1 , "l" : 9,"l-metadata":{"c":0.95} }`},
		{"end of line goes", "{\"a\":1}\r\n", `{"a":1,"l":9,"l-metadata":{"c":0.95}}`},
		{"names inside strings are not names", `{"a":"\"l\":1,}","b":"\\"}`, `{"a":"\"l\":1,}","b":"\\","l":9,"l-metadata":{"c":0.95}}`},
		{"escaped name", `{"\u006c":1}`, `{"\u006c":9,"l-metadata":{"c":0.95}}`},
		{"twice there", `{"l":1,"l":2}`, `{"l":9,"l":9,"l-metadata":{"c":0.95}}`},
		{"words", `{"t":true,"f":false,"l":null}`, `{"t":true,"f":false,"l":9,"l-metadata":{"c":0.95}}`},
	} {
		got, err := Splice([]byte(c.in), label...)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

func TestSpliceRefuses(t *testing.T) {
	for name, line := range map[string]string{"nothing": ``, "list": `[1]`, "text": `"x"`, "cut off": `{"a":1`, "two": `{} {}`, "trailing comma": `{"a":1,}`} {
		if _, err := Splice([]byte(line), Member{"l", json.RawMessage("1")}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Splice([]byte(`{}`), Member{"l", json.RawMessage("1 2")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("value that is not JSON: %v", err)
	}
}

// Whatever the line: it is refused, or the result is one valid line that has
// the new members and all others exactly as they were.
func FuzzSplice(f *testing.F) {
	for _, line := range []string{`{}`, `{"a":1}`, `{"l":{"a":[1,"]}"]},"l-metadata":{}}`, `{ "x" : "\"" , "l" : 1e5 }`, `{"\u006c":1,"l":2}`, `{"a":"\\","b":[[],{}]}`, `[`, `{"a":-0.0e-1}`, "{\"a\":1}\r\n"} {
		f.Add([]byte(line), "l", []byte(`{"v":[1.50]}`))
	}
	f.Fuzz(func(t *testing.T, line []byte, name string, value []byte) {
		got, err := Splice(line, Member{name, value})
		if err != nil {
			if IsObject(line) && json.Valid(value) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if !json.Valid(got) {
			t.Fatalf("not JSON: %q", got)
		}
		if !bytes.Contains(trim(line), []byte("\n")) && bytes.Contains(got, []byte("\n")) {
			t.Fatalf("broke the line: %q", got)
		}
		was, is := members(t, line), members(t, got)
		want, _, err := compacted([]Member{{name, value}})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for i, m := range is {
			// A name of invalid UTF-8 is read back as JSON reads it.
			if m.Name == asJSON(name) {
				found = true
			}
			if i < len(was) && m.Name != was[i].Name {
				t.Fatalf("member %d was %q, is %q", i, was[i].Name, m.Name)
			}
			switch {
			case i < len(was) && was[i].Name != name:
				if !bytes.Equal(m.Value, was[i].Value) {
					t.Fatalf("%q changed from %s to %s", m.Name, was[i].Value, m.Value)
				}
			case !bytes.Equal(m.Value, want[0].Value):
				t.Fatalf("%q is %s, want %s", m.Name, m.Value, want[0].Value)
			}
		}
		if !found || len(is) > len(was)+1 {
			t.Fatalf("%q with %q: %q", line, name, got)
		}
	})
}

func asJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return unquote(b)
}

// members reads an object's members by the standard decoder, so that the test
// does not believe the scanner.
func members(t *testing.T, line []byte) []Member {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var out []Member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		out = append(out, Member{name.(string), value})
	}
	return out
}

func BenchmarkLine(b *testing.B) {
	in := []byte(`{"source-ref":"s3://birdstop-ic-us-west-2/birds-open-images-subset/all_data/0273f487d52c16d2.jpg","n":1}`)
	for b.Loop() {
		a, err := Classification(labeling.ImageClassification, stamp, Category{3, "Canary", 0.95})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Line(in, "birds", a); err != nil {
			b.Fatal(err)
		}
	}
}
