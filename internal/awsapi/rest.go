package awsapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/sigv4"
)

// restType is the content type of REST-JSON answers.
const restType = "application/json"

// route is one row's method and path, taken apart.
type route struct {
	method   string
	segments []string // "{Name}" is a member of the input
	op       *Operation
}

func (s *Service) routes() []route {
	var out []route
	for i := range s.Operations {
		method, path, _ := strings.Cut(s.Operations[i].HTTP, " ")
		out = append(out, route{method, strings.Split(strings.TrimPrefix(path, "/"), "/"), &s.Operations[i]})
	}
	return out
}

// covers reports whether a path is one of the service's.
func (s *Service) covers(path string) bool {
	return path == s.PathPrefix || strings.HasPrefix(path, s.PathPrefix+"/")
}

// findREST looks an operation up by method and path and puts its input together:
// the members of the body, of the path and of the query, as one JSON object. What
// the shape says is in the path or the query is taken from there alone.
func (s *service) findREST(r *http.Request, c *Call, query *sigv4.Query, body []byte) (*Operation, error) {
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for _, way := range s.paths {
		values, ok := way.match(r.Method, segments)
		if !ok {
			continue
		}
		c.Operation = way.op.Name
		var err error
		c.Body, err = restInput(way.op.Input, body, values, query)
		return way.op, err
	}
	c.Operation = r.Method + " " + r.URL.Path
	return nil, s.unknownOperation(c.Operation)
}

func (w *route) match(method string, segments []string) (map[string]string, bool) {
	if method != w.method || len(segments) != len(w.segments) {
		return nil, false
	}
	values := map[string]string{}
	for i, want := range w.segments {
		if !strings.HasPrefix(want, "{") {
			if segments[i] != want {
				return nil, false
			}
			continue
		}
		v, err := url.PathUnescape(segments[i])
		if err != nil {
			return nil, false
		}
		values[strings.Trim(want, "{}")] = v
	}
	return values, true
}

func restInput(shape *Shape, body []byte, path map[string]string, query *sigv4.Query) ([]byte, error) {
	tree, err := readTree(body)
	if err != nil {
		return nil, err
	}
	in, ok := tree.(map[string]any)
	if !ok {
		return nil, mismatch(tree, "a structure")
	}
	asked := map[string]string{}
	for k, v := range query.All() {
		if _, twice := asked[k]; twice {
			return nil, fault.Newf("awsapi.rest", fault.Invalid, "The parameter %s is given more than once.", printable(k))
		}
		asked[k] = v
	}
	for _, m := range shape.Members {
		var text string
		switch m.In {
		case "uri":
			text, ok = path[m.Name], true
		case "querystring":
			text, ok = asked[m.Name]
		default:
			continue
		}
		delete(in, m.Name)
		if !ok {
			continue
		}
		in[m.Name] = text
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && m.Shape.Type == Integer {
			in[m.Name] = n // another text is refused as one
		}
	}
	out, err := json.Marshal(in)
	if err != nil {
		return nil, fault.E("awsapi.rest", fault.Internal, "", err)
	}
	return out, nil
}

// restError is the body of an error; its code is in the header X-Amzn-Errortype.
func (s *Service) restError(message string) []byte {
	b, err := marshalJSON(map[string]string{s.messageMember(): message})
	if err != nil { // a string always marshals
		return []byte("{}")
	}
	return b
}
