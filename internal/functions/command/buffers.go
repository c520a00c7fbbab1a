package command

import (
	"bytes"
	"errors"
	"strings"
	"sync"
)

// answer keeps what a program writes to its standard output, as far as it may
// be long.
type answer struct {
	most int
	full chan struct{} // closed when the program wrote more

	mu   sync.Mutex
	buf  bytes.Buffer
	over bool
}

func newAnswer(most int) *answer { return &answer{most: most, full: make(chan struct{})} }

var errFull = errors.New("the answer is too long")

func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over && a.buf.Len()+len(p) <= a.most {
		return a.buf.Write(p)
	}
	if !a.over {
		a.over = true
		a.buf = bytes.Buffer{}
		close(a.full)
	}
	return 0, errFull
}

func (a *answer) result() (b []byte, tooLong bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.buf.Bytes(), a.over
}

// How much of standard error is kept, and shown. A secret is struck out where
// it is whole: what is kept is much longer than what is shown and a secret
// together, so that none is cut in half in what is shown.
const (
	keptBytes  = 16 << 10
	shownBytes = 800
	shownLines = 5
)

// tail keeps the end of what a program writes to its standard error.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if len(p) > keptBytes {
		p = p[len(p)-keptBytes:]
	}
	if drop := len(t.buf) + len(p) - keptBytes; drop > 0 {
		t.buf = append(t.buf[:0], t.buf[drop:]...)
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}

// shown is the end of a text, as far as it is shown.
func shown(s string) string {
	lines := strings.Split(s, "\n")
	s = strings.Join(lines[max(0, len(lines)-shownLines):], "\n")
	return strings.ToValidUTF8(s[max(0, len(s)-shownBytes):], "")
}
