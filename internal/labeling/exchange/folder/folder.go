// Package folder is the folder on disk that formats of many files are written
// into. What is below it is opened through os.Root, so that no name, and no
// link that somebody puts there meanwhile, leads out of it.
package folder

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"fiducial/internal/labeling/exchange"
)

// Folder implements exchange.Files.
type Folder struct{ root *os.Root }

// Open opens a folder that is there.
func Open(name string) (*Folder, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// Create implements exchange.Files.
func (f *Folder) Create(name string) (io.WriteCloser, error) {
	if err := exchange.CheckPath(name); err != nil {
		return nil, err
	}
	if dir := path.Dir(name); dir != "." {
		if err := f.root.MkdirAll(dir, 0o755); err != nil {
			return nil, taken(err)
		}
	}
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, taken(err)
	}
	return &buffered{bufio.NewWriterSize(file, 8<<10), file}, nil
}

// taken says that a name is taken where a folder of it is wanted and a file
// there, or the other way round.
func taken(err error) error {
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
		return fs.ErrExist
	}
	return err
}

// Close ends the use of the folder.
func (f *Folder) Close() error { return f.root.Close() }

type buffered struct {
	*bufio.Writer
	file *os.File
}

func (b *buffered) Close() error { return errors.Join(b.Flush(), b.file.Close()) }
