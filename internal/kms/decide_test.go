package kms_test

import (
	"context"
	"testing"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/kms"
	"fiducial/internal/store/storetest"
)

// TestWhoMay is the table of the door to a key: each case is somebody who asks for
// Decrypt with the encryption context {"project":"birds"}.
func TestWhoMay(t *testing.T) {
	const (
		all     = `"kms:*"`
		decrypt = `"kms:Decrypt"`
		isAnn   = `{"AWS":"arn:aws:iam::111122223333:user/ann"}`
		isRole  = `{"AWS":"arn:aws:iam::111122223333:role/reader"}`
		anybody = `"*"`
		birds   = `{"StringEquals":{"kms:EncryptionContext:project":"birds"}}`
		fish    = `{"StringEquals":{"kms:EncryptionContext:project":"fish"}}`
		onlyKey = `{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["project"]},"Null":{"kms:EncryptionContextKeys":"false"}}`
		viaS3   = `{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`
	)
	w := newWorld(t, storetest.SQLite(t))
	root := w.iam.Root()
	ann, bob := w.user("ann"), w.user("bob", statement("Allow", all, ""))
	eve := w.user("eve", statement("Allow", all, ""), statement("Deny", decrypt, ""))
	birder := w.user("birder", statement("Allow", decrypt, birds))
	fisher := w.user("fisher", statement("Allow", decrypt, fish))
	reader := w.session("reader", "", identity.Grant{}, statement("Allow", all, ""))
	narrow := w.session("reader", statement("Allow", `"s3:GetObject"`, ""), identity.Grant{})
	media := w.session("reader", statement("Allow", `"s3:GetObject"`, ""), identity.Grant{ID: "g-1", Worker: "w"})
	poor := w.session("poor", statement("Allow", `"s3:GetObject"`, ""), identity.Grant{ID: "g-2", Worker: "w"})
	cases := []struct {
		name, policy string
		caller       *iam.Caller
		via          string
		want         bool
	}{
		{"root under the default policy", "", root, "", true},
		{"a user without rights", "", ann, "", false},
		{"a user with rights", "", bob, "", true},
		{"a user whose rights are denied", "", eve, "", false},
		{"rights for this context", "", birder, "", true},
		{"rights for another context", "", fisher, "", false},
		{"anonymous under a policy for everybody", keyPolicy(true, "Allow", anybody, decrypt, ""), w.iam.Anonymous(), "s3", false},

		{"root when the policy names somebody else", keyPolicy(false, "Allow", isAnn, all, ""), root, "", false},
		{"a user with rights when the policy names somebody else", keyPolicy(false, "Allow", isAnn, all, ""), bob, "", false},
		{"a user whom the policy names", keyPolicy(false, "Allow", isAnn, decrypt, ""), ann, "", true},
		{"a user whom the policy names for another action", keyPolicy(false, "Allow", isAnn, `"kms:Encrypt"`, ""), ann, "", false},
		{"a user whom the policy names for this context", keyPolicy(false, "Allow", isAnn, decrypt, birds), ann, "", true},
		{"a user whom the policy names for another context", keyPolicy(false, "Allow", isAnn, decrypt, fish), ann, "", false},
		{"a user whom the policy names for this key of the context alone", keyPolicy(false, "Allow", isAnn, decrypt, onlyKey), ann, "", true},
		{"a user whom the policy denies", keyPolicy(true, "Deny", `{"AWS":"arn:aws:iam::111122223333:user/bob"}`, decrypt, ""), bob, "", false},
		{"root whom the policy denies", keyPolicy(true, "Deny", anybody, decrypt, ""), root, "", false},

		{"a role with rights", "", reader, "", true},
		{"a role whom the policy names", keyPolicy(false, "Allow", isRole, decrypt, ""), reader, "", true},
		{"a session policy without the right", "", narrow, "", false},
		{"a session policy without the right, role named", keyPolicy(false, "Allow", isRole, decrypt, ""), narrow, "", false},
		{"a session policy without the right, through S3", "", narrow, "s3", false},

		{"only through S3, directly", keyPolicy(true, "Deny", anybody, decrypt, `{"StringNotEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`), bob, "", false},
		{"only through S3, through S3", keyPolicy(true, "Deny", anybody, decrypt, `{"StringNotEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`), bob, "s3", true},
		{"only through S3, through another", keyPolicy(false, "Allow", isAnn, decrypt, viaS3), ann, "sagemaker", false},

		// A media URL: S3 has decided under its session policy, and the role's
		// rights decide about the key; but nobody takes it to the key directly.
		{"a media URL through S3", "", media, "s3", true},
		{"a media URL at the key directly", "", media, "", false},
		{"a media URL of a role without rights", "", poor, "s3", false},
		{"a media URL of a role that the policy names", keyPolicy(false, "Allow", `{"AWS":"arn:aws:iam::111122223333:role/poor"}`, decrypt, ""), poor, "s3", true},
		{"a media URL through another service", "", media, "sagemaker", false},
		{"a media URL that the policy denies", keyPolicy(true, "Deny", isRole, decrypt, ""), media, "s3", false},
	}
	// Nor does a media URL make data keys: it reads.
	_, err := w.Via("s3").GenerateDataKey(context.Background(), media, w.key("").ARN, nil)
	refused(t, err, fault.Denied, "")
	ec := map[string]string{"project": "birds"}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			k := w.key(tc.policy)
			blob, err := w.Seal(k, iam.NewSecret("plaintext"), ec)
			must(t, err)
			var got kms.DataKey
			if tc.via == "" {
				got, err = w.Decrypt(context.Background(), tc.caller, blob, ec)
			} else {
				got, err = w.Via(tc.via).Decrypt(context.Background(), tc.caller, blob, ec)
			}
			if tc.want && (err != nil || got.Plaintext.Reveal() != "plaintext") {
				t.Errorf("refused: %v", err)
			}
			if !tc.want && (!fault.Is(err, fault.Denied) || !got.Plaintext.Empty()) {
				t.Errorf("got %q, %v", got.Plaintext.Reveal(), err)
			}
			e, err := w.Explain(context.Background(), k.ARN, kms.Ask{Caller: tc.caller, Action: "kms:Decrypt", EncryptionContext: ec, Via: tc.via})
			if err != nil || e.Decision.Allowed() != tc.want || e.Usable != nil {
				t.Errorf("Explain says %+v, %v", e.Decision, err)
			}
			if tc.via == "s3" {
				d, err := w.AuthorizeDecrypt(context.Background(), tc.caller, k.ARN, ec)
				if err != nil || d.Allowed() != tc.want {
					t.Errorf("AuthorizeDecrypt says %+v, %v", d, err)
				}
			}
		})
	}
}

