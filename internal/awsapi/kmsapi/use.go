package kmsapi

import (
	"context"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/kmswire"
	"fiducial/internal/envelope"
	"fiducial/internal/kms"
	"fiducial/internal/policy"
)

const algorithm = "SYMMETRIC_DEFAULT"

// checkAlgorithm refuses algorithms of asymmetric keys.
func checkAlgorithm(name string, got *string) error {
	if got != nil && *got != algorithm {
		return invalid("InvalidKeyUsageException", name+": the key is symmetric: expected "+algorithm)
	}
	return nil
}

func noRecipient(r *kmswire.RecipientInfo) error {
	if r != nil {
		return invalid("UnsupportedOperationException", "Recipient: attested enclaves are not supported by this server")
	}
	return nil
}

// use is encryption, decryption and data keys.
func (a *API) use() []awsapi.Operation {
	return []awsapi.Operation{
		onKey(a, about[kmswire.EncryptRequest]{
			name: "Encrypt", shape: kmswire.EncryptRequestShape,
			key:     func(in *kmswire.EncryptRequest) string { return in.KeyId },
			context: func(in *kmswire.EncryptRequest) map[string]string { return in.EncryptionContext },
			do:      a.encrypt,
		}),
		onKey(a, about[kmswire.DecryptRequest]{
			name: "Decrypt", shape: kmswire.DecryptRequestShape,
			find:    a.findCiphertext,
			context: func(in *kmswire.DecryptRequest) map[string]string { return in.EncryptionContext },
			do:      a.decrypt,
		}),
		onKey(a, about[kmswire.ReEncryptRequest]{
			name: "ReEncrypt", action: "ReEncryptFrom", shape: kmswire.ReEncryptRequestShape,
			find:    a.findSource,
			context: func(in *kmswire.ReEncryptRequest) map[string]string { return in.SourceEncryptionContext },
			do:      a.reEncrypt,
		}),
		onKey(a, about[kmswire.GenerateDataKeyRequest]{
			name: "GenerateDataKey", shape: kmswire.GenerateDataKeyRequestShape,
			key:     func(in *kmswire.GenerateDataKeyRequest) string { return in.KeyId },
			context: func(in *kmswire.GenerateDataKeyRequest) map[string]string { return in.EncryptionContext },
			do: func(_ context.Context, r *request[kmswire.GenerateDataKeyRequest]) (any, error) {
				if err := noRecipient(r.in.Recipient); err != nil {
					return nil, err
				}
				plain, sealed, err := a.dataKey(r.target, r.in.KeySpec, r.in.NumberOfBytes, r.in.EncryptionContext, r.in.DryRun)
				if err != nil {
					return nil, err
				}
				return kmswire.GenerateDataKeyResponse{KeyId: &r.target.ARN, Plaintext: []byte(plain.Reveal()), CiphertextBlob: sealed}, nil
			},
		}),
		onKey(a, about[kmswire.GenerateDataKeyWithoutPlaintextRequest]{
			name: "GenerateDataKeyWithoutPlaintext", shape: kmswire.GenerateDataKeyWithoutPlaintextRequestShape,
			key: func(in *kmswire.GenerateDataKeyWithoutPlaintextRequest) string { return in.KeyId },
			context: func(in *kmswire.GenerateDataKeyWithoutPlaintextRequest) map[string]string {
				return in.EncryptionContext
			},
			do: func(_ context.Context, r *request[kmswire.GenerateDataKeyWithoutPlaintextRequest]) (any, error) {
				_, sealed, err := a.dataKey(r.target, r.in.KeySpec, r.in.NumberOfBytes, r.in.EncryptionContext, r.in.DryRun)
				if err != nil {
					return nil, err
				}
				return kmswire.GenerateDataKeyWithoutPlaintextResponse{KeyId: &r.target.ARN, CiphertextBlob: sealed}, nil
			},
		}),
		plain("GenerateRandom", kmswire.GenerateRandomRequestShape, nil, nil,
			func(_ context.Context, _ *awsapi.Call, in *kmswire.GenerateRandomRequest) (any, error) {
				if err := noRecipient(in.Recipient); err != nil {
					return nil, err
				}
				if in.CustomKeyStoreId != nil {
					return nil, invalid("UnsupportedOperationException", "CustomKeyStoreId: this server has no custom key stores")
				}
				if in.NumberOfBytes == 0 {
					return nil, invalid("ValidationException", "NumberOfBytes: expected 1 to 1024")
				}
				b, err := a.keys.Random(int(in.NumberOfBytes))
				return kmswire.GenerateRandomResponse{Plaintext: b}, err
			}),
	}
}

