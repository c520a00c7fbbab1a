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
