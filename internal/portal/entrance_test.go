package portal_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/origin"
	"fiducial/internal/portal"
	"fiducial/internal/workforce"
)

type doorkeeper func(origin.Origin) (workforce.Admission, error)

func (d doorkeeper) Admission(_ context.Context, o origin.Origin) (workforce.Admission, error) {
	return d(o)
}

type events []audit.Event

func (e *events) Record(_ context.Context, one *audit.Event) error { *e = append(*e, *one); return nil }

func TestEntrance(t *testing.T) {
	inside := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("inside")) })
	for _, c := range []struct {
		name   string
		said   workforce.Admission
		err    error
		status int
		body   string
		record bool
	}{
		{"admitted", workforce.Admission{OK: true}, nil, 200, "inside", false},
		{"refused", workforce.Admission{Setting: "WorkforceVpcConfig", Reason: "No <b>such</b> endpoint."}, nil, 404, "No &lt;b&gt;such&lt;/b&gt; endpoint.", true},
		{"nobody knows", workforce.Admission{OK: true}, errors.New("database away"), 503, "internal error", false},
	} {
		var record events
		e := &portal.Entrance{Next: inside, Recorder: &record, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
			Doorkeeper: doorkeeper(func(origin.Origin) (workforce.Admission, error) { return c.said, c.err })}
		r := httptest.NewRequest("GET", "/tasks/x", nil)
		r = r.WithContext(origin.With(r.Context(), origin.Origin{Addr: netip.MustParseAddr("10.1.0.9"), VPC: "vpc-1", VPCE: "vpce-1"}))
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) || w.Code != 200 && strings.Contains(w.Body.String(), "inside") {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if len(record) > 0 != c.record || c.record && (record[0].Action != "portal:Enter" || record[0].Verdict != audit.Deny ||
			record[0].Origin != "10.1.0.9 via vpce-1" || record[0].Statement != "WorkforceVpcConfig") {
			t.Errorf("%s: recorded %+v", c.name, record)
		}
		if w.Code == 404 && !strings.Contains(w.Body.String(), "10.1.0.9 via vpce-1") {
			t.Errorf("%s: the page does not name the address", c.name)
		}
	}
}

// A task page's script is told in its own language, and the page keeps the work.
func TestEntranceAnswersScripts(t *testing.T) {
	var record events
	e := &portal.Entrance{Recorder: &record, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		Doorkeeper: doorkeeper(func(origin.Origin) (workforce.Admission, error) {
			return workforce.Admission{Setting: "SourceIpConfig"}, nil
		})}
	r := httptest.NewRequest("POST", "/tasks/x/place", nil)
	r.Header.Set("Accept", "application/json")
	r = r.WithContext(origin.With(r.Context(), origin.Origin{Addr: netip.MustParseAddr("203.0.113.9")}))
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != 404 || !strings.Contains(w.Body.String(), `"code":"AddressNotAdmitted"`) || !strings.Contains(w.Body.String(), "203.0.113.9") || len(record) != 1 {
		t.Errorf("%d %s, %d records", w.Code, w.Body, len(record))
	}
}
