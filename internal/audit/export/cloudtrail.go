package export

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"fiducial/internal/audit"
)

// trail writes one CloudTrail log file: {"Records":[…]}.
type trail struct {
	w     *bufio.Writer
	o     Options
	count int
}

func newTrail(w *bufio.Writer, o Options) *trail { return &trail{w: w, o: o} }

func (t *trail) record(r *audit.Record, line []byte) error {
	b, err := json.Marshal(t.event(r, line))
	if err != nil {
		return err
	}
	begin := `{"Records":[`
	if t.count > 0 {
		begin = ",\n"
	}
	t.count++
	if _, err := t.w.WriteString(begin); err != nil {
		return err
	}
	_, err = t.w.Write(b)
	return err
}

func (t *trail) end() error {
	end := "]}\n"
	if t.count == 0 {
		end = `{"Records":[]}` + "\n"
	}
	_, err := t.w.WriteString(end)
	return err
}

// object is a JSON object.
type object = map[string]any

// event is a CloudTrail event of the record. Members have CloudTrail's names and
// meanings; what CloudTrail has no name for stands in additionalEventData.fiducial.
type event struct {
	EventVersion       string     `json:"eventVersion"`
	UserIdentity       object     `json:"userIdentity"`
	EventTime          string     `json:"eventTime"`
	EventSource        string     `json:"eventSource"`
	EventName          string     `json:"eventName"`
	AWSRegion          string     `json:"awsRegion"`
	SourceIPAddress    string     `json:"sourceIPAddress,omitempty"`
	UserAgent          string     `json:"userAgent,omitempty"`
	ErrorCode          string     `json:"errorCode,omitempty"`
	ErrorMessage       string     `json:"errorMessage,omitempty"`
	RequestParameters  object     `json:"requestParameters"`
	ResponseElements   object     `json:"responseElements"`
	AdditionalEvent    object     `json:"additionalEventData,omitempty"`
	RequestID          string     `json:"requestID,omitempty"`
	EventID            string     `json:"eventID"`
	ReadOnly           bool       `json:"readOnly"`
	Resources          []resource `json:"resources,omitempty"`
	EventType          string     `json:"eventType"`
	ManagementEvent    bool       `json:"managementEvent"`
	RecipientAccountID string     `json:"recipientAccountId"`
	VPCEndpointID      string     `json:"vpcEndpointId,omitempty"`
	EventCategory      string     `json:"eventCategory"`
}

type resource struct {
	AccountID string `json:"accountId,omitempty"`
	Type      string `json:"type"`
	ARN       string `json:"ARN"`
}

const (
	call         = "AwsApiCall"
	serviceEvent = "AwsServiceEvent"
)

func (t *trail) event(r *audit.Record, line []byte) *event {
	e := &event{
		EventVersion: "1.11", EventTime: r.Time.UTC().Format("2006-01-02T15:04:05Z"), AWSRegion: t.o.Region, UserAgent: r.Agent,
		RequestID: r.RequestID, EventID: eventID(line), EventType: call, RecipientAccountID: t.o.Account, UserIdentity: t.identity(r),
		AdditionalEvent: object{"fiducial": extra(r)},
	}
	e.SourceIPAddress, e.VPCEndpointID, _ = strings.Cut(r.Origin, " via ")
	service, name, named := strings.Cut(r.Action, ":")
	if !named {
		service, name = "", r.Action
	}
	e.EventSource, e.EventName = service+".amazonaws.com", name
	if r.Verdict == audit.Deny {
		e.ErrorCode, e.ErrorMessage = r.Error, r.Reason
		if e.ErrorCode == "" || e.ErrorCode == "denied" {
			e.ErrorCode = "AccessDenied"
		}
	}
	switch r.Kind {
	case audit.Access:
		t.data(e, r)
	case audit.Grant:
		t.grant(e, r)
	case audit.API:
		t.management(e, r, service)
	default:
		own(e, r)
	}
	return e
}

