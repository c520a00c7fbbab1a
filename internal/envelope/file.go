package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"fiducial/internal/fault"
)

// maxKeysetFile bounds a keyset file; one key is about 300 bytes.
const maxKeysetFile = 64 << 10

// New makes a keyset that exists in memory only.
func New() (*Keyset, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fault.E("envelope.New", fault.Internal, "", err)
	}
	return fromHandle(h)
}

func fromHandle(h *keyset.Handle) (*Keyset, error) {
	a, err := aead.New(h)
	if err != nil {
		return nil, fault.E("envelope.Load", fault.Invalid, "the keyset is not one of authenticated encryption", err)
	}
	return &Keyset{a, h}, nil
}

// Load reads the keyset at path (Tink's JSON form, mode 0600).
func Load(path string) (*Keyset, error) { return load(path) }

// LoadOrCreate reads the keyset at path (Tink's JSON form, mode 0600) or makes
// one there. All replicas of a service must have the same file. A file that was
// returned from survives the loss of power, and of two processes that create it
// at once both end up with the same keyset.
func LoadOrCreate(path string) (*Keyset, error) {
	k, err := load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := create(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fault.E("envelope.LoadOrCreate", fault.Internal, "the keyset file "+path+" cannot be made", err)
	}
	return load(path)
}

func load(path string) (*Keyset, error) {
	const op = "envelope.Load"
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "the keyset file "+path+" cannot be read", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "the keyset file "+path+" cannot be read", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fault.Newf(op, fault.Invalid, "the keyset file %s must be a regular file of mode 0600 (it has %v): others could read it", path, info.Mode())
	}
	if info.Size() > maxKeysetFile {
		return nil, fault.Newf(op, fault.Invalid, "the keyset file %s is larger than %d bytes", path, maxKeysetFile)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxKeysetFile))
	if err != nil {
		return nil, fault.E(op, fault.Internal, "the keyset file "+path+" cannot be read", err)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "the keyset file "+path+" is not a Tink keyset in JSON", err)
	}
	return fromHandle(h)
}

// create writes a new keyset beside path and links it there: the name appears
// with its whole content or not at all, and never replaces another keyset.
func create(path string) error {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	var doc bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&doc)); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".keyset-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(doc.Bytes())
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
