package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newAccessRevoke() *cobra.Command {
	c := &cobra.Command{
		Use:   "revoke (--worker W | --job J | --team T | --assignment A | --grant G | --object s3://bucket/key | --all) --reason TEXT",
		Short: "End media URLs that were handed out, within a second on every replica",
		Long: "Ends the media URLs that rest on what is named; with several flags, on any of them. URLs made from now on are not concerned:\n" +
			"to keep a worker out, disable the account or take it out of the group; to end a job, stop it. An assignment that is revoked\n" +
			"shows no media any more until it is released. Nothing that was seen can be made unseen; the audit record says by whom it was.",
		Example: "  fiducial access revoke --object s3://photos/1.jpg --reason 'uploaded by mistake'\n  fiducial access revoke --all --reason 'incident 42'",
		Args:    cobra.NoArgs,
	}
	in := map[string]*string{}
	for _, f := range []struct{ flag, member, usage string }{
		{"worker", "Worker", "worker id, e-mail address or user name"},
		{"job", "LabelingJobName", "name of a labeling job"},
		{"team", "Workteam", "name or ARN of a work team"},
		{"assignment", "AssignmentId", "assignment id, as in the audit record"},
		{"grant", "GrantId", "grant id, as in the audit record"},
		{"object", "S3Uri", "s3://bucket/key"},
	} {
		in[f.member] = c.Flags().String(f.flag, "", f.usage)
	}
	all := c.Flags().Bool("all", false, "all media URLs of all workers")
	reason := c.Flags().String("reason", "", "why, for the audit record")
	asJSON := c.Flags().Bool("json", false, "print the answer as JSON")
	r := addRemote(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		request := map[string]any{}
		for member, value := range in {
			if *value != "" {
				request[member] = *value
			}
		}
		if *all {
			request["All"] = true
		}
		switch {
		case len(request) == 0:
			return &usageError{fmt.Errorf("nothing is named that is to end (see fiducial access revoke --help)")}
		case *reason == "":
			return &usageError{fmt.Errorf("--reason is missing: it is what the audit record will say")}
		}
		request["Reason"] = *reason
		var out struct{ Revoked []string }
		if err := r.call(c.Context(), "RevokeAccess", request, &out); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), out)
		}
		for _, s := range out.Revoked {
			fmt.Fprintf(c.OutOrStdout(), "ended: media URLs of %s\n", s)
		}
		return nil
	}
	return c
}
