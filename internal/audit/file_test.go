package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func readLines(t *testing.T, path string) []map[string]any {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		var m map[string]any
		if err := json.Unmarshal(s.Bytes(), &m); err != nil {
			t.Fatalf("line %q: %v", s.Text(), err)
		}
		out = append(out, m)
	}
	return out
}

// theFile is the one file of a day.
func theFile(t testing.TB, dir, day string) string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, day+".*.jsonl"))
	if len(files) != 1 {
		t.Fatalf("%d files of %s, want 1", len(files), day)
	}
	return files[0]
}

func encoded(e *Event) []byte {
	var s Sum
	return linked(e.append(nil), 1, &s)
}

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 22, 23, 59, 59, 0, time.UTC)
	f, err := OpenFile(dir, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	e := &Event{Kind: Access, Verdict: Deny, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Origin: "127.0.0.2",
		Statement: "session policy, statement 1", Reason: "the address is not that of the worker", Status: 403, Size: 7}
	if err := f.Record(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	// With the kernel when Record returns: readable without Close or Sync.
	got := readLines(t, theFile(t, dir, "2026-11-22"))
	if len(got) != 2 || got[1]["verdict"] != "deny" || got[1]["origin"] != "127.0.0.2" || got[1]["status"] != 403.0 || got[1]["time"] != "2026-11-22T23:59:59.000000Z" || got[1]["seq"] != 2.0 {
		t.Errorf("got %v", got)
	}
	now = now.Add(time.Second)
	if err := f.Record(context.Background(), &Event{Kind: SignIn}); err != nil {
		t.Fatal(err)
	}
	if got := readLines(t, theFile(t, dir, "2026-11-23")); len(got) != 2 {
		t.Errorf("the next day's file has %d lines, want its first and the record", len(got))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(theFile(t, dir, "2026-11-22")); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", st.Mode())
	}
}

// A client chooses its key and user agent; neither may end a line or a member.
func TestRecordCannotBeForged(t *testing.T) {
	nasty := "x\"}\n{\"verdict\":\"allow\"}\r\u2028\u0085\x00\xff\\"
	b := encoded(&Event{Kind: Access, Verdict: Deny, Agent: nasty, Resource: strings.Repeat("é", 5000)})
	if n := bytes.Count(b, []byte("\n")); n != 1 {
		t.Fatalf("%d line ends, want 1", n)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m["verdict"] != "deny" {
		t.Errorf("verdict %v", m["verdict"])
	}
	if want := strings.ToValidUTF8(nasty, "\ufffd"); m["agent"] != want {
		t.Errorf("agent %q, want %q", m["agent"], want)
	}
	if n := len(m["resource"].(string)); n > maxString+3 {
		t.Errorf("a member of %d bytes was kept", n)
	}
}

// What cannot be recorded is an error, so that nothing is handed out.
func TestRecordFailureIsAnError(t *testing.T) {
	f, err := OpenFile(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.file.Close()
	if err := f.Record(context.Background(), &Event{Kind: Grant}); err == nil {
		t.Error("no error from a closed file")
	}
	if f.Healthy() == nil {
		t.Error("healthy after a failed write")
	}
}

func TestRecordInParallel(t *testing.T) {
	dir := t.TempDir()
	f, err := OpenFile(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 20 {
				if err := f.Record(context.Background(), &Event{Kind: Access, Resource: "arn:aws:s3:::b/k"}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	_ = f.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	n := 0
	for _, p := range files {
		n += len(readLines(t, p))
	}
	if n != 1001 {
		t.Errorf("%d lines, want the first and 1000 records", n)
	}
	verified(t, dir)
}

func FuzzEncode(f *testing.F) {
	f.Add("a\"\n", "b\u2028")
	f.Fuzz(func(t *testing.T, a, b string) {
		line := encoded(&Event{Agent: a, Resource: b})
		if !json.Valid(line) || bytes.Count(line, []byte("\n")) != 1 {
			t.Errorf("%q", line)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	f, err := OpenFile(b.TempDir(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	e := Event{Kind: Access, Verdict: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/images/1.jpg", Origin: "127.0.0.1",
		Principal: "arn:aws:sts::000000000000:assumed-role/GroundTruth/grant", Worker: "private.us-east-1.0123456789abcdef", Job: "boxes", Size: 4096}
	b.ReportAllocs()
	for b.Loop() {
		e.Time = time.Time{}
		if err := f.Record(context.Background(), &e); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRecordAll: events that are recorded together are lines of one chain, in
// their order, beside those of others.
func TestRecordAll(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f, err := OpenFile(dir, func() time.Time { return now })
	ok(t, err)
	const callers, rounds, events = 8, 20, 5
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for range rounds {
				list := make([]Event, events)
				for i := range list {
					list[i] = Event{Kind: Grant, Worker: fmt.Sprint(c), Size: int64(i + 1)}
				}
				if err := RecordAll(context.Background(), f, list); err != nil {
					t.Error(err)
				}
				if err := f.Record(context.Background(), &Event{Kind: Access, Worker: "other"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	ok(t, f.Close())
	lines := readLines(t, theFile(t, dir, "2026-11-22"))
	if want := 1 + callers*rounds*(events+1); len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
	for i := range lines {
		if n, _ := lines[i]["size"].(float64); n > 1 && (lines[i-1]["size"] != n-1 || lines[i-1]["worker"] != lines[i]["worker"]) {
			t.Fatalf("line %d: %v after %v", i, lines[i], lines[i-1])
		}
	}
	v, err := Verify(context.Background(), VerifyOptions{Dir: dir, Heads: dir + "-heads"})
	if err != nil || !v.OK() {
		t.Errorf("%v, %v", err, v.Problems)
	}
	if err := f.RecordAll(context.Background(), make([]Event, 2)); err == nil {
		t.Error("recorded in a closed file")
	}
}

// TestTimesAsEver: appendTime writes what Time.AppendFormat does.
func TestTimesAsEver(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(2026, 1, 2, 3, 4, 5, 6_007_999, time.UTC), time.Date(2028, 2, 29, 23, 59, 59, 999_999_999, time.FixedZone("", 3600*5+1800)),
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, want := string(appendTime(nil, at, true)), at.UTC().Format(timeFormat); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got, want := string(appendTime(nil, at, false)), at.UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestPlain compares the look at eight bytes at a time with one at each.
func TestPlain(t *testing.T) {
	for c := range 256 {
		want := c >= 0x20 && c < 0x7f && c != '"' && c != '\\'
		for n := range 25 {
			for at := range n {
				for _, other := range []byte{' ', 'a', '~', '!', '#', '[', ']'} {
					b := bytes.Repeat([]byte{other}, n)
					b[at] = byte(c)
					if plain(string(b)) != want {
						t.Fatalf("%q: want %v", b, want)
					}
				}
			}
		}
	}
}
