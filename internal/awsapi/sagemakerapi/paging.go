package sagemakerapi

import (
	"encoding/base64"
	"encoding/json"
	"sort"

	"fiducial/internal/fault"
)

const defaultPage = 100

// cursor is what a NextToken says: the list it belongs to and the last key that
// was handed out. It holds no secret and is no permission; a forged one gives a
// page of a list that the caller may read anyway.
type cursor struct {
	List string `json:"l"`
	Key  string `json:"k"`
}

func (c cursor) token() *string {
	b, err := json.Marshal(c)
	if err != nil { // two strings always marshal
		return nil
	}
	s := base64.RawURLEncoding.EncodeToString(b)
	return &s
}

func readCursor(token *string, list string) (cursor, error) {
	if value(token) == "" {
		return cursor{List: list}, nil
	}
	var c cursor
	b, err := base64.RawURLEncoding.DecodeString(*token)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.List != list || c.Key == "" {
		return cursor{}, fault.Newf("sagemakerapi.page", fault.Invalid,
			"NextToken is not valid: use the one of the previous answer, with the same filters and sort order.")
	}
	return c, nil
}

// page sorts items by key and cuts out the page that the token asks for. The
// token is the last key, so items that come and go in between shift nothing.
func page[T any](items []T, key func(*T) string, descending bool, list string, token *string, size *int64) ([]T, *string, error) {
	c, err := readCursor(token, list)
	if err != nil {
		return nil, nil, err
	}
	sort.Slice(items, func(i, j int) bool {
		return (key(&items[i]) < key(&items[j])) != descending
	})
	n := int(value(size))
	if n == 0 {
		n = defaultPage
	}
	out := []T{}
	for i := range items {
		if k := key(&items[i]); c.Key != "" && (k == c.Key || (k < c.Key) != descending) {
			continue
		}
		if len(out) == n {
			return out, cursor{list, key(&out[n-1])}.token(), nil
		}
		out = append(out, items[i])
	}
	return out, nil, nil
}
