package iamapi_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"fiducial/internal/audit"
	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/iamapi"
	"fiducial/internal/awsapi/stsapi"
	"fiducial/internal/envelope"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

const (
	account    = "000000000000"
	rootID     = "AKIAROOTROOTROOTROOT"
	rootSecret = "root secret, not short"
	trustAnn   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"},"Action":"sts:AssumeRole"}]}`
	readAll    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/a b+c*"}]}`
)

type silence struct{}

func (silence) Record(context.Context, *audit.Event) error { return nil }

// port is the API port with IAM and STS, asked by the AWS SDK.
type port struct {
	t   *testing.T
	url string
	svc *iam.Service
}

func newPort(t *testing.T) *port {
	t.Helper()
	keys, err := envelope.New()
	if err != nil {
		t.Fatal(err)
	}
	svc, err := iam.New(iam.Options{Account: account, Store: store.NewIAM(storetest.SQLite(t)), Keys: keys,
		RootAccessKeyID: rootID, RootSecret: iam.NewSecret(rootSecret), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	mux := awsapi.New(awsapi.Deps{
		IAM: svc, Audit: silence{}, S3: http.NotFoundHandler(), Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		RequestID: func() string { return fmt.Sprint("request-", n.Add(1)) },
	}, iamapi.New(svc).Service(), stsapi.New(svc).Service())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := origin.Origin{Addr: netip.MustParseAddrPort(r.RemoteAddr).Addr().Unmap()}
		mux.ServeHTTP(w, r.WithContext(origin.With(r.Context(), o)))
	}))
	t.Cleanup(server.Close)
	return &port{t, server.URL, svc}
}

func (p *port) config(id, secret, token string) aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: &p.url, Credentials: credentials.NewStaticCredentialsProvider(id, secret, token),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
}

func (p *port) iam(id, secret string) *awsiam.Client {
	return awsiam.NewFromConfig(p.config(id, secret, ""))
}

