package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/kms"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

func TestKMSKeysAndAliases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewKMS(db)
		generation := func() int64 {
			n, err := s.Generation(ctx)
			iamOK(t, err)
			return n
		}
		k := kms.Key{ID: "a", Description: "d", Manager: kms.Customer, State: kms.Enabled, Policy: "{}", Tags: []kms.Tag{{Key: "k", Value: "v"}},
			CreatedAt: iamEpoch, RotateDays: 90, RotatedAt: iamEpoch, Material: "m"}
		before := generation()
		iamOK(t, s.CreateKey(ctx, &k, "alias/aws/s3"))
		if generation() <= before {
			t.Error("a change without a new generation")
		}
		got, err := s.Key(ctx, "a")
		iamOK(t, err)
		if diff := cmp.Diff(&k, got); diff != "" {
			t.Error(diff)
		}
		other := k
		other.ID = "b"
		iamFault(t, s.CreateKey(ctx, &other, "alias/aws/s3"), fault.Exists, "")
		_, err = s.Key(ctx, "b")
		iamFault(t, err, fault.NotFound, "")
		iamOK(t, s.CreateKey(ctx, &other, ""))
		for i := range 3 {
			iamOK(t, s.CreateAlias(ctx, &kms.Alias{Name: fmt.Sprint("alias/", i), KeyID: "b", CreatedAt: iamEpoch, UpdatedAt: iamEpoch}, 3))
		}
		iamFault(t, s.CreateAlias(ctx, &kms.Alias{Name: "alias/3", KeyID: "b"}, 3), fault.Limit, "")
		iamFault(t, s.CreateAlias(ctx, &kms.Alias{Name: "alias/0", KeyID: "a"}, 3), fault.Exists, "")
		iamOK(t, s.UpdateAlias(ctx, "alias/0", "a", iamEpoch.Add(time.Hour)))
		iamFault(t, s.UpdateAlias(ctx, "alias/9", "a", iamEpoch), fault.NotFound, "")
		iamFault(t, s.DeleteAlias(ctx, "alias/9"), fault.NotFound, "")
		names := func(key, after string, limit int) string {
			list, err := s.Aliases(ctx, key, after, limit)
			iamOK(t, err)
			out := ""
			for _, a := range list {
				out += a.Name + " "
			}
			return out
		}
		for got, want := range map[string]string{
			names("", "", 9): "alias/0 alias/1 alias/2 alias/aws/s3 ", names("b", "", 9): "alias/1 alias/2 ", names("", "alias/0", 1): "alias/1 ", names("c", "", 9): "",
		} {
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}

		due := func(at time.Time) string {
			ids, err := s.DueKeys(ctx, at)
			iamOK(t, err)
			return fmt.Sprint(ids)
		}
		if got := due(iamEpoch.AddDate(0, 0, 89)) + due(iamEpoch.AddDate(0, 0, 90)); got != "[][a b]" {
			t.Errorf("due: %s", got)
		}
		iamOK(t, s.UpdateKey(ctx, "b", func(k *kms.Key) error { k.State, k.Material = kms.Deleted, ""; return nil }))
		iamFault(t, s.UpdateKey(ctx, "c", func(*kms.Key) error { return nil }), fault.NotFound, "")
		iamFault(t, s.UpdateKey(ctx, "a", func(k *kms.Key) error { k.Description = "x"; return fault.Newf("t", fault.Denied, "no") }), fault.Denied, "")
		if got, err := s.Key(ctx, "a"); err != nil || got.Description != "d" {
			t.Error("a change that failed was stored", err)
		}
		list, err := s.Keys(ctx, "", 9)
		if err != nil || len(list) != 1 || names("b", "", 9) != "" || due(iamEpoch.AddDate(1, 0, 0)) != "[a]" {
			t.Error("a deleted key is listed, due or has names", list, err)
		}
	})
}

func TestKMSGrants(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewKMS(db)
		first := kms.Grant{ID: "1", KeyID: "a", Token: "t1", Name: "n", Grantee: "ann", Retiring: "bob", Issuer: "root", Operations: []string{"Decrypt"},
			Equals: map[string]string{}, CreatedAt: iamEpoch}
		second := kms.Grant{ID: "2", KeyID: "a", Token: "t2", Grantee: "eve", Operations: []string{"Encrypt", "Decrypt"}, Subset: map[string]string{"k": "v"}, CreatedAt: iamEpoch}
		third := kms.Grant{ID: "3", KeyID: "b", Token: "t3", Grantee: "ann", Retiring: "bob", Operations: []string{"Encrypt"}, CreatedAt: iamEpoch}
		for _, g := range []kms.Grant{first, second, third} {
			iamOK(t, s.CreateGrant(ctx, &g, 2))
		}
		iamFault(t, s.CreateGrant(ctx, &kms.Grant{ID: "4", KeyID: "a", Token: "t4"}, 2), fault.Limit, "")
		for name, tc := range map[string]struct {
			f     kms.GrantFilter
			after string
			limit int
			want  []kms.Grant
		}{
			"all":           {kms.GrantFilter{}, "", 9, []kms.Grant{first, second, third}},
			"of a key":      {kms.GrantFilter{KeyID: "a"}, "", 9, []kms.Grant{first, second}},
			"a page":        {kms.GrantFilter{KeyID: "a"}, "1", 1, []kms.Grant{second}},
			"to ann":        {kms.GrantFilter{KeyID: "b", Grantee: "ann"}, "", 9, []kms.Grant{third}},
			"bob's":         {kms.GrantFilter{Retiring: "bob"}, "", 9, []kms.Grant{first, third}},
			"by token":      {kms.GrantFilter{Token: "t2"}, "", 9, []kms.Grant{second}},
			"by id and key": {kms.GrantFilter{KeyID: "b", ID: "1"}, "", 9, nil},
		} {
			got, err := s.Grants(ctx, tc.f, tc.after, tc.limit)
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%s: %s %v", name, diff, err)
			}
		}
		iamFault(t, s.DeleteGrant(ctx, "b", "1"), fault.NotFound, "")
		iamOK(t, s.DeleteGrant(ctx, "a", "1"))
		iamFault(t, s.DeleteGrant(ctx, "a", "1"), fault.NotFound, "")
	})
}
