package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"fiducial/internal/fault"
)

// VerifyOptions says what to verify and against what.
type VerifyOptions struct {
	Dir   string
	Heads string // folder of heads; one that is not there is a problem unless NoHeads
	Known []Head // heads that were kept elsewhere

	// NoHeads is for a copy of the record alone: cut-off ends do not show.
	NoHeads bool
}

// Problem is a place where the record is not what was written.
type Problem struct {
	File string // name in the folder; empty if it is about a chain
	Line int    // 0 if it is about the whole file
	What string
}

func (p Problem) String() string {
	switch {
	case p.File == "":
		return p.What
	case p.Line == 0:
		return p.File + ": " + p.What
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.What)
}

// ChainState is what was found of a chain.
type ChainState struct {
	Chain       string
	Files       int
	Lines       uint64 // read
	First, Last uint64 // numbers; lines before First are retired
	FirstTime   time.Time
	LastTime    time.Time
	Head        *Head // that the end was compared with
}

// Verification is the outcome of Verify.
type Verification struct {
	Chains   []ChainState
	Problems []Problem
	Notes    []string // what is worth knowing and no problem
	More     int      // problems beyond the first maxProblems
}

const maxProblems = 1000

// OK reports whether the record is whole.
func (v *Verification) OK() bool { return len(v.Problems) == 0 }

func (v *Verification) problem(file string, line int, format string, args ...any) {
	if len(v.Problems) >= maxProblems {
		v.More++
		return
	}
	v.Problems = append(v.Problems, Problem{file, line, fmt.Sprintf(format, args...)})
}

func (v *Verification) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