func (p *port) ok(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func TestUsersThroughTheSDK(t *testing.T) {
	p, ctx := newPort(t), context.Background()
	root := p.iam(rootID, rootSecret)
	made, err := root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("ann"), Path: aws.String("/staff/"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red + blue")}}})
	p.ok(err)
	if u := made.User; *u.Arn != "arn:aws:iam::000000000000:user/staff/ann" || *u.Path != "/staff/" || !strings.HasPrefix(*u.UserId, "AIDA") || len(u.Tags) != 1 || time.Since(*u.CreateDate) > time.Minute {
		t.Errorf("%+v", made.User)
	}
	_, err = root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("Ann")})
	wantError(t, err, "EntityAlreadyExists", "User with name Ann already exists.")
	_, err = root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("a b")})
	wantError(t, err, "ValidationError", "Value 'a b' at 'userName' failed to satisfy constraint")
	_, err = root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("bob"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	wantError(t, err, "ValidationError", "PermissionsBoundary is not supported")

	key, err := root.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("ann")})
	p.ok(err)
	ann := p.iam(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
	_, err = ann.GetUser(ctx, &awsiam.GetUserInput{})
	wantError(t, err, "AccessDenied", "User: arn:aws:iam::000000000000:user/staff/ann is not authorized to perform: iam:GetUser on resource: arn:aws:iam::000000000000:user/staff/ann")
	_, err = root.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("self"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetUser","iam:*AccessKey*"],"Resource":"arn:aws:iam::000000000000:user/staff/${aws:username}"}]}`)})
	p.ok(err)
	self, err := ann.GetUser(ctx, &awsiam.GetUserInput{})
	if err != nil || *self.User.UserName != "ann" {
		t.Errorf("%v %v", self, err)
	}
	_, err = ann.GetUser(ctx, &awsiam.GetUserInput{UserName: aws.String("nobody")})
	wantError(t, err, "AccessDenied", "user/nobody")
	own, err := ann.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{}) // her own second key
	p.ok(err)
	_, err = ann.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{})
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	_, err = ann.UpdateAccessKey(ctx, &awsiam.UpdateAccessKeyInput{AccessKeyId: own.AccessKey.AccessKeyId, Status: types.StatusTypeInactive})
	p.ok(err)
	keys, err := ann.ListAccessKeys(ctx, &awsiam.ListAccessKeysInput{})
	p.ok(err)
	if len(keys.AccessKeyMetadata) != 2 || keys.AccessKeyMetadata[0].Status != types.StatusTypeActive || keys.AccessKeyMetadata[1].Status != types.StatusTypeInactive {
		t.Errorf("%+v", keys.AccessKeyMetadata)
	}
	_, err = p.iam(*own.AccessKey.AccessKeyId, *own.AccessKey.SecretAccessKey).GetUser(ctx, &awsiam.GetUserInput{})
	wantError(t, err, "InvalidClientTokenId", "")
	_, err = ann.UpdateAccessKey(ctx, &awsiam.UpdateAccessKeyInput{AccessKeyId: own.AccessKey.AccessKeyId, Status: "Off"})
	wantError(t, err, "ValidationError", "[Active, Inactive]")
	_, err = ann.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{AccessKeyId: aws.String("AKIANOBODYNOBODY")})
	wantError(t, err, "NoSuchEntity", "The Access Key with id AKIANOBODYNOBODY cannot be found.")
	_, err = root.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{})
	wantError(t, err, "ValidationError", "Must specify userName")

	rootSelf, err := root.GetUser(ctx, &awsiam.GetUserInput{})
	if err != nil || *rootSelf.User.Arn != "arn:aws:iam::000000000000:root" {
		t.Errorf("%v %v", rootSelf, err)
	}
	_, err = root.GetUser(ctx, &awsiam.GetUserInput{UserName: aws.String("nobody")})
	wantError(t, err, "NoSuchEntity", "The user with name nobody cannot be found.")

	for _, n := range []string{"bob", "cid", "dora"} {
		_, err = root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String(n)})
		p.ok(err)
	}
	var names []string
	pages := awsiam.NewListUsersPaginator(root, &awsiam.ListUsersInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		p.ok(err)
		for _, u := range page.Users {
			names = append(names, *u.UserName)
		}
	}
	if got := strings.Join(names, " "); got != "ann bob cid dora" {
		t.Errorf("listed %s", got)
	}
	staff, err := root.ListUsers(ctx, &awsiam.ListUsersInput{PathPrefix: aws.String("/staff/")})
	if err != nil || len(staff.Users) != 1 {
		t.Errorf("%v %v", staff, err)
	}
	_, err = root.ListUsers(ctx, &awsiam.ListUsersInput{Marker: aws.String("%")})
	wantError(t, err, "ValidationError", "Invalid Marker")
	_, err = root.ListUsers(ctx, &awsiam.ListUsersInput{MaxItems: aws.Int32(0)})
	wantError(t, err, "ValidationError", "maxItems")

	_, err = root.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("ann")})
	wantError(t, err, "DeleteConflict", "must delete access keys first")
	for _, k := range keys.AccessKeyMetadata {
		_, err = root.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: aws.String("ann"), AccessKeyId: k.AccessKeyId})
		p.ok(err)
	}
	_, err = root.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("ann")})
	wantError(t, err, "DeleteConflict", "must delete policies first")
	policies, err := root.ListUserPolicies(ctx, &awsiam.ListUserPoliciesInput{UserName: aws.String("ann")})
	if err != nil || len(policies.PolicyNames) != 1 || policies.PolicyNames[0] != "self" {
		t.Errorf("%v %v", policies, err)
	}
	_, err = root.DeleteUserPolicy(ctx, &awsiam.DeleteUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("self")})
	p.ok(err)
	_, err = root.GetUserPolicy(ctx, &awsiam.GetUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("self")})
	wantError(t, err, "NoSuchEntity", "The user policy with name self cannot be found.")
	attached, err := root.ListAttachedUserPolicies(ctx, &awsiam.ListAttachedUserPoliciesInput{UserName: aws.String("ann")})
	if err != nil || len(attached.AttachedPolicies) != 0 {
		t.Errorf("%v %v", attached, err)
	}
	groups, err := root.ListGroupsForUser(ctx, &awsiam.ListGroupsForUserInput{UserName: aws.String("ann")})
	if err != nil || groups.Groups == nil {
		t.Errorf("%v %v", groups, err)
	}
	_, err = root.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("ann")})
	p.ok(err)
}

