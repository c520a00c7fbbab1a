package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"fiducial/internal/access/explain"
	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/fiducialapi"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/labeling"
	"fiducial/internal/objects"
	"fiducial/internal/origin"
)

// explainer makes the service that explains access, out of what the real path
// goes through.
func (a *App) explainer() *explain.Service {
	return explain.New(explain.Options{
		People: a.workforce, Grants: a.access, Roles: a.iam, Jobs: explainedJobs{a}, Objects: explainedObjects{a},
		Network: explainedNetwork{a}, Now: a.now, BrowserBound: a.browserBound,
	})
}

// explainedNetwork makes origins as the listeners do.
type explainedNetwork struct{ a *App }

func (n explainedNetwork) Arrive(side explain.Side, from netip.Addr, via string) (origin.Origin, string, error) {
	at := origin.Arrival{Peer: from, Endpoint: via, Service: origin.Portal, Secure: strings.HasPrefix(n.a.portalURL, "https:")}
	if side == explain.MediaSide {
		at.Service, at.Secure = origin.API, strings.HasPrefix(n.a.apiURL, "https:")
	}
	if side == explain.PortalSide {
		at.Endpoint = n.portalEndpoint(via)
	}
	o, err := n.a.resolver.Establish(at, nil)
	var refusal *origin.Refusal
	if errors.As(err, &refusal) {
		return o, refusal.Rule, fault.Newf("app.Arrive", fault.Denied, "%s", refusal.Reason)
	}
	return o, "", err
}

// portalEndpoint is the endpoint through which the portal is reached by a worker
// who reaches media through via: an endpoint may lead to the one and not to the
// other. Without one, the portal is reached from outside.
func (n explainedNetwork) portalEndpoint(via string) string {
	e, ok := n.a.resolver.Networks().Endpoint(via)
	if !ok || e.Serves(origin.Portal) {
		return via
	}
	if e, ok = e.VPC.Portal(); ok {
		return e.ID
	}
	return ""
}

func (n explainedNetwork) Inside(vpc string) (origin.Origin, bool) {
	v, ok := n.a.resolver.Networks().VPC(vpc)
	if !ok {
		return origin.Origin{}, false
	}
	for _, e := range v.Endpoints {
		if e.Serves(origin.API) {
			from, ok := v.Sample()
			return origin.Origin{Addr: from, VPC: vpc, VPCE: e.ID, Secure: strings.HasPrefix(n.a.apiURL, "https:")}, ok
		}
	}
	return origin.Origin{}, false
}

// explainedObjects is storage as a browser asks it.
type explainedObjects struct{ a *App }

func (o explainedObjects) Ask(ctx context.Context, c *iam.Caller, from origin.Origin, bucket, key string) (explain.Stored, error) {
	asked, err := o.a.objects.Ask(ctx, &objects.Call{Caller: c, Origin: from, Method: "GET", UserAgent: "Mozilla/5.0", AuthType: "REST-QUERY-STRING"}, bucket, key)
	out := explain.Stored{Question: asked.Question, Abroad: asked.Abroad}
	if err != nil {
		return out, err
	}
	if asked.Missing == nil {
		if e := asked.Object.Encryption; e != nil {
			out.Sealed, out.KeyARN = true, e.KeyARN
		}
		return out, nil
	}
	out.Missing = "There is no object s3://" + bucket + "/" + key + "."
	out.NoBucket = fault.CodeOf(asked.Missing) == "NoSuchBucket"
	return out, nil
}

func (o explainedObjects) OpenKey(ctx context.Context, c *iam.Caller, from origin.Origin, bucket, key string) error {
	call := &objects.Call{Caller: c, Origin: from, Method: "GET"}
	asked, err := o.a.objects.Ask(ctx, call, bucket, key)
	switch {
	case err != nil:
		return err
	case asked.Missing != nil:
		return asked.Missing
	}
	return o.a.objects.OpenKey(ctx, call, asked.Object)
}

