package kms

import (
	"context"

	"fiducial/internal/envelope"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
)

// DataKey is a key for data, and the same sealed under a KMS key.
type DataKey struct {
	KeyARN     string
	Plaintext  envelope.Secret // 32 bytes
	Ciphertext []byte
}

const dataKeyBytes = 32

// Via is the service as another one uses it on behalf of its callers: policies
// see kms:ViaService and aws:ViaAWSService, and nothing of where the caller is.
type Via struct {
	s    *Service
	name string
}

// Via returns the view of a service: "s3" or "sagemaker".
func (s *Service) Via(name string) *Via { return &Via{s, name} }

// GenerateDataKey makes a data key if the caller may (kms:GenerateDataKey).
func (v *Via) GenerateDataKey(ctx context.Context, c *iam.Caller, keyID string, ec map[string]string) (DataKey, error) {
	d, err := v.s.generateDataKey(ctx, keyID, Ask{Caller: c, Action: "kms:GenerateDataKey", EncryptionContext: ec, Via: v.name})
	return d, err
}

// Decrypt opens a data key if the caller may (kms:Decrypt).
func (v *Via) Decrypt(ctx context.Context, c *iam.Caller, ciphertext []byte, ec map[string]string) (DataKey, error) {
	d, err := v.s.decryptDataKey(ctx, ciphertext, Ask{Caller: c, Action: "kms:Decrypt", EncryptionContext: ec, Via: v.name})
	return d, err
}

// AWSManaged returns the ARN of the key that AWS would manage for the service:
// alias/aws/s3. It is made when it is first asked for.
func (v *Via) AWSManaged(ctx context.Context) (string, error) {
	t, err := v.s.Find(ctx, "alias/aws/"+v.name)
	if err != nil {
		return "", err
	}
	return t.ARN, nil
}

// KeyARN returns the ARN of the key that a name stands for.
func (v *Via) KeyARN(ctx context.Context, name string) (string, error) {
	t, err := v.s.Find(ctx, name)
	if err != nil {
		return "", err
	}
	return t.ARN, nil
}

// GenerateDataKey makes a data key for a caller who asks himself.
func (s *Service) GenerateDataKey(ctx context.Context, c *iam.Caller, keyID string, ec map[string]string) (DataKey, error) {
	return s.generateDataKey(ctx, keyID, Ask{Caller: c, Action: "kms:GenerateDataKey", EncryptionContext: ec, Context: s.plainContext()})
}

// Decrypt opens a data key for a caller who asks himself.
func (s *Service) Decrypt(ctx context.Context, c *iam.Caller, ciphertext []byte, ec map[string]string) (DataKey, error) {
	return s.decryptDataKey(ctx, ciphertext, Ask{Caller: c, Action: "kms:Decrypt", EncryptionContext: ec, Context: s.plainContext()})
}

func (s *Service) plainContext() policy.Context { return policy.Context{Time: s.o.Now()} }

func (s *Service) generateDataKey(ctx context.Context, keyID string, a Ask) (DataKey, error) {
	t, err := s.Find(ctx, keyID)
	if err != nil {
		return DataKey{}, err
	}
	if err := s.check(ctx, t, a); err != nil {
		return DataKey{}, err
	}
	plain, sealed, err := s.NewDataKey(t, dataKeyBytes, a.EncryptionContext)
	if err != nil {
		return DataKey{}, err
	}
	return DataKey{t.ARN, plain, sealed}, nil
}

func (s *Service) decryptDataKey(ctx context.Context, ciphertext []byte, a Ask) (DataKey, error) {
	t, err := s.KeyOf(ctx, ciphertext)
	if err != nil {
		return DataKey{}, err
	}
	if err := s.check(ctx, t, a); err != nil {
		return DataKey{}, err
	}
	if err := t.usable(s.o.Now()); err != nil {
		return DataKey{}, err
	}
	plain, err := s.opened.open(t.key.keys, ciphertext, a.EncryptionContext)
	if err != nil {
		return DataKey{}, err
	}
	return DataKey{t.ARN, plain, ciphertext}, nil
}

// The following do what Decide has allowed; they look at the key's state alone.

// KeyOf returns the key that a ciphertext is of.
func (s *Service) KeyOf(ctx context.Context, ciphertext []byte) (*Target, error) {
	id, err := keyOf(ciphertext)
	if err != nil {
		return nil, err
	}
	return s.Find(ctx, id)
}

// Seal encrypts at most MaxPlaintext bytes.
func (s *Service) Seal(t *Target, plain envelope.Secret, ec map[string]string) ([]byte, error) {
	if err := t.usable(s.o.Now()); err != nil {
		return nil, err
	}
	if err := CheckContext(ec); err != nil {
		return nil, err
	}
	return sealBlob(t.key.ID, t.key.keys, []byte(plain.Reveal()), ec)
}

// Open decrypts.
func (s *Service) Open(t *Target, ciphertext []byte, ec map[string]string) (envelope.Secret, error) {
	if err := t.usable(s.o.Now()); err != nil {
		return envelope.Secret{}, err
	}
	plain, err := openBlob(t.key.keys, ciphertext, ec)
	if err != nil {
		return envelope.Secret{}, err
	}
	return envelope.NewSecret(string(plain)), nil
}

// NewDataKey makes a data key of n bytes.
func (s *Service) NewDataKey(t *Target, n int, ec map[string]string) (envelope.Secret, []byte, error) {
	raw, err := s.Random(n)
	if err != nil {
		return envelope.Secret{}, nil, err
	}
	plain := envelope.NewSecret(string(raw))
	sealed, err := s.Seal(t, plain, ec)
	return plain, sealed, err
}
