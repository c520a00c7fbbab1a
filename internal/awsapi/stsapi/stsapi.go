// Package stsapi is the STS query API (version 2011-06-15): AssumeRole and
// GetCallerIdentity. It translates and decides nothing itself: package iam asks
// the role's trust policy.
package stsapi

import (
	"context"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
)

// API translates.
type API struct{ iam *iam.Service }

// New makes the API of a service.
func New(s *iam.Service) *API { return &API{s} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	return &awsapi.Service{
		Name: "sts", Protocol: awsapi.Query, Version: "2011-06-15", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: []awsapi.Operation{
			{
				Name: "AssumeRole", Action: "sts:AssumeRole", SelfAuthorized: true, Handle: a.assumeRole,
				Resource: func(c *awsapi.Call) string { return auditable(c.Form.Get("RoleArn")) },
			},
			{
				// Whoever can sign may ask who he is; no policy can forbid it.
				Name: "GetCallerIdentity", Action: "sts:GetCallerIdentity", SelfAuthorized: true, Handle: a.callerIdentity,
				Resource: func(*awsapi.Call) string { return "*" },
			},
		},
		Planned: []string{"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "DecodeAuthorizationMessage", "GetAccessKeyInfo", "GetFederationToken", "GetSessionToken"},
	}
}

// auditable bounds what a client sent before it is recorded.
func auditable(s string) string {
	if len(s) > 2048 {
		s = s[:2048]
	}
	return strings.ToValidUTF8(s, "")
}

// refused are members that would change what a session may do. They are not
// built, and to overlook one would give rights that its sender withheld.
var refused = [...]string{"PolicyArns.member.", "Tags.member.", "TransitiveTagKeys.member.", "SerialNumber", "TokenCode", "SourceIdentity", "ProvidedContexts.member."}

type credentialsXML struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type assumeRoleResult struct {
	Credentials     credentialsXML
	AssumedRoleUser struct {
		AssumedRoleID string `xml:"AssumedRoleId"`
		ARN           string `xml:"Arn"`
	}
	PackedPolicySize int `xml:",omitempty"`
}

func (a *API) assumeRole(ctx context.Context, c *awsapi.Call) (any, error) {
	const op = "stsapi.AssumeRole"
	for name := range c.Form {
		for _, r := range refused {
			if strings.HasPrefix(name, r) {
				return nil, fault.Newf(op, fault.Invalid, "%s is not supported.", strings.TrimSuffix(r, ".member."))
			}
		}
	}
	in := iam.AssumeRoleInput{
		RoleARN: c.Form.Get("RoleArn"), SessionName: c.Form.Get("RoleSessionName"), ExternalID: c.Form.Get("ExternalId"),
		Policy: c.Form.Get("Policy"), Context: conditions(c),
	}
	if c.Form.Has("Policy") && in.Policy == "" {
		return nil, fault.Newf(op, fault.Invalid, "1 validation error detected: Value '' at 'policy' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	if c.Form.Has("DurationSeconds") {
		n, err := strconv.ParseInt(c.Form.Get("DurationSeconds"), 10, 32)
		if err != nil || n <= 0 {
			return nil, fault.Newf(op, fault.Invalid, "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200")
		}
		in.Duration = time.Duration(n) * time.Second
	}
	s, err := a.iam.AssumeRole(ctx, c.Caller, in)
	if err != nil {
		return nil, err
	}
	out := assumeRoleResult{
		Credentials: credentialsXML{
			AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey.Reveal(), SessionToken: s.SessionToken,
			Expiration: s.Expiration.UTC().Format("2006-01-02T15:04:05Z"),
		},
		PackedPolicySize: s.PackedPolicySize,
	}
	out.AssumedRoleUser.AssumedRoleID, out.AssumedRoleUser.ARN = s.ID, s.ARN
	return out, nil
}

// conditions is the request's context for the trust policy.
func conditions(c *awsapi.Call) policy.Context {
	out := policy.Context{Time: c.Time, SecureTransport: c.Origin.Secure, UserAgent: c.Agent}
	if c.Origin.VPCE != "" {
		out.VPCSourceIP, out.SourceVPC, out.SourceVPCE = c.Origin.Addr, c.Origin.VPC, c.Origin.VPCE
	} else {
		out.SourceIP = c.Origin.Addr
	}
	return out
}

type callerIdentityResult struct {
	ARN     string `xml:"Arn"`
	UserID  string `xml:"UserId"`
	Account string
}

func (a *API) callerIdentity(_ context.Context, c *awsapi.Call) (any, error) {
	return callerIdentityResult{c.Caller.ARN, c.Caller.UserID, c.Caller.Account}, nil
}
