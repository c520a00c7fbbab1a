package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	dayFormat  = "2006-01-02"
	fileSuffix = ".jsonl"
)

func dayOf(t time.Time) string { return t.UTC().Format(dayFormat) }

// sameDay is dayOf(t) == day without an allocation.
func sameDay(day string, t time.Time) bool {
	var b [len(dayFormat)]byte
	return string(t.UTC().AppendFormat(b[:0], dayFormat)) == day
}

// DayFile is one file of a chain.
type DayFile struct {
	Dir   string
	Chain string
	Day   string // 2006-01-02
	Part  int    // 1, or more where a file was lost and another begun on the same day
}

// Name is the file's name.
func (d DayFile) Name() string {
	if d.Part > 1 {
		return d.Day + "." + d.Chain + "." + strconv.Itoa(d.Part) + fileSuffix
	}
	return d.Day + "." + d.Chain + fileSuffix
}

// Path is where the file is.
func (d DayFile) Path() string { return filepath.Join(d.Dir, d.Name()) }

func (d DayFile) before(e DayFile) bool {
	if d.Day != e.Day {
		return d.Day < e.Day
	}
	return d.Part < e.Part
}

func parseDayFile(dir, name string) (DayFile, bool) {
	d := DayFile{Dir: dir, Part: 1}
	parts := strings.Split(strings.TrimSuffix(name, fileSuffix), ".")
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 2 {
			return d, false
		}
		d.Part, parts = n, parts[:2]
	}
	if len(parts) != 2 || !chainName(parts[1]) {
		return d, false
	}
	if t, err := time.Parse(dayFormat, parts[0]); err != nil || t.Format(dayFormat) != parts[0] {
		return d, false
	}
	d.Day, d.Chain = parts[0], parts[1]
	return d, d.Name() == name
}

// Files lists a folder: the files of each chain in their order, and the names
// of everything else that lies there.
func Files(dir string) (chains map[string][]DayFile, strangers []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	chains = map[string][]DayFile{}
	for _, e := range entries {
		d, ok := parseDayFile(dir, e.Name())
		if !ok || !e.Type().IsRegular() {
			strangers = append(strangers, e.Name())
			continue
		}
		chains[d.Chain] = append(chains[d.Chain], d)
	}
	for _, files := range chains {
		sort.Slice(files, func(i, j int) bool { return files[i].before(files[j]) })
	}
	return chains, strangers, nil
}

// turn begins the file of a day, with a first line that follows the last one
// of the file before; writeMu is held. why says what happened to that, if it is
// not simply over.
func (f *File) turn(day, why string) error {
	d := DayFile{Dir: f.o.Dir, Chain: f.chain, Day: day, Part: 1}
	file, err := create(&d)
	if err != nil {
		return err
	}
	c := &control{time: f.o.Now(), action: "begin", chain: f.chain, file: d.Name(), prev: f.sum.String(), reason: why}
	if f.day != "" {
		c.action, c.previous = "continue", DayFile{Chain: f.chain, Day: f.day, Part: f.part}.Name()
	}
	sum := f.sum
	line := linked(c.append(nil), f.seq+1, &sum)
	_, err = file.Write(line)
	if err = errors.Join(err, syncDir(f.o.Dir)); err != nil {
		_ = file.Truncate(0)
		_ = file.Close()
		_ = os.Remove(d.Path())
		return err
	}
	if f.file != nil {
		_ = f.file.Sync()
		_ = f.file.Close()
	}
	f.file, f.day, f.part, f.size, f.torn, f.lost = file, day, d.Part, int64(len(line)), false, nil
	f.seq, f.sum = f.seq+1, sum
	return nil
}

// create makes a file that was not there, or takes an empty one; d.Part becomes
// the first that is free.
func create(d *DayFile) (*os.File, error) {
	for ; d.Part < 1000; d.Part++ {
		file, err := os.OpenFile(d.Path(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		st, err := file.Stat()
		if err == nil && st.Mode().IsRegular() && st.Size() == 0 {
			return file, nil
		}
		_ = file.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: too many files of one day", d.Day)
}

// retryLost is how long nothing is recorded after the file was taken away,
// before another is begun.
const retryLost = time.Second

// replace begins another file after the present one was taken away. That it was
// is on record in the new one; what it held is missing, and Verify says so.
func (f *File) replace(now time.Time) error {
	if age := now.Sub(f.lostAt); age >= 0 && age < retryLost {
		return f.lost
	}
	if inPlace(f.file) == nil { // given back
		f.lost = nil
		return nil
	}
	why := f.lost
	if err := f.turn(max(f.day, dayOf(now)), fmt.Sprintf("%v while the server was at work; its last line was number %d", why, f.seq)); err != nil {
		f.lostAt = now
		return errors.Join(why, err)
	}
	f.o.Log.Error("the audit record was begun anew", "why", why, "file", filepath.Base(f.file.Name()))
	return nil
}

// gone reports whether no folder shows the file any more.
func gone(file *os.File) bool {
	var st syscall.Stat_t
	for {
		err := syscall.Fstat(int(file.Fd()), &st)
		if !errors.Is(err, syscall.EINTR) {
			return err == nil && st.Nlink == 0
		}
	}
}

func wasRemoved(file *os.File) error {
	return fmt.Errorf("the file %s was removed", filepath.Base(file.Name()))
}

// inPlace reports whether the folder still shows the file under its name, and
// takes new files.
func inPlace(file *os.File) error {
	mine, err := file.Stat()
	if err != nil {
		return err
	}
	shown, err := os.Stat(file.Name())
	switch {
	case errors.Is(err, fs.ErrNotExist) && gone(file):
		return wasRemoved(file)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the file %s was removed or renamed", filepath.Base(file.Name()))
	case err != nil:
		return err
	case !os.SameFile(mine, shown):
		return fmt.Errorf("the file %s was replaced by another", filepath.Base(file.Name()))
	}
	const writeAndSearch = 2 | 1
	if err := syscall.Access(filepath.Dir(file.Name()), writeAndSearch); err != nil {
		return &os.PathError{Op: "write to the folder", Path: filepath.Dir(file.Name()), Err: err}
	}
	return nil
}
