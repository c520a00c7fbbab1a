package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"fiducial/internal/config"
)

func newConfig() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Print the settings in force and where each comes from, secrets hidden",
		Args:  cobra.NoArgs,
	}
	s := addSettings(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		sources, err := s.load()
		if err != nil {
			return err
		}
		fmt.Fprint(c.OutOrStdout(), config.Print(s.flags, sources))
		return nil
	}
	return c
}
