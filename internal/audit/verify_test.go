package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// days makes a record of three days of ten records each, closed, and returns
// its folder.
func days(t *testing.T) (dir string, now *time.Time) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "audit")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := openAt(t, dir, &at)
	for day := range 3 {
		at = time.Date(2026, 3, 1+day, 12, 0, 0, 0, time.UTC)
		record(t, f, 10)
	}
	ok(t, f.Close())
	return dir, &at
}

func openAt(t *testing.T, dir string, at *time.Time) *File {
	t.Helper()
	f, err := Open(Options{Dir: dir, Now: func() time.Time { return *at }})
	ok(t, err)
	return f
}

func record(t *testing.T, f *File, n int) {
	t.Helper()
	for i := range n {
		ok(t, f.Record(context.Background(), &Event{Kind: Access, Verdict: Allow, Resource: fmt.Sprintf("arn:aws:s3:::media/%d.jpg", i)}))
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t testing.TB, dir string, known ...Head) *Verification {
	t.Helper()
	v, err := Verify(context.Background(), VerifyOptions{Dir: dir, Heads: dir + "-heads", Known: known})
	ok(t, err)
	return v
}

func verified(t testing.TB, dir string) *Verification {
	t.Helper()
	v := verify(t, dir)
	for _, p := range v.Problems {
		t.Errorf("a problem where there is none: %s", p)
	}
	return v
}

// edit changes the lines of a day's file.
func edit(t *testing.T, dir, day string, change func(lines [][]byte) [][]byte) {
	t.Helper()
	path := theFile(t, dir, day)
	b, err := os.ReadFile(path)
	ok(t, err)
	lines := bytes.SplitAfter(b, []byte("\n"))
	ok(t, os.WriteFile(path, bytes.Join(change(lines[:len(lines)-1]), nil), 0o600))
}

// rehash makes the chain of a file good again from a line on, as somebody would
// who knows how it is made.
func rehash(lines [][]byte, from int) [][]byte {
	_, _, prev, _ := splitLink(bytes.TrimSuffix(lines[from-1], []byte("\n")))
	for i := from; i < len(lines); i++ {
		body, seq, _, _ := splitLink(bytes.TrimSuffix(lines[i], []byte("\n")))
		cut := bytes.LastIndex(body, []byte(seqMember))
		lines[i] = linked(bytes.Clone(body[:cut]), seq, &prev)
	}
	return lines
}

// Whatever is done to the files shows, and where.
func TestVerifySeesEveryChange(t *testing.T) {
	const day1, day2, day3 = "2026-03-01", "2026-03-02", "2026-03-03"
	swap := func(b []byte) []byte { return bytes.Replace(b, []byte(`"allow"`), []byte(`"deny"`), 1) }
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   []string // what the problems say; each once and in this order
	}{
		{"nothing", func(*testing.T, string) {}, nil},
		{"a value changed", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte { l[4] = swap(l[4]); return l })
		}, []string{day2 + " :5: line number 16 is not what was written"}},
		{"a value changed and its hash made again", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte {
				l[4] = swap(l[4])
				return append(rehash(l[:5], 4), l[5:]...)
			})
		}, []string{day2 + " :6: line number 17 is not what was written"}},
		{"a value changed and every hash of the file made again", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte { l[4] = swap(l[4]); return rehash(l, 4) })
		}, []string{day3 + " :1: line number 23 is not what was written"}},
		{"the last file changed and every hash made again", func(t *testing.T, dir string) {
			edit(t, dir, day3, func(l [][]byte) [][]byte { l[4] = swap(l[4]); return rehash(l, 4) })
		}, []string{day3 + " :11: line number 33 is not the one that the head"}},
		{"a line removed", func(t *testing.T, dir string) {
			edit(t, dir, day1, func(l [][]byte) [][]byte { return append(l[:3], l[4:]...) })
		}, []string{day1 + " :4: line number 4 is missing before this line"}},
		{"lines removed", func(t *testing.T, dir string) {
			edit(t, dir, day1, func(l [][]byte) [][]byte { return append(l[:3], l[6:]...) })
		}, []string{day1 + " :4: lines number 4 to 6 are missing before this line"}},
		{"two lines swapped", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte { l[3], l[4] = l[4], l[3]; return l })
		}, []string{day2 + " :4: line number 15 is missing before this line", day2 + " :5: line number 15 stands where number 17 belongs"}},
		{"a line copied", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte { return append(l[:5:5], l[4:]...) })
		}, []string{day2 + " :6: line number 16 stands where number 17 belongs"}},
		{"a foreign line put in", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte {
				return append(append(l[:5:5], []byte("{\"kind\":\"grant\"}\n")), l[5:]...)
			})
		}, []string{day2 + " :6: is not a line of a chain"}},
		{"a line made unreadable", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte { l[5] = []byte("x\n"); return l })
		}, []string{day2 + " :6: is not a line of a chain"}},
		{"a number changed", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte {
				l[5] = bytes.Replace(l[5], []byte(`"seq":17`), []byte(`"seq":71`), 1)
				return l
			})
		}, []string{day2 + " :6: lines number 17 to 70 are missing", day2 + " :7: line number 18 goes on from line number 16"}},
		{"a day cut short", func(t *testing.T, dir string) {
			edit(t, dir, day1, func(l [][]byte) [][]byte { return l[:8] })
		}, []string{day2 + " :1: lines number 9 to 11 are missing between the end of " + day1}},
		{"the last day cut short", func(t *testing.T, dir string) {
			edit(t, dir, day3, func(l [][]byte) [][]byte { return l[:8] })
		}, []string{day3 + " :8: the record ends here with line number 30, and its head"}},
		{"a day cut within a line", func(t *testing.T, dir string) {
			edit(t, dir, day1, func(l [][]byte) [][]byte { l[10] = l[10][:20]; return l })
		}, []string{day1 + " :11: the file ends within a line"}},
		{"the first file removed", func(t *testing.T, dir string) { ok(t, os.Remove(theFile(t, dir, day1))) },
			[]string{day2 + " : lines number 1 to 11 are missing before this file, and nothing says that they were retired"}},
		{"a file in the middle removed", func(t *testing.T, dir string) { ok(t, os.Remove(theFile(t, dir, day2))) },
			[]string{day3 + " :1: lines number 12 to 22 are missing between the end of " + day1}},
		{"the last file removed", func(t *testing.T, dir string) { ok(t, os.Remove(theFile(t, dir, day3))) },
			[]string{day2 + " :11: the record ends here with line number 22"}},
		{"all files removed", func(t *testing.T, dir string) { ok(t, os.RemoveAll(dir)); ok(t, os.Mkdir(dir, 0o700)) },
			[]string{"all its files are missing; there were 33 lines"}},
		{"a file renamed", func(t *testing.T, dir string) {
			p := theFile(t, dir, day1)
			ok(t, os.Rename(p, strings.Replace(p, day1, "2026-02-01", 1)))
		}, []string{"2026-02-01 :1: does not begin as the file"}},
		{"two files exchanged", func(t *testing.T, dir string) {
			a, b := theFile(t, dir, day1), theFile(t, dir, day2)
			ok(t, errors.Join(os.Rename(a, a+"~"), os.Rename(b, a), os.Rename(a+"~", b)))
		}, []string{day1 + " :1: does not begin as", day2 + " :1: does not begin as", day2 + " :1: line number 1 stands where", "*"}},
		{"the head removed", func(t *testing.T, dir string) {
			heads, _ := filepath.Glob(dir + "-heads/*.json")
			ok(t, os.Remove(heads[0]))
			_, err := Open(Options{Dir: dir, Now: time.Now}) // another chain, so that there is a head at all
			ok(t, err)
		}, []string{"has no head", "*"}},
		{"the head changed", func(t *testing.T, dir string) {
			heads, _ := filepath.Glob(dir + "-heads/*.json")
			b, err := os.ReadFile(heads[0])
			ok(t, err)
			ok(t, os.WriteFile(heads[0], bytes.Replace(b, []byte(`"seq":33`), []byte(`"seq":32`), 1), 0o600))
		}, []string{"a head cannot be trusted"}},
		{"a stranger's file", func(t *testing.T, dir string) {
			ok(t, os.WriteFile(filepath.Join(dir, "2026-03-01.jsonl"), nil, 0o600))
		},
			[]string{"2026-03-01.jsonl: is no file of the record"}},
		{"a line without end", func(t *testing.T, dir string) {
			edit(t, dir, day2, func(l [][]byte) [][]byte { l[5] = bytes.Repeat([]byte("x"), maxLine+10); return l })
		}, []string{day2 + " :6: a line of more than", "*"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := days(t)
			chain := strings.Split(filepath.Base(theFile(t, dir, day2)), ".")[1]
			c.change(t, dir)
			v := verify(t, dir)
			var got []string
			for _, p := range v.Problems {
				got = append(got, strings.Replace(p.String(), "."+chain+".jsonl", " ", 1))
			}
			for i, want := range c.want {
				if want == "*" {
					return
				}
				if i >= len(got) || !strings.Contains(got[i], want) {
					t.Fatalf("problems:\n%s\nwant number %d to say %q", strings.Join(got, "\n"), i+1, want)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("problems:\n%s\nwant %d", strings.Join(got, "\n"), len(c.want))
			}
		})
	}
}

