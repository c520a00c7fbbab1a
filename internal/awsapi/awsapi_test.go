package awsapi_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"fiducial/internal/audit"
	"fiducial/internal/awsapi"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

const (
	rootID     = "AKIAROOTROOTROOTROOT"
	rootSecret = "root secret, not short"
	annID      = "AKIAANNANNANNANNANN1"
	annSecret  = "ann's secret, not short"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// records keeps audit records; they can be made to fail.
type records struct {
	mu   sync.Mutex
	got  []audit.Event
	fail bool
}

func (r *records) Record(_ context.Context, e *audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail {
		return fault.E("test", fault.Unavailable, "the audit record could not be written", nil)
	}
	r.got = append(r.got, *e)
	return nil
}

func (r *records) take() []audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.got
	r.got = nil
	return out
}

type thing struct{ Name string }

type thingsIn struct{ Name, Note string }

var thingsShape = &awsapi.Shape{Type: awsapi.Structure, Members: []awsapi.Member{
	{Name: "Name", Required: true, Shape: &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(8), Pattern: awsapi.NewPattern("[a-z]+")}},
	{Name: "Note", Shape: &awsapi.Shape{Type: awsapi.String}},
}}

// api is an API port with two small services, Things (JSON) and Words (query).
type api struct {
	*awsapi.Mux
	records *records
	handled int
	err     error // what Things.Get answers with
}

func newAPI(t *testing.T) *api {
	t.Helper()
	return newAPIWith(t)
}

func newAPIWith(t *testing.T, more ...*awsapi.Service) *api {
	t.Helper()
	db := storetest.SQLite(t)
	keys, err := envelope.New()
	if err != nil {
		t.Fatal(err)
	}
	users, err := iam.New(iam.Options{Account: "123456789012", Store: store.NewIAM(db), Keys: keys, RootAccessKeyID: rootID,
		RootSecret: iam.NewSecret(rootSecret), Now: func() time.Time { return now }, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	ann(t, db, keys)
	a := &api{records: &records{}}
	name := func(c *awsapi.Call) string { return "arn:aws:things:::" + c.Input.(*thingsIn).Name }
	things := &awsapi.Service{Name: "things", Protocol: awsapi.JSON11, TargetPrefix: "Things_2026", Planned: []string{"Later"},
		Codes: map[fault.Kind]awsapi.Code{fault.NotFound: {Name: "NoThing", Status: 400}},
		Operations: []awsapi.Operation{
			{Name: "Get", Action: "things:Get", Resource: name, Decode: awsapi.DecodeAs[thingsIn](thingsShape),
				Handle: func(_ context.Context, c *awsapi.Call) (any, error) {
					a.handled++
					return thing{c.Input.(*thingsIn).Name + "&<>"}, a.err
				}},
			{Name: "Pass", Action: "things:Pass", Resource: name, Decode: awsapi.DecodeAs[thingsIn](thingsShape),
				Handle: func(ctx context.Context, c *awsapi.Call) (any, error) {
					return nil, c.Authorize(ctx, "iam:PassRole", c.Input.(*thingsIn).Note)
				}},
		}}
	words := &awsapi.Service{Name: "words", Protocol: awsapi.Query, Namespace: "https://words.example.org/doc/2026/",
		Operations: []awsapi.Operation{
			{Name: "Say", Action: "words:Say", Resource: func(*awsapi.Call) string { return "*" },
				Handle: func(_ context.Context, c *awsapi.Call) (any, error) {
					a.handled++
					type said struct {
						Word string
						Tags []string `xml:"Tags>member"`
					}
					out := said{Word: c.Form.Get("Word")}
					for _, m := range awsapi.Members(c.Form, "Tags") {
						out.Tags = append(out.Tags, m.Get("Key")+"="+m.Get("Value"))
					}
					return out, a.err
				}},
			{Name: "WhoAmI", Action: "words:WhoAmI", SelfAuthorized: true, Resource: func(*awsapi.Call) string { return "*" },
				Handle: func(_ context.Context, c *awsapi.Call) (any, error) {
					return struct{ Arn string }{c.Caller.ARN}, a.err
				}},
		}}
	n := 0
	a.Mux = awsapi.New(awsapi.Deps{
		IAM: users, Audit: a.records, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		RequestID: func() string { n++; return fmt.Sprint("id-", n) },
		S3:        http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) }),
	}, append(more, things, words)...)
	return a
}