// Verify reads the whole record and says where it is not what was written. It
// changes nothing and needs no server; one may be at work meanwhile.
func Verify(ctx context.Context, o VerifyOptions) (*Verification, error) {
	const op = "audit.Verify"
	v := newVerifier()
	// Heads before lines: those of a server at work are then never ahead.
	if !o.NoHeads {
		v.loadHeads(o.Heads)
	}
	for _, h := range o.Known {
		v.heads[h.Chain] = append(v.heads[h.Chain], h)
	}
	chains, strangers, err := Files(o.Dir)
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, "the audit folder cannot be read", err)
	}
	for _, name := range strangers {
		v.out.problem(name, 0, "is no file of the record")
	}
	names := make([]string, 0, len(chains))
	for name := range chains {
		names = append(names, name)
	}
	for name := range v.heads {
		if chains[name] == nil {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var starts []start
	for _, name := range names {
		s, err := v.chain(ctx, name, chains[name])
		if err != nil {
			return nil, err
		}
		starts = append(starts, s...)
	}
	for _, s := range starts {
		v.checkStart(s)
	}
	return &v.out, nil
}

type verifier struct {
	out    Verification
	hash   hash.Hash
	heads  map[string][]Head // that lines are compared with
	signed map[string]Head   // of the folder, signed by the installation
	retire []tombstone
}

func newVerifier() *verifier {
	return &verifier{hash: sha256.New(), heads: map[string][]Head{}, signed: map[string]Head{}}
}

// tombstone is a record that lines of a chain are retired.
type tombstone struct {
	chain   string
	through uint64
	sum     string
}

// start is where a chain begins that does not begin with line 1.
type start struct {
	chain, file string
	seq         uint64
	prev        string
}

func (v *verifier) loadHeads(dir string) {
	heads, err := Heads(dir)
	if err != nil {
		v.out.problem("", 0, "%s", describe(err))
	}
	for _, h := range heads {
		v.signed[h.Chain] = h
		v.heads[h.Chain] = append(v.heads[h.Chain], h)
	}
}

func describe(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f.Err != nil {
		return f.Message + ": " + f.Err.Error()
	}
	return err.Error()
}

// state is how far a chain was followed.
type state struct {
	ChainState
	name   string
	sum    Sum
	known  bool // sum is that of line want-1
	want   uint64
	unread uint64 // lines that could not be read since the last that could
	file   string // of the last line
	line   int
	heads  []Head
	back   uint64 // the number after the line that jumped ahead, had it not
}

// chain follows one chain through its files.
func (v *verifier) chain(ctx context.Context, name string, files []DayFile) ([]start, error) {
	s := &state{name: name, ChainState: ChainState{Chain: name, Files: len(files)}}
	s.heads = v.heads[name]
	if h, ok := v.signed[name]; ok {
		s.Head = &h
	} else if len(v.signed) > 0 {
		v.out.problem("", 0, "chain %s has no head: it is not of this installation, or its head was removed", name)
	}
	var starts []start
	for i, f := range files {
		if err := v.readFile(ctx, s, f, i == 0, i == len(files)-1, &starts); err != nil {
			return nil, err
		}
	}
	v.end(s)
	v.out.Chains = append(v.out.Chains, s.ChainState)
	return starts, nil
}

// end compares the end of a chain with its heads. One within the record was
// compared on the way, or stands in a gap that is a problem already.
func (v *verifier) end(s *state) {
	last := s.want - min(s.want, 1)
	for _, h := range s.heads {
		retired := h.Seq <= v.signed[s.name].Retired
		switch {
		case h.Seq == 0 || s.Files > 0 && h.Seq <= last:
		case s.Files == 0 && retired:
			v.out.note("chain %s: all of its %d lines are retired", s.name, h.Seq)
		case s.Files == 0:
			v.out.problem("", 0, "chain %s: all its files are missing; there were %d lines%s", s.name, h.Seq, at(h))
		case h.Seq > last:
			v.out.problem(s.file, s.line, "the record ends here with line number %d, and its head%s names number %d: %d lines were cut off",
				last, at(h), h.Seq, h.Seq-last)
		}
	}
}

func at(h Head) string {
	if h.Time.IsZero() {
		return ""
	}
	return " (" + h.Time.Format(time.RFC3339) + ")"
}

func (v *verifier) readFile(ctx context.Context, s *state, d DayFile, first, last bool, starts *[]start) error {
	f, err := os.Open(d.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // retired at this instant; if not, the lines are missed
	}
	if err != nil {
		return fault.E("audit.Verify", fault.Unavailable, "a file of the record cannot be read", err)
	}
	defer f.Close()
	l := newLines(f)
	for n := 1; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, whole, err := l.next()
		switch {
		case err == io.EOF:
			if n == 1 {
				v.out.note("%s is empty: the server ended before its first line", d.Name())
			}
			return nil
		case err == errLongLine:
			v.out.problem(d.Name(), n, "%v, which no record has; the rest of the file was not read", err)
			s.known, s.unread = false, s.unread+1
			return nil
		case err != nil:
			return fault.E("audit.Verify", fault.Unavailable, "a file of the record cannot be read", err)
		case !whole && last:
			v.out.note("%s:%d: the last line is not whole: the process or the machine ended while it was written, or a server is writing it now", d.Name(), n)
			return nil
		case !whole:
			v.out.problem(d.Name(), n, "the file ends within a line, and is not the last of its chain")
			s.unread++
			return nil
		}
		v.line(s, d, n, line, first && n == 1, starts)
	}
}

// line checks one line against what stands before it.
func (v *verifier) line(s *state, d DayFile, n int, line []byte, first bool, starts *[]start) {
	body, seq, sum, ok := splitLink(line)
	if !ok {
		v.out.problem(d.Name(), n, "is not a line of a chain: it was changed or added")
		s.unread++
		return
	}
	s.Lines++
	var r Record
	control := n == 1 || strings.Contains(string(body[:min(len(body), 80)]), `"kind":"chain"`)
	if control && Parse(line, &r) != nil {
		r = Record{}
	}
	if n == 1 {
		v.firstLine(s, d, &r, seq, first, starts)
	}
	v.follow(s, d, n, body, seq, sum)
	if r.Kind == Chain && r.Action == "retire" {
		v.retire = append(v.retire, tombstone{r.Note.Chain, r.Note.Through, r.Note.Digest})
	}
	v.remember(s, d, n, line, seq, sum)
}

