package console

import (
	"net/http"
	"time"

	"fiducial/internal/fault"
)

// accessReport is what GetAccessReport says.
type accessReport struct {
	First, Last         time.Time
	Records, Unreadable int
	Findings            []struct {
		Kind, Text, Worker string
		Count              int
		First, Last        time.Time
		Objects, Origins   []string
	}
	Workers []struct {
		Worker                                  string
		Grants, Refused, Looks, Denied, Objects int
		Addresses                               []string
		First, Last                             time.Time
	}
	Looks []struct {
		Object, Worker, Principal, Origin string
		Times, Denied                     int
		Bytes                             int64
		First, Last                       time.Time
	}
	LooksOmitted, FindingsOmitted int
}

type recordPage struct {
	Worker, Job, Object, From, To string
	Error                         string
	Report                        *accessReport
}

// day is how the form writes a date.
const day = "2006-01-02"

func (s *Console) record(v *visit) (reply, error) {
	q := v.URL.Query()
	p := recordPage{Worker: trimmed(q.Get("worker")), Job: trimmed(q.Get("job")), Object: trimmed(q.Get("object")), From: trimmed(q.Get("from")), To: trimmed(q.Get("to"))}
	if p.From == "" {
		p.From = s.Now().UTC().AddDate(0, 0, -6).Format(day)
	}
	if p.To == "" {
		p.To = s.Now().UTC().Format(day)
	}
	in := map[string]any{"From": p.From, "To": p.To}
	for name, value := range map[string]string{"Worker": p.Worker, "LabelingJobName": p.Job, "S3Uri": p.Object} {
		if value != "" {
			in[name] = value
		}
	}
	var out accessReport
	switch err := s.ask(v, "fiducial", "GetAccessReport", in, &out); {
	case err != nil && (fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound)):
		p.Error = fault.MessageOf(err)
		return page{"record", http.StatusBadRequest, "Access record", p}, nil
	case err != nil:
		return nil, err
	}
	p.Report = &out
	return page{"record", http.StatusOK, "Access record", p}, nil
}