// ann may get things whose name begins with "a", is forbidden "ax", and may say words.
func ann(t *testing.T, db *store.DB, keys *envelope.Keyset) {
	t.Helper()
	s, ctx := store.NewIAM(db), context.Background()
	sealed, err := keys.Seal([]byte(annSecret), "fiducial access key "+annID)
	if err != nil {
		t.Fatal(err)
	}
	doc := `{"Version":"2012-10-17","Statement":[
		{"Sid":"Some","Effect":"Allow","Action":["things:*","words:*"],"Resource":["arn:aws:things:::a*","*"],"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}},
		{"Effect":"Deny","Action":"things:Get","Resource":"arn:aws:things:::ax"},
		{"Effect":"Deny","NotAction":"things:*","Resource":"arn:aws:things:::b*"}]}`
	doc = strings.Replace(doc, `"arn:aws:things:::a*","*"`, `"arn:aws:things:::a*"`, 1)
	for _, err := range []error{
		s.CreateUser(ctx, &iam.User{Name: "ann", Path: "/", ID: "AIDAANN", CreatedAt: now}),
		s.CreateAccessKey(ctx, &iam.StoredKey{AccessKey: iam.AccessKey{ID: annID, UserName: "ann", Active: true, CreatedAt: now}, Sealed: sealed}, 2),
		s.PutPolicy(ctx, iam.Owner{Kind: iam.OfUser, Name: "ann"}, iam.InlinePolicy{Name: "p", Document: doc}, func([]iam.InlinePolicy) error { return nil }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

type call struct {
	id, secret, service, target, contentType, body, path, from string
	method                                                     string
	edit                                                       func(*http.Request) // after signing
	at                                                         time.Time
	presign                                                    bool
}

func (a *api) do(t *testing.T, c call) *httptest.ResponseRecorder {
	t.Helper()
	if c.path == "" {
		c.path = "/"
	}
	if c.method == "" {
		c.method = http.MethodPost
	}
	if c.at.IsZero() {
		c.at = now
	}
	r := httptest.NewRequest(c.method, "http://api.example.org"+c.path, strings.NewReader(c.body))
	if c.target != "" {
		r.Header.Set("X-Amz-Target", c.target)
	}
	if c.contentType != "" {
		r.Header.Set("Content-Type", c.contentType)
	}
	if c.id != "" {
		sum := sha256.Sum256([]byte(c.body))
		creds := aws.Credentials{AccessKeyID: c.id, SecretAccessKey: c.secret}
		if c.presign {
			u, _, err := v4.NewSigner().PresignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), c.service, "eu-west-1", c.at)
			if err != nil {
				t.Fatal(err)
			}
			if r.URL, err = url.Parse(u); err != nil {
				t.Fatal(err)
			}
		} else if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), c.service, "eu-west-1", c.at); err != nil {
			t.Fatal(err)
		}
	}
	if c.edit != nil {
		c.edit(r)
	}
	if c.from == "" {
		c.from = "192.0.2.7"
	}
	r = r.WithContext(origin.With(r.Context(), origin.Origin{Addr: netip.MustParseAddr(c.from)}))
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func getThing(body string) call {
	return call{id: annID, secret: annSecret, service: "things", target: "Things_2026.Get", contentType: "application/x-amz-json-1.1", body: body}
}

func sayWord(body string) call {
	return call{id: rootID, secret: rootSecret, service: "words", contentType: "application/x-www-form-urlencoded; charset=utf-8", body: body}
}

func jsonError(t *testing.T, w *httptest.ResponseRecorder) (code, message string) {
	t.Helper()
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return e.Type, e.Message
}

