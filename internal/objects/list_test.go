package objects

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rangeOf answers range queries over sorted keys as the store does, and counts
// the rows that it gave out.
func rangeOf(keys []string, rows *int) func(context.Context, RangeQuery) ([]*Object, error) {
	return func(_ context.Context, q RangeQuery) ([]*Object, error) {
		from := max(q.From, q.Prefix)
		i := sort.SearchStrings(keys, from)
		var out []*Object
		for ; i < len(keys) && len(out) < q.Limit; i++ {
			if q.After && keys[i] == q.From {
				continue
			}
			if end := q.End(); end != "" && keys[i] >= end {
				break
			}
			out = append(out, &Object{Key: keys[i]})
		}
		*rows += len(out)
		return out, nil
	}
}

// naive lists by looking at every key: what the answer has to be.
func naive(keys []string, prefix, delimiter, marker string) (objects, groups []string) {
	seen := map[string]bool{}
	for _, k := range keys {
		if !strings.HasPrefix(k, prefix) || k <= marker {
			continue
		}
		if p, ok := commonPrefix(k, prefix, delimiter); ok {
			if !seen[p] && p != marker {
				groups = append(groups, p)
			}
			seen[p] = true
			continue
		}
		objects = append(objects, k)
	}
	return objects, groups
}

// Pages of any size, joined, are the whole listing, each entry once and in order,
// by token and by marker.
func TestListingPages(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "b", "/", "-", "é", "\xff", "\x00", "0", "//"}
	for round := range 300 {
		var keys []string
		for range rng.IntN(60) {
			k := ""
			for range 1 + rng.IntN(5) {
				k += parts[rng.IntN(len(parts))]
			}
			keys = append(keys, k)
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		prefix := []string{"", "a", "a/", "b", "\xff"}[rng.IntN(5)]
		delimiter := []string{"", "/", "-", "//", "b"}[rng.IntN(5)]
		wantObjects, wantGroups := naive(keys, prefix, delimiter, "")
		for _, size := range []int{1, 2, 3, 1000} {
			for _, byToken := range []bool{true, false} {
				name := fmt.Sprintf("round %d prefix %q delimiter %q pages of %d token %v keys %q", round, prefix, delimiter, size, byToken, keys)
				gotObjects, gotGroups := pages(t, name, keys, ListInput{Prefix: prefix, Delimiter: delimiter, MaxKeys: size}, byToken)
				if d := cmp.Diff(wantObjects, gotObjects); d != "" {
					t.Fatalf("%s: objects %s", name, d)
				}
				if d := cmp.Diff(wantGroups, gotGroups); d != "" {
					t.Fatalf("%s: common prefixes %s", name, d)
				}
			}
		}
	}
}

func pages(t *testing.T, name string, keys []string, in ListInput, byToken bool) (objects, groups []string) {
	rows := 0
	var from position
	for page := 0; ; page++ {
		if page > 2*len(keys)+2 {
			t.Fatalf("%s: no end", name)
		}
		l := lister{in: in, limit: in.MaxKeys, fetch: rangeOf(keys, &rows)}
		got, err := l.run(context.Background(), from)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.Objects) + len(got.CommonPrefixes); n > in.MaxKeys {
			t.Fatalf("%s: %d entries in a page", name, n)
		}
		for _, o := range got.Objects {
			objects = append(objects, o.Key)
		}
		groups = append(groups, got.CommonPrefixes...)
		if !got.Truncated {
			return objects, groups
		}
		if byToken {
			if from, err = parseToken(got.NextToken); err != nil {
				t.Fatal(err)
			}
			continue
		}
		p, ok := commonPrefix(got.NextMarker, in.Prefix, in.Delimiter)
		from = position{text: got.NextMarker, group: ok && p == got.NextMarker}
	}
}

// A folder is jumped over, however many keys it holds.
func TestListingSkipsFolders(t *testing.T) {
	var keys []string
	for d := range 5 {
		for k := range 20000 {
			keys = append(keys, fmt.Sprintf("d%d/%05d", d, k))
		}
	}
	rows := 0
	l := lister{in: ListInput{Delimiter: "/", MaxKeys: 1000}, limit: 1000, fetch: rangeOf(keys, &rows)}
	got, err := l.run(context.Background(), position{})
	if err != nil || len(got.CommonPrefixes) != 5 || got.Truncated {
		t.Fatalf("%+v %v", got, err)
	}
	if rows > 1300 {
		t.Errorf("%d rows were read for 5 folders", rows)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(position{text: "a/b"}.token())
	f.Add(position{text: "a/", group: true}.token())
	f.Add("!!")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseToken(s)
		if err != nil {
			return
		}
		if again, err := parseToken(p.token()); err != nil || again != p {
			t.Errorf("%q: %+v became %+v", s, p, again)
		}
	})
}

func TestPrefixEnd(t *testing.T) {
	for _, c := range []struct{ in, want string }{{"", ""}, {"a", "b"}, {"a\xff", "b"}, {"\xff\xff", ""}, {"a/", "a0"}} {
		if got := prefixEnd(c.in); got != c.want {
			t.Errorf("%q: %q", c.in, got)
		}
	}
}
