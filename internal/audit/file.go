package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fiducial/internal/fault"
)

// Options is what a File needs.
type Options struct {
	Dir   string // of the record
	Heads string // of the heads; default: beside Dir, with "-heads" after its name
	Now   func() time.Time
	Rand  io.Reader    // of cryptographic quality; default crypto/rand
	Log   *slog.Logger // nil for none

	// SyncEach makes every record durable before Record returns, not only known
	// to the kernel: no record is lost with the machine's power. Records of
	// callers who wait at the same time share the wait.
	SyncEach bool
}

// File is a Recorder that appends to a chain of its own in a folder that other
// processes may use too. It is safe for concurrent use. Tend must be called
// about once a second.
type File struct {
	o   Options
	key *headKey

	mu      sync.Mutex // guards open and what follows
	open    *batch     // takes lines; nil when there is none
	bad     error      // why nothing can be recorded; nil when it can
	headErr error      // why the head could not be written

	writeMu sync.Mutex // one write at a time; guards what follows
	lock    *os.File   // held as long as the chain is ours
	chain   string
	file    *os.File // nil after Close
	day     string
	part    int
	size    int64
	torn    bool // a write failed half-way and could not be taken back
	lost    error
	lostAt  time.Time
	seq     uint64
	sum     Sum
	out     []byte
	refused uint64 // records that could not be written since bad

	retired    uint64
	retiredSum Sum

	tendMu   sync.Mutex
	headSeq  uint64 // of the head that is written
	headMark uint64 // retired of that head
}

// batch is lines that are written together.
type batch struct {
	*written
	done chan struct{} // made by the second comer
	err  error
}

type written struct {
	buf  []byte
	ends []int
}

// maxBatch bounds the lines that wait for one write.
const maxBatch = 1 << 20

// OpenFile opens the record in dir with the default options.
func OpenFile(dir string, now func() time.Time) (*File, error) {
	return Open(Options{Dir: dir, Now: now})
}

// Open opens the record: it takes up a chain that no living process uses, or
// begins one. The folders are made if need be (mode 0700).
func Open(o Options) (*File, error) {
	if o.Heads == "" {
		o.Heads = filepath.Clean(o.Dir) + "-heads"
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &File{o: o}
	for _, dir := range []string{o.Dir, o.Heads} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fault.E("audit.Open", fault.Unavailable, "the audit folder cannot be made", err)
		}
	}
	var err error
	if f.key, err = loadKey(o.Heads, o.Rand); err != nil {
		return nil, fault.E("audit.Open", fault.Unavailable, "the key that signs the heads of the audit record cannot be read", err)
	}
	f.writeMu.Lock()
	defer f.writeMu.Unlock()
	if err := f.takeChain(); err != nil {
		if f.lock != nil {
			_ = f.lock.Close()
		}
		return nil, fault.E("audit.Open", fault.Unavailable, "the audit record cannot be opened", err)
	}
	return f, nil
}

// Record appends e. When it returns nil the line is with the kernel. A failure
// is for the caller to act on: what cannot be recorded is not done.
func (f *File) Record(ctx context.Context, e *Event) error {
	if e.Time.IsZero() {
		e.Time = f.o.Now()
	}
	return f.RecordAll(ctx, []Event{*e})
}

// RecordAll appends the events, all with one write, or none of them.
func (f *File) RecordAll(_ context.Context, events []Event) error {
	f.mu.Lock()
	b := f.open
	if b != nil && len(b.buf) < maxBatch {
		b.add(events, f.o.Now)
		if b.done == nil {
			b.done = make(chan struct{})
		}
		done := b.done
		f.mu.Unlock()
		<-done
		return b.err
	}
	b = newBatch()
	b.add(events, f.o.Now)
	if f.open == nil {
		f.open = b
	}
	f.mu.Unlock()
	return f.commit(b)
}

func (b *batch) add(events []Event, now func() time.Time) {
	for i := range events {
		e := &events[i]
		if e.Time.IsZero() {
			e.Time = now()
		}
		b.buf = e.append(b.buf)
		b.ends = append(b.ends, len(b.buf))
	}
}

