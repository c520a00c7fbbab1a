package objects

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
)

// Notification is one configuration of event notifications: which events of which
// keys are told, and to whom.
type Notification struct {
	ID          string
	Topic       string       `json:",omitempty"` // ARN; or
	Queue       string       `json:",omitempty"`
	Events      []string     // s3:ObjectCreated:Put, s3:ObjectRemoved:*
	FilterRules []FilterRule `json:",omitempty"`
}

// FilterRule narrows a configuration to keys that begin or end in a certain way.
type FilterRule struct {
	Name  string // prefix, suffix
	Value string
}

// Bounds of a configuration. S3 documents those of 100 and 1024.
const (
	maxNotifications  = 100
	maxNotificationID = 255
	maxFilter         = 1024
	maxEvents         = 20 // more than there are
)

// The events that buckets tell of.
var createdEvents = [...]string{"s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload"}

const removedEvent = "s3:ObjectRemoved:Delete"

// destination is the ARN of who is told.
func (n *Notification) destination() string {
	if n.Topic != "" {
		return n.Topic
	}
	return n.Queue
}

func (n *Notification) rule(name string) string {
	for _, r := range n.FilterRules {
		if r.Name == name {
			return r.Value
		}
	}
	return ""
}

// wants reports whether an event of a key is to be told. The event is named in full.
func (n *Notification) wants(event, key string) bool {
	return slices.ContainsFunc(n.Events, func(e string) bool { return sameEvent(e, event) }) &&
		strings.HasPrefix(key, n.rule("prefix")) && strings.HasSuffix(key, n.rule("suffix"))
}

// sameEvent reports whether two names of events have an event in common.
func sameEvent(a, b string) bool {
	return a == b || wildEvent(a, b) || wildEvent(b, a)
}

func wildEvent(wild, event string) bool {
	class, ok := strings.CutSuffix(wild, "*")
	return ok && strings.HasPrefix(event, class)
}

// overlaps reports whether one event of one key could be wanted by both.
func (n *Notification) overlaps(m *Notification) bool {
	share := slices.ContainsFunc(n.Events, func(e string) bool {
		return slices.ContainsFunc(m.Events, func(f string) bool { return sameEvent(e, f) })
	})
	p, q := n.rule("prefix"), m.rule("prefix")
	s, t := n.rule("suffix"), m.rule("suffix")
	return share && (strings.HasPrefix(p, q) || strings.HasPrefix(q, p)) && (strings.HasSuffix(s, t) || strings.HasSuffix(t, s))
}

// CheckNotifications applies S3's rules for a bucket's configurations. Whether the
// destinations are there is asked elsewhere.
func CheckNotifications(list []Notification) error {
	if len(list) > maxNotifications {
		return badNotification("a bucket has at most 100 notification configurations")
	}
	ids := map[string]bool{}
	for i := range list {
		n := &list[i]
		if err := n.check(); err != nil {
			return err
		}
		if n.ID != "" && ids[n.ID] {
			return badNotification("Same ID used for multiple configurations. IDs must be unique.")
		}
		ids[n.ID] = true
		for k := range i {
			if n.overlaps(&list[k]) {
				return badNotification("Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.")
			}
		}
	}
	return nil
}

func badNotification(message string) error {
	return fault.Coded("objects.PutBucketNotificationConfiguration", fault.Invalid, "InvalidArgument", message)
}

func (n *Notification) check() error {
	if utf8.RuneCountInString(n.ID) > maxNotificationID {
		return badNotification("The Id of a notification configuration has at most 255 characters")
	}
	if err := n.checkDestination(); err != nil {
		return err
	}
	if len(n.Events) == 0 || len(n.Events) > maxEvents {
		return badNotification("a notification configuration has from 1 to 20 Events")
	}
	for _, e := range n.Events {
		if e != "s3:ObjectCreated:*" && e != "s3:ObjectRemoved:*" && e != removedEvent && !slices.Contains(createdEvents[:], e) {
			return badNotification("The event is not supported for notifications: " + strings.ToValidUTF8(e[:min(len(e), 100)], "") +
				"; this server has s3:ObjectCreated:* (Put, Post, Copy, CompleteMultipartUpload) and s3:ObjectRemoved:* (Delete)")
		}
	}
	seen := map[string]bool{}
	for _, r := range n.FilterRules {
		switch {
		case r.Name != "prefix" && r.Name != "suffix":
			return badNotification("filter rule name must be either prefix or suffix")
		case seen[r.Name]:
			return badNotification("Cannot specify more than one " + r.Name + " rule in a filter.")
		case len(r.Value) > maxFilter:
			return badNotification("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation")
		}
		seen[r.Name] = true
	}
	return nil
}

func (n *Notification) checkDestination() error {
	service, what := "sns", "a topic, such as arn:aws:sns:REGION:ACCOUNT:NAME"
	if n.Topic == "" {
		service, what = "sqs", "a queue, such as arn:aws:sqs:REGION:ACCOUNT:NAME"
	}
	a, err := arn.Parse(n.destination())
	if err != nil || a.Service != service || a.Region == "" || a.Account == "" {
		return badNotification("The ARN is not well formed; expected that of " + what)
	}
	if strings.HasSuffix(a.Resource, ".fifo") {
		return badNotification("FIFO topics and queues are not supported as destinations of event notifications")
	}
	return nil
}
