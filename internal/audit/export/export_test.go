package export_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/audit"
	"fiducial/internal/audit/export"
)

const account = "000000000000"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// folder is a record of the events, an hour apart.
func folder(t *testing.T, events ...audit.Event) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "audit")
	now := noon
	f, err := audit.OpenFile(dir, func() time.Time { return now })
	ok(t, err)
	for _, e := range events {
		now = now.Add(time.Hour)
		ok(t, f.Record(context.Background(), &e))
	}
	ok(t, f.Close())
	return dir
}

func to(t *testing.T, dir string, f export.Format) string {
	t.Helper()
	var b bytes.Buffer
	_, err := export.To(context.Background(), &b, dir, audit.Between{From: noon.Add(time.Minute)}, export.Options{Format: f, Region: "us-east-1", Account: account})
	ok(t, err)
	return b.String()
}

// trail is the events of a CloudTrail export, without the ids.
func trail(t *testing.T, text string) []map[string]any {
	t.Helper()
	var log struct{ Records []map[string]any }
	ok(t, json.Unmarshal([]byte(text), &log))
	for _, r := range log.Records {
		if id, _ := r["eventID"].(string); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
			t.Errorf("eventID %q is no UUID", id)
		}
		delete(r, "eventID")
	}
	return log.Records
}

type m = map[string]any

