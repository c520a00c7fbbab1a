package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"fiducial/internal/fault"
)

// Retire removes the files whose day is before that of the instant. A file goes
// only whole, after every line of it was verified, and after a record names its
// last line's number and hash; so Verify goes on to hold and says what went.
// Chains that no process uses any more are retired too; a living one's are its
// own process's to retire. A file that does not verify stays, and is an error.
func (f *File) Retire(ctx context.Context, before time.Time) (removed []string, err error) {
	chains, _, err := Files(f.o.Dir)
	if err != nil {
		return nil, fault.E("audit.Retire", fault.Unavailable, "the audit folder cannot be read", err)
	}
	day := dayOf(before)
	var errs []error
	for name, files := range chains {
		if files[0].Day >= day {
			continue
		}
		names, err := f.retireChain(ctx, name, files, day)
		removed = append(removed, names...)
		if err != nil {
			errs = append(errs, fmt.Errorf("chain %s: %w", name, err))
		}
	}
	if len(errs) > 0 {
		return removed, fault.E("audit.Retire", fault.Internal, "not all old files of the audit record were removed", errors.Join(errs...))
	}
	return removed, nil
}

func (f *File) retireChain(ctx context.Context, name string, files []DayFile, day string) (removed []string, err error) {
	f.writeMu.Lock()
	own, current := name == f.chain, DayFile{Dir: f.o.Dir, Chain: f.chain, Day: f.day, Part: f.part}
	h := Head{Chain: name, Retired: f.retired, RetiredSum: f.retiredSum}
	f.writeMu.Unlock()
	if !own {
		lock, err := lockChain(f.o.Heads, name)
		if errors.Is(err, errInUse) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		defer lock.Close()
		if h, err = readHead(headPath(f.o.Heads, name), f.key); err != nil {
			return nil, fmt.Errorf("its head: %w", err)
		}
	}
	for i, d := range files {
		if d.Day >= day || own && !d.before(current) {
			break
		}
		if t, err := readTail(d.Path()); err == nil && t.seq > 0 && t.seq <= h.Retired {
			// On record as retired already: the process ended before it went.
			if err := os.Remove(d.Path()); err != nil {
				return removed, err
			}
			removed = append(removed, d.Name())
			continue
		}
		seq, sum, err := wholeFile(ctx, d, h.Retired, h.RetiredSum, i == len(files)-1)
		if err != nil {
			return removed, fmt.Errorf("%s stays: %w", d.Name(), err)
		}
		if err := f.bury(d, &h, seq, sum, own); err != nil {
			return removed, err
		}
		removed = append(removed, d.Name())
	}
	return removed, nil
}

// bury records that a file goes, durably, and removes it.
func (f *File) bury(d DayFile, h *Head, seq uint64, sum Sum, own bool) error {
	if err := f.note(&control{time: f.o.Now(), action: "retire", chain: d.Chain, file: d.Name(), through: seq, digest: sum.String(),
		reason: "older than the record is kept"}); err != nil {
		return err
	}
	h.Retired, h.RetiredSum = seq, sum
	if own {
		f.writeMu.Lock()
		f.retired, f.retiredSum = seq, sum
		f.writeMu.Unlock()
	} else if err := writeHead(f.o.Heads, f.key, h); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return errors.Join(os.Remove(d.Path()), syncDir(f.o.Dir))
}

// note writes a record of the chain itself.
func (f *File) note(c *control) error {
	b := newBatch()
	b.buf = c.append(b.buf)
	b.ends = append(b.ends, len(b.buf))
	return f.commit(b)
}

// wholeFile verifies a file that follows the line with this number and hash,
// and returns those of its last line.
func wholeFile(ctx context.Context, d DayFile, after uint64, sum Sum, last bool) (uint64, Sum, error) {
	v := newVerifier()
	s := &state{name: d.Chain, want: after + 1, sum: sum, known: true}
	if err := v.readFile(ctx, s, d, false, last, nil); err != nil {
		return 0, sum, err
	}
	if !v.out.OK() {
		return 0, sum, errors.New(v.out.Problems[0].String())
	}
	return s.want - 1, s.sum, nil
}
