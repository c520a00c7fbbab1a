package cli

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"fiducial/internal/app"
)

// collectLess trades memory for processor time: the heap of a server is some ten
// megabytes, and with the default the collector runs many times a second under
// load. GOGC wins if it is set.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

func newServe() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the service: AWS-shaped APIs, worker portal, operations endpoints",
		Args:  cobra.NoArgs,
	}
	s := addSettings(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if _, err := s.load(); err != nil {
			return err
		}
		collectLess()
		log := s.logger(c.ErrOrStderr())
		a, err := app.New(c.Context(), &s.settings, version, log)
		if err != nil {
			return err
		}
		log.Info("Fiducial is ready", "version", version, "api", a.APIURL(), "portal", a.PortalURL(), "ops", a.OpsURL(), "data", s.settings.DataDir)
		return a.Run(c.Context())
	}
	return c
}
