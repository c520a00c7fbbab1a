package audit

import (
	"errors"
	"io/fs"
	"os"

	"fiducial/internal/fault"
)

// Tend does what has to be done about once a second: it makes everything
// recorded durable, writes the head, looks whether the file is still in its
// place, and, after a failure, tries whether records can be written again. While
// it finds the folder unfit nothing is recorded, and so nothing is handed out.
func (f *File) Tend() error {
	f.writeMu.Lock()
	file := f.file
	f.writeMu.Unlock()
	if file == nil {
		return nil
	}
	if err := inPlace(file); err != nil {
		f.unfit(file, err)
	}
	if f.failed() {
		return f.try()
	}
	return f.Sync()
}

func (f *File) failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bad != nil
}

// unfit stops recording until Tend or a caller finds that it works again.
func (f *File) unfit(file *os.File, why error) {
	f.writeMu.Lock()
	defer f.writeMu.Unlock()
	if f.file != file || f.lost != nil { // turned to another day meanwhile; known
		return
	}
	f.lost, f.lostAt = why, f.o.Now()
	f.mu.Lock()
	f.bad = why
	f.mu.Unlock()
}

// try writes a line that says that there was a failure. If that works, it is over.
func (f *File) try() error {
	b := newBatch()
	if err := f.commit(b); err != nil {
		return err
	}
	return f.Sync()
}

// Sync makes everything recorded so far durable against loss of power, and
// writes the head.
func (f *File) Sync() error {
	if err := f.sync(); err != nil {
		return fault.E("audit.Sync", fault.Unavailable, "the audit record could not be synced", err)
	}
	return nil
}

func (f *File) sync() error {
	f.tendMu.Lock()
	defer f.tendMu.Unlock()
	f.writeMu.Lock()
	file, h := f.file, f.head()
	f.writeMu.Unlock()
	if file == nil || h.Seq == f.headSeq && h.Retired == f.headMark {
		return nil
	}
	// Outside the lock: a slow disk must not hold up every request. A turn of
	// the day in between closes the file after syncing it, which is as good.
	// The head is written after what it names is durable, so that a loss of
	// power never makes a record look cut off.
	err := file.Sync()
	if errors.Is(err, fs.ErrClosed) {
		err = nil
	}
	if err == nil {
		err = writeHead(f.o.Heads, f.key, &h)
	}
	if err == nil {
		f.headSeq, f.headMark = h.Seq, h.Retired
	}
	f.mu.Lock()
	f.headErr = err
	f.mu.Unlock()
	return err
}

// head is the present one; writeMu is held.
func (f *File) head() Head {
	return Head{Chain: f.chain, Seq: f.seq, Sum: f.sum, Time: f.o.Now(), Retired: f.retired, RetiredSum: f.retiredSum}
}

// Head is the chain's head now. Everything it names is with the kernel.
func (f *File) Head() Head {
	f.writeMu.Lock()
	defer f.writeMu.Unlock()
	return f.head()
}