// explainedJobs knows jobs and tasks.
type explainedJobs struct{ a *App }

func (x explainedJobs) Job(ctx context.Context, name string) (explain.Job, error) {
	j, err := x.a.engine.Describe(ctx, name)
	if err != nil {
		return explain.Job{}, err
	}
	open, err := x.a.labeling.InProgress(ctx, j.ID)
	return explain.Job{
		Name: j.Name, Status: string(j.Status), Open: open, Team: j.Human.WorkteamARN, RoleARN: j.RoleARN, TimeLimit: j.Human.TaskTimeLimit,
	}, err
}

// Task looks at the task that the worker holds, as its page would show it, or for
// one that the worker could be given.
func (x explainedJobs) Task(ctx context.Context, job, worker, bucket, key string) (explain.Task, error) {
	j, err := x.a.engine.Describe(ctx, job)
	if err != nil {
		return explain.Task{}, err
	}
	now := x.a.now()
	held, err := x.a.labeling.Held(ctx, j.ID, worker, now)
	if err != nil {
		return explain.Task{}, err
	}
	if held == "" {
		return x.wouldHold(ctx, j, worker, bucket, key)
	}
	a, err := x.a.labeling.Assignment(ctx, held)
	if err != nil {
		return explain.Task{}, err
	}
	t := explain.Task{Assignment: a.ID, Index: a.Index, Expires: a.ExpiresAt}
	var why error
	if t.Shows, why, err = x.shows(ctx, &a, bucket, key); err != nil {
		return t, err
	}
	if t.Shows {
		t.Detail = fmt.Sprintf("The worker holds data object %d of the job until %s, and its page shows the object.", a.Index, a.ExpiresAt.UTC().Format("2006-01-02 15:04:05Z"))
		return t, nil
	}
	t.Detail = fmt.Sprintf("The worker holds data object %d of the job, whose page does not show the object.", a.Index)
	if why != nil {
		t.Detail = fmt.Sprintf("The worker holds data object %d of the job, whose page cannot be made: %v.", a.Index, why)
	}
	t.Change = "A worker sees the media of the task at hand only: ask for an object of that task, or have the worker finish or release it first."
	return t, nil
}

// shows reports whether a task's page asks for the object; why says what keeps
// the page from being made.
func (x explainedJobs) shows(ctx context.Context, a *labeling.Assignment, bucket, key string) (yes bool, why, err error) {
	media, err := x.a.pages.Media(ctx, a)
	if err != nil {
		return false, err, nil
	}
	for _, m := range media {
		if m.Bucket == bucket && m.Key == key {
			return true, nil, nil
		}
	}
	return false, nil, nil
}

// task is an assignment of a data object as its page would see it. What a
// pre-annotation function made of the object is there while the object is with
// the workers; before and afterwards its page cannot be made.
func (x explainedJobs) task(ctx context.Context, j *labeling.Job, index int64, worker string, line json.RawMessage) *labeling.Assignment {
	a := &labeling.Assignment{ID: "explain", Job: j, Index: index, Worker: worker, Line: line}
	if j.Input == labeling.FunctionInput {
		a.Input, _ = x.a.labeling.TaskInput(ctx, j.ID, index)
	}
	return a
}

// tries bounds how many tasks are rendered to find one that shows an object.
const tries = 200

