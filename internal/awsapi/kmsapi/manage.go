package kmsapi

import (
	"context"
	"strconv"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/kmswire"
	"fiducial/internal/kms"
	"fiducial/internal/policy"
)

// defaultPolicyName is the only name that a key's policy has.
const defaultPolicyName = "default"

// named finds a key for operations that take no alias.
func named[In any](a *API, key func(*In) string) func(context.Context, *request[In]) (*kms.Target, error) {
	return func(ctx context.Context, r *request[In]) (*kms.Target, error) { return a.keys.FindKey(ctx, key(r.in)) }
}

// simple is an operation that takes a key without alias and answers nothing.
func simple[In any](a *API, name string, shape *awsapi.Shape, key func(*In) string, keys func(*In) []policy.Key, do func(context.Context, *request[In]) error) awsapi.Operation {
	return onKey(a, about[In]{name: name, shape: shape, key: key, find: named(a, key), keys: keys,
		do: func(ctx context.Context, r *request[In]) (any, error) { return nil, do(ctx, r) }})
}

// manage is the life of keys, their policies and rotation.
func (a *API) manage() []awsapi.Operation {
	return []awsapi.Operation{
		plain("CreateKey", kmswire.CreateKeyRequestShape, nil, createKeys, a.createKey),
		plain("ListKeys", kmswire.ListKeysRequestShape, nil, nil, a.listKeys),
		onKey(a, about[kmswire.DescribeKeyRequest]{
			name: "DescribeKey", shape: kmswire.DescribeKeyRequestShape,
			key: func(in *kmswire.DescribeKeyRequest) string { return in.KeyId },
			do: func(_ context.Context, r *request[kmswire.DescribeKeyRequest]) (any, error) {
				return kmswire.DescribeKeyResponse{KeyMetadata: a.metadata(r.target)}, nil
			},
		}),
		simple(a, "EnableKey", kmswire.EnableKeyRequestShape, func(in *kmswire.EnableKeyRequest) string { return in.KeyId }, nil,
			func(ctx context.Context, r *request[kmswire.EnableKeyRequest]) error {
				return a.keys.SetEnabled(ctx, r.target, true)
			}),
		simple(a, "DisableKey", kmswire.DisableKeyRequestShape, func(in *kmswire.DisableKeyRequest) string { return in.KeyId }, nil,
			func(ctx context.Context, r *request[kmswire.DisableKeyRequest]) error {
				return a.keys.SetEnabled(ctx, r.target, false)
			}),
		simple(a, "UpdateKeyDescription", kmswire.UpdateKeyDescriptionRequestShape, func(in *kmswire.UpdateKeyDescriptionRequest) string { return in.KeyId }, nil,
			func(ctx context.Context, r *request[kmswire.UpdateKeyDescriptionRequest]) error {
				return a.keys.Describe(ctx, r.target, r.in.Description)
			}),
		a.scheduleDeletion(),
		onKey(a, about[kmswire.CancelKeyDeletionRequest]{
			name: "CancelKeyDeletion", shape: kmswire.CancelKeyDeletionRequestShape,
			key:  func(in *kmswire.CancelKeyDeletionRequest) string { return in.KeyId },
			find: named(a, func(in *kmswire.CancelKeyDeletionRequest) string { return in.KeyId }),
			do: func(ctx context.Context, r *request[kmswire.CancelKeyDeletionRequest]) (any, error) {
				return kmswire.CancelKeyDeletionResponse{KeyId: &r.target.ARN}, a.keys.CancelDeletion(ctx, r.target)
			},
		}),
		a.getPolicy(), a.putPolicy(), a.listPolicies(),
		a.enableRotation(),
		simple(a, "DisableKeyRotation", kmswire.DisableKeyRotationRequestShape, func(in *kmswire.DisableKeyRotationRequest) string { return in.KeyId }, nil,
			func(ctx context.Context, r *request[kmswire.DisableKeyRotationRequest]) error {
				return a.keys.SetRotation(ctx, r.target, false, 0)
			}),
		a.rotationStatus(),
		onKey(a, about[kmswire.RotateKeyOnDemandRequest]{
			name: "RotateKeyOnDemand", shape: kmswire.RotateKeyOnDemandRequestShape,
			key:  func(in *kmswire.RotateKeyOnDemandRequest) string { return in.KeyId },
			find: named(a, func(in *kmswire.RotateKeyOnDemandRequest) string { return in.KeyId }),
			do: func(ctx context.Context, r *request[kmswire.RotateKeyOnDemandRequest]) (any, error) {
				return kmswire.RotateKeyOnDemandResponse{KeyId: &r.target.ARN}, a.keys.Rotate(ctx, r.target)
			},
		}),
	}
}

