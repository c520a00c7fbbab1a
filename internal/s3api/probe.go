package s3api

import "net/http"

// BrowserDigest is the digest of the browser secret that a request carries, as
// media requests are judged by it; "" for none.
func BrowserDigest(h http.Header) string { return browser(h["Cookie"]) }

// credentials lets the sandboxed frame of a task, whose origin is "null", see the
// answer to a media request that showed its browser's secret. Browsers withhold
// such an answer unless it names the origin and allows credentials, whatever the
// bucket's own rules are. Nobody else gains by it: whoever has neither the secret
// nor the URL gets no object to see.
func (x *exchange) credentials() {
	if !x.call.Caller.IsGrant() || x.call.Caller.Grant.Browser == "" || x.r.Header.Get("Origin") != "null" {
		return
	}
	head := x.w.Header()
	head.Set("Access-Control-Allow-Origin", "null")
	head.Set("Access-Control-Allow-Credentials", "true")
	head.Add("Vary", "Origin")
}
