package objects

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/outbound"
)

// EventNotification is the kind of delivery that tells of an object. Its origin is
// the bucket's ARN, its target that of the topic or queue.
const EventNotification = "s3-event"

// Destinations are the topics and queues that buckets tell of their objects.
type Destinations interface {
	// Vouch refuses (Denied) a caller who may not make a bucket tell the
	// destination, where the destination's own policy is not asked.
	Vouch(ctx context.Context, c *iam.Caller, destination string) error
	// Tell publishes to a topic or sends to a queue, as S3 on behalf of a bucket.
	// NotFound: it is not there. Denied: its policy does not let S3.
	Tell(ctx context.Context, bucketARN, destination, text string) error
}

// Telling makes what is told of a write, from the write's sequencer: a number that
// is higher for each later write of a key, and no lower than At.
type Telling struct {
	At   time.Time
	Make func(sequencer int64) (outbound.Delivery, error)
}

// sequencersKept is how long the sequencer of a key is known. The next one is not
// lower as long as no replica's clock is that much behind another's.
const sequencersKept = 24 * time.Hour

// The documents of "Event message structure" in the S3 User Guide.
type (
	eventMessage struct{ Records []eventRecord }

	eventRecord struct {
		EventVersion      string            `json:"eventVersion"`
		EventSource       string            `json:"eventSource"`
		AWSRegion         string            `json:"awsRegion"`
		EventTime         string            `json:"eventTime"`
		EventName         string            `json:"eventName"`
		UserIdentity      eventPrincipal    `json:"userIdentity"`
		RequestParameters map[string]string `json:"requestParameters"`
		ResponseElements  map[string]string `json:"responseElements"`
		S3                eventS3           `json:"s3"`
	}

	eventPrincipal struct {
		PrincipalID string `json:"principalId"`
	}

	eventS3 struct {
		SchemaVersion   string      `json:"s3SchemaVersion"`
		ConfigurationID string      `json:"configurationId"`
		Bucket          eventBucket `json:"bucket"`
		Object          eventObject `json:"object"`
	}

	eventBucket struct {
		Name          string         `json:"name"`
		OwnerIdentity eventPrincipal `json:"ownerIdentity"`
		ARN           string         `json:"arn"`
	}

	eventObject struct {
		Key       string `json:"key"`
		Size      *int64 `json:"size,omitempty"` // not of one that is gone
		ETag      string `json:"eTag,omitempty"`
		Sequencer string `json:"sequencer"`
	}

	testEvent struct {
		Service, Event, Time, Bucket string
		RequestID                    string `json:"RequestId"`
		HostID                       string `json:"HostId"`
	}
)

func eventTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// telling is what is told of a write of the key by the call; nil for nothing, which
// costs nothing. o is nil if the object is removed.
func (s *Service) telling(call *Call, key string, o *Object) (*Telling, error) {
	b := call.Bucket
	for i := range b.Notifications {
		n := &b.Notifications[i] // no two want the same: see CheckNotifications
		if !n.wants("s3:"+call.Operation.Event, key) {
			continue
		}
		now := s.now()
		id, err := s.newID()
		if err != nil {
			return nil, err
		}
		r, err := s.eventRecord(call, n, now)
		if err != nil {
			return nil, err
		}
		r.S3.Object.Key = eventKey(key)
		if o != nil {
			r.S3.Object.Size, r.S3.Object.ETag = &o.Size, o.ETag
		}
		return &Telling{At: now, Make: func(sequencer int64) (outbound.Delivery, error) {
			r.S3.Object.Sequencer = fmt.Sprintf("%018X", sequencer)
			text, err := json.Marshal(eventMessage{[]eventRecord{r}})
			return outbound.Delivery{ID: id, Kind: EventNotification, Origin: r.S3.Bucket.ARN, Target: n.destination(), Body: text, CreatedAt: now}, err
		}}, nil
	}
	return nil, nil
}

