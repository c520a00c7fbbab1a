package soak

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"fiducial/test/boot"
)

// site is a server under faults, with people who label.
type site struct {
	*boot.Server
	t     *testing.T
	store *boot.Server // who keeps the buckets
	crowd *crowd
	jobs  []string
	first boot.Job
}

// begin starts the server with its first job, and its people.
func begin(t *testing.T, store *boot.Server, o boot.Options, first boot.Job) *site {
	t.Helper()
	s := &site{Server: boot.Start(t, o), t: t, store: store, first: first, jobs: []string{first.Name}}
	if store == nil {
		s.store = s.Server
	}
	var accounts []boot.Account
	for i := range 4 {
		accounts = append(accounts, boot.Account{Email: fmt.Sprintf("worker%d@example.com", i), Password: fmt.Sprintf("Correct-horse-%d", i)})
	}
	s.Make(boot.Setup{Workers: accounts, SourceIP: true, Jobs: []boot.Job{first}})
	boot.Must(t)(s.AWS("iam", "put-role-policy", "--role-name", "GroundTruthExecution", "--policy-name", "functions", "--policy-document",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}}`))
	s.crowd = newCrowd(s, accounts)
	return s
}

func (s *site) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) kill(hold time.Duration) {
	s.Kill()
	time.Sleep(hold / 4)
	s.Boot()
}

// soak lets things fail while people label, and looks at what became of it.
func (s *site) soak(p plan, faults []fault) {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var labelling, creating sync.WaitGroup
	s.crowd.begin(ctx, &labelling)
	more, enough := context.WithCancel(ctx)
	creating.Add(1)
	go func() {
		defer creating.Done()
		s.createJobs(more)
	}()
	counts, done := map[string]int{}, 0
	for ; done < p.faults && time.Now().Before(p.until) && !s.t.Failed(); done++ {
		time.Sleep(time.Duration(50+p.rand.IntN(500)) * time.Millisecond)
		f := faults[p.rand.IntN(len(faults))]
		counts[f.name]++
		f.do(time.Duration(50+p.rand.IntN(1000)) * time.Millisecond)
		s.well(f.name)
	}
	enough()
	creating.Wait()
	s.t.Logf("%d faults: %v", done, counts)
	for _, job := range s.jobs {
		s.ends(job)
	}
	stop()
	labelling.Wait()
	s.compare()
}

// well waits until the server is, by itself.
func (s *site) well(after string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(s.Ops + "/readyz")
		why := ""
		if err == nil {
			b, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if why = string(b); res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("a minute after %q the server is not ready: %v %s", after, err, why)
		}
	}
}

// createJobs makes job after job, two at a time, until ctx ends. A request that
// fails is sent again: it may have been carried out.
func (s *site) createJobs(ctx context.Context) {
	for n := 1; ; n++ {
		name := fmt.Sprint("soak-", n)
		for {
			if ctx.Err() != nil {
				return
			}
			status, code, err := s.call(ctx, "CreateLabelingJob", s.request(name), nil)
			if err == nil && (status == http.StatusOK || code == "ResourceInUse") {
				break
			}
			if err == nil && status != http.StatusServiceUnavailable {
				s.t.Errorf("CreateLabelingJob: %d %s", status, code)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		s.jobs = append(s.jobs, name)
		s.crowd.offer(name)
		for ctx.Err() == nil && s.status(s.jobs[len(s.jobs)-2]) != "Completed" {
			time.Sleep(300 * time.Millisecond)
		}
	}
}

// request is the first job's, under another name.
func (s *site) request(name string) map[string]any {
	const lambda = "arn:aws:lambda:us-east-1:432418664414:function:"
	pre := s.crowd.function
	if pre == "" {
		pre = lambda + "PRE-" + s.first.Function
	}
	return map[string]any{
		"LabelingJobName": name, "LabelAttributeName": "label", "RoleArn": "arn:aws:iam::000000000000:role/GroundTruthExecution",
		"InputConfig":              map[string]any{"DataSource": map[string]any{"S3DataSource": map[string]any{"ManifestS3Uri": "s3://input/" + s.first.Name + ".manifest"}}},
		"OutputConfig":             map[string]any{"S3OutputPath": "s3://output/"},
		"LabelCategoryConfigS3Uri": "s3://input/" + s.first.Name + ".labels.json",
		"HumanTaskConfig": map[string]any{
			"WorkteamArn": "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team", "UiConfig": map[string]any{"UiTemplateS3Uri": "s3://input/soak.html"},
			"PreHumanTaskLambdaArn":         pre,
			"AnnotationConsolidationConfig": map[string]any{"AnnotationConsolidationLambdaArn": lambda + "ACS-" + s.first.Function},
			"TaskTitle":                     "Soak", "TaskDescription": "Soak", "NumberOfHumanWorkersPerDataObject": s.first.Workers, "TaskTimeLimitInSeconds": 600,
		},
	}
}

// call is one request of the SageMaker API. Whatever the answer is, it is in
// the protocol's format.
func (s *site) call(ctx context.Context, operation string, in map[string]any, out any) (status int, code string, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return 0, "", err
	}
	req, err := s.signed(ctx, "POST", "/", "sagemaker", body, func(h http.Header) {
		h.Set("Content-Type", "application/x-amz-json-1.1")
		h.Set("X-Amz-Target", "SageMaker."+operation)
	})
	if err != nil {
		return 0, "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, "", err
	}
	if res.StatusCode == http.StatusOK {
		if out != nil {
			err = json.Unmarshal(b, out)
		}
		return res.StatusCode, "", err
	}
	var wrong struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal(b, &wrong) != nil || wrong.Type == "" {
		s.t.Errorf("%s: status %d, and not in the protocol's format: %q", operation, res.StatusCode, b)
	}
	return res.StatusCode, wrong.Type, nil
}

func (s *site) signed(ctx context.Context, method, path, service string, body []byte, set func(http.Header)) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.API+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if set != nil {
		set(req.Header)
	}
	return req, signer.NewSigner().SignHTTP(ctx, aws.Credentials{AccessKeyID: boot.AccessKeyID, SecretAccessKey: boot.SecretAccessKey}, req, hash, service, boot.Region, time.Now())
}

// refusals sends what needs space while there is none: each is done, or refused
// as unavailable in the format that its client knows.
func (s *site) refusals() {
	s.t.Helper()
	req, err := s.signed(context.Background(), "PUT", "/input/ballast", "s3", make([]byte, 256<<10), nil)
	s.ok(err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Errorf("PutObject on a full disk: %v", err)
		return
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	var wrong struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
	}
	switch {
	case res.StatusCode == http.StatusOK:
	case res.StatusCode != http.StatusServiceUnavailable, xml.Unmarshal(b, &wrong) != nil, wrong.Code == "":
		s.t.Errorf("PutObject on a full disk: %d %s", res.StatusCode, b)
	}
	status, code, err := s.call(context.Background(), "AddTags", map[string]any{
		"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/" + s.first.Name,
		"Tags":        []map[string]string{{"Key": "soak", "Value": strings.Repeat("x", 200)}}}, nil)
	if err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable {
		s.t.Errorf("AddTags on a full disk: %d %s %v", status, code, err)
	}
}

type jobStatus struct {
	LabelingJobStatus, FailureReason string
	LabelCounters                    struct{ TotalLabeled, FailedNonRetryableError int }
}

func (s *site) describe(job string) (st jobStatus, err error) {
	_, _, err = s.call(context.Background(), "DescribeLabelingJob", map[string]any{"LabelingJobName": job}, &st)
	return st, err
}

func (s *site) status(job string) string {
	st, _ := s.describe(job)
	return st.LabelingJobStatus
}

// ends waits until a job is Completed with all of its objects.
func (s *site) ends(job string) {
	s.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		st, err := s.describe(job)
		switch st.LabelingJobStatus {
		case "Completed":
			failed := st.LabelCounters.FailedNonRetryableError
			if st.LabelCounters.TotalLabeled+failed != s.first.Objects || failed > 0 && s.crowd.function == "" {
				s.t.Errorf("job %s ends as %+v", job, st)
			}
			return
		case "Failed", "Stopped":
			s.t.Errorf("job %s ends as %+v", job, st)
			return
		}
		if time.Now().After(deadline) {
			s.t.Errorf("job %s has not ended: %+v, %v", job, st, err)
			return
		}
	}
}
