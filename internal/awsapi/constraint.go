package awsapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// broken returns the constraints that a scalar of the right type breaks.
func (s *Shape) broken(x any) []string {
	var out []string
	text, isText := x.(string)
	switch {
	case isText && s.Type == Blob:
		n := int64(base64.StdEncoding.DecodedLen(len(text)) - strings.Count(text[max(0, len(text)-2):], "="))
		if s.Max != nil && n > *s.Max {
			out = append(out, atMostLength(*s.Max))
		}
		if s.Min != nil && n < *s.Min {
			out = append(out, atLeastLength(*s.Min))
		}
	case isText && s.Enum != nil:
		if !slices.Contains(s.Enum, text) {
			out = append(out, s.enumText())
		}
	case isText:
		n := int64(utf8.RuneCountInString(text))
		if s.Max != nil && n > *s.Max {
			// The expression is not run over what is too long.
			return append(out, atMostLength(*s.Max))
		}
		if s.Min != nil && n < *s.Min {
			out = append(out, atLeastLength(*s.Min))
		}
		if s.Pattern != nil && !s.Pattern.Match(text) {
			out = append(out, "Member must satisfy regular expression pattern: "+s.Pattern.Source)
		}
	case s.Type == Integer:
		n, _ := strconv.ParseInt(string(x.(json.Number)), 10, 64)
		if s.Min != nil && n < *s.Min {
			out = append(out, fmt.Sprintf("Member must have value greater than or equal to %d", *s.Min))
		}
		if s.Max != nil && n > *s.Max {
			out = append(out, fmt.Sprintf("Member must have value less than or equal to %d", *s.Max))
		}
	}
	return out
}

// constraints lists every constraint of a scalar shape in words.
func (s *Shape) constraints() []string {
	if s.Enum != nil {
		return []string{s.enumText()}
	}
	var out []string
	if s.Max != nil {
		out = append(out, atMostLength(*s.Max))
	}
	if s.Min != nil {
		out = append(out, atLeastLength(*s.Min))
	}
	if s.Pattern != nil {
		out = append(out, "Member must satisfy regular expression pattern: "+s.Pattern.Source)
	}
	return out
}

func (s *Shape) enumText() string {
	return "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"
}

func scalarType(s *Shape, x any) error {
	switch x := x.(type) {
	case string:
		if s.Type == String {
			return nil
		}
		if s.ISO {
			if _, ok := parseISO(x); ok {
				return nil
			}
			return serialization("STRING_VALUE can not be converted to a Timestamp: expected ISO 8601, such as 2020-02-24T12:00:00Z")
		}
		if s.Type == Blob {
			// Strict: a blob that encoding/json would read otherwise than it was
			// checked here must not pass.
			if _, err := base64.StdEncoding.Strict().DecodeString(x); err == nil && !strings.ContainsAny(x, "\r\n") {
				return nil
			}
			return serialization("STRING_VALUE can not be converted to a Blob: expected base64")
		}
	case bool:
		if s.Type == Boolean {
			return nil
		}
	case json.Number:
		switch s.Type {
		case Timestamp:
			if !s.ISO {
				return nil
			}
		case Integer:
			if _, err := strconv.ParseInt(string(x), 10, 32); err == nil {
				return nil
			}
			return serialization("NUMBER_VALUE can not be converted to an Integer")
		}
	}
	return mismatch(x, [...]string{"a String", "an Integer", "a Boolean", "a Timestamp", "a Blob"}[s.Type])
}

// mismatch words a wrong JSON type.
func mismatch(x any, want string) error {
	got := "NULL_VALUE"
	switch x := x.(type) {
	case string:
		got = "STRING_VALUE"
	case json.Number:
		got = "NUMBER_VALUE"
	case bool:
		got = strings.ToUpper(strconv.FormatBool(x)) + "_VALUE"
	case []any:
		return serialization("Start of list found where not expected; expected " + want)
	case map[string]any:
		return serialization("Start of structure or map found where not expected; expected " + want)
	}
	return serialization(got + " can not be converted to " + want)
}

// join appends a member to a path; AWS spells members there with a small
// first letter.
func join(path, name string) string {
	r, n := utf8.DecodeRuneInString(name)
	name = string(unicode.ToLower(r)) + name[n:]
	if path == "" {
		return name
	}
	return path + "." + name
}

// maxQuoted bounds how much of a value is said back.
const maxQuoted = 256

// quote is a value as a message shows it.
func quote(s *Shape, x any) string {
	if s.Sensitive || s.Type == Blob {
		return "'***'"
	}
	text := ""
	switch x := x.(type) {
	case string:
		text = x
	case []any:
		parts := make([]string, 0, min(len(x), 16))
		for i, e := range x {
			if i == 16 {
				parts = append(parts, "…")
				break
			}
			p, ok := e.(string)
			if !ok {
				p = fmt.Sprint(e)
			}
			parts = append(parts, p)
		}
		text = "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		text = fmt.Sprintf("{%d entries}", len(x))
	default:
		text = fmt.Sprint(x)
	}
	if utf8.RuneCountInString(text) > maxQuoted {
		text = string([]rune(text)[:maxQuoted]) + "…"
	}
	return "'" + text + "'"
}
