package awsapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"fiducial/internal/awsapi"
)

// Probes are answered on the API's own host and path, unsigned; below the
// virtual-host domain the same path is an object's, and what is signed is S3's.
func TestProbeRoute(t *testing.T) {
	said := func(word string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(word)) })
	}
	m := awsapi.New(awsapi.Deps{S3: said("s3"), Probe: said("probe"), ProbeURL: "http://api.example:9000/.fiducial/origin"})
	without := awsapi.New(awsapi.Deps{S3: said("s3")})
	for _, c := range []struct{ name, url, want string }{
		{"a probe", "http://api.example:9000/.fiducial/origin?ticket=x", "probe"},
		{"a bucket's host", "http://bucket.api.example:9000/.fiducial/origin", "s3"},
		{"another host", "http://localhost:9000/.fiducial/origin", "s3"},
		{"another path", "http://api.example:9000/.fiducial/origin/", "s3"},
		{"an object that ends so", "http://api.example:9000/bucket/.fiducial/origin", "s3"},
		{"signed", "http://api.example:9000/.fiducial/origin?X-Amz-Credential=A/20260101/us-east-1/s3/aws4_request", "s3"},
	} {
		for mux, want := range map[*awsapi.Mux]string{m: c.want, without: "s3"} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("GET", c.url, nil))
			if w.Body.String() != want {
				t.Errorf("%s: answered by %s, want %s", c.name, w.Body, want)
			}
		}
	}
}
