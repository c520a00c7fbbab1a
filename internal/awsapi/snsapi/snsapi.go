// Package snsapi is the SNS query API (version 2010-03-31): topics, subscriptions,
// publishing. It translates; package messaging knows the rules.
package snsapi

import (
	"context"
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/messaging"
	"fiducial/internal/policy"
)

// IAM decides.
type IAM interface {
	Authorize(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error)
}

// API translates.
type API struct {
	m   *messaging.Service
	iam IAM
}

// New makes the API of a service.
func New(m *messaging.Service, i IAM) *API { return &API{m, i} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	return &awsapi.Service{
		Name: "sns", Protocol: awsapi.Query, Version: "2010-03-31", Namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
		Codes: map[fault.Kind]awsapi.Code{
			fault.Invalid:  {Name: "InvalidParameter", Status: 400},
			fault.Exists:   {Name: "InvalidParameter", Status: 400},
			fault.Denied:   {Name: "AuthorizationError", Status: 403},
			fault.NotFound: {Name: "NotFound", Status: 404},
		},
		Operations: slices.Concat(a.topics(), a.subscriptions(), a.publishing()),
		Planned: []string{"AddPermission", "CheckIfPhoneNumberIsOptedOut", "CreatePlatformApplication", "CreatePlatformEndpoint", "CreateSMSSandboxPhoneNumber",
			"DeleteEndpoint", "DeletePlatformApplication", "DeleteSMSSandboxPhoneNumber", "GetDataProtectionPolicy", "GetEndpointAttributes",
			"GetPlatformApplicationAttributes", "GetSMSAttributes", "GetSMSSandboxAccountStatus", "ListEndpointsByPlatformApplication", "ListOriginationNumbers",
			"ListPhoneNumbersOptedOut", "ListPlatformApplications", "ListSMSSandboxPhoneNumbers", "ListTagsForResource", "OptInPhoneNumber", "PutDataProtectionPolicy",
			"RemovePermission", "SetEndpointAttributes", "SetPlatformApplicationAttributes", "SetSMSAttributes", "TagResource", "UntagResource", "VerifySMSSandboxPhoneNumber"},
	}
}

// request is one call about a topic or a subscription.
type request struct {
	*awsapi.Call
	arn          string // of the topic
	topic        messaging.Topic
	missing      error // the topic or the subscription is not there
	subscription messaging.Subscription
}

