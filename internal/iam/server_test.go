package iam_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
)

// The answer of a trust policy that asks for nothing of a request is kept; it is
// kept no longer than the policy, in this process and in others.
func TestKeptTrustEndsWithThePolicy(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	trust := func(service, condition string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sts:AssumeRole"%s}]}`, service, condition)
	}
	const name = "labeler"
	w.role(name, trust("sagemaker.amazonaws.com", ""))
	for _, c := range []struct {
		name, trust string
		cats, dogs  bool // whether a session for the job is had
	}{
		{"anybody else", trust("lambda.amazonaws.com", ""), false, false},
		{"the server again", trust("sagemaker.amazonaws.com", ""), true, true},
		{"for one job", trust("sagemaker.amazonaws.com", `,"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sagemaker:*:*:labeling-job/cats"}}`), true, false},
		{"not at all", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`, false, false},
		{"until yesterday", trust("sagemaker.amazonaws.com", `,"Condition":{"DateLessThan":{"aws:CurrentTime":"2001-01-01T00:00:00Z"}}`), false, false},
		{"the server once more", trust("sagemaker.amazonaws.com", ""), true, true},
	} {
		if err := w.UpdateTrust(ctx, name, c.trust); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for job, want := range map[string]bool{"cats": c.cats, "dogs": c.dogs} {
			for range 2 { // the second answer is a kept one
				_, _, err := w.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: "arn:aws:iam::000000000000:role/" + name, SessionName: "s",
					SourceARN: "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/" + job})
				if got := err == nil; got != want || err != nil && !fault.Is(err, fault.Denied) {
					t.Errorf("%s, job %s: %v, want a session: %v", c.name, job, err, want)
				}
			}
		}
	}
}

func TestSessionNamesOfTheServer(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.role("labeler", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	for name, want := range map[string]bool{
		"a": true, "private.us-east-1.0123456789abcdef": true, "_+=,.@-": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "a/b": false, "é": false, "a\n": false, "a*": false, "${x}": false,
	} {
		_, _, err := w.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: "arn:aws:iam::000000000000:role/labeler", SessionName: name})
		if (err == nil) != want {
			t.Errorf("%q: %v, want taken: %v", name, err, want)
		}
	}
}

// Randomness is read ahead; no byte of it serves twice.
func TestSessionsDiffer(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.role("labeler", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	seen := map[string]bool{}
	for range 200 {
		c, _, err := w.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: "arn:aws:iam::000000000000:role/labeler", SessionName: "s"})
		w.ok(err)
		for _, part := range []string{c.AccessKeyID, c.SecretAccessKey.Reveal()[:20], c.SecretAccessKey.Reveal()[20:]} {
			if seen[part] {
				t.Fatalf("%.8s… twice", part)
			}
			seen[part] = true
		}
	}
}
