package kms

import (
	"bytes"
	"hash/maphash"
	"maps"
	"sync/atomic"

	"fiducial/internal/envelope"
)

// maxOpened bounds the data keys that are kept open, of about half a kilobyte each.
const maxOpened = 4096

// openedKeys are data keys that were opened: an object that is read again has the
// same one. One place for each hash, as there is no order to maintain. Nothing is
// decided here: whether the caller may use the key, and whether the key may be
// used, is asked each time before.
type openedKeys struct {
	seed   maphash.Seed
	places [maxOpened]atomic.Pointer[openedKey]
}

type openedKey struct {
	keys       *envelope.Keyset // of the key as it was read; read anew, it is another
	ciphertext []byte
	context    map[string]string
	plain      envelope.Secret
}

// open is openBlob that remembers.
func (o *openedKeys) open(keys *envelope.Keyset, ciphertext []byte, ec map[string]string) (envelope.Secret, error) {
	place := &o.places[maphash.Bytes(o.seed, ciphertext)%maxOpened]
	if k := place.Load(); k != nil && k.keys == keys && bytes.Equal(k.ciphertext, ciphertext) && maps.Equal(k.context, ec) {
		return k.plain, nil
	}
	plain, err := openBlob(keys, ciphertext, ec)
	if err != nil {
		return envelope.Secret{}, err
	}
	k := &openedKey{keys, bytes.Clone(ciphertext), maps.Clone(ec), envelope.NewSecret(string(plain))}
	place.Store(k)
	return k.plain, nil
}
