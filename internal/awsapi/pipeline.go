package awsapi

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
	"fiducial/internal/sigv4"
)

// maxBody bounds a request where the service says nothing else. The largest legal one is RenderUiTemplate: 128,000
// characters of template and as many of input, each up to six bytes in JSON.
const maxBody = 4 << 20

func (s *Service) maxBody() int64 { return cmp.Or(s.MaxBody, maxBody) }

// serve answers one request to one service.
func (m *Mux) serve(w http.ResponseWriter, r *http.Request, s *service) {
	c := &Call{
		Origin:    origin.From(r.Context()),
		RequestID: m.RequestID(),
		Agent:     r.UserAgent(),
		Time:      m.Now(),
		gate:      m.gate,
	}
	result, err := m.call(w, r, s, c)
	if err != nil {
		m.writeError(w, r, s, c, err)
		return
	}
	m.write(w, r, s, c, result)
}

// serveOpen answers an unsigned request to an operation that is Open.
func (m *Mux) serveOpen(w http.ResponseWriter, r *http.Request, s *service, op *Operation) {
	c := &Call{Operation: op.Name, Origin: origin.From(r.Context()), RequestID: m.RequestID(), Agent: r.UserAgent(), Time: m.Now(), Form: r.URL.Query(), gate: m.gate}
	result, err := m.perform(r.Context(), s, c, op)
	if err != nil {
		m.writeError(w, r, s, c, err)
		return
	}
	m.write(w, r, s, c, result)
}

// call is the pipeline.
func (m *Mux) call(w http.ResponseWriter, r *http.Request, s *service, c *Call) (any, error) {
	ctx := r.Context()
	signed, body, err := m.authenticate(w, r, s, c)
	if err != nil {
		return nil, m.refuse(ctx, s, c, s.known()+":authenticate", err)
	}
	op, err := s.find(r, c, &signed.Query, body)
	if err != nil {
		return nil, m.refuse(ctx, s, c, s.known()+":unknown", err)
	}
	return m.perform(ctx, s, c, op)
}

// perform is the pipeline from where the caller and the operation are known.
func (m *Mux) perform(ctx context.Context, s *service, c *Call, op *Operation) (any, error) {
	if op.Decode != nil {
		if err := op.Decode(c); err != nil {
			return nil, m.refuse(ctx, s, c, op.AuditName(), err)
		}
	}
	if op.SelfAuthorized {
		result, err := op.Handle(ctx, c)
		code := ""
		if err != nil {
			code = s.codeOf(err).Name
		}
		if bad := m.gate.outcome(ctx, c, op.AuditName(), op.Resource(c), code, err); bad != nil {
			return nil, bad
		}
		return result, err
	}
	if op.Decide != nil {
		resource, d, err := op.Decide(ctx, c)
		if err != nil {
			return nil, m.refuse(ctx, s, c, op.AuditName(), err)
		}
		if err := m.gate.settle(ctx, c, op.AuditName(), op.Action, resource, d); err != nil {
			return nil, err
		}
		return op.Handle(ctx, c)
	}
	var keys []policy.Key
	if op.Context != nil {
		keys = op.Context(c)
	}
	if err := m.gate.authorize(ctx, c, op.AuditName(), op.Action, op.Resource(c), keys); err != nil {
		return nil, err
	}
	return op.Handle(ctx, c)
}

// known is the service's name for records, and so for metrics. What a stranger
// calls a service or an operation must not become a name there: there would be
// no end of them.
func (s *service) known() string {
	if s.operations == nil {
		return "unknown"
	}
	return s.Name
}

// refuse records a refusal before it is told.
func (m *Mux) refuse(ctx context.Context, s *service, c *Call, name string, err error) error {
	if bad := m.gate.refused(ctx, c, name, s.codeOf(err).Name, fault.MessageOf(err)); bad != nil {
		return bad
	}
	return err
}

