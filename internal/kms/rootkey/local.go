package rootkey

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/kms"
)

const keySize = 32

// local is a root key that this process holds. It wraps with AES-256-GCM under a
// key derived for that alone; there are as many wrappings as keysets and changes of
// the root key, so random nonces never meet.
type local struct {
	id   string
	aead cipher.AEAD
}

// fromText makes a root key of its text. where says in messages what held it.
func fromText(text, where string) (kms.Root, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != keySize {
		return nil, refused("%s does not hold 32 bytes in base64 (make such a key with: openssl rand -base64 32)", where)
	}
	print, err1 := hkdf.Key(sha256.New, raw, nil, "fiducial root key fingerprint", 8)
	wrapping, err2 := hkdf.Key(sha256.New, raw, nil, "fiducial root key wrapping", keySize)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	block, err := aes.NewCipher(wrapping)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	return &local{"local:" + hex.EncodeToString(print), aead}, nil
}

func (l *local) ID() string { return l.id }

func (l *local) Wrap(_ context.Context, plain envelope.Secret, purpose string) ([]byte, error) {
	return l.aead.Seal(nil, nil, []byte(plain.Reveal()), []byte(purpose)), nil
}

func (l *local) Unwrap(_ context.Context, wrapped []byte, purpose string) (envelope.Secret, error) {
	plain, err := l.aead.Open(nil, nil, wrapped, []byte(purpose))
	if err != nil {
		return envelope.Secret{}, envelope.ErrOpen
	}
	return envelope.NewSecret(string(plain)), nil
}

// maxFile bounds a key file: base64 of 32 bytes and some white space.
const maxFile = 1024

// fromFile reads a key file, or makes it if that is allowed.
func fromFile(path string, o Options) (kms.Root, error) {
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !o.MayCreate {
			return nil, refused("the file %s is not there, and the database holds data sealed under the root key %s. Put the file back from its backup, or name the place where that key is; a new key would open none of the data, so none is made", path, o.Sealed)
		}
		if err = create(path); err == nil || errors.Is(err, fs.ErrExist) {
			text, err = readFile(path)
		}
	}
	if err != nil {
		if fault.MessageOf(err) != fault.MessageOf(nil) && fault.Is(err, fault.Invalid) {
			return nil, err
		}
		return nil, fault.E(op, fault.Unavailable, "root-key: the file "+path+" cannot be read or made", err)
	}
	return fromText(text, "the file "+path)
}

func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return "", refused("the file %s must be a regular file of mode 0600 (it has %v): others could read it", path, info.Mode())
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	return string(b), err
}

// create writes a new key beside path and links it there: the name appears with its
// whole content or not at all, durably, and never replaces another key.
func create(path string) error {
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // crypto/rand does not fail: it ends the program
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".root-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(raw) + "\n")
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
