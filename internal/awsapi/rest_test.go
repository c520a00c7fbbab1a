package awsapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
)

type tune struct {
	Name  string
	Page  *int64
	Since *awsapi.ISOTime
	Note  string
}

// tunes is a small service in REST JSON, whose requests are signed for "things" like
// those of the service Things.
func tunes() (*awsapi.Service, *tune) {
	got := &tune{}
	shape := &awsapi.Shape{Type: awsapi.Structure, Members: []awsapi.Member{
		{Name: "Name", Required: true, In: "uri", Shape: &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(8), Pattern: awsapi.NewPattern("[a-z]+")}},
		{Name: "Page", In: "querystring", Shape: &awsapi.Shape{Type: awsapi.Integer, Min: awsapi.Bound(1)}},
		{Name: "Since", In: "querystring", Shape: &awsapi.Shape{Type: awsapi.Timestamp, ISO: true}},
		{Name: "Note", Shape: &awsapi.Shape{Type: awsapi.String}},
	}}
	o := awsapi.Operation{Name: "PlayTune", Action: "things:PlayTune", HTTP: "POST /tunes/{Name}/play", Input: shape, Decode: awsapi.DecodeAs[tune](shape),
		Resource: func(c *awsapi.Call) string { return "arn:aws:things:::" + c.Input.(*tune).Name },
		Handle: func(_ context.Context, c *awsapi.Call) (any, error) {
			*got = *c.Input.(*tune)
			switch got.Name {
			case "gone":
				return nil, fault.Newf("test", fault.NotFound, "There is no such tune.")
			case "silent":
				return nil, nil
			}
			return struct {
				At awsapi.ISOTime
			}{awsapi.ISOAt(time.Date(2019, 11, 14, 17, 49, 25, 120e6, time.UTC))}, nil
		}}
	return &awsapi.Service{Name: "things", ID: "tunes", Protocol: awsapi.REST, PathPrefix: "/tunes", MessageMember: "Message", Operations: []awsapi.Operation{o}}, got
}

