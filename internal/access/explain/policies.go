package explain

import (
	"context"
	"fmt"
	"strings"

	"fiducial/internal/policy"
)

// decision is what the policy engine says about the request, by gate.
type decision struct {
	policy.Explanation
	denies, allows map[policy.Gate]*policy.Trace // the first that applies
	near           map[policy.Gate]*policy.Trace // the first Allow that does not
}

func sort(x policy.Explanation) *decision {
	d := &decision{Explanation: x, denies: map[policy.Gate]*policy.Trace{}, allows: map[policy.Gate]*policy.Trace{}, near: map[policy.Gate]*policy.Trace{}}
	for i := range x.Statements {
		t := &x.Statements[i]
		into := d.near
		switch {
		case t.Applies && t.Allow:
			into = d.allows
		case t.Applies:
			into = d.denies
		case !t.Allow:
			continue
		}
		if into[t.By.Gate] == nil {
			into[t.By.Gate] = t
		}
	}
	return d
}

// policies asks the role's policies, the session policy and the bucket policy, as
// the S3 endpoint does.
func (r *run) policies(ctx context.Context) error {
	var err error
	if r.stored, err = r.Objects.Ask(ctx, r.caller, r.from, r.q.Bucket, r.q.Key); err != nil {
		return err
	}
	if r.stored.NoBucket {
		_ = r.add(Gate{Verdict: NotReached})
		_ = r.add(Gate{Verdict: NotReached})
		return r.refuse("bucket "+r.q.Bucket, "There is no such bucket.", "Correct the manifest, or create the bucket.")
	}
	x, err := r.Roles.Explain(ctx, r.caller, r.stored.Question)
	if err != nil {
		return err
	}
	d := sort(x)
	for _, gate := range []func(*run, *decision) error{(*run).role, (*run).session, (*run).bucket} {
		if err := gate(r, d); err != nil {
			return err
		}
	}
	r.reconcile(&d.Decision)
	return nil
}

// gateNames are the gates of the policy engine as they are called here.
var gateNames = map[policy.Gate]string{policy.IdentityGate: "role", policy.SessionGate: "session", policy.ResourceGate: "bucket"}

// reconcile holds the gates to the engine's decision, which is what happens,
// whatever the statements by themselves made of it.
func (r *run) reconcile(d *policy.Decision) {
	last := r.gates[len(r.gates)-len(gateNames):]
	if d.Allowed() {
		for i := range last {
			if last[i].Verdict == Refused {
				last[i] = Gate{Name: last[i].Name, Title: last[i].Title, Verdict: Passed, By: d.By.String(), Detail: "Another policy allows the request by itself."}
			}
		}
		return
	}
	r.decided = gateNames[d.By.Gate]
	for i := range last {
		if last[i].Name == r.decided && last[i].Verdict != Refused {
			last[i].Verdict, last[i].By, last[i].Detail = Refused, d.By.String(), capital(d.Reason)+"."
		}
	}
}

// decided reports whether the engine's refusal is this gate's.
func (d *decision) decided(g policy.Gate) bool {
	return !d.Decision.Allowed() && d.Decision.By.Gate == g
}

func (r *run) role(d *decision) error {
	const g = policy.IdentityGate
	by := "policies of " + r.job.RoleARN
	switch {
	case d.denies[g] != nil:
		t := d.denies[g]
		return r.refuse(t.By.String(), "It denies "+r.stored.Question.Action+conditionsOf(t)+".", "Change or remove this statement: aws iam put-role-policy.")
	case d.allows[g] != nil:
		return r.pass(d.allows[g].By.String(), "It allows "+r.stored.Question.Action+" on the object.")
	case d.Decision.Allowed() || !d.decided(g) && d.allows[policy.ResourceGate] != nil:
		return r.pass(by, "No statement is about the object; the bucket policy allows it to the role.")
	}
	detail := fmt.Sprintf("No statement allows %s on %s.", r.stored.Question.Action, r.stored.Question.Resource)
	if near := d.near[g]; near != nil {
		detail += " Nearest: " + near.String() + "."
	} else if d.Decision.Reason != "" && len(d.Statements) == 0 {
		detail = capital(d.Decision.Reason) + "."
	}
	return r.refuse(by, detail, fmt.Sprintf("Allow %s on %s to the role: aws iam put-role-policy.", r.stored.Question.Action, r.stored.Question.Resource))
}

func (r *run) session(d *decision) error {
	const g = policy.SessionGate
	if t := d.allows[g]; t != nil {
		return r.pass("session policy", "It allows this object from "+r.from.String()+".")
	}
	detail := "It allows this object from " + r.preview.Bound + " only; the request comes from " + r.from.String() + "."
	if r.preview.Bound == "" {
		detail = "It does not allow the object."
	}
	return r.refuse("session policy", detail, "Open the task where the media is looked at: the URL is made for the origin of the page that shows it. "+
		"A URL that was passed on or copied stays closed, as it should.")
}

func (r *run) bucket(d *decision) error {
	const g = policy.ResourceGate
	by := "bucket policy of " + r.q.Bucket
	switch t := d.denies[g]; {
	case t != nil:
		return r.refuse(r.statement(t), "It denies "+r.stored.Question.Action+conditionsOf(t)+".", bucketChange(t, r.from))
	case r.stored.Abroad:
		return r.pass(by, "Another store keeps the bucket. What its own policy says is not known here: fiducial access verify tries it.")
	case r.stored.Question.ResourcePolicy == nil:
		return r.pass(by, "The bucket has no policy.")
	case d.allows[g] != nil:
		return r.pass(r.statement(d.allows[g]), "It allows "+r.stored.Question.Action+" on the object.")
	case d.decided(g):
		return r.refuse(by, capital(d.Decision.Reason)+".", "Allow it to "+r.job.RoleARN+" in the bucket policy.")
	}
	return r.pass(by, "No statement of it denies the request.")
}

// statement names a statement of the bucket's policy.
func (r *run) statement(t *policy.Trace) string { return nameOf(t, r.q.Bucket) }

func nameOf(t *policy.Trace, bucket string) string {
	return strings.Replace(t.By.String(), "resource policy", "bucket policy of "+bucket, 1)
}

// conditionsOf is the conditions under which a statement applies, in words.
func conditionsOf(t *policy.Trace) string {
	if len(t.Clauses) == 0 {
		return ""
	}
	parts := make([]string, len(t.Clauses))
	for i, c := range t.Clauses {
		parts[i] = c.String()
	}
	return " where " + strings.Join(parts, " and ")
}

// wantedBy is conditionsOf without what one request had.
func wantedBy(t *policy.Trace) string {
	if len(t.Clauses) == 0 {
		return ""
	}
	parts := make([]string, len(t.Clauses))
	for i, c := range t.Clauses {
		parts[i] = c.Key + " " + c.Operator + " " + strings.Join(c.Wanted, ", ")
	}
	return " where " + strings.Join(parts, " and ")
}