// wouldHold looks for a task that shows the object and that the worker could be
// given now.
func (x explainedJobs) wouldHold(ctx context.Context, j *labeling.Job, worker, bucket, key string) (explain.Task, error) {
	var best explain.Task
	found := false
	var failed error
	rendered := 0
	name := []byte(key[strings.LastIndexByte(key, '/')+1:])
	err := x.a.labeling.Lines(ctx, j.ID, func(index int64, line json.RawMessage) bool {
		// A page names an object that its line names, unless the template makes
		// names itself: those lines are tried too, as far as there are few.
		if !bytes.Contains(line, name) && !bytes.ContainsRune(line, '\\') && rendered >= tries/2 {
			return ctx.Err() == nil
		}
		if rendered++; rendered > tries {
			return false
		}
		yes, _, err := x.shows(ctx, x.task(ctx, j, index, worker, line), bucket, key)
		if err != nil || !yes {
			failed = err
			return err == nil
		}
		t, err := x.standing(ctx, j, index, worker)
		if err != nil {
			failed = err
			return false
		}
		if !found || t.Would {
			best, found = t, true
		}
		return !best.Would
	})
	switch {
	case err != nil || failed != nil:
		return best, errors.Join(err, failed)
	case !found:
		return explain.Task{Detail: "No task of the job shows the object.", Change: "Ask for an object that the job's manifest names, or correct the manifest or the template and make a new job."}, nil
	}
	return best, nil
}

// standing says whether the worker could be given an object.
func (x explainedJobs) standing(ctx context.Context, j *labeling.Job, index int64, worker string) (explain.Task, error) {
	t := explain.Task{Index: index, Shows: true}
	s, err := x.a.labeling.Standing(ctx, j, index, worker, x.a.now())
	if err != nil {
		return t, err
	}
	named := fmt.Sprintf("Data object %d of the job shows the object", index)
	refuse := func(detail, change string) (explain.Task, error) {
		t.Detail, t.Change = named+detail, change
		return t, nil
	}
	switch {
	case s.Available:
		t.Would = true
		t.Detail = named + "; the worker holds no task and can be given this one."
		return t, nil
	case s.Mine == labeling.Submitted:
		return refuse(", and the worker has answered it: the URL ended with the answer.", "Nothing: nobody looks at an object again after the answer.")
	case s.Mine == labeling.Declined:
		return refuse(", and the worker has declined it.", "Nothing: what a worker declined is not offered to them again.")
	case s.Finished:
		return refuse(", which has its label already.", "Nothing: objects with a label are not shown any more.")
	case s.Ready:
		return refuse(fmt.Sprintf("; all %d places are taken (%d held or answered).", s.Places, s.Taken), "Wait until a place is free, or ask for more workers per object in a new job.")
	}
	return refuse(", which is not on offer at the moment.", "Wait: MaxConcurrentTaskCount objects are on offer at once.")
}

// samples bounds how many lines are looked at for buckets.
const samples = 12

// Samples are objects that the first tasks show, one of each bucket.
func (x explainedJobs) Samples(ctx context.Context, job string) ([]explain.Sample, error) {
	j, err := x.a.engine.Describe(ctx, job)
	if err != nil {
		return nil, err
	}
	var out []explain.Sample
	seen := map[string]bool{}
	looked := 0
	err = x.a.labeling.Lines(ctx, j.ID, func(index int64, line json.RawMessage) bool {
		looked++
		media, _ := x.a.pages.Media(ctx, x.task(ctx, j, index, "", line))
		for _, m := range media {
			if !seen[m.Bucket] {
				seen[m.Bucket] = true
				out = append(out, explain.Sample{Bucket: m.Bucket, Key: m.Key})
			}
		}
		return looked < samples && ctx.Err() == nil
	})
	if err != nil || len(out) > 0 || j.Status != labeling.Initializing {
		return out, err
	}
	if m, err := labeling.ParseS3Object(j.ManifestURI); err == nil {
		out = append(out, explain.Sample{Bucket: m.Bucket, Key: m.Key, Manifest: true})
	}
	return out, nil
}

// fiducialAPI is the administrators' service.
func (a *App) fiducialAPI() *awsapi.Service {
	return fiducialapi.New(fiducialapi.Deps{
		Explain: a.explainer(), Revoke: a.access, Teams: a.workforce, Quality: a.engine, Report: a.accessReport, Region: a.settings.Region, Account: a.settings.AccountID,
		Jobs: func(ctx context.Context, name string) (string, error) {
			j, err := a.engine.Describe(ctx, name)
			if err != nil {
				return "", err
			}
			return j.Name, nil
		},
	}).Service()
}
