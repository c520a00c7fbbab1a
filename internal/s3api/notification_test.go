package s3api

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

const topicDocument = `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TopicConfiguration><Id>a</Id><Topic>arn:aws:sns:r:1:t</Topic>` +
	`<Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>Prefix</Name><Value>in/</Value></FilterRule><FilterRule><Name>suffix</Name><Value>.jpg</Value></FilterRule></S3Key></Filter>` +
	`</TopicConfiguration><QueueConfiguration><Queue>arn:aws:sqs:r:1:q</Queue><Event>s3:ObjectRemoved:Delete</Event><Event>s3:ObjectCreated:Put</Event></QueueConfiguration></NotificationConfiguration>`

func TestParseNotifications(t *testing.T) {
	one := func(inner string) string {
		return "<NotificationConfiguration>" + inner + "</NotificationConfiguration>"
	}
	for _, c := range []struct {
		name, doc string
		want      []objects.Notification
		code      string // of the refusal
		says      string
	}{
		{"topic and queue", topicDocument, []objects.Notification{
			{ID: "a", Topic: "arn:aws:sns:r:1:t", Events: []string{"s3:ObjectCreated:*"}, FilterRules: []objects.FilterRule{{Name: "prefix", Value: "in/"}, {Name: "suffix", Value: ".jpg"}}},
			{Queue: "arn:aws:sqs:r:1:q", Events: []string{"s3:ObjectRemoved:Delete", "s3:ObjectCreated:Put"}},
		}, "", ""},
		{"empty", one(""), nil, "", ""},
		{"empty element", `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/" />`, nil, "", ""},
		{"nothing", "", nil, "MalformedXML", ""},
		{"not closed", "<NotificationConfiguration>", nil, "MalformedXML", ""},
		{"another document", "<CORSConfiguration/>", nil, "MalformedXML", ""},
		{"no topic", one("<TopicConfiguration><Event>s3:ObjectCreated:*</Event></TopicConfiguration>"), nil, "MalformedXML", ""},
		{"no queue", one("<QueueConfiguration><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"), nil, "MalformedXML", ""},
		{"a queue in a topic's place", one("<TopicConfiguration><Queue>q</Queue><Event>s3:ObjectCreated:*</Event></TopicConfiguration>"), nil, "MalformedXML", ""},
		{"topic and queue in one", one("<TopicConfiguration><Topic>t</Topic><Queue>q</Queue><Event>s3:ObjectCreated:*</Event></TopicConfiguration>"), nil, "MalformedXML", ""},
		{"no event", one("<TopicConfiguration><Topic>t</Topic></TopicConfiguration>"), nil, "MalformedXML", ""},
		{"function", one("<CloudFunctionConfiguration><CloudFunction>f</CloudFunction></CloudFunctionConfiguration>"), nil, "InvalidArgument", "TopicConfiguration"},
		{"EventBridge", one("<EventBridgeConfiguration/>"), nil, "InvalidArgument", "QueueConfiguration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseNotifications([]byte(c.doc))
			if fault.CodeOf(err) != c.code || c.says != "" && !strings.Contains(fault.MessageOf(err), c.says) {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Whatever comes, it is refused as the client's fault or shown again as it is.
func FuzzNotifications(f *testing.F) {
	for _, s := range []string{topicDocument, "", "<NotificationConfiguration/>", `<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>`,
		`<NotificationConfiguration><TopicConfiguration><Topic>arn:aws:sns:us-east-1:000000000000:t</Topic><Event>s3:ObjectCreated:*</Event><Filter><S3Key/></Filter></TopicConfiguration></NotificationConfiguration>`,
		`<!DOCTYPE x [<!ENTITY a "aaaa">]><NotificationConfiguration>&a;</NotificationConfiguration>`, "\xff\xfe", `<NotificationConfiguration><TopicConfiguration/></NotificationConfiguration>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseNotifications(data)
		if err == nil {
			err = objects.CheckNotifications(list)
		}
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q: a refusal of kind %s: %v", data, fault.KindOf(err), err)
			}
			return
		}
		shown, err := xml.Marshal(showNotifications(list))
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseNotifications(shown)
		if err != nil {
			t.Fatalf("%q became %q: %v", data, shown, err)
		}
		// Topics are shown before queues, as they are read.
		if d := cmp.Diff(list, again); d != "" {
			t.Fatalf("%q became %q:\n%s", data, shown, d)
		}
	})
}
