package awsapi

import (
	"math"
	"strconv"
	"time"
)

// Time is an instant as the JSON protocol writes it: seconds since 1970 with
// milliseconds as a fraction.
type Time struct{ time.Time }

// At makes a Time.
func At(t time.Time) Time { return Time{t} }

// AtOrNil makes an optional Time; the zero time is absent.
func AtOrNil(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t}
}

// MarshalJSON writes 1622151252.451.
func (t Time) MarshalJSON() ([]byte, error) {
	ms := t.UnixMilli()
	b := strconv.AppendInt(nil, ms/1000, 10)
	if frac := ms % 1000; frac > 0 {
		b = append(b, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	}
	return b, nil
}

// maxEpoch is the year 9999; instants beyond it have no RFC 3339 form.
const maxEpoch = 253402300799

// UnmarshalJSON reads a number of seconds, whole or not.
func (t *Time) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(f) > maxEpoch {
		return strconv.ErrRange
	}
	t.Time = time.UnixMilli(int64(math.Round(f * 1000))).UTC()
	return nil
}

// ISOTime is an instant as shapes with the format iso8601 have it: UTC with
// milliseconds.
type ISOTime struct{ time.Time }

// ISOAt makes an ISOTime.
func ISOAt(t time.Time) ISOTime { return ISOTime{t} }

// MarshalJSON writes "2019-11-14T17:49:25.120Z".
func (t ISOTime) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}

// isoForms are what is read: clients write a zone or none (which is UTC), and the
// guide shows a date alone.
var isoForms = [...]string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly}

// parseISO reads an instant; fractions of seconds may be there in all forms.
func parseISO(s string) (t time.Time, ok bool) {
	for _, form := range isoForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// UnmarshalJSON reads a text of one of the forms.
func (t *ISOTime) UnmarshalJSON(b []byte) error {
	s, err := strconv.Unquote(string(b))
	if err != nil {
		return err
	}
	at, ok := parseISO(s)
	if !ok {
		return strconv.ErrSyntax
	}
	t.Time = at
	return nil
}