func TestJSON(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		name    string
		call    call
		status  int
		code    string // of the error, or empty
		text    string // in the body
		verdict audit.Verdict
		action  string
	}{
		{name: "allowed", call: getThing(`{"Name":"abc"}`), status: 200, text: `{"Name":"abc&<>"}`, verdict: audit.Allow, action: "things:Get"},
		{name: "unknown members ignored", call: getThing(`{"Name":"abc","name":"axe","Other":{"x":[1]}}`), status: 200, text: "abc", verdict: audit.Allow, action: "things:Get"},
		{name: "no statement", call: getThing(`{"Name":"zzz"}`), status: 400, code: "AccessDeniedException",
			text:    "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: things:Get on resource: arn:aws:things:::zzz because no identity-based policy allows the things:Get action",
			verdict: audit.Deny, action: "things:Get"},
		{name: "denied", call: getThing(`{"Name":"ax"}`), status: 400, code: "AccessDeniedException", text: "with an explicit deny in an identity-based policy", verdict: audit.Deny, action: "things:Get"},
		{name: "another address", call: with(getThing(`{"Name":"abc"}`), func(c *call) { c.from = "198.51.100.1" }), status: 400, code: "AccessDeniedException", text: "no identity-based policy", verdict: audit.Deny, action: "things:Get"},
		{name: "constraint", call: getThing(`{"Name":"ABC"}`), status: 400, code: "ValidationException",
			text: "1 validation error detected: Value 'ABC' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+", verdict: audit.Deny, action: "things:Get"},
		{name: "wrong type", call: getThing(`{"Name":7}`), status: 400, code: "SerializationException", text: "NUMBER_VALUE can not be converted to a String", verdict: audit.Deny, action: "things:Get"},
		{name: "not JSON", call: getThing(`{`), status: 400, code: "SerializationException", text: "not valid JSON", verdict: audit.Deny, action: "things:Get"},
		{name: "no such operation", call: with(getThing(`{}`), func(c *call) { c.target = "Things_2026.Fetch" }), status: 400, code: "UnknownOperationException", text: "no operation", verdict: audit.Deny, action: "things:unknown"},
		{name: "of another service", call: with(getThing(`{}`), func(c *call) { c.target = "Other.Get" }), status: 400, code: "UnknownOperationException", text: "Other.Get", verdict: audit.Deny, action: "things:unknown"},
		{name: "not built", call: with(getThing(`{}`), func(c *call) { c.target = "Things_2026.Later" }), status: 400, code: "UnknownOperationException", text: "not available in this version", verdict: audit.Deny, action: "things:unknown"},
		{name: "no target", call: with(getThing(`{}`), func(c *call) { c.target = "" }), status: 400, code: "UnknownOperationException", text: "names no operation", verdict: audit.Deny, action: "things:unknown"},
		{name: "unsigned", call: with(getThing(`{}`), func(c *call) { c.id = "" }), status: 400, code: "MissingAuthenticationTokenException", text: "must be signed", verdict: audit.Deny, action: "things:authenticate"},
		{name: "unknown key", call: with(getThing(`{}`), func(c *call) { c.id = "AKIANOBODYNOBODYNOB1" }), status: 400, code: "UnrecognizedClientException", text: "does not exist", verdict: audit.Deny, action: "things:authenticate"},
		{name: "wrong secret", call: with(getThing(`{}`), func(c *call) { c.secret = "guess guess guess" }), status: 400, code: "InvalidSignatureException", text: "signature", verdict: audit.Deny, action: "things:authenticate"},
		{name: "an hour old", call: with(getThing(`{}`), func(c *call) { c.at = now.Add(-time.Hour) }), status: 400, code: "InvalidSignatureException", text: "15 minutes", verdict: audit.Deny, action: "things:authenticate"},
		{name: "body changed", call: with(getThing(`{"Name":"abc"}`), func(c *call) {
			c.edit = func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"Name":"abd"}`)) }
		}), status: 400, code: "InvalidSignatureException", text: "signature", verdict: audit.Deny, action: "things:authenticate"},
		{name: "operation changed", call: with(getThing(`{"Name":"abc"}`), func(c *call) {
			c.edit = func(r *http.Request) { r.Header.Set("X-Amz-Target", "Things_2026.Pass") }
		}), status: 400, code: "InvalidSignatureException", text: "signature", verdict: audit.Deny, action: "things:authenticate"},
		{name: "operation added", call: with(getThing(`{"Name":"abc"}`), func(c *call) {
			c.target = ""
			c.edit = func(r *http.Request) { r.Header.Set("X-Amz-Target", "Things_2026.Get") }
		}), status: 400, code: "InvalidSignatureException", text: "not among the signed headers", verdict: audit.Deny, action: "things:authenticate"},
		{name: "malformed signature", call: with(getThing(`{}`), func(c *call) {
			c.edit = func(r *http.Request) {
				r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/things/aws4_request")
			}
		}), status: 400, code: "IncompleteSignatureException", text: "needs Credential", verdict: audit.Deny, action: "things:authenticate"},
		{name: "no such service", call: with(getThing(`{}`), func(c *call) { c.service = "kms"; c.target = "Trent.Encrypt" }), status: 400, code: "UnknownOperationException", verdict: audit.Deny, action: "unknown:unknown", text: "no service kms"},
		{name: "declared too long", call: with(getThing(`{}`), func(c *call) {
			c.edit = func(r *http.Request) { r.ContentLength = 1 << 30 }
		}), status: 400, code: "RequestEntityTooLargeException", text: "larger than", verdict: audit.Deny, action: "things:authenticate"},
		{name: "too long", call: getThing(`{"Name":"abc","Note":"` + strings.Repeat("x", 4<<20) + `"}`), status: 400, code: "RequestEntityTooLargeException", text: "larger than", verdict: audit.Deny, action: "things:authenticate"},
		{name: "too deep", call: getThing(`{"Name":"abc","Other":` + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + `}`), status: 400, code: "SerializationException", text: "too deeply", verdict: audit.Deny, action: "things:Get"},
	} {
		w := a.do(t, c.call)
		got := a.records.take()
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: status %d body %s", c.name, w.Code, w.Body)
		}
		if c.code != "" {
			if code, _ := jsonError(t, w); code != c.code {
				t.Errorf("%s: code %s, want %s", c.name, code, c.code)
			}
		}
		if w.Header().Get("x-amzn-RequestId") == "" || w.Header().Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("%s: headers %v", c.name, w.Header())
		}
		if len(got) != 1 || got[0].Verdict != c.verdict || got[0].Action != c.action || got[0].Error == "" == (c.verdict == audit.Deny) {
			t.Errorf("%s: records %+v", c.name, got)
		}
	}
}

func with(c call, edit func(*call)) call {
	edit(&c)
	return c
}

func TestFaultsBecomeCodes(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		err          error
		status       int
		code, text   string
		queryStatus  int
		queryCode    string
		neverVisible string
	}{
		{fault.Newf("x", fault.Invalid, "bad"), 400, "ValidationException", "bad", 400, "ValidationError", "x"},
		{fault.Newf("x", fault.NotFound, "gone"), 400, "NoThing", "gone", 404, "NoSuchEntity", ""},
		{fault.Newf("x", fault.Exists, "there"), 400, "ResourceInUseException", "there", 409, "EntityAlreadyExists", ""},
		{fault.Newf("x", fault.Limit, "full"), 400, "LimitExceededException", "full", 409, "LimitExceeded", ""},
		{fault.Coded("x", fault.NotFound, "OwnCode", "own"), 400, "OwnCode", "own", 404, "OwnCode", ""},
		{fault.E("x", fault.Unavailable, "later", nil), 503, "ServiceUnavailableException", "later", 503, "ServiceUnavailable", ""},
		{fault.E("secret op", fault.Internal, "", io.ErrUnexpectedEOF), 500, "InternalFailure", "internal error", 500, "InternalFailure", "unexpected EOF"},
		{io.ErrUnexpectedEOF, 500, "InternalFailure", "internal error", 500, "InternalFailure", "unexpected EOF"},
	} {
		a.err = c.err
		w := a.do(t, getThing(`{"Name":"abc"}`))
		if code, text := jsonError(t, w); w.Code != c.status || code != c.code || !strings.Contains(text, c.text) {
			t.Errorf("%v: JSON %d %s", c.err, w.Code, w.Body)
		}
		q := a.do(t, sayWord("Action=Say"))
		if code := queryError(t, q); q.Code != c.queryStatus || code != c.queryCode {
			t.Errorf("%v: query %d %s", c.err, q.Code, q.Body)
		}
		if c.neverVisible != "" && len(c.neverVisible) > 1 && strings.Contains(w.Body.String()+q.Body.String(), c.neverVisible) {
			t.Errorf("%v: the cause is shown", c.err)
		}
	}
}

func queryError(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var e struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   struct{ Type, Code, Message string }
		ID      string `xml:"RequestId"`
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &e); err != nil || e.ID == "" || e.Error.Type == "" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return e.Error.Code
}

func TestQuery(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		name   string
		call   call
		status int
		code   string
		text   string
	}{
		{"post", sayWord("Action=Say&Version=2026-01-01&Word=a%26b%3C&Tags.member.2.Key=k2&Tags.member.2.Value=v2&Tags.member.1.Key=k1&Tags.member.1.Value=v1"), 200, "",
			`<SayResponse xmlns="https://words.example.org/doc/2026/"><SayResult><Word>a&amp;b&lt;</Word><Tags><member>k1=v1</member><member>k2=v2</member></Tags></SayResult><ResponseMetadata><RequestId>`},
		{"get", with(sayWord(""), func(c *call) { c.method = "GET"; c.path = "/?Action=Say&Word=hello" }), 200, "", "<Word>hello</Word>"},
		{"presigned", with(sayWord(""), func(c *call) { c.method = "GET"; c.path = "/?Action=Say&Word=hello&X-Amz-Expires=60"; c.presign = true }), 200, "", "<Word>hello</Word>"},
		{"presigned, word changed", with(sayWord(""), func(c *call) {
			c.method, c.path, c.presign = "GET", "/?Action=Say&Word=hello&X-Amz-Expires=60", true
			c.edit = func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "hello", "hallo", 1) }
		}), 403, "SignatureDoesNotMatch", ""},
		{"twice", sayWord("Action=Say&Word=a&Word=b"), 400, "MalformedQueryString", ""},
		{"in query and body", with(sayWord("Word=a"), func(c *call) { c.path = "/?Action=Say&Word=b" }), 400, "MalformedQueryString", ""},
		{"malformed", sayWord("Action=Say&Word=%zz"), 400, "MalformedQueryString", ""},
		{"no such action", sayWord("Action=Sing"), 400, "InvalidAction", ""},
		{"no action", sayWord(""), 400, "InvalidAction", ""},
		{"unsigned", with(sayWord("Action=Say"), func(c *call) { c.id = "" }), 403, "MissingAuthenticationToken", ""},
		{"unsigned get", with(sayWord(""), func(c *call) { c.id = ""; c.method = "GET"; c.path = "/?Action=Say" }), 403, "MissingAuthenticationToken", ""},
		{"unknown key", with(sayWord("Action=Say"), func(c *call) { c.id = "AKIANOBODYNOBODYNOB1" }), 403, "InvalidClientTokenId", ""},
		{"wrong secret", with(sayWord("Action=Say"), func(c *call) { c.secret = "guess guess guess" }), 403, "SignatureDoesNotMatch", ""},
		{"denied", with(sayWord("Action=Say"), func(c *call) { c.id, c.secret = annID, annSecret }), 403, "AccessDenied", "not authorized to perform: words:Say on resource: *"},
		{"who", with(sayWord("Action=WhoAmI"), func(c *call) { c.id, c.secret = annID, annSecret }), 200, "", "<Arn>arn:aws:iam::123456789012:user/ann</Arn>"},
		{"no such service", with(sayWord("Action=Publish"), func(c *call) { c.service = "sns" }), 400, "InvalidAction", "no service sns"},
	} {
		w := a.do(t, c.call)
		got := a.records.take()
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: status %d body %s", c.name, w.Code, w.Body)
		}
		if c.code != "" {
			if code := queryError(t, w); code != c.code {
				t.Errorf("%s: code %s, want %s", c.name, code, c.code)
			}
		}
		if len(got) != 1 || (got[0].Verdict == audit.Allow) != (c.status == 200) {
			t.Errorf("%s: records %+v", c.name, got)
		}
	}
}

// What cannot be recorded is not done.
func TestNothingWithoutARecord(t *testing.T) {
	a := newAPI(t)
	a.records.fail = true
	if w := a.do(t, getThing(`{"Name":"abc"}`)); w.Code != 503 || a.handled != 0 {
		t.Errorf("status %d, handled %d times", w.Code, a.handled)
	}
	if w := a.do(t, sayWord("Action=WhoAmI")); w.Code != 503 || strings.Contains(w.Body.String(), "arn:") {
		t.Errorf("the answer left without a record: %s", w.Body)
	}
}

func TestFurtherDecisions(t *testing.T) {
	a := newAPI(t)
	c := getThing(`{"Name":"abc","Note":"arn:aws:iam::123456789012:role/r"}`)
	c.target = "Things_2026.Pass"
	w := a.do(t, c)
	if code, text := jsonError(t, w); code != "AccessDeniedException" || !strings.Contains(text, "iam:PassRole on resource: arn:aws:iam::123456789012:role/r") {
		t.Errorf("%s", w.Body)
	}
	var got []string
	for _, e := range a.records.take() {
		got = append(got, e.Action+" "+string(e.Verdict))
	}
	if diff := cmp.Diff([]string{"things:Pass allow", "iam:PassRole deny"}, got); diff != "" {
		t.Error(diff)
	}
	c.id, c.secret = rootID, rootSecret
	if w := a.do(t, c); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("root: %d %s", w.Code, w.Body)
	}
}

// The port's other requests are S3's.
func TestRouting(t *testing.T) {
	a := newAPI(t)
	for name, c := range map[string]call{
		"anonymous get":      {method: "GET", path: "/bucket/key"},
		"anonymous list":     {method: "GET", path: "/"},
		"post of a form":     {method: "POST", path: "/bucket", contentType: "application/x-www-form-urlencoded"},
		"multi-delete":       {method: "POST", path: "/?delete", contentType: "application/xml"},
		"signed":             {method: "GET", path: "/bucket/key", id: rootID, secret: rootSecret, service: "s3"},
		"presigned":          {method: "GET", path: "/bucket/key", id: rootID, secret: rootSecret, service: "s3", presign: true},
		"a key named Action": {method: "GET", path: "/bucket/Action=Say?x=Action=Say"},
	} {
		if w := a.do(t, c); w.Code != 299 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func FuzzScope(f *testing.F) {
	for _, s := range []string{"X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&x=1", "a=b&X-Amz-Credential=a/b/c/d/e", "X-Amz-Credential=%2f%2f", "xX-Amz-Credential=a/b/c"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, query, header string) {
		m := awsapi.New(awsapi.Deps{IAM: nobody{}, Audit: audit.Discard{}, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			RequestID: func() string { return "id" },
			S3:        http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}, &awsapi.Service{Name: "things", TargetPrefix: "T"})
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/", RawQuery: query}, Header: http.Header{"Authorization": {header}}, Body: http.NoBody}
		m.ServeHTTP(httptest.NewRecorder(), r)
		delete(r.Header, "Authorization")
		m.ServeHTTP(httptest.NewRecorder(), r)
	})
}

// nobody knows no access key.
type nobody struct{ awsapi.IAM }

func (nobody) Authenticate(context.Context, string, string) (*iam.Caller, error) {
	return nil, fault.Coded("test", fault.Unauthenticated, "InvalidAccessKeyId", "nobody")
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{`{"Name":"a"}`, `{"Name":"a","name":"B"}`, `{"Name":"a","Name":"B"}`, `[]`, `{"Name":null}`, `{"Name":"\ud800"}`, `{"Name":{"a":[1,2]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in thingsIn
		if err := awsapi.DecodeJSON(body, thingsShape, &in); err != nil {
			if code := fault.CodeOf(err); code != "SerializationException" && code != "ValidationException" {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		// What came through satisfies the constraints, however the body spelled it.
		if len(in.Name) == 0 || len(in.Name) > 8 || strings.Trim(in.Name, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q let %q through", body, in.Name)
		}
	})
}

func TestMembers(t *testing.T) {
	form, err := url.ParseQuery("T.member.10.Key=j&T.member.2.Key=b&T.member.2.Value=&T.member.0.Key=x&T.member.-1.Key=x&T.member.a.Key=x&T.member.1001.Key=x&S.member.1=one&S.member.2=two&S=x")
	if err != nil {
		t.Fatal(err)
	}
	want := []url.Values{{"Key": {"b"}, "Value": {""}}, {"Key": {"j"}}}
	if diff := cmp.Diff(want, awsapi.Members(form, "T")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"one", "two"}, awsapi.Strings(form, "S")); diff != "" {
		t.Error(diff)
	}
}

func TestTime(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.UnixMilli(1622151252451), "1622151252.451"},
		{time.UnixMilli(1622151252400), "1622151252.400"},
		{time.UnixMilli(1622151252000), "1622151252"},
		{time.UnixMilli(1622151252007), "1622151252.007"},
	} {
		b, err := json.Marshal(awsapi.At(c.at))
		if err != nil || string(b) != c.want {
			t.Errorf("%s: %v", b, err)
		}
		var back awsapi.Time
		if err := json.Unmarshal(b, &back); err != nil || !back.Equal(c.at) {
			t.Errorf("%s: %v %v", b, back, err)
		}
	}
	for _, bad := range []string{`1e300`, `-1e300`, `"x"`} {
		var back awsapi.Time
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read as %v", bad, back)
		}
	}
}

func FuzzMembers(f *testing.F) {
	f.Add("T.member.1.Key=a&T.member.2.Key=b")
	f.Add("T.member.99999999999999999999.Key=a&T.member.=&T.member..=x")
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		if got := awsapi.Members(form, "T"); len(got) > len(form) {
			t.Errorf("%d members out of %d parameters", len(got), len(form))
		}
	})
}
