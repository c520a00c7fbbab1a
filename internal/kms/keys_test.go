package kms_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/kms"
	"fiducial/internal/policy"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// TestCiphertexts pins that a ciphertext opens under its key and context only.
func TestCiphertexts(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.SQLite(t))
	root, k, other := w.iam.Root(), w.key(""), w.key("")
	ec := map[string]string{"a": "1", "b": "2"}
	d, err := w.GenerateDataKey(ctx, root, k.ARN, ec)
	must(t, err)
	if len(d.Plaintext.Reveal()) != 32 || d.KeyARN != k.ARN || bytes.Contains(d.Ciphertext, []byte(d.Plaintext.Reveal())) {
		t.Fatalf("data key %v of %d bytes", d, len(d.Plaintext.Reveal()))
	}
	again, err := w.Decrypt(ctx, root, d.Ciphertext, map[string]string{"b": "2", "a": "1"})
	must(t, err)
	if !again.Plaintext.Equal(d.Plaintext) {
		t.Error("another key came back")
	}
	for name, wrong := range map[string]map[string]string{
		"none": nil, "fewer": {"a": "1"}, "more": {"a": "1", "b": "2", "c": "3"}, "another value": {"a": "1", "b": "3"},
		"exchanged": {"a": "2", "b": "1"}, "run together": {"a": "1\x01b\x012"}, "joined": {"a1b2": ""},
	} {
		_, err := w.Decrypt(ctx, root, d.Ciphertext, wrong)
		if refused(t, err, fault.Invalid, "InvalidCiphertextException"); err == nil {
			t.Errorf("opens with the context %s", name)
		}
	}
	for i := range d.Ciphertext {
		forged := bytes.Clone(d.Ciphertext)
		forged[i] ^= 1
		if _, err := w.Decrypt(ctx, root, forged, ec); err == nil {
			t.Fatalf("opens with byte %d changed", i)
		}
	}
	moved := bytes.Clone(d.Ciphertext)
	od, err := w.GenerateDataKey(ctx, root, other.ARN, ec)
	must(t, err)
	copy(moved, od.Ciphertext[:17])
	_, err = w.Decrypt(ctx, root, moved, ec)
	refused(t, err, fault.Invalid, "InvalidCiphertextException")
	for name, blob := range map[string][]byte{"empty": {}, "short": d.Ciphertext[:17], "cut": d.Ciphertext[:len(d.Ciphertext)-1], "long": append(bytes.Clone(d.Ciphertext), 0), "huge": make([]byte, 1<<20)} {
		_, err := w.Decrypt(ctx, root, blob, ec)
		if refused(t, err, fault.Invalid, "InvalidCiphertextException"); err == nil {
			t.Error(name)
		}
	}
	for name, bad := range map[string]map[string]string{"case alone": {"Project": "x", "project": "y"}, "empty key": {"": "x"}, "too long": {"k": strings.Repeat("x", kms.MaxContext)},
		"kelvin and k": {"k": "x", "K": "y"}} {
		_, err := w.GenerateDataKey(ctx, root, k.ARN, bad)
		if refused(t, err, fault.Invalid, "ValidationException"); err == nil {
			t.Error(name)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v", d, d, d); strings.Contains(s, d.Plaintext.Reveal()) || strings.Contains(s, fmt.Sprintf("%x", d.Plaintext.Reveal())) {
		t.Error("the data key prints")
	}
}

// TestMovedMaterial pins that a row's material opens in its row only.
func TestMovedMaterial(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.SQLite(t))
	a, b := w.key(""), w.key("")
	must(t, store.NewKMS(w.db).UpdateKey(ctx, a.Key().ID, func(k *kms.Key) error { k.Material = b.Key().Material; return nil }))
	_, err := w.replica(w.clock.now).Find(ctx, a.ARN)
	refused(t, err, fault.Internal, "")
}

