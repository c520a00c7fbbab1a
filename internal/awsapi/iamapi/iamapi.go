// Package iamapi is the IAM query API (version 2010-05-08) as far as users, their
// access keys, roles and inline policies go. It translates between forms, XML
// and package iam, and decides nothing itself.
//
// The resource of an operation is the ARN of the user or role it is about, with
// the path that it has: an administrator may be limited to a path. For one that
// is not there the path is taken to be "/", so that who may not look learns
// nothing about what exists.
package iamapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// API translates.
type API struct{ iam *iam.Service }

// New makes the API of a service.
func New(s *iam.Service) *API { return &API{s} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	s := &awsapi.Service{
		Name: "iam", Protocol: awsapi.Query, Version: "2010-05-08", Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		// The rest of what the usual tools ask for. Managed policies, groups and
		// instance profiles do not exist here.
		Planned: []string{
			"AddUserToGroup", "AttachRolePolicy", "AttachUserPolicy", "CreateGroup", "CreateInstanceProfile", "CreateLoginProfile",
			"CreatePolicy", "CreatePolicyVersion", "CreateServiceLinkedRole", "DeletePolicy", "DetachRolePolicy", "DetachUserPolicy",
			"GetAccessKeyLastUsed", "GetAccountSummary", "GetPolicy", "ListGroups", "ListPolicies", "ListUserTags",
			"PutRolePermissionsBoundary", "PutUserPermissionsBoundary",
			"TagUser", "UntagUser", "UpdateRoleDescription", "UpdateUser",
		},
	}
	s.Operations = append(s.Operations, a.users()...)
	s.Operations = append(s.Operations, a.accessKeys()...)
	s.Operations = append(s.Operations, a.roles()...)
	s.Operations = append(s.Operations, a.inline(iam.OfUser, "User")...)
	s.Operations = append(s.Operations, a.inline(iam.OfRole, "Role")...)
	s.Operations = append(s.Operations, a.simulation()...)
	return s
}

// lookup bounds how long a resource's path is looked for.
const lookup = 5 * time.Second

// operation makes a row whose resource target finds.
func operation(name string, target func(context.Context, *awsapi.Call) (string, error), handle func(context.Context, *awsapi.Call) (any, error)) awsapi.Operation {
	return awsapi.Operation{
		Name: name, Action: "iam:" + name, Handle: handle,
		Decode: func(c *awsapi.Call) error {
			if c.Form.Has("PermissionsBoundary") {
				return fault.Newf("iamapi.decode", fault.Invalid, "PermissionsBoundary is not supported: permissions boundaries do not exist here.")
			}
			ctx, cancel := context.WithTimeout(context.Background(), lookup)
			defer cancel()
			resource, err := target(ctx, c)
			c.Input = resource
			return err
		},
		Resource: func(c *awsapi.Call) string { return c.Input.(string) },
	}
}

// aUser is the resource of operations on the user that UserName names.
func (a *API) aUser(ctx context.Context, c *awsapi.Call) (string, error) {
	return a.userARN(ctx, c.Form.Get("UserName"))
}

// ownUser is aUser with the caller's own user for a missing name.
func (a *API) ownUser(ctx context.Context, c *awsapi.Call) (string, error) {
	switch {
	case c.Form.Has("UserName"):
		return a.aUser(ctx, c)
	case c.Caller.Type == identity.User:
		c.Form.Set("UserName", c.Caller.Name)
		return c.Caller.ARN, nil
	}
	return "", fault.Newf("iamapi.user", fault.Invalid, "Must specify userName when calling with non-User credentials")
}

func (a *API) userARN(ctx context.Context, name string) (string, error) {
	u, err := a.iam.User(ctx, name)
	if fault.Is(err, fault.NotFound) {
		u, err = &iam.User{Name: name, Path: "/"}, nil
	}
	if err != nil {
		return "", err
	}
	return u.ARN(a.iam.Account()), nil
}

