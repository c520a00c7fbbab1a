package objects

import (
	"fmt"
	"strings"
	"testing"

	"fiducial/internal/fault"
)

const (
	aTopic = "arn:aws:sns:us-east-1:000000000000:objects"
	aQueue = "arn:aws:sqs:us-east-1:000000000000:objects"
)

func created(pairs ...string) Notification {
	n := Notification{Topic: aTopic, Events: []string{"s3:ObjectCreated:*"}}
	for i := 0; i < len(pairs); i += 2 {
		n.FilterRules = append(n.FilterRules, FilterRule{pairs[i], pairs[i+1]})
	}
	return n
}

func TestCheckNotifications(t *testing.T) {
	with := func(change func(*Notification)) []Notification {
		n := created()
		change(&n)
		return []Notification{n}
	}
	many := func(n int) (list []Notification) {
		for i := range n {
			list = append(list, created("prefix", fmt.Sprintf("%03d/", i)))
		}
		return list
	}
	other := func(n Notification, events ...string) Notification {
		n.Events = events
		return n
	}
	const overlap = "ambiguously defined"
	for _, c := range []struct {
		name string
		list []Notification
		want string // in the refusal; "" for none
	}{
		{"none", nil, ""},
		{"topic", []Notification{created()}, ""},
		{"queue", []Notification{{Queue: aQueue, Events: []string{"s3:ObjectRemoved:Delete"}}}, ""},
		{"each event", with(func(n *Notification) { n.Events = append(createdEvents[:], "s3:ObjectRemoved:*") }), ""},
		{"unknown event", with(func(n *Notification) { n.Events = []string{"s3:ObjectTouched:*"} }), "event is not supported"},
		{"event of AWS that is not built", with(func(n *Notification) { n.Events = []string{"s3:ObjectRestore:Post"} }), "event is not supported"},
		{"event without s3", with(func(n *Notification) { n.Events = []string{"ObjectCreated:Put"} }), "event is not supported"},
		{"all events", with(func(n *Notification) { n.Events = []string{"s3:*"} }), "event is not supported"},
		{"no event", with(func(n *Notification) { n.Events = nil }), "from 1 to 20"},
		{"too many events", with(func(n *Notification) { n.Events = strings.Fields(strings.Repeat("s3:ObjectCreated:* ", 21)) }), "from 1 to 20"},
		{"no ARN", with(func(n *Notification) { n.Topic = "objects" }), "not well formed"},
		{"a queue as topic", with(func(n *Notification) { n.Topic = aQueue }), "not well formed"},
		{"a topic as queue", with(func(n *Notification) { n.Topic, n.Queue = "", aTopic }), "not well formed"},
		{"FIFO", with(func(n *Notification) { n.Topic += ".fifo" }), "FIFO"},
		{"the longest id", with(func(n *Notification) { n.ID = strings.Repeat("é", 255) }), ""},
		{"id too long", with(func(n *Notification) { n.ID = strings.Repeat("é", 256) }), "255"},
		{"id twice", []Notification{{ID: "a", Topic: aTopic, Events: []string{"s3:ObjectCreated:Put"}}, {ID: "a", Topic: aTopic, Events: []string{"s3:ObjectCreated:Copy"}}}, "unique"},
		{"100", many(100), ""},
		{"101", many(101), "at most 100"},
		{"prefix and suffix", []Notification{created("prefix", "a", "suffix", "b")}, ""},
		{"two prefixes", []Notification{created("prefix", "a", "prefix", "b")}, "more than one prefix"},
		{"two suffixes", []Notification{created("suffix", "a", "suffix", "b")}, "more than one suffix"},
		{"rule of another name", []Notification{created("infix", "a")}, "either prefix or suffix"},
		{"the longest value", []Notification{created("prefix", strings.Repeat("é", 512))}, ""},
		{"value too long", []Notification{created("suffix", strings.Repeat("é", 512)+"x")}, "1024 bytes"},

		{"the same twice", []Notification{created(), created()}, overlap},
		{"a filter and none", []Notification{created("prefix", "a/"), created()}, overlap},
		{"prefixes one in the other", []Notification{created("prefix", "a/"), created("prefix", "a/b")}, overlap},
		{"prefixes apart", []Notification{created("prefix", "a/"), created("prefix", "b/")}, ""},
		{"suffixes one in the other", []Notification{created("suffix", ".jpg"), created("suffix", "jpg")}, overlap},
		{"suffixes apart", []Notification{created("suffix", ".jpg"), created("suffix", ".png")}, ""},
		{"same prefix, suffixes apart", []Notification{created("prefix", "a", "suffix", ".jpg"), created("prefix", "a", "suffix", ".png")}, ""},
		{"prefix against suffix", []Notification{created("prefix", "a"), created("suffix", "b")}, overlap},
		{"events apart", []Notification{created(), other(created(), "s3:ObjectRemoved:*")}, ""},
		{"event and its class", []Notification{created(), other(created(), "s3:ObjectCreated:Copy")}, overlap},
		{"events of one class", []Notification{other(created(), "s3:ObjectCreated:Put"), other(created(), "s3:ObjectCreated:Copy")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckNotifications(c.list)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (fault.CodeOf(err) != "InvalidArgument" || !strings.Contains(fault.MessageOf(err), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestNotificationWants(t *testing.T) {
	n := created("prefix", "in/", "suffix", ".jpg")
	for _, c := range []struct {
		event, key string
		want       bool
	}{
		{"s3:ObjectCreated:Put", "in/a.jpg", true},
		{"s3:ObjectCreated:CompleteMultipartUpload", "in/.jpg", true},
		{"s3:ObjectRemoved:Delete", "in/a.jpg", false},
		{"s3:ObjectCreated:Put", "out/a.jpg", false},
		{"s3:ObjectCreated:Put", "in/a.JPG", false},
		{"s3:ObjectCreated:Put", "in.jpg", false},
		{"s3:", "in/a.jpg", false}, // an operation that tells of nothing
	} {
		if got := n.wants(c.event, c.key); got != c.want {
			t.Errorf("%s of %s: %v", c.event, c.key, got)
		}
	}
}

func TestEventKey(t *testing.T) {
	if got := eventKey("a b/ü+%/x.jpg"); got != "a+b/%C3%BC%2B%25/x.jpg" {
		t.Errorf("got %s", got)
	}
}
