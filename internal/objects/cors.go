package objects

import (
	"strings"

	"fiducial/internal/fault"
)

// maxCORSRules is S3's bound.
const maxCORSRules = 100

func checkCORS(rules []CORSRule) error {
	bad := func(code, msg string) error {
		return fault.Coded("objects.PutBucketCors", fault.Invalid, code, msg)
	}
	if len(rules) == 0 || len(rules) > maxCORSRules {
		return bad("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema: 1 to 100 CORSRule elements are expected")
	}
	for _, r := range rules {
		if len(r.AllowedOrigins) == 0 || len(r.AllowedMethods) == 0 {
			return bad("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema: a CORSRule needs AllowedOrigin and AllowedMethod")
		}
		if len(r.ID) > 255 {
			return bad("InvalidRequest", "The ID of a CORSRule has at most 255 characters")
		}
		for _, m := range r.AllowedMethods {
			switch m {
			case "GET", "PUT", "POST", "DELETE", "HEAD":
			default:
				return bad("InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is "+m)
			}
		}
		for _, o := range append(append([]string{}, r.AllowedOrigins...), r.AllowedHeaders...) {
			if strings.Count(o, "*") > 1 {
				return bad("InvalidRequest", "AllowedOrigin and AllowedHeader can have at most one * each: "+o)
			}
		}
		for _, h := range r.ExposeHeaders {
			if strings.Contains(h, "*") {
				return bad("InvalidRequest", "ExposeHeader cannot contain a wildcard: "+h)
			}
		}
	}
	return nil
}

// MatchCORS returns the first rule that lets a page of the origin use the method
// with the headers; nil if there is none.
func (b *Bucket) MatchCORS(origin, method string, headers []string) *CORSRule {
	for i := range b.CORS {
		if r := &b.CORS[i]; r.matches(origin, method, headers) {
			return r
		}
	}
	return nil
}

func (r *CORSRule) matches(origin, method string, headers []string) bool {
	return anyMatch(r.AllowedOrigins, origin, false) && anyMatch(r.AllowedMethods, method, false) && r.allows(headers)
}

func (r *CORSRule) allows(headers []string) bool {
	for _, h := range headers {
		if !anyMatch(r.AllowedHeaders, h, true) {
			return false
		}
	}
	return true
}

// AnyOrigin reports whether the rule is for every origin.
func (r *CORSRule) AnyOrigin() bool {
	for _, o := range r.AllowedOrigins {
		if o == "*" {
			return true
		}
	}
	return false
}

// anyMatch compares with patterns of at most one star.
func anyMatch(patterns []string, s string, fold bool) bool {
	if fold {
		s = strings.ToLower(s)
	}
	for _, p := range patterns {
		if fold {
			p = strings.ToLower(p)
		}
		before, after, star := strings.Cut(p, "*")
		if p == s || star && len(s) >= len(before)+len(after) && strings.HasPrefix(s, before) && strings.HasSuffix(s, after) {
			return true
		}
	}
	return false
}
