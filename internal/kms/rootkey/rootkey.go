// Package rootkey has the places where a root key may be: a file, the environment,
// AWS KMS, and Vault's or OpenBao's Transit engine. Each is a kms.Root.
//
// A key of the first two is 32 bytes in base64, and its name is a fingerprint: the
// same key is the same root key wherever it comes from, so a file can be moved into
// the environment. A key of the others never leaves its service, and its name is
// the service's.
package rootkey

import (
	"context"
	"encoding/base64"
	"net/url"
	"os"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/kms"
)

// Source is how a setting names a root key:
//
//	file:PATH
//	env:NAME
//	aws-kms:KEY-ARN[?endpoint=URL]
//	vault:URL#MOUNT/KEY
//
// or the key itself, 32 bytes in base64, which FIDUCIAL_ROOT_KEY may hold.
type Source string

// Options are what opening a root key may need.
type Options struct {
	// MayCreate allows a key file that is not there to be made: only while nothing
	// is sealed yet.
	MayCreate bool
	// Sealed names the root key that sealed the data there are, for the message
	// when a file is missing.
	Sealed string
	Lookup func(string) (string, bool) // the environment; os.LookupEnv if nil
}

const op = "rootkey.Open"

func refused(format string, args ...any) error {
	return fault.Newf(op, fault.Invalid, "root-key: "+format, args...)
}

// Open returns the root key of a source.
func Open(ctx context.Context, source Source, o Options) (kms.Root, error) {
	if o.Lookup == nil {
		o.Lookup = os.LookupEnv
	}
	kind, rest, ok := strings.Cut(string(source), ":")
	switch {
	case ok && kind == "file":
		return fromFile(rest, o)
	case ok && kind == "env":
		v, there := o.Lookup(rest)
		if !there || v == "" {
			return nil, refused("the environment has no variable %s: it must hold the root key, 32 bytes in base64", rest)
		}
		return fromText(v, "the variable "+rest)
	case ok && kind == "aws-kms":
		return openAWS(ctx, rest)
	case ok && kind == "vault":
		return openVault(rest, o.Lookup)
	}
	if _, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(source))); err != nil {
		return nil, refused("expected file:PATH, env:NAME, aws-kms:KEY-ARN[?endpoint=URL], vault:URL#MOUNT/KEY, or the key itself (32 bytes in base64)")
	}
	return fromText(string(source), "the setting")
}

// endpoint checks a URL of a service. Credentials have no place in it.
func endpoint(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, refused("the URL of the service: expected https://host[:port], without user and password")
	}
	return u, nil
}
