package portal

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/queue"
)

type giver func(ctx context.Context, w labeling.Worker, id string) error

var assignmentID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// assignment reads the worker's own live assignment that the path names.
func (p *Portal) assignment(v *visit) (labeling.Assignment, error) {
	id := v.PathValue("assignment")
	if !assignmentID.MatchString(id) {
		return labeling.Assignment{}, fault.Newf("portal.assignment", fault.NotFound, "There is no such task for you.")
	}
	a, err := p.Queue.Get(v.Context(), v.labeler(), id)
	if err != nil && !fault.Is(err, fault.InUse) {
		// Somebody asks for what is not theirs. The record must not fail silently,
		// but it is the refusal that counts.
		if rerr := p.record(v, "GetTask", &labeling.Assignment{ID: id}, err); rerr != nil {
			return a, rerr
		}
	}
	return a, err
}

type taskPage struct {
	ID, Job, Title, Description string
	ExpiresAt, Probe            string
	Draft                       json.RawMessage
}

func (p *Portal) task(v *visit) (reply, error) {
	a, err := p.assignment(v)
	if err != nil {
		return nil, err
	}
	draft := a.Draft
	if len(draft) == 0 {
		draft = json.RawMessage("null")
	}
	probe, err := p.probeURL(v, &a)
	if err != nil {
		return nil, err
	}
	return page{"task", http.StatusOK, v, taskPage{
		ID: a.ID, Job: a.Job.Name, Title: a.Job.Human.Title, Description: a.Job.Human.Description,
		ExpiresAt: a.ExpiresAt.UTC().Format(time.RFC3339), Probe: probe, Draft: draft,
	}}, nil
}

// nextTask is the shape of WEB's "next".
type nextTask struct {
	Assignment  string          `json:"assignment"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	ExpiresAt   string          `json:"expiresAt"`
	Frame       string          `json:"frame"`
	Probe       string          `json:"probe"` // what to ask the media endpoint first
	Draft       json.RawMessage `json:"draft"`
}

type moved struct {
	Next    *nextTask `json:"next"`
	JobDone bool      `json:"jobDone"`
}

// after answers with the task that comes next, or says why there is none.
func (p *Portal) after(v *visit, a labeling.Assignment, err error) (reply, error) {
	switch {
	case fault.CodeOf(err) == queue.CodeJobEnded:
		return answer{moved{JobDone: true}}, nil
	case fault.Is(err, fault.NotFound):
		return answer{moved{}}, nil
	case err != nil:
		return nil, err
	}
	draft := a.Draft
	if len(draft) == 0 {
		draft = json.RawMessage("null")
	}
	probe, err := p.probeURL(v, &a)
	if err != nil {
		return nil, err
	}
	return answer{moved{Next: &nextTask{
		Assignment: a.ID, Title: a.Job.Human.Title, Description: a.Job.Human.Description,
		ExpiresAt: a.ExpiresAt.UTC().Format(time.RFC3339), Frame: "/tasks/" + a.ID + "/frame", Probe: probe, Draft: draft,
	}}}, nil
}

// body reads a JSON request.
func (v *visit) body(into any) error {
	const op = "portal.body"
	if mediaType(v.Header.Get("Content-Type")) != "application/json" {
		return fault.Newf(op, fault.Invalid, "The request must be JSON (application/json).")
	}
	b, err := io.ReadAll(v.Body)
	if err != nil {
		return tooLong(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fault.E(op, fault.Invalid, "The request is not well-formed JSON.", err)
	}
	return nil
}

func (v *visit) empty() error {
	var nothing struct{}
	return v.body(&nothing)
}

func (v *visit) answer() (json.RawMessage, error) {
	var in struct {
		Answer json.RawMessage `json:"answer"`
	}
	if err := v.body(&in); err != nil {
		return nil, err
	}
	if len(in.Answer) == 0 {
		return nil, fault.Newf("portal.answer", fault.Invalid, "The request has no answer: expected {\"answer\": {…}}.")
	}
	return in.Answer, nil
}

func (p *Portal) draft(v *visit) (reply, error) {
	draft, err := v.answer()
	if err != nil {
		return nil, err
	}
	if err := p.Queue.SaveDraft(v.Context(), v.labeler(), v.PathValue("assignment"), draft); err != nil {
		return nil, err
	}
	return answer{}, nil
}

func (p *Portal) submit(v *visit) (reply, error) {
	given, err := v.answer()
	if err != nil {
		return nil, err
	}
	id := v.PathValue("assignment")
	// Which job goes on is read before: a submitted assignment is not to be got.
	// A repeated submit is acknowledged without knowing it.
	a, gone := p.Queue.Get(v.Context(), v.labeler(), id)
	if gone != nil {
		a = labeling.Assignment{ID: id}
	}
	if err := p.Queue.Submit(v.Context(), v.labeler(), id, given); err != nil {
		return nil, p.refused(v, "SubmitTask", &a, err)
	}
	if err := p.record(v, "SubmitTask", &a, nil); err != nil {
		// The answer is stored; saying otherwise would have it sent again.
		p.Logger.Error("a submitted task was not recorded", "assignment", id, "error", err)
	}
	return p.onward(v, &a)
}

// onward takes the next task of the job that the worker was at.
func (p *Portal) onward(v *visit, a *labeling.Assignment) (reply, error) {
	if a.Job == nil {
		return answer{moved{}}, nil
	}
	next, err := p.takeFrom(v, a.Job.Name)
	return p.after(v, next, err)
}

func (p *Portal) release(v *visit) (reply, error) {
	if _, err := p.give(v, "ReleaseTask", p.Queue.Release); err != nil {
		return nil, err
	}
	// The next task would be the one just given back.
	return toJobs("released"), nil
}

func (p *Portal) decline(v *visit) (reply, error) {
	a, err := p.give(v, "DeclineTask", p.Queue.Decline)
	if err != nil {
		return nil, err
	}
	return p.onward(v, &a)
}

func (p *Portal) stop(v *visit) (reply, error) {
	if _, err := p.give(v, "StopForNow", p.Queue.StopForNow); err != nil {
		return nil, err
	}
	return toJobs("stopped"), nil
}

// toJobs sends the page back to the list. The members of moved are there for
// scripts that only know those.
func toJobs(note string) reply {
	return answer{struct {
		moved
		Redirect string `json:"redirect"`
	}{Redirect: "/?note=" + note}}
}

// give ends or leaves a live assignment.
func (p *Portal) give(v *visit, action string, do giver) (labeling.Assignment, error) {
	if err := v.empty(); err != nil {
		return labeling.Assignment{}, err
	}
	a, err := p.assignment(v)
	if err != nil {
		return a, err
	}
	if err := p.record(v, action, &a, nil); err != nil {
		return a, err
	}
	return a, do(v.Context(), v.labeler(), a.ID)
}

// refused records what was not done, unless the time was merely up.
func (p *Portal) refused(v *visit, action string, a *labeling.Assignment, err error) error {
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		if rerr := p.record(v, action, a, err); rerr != nil {
			return rerr
		}
	}
	return err
}

// record writes what a worker did with a task, or tried to.
func (p *Portal) record(v *visit, action string, a *labeling.Assignment, refused error) error {
	e := &audit.Event{
		Time: p.Now(), Kind: audit.Task, Action: "portal:" + action, Verdict: audit.Allow,
		Worker: v.worker.ID, Assignment: a.ID, SignInID: v.session.ID, Origin: v.origin.String(), Agent: v.UserAgent(),
	}
	if a.Job != nil {
		e.Job, e.Team = a.Job.Name, a.Job.Human.WorkteamARN
	}
	if refused != nil {
		e.Verdict, e.Reason, e.Error = audit.Deny, fault.MessageOf(refused), fault.CodeOf(refused)
	}
	return p.Recorder.Record(v.Context(), e)
}
