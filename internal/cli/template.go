package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fiducial/internal/fault"
	"fiducial/internal/template"
)

func newTemplate() *cobra.Command {
	c := &cobra.Command{
		Use:   "template",
		Short: "Write and try worker task templates",
		Long:  "Begin with a starter template, look at it as a worker will, and see what is wrong with it by line and column. Nothing here needs a server.",
	}
	c.AddCommand(newTemplateNew(), newTemplateCheck(), newTemplatePreview())
	return c
}

func newTemplateNew() *cobra.Command {
	var input bool
	c := &cobra.Command{
		Use:   "new [TASK-TYPE]",
		Short: "Print a starter template, or the list of them",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			if len(args) == 0 {
				w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				for _, s := range template.Starters() {
					fmt.Fprintf(w, "%s\t%s\n", s.Name, s.About)
				}
				return w.Flush()
			}
			s, ok := template.StarterNamed(args[0])
			if !ok {
				return &usageError{fmt.Errorf("there is no starter template %q (see fiducial template new)", args[0])}
			}
			if input {
				_, err := out.Write(s.Input)
				return err
			}
			_, err := io.WriteString(out, s.Source)
			return err
		},
	}
	c.Flags().BoolVar(&input, "input", false, "print the input that the template can be tried with")
	return c
}

// sheet is a template file, with what it is rendered over.
type sheet struct {
	file, input string
	media       string // folder of objects, BUCKET/KEY
}

func (s *sheet) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.input, "input", "", "JSON file of the task's input, what the template sees as task.input (default: an empty object)")
	c.Flags().StringVar(&s.media, "media", "", "folder with the objects that the template shows, as BUCKET/KEY")
}

func (s *sheet) read() (src string, input json.RawMessage, err error) {
	b, err := os.ReadFile(s.file)
	if err != nil {
		return "", nil, fault.E("cli.template", fault.NotFound, "The template cannot be read", err)
	}
	input = json.RawMessage(`{}`)
	if s.input != "" {
		if input, err = os.ReadFile(s.input); err != nil {
			return "", nil, fault.E("cli.template", fault.NotFound, "--input: the task's input cannot be read", err)
		}
	}
	return string(b), input, nil
}

// errTemplate says that what is wrong was printed.
var errTemplate = errors.New("the template has errors")

func newTemplateCheck() *cobra.Command {
	var s sheet
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a template, by line and column",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s.file = args[0]
			src, input, err := s.read()
			if err != nil {
				return err
			}
			errs := template.Check(src)
			if len(errs) == 0 && s.input != "" {
				_, errs = template.Render(c.Context(), src, input, template.Functions{GrantReadAccess: s.grant(""), Now: now}, template.Limits{})
			}
			for _, e := range errs {
				fmt.Fprintf(c.OutOrStdout(), "%s:%d:%d: %s: %s\n", s.file, e.Line, e.Column, e.Code, e.Message)
			}
			if len(errs) > 0 {
				return errTemplate
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: no errors\n", filepath.Base(s.file))
			return nil
		},
	}
	s.flags(c)
	return c
}

// inFolder is a path below a folder that a bucket and key name; ok is false where
// they name none.
func inFolder(bucket, key string) (path string, ok bool) {
	path = bucket + "/" + strings.TrimPrefix(key, "/")
	return path, filepath.IsLocal(path)
}
