package awsapi

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fiducial/internal/audit"
)

// Deps is what a Mux needs.
type Deps struct {
	IAM       IAM
	Audit     audit.Recorder
	S3        http.Handler // everything that is no other service's
	Probe     http.Handler // answers portal pages at ProbeURL; may be nil
	ProbeURL  string       // on the API's own host, with a path that no bucket can have
	Now       func() time.Time
	RequestID func() string // a fresh UUID
	Log       *slog.Logger
}

// Mux is the API port: every service on one address.
type Mux struct {
	Deps
	gate     *gate
	services map[string]*service // by scope name
	targets  map[string]*service // by X-Amz-Target prefix
	queries  []*service
	rest     []*service
	inside   map[string]*service // by ID, for Do
	probe    *url.URL
}

// service is a table made ready to look things up in.
type service struct {
	*Service
	operations map[string]*Operation
	paths      []route // REST
}

// New makes the API port out of tables.
func New(d Deps, services ...*Service) *Mux {
	m := &Mux{
		Deps:     d,
		gate:     &gate{iam: d.IAM, audit: d.Audit},
		services: map[string]*service{},
		targets:  map[string]*service{},
		inside:   map[string]*service{},
	}
	if d.Probe != nil {
		m.probe, _ = url.Parse(d.ProbeURL) // nil if it is none: then nothing answers there
	}
	for _, s := range services {
		ready := &service{Service: s, operations: make(map[string]*Operation, len(s.Operations))}
		for i := range s.Operations {
			ready.operations[s.Operations[i].Name] = &s.Operations[i]
		}
		m.inside[cmp.Or(s.ID, s.Name)] = ready
		if s.Protocol == REST {
			ready.paths = s.routes()
			m.rest = append(m.rest, ready)
			continue
		}
		m.services[s.Name] = ready
		if s.Protocol == JSON11 {
			m.targets[s.TargetPrefix] = ready
		} else {
			m.queries = append(m.queries, ready)
		}
	}
	return m
}

// ServeHTTP sends a request to the service that its credential scope names. A
// request without a scope goes by X-Amz-Target or by the form of its body, and
// will be told there that it is unsigned; the rest is S3's, which has anonymous
// requests. The choice is only a route: the service verifies that the
// signature was made for it.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if scope := scopeService(r); scope != "" {
		// A URL that is signed in its query and names an object is S3's, whatever
		// its credential says: a media URL with a byte changed there is refused
		// by S3 as any other, with 403.
		if scope == "s3" || r.Header.Get("Authorization") == "" && r.URL.Path != "/" {
			m.S3.ServeHTTP(w, r)
			return
		}
		for _, s := range m.rest {
			if s.Name == scope && s.covers(r.URL.Path) {
				m.serve(w, r, s)
				return
			}
		}
		if s := m.services[scope]; s != nil {
			m.serve(w, r, s)
			return
		}
		m.serve(w, r, foreign(r, scope))
		return
	}
	prefix, _ := target(r)
	switch s := m.targets[prefix]; {
	// The host counts: below the virtual-host domain the path is a key.
	case m.probe != nil && r.URL.Path == m.probe.Path && r.Host == m.probe.Host:
		m.Probe.ServeHTTP(w, r)
	case s != nil:
		m.serve(w, r, s)
	case prefix != "":
		m.serve(w, r, foreign(r, prefix))
	case len(m.queries) > 0 && r.URL.Path == "/" && isQuery(r):
		if s, op := m.open(r); op != nil {
			m.serveOpen(w, r, s, op)
			return
		}
		m.serve(w, r, m.queries[0])
	default:
		m.S3.ServeHTTP(w, r)
	}
}

// open finds the operation that an unsigned GET names, if it is one for everybody.
func (m *Mux) open(r *http.Request) (*service, *Operation) {
	if r.Method != http.MethodGet || len(r.URL.RawQuery) > maxOpen {
		return nil, nil
	}
	action := r.URL.Query()["Action"]
	for _, s := range m.queries {
		if len(action) == 1 && s.operations[action[0]] != nil && s.operations[action[0]].Open {
			return s, s.operations[action[0]]
		}
	}
	return nil, nil
}

// maxOpen bounds the query of an unsigned request.
const maxOpen = 4096

// isQuery recognises an unsigned request of the query protocol. S3 has no
// operation on "/" with a form body or with a parameter Action.
func isQuery(r *http.Request) bool {
	if r.Method == http.MethodPost {
		return isForm(r)
	}
	return r.Method == http.MethodGet && strings.Contains(r.URL.RawQuery, "Action=") && r.URL.Query().Get("Action") != ""
}

// foreign is an empty table for a service that is not here, so that the answer
// comes in a protocol the client reads.
func foreign(r *http.Request, name string) *service {
	s := &Service{Name: printable(name), Protocol: Query}
	if r.Header.Get("X-Amz-Target") != "" {
		s.Protocol = JSON11
	}
	return &service{Service: s} // no operations: see known
}

// scopeService finds the service in the credential scope
// (key/date/region/service/aws4_request) of the Authorization header or the
// query, without verifying or allocating: it stands before every media request.
func scopeService(r *http.Request) string {
	const inHeader, inQuery = "Credential=", "X-Amz-Credential="
	if h := r.Header.Get("Authorization"); h != "" {
		if _, rest, ok := strings.Cut(h, inHeader); ok {
			scope, _, _ := strings.Cut(rest, ",")
			return scopePart(strings.TrimSpace(scope), "/")
		}
		return ""
	}
	q := r.URL.RawQuery
	i := strings.Index(q, inQuery)
	if i < 0 || i > 0 && q[i-1] != '&' {
		return ""
	}
	scope, _, _ := strings.Cut(q[i+len(inQuery):], "&")
	switch {
	case strings.Contains(scope, "%2F"):
		return scopePart(scope, "%2F")
	case strings.Contains(scope, "%2f"):
		return scopePart(scope, "%2f")
	}
	return scopePart(scope, "/")
}

// scopePart returns the last but one part of a scope.
func scopePart(scope, sep string) string {
	end := strings.LastIndex(scope, sep)
	if end < 0 {
		return ""
	}
	start := strings.LastIndex(scope[:end], sep)
	if start < 0 {
		return ""
	}
	return scope[start+len(sep) : end]
}
