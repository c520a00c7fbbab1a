package app

import (
	"context"
	"io"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/arn"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/output"
	"fiducial/internal/labeling/quality"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
	"fiducial/internal/template"
	"fiducial/internal/workforce"
)

// The small types here let one service be what another asks for.

// roles gives the engine storage as a job's execution role.
type roles struct{ a *App }

func (r roles) Assume(ctx context.Context, roleARN, sessionName, jobARN string) (engine.Bucket, error) {
	_, caller, err := r.a.iam.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: roleARN, SessionName: sessionName, Duration: engineSession, SourceARN: jobARN})
	if err != nil {
		return nil, err
	}
	return bucket{a: r.a, caller: caller}, nil
}

// engineSession is how long a session of the engine lasts: longer than the engine
// uses one before it makes the next.
const engineSession = time.Hour

// bucket is storage with the rights of one role session.
type bucket struct {
	a      *App
	caller *iam.Caller
	keyID  string // seals what is written; "" for what the bucket says
}

func (b bucket) SealedUnder(keyID string) engine.Bucket {
	b.keyID = keyID
	return b
}

func (b bucket) Get(ctx context.Context, name, key string) (io.ReadCloser, engine.ObjectInfo, error) {
	r, o, err := b.a.objects.Get(ctx, b.caller, name, key)
	if err != nil {
		return nil, engine.ObjectInfo{}, b.why(ctx, err, "s3:GetObject", name, key)
	}
	return r, engine.ObjectInfo{Size: o.Size, ETag: o.ETag}, nil
}

func (b bucket) Put(ctx context.Context, name, key, contentType string, body io.Reader) error {
	return b.why(ctx, b.a.objects.PutUnder(ctx, b.caller, b.keyID, name, key, contentType, body), "s3:PutObject", name, key)
}

// MayPut says whether Put would be refused; what another store says is not known
// before it is asked.
func (b bucket) MayPut(ctx context.Context, name, key string) error {
	if b.a.keptElsewhere(name) {
		return nil
	}
	return b.why(ctx, b.a.objects.MayPut(ctx, b.caller, b.keyID, name, key), "s3:PutObject", name, key)
}

// why tells the job's owner what a refusal rests on. S3 tells nobody; but this
// refusal is read by whoever may describe the job, and must be mended by them.
func (b bucket) why(ctx context.Context, err error, action, name, key string) error {
	if !fault.Is(err, fault.Denied) {
		return err
	}
	if b.a.keptElsewhere(name) && fault.MessageOf(err) != "Access Denied" {
		return err // the other store's own words
	}
	resource := arn.S3Object(name, key)
	reason := "the policy of the bucket refuses it"
	d, aerr := b.a.iam.Authorize(ctx, b.caller, iam.Question{Action: action, Resource: resource})
	switch {
	case aerr != nil:
		return err
	case d.Effect == policy.Deny:
		reason = d.By.String() + " denies it"
	case !d.Allowed():
		reason = "no statement of the role's policies allows it"
	case fault.MessageOf(err) != "Access Denied": // a key's refusal says which key
		reason = fault.MessageOf(err)
	}
	return fault.E("app.bucket", fault.Denied, "Access Denied: "+action+" on "+resource+": "+reason, err)
}

// identities tells the engine who a worker is.
type identities struct{ a *App }

func (i identities) Identity(ctx context.Context, worker string) (output.Identity, error) {
	w, err := i.a.workforce.Worker(ctx, worker)
	if err != nil {
		return output.Identity{}, err
	}
	return output.Identity{ProviderType: "Cognito", Issuer: "https://cognito-idp." + i.a.settings.Region + ".amazonaws.com/" + w.Pool, Sub: w.Sub}, nil
}

// watcher ends the grants of jobs that ended.
type watcher struct{ a *App }

func (w watcher) JobChanged(ctx context.Context, j *labeling.Job) {
	w.a.log.Info("labeling job", "job", j.Name, "status", j.Status, "reason", j.FailureReason)
	switch j.Status {
	case labeling.Stopping, labeling.Stopped, labeling.Completed, labeling.Failed:
		w.a.revoke(ctx, "job "+string(j.Status), access.Subject{Kind: access.OfJob, ID: j.Name})
	}
}

