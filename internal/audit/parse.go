package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Record is a line as it is read back.
type Record struct {
	Event
	Seq  uint64
	Note Note // of records of kind Chain
}

// Note is what records of the chain itself say beside Event's Action and Reason.
type Note struct {
	Chain, File, Previous, Prev, Digest, Text string
	Through                                   uint64
}

// errSyntax is a line that no Recorder wrote.
var errSyntax = errors.New("not a record: expected one JSON object of texts and whole numbers")

// Parse reads a line, with or without its end, into r. Members it does not know
// are skipped: they are a later version's. It reads what Record writes and
// nothing else of JSON: one object of texts and whole numbers. The texts share
// one copy of the line: clone one that is to outlive the others.
func Parse(line []byte, r *Record) error {
	*r = Record{}
	p := parser{b: strings.TrimSuffix(string(line), "\n")} // one copy; the texts are slices of it
	if !p.eat('{') {
		return errSyntax
	}
	for first := true; ; first = false {
		if p.eat('}') {
			break
		}
		if !first && !p.eat(',') {
			return errSyntax
		}
		name, ok := p.text()
		if !ok || !p.eat(':') {
			return errSyntax
		}
		if p.i < len(p.b) && p.b[p.i] == '"' {
			v, ok := p.text()
			if !ok {
				return errSyntax
			}
			if err := r.setText(name, v); err != nil {
				return err
			}
			continue
		}
		n, ok := p.number()
		if !ok {
			return errSyntax
		}
		r.setNumber(name, n)
	}
	if p.i != len(p.b) || r.Time.IsZero() || r.Kind == "" {
		return errSyntax
	}
	return nil
}

func (r *Record) setText(name, v string) (err error) {
	switch name {
	case "time":
		r.Time, err = time.Parse(timeFormat, v)
	case "expires":
		r.Expires, err = time.Parse(time.RFC3339, v)
	case "kind":
		r.Kind = Kind(v)
	case "verdict":
		r.Verdict = Verdict(v)
	default:
		if to := r.member(name); to != nil {
			*to = v
		}
	}
	if err != nil {
		return fmt.Errorf("not a record: %s: %q is not a time", name, v)
	}
	return nil
}

func (r *Record) member(name string) *string {
	switch name {
	case "action":
		return &r.Action
	case "resource":
		return &r.Resource
	case "origin":
		return &r.Origin
	case "bound":
		return &r.Bound
	case "principal":
		return &r.Principal
	case "accessKeyId":
		return &r.AccessKeyID
	case "worker":
		return &r.Worker
	case "job":
		return &r.Job
	case "team":
		return &r.Team
	case "assignment":
		return &r.Assignment
	case "grant":
		return &r.GrantID
	case "signIn":
		return &r.SignInID
	case "statement":
		return &r.Statement
	case "reason":
		return &r.Reason
	case "error":
		return &r.Error
	case "method":
		return &r.Method
	case "requestId":
		return &r.RequestID
	case "agent":
		return &r.Agent
	case "mediaAddr":
		return &r.MediaAddr
	case "formerMedia":
		return &r.FormerMedia
	case "place":
		return &r.Place
	case "chain":
		return &r.Note.Chain
	case "file":
		return &r.Note.File
	case "previous":
		return &r.Note.Previous
	case "prev":
		return &r.Note.Prev
	case "digest":
		return &r.Note.Digest
	case "text":
		return &r.Note.Text
	}
	return nil
}

func (r *Record) setNumber(name string, n int64) {
	switch name {
	case "status":
		r.Status = int(n)
	case "size":
		r.Size = n
	case "seq":
		r.Seq = uint64(max(n, 0))
	case "through":
		r.Note.Through = uint64(max(n, 0))
	}
}

// parser reads the little JSON that records are.
type parser struct {
	b string
	i int
}

func (p *parser) eat(c byte) bool {
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

// number reads a whole number that fits.
func (p *parser) number() (int64, bool) {
	start := p.i
	p.eat('-')
	digits := p.i
	for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' {
		p.i++
	}
	if p.i == digits || p.b[digits] == '0' && p.i > digits+1 {
		return 0, false
	}
	n, err := strconv.ParseInt(p.b[start:p.i], 10, 64)
	return n, err == nil
}

// text reads a string.
func (p *parser) text() (string, bool) {
	if !p.eat('"') {
		return "", false
	}
	start := p.i
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			s := p.b[start:p.i]
			p.i++
			return s, utf8.ValidString(s)
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", false
		default:
			p.i++
		}
	}
	return "", false
}

// escaped reads a string that has an escape at the present place.
func (p *parser) escaped(start int) (string, bool) {
	var b strings.Builder
	b.WriteString(p.b[start:p.i])
	for p.i < len(p.b) {
		c := p.b[p.i]
		p.i++
		switch {
		case c == '"':
			return b.String(), utf8.ValidString(b.String())
		case c < 0x20:
			return "", false
		case c != '\\':
			b.WriteByte(c)
		default:
			r, ok := p.escape()
			if !ok {
				return "", false
			}
			b.WriteRune(r)
		}
	}
	return "", false
}

func (p *parser) escape() (rune, bool) {
	if p.i >= len(p.b) {
		return 0, false
	}
	c := p.b[p.i]
	p.i++
	if c != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return 0, false
		}
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	r, ok := p.hex4()
	if ok && utf16.IsSurrogate(r) {
		// A pair, or else what stands for neither half.
		if p.i+1 < len(p.b) && p.b[p.i] == '\\' && p.b[p.i+1] == 'u' {
			at := p.i
			p.i += 2
			low, ok := p.hex4()
			if !ok {
				return 0, false
			}
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, true
			}
			p.i = at
		}
		return utf8.RuneError, true
	}
	return r, ok
}

func (p *parser) hex4() (rune, bool) {
	if p.i+4 > len(p.b) {
		return 0, false
	}
	n, err := strconv.ParseUint(p.b[p.i:p.i+4], 16, 16)
	p.i += 4
	return rune(n), err == nil
}

// lines reads a file line by line in bounded memory.
type lines struct {
	r    *bufio.Reader
	long []byte
}

var errLongLine = fmt.Errorf("a line of more than %d bytes", maxLine)

func newLines(f *os.File) *lines { return &lines{r: bufio.NewReaderSize(f, 256<<10)} }

// next returns the next line without its end; it is valid until the next call.
// whole is false for what stands after the last line end. io.EOF ends.
func (l *lines) next() (line []byte, whole bool, err error) {
	line, err = l.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.long = append(l.long[:0], line...)
		for err == bufio.ErrBufferFull && len(l.long) <= maxLine {
			line, err = l.r.ReadSlice('\n')
			l.long = append(l.long, line...)
		}
		if len(l.long) > maxLine {
			return nil, false, errLongLine
		}
		line = l.long
	}
	switch {
	case err == nil:
		return line[:len(line)-1], true, nil
	case err == io.EOF && len(line) > 0:
		return line, false, nil
	}
	return nil, false, err
}
