package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReadyNamesWhatIsNot(t *testing.T) {
	h := Ops(NewMetrics(),
		Check{"database", func(context.Context) error { return nil }},
		Check{"audit", func(context.Context) error { return errors.New("disk full") }})
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w
	}
	if w := get("/readyz"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"audit":"disk full"`) {
		t.Errorf("readyz: %d %s", w.Code, w.Body)
	}
	if w := get("/healthz"); w.Code != http.StatusOK {
		t.Errorf("healthz: %d", w.Code)
	}
	if w := get("/metrics"); !strings.Contains(w.Body.String(), "go_goroutines") {
		t.Error("metrics lack the process's own numbers")
	}
}
