package audit

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func lastLine(t *testing.T, path string) Record {
	t.Helper()
	b, err := os.ReadFile(path)
	ok(t, err)
	l := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	var r Record
	ok(t, Parse(l[len(l)-1], &r))
	return r
}

// A process that starts again goes on with the chain of the one before.
func TestRestartContinuesTheChain(t *testing.T) {
	dir, at := days(t)
	for range 3 {
		f := openAt(t, dir, at)
		record(t, f, 5)
		ok(t, f.Close())
	}
	v := verified(t, dir)
	if len(v.Chains) != 1 || v.Chains[0].Last != 33+15 || v.Chains[0].Files != 3 {
		t.Errorf("got %+v", v.Chains)
	}
}

// kill leaves a File as a process that is killed does: nothing is closed in
// order, and the lock is gone with the process.
func kill(t *testing.T, f *File) {
	t.Helper()
	ok(t, f.lock.Close())
	ok(t, f.file.Close())
}

func TestKilledProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := openAt(t, dir, &at)
	record(t, f, 3)
	ok(t, f.Tend())
	record(t, f, 4) // beyond the head
	kill(t, f)
	verified(t, dir)

	// What a crash leaves of a line is tolerated at the end, and put on record.
	path := theFile(t, dir, "2026-03-01")
	half := `{"time":"2026-03-01T12:00:00.000000Z","kind":"gra`
	b, err := os.ReadFile(path)
	ok(t, err)
	ok(t, os.WriteFile(path, append(b, half...), 0o600))
	if v := verified(t, dir); len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "the last line is not whole") {
		t.Errorf("notes %q", v.Notes)
	}
	at = at.Add(time.Minute)
	f = openAt(t, dir, &at)
	if r := lastLine(t, path); r.Kind != Chain || r.Action != "torn" || r.Note.Text != half || r.Size != int64(len(half)) || r.Seq != 9 {
		t.Errorf("the torn line is on record as %+v", r)
	}
	record(t, f, 1)
	ok(t, f.Close())
	if v := verified(t, dir); v.Chains[0].Last != 10 {
		t.Errorf("got %+v", v.Chains)
	}
}

// A process that ended while it began a file leaves an empty or a torn one.
func TestKilledAtTheTurnOfTheDay(t *testing.T) {
	for _, left := range []string{"", `{"time":"2026`} {
		dir, at := days(t)
		chain := strings.Split(filepath.Base(theFile(t, dir, "2026-03-01")), ".")[1]
		*at = at.Add(24 * time.Hour)
		ok(t, os.WriteFile(filepath.Join(dir, "2026-03-04."+chain+".jsonl"), []byte(left), 0o600))
		verified(t, dir)
		f := openAt(t, dir, at)
		record(t, f, 1)
		ok(t, f.Close())
		if v := verified(t, dir); len(v.Chains) != 1 || v.Chains[0].Last != 35 {
			t.Errorf("left %q: %+v", left, v.Chains)
		}
	}
}

// A chain whose end is not what the head says is evidence: it stays as it is,
// and another says why.
func TestDamagedChainIsNotContinued(t *testing.T) {
	for name, damage := range map[string]func(dir string){
		"cut off": func(dir string) {
			edit(t, dir, "2026-03-03", func(l [][]byte) [][]byte { return l[:5] })
		},
		"end changed": func(dir string) {
			edit(t, dir, "2026-03-03", func(l [][]byte) [][]byte { l[10] = []byte("x\n"); return l })
		},
		"file gone": func(dir string) { ok(t, os.Remove(theFile(t, dir, "2026-03-03"))) },
		"head changed": func(dir string) {
			heads, _ := filepath.Glob(dir + "-heads/*.json")
			b, _ := os.ReadFile(heads[0])
			ok(t, os.WriteFile(heads[0], bytes.Replace(b, []byte(`"seq":33`), []byte(`"seq":32`), 1), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, at := days(t)
			damage(dir)
			before := verify(t, dir)
			if before.OK() {
				t.Fatal("the damage does not show")
			}
			for range 2 { // the second start goes on with the chain of the first
				f := openAt(t, dir, at)
				record(t, f, 2)
				ok(t, f.Close())
			}
			after := verify(t, dir)
			// A head that cannot be trusted leaves its chain without one.
			if len(after.Problems) < len(before.Problems) || after.Problems[0] != before.Problems[0] {
				t.Errorf("problems were %v, are %v", before.Problems, after.Problems)
			}
			if len(after.Chains) != 2 {
				t.Errorf("chains %+v, want 2", after.Chains)
			}
			if all := strings.Join(after.Notes, "\n"); !strings.Contains(all, "not continued") {
				t.Errorf("notes %q", all)
			}
		})
	}
}

// Two processes on one folder have a chain each.
func TestReplicasHaveChainsOfTheirOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a, b := openAt(t, dir, &at), openAt(t, dir, &at)
	if a.chain == b.chain {
		t.Fatal("one chain for two")
	}
	var wg sync.WaitGroup
	for _, f := range []*File{a, b} {
		wg.Go(func() { record(t, f, 100) })
	}
	wg.Wait()
	verified(t, dir)
	ok(t, errors.Join(a.Close(), b.Close()))
	if v := verified(t, dir); len(v.Chains) != 2 || v.Chains[0].Last != 101 || v.Chains[1].Last != 101 {
		t.Errorf("got %+v", v.Chains)
	}
}

