package audit

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Every member of Event is written and read back: whoever adds one and forgets
// the encoder or the parser fails here.
func TestParseReadsWhatIsWritten(t *testing.T) {
	want := Event{Time: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC), Expires: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)}
	v := reflect.ValueOf(&want).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("value of " + v.Type().Field(i).Name + " \"\\\n\u2028é\U0001F600")
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(1000 + i))
		}
	}
	want.Kind, want.Verdict = Access, Deny
	var got Record
	if err := Parse(encoded(&want), &got); err != nil {
		t.Fatal(err)
	}
	if got.Event != want || got.Seq != 1 {
		t.Errorf("got  %+v\nwant %+v", got.Event, want)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `{"time":"2026-03-01T12:00:00.000000Z","kind":"access","later":"x","n":-5}`
	var r Record
	if err := Parse([]byte(good), &r); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "{}", "null", "[]", good + "x", good + good, strings.TrimSuffix(good, "}"), strings.Replace(good, `"kind"`, `kind`, 1),
		strings.Replace(good, "12:00", "25:00", 1), strings.Replace(good, "-5", "-", 1), strings.Replace(good, "-5", "01", 1), strings.Replace(good, "-5", "1.5", 1),
		strings.Replace(good, "-5", "99999999999999999999", 1), strings.Replace(good, "-5", "{}", 1), strings.Replace(good, `"x"`, `"\x"`, 1), strings.Replace(good, `"x"`, `"\u12"`, 1),
		strings.Replace(good, `"x"`, "\"\xff\"", 1), strings.Replace(good, `"x"`, "\"\n\"", 1), strings.Replace(good, `,"n"`, ` "n"`, 1), strings.Replace(good, "{", "{,", 1),
		strings.Replace(good, "}", ",}", 1), `{"kind":"access"}`, `{"time":"2026-03-01T12:00:00.000000Z"}`,
	} {
		if err := Parse([]byte(bad), &r); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// What Parse takes is JSON, and means the same to encoding/json.
func FuzzParse(f *testing.F) {
	f.Add(encoded(&Event{Kind: Access, Agent: "a\"\n\u2028", Size: 5}))
	f.Add([]byte(`{"time":"2026-03-01T12:00:00.000000Z","kind":"access","agent":"\ud83d\ude00\ud83d\n\/","reason":"\u0000","size":-0}`))
	f.Add([]byte(`{"time":"2026-03-01T12:00:00.000000Z","kind":"chain","through":1,"size":9223372036854775807}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Record
		if Parse(b, &r) != nil {
			return
		}
		m := map[string]any{}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if agent, ok := m["agent"].(string); ok && agent != r.Agent {
			t.Errorf("%q: agent %q, encoding/json has %q", b, r.Agent, agent)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	line := encoded(&Event{Time: time.Now(), Kind: Access, Verdict: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/images/1.jpg", Origin: "127.0.0.1",
		Principal: "arn:aws:sts::000000000000:assumed-role/GroundTruth/grant", Worker: "private.us-east-1.0123456789abcdef", Job: "boxes", GrantID: "abcdefghijklmnop-1", Size: 4096})
	var r Record
	b.ReportAllocs()
	for b.Loop() {
		if err := Parse(line, &r); err != nil {
			b.Fatal(err)
		}
	}
}
