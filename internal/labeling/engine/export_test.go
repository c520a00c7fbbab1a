package engine

import (
	"context"
	"errors"
)

// Pass does for every open job what Run would do next, once.
func (e *Engine) Pass(ctx context.Context) error {
	ids, err := e.Store.Claim(ctx, e.Owner, e.Now(), e.Now().Add(e.Lease))
	if err != nil {
		return err
	}
	if err := e.Queue.Sweep(ctx); err != nil {
		return err
	}
	for _, id := range ids {
		_, _, stepErr := e.step(ctx, Hold{id, e.Owner}, 0)
		err = errors.Join(err, stepErr)
	}
	return err
}

// Explain is what a requester reads about an error.
func Explain(err error) string { return explain(err) }

// ReadGold takes the lines of a gold manifest apart.
var ReadGold = readGold
