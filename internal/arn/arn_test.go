package arn

import (
	"strings"
	"testing"

	"fiducial/internal/fault"
)

func TestParse(t *testing.T) {
	cases := []struct{ in, typ, name string }{
		{"arn:aws:iam::000000000000:role/path/GroundTruth", "role", "GroundTruth"},
		{"arn:aws:lambda:us-east-1:432418664414:function:PRE-BoundingBox", "function", "PRE-BoundingBox"},
		{"arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team", "workteam", "team"},
		{"arn:aws:s3:::bucket", "", "bucket"},
		{"arn:aws:s3:::bucket/a:b/c", "bucket", "c"},
	}
	for _, c := range cases {
		a, err := Parse(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if a.String() != c.in || a.Type() != c.typ || a.Name() != c.name {
			t.Errorf("%s: printed %s, type %q, name %q", c.in, a, a.Type(), a.Name())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "arn", "arn:aws:s3", "arn:aws:s3:::", "arn::s3:::b", "arn:aws::::b", "urn:aws:s3:::b", "arn:aws:s3:::" + strings.Repeat("x", MaxLen)} {
		if _, err := Parse(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40q was taken: %v", s, err)
		}
	}
}

func TestS3Object(t *testing.T) {
	if got := S3Object("b", ""); got != "arn:aws:s3:::b" {
		t.Error(got)
	}
	if got := S3Object("b", "k/1"); got != "arn:aws:s3:::b/k/1" {
		t.Error(got)
	}
}

// What is parsed prints as it was.
func FuzzParse(f *testing.F) {
	f.Add("arn:aws:iam::000000000000:role/r")
	f.Add("arn:aws:s3:::b/k:x")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := Parse(s); err == nil && a.String() != s {
			t.Errorf("%q printed as %q", s, a)
		}
	})
}
