package messaging

import (
	"net/url"
	"regexp"
	"strings"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
)

// The services that act on topics and queues by themselves.
const (
	ServiceSNS       = "sns.amazonaws.com"
	ServiceSageMaker = "sagemaker.amazonaws.com"
	ServiceEvents    = "events.amazonaws.com"
	ServiceS3        = "s3.amazonaws.com"
)

var (
	topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
)

// TopicARN is a topic's ARN.
func (s *Service) TopicARN(name string) string { return s.arn("sns", name) }

// QueueARN is a queue's ARN.
func (s *Service) QueueARN(name string) string { return s.arn("sqs", name) }

// SubscriptionARN is a subscription's ARN.
func (s *Service) SubscriptionARN(b Subscription) string { return s.TopicARN(b.Topic) + ":" + b.ID }

// QueueURL is what clients name a queue by.
func (s *Service) QueueURL(name string) string { return s.o.URL + "/" + s.o.Account + "/" + name }

func (s *Service) arn(service, resource string) string {
	return arn.ARN{Partition: "aws", Service: service, Region: s.o.Region, Account: s.o.Account, Resource: resource}.String()
}

// here returns the resource of an ARN of this account and region; "" for any
// other: nothing of it is here.
func (s *Service) here(service, text string) string {
	a, err := arn.Parse(text)
	if err != nil || a.Partition != "aws" || a.Service != service || a.Region != s.o.Region || a.Account != s.o.Account {
		return ""
	}
	return a.Resource
}

// AccountOf is the account that an ARN names; "" for what is no ARN.
func AccountOf(text string) string {
	a, err := arn.Parse(text)
	if err != nil {
		return ""
	}
	return a.Account
}

// QueueOfURL returns the ARN that a queue's URL stands for. Only its path counts:
// the server has more names than one.
func (s *Service) QueueOfURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err == nil {
		if account, name, ok := strings.Cut(strings.Trim(u.Path, "/"), "/"); ok && queueName.MatchString(name) && isAccount(account) {
			return arn.ARN{Partition: "aws", Service: "sqs", Region: s.o.Region, Account: account, Resource: name}.String(), nil
		}
	}
	return "", fault.Coded("messaging.QueueOfURL", fault.Invalid, "InvalidAddress", "QueueUrl: expected the URL of a queue, such as "+s.QueueURL("NAME"))
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

func checkTopicName(name string) error {
	const op = "messaging.CreateTopic"
	if strings.HasSuffix(name, ".fifo") {
		return invalid(op, "Name", "FIFO topics are not built; give a name without .fifo")
	}
	if !topicName.MatchString(name) {
		return invalid(op, "Name", "must be 1-256 letters, digits, hyphens and underscores")
	}
	return nil
}

func checkQueueName(name string) error {
	const op = "messaging.CreateQueue"
	if strings.HasSuffix(name, ".fifo") {
		return invalid(op, "QueueName", "FIFO queues are not built; give a name without .fifo")
	}
	if !queueName.MatchString(name) {
		return invalid(op, "QueueName", "must be 1-80 letters, digits, hyphens and underscores")
	}
	return nil
}

func invalid(op, field, why string) error {
	return &fault.Error{Op: op, Kind: fault.Invalid, Field: field, Message: field + ": " + why}
}

func noTopic() error {
	return fault.Coded("messaging.Topic", fault.NotFound, "", "Topic does not exist")
}

func noQueue() error {
	return fault.Coded("messaging.Queue", fault.NotFound, "QueueDoesNotExist", "The specified queue does not exist.")
}
