package awsapi

import (
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// maxMembers bounds the index in a list member's name.
const maxMembers = 1000

// Members reads a list of the query protocol: Name.member.1.Key=… becomes one
// url.Values per index, in order, with the prefix taken off. A list of plain
// values (Name.member.1=…) has its value under the empty name. Indices may
// have gaps; malformed ones are not members.
func Members(form url.Values, name string) []url.Values { return parts(form, name+".member.") }

// Entries reads a map of the query protocol: Name.entry.1.key=…, as Members does.
func Entries(form url.Values, name string) []url.Values { return parts(form, name+".entry.") }

func parts(form url.Values, prefix string) []url.Values {
	byIndex := map[int]url.Values{}
	for k, v := range form {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok {
			continue
		}
		num, sub, _ := strings.Cut(rest, ".")
		i, err := strconv.Atoi(num)
		if err != nil || i < 1 || i > maxMembers {
			continue
		}
		if byIndex[i] == nil {
			byIndex[i] = url.Values{}
		}
		byIndex[i][sub] = v
	}
	order := make([]int, 0, len(byIndex))
	for i := range byIndex {
		order = append(order, i)
	}
	sort.Ints(order)
	out := make([]url.Values, 0, len(order))
	for _, i := range order {
		out = append(out, byIndex[i])
	}
	return out
}

// Strings reads a list of plain values of the query protocol.
func Strings(form url.Values, name string) []string {
	var out []string
	for _, m := range Members(form, name) {
		if m.Has("") {
			out = append(out, m.Get(""))
		}
	}
	return out
}