var (
	topicARN        = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]{1,32}:[0-9]{12}:[A-Za-z0-9_.-]{1,256}$`)
	subscriptionARN = regexp.MustCompile(`^(arn:aws[a-z-]*:sns:[a-z0-9-]{1,32}:[0-9]{12}:[A-Za-z0-9_.-]{1,256}):[A-Za-z0-9-]{1,64}$`)
)

// row is how an operation differs from the next.
type row struct {
	name   string
	member string // names what it is about: TopicArn, SubscriptionArn; "" for CreateTopic
	gone   bool   // what is not there is no error
	keys   func(*request) []policy.Key
	do     func(context.Context, *request) (any, error)
}

// operation makes a row of the table: the topic is found, its policy is asked with
// the caller's, and what is left is the operation. Whether a topic that the caller
// may not ask about is there, the answer does not tell.
func (a *API) operation(o row) awsapi.Operation {
	action := "sns:" + o.name
	if o.name == "PublishBatch" {
		action = "sns:Publish"
	}
	return awsapi.Operation{
		Name: o.name, Action: action, Audit: "sns:" + o.name,
		Decode: func(c *awsapi.Call) error {
			r := &request{Call: c}
			c.Input = r
			text := c.Form.Get(o.member)
			switch {
			case o.member == "":
				r.arn = a.m.TopicARN(c.Form.Get("Name"))
				if !topicARN.MatchString(r.arn) {
					return invalid("Name", "must be 1-256 letters, digits, hyphens and underscores")
				}
			case o.member == "SubscriptionArn":
				m := subscriptionARN.FindStringSubmatch(text)
				if m == nil {
					return invalid(o.member, "expected the ARN of a subscription")
				}
				r.arn = m[1]
			case !topicARN.MatchString(text):
				return invalid(o.member, "expected the ARN of a topic, such as "+a.m.TopicARN("NAME"))
			default:
				r.arn = text
			}
			return nil
		},
		Resource: func(c *awsapi.Call) string { return c.Input.(*request).arn },
		Decide: func(ctx context.Context, c *awsapi.Call) (string, policy.Decision, error) {
			r := c.Input.(*request)
			if err := a.find(ctx, r, o.member); err != nil {
				return "", policy.Decision{}, err
			}
			q := iam.Question{Action: action, Resource: r.arn, ResourceAccount: messaging.AccountOf(r.arn), Context: c.Conditions()}
			if o.keys != nil {
				q.Context.Keys = o.keys(r)
			}
			if text := r.topic.Attributes["Policy"]; text != "" {
				doc, err := policy.Parse([]byte(text), policy.Resource)
				if err != nil {
					return "", policy.Decision{}, fault.E("snsapi.decide", fault.Internal, "", err)
				}
				q.ResourcePolicy = doc
			}
			d, err := a.iam.Authorize(ctx, c.Caller, q)
			return r.arn, d, err
		},
		Handle: func(ctx context.Context, c *awsapi.Call) (any, error) {
			r := c.Input.(*request)
			if r.missing != nil && o.member != "" {
				if o.gone {
					return nil, nil
				}
				return nil, r.missing
			}
			return o.do(ctx, r)
		},
	}
}

func (a *API) find(ctx context.Context, r *request, member string) error {
	var err error
	r.topic, r.missing = a.m.Topic(ctx, r.arn)
	if r.missing == nil && member == "SubscriptionArn" {
		r.subscription, r.missing = a.m.Subscription(ctx, r.Form.Get(member))
	}
	if r.missing != nil && !fault.Is(r.missing, fault.NotFound) {
		err = r.missing
	}
	return err
}

func invalid(field, why string) error {
	return &fault.Error{Op: "snsapi", Kind: fault.Invalid, Field: field, Message: "Invalid parameter: " + field + ": " + why}
}

type attributesXML struct {
	Entries []entryXML `xml:"Attributes>entry"`
}

type entryXML struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func attributesOut(m map[string]string) attributesXML {
	var out attributesXML
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		out.Entries = append(out.Entries, entryXML{n, m[n]})
	}
	return out
}

// attributesIn reads Attributes.entry.N.key and .value.
func attributesIn(form url.Values) (map[string]string, error) {
	out := map[string]string{}
	for _, e := range awsapi.Entries(form, "Attributes") {
		k := e.Get("key")
		if _, twice := out[k]; k == "" || twice {
			return nil, invalid("Attributes", "an entry has no key, or one that another has")
		}
		out[k] = e.Get("value")
	}
	return out, nil
}

// page reads NextToken, which is the last item of the page before.
func page(form url.Values) (after string, err error) {
	token := form.Get("NextToken")
	if token == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) == 0 || len(b) > 512 {
		return "", invalid("NextToken", "expected the NextToken of the previous answer")
	}
	return string(b), nil
}

const pageSize = 100

// cut takes a page out of pageSize+1 items.
func cut[T any](items []T, key func(T) string) ([]T, string) {
	if len(items) <= pageSize {
		return items, ""
	}
	items = items[:pageSize]
	return items, base64.RawURLEncoding.EncodeToString([]byte(key(items[pageSize-1])))
}

// messageIn reads a message from a form or from an entry of a batch.
func messageIn(form url.Values) (messaging.Message, error) {
	m := messaging.Message{Subject: form.Get("Subject"), Body: form.Get("Message")}
	for _, name := range []string{"MessageStructure", "MessageGroupId", "MessageDeduplicationId", "PhoneNumber"} {
		if form.Get(name) != "" {
			return m, invalid(name, "is not built on this server")
		}
	}
	for _, e := range awsapi.Entries(form, "MessageAttributes") {
		name := e.Get("Name")
		if _, twice := m.Attributes[name]; twice {
			return m, invalid("MessageAttributes", "the name "+strconv.Quote(name[:min(len(name), 64)])+" is there twice")
		}
		v := messaging.Attribute{DataType: e.Get("Value.DataType"), StringValue: e.Get("Value.StringValue")}
		if b := e.Get("Value.BinaryValue"); b != "" {
			raw, err := base64.StdEncoding.DecodeString(b)
			if err != nil {
				return m, invalid("MessageAttributes", "BinaryValue is not base64")
			}
			v.BinaryValue = raw
		}
		if m.Attributes == nil {
			m.Attributes = map[string]messaging.Attribute{}
		}
		m.Attributes[name] = v
	}
	// An index beyond what Entries reads would else be dropped without a word.
	for k := range form {
		if rest, ok := strings.CutPrefix(k, "MessageAttributes.entry."); ok {
			if n, err := strconv.Atoi(strings.SplitN(rest, ".", 2)[0]); err != nil || n < 1 || n > 100 {
				return m, invalid("MessageAttributes", "at most 10 attributes")
			}
		}
	}
	return m, nil
}
