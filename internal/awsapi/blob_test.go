package awsapi_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
)

// Blobs are base64 in its one canonical spelling, bounded in bytes, and never said back.
func TestBlobs(t *testing.T) {
	shape := &awsapi.Shape{Type: awsapi.Structure, Members: []awsapi.Member{
		{Name: "Raw", Shape: &awsapi.Shape{Type: awsapi.Blob, Min: awsapi.Bound(1), Max: awsapi.Bound(4)}}}}
	for _, tc := range []struct{ name, json, want, code string }{
		{"one byte", `"eA=="`, "x", ""},
		{"two bytes", `"eHg="`, "xx", ""},
		{"as long as may be", `"eHh4eA=="`, "xxxx", ""},
		{"too long", `"eHh4eHg="`, "", "ValidationException"},
		{"too long by a lot", `"` + strings.Repeat("eHh4", 1000) + `"`, "", "ValidationException"},
		{"empty", `""`, "", "ValidationException"},
		{"no base64", `"%%%%"`, "", "SerializationException"},
		{"no padding", `"eA"`, "", "SerializationException"},
		{"unused bits", `"eB=="`, "", "SerializationException"},
		{"line end", `"eA\n=="`, "", "SerializationException"},
		{"for URLs", `"-_-_"`, "", "SerializationException"},
		{"a number", `7`, "", "SerializationException"},
		{"a list", `[120]`, "", "SerializationException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out struct{ Raw []byte }
			err := awsapi.DecodeJSON([]byte(`{"Raw":`+tc.json+`}`), shape, &out)
			if fault.CodeOf(err) != tc.code || string(out.Raw) != tc.want {
				t.Errorf("%q, %v", out.Raw, err)
			}
			if secret := strings.Trim(tc.json, `"`); err != nil && len(secret) > 3 && strings.Contains(err.Error(), secret) {
				t.Errorf("said back: %v", err)
			}
		})
	}
	if base64.StdEncoding.EncodeToString([]byte("x")) != "eA==" {
		t.Fatal("the cases are wrong")
	}
}
