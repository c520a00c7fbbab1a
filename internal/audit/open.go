package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// takeChain takes up the newest chain that no living process uses and that is
// whole at its end, or begins one; writeMu is held.
func (f *File) takeChain() error {
	chains, _, err := Files(f.o.Dir)
	if err != nil {
		return err
	}
	heads, err := Heads(f.o.Heads)
	var remarks []string
	if err != nil {
		remarks = append(remarks, err.Error())
	}
	for _, h := range heads {
		lock, err := lockChain(f.o.Heads, h.Chain)
		if err != nil {
			continue // a living process's
		}
		f.lock = lock
		err = f.resumeChain(h, chains[h.Chain])
		if err == nil {
			return nil
		}
		if f.file != nil {
			_ = f.file.Close()
			f.file = nil
		}
		_ = lock.Close()
		f.lock = nil
		remarks = append(remarks, fmt.Sprintf("chain %s: %v", h.Chain, err))
	}
	return f.beginChain(strings.Join(remarks, "; "))
}

func (f *File) beginChain(why string) error {
	name, err := newChainName(f.o.Rand)
	if err != nil {
		return err
	}
	if f.lock, err = lockChain(f.o.Heads, name); err != nil {
		return err
	}
	if why != "" {
		f.o.Log.Error("a chain of the audit record is not continued; another is begun", "why", why)
		why = "not continued: " + why
	}
	// The head first: files without one are a chain that somebody slipped in.
	h := Head{Chain: name, Time: f.o.Now()}
	if err := writeHead(f.o.Heads, f.key, &h); err != nil {
		return err
	}
	f.adopt(&h)
	return f.turn(dayOf(f.o.Now()), why)
}

// adopt makes the state that of a chain's head.
func (f *File) adopt(h *Head) {
	f.chain, f.seq, f.sum, f.retired, f.retiredSum = h.Chain, h.Seq, h.Sum, h.Retired, h.RetiredSum
	f.headSeq, f.headMark = h.Seq, h.Retired
	if f.seq < f.retired {
		f.seq, f.sum = f.retired, f.retiredSum
	}
	f.file, f.day, f.part, f.size = nil, "", 0, 0
}

// resumeChain continues a chain of which the head is h.
func (f *File) resumeChain(h Head, files []DayFile) error {
	f.adopt(&h)
	if len(files) == 0 {
		if h.Seq <= h.Retired { // nothing was written yet, or all of it is retired
			return f.turn(dayOf(f.o.Now()), "")
		}
		return fmt.Errorf("its files are gone; the head names line %d", h.Seq)
	}
	last := files[len(files)-1]
	t, err := readTail(last.Path())
	if err != nil {
		return err
	}
	if t.seq == 0 { // begun, and the process ended before the first line
		if err := os.Truncate(last.Path(), 0); err != nil {
			return err
		}
		if len(files) == 1 && h.Seq <= h.Retired {
			return f.turn(dayOf(f.o.Now()), "")
		}
		if len(files) == 1 {
			return fmt.Errorf("%s has no line; the head names line %d", last.Name(), h.Seq)
		}
		before := files[len(files)-2]
		if t, err = readTail(before.Path()); err != nil {
			return err
		}
		if t.cut > 0 || t.seq == 0 {
			return fmt.Errorf("%s does not end with a whole line, and is not the last file", before.Name())
		}
		last = before
	}
	switch {
	case t.seq < h.Seq:
		return fmt.Errorf("it ends with line %d of %s, and the head names line %d", t.seq, last.Name(), h.Seq)
	case t.seq == h.Seq && t.sum != h.Sum:
		return fmt.Errorf("line %d of it is not the one that the head names", t.seq)
	}
	f.seq, f.sum, f.day, f.part, f.size = t.seq, t.sum, last.Day, last.Part, t.size
	if f.file, err = os.OpenFile(last.Path(), os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return err
	}
	if t.cut == 0 {
		return nil
	}
	return f.mend(&t)
}

// mend takes off what a crash left of a line, and puts that on record.
func (f *File) mend(t *tail) error {
	if err := f.file.Truncate(t.size); err != nil {
		return err
	}
	c := &control{time: f.o.Now(), action: "torn", chain: f.chain, size: t.cut, digest: hex.EncodeToString(t.cutSum[:]), text: t.cutText,
		reason: "the process or the machine ended within a line; what there was of it was taken off and stands here"}
	sum := f.sum
	line := linked(c.append(nil), f.seq+1, &sum)
	if err := f.put(line); err != nil {
		return err
	}
	f.seq, f.sum = f.seq+1, sum
	return nil
}

// tail is the end of a file.
type tail struct {
	seq     uint64 // of the last whole line; 0 if there is none
	sum     Sum
	size    int64 // up to and with that line
	cut     int64 // bytes after it
	cutSum  [sha256.Size]byte
	cutText string
}

// maxLine bounds a line: every member is bounded, so that no record is near it.
const maxLine = 1 << 20

// readTail finds the last whole line of a file.
func readTail(path string) (t tail, err error) {
	r, err := os.Open(path)
	if err != nil {
		return t, err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return t, err
	}
	from := max(st.Size()-2*maxLine, 0)
	b := make([]byte, st.Size()-from)
	if _, err := r.ReadAt(b, from); err != nil {
		return t, err
	}
	end := bytes.LastIndexByte(b, '\n') + 1
	if rest := b[end:]; len(rest) > 0 {
		t.cut, t.cutSum = int64(len(rest)), sha256.Sum256(rest)
		t.cutText = string(rest[:min(len(rest), maxString)])
	}
	t.size = from + int64(end)
	if end == 0 {
		if from > 0 {
			return t, fmt.Errorf("%s ends with no line", filepath.Base(path))
		}
		return t, nil
	}
	start := bytes.LastIndexByte(b[:end-1], '\n') + 1
	_, seq, sum, ok := splitLink(b[start : end-1])
	if !ok {
		return t, fmt.Errorf("the last line of %s is not one of a chain", filepath.Base(path))
	}
	t.seq, t.sum = seq, sum
	return t, nil
}

var errInUse = errors.New("the chain is another process's")

// lockChain makes the chain ours until the file is closed or the process ends.
func lockChain(dir, chain string) (*os.File, error) {
	l, err := os.OpenFile(filepath.Join(dir, chain+lockSuffix), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(l.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = l.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errInUse
		}
		return nil, err
	}
	return l, nil
}
