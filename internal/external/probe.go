package external

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/sigv4"
)

// The address that probes are bound to is nobody's: RFC 5737 keeps it for
// documentation, so no request ever comes from it.
const nobody = "203.0.113.77"

// Target is what Probe tries to open.
type Target struct {
	Bucket string
	Kind   Kind
	Base   string // URL of the bucket: origin, and the bucket where it stands in the path
	Region string
	Key    string // of an object that is there
	Other  string // of another one
	TLS    *tls.Config
	Now    func() time.Time

	// Session gives a session that may s3:GetObject the object Key of the bucket
	// and nothing else, under a condition of session policies ("" for none).
	Session func(ctx context.Context, condition string) (sigv4.Credentials, error)

	// Revoke ends the sessions that were given; nil where sessions cannot be ended.
	Revoke func(ctx context.Context) error
}

// The groups of attempts.
const (
	Control   = "control"   // what must open; if it does not, refusals prove nothing
	Address   = "address"   // bound to one address, asked for from another
	Scope     = "scope"     // another key, method or action than it was made for
	Signature = "signature" // expired, changed
	Recall    = "recall"    // after its end
)

// Row is one attempt.
type Row struct {
	Group  string
	Name   string
	Status int    // of HTTP; 0 where there was no answer
	Opened bool   // the store let it pass
	Note   string // why there was no answer, or why it was not tried
	Bad    bool   // it opened what must not open, or did not open what must
}

// Report is what came of probing a bucket.
type Report struct {
	Bucket, Base string
	Kind         Kind
	At           time.Time
	Rows         []Row

	// Err is why it could not be found out; nothing else counts then.
	Err error
	// Holds: a URL opens nothing but what it was signed for, while it is valid.
	Holds bool
	// Binds: and from no other address than it was bound to.
	Binds bool
	// Recallable: and not after it was ended.
	Recallable bool
}

// maxNamed bounds how many attempts a sentence names; the table has them all.
const maxNamed = 5

// wrong names the attempts that came out wrong.
func (r *Report) wrong() string {
	var opened, shut []string
	for i := range r.Rows {
		switch row := &r.Rows[i]; {
		case row.Bad && row.Opened:
			opened = append(opened, row.Name)
		case row.Bad:
			shut = append(shut, row.Name)
		}
	}
	var parts []string
	for _, p := range []struct {
		says  string
		names []string
	}{{"the store opens what it must not: ", opened}, {"the store does not open what it must: ", shut}} {
		if n := len(p.names); n > maxNamed {
			p.names = append(p.names[:maxNamed:maxNamed], fmt.Sprintf("and %d more", n-maxNamed))
		}
		if len(p.names) > 0 {
			parts = append(parts, p.says+strings.Join(p.names, "; "))
		}
	}
	return strings.Join(parts, ". And ")
}

// Failed reports whether a session that was ended opened something.
func (r *Report) Failed() bool {
	for i := range r.Rows {
		if r.Rows[i].Group == Recall && r.Rows[i].Opened {
			return true
		}
	}
	return false
}

// Verdict is the report in a sentence.
func (r *Report) Verdict() string {
	switch {
	case r.Err != nil:
		return "it could not be found out whether the store binds: " + words(r.Err)
	case !r.Holds || !r.Binds:
		return r.wrong()
	}
	return "everything that must not open was refused"
}

// words are a fault's message; who probes owns the store, so other errors are
// shown too.
func words(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f.Message != "" {
		return f.Message
	}
	return err.Error()
}

