package app

import (
	"context"
	"time"

	"fiducial/internal/functions"
	"fiducial/internal/functions/command"
	"fiducial/internal/functions/httpfn"
	"fiducial/internal/functions/lambda"
)

// functions makes what runs the functions of labeling jobs.
func (a *App) functions() (*functions.Service, error) {
	return functions.New(functions.Options{Settings: a.settings.Functions, Runner: a.functionRunner, IAM: a.iam, Audit: a.recorder,
		Log: a.log.With("part", "functions"), Now: a.now, Pause: pause})
}

func (a *App) functionRunner(f functions.Setting) (functions.Runner, error) {
	switch {
	case f.Lambda != nil:
		return lambda.New(context.Background(), f)
	case f.URL != "":
		return httpfn.New(f)
	}
	// A certificate is for the public name; without TLS the nearest way is best.
	endpoint := a.LocalAPIURL()
	if a.settings.TLS() {
		endpoint = a.apiURL
	}
	return command.New(f, command.Options{Endpoint: endpoint, Region: a.settings.Region})
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
