package kms_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/kms"
	"fiducial/internal/kms/rootkey"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

func root(t *testing.T, fill byte) kms.Root {
	t.Helper()
	raw := make([]byte, 32)
	raw[0] = fill
	r, err := rootkey.Open(context.Background(), rootkey.Source(base64.StdEncoding.EncodeToString(raw)), rootkey.Options{})
	must(t, err)
	return r
}

func TestKeysets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		rows := store.NewKMS(db)
		a, b := root(t, 1), root(t, 2)

		// Replicas that start at once have one keyset.
		var wg sync.WaitGroup
		got := make([]*envelope.Keyset, 6)
		for i := range got {
			wg.Go(func() {
				k, err := kms.OpenKeysets(ctx, rows, a, nil, time.Now)
				if err == nil {
					got[i], err = k.Open(ctx, kms.SessionKeyset, envelope.New)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		sealed, err := got[0].Seal([]byte("x"), "p")
		must(t, err)
		for i, k := range got {
			if _, err := k.Open(sealed, "p"); err != nil {
				t.Errorf("replica %d has another keyset", i)
			}
		}

		// Another root key opens nothing and says which is wanted.
		if _, err := kms.OpenKeysets(ctx, rows, b, nil, time.Now); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), a.ID()) {
			t.Error(err)
		}
		if _, err := kms.OpenKeysets(ctx, rows, root(t, 4), root(t, 3), time.Now); !fault.Is(err, fault.Invalid) {
			t.Errorf("changed over from a key that sealed nothing: %v", err)
		}
		// A replica that began with another root key at the same moment is refused.
		late, err := kms.OpenKeysets(ctx, empty{rows}, b, nil, time.Now)
		must(t, err)
		if _, err := late.Open(ctx, kms.SessionKeyset, envelope.New); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), a.ID()) {
			t.Error(err)
		}

		// The change of the root key; twice does no harm, and back is possible.
		for _, step := range [][2]kms.Root{{b, a}, {b, a}, {a, b}, {b, a}} {
			k, err := kms.OpenKeysets(ctx, rows, step[0], step[1], time.Now)
			must(t, err)
			s, err := k.Open(ctx, kms.SessionKeyset, func() (*envelope.Keyset, error) { return nil, errors.New("made anew") })
			must(t, err)
			if _, err := s.Open(sealed, "p"); err != nil {
				t.Error("another keyset after the change")
			}
		}
		if _, err := kms.OpenKeysets(ctx, rows, a, nil, time.Now); err == nil {
			t.Error("the old root key still opens")
		}

		// A keyset's row does not open as another one's.
		list, err := rows.SealedKeysets(ctx)
		must(t, err)
		moved := list[0]
		moved.Name = kms.MasterKeyset
		_, err = rows.PutKeyset(ctx, moved)
		must(t, err)
		k, err := kms.OpenKeysets(ctx, rows, b, nil, time.Now)
		must(t, err)
		if _, err := k.Open(ctx, kms.MasterKeyset, envelope.New); !fault.Is(err, fault.Unavailable) {
			t.Errorf("the session keys open as the KMS's: %v", err)
		}
	})
}

// empty is a store that has not seen the others' rows yet.
type empty struct{ *store.KMS }

func (empty) SealedKeysets(context.Context) ([]kms.SealedKeyset, error) { return nil, nil }
