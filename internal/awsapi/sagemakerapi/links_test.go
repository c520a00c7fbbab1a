package sagemakerapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/awsapi/sagemakerapi"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/labeling/review"
	"fiducial/internal/origin"
)

type templates map[string]review.TaskUI

func (l templates) TaskUI(_ context.Context, name string) (review.TaskUI, error) {
	u, ok := l[name]
	if !ok {
		return u, fault.Newf("test", fault.NotFound, "none")
	}
	return u, nil
}

type recorded struct{ events []audit.Event }

func (r *recorded) Record(_ context.Context, e *audit.Event) error {
	r.events = append(r.events, *e)
	return nil
}

// A link to a template opens for whoever it was made for, from where they were, for a
// quarter of an hour; every other request for the path is refused, and recorded.
func TestLinks(t *testing.T) {
	keys, err := envelope.New()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	record := &recorded{}
	known := templates{"mine": {Name: "mine", Content: "<script>alert(1)</script>", SHA256: "aa"}, "other": {Name: "other", SHA256: "bb"}}
	links := &sagemakerapi.Links{Keys: keys, Templates: known, Audit: record, URL: "https://api.example.org/", Account: "123456789012",
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	from := func(addr string) origin.Origin { return origin.Origin{Addr: netip.MustParseAddr(addr)} }
	made, err := links.Make(known["mine"], from("192.0.2.7"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(made, "https://api.example.org/.fiducial/human-task-ui/mine?token=") || len(made) > 2048 {
		t.Errorf("link %q", made)
	}
	open := func(method, link string, o origin.Origin) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, link, nil)
		w := httptest.NewRecorder()
		links.ServeHTTP(w, r.WithContext(origin.With(r.Context(), o)))
		return w
	}
	w := open("GET", made, from("192.0.2.7"))
	if w.Code != 200 || w.Body.String() != known["mine"].Content {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for name, want := range map[string]string{"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if w.Header().Get(name) != want {
			t.Errorf("%s is %q", name, w.Header().Get(name))
		}
	}
	if w := open("HEAD", made, from("192.0.2.7")); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
	if w := open("POST", made, from("192.0.2.7")); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	u, err := url.Parse(made)
	if err != nil {
		t.Fatal(err)
	}
	token := u.Query().Get("token")
	session, err := keys.Seal([]byte(`{"n":"mine","s":"aa","o":"192.0.2.7","e":99999999999}`), "another purpose")
	if err != nil {
		t.Fatal(err)
	}
	base := "https://api.example.org/.fiducial/human-task-ui/"
	record.events = nil
	refusals := map[string]func() *httptest.ResponseRecorder{
		"another address": func() *httptest.ResponseRecorder { return open("GET", made, from("192.0.2.8")) },
		"through an endpoint": func() *httptest.ResponseRecorder {
			o := from("192.0.2.7")
			o.VPC, o.VPCE = "vpc-1", "vpce-1"
			return open("GET", made, o)
		},
		"another template": func() *httptest.ResponseRecorder { return open("GET", base+"other?token="+token, from("192.0.2.7")) },
		"a longer path":    func() *httptest.ResponseRecorder { return open("GET", base+"mine/x?token="+token, from("192.0.2.7")) },
		"no token":         func() *httptest.ResponseRecorder { return open("GET", base+"mine", from("192.0.2.7")) },
		"a changed token": func() *httptest.ResponseRecorder {
			return open("GET", base+"mine?token=B"+token[1:], from("192.0.2.7"))
		},
		"of another purpose":  func() *httptest.ResponseRecorder { return open("GET", base+"mine?token="+session, from("192.0.2.7")) },
		"a forwarding header": func() *httptest.ResponseRecorder { return open("GET", made, from("192.0.2.8")) },
		"the template changed": func() *httptest.ResponseRecorder {
			was := known["mine"]
			defer func() { known["mine"] = was }()
			known["mine"] = review.TaskUI{Name: "mine", Content: "secret", SHA256: "cc"}
			return open("GET", made, from("192.0.2.7"))
		},
		"it was deleted": func() *httptest.ResponseRecorder {
			was := known["mine"]
			defer func() { known["mine"] = was }()
			delete(known, "mine")
			return open("GET", made, from("192.0.2.7"))
		},
		"too late": func() *httptest.ResponseRecorder {
			now = now.Add(sagemakerapi.LinkLife)
			defer func() { now = now.Add(-sagemakerapi.LinkLife) }()
			return open("GET", made, from("192.0.2.7"))
		},
	}
	for name, try := range refusals {
		if w := try(); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "script") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if len(record.events) != len(refusals) {
		t.Errorf("%d records of %d refusals", len(record.events), len(refusals))
	}
	for _, e := range record.events {
		if e.Verdict != audit.Deny || e.Reason == "" {
			t.Errorf("record %+v", e)
		}
	}
}
