package aws

import "testing"

// A star stands for a part of an ARN's part, and never reaches into the next.
func TestMatch(t *testing.T) {
	const topic = "arn:aws:sns:eu-west-1:111122223333:labels-a"
	for pattern, want := range map[string]bool{
		topic: true, "arn:aws:sns:eu-west-1:111122223333:*": true, "arn:aws:sns:*:*:labels-*": true, "arn:aws:sns:*:1111*:*-a": true,
		"arn:aws:sns:*": false, "arn:*": false, "*": false, "arn:aws:sns:eu-west-1:111122223334:*": false, "arn:aws:sns:*:*:labels": false, "arn:aws:sqs:*:*:*": false,
	} {
		if got := match(pattern, topic); got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}