// TestStates walks a key through its life on both databases.
func TestStates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		w := newWorld(t, db)
		root, k := w.iam.Root(), w.key("")
		d, err := w.GenerateDataKey(ctx, root, k.ARN, nil)
		must(t, err)
		use := func() error { _, err := w.Via("s3").Decrypt(ctx, root, d.Ciphertext, nil); return err }
		must(t, use())

		must(t, w.SetEnabled(ctx, k, false))
		refused(t, use(), fault.Invalid, "DisabledException")
		_, err = w.GenerateDataKey(ctx, root, k.ARN, nil)
		refused(t, err, fault.Invalid, "DisabledException")
		// Who may not use a key does not learn its state.
		_, err = w.Decrypt(ctx, w.user("ann"), d.Ciphertext, nil)
		refused(t, err, fault.Denied, "")
		must(t, w.SetEnabled(ctx, k, true))
		must(t, use())

		for _, days := range []int{6, 31, -1} {
			_, err := w.ScheduleDeletion(ctx, k, days)
			refused(t, err, fault.Invalid, "ValidationException")
		}
		_, err = w.ScheduleDeletion(ctx, k, 7)
		must(t, err)
		refused(t, use(), fault.Invalid, "KMSInvalidStateException")
		refused(t, w.SetEnabled(ctx, k, true), fault.Invalid, "KMSInvalidStateException")
		must(t, w.CancelDeletion(ctx, k))
		refused(t, use(), fault.Invalid, "DisabledException") // it comes back disabled
		refused(t, w.CancelDeletion(ctx, k), fault.Invalid, "KMSInvalidStateException")
		must(t, w.SetEnabled(ctx, k, true))
		must(t, use())

		must(t, w.CreateAlias(ctx, "alias/mine", k))
		_, err = w.ScheduleDeletion(ctx, k, 7)
		must(t, err)
		w.clock.add(7 * 24 * time.Hour)
		// Deleted from that moment on, not only when it was swept.
		lost := use()
		if refused(t, lost, fault.NotFound, "NotFoundException"); !strings.Contains(fault.MessageOf(lost), "can no longer be decrypted by anyone") {
			t.Error(lost)
		}
		must(t, w.KeepHouse(ctx))
		refused(t, use(), fault.NotFound, "NotFoundException")
		refused(t, w.CancelDeletion(ctx, k), fault.NotFound, "NotFoundException")
		row, err := store.NewKMS(db).Key(ctx, k.Key().ID)
		must(t, err)
		if row.Material != "" || row.State != kms.Deleted {
			t.Errorf("the row keeps its material: %v", row.State)
		}
		_, err = w.Find(ctx, "alias/mine")
		refused(t, err, fault.NotFound, "NotFoundException")
		if list, err := w.List(ctx, "", 10); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
	})
}

// TestReplicas measures how long another process over the same database goes on
// after a key was disabled, a policy changed, or a grant revoked: below a second.
func TestReplicas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		w := newWorld(t, db)
		w.clock.t = time.Now()
		here, there := w.replica(time.Now), w.replica(time.Now)
		k, err := here.Create(ctx, w.iam.Root(), "", "", nil, false)
		must(t, err)
		d, err := here.GenerateDataKey(ctx, w.iam.Root(), k.ARN, nil)
		must(t, err)
		for name, change := range map[string]struct {
			caller   *iam.Caller
			do, undo func() error
		}{
			"disabled": {w.iam.Root(), func() error { return here.SetEnabled(ctx, k, false) }, func() error { return here.SetEnabled(ctx, k, true) }},
			"policy": {w.iam.Root(), func() error {
				return here.PutPolicy(ctx, w.iam.Root(), k, keyPolicy(true, "Deny", `"*"`, `"kms:Decrypt"`, ""), false)
			}, func() error {
				return here.PutPolicy(ctx, w.iam.Root(), k, keyPolicy(true, "Deny", `"*"`, `"kms:Encrypt"`, ""), false)
			}},
		} {
			ok := func(s *kms.Service) error {
				_, err := s.Via("s3").Decrypt(ctx, change.caller, d.Ciphertext, nil)
				return err
			}
			for range 5 {
				must(t, ok(there))
			}
			start := time.Now()
			must(t, change.do())
			if err := ok(here); err == nil {
				t.Errorf("%s: the process that changed it goes on", name)
			}
			for ok(there) == nil {
				if time.Since(start) > 5*time.Second {
					t.Fatalf("%s: still open after 5 s", name)
				}
				time.Sleep(2 * time.Millisecond)
			}
			took := time.Since(start)
			if t.Logf("%s: closed at another replica after %v", name, took.Round(time.Millisecond)); took > time.Second {
				t.Errorf("%s: closed after %v, want a second", name, took)
			}
			must(t, change.undo())
			for ok(there) != nil {
				time.Sleep(10 * time.Millisecond)
			}
		}
	})
}

