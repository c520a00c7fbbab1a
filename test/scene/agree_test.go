package scene

import (
	"fmt"
	"os"
	"testing"

	"fiducial/test/boot"
)

// setting is one state of the world, what is undone after it, and the ways on
// which the task is opened and the object is asked for.
type setting struct {
	name          string
	set, undo     func(w *world)
	opened, asked string
	want          int    // 1: opens, 0: does not, -1: only that explain and the world agree
	decidedBy     string // gate, "" for any
}

// explained is the answer of ExplainAccess.
type explained struct {
	Allowed   bool
	DecidedBy string
	Summary   string
	Gates     []struct{ Name, Verdict, By, Detail string }
}

func (w *world) explain(s *setting) explained {
	w.t.Helper()
	in := map[string]string{"Worker": ana.Email, "LabelingJobName": "boxes", "S3Uri": "s3://input/boxes/0.jpg",
		"SourceIp": w.ways[s.asked].from, "OpenedFromIp": w.ways[s.opened].from}
	if via := w.ways[s.asked].via; via != "" {
		in["VpcEndpointId"] = via
	}
	if via := w.ways[s.opened].via; via != "" {
		in["OpenedFromVpcEndpointId"] = via
	}
	var out explained
	w.ok(w.api("fiducial", "Fiducial.ExplainAccess", in, &out))
	if len(out.Gates) != 14 {
		w.t.Fatalf("%d gates", len(out.Gates))
	}
	refused := 0
	for _, g := range out.Gates {
		if g.Verdict == "refused" {
			refused++
			if g.Detail == "" {
				w.t.Errorf("the gate %s refuses without a word", g.Name)
			}
		}
	}
	if (refused == 0) != out.Allowed || out.Allowed != (out.DecidedBy == "") {
		w.t.Errorf("allowed %v, decided by %q, %d gates refuse", out.Allowed, out.DecidedBy, refused)
	}
	return out
}

// TestExplainAgrees: in every one of these worlds explain says before the task is
// taken, and again while it is held, what happens when the worker opens the task
// on one way and asks for the object on another.
func TestExplainAgrees(t *testing.T) {
	t.Parallel()
	w := newWorld(t, boot.Setup{Workers: []boot.Account{ana}, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"a"}, Objects: 1, Workers: 2, TimeLimit: 3600}}})
	picture, err := os.ReadFile(boot.Picture(t, 320, 240))
	if err != nil {
		t.Fatal(err)
	}
	w.workforce(nil, "vpc-0a")
	worlds := w.matrix()
	worlds = append(worlds, w.special(picture)...)
	opened := 0
	for i := range worlds {
		s := &worlds[i]
		t.Run(s.name, func(t *testing.T) {
			w.t = t
			if s.set != nil {
				s.set(w)
			}
			if s.undo != nil {
				defer s.undo(w)
			}
			before := w.explain(s)
			k, assignment, media := w.open(ana, s.opened, "boxes")
			status := 0
			if media != "" {
				status, _ = w.get(s.asked, media)
			}
			real := status == 200
			if real {
				opened++
			}
			for when, x := range map[string]explained{"before the task is taken": before, "while it is held": w.explain(s)} {
				if x.Allowed != real {
					t.Errorf("%s explain says %v, the world %v (status %d, a URL: %v)\n%s", when, x.Allowed, real, status, media != "", x.Summary)
				}
				if s.decidedBy != "" && x.DecidedBy != s.decidedBy {
					t.Errorf("%s it is decided by %q, want %q: %s", when, x.DecidedBy, s.decidedBy, x.Summary)
				}
			}
			if s.want >= 0 && real != (s.want == 1) {
				t.Errorf("the world says %v (status %d): the case does not show what it is for", real, status)
			}
			if assignment != "" && k != nil {
				if status, _, err := k.Post(assignment, "release", struct{}{}); err != nil || status == 500 {
					t.Errorf("release: %d, %v", status, err)
				}
			}
		})
	}
	w.t = t
	t.Logf("%d worlds, of which %d open", len(worlds), opened)
	if len(worlds) < 40 || opened < 10 || opened > len(worlds)-10 {
		t.Errorf("%d worlds of which %d open say little", len(worlds), opened)
	}
}

