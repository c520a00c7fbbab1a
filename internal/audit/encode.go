package audit

import (
	"strconv"
	"time"
	"unicode/utf8"
)

const timeFormat = "2006-01-02T15:04:05.000000Z"

// append writes e as a JSON object without its closing brace: the link of the
// chain follows (see appendLink). It is written by hand because it stands on the
// path of every media request: encoding/json takes several times as long and
// allocates.
func (e *Event) append(b []byte) []byte {
	b = append(b, `{"time":"`...)
	b = appendTime(b, e.Time, true)
	b = append(b, `","kind":"`...)
	b = append(b, e.Kind...)
	b = append(b, '"')
	for _, m := range [...]struct{ name, value string }{
		{"verdict", string(e.Verdict)}, {"action", e.Action}, {"resource", e.Resource},
		{"origin", e.Origin}, {"bound", e.Bound}, {"principal", e.Principal}, {"accessKeyId", e.AccessKeyID},
		{"worker", e.Worker}, {"job", e.Job}, {"team", e.Team}, {"assignment", e.Assignment},
		{"grant", e.GrantID}, {"signIn", e.SignInID}, {"statement", e.Statement}, {"reason", e.Reason},
		{"error", e.Error}, {"method", e.Method}, {"requestId", e.RequestID}, {"agent", e.Agent},
		{"mediaAddr", e.MediaAddr}, {"formerMedia", e.FormerMedia}, {"place", e.Place},
	} {
		if m.value != "" {
			b = append(b, `,"`...)
			b = append(b, m.name...)
			b = append(b, `":`...)
			b = appendString(b, m.value)
		}
	}
	if !e.Expires.IsZero() {
		b = append(b, `,"expires":"`...)
		b = appendTime(b, e.Expires, false)
		b = append(b, '"')
	}
	if e.Status != 0 {
		b = append(b, `,"status":`...)
		b = strconv.AppendInt(b, int64(e.Status), 10)
	}
	if e.Size != 0 {
		b = append(b, `,"size":`...)
		b = strconv.AppendInt(b, e.Size, 10)
	}
	return b
}

// appendTime writes a time as timeFormat or, without its fraction, as time.RFC3339
// has it in UTC: Time.AppendFormat reads its layout anew for every time.
func appendTime(b []byte, t time.Time, fraction bool) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		if fraction {
			return t.AppendFormat(b, timeFormat)
		}
		return t.AppendFormat(b, time.RFC3339)
	}
	hour, minute, second := t.Clock()
	two := func(n int) { b = append(b, byte('0'+n/10), byte('0'+n%10)) }
	two(year / 100)
	two(year % 100)
	b = append(b, '-')
	two(int(month))
	b = append(b, '-')
	two(day)
	b = append(b, 'T')
	two(hour)
	b = append(b, ':')
	two(minute)
	b = append(b, ':')
	two(second)
	if fraction {
		micro := t.Nanosecond() / 1000
		b = append(b, '.')
		two(micro / 10000)
		two(micro / 100 % 100)
		two(micro % 100)
	}
	return append(b, 'Z')
}

// control is a record of the chain itself.
type control struct {
	time     time.Time
	action   string // begin, continue, resume, torn, retire
	chain    string
	file     string // begin, continue: this file; retire: the file that goes
	previous string // continue: the file before
	prev     string // begin, continue: the hash that this line follows
	reason   string
	through  uint64 // retire: the last line that is no more
	digest   string // retire: that line's hash; torn: SHA-256 of what was cut off
	size     int64  // torn: bytes that were cut off
	text     string // torn: the beginning of them
}

func (c *control) append(b []byte) []byte {
	b = append(b, `{"time":"`...)
	b = c.time.UTC().AppendFormat(b, timeFormat)
	b = append(b, `","kind":"chain"`...)
	for _, m := range [...]struct{ name, value string }{
		{"action", c.action}, {"chain", c.chain}, {"file", c.file}, {"previous", c.previous}, {"prev", c.prev},
		{"reason", c.reason}, {"digest", c.digest}, {"text", c.text},
	} {
		if m.value != "" {
			b = append(b, `,"`...)
			b = append(b, m.name...)
			b = append(b, `":`...)
			b = appendString(b, m.value)
		}
	}
	if c.through != 0 {
		b = append(b, `,"through":`...)
		b = strconv.AppendUint(b, c.through, 10)
	}
	if c.size != 0 {
		b = append(b, `,"size":`...)
		b = strconv.AppendInt(b, c.size, 10)
	}
	return b
}

const hexDigits = "0123456789abcdef"

// maxString bounds one member: a client chooses its key and its user agent.
const maxString = 2048

// plain reports whether a text stands in JSON as it is, and is ASCII: nearly every
// member's. It looks at eight bytes at a time.
func plain(s string) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for len(s) >= 8 {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		quote, slash := w^ones*'"', w^ones*'\\'
		// The top bit of a byte is set where w is not ASCII or DEL, where the byte
		// is under 0x20, and where quote or slash is zero. (A borrow may set it in
		// a byte beside such a one, and in no other.)
		if (w|(w+ones)|(w-ones*0x20)|(quote-ones)&^quote|(slash-ones)&^slash)&tops != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if c := s[i]; c-0x20 >= 0x5f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendString(b []byte, s string) []byte {
	if len(s) > maxString {
		cut := maxString
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	b = append(b, '"')
	if plain(s) {
		b = append(b, s...)
		return append(b, '"')
	}
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < 0x20 || c == 0x7f:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			default:
				b = append(b, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, `\ufffd`...)
		case r == '\u2028' || r == '\u2029' || r == '\u0085':
			// Line separators to some readers: a client must not be able to
			// forge what looks like another line.
			b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return append(b, '"')
}