func TestRotation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		w := newWorld(t, db)
		root, k := w.iam.Root(), w.key("")
		old, err := w.GenerateDataKey(ctx, root, k.ARN, nil)
		must(t, err)
		refused(t, w.SetRotation(ctx, k, true, 89), fault.Invalid, "ValidationException")
		must(t, w.SetRotation(ctx, k, true, 90))
		must(t, w.KeepHouse(ctx))
		if n := w.fresh(k).Versions(); n != 1 {
			t.Errorf("%d versions before the day", n)
		}
		w.clock.add(90 * 24 * time.Hour)
		must(t, w.KeepHouse(ctx))
		must(t, w.KeepHouse(ctx)) // once is enough
		must(t, w.Rotate(ctx, k))
		if n := w.fresh(k).Versions(); n != 3 {
			t.Errorf("%d versions, want 3", n)
		}
		young, err := w.GenerateDataKey(ctx, root, k.ARN, nil)
		must(t, err)
		for name, d := range map[string]kms.DataKey{"before": old, "after": young} {
			if got, err := w.Decrypt(ctx, root, d.Ciphertext, nil); err != nil || !got.Plaintext.Equal(d.Plaintext) {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(t, w.SetRotation(ctx, k, false, 0))
		w.clock.add(400 * 24 * time.Hour)
		must(t, w.KeepHouse(ctx))
		if n := w.fresh(k).Versions(); n != 3 {
			t.Errorf("rotated although it is off: %d versions", n)
		}
		// As often as a key may be rotated, its material still fits its row.
		for {
			if err = w.Rotate(ctx, k); err != nil {
				break
			}
		}
		if refused(t, err, fault.Limit, "LimitExceededException"); w.fresh(k).Versions() < 60 {
			t.Errorf("%d versions", w.fresh(k).Versions())
		}
		if _, err := w.Decrypt(ctx, root, old.Ciphertext, nil); err != nil {
			t.Error(err)
		}
	})
}

// TestManaged pins AWS-managed keys: made once however many ask at once, usable by
// everybody in the account through their service and by nobody else.
func TestManaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		w := newWorld(t, db)
		var wg sync.WaitGroup
		arns := make([]string, 8)
		for i := range arns {
			wg.Go(func() {
				arn, err := w.replica(w.clock.now).Via("s3").AWSManaged(ctx)
				if err != nil {
					t.Error(err)
				}
				arns[i] = arn
			})
		}
		wg.Wait()
		for _, a := range arns {
			if a != arns[0] || a == "" {
				t.Fatalf("several keys: %v", arns)
			}
		}
		ann := w.user("ann")
		d, err := w.Via("s3").GenerateDataKey(ctx, ann, "alias/aws/s3", nil)
		must(t, err)
		_, err = w.Decrypt(ctx, ann, d.Ciphertext, nil)
		refused(t, err, fault.Denied, "")
		_, err = w.Decrypt(ctx, w.iam.Root(), d.Ciphertext, nil)
		refused(t, err, fault.Denied, "")
		_, err = w.Via("sagemaker").Decrypt(ctx, ann, d.Ciphertext, nil)
		refused(t, err, fault.Denied, "")
		k, err := w.Find(ctx, d.KeyARN)
		must(t, err)
		for name, err := range map[string]error{"disable": w.SetEnabled(ctx, k, false), "policy": w.PutPolicy(ctx, w.iam.Root(), k, keyPolicy(true, "Deny", `"*"`, `"kms:Encrypt"`, ""), false),
			"alias": w.CreateAlias(ctx, "alias/x", k)} {
			if refused(t, err, fault.Invalid, "ValidationException"); err == nil {
				t.Error(name)
			}
		}
		_, err = w.Find(ctx, "alias/aws/ebs")
		refused(t, err, fault.NotFound, "NotFoundException")
	})
}