// A file that is taken away while the server works: nothing is recorded, so
// nothing is handed out, until a second has passed; then another file begins
// that says so, and the gap is a problem for good.
func TestFileTakenAway(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"removed":                os.Remove,
		"removed, found by Tend": os.Remove,
		"renamed":                func(p string) error { return os.Rename(p, filepath.Join(filepath.Dir(filepath.Dir(p)), "stolen")) },
		"replaced":               func(p string) error { return errors.Join(os.Remove(p), os.WriteFile(p, []byte("x\n"), 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "audit")
			at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			f := openAt(t, dir, &at)
			record(t, f, 3)
			ok(t, take(theFile(t, dir, "2026-03-01")))
			if name == "renamed" || strings.HasSuffix(name, "by Tend") { // within a second; the others are found by the next record
				if f.Tend() == nil {
					t.Fatal("Tend finds nothing")
				}
			}
			if err := f.Record(context.Background(), &Event{Kind: Grant}); err == nil {
				t.Fatal("recorded into a file that nobody can see")
			}
			if f.Healthy() == nil {
				t.Error("healthy")
			}
			at = at.Add(2 * time.Second)
			ok(t, f.Tend())
			if err := f.Healthy(); err != nil {
				t.Errorf("not healthy again: %v", err)
			}
			record(t, f, 1)
			ok(t, f.Close())
			v := verify(t, dir)
			var said, missed bool
			for _, p := range v.Problems {
				said = said || strings.Contains(p.What, "while the server was at work; its last line was number 4") &&
					(!strings.HasPrefix(name, "removed") || strings.Contains(p.What, ".jsonl was removed while"))
				missed = missed || strings.Contains(p.What, "lines number 1 to 4 are missing") || name == "replaced" && strings.Contains(p.What, "is not a line of a chain")
			}
			if !said || !missed {
				t.Errorf("problems %v", v.Problems)
			}
		})
	}
}

// Given back, it goes on as if nothing had been, but for what it says of it.
func TestFileGivenBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := openAt(t, dir, &at)
	record(t, f, 3)
	path := theFile(t, dir, "2026-03-01")
	ok(t, os.Rename(path, path+"~"))
	if f.Tend() == nil {
		t.Fatal("Tend finds nothing")
	}
	ok(t, os.Rename(path+"~", path))
	at = at.Add(time.Hour)
	ok(t, f.Tend())
	if r := lastLine(t, path); r.Action != "resume" || !strings.Contains(r.Reason, "removed or renamed") {
		t.Errorf("got %+v", r)
	}
	record(t, f, 1)
	ok(t, f.Close())
	verified(t, dir)
}