// Somebody who has everything of the installation, the key of the heads too, can
// make a record that verifies; a head kept elsewhere shows it.
func TestHeadKeptElsewhere(t *testing.T) {
	dir, at := days(t)
	heads, err := Heads(dir + "-heads")
	ok(t, err)
	kept, err := ParseHead(heads[0].String())
	ok(t, err)
	if v := verify(t, dir, kept); !v.OK() {
		t.Fatalf("the true head: %v", v.Problems)
	}
	// The forger keeps two days, drops the third, and lets the server sign.
	edit(t, dir, "2026-03-02", func(l [][]byte) [][]byte {
		l[3] = bytes.Replace(l[3], []byte(`"allow"`), []byte(`"deny"`), 1)
		return rehash(l, 3)
	})
	ok(t, os.Remove(theFile(t, dir, "2026-03-03")))
	forged := heads[0]
	tl, err := readTail(theFile(t, dir, "2026-03-02"))
	ok(t, err)
	forged.Seq, forged.Sum = tl.seq, tl.sum
	key, err := readKey(filepath.Join(dir+"-heads", keyFile))
	ok(t, err)
	ok(t, writeHead(dir+"-heads", key, &forged))
	verified(t, dir)
	v := verify(t, dir, kept)
	if v.OK() || !strings.Contains(v.Problems[0].What, "and its head names number 33: 11 lines were cut off") {
		t.Errorf("problems %v", v.Problems)
	}
	// Grown again beyond the head's number, it is another line that bears it.
	f := openAt(t, dir, at)
	record(t, f, 30)
	ok(t, f.Close())
	verified(t, dir)
	v = verify(t, dir, kept)
	if v.OK() || !strings.Contains(v.Problems[0].What, "line number 33 is not the one that the head names") {
		t.Errorf("problems %v", v.Problems)
	}
}