// TestGrantTable is the same door opened by grants.
func TestGrantTable(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.SQLite(t))
	ann := w.user("ann")
	eve := w.user("eve", statement("Deny", `"kms:Decrypt"`, ""))
	reader := w.session("reader", "", identity.Grant{})
	narrow := w.session("reader", statement("Allow", `"s3:GetObject"`, ""), identity.Grant{})
	ec := map[string]string{"project": "birds", "year": "2026"}
	cases := []struct {
		name   string
		grant  kms.Grant
		caller *iam.Caller
		want   bool
	}{
		{"to the user", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}}, ann, true},
		{"to another user", kms.Grant{Grantee: eve.ARN, Operations: []string{"Decrypt"}}, ann, false},
		{"for another operation", kms.Grant{Grantee: ann.ARN, Operations: []string{"Encrypt", "DescribeKey"}}, ann, false},
		{"to a user whose own policies deny", kms.Grant{Grantee: eve.ARN, Operations: []string{"Decrypt"}}, eve, false},
		{"to the role of a session", kms.Grant{Grantee: "arn:aws:iam::" + account + ":role/reader", Operations: []string{"Decrypt"}}, reader, true},
		{"to the session", kms.Grant{Grantee: reader.ARN, Operations: []string{"Decrypt"}}, reader, true},
		{"to the role of a session whose policy lacks it", kms.Grant{Grantee: "arn:aws:iam::" + account + ":role/reader", Operations: []string{"Decrypt"}}, narrow, false},
		{"subset that holds", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Subset: map[string]string{"project": "birds"}}, ann, true},
		{"subset of another value", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Subset: map[string]string{"project": "fish"}}, ann, false},
		{"subset with a key that is not there", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Subset: map[string]string{"team": "red"}}, ann, false},
		{"subset whose value is a star", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Subset: map[string]string{"project": "*"}}, ann, false},
		{"subset whose value is a variable", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Subset: map[string]string{"project": "${kms:EncryptionContext:project}"}}, ann, false},
		{"equals that holds", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Equals: map[string]string{"project": "birds", "year": "2026"}}, ann, true},
		{"equals of fewer", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Equals: map[string]string{"project": "birds"}}, ann, false},
		{"equals of more", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Equals: map[string]string{"project": "birds", "year": "2026", "x": "y"}}, ann, false},
		{"equals of none", kms.Grant{Grantee: ann.ARN, Operations: []string{"Decrypt"}, Equals: map[string]string{}}, ann, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			k := w.key("")
			blob, err := w.Seal(k, iam.NewSecret("plaintext"), ec)
			must(t, err)
			_, err = w.Decrypt(ctx, tc.caller, blob, ec)
			refused(t, err, fault.Denied, "")
			g, err := w.CreateGrant(ctx, k, tc.grant, nil)
			must(t, err)
			if _, err = w.Decrypt(ctx, tc.caller, blob, ec); (err == nil) != tc.want {
				t.Errorf("with the grant: %v", err)
			}
			must(t, w.DeleteGrant(ctx, k.Key().ID, g.ID))
			_, err = w.Decrypt(ctx, tc.caller, blob, ec)
			refused(t, err, fault.Denied, "")
		})
	}
}

