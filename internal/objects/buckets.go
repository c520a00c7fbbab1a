package objects

import (
	"context"
	"errors"
	"strings"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// maxBuckets bounds one ListBuckets answer; S3's own bound.
const maxBuckets = 10000

// CreateBucket makes a bucket. Region is what the request asks for, "" for none.
func (s *Service) CreateBucket(ctx context.Context, call *Call, name, region string) error {
	if _, err := s.begin(ctx, call, OpCreateBucket, name, "", true); err != nil {
		return err
	}
	if err := CheckBucketName(name); err != nil {
		return err
	}
	if region != "" && region != s.region {
		return fault.Coded("objects.CreateBucket", fault.Invalid, "InvalidLocationConstraint", "The specified location-constraint is not valid: this server's region is "+s.region)
	}
	err := s.store.CreateBucket(ctx, Bucket{
		Name: name, Region: s.region, Account: s.account, CreatedBy: call.Caller.ARN, CreatedAt: s.now().UTC(),
	})
	s.buckets.drop(name)
	// In us-east-1 S3 answers again as it did the first time.
	if fault.Is(err, fault.Exists) && s.region == "us-east-1" {
		return nil
	}
	return err
}

// HeadBucket reports whether the bucket is there and the caller may list it.
func (s *Service) HeadBucket(ctx context.Context, call *Call, name string) (*Bucket, error) {
	return s.begin(ctx, call, OpHeadBucket, name, "", true)
}

// ReadBucket carries out the operations that only look at a bucket's
// configuration: location, versioning, access control list, CORS, logging,
// encryption, notifications, policy and policy status; and PutBucketAcl, which can only ask for the list
// that every bucket has.
func (s *Service) ReadBucket(ctx context.Context, call *Call, op int, name string) (*Bucket, error) {
	switch op {
	case OpGetBucketLocation, OpGetBucketVersioning, OpGetBucketACL, OpPutBucketACL, OpGetBucketCORS, OpGetBucketLogging, OpGetBucketEncryption, OpGetBucketNotification, OpGetBucketPolicyStatus:
		return s.begin(ctx, call, op, name, "", true)
	case OpGetBucketPolicy:
		return s.beginPolicy(ctx, call, op, name)
	}
	return nil, fault.E("objects.ReadBucket", fault.Internal, "", errors.New("not an operation that reads a bucket"))
}

// ListBuckets lists buckets by name.
func (s *Service) ListBuckets(ctx context.Context, call *Call, prefix, after string, limit int) (list []Bucket, more bool, err error) {
	if _, err := s.begin(ctx, call, OpListBuckets, "", "", true); err != nil {
		return nil, false, err
	}
	limit = min(max(limit, 1), maxBuckets)
	list, err = s.store.Buckets(ctx, prefix, after, limit+1)
	if len(list) > limit {
		list, more = list[:limit], true
	}
	return list, more, err
}

// DeleteBucket removes an empty bucket.
func (s *Service) DeleteBucket(ctx context.Context, call *Call, name string) error {
	if _, err := s.begin(ctx, call, OpDeleteBucket, name, "", true); err != nil {
		return err
	}
	freed, err := s.store.DeleteBucket(ctx, name)
	s.buckets.drop(name)
	if err != nil {
		return err
	}
	s.remove(freed)
	return nil
}

// PutBucketPolicy replaces the bucket's policy. Unless confirm is set, a policy
// that would keep the caller from changing it again is refused.
func (s *Service) PutBucketPolicy(ctx context.Context, call *Call, name string, doc []byte, confirm bool) error {
	if _, err := s.beginPolicy(ctx, call, OpPutBucketPolicy, name); err != nil {
		return err
	}
	parsed, err := policy.Parse(doc, policy.Resource)
	if err != nil {
		return fault.Coded("objects.PutBucketPolicy", fault.Invalid, "MalformedPolicy", fault.MessageOf(err))
	}
	if err := checkPolicyScope(parsed, name); err != nil {
		return err
	}
	if !confirm && call.Caller.Type != identity.Root {
		d, err := s.iam.Authorize(ctx, call.Caller, s.question(call, table[OpPutBucketPolicy].Action, arn.S3Object(name, ""), parsed))
		if err != nil {
			return err
		}
		if d.Effect == policy.Deny {
			return fault.Coded("objects.PutBucketPolicy", fault.Denied, "AccessDenied", "The new policy would not let you change the bucket policy again. Set x-amz-confirm-remove-self-bucket-access to true if that is what you want.")
		}
	}
	return s.update(ctx, name, func(b *Bucket) { b.Policy = string(doc) })
}

// beginPolicy is begin for the operations on the policy itself. The account's
// root user may always carry them out: otherwise a mistaken Deny could never be
// taken back.
func (s *Service) beginPolicy(ctx context.Context, call *Call, op int, name string) (*Bucket, error) {
	if call.Caller.Type != identity.Root {
		return s.begin(ctx, call, op, name, "", true)
	}
	b, err := s.bucket(ctx, name)
	if err != nil {
		return s.begin(ctx, call, op, name, "", true)
	}
	call.Operation, call.Bucket = &table[op], b
	s.describe(call, table[op].Action, table[op].resource(name, ""))
	call.event.Verdict, call.event.Reason = "allow", "the account's root user may always change a bucket policy"
	return b, s.record(ctx, call)
}

// checkPolicyScope refuses a policy that speaks of another bucket or service.
func checkPolicyScope(d *policy.Document, bucket string) error {
	for _, r := range d.Resources() {
		rest, ok := strings.CutPrefix(r, arn.S3Object(bucket, ""))
		if r != "*" && (!ok || rest != "" && rest[0] != '/' && rest[0] != '*' && rest[0] != '?') {
			if !strings.ContainsAny(strings.SplitN(r, "/", 2)[0], "*?$") {
				return fault.Coded("objects.PutBucketPolicy", fault.Invalid, "MalformedPolicy", "Policy has invalid resource: "+r+" is not in this bucket")
			}
		}
	}
	for _, a := range d.Actions() {
		if a != "*" && !strings.HasPrefix(strings.ToLower(a), "s3:") {
			return fault.Coded("objects.PutBucketPolicy", fault.Invalid, "MalformedPolicy", "Policy has invalid action: "+a+" is not an S3 action")
		}
	}
	return nil
}

// DeleteBucketPolicy removes the bucket's policy.
func (s *Service) DeleteBucketPolicy(ctx context.Context, call *Call, name string) error {
	if _, err := s.beginPolicy(ctx, call, OpDeleteBucketPolicy, name); err != nil {
		return err
	}
	return s.update(ctx, name, func(b *Bucket) { b.Policy = "" })
}

// Public reports whether the bucket's policy opens it to everybody.
func (s *Service) Public(b *Bucket) (bool, error) {
	d, err := s.policyOf(b)
	if err != nil || d == nil {
		return false, err
	}
	return d.Public(), nil
}

// PutBucketCORS replaces the bucket's rules for pages of other origins.
func (s *Service) PutBucketCORS(ctx context.Context, call *Call, name string, rules []CORSRule) error {
	if _, err := s.begin(ctx, call, OpPutBucketCORS, name, "", true); err != nil {
		return err
	}
	if err := checkCORS(rules); err != nil {
		return err
	}
	return s.update(ctx, name, func(b *Bucket) { b.CORS = rules })
}

// DeleteBucketCORS removes them.
func (s *Service) DeleteBucketCORS(ctx context.Context, call *Call, name string) error {
	if _, err := s.begin(ctx, call, OpDeleteBucketCORS, name, "", true); err != nil {
		return err
	}
	return s.update(ctx, name, func(b *Bucket) { b.CORS = nil })
}

// PutBucketLogging says where the bucket's access log goes. The target must be
// a bucket of this server; S3's bound for a prefix is 800 characters.
func (s *Service) PutBucketLogging(ctx context.Context, call *Call, name string, l Logging) error {
	if _, err := s.begin(ctx, call, OpPutBucketLogging, name, "", true); err != nil {
		return err
	}
	const op = "objects.PutBucketLogging"
	if l.Enabled() {
		if len(l.TargetPrefix) > 800 {
			return fault.Coded(op, fault.Invalid, "InvalidArgument", "TargetPrefix has at most 800 characters")
		}
		if _, err := s.bucket(ctx, l.TargetBucket); err != nil {
			return fault.Coded(op, fault.Invalid, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist")
		}
		// The log is written by the server itself. The one who turns it on must
		// be able to write there, or logging would be a way into a foreign bucket.
		target := &table[OpPutObject]
		b, err := s.bucket(ctx, l.TargetBucket)
		if err != nil {
			return err
		}
		d, err := s.allowed(ctx, call, target.Action, target.resource(l.TargetBucket, l.TargetPrefix+"*"), b)
		if err != nil {
			return err
		}
		if d.Effect != policy.Allow {
			return fault.Coded(op, fault.Denied, "AccessDenied", "You may not write to the target bucket")
		}
	}
	return s.update(ctx, name, func(b *Bucket) { b.Logging = l })
}

// PutBucketEncryption says how objects are sealed whose request asks for nothing.
// Objects that are there already stay as they are. The key is looked for when it
// is used, as in S3.
func (s *Service) PutBucketEncryption(ctx context.Context, call *Call, name string, d DefaultEncryption) error {
	if _, err := s.begin(ctx, call, OpPutBucketEncryption, name, "", true); err != nil {
		return err
	}
	invalid := func(message string) error {
		return fault.Coded("objects.PutBucketEncryption", fault.Invalid, "InvalidArgument", message)
	}
	switch {
	case d.Algorithm == AES256 && s.own == nil, d.Algorithm == AWSKMS && s.keys == nil:
		return noEncryption()
	case d.Algorithm != AES256 && d.Algorithm != AWSKMS:
		return invalid("SSEAlgorithm must be AES256 or aws:kms")
	case d.Algorithm == AES256 && d.KeyID != "":
		return invalid("KMSMasterKeyID is only for the SSEAlgorithm aws:kms")
	case len(d.KeyID) > maxKeyID:
		return invalid("KMSMasterKeyID is longer than any key's name")
	}
	return s.update(ctx, name, func(b *Bucket) { b.Encryption = d })
}

// DeleteBucketEncryption stores objects as they are again, unless their request
// asks for more.
func (s *Service) DeleteBucketEncryption(ctx context.Context, call *Call, name string) error {
	if _, err := s.begin(ctx, call, OpDeleteBucketEncryption, name, "", true); err != nil {
		return err
	}
	return s.update(ctx, name, func(b *Bucket) { b.Encryption = DefaultEncryption{} })
}

func (s *Service) update(ctx context.Context, name string, change func(*Bucket)) error {
	err := s.store.UpdateBucket(ctx, name, change)
	s.buckets.drop(name)
	return err
}

// MatchCORS returns the rule of a bucket that lets a page of the origin use the
// method with the headers; nil if there is none. Browsers ask before they show
// any credential, so nobody is authorized.
func (s *Service) MatchCORS(ctx context.Context, bucket, origin, method string, headers []string) *CORSRule {
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		return nil
	}
	return b.MatchCORS(origin, method, headers)
}
