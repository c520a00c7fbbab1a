// Package httpfn runs a function behind an HTTP server that speaks as Lambda's
// runtime interface emulator does: POST of the event, the answer in the body.
//
//	POST /2015-03-31/functions/function/invocations
//
// A function's own error comes as a document with errorMessage and errorType,
// with status 200 or 502, or the header X-Amz-Function-Error; the emulator's
// time-out as a text with status 200. Status 400 without a body is the emulator
// at work on another event; 429 and 503 are a server that is busy.
package httpfn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/functions"
	"fiducial/internal/labeling/engine"
)

// Path is where the emulator takes events.
const Path = "/2015-03-31/functions/function/invocations"

// Runner runs the function behind one URL.
type Runner struct {
	url    string
	client *http.Client
}

// New makes a runner.
func New(f functions.Setting) (*Runner, error) {
	u, err := url.Parse(f.URL)
	if err != nil {
		return nil, fault.E("httpfn.New", fault.Invalid, "functions ("+f.ARN+"): url: not a URL", err)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = Path
	}
	return &Runner{url: u.String(), client: &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: f.Concurrency, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		// An event is for the server that the configuration names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Run implements functions.Runner.
func (r *Runner) Run(ctx context.Context, req functions.Request) ([]byte, error) {
	const op = "httpfn.Run"
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(req.Event))
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "The function's URL cannot be used.", err)
	}
	post.Header.Set("Content-Type", "application/json")
	res, err := r.client.Do(post)
	if err != nil {
		return nil, unreachable(op, req.ARN, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, functions.MaxPayload+1))
	switch {
	case err != nil:
		return nil, unreachable(op, req.ARN, err)
	case len(body) > functions.MaxPayload:
		return nil, functions.TooLarge()
	}
	return answer(res, body, req.ARN)
}

func unreachable(op, arn string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the URL
	}
	return fault.E(op, fault.Unavailable, fmt.Sprintf("The function %s cannot be reached: %v.", arn, err), err)
}

func answer(res *http.Response, body []byte, arn string) ([]byte, error) {
	const op = "httpfn.Run"
	if own, reported := functions.Report(body); reported {
		return nil, own
	}
	said := functions.Cut(string(body[:min(len(body), functions.MaxMessage)]), functions.MaxMessage)
	switch status := res.StatusCode; {
	case res.Header.Get("X-Amz-Function-Error") != "":
		return nil, &engine.FunctionError{Type: res.Header.Get("X-Amz-Function-Error"), Message: said}
	case status >= 200 && status < 300:
		return body, nil
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable, status == http.StatusBadRequest && len(body) == 0:
		return nil, fault.Newf(op, fault.Unavailable, "The function %s is busy: its server answers %s.", arn, res.Status)
	case status == http.StatusGatewayTimeout:
		return nil, &engine.FunctionError{Type: "Timeout", Message: "the function's server answers " + res.Status}
	case status == http.StatusNotFound:
		return nil, fault.Newf(op, fault.NotFound, "There is no function at the URL that the setting functions has for %s: its server answers %s.", arn, res.Status)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return nil, fault.Newf(op, fault.Denied, "The server of the function %s refuses: %s.", arn, res.Status)
	default:
		return nil, &engine.FunctionError{Type: "HTTPStatus", Message: strings.TrimSuffix("the function's server answers "+res.Status+": "+said, ": ")}
	}
}