// officer puts on record what quality control does, before it is done.
type officer struct{ a *App }

func (o officer) Acting(ctx context.Context, j *labeling.Job, act quality.Acted) error {
	e := &audit.Event{Time: act.Time, Kind: audit.Quality, Action: "quality:" + act.Action, Verdict: audit.Allow, Worker: act.WorkerId, Job: j.Name,
		Team: j.Human.WorkteamARN, Principal: act.By, Statement: act.Rule, Reason: act.Detail}
	if act.ObjectId != "" {
		e.Resource = j.ARN + "/" + act.ObjectId
	}
	if act.Until != nil {
		e.Expires = *act.Until
	}
	if err := o.a.recorder.Record(ctx, e); err != nil {
		return fault.E("app.officer", fault.Unavailable, "the record cannot be written", err)
	}
	o.a.log.Info("quality control", "job", j.Name, "worker", act.WorkerId, "action", act.Action, "rule", act.Rule, "object", act.ObjectId, "detail", act.Detail, "by", act.By)
	return nil
}

// running tells the workforce whether a team is at work.
type running struct{ a *App }

func (r running) Running(ctx context.Context, workteamARN string) (bool, error) {
	for _, s := range []labeling.Status{labeling.InProgress, labeling.Initializing, labeling.Stopping} {
		jobs, _, err := r.a.engine.ListForWorkteam(ctx, workteamARN, engine.Filter{Flows: true, Status: s, Limit: 1}, "")
		if err != nil || len(jobs) > 0 {
			return len(jobs) > 0, err
		}
	}
	return false, nil
}

// previewLasts is how long media in a rendered preview opens.
const previewLasts = 15 * time.Minute

// media makes URLs for RenderUiTemplate. A preview is bound to the address that
// asked for it: a URL that opens anywhere is what this program does not make.
type media struct{ a *App }

func (m media) ReadURL(ctx context.Context, roleARN, bucket, key string) (string, error) {
	return m.a.access.Mint(ctx, access.Request{
		Grant:   identity.Grant{Worker: "RenderUiTemplate", Assignment: "preview-" + newID(m.a.rand)},
		RoleARN: roleARN, Bucket: bucket, Key: key, Origin: origin.From(ctx),
		Binding: access.Binding{SourceIP: true}, Expires: m.a.now().Add(previewLasts),
	})
}

func builtin(t labeling.TaskType) (string, bool) { return template.Builtin(string(t)) }

// assignments ends the grants of assignments that ended.
type assignments struct{ a *App }

func (e assignments) Ended(ctx context.Context, reason string, ids ...string) error {
	return e.a.endedBy(access.OfAssignment)(ctx, reason, ids...)
}

// endedBy revokes the grants that rest on things of a kind.
func (a *App) endedBy(kind string) func(ctx context.Context, reason string, ids ...string) error {
	return func(ctx context.Context, reason string, ids ...string) error {
		subjects := make([]access.Subject, len(ids))
		for i, id := range ids {
			subjects[i] = access.Subject{Kind: kind, ID: id}
		}
		return a.access.Revoke(ctx, reason, subjects...)
	}
}

func (a *App) revoke(ctx context.Context, reason string, s ...access.Subject) {
	if err := a.access.Revoke(ctx, reason, s...); err != nil {
		a.log.Error("grants could not be ended", "subjects", s, "reason", reason, "error", err)
	}
}

// changes hears of workers and teams: grants die with their reason, and whoever
// is disabled or removed is signed out.
type changes struct{ a *App }

func (c changes) Changed(ctx context.Context, reason string, list ...workforce.Change) error {
	var subjects []access.Subject
	for _, ch := range list {
		subjects = append(subjects, access.Subject{Kind: string(ch.Kind), ID: ch.ID})
	}
	return c.a.access.Revoke(ctx, reason, subjects...)
}
