package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

var iamEpoch = time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)

func iamFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.CodeOf(err) != code {
		t.Errorf("got %v, want %v (%s)", err, kind, code)
	}
}

func iamOK(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestIAMUsersAndKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewIAM(db)
		ann := iam.User{Name: "Ann", Path: "/staff/", ID: "AIDA1", CreatedAt: iamEpoch, Tags: []iam.Tag{{Key: "team", Value: "red"}}}
		iamOK(t, s.CreateUser(ctx, &ann))
		iamOK(t, s.CreateUser(ctx, &iam.User{Name: "bob", Path: "/", ID: "AIDA2", CreatedAt: iamEpoch}))
		iamFault(t, s.CreateUser(ctx, &iam.User{Name: "ANN", Path: "/", ID: "AIDA3"}), fault.Exists, "EntityAlreadyExists")
		got, err := s.User(ctx, "Ann")
		iamOK(t, err)
		if diff := cmp.Diff(&ann, got); diff != "" {
			t.Error(diff)
		}
		_, err = s.User(ctx, "nobody")
		iamFault(t, err, fault.NotFound, "NoSuchEntity")

		names := func(prefix, after string, limit int) string {
			us, err := s.Users(ctx, prefix, after, limit)
			iamOK(t, err)
			out := ""
			for _, u := range us {
				out += u.Name + " "
			}
			return out
		}
		for got, want := range map[string]string{
			names("/", "", 10): "Ann bob ", names("/staff/", "", 10): "Ann ", names("/", "Ann", 10): "bob ", names("/", "", 1): "Ann ", names("/x", "", 9): "",
		} {
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}

		key := func(id, user string) *iam.StoredKey {
			return &iam.StoredKey{AccessKey: iam.AccessKey{ID: id, UserName: user, Active: true, CreatedAt: iamEpoch}, Sealed: "sealed"}
		}
		iamOK(t, s.CreateAccessKey(ctx, key("AKIA1", "Ann"), 2))
		iamOK(t, s.CreateAccessKey(ctx, key("AKIA2", "Ann"), 2))
		iamFault(t, s.CreateAccessKey(ctx, key("AKIA3", "Ann"), 2), fault.Limit, "LimitExceeded")
		iamFault(t, s.CreateAccessKey(ctx, key("AKIA3", "nobody"), 2), fault.NotFound, "NoSuchEntity")
		k, err := s.AccessKey(ctx, "AKIA1")
		iamOK(t, err)
		if diff := cmp.Diff(key("AKIA1", "Ann"), k); diff != "" {
			t.Error(diff)
		}
		iamOK(t, s.UpdateAccessKey(ctx, "Ann", "AKIA1", false))
		iamFault(t, s.UpdateAccessKey(ctx, "bob", "AKIA1", true), fault.NotFound, "NoSuchEntity")
		keys, err := s.AccessKeys(ctx, "Ann")
		iamOK(t, err)
		if len(keys) != 2 || keys[0].Active || !keys[1].Active {
			t.Errorf("%+v", keys)
		}
		iamFault(t, s.DeleteUser(ctx, "Ann"), fault.InUse, "DeleteConflict")
		iamFault(t, s.DeleteAccessKey(ctx, "bob", "AKIA1"), fault.NotFound, "NoSuchEntity")
		iamOK(t, s.DeleteAccessKey(ctx, "Ann", "AKIA1"))
		iamOK(t, s.DeleteAccessKey(ctx, "Ann", "AKIA2"))
		_, err = s.AccessKey(ctx, "AKIA1")
		iamFault(t, err, fault.NotFound, "NoSuchEntity")
		iamOK(t, s.DeleteUser(ctx, "Ann"))
		iamFault(t, s.DeleteUser(ctx, "Ann"), fault.NotFound, "NoSuchEntity")
	})
}

