package objects

import (
	"strings"
	"time"

	"fiducial/internal/fault"
)

// Conditions are the caller's conditions on the object's present state. Entity
// tags are as in HTTP: quoted or not, a list, or "*".
type Conditions struct {
	IfMatch           string
	IfNoneMatch       string
	IfModifiedSince   time.Time
	IfUnmodifiedSince time.Time
}

func preconditionFailed(which string) error {
	f := fault.Coded("objects", fault.Precond, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	f.Field = which
	return f
}

// notModified answers a conditional read whose object is as the caller has it.
// Field is the entity tag, which goes with the answer.
func notModified(o *Object) error {
	f := fault.Coded("objects", fault.Precond, "NotModified", "Not Modified")
	f.Field = o.QuotedETag
	return f
}

// read decides a conditional read (RFC 9110 section 13.2.2): a match of the
// entity tag takes precedence over the date.
func (c *Conditions) read(o *Object) error {
	if *c == (Conditions{}) {
		return nil
	}
	modified := o.Modified.Truncate(time.Second)
	if c.IfMatch != "" {
		if !etagIn(c.IfMatch, o.ETag) {
			return preconditionFailed("If-Match")
		}
	} else if !c.IfUnmodifiedSince.IsZero() && modified.After(c.IfUnmodifiedSince) {
		return preconditionFailed("If-Unmodified-Since")
	}
	if c.IfNoneMatch != "" {
		if etagIn(c.IfNoneMatch, o.ETag) {
			return notModified(o)
		}
	} else if !c.IfModifiedSince.IsZero() && !modified.After(c.IfModifiedSince) {
		return notModified(o)
	}
	return nil
}

// copySource is read for the source of a copy, where "not modified" is a
// failed condition too.
func (c *Conditions) copySource(o *Object) error {
	err := c.read(o)
	if fault.CodeOf(err) == "NotModified" {
		return preconditionFailed("x-amz-copy-source-If-None-Match")
	}
	return err
}

// write decides a conditional write; o is nil if there is no object. S3 itself
// takes only "*" in If-None-Match; an entity tag means here what HTTP says.
func (c *Conditions) write(o *Object) error {
	if c.IfMatch != "" {
		if o == nil {
			return noSuchKey()
		}
		if !etagIn(c.IfMatch, o.ETag) {
			return preconditionFailed("If-Match")
		}
	}
	if c.IfNoneMatch != "" && o != nil && etagIn(c.IfNoneMatch, o.ETag) {
		return preconditionFailed("If-None-Match")
	}
	return nil
}

func etagIn(list, etag string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if p := unquote(part); p == "*" || p == etag {
			return true
		}
	}
	return false
}

func noSuchKey() error {
	return fault.Coded("objects", fault.NotFound, "NoSuchKey", "The specified key does not exist.")
}

func noSuchBucket() error {
	return fault.Coded("objects", fault.NotFound, "NoSuchBucket", "The specified bucket does not exist")
}
