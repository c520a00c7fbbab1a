// Package envelope seals: small secrets so that they can be handed out or stored
// (session tokens, which travel in presigned URLs, and secret access keys at
// rest), keys under other keys (Encrypt), and the bytes of objects so that any part
// of them opens without the rest (Writer, Reader; stream.go has their format).
//
// A sealed text is
//
//	base64url( version (1 byte) ‖ Tink ciphertext )
//	Tink ciphertext = 0x01 ‖ key id (4 bytes) ‖ nonce (12) ‖ AES-256-GCM ‖ tag (16)
//
// without padding. The version byte is authenticated as the first byte of the
// associated data, and the caller's purpose is the rest of it, so a text sealed
// for one purpose opens for no other: a stored access key is never a session.
//
// Why AES-GCM with random nonces is enough: one keyset seals far fewer than 2^32
// texts (a hundred a second for a year is 2^32), the bound at which a repeated
// nonce has probability 2^-32; the keyset is meant to be rotated, and a text
// names its key, so texts of an older key still open.
//
// Sealing is not a proof of freshness. A session carries its own expiry, and
// what ends earlier is looked up by whoever opens it.
package envelope

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"fiducial/internal/fault"
)

// version of the format; it is the first byte of every sealed text.
const version = 1

// overhead is what sealing adds before base64: version, Tink prefix, nonce, tag.
const overhead = 1 + 5 + 12 + 16

// MaxSealed bounds a sealed text in bytes. Longer ones are refused before any
// work is done on them. A session with the longest policy is about 6 KiB.
const MaxSealed = 12 << 10

// ErrOpen is why a text does not open, whatever the reason: telling a forger
// how far he came would help nobody else.
var ErrOpen error = &fault.Error{Op: "envelope.Open", Kind: fault.Unauthenticated, Message: "The sealed text is not valid."}

// Keyset seals and opens. It is safe for concurrent use and does not print.
type Keyset struct {
	aead   tink.AEAD
	handle *keyset.Handle
}

// Seal encrypts plaintext for a purpose.
func (k *Keyset) Seal(plaintext []byte, purpose string) (string, error) {
	var room [2048]byte
	out, err := k.AppendSeal(room[:0], plaintext, purpose)
	return string(out), err
}

// AppendSeal is Seal that appends to b.
func (k *Keyset) AppendSeal(b, plaintext []byte, purpose string) ([]byte, error) {
	const op = "envelope.Seal"
	if base64.RawURLEncoding.EncodedLen(len(plaintext)+overhead) > MaxSealed {
		return nil, fault.Newf(op, fault.Limit, "the text to seal is too long")
	}
	sealed, err := k.aead.Encrypt(plaintext, associated(purpose))
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	// The version and the first two bytes make one group of base64, so that the
	// rest is encoded from where it is.
	b = appendBase64(b, []byte{version, sealed[0], sealed[1]})
	return appendBase64(b, sealed[2:]), nil
}

// appendBase64 is base64.RawURLEncoding's AppendEncode, two letters at a time: a
// session's token is made for every picture that is shown.
func appendBase64(b, src []byte) []byte {
	b = slices.Grow(b, base64.RawURLEncoding.EncodedLen(len(src)))
	for ; len(src) >= 3; src = src[3:] {
		v := uint(src[0])<<16 | uint(src[1])<<8 | uint(src[2])
		hi, lo := letterPairs[v>>12&0xfff], letterPairs[v&0xfff]
		b = append(b, hi[0], hi[1], lo[0], lo[1])
	}
	return base64.RawURLEncoding.AppendEncode(b, src)
}

// letterPairs are the letters of every 12 bits.
var letterPairs = func() (t [1 << 12][2]byte) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range t {
		t[i] = [2]byte{letters[i>>6], letters[i&63]}
	}
	return t
}()

// Open decrypts a text that Seal made for the same purpose. Its error is ErrOpen.
func (k *Keyset) Open(sealed, purpose string) ([]byte, error) {
	if len(sealed) > MaxSealed || len(sealed) < base64.RawURLEncoding.EncodedLen(overhead) {
		return nil, ErrOpen
	}
	// Strict: exactly one spelling of every text, so a token has no aliases.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || len(raw) < overhead || raw[0] != version || hasLineEnd(sealed) {
		return nil, ErrOpen
	}
	plain, err := k.aead.Decrypt(raw[1:], associated(purpose))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// hasLineEnd: encoding/base64 skips line ends even when strict.
func hasLineEnd(s string) bool {
	return strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0
}

func associated(purpose string) []byte {
	return append(append(make([]byte, 0, 64), version), purpose...)
}
