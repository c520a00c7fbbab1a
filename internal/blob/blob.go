// Package blob keeps bytes and knows nothing about what they mean: no buckets,
// no keys, no metadata, no permissions. It is cut low so that S3's rules stand
// in one place above it (objects) and never in a storage back end.
//
// A blob is written once and never changed. Its id is made by the store, random
// and unguessable, so that no name that a client chooses ever reaches a file
// system, and a write can only ever add. Whoever keeps ids decides what is still
// needed; List and Delete are for taking away the rest.
//
// Every implementation passes blobtest.Run.
package blob

import (
	"context"
	"io"
	"os"
	"time"
)

// ID names a blob. It is 32 lower-case hexadecimal digits: 128 random bits.
type ID string

// Valid reports whether id has the form of an id. Anything else is "not found"
// to every store, before it looks.
func (id ID) Valid() bool {
	if len(id) != 32 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Store keeps blobs. Its methods may be called from many goroutines at once.
type Store interface {
	// Create begins a blob. Nothing of it can be seen before Commit.
	Create(ctx context.Context) (Writer, error)

	// Open opens a blob for reading; NotFound if there is none. A blob that is
	// open stays readable when it is deleted.
	Open(ctx context.Context, id ID) (Blob, error)

	// Stat returns a blob's size in bytes; NotFound if there is none.
	Stat(ctx context.Context, id ID) (size int64, err error)

	// Delete takes a blob away; NotFound if there is none.
	Delete(ctx context.Context, id ID) error

	// List calls fn for every committed blob, in no particular order, until fn
	// returns an error, which it returns. Blobs that come or go meanwhile may
	// or may not be among them. modified is when the blob was committed.
	List(ctx context.Context, fn func(id ID, size int64, modified time.Time) error) error
}

// Writer is a blob being written, by one goroutine. It ends with Commit or
// Abort; Abort after either does nothing, so it can be deferred.
type Writer interface {
	io.Writer

	// Commit makes the blob visible and returns its id and size. When it returns
	// nil, the blob survives kill -9 and loss of power. When it fails, nothing is
	// left.
	Commit(ctx context.Context) (ID, int64, error)

	// Abort leaves nothing behind.
	Abort()
}

// Blob is an open blob. Reading and seeking is for one goroutine; ReadAt for many.
type Blob interface {
	io.ReadSeekCloser
	io.ReaderAt
	Size() int64
}

// Filer is a Blob that is a file of its own. Copying from the file itself lets
// the kernel move the bytes to a connection (sendfile) instead of this program.
// The file is not to be touched after the blob was closed.
type Filer interface {
	File() *os.File
}
