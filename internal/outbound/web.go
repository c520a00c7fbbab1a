package outbound

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
)

// SignatureHeader carries the signature of a request: "t=SECONDS,v1=HEX", where
// HEX is HMAC-SHA256 of SECONDS "." body under the receiver's secret. The time is
// signed with the body, so that a request which somebody has seen cannot be sent
// again later.
const SignatureHeader = "Fiducial-Signature"

// Hosts are the hosts that requests may go to. An entry is a host, or host:port
// for that port alone; "*.example.com" is every host below example.com. No entry,
// no request: an address that somebody may set by API would else make the server
// ask whatever it alone can reach.
type Hosts []string

// Check says whether a URL is one that requests may go to: Invalid for what is no
// http(s) URL, Denied for a host that is not allowed.
func (h Hosts) Check(raw string) error {
	const op = "outbound.Check"
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return fault.Newf(op, fault.Invalid, "expected http://host[:port]/path or https://host[:port]/path, without user and fragment")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	for _, entry := range h {
		name, only, err := net.SplitHostPort(entry)
		if err != nil {
			name, only = strings.Trim(entry, "[]"), ""
		}
		name = strings.ToLower(name)
		below, wild := strings.CutPrefix(name, "*.")
		if (name == host || wild && strings.HasSuffix(host, "."+below)) && (only == "" || only == port) {
			return nil
		}
	}
	return fault.Newf(op, fault.Denied, "requests to %s are not allowed: the setting outbound-hosts does not have it", net.JoinHostPort(host, port))
}

// Web sends deliveries of kind HTTP, as POST.
type Web struct {
	Hosts Hosts
	// Secret finds the secret that a delivery is signed with, by its Origin; nil:
	// it is not signed.
	Secret func(origin string) []byte
	Now    func() time.Time
	client *http.Client
}

// NewWeb makes a sender. It follows no redirect and uses no proxy: either would
// make of an allowed host another one.
func NewWeb(w Web) *Web {
	w.client = &http.Client{
		Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: 15 * time.Second, MaxResponseHeaderBytes: 64 << 10, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &w
}

// Send implements Sender. Any answer from 200 to 299 is an arrival.
func (w *Web) Send(ctx context.Context, d Delivery) error {
	const op = "outbound.Send"
	if err := w.Hosts.Check(d.Target); err != nil {
		return err // the setting may have changed since the delivery was promised
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Target, bytes.NewReader(d.Body))
	if err != nil {
		return fault.E(op, fault.Invalid, "the request cannot be made", err)
	}
	for k, v := range d.Header {
		req.Header.Set(k, v)
	}
	req.Header.Set("User-Agent", "Fiducial")
	if w.Secret != nil {
		if secret := w.Secret(d.Origin); len(secret) > 0 {
			req.Header.Set(SignatureHeader, Sign(secret, w.Now(), d.Body))
		}
	}
	res, err := w.client.Do(req)
	if err != nil {
		return fault.E(op, fault.Unavailable, "the endpoint does not answer", err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fault.Newf(op, fault.Unavailable, "the endpoint answered %d", res.StatusCode)
	}
	return nil
}

// Sign makes the value of SignatureHeader.
func Sign(secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret []byte, t string, body []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(t + "."))
	m.Write(body)
	return m.Sum(nil)
}

// Verify reports whether the signature is right and no older or younger than
// within. It is what a receiver does; see docs/notifications.md.
func Verify(secret []byte, signature string, body []byte, now time.Time, within time.Duration) bool {
	t, v1, ok := strings.Cut(signature, ",v1=")
	t, timed := strings.CutPrefix(t, "t=")
	seconds, err := strconv.ParseInt(t, 10, 64)
	got, bad := hex.DecodeString(v1)
	if !ok || !timed || err != nil || bad != nil {
		return false
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > within || age < -within {
		return false
	}
	return hmac.Equal(got, mac(secret, t, body))
}