// spares are lines of batches before, whose memory the next ones take.
var spares = sync.Pool{New: func() any { return &written{} }}

func newBatch() *batch { return &batch{written: spares.Get().(*written)} }

// commit writes a batch; the caller is the one who began it.
func (f *File) commit(b *batch) error {
	f.writeMu.Lock()
	f.mu.Lock()
	if f.open == b { // from here on the next comer begins another
		f.open = nil
	}
	wasBad := f.bad
	f.mu.Unlock()
	err := f.write(b, wasBad)
	if err != nil {
		f.refused += uint64(len(b.ends))
	} else {
		f.refused = 0
	}
	if err != nil || wasBad != nil {
		f.mu.Lock()
		f.bad = err
		f.mu.Unlock()
	}
	f.writeMu.Unlock()
	if err != nil {
		err = fault.E("audit.Record", fault.Unavailable, "the audit record could not be written", err)
	}
	b.buf, b.ends = b.buf[:0], b.ends[:0]
	spares.Put(b.written)
	b.written = nil
	if b.done != nil {
		b.err = err
		close(b.done) // the others read b.err: it is theirs now
	}
	return err
}

// write chains the lines and hands them to the kernel; writeMu is held. All
// lines are written, or none.
func (f *File) write(b *batch, wasBad error) error {
	now := f.o.Now()
	if err := f.ready(now); err != nil {
		return err
	}
	out, seq, sum := append(f.out[:0], make([]byte, headroom)...), f.seq, f.sum
	if wasBad != nil {
		start := len(out)
		out = f.resumed(now, wasBad).append(out)
		seq++
		out = appendLink(out, start, seq, &sum)
	}
	from := 0
	for _, end := range b.ends {
		start := len(out)
		out = append(out, b.buf[from:end]...)
		seq++
		out = appendLink(out, start, seq, &sum)
		from = end
	}
	if cap(out) <= maxBatch {
		f.out = out
	}
	if err := f.put(out[headroom:]); err != nil {
		return err
	}
	f.seq, f.sum = seq, sum
	return nil
}

// put appends to the file, wholly or not at all; writeMu is held.
func (f *File) put(out []byte) error {
	n, err := f.file.Write(out)
	if err == nil && f.o.SyncEach {
		err = f.file.Sync()
	}
	if err != nil {
		if n > 0 {
			f.torn = f.file.Truncate(f.size) != nil
		}
		return err
	}
	f.size += int64(n)
	return nil
}

// ready makes the file fit to take lines: this day's, whole, and still the one
// that the folder shows. writeMu is held.
func (f *File) ready(now time.Time) error {
	if f.file == nil {
		return fs.ErrClosed
	}
	if f.lost == nil && gone(f.file) {
		f.lost, f.lostAt = wasRemoved(f.file), now
	}
	if f.lost != nil {
		return f.replace(now)
	}
	if f.torn {
		if err := f.file.Truncate(f.size); err != nil {
			return fmt.Errorf("a line that was written half cannot be taken back: %w", err)
		}
		f.torn = false
	}
	// Days go forward only: a clock that is set back does not reopen a day.
	if !sameDay(f.day, now) {
		if day := dayOf(now); day > f.day {
			return f.turn(day, "")
		}
	}
	return nil
}

// Healthy reports why nothing can be recorded or vouched for; nil if all is well.
func (f *File) Healthy() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cmp.Or(f.bad, f.headErr)
}

// resumed says that records could not be written for a while.
func (f *File) resumed(now time.Time, why error) *control {
	return &control{time: now, action: "resume", chain: f.chain,
		reason: fmt.Sprintf("%d records could not be written, and what they were about was refused: %v", f.refused, why)}
}

// Close syncs, writes the head and closes the record.
func (f *File) Close() error {
	err := f.sync()
	f.writeMu.Lock()
	defer f.writeMu.Unlock()
	if f.file == nil {
		return nil
	}
	err = errors.Join(err, f.file.Close(), f.lock.Close())
	f.file = nil
	return err
}
