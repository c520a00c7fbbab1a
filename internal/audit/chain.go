package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
)

// Sum is the hash of a line.
type Sum [sha256.Size]byte

// String is the hash as it stands in a line.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// parseSum reads 64 lower-case hex digits.
func parseSum(text string) (s Sum, ok bool) {
	if len(text) != 2*len(s) {
		return s, false
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return s, false
		}
	}
	_, err := hex.Decode(s[:], []byte(text))
	return s, err == nil
}

const (
	seqMember  = `,"seq":`
	hashMember = `,"hash":"`
	tailLength = len(hashMember) + 2*sha256.Size + len(`"}`)
)

// appendLink ends the line that begins at b[start]: its number, its hash and a
// line end. start is at least headroom. prev is the hash of the line before and
// becomes this one's.
func appendLink(b []byte, start int, seq uint64, prev *Sum) []byte {
	b = append(b, seqMember...)
	b = strconv.AppendUint(b, seq, 10)
	// What is hashed is the hash before and the line. For a moment the hash
	// stands in the place of what precedes the line, so that all of it is one
	// piece of memory.
	var before Sum
	copy(before[:], b[start-headroom:])
	copy(b[start-headroom:], prev[:])
	*prev = sha256.Sum256(b[start-headroom:])
	copy(b[start-headroom:], before[:])
	b = append(b, hashMember...)
	b = appendHex(b, prev)
	return append(b, '"', '}', '\n')
}

// linked is a line by itself.
func linked(body []byte, seq uint64, prev *Sum) []byte {
	b := make([]byte, headroom, headroom+len(body)+len(seqMember)+20+tailLength+1)
	return appendLink(append(b, body...), headroom, seq, prev)[headroom:]
}

// headroom is what appendLink needs before a line.
const headroom = len(Sum{})

// appendHex is hex.AppendEncode without its call for each byte.
func appendHex(b []byte, s *Sum) []byte {
	var text [2 * len(s)]byte
	for i, c := range s {
		text[2*i], text[2*i+1] = hexDigits[c>>4], hexDigits[c&15]
	}
	return append(b, text[:]...)
}

// link makes prev the hash of the line with this body that follows it. h is scratch.
func link(h hash.Hash, prev *Sum, body []byte) {
	h.Reset()
	h.Write(prev[:])
	h.Write(body)
	h.Sum(prev[:0])
}

// splitLink takes a line, without its end, apart: what is hashed, its number,
// its hash.
func splitLink(line []byte) (body []byte, seq uint64, sum Sum, ok bool) {
	cut := len(line) - tailLength
	if cut < len(seqMember)+2 || string(line[cut:cut+len(hashMember)]) != hashMember || string(line[len(line)-2:]) != `"}` {
		return nil, 0, sum, false
	}
	if sum, ok = parseSum(string(line[cut+len(hashMember) : len(line)-2])); !ok {
		return nil, 0, sum, false
	}
	body = line[:cut]
	digits := cut
	for digits > 0 && body[digits-1] >= '0' && body[digits-1] <= '9' {
		digits--
	}
	if digits < len(seqMember) || string(body[digits-len(seqMember):digits]) != seqMember || digits == cut || body[digits] == '0' {
		return nil, 0, sum, false
	}
	seq, err := strconv.ParseUint(string(body[digits:]), 10, 63)
	return body, seq, sum, err == nil
}
