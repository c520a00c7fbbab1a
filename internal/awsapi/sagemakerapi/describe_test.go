package sagemakerapi_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/sagemakerapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// oneJob is a service with one job.
type oneJob struct {
	sagemakerapi.Jobs
	job *labeling.Job
}

func (o oneJob) Describe(context.Context, string) (*labeling.Job, error) { return o.job, nil }

// tagged are tags that somebody put on it.
type tagged struct{}

func (tagged) PutTags(context.Context, string, []labeling.Tag, int) ([]labeling.Tag, error) {
	return nil, nil
}

func (tagged) DropTags(context.Context, string, ...string) error { return nil }

func (tagged) Tags(context.Context, string) ([]labeling.Tag, error) {
	return []labeling.Tag{{Key: sagemakerapi.WaitTag, Value: "somebody's own"}, {Key: "cost", Value: "7"}}, nil
}

func call(t *testing.T, j *labeling.Job, operation string, in any) (string, error) {
	t.Helper()
	s := sagemakerapi.New(sagemakerapi.Deps{Jobs: oneJob{job: j}, Tags: tagged{}, Region: "us-east-1", Account: "123456789012"}).Service()
	i := slices.IndexFunc(s.Operations, func(o awsapi.Operation) bool { return o.Name == operation })
	out, err := s.Operations[i].Handle(context.Background(), &awsapi.Call{Operation: operation, Input: in})
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), nil
}

// A job that waits says why, to clients that know the model's members alone as
// a tag; one that does not says nothing, whatever tag somebody has put there.
func TestDescribeSaysWhyAJobWaits(t *testing.T) {
	j := &labeling.Job{Name: "birds", Status: labeling.InProgress, Request: json.RawMessage(`{}`), Note: `Storage does not let us write "x" now, no route`}
	out, err := call(t, j, "DescribeLabelingJob", &wire.DescribeLabelingJobRequest{LabelingJobName: "birds"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"WaitReason":"Storage does not let us write \"x\" now, no route"`, `{"Key":"fiducial:WaitReason","Value":"Storage does not let us write x now  no route"}`, `{"Key":"cost","Value":"7"}`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	j.Note = ""
	if out, err = call(t, j, "DescribeLabelingJob", &wire.DescribeLabelingJobRequest{LabelingJobName: "birds"}); err != nil || strings.Contains(out, "WaitReason") {
		t.Errorf("a job that does not wait: %v %s", err, out)
	}
}

// Adding the tag later would change nothing, so it is refused.
func TestQualityTagIsForCreationAlone(t *testing.T) {
	_, err := call(t, nil, "AddTags", &wire.AddTagsInput{ResourceArn: "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/birds",
		Tags: []wire.Tag{{Key: "cost", Value: "7"}, {Key: labeling.QualityTag, Value: "s3://bucket/quality.json"}}})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), "Tags[1].Key: fiducial:QualityConfigS3Uri") {
		t.Error(err)
	}
}
