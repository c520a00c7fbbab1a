package streaming

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fiducial/internal/outbound"
	"fiducial/test/boot"
)

// sample runs the receiver that docs/notifications.md shows: what the server has
// signed verifies, and nothing else does.
func sample(t *testing.T, _ *boot.Server, hook *receiver) {
	doc, err := os.ReadFile("../../docs/notifications.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(doc), "```python\n")
	program, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("docs/notifications.md shows no receiver in Python")
	}
	q := hook.await(t, "/events", func(q request) bool { return strings.Contains(string(q.body), "labeling-job/stream-1") })
	signature := q.header.Get(outbound.SignatureHeader)
	old := "t=1," + signature[strings.Index(signature, "v1="):]
	f := filepath.Join(t.TempDir(), "verify.py")
	for name, c := range map[string]struct {
		secret, signature, body string
		want                    string
	}{
		"signed":            {hookSecret, signature, string(q.body), "True"},
		"changed body":      {hookSecret, signature, string(q.body) + " ", "False"},
		"another secret":    {hookSecret + "x", signature, string(q.body), "False"},
		"another time":      {hookSecret, old, string(q.body), "False"},
		"forged":            {hookSecret, signature[:len(signature)-4] + "0000", string(q.body), "False"},
		"no signature":      {hookSecret, "", string(q.body), "False"},
		"not a signature":   {hookSecret, "t=x,v1=y", string(q.body), "False"},
		"signature in part": {hookSecret, signature[:20], string(q.body), "False"},
	} {
		text := program + "\nimport os\nprint(verify(os.environ['SECRET'].encode(), os.environ['SIGNATURE'], os.environ['BODY'].encode()))\n"
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(boot.Python(), f)
		cmd.Env = append(os.Environ(), "SECRET="+c.secret, "SIGNATURE="+c.signature, "BODY="+c.body)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != c.want {
			t.Errorf("%s: %s %v, want %s", name, out, err, c.want)
		}
	}
}
