package explain

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
)

// network establishes the origins.
func (r *run) network(context.Context) error {
	for _, o := range []struct {
		into *origin.Origin
		side Side
		from netip.Addr
		via  string
	}{
		{&r.portal, PortalSide, r.q.OpenedFrom, r.q.OpenedVia},
		{&r.bound, MediaSide, r.q.OpenedFrom, r.q.OpenedVia},
		{&r.from, MediaSide, r.q.From, r.q.Via},
	} {
		got, rule, err := r.Network.Arrive(o.side, o.from, o.via)
		if err != nil {
			return r.refuse(rule, fault.MessageOf(err), "Correct the networks in the settings (docs/networks.md), or ask with the address and endpoint that the worker really has.")
		}
		*o.into = got
	}
	switch {
	case r.from.VPCE != "":
		return r.pass("networks", fmt.Sprintf("Requests from %s through %s are of %s.", r.from.Addr, r.from.VPCE, r.from.VPC))
	case !r.from.Known():
		return r.pass("trusted-proxies", fmt.Sprintf("%s is a trusted proxy: by itself it is nobody's address.", r.q.From))
	}
	return r.pass("", fmt.Sprintf("%s comes through no VPC endpoint: policies see aws:SourceIp.", r.from.Addr))
}

// signIn asks where workers may come from: at the portal, and at the media
// endpoint, where the page looks before a task is shown.
func (r *run) signIn(ctx context.Context) error {
	w, err := r.People.Workforce(ctx)
	if fault.Is(err, fault.NotFound) {
		return r.refuse("", "There is no workforce.", "Create one: aws sagemaker create-workforce.")
	}
	if err != nil {
		return err
	}
	of := " of the workforce " + w.Name
	door, err := r.People.Admission(ctx, r.portal)
	if err != nil {
		return err
	}
	if !door.OK {
		return r.refuse(door.Setting+of, fmt.Sprintf("At %s: %s Ranges: %s.", r.portal, door.Reason, list(w.CIDRs)), signInChange(&w, door.Setting, r.portal))
	}
	ok, err := r.People.Admits(ctx, r.bound)
	switch {
	case err != nil:
		return err
	case !ok:
		return r.refuse("SourceIpConfig"+of, fmt.Sprintf("%s, where the media are looked at, is in none of %s.", r.bound, list(w.CIDRs)), signInChange(&w, "SourceIpConfig", r.bound))
	case door.Setting == "WorkforceVpcConfig":
		return r.pass(door.Setting+of, "The portal answers in "+r.portal.VPC+" through "+r.portal.VPCE+"; the ranges of SourceIpConfig do not apply there.")
	case len(w.CIDRs) == 0:
		return r.pass("SourceIpConfig"+of, "No ranges are set: workers may come from anywhere.")
	}
	for _, c := range w.CIDRs {
		if p, err := netip.ParsePrefix(c); err == nil && p.Contains(r.portal.Addr) {
			return r.pass("SourceIpConfig"+of, fmt.Sprintf("%s is in %s.", r.portal.Addr, c))
		}
	}
	return r.pass(door.Setting+of, fmt.Sprintf("%s is admitted.", r.portal))
}

// account asks whether the worker is enabled.
func (r *run) account(context.Context) error {
	by := "user " + r.worker.Username + " of the user pool " + r.worker.Pool
	if r.worker.Enabled {
		return r.pass(by, "The account is enabled.")
	}
	return r.refuse(by, "The account is disabled.",
		"aws cognito-idp admin-enable-user --user-pool-id "+r.worker.Pool+" --username "+r.worker.Username)
}

// membership asks whether the worker is in the job's team.
func (r *run) membership(ctx context.Context) error {
	teams, err := r.People.TeamsOf(ctx, r.worker.ID)
	if err != nil {
		return err
	}
	for i := range teams {
		if teams[i].ARN == r.job.Team {
			r.team = teams[i]
			return r.pass("work team "+r.team.Name, r.worker.Name()+" is a member.")
		}
	}
	if r.team.ARN == "" {
		return r.refuse(r.job.Team, "The job's work team does not exist any more.", "Create the job again with a work team that is there.")
	}
	var groups []string
	for _, m := range r.team.Members {
		groups = append(groups, m.Group)
	}
	change := "Give the work team a member definition (aws sagemaker update-workteam --member-definitions …)."
	if len(groups) > 0 {
		change = "aws cognito-idp admin-add-user-to-group --user-pool-id " + r.worker.Pool + " --username " + r.worker.Username + " --group-name " + groups[0]
	}
	return r.refuse("work team "+r.team.Name, fmt.Sprintf("%s is in none of its groups (%s).", r.worker.Name(), list(groups)), change)
}

// inProgress asks whether workers get tasks of the job.
func (r *run) inProgress(context.Context) error {
	by := "labeling job " + r.job.Name
	if r.job.Open {
		return r.pass(by, "The job is "+r.job.Status+".")
	}
	change := "Create a new job: one that has ended hands out nothing."
	if r.job.Status == "Initializing" {
		change = "Wait until the job is InProgress."
	}
	return r.refuse(by, "The job is "+r.job.Status+" and hands out no tasks.", change)
}

// assignment asks whether the worker has a task that shows the object.
func (r *run) assignment(ctx context.Context) error {
	t, err := r.Jobs.Task(ctx, r.job.Name, r.worker.ID, r.q.Bucket, r.q.Key)
	if err != nil {
		return err
	}
	r.task = t
	by := ""
	if t.Assignment != "" {
		by = "assignment " + t.Assignment
	}
	if t.Shows && (t.Assignment != "" || t.Would) {
		return r.pass(by, t.Detail)
	}
	return r.refuse(by, t.Detail, t.Change)
}

