package console

import (
	"net/http"
	"strings"

	"fiducial/internal/fault"
)

// explanation is what ExplainAccess says.
type explanation struct {
	Allowed                                 bool
	Summary, Worker, LabelingJobName, S3Uri string
	Origin, OpenedOrigin                    string
	Gates                                   []gate
	Assumptions                             []string
}

type gate struct{ Name, Title, Verdict, By, Detail, Change string }

type accessPage struct {
	Worker, Job, Object, From, Via, OpenedFrom string
	Error                                      string
	Answer                                     *explanation
	Revoked                                    []string
}

func (s *Console) access(v *visit) (reply, error) {
	q := v.URL.Query()
	p := accessPage{Worker: trimmed(q.Get("worker")), Job: trimmed(q.Get("job")), Object: trimmed(q.Get("object")), From: trimmed(q.Get("from")), Via: trimmed(q.Get("via")), OpenedFrom: trimmed(q.Get("opened-from"))}
	status := http.StatusOK
	if q.Has("worker") {
		in := map[string]string{"Worker": p.Worker, "LabelingJobName": p.Job, "S3Uri": p.Object, "SourceIp": p.From}
		if p.Via != "" {
			in["VpcEndpointId"] = p.Via
		}
		if p.OpenedFrom != "" {
			in["OpenedFromIp"] = p.OpenedFrom
		}
		var x explanation
		switch err := s.ask(v, "fiducial", "ExplainAccess", in, &x); {
		case err == nil:
			p.Answer = &x
		case fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound):
			p.Error, status = fault.MessageOf(err), http.StatusBadRequest
		default:
			return nil, err
		}
	}
	return page{"access", status, "Access", p}, nil
}

// revoke ends grants. What it is to end is chosen by name, and a second tick
// says that it is meant.
func (s *Console) revoke(v *visit) (reply, error) {
	value := trimmed(v.PostForm.Get("value"))
	in := map[string]any{"Reason": trimmed(v.PostForm.Get("reason"))}
	p := accessPage{}
	fail := func(words string) (reply, error) {
		p.Error = words
		return page{"access", http.StatusBadRequest, "Access", p}, nil
	}
	member, ok := map[string]string{"worker": "Worker", "job": "LabelingJobName", "team": "Workteam", "object": "S3Uri", "grant": "GrantId", "all": "All"}[v.PostForm.Get("what")]
	switch {
	case !ok:
		return fail("Choose what is to be ended.")
	case v.PostForm.Get("sure") != "yes":
		return fail("Nothing was ended: tick that you are sure.")
	case in["Reason"] == "":
		return fail("Nothing was ended: give a reason. It stands in the record.")
	case member == "All":
		in[member] = true
	case value == "":
		return fail("Nothing was ended: say which one.")
	default:
		in[member] = value
	}
	var out struct{ Revoked []string }
	if err := s.ask(v, "fiducial", "RevokeAccess", in, &out); err != nil {
		if k := fault.KindOf(err); k == fault.Invalid || k == fault.NotFound {
			return fail(fault.MessageOf(err))
		}
		return nil, err
	}
	p.Revoked = out.Revoked
	return page{"access", http.StatusOK, "Access", p}, nil
}

func trimmed(s string) string { return strings.TrimSpace(s) }