func bypass(on bool) policy.Key {
	return policy.Key{Name: "kms:BypassPolicyLockoutSafetyCheck", Value: strconv.FormatBool(on)}
}

func createKeys(in *kmswire.CreateKeyRequest) []policy.Key {
	keys := []policy.Key{
		{Name: "kms:KeySpec", Value: algorithm}, {Name: "kms:KeyUsage", Value: "ENCRYPT_DECRYPT"}, {Name: "kms:KeyOrigin", Value: "AWS_KMS"},
		{Name: "kms:MultiRegion", Value: "false"}, bypass(in.BypassPolicyLockoutSafetyCheck),
	}
	return append(keys, requestTags(in.Tags)...)
}

// createKey makes symmetric keys of this server's own making, and says of every
// other kind that it does not.
func (a *API) createKey(ctx context.Context, c *awsapi.Call, in *kmswire.CreateKeyRequest) (any, error) {
	spec := in.KeySpec
	if spec == nil {
		spec = in.CustomerMasterKeySpec
	}
	for _, p := range []struct {
		name string
		got  *string
		want string
	}{{"KeySpec", spec, algorithm}, {"KeyUsage", in.KeyUsage, "ENCRYPT_DECRYPT"}, {"Origin", in.Origin, "AWS_KMS"}, {"CustomKeyStoreId", in.CustomKeyStoreId, ""}, {"XksKeyId", in.XksKeyId, ""}} {
		if p.got != nil && *p.got != p.want {
			return nil, invalid("UnsupportedOperationException", p.name+": this server makes symmetric keys of its own only: expected "+strconv.Quote(p.want))
		}
	}
	if in.MultiRegion {
		return nil, invalid("UnsupportedOperationException", "MultiRegion: this server has one region")
	}
	if len(in.Tags) > 0 {
		if err := c.Authorize(ctx, "kms:TagResource", "*", requestTags(in.Tags)...); err != nil {
			return nil, err
		}
	}
	t, err := a.keys.Create(ctx, c.Caller, value(in.Description), value(in.Policy), tagsOf(in.Tags), in.BypassPolicyLockoutSafetyCheck)
	if err != nil {
		return nil, err
	}
	return kmswire.CreateKeyResponse{KeyMetadata: a.metadata(t)}, nil
}

func (a *API) metadata(t *kms.Target) *kmswire.KeyMetadata {
	k := t.Key()
	created := awsapi.At(k.CreatedAt)
	state, manager, spec := string(k.State), string(k.Manager), algorithm
	out := &kmswire.KeyMetadata{
		AWSAccountId: optional(a.keys.Account()), KeyId: k.ID, Arn: &t.ARN, CreationDate: &created, Enabled: k.State == kms.Enabled,
		Description: &k.Description, KeyUsage: optional("ENCRYPT_DECRYPT"), KeyState: &state, Origin: optional("AWS_KMS"), KeyManager: &manager,
		CustomerMasterKeySpec: &spec, KeySpec: &spec, EncryptionAlgorithms: []string{algorithm},
	}
	out.DeletionDate = awsapi.AtOrNil(k.DeletionAt)
	return out
}

func (a *API) listKeys(ctx context.Context, _ *awsapi.Call, in *kmswire.ListKeysRequest) (any, error) {
	p, err := readPage(in.Marker, in.Limit, 100)
	if err != nil {
		return nil, err
	}
	keys, err := a.keys.List(ctx, p.after, p.limit+1)
	if err != nil {
		return nil, err
	}
	out := kmswire.ListKeysResponse{Keys: []kmswire.KeyListEntry{}}
	keys, out.NextMarker, out.Truncated = cut(keys, p, func(k *kms.Key) string { return k.ID })
	for _, k := range keys {
		out.Keys = append(out.Keys, kmswire.KeyListEntry{KeyId: &k.ID, KeyArn: optional(a.keys.KeyARN(k.ID))})
	}
	return out, nil
}

