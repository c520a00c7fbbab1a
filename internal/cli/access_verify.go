package cli

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fiducial/internal/external"
)

// addAccessVerify adds "access verify".
func addAccessVerify(root *cobra.Command) {
	parent, _, err := root.Find([]string{"access"})
	if err != nil || parent == root {
		parent = &cobra.Command{Use: "access", Short: "Prove, explain and end access to media"}
		root.AddCommand(parent)
	}
	parent.AddCommand(newAccessVerify())
}

// errOpened ends the command with status 1.
var errOpened = errors.New("the storage opens what it must not")

func newAccessVerify() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Try to open media in every way that must be refused, and print what happened",
		Long: "Makes sessions for an object that are bound to another address, and tries to open it all the same: with forged headers, from another\n" +
			"source address, with expired and changed URLs, with other keys and methods, and after the session was ended.\n\n" +
			"Without --bucket it tries every bucket of external-buckets that is named (not those of patterns), and the running server's own storage in a\n" +
			"bucket that it makes and removes. The server is asked at --api-addr, with the AWS credentials of the environment or the root key of --data-dir.\n\n" +
			"The exit status is 1 if anything opened that must not open, or if it could not be found out.",
		Args: cobra.NoArgs,
	}
	s := addSettings(c)
	bucket := c.Flags().String("bucket", "", "try this bucket only: one of external-buckets, or one that the server keeps")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if _, err := s.load(); err != nil {
			return err
		}
		v := &verifier{settings: s, out: c.OutOrStdout()}
		return v.run(c.Context(), *bucket)
	}
	return c
}

// verifier is one run of access verify.
type verifier struct {
	settings *settingsFlags
	out      io.Writer
	bad      bool
}

func (v *verifier) run(ctx context.Context, only string) error {
	set := &v.settings.settings
	svc, err := external.New(ctx, external.Options{Settings: set.ExternalBuckets, Account: set.AccountID, Lookup: os.LookupEnv, Now: time.Now})
	if err != nil {
		return err
	}
	stores := svc.Buckets()
	slices.SortFunc(stores, func(a, b *external.Store) int { return cmp.Compare(a.Name(), b.Name()) })
	if only != "" {
		stores = nil
		if st, ok := svc.For(only); ok {
			stores = append(stores, st)
		}
	}
	for _, st := range stores {
		b := st.Setting()
		if b.Via == external.Direct {
			v.print(st.Probe(ctx), "media open at the store, until they expire ("+b.Expires.String()+")")
			continue
		}
		v.print(v.own(ctx, st.Name()), "media pass through this server")
	}
	if only == "" || len(stores) == 0 {
		v.print(v.own(ctx, only), "kept by this server")
	}
	if v.bad {
		return errOpened
	}
	return nil
}

func (v *verifier) print(r *external.Report, how string) {
	fmt.Fprintf(v.out, "%s (%s; %s)\n", r.Base, r.Kind, how)
	w := tabwriter.NewWriter(v.out, 0, 4, 2, ' ', 0)
	opened, last := 0, ""
	for i := range r.Rows {
		row := &r.Rows[i]
		group := row.Group
		if group == last {
			group = ""
		}
		last = row.Group
		verdict := "refused"
		switch {
		case row.Bad && row.Opened:
			verdict = "OPENED"
			opened++
		case row.Bad:
			verdict = "DOES NOT OPEN"
		case row.Opened:
			verdict = "opens, as it must"
		case row.Status == 0 && row.Group == external.Recall:
			verdict = "not possible"
		}
		status := "-"
		if row.Status != 0 {
			status = fmt.Sprint(row.Status)
		}
		if row.Note != "" {
			verdict += " (" + row.Note + ")"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", group, row.Name, status, verdict)
	}
	_ = w.Flush()
	switch {
	case r.Err != nil:
		fmt.Fprintf(v.out, "  %s\n", r.Verdict())
		v.bad = true
	default:
		fmt.Fprintf(v.out, "  %d attempts; %d opened what must not open\n", len(r.Rows), opened)
		v.bad = v.bad || !r.Holds || !r.Binds || r.Failed()
	}
	if fix := r.Fix(); fix != "" {
		fmt.Fprintf(v.out, "  fix: %s\n", fix)
	}
	fmt.Fprintln(v.out)
}

// own tries the server's own endpoint through its public APIs: with a user, a
// role and sessions like anybody's.
func (v *verifier) own(ctx context.Context, bucket string) *external.Report {
	set := &v.settings.settings
	base := set.Public(set.PublicAPIURL, set.APIAddr)
	report := func(err error) *external.Report {
		return &external.Report{Bucket: bucket, Base: base + "/" + bucket, Kind: external.S3, At: time.Now().UTC(), Err: err}
	}
	id, secret, err := v.credentials()
	if err != nil {
		return report(err)
	}
	t := &ownTarget{client: newClient(base, set.Region, id, secret), account: set.AccountID, bucket: bucket}
	defer t.remove(context.WithoutCancel(ctx))
	if err := t.make(ctx); err != nil {
		return report(fmt.Errorf("the server at %s: %w", base, err))
	}
	return external.Probe(ctx, t.target())
}

// credentials are those of the environment, else the account's root key.
func (v *verifier) credentials() (id, secret string, err error) {
	if id, secret = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"); id != "" && secret != "" {
		return id, secret, nil
	}
	set := &v.settings.settings
	if set.RootAccessKeyID != "" {
		return set.RootAccessKeyID, set.RootSecretKey.Reveal(), nil
	}
	return readRootCredentials(set.DataDir)
}

// put, query and do of the client return what the API says; iamKey reads the one
// answer that is needed.
func (t *ownTarget) iamKey(ctx context.Context) (id, secret string, err error) {
	body := "Action=CreateAccessKey&Version=2010-05-08&UserName=" + t.name
	b, err := t.do(ctx, "iam", http.MethodPost, "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}, []byte(body))
	if err != nil {
		return "", "", err
	}
	var out struct {
		AccessKeyID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		SecretAccessKey string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	if err := xml.Unmarshal(b, &out); err != nil || out.AccessKeyID == "" {
		return "", "", errors.Join(errors.New("CreateAccessKey answers without a key"), err)
	}
	return out.AccessKeyID, strings.TrimSpace(out.SecretAccessKey), nil
}
