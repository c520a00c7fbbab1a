package iamapi

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fiducial/internal/arn"
	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// The policy simulator. It decides by policy.Explain and so by the same rules as
// every request; what it adds is the form of its answers.

func (a *API) simulation() []awsapi.Operation {
	nothing := func(context.Context, *awsapi.Call) (string, error) { return "*", nil }
	ops := []awsapi.Operation{
		operation("SimulateCustomPolicy", nothing, a.simulateCustom),
		operation("SimulatePrincipalPolicy", a.policySource, a.simulatePrincipal),
		operation("GetContextKeysForCustomPolicy", nothing, a.contextKeysCustom),
		operation("GetContextKeysForPrincipalPolicy", a.policySource, a.contextKeysPrincipal),
	}
	return ops
}

// Bounds of one simulation.
const (
	maxActions   = 300
	maxResources = 300
	maxPolicies  = 50
	maxContext   = 200
	maxResults   = 1000
)

func invalidInput(format string, args ...any) error {
	return fault.Coded("iamapi.simulate", fault.Invalid, "InvalidInput", fmt.Sprintf(format, args...))
}

// source is a policy document with what answers call it.
type source struct {
	id   string
	text string
	doc  *policy.Document
}

// simulation is a request to the simulator.
type simulation struct {
	identity  []source
	resource  *source
	account   string // of the resource
	principal identity.Principal
	context   policy.Context
	provided  map[string]bool // context keys that have a value, in lower case
	actions   []string
	resources []string
}

// policySource is the resource of operations on a principal's policies.
func (a *API) policySource(_ context.Context, c *awsapi.Call) (string, error) {
	text := c.Form.Get("PolicySourceArn")
	if _, _, err := a.sourceOf(text); err != nil {
		return "", err
	}
	return text, nil
}

