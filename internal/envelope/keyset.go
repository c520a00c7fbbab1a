package envelope

import (
	"bytes"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"fiducial/internal/fault"
)

// NewWrapping makes a keyset for wrapping other keys, as many as there may ever
// be: XAES-256-GCM derives a key for each message and takes nonces of 24 bytes,
// so that no number of messages that can be reached makes one repeat.
func NewWrapping() (*Keyset, error) {
	h, err := keyset.NewHandle(aead.XAES256GCM192BitNonceKeyTemplate())
	if err != nil {
		return nil, fault.E("envelope.NewWrapping", fault.Internal, "", err)
	}
	return fromHandle(h)
}

// Rotated is the same keyset with a new key that seals from now on. What the
// earlier keys sealed still opens.
func (k *Keyset) Rotated() (*Keyset, error) {
	const op = "envelope.Rotated"
	m := keyset.NewManagerFromHandle(k.handle)
	id, err := m.Add(aead.XAES256GCM192BitNonceKeyTemplate())
	if err == nil {
		err = m.SetPrimary(id)
	}
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	h, err := m.Handle()
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	return fromHandle(h)
}

// Versions is how many keys the keyset has.
func (k *Keyset) Versions() int { return k.handle.Len() }

// Bytes is the keyset itself, to be sealed under another key and stored.
func (k *Keyset) Bytes() (Secret, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewBinaryWriter(&b)); err != nil {
		return Secret{}, fault.E("envelope.Bytes", fault.Internal, "", err)
	}
	return NewSecret(b.String()), nil
}

// FromBytes is the reverse of Bytes.
func FromBytes(s Secret) (*Keyset, error) {
	h, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader([]byte(s.text))))
	if err != nil {
		return nil, fault.E("envelope.FromBytes", fault.Internal, "", err)
	}
	return fromHandle(h)
}

// Encrypt is Tink's: the sealed bytes name the key of the keyset that opens them.
// The associated data must be given again.
func (k *Keyset) Encrypt(plaintext, associated []byte) ([]byte, error) {
	b, err := k.aead.Encrypt(plaintext, associated)
	if err != nil {
		return nil, fault.E("envelope.Encrypt", fault.Internal, "", err)
	}
	return b, nil
}

// Decrypt opens what Encrypt sealed. Its error is ErrOpen.
func (k *Keyset) Decrypt(sealed, associated []byte) ([]byte, error) {
	b, err := k.aead.Decrypt(sealed, associated)
	if err != nil {
		return nil, ErrOpen
	}
	return b, nil
}