func (a *API) scheduleDeletion() awsapi.Operation {
	key := func(in *kmswire.ScheduleKeyDeletionRequest) string { return in.KeyId }
	return onKey(a, about[kmswire.ScheduleKeyDeletionRequest]{
		name: "ScheduleKeyDeletion", shape: kmswire.ScheduleKeyDeletionRequestShape, key: key, find: named(a, key),
		keys: func(in *kmswire.ScheduleKeyDeletionRequest) []policy.Key {
			return []policy.Key{{Name: "kms:ScheduleKeyDeletionPendingWindowInDays", Value: strconv.FormatInt(days(in.PendingWindowInDays, 30), 10)}}
		},
		do: func(ctx context.Context, r *request[kmswire.ScheduleKeyDeletionRequest]) (any, error) {
			n := days(r.in.PendingWindowInDays, 30)
			at, err := a.keys.ScheduleDeletion(ctx, r.target, int(n))
			if err != nil {
				return nil, err
			}
			when := awsapi.At(at)
			return kmswire.ScheduleKeyDeletionResponse{KeyId: &r.target.ARN, DeletionDate: &when, KeyState: optional(string(kms.PendingDeletion)), PendingWindowInDays: n}, nil
		},
	})
}

func days(n, otherwise int64) int64 {
	if n == 0 {
		return otherwise
	}
	return n
}

func checkPolicyName(name *string) error {
	if name != nil && *name != defaultPolicyName {
		return invalid("ValidationException", "PolicyName: a key has one policy, whose name is "+defaultPolicyName)
	}
	return nil
}

func (a *API) getPolicy() awsapi.Operation {
	key := func(in *kmswire.GetKeyPolicyRequest) string { return in.KeyId }
	return onKey(a, about[kmswire.GetKeyPolicyRequest]{
		name: "GetKeyPolicy", shape: kmswire.GetKeyPolicyRequestShape, key: key, find: named(a, key),
		do: func(_ context.Context, r *request[kmswire.GetKeyPolicyRequest]) (any, error) {
			return kmswire.GetKeyPolicyResponse{Policy: &r.target.Key().Policy, PolicyName: optional(defaultPolicyName)}, checkPolicyName(r.in.PolicyName)
		},
	})
}

func (a *API) putPolicy() awsapi.Operation {
	return simple(a, "PutKeyPolicy", kmswire.PutKeyPolicyRequestShape, func(in *kmswire.PutKeyPolicyRequest) string { return in.KeyId },
		func(in *kmswire.PutKeyPolicyRequest) []policy.Key {
			return []policy.Key{bypass(in.BypassPolicyLockoutSafetyCheck)}
		},
		func(ctx context.Context, r *request[kmswire.PutKeyPolicyRequest]) error {
			if err := checkPolicyName(r.in.PolicyName); err != nil {
				return err
			}
			return a.keys.PutPolicy(ctx, r.Caller, r.target, r.in.Policy, r.in.BypassPolicyLockoutSafetyCheck)
		})
}

func (a *API) listPolicies() awsapi.Operation {
	key := func(in *kmswire.ListKeyPoliciesRequest) string { return in.KeyId }
	return onKey(a, about[kmswire.ListKeyPoliciesRequest]{
		name: "ListKeyPolicies", shape: kmswire.ListKeyPoliciesRequestShape, key: key, find: named(a, key),
		do: func(context.Context, *request[kmswire.ListKeyPoliciesRequest]) (any, error) {
			return kmswire.ListKeyPoliciesResponse{PolicyNames: []string{defaultPolicyName}}, nil
		},
	})
}

func (a *API) enableRotation() awsapi.Operation {
	return simple(a, "EnableKeyRotation", kmswire.EnableKeyRotationRequestShape, func(in *kmswire.EnableKeyRotationRequest) string { return in.KeyId },
		func(in *kmswire.EnableKeyRotationRequest) []policy.Key {
			return []policy.Key{{Name: "kms:RotationPeriodInDays", Value: strconv.FormatInt(days(in.RotationPeriodInDays, 365), 10)}}
		},
		func(ctx context.Context, r *request[kmswire.EnableKeyRotationRequest]) error {
			return a.keys.SetRotation(ctx, r.target, true, int(r.in.RotationPeriodInDays))
		})
}

func (a *API) rotationStatus() awsapi.Operation {
	key := func(in *kmswire.GetKeyRotationStatusRequest) string { return in.KeyId }
	return onKey(a, about[kmswire.GetKeyRotationStatusRequest]{
		name: "GetKeyRotationStatus", shape: kmswire.GetKeyRotationStatusRequestShape, key: key, find: named(a, key),
		do: func(_ context.Context, r *request[kmswire.GetKeyRotationStatusRequest]) (any, error) {
			k := r.target.Key()
			out := kmswire.GetKeyRotationStatusResponse{KeyId: &r.target.ARN, KeyRotationEnabled: k.RotateDays > 0, RotationPeriodInDays: int64(k.RotateDays)}
			out.NextRotationDate = awsapi.AtOrNil(k.NextRotation())
			return out, nil
		},
	})
}