// Fix says what to do about it.
func (r *Report) Fix() string {
	switch {
	case r.Err == nil && r.Holds && r.Binds:
		return ""
	case r.Err != nil:
		return "mend what the message says (docs/external-storage.md), or set via: fiducial"
	case r.Kind == MinIO:
		return "MinIO believes X-Real-IP, X-Forwarded-For, Forwarded and a bare SourceIp header from any client (_MINIO_API_XFF_HEADER=off stops only the second): " +
			"put a proxy before it that deletes the four and sets X-Real-IP itself, and let nobody else reach its port; or set via: fiducial"
	case r.Kind == SeaweedFS:
		return "SeaweedFS up to 4.44 believes X-Real-IP and X-Forwarded-For from clients on private addresses: take a later version without a proxy before it; or set via: fiducial"
	case r.Kind == RGW:
		return "rgw_remote_addr_param must be REMOTE_ADDR, or a proxy before RGW must overwrite the header that it names; or set via: fiducial"
	}
	return "set via: fiducial; media pass through this server then, with every check"
}

// prober is one run of Probe.
type prober struct {
	Target
	ctx    context.Context
	signer *sigv4.Endpoint
	path   string // before the key
	client *http.Client
	raw    *http.Client // begins with a PROXY protocol header
	out    *Report
}

// Probe tries to open an object in every way known that must not open it, and
// in those that must.
func Probe(ctx context.Context, t Target) *Report {
	r := &Report{Bucket: t.Bucket, Base: t.Base, Kind: t.Kind, At: t.Now().UTC()}
	u, err := url.Parse(t.Base)
	if err != nil {
		r.Err = err
		return r
	}
	p := &prober{Target: t, ctx: ctx, path: strings.TrimSuffix(u.Path, "/"), out: r}
	if p.signer, err = sigv4.NewEndpoint(u.Scheme+"://"+u.Host, t.Region); err != nil {
		r.Err = err
		return r
	}
	p.client = p.from("", "")
	defer p.client.CloseIdleConnections()
	if r.Err = p.run(u); r.Err == nil {
		r.judge()
	}
	return r
}

func (r *Report) judge() {
	r.Holds, r.Binds, r.Recallable = true, true, true
	for i := range r.Rows {
		row := &r.Rows[i]
		switch {
		case row.Group == Recall:
			r.Recallable = r.Recallable && !row.Opened && row.Status != 0
		case row.Bad && row.Group == Address:
			r.Binds = false
		case row.Bad:
			r.Holds = false
		}
	}
}

// run makes the attempts. An error means that they prove nothing.
func (p *prober) run(u *url.URL) error {
	free, err := p.Session(p.ctx, "")
	if err != nil {
		return err
	}
	get := p.sign("GET", p.Key, free, 0)
	if row := p.must(Control, "the object, with a session bound to no address", get, p.client); !row.Opened {
		return fault.Newf("external.Probe", fault.Unavailable, "the object %s does not open even with a session that may read it (status %d%s): is the role allowed s3:GetObject on the bucket?", p.Key, row.Status, note(row.Note))
	}
	p.scope(free, get)
	p.signature(free, get)
	if err := p.address(u); err != nil {
		return err
	}
	return p.recall(get)
}

