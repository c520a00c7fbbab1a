package app

import (
	"bufio"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fiducial/internal/config"
	"fiducial/internal/fault"
)

// rootFile is where a root key made on first start is kept, in the AWS
// shared-credentials format, so that AWS_SHARED_CREDENTIALS_FILE can name it.
const rootFile = "root-credentials"

// rootKey returns the account's root key: the configured one, else the one
// made on an earlier start, else a new one.
func rootKey(s *config.Settings) (id string, secret config.Secret, err error) {
	const op = "app.rootKey"
	if s.RootAccessKeyID != "" {
		return s.RootAccessKeyID, s.RootSecretKey, nil
	}
	path := filepath.Join(s.DataDir, rootFile)
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		id, secret = parseCredentials(string(b))
		if id == "" || secret == "" {
			return "", "", fault.Newf(op, fault.Invalid, "%s has no aws_access_key_id and aws_secret_access_key; restore it, or delete it to have a new root key made", path)
		}
		return id, secret, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", "", fault.E(op, fault.Unavailable, "the root credentials cannot be read", err)
	}
	id, secret = newKey()
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", id, secret.Reveal())
	if err := writeOnce(path, []byte(text)); err != nil {
		return "", "", fault.E(op, fault.Unavailable, "the root credentials cannot be written", err)
	}
	return id, secret, nil
}

// newKey makes a key pair of the shapes that AWS's have: AKIA and 16 letters
// and digits; 40 characters.
func newKey() (string, config.Secret) {
	b := make([]byte, 40)
	_, _ = rand.Read(b) // it never fails; the process ends instead
	id := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:10])
	return "AKIA" + id, config.Secret(base64.StdEncoding.EncodeToString(b[10:]))
}

func parseCredentials(text string) (id string, secret config.Secret) {
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		k, v, _ := strings.Cut(s.Text(), "=")
		switch strings.TrimSpace(k) {
		case "aws_access_key_id":
			id = strings.TrimSpace(v)
		case "aws_secret_access_key":
			secret = config.Secret(strings.TrimSpace(v))
		}
	}
	return id, secret
}

// writeOnce makes a file of mode 0600 that is whole and durable or not there.
func writeOnce(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	// A link, not a rename: two servers that start at once agree on one key.
	if err := os.Link(tmp.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
