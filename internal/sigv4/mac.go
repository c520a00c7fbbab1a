package sigv4

import "crypto/sha256"

const hexLower = "0123456789abcdef"

// mac is HMAC-SHA256 (RFC 2104) of a short message, written out over
// sha256.Sum256 so that nothing is allocated: hmac.New costs six allocations
// a call, and a media request makes one call, a grant five. TestMAC compares it
// with crypto/hmac.
func mac[M string | []byte](key []byte, message M) [32]byte {
	const block = sha256.BlockSize
	if len(key) > block {
		h := sha256.Sum256(key)
		return mac(h[:], message)
	}
	var inner [block + 224]byte // strings to sign are under 200 bytes; longer ones allocate
	var outer [block + sha256.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range block {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	h := sha256.Sum256(append(inner[:block], message...))
	copy(outer[block:], h[:])
	return sha256.Sum256(outer[:])
}

func appendHex(b []byte, src []byte) []byte {
	for _, c := range src {
		b = append(b, hexLower[c>>4], hexLower[c&15])
	}
	return b
}

// decodeSignature reads 64 lower-case hex digits. Upper case is refused: a
// signature has one spelling.
func decodeSignature(s string) (sig [32]byte, ok bool) {
	if len(s) != 2*len(sig) {
		return sig, false
	}
	for i := range sig {
		hi, lo := lowerDigit(s[2*i]), lowerDigit(s[2*i+1])
		if hi > 15 || lo > 15 {
			return sig, false
		}
		sig[i] = hi<<4 | lo
	}
	return sig, true
}

func lowerDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