// TestGrantOfGrant pins that whoever may make grants by a grant hands on no more
// than it has.
func TestGrantOfGrant(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.SQLite(t))
	k := w.key("")
	by := &kms.Grant{Operations: []string{"CreateGrant", "Decrypt"}, Subset: map[string]string{"project": "birds"}}
	const bob = "arn:aws:iam::111122223333:user/bob"
	cases := []struct {
		name  string
		grant kms.Grant
		want  bool
	}{
		{"the same", kms.Grant{Grantee: bob, Operations: []string{"Decrypt"}, Subset: map[string]string{"project": "birds"}}, true},
		{"narrower", kms.Grant{Grantee: bob, Operations: []string{"Decrypt"}, Subset: map[string]string{"project": "birds", "year": "2026"}}, true},
		{"exact", kms.Grant{Grantee: bob, Operations: []string{"Decrypt"}, Equals: map[string]string{"project": "birds"}}, true},
		{"another operation", kms.Grant{Grantee: bob, Operations: []string{"Encrypt"}, Subset: map[string]string{"project": "birds"}}, false},
		{"no constraint", kms.Grant{Grantee: bob, Operations: []string{"Decrypt"}}, false},
		{"another value", kms.Grant{Grantee: bob, Operations: []string{"Decrypt"}, Subset: map[string]string{"project": "fish"}}, false},
		{"another key", kms.Grant{Grantee: bob, Operations: []string{"Decrypt"}, Equals: map[string]string{"year": "2026"}}, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := w.CreateGrant(ctx, k, tc.grant, by); (err == nil) != tc.want {
				t.Error(err)
			}
		})
	}
	exact := &kms.Grant{Operations: []string{"CreateGrant", "Decrypt"}, Equals: map[string]string{"project": "birds"}}
	if _, err := w.CreateGrant(ctx, k, kms.Grant{Grantee: bob, Operations: []string{"Decrypt"}, Subset: map[string]string{"project": "birds"}}, exact); err == nil {
		t.Error("a grant of an exact context became one of a part of it")
	}
	for name, g := range map[string]kms.Grant{
		"no operation":      {Grantee: bob},
		"unknown operation": {Grantee: bob, Operations: []string{"Sign"}},
		"two constraints":   {Grantee: bob, Operations: []string{"Decrypt"}, Equals: map[string]string{"a": "b"}, Subset: map[string]string{"a": "b"}},
		"no ARN":            {Grantee: "bob", Operations: []string{"Decrypt"}},
		"a star":            {Grantee: "*", Operations: []string{"Decrypt"}},
	} {
		if _, err := w.CreateGrant(ctx, k, g, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The same grant by name is made once.
	named := kms.Grant{Grantee: bob, Name: "one", Operations: []string{"Decrypt"}}
	a, err := w.CreateGrant(ctx, k, named, nil)
	must(t, err)
	b, err := w.CreateGrant(ctx, k, named, nil)
	must(t, err)
	if a.ID != b.ID {
		t.Error("two grants of one name and content")
	}
}

// TestRetire pins who may end a grant without a right to: whom it names.
func TestRetire(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.SQLite(t))
	ann, bob, eve := w.user("ann"), w.user("bob"), w.user("eve")
	k := w.key("")
	mine, err := w.CreateGrant(ctx, k, kms.Grant{Grantee: ann.ARN, Retiring: bob.ARN, Operations: []string{"Decrypt"}}, nil)
	must(t, err)
	own, err := w.CreateGrant(ctx, k, kms.Grant{Grantee: eve.ARN, Operations: []string{"Decrypt", "RetireGrant"}}, nil)
	must(t, err)
	for _, tc := range []struct {
		name   string
		caller *iam.Caller
		grant  *kms.Grant
		want   bool
	}{
		{"the retiring principal", bob, mine, true},
		{"the grantee without the operation", ann, mine, false},
		{"the grantee of another grant with the operation", eve, mine, false},
		{"the grantee with the operation", eve, own, true},
		{"the retiring principal of another grant", bob, own, false},
		{"root", w.iam.Root(), own, true},
	} {
		d, err := w.DecideRetire(ctx, w.fresh(k), tc.grant, kms.Ask{Caller: tc.caller, Action: "kms:RetireGrant"})
		if err != nil || d.Allowed() != tc.want {
			t.Errorf("%s: %+v, %v", tc.name, d.Decision, err)
		}
	}
}
