package objects

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"fiducial/internal/arn"
	"fiducial/internal/audit"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
)

// The algorithms of server-side encryption, as S3 calls them: SSE-S3 and SSE-KMS.
const (
	AES256 = "AES256"
	AWSKMS = "aws:kms"
)

// ContextKey is the member of the encryption context that S3 adds to the
// caller's: the ARN of the object, or of its bucket where bucket keys are on.
const ContextKey = "aws:s3:arn"

// managedKey is the key of SSE-KMS where no other is named.
const managedKey = "alias/aws/s3"

// maxKeyID bounds what names a key: the longest, the ARN of an alias, has about
// 320 characters.
const maxKeyID = 2048

// SSE is what a request asks of server-side encryption.
type SSE struct {
	Algorithm string            // AES256 or aws:kms; "" for what the bucket says
	KeyID     string            // id, ARN, alias or ARN of an alias; "" for the key alias/aws/s3
	Context   map[string]string // further members of the encryption context
	BucketKey string            // "true" or "false"; "" for what the bucket says
}

// Encryption says how an object's bytes are sealed. It never changes once made.
//
// Every object has a data key of its own, which seals its bytes (see
// envelope.Writer). Beside the object stands the data key, sealed in turn: for
// SSE-S3 under a key of this server's, for SSE-KMS under a key of the KMS, with an
// encryption context that names the object. So bytes that were moved to another
// object's row do not open, and neither does a row moved to another name.
type Encryption struct {
	Algorithm string
	KeyARN    string            `json:",omitempty"` // for aws:kms
	Context   map[string]string `json:",omitempty"` // the caller's members
	BucketKey bool              `json:",omitempty"`
	DataKey   []byte            // sealed
}

// sealed reports whether there is anything to open. What another store sealed it
// opens itself.
func (e *Encryption) sealed() bool { return e != nil && len(e.DataKey) > 0 }

// context is the encryption context under which the data key was sealed.
func (e *Encryption) context(bucket, key string) map[string]string {
	c := make(map[string]string, len(e.Context)+1)
	maps.Copy(c, e.Context)
	if c[ContextKey] = arn.S3Object(bucket, key); e.BucketKey {
		c[ContextKey] = arn.S3Object(bucket, "")
	}
	return c
}

// DefaultEncryption is what a bucket does with objects whose request asks for
// nothing. The zero value stores them as they are.
type DefaultEncryption struct {
	Algorithm string `json:",omitempty"` // AES256 or aws:kms
	KeyID     string `json:",omitempty"` // for aws:kms, as it was put
	BucketKey bool   `json:",omitempty"`
}

// DataKey is a data key and the same sealed under a key.
type DataKey struct {
	KeyARN    string
	Plaintext envelope.Secret // 32 bytes
	Sealed    []byte
}

// Keys keeps the keys that SSE-KMS seals data keys under. Both methods ask
// whether the call's caller may, by the key's policy and the caller's own, with
// this server in between (kms:ViaService), and whether the key may be used at the
// moment; they are asked for every read, so a key that is disabled ends reading
// at once. Their faults carry the KMS's codes (DisabledException …).
type Keys interface {
	// GenerateDataKey makes a data key; keyID is any name of a key.
	GenerateDataKey(ctx context.Context, call *Call, keyID string, encryptionContext map[string]string) (DataKey, error)
	Decrypt(ctx context.Context, call *Call, sealed []byte, encryptionContext map[string]string) (envelope.Secret, error)
}

// ownPurpose is what a data key of SSE-S3 is sealed for.
func ownPurpose(bucket, key string) string { return "data key of " + arn.S3Object(bucket, key) }

// choose fills what a request leaves to its bucket.
func (in SSE) choose(b *Bucket) SSE {
	d := &b.Encryption
	if in.Algorithm == "" {
		if in.Algorithm = d.Algorithm; d.Algorithm == AWSKMS {
			in.KeyID = d.KeyID
		}
	}
	if in.BucketKey == "" && in.Algorithm == AWSKMS && d.BucketKey {
		in.BucketKey = "true"
	}
	return in
}

// newKey makes the data key of a new object or upload; nil where it is not to be
// sealed.
func (s *Service) newKey(ctx context.Context, call *Call, b *Bucket, key string, in SSE) (*Encryption, envelope.Secret, error) {
	if _, ok := s.abroad(b.Name); ok {
		return nil, envelope.Secret{}, nil // the other store is asked to seal: putAbroad
	}
	in = in.choose(b)
	e := &Encryption{Algorithm: in.Algorithm}
	switch in.Algorithm {
	case "":
		return nil, envelope.Secret{}, nil
	case AES256:
		if s.own == nil {
			return nil, envelope.Secret{}, noEncryption()
		}
		plain, err := s.random(32)
		if err != nil {
			return nil, envelope.Secret{}, err
		}
		sealed, err := s.own.Seal(plain, ownPurpose(b.Name, key))
		e.DataKey = []byte(sealed)
		return e, envelope.NewSecret(string(plain)), err
	}
	if s.keys == nil {
		return nil, envelope.Secret{}, noEncryption()
	}
	e.Context, e.BucketKey = in.Context, in.BucketKey == "true"
	if in.KeyID == "" {
		in.KeyID = managedKey
	}
	k, err := s.keys.GenerateDataKey(ctx, call, in.KeyID, e.context(b.Name, key))
	if err != nil {
		return nil, envelope.Secret{}, keyFault(err, "")
	}
	e.KeyARN, e.DataKey = k.KeyARN, k.Sealed
	return e, k.Plaintext, nil
}

