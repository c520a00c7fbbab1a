package app

import (
	"context"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/messaging"
	"fiducial/internal/outbound"
)

// destinations are the topics and queues that buckets tell of their objects.
type destinations struct{ a *App }

// eventSubject is what S3 gives its messages to topics.
const eventSubject = "Amazon S3 Notification"

func (d destinations) Vouch(ctx context.Context, c *iam.Caller, destination string) error {
	return d.a.messaging.As(c, "").Vouch(ctx, destination)
}

func (d destinations) Tell(ctx context.Context, bucketARN, destination, text string) error {
	if strings.HasPrefix(destination, "arn:aws:sqs:") {
		return d.a.messaging.SendFor(ctx, messaging.ServiceS3, bucketARN, destination, messaging.Message{Body: text})
	}
	return d.a.messaging.PublishFor(ctx, messaging.ServiceS3, bucketARN, destination, messaging.Message{Subject: eventSubject, Body: text})
}

// eventSender delivers event notifications that buckets promised.
type eventSender struct{ a *App }

func (s eventSender) Send(ctx context.Context, d outbound.Delivery) error {
	err := destinations(s).Tell(ctx, d.Origin, d.Target, string(d.Body))
	if fault.Is(err, fault.Denied) {
		// Not for good: the policy that refuses may be mended while it is tried.
		return fault.E("app.eventSender", fault.Unavailable, fault.MessageOf(err), err)
	}
	return err
}
