package objects

import (
	"strings"
	"time"
	"unicode/utf8"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// Limits of S3. Source: "Multipart upload limits" and "Object key naming" in the S3 User Guide.
const (
	MaxKey      = 1024           // bytes of a key
	MaxPut      = 5 << 30        // bytes of one PUT or one part
	MinPart     = 5 << 20        // bytes of every part but the last
	MaxParts    = 10000          // parts of an upload
	MaxObject   = int64(5) << 40 // bytes of an object made of parts
	MaxMeta     = 2 << 10        // bytes of user metadata, names and values
	MaxKeys     = 1000           // entries of one listing, keys of one DeleteObjects
	maxHeader   = 8 << 10        // bytes of one content header
	defaultType = "binary/octet-stream"
	folderType  = "application/x-directory; charset=UTF-8"
)

// httpTime is how dates stand in HTTP headers (RFC 9110, IMF-fixdate).
const httpTime = "Mon, 02 Jan 2006 15:04:05 GMT"

// Object is an object's row. It is immutable once made: it is shared by caches
// and requests.
type Object struct {
	Bucket   string
	Key      string
	Blob     blob.ID // the bytes; empty if they are those of an upload's parts
	Upload   string  // the multipart upload whose parts are the bytes
	Parts    int     // how many; 0 for an object that was put whole
	Size     int64
	ETag     string // without quotes: hex MD5, or hex MD5 of MD5s "-" parts; see secretETag
	Modified time.Time
	Headers  Headers
	Checksum Checksum

	Encryption *Encryption // nil if the bytes lie as they are

	// Made when the row is read, for the GET path.
	QuotedETag   string
	LastModified string // as HTTP writes it

	abroad   bool      // another store keeps it
	segments []Segment // parts in order, for an object made of parts
}

// Segment is one part of an object or of an upload.
type Segment struct {
	Number   int
	Blob     blob.ID
	Offset   int64 // within the object
	Size     int64
	ETag     string
	Checksum Checksum
	Modified time.Time

	Encryption *Encryption // its upload's, of a part that was just stored
}

// Headers is what a client stored with an object and gets back.
type Headers struct {
	ContentType        string `json:",omitempty"`
	CacheControl       string `json:",omitempty"`
	ContentDisposition string `json:",omitempty"`
	ContentEncoding    string `json:",omitempty"`
	ContentLanguage    string `json:",omitempty"`
	Expires            string `json:",omitempty"`
	RedirectLocation   string `json:",omitempty"`
	Meta               []Meta `json:",omitempty"`
}

// Meta is one member of the user metadata. Name is in lower case and without
// the prefix x-amz-meta-.
type Meta struct{ Name, Value string }

// WithSegments sets the parts that hold the bytes of an object made of parts.
// For the store, before anybody else sees the row.
func (o *Object) WithSegments(parts []Segment) *Object {
	o.segments = parts
	return o
}

// finish sets the members that are made from others.
func (o *Object) finish() *Object {
	// HTTP dates have whole seconds; a finer time in the row would make a copy
	// of Last-Modified in If-Unmodified-Since fail.
	o.QuotedETag = `"` + o.ETag + `"`
	o.LastModified = o.Modified.UTC().Format(httpTime)
	return o
}

// checkKey applies the rules for a key.
func checkKey(key string) error {
	switch {
	case key == "":
		return fault.Coded("objects", fault.Invalid, "InvalidArgument", "The key is empty")
	case len(key) > MaxKey:
		return fault.Coded("objects", fault.Invalid, "KeyTooLongError", "Your key is too long")
	case !utf8.ValidString(key):
		return fault.Coded("objects", fault.Invalid, "InvalidURI", "Couldn't parse the specified URI.")
	}
	return nil
}

// check applies the limits for what is stored with an object.
func (h *Headers) check() error {
	n := 0
	for _, m := range h.Meta {
		n += len(m.Name) + len(m.Value)
	}
	if n > MaxMeta {
		return fault.Coded("objects", fault.Invalid, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	for _, v := range [...]string{h.ContentType, h.CacheControl, h.ContentDisposition, h.ContentEncoding, h.ContentLanguage, h.Expires, h.RedirectLocation} {
		if len(v) > maxHeader {
			return fault.Newf("objects", fault.Invalid, "a content header is longer than %d bytes", maxHeader)
		}
	}
	if h.ContentType == "" {
		h.ContentType = defaultType
	}
	return nil
}

// unquote takes the quotes off an entity tag.
func unquote(etag string) string {
	etag = strings.TrimSpace(etag)
	etag = strings.TrimPrefix(etag, "W/")
	if len(etag) >= 2 && etag[0] == '"' && etag[len(etag)-1] == '"' {
		return etag[1 : len(etag)-1]
	}
	return etag
}
