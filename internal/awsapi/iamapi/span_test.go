package iamapi

import (
	"encoding/json"
	"testing"

	"fiducial/internal/policy"
)

// Every statement of every document that the engine reads has a place in it,
// which ends with the statement's brace and begins behind the one before.
func FuzzSpan(f *testing.F) {
	for _, seed := range []string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}],"Version":"2012-10-17"}`,
		"{\n \"Statement\" : [ {\"Effect\":\"Allow\",\"Action\":[\"a:b\"],\"Resource\":\"*\"}\n, {\"Effect\":\"Allow\",\"Action\":\"*\",\"NotResource\":\"*\"} ] }",
		`{"Id":"\"Statement\":[","Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::ü/{}"}]}`,
		`{"\u0053tatement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := policy.Parse([]byte(text), policy.Identity); err != nil {
			return
		}
		var doc struct{ Statement json.RawMessage }
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("the engine reads what encoding/json does not: %v", err)
		}
		n := 1
		var list []json.RawMessage
		if json.Unmarshal(doc.Statement, &list) == nil {
			n = len(list)
		}
		before := 0
		for i := range n {
			start, end := span(text, i)
			if start < before || start >= end || end > len(text) || text[end-1] != '}' {
				t.Fatalf("statement %d of %q: %d to %d", i, text, start, end)
			}
			before = end
			if p := position(text, end); p.Line < 1 || p.Column < 1 {
				t.Fatalf("position %+v", p)
			}
		}
	})
}
