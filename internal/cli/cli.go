// Package cli is the command line: one file per command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fiducial/internal/config"
	"fiducial/internal/fault"
)

// version is set by the linker.
var version = "development"

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2

	exitRefused = 3 // access explain: the worker cannot open the object
)

// Main runs the command line and returns the exit status. SIGINT and SIGTERM
// end the command's context; a second one ends the process at once.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // the next signal is the default: the end
	}()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	if err := root.ExecuteContext(ctx); err != nil {
		var refused *refusedError
		if errors.As(err, &refused) {
			return exitRefused
		}
		fmt.Fprintf(errOut, "fiducial: %s\n", describe(err))
		var usage *usageError
		if errors.As(err, &usage) {
			return exitUsage
		}
		return exitError
	}
	return exitOK
}

// usageError is a mistake in the command line itself.
type usageError struct{ error }

func (u *usageError) Unwrap() error { return u.error }

// describe says what went wrong in the words meant for people; the cause is
// shown too, since whoever runs the command owns the machine.
func describe(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err.Error()
	}
	s := f.Message
	if s == "" {
		s = f.Kind.String()
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "fiducial",
		Short:         "A self-hosted data-labelling service that speaks the SageMaker Ground Truth API",
		Long:          "Fiducial runs SageMaker Ground Truth labeling jobs on your own machines and guards the data while people look at it.\n\nSettings are flags, FIDUCIAL_* variables, or names in a YAML file given by --config.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w (see %s --help)", err, c.CommandPath())}
	})
	root.AddCommand(newServe(), newDemo(), newAccess(), newAudit(), newConsolidate(), newJob(), newExport(), newImport(), newTemplate(), newConfig(), newVersion())
	addAccessVerify(root)
	return root
}

// settingsFlags gives a command every setting, and --config.
type settingsFlags struct {
	settings config.Settings
	file     string
	flags    *pflag.FlagSet
}

func addSettings(c *cobra.Command) *settingsFlags {
	s := &settingsFlags{flags: c.Flags()}
	s.settings.Register(c.Flags())
	c.Flags().StringVar(&s.file, config.ConfigFlag, os.Getenv(config.EnvName(config.ConfigFlag)), "YAML file of settings")
	return s
}

func (s *settingsFlags) load() (config.Sources, error) {
	sources, err := config.Load(s.flags, s.file, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return sources, s.settings.Check()
}

// logger writes what happens to w; secrets have types that do not print.
func (s *settingsFlags) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.settings.LogLevel)) // checked by Settings.Check
	o := &slog.HandlerOptions{Level: level}
	if s.settings.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