func TestRolesThroughTheSDK(t *testing.T) {
	p, ctx := newPort(t), context.Background()
	root := p.iam(rootID, rootSecret)
	name := aws.String("labeler")
	made, err := root.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trustAnn), Description: aws.String("reads <photos> & writes"),
		Path: aws.String("/service-role/"), MaxSessionDuration: aws.Int32(7200), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	p.ok(err)
	if r := made.Role; *r.Arn != "arn:aws:iam::000000000000:role/service-role/labeler" || !strings.HasPrefix(*r.RoleId, "AROA") || *r.MaxSessionDuration != 7200 || *r.Description != "reads <photos> & writes" {
		t.Errorf("%+v", made.Role)
	}
	_, err = root.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("x"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}`)})
	wantError(t, err, "MalformedPolicyDocument", "Statement[0] Principal: missing")
	_, err = root.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("x"), AssumeRolePolicyDocument: aws.String(trustAnn), MaxSessionDuration: aws.Int32(60)})
	wantError(t, err, "ValidationError", "'maxSessionDuration'")
	_, err = root.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trustAnn)})
	wantError(t, err, "EntityAlreadyExists", "Role with name labeler already exists.")

	_, err = root.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("read"), PolicyDocument: aws.String(readAll)})
	p.ok(err)
	_, err = root.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("bad"), PolicyDocument: aws.String(strings.Replace(readAll, `"Resource"`, `"Condition":{"IpAdress":{"aws:SourceIp":"10.0.0.0/8"}},"Resource"`, 1))})
	wantError(t, err, "MalformedPolicyDocument", `unknown operator "IpAdress"`)
	_, err = root.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("big"), PolicyDocument: aws.String(strings.Replace(readAll, "photos", strings.Repeat("p", 2000), 1))})
	p.ok(err)
	for i := range 4 {
		_, err = root.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String(fmt.Sprint("big", i)), PolicyDocument: aws.String(strings.Replace(readAll, "photos", strings.Repeat("p", 2000), 1))})
	}
	wantError(t, err, "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role labeler")
	got, err := root.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("read")})
	p.ok(err)
	if doc, err := url.PathUnescape(*got.PolicyDocument); err != nil || doc != readAll || *got.RoleName != "labeler" {
		t.Errorf("%q %v", doc, err)
	}
	list, err := root.ListRolePolicies(ctx, &awsiam.ListRolePoliciesInput{RoleName: name})
	if err != nil || strings.Join(list.PolicyNames, " ") != "big big0 big1 big2 read" {
		t.Errorf("%v %v", list.PolicyNames, err)
	}

	_, err = root.UpdateRole(ctx, &awsiam.UpdateRoleInput{RoleName: name, Description: aws.String("")})
	p.ok(err)
	_, err = root.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(strings.Replace(trustAnn, "ann", "bob", 1))})
	p.ok(err)
	_, err = root.TagRole(ctx, &awsiam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: aws.String("A"), Value: aws.String("c")}, {Key: aws.String("z"), Value: aws.String("")}}})
	p.ok(err)
	_, err = root.UntagRole(ctx, &awsiam.UntagRoleInput{RoleName: name, TagKeys: []string{"z", "nothing"}})
	p.ok(err)
	tags, err := root.ListRoleTags(ctx, &awsiam.ListRoleTagsInput{RoleName: name})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "A" || *tags.Tags[0].Value != "c" {
		t.Errorf("%+v %v", tags.Tags, err)
	}
	role, err := root.GetRole(ctx, &awsiam.GetRoleInput{RoleName: name})
	p.ok(err)
	doc, _ := url.PathUnescape(*role.Role.AssumeRolePolicyDocument)
	if !json.Valid([]byte(doc)) || !strings.Contains(doc, "user/bob") || role.Role.Description != nil || *role.Role.MaxSessionDuration != 7200 {
		t.Errorf("%+v", role.Role)
	}
	roles, err := root.ListRoles(ctx, &awsiam.ListRolesInput{})
	if err != nil || len(roles.Roles) != 1 || roles.IsTruncated {
		t.Errorf("%+v %v", roles, err)
	}

	_, err = root.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name})
	wantError(t, err, "DeleteConflict", "must delete policies first")
	attached, err := root.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: name})
	if err != nil || attached.AttachedPolicies == nil {
		t.Errorf("%+v %v", attached, err)
	}
	profiles, err := root.ListInstanceProfilesForRole(ctx, &awsiam.ListInstanceProfilesForRoleInput{RoleName: name})
	if err != nil || profiles.InstanceProfiles == nil {
		t.Errorf("%+v %v", profiles, err)
	}
	for _, n := range list.PolicyNames {
		_, err = root.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String(n)})
		p.ok(err)
	}
	_, err = root.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name})
	p.ok(err)
	_, err = root.GetRole(ctx, &awsiam.GetRoleInput{RoleName: name})
	wantError(t, err, "NoSuchEntity", "The role with name labeler cannot be found.")
	_, err = root.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: name, PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	wantError(t, err, "InvalidAction", "AttachRolePolicy of the service iam is not available")
}

// TestPathLimitsAnAdministrator pins that the resource has the path which the
// role has and not one that the caller could choose.
func TestPathLimitsAnAdministrator(t *testing.T) {
	p, ctx := newPort(t), context.Background()
	root := p.iam(rootID, rootSecret)
	_, err := root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("adm")})
	p.ok(err)
	_, err = root.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: aws.String("adm"), PolicyName: aws.String("p"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::000000000000:role/labels/*"},
		  {"Effect":"Deny","Action":["iam:CreateRole","iam:TagRole"],"Resource":"*","Condition":{"Null":{"aws:RequestTag/owner":"true"}}}]}`)})
	p.ok(err)
	key, err := root.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("adm")})
	p.ok(err)
	adm := p.iam(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
	for _, r := range []struct{ name, path string }{{"mine", "/labels/"}, {"theirs", "/"}} {
		_, err = root.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: &r.name, Path: &r.path, AssumeRolePolicyDocument: aws.String(trustAnn)})
		p.ok(err)
	}
	_, err = adm.GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String("mine")})
	p.ok(err)
	_, err = adm.GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String("theirs")})
	wantError(t, err, "AccessDenied", "role/theirs")
	in := &awsiam.CreateRoleInput{RoleName: aws.String("new"), Path: aws.String("/labels/"), AssumeRolePolicyDocument: aws.String(trustAnn)}
	_, err = adm.CreateRole(ctx, in)
	wantError(t, err, "AccessDenied", "explicit deny")
	in.Tags = []types.Tag{{Key: aws.String("owner"), Value: aws.String("adm")}}
	_, err = adm.CreateRole(ctx, in)
	p.ok(err)
}