func note(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

// scope tries what the session was not made for, with the session's own keys:
// that is more than the holder of a URL has.
func (p *prober) scope(c sigv4.Credentials, get string) {
	p.try(Scope, "another object, signed with the session", "GET", p.sign("GET", p.Other, c, 0), nil, p.client)
	p.try(Scope, "another object, by changing the URL", "GET", strings.Replace(get, escape(p.Key), escape(p.Other), 1), nil, p.client)
	p.try(Scope, "the list of the bucket, signed with the session", "GET", p.signPath("GET", p.path+"/", c, 0), nil, p.client)
	p.try(Scope, "writing the object, signed with the session", "PUT", p.sign("PUT", p.Key+".written", c, 0), nil, p.client)
	p.try(Scope, "deleting the object, signed with the session", "DELETE", p.sign("DELETE", p.Key+".written", c, 0), nil, p.client)
	for _, method := range []string{"HEAD", "PUT", "POST", "DELETE"} {
		p.try(Scope, method+" with a URL made for GET", method, get, nil, p.client)
	}
}

// signature tries URLs that are no longer, or not quite, what was signed.
func (p *prober) signature(c sigv4.Credentials, get string) {
	old := p.sign("GET", p.Key, c, -time.Hour)
	p.try(Signature, "an expired URL", "GET", old, nil, p.client)
	p.try(Signature, "an expired URL with a longer life written in", "GET", strings.Replace(old, "X-Amz-Expires=60", "X-Amz-Expires=86400", 1), nil, p.client)
	p.try(Signature, "a changed signature", "GET", flip(get), nil, p.client)
	p.try(Signature, "no signature", "GET", strings.SplitN(get, "?", 2)[0], nil, p.client)
	if u, err := url.Parse(get); err == nil {
		q := u.Query()
		q.Del("X-Amz-Security-Token")
		u.RawQuery = q.Encode()
		p.try(Signature, "no session token", "GET", u.String(), nil, p.client)
	}
}

func flip(u string) string {
	const mark = "X-Amz-Signature="
	i := strings.Index(u, mark) + len(mark)
	c := byte('0')
	if u[i] == '0' {
		c = '1'
	}
	return u[:i] + string(c) + u[i+1:]
}

// forgeries are headers that something between client and server may set, and
// that some servers therefore believe.
func forgeries(addr string) []http.Header {
	var list []http.Header
	for _, name := range []string{
		"X-Real-IP", "X-Forwarded-For", "SourceIp", "X-Amz-Source-Ip", "True-Client-IP", "X-Client-IP", "Client-IP", "CF-Connecting-IP",
		"X-Cluster-Client-IP", "X-Original-Forwarded-For", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "Fastly-Client-IP",
		"X-Envoy-External-Address", "X-Azure-ClientIP", "Aws-SourceIp", "Remote-Addr",
	} {
		list = append(list, http.Header{name: {addr}})
	}
	return append(list,
		http.Header{"X-Forwarded-For": {addr + ", 198.51.100.1"}},
		http.Header{"X-Forwarded-For": {"198.51.100.1, " + addr}},
		http.Header{"X-Forwarded-For": {addr + ":4711"}},
		http.Header{"X-Forwarded-For": {"::ffff:" + addr}},
		http.Header{"Forwarded": {"for=" + addr}},
		http.Header{"Forwarded": {`for="` + addr + `:4711";proto=https`}},
		http.Header{"X-Real-IP": {addr}, "X-Forwarded-For": {addr}, "Forwarded": {"for=" + addr}, "SourceIp": {addr}, "True-Client-IP": {addr}},
	)
}

// address tries a session that is bound to an address nobody has, and on
// loopback one that is bound to an address of this machine.
func (p *prober) address(u *url.URL) error {
	bound, err := p.Session(p.ctx, `{"IpAddress":{"aws:SourceIp":"`+nobody+`/32"}}`)
	if err != nil {
		return err
	}
	get := p.sign("GET", p.Key, bound, 0)
	p.try(Address, "from here, though bound to "+nobody, "GET", get, nil, p.client)
	p.forge(get, nobody, "from here", p.client)
	p.raw = p.from("", "PROXY TCP4 "+nobody+" "+nobody+" 4711 443\r\n")
	defer p.raw.CloseIdleConnections()
	p.try(Address, "from here with a PROXY protocol header", "GET", get, nil, p.raw)

	host, err := netip.ParseAddr(u.Hostname())
	if err != nil || !host.Is4() || !host.IsLoopback() {
		return nil
	}
	const mine, other = "127.0.0.1", "127.0.0.2"
	if bound, err = p.Session(p.ctx, `{"IpAddress":{"aws:SourceIp":"`+mine+`/32"}}`); err != nil {
		return err
	}
	get = p.sign("GET", p.Key, bound, 0)
	own, stranger := p.from(mine, ""), p.from(other, "")
	defer own.CloseIdleConnections()
	defer stranger.CloseIdleConnections()
	p.must(Address, "from "+mine+", bound to it", get, own)
	p.try(Address, "from "+other+", though bound to "+mine, "GET", get, nil, stranger)
	p.forge(get, mine, "from "+other, stranger)
	return nil
}

func (p *prober) forge(get, addr, where string, c *http.Client) {
	for _, h := range forgeries(addr) {
		p.try(Address, where+" with "+describe(h), "GET", get, h, c)
	}
}

func describe(h http.Header) string {
	if len(h) > 1 {
		return "all of these headers"
	}
	for name, v := range h {
		return name + ": " + v[0]
	}
	return ""
}

// recall tries a URL after its session was ended.
func (p *prober) recall(get string) error {
	const name = "the object, after its session was ended"
	if p.Revoke == nil {
		p.out.Rows = append(p.out.Rows, Row{Group: Recall, Name: name, Note: "sessions of this store cannot be ended: a URL opens until it expires"})
		return nil
	}
	if err := p.Revoke(p.ctx); err != nil {
		return err
	}
	select {
	case <-p.ctx.Done():
		return p.ctx.Err()
	case <-time.After(time.Second): // what is promised
	}
	p.try(Recall, name, "GET", get, nil, p.client)
	return nil
}

// life of the URLs that are tried.
const life = time.Minute

func (p *prober) sign(method, key string, c sigv4.Credentials, ago time.Duration) string {
	return p.signPath(method, p.path+"/"+key, c, ago)
}

func (p *prober) signPath(method, path string, c sigv4.Credentials, ago time.Duration) string {
	return p.signer.Presign(method, path, c, p.Now().Add(ago).UTC().Truncate(time.Second), life)
}

func escape(key string) string { return (&url.URL{Path: "/" + key}).EscapedPath() }

// from is a client whose connections come from an address of this machine, and
// begin with the bytes of hello.
func (p *prober) from(addr, hello string) *http.Client {
	d := &net.Dialer{Timeout: 10 * time.Second}
	if addr != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(addr)}
	}
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{TLSClientConfig: p.TLS, DisableCompression: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := d.DialContext(ctx, network, address)
			if err == nil && hello != "" {
				_, err = io.WriteString(c, hello)
			}
			return c, err
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// try makes an attempt that must be refused.
func (p *prober) try(group, name, method, rawURL string, h http.Header, c *http.Client) Row {
	row := Row{Group: group, Name: name}
	status, err := p.ask(method, rawURL, h, c)
	if status >= 500 && status != http.StatusNotImplemented || err != nil && c != p.raw {
		status, err = p.ask(method, rawURL, h, c) // a store may stumble once
	}
	row.Status = status
	switch {
	case err != nil:
		// No answer proves nothing, but to a header that is no HTTP.
		row.Note, row.Opened = reason(err), c != p.raw
	case status >= 500 && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported:
		row.Note = "the store fails; taken as open"
		row.Opened = true
	default:
		// "Not found" is an answer of somebody who let it pass.
		row.Opened = status/100 == 2 || status == http.StatusNotFound || status == http.StatusNotModified || status == http.StatusRequestedRangeNotSatisfiable
	}
	row.Bad = row.Opened
	p.out.Rows = append(p.out.Rows, row)
	return row
}

// must makes an attempt that must open. If it does not, refusals prove nothing.
func (p *prober) must(group, name, get string, c *http.Client) Row {
	row := Row{Group: group, Name: name}
	var err error
	if row.Status, err = p.ask("GET", get, nil, c); err != nil {
		row.Note = reason(err)
	}
	row.Opened = row.Status == http.StatusOK
	row.Bad = !row.Opened
	p.out.Rows = append(p.out.Rows, row)
	return row
}

func (p *prober) ask(method, rawURL string, h http.Header, c *http.Client) (int, error) {
	req, err := http.NewRequestWithContext(p.ctx, method, rawURL, nil)
	if err != nil {
		return 0, err
	}
	for name, v := range h {
		req.Header[name] = v
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	return res.StatusCode, res.Body.Close()
}

// reason leaves the URL, in which there is a signature, out of an error.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Sprint("no answer: ", err)
}
