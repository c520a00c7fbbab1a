package journey

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

// The journey of a requester who has nothing but the AWS CLI: from buckets to
// the augmented manifest. Only the worker's own work is not the CLI's.
func TestJourneyWithTheAWSCLI(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	dir := t.TempDir()
	aws := func(args ...string) string { t.Helper(); return strings.TrimSpace(boot.Must(t)(s.AWS(args...))) }
	file := func(name, content string) string {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	picture, err := os.ReadFile(boot.Picture(t, 320, 240))
	if err != nil {
		t.Fatal(err)
	}

	if got := aws("sts", "get-caller-identity", "--query", "Arn", "--output", "text"); got != "arn:aws:iam::000000000000:root" {
		t.Errorf("root is %s", got)
	}
	aws("s3", "mb", "s3://xrays")
	aws("s3", "mb", "s3://labels")
	manifest := ""
	for i := range 3 {
		file(fmt.Sprintf("images/%d.jpg", i), string(picture))
		manifest += fmt.Sprintf(`{"source-ref":"s3://xrays/images/%d.jpg","patient":%d.50,"z":1,"a":2}`+"\n", i, i)
	}
	file("images/job.manifest", manifest)
	file("images/labels.json", `{"document-version":"2018-11-28","labels":[{"label":"Lung"},{"label":"Heart"}]}`)
	file("images/template.html", `<script src="https://assets.crowd.aws/crowd-html-elements.js"></script><crowd-form><crowd-bounding-box name="annotatedResult" labels="{{ task.input.labels | to_json | escape }}" src="{{ task.input.taskObject | grant_read_access }}" header="Boxes"></crowd-bounding-box></crowd-form>`)
	aws("s3", "sync", filepath.Join(dir, "images"), "s3://xrays/images")

	aws("iam", "create-role", "--role-name", "GroundTruth", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	aws("iam", "put-role-policy", "--role-name", "GroundTruth", "--policy-name", "s3", "--policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:AbortMultipartUpload","s3:ListBucket","s3:GetBucketLocation"],"Resource":["arn:aws:s3:::xrays","arn:aws:s3:::xrays/*","arn:aws:s3:::labels","arn:aws:s3:::labels/*"]}]}`)

	pool := aws("cognito-idp", "create-user-pool", "--pool-name", "radiology", "--query", "UserPool.Id", "--output", "text")
	client := aws("cognito-idp", "create-user-pool-client", "--user-pool-id", pool, "--client-name", "portal", "--query", "UserPoolClient.ClientId", "--output", "text")
	aws("cognito-idp", "create-group", "--user-pool-id", pool, "--group-name", "readers")
	for _, w := range []boot.Account{ana, ben} {
		aws("cognito-idp", "admin-create-user", "--user-pool-id", pool, "--username", w.Email, "--message-action", "SUPPRESS",
			"--user-attributes", "Name=email,Value="+w.Email, "Name=email_verified,Value=true")
		aws("cognito-idp", "admin-set-user-password", "--user-pool-id", pool, "--username", w.Email, "--password", w.Password, "--permanent")
		aws("cognito-idp", "admin-add-user-to-group", "--user-pool-id", pool, "--username", w.Email, "--group-name", "readers")
	}
	aws("sagemaker", "create-workforce", "--workforce-name", "radiologists", "--cognito-config", "UserPool="+pool+",ClientId="+client,
		"--source-ip-config", `{"Cidrs":["127.0.0.0/8"]}`)
	team := aws("sagemaker", "create-workteam", "--workteam-name", "chest", "--workforce-name", "radiologists", "--description", "Chest X-rays",
		"--member-definitions", fmt.Sprintf(`[{"CognitoMemberDefinition":{"UserPool":%q,"UserGroup":"readers","ClientId":%q}}]`, pool, client),
		"--worker-access-configuration", `{"S3Presign":{"IamPolicyConstraints":{"SourceIp":"Enabled"}}}`, "--query", "WorkteamArn", "--output", "text")

	human := map[string]any{
		"WorkteamArn": team, "UiConfig": map[string]string{"UiTemplateS3Uri": "s3://xrays/images/template.html"},
		"PreHumanTaskLambdaArn":         "arn:aws:lambda:us-east-1:432418664414:function:PRE-BoundingBox",
		"AnnotationConsolidationConfig": map[string]string{"AnnotationConsolidationLambdaArn": "arn:aws:lambda:us-east-1:432418664414:function:ACS-BoundingBox"},
		"TaskTitle":                     "Find organs", "TaskDescription": "Draw a box around each organ", "TaskKeywords": []string{"xray"},
		"NumberOfHumanWorkersPerDataObject": 2, "TaskTimeLimitInSeconds": 600,
	}
	config, _ := json.Marshal(human)
	arn := aws("sagemaker", "create-labeling-job", "--labeling-job-name", "Chest-1", "--label-attribute-name", "organs",
		"--input-config", `{"DataSource":{"S3DataSource":{"ManifestS3Uri":"s3://xrays/images/job.manifest"}}}`,
		"--output-config", "S3OutputPath=s3://labels/out", "--role-arn", "arn:aws:iam::000000000000:role/GroundTruth",
		"--label-category-config-s3-uri", "s3://xrays/images/labels.json", "--human-task-config", string(config),
		"--tags", "Key=project,Value=chest", "--query", "LabelingJobArn", "--output", "text")
	if want := "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/chest-1"; !strings.EqualFold(arn, want) {
		t.Errorf("job ARN %s, want %s", arn, want)
	}
	if st := s.AwaitJob("Chest-1", time.Minute, "InProgress", "Failed"); st.LabelingJobStatus != "InProgress" {
		t.Fatalf("the job is %+v", st)
	}
	if got := aws("sagemaker", "list-labeling-jobs-for-workteam", "--workteam-arn", team, "--query", "LabelingJobSummaryList[0].LabelingJobName", "--output", "text"); got != "Chest-1" {
		t.Errorf("the team's first job is %q", got)
	}
	if got := aws("sagemaker", "list-tags", "--resource-arn", arn, "--query", "Tags[0].Value", "--output", "text"); got != "chest" {
		t.Errorf("the job's tag is %q", got)
	}

	for n, account := range []boot.Account{ana, ben} {
		w, err := boot.NewWorker(s.Portal, "127.0.0.1", account.Email, account.Password)
		if err != nil {
			t.Fatal(err)
		}
		id, err := w.Start("Chest-1")
		for done := 0; err == nil && id != ""; done++ {
			answer := map[string]any{"annotatedResult": map[string]any{
				"boundingBoxes":        []any{map[string]any{"label": "Heart", "left": 80 + 2*n, "top": 60, "width": 80, "height": 60}},
				"inputImageProperties": map[string]int{"width": 320, "height": 240}}}
			status, next, serr := w.Submit(id, answer)
			if serr != nil || status != 200 {
				t.Fatalf("submit: %d, %v", status, serr)
			}
			id = ""
			if next.Next != nil {
				id = next.Next.Assignment
			}
			if done > 3 {
				t.Fatal("more tasks than objects")
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	st := s.AwaitJob("Chest-1", time.Minute, "Completed", "Failed")
	if st.LabelingJobStatus != "Completed" || st.LabelCounters.TotalLabeled != 3 || st.LabelCounters.HumanLabeled != 3 || st.LabelCounters.Unlabeled != 0 {
		t.Fatalf("the job is %+v", st)
	}
	if want := "s3://labels/out/Chest-1/manifests/output/output.manifest"; st.LabelingJobOutput.OutputDatasetS3Uri != want {
		t.Errorf("the output is at %s, want %s", st.LabelingJobOutput.OutputDatasetS3Uri, want)
	}
	raw := boot.Must(t)(s.AWS("s3", "cp", st.LabelingJobOutput.OutputDatasetS3Uri, "-"))
	for i, line := range strings.Split(strings.TrimSpace(raw), "\n") {
		// What came in goes out byte for byte, in its order.
		if want := fmt.Sprintf(`{"source-ref":"s3://xrays/images/%d.jpg","patient":%d.50,"z":1,"a":2,"organs":`, i, i); !strings.HasPrefix(line, want) {
			t.Errorf("line %d is %s, want it to begin with %s", i+1, line, want)
		}
		var m struct {
			Organs struct {
				ImageSize   []struct{ Width, Height, Depth int } `json:"image_size"`
				Annotations []struct {
					ClassID                  int `json:"class_id"`
					Left, Top, Width, Height int
				}
			}
			Meta struct {
				Objects        []struct{ Confidence float64 }
				ClassMap       map[string]string `json:"class-map"`
				Type           string
				HumanAnnotated string `json:"human-annotated"`
				JobName        string `json:"job-name"`
				CreationDate   string `json:"creation-date"`
			} `json:"organs-metadata"`
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Organs.Annotations) != 1 || m.Organs.Annotations[0].ClassID != 1 || m.Organs.Annotations[0].Left < 80 || m.Organs.Annotations[0].Left > 82 || m.Organs.ImageSize[0].Width != 320 {
			t.Errorf("line %d: label %+v", i+1, m.Organs)
		}
		if m.Meta.Type != "groundtruth/object-detection" || m.Meta.HumanAnnotated != "yes" || !strings.EqualFold(m.Meta.JobName, "labeling-job/chest-1") || m.Meta.ClassMap["1"] != "Heart" || len(m.Meta.Objects) != 1 || m.Meta.Objects[0].Confidence < 0.9 {
			t.Errorf("line %d: metadata %+v", i+1, m.Meta)
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000000", m.Meta.CreationDate); err != nil {
			t.Errorf("line %d: creation-date %q", i+1, m.Meta.CreationDate)
		}
	}
	tree := aws("s3", "ls", "--recursive", "s3://labels/out/Chest-1/")
	for _, part := range []string{"annotation-tool/data.json", "annotation-tool/template.liquid", "annotations/worker-response/iteration-1/0/",
		"annotations/consolidated-annotation/consolidation-request/iteration-1/", "annotations/consolidated-annotation/consolidation-response/iteration-1/",
		"annotations/intermediate/1/annotations.manifest", "manifests/output/output.manifest"} {
		if !strings.Contains(tree, part) {
			t.Errorf("the output tree lacks %s:\n%s", part, tree)
		}
	}
	aws("sagemaker", "delete-workteam", "--workteam-name", "chest")
	aws("sagemaker", "delete-workforce", "--workforce-name", "radiologists")
	aws("s3", "rm", "--recursive", "--quiet", "s3://xrays")
	aws("s3", "rb", "s3://xrays")
}

// What a requester gets wrong is said in words that tell what to mend.
func TestJobFailsWithAReason(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ana}, Jobs: []boot.Job{{Name: "good", Function: "TextMultiClass", Labels: []string{"a", "b"}, Objects: 1, Workers: 1, Text: true}}})
	put := func(key, content string) {
		t.Helper()
		p := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		boot.Must(t)(s.AWS("s3", "cp", "--quiet", p, "s3://input/"+key))
	}
	put("torn.manifest", "{\"source\":\"one\"}\n{\"source\":\"two\"}\n{\"source\":\n")
	put("both.manifest", "{\"source\":\"one\",\"source-ref\":\"s3://input/x\"}\n")
	put("one.labels.json", `{"document-version":"2018-11-28","labels":[{"label":"only"}]}`)
	boot.Must(t)(s.AWS("iam", "create-role", "--role-name", "Blind", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`))
	for _, c := range []struct {
		name, manifest, labels, role string
		want                         []string
	}{
		{"missing", "nowhere.manifest", "good.labels.json", "GroundTruthExecution", []string{"s3://input/nowhere.manifest"}},
		{"torn", "torn.manifest", "good.labels.json", "GroundTruthExecution", []string{"line 3", "JSON"}},
		{"both", "both.manifest", "good.labels.json", "GroundTruthExecution", []string{"line 1", "source-ref"}},
		{"onelabel", "good.manifest", "one.labels.json", "GroundTruthExecution", []string{"label", "2"}},
		{"blind", "good.manifest", "good.labels.json", "Blind", []string{"role/Blind", "s3:GetObject"}},
		{"norole", "good.manifest", "good.labels.json", "Nobody", []string{"role/Nobody"}},
	} {
		human := `{"WorkteamArn":"arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team","UiConfig":{},"PreHumanTaskLambdaArn":"arn:aws:lambda:us-east-1:432418664414:function:PRE-TextMultiClass","AnnotationConsolidationConfig":{"AnnotationConsolidationLambdaArn":"arn:aws:lambda:us-east-1:432418664414:function:ACS-TextMultiClass"},"TaskTitle":"t","TaskDescription":"d","NumberOfHumanWorkersPerDataObject":1,"TaskTimeLimitInSeconds":60}`
		_, err := s.AWS("sagemaker", "create-labeling-job", "--labeling-job-name", c.name, "--label-attribute-name", "label",
			"--input-config", `{"DataSource":{"S3DataSource":{"ManifestS3Uri":"s3://input/`+c.manifest+`"}}}`, "--output-config", "S3OutputPath=s3://output/",
			"--role-arn", "arn:aws:iam::000000000000:role/"+c.role, "--label-category-config-s3-uri", "s3://input/"+c.labels, "--human-task-config", human)
		reason := ""
		if err != nil {
			reason = err.Error() // refused at once is as good
		} else {
			st := s.AwaitJob(c.name, 30*time.Second, "Failed", "InProgress", "Completed")
			if st.LabelingJobStatus != "Failed" {
				t.Errorf("%s: the job is %s", c.name, st.LabelingJobStatus)
			}
			reason = st.FailureReason
		}
		t.Logf("%s: %s", c.name, reason)
		for _, w := range c.want {
			if !strings.Contains(reason, w) {
				t.Errorf("%s: the reason %q does not say %q", c.name, reason, w)
			}
		}
	}
}
