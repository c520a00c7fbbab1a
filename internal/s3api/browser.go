package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// BrowserCookie is the cookie that tells a worker's browser from every other
// one behind the same address. Its prefix makes browsers take it only over TLS,
// from the host itself and for all of its paths, so that a neighbouring host
// cannot plant one.
const BrowserCookie = "__Host-fiducial-browser"

// browser returns the digest of the browser secret among the request's cookies:
// the lower-case hexadecimal SHA-256 of its value, "" if there is none. Two of
// them are none: whichever were taken, somebody else might have meant the other.
//
// The digest and not the secret goes on from here, so that nothing behind this
// line can log or hand out what would open another worker's media.
func browser(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	var secret string
	found := 0
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
			if ok && name == BrowserCookie {
				secret = value
				found++
			}
		}
	}
	if found != 1 || secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
