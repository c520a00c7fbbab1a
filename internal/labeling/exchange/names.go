package exchange

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// maxSegment is the longest part of a file name between slashes, in bytes;
// file systems allow 255, and suffixes come on top.
const maxSegment = 200

// Names turns source-refs into file names and back.
//
// A file name is the key below Prefix or, without a Prefix, bucket/key. Two
// source-refs never get the same name: what a file system cannot hold, or
// would read as something else (.., \, :, control characters, %), is escaped
// as %XX, and a part too long for it is cut and told apart by its hash.
type Names struct {
	Prefix string // s3://bucket/ or s3://bucket/folder/, or ""
}

// NewNames checks a prefix.
func NewNames(prefix string) (Names, error) {
	if prefix == "" {
		return Names{}, nil
	}
	if _, err := labeling.ParseS3URI(prefix); err != nil {
		return Names{}, err
	}
	if !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return Names{prefix}, nil
}

// File is the file name for a source-ref.
func (n Names) File(ref string) (string, error) {
	u, err := labeling.ParseS3Object(ref)
	if err != nil {
		return "", err
	}
	name := u.Bucket + "/" + u.Key
	if n.Prefix != "" {
		var ok bool
		if name, ok = strings.CutPrefix(ref, n.Prefix); !ok || name == "" {
			return "", fault.Newf("exchange.Names", fault.Invalid, "%s is not below %s", quote(ref), quote(n.Prefix))
		}
	}
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	return path.Join(parts...), nil
}

// Ref is the source-ref of a file name. hint is what the file itself says that
// it is, or "". It counts if no Prefix was given, or if it is what the name
// stands for.
func (n Names) Ref(name, hint string) (string, error) {
	if hint != "" {
		if _, err := labeling.ParseS3Object(hint); err != nil {
			hint = ""
		} else if n.Prefix == "" {
			return hint, nil
		} else if file, err := n.File(hint); err == nil && (file == name || strings.HasPrefix(name, sameName+sum(hint)+"-")) {
			return hint, nil
		}
	}
	const op = "exchange.Names"
	if n.Prefix == "" {
		return "", fault.Newf(op, fault.Invalid, "%s is not an S3 URI: say with --prefix where the files are", quote(name))
	}
	if err := CheckPath(name); err != nil {
		return "", err
	}
	ref := n.Prefix + name
	_, err := labeling.ParseS3Object(ref)
	return ref, err
}

// CheckPath refuses a foreign file name that does not stay where it is.
func CheckPath(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") || strings.ContainsRune(name, utf8.RuneError) {
		return fault.Newf("exchange.CheckPath", fault.Invalid, "%s is not a file name: expected parts with / between them, none of them empty, . or ..", quote(name))
	}
	return nil
}

// escape makes one part of a key one part of a file name.
func escape(part string) string {
	if part == "" {
		return "%"
	}
	var b strings.Builder
	for i, r := range part {
		last := i+utf8.RuneLen(r) == len(part)
		switch {
		case r < 0x20, r == 0x7f, strings.ContainsRune(`\:*?"<>|%`, r), (r == '.' || r == ' ') && last, r == '.' && (part == "." || part == ".."):
			fmt.Fprintf(&b, "%%%02X", r)
		default:
			b.WriteRune(r)
		}
	}
	s := b.String()
	if len(s) <= maxSegment {
		return s
	}
	ext := path.Ext(s)
	if len(ext) > 10 || strings.Contains(ext, "%") {
		ext = ""
	}
	return strings.ToValidUTF8(s[:maxSegment-40], "") + "%-" + sum(part) + ext
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:8])
}

// Files is a folder that is written.
type Files interface {
	// Create makes a new file, and the folders above it. The error is
	// fs.ErrExist where the file is there, or where a folder of the name is.
	Create(name string) (io.WriteCloser, error)
}

// sameName begins the names of pictures whose own name is taken.
const sameName = "same-name/"

// CreateFor makes the file that goes with a picture: in folder, under the
// picture's name with another extension. Where a.jpg and a.png would share
// a.txt, where a file system takes a and A for the same, or where a picture is
// in the manifest twice, the second is kept apart under another name, and notes
// (which may be nil) tell of it. named is the picture's name then.
func CreateFor(f Files, folder, ext, name string, r *Record, notes *Notes) (w io.WriteCloser, named string, err error) {
	other := fmt.Sprintf("%s%s-%d%s", sameName, sum(r.Ref), r.Line, path.Ext(name))
	for _, named := range []string{name, other} {
		w, err := f.Create(path.Join(folder, Stem(named)+ext))
		if err == nil && named == other && notes != nil {
			notes.Line(r, "kept apart below %s: pictures whose file name is taken", sameName)
		}
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return w, named, err
		}
	}
	return nil, "", refuse(r.Line, "the files %s and %s are there already", quote(name), quote(other))
}

// Stem is a file name without its extension.
func Stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }
