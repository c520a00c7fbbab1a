package portal

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/labeling"
	"fiducial/internal/template"
)

// framed is a document for the sandboxed frame.
type framed struct {
	status int
	body   []byte
	frame  template.Frame
}

func (o framed) write(p *Portal, w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", o.frame.Policy())
	if list := o.frame.Connections(); list != "" {
		h.Set("Connection-Allowlist", list)
	}
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(o.status)
	_, err := w.Write(o.body)
	return err
}

// Frame is what the frames of tasks may reach where a team allows nothing more.
func (p *Portal) Frame() template.Frame { return p.frame }

// frameNote tells the worker, within the frame, why there is no task to see.
func (p *Portal) frameNote(status int, message string) reply {
	var b bytes.Buffer
	if err := p.pages.ExecuteTemplate(&b, "frame-note.html", message); err != nil {
		p.Logger.Error("a page could not be made", "page", "frame-note", "error", err)
	}
	return framed{status, b.Bytes(), p.frame}
}

// accessNote tells the worker, within the frame, why there are no media to see.
func (p *Portal) accessNote(status int, message string) reply {
	var b bytes.Buffer
	if err := p.pages.ExecuteTemplate(&b, "frame-access.html", message); err != nil {
		p.Logger.Error("a page could not be made", "page", "frame-access", "error", err)
	}
	return framed{status, b.Bytes(), p.frame}
}

func (p *Portal) taskFrame(v *visit) (reply, error) {
	if v.Header.Get("Sec-Fetch-Dest") == "document" {
		return redirect{strings.TrimSuffix(v.URL.Path, "/frame")}, nil
	}
	a, err := p.assignment(v)
	if err != nil {
		return nil, err
	}
	src, input, err := source(&a)
	if err != nil {
		return nil, err
	}
	b, err := p.binding(v, &a)
	if err != nil {
		return nil, err
	}
	place, err := p.placed(v, &a, b)
	if err != nil {
		return nil, err
	}
	var body string
	var errs []template.RenderError
	if err := p.Grants.ForTask(v.Context(), grants(v, &a, b, place), func(mint access.Minter) error {
		body, errs = template.Render(v.Context(), src, input, template.Functions{GrantReadAccess: mint, Hosts: p.hosts, Now: p.Now}, template.Limits{})
		return nil
	}); err != nil {
		return nil, err
	}
	if len(errs) > 0 {
		return p.unrendered(v, &a, errs)
	}
	if err := p.record(v, "RenderTask", &a, nil); err != nil {
		return nil, err
	}
	frame := p.frame
	frame.Credentials = b.browser
	if p.TemplateHosts != nil {
		if frame.Hosts, err = p.TemplateHosts(v.Context(), a.Job.Human.WorkteamARN); err != nil {
			return nil, err
		}
	}
	return framed{http.StatusOK, frame.Document(body), frame}, nil
}

// source is the job's template and what it sees. The built-in template of the
// task type is for jobs that name none, and sees the job's texts besides.
func source(a *labeling.Assignment) (src string, input json.RawMessage, err error) {
	input, err = a.TaskInput()
	if err != nil || !a.Job.BuiltinTemplate() {
		return a.Job.Template, input, err
	}
	// The job has a copy from when it began.
	if src = a.Job.Template; src == "" {
		var ok bool
		if src, ok = template.Builtin(string(a.Job.TemplateTaskType())); !ok {
			return "", nil, fault.Newf("portal.source", fault.Internal, "The job has no template.")
		}
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(input, &members); err != nil {
		return "", nil, fault.E("portal.source", fault.Internal, "", err)
	}
	h := a.Job.Human
	for name, text := range map[string]string{
		"title": h.Title, "description": h.Description,
		"shortInstruction": a.Job.Instructions.Short, "fullInstruction": a.Job.Instructions.Full,
	} {
		if _, ok := members[name]; !ok && text != "" {
			members[name], _ = json.Marshal(text)
		}
	}
	input, err = json.Marshal(members)
	return src, input, err
}

// grants asks for media URLs for this worker, this assignment and this place.
func grants(v *visit, a *labeling.Assignment, b binding, place access.Place) access.Request {
	r := access.Request{
		Grant: identity.Grant{
			Worker: v.worker.ID, Job: a.Job.Name, Team: a.Job.Human.WorkteamARN, Assignment: a.ID, SignIn: v.session.ID, Place: place.ID,
		},
		RoleARN: a.Job.RoleARN, Origin: v.origin, Binding: b.Binding, Expires: a.ExpiresAt, Since: v.since,
	}
	if place.Probed {
		r.Media = place.Media
	}
	if b.browser {
		r.Grant.Browser = place.Browser
	}
	return r
}

// unrendered tells the worker what they can do, and the requester, by the record
// and the log, what is wrong.
func (p *Portal) unrendered(v *visit, a *labeling.Assignment, errs []template.RenderError) (reply, error) {
	first := &errs[0]
	p.Logger.Warn("a worker task template failed to render", "job", a.Job.Name, "assignment", a.ID, "error", first.Error())
	err := fault.Coded("portal.taskFrame", fault.Invalid, first.Code, first.Error())
	if rerr := p.record(v, "RenderTask", a, err); rerr != nil {
		return nil, rerr
	}
	return p.frameNote(http.StatusUnprocessableEntity, "Task failed to render: [ "+first.Error()+" ]"), nil
}