// matrix is every binding of the team with every sort of bucket policy, on every
// way.
func (w *world) matrix() []setting {
	bindings := []struct {
		name    string
		ip, vpc bool
	}{{"no binding", false, false}, {"SourceIp", true, false}, {"VpcSourceIp", false, true}, {"both", true, true}}
	policies := []struct{ name, doc string }{
		{"no policy", ""},
		{"only from the VPC", denyUnless("OnlyFromVpc", `"StringNotEquals":{"aws:SourceVpc":"vpc-0a"}`)},
		{"only from home", denyUnless("OnlyFromHome", `"NotIpAddress":{"aws:SourceIp":"127.0.0.1/32"}`)},
		{"only through the endpoint", denyUnless("OnlyEndpoint", `"StringNotEquals":{"aws:SourceVpce":"vpce-0a"}`)},
	}
	var out []setting
	for _, b := range bindings {
		for _, p := range policies {
			for _, at := range []string{home, cafe, office} {
				out = append(out, setting{
					name: fmt.Sprintf("%s, %s, at %s", b.name, p.name, at), opened: at, asked: at, want: -1,
					set: func(w *world) { w.team(b.ip, b.vpc); w.bucketPolicy(p.doc) },
				})
			}
		}
	}
	return out
}

// special are the worlds outside the matrix; each leaves things as they were.
func (w *world) special(picture []byte) []setting {
	user := func(operation string, more map[string]string) func(*world) {
		return func(w *world) {
			var pools struct{ UserPools []struct{ Id string } }
			w.ok(w.api("cognito-idp", "AWSCognitoIdentityProviderService.ListUserPools", map[string]int{"MaxResults": 1}, &pools))
			in := map[string]string{"UserPoolId": pools.UserPools[0].Id, "Username": ana.Email}
			for k, v := range more {
				in[k] = v
			}
			w.ok(w.api("cognito-idp", "AWSCognitoIdentityProviderService."+operation, in, nil))
		}
	}
	rolePolicy := func(doc string) func(*world) {
		return func(w *world) {
			w.iam("PutRolePolicy", "PolicyName", "labeling", "PolicyDocument", doc)
		}
	}
	trust := func(doc string) func(*world) {
		return func(w *world) {
			w.iam("UpdateAssumeRolePolicy", "PolicyDocument", doc)
		}
	}
	const (
		all     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
		trusted = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
		public  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::input/*"}]}`
	)
	bound := func(w *world) { w.team(true, true); w.bucketPolicy("") }
	policy := func(doc string) func(*world) { return func(w *world) { bound(w); w.bucketPolicy(doc) } }
	none := func(w *world) { w.bucketPolicy("") }
	anywhere := func(w *world) { w.workforce(nil, "vpc-0a") }
	return []setting{
		{name: "as it should be", set: bound, opened: home, asked: home, want: 1},
		{name: "a URL passed to a colleague", set: bound, opened: home, asked: cafe, want: 0, decidedBy: "session"},
		{name: "a URL taken into the VPC", set: bound, opened: home, asked: office, want: 0, decidedBy: "session"},
		{name: "a URL taken out of the VPC", set: bound, opened: office, asked: home, want: 0, decidedBy: "session"},
		{name: "a URL taken to another VPC", set: bound, opened: office, asked: branch, want: 0, decidedBy: "session"},
		{name: "unbound, a URL passed to a colleague", set: func(w *world) { w.team(false, false) }, opened: home, asked: cafe, want: 1},
		{name: "bound outside, opened in the VPC", set: func(w *world) { w.team(true, false) }, opened: office, asked: office, want: 0, decidedBy: "binding"},
		{name: "bound inside, opened at home", set: func(w *world) { w.team(false, true) }, opened: home, asked: home, want: 0, decidedBy: "binding"},
		{name: "a public bucket does not loosen the binding", set: policy(public), undo: none, opened: home, asked: cafe, want: 0, decidedBy: "session"},
		{name: "a bucket without TLS", set: policy(`{"Version":"2012-10-17","Statement":[{"Sid":"Tls","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::input/boxes/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`),
			undo: none, opened: home, asked: home, want: 0, decidedBy: "bucket"},
		{name: "a policy about another key", set: policy(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::input/boxes/00.jpg"}]}`), undo: none, opened: home, asked: home, want: 1},
		{name: "a policy against this worker's session", set: policy(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::input/boxes/*","Condition":{"StringLike":{"aws:userid":"*:private.*"}}}]}`), undo: none, opened: home, asked: home, want: 0, decidedBy: "bucket"},
		{name: "ranges that hold the worker", set: func(w *world) { bound(w); w.workforce([]string{"127.0.0.0/31"}, "") }, undo: anywhere, opened: home, asked: home, want: 1},
		{name: "ranges that do not", set: func(w *world) { bound(w); w.workforce([]string{"127.0.0.0/31"}, "") }, undo: anywhere, opened: cafe, asked: cafe, want: 0, decidedBy: "sign-in"},
		{name: "ranges, and the workforce's VPC", set: func(w *world) { bound(w); w.workforce([]string{"127.0.0.0/31"}, "vpc-0a") }, undo: anywhere, opened: office, asked: office, want: 1},
		{name: "ranges, and another VPC", set: func(w *world) { bound(w); w.workforce([]string{"127.0.0.0/31"}, "vpc-0a") }, undo: anywhere, opened: branch, asked: branch, want: 0, decidedBy: "sign-in"},
		{name: "no VPC of the workforce", set: func(w *world) { bound(w); w.workforce(nil, "") }, undo: anywhere, opened: office, asked: office, want: 0, decidedBy: "sign-in"},
		{name: "the VPC of the workforce, at home", set: func(w *world) { bound(w); w.workforce(nil, "vpc-0a") }, undo: anywhere, opened: home, asked: home, want: 1},
		{name: "the account is disabled", set: user("AdminDisableUser", nil), undo: user("AdminEnableUser", nil), opened: home, asked: home, want: 0, decidedBy: "account"},
		{name: "the account is enabled again", set: bound, opened: home, asked: home, want: 1},
		{name: "out of the group", set: user("AdminRemoveUserFromGroup", map[string]string{"GroupName": "annotators"}), undo: user("AdminAddUserToGroup", map[string]string{"GroupName": "annotators"}),
			opened: home, asked: home, want: 0, decidedBy: "membership"},
		{name: "the role may read nothing", set: rolePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`), undo: rolePolicy(all), opened: home, asked: home, want: 0, decidedBy: "role"},
		{name: "the role is denied", set: rolePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"Not","Effect":"Deny","Action":"s3:Get*","Resource":"arn:aws:s3:::input/boxes/0.jpg"}]}`), undo: rolePolicy(all), opened: home, asked: home, want: 0, decidedBy: "role"},
		{name: "the role's rights hold for one address", set: rolePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.2"}}}]}`), undo: rolePolicy(all), opened: home, asked: home, want: 0, decidedBy: "role"},
		{name: "the same at that address", set: rolePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.2"}}}]}`), undo: rolePolicy(all), opened: cafe, asked: cafe, want: 1},
		{name: "the bucket allows it to the role, which has nothing", set: func(w *world) {
			bound(w)
			rolePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`)(w)
			w.bucketPolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/` + roleName + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::input/*"}]}`)
		}, undo: func(w *world) { none(w); rolePolicy(all)(w) }, opened: home, asked: home, want: 1},
		{name: "the role trusts nobody here", set: trust(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`), undo: trust(trusted), opened: home, asked: home, want: 0, decidedBy: "trust"},
		{name: "the role trusts another job", set: trust(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sagemaker:*:*:labeling-job/other"}}}]}`),
			undo: trust(trusted), opened: home, asked: home, want: 0, decidedBy: "trust"},
		{name: "the object is gone", set: func(w *world) { w.s3("DELETE", "/input/boxes/0.jpg", nil) }, undo: func(w *world) { w.s3("PUT", "/input/boxes/0.jpg", picture) }, opened: home, asked: home, want: 0, decidedBy: "object"},
		{name: "sealed under a key of the KMS", set: func(w *world) { bound(w); w.seal() }, opened: home, asked: home, want: 1},
		{name: "the key is disabled", set: func(w *world) { w.keyState("DisableKey") }, undo: func(w *world) { w.keyState("EnableKey") }, opened: home, asked: home, want: 0, decidedBy: "key"},
		{name: "the key's policy denies the role", set: func(w *world) {
			w.keyPolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"kms:*","Resource":"*"},` +
				`{"Sid":"NotTheRole","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::000000000000:role/` + roleName + `"},"Action":"kms:Decrypt","Resource":"*"}]}`)
		}, opened: home, asked: home, want: 0, decidedBy: "key"},
		{name: "sealed no more", set: func(w *world) { w.s3("PUT", "/input/boxes/0.jpg", picture) }, opened: home, asked: home, want: 1},
		{name: "everything was revoked, and a URL is made later", set: func(w *world) {
			w.ok(w.api("fiducial", "Fiducial.RevokeAccess", map[string]any{"Reason": "a test", "All": true}, nil))
		}, opened: home, asked: home, want: 1},
		{name: "the job is stopped", set: func(w *world) {
			w.ok(w.api("sagemaker", "SageMaker.StopLabelingJob", map[string]string{"LabelingJobName": "boxes"}, nil))
		}, opened: home, asked: home, want: 0, decidedBy: "job"},
	}
}
