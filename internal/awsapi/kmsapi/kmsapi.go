// Package kmsapi is KMS's JSON API for symmetric keys. It translates between the
// wire (package kmswire, generated from the service model) and package kms, which
// knows the rules and decides by keys' policies and grants.
package kmsapi

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/kms"
	"fiducial/internal/policy"
)

// API translates.
type API struct{ keys *kms.Service }

// New makes the API of a service.
func New(s *kms.Service) *API { return &API{s} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	return &awsapi.Service{
		Name: "kms", Protocol: awsapi.JSON11, TargetPrefix: "TrentService",
		Codes: map[fault.Kind]awsapi.Code{
			fault.NotFound:    {Name: "NotFoundException", Status: 400},
			fault.Exists:      {Name: "AlreadyExistsException", Status: 400},
			fault.Internal:    {Name: "KMSInternalException", Status: 500},
			fault.Unavailable: {Name: "KeyUnavailableException", Status: 500},
		},
		Operations: slices.Concat(a.use(), a.manage(), a.aliases(), a.grants(), a.tags()),
		Planned: []string{"ConnectCustomKeyStore", "CreateCustomKeyStore", "DeleteCustomKeyStore", "DeleteImportedKeyMaterial", "DeriveSharedSecret",
			"DescribeCustomKeyStores", "DisconnectCustomKeyStore", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateMac",
			"GetKeyLastUsage", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations", "ReplicateKey", "Sign",
			"UpdateCustomKeyStore", "UpdatePrimaryRegion", "Verify", "VerifyMac"},
	}
}

// request is one call about a key.
type request[In any] struct {
	*awsapi.Call
	in     *In
	target *kms.Target
	by     *kms.Grant // the grant that allows the call; nil if a policy does
	grant  *kms.Grant // RetireGrant
}

// about is how an operation about a key differs from the next.
type about[In any] struct {
	name   string // as the API spells it
	action string // without service, if not name
	shape  *awsapi.Shape
	// key names the key; find is Find or FindKey (no alias), Find by default.
	key  func(*In) string
	find func(context.Context, *request[In]) (*kms.Target, error)
	// context is the encryption context; keys are the operation's condition keys.
	context func(*In) map[string]string
	keys    func(*In) []policy.Key
	decide  func(context.Context, *request[In], kms.Ask) (kms.Decision, error) // kms.Service.Decide by default
	do      func(context.Context, *request[In]) (any, error)
}

// onKey makes a row of the table: the key is found, its policy and grants are
// asked, and what is left is the operation.
func onKey[In any](a *API, o about[In]) awsapi.Operation {
	action := "kms:" + o.name
	if o.action != "" {
		action = "kms:" + o.action
	}
	named := func(in *In) string {
		if o.key == nil {
			return "*"
		}
		return o.key(in)
	}
	return awsapi.Operation{
		Name: o.name, Action: action, Audit: "kms:" + o.name,
		Decode: func(c *awsapi.Call) error {
			in := new(In)
			if err := awsapi.DecodeJSON(c.Body, o.shape, in); err != nil {
				return err
			}
			c.Input = &request[In]{Call: c, in: in}
			return nil
		},
		Resource: func(c *awsapi.Call) string { return named(c.Input.(*request[In]).in) },
		Decide: func(ctx context.Context, c *awsapi.Call) (string, policy.Decision, error) {
			r := c.Input.(*request[In])
			ask := kms.Ask{Caller: c.Caller, Action: action, Context: c.Conditions()}
			if o.context != nil {
				ask.EncryptionContext = o.context(r.in)
			}
			if o.keys != nil {
				ask.Context.Keys = o.keys(r.in)
			}
			if err := kms.CheckContext(ask.EncryptionContext); err != nil {
				return "", policy.Decision{}, err
			}
			var err error
			if o.find != nil {
				r.target, err = o.find(ctx, r)
			} else {
				r.target, err = a.keys.Find(ctx, o.key(r.in))
			}
			if err != nil {
				return "", policy.Decision{}, a.keys.Hidden(ctx, err, a.nameOf(named(r.in)), ask)
			}
			decide := o.decide
			if decide == nil {
				decide = func(ctx context.Context, r *request[In], ask kms.Ask) (kms.Decision, error) {
					return a.keys.Decide(ctx, r.target, ask)
				}
			}
			d, err := decide(ctx, r, ask)
			r.by = d.Grant
			return r.target.ARN, d.Decision, err
		},
		Handle: func(ctx context.Context, c *awsapi.Call) (any, error) {
			r := c.Input.(*request[In])
			if err := a.keys.Exists(r.target); err != nil {
				return nil, err
			}
			return o.do(ctx, r)
		},
	}
}

// nameOf is the ARN that identity policies are asked about when there is no key.
func (a *API) nameOf(key string) string {
	switch {
	case strings.HasPrefix(key, "arn:"), key == "*":
		return key
	case strings.HasPrefix(key, "alias/"):
		return a.keys.AliasARN(key)
	}
	return a.keys.KeyARN(key)
}

// also decides and records a further action on a key within a call.
func (a *API) also(ctx context.Context, c *awsapi.Call, t *kms.Target, action string, ec map[string]string, keys ...policy.Key) error {
	d, err := a.keys.Decide(ctx, t, kms.Ask{Caller: c.Caller, Action: action, EncryptionContext: ec, Context: c.Conditions(keys...)})
	if err != nil {
		return err
	}
	if err := c.Settle(ctx, action, t.ARN, d.Decision); err != nil {
		return err
	}
	return a.keys.Exists(t)
}

// plain makes a row for an operation about no key: the caller's policies decide.
func plain[In any](name string, shape *awsapi.Shape, resource func(*In) string, keys func(*In) []policy.Key, do func(context.Context, *awsapi.Call, *In) (any, error)) awsapi.Operation {
	op := awsapi.Operation{
		Name: name, Action: "kms:" + name, Decode: awsapi.DecodeAs[In](shape),
		Resource: func(c *awsapi.Call) string {
			if resource == nil {
				return "*"
			}
			return resource(c.Input.(*In))
		},
		Handle: func(ctx context.Context, c *awsapi.Call) (any, error) { return do(ctx, c, c.Input.(*In)) },
	}
	if keys != nil {
		op.Context = func(c *awsapi.Call) []policy.Key { return keys(c.Input.(*In)) }
	}
	return op
}

func invalid(code, message string) error {
	return fault.Coded("kmsapi", fault.Invalid, code, message)
}

// dryRun refuses, as AWS does, after everything was decided.
func dryRun(on bool) error {
	if on {
		return fault.Coded("kmsapi", fault.Precond, "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	return nil
}

// value is *p, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// optional is a pointer to v, nil for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// page is a part of a list: at most limit items after the marker, which is the key
// of the last item that was handed out. It holds no secret and is no permission.
type page struct {
	after string
	limit int
}

func readPage(marker *string, limit int64, otherwise int) (page, error) {
	p := page{limit: int(limit)}
	if limit == 0 {
		p.limit = otherwise
	}
	if value(marker) == "" {
		return p, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(b) == 0 {
		return p, invalid("InvalidMarkerException", "Marker: expected the NextMarker of the previous answer")
	}
	p.after = string(b)
	return p, nil
}

// cut takes the page out of limit+1 items and makes the marker of the next.
func cut[T any](items []T, p page, key func(*T) string) ([]T, *string, bool) {
	if len(items) <= p.limit {
		return items, nil, false
	}
	items = items[:p.limit]
	marker := base64.RawURLEncoding.EncodeToString([]byte(key(&items[p.limit-1])))
	return items, &marker, true
}
