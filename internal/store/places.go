package store

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/fault"
)

// Places implements access.PlaceStore.
type Places struct{ db *DB }

// NewPlaces returns the places of workers in db.
func NewPlaces(db *DB) *Places { return &Places{db} }

var _ access.PlaceStore = (*Places)(nil)

// nonceLife is how long a used nonce is remembered: longer than a statement lives
// by the clocks of replicas that differ.
const nonceLife = 10 * access.ProbeLife

const selectPlace = `select place, portal, media_addr, media_vpc, media_vpce, probed, browser, at, expires_at
	from places where assignment = $1 and sign_in = $2`

// Place returns the place of an assignment under a sign-in.
func (s *Places) Place(ctx context.Context, assignment, signIn string) (access.Place, error) {
	return scanPlace(s.db.Read().QueryRowContext(ctx, selectPlace, assignment, signIn), assignment, signIn)
}

func scanPlace(row *sql.Row, assignment, signIn string) (access.Place, error) {
	const op = "store.Place"
	p := access.Place{Assignment: assignment, SignIn: signIn}
	var addr string
	var probed, at, expires int64
	err := row.Scan(&p.ID, &p.Portal, &addr, &p.Media.VPC, &p.Media.VPCE, &probed, &p.Browser, &at, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return access.Place{}, fault.Newf(op, fault.NotFound, "the assignment has no place")
	}
	if err != nil {
		return access.Place{}, wrap(op, err)
	}
	if addr != "" {
		if p.Media.Addr, err = netip.ParseAddr(addr); err != nil {
			return access.Place{}, fault.E(op, fault.Internal, "", err)
		}
	}
	p.Probed, p.At, p.Expires = probed == 1, Time(at), Time(expires)
	return p, nil
}

// SavePlace keeps a place and uses up a nonce.
func (s *Places) SavePlace(ctx context.Context, p access.Place, nonce string, keep func(*access.Place) bool) (now, former access.Place, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		now, former = access.Place{}, access.Place{}
		if err := useNonce(ctx, tx, nonce, p.At.Add(nonceLife)); err != nil {
			return err
		}
		old, err := scanPlace(tx.QueryRowContext(ctx, selectPlace, p.Assignment, p.SignIn), p.Assignment, p.SignIn)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		now, former = p, old
		if old.ID != "" && keep(&old) {
			now.ID, former = old.ID, access.Place{}
		}
		addr := ""
		if p.Media.Known() {
			addr = p.Media.Addr.String()
		}
		_, err = tx.ExecContext(ctx, `insert into places (assignment, sign_in, place, portal, media_addr, media_vpc, media_vpce, probed, browser, at, expires_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
			on conflict (assignment, sign_in) do update set place = excluded.place, portal = excluded.portal, media_addr = excluded.media_addr,
			media_vpc = excluded.media_vpc, media_vpce = excluded.media_vpce, probed = excluded.probed, browser = excluded.browser,
			at = excluded.at, expires_at = excluded.expires_at`,
			p.Assignment, p.SignIn, now.ID, p.Portal, addr, p.Media.VPC, p.Media.VPCE, Bool(p.Probed), p.Browser, Micros(p.At), Micros(p.Expires))
		return err
	})
	return now, former, err
}

func useNonce(ctx context.Context, tx *sql.Tx, nonce string, expires time.Time) error {
	if nonce == "" {
		return nil
	}
	res, err := tx.ExecContext(ctx, "insert into probe_nonces (nonce, expires_at) values ($1, $2) on conflict (nonce) do nothing", nonce, Micros(expires))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fault.Newf("store.SavePlace", fault.Exists, "the nonce has been used")
}

// DropPlaces removes what has expired.
func (s *Places) DropPlaces(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, table := range [...]string{"places", "probe_nonces"} {
			if _, err := tx.ExecContext(ctx, "delete from "+table+" where expires_at < $1", Micros(before)); err != nil {
				return err
			}
		}
		return nil
	})
}
