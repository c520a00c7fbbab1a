package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fiducial/internal/config"
)

func newAccess() *cobra.Command {
	c := &cobra.Command{
		Use:   "access",
		Short: "Explain, end and test access to media",
		Long: "Commands for whoever answers for the data: why a worker can or cannot open an object, and the end of media URLs.\n\n" +
			"They ask a running server through its API, signed with the AWS credentials of the environment, or else with the root credentials in the data folder.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newAccessExplain(), newAccessRevoke())
	return c
}

// remote says which server a command asks, and with what credentials.
type remote struct{ url, region, dataDir string }

func addRemote(fs *pflag.FlagSet) *remote {
	r := &remote{}
	env := func(name string) string { return os.Getenv(config.EnvName(name)) }
	def := cmp.Or(os.Getenv("AWS_ENDPOINT_URL"), env("public-api-url"), urlOf(env("api-addr")), "http://127.0.0.1:9000")
	fs.StringVar(&r.url, "endpoint-url", def, "URL of the server's API (AWS_ENDPOINT_URL)")
	fs.StringVar(&r.region, "region", cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), env("region"), "us-east-1"), "AWS region")
	fs.StringVar(&r.dataDir, "data-dir", cmp.Or(env("data-dir"), "./fiducial-data"), "folder of root-credentials, where the environment has no AWS credentials")
	return r
}

func urlOf(addr string) string {
	if addr == "" {
		return ""
	}
	return "http://" + addr
}

// client signs with the environment's credentials, or the data folder's.
func (r *remote) client() (*client, error) {
	u, err := url.Parse(r.url)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, &usageError{fmt.Errorf("--endpoint-url %q: expected a URL such as http://127.0.0.1:9000", r.url)}
	}
	base := strings.TrimRight(r.url, "/")
	if id := os.Getenv("AWS_ACCESS_KEY_ID"); id != "" {
		c := newClient(base, r.region, id, os.Getenv("AWS_SECRET_ACCESS_KEY"))
		c.creds.SessionToken = os.Getenv("AWS_SESSION_TOKEN")
		return c, nil
	}
	name := filepath.Join(r.dataDir, "root-credentials")
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name the server's data folder with --data-dir (%w)", err)
	}
	defer f.Close()
	id, secret := readCredentials(f)
	if id == "" || secret == "" {
		return nil, fmt.Errorf("%s has no aws_access_key_id and aws_secret_access_key", name)
	}
	return newClient(base, r.region, id, secret), nil
}

// readCredentials reads the first key pair of an AWS shared-credentials file.
func readCredentials(r io.Reader) (id, secret string) {
	for s := bufio.NewScanner(r); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), "=")
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			id = cmp.Or(id, strings.TrimSpace(value))
		case "aws_secret_access_key":
			secret = cmp.Or(secret, strings.TrimSpace(value))
		}
	}
	return id, secret
}

// call calls an operation of the administrators' API.
func (r *remote) call(ctx context.Context, operation string, in, out any) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	err = c.json(ctx, "fiducial", "Fiducial."+operation, in, out)
	var api *apiError
	if err != nil && !errors.As(err, &api) {
		return fmt.Errorf("the server at %s does not answer: %w", r.url, err)
	}
	return err
}

// printJSON writes a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