// firstLine checks what a file says of itself. The chain's own first line gives
// the hash to go on from.
func (v *verifier) firstLine(s *state, d DayFile, r *Record, seq uint64, first bool, starts *[]start) {
	if r.Kind != Chain || r.Note.Chain != d.Chain || r.Note.File != d.Name() {
		v.out.problem(d.Name(), 1, "does not begin as the file %s of chain %s does: its beginning is missing, or it is another file under this name", d.Name(), d.Chain)
	}
	if r.Kind == Chain && strings.Contains(r.Reason, "while the server was at work") {
		v.out.problem(d.Name(), 1, "says: %s", r.Reason)
	} else if r.Kind == Chain && r.Action == "begin" && r.Reason != "" {
		v.out.note("%s: chain %s was begun because another was %s", d.Name(), d.Chain, r.Reason)
	}
	if !first {
		return
	}
	s.want = seq
	if prev, ok := parseSum(r.Note.Prev); ok {
		s.sum, s.known = prev, true
	}
	if seq > 1 || s.sum != (Sum{}) {
		*starts = append(*starts, start{d.Chain, d.Name(), seq, r.Note.Prev})
	}
}

// follow checks that a line follows the one before.
func (v *verifier) follow(s *state, d DayFile, n int, body []byte, seq uint64, sum Sum) {
	jumped := s.back
	s.back = 0
	switch {
	case seq < s.want && seq == jumped:
		// It was not that lines were missing: the line before had a wrong number.
		v.out.problem(d.Name(), n, "line number %d goes on from line number %d: the line between them was changed or put in", seq, seq-2)
		s.want, s.known = seq, false
	case seq < s.want:
		v.out.problem(d.Name(), n, "line number %d stands where number %d belongs: lines were moved, copied or put in", seq, s.want)
		s.known = false
	case seq > s.want:
		if missing := seq - s.want; missing > s.unread {
			where := "before this line"
			if n == 1 && s.file != "" {
				where = "between the end of " + s.file + " and this file"
			}
			v.out.problem(d.Name(), n, "%s missing %s", numbers(s.want, seq-1), where)
		}
		s.back = s.want + 1
		s.known = false
	}
	if s.known {
		prev := s.sum
		link(v.hash, &prev, body)
		if prev != sum {
			v.out.problem(d.Name(), n, "line number %d is not what was written: it was changed, or the line before it was and had its hash made again", seq)
		}
	}
}

func numbers(from, to uint64) string {
	if from == to {
		return fmt.Sprintf("line number %d is", from)
	}
	return fmt.Sprintf("lines number %d to %d are", from, to)
}

// remember goes on from a line; what follows is compared with the hash that it
// bears, so that one change is one problem.
func (v *verifier) remember(s *state, d DayFile, n int, line []byte, seq uint64, sum Sum) {
	if seq < s.want { // a copy or a moved line: go on where we were
		s.unread = 0
		return
	}
	for _, h := range s.heads {
		if h.Seq == seq && h.Sum != sum {
			v.out.problem(d.Name(), n, "line number %d is not the one that the head%s names: the record was made again from here or from before", seq, at(h))
		}
	}
	if s.First == 0 {
		s.First, s.FirstTime = seq, timeOf(line)
	}
	s.Last, s.sum, s.known, s.want, s.unread = seq, sum, true, seq+1, 0
	s.file, s.line = d.Name(), n
	if t := timeOf(line); !t.IsZero() {
		s.LastTime = t
	}
}

// timeOf reads the time of a line, which stands first.
func timeOf(line []byte) time.Time {
	const before = `{"time":"`
	if len(line) < len(before)+len(timeFormat) || string(line[:len(before)]) != before {
		return time.Time{}
	}
	t, _ := time.Parse(timeFormat, string(line[len(before):len(before)+len(timeFormat)]))
	return t
}

// checkStart asks whether the lines before a chain's first are retired.
func (v *verifier) checkStart(s start) {
	if s.seq == 1 {
		v.out.problem(s.file, 1, "line number 1 follows a line, and there is none before it")
		return
	}
	if h, ok := v.signed[s.chain]; ok && h.Retired == s.seq-1 && h.RetiredSum.String() == s.prev {
		v.out.note("chain %s: lines 1 to %d are retired", s.chain, s.seq-1)
		return
	}
	for _, t := range v.retire {
		if t.chain == s.chain && t.through == s.seq-1 && t.sum == s.prev {
			v.out.note("chain %s: lines 1 to %d are retired", s.chain, s.seq-1)
			return
		}
	}
	v.out.problem(filepath.Base(s.file), 0, "%s missing before this file, and nothing says that they were retired", numbers(1, s.seq-1))
}
