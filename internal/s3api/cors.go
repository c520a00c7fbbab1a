package s3api

import (
	"net/http"
	"strconv"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

// cors adds the headers that let a page of another origin see the answer, if
// the bucket's rules have one for it. Refusals have them too, so that a page
// can tell "forbidden" from "unreachable".
func (x *exchange) cors() {
	from := x.r.Header.Get("Origin")
	if from == "" || x.bucket == "" {
		return
	}
	if rule := x.h.objects.MatchCORS(x.r.Context(), x.bucket, from, x.r.Method, nil); rule != nil {
		x.allow(rule, from)
	}
}

func (x *exchange) allow(rule *objects.CORSRule, from string) {
	head := x.w.Header()
	if rule.AnyOrigin() {
		head.Set("Access-Control-Allow-Origin", "*")
	} else {
		head.Set("Access-Control-Allow-Origin", from)
		head.Set("Access-Control-Allow-Credentials", "true")
	}
	head.Set("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethods, ", "))
	if len(rule.ExposeHeaders) > 0 {
		head.Set("Access-Control-Expose-Headers", strings.Join(rule.ExposeHeaders, ", "))
	}
	head.Add("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
}

// preflight answers a browser's question whether it may send a request.
func (x *exchange) preflight() error {
	from, method := x.r.Header.Get("Origin"), x.r.Header.Get("Access-Control-Request-Method")
	if from == "" || method == "" {
		return fault.Coded("s3api", fault.Invalid, "BadRequest", "Insufficient information. Origin and Access-Control-Request-Method request headers are needed.")
	}
	var headers []string
	for h := range strings.SplitSeq(x.r.Header.Get("Access-Control-Request-Headers"), ",") {
		if h = strings.TrimSpace(h); h != "" {
			headers = append(headers, h)
		}
	}
	rule := x.h.objects.MatchCORS(x.r.Context(), x.bucket, from, method, headers)
	if rule == nil {
		return fault.Coded("s3api", fault.Denied, "AccessForbidden", "CORSResponse: no rule of the bucket allows this origin, method and headers.")
	}
	x.allow(rule, from)
	head := x.w.Header()
	if len(headers) > 0 {
		head.Set("Access-Control-Allow-Headers", strings.ToLower(strings.Join(headers, ", ")))
	}
	if rule.MaxAgeSeconds > 0 {
		head.Set("Access-Control-Max-Age", strconv.Itoa(rule.MaxAgeSeconds))
	}
	return x.empty(http.StatusOK)
}