func TestCloudTrail(t *testing.T) {
	session := m{"type": "AssumedRole", "principalId": "labeler:ana", "arn": "arn:aws:sts::000000000000:assumed-role/labeler/ana", "accountId": account, "accessKeyId": "ASIAX",
		"sessionContext": m{"sessionIssuer": m{"type": "Role", "arn": "arn:aws:iam::000000000000:role/labeler", "accountId": account, "userName": "labeler"}}}
	common := m{"eventVersion": "1.11", "eventTime": "2026-03-01T13:00:00Z", "awsRegion": "us-east-1", "recipientAccountId": account, "responseElements": nil}
	for _, c := range []struct {
		name  string
		event audit.Event
		want  m
	}{
		{"a look", audit.Event{Kind: audit.Access, Verdict: audit.Allow, Action: "s3:GetObject", Principal: "arn:aws:sts::000000000000:assumed-role/labeler/ana", AccessKeyID: "ASIAX",
			Worker: "w", GrantID: "g", Resource: "arn:aws:s3:::media/a/1.jpg", Origin: "192.0.2.1", Method: "GET", Status: 200, Size: 5, RequestID: "R", Agent: "Browser"},
			m{"userIdentity": session, "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "sourceIPAddress": "192.0.2.1", "userAgent": "Browser", "requestID": "R",
				"requestParameters": m{"bucketName": "media", "key": "a/1.jpg"}, "readOnly": true, "eventType": "AwsApiCall", "managementEvent": false, "eventCategory": "Data",
				"resources":           []any{m{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::media/a/1.jpg"}, m{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::media", "accountId": account}},
				"additionalEventData": m{"bytesTransferredOut": 5.0, "fiducial": m{"kind": "access", "number": 2.0, "verdict": "allow", "worker": "w", "grant": "g", "origin": "192.0.2.1", "resource": "arn:aws:s3:::media/a/1.jpg"}}}},
		{"a look refused, through a VPC endpoint", audit.Event{Kind: audit.Access, Verdict: audit.Deny, Action: "s3:GetObject", Resource: "arn:aws:s3:::media/1.jpg", Origin: "10.0.0.7 via vpce-1", Method: "GET", Error: "AccessDenied", Reason: "why", Status: 403},
			m{"userIdentity": m{"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}, "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
				"sourceIPAddress": "10.0.0.7", "vpcEndpointId": "vpce-1", "errorCode": "AccessDenied", "errorMessage": "why",
				"requestParameters": m{"bucketName": "media", "key": "1.jpg"}, "readOnly": true, "eventType": "AwsApiCall", "managementEvent": false, "eventCategory": "Data",
				"resources":           []any{m{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::media/1.jpg"}, m{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::media", "accountId": account}},
				"additionalEventData": m{"fiducial": m{"kind": "access", "number": 2.0, "verdict": "deny", "reason": "why", "origin": "10.0.0.7 via vpce-1", "resource": "arn:aws:s3:::media/1.jpg"}}}},
		{"a grant", audit.Event{Kind: audit.Grant, Verdict: audit.Allow, Action: "s3:GetObject", Principal: "arn:aws:sts::000000000000:assumed-role/labeler/ana", AccessKeyID: "ASIAX",
			Worker: "w", Job: "boxes", GrantID: "g", Resource: "arn:aws:s3:::media/1.jpg", Origin: "192.0.2.1", Bound: "aws:SourceIp 192.0.2.1/32", Expires: noon.Add(2 * time.Hour)},
			m{"userIdentity": m{"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}, "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole",
				"sourceIPAddress": "sagemaker.amazonaws.com", "userAgent": "sagemaker.amazonaws.com",
				"requestParameters": m{"roleArn": "arn:aws:iam::000000000000:role/labeler", "roleSessionName": "ana"},
				"responseElements":  m{"credentials": m{"accessKeyId": "ASIAX", "expiration": "2026-03-01T14:00:00Z"}, "assumedRoleUser": m{"arn": "arn:aws:sts::000000000000:assumed-role/labeler/ana"}},
				"readOnly":          true, "eventType": "AwsApiCall", "managementEvent": true, "eventCategory": "Management",
				"resources": []any{m{"type": "AWS::IAM::Role", "ARN": "arn:aws:iam::000000000000:role/labeler", "accountId": account}},
				"additionalEventData": m{"fiducial": m{"kind": "grant", "number": 2.0, "verdict": "allow", "worker": "w", "job": "boxes", "grant": "g", "bound": "aws:SourceIp 192.0.2.1/32",
					"origin": "192.0.2.1", "resource": "arn:aws:s3:::media/1.jpg", "expires": "2026-03-01T14:00:00Z"}}}},
		{"a call of SageMaker", audit.Event{Kind: audit.API, Verdict: audit.Allow, Action: "sagemaker:CreateLabelingJob", Principal: "arn:aws:iam::000000000000:user/ops/eve", AccessKeyID: "AKIAX",
			Resource: "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/boxes", Origin: "192.0.2.1", Agent: "aws-cli/2"},
			m{"userIdentity": m{"type": "IAMUser", "arn": "arn:aws:iam::000000000000:user/ops/eve", "accountId": account, "accessKeyId": "AKIAX", "userName": "eve"},
				"eventSource": "sagemaker.amazonaws.com", "eventName": "CreateLabelingJob", "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2", "requestParameters": nil,
				"readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "eventCategory": "Management",
				"resources":           []any{m{"type": "AWS::SageMaker::LabelingJob", "ARN": "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/boxes", "accountId": account}},
				"additionalEventData": m{"fiducial": m{"kind": "api", "number": 2.0, "verdict": "allow", "origin": "192.0.2.1", "resource": "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/boxes"}}}},
		{"a worker signs in", audit.Event{Kind: audit.SignIn, Verdict: audit.Allow, Action: "portal:SignIn", Worker: "w", Origin: "192.0.2.1"},
			m{"userIdentity": m{"type": "Unknown", "principalId": "w", "userName": "w"}, "eventSource": "fiducial", "eventName": "SignIn", "sourceIPAddress": "192.0.2.1", "requestParameters": nil,
				"readOnly": false, "eventType": "AwsServiceEvent", "managementEvent": true, "eventCategory": "Management",
				"additionalEventData": m{"fiducial": m{"kind": "signin", "number": 2.0, "verdict": "allow", "worker": "w", "origin": "192.0.2.1"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range common {
				if _, ok := c.want[k]; !ok {
					c.want[k] = v
				}
			}
			got := trail(t, to(t, folder(t, c.event), export.CloudTrail))
			if d := cmp.Diff([]map[string]any{c.want}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNothingToExport(t *testing.T) {
	if got := trail(t, to(t, folder(t), export.CloudTrail)); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

// The same record has the same id in every export, and no two have one.
func TestEventIDs(t *testing.T) {
	dir := folder(t, audit.Event{Kind: audit.Server}, audit.Event{Kind: audit.Server})
	ids := regexp.MustCompile(`"eventID":"[^"]+"`)
	a, b := ids.FindAllString(to(t, dir, export.CloudTrail), -1), ids.FindAllString(to(t, dir, export.CloudTrail), -1)
	if len(a) != 2 || a[0] == a[1] || cmp.Diff(a, b) != "" {
		t.Errorf("ids %v, then %v", a, b)
	}
}

func TestJSONLIsTheRecord(t *testing.T) {
	dir := folder(t, audit.Event{Kind: audit.Server}, audit.Event{Kind: audit.Server})
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	b, err := os.ReadFile(files[0])
	ok(t, err)
	if got := to(t, dir, export.JSONL); got != string(b[bytes.IndexByte(b, '\n')+1:]) {
		t.Errorf("got %q, want the lines as they are", got)
	}
}

// A client chooses its user agent and its key; a spreadsheet must not run them.
func TestCSVIsInert(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(to(t, folder(t, audit.Event{Kind: audit.Access, Agent: "=HYPERLINK(\"x\")\n,", Resource: "@x", Origin: "192.0.2.1"}), export.CSV))).ReadAll()
	ok(t, err)
	got := map[string]string{}
	for i, name := range rows[0] {
		got[name] = rows[1][i]
	}
	if got["agent"] != "'=HYPERLINK(\"x\")\n," || got["resource"] != "'@x" || got["origin"] != "192.0.2.1" {
		t.Errorf("got %v", got)
	}
}

func TestFolder(t *testing.T) {
	dir := folder(t, slices.Repeat([]audit.Event{{Kind: audit.Server}}, 24)...) // half of them after midnight
	out := t.TempDir()
	days, err := export.Folder(context.Background(), out, dir, audit.Between{}, true, export.Options{Format: export.CloudTrail, Region: "eu-central-1", Account: account})
	ok(t, err)
	want := []export.Day{
		{Name: "AWSLogs/000000000000/CloudTrail/eu-central-1/2026/03/01/000000000000_CloudTrail_eu-central-1_20260301T0000Z_fiducial.json.gz", Records: 12},
		{Name: "AWSLogs/000000000000/CloudTrail/eu-central-1/2026/03/02/000000000000_CloudTrail_eu-central-1_20260302T0000Z_fiducial.json.gz", Records: 14},
	}
	if d := cmp.Diff(want, days); d != "" {
		t.Error(d)
	}
	f, err := os.Open(filepath.Join(out, days[0].Name))
	ok(t, err)
	z, err := gzip.NewReader(f)
	ok(t, err)
	b, err := io.ReadAll(z)
	ok(t, err)
	if got := trail(t, string(b)); len(got) != 12 {
		t.Errorf("%d events", len(got))
	}
}

func TestParseFormat(t *testing.T) {
	if _, err := export.ParseFormat("xml"); err == nil {
		t.Error("xml was taken")
	}
}