// eventID is a UUID of the line's hash: the same record has the same id in every
// export.
func eventID(line []byte) string {
	const tail = 64 + len(`"}`) // a line ends with its hash
	var b [16]byte
	if at := len(line) - tail; at >= 0 {
		_, _ = hex.Decode(b[:], line[at:at+2*len(b)])
	}
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8: made by a rule of its own
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// identity is who asked, as CloudTrail shows principals.
func (t *trail) identity(r *audit.Record) object {
	parts := strings.SplitN(r.Principal, ":", 6)
	if len(parts) != 6 {
		if r.AccessKeyID != "" {
			return object{"type": "Unknown", "accessKeyId": r.AccessKeyID}
		}
		return object{"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
	}
	account, name := parts[4], parts[5]
	id := object{"arn": r.Principal, "accountId": account}
	if r.AccessKeyID != "" {
		id["accessKeyId"] = r.AccessKeyID
	}
	switch kind, rest, _ := strings.Cut(name, "/"); {
	case name == "root":
		id["type"], id["principalId"] = "Root", account
	case kind == "user":
		id["type"], id["userName"] = "IAMUser", rest[strings.LastIndexByte(rest, '/')+1:]
	case kind == "assumed-role":
		role, session, _ := strings.Cut(rest, "/")
		id["type"], id["principalId"] = "AssumedRole", role+":"+session
		id["sessionContext"] = object{"sessionIssuer": object{
			"type": "Role", "arn": "arn:aws:iam::" + account + ":role/" + role, "accountId": account, "userName": role,
		}}
	default:
		id["type"] = "Unknown"
	}
	return id
}

// data is an S3 data event.
func (t *trail) data(e *event, r *audit.Record) {
	if r.Method == "HEAD" && e.EventName == "GetObject" {
		e.EventName = "HeadObject"
	}
	if e.EventName == "" { // refused before it was known what was asked for
		e.EventSource, e.EventName = "s3.amazonaws.com", s3Names[r.Method]
	}
	bucket, key, keyed := strings.Cut(strings.TrimPrefix(r.Resource, "arn:aws:s3:::"), "/")
	if bucket != "" {
		e.RequestParameters = object{"bucketName": bucket}
		b := resource{AccountID: t.o.Account, Type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::" + bucket}
		if keyed {
			e.RequestParameters["key"] = key
			e.Resources = append(e.Resources, resource{Type: "AWS::S3::Object", ARN: r.Resource})
		}
		e.Resources = append(e.Resources, b)
	}
	e.ReadOnly = readOnly(e.EventName)
	e.EventCategory = "Data"
	if r.Size > 0 && e.ReadOnly {
		e.AdditionalEvent["bytesTransferredOut"] = r.Size
	}
}

var s3Names = map[string]string{"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject", "POST": "PostObject"}

// grant is the session that a media URL is made with: what CloudTrail shows when
// a service assumes a role.
func (t *trail) grant(e *event, r *audit.Record) {
	e.EventSource, e.EventName, e.ManagementEvent, e.EventCategory, e.ReadOnly = "sts.amazonaws.com", "AssumeRole", true, "Management", true
	session := e.UserIdentity
	e.UserIdentity = object{"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}
	e.SourceIPAddress = "sagemaker.amazonaws.com"
	e.UserAgent = "sagemaker.amazonaws.com"
	context, _ := session["sessionContext"].(object)
	issuer, _ := context["sessionIssuer"].(object)
	if role, ok := issuer["arn"].(string); ok {
		_, name, _ := strings.Cut(session["principalId"].(string), ":")
		e.RequestParameters = object{"roleArn": role, "roleSessionName": name}
		e.Resources = []resource{{AccountID: t.o.Account, Type: "AWS::IAM::Role", ARN: role}}
		if r.Verdict == audit.Allow {
			e.ResponseElements = object{
				"credentials":     object{"accessKeyId": r.AccessKeyID, "expiration": stamp(r.Expires)},
				"assumedRoleUser": object{"arn": r.Principal},
			}
		}
	}
}

// management is a call of another API.
func (t *trail) management(e *event, r *audit.Record, service string) {
	e.ManagementEvent, e.EventCategory = true, "Management"
	e.ReadOnly = readOnly(e.EventName)
	if r.Resource != "" && r.Resource != "*" {
		e.Resources = []resource{{AccountID: t.o.Account, Type: resourceType(service, r.Resource), ARN: r.Resource}}
	}
}

// own is what AWS has no event for: people at the portal, the server itself.
func own(e *event, r *audit.Record) {
	e.EventType, e.EventCategory, e.ManagementEvent = serviceEvent, "Management", true
	e.EventSource = "fiducial"
	if e.EventName == "" {
		e.EventName = strings.ToUpper(string(r.Kind[:1])) + string(r.Kind[1:])
	}
	if r.Worker != "" {
		e.UserIdentity = object{"type": "Unknown", "principalId": r.Worker, "userName": r.Worker}
	} else if r.Principal == "" {
		e.UserIdentity = object{"type": "AWSService", "invokedBy": "fiducial"}
	}
}

func readOnly(name string) bool {
	for _, p := range []string{"Get", "Head", "List", "Describe", "Render", "Simulate", "Explain", "AssumeRole"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

func resourceType(service, arn string) string {
	kind := map[string]string{
		"iam:role": "AWS::IAM::Role", "iam:user": "AWS::IAM::User", "kms:key": "AWS::KMS::Key",
		"sagemaker:labeling-job": "AWS::SageMaker::LabelingJob", "sagemaker:workteam": "AWS::SageMaker::Workteam", "sagemaker:workforce": "AWS::SageMaker::Workforce",
		"cognito-idp:userpool": "AWS::Cognito::UserPool",
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 {
		name, _, _ := strings.Cut(parts[5], "/")
		if s := kind[parts[2]+":"+name]; s != "" {
			return s
		}
	}
	return "AWS::" + service
}

// extra is what CloudTrail has no member for.
func extra(r *audit.Record) object {
	out := object{"kind": string(r.Kind), "number": r.Seq}
	for name, v := range map[string]string{
		"verdict": string(r.Verdict), "statement": r.Statement, "reason": r.Reason, "worker": r.Worker, "job": r.Job, "team": r.Team,
		"assignment": r.Assignment, "grant": r.GrantID, "signIn": r.SignInID, "bound": r.Bound, "mediaAddress": r.MediaAddr,
		"formerMediaAddress": r.FormerMedia, "origin": r.Origin, "resource": r.Resource, "chain": r.Note.Chain,
	} {
		if v != "" {
			out[name] = v
		}
	}
	if !r.Expires.IsZero() {
		out["expires"] = r.Expires.UTC().Format(time.RFC3339)
	}
	return out
}
