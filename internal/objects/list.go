package objects

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/policy"
)

// ListInput asks for a part of a bucket's keys.
type ListInput struct {
	Bucket    string
	Prefix    string
	Delimiter string
	MaxKeys   int    // at most MaxKeys entries are returned
	Marker    string // version 1 and start-after of version 2: keys after this one
	Token     string // version 2: as returned by an earlier page; takes precedence
}

// Listing is a page of keys. Objects and CommonPrefixes are each in order.
type Listing struct {
	Objects        []*Object
	CommonPrefixes []string
	Truncated      bool
	NextMarker     string // the last entry of the page
	NextToken      string
}

// ListObjects lists keys (version 1 of the operation).
func (s *Service) ListObjects(ctx context.Context, call *Call, in ListInput) (*Listing, error) {
	return s.list(ctx, call, OpListObjects, in)
}

// ListObjectsV2 lists keys.
func (s *Service) ListObjectsV2(ctx context.Context, call *Call, in ListInput) (*Listing, error) {
	return s.list(ctx, call, OpListObjectsV2, in)
}

// ListObjectVersions lists keys; each has the one version named null.
func (s *Service) ListObjectVersions(ctx context.Context, call *Call, in ListInput) (*Listing, error) {
	return s.list(ctx, call, OpListObjectVersions, in)
}

// listKeys are the condition keys of a listing. s3:prefix is there even if
// empty: a policy that asks for a prefix must not be passed by leaving it out.
func listKeys(prefix, delimiter string, maxKeys int) []policy.Key {
	keys := []policy.Key{{Name: "s3:prefix", Value: prefix}, {Name: "s3:max-keys", Value: strconv.Itoa(maxKeys)}}
	if delimiter != "" {
		keys = append(keys, policy.Key{Name: "s3:delimiter", Value: delimiter})
	}
	return keys
}

func (s *Service) list(ctx context.Context, call *Call, op int, in ListInput) (*Listing, error) {
	if _, err := s.begin(ctx, call, op, in.Bucket, "", true, listKeys(in.Prefix, in.Delimiter, in.MaxKeys)...); err != nil {
		return nil, err
	}
	if len(in.Prefix) > MaxKey || len(in.Delimiter) > MaxKey || len(in.Marker) > MaxKey {
		return nil, fault.Coded("objects.list", fault.Invalid, "InvalidArgument", "prefix, delimiter and marker have at most 1024 bytes")
	}
	from := position{text: in.Marker}
	if in.Token != "" {
		var err error
		if from, err = parseToken(in.Token); err != nil {
			return nil, err
		}
	} else if in.Delimiter != "" {
		// A marker that is itself a common prefix stands for all it covers.
		p, ok := commonPrefix(in.Marker, in.Prefix, in.Delimiter)
		from.group = ok && p == in.Marker
	}
	l := lister{in: in, limit: min(max(in.MaxKeys, 0), MaxKeys), fetch: s.store.Range}
	return l.run(ctx, from)
}

// position is where a page ended: after a key, or after everything under a
// common prefix.
type position struct {
	text  string
	group bool
}

func (p position) token() string {
	kind := "k"
	if p.group {
		kind = "p"
	}
	return base64.RawURLEncoding.EncodeToString([]byte(kind + p.text))
}

func parseToken(token string) (position, error) {
	bad := fault.Coded("objects.list", fault.Invalid, "InvalidArgument", "The continuation token provided is incorrect")
	if len(token) > 2*MaxKey {
		return position{}, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 1 || b[0] != 'k' && b[0] != 'p' {
		return position{}, bad
	}
	return position{text: string(b[1:]), group: b[0] == 'p'}, nil
}

// commonPrefix returns the part of key up to the first delimiter after prefix.
func commonPrefix(key, prefix, delimiter string) (string, bool) {
	if delimiter == "" || !strings.HasPrefix(key, prefix) {
		return "", false
	}
	i := strings.Index(key[len(prefix):], delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(prefix)+i+len(delimiter)], true
}

// lister makes one page. It asks for ranges of the index and, after a common
// prefix, jumps to the first key behind it: a folder of a million keys costs one
// look-up, not a million rows.
type lister struct {
	in    ListInput
	limit int
	fetch func(context.Context, RangeQuery) ([]*Object, error)
	page  Listing
	last  position
}

func (l *lister) run(ctx context.Context, from position) (*Listing, error) {
	if l.limit == 0 {
		return &l.page, nil
	}
	q := RangeQuery{Bucket: l.in.Bucket, Prefix: l.in.Prefix, From: from.text, After: true, Limit: l.limit + 1}
	if from.group {
		if !q.skip(from.text) {
			return &l.page, nil
		}
	}
	for {
		rows, err := l.fetch(ctx, q)
		if err != nil {
			return nil, err
		}
		more := len(rows) == q.Limit
		for i := 0; i < len(rows); i++ {
			if len(l.page.Objects)+len(l.page.CommonPrefixes) == l.limit {
				l.page.Truncated = true
				l.page.NextMarker, l.page.NextToken = l.last.text, l.last.token()
				return &l.page, nil
			}
			p, grouped := commonPrefix(rows[i].Key, l.in.Prefix, l.in.Delimiter)
			if !grouped {
				l.page.Objects = append(l.page.Objects, rows[i].finish())
				l.last = position{text: rows[i].Key}
				q.From, q.After = rows[i].Key, true
				continue
			}
			l.page.CommonPrefixes = append(l.page.CommonPrefixes, p)
			l.last = position{text: p, group: true}
			if !q.skip(p) {
				return &l.page, nil
			}
			for i+1 < len(rows) && strings.HasPrefix(rows[i+1].Key, p) {
				i++
			}
		}
		if !more {
			return &l.page, nil
		}
		// Common prefixes so far: the next batch is probably one more of them,
		// and most of its rows would be thrown away.
		q.Limit = l.limit + 1 - len(l.page.Objects) - len(l.page.CommonPrefixes)
		if l.last.group {
			q.Limit = min(q.Limit, 32)
		}
		q.Limit = max(q.Limit, 2)
	}
}

// skip moves the range behind everything that begins with p; false if nothing
// can be there.
func (q *RangeQuery) skip(p string) bool {
	q.From, q.After = prefixEnd(p), false
	return q.From != ""
}
