package sagemakerapi

import (
	"fmt"
	"slices"
	"testing"

	"fiducial/internal/fault"
)

func TestPage(t *testing.T) {
	key := func(s *string) string { return *s }
	walk := func(descending bool, size int64, change func(round int, items *[]string)) []string {
		items := []string{"d", "b", "a", "e", "c"}
		var got []string
		var token *string
		for round := 0; ; round++ {
			change(round, &items)
			out, next, err := page(slices.Clone(items), key, descending, "list", token, &size)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, out...)
			if next == nil {
				return got
			}
			if len(out) != int(size) {
				t.Errorf("a page of %d, not %d", len(out), size)
			}
			token = next
		}
	}
	still := func(int, *[]string) {}
	for _, c := range []struct {
		name string
		got  []string
		want string
	}{
		{"ascending", walk(false, 2, still), "[a b c d e]"},
		{"descending", walk(true, 2, still), "[e d c b a]"},
		{"exactly full", walk(false, 5, still), "[a b c d e]"},
		{"one at a time", walk(false, 1, still), "[a b c d e]"},
		{"the last one seen goes away", walk(false, 2, func(r int, items *[]string) {
			if r == 1 {
				*items = slices.DeleteFunc(*items, func(s string) bool { return s == "b" })
			}
		}), "[a b c d e]"},
		{"one comes in before and one behind", walk(false, 2, func(r int, items *[]string) {
			if r == 1 {
				*items = append(*items, "aa", "cc")
			}
		}), "[a b c cc d e]"},
	} {
		if got := fmt.Sprint(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for _, bad := range []string{"x", "e30", *cursor{"other list", "b"}.token(), *cursor{"list", ""}.token()} {
		if _, _, err := page([]string{"a"}, key, false, "list", &bad, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("token %q: %v", bad, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(*cursor{"list", "b"}.token())
	f.Add("e30")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := readCursor(&token, "list")
		if err == nil && (c.List != "list" || token != "" && c.Key == "") {
			t.Errorf("%q gave %+v", token, c)
		}
	})
}