func TestREST(t *testing.T) {
	service, got := tunes()
	a := newAPIWith(t, service)
	play := func(path, body string) call {
		return call{id: rootID, secret: rootSecret, service: "things", contentType: "application/json", path: path, body: body}
	}
	answer := func(w *httptest.ResponseRecorder) (code, message string) {
		var e struct{ Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		return w.Header().Get("X-Amzn-Errortype"), e.Message
	}

	w := a.do(t, play("/tunes/waltz/play?Page=7&Since=2020-02-24T12%3A00%3A00Z", `{"Note":"loud","Name":"march","Page":9}`))
	if w.Code != 200 || w.Body.String() != `{"At":"2019-11-14T17:49:25.120Z"}` || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %s", w.Code, w.Header(), w.Body)
	}
	// What belongs in the path or the query is taken from there, whatever the body says.
	if got.Name != "waltz" || *got.Page != 7 || !got.Since.Equal(time.Date(2020, 2, 24, 12, 0, 0, 0, time.UTC)) || got.Note != "loud" {
		t.Errorf("input %+v", got)
	}
	if w := a.do(t, play("/tunes/silent/play", "")); w.Code != 200 || w.Body.String() != "{}" {
		t.Errorf("an empty answer: %d %q", w.Code, w.Body)
	}
	if *got = (tune{}); a.do(t, play("/tunes/waltz/play?Since=2020-02-24", "")).Code != 200 || got.Since == nil || got.Page != nil {
		t.Errorf("a date: %+v", got)
	}

	for name, c := range map[string]struct {
		call    call
		status  int
		code    string
		message string
	}{
		"not found":            {play("/tunes/gone/play", ""), 404, "ResourceNotFoundException", "There is no such tune."},
		"a bad name":           {play("/tunes/A%20B/play", ""), 400, "ValidationException", "Value 'A B' at 'name' failed to satisfy constraint"},
		"a low number":         {play("/tunes/waltz/play?Page=0", ""), 400, "ValidationException", "greater than or equal to 1"},
		"no number":            {play("/tunes/waltz/play?Page=x", ""), 400, "SerializationException", "Integer"},
		"null is no number":    {play("/tunes/waltz/play?Page=null", ""), 400, "SerializationException", "Integer"},
		"a number as a text":   {play("/tunes/waltz/play?Page=%227%22", ""), 400, "SerializationException", "Integer"},
		"no time":              {play("/tunes/waltz/play?Since=1582545600", ""), 400, "SerializationException", "ISO 8601"},
		"twice":                {play("/tunes/waltz/play?Page=1&Page=2", ""), 400, "ValidationException", "more than once"},
		"no JSON":              {play("/tunes/waltz/play", "{"), 400, "SerializationException", "not valid JSON"},
		"a list":               {play("/tunes/waltz/play", "[]"), 400, "SerializationException", "expected a structure"},
		"no such path":         {play("/tunes/waltz/stop", ""), 404, "UnknownOperationException", "no operation"},
		"no such method":       {with(play("/tunes/waltz/play", ""), func(c *call) { c.method = "GET" }), 404, "UnknownOperationException", "no operation"},
		"a path in the name":   {play("/tunes/waltz%2Fx/play", ""), 400, "ValidationException", "'waltz/x'"},
		"a wrong secret":       {with(play("/tunes/waltz/play", ""), func(c *call) { c.secret = "guess" }), 403, "InvalidSignatureException", "signature"},
		"nobody's key":         {with(play("/tunes/waltz/play", ""), func(c *call) { c.id = "AKIANOBODY" }), 403, "UnrecognizedClientException", ""},
		"not allowed":          {with(play("/tunes/waltz/play", ""), func(c *call) { c.id, c.secret = annID, annSecret }), 403, "AccessDeniedException", "things:PlayTune on resource: arn:aws:things:::waltz"},
		"an altered parameter": {with(play("/tunes/waltz/play?Page=1", ""), func(c *call) { c.edit = func(r *http.Request) { r.URL.RawQuery = "Page=2" } }), 403, "InvalidSignatureException", ""},
	} {
		w := a.do(t, c.call)
		if code, message := answer(w); w.Code != c.status || code != c.code || !strings.Contains(message, c.message) {
			t.Errorf("%s: %d %s %q, want %d %s %q", name, w.Code, code, message, c.status, c.code, c.message)
		}
	}
	for _, e := range a.records.take() {
		if strings.HasPrefix(e.Action, "things:PlayTune") || e.Action == "things:authenticate" || e.Action == "things:unknown" {
			continue
		}
		t.Errorf("recorded as %q", e.Action)
	}

	// The paths beside it, and the same scope with a target, are others'.
	if w := a.do(t, with(getThing(`{"Name":"ab"}`), func(c *call) {})); w.Code != 200 {
		t.Errorf("the JSON service of the same scope: %d %s", w.Code, w.Body)
	}
	if w := a.do(t, call{method: "GET", path: "/tunes/waltz"}); w.Code != 299 {
		t.Errorf("unsigned, it is S3's: %d", w.Code)
	}
	if w := a.do(t, call{method: "GET", path: "/tunes/waltz", id: rootID, secret: rootSecret, service: "s3"}); w.Code != 299 {
		t.Errorf("signed for S3, it is S3's: %d", w.Code)
	}
}

func TestISOTime(t *testing.T) {
	for text, want := range map[string]string{
		`"2019-11-14T17:49:25Z"`: "2019-11-14T17:49:25.000Z", `"2019-11-14T17:49:25.120456+01:00"`: "2019-11-14T16:49:25.120Z",
		`"2019-11-14T17:49:25.5"`: "2019-11-14T17:49:25.500Z", `"2020-02-24"`: "2020-02-24T00:00:00.000Z",
		`"yesterday"`: "", `1573753765`: "", `"2019-13-14"`: "",
	} {
		var at awsapi.ISOTime
		err := json.Unmarshal([]byte(text), &at)
		if want == "" {
			if err == nil {
				t.Errorf("%s was read as %v", text, at)
			}
			continue
		}
		if b, merr := json.Marshal(at); err != nil || merr != nil || string(b) != `"`+want+`"` {
			t.Errorf("%s: %s %v %v", text, b, err, merr)
		}
	}
}
