package lambda_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/functions"
	"fiducial/internal/functions/lambda"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/sigv4"
)

const (
	arn    = "arn:aws:lambda:eu-west-1:123456789012:function:post"
	keyID  = "AKIALAMBDA"
	secret = "lambda-secret-access-key"
)

// stub is Lambda's Invoke API. It lets in what the verifier of this project's
// own APIs lets in, for the region.
func stub(t *testing.T, region string, answer http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verify(r, region, body)
		}
		if err != nil || string(body) != `{"a":1}` {
			refuse(w, http.StatusForbidden, "InvalidSignatureException", strings.ReplaceAll(err.Error(), `"`, ""))
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func verify(r *http.Request, region string, body []byte) error {
	q, err := sigv4.Parse(r)
	if err != nil {
		return err
	}
	if q.AccessKeyID != keyID {
		return errors.New("signed by " + q.AccessKeyID)
	}
	if err := q.CheckScope(region, "lambda"); err != nil {
		return err
	}
	return q.VerifyBody(r, sigv4.DeriveKey(secret, q.Date, q.Region, q.Service), time.Now(), body)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", code)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"Type":"User","message":"`+message+`"}`)
}

// credentials makes the SDK's chain find the test's key and nothing of this
// machine's.
func credentials(t *testing.T, key string) {
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": keyID, "AWS_SECRET_ACCESS_KEY": key, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_LAMBDA": ""} {
		t.Setenv(name, value)
	}
}

func run(t *testing.T, l functions.Lambda) (string, error) {
	t.Helper()
	list := functions.Settings{{ARN: "*", Lambda: &l}}
	if err := list.Check(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := lambda.New(ctx, list[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Run(ctx, functions.Request{ARN: arn, Name: "post", Event: []byte(`{"a":1}`)})
	return string(got), err
}

func TestInvoke(t *testing.T) {
	credentials(t, secret)
	var path string
	s := stub(t, "eu-west-1", func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		if kind := r.Header.Get("X-Amz-Invocation-Type"); kind != "RequestResponse" {
			t.Errorf("invocation type %q", kind)
		}
		_, _ = io.WriteString(w, `[{"datasetObjectId":"0"}]`)
	})
	got, err := run(t, functions.Lambda{Endpoint: s.URL})
	if got != `[{"datasetObjectId":"0"}]` || err != nil || path != "/2015-03-31/functions/"+arn+"/invocations" {
		t.Errorf("got %s, %v by %s", got, err, path)
	}
	// Another name, in another region.
	s = stub(t, "us-west-2", func(_ http.ResponseWriter, r *http.Request) { path = r.URL.Path })
	if _, err := run(t, functions.Lambda{Endpoint: s.URL, Region: "us-west-2", Function: "theirs:live"}); err != nil || path != "/2015-03-31/functions/theirs:live/invocations" {
		t.Errorf("%v by %s", err, path)
	}
	// A profile of the shared files.
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte("[labeling]\naws_access_key_id = "+keyID+"\naws_secret_access_key = "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	if _, err := run(t, functions.Lambda{Endpoint: s.URL, Region: "us-west-2", Profile: "labeling"}); err != nil {
		t.Errorf("by a profile: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  http.HandlerFunc
		own     string
		kind    fault.Kind
		message string
	}{
		{"handled", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = io.WriteString(w, `{"errorMessage":"'source'","errorType":"KeyError","stackTrace":[]}`)
		}, "KeyError: 'source'", 0, ""},
		{"without a document", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Function-Error", "Handled")
			_, _ = io.WriteString(w, `oops`)
		}, "Handled: oops", 0, ""},
		{"no function", func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 404, "ResourceNotFoundException", "Function not found: "+arn)
		}, "", fault.NotFound, "Lambda answers ResourceNotFoundException: Function not found"},
		{"not allowed", func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 403, "AccessDeniedException", "User is not authorized")
		}, "", fault.Denied, "AccessDeniedException: User is not authorized"},
		{"throttled", func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 429, "TooManyRequestsException", "Rate exceeded")
		}, "", fault.Unavailable, "Rate exceeded"},
		{"broken", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 500, "ServiceException", "sorry") }, "", fault.Unavailable, "sorry"},
		{"cold", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 502, "EC2ThrottledException", "sorry") }, "", fault.Unavailable, "sorry"},
		{"bad event", func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 400, "InvalidRequestContentException", "Could not parse")
		}, "", fault.Invalid, "Could not parse"},
		{"too large", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 413, "RequestTooLargeException", "6 MB") },
			"RequestTooLarge: cannot be invoked: Lambda answers RequestTooLargeException: 6 MB", 0, ""},
		{"100 MB", func(w http.ResponseWriter, _ *http.Request) {
			chunk := []byte(strings.Repeat("x", 1<<16))
			for range 1600 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, "Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size (6291456 bytes).", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			credentials(t, secret)
			s := stub(t, "eu-west-1", c.answer)
			got, err := run(t, functions.Lambda{Endpoint: s.URL})
			var own *engine.FunctionError
			if c.own != "" && (!errors.As(err, &own) || own.Error() != c.own) {
				t.Errorf("got %.200s, %v, want %s", got, err, c.own)
			}
			if c.own == "" && (!fault.Is(err, c.kind) || !strings.Contains(fault.MessageOf(err), c.message) || !strings.Contains(fault.MessageOf(err), arn)) {
				t.Errorf("got %v, want %v and %q", err, c.kind, c.message)
			}
		})
	}
	credentials(t, "another-secret-access-key")
	s := stub(t, "eu-west-1", func(http.ResponseWriter, *http.Request) { t.Error("a wrong signature was let in") })
	if _, err := run(t, functions.Lambda{Endpoint: s.URL}); !fault.Is(err, fault.Denied) || !strings.Contains(fault.MessageOf(err), "InvalidSignatureException") || strings.Contains(err.Error(), "another-secret") {
		t.Errorf("a wrong key: %v", err)
	}
	s.Close()
	if _, err := run(t, functions.Lambda{Endpoint: s.URL}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an endpoint that is away: %v", err)
	}
}
