package template

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dateForms are the ways in which text may say an instant.
var dateForms = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	"January 2, 2006", "Jan 2, 2006", "2 January 2006", "2 Jan 2006", time.RFC1123, time.RFC1123Z, time.ANSIC, time.RFC850, "2006/01/02", "January 2006", "Jan 2006",
}

// date formats an instant, as the library does. What says none comes back as it
// is. The library would take the machine's clock and zone.
func date(c call) (any, error) {
	format := c.args[0].(string)
	if format == "" {
		return c.in, nil
	}
	if wideField.MatchString(format) {
		return nil, errors.New("a field of the format is too wide")
	}
	t, ok, err := c.instant()
	if err != nil || !ok {
		return c.in, err
	}
	c.in = t
	return library(c)
}

var wideField = regexp.MustCompile(`%[-0^#_]*\d{3}`)

func (c call) instant() (t time.Time, ok bool, err error) {
	switch v := c.in.(type) {
	case int:
		return time.Unix(int64(v), 0).UTC(), v > -1<<40 && v < 1<<40, nil
	case string:
		s := strings.TrimSpace(v)
		if s == "now" || s == "today" {
			if c.r.fn.Now == nil {
				return t, false, errors.New("there is no current time here")
			}
			return c.r.fn.Now().UTC(), true, nil
		}
		if n, err := strconv.ParseInt(s, 10, 41); err == nil {
			return time.Unix(n, 0).UTC(), true, nil
		}
		for _, form := range dateForms {
			if t, err := time.Parse(form, s); err == nil {
				return t, true, nil
			}
		}
	}
	return t, false, nil
}