func TestIAMRolesAndPolicies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewIAM(db)
		role := iam.Role{Name: "labeler", Path: "/", ID: "AROA1", Description: "d", TrustPolicy: "{}", MaxSession: time.Hour, CreatedAt: iamEpoch}
		iamOK(t, s.CreateRole(ctx, &role))
		iamFault(t, s.CreateRole(ctx, &iam.Role{Name: "Labeler", ID: "AROA2"}), fault.Exists, "EntityAlreadyExists")
		iamOK(t, s.UpdateRole(ctx, "labeler", func(r *iam.Role) error {
			r.Description, r.TrustPolicy, r.MaxSession, r.Tags = "e", "{ }", 2*time.Hour, []iam.Tag{{Key: "a", Value: "b"}}
			return nil
		}))
		role.Description, role.TrustPolicy, role.MaxSession, role.Tags = "e", "{ }", 2*time.Hour, []iam.Tag{{Key: "a", Value: "b"}}
		got, err := s.Role(ctx, "labeler")
		iamOK(t, err)
		if diff := cmp.Diff(&role, got); diff != "" {
			t.Error(diff)
		}
		refuse := fault.Newf("test", fault.Invalid, "no")
		iamFault(t, s.UpdateRole(ctx, "labeler", func(r *iam.Role) error { r.Description = "x"; return refuse }), fault.Invalid, "")
		iamFault(t, s.UpdateRole(ctx, "nobody", func(*iam.Role) error { return nil }), fault.NotFound, "NoSuchEntity")
		roles, err := s.Roles(ctx, "/", "", 10)
		iamOK(t, err)
		if diff := cmp.Diff([]iam.Role{role}, roles); diff != "" {
			t.Error(diff)
		}

		o := iam.Owner{Kind: iam.OfRole, Name: "labeler"}
		accept := func([]iam.InlinePolicy) error { return nil }
		iamOK(t, s.PutPolicy(ctx, o, iam.InlinePolicy{Name: "b", Document: "1"}, accept))
		iamOK(t, s.PutPolicy(ctx, o, iam.InlinePolicy{Name: "a", Document: "2"}, accept))
		iamOK(t, s.PutPolicy(ctx, o, iam.InlinePolicy{Name: "b", Document: "3"}, accept))
		iamFault(t, s.PutPolicy(ctx, o, iam.InlinePolicy{Name: "c", Document: "4"}, func(all []iam.InlinePolicy) error {
			if len(all) != 3 {
				t.Errorf("check saw %v", all)
			}
			return refuse
		}), fault.Invalid, "")
		iamFault(t, s.PutPolicy(ctx, iam.Owner{Kind: iam.OfUser, Name: "labeler"}, iam.InlinePolicy{Name: "a"}, accept), fault.NotFound, "NoSuchEntity")
		ps, err := s.Policies(ctx, o)
		iamOK(t, err)
		if diff := cmp.Diff([]iam.InlinePolicy{{Name: "a", Document: "2"}, {Name: "b", Document: "3"}}, ps); diff != "" {
			t.Error(diff)
		}
		iamFault(t, s.DeleteRole(ctx, "labeler"), fault.InUse, "DeleteConflict")
		iamFault(t, s.DeletePolicy(ctx, o, "z"), fault.NotFound, "NoSuchEntity")
		iamOK(t, s.DeletePolicy(ctx, o, "a"))
		iamOK(t, s.DeletePolicy(ctx, o, "b"))
		iamOK(t, s.DeleteRole(ctx, "labeler"))
		iamFault(t, s.DeleteRole(ctx, "labeler"), fault.NotFound, "NoSuchEntity")
	})
}

// TestIAMGeneration pins that every change that happened counts, one that did
// not happen does not, and none is lost among parallel ones.
func TestIAMGeneration(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewIAM(db)
		generation := func() int64 {
			n, err := s.Generation(ctx)
			iamOK(t, err)
			return n
		}
		before := generation()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if err := s.CreateRole(ctx, &iam.Role{Name: fmt.Sprint("r", i), Path: "/", ID: fmt.Sprint("AROA", i), TrustPolicy: "{}"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := generation(); got != before+8 {
			t.Errorf("8 changes counted as %d", got-before)
		}
		_ = s.DeleteRole(ctx, "nobody")
		if got := generation(); got != before+8 {
			t.Error("a change that failed counted")
		}
	})
}