func (s *Service) eventRecord(call *Call, n *Notification, now time.Time) (eventRecord, error) {
	request, err := s.requestID(call)
	if err != nil {
		return eventRecord{}, err
	}
	// A write of this server's own has no address; S3 names the service then.
	who, from := "s3.amazonaws.com", "s3.amazonaws.com"
	if call.Caller != nil {
		who, from = "AWS:"+call.Caller.UserID, "sagemaker.amazonaws.com"
		if call.Caller.Type == identity.Anonymous {
			who = "ANONYMOUS"
		}
		if call.Origin.Addr.IsValid() {
			from = call.Origin.Addr.String()
		}
	}
	b := call.Bucket
	return eventRecord{EventVersion: "2.1", EventSource: "aws:s3", AWSRegion: s.region, EventTime: eventTime(now), EventName: call.Operation.Event,
		UserIdentity: eventPrincipal{who}, RequestParameters: map[string]string{"sourceIPAddress": from},
		ResponseElements: map[string]string{"x-amz-request-id": request, "x-amz-id-2": request},
		S3: eventS3{SchemaVersion: "1.0", ConfigurationID: n.ID,
			Bucket: eventBucket{b.Name, eventPrincipal{OwnerID(s.account)}, arn.S3Object(b.Name, "")}}}, nil
}

// requestID is the call's, or a new one for a call of this server's own.
func (s *Service) requestID(call *Call) (string, error) {
	if call.RequestID != "" {
		return call.RequestID, nil
	}
	id, err := s.newID()
	if err != nil {
		return "", err
	}
	return strings.ToUpper(id[:16]), nil
}

// eventKey is a key as events have it: as in a form, but for the slashes.
func eventKey(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

// told must be called after what tell makes was promised.
func (s *Service) told(tell *Telling) {
	if tell != nil && s.nudge != nil {
		s.nudge()
	}
}

// PutBucketNotificationConfiguration replaces what a bucket tells of its objects.
// Every destination gets a test event first, unless the caller skips that: one that
// does not take it is refused.
func (s *Service) PutBucketNotificationConfiguration(ctx context.Context, call *Call, name string, list []Notification, skip bool) error {
	const op = "objects.PutBucketNotificationConfiguration"
	if _, err := s.begin(ctx, call, OpPutBucketNotification, name, "", true); err != nil {
		return err
	}
	if err := CheckNotifications(list); err != nil {
		return err
	}
	if len(list) > 0 && s.destinations == nil {
		return fault.Coded(op, fault.Unsupported, "NotImplemented", "Event notifications: this server has no topics and queues.")
	}
	for i := range list {
		if list[i].ID != "" {
			continue
		}
		id, err := s.newID()
		if err != nil {
			return err
		}
		list[i].ID = id
	}
	if err := s.tryDestinations(ctx, call, name, list, skip); err != nil {
		return err
	}
	return s.update(ctx, name, func(b *Bucket) { b.Notifications = list })
}

// tryDestinations sends a test event to each destination once.
func (s *Service) tryDestinations(ctx context.Context, call *Call, name string, list []Notification, skip bool) error {
	request, err := s.requestID(call)
	if err != nil {
		return err
	}
	text, err := json.Marshal(testEvent{"Amazon S3", "s3:TestEvent", eventTime(s.now()), name, request, request})
	if err != nil {
		return fault.E("objects.tryDestinations", fault.Internal, "", err)
	}
	done := map[string]bool{}
	for i := range list {
		to := list[i].destination()
		if done[to] {
			continue
		}
		done[to] = true
		err := s.destinations.Vouch(ctx, call.Caller, to)
		if err == nil && !skip {
			err = s.destinations.Tell(ctx, arn.S3Object(name, ""), to, string(text))
		}
		switch {
		case err == nil:
		case fault.Is(err, fault.Denied), fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid):
			return badNotification("Unable to validate the following destination configurations: " + to + ": " + fault.MessageOf(err))
		default:
			return err
		}
	}
	return nil
}
