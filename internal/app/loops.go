package app

import (
	"context"
	"time"
)

// loop is one piece of background work. It runs until its context ends; an
// error before that stops the server.
type loop struct {
	name string
	run  func(context.Context) error
}

// How often the small chores are done.
const signinSweepEvery = 10 * time.Minute

func (a *App) loops() []loop {
	return []loop{
		{"access", a.access.Run},
		{"places", a.places.Run},
		{"kms", a.kms.Run},
		{"sealed columns", a.sealColumns},
		{"labeling engine", a.engine.Run},
		{"external", a.runExternal},
		{"outbound", a.outbound.Run},
		{"event notifications", a.s3Events.Run},
		{"messaging", a.messaging.Run},
		{"notices", a.notices.Run},
		{"ends of jobs", a.tellEnds},
		{"objects", func(ctx context.Context) error { a.objects.Run(ctx); return nil }},
		{"audit", a.runAudit},
		{"audit files", a.runAuditFiles},
		{"signin", func(ctx context.Context) error {
			every(ctx, signinSweepEvery, func() {
				if err := a.signin.Sweep(ctx); err != nil && ctx.Err() == nil {
					a.log.Warn("expired sessions were not removed", "error", err)
				}
			})
			return nil
		}},
	}
}

// every calls do at once and then again after each pause, until ctx ends.
func every(ctx context.Context, pause time.Duration, do func()) {
	t := time.NewTicker(pause)
	defer t.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