// openKey opens the data key of an object or upload for the caller.
func (s *Service) openKey(ctx context.Context, call *Call, bucket, key string, e *Encryption) (envelope.Secret, error) {
	if e.Algorithm == AES256 {
		if s.own == nil {
			return envelope.Secret{}, noEncryption()
		}
		plain, err := s.own.Open(string(e.DataKey), ownPurpose(bucket, key))
		if err != nil {
			return envelope.Secret{}, fault.E("objects.openKey", fault.Internal, "The data key of the object does not open: the object or the key of this server was changed.", err)
		}
		return envelope.NewSecret(string(plain)), nil
	}
	if s.keys == nil {
		return envelope.Secret{}, noEncryption()
	}
	k, err := s.keys.Decrypt(ctx, call, e.DataKey, e.context(bucket, key))
	if err != nil {
		return envelope.Secret{}, keyFault(err, e.KeyARN)
	}
	return k, nil
}

func noEncryption() error {
	return fault.Coded("objects", fault.Unsupported, "NotImplemented", "Server-side encryption is not set up on this server")
}

// keyFault makes S3's error of the KMS's. keyARN is the key of an object that is
// being read, "" for a write. What a change of the key's state can mend is a
// failed condition, which a job waits for; a key that is not there is an error.
func keyFault(err error, keyARN string) error {
	const op = "objects.key"
	code := strings.TrimPrefix(fault.CodeOf(err), "KMS.")
	made := &fault.Error{Op: op, Kind: fault.Precond, Message: fault.MessageOf(err), Err: err}
	switch {
	case fault.Is(err, fault.Denied):
		made.Kind, made.Code = fault.Denied, "AccessDenied"
	case code == "NotFoundException" && keyARN != "":
		made.Kind, made.Code = fault.Invalid, "KMS.NotFoundException"
		made.Message = "The key " + keyARN + " has been deleted. What it sealed cannot be opened any more: the object is lost."
	case code == "NotFoundException":
		made.Kind, made.Code = fault.Invalid, "KMS.NotFoundException"
	case code == "DisabledException" || code == "KMSInvalidStateException" || code == "InvalidKeyUsageException":
		made.Code = "KMS." + code
	case fault.Is(err, fault.Invalid):
		made.Kind, made.Code, made.Field = fault.Invalid, "InvalidArgument", "x-amz-server-side-encryption-aws-kms-key-id"
	default:
		return err
	}
	return made
}

// keyRefused marks the call's record as refused by a key, and reports whether
// err is such a refusal. What else may go wrong refuses nobody.
func keyRefused(call *Call, err error) bool {
	if !fault.Is(err, fault.Denied) && !strings.HasPrefix(fault.CodeOf(err), "KMS.") {
		return false
	}
	call.event.Verdict, call.event.Statement, call.event.Reason = audit.Deny, "key", fault.MessageOf(err)
	return true
}

// secretETag is the entity tag of bytes sealed under a key of the KMS: as in S3
// it is not their MD5, which would tell whoever may list the bucket whether a
// guess at the content is right.
func secretETag(key envelope.Secret, md5 []byte) string {
	h := hmac.New(sha256.New, []byte(key.Reveal()))
	h.Write([]byte("entity tag"))
	h.Write(md5)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// KeyARN is how policies see the name of a key: by its ARN. An alias has one of
// its own and stays what it is.
func (s *Service) KeyARN(id string) string {
	if id == "" || strings.HasPrefix(id, "arn:") || strings.HasPrefix(id, "alias/") {
		return id
	}
	return arn.ARN{Partition: "aws", Service: "kms", Region: s.region, Account: s.account, Resource: "key/" + id}.String()
}

// KeyOf returns the ARN of the KMS key that an object is sealed under, "" for
// one that is not. It is for whoever prepares a session that is to read the
// object, and asks nobody.
func (s *Service) KeyOf(ctx context.Context, bucket, key string) (string, error) {
	o, err := s.row(ctx, bucket, key, false)
	if err != nil || o.Encryption == nil {
		return "", err
	}
	return o.Encryption.KeyARN, nil
}