func (a *API) encrypt(_ context.Context, r *request[kmswire.EncryptRequest]) (any, error) {
	if err := checkAlgorithm("EncryptionAlgorithm", r.in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	if err := a.dry(r.target, r.in.DryRun); err != nil {
		return nil, err
	}
	sealed, err := a.keys.Seal(r.target, envelope.NewSecret(string(r.in.Plaintext)), r.in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return kmswire.EncryptResponse{KeyId: &r.target.ARN, CiphertextBlob: sealed, EncryptionAlgorithm: optional(algorithm)}, nil
}

// dry ends a dry run once the key's state was looked at.
func (a *API) dry(t *kms.Target, on bool) error {
	if err := a.keys.Usable(t); err != nil {
		return err
	}
	return dryRun(on)
}

// findOf finds the key of a ciphertext, which must be the one that is named if one is.
func (a *API) findOf(ctx context.Context, blob []byte, named *string) (*kms.Target, error) {
	t, err := a.keys.KeyOf(ctx, blob)
	if err != nil || named == nil {
		return t, err
	}
	want, err := a.keys.Find(ctx, *named)
	if err != nil {
		return nil, err
	}
	if want.ARN != t.ARN {
		return nil, invalid("IncorrectKeyException", "The key ID in the request does not identify the key that the ciphertext was encrypted under.")
	}
	return want, nil // with the alias it was asked for by
}

func (a *API) findCiphertext(ctx context.Context, r *request[kmswire.DecryptRequest]) (*kms.Target, error) {
	if len(r.in.DryRunModifiers) > 0 {
		return nil, invalid("UnsupportedOperationException", "DryRunModifiers: not supported by this server")
	}
	return a.findOf(ctx, r.in.CiphertextBlob, r.in.KeyId)
}

func (a *API) decrypt(_ context.Context, r *request[kmswire.DecryptRequest]) (any, error) {
	if err := checkAlgorithm("EncryptionAlgorithm", r.in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	if err := noRecipient(r.in.Recipient); err != nil {
		return nil, err
	}
	if err := a.dry(r.target, r.in.DryRun); err != nil {
		return nil, err
	}
	plain, err := a.keys.Open(r.target, r.in.CiphertextBlob, r.in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return kmswire.DecryptResponse{KeyId: &r.target.ARN, Plaintext: []byte(plain.Reveal()), EncryptionAlgorithm: optional(algorithm)}, nil
}

func (a *API) findSource(ctx context.Context, r *request[kmswire.ReEncryptRequest]) (*kms.Target, error) {
	if len(r.in.DryRunModifiers) > 0 {
		return nil, invalid("UnsupportedOperationException", "DryRunModifiers: not supported by this server")
	}
	return a.findOf(ctx, r.in.CiphertextBlob, r.in.SourceKeyId)
}

// reEncrypt needs two rights: ReEncryptFrom, which the pipeline has asked for, and
// ReEncryptTo.
func (a *API) reEncrypt(ctx context.Context, r *request[kmswire.ReEncryptRequest]) (any, error) {
	for name, alg := range map[string]*string{"SourceEncryptionAlgorithm": r.in.SourceEncryptionAlgorithm, "DestinationEncryptionAlgorithm": r.in.DestinationEncryptionAlgorithm} {
		if err := checkAlgorithm(name, alg); err != nil {
			return nil, err
		}
	}
	if err := kms.CheckContext(r.in.DestinationEncryptionContext); err != nil {
		return nil, err
	}
	to, err := a.keys.Find(ctx, r.in.DestinationKeyId)
	if err != nil {
		return nil, a.keys.Hidden(ctx, err, a.nameOf(r.in.DestinationKeyId), kms.Ask{Caller: r.Caller, Action: "kms:ReEncryptTo", Context: r.Conditions()})
	}
	same := policy.Key{Name: "kms:ReEncryptOnSameKey", Value: map[bool]string{true: "true", false: "false"}[to.ARN == r.target.ARN]}
	if err := a.also(ctx, r.Call, to, "kms:ReEncryptTo", r.in.DestinationEncryptionContext, same); err != nil {
		return nil, err
	}
	if err := a.keys.Usable(r.target); err != nil {
		return nil, err
	}
	if err := a.dry(to, r.in.DryRun); err != nil {
		return nil, err
	}
	plain, err := a.keys.Open(r.target, r.in.CiphertextBlob, r.in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	sealed, err := a.keys.Seal(to, plain, r.in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	return kmswire.ReEncryptResponse{CiphertextBlob: sealed, SourceKeyId: &r.target.ARN, KeyId: &to.ARN,
		SourceEncryptionAlgorithm: optional(algorithm), DestinationEncryptionAlgorithm: optional(algorithm)}, nil
}

// dataKey makes a data key of a named size or a number of bytes.
func (a *API) dataKey(t *kms.Target, spec *string, bytes int64, ec map[string]string, dry bool) (plain envelope.Secret, sealed []byte, err error) {
	n := int(bytes)
	switch {
	case (spec == nil) == (bytes == 0):
		return plain, nil, invalid("ValidationException", "KeySpec, NumberOfBytes: expected exactly one of them")
	case spec != nil && *spec == "AES_256":
		n = 32
	case spec != nil: // AES_128: the shape has no other
		n = 16
	}
	if err := a.dry(t, dry); err != nil {
		return plain, nil, err
	}
	return a.keys.NewDataKey(t, n, ec)
}
