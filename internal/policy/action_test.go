package policy

import (
	"regexp"
	"testing"
)

// TestIsAction compares the hand-written shape with the expression that it is.
func TestIsAction(t *testing.T) {
	shape := regexp.MustCompile(`^(\*|\*:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+)$`)
	parts := []string{"", "*", ":", "s3", "S3-x", "Get*", "a?b", "_", "-", "a_b", " ", "\n", "é", "*:*", "s3:*", "9"}
	for _, a := range parts {
		for _, b := range parts {
			for _, c := range parts {
				for _, s := range []string{a + b + c, a + ":" + b + c, a + b + ":" + c + "\n"} {
					if isAction(s) != shape.MatchString(s) {
						t.Fatalf("%q: %v, want %v", s, isAction(s), shape.MatchString(s))
					}
				}
			}
		}
	}
}