func TestAssumeRoleThroughTheSDK(t *testing.T) {
	p, ctx := newPort(t), context.Background()
	root := p.iam(rootID, rootSecret)
	_, err := root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("ann")})
	p.ok(err)
	key, err := root.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("ann")})
	p.ok(err)
	_, err = root.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("labeler"), AssumeRolePolicyDocument: aws.String(trustAnn)})
	p.ok(err)
	_, err = root.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: aws.String("labeler"), PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}`)})
	p.ok(err)
	ann := sts.NewFromConfig(p.config(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, ""))
	who, err := ann.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:iam::000000000000:user/ann" || *who.Account != account {
		t.Errorf("%+v %v", who, err)
	}
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/labeler"), RoleSessionName: aws.String("s1"), DurationSeconds: aws.Int32(900),
		Policy: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetRole","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.1"}}}}`)}
	got, err := ann.AssumeRole(ctx, in)
	p.ok(err)
	if *got.AssumedRoleUser.Arn != "arn:aws:sts::000000000000:assumed-role/labeler/s1" || time.Until(*got.Credentials.Expiration) > 15*time.Minute {
		t.Errorf("%+v", got)
	}
	c := p.config(*got.Credentials.AccessKeyId, *got.Credentials.SecretAccessKey, *got.Credentials.SessionToken)
	who, err = sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || *who.Arn != *got.AssumedRoleUser.Arn || *who.UserId != *got.AssumedRoleUser.AssumedRoleId {
		t.Errorf("%+v %v", who, err)
	}
	_, err = awsiam.NewFromConfig(c).GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String("labeler")})
	p.ok(err)
	_, err = awsiam.NewFromConfig(c).GetUser(ctx, &awsiam.GetUserInput{UserName: aws.String("ann")})
	wantError(t, err, "AccessDenied", "assumed-role/labeler/s1 is not authorized to perform: iam:GetUser")

	_, err = sts.NewFromConfig(p.config(rootID, rootSecret, "")).AssumeRole(ctx, in)
	wantError(t, err, "AccessDenied", "Roles may not be assumed by root accounts.")
	other := *in
	other.RoleArn = aws.String("arn:aws:iam::000000000000:role/nobody")
	_, err = ann.AssumeRole(ctx, &other)
	wantError(t, err, "AccessDenied", "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/nobody")
	other = *in
	other.DurationSeconds = aws.Int32(3601)
	_, err = ann.AssumeRole(ctx, &other)
	wantError(t, err, "ValidationError", "MaxSessionDuration set for this role")
	other = *in
	other.Policy = aws.String(`{"Version":"2012-10-17"}`)
	_, err = ann.AssumeRole(ctx, &other)
	wantError(t, err, "MalformedPolicyDocument", "Statement")
	// What would narrow the session must not be overlooked.
	other = *in
	other.SourceIdentity = aws.String("ann")
	_, err = ann.AssumeRole(ctx, &other)
	wantError(t, err, "ValidationError", "SourceIdentity is not supported.")
	_, err = ann.GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	wantError(t, err, "InvalidAction", "GetSessionToken")
}