var actionName = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9]+$`)

// sourceOf tells whose policies an ARN names.
func (a *API) sourceOf(text string) (iam.OwnerKind, string, error) {
	parsed, err := arn.Parse(text)
	kind, name := parsed.Type(), parsed.Name()
	switch {
	case err != nil || parsed.Service != "iam" || parsed.Account != a.iam.Account() || name == "":
	case kind == "user":
		return iam.OfUser, name, nil
	case kind == "role":
		return iam.OfRole, name, nil
	case kind == "group":
		return "", "", invalidInput("PolicySourceArn: groups do not exist here: %s", text)
	}
	return "", "", invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name: expected the ARN of a user or a role of account %s.", text, a.iam.Account())
}

func (a *API) simulateCustom(_ context.Context, c *awsapi.Call) (any, error) {
	s, err := a.begin(c.Form)
	if err != nil {
		return nil, err
	}
	if len(s.identity) == 0 {
		return nil, invalidInput("PolicyInputList: give at least one policy.")
	}
	s.principal = identity.Principal{Type: identity.User, Account: a.iam.Account()}
	if err := s.caller(c.Form, a.iam.Account()); err != nil {
		return nil, err
	}
	return s.answer(c.Form)
}

func (a *API) simulatePrincipal(ctx context.Context, c *awsapi.Call) (any, error) {
	s, err := a.begin(c.Form)
	if err != nil {
		return nil, err
	}
	stored, err := a.stored(ctx, c.Form.Get("PolicySourceArn"), &s.principal)
	if err != nil {
		return nil, err
	}
	s.identity = append(stored, s.identity...)
	if s.resource != nil && s.principal.Type == identity.AssumedRole && !c.Form.Has("CallerArn") {
		return nil, invalidInput("CallerArn is needed with a ResourcePolicy when PolicySourceArn is not a user.")
	}
	if err := s.caller(c.Form, a.iam.Account()); err != nil {
		return nil, err
	}
	return s.answer(c.Form)
}

// stored reads a principal's own policies, and who it is.
func (a *API) stored(ctx context.Context, sourceARN string, p *identity.Principal) ([]source, error) {
	kind, name, err := a.sourceOf(sourceARN)
	if err != nil {
		return nil, err
	}
	account := a.iam.Account()
	if kind == iam.OfUser {
		u, err := a.iam.User(ctx, name)
		if err != nil {
			return nil, err
		}
		*p = identity.Principal{Type: identity.User, Account: account, ARN: u.ARN(account), UserID: u.ID, Name: u.Name}
	} else {
		r, err := a.iam.Role(ctx, name)
		if err != nil {
			return nil, err
		}
		*p = identity.Principal{Type: identity.AssumedRole, Account: account, RoleARN: r.ARN(account), UserID: r.ID + ":simulation",
			ARN: "arn:aws:sts::" + account + ":assumed-role/" + r.Name + "/simulation"}
	}
	all, err := a.iam.Policies(ctx, iam.Owner{Kind: kind, Name: name})
	if err != nil {
		return nil, err
	}
	var out []source
	for _, one := range all {
		if out, err = add(out, string(kind)+"_"+name+"_"+one.Name, one.Document, policy.Identity); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func add(list []source, id, text string, kind policy.Kind) ([]source, error) {
	d, err := policy.Parse([]byte(text), kind)
	if err != nil {
		return nil, invalidInput("%s: %s", id, fault.MessageOf(err))
	}
	return append(list, source{id, text, d.WithName(id)}), nil
}

// inputs reads PolicyInputList.
func inputs(form url.Values) (out []source, err error) {
	list := awsapi.Strings(form, "PolicyInputList")
	if len(list) > maxPolicies {
		return nil, invalidInput("PolicyInputList: at most %d policies.", maxPolicies)
	}
	for i, text := range list {
		if out, err = add(out, "PolicyInputList."+strconv.Itoa(i+1), text, policy.Identity); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// begin reads what both simulations have in common.
func (a *API) begin(form url.Values) (*simulation, error) {
	s := &simulation{actions: awsapi.Strings(form, "ActionNames"), resources: awsapi.Strings(form, "ResourceArns")}
	var err error
	if s.identity, err = inputs(form); err != nil {
		return nil, err
	}
	switch {
	case len(awsapi.Strings(form, "PermissionsBoundaryPolicyInputList")) > 0:
		return nil, invalidInput("PermissionsBoundaryPolicyInputList: permissions boundaries do not exist here.")
	case len(s.actions) == 0 || len(s.actions) > maxActions:
		return nil, invalidInput("ActionNames: give 1 to %d actions.", maxActions)
	case len(s.resources) > maxResources:
		return nil, invalidInput("ResourceArns: at most %d resources.", maxResources)
	}
	for _, name := range s.actions {
		if !actionName.MatchString(name) || len(name) > 128 {
			return nil, invalidInput("Invalid Action Name: %q: expected service:Operation such as s3:GetObject.", name)
		}
	}
	if len(s.resources) == 0 {
		s.resources = []string{"*"}
	}
	for _, r := range s.resources {
		if _, err := arn.Parse(r); r != "*" && err != nil {
			return nil, invalidInput("Invalid Resource: %q: expected an ARN or *.", r)
		}
	}
	if form.Has("ResourcePolicy") {
		list, err := add(nil, "ResourcePolicy", form.Get("ResourcePolicy"), policy.Resource)
		if err != nil {
			return nil, err
		}
		s.resource = &list[0]
	}
	if s.account, err = resourceOwner(form.Get("ResourceOwner")); err != nil {
		return nil, err
	}
	if o := form.Get("ResourceHandlingOption"); o != "" && !slices.Contains(handling, o) {
		return nil, invalidInput("ResourceHandlingOption: %q: expected one of %s.", o, strings.Join(handling, ", "))
	}
	return s, s.readContext(form)
}

// handling are the scenarios of EC2 actions. EC2 does not exist here, so they make
// no difference.
var handling = []string{"EC2-Classic-InstanceStore", "EC2-Classic-EBS", "EC2-VPC-InstanceStore", "EC2-VPC-InstanceStore-Subnet", "EC2-VPC-EBS", "EC2-VPC-EBS-Subnet"}

var accountShape = regexp.MustCompile(`^[0-9]{12}$`)

func resourceOwner(s string) (string, error) {
	if s == "" || accountShape.MatchString(s) {
		return s, nil
	}
	parsed, err := arn.Parse(s)
	if err != nil || !accountShape.MatchString(parsed.Account) {
		return "", invalidInput("ResourceOwner: %q: expected an account's number or the ARN of its root.", s)
	}
	return parsed.Account, nil
}

var userARN = regexp.MustCompile(`^arn:aws:iam::([0-9]{12}):user/(?:[\x21-\x7e]*/)?([\w+=,.@-]+)$`)

// caller makes the user that CallerArn names the one who asks, if it is given.
func (s *simulation) caller(form url.Values, account string) error {
	given := form.Get("CallerArn")
	if given == "" {
		if s.resource != nil && s.principal.ARN == "" {
			return invalidInput("CallerArn is needed with a ResourcePolicy: its statements name principals.")
		}
		return nil
	}
	m := userARN.FindStringSubmatch(given)
	if m == nil {
		return invalidInput("CallerArn: %q: expected the ARN of a user.", given)
	}
	if s.principal.ARN != given {
		s.principal = identity.Principal{Type: identity.User, Account: m[1], ARN: given, Name: m[2]}
	}
	if s.account == "" {
		s.account = account
	}
	return nil
}

func (a *API) contextKeysCustom(_ context.Context, c *awsapi.Call) (any, error) {
	list, err := inputs(c.Form)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, invalidInput("PolicyInputList: give at least one policy.")
	}
	return keysOf(list), nil
}

func (a *API) contextKeysPrincipal(ctx context.Context, c *awsapi.Call) (any, error) {
	var p identity.Principal
	stored, err := a.stored(ctx, c.Form.Get("PolicySourceArn"), &p)
	if err != nil {
		return nil, err
	}
	more, err := inputs(c.Form)
	if err != nil {
		return nil, err
	}
	return keysOf(append(stored, more...)), nil
}

type contextKeysResult struct{ ContextKeyNames list[string] }

func keysOf(sources []source) contextKeysResult {
	var out contextKeysResult
	for _, s := range sources {
		for _, k := range s.doc.ContextKeys() {
			if !slices.ContainsFunc(out.ContextKeyNames.Members, func(have string) bool { return strings.EqualFold(have, k) }) {
				out.ContextKeyNames.Members = append(out.ContextKeyNames.Members, k)
			}
		}
	}
	return out
}