// A write that fails half-way leaves nothing behind.
func TestFailedWriteIsTakenBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := openAt(t, dir, &at)
	record(t, f, 3)
	good := f.file
	r, w, err := os.Pipe() // takes some bytes and then breaks: nothing of it can be taken back
	ok(t, err)
	ok(t, r.Close())
	f.file = w
	for range 3 {
		if err := f.Record(context.Background(), &Event{Kind: Grant, Agent: strings.Repeat("x", 1<<17)}); err == nil {
			t.Fatal("recorded into a broken pipe")
		}
	}
	f.file, f.lost = good, nil
	record(t, f, 1)
	if err := f.Healthy(); err != nil {
		t.Errorf("not healthy again: %v", err)
	}
	ok(t, f.Close())
	verified(t, dir)
	b, err := os.ReadFile(theFile(t, dir, "2026-03-01"))
	ok(t, err)
	if !bytes.Contains(b, []byte("3 records could not be written")) {
		t.Errorf("the failure is not on record:\n%s", b)
	}
}

// A clock that is set back neither reopens a day nor breaks the chain.
func TestClockSetBack(t *testing.T) {
	dir, at := days(t)
	f := openAt(t, dir, at)
	*at = at.Add(-48 * time.Hour)
	record(t, f, 2)
	ok(t, f.Close())
	if v := verified(t, dir); v.Chains[0].Files != 3 || v.Chains[0].Last != 35 {
		t.Errorf("got %+v", v.Chains)
	}
}

func TestRetire(t *testing.T) {
	dir, at := days(t)
	// A chain of a process that is no more, and one of a process that lives.
	other := openAt(t, dir, at)
	*at = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	mine := openAt(t, dir, at)
	ok(t, other.Close())
	removed, err := mine.Retire(context.Background(), time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC))
	ok(t, err)
	if len(removed) != 2 {
		t.Errorf("removed %q, want two files", removed)
	}
	v := verified(t, dir)
	if all := strings.Join(v.Notes, "\n"); !strings.Contains(all, "lines 1 to 22 are retired") {
		t.Errorf("notes %q", all)
	}
	// The tombstone alone says it too, to one who has only a copy of the folder.
	v, err = Verify(context.Background(), VerifyOptions{Dir: dir, NoHeads: true})
	ok(t, err)
	if !v.OK() {
		t.Errorf("without heads: %v", v.Problems)
	}
	// Nothing that stays may be taken away under the cover of what was retired.
	day3 := theFile(t, dir, "2026-03-03")
	b, err := os.ReadFile(day3)
	ok(t, err)
	ok(t, os.Remove(day3))
	if verify(t, dir).OK() {
		t.Error("a file removed after others were retired does not show")
	}
	ok(t, os.WriteFile(day3, b, 0o600))
	// One's own: all but the present file.
	*at = at.Add(30 * 24 * time.Hour)
	record(t, mine, 1)
	removed, err = mine.Retire(context.Background(), *at)
	ok(t, err)
	if len(removed) != 2 {
		t.Errorf("removed %q, want the rest of the other and the first of its own", removed)
	}
	ok(t, mine.Close())
	if v := verified(t, dir); len(v.Chains) != 2 || !strings.Contains(strings.Join(v.Notes, "\n"), "all of its 33 lines are retired") {
		t.Errorf("got %+v, notes %q", v.Chains, v.Notes)
	}
	// Both chains can be taken up again.
	a, c := openAt(t, dir, at), openAt(t, dir, at)
	record(t, a, 1)
	record(t, c, 1)
	ok(t, errors.Join(a.Close(), c.Close()))
	if v := verified(t, dir); len(v.Chains) != 2 {
		t.Errorf("got %+v", v.Chains)
	}
}

// What does not verify is evidence and stays.
func TestRetireKeepsWhatDoesNotVerify(t *testing.T) {
	dir, at := days(t)
	edit(t, dir, "2026-03-01", func(l [][]byte) [][]byte {
		l[4] = bytes.Replace(l[4], []byte("allow"), []byte("deny"), 1)
		return l
	})
	f := openAt(t, dir, at)
	removed, err := f.Retire(context.Background(), time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC))
	if err == nil || len(removed) != 0 {
		t.Errorf("removed %q, %v", removed, err)
	}
	theFile(t, dir, "2026-03-01")
	ok(t, f.Close())
}

func TestSyncEach(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	f, err := Open(Options{Dir: dir, Now: time.Now, SyncEach: true})
	ok(t, err)
	record(t, f, 3)
	ok(t, f.Close())
	verified(t, dir)
}