func TestParseHead(t *testing.T) {
	good := "abcdefghij:7:" + strings.Repeat("0a", 32)
	if h, err := ParseHead(" " + good + "\n"); err != nil || h.String() != good {
		t.Errorf("got %v, %v", h, err)
	}
	for _, bad := range []string{"", "abcdefghij:7", "abcdefghij:0:" + good[13:], "ABCDEFGHIJ:7:" + good[13:], "abcdefghij:7:" + strings.ToUpper(good[13:]),
		"abcdefghij:-7:" + good[13:], "abcdefghij:7:00", good + ":x", "../abcdefg:7:" + good[13:]} {
		if _, err := ParseHead(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A copy of the folder alone verifies for what it is.
func TestVerifyWithoutHeads(t *testing.T) {
	dir, _ := days(t)
	v, err := Verify(context.Background(), VerifyOptions{Dir: dir, NoHeads: true})
	ok(t, err)
	if !v.OK() || len(v.Chains) != 1 || v.Chains[0].Lines != 33 || v.Chains[0].Head != nil {
		t.Errorf("got %+v", v)
	}
}

// Whatever bytes lie in the folder, Verify ends and does not panic.
func FuzzVerify(f *testing.F) {
	var s Sum
	line := linked((&control{action: "begin", chain: "abcdefghij", file: "2026-03-01.abcdefghij.jsonl", prev: s.String()}).append(nil), 1, &s)
	f.Add(line)
	f.Add(append(bytes.Clone(line), linked((&Event{Kind: Access}).append(nil), 2, &s)...))
	f.Add(append(bytes.Clone(line), `{"seq":18446744073709551615,"hash":"`...))
	f.Add([]byte(`,"seq":1,"hash":"0000000000000000000000000000000000000000000000000000000000000000"}` + "\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		ok(t, os.WriteFile(filepath.Join(dir, "2026-03-01.abcdefghij.jsonl"), b, 0o600))
		if _, err := Verify(context.Background(), VerifyOptions{Dir: dir, NoHeads: true}); err != nil {
			t.Fatal(err)
		}
	})
}
