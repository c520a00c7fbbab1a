package kms

import (
	"context"
	"time"

	"fiducial/internal/fault"
)

// houseEvery is how often keys are looked for whose day has come. A key whose
// deletion is due is refused from that moment on, not only when it was swept.
const houseEvery = time.Minute

// Run destroys the material of keys whose deletion is due and rotates those whose
// rotation is, until ctx ends. Its error is always nil.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(houseEvery)
	defer tick.Stop()
	for {
		if err := s.KeepHouse(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("keys that are due were not deleted or rotated", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// KeepHouse does what is due now.
func (s *Service) KeepHouse(ctx context.Context) error {
	now := s.o.Now()
	ids, err := s.o.Store.DueKeys(ctx, now)
	if err != nil {
		return err
	}
	for _, id := range ids {
		what := ""
		err := s.o.Store.UpdateKey(ctx, id, func(k *Key) error {
			what = ""
			switch due := k.NextRotation(); {
			case k.State == Deleted:
			case k.gone(now):
				what, k.State, k.Material = "deleted", Deleted, ""
			case !due.IsZero() && !now.Before(due):
				what = "rotated"
				if err := s.rotated(k); !fault.Is(err, fault.Limit) {
					return err
				}
				what, k.RotateDays = "not rotated any more: it has as many versions as a key may have", 0
			}
			return nil
		})
		s.changed()
		if err != nil {
			return err
		}
		if what != "" {
			s.o.Log.Info("key "+what, "key", s.KeyARN(id))
		}
	}
	return nil
}