func TestNames(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.SQLite(t))
	k := w.key("")
	id := k.Key().ID
	must(t, w.CreateAlias(ctx, "alias/mine", k))
	for _, name := range []string{id, k.ARN, "alias/mine", w.AliasARN("alias/mine")} {
		if got, err := w.Find(ctx, name); err != nil || got.ARN != k.ARN {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, code := range map[string]string{
		"": "NotFoundException", "nonsense": "NotFoundException", strings.ToUpper(id): "NotFoundException", "alias/other": "NotFoundException",
		"arn:aws:kms:us-east-1:999999999999:key/" + id: "NotFoundException", "arn:aws:kms:eu-west-1:111122223333:key/" + id: "NotFoundException",
		"arn:aws:s3:::bucket": "InvalidArnException", "../" + id: "NotFoundException", id + "\n": "NotFoundException",
	} {
		if _, err := w.Find(ctx, name); err == nil || fault.CodeOf(err) != code {
			t.Errorf("%q: %v, want %s", name, err, code)
		}
	}
	if _, err := w.FindKey(ctx, "alias/mine"); err == nil {
		t.Error("an alias is a key")
	}
	refused(t, w.CreateAlias(ctx, "alias/mine", w.key("")), fault.Exists, "AlreadyExistsException")
	other := w.key("")
	must(t, w.UpdateAlias(ctx, "alias/mine", other))
	if got, _ := w.Find(ctx, "alias/mine"); got.ARN != other.ARN {
		t.Error("the alias names its old key")
	}
	must(t, w.DeleteAlias(ctx, "alias/mine"))
	refused(t, w.DeleteAlias(ctx, "alias/mine"), fault.NotFound, "NotFoundException")
	refused(t, w.UpdateAlias(ctx, "alias/mine", other), fault.NotFound, "NotFoundException")
	for _, bad := range []string{"mine", "alias/", "alias/aws/s3", "alias/ä", "alias/a b"} {
		refused(t, kms.CheckAlias(bad), fault.Invalid, "InvalidAliasNameException")
	}
	for i := range 50 {
		must(t, w.CreateAlias(ctx, fmt.Sprint("alias/n", i), k))
	}
	refused(t, w.CreateAlias(ctx, "alias/one-more", k), fault.Limit, "LimitExceededException")
}

func TestPoliciesAndTags(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.SQLite(t))
	bob := w.user("bob", statement("Allow", `"kms:*"`, ""))
	_, err := w.Create(ctx, bob, "", keyPolicy(false, "Allow", `{"AWS":"arn:aws:iam::111122223333:user/ann"}`, `"kms:*"`, ""), nil, false)
	refused(t, err, fault.Invalid, "MalformedPolicyDocumentException")
	_, err = w.Create(ctx, bob, "", `{"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}`, nil, false)
	refused(t, err, fault.Invalid, "MalformedPolicyDocumentException")
	k, err := w.Create(ctx, bob, "", "", []kms.Tag{{Key: "team", Value: "red"}}, false)
	must(t, err)
	refused(t, w.PutPolicy(ctx, bob, k, keyPolicy(false, "Allow", `{"AWS":"arn:aws:iam::111122223333:user/ann"}`, `"kms:*"`, ""), false), fault.Invalid, "MalformedPolicyDocumentException")
	must(t, w.PutPolicy(ctx, bob, k, keyPolicy(false, "Allow", `{"AWS":"arn:aws:iam::111122223333:user/ann"}`, `"kms:*"`, ""), true))

	red := w.user("red", statement("Allow", `"kms:Encrypt"`, `{"StringEquals":{"aws:ResourceTag/team":"red","kms:KeySpec":"SYMMETRIC_DEFAULT"}}`))
	k, err = w.Create(ctx, bob, "", "", []kms.Tag{{Key: "team", Value: "red"}}, false)
	must(t, err)
	ask := kms.Ask{Caller: red, Action: "kms:Encrypt", Context: policy.Context{Time: w.clock.now()}}
	if d, err := w.Decide(ctx, k, ask); err != nil || !d.Allowed() {
		t.Error(d, err)
	}
	must(t, w.Tag(ctx, k, []kms.Tag{{Key: "team", Value: "blue"}, {Key: "x", Value: "y"}}))
	if d, err := w.Decide(ctx, w.fresh(k), ask); err != nil || d.Allowed() {
		t.Error("the old tag counts", d, err)
	}
	must(t, w.Untag(ctx, k, []string{"x"}))
	if tags := w.fresh(k).Key().Tags; len(tags) != 1 || tags[0].Value != "blue" {
		t.Error(tags)
	}
	for _, bad := range []kms.Tag{{Key: ""}, {Key: "aws:x"}, {Key: "AWS:x"}, {Key: strings.Repeat("k", 129)}, {Key: "k", Value: strings.Repeat("v", 257)}, {Key: "a\nb"}} {
		refused(t, w.Tag(ctx, k, []kms.Tag{bad}), fault.Invalid, "TagException")
	}
}

// BenchmarkDecrypt is what a read of an object sealed under a key costs more.
func BenchmarkDecrypt(b *testing.B) {
	ctx := context.Background()
	w := newWorld(b, storetest.SQLite(b))
	reader := w.session("reader", "", identity.Grant{}, statement("Allow", `"kms:Decrypt"`, ""))
	k := w.key("")
	ec := map[string]string{"aws:s3:arn": "arn:aws:s3:::bucket/some/object.jpg"}
	blob, err := w.Seal(k, envelope.NewSecret(strings.Repeat("k", 32)), ec)
	must(b, err)
	via := w.Via("s3")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := via.Decrypt(ctx, reader, blob, ec); err != nil {
			b.Fatal(err)
		}
	}
}
