package scene

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

// TestScene is the story; its lines depend on one another.
func TestScene(t *testing.T) {
	t.Parallel()
	picture := boot.Picture(t, 320, 240)
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, boot.Setup{Workers: []boot.Account{ana, ben}})
	w.aws("s3", "mb", "s3://other")
	explain := func(at string, more ...string) (string, int) {
		t.Helper()
		args := []string{"access", "explain", "--worker", ana.Email, "--job", "boxes", "--object", "s3://input/boxes/0.jpg", "--from", at}
		if via := w.ways[at].via; via != "" {
			args = append(args, "--via", via)
		}
		out, status := w.fiducial(append(args, more...)...)
		return strings.Join(strings.Fields(out), " "), status
	}
	contains := func(t *testing.T, out string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(out, p) {
				t.Errorf("it does not say %q:\n%s", p, out)
			}
		}
	}

	t.Run("the bucket's policy demands the VPC, and its owner is warned when the job is created", func(t *testing.T) {
		w.bucketPolicy(denyUnless("OnlyFromVpc", `"StringNotEquals":{"aws:SourceVpc":"vpc-0a"}`))
		w.Make(boot.Setup{Jobs: []boot.Job{{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 1, Workers: 2, Picture: picture, TimeLimit: 600}}})
		tag := w.aws("sagemaker", "describe-labeling-job", "--labeling-job-name", "boxes", "--query", "Tags[?Key=='fiducial:AccessWarning'].Value", "--output", "text")
		contains(t, tag, "Workers outside a VPC endpoint will not see the data objects in input", "OnlyFromVpc")
		var out struct{ AccessWarnings []string }
		w.ok(w.api("sagemaker", "SageMaker.DescribeLabelingJob", map[string]string{"LabelingJobName": "boxes"}, &out))
		if len(out.AccessWarnings) != 1 {
			t.Fatalf("warnings: %q", out.AccessWarnings)
		}
		contains(t, out.AccessWarnings[0], `bucket policy of input statement 1 (Sid "OnlyFromVpc") denies s3:GetObject where aws:SourceVpc StringNotEquals vpc-0a`)
	})

	t.Run("a worker at home is refused", func(t *testing.T) {
		_, _, media := w.open(ana, home, "boxes")
		if status, body := w.get(home, media); status != 403 || bytes.Contains(body, want[:64]) {
			t.Errorf("status %d", status)
		}
	})

	t.Run("and explain says by which statement, and what to change", func(t *testing.T) {
		out, status := explain(home)
		if status != 3 {
			t.Errorf("exit status %d, want 3", status)
		}
		contains(t, out, "ana@example.com cannot open", "NO Bucket policy", `(Sid "OnlyFromVpc")`, "aws:SourceVpc StringNotEquals vpc-0a (the request has none)", "WorkforceVpcConfig")
	})

	t.Run("in the VPC, through its endpoint, the worker sees the picture", func(t *testing.T) {
		w.workforce(nil, "vpc-0a")
		w.team(true, true)
		_, _, media := w.open(ana, office, "boxes")
		if status, body := w.get(office, media); status != 200 || !bytes.Equal(body, want) {
			t.Fatalf("status %d, %d bytes", status, len(body))
		}
		if status, _ := w.get(home, media); status != 403 {
			t.Errorf("the same URL at home: status %d", status)
		}
		if status, _ := w.get(branch, media); status != 403 {
			t.Errorf("the same URL in another VPC: status %d", status)
		}
		out, status := explain(office)
		if status != 0 {
			t.Errorf("exit status %d:\n%s", status, out)
		}
		contains(t, out, "ana@example.com can open", "of vpc-0a", "aws:VpcSourceIp 127.1.0.9/32 through vpce-0a")
	})

	t.Run("SourceIp binds each URL to the address at which the task was opened, and is no place for a range", func(t *testing.T) {
		w.bucketPolicy("")
		w.workforce(nil, "")
		w.team(true, false)
		_, _, media := w.open(ana, home, "boxes")
		if status, body := w.get(home, media); status != 200 || !bytes.Equal(body, want) {
			t.Fatalf("status %d, %d bytes", status, len(body))
		}
		if status, _ := w.get(cafe, media); status != 403 {
			t.Errorf("a colleague: status %d", status)
		}
		out, status := explain(cafe, "--opened-from", home)
		if status != 3 {
			t.Errorf("exit status %d", status)
		}
		contains(t, out, "NO Session policy of the media URL", "aws:SourceIp 127.0.0.1/32 only; the request comes from 127.0.0.2")
		if out, status = explain(cafe); status != 0 {
			t.Errorf("opened at the café itself: exit status %d:\n%s", status, out)
		}
	})

	t.Run("the range is written in the workforce", func(t *testing.T) {
		w.workforce([]string{"127.0.0.1/32"}, "")
		if _, err := boot.SignInOver(w.Portal, w.client(cafe), ana.Email, ana.Password); err == nil {
			t.Error("a worker outside the range signed in")
		}
		out, status := explain(cafe)
		if status != 3 {
			t.Errorf("exit status %d", status)
		}
		contains(t, out, "NO Where workers may come from", "Your address 127.0.0.2 is not among those", "Ranges: 127.0.0.1/32.", `--source-ip-config '{"Cidrs":["127.0.0.1/32","127.0.0.2/32"]}'`)
		if out, status = explain(home); status != 0 {
			t.Errorf("within the range: exit status %d:\n%s", status, out)
		}
		w.workforce(nil, "")
	})

	t.Run("a policy with ranges is warned of with the ranges that it refuses", func(t *testing.T) {
		w.bucketPolicy(denyUnless("OnlyOffice", `"NotIpAddress":{"aws:SourceIp":["127.0.0.0/31"]}`))
		w.workforce([]string{"127.0.0.0/30"}, "")
		var out struct{ AccessWarnings []string }
		w.ok(w.api("sagemaker", "SageMaker.DescribeLabelingJob", map[string]string{"LabelingJobName": "boxes"}, &out))
		if len(out.AccessWarnings) != 1 || !strings.HasPrefix(out.AccessWarnings[0], "Workers at 127.0.0.2/31 will not see") {
			t.Errorf("warnings: %q", out.AccessWarnings)
		}
		w.workforce(nil, "")
		w.bucketPolicy("")
		out.AccessWarnings = nil
		w.ok(w.api("sagemaker", "SageMaker.DescribeLabelingJob", map[string]string{"LabelingJobName": "boxes"}, &out))
		if len(out.AccessWarnings) != 0 {
			t.Errorf("warnings without a policy: %q", out.AccessWarnings)
		}
	})

	t.Run("revoked by object, the URL ends within a second; the task goes on with another", func(t *testing.T) {
		for _, by := range [][]string{{"--object", "s3://input/boxes/0.jpg"}, {"--worker", ana.Email}, {"--job", "boxes"}, {"--team", "team"}, {"--all"}} {
			k, assignment, media := w.open(ana, home, "boxes")
			if status, _ := w.get(home, media); status != 200 {
				t.Fatalf("%v: before: status %d", by, status)
			}
			out, status := w.fiducial(append([]string{"access", "revoke", "--reason", "a test"}, by...)...)
			done := time.Now()
			if status != 0 || !strings.Contains(out, "ended: media URLs of") {
				t.Fatalf("%v: status %d: %s", by, status, out)
			}
			for {
				status, _ := w.get(home, media)
				if status == 403 {
					break
				}
				if time.Since(done) > time.Second {
					t.Fatalf("%v: the URL still answers %d after a second", by, status)
				}
			}
			if _, urls, err := k.Frame(assignment); err != nil || len(urls) != 1 {
				t.Errorf("%v: the task goes on: %v", by, err)
			} else if status, _ := w.get(home, urls[0]); status != 200 {
				t.Errorf("%v: a URL made later: status %d", by, status)
			}
		}
		out, _ := explain(home)
		contains(t, out, "URLs made before", "a test")
	})

	t.Run("what is misspelt is said, and nobody without the right may ask or revoke", func(t *testing.T) {
		for _, c := range []struct {
			args   []string
			status int
			says   string
		}{
			{[]string{"access", "revoke", "--worker", "nobody@example.com", "--reason", "x"}, 1, `There is no worker "nobody@example.com"`},
			{[]string{"access", "revoke", "--job", "nothing", "--reason", "x"}, 1, "ResourceNotFoundException"},
			{[]string{"access", "revoke", "--reason", "x"}, 2, "nothing is named"},
			{[]string{"access", "revoke", "--all"}, 2, "--reason is missing"},
			{[]string{"access", "explain", "--worker", "x", "--job", "boxes", "--object", "s3://a/b"}, 2, "--from is missing"},
			{[]string{"access", "explain", "--worker", ana.Email, "--job", "boxes", "--object", "s3://a/b", "--from", "here"}, 1, `SourceIp: "here" is not an IPv4 or IPv6 address`},
			{[]string{"access", "explain", "--worker", ana.Email, "--job", "boxes", "--object", "a/b", "--from", home}, 1, "ValidationException"},
		} {
			if out, status := w.fiducial(c.args...); status != c.status || !strings.Contains(out, c.says) {
				t.Errorf("%v: status %d, want %d with %q: %s", c.args, status, c.status, c.says, out)
			}
		}
		w.aws("iam", "create-user", "--user-name", "visitor")
		var key struct {
			AccessKey struct{ AccessKeyId, SecretAccessKey string }
		}
		w.ok(json.Unmarshal([]byte(w.aws("iam", "create-access-key", "--user-name", "visitor")), &key))
		env := []string{"AWS_ACCESS_KEY_ID=" + key.AccessKey.AccessKeyId, "AWS_SECRET_ACCESS_KEY=" + key.AccessKey.SecretAccessKey}
		for _, args := range [][]string{
			{"access", "revoke", "--all", "--reason", "x"},
			{"access", "explain", "--worker", ana.Email, "--job", "boxes", "--object", "s3://input/boxes/0.jpg", "--from", home},
		} {
			out, status := w.fiducialAs(env, args...)
			if status != 1 || !strings.Contains(out, "is not authorized to perform: fiducial:") {
				t.Errorf("%v as a visitor: status %d: %s", args, status, out)
			}
		}
	})
}

