package store

import (
	"context"
	"database/sql"
	"time"

	"fiducial/internal/objects"
	"fiducial/internal/outbound"
)

// tell promises what is to be told of a write, as part of it.
func (s *Objects) tell(ctx context.Context, tx *sql.Tx, bucket, key string, tell *objects.Telling) error {
	var sequencer int64
	err := tx.QueryRowContext(ctx, `insert into s3_event_sequencers (bucket, key, last) values ($1, $2, $3)
		on conflict (bucket, key) do update set last = case when excluded.last > s3_event_sequencers.last then excluded.last else s3_event_sequencers.last + 1 end
		returning last`, bucket, []byte(key), Micros(tell.At)).Scan(&sequencer)
	if err != nil {
		return err
	}
	d, err := tell.Make(sequencer)
	if err != nil {
		return err
	}
	return addDeliveries(ctx, tx, ofEvents, s.seals, []outbound.Delivery{d})
}

// ForgetSequencers implements objects.Store.
func (s *Objects) ForgetSequencers(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from s3_event_sequencers where last < $1", Micros(before))
		return err
	})
}
