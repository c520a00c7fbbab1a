package awsapi

import (
	"encoding/json"
	"testing"

	"fiducial/internal/fault"
	"fiducial/internal/sigv4"
)

// What a request's path, query and body are put together to is JSON in which the
// members of the path and the query have their values from there, or a fault of the
// requester's; decoding it is never our fault either.
func FuzzREST(f *testing.F) {
	shape := &Shape{Type: Structure, Members: []Member{
		{Name: "Name", Required: true, In: "uri", Shape: &Shape{Type: String, Max: Bound(63), Pattern: NewPattern(`^[a-z0-9](-*[a-z0-9])*$`)}},
		{Name: "Page", In: "querystring", Shape: &Shape{Type: Integer, Min: Bound(1)}},
		{Name: "Since", In: "querystring", Shape: &Shape{Type: Timestamp, ISO: true}},
		{Name: "Input", Shape: &Shape{Type: String}},
	}}
	type input struct {
		Name  string
		Page  *int64
		Since *ISOTime
		Input string
	}
	f.Add("loop-1", "Page=7&Since=2020-02-24T12%3A00%3A00Z", `{"Input":"{}","Name":"other","Page":1}`)
	f.Add("a%2Fb", "Page=1e3&Page=2", "[]")
	f.Add("", "Page=null&Since=%22", `{"Input":7}`)
	f.Add("x", "Page=99999999999999999999", `{"Since":1}`)
	f.Fuzz(func(t *testing.T, name, query, body string) {
		q, err := sigv4.ParseQuery(query)
		if err != nil {
			return
		}
		out, err := restInput(shape, []byte(body), map[string]string{"Name": name}, q)
		if err == nil {
			var tree map[string]any
			if jerr := json.Unmarshal(out, &tree); jerr != nil {
				t.Fatalf("%q: %v", out, jerr)
			}
			if _, is := tree["Name"].(string); !is {
				t.Errorf("the name is not the path's: %q", out)
			}
			var in input
			if err = DecodeJSON(out, shape, &in); err == nil && in.Name != name {
				t.Errorf("name %q of path %q", in.Name, name)
			}
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
	})
}