// A role whose trust policy admits one job only: the engine and the workers' URLs
// act on behalf of that job, and of no other.
func TestTrustPolicyWithSourceArn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, boot.Setup{Workers: []boot.Account{ana}})
	w.Make(boot.Setup{Jobs: []boot.Job{{Name: "first", Function: "BoundingBox", Labels: []string{"a"}, Objects: 1, Workers: 1}}})
	w.aws("iam", "update-assume-role-policy", "--role-name", roleName, "--policy-document", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{
			"StringEquals":{"aws:SourceAccount":"000000000000"},"ArnLike":{"aws:SourceArn":"arn:aws:sagemaker:*:000000000000:labeling-job/good*"}}}]}`)
	w.Make(boot.Setup{Jobs: []boot.Job{{Name: "good", Function: "BoundingBox", Labels: []string{"a"}, Objects: 1, Workers: 1}}})
	_, _, media := w.open(ana, home, "good")
	if status, _ := w.get(home, media); status != 200 {
		t.Errorf("a worker of the job that is admitted: status %d", status)
	}
	if _, _, media := w.open(ana, home, "first"); media != "" {
		t.Error("a URL was made for the job that is not admitted any more")
	}
	out, status := w.fiducial("access", "explain", "--worker", ana.Email, "--job", "first", "--object", "s3://input/first/0.jpg", "--from", home)
	if status != 3 || !strings.Contains(out, "NO  Trust policy") || !strings.Contains(strings.Join(strings.Fields(out), " "), "aws:SourceArn must admit arn:aws:sagemaker:us-east-1:000000000000:labeling-job/first") {
		t.Errorf("explain: status %d:\n%s", status, out)
	}
	lambda := "arn:aws:lambda:us-east-1:432418664414:function:"
	w.ok(w.api("sagemaker", "SageMaker.CreateLabelingJob", map[string]any{
		"LabelingJobName": "bad", "LabelAttributeName": "label", "RoleArn": "arn:aws:iam::000000000000:role/" + roleName,
		"InputConfig":              map[string]any{"DataSource": map[string]any{"S3DataSource": map[string]any{"ManifestS3Uri": "s3://input/good.manifest"}}},
		"OutputConfig":             map[string]any{"S3OutputPath": "s3://output/"},
		"LabelCategoryConfigS3Uri": "s3://input/good.labels.json",
		"HumanTaskConfig": map[string]any{"WorkteamArn": "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team", "UiConfig": map[string]any{},
			"PreHumanTaskLambdaArn": lambda + "PRE-BoundingBox", "AnnotationConsolidationConfig": map[string]any{"AnnotationConsolidationLambdaArn": lambda + "ACS-BoundingBox"},
			"TaskTitle": "t", "TaskDescription": "d", "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": 60},
	}, nil))
	if st := w.AwaitJob("bad", time.Minute, "Failed", "InProgress"); st.LabelingJobStatus != "Failed" || !strings.Contains(st.FailureReason, "assume") {
		t.Errorf("the job that is not admitted is %s: %s", st.LabelingJobStatus, st.FailureReason)
	}
}

// The simulator through the AWS CLI and boto3, unmodified.
func TestSimulatorThroughTheAWSClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, boot.Setup{Workers: []boot.Account{ana}, Jobs: []boot.Job{{Name: "j", Function: "BoundingBox", Labels: []string{"a"}, Objects: 1, Workers: 1}}})
	out := w.aws("iam", "simulate-principal-policy", "--policy-source-arn", "arn:aws:iam::000000000000:role/"+roleName,
		"--action-names", "s3:GetObject", "s3:PutObject", "--resource-arns", "arn:aws:s3:::input/x.jpg",
		"--query", "EvaluationResults[].[EvalActionName,EvalDecision,MatchedStatements[0].SourcePolicyId]", "--output", "text")
	if out != "s3:GetObject\tallowed\trole_"+roleName+"_labeling\ns3:PutObject\timplicitDeny\tNone" {
		t.Errorf("simulate-principal-policy:\n%s", out)
	}
	out = w.aws("iam", "simulate-custom-policy", "--action-names", "dynamodb:CreateBackup", "--resource-arns", "arn:aws:dynamodb:us-west-2:128716708097:table/mytable",
		"--policy-input-list", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`,
		"--context-entries", "ContextKeyName='aws:CurrentTime',ContextKeyValues='2019-04-25T11:00:00Z',ContextKeyType=date",
		"--query", "EvaluationResults[0].[EvalDecision,MatchedStatements[0].StartPosition.Column,MatchedStatements[0].EndPosition.Column]", "--output", "text")
	if out != "allowed\t38\t167" {
		t.Errorf("simulate-custom-policy: %s", out)
	}
	got := boot.Must(t)(w.Python(`
import boto3
iam = boto3.client("iam")
doc = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}'
print(iam.get_context_keys_for_custom_policy(PolicyInputList=[doc])["ContextKeyNames"])
pages = iam.get_paginator("simulate_custom_policy").paginate(PolicyInputList=[doc], ActionNames=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], PaginationConfig={"PageSize": 2},
    ContextEntries=[{"ContextKeyName": "aws:SourceIp", "ContextKeyType": "ip", "ContextKeyValues": ["203.0.113.9"]}])
print([r["EvalDecision"] for p in pages for r in p["EvaluationResults"]])
try:
    iam.simulate_custom_policy(PolicyInputList=[doc], ActionNames=["s3:GetObject"], PermissionsBoundaryPolicyInputList=[doc])
except iam.exceptions.InvalidInputException as e:
    print("refused:", e.response["Error"]["Message"])
`))
	want := "['aws:SourceIp']\n['allowed', 'allowed', 'allowed']\nrefused: PermissionsBoundaryPolicyInputList: permissions boundaries do not exist here.\n"
	if got != want {
		t.Errorf("boto3:\n%s\nwant\n%s", got, want)
	}
}