// authenticate establishes the caller and returns the body. The access key is
// looked up before any of the body is read, so a stranger cannot make us hold it.
func (m *Mux) authenticate(w http.ResponseWriter, r *http.Request, s *service, c *Call) (*sigv4.Request, []byte, error) {
	most := s.maxBody()
	if r.ContentLength > most {
		return nil, nil, tooLarge(most)
	}
	signed, err := sigv4.Parse(r)
	if errors.Is(err, sigv4.ErrAnonymous) {
		return nil, nil, unauthenticated("MissingAuthenticationToken", "The request must be signed: it has neither an Authorization header nor a signature in its query.")
	}
	if err != nil {
		return nil, nil, err
	}
	if signed.Service != s.Name {
		return nil, nil, unauthenticated("SignatureDoesNotMatch", "Credential should be scoped to correct service: '"+s.Name+"'.")
	}
	caller, err := m.IAM.Authenticate(r.Context(), signed.AccessKeyID, signed.SessionToken)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		return nil, nil, asBodyError(err)
	}
	key := m.IAM.SigningKey(caller, signed.Date, signed.Region, signed.Service)
	if err := signed.VerifyBody(r, key, m.Now(), body); err != nil {
		return nil, nil, err
	}
	c.Caller = caller
	return signed, body, nil
}

func unauthenticated(code, message string) error {
	return fault.Coded("awsapi.authenticate", fault.Unauthenticated, code, message)
}

// find reads which operation is asked for and looks it up.
func (s *service) find(r *http.Request, c *Call, query *sigv4.Query, body []byte) (*Operation, error) {
	switch s.Protocol {
	case REST:
		return s.findREST(r, c, query, body)
	case Query:
		form, err := queryForm(query, body)
		if err != nil {
			return nil, err
		}
		c.Form, c.Operation = form, form.Get("Action")
	default:
		prefix, name := target(r)
		if prefix != s.TargetPrefix {
			name = r.Header.Get("X-Amz-Target")
		}
		c.Body, c.Operation = body, name
	}
	if op := s.operations[c.Operation]; op != nil {
		return op, nil
	}
	return nil, s.unknownOperation(c.Operation)
}

func (m *Mux) write(w http.ResponseWriter, r *http.Request, s *service, c *Call, result any) {
	var body []byte
	var err error
	if s.Protocol == Query {
		body, err = marshalXML(s.Namespace, c.Operation, c.RequestID, result)
	} else {
		body, err = marshalJSON(result)
		if s.Protocol == REST && len(body) == 0 {
			body = []byte("{}")
		}
	}
	if err != nil {
		m.writeError(w, r, s, c, fault.E("awsapi.write", fault.Internal, "", err))
		return
	}
	s.send(w, c.RequestID, http.StatusOK, body)
}

func (m *Mux) writeError(w http.ResponseWriter, r *http.Request, s *service, c *Call, err error) {
	code := s.codeOf(err)
	if code.Status >= 500 {
		m.Log.ErrorContext(r.Context(), "request failed", "service", s.Name, "operation", printable(c.Operation), "requestId", c.RequestID, "err", err)
	}
	var body []byte
	switch s.Protocol {
	case Query:
		body = s.xmlError(code, fault.MessageOf(err), c.RequestID)
	case REST:
		w.Header().Set("X-Amzn-Errortype", code.Name)
		body = s.restError(fault.MessageOf(err))
	default:
		body = s.jsonError(code, fault.MessageOf(err))
	}
	if s.QueryCodes != nil {
		who := "Sender"
		if code.Status >= 500 {
			who = "Receiver"
		}
		old := s.QueryCodes[code.Name]
		if old == "" {
			old = code.Name
		}
		w.Header().Set("x-amzn-query-error", old+";"+who)
	}
	s.send(w, c.RequestID, code.Status, body)
}

func (s *service) send(w http.ResponseWriter, id string, status int, body []byte) {
	h := w.Header()
	h.Set("x-amzn-RequestId", id)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// Answers quote what clients sent; no browser may take one for a page.
	h.Set("X-Content-Type-Options", "nosniff")
	kind := [...]string{JSON11: jsonType, Query: xmlType, REST: restType}[s.Protocol]
	if s.JSON10 {
		kind = json10Type
	}
	h.Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no fault of ours
}
