package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The committed code is what the committed model gives.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	for model, pkg := range map[string]string{"groundtruth-api.json": "wire", "kms-api.json": "kmswire", "a2i-runtime-api.json": "a2iwire"} {
		raw, err := os.ReadFile("model/" + model)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("../../internal/awsapi/" + pkg + "/wire_gen.go")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // maps are walked in another order each time
			got, err := generate(raw, model, pkg)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%s: wire_gen.go is not what the model gives: run go generate ./internal/awsapi/...", pkg)
			}
		}
		if strings.Contains(string(raw), `"documentation"`) {
			t.Errorf("%s carries documentation texts, which are not ours to ship", model)
		}
	}
}

func TestGenerate(t *testing.T) {
	const small = `{"operations":{"Get":{"name":"Get","http":{"method":"GET","requestUri":"/things/{Name}"},"input":{"shape":"In"},"output":{"shape":"Out"},"errors":[{"shape":"Gone"}]}},
		"x-paginators":{"Get":{"result_key":"Things"}},
		"shapes":{
			"In":{"type":"structure","required":["Name"],"members":{"Name":{"shape":"Name","location":"uri","locationName":"Name"},"Since":{"shape":"Instant"},"Size":{"shape":"Size"},"Boxed":{"shape":"Size","box":true},"Raw":{"shape":"Bytes"}}},
			"Out":{"type":"structure","members":{"Things":{"shape":"Names"},"Others":{"shape":"Names"}}},
			"Names":{"type":"list","member":{"shape":"Name"},"max":3},
			"Name":{"type":"string","max":8,"pattern":"[a-z\\uD7FF]+","sensitive":true},
			"Size":{"type":"integer","min":1},
			"Bytes":{"type":"blob","max":4},
			"Instant":{"type":"timestamp","timestampFormat":"iso8601"},
			"Gone":{"type":"structure","exception":true,"members":{"Message":{"shape":"Name"}}}}}`
	got, err := generate([]byte(small), "small.json", "wire")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Name  string          `json:\"Name\"`",
		"Since *awsapi.ISOTime `json:\"Since,omitempty\"`",
		"Size  int64           `json:\"Size\"`",
		"Boxed *int64          `json:\"Boxed,omitempty\"`",
		"Raw   []byte          `json:\"Raw,omitempty\"`",
		"Things []string `json:\"Things\"`", // a page is always written
		"Others []string `json:\"Others,omitempty\"`",
		"Max:       awsapi.Bound(8)", "Sensitive: true", "{Name: \"Name\", Shape: NameShape, Required: true, In: \"uri\"}", "ISO:  true",
		"awsapi.NewPatternAs(`[a-z\\uD7FF]+`, `[a-z\\x{D7FF}]+`)",
		`{Name: "Get", HTTP: "GET /things/{Name}", Input: InShape, Errors: []string{"Gone"}, ResultKey: "Things"}`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in:\n%s", want, got)
		}
	}
	for _, not := range []string{"type Gone", "OutShape"} {
		if strings.Contains(string(got), not) {
			t.Errorf("%s was generated", not)
		}
	}
}

// A model that is not wholly understood gives no code.
func TestRefusedModels(t *testing.T) {
	for name, c := range map[string]struct{ model, want string }{
		"not JSON":         {`{`, "unexpected EOF"},
		"unknown type":     {`{"shapes":{"X":{"type":"document"}}}`, "not supported"},
		"dangling member":  {`{"shapes":{"X":{"type":"structure","members":{"A":{"shape":"Y"}}}}}`, "not there"},
		"dangling element": {`{"shapes":{"X":{"type":"list","member":{"shape":"Y"}}}}`, "not there"},
		"dangling input":   {`{"operations":{"O":{"input":{"shape":"Y"}}},"shapes":{}}`, "not there"},
		"bad requirement":  {`{"shapes":{"X":{"type":"structure","required":["A"],"members":{}}}}`, "not a member"},
		"header":           {`{"shapes":{"X":{"type":"structure","members":{"A":{"shape":"X","location":"header","locationName":"A"}}}}}`, "not supported"},
		"renamed":          {`{"shapes":{"X":{"type":"structure","members":{"A":{"shape":"X","location":"uri","locationName":"B"}}}}}`, "not supported"},
		"time format":      {`{"shapes":{"X":{"type":"timestamp","timestampFormat":"rfc822"}}}`, "not supported"},
		"bad expression":   {`{"shapes":{"X":{"type":"string","pattern":"(?<=a)b"}}}`, "invalid"},
	} {
		if _, err := generate([]byte(c.model), "m.json", "wire"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
