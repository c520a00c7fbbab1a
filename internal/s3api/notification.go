package s3api

import (
	"encoding/xml"
	"net/http"
	"strings"

	"fiducial/internal/objects"
)

// maxNotificationXML takes 100 configurations with two filters of 1024 bytes each.
const maxNotificationXML = 512 << 10

type notificationFilter struct {
	FilterRule []struct{ Name, Value string } `xml:"S3Key>FilterRule"`
}

type notificationConfiguration struct {
	ID     string              `xml:"Id"`
	Topic  string              `xml:",omitempty"`
	Queue  string              `xml:",omitempty"`
	Event  []string            `xml:"Event"`
	Filter *notificationFilter `xml:",omitempty"`
}

type notificationDocument struct {
	XMLName                    xml.Name                    `xml:"NotificationConfiguration"`
	Xmlns                      string                      `xml:"xmlns,attr,omitempty"`
	TopicConfiguration         []notificationConfiguration `xml:",omitempty"`
	QueueConfiguration         []notificationConfiguration `xml:",omitempty"`
	CloudFunctionConfiguration []struct{}                  `xml:",omitempty"`
	EventBridgeConfiguration   []struct{}                  `xml:",omitempty"`
}

func (x *exchange) getNotification() error {
	b, err := x.read()
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, showNotifications(b.Notifications))
}

// showNotifications is the document of configurations.
func showNotifications(list []objects.Notification) *notificationDocument {
	doc := &notificationDocument{Xmlns: namespace}
	for _, n := range list {
		c := notificationConfiguration{ID: n.ID, Topic: n.Topic, Queue: n.Queue, Event: n.Events}
		if len(n.FilterRules) > 0 {
			c.Filter = &notificationFilter{}
		}
		for _, r := range n.FilterRules {
			c.Filter.FilterRule = append(c.Filter.FilterRule, struct{ Name, Value string }(r))
		}
		if n.Topic != "" {
			doc.TopicConfiguration = append(doc.TopicConfiguration, c)
		} else {
			doc.QueueConfiguration = append(doc.QueueConfiguration, c)
		}
	}
	return doc
}

func (x *exchange) putNotification() error {
	b, err := x.body()
	if err != nil {
		return err
	}
	data, err := x.document(b, maxNotificationXML)
	if err != nil {
		return err
	}
	list, err := parseNotifications(data)
	if err != nil {
		return err
	}
	skip := strings.EqualFold(x.header("X-Amz-Skip-Destination-Validation"), "true")
	if err := x.h.objects.PutBucketNotificationConfiguration(x.r.Context(), &x.call, x.bucket, list, skip); err != nil {
		return err
	}
	return x.empty(http.StatusOK)
}

// parseNotifications reads a configuration as far as its form goes; its rules are
// package objects'. A document without configurations takes away those that are
// there.
func parseNotifications(data []byte) ([]objects.Notification, error) {
	var in notificationDocument
	if err := parseXML(data, &in); err != nil {
		return nil, err
	}
	switch {
	case len(in.CloudFunctionConfiguration) > 0:
		return nil, invalid("CloudFunctionConfiguration is not supported by this server: event notifications go to topics (TopicConfiguration) and queues (QueueConfiguration)")
	case len(in.EventBridgeConfiguration) > 0:
		return nil, invalid("EventBridgeConfiguration is not supported by this server: event notifications go to topics (TopicConfiguration) and queues (QueueConfiguration)")
	}
	var list []objects.Notification
	for i, c := range append(in.TopicConfiguration, in.QueueConfiguration...) {
		ofTopic := i < len(in.TopicConfiguration)
		if len(c.Event) == 0 || ofTopic != (c.Topic != "") || ofTopic == (c.Queue != "") {
			return nil, malformedXML()
		}
		n := objects.Notification{ID: c.ID, Topic: c.Topic, Queue: c.Queue, Events: c.Event}
		if c.Filter != nil {
			for _, r := range c.Filter.FilterRule {
				n.FilterRules = append(n.FilterRules, objects.FilterRule{Name: strings.ToLower(r.Name), Value: r.Value})
			}
		}
		list = append(list, n)
	}
	return list, nil
}
