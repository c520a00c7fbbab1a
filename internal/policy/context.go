package policy

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/identity"
)

// Context is what is known about a request besides its principal. The zero
// value of a field means that the key is not present, except SecureTransport,
// which every request has.
//
// Global keys have fields of their own, and only those fields are ever read
// for them: nothing in Keys, and so nothing that a client sent, can shadow the
// source address. Keys about the principal come from the Principal alone.
type Context struct {
	Time            time.Time  // aws:CurrentTime, aws:EpochTime
	SourceIP        netip.Addr // aws:SourceIp; absent for requests through a VPC endpoint
	VPCSourceIP     netip.Addr // aws:VpcSourceIp
	SourceVPC       string     // aws:SourceVpc
	SourceVPCE      string     // aws:SourceVpce
	SecureTransport bool       // aws:SecureTransport
	Referer         string     // aws:Referer
	UserAgent       string     // aws:UserAgent
	ViaAWSService   bool       // aws:ViaAWSService: a service asks on the caller's behalf
	Keys            []Key      // the service's keys: s3:prefix, sagemaker:WorkteamArn, aws:RequestTag/…
}

// Key is one context key of a service. Names are compared without regard to
// case. A single value stands in Value, to spare a slice; Values wins if set.
type Key struct {
	Name   string
	Value  string
	Values []string
}

// contextKey is a key as a document names it, resolved when it is compiled.
type contextKey struct {
	id   keyID
	name string // as written, for messages
}

type keyID uint8

const (
	otherKey keyID = iota
	currentTime
	epochTime
	tokenIssueTime
	sourceIP
	vpcSourceIP
	sourceVPC
	sourceVPCE
	secureTransport
	referer
	userAgent
	principalARN_
	principalAccount
	principalType
	principalIsService
	principalServiceName
	userID
	userName
	viaService
	multiFactorPresent
	federatedProvider
)

func keyByName(lower string) keyID {
	switch lower {
	case "aws:currenttime":
		return currentTime
	case "aws:epochtime":
		return epochTime
	case "aws:tokenissuetime":
		return tokenIssueTime
	case "aws:sourceip":
		return sourceIP
	case "aws:vpcsourceip":
		return vpcSourceIP
	case "aws:sourcevpc":
		return sourceVPC
	case "aws:sourcevpce":
		return sourceVPCE
	case "aws:securetransport":
		return secureTransport
	case "aws:referer":
		return referer
	case "aws:useragent":
		return userAgent
	case "aws:principalarn":
		return principalARN_
	case "aws:principalaccount":
		return principalAccount
	case "aws:principaltype":
		return principalType
	case "aws:principalisawsservice":
		return principalIsService
	case "aws:principalservicename":
		return principalServiceName
	case "aws:userid":
		return userID
	case "aws:username":
		return userName
	case "aws:viaawsservice":
		return viaService
	case "aws:multifactorauthpresent":
		return multiFactorPresent
	case "aws:federatedprovider":
		return federatedProvider
	}
	return otherKey
}

// parseKey checks the shape service:name and compiles a key.
func parseKey(name string) (contextKey, error) {
	service, rest, ok := strings.Cut(name, ":")
	if !ok || service == "" || rest == "" {
		return contextKey{}, errors.New(`expected a context key such as "aws:SourceIp"`)
	}
	for i := 0; i < len(service); i++ {
		if c := service[i] | 0x20; (c < 'a' || c > 'z') && (service[i] < '0' || service[i] > '9') && service[i] != '-' {
			return contextKey{}, errors.New(`expected a context key such as "aws:SourceIp"`)
		}
	}
	if len(name) > 512 {
		return contextKey{}, errors.New("the context key is longer than 512 characters")
	}
	return contextKey{id: keyByName(strings.ToLower(name)), name: name}, nil
}

// valueKind says which field of value holds it. Addresses and instants stay
// what they are until an operator wants text.
type valueKind uint8

const (
	absent valueKind = iota
	textValue
	listValue
	addrValue
	instantValue // a date; text form is ISO 8601
	epochValue   // a date; text form is seconds
)

type value struct {
	kind valueKind
	text string
	list []string
	addr netip.Addr
	time time.Time
}

