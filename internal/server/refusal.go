package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/origin"
)

// Connection is the kind of records of what was refused before any handler.
const Connection audit.Kind = "connection"

// recordsPerSecond is how many refusals a listener puts on record in a second.
// Whoever can reach a port can be refused there without end, and a full disk
// ends the handing out of grants; of the rest the next record tells the number.
const recordsPerSecond = 200

// refusals puts on record what a listener refuses by itself.
type refusals struct {
	listener string
	recorder audit.Recorder
	log      *slog.Logger
	now      func() time.Time

	mu      sync.Mutex
	second  int64
	written int
	unsaid  int
}

// note records a refusal. It is best effort: nothing was handed out.
func (r *refusals) note(e audit.Event) {
	e.Kind, e.Verdict, e.Resource = Connection, audit.Deny, "listener:"+r.listener
	n, ok := r.allowed()
	if !ok {
		return
	}
	if n > 0 {
		e.Reason += fmt.Sprintf(" (and %d more refusals at this listener before, too many a second to record)", n)
	}
	if err := r.recorder.Record(context.Background(), &e); err != nil {
		r.log.Error("a refused connection is not on record", "listener", r.listener, "error", err)
	}
}

// allowed reports whether there is room for a record in this second, and how
// many had none since the last.
func (r *refusals) allowed() (unsaid int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.now().Unix(); s != r.second {
		r.second, r.written = s, 0
	}
	if r.written == recordsPerSecond {
		r.unsaid++
		return 0, false
	}
	r.written++
	unsaid, r.unsaid = r.unsaid, 0
	return unsaid, true
}

// connection refuses a connection of which nothing was served.
func (r *refusals) connection(peer, rule, reason string) {
	r.note(audit.Event{Action: "server:Connect", Statement: rule, Reason: reason, Origin: peer})
}

// request refuses a request whose origin cannot be what it claims.
func (r *refusals) request(w http.ResponseWriter, req *http.Request, why *origin.Refusal) {
	r.note(audit.Event{Action: "server:Request", Statement: why.Rule, Reason: why.Reason, Origin: req.RemoteAddr,
		Method: req.Method, Status: http.StatusForbidden, Agent: req.UserAgent()})
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Connection", "close")
	w.WriteHeader(http.StatusForbidden)
	_, _ = fmt.Fprintf(w, "Refused: %s.\n", why.Reason)
}
