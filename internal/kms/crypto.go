package kms

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"fiducial/internal/envelope"
)

const (
	blobFormat = 1
	blobHeader = 1 + 16
)

// Sizes, in bytes.
const (
	MaxPlaintext  = 4096
	MaxCiphertext = 6144
	MaxContext    = 8192 // all keys and values of an encryption context
	MaxDataKey    = 1024
	MaxRandom     = 1024
)

// binding is the associated data of a ciphertext: its header and the encryption
// context. Texts come with their lengths, so that no two contexts are spelled
// alike, and sorted, because a context has no order.
func binding(header []byte, ec map[string]string) []byte {
	out := make([]byte, 0, len(header)+64*len(ec))
	out = append(out, header...)
	names := make([]string, 0, 8)
	for k := range ec {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		out = binary.AppendUvarint(out, uint64(len(k)))
		out = append(out, k...)
		out = binary.AppendUvarint(out, uint64(len(ec[k])))
		out = append(out, ec[k]...)
	}
	return out
}

// CheckContext bounds a context and refuses keys that policies could not tell apart.
func CheckContext(ec map[string]string) error {
	size, seen := 0, map[string]bool{}
	for k, v := range ec {
		size += len(k) + len(v)
		if k == "" {
			return invalid("ValidationException", "EncryptionContext: a key is empty")
		}
		folded := strings.Map(fold, k)
		if seen[folded] {
			return invalid("ValidationException", "EncryptionContext: the keys %q differ by case alone", folded)
		}
		seen[folded] = true
	}
	if size > MaxContext {
		return invalid("ValidationException", "EncryptionContext: keys and values have %d bytes; at most %d are accepted", size, MaxContext)
	}
	return nil
}

// fold maps the runes that strings.EqualFold takes for one to the least of them.
func fold(r rune) rune {
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		least = min(least, o)
	}
	return least
}

// sealBlob encrypts under a key.
func sealBlob(id string, keys *envelope.Keyset, plain []byte, ec map[string]string) ([]byte, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 {
		return nil, invalid("InternalException", "the key id is no UUID")
	}
	header := append([]byte{blobFormat}, raw...)
	sealed, err := keys.Encrypt(plain, binding(header, ec))
	if err != nil {
		return nil, err
	}
	return append(header, sealed...), nil
}

// keyOf reads which key a ciphertext is of.
func keyOf(blob []byte) (string, error) {
	if len(blob) <= blobHeader || len(blob) > MaxCiphertext || blob[0] != blobFormat {
		return "", badCiphertext()
	}
	return uuid(blob[1:blobHeader]), nil
}

// openBlob decrypts. The error does not say whether the bytes or the context are wrong.
func openBlob(keys *envelope.Keyset, blob []byte, ec map[string]string) ([]byte, error) {
	plain, err := keys.Decrypt(blob[blobHeader:], binding(blob[:blobHeader], ec))
	if err != nil {
		return nil, badCiphertext()
	}
	return plain, nil
}

func badCiphertext() error {
	return invalid("InvalidCiphertextException", "The ciphertext is not one of this service's, was changed, or was encrypted with another encryption context.")
}

func uuid(b []byte) string {
	var out [36]byte
	hex.Encode(out[0:8], b[0:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:36], b[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
