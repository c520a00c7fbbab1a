package store

import (
	"encoding/base64"
	"slices"
	"strings"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
)

// columns seals the columns that hold what people answered, so that a copy of
// the database does not tell it. A sealed text is
//
//	"sealed:" base64url( Tink ciphertext )
//
// and the associated data name table, column and row: an answer that was moved to
// another worker's row does not open. What is sealed is JSON, which never begins
// with an "s"; so rows from before sealing are told apart, and read as they are.
//
// Without a keyset nothing is sealed, and what is sealed is an error.
type columns struct{ keys *envelope.Keyset }

const sealedPrefix = "sealed:"

// seal returns what to store of a text; the empty text stays empty.
func (c columns) seal(text, of string) (string, error) {
	if c.keys == nil || text == "" {
		return text, nil
	}
	sealed, err := c.keys.Encrypt([]byte(text), []byte(of))
	if err != nil {
		return "", err
	}
	return sealedPrefix + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open is the reverse of seal.
func (c columns) open(text, of string) (string, error) {
	if !strings.HasPrefix(text, sealedPrefix) {
		return text, nil
	}
	raw, err := c.appendOpen(nil, text, of)
	return string(raw), err
}

// strictBase64 takes exactly one spelling of every text.
var strictBase64 = base64.RawURLEncoding.Strict()

// appendOpen is open for bytes. It may use scratch, which it overwrites.
func (c columns) appendOpen(scratch []byte, text, of string) ([]byte, error) {
	rest, ok := strings.CutPrefix(text, sealedPrefix)
	if !ok {
		return []byte(text), nil
	}
	if c.keys == nil {
		return nil, fault.Newf("store.columns", fault.Unavailable, "the %s is sealed, and the keyset of sealed columns is not there", of)
	}
	n := base64.RawURLEncoding.DecodedLen(len(rest))
	raw := slices.Grow(scratch[:0], n)[:n]
	n, err := strictBase64.Decode(raw, []byte(rest))
	if err == nil {
		raw, err = c.keys.Decrypt(raw[:n], []byte(of))
	}
	if err != nil {
		return nil, fault.E("store.columns", fault.Internal, "The "+of+" does not open: the row was changed, or it was sealed under another key.", err)
	}
	return raw, nil
}