// aRole is the resource of operations on the role that RoleName names.
func (a *API) aRole(ctx context.Context, c *awsapi.Call) (string, error) {
	name := c.Form.Get("RoleName")
	r, err := a.iam.Role(ctx, name)
	if fault.Is(err, fault.NotFound) {
		r, err = &iam.Role{Name: name, Path: "/"}, nil
	}
	if err != nil {
		return "", err
	}
	return r.ARN(a.iam.Account()), nil
}

// all is the resource of a list: everything of a kind under the path asked for.
func (a *API) all(kind string) func(context.Context, *awsapi.Call) (string, error) {
	return func(_ context.Context, c *awsapi.Call) (string, error) {
		p, err := page(c.Form)
		if err != nil {
			return "", err
		}
		if err := p.Check(); err != nil {
			return "", err
		}
		return "arn:aws:iam::" + a.iam.Account() + ":" + kind + p.PathPrefix, nil
	}
}

// tags reads Tags.member.N.Key and .Value.
func tags(form url.Values) []iam.Tag {
	var out []iam.Tag
	for _, m := range awsapi.Members(form, "Tags") {
		out = append(out, iam.Tag{Key: m.Get("Key"), Value: m.Get("Value")})
	}
	return out
}

// tagContext is the condition keys of operations that set tags.
func tagContext(c *awsapi.Call) []policy.Key {
	var keys []policy.Key
	names := policy.Key{Name: "aws:TagKeys"}
	for _, t := range tags(c.Form) {
		keys = append(keys, policy.Key{Name: "aws:RequestTag/" + t.Key, Value: t.Value})
		names.Values = append(names.Values, t.Key)
	}
	names.Values = append(names.Values, awsapi.Strings(c.Form, "TagKeys")...)
	if names.Values == nil {
		return nil
	}
	return append(keys, names)
}

// integer reads an optional number.
func integer(form url.Values, name string) (int64, bool, error) {
	if !form.Has(name) {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(form.Get(name), 10, 32)
	if err != nil {
		return 0, false, fault.Coded("iamapi.decode", fault.Invalid, "MalformedInput", fmt.Sprintf("%s must be a number.", name))
	}
	return n, true, nil
}

// page reads PathPrefix, Marker and MaxItems.
func page(form url.Values) (iam.Page, error) {
	p := iam.Page{PathPrefix: form.Get("PathPrefix")}
	n, given, err := integer(form, "MaxItems")
	if err != nil {
		return p, err
	}
	p.Limit = int(n)
	if given && n == 0 {
		p.Limit = -1 // refused, where a missing number means the default
	}
	if m := form.Get("Marker"); m != "" {
		after, err := base64.RawURLEncoding.DecodeString(m)
		if err != nil {
			return p, fault.Newf("iamapi.page", fault.Invalid, "Invalid Marker.")
		}
		p.After = string(after)
	}
	return p, nil
}

// more is the end of every list.
type more struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

func moreAfter(truncated bool, last string) more {
	if !truncated {
		return more{}
	}
	return more{true, base64.RawURLEncoding.EncodeToString([]byte(last))}
}

// list is written as <X><member>…</member></X>, and as an empty X where a plain
// slice would be left out and clients would miss the key.
type list[T any] struct {
	Members []T `xml:"member"`
}

// date is ISO 8601 in UTC with whole seconds.
func date(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// document is a policy as answers carry it: percent-encoded.
func document(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

type tagXML struct{ Key, Value string }

func tagList(tags []iam.Tag) list[tagXML] {
	var out list[tagXML]
	for _, t := range tags {
		out.Members = append(out.Members, tagXML(t))
	}
	return out
}

// optionalTags leaves the element out where there are none, as AWS does.
func optionalTags(tags []iam.Tag) *list[tagXML] {
	if len(tags) == 0 {
		return nil
	}
	l := tagList(tags)
	return &l
}