// binding asks what a URL would be bound to.
func (r *run) binding(ctx context.Context) error {
	r.request = access.Request{
		Grant:   identity.Grant{Worker: r.worker.ID, Job: r.job.Name, Team: r.job.Team, Assignment: r.task.Assignment, SignIn: "explain"},
		RoleARN: r.job.RoleARN, Bucket: r.q.Bucket, Key: r.q.Key, Origin: r.portal, Media: r.bound,
		Binding: access.Binding{SourceIP: r.team.BindsSourceIP(), VpcSourceIP: r.team.BindsVpcSourceIP()},
		Expires: r.task.Expires,
	}
	if r.request.Grant.Assignment == "" {
		r.request.Grant.Assignment = "explain"
		r.request.Expires = r.Now().Add(r.job.TimeLimit)
	}
	var err error
	if r.preview, err = r.Grants.Preview(r.request); err != nil {
		return err
	}
	browser, holder := false, "whoever holds it can open it"
	if r.BrowserBound != nil {
		if browser, err = r.BrowserBound(ctx, r.job.Team); err != nil {
			return err
		}
	}
	also := ""
	if browser {
		also, holder = " And to the worker's own browser: elsewhere it opens nothing, whatever the address.", "but to the worker's own browser"
	}
	by := fmt.Sprintf("IamPolicyConstraints of the work team %s (SourceIp %s, VpcSourceIp %s)", r.team.Name, onOff(r.team.BindsSourceIP()), onOff(r.team.BindsVpcSourceIP()))
	switch {
	case r.preview.Invalid != nil:
		return r.refuse("", capital(fault.MessageOf(r.preview.Invalid))+".", "Rename the object, or ask while the task's time is not up.")
	case r.preview.Refused != nil:
		return r.refuse(by, capital(fault.MessageOf(r.preview.Refused))+".", bindingChange(r.team.Name, r.bound))
	case r.preview.Bound == "":
		return r.pass(by, "The URL is bound to no address: "+holder+".")
	}
	return r.pass(by, "The URL is bound to "+r.preview.Bound+"."+also)
}

// revocation asks whether something has ended that the grant would rest on.
func (r *run) revocation(ctx context.Context) error {
	rows, err := r.Grants.Concerning(ctx, r.request)
	if err != nil {
		return err
	}
	if r.preview.Ended != "" {
		detail := "The " + r.preview.Ended + " has ended"
		for _, row := range rows {
			if row.Subject.Kind == r.preview.Ended {
				detail += fmt.Sprintf(" (%s, at %s)", row.Reason, row.At.UTC().Format("2006-01-02 15:04:05Z"))
				break
			}
		}
		return r.refuse("revocation", detail+", and no URL is made for it any more.", "Release the task and take another, or sign in again.")
	}
	if len(rows) > 0 {
		row := rows[0]
		return r.pass("revocation", fmt.Sprintf("URLs made before %s have ended (%s: %s). One made now stands.",
			row.At.UTC().Format("2006-01-02 15:04:05Z"), strings.ReplaceAll(row.Subject.String(), access.OfJobMedia, "media of job"), row.Reason))
	}
	return r.pass("", "Nothing that the URL rests on has ended.")
}

// trust assumes the role.
func (r *run) trust(ctx context.Context) error {
	var err error
	_, r.caller, err = r.Roles.AssumeRoleForService(ctx, r.preview.Session)
	by := "trust policy of " + r.job.RoleARN
	switch {
	case err == nil:
		return r.pass(by, "It lets sagemaker.amazonaws.com assume the role for this job.")
	case fault.Is(err, fault.Denied):
		return r.refuse(by, fault.MessageOf(err), `aws iam update-assume-role-policy: allow sts:AssumeRole to {"Service":"sagemaker.amazonaws.com"}; a condition on aws:SourceArn must admit `+r.preview.Session.SourceARN+".")
	case fault.Is(err, fault.NotFound):
		return r.refuse(by, fault.MessageOf(err), "Create the role again, with the same name and path.")
	}
	return err
}

// object asks whether there is something to open.
func (r *run) object(context.Context) error {
	if r.stored.Missing != "" {
		return r.refuse("", r.stored.Missing, "Put the object there, or correct the manifest. A worker is told 403 and not 404: keys that do not exist are nobody's business.")
	}
	return r.pass("", "It is there.")
}

// key opens the object's data key, as reading the object does.
func (r *run) key(ctx context.Context) error {
	if !r.stored.Sealed {
		return r.pass("", "The object is not sealed.")
	}
	err := r.Objects.OpenKey(ctx, r.caller, r.from, r.q.Bucket, r.q.Key)
	switch {
	case err == nil && r.stored.KeyARN == "":
		return r.pass("SSE-S3", "The object is sealed under a key of this server, which opens for whoever may read the object.")
	case err == nil:
		return r.pass(r.stored.KeyARN, "The key is enabled, and its policy and the role's policies allow kms:Decrypt.")
	case fault.Is(err, fault.Unavailable):
		return err
	}
	change := "See aws kms describe-key; a key that is lost cannot be brought back, and neither can what it seals."
	if r.stored.KeyARN != "" {
		change = "Allow kms:Decrypt on the key to " + r.job.RoleARN + " (aws kms put-key-policy, or a policy of the role), and see that the key is enabled (aws kms describe-key)."
	}
	return r.refuse(r.stored.KeyARN, capital(fault.MessageOf(err))+".", change)
}

func onOff(b bool) string {
	if b {
		return "Enabled"
	}
	return "Disabled"
}

func list(s []string) string {
	if len(s) == 0 {
		return "none"
	}
	const most = 8
	if len(s) > most {
		return strings.Join(s[:most], ", ") + fmt.Sprintf(" and %d more", len(s)-most)
	}
	return strings.Join(s, ", ")
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".")
}
