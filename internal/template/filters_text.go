package template

import (
	"encoding/base64"
	"errors"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

// string is the input of a filter that asks for text.
func (c call) string() string {
	s, _ := c.in.(string)
	return s
}

func squish(c call) (any, error) { return strings.Join(strings.Fields(c.string()), " "), nil }

func stripNewlines(c call) (any, error) { return lineEnds.ReplaceAllString(c.string(), ""), nil }

var (
	lineEnds = regexp.MustCompile(`\r?\n`)
	// unseen is what strip_html drops with all that it holds.
	unseen  = regexp.MustCompile(`(?is)<script.*?</script>|<!--.*?-->|<style.*?</style>`)
	anyTags = regexp.MustCompile(`(?s)<.*?>`)
)

func stripHTML(c call) (any, error) {
	return anyTags.ReplaceAllString(unseen.ReplaceAllString(c.string(), ""), ""), nil
}

// newlineToBR makes markup, so the rest is escaped here.
func newlineToBR(c call) (any, error) {
	return markup{text: lineEnds.ReplaceAllString(html.EscapeString(c.string()), "<br />\n"), escaped: true}, nil
}

// slice takes a part of text, by characters, or of an array.
func slice(c call) (any, error) {
	from, _ := c.arg(0).(int)
	n := 1
	if len(c.args) > 1 {
		n, _ = c.arg(1).(int)
	}
	if list, ok := c.in.([]any); ok {
		a, b := part(from, n, len(list))
		return list[a:b], nil
	}
	s, err := c.r.text(c.in)
	if err != nil {
		return nil, err
	}
	runes := []rune(s)
	a, b := part(from, n, len(runes))
	return string(runes[a:b]), nil
}

// part bounds n places from one of size; a negative one counts from the end.
func part(from, n, size int) (a, b int) {
	if from < 0 {
		from += size
	}
	if from < 0 || from > size || n < 0 {
		return 0, 0
	}
	return from, from + min(n, size-from)
}

func base64Encode(c call) (any, error) {
	return base64.StdEncoding.EncodeToString([]byte(c.string())), nil
}

func base64URLEncode(c call) (any, error) {
	return base64.URLEncoding.EncodeToString([]byte(c.string())), nil
}

func base64Decode(c call) (any, error)    { return decoded(c, base64.StdEncoding) }
func base64URLDecode(c call) (any, error) { return decoded(c, base64.URLEncoding) }

func decoded(c call, as *base64.Encoding) (any, error) {
	out, err := as.DecodeString(c.string())
	if err != nil || !utf8.Valid(out) {
		return nil, errors.New("it is not base64 of text")
	}
	return string(out), nil
}