func textOf(s string) value {
	if s == "" {
		return value{}
	}
	return value{kind: textValue, text: s}
}

func boolOf(b bool) value {
	if b {
		return value{kind: textValue, text: "true"}
	}
	return value{kind: textValue, text: "false"}
}

func addrOf(a netip.Addr) value {
	if !a.IsValid() {
		return value{}
	}
	return value{kind: addrValue, addr: a.Unmap().WithZone("")}
}

func timeOf(kind valueKind, t time.Time) value {
	if t.IsZero() {
		return value{}
	}
	return value{kind: kind, time: t}
}

// count returns how many values the key has; zero when it is absent.
func (v *value) count() int {
	switch v.kind {
	case absent:
		return 0
	case listValue:
		return len(v.list)
	}
	return 1
}

// at returns the i-th value as text.
func (v *value) at(i int) string {
	switch v.kind {
	case listValue:
		return v.list[i]
	case addrValue:
		return v.addr.String()
	case instantValue:
		return v.time.UTC().Format(time.RFC3339)
	case epochValue:
		return strconv.FormatInt(v.time.Unix(), 10)
	}
	return v.text
}

// evaluation is one request being decided.
type evaluation struct {
	req *Request
}

// lookup returns the value of a context key.
func (ev *evaluation) lookup(k *contextKey) value {
	c, p := &ev.req.Context, ev.req.Principal
	switch k.id {
	case otherKey:
		return ev.other(k.name)
	case currentTime:
		return timeOf(instantValue, c.Time)
	case epochTime:
		return timeOf(epochValue, c.Time.Truncate(time.Second))
	case sourceIP:
		return addrOf(c.SourceIP)
	case vpcSourceIP:
		return addrOf(c.VPCSourceIP)
	case sourceVPC:
		return textOf(c.SourceVPC)
	case sourceVPCE:
		return textOf(c.SourceVPCE)
	case secureTransport:
		return boolOf(c.SecureTransport)
	case referer:
		return textOf(c.Referer)
	case userAgent:
		return textOf(c.UserAgent)
	case viaService:
		return boolOf(c.ViaAWSService)
	}
	return principalValue(k.id, p)
}

func principalValue(id keyID, p *identity.Principal) value {
	switch id {
	case tokenIssueTime:
		return timeOf(instantValue, p.IssuedAt)
	case principalARN_:
		switch p.Type {
		case identity.AssumedRole:
			return textOf(p.RoleARN)
		case identity.User, identity.Root:
			return textOf(p.ARN)
		}
	case principalAccount:
		return textOf(p.Account)
	case principalType:
		return textOf(typeNames[p.Type])
	case principalIsService:
		return boolOf(p.Type == identity.Service)
	case principalServiceName:
		if p.Type == identity.Service {
			return textOf(p.ARN)
		}
	case userID:
		if p.Type == identity.Anonymous {
			return textOf("anonymous")
		}
		return textOf(p.UserID)
	case userName:
		if p.Type == identity.User {
			return textOf(p.Name)
		}
	case multiFactorPresent:
		if p.Type == identity.AssumedRole {
			return boolOf(false)
		}
	}
	return value{}
}

var typeNames = [...]string{
	identity.Anonymous:   "Anonymous",
	identity.Root:        "Account",
	identity.User:        "User",
	identity.AssumedRole: "AssumedRole",
	identity.Service:     "Service",
}

func (ev *evaluation) other(name string) value {
	keys := ev.req.Context.Keys
	for i := range keys {
		k := &keys[i]
		if len(k.Name) != len(name) || !strings.EqualFold(k.Name, name) {
			continue
		}
		if k.Values != nil {
			if len(k.Values) == 0 {
				return value{}
			}
			return value{kind: listValue, list: k.Values}
		}
		return value{kind: textValue, text: k.Value}
	}
	return value{}
}

// variable returns the text to put in place of a variable: the key's value, or
// the default. A key that is a list has no one text, however short it is.
func (ev *evaluation) variable(t *token) (string, bool) {
	if v := ev.lookup(&t.key); v.kind != listValue && v.count() == 1 {
		return v.at(0), true
	}
	return t.text, t.hasDefault
}
