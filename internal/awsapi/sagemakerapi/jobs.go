package sagemakerapi

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/policy"
)

// Jobs drives labeling jobs.
type Jobs interface {
	// Create stores a job and starts it; Exists if the name is taken.
	Create(ctx context.Context, j *labeling.Job) error
	// Describe finds a job by name; NotFound if there is none.
	Describe(ctx context.Context, name string) (*labeling.Job, error)
	Stop(ctx context.Context, name string) error
	// List answers with a page and the token of the next one, "" behind the last.
	List(ctx context.Context, f engine.Filter, nextToken string) ([]*labeling.Job, string, error)
}

func (a *API) labelingJobs() []awsapi.Operation {
	return []awsapi.Operation{
		withContext(operation("CreateLabelingJob", wire.CreateLabelingJobRequestShape,
			func(in *wire.CreateLabelingJobRequest) string { return a.arn("labeling-job", in.LabelingJobName) }, a.createLabelingJob),
			func(in *wire.CreateLabelingJobRequest) []policy.Key {
				return append(requestTags(in.Tags),
					policy.Key{Name: "sagemaker:WorkteamArn", Value: in.HumanTaskConfig.WorkteamArn},
					policy.Key{Name: "sagemaker:WorkteamType", Value: workteamType(in.HumanTaskConfig.WorkteamArn)})
			}),
		operation("DescribeLabelingJob", wire.DescribeLabelingJobRequestShape,
			func(in *wire.DescribeLabelingJobRequest) string { return a.arn("labeling-job", in.LabelingJobName) }, a.describeLabelingJob),
		operation("StopLabelingJob", wire.StopLabelingJobRequestShape,
			func(in *wire.StopLabelingJobRequest) string { return a.arn("labeling-job", in.LabelingJobName) }, a.stopLabelingJob),
		operation("ListLabelingJobs", wire.ListLabelingJobsRequestShape, anything[wire.ListLabelingJobsRequest], a.listLabelingJobs),
		operation("ListLabelingJobsForWorkteam", wire.ListLabelingJobsForWorkteamRequestShape,
			func(in *wire.ListLabelingJobsForWorkteamRequest) string { return in.WorkteamArn }, a.listLabelingJobsForWorkteam),
	}
}

// createLabelingJob checks what only this layer can see (the work team and the
// right to hand out the role); labeling.NewJob checks the rest of the rules.
func (a *API) createLabelingJob(ctx context.Context, c *awsapi.Call, in *wire.CreateLabelingJobRequest) (any, error) {
	if err := c.Authorize(ctx, "iam:PassRole", in.RoleArn, passedTo()); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	spec, err := a.spec(in)
	if err != nil {
		return nil, err
	}
	j, err := labeling.NewJob(spec, a.Now().UTC().Truncate(time.Microsecond), a.Random)
	if err != nil {
		return nil, err
	}
	if _, err := a.Workforce.Team(ctx, in.HumanTaskConfig.WorkteamArn); err != nil {
		if fault.Is(err, fault.NotFound) {
			return nil, invalid("HumanTaskConfig.WorkteamArn: the work team %s does not exist.", in.HumanTaskConfig.WorkteamArn)
		}
		return nil, err
	}
	if err := a.Jobs.Create(ctx, j); err != nil {
		return nil, err
	}
	if err := a.tag(ctx, j.ARN, in.Tags); err != nil {
		return nil, err
	}
	return createdJob{wire.CreateLabelingJobResponse{LabelingJobArn: j.ARN}, a.accessWarnings(ctx, j.Name)}, nil
}

// spec is the request in the engine's words.
func (a *API) spec(in *wire.CreateLabelingJobRequest) (labeling.Spec, error) {
	h := &in.HumanTaskConfig
	s := labeling.Spec{
		Account: a.Account, Region: a.Region,
		LabelingJobName: in.LabelingJobName, LabelAttributeName: in.LabelAttributeName,
		S3OutputPath: in.OutputConfig.S3OutputPath, OutputKMSKeyID: value(in.OutputConfig.KmsKeyId), OutputSNSTopicARN: value(in.OutputConfig.SnsTopicArn),
		RoleARN: in.RoleArn, LabelCategoryConfigURI: value(in.LabelCategoryConfigS3Uri),
		WorkteamARN: h.WorkteamArn, UITemplateS3URI: value(h.UiConfig.UiTemplateS3Uri), HumanTaskUIARN: value(h.UiConfig.HumanTaskUiArn),
		PreHumanTaskLambdaARN: value(h.PreHumanTaskLambdaArn),
		TaskTitle:             h.TaskTitle, TaskDescription: h.TaskDescription, TaskKeywords: h.TaskKeywords,
		NumberOfHumanWorkersPerDataObject: int(h.NumberOfHumanWorkersPerDataObject),
		TaskTimeLimitInSeconds:            h.TaskTimeLimitInSeconds,
		TaskAvailabilityLifetimeInSeconds: value(h.TaskAvailabilityLifetimeInSeconds),
		MaxConcurrentTaskCount:            int(value(h.MaxConcurrentTaskCount)),
		Tags:                              tagsIn(in.Tags),
	}
	if d := in.InputConfig.DataSource; d.S3DataSource != nil {
		s.ManifestS3URI = d.S3DataSource.ManifestS3Uri
	}
	if d := in.InputConfig.DataSource; d.SnsDataSource != nil {
		s.InputSNSTopicARN = d.SnsDataSource.SnsTopicArn
	}
	if c := in.StoppingConditions; c != nil {
		s.Stopping = labeling.StoppingConditions{
			MaxHumanLabeledObjectCount:         value(c.MaxHumanLabeledObjectCount),
			MaxPercentageOfInputDatasetLabeled: value(c.MaxPercentageOfInputDatasetLabeled)}
	}
	if c := in.LabelingJobAlgorithmsConfig; c != nil {
		s.AlgorithmARN = c.LabelingJobAlgorithmSpecificationArn
	}
	if c := h.AnnotationConsolidationConfig; c != nil {
		s.AnnotationConsolidationLambdaARN = c.AnnotationConsolidationLambdaArn
	}
	echo := *in
	echo.Tags = nil // they change; the tag store has them
	var err error
	if s.Request, err = json.Marshal(echo); err != nil {
		return s, fault.E("sagemakerapi.spec", fault.Internal, "", err)
	}
	return s, nil
}

// requestOf is what the job was created with.
func requestOf(j *labeling.Job) (*wire.CreateLabelingJobRequest, error) {
	in := &wire.CreateLabelingJobRequest{}
	if err := json.Unmarshal(j.Request, in); err != nil {
		return nil, fault.E("sagemakerapi.requestOf", fault.Internal, "", err)
	}
	return in, nil
}

func (a *API) describeLabelingJob(ctx context.Context, _ *awsapi.Call, in *wire.DescribeLabelingJobRequest) (any, error) {
	j, err := a.Jobs.Describe(ctx, in.LabelingJobName)
	if err != nil {
		return nil, err
	}
	made, err := requestOf(j)
	if err != nil {
		return nil, err
	}
	tags, err := a.Tags.Tags(ctx, j.ARN)
	if err != nil {
		return nil, err
	}
	out := wire.DescribeLabelingJobResponse{
		LabelingJobStatus: string(j.Status), LabelCounters: counters(j), FailureReason: failure(j),
		CreationTime: awsapi.At(j.CreatedAt), LastModifiedTime: awsapi.At(j.ModifiedAt), JobReferenceCode: j.ReferenceCode,
		LabelingJobName: j.Name, LabelingJobArn: j.ARN, LabelAttributeName: &j.LabelAttributeName,
		InputConfig: made.InputConfig, OutputConfig: made.OutputConfig, RoleArn: j.RoleARN,
		LabelCategoryConfigS3Uri: made.LabelCategoryConfigS3Uri, StoppingConditions: made.StoppingConditions,
		LabelingJobAlgorithmsConfig: made.LabelingJobAlgorithmsConfig, HumanTaskConfig: made.HumanTaskConfig,
		Tags: tagsOut(tags), LabelingJobOutput: outputOf(j),
	}
	if out.OutputConfig.KmsKeyId == nil {
		out.OutputConfig.KmsKeyId = new(string) // clients have seen "" where none was set
	}
	warnings := a.accessWarnings(ctx, j.Name)
	out.Tags = withTag(withWarning(out.Tags, warnings), WaitTag, j.Note)
	return describedJob{out, warnings, j.Note}, nil
}

func (a *API) stopLabelingJob(ctx context.Context, _ *awsapi.Call, in *wire.StopLabelingJobRequest) (any, error) {
	return nil, a.Jobs.Stop(ctx, in.LabelingJobName)
}

func (a *API) listLabelingJobs(ctx context.Context, _ *awsapi.Call, in *wire.ListLabelingJobsRequest) (any, error) {
	jobs, next, err := a.Jobs.List(ctx, engine.Filter{
		NameContains: value(in.NameContains), Status: labeling.Status(value(in.StatusEquals)),
		CreatedAfter: timeOf(in.CreationTimeAfter), CreatedBefore: timeOf(in.CreationTimeBefore),
		ModifiedAfter: timeOf(in.LastModifiedTimeAfter), ModifiedBefore: timeOf(in.LastModifiedTimeBefore),
		SortBy: engine.SortBy(value(in.SortBy)), Descending: descending(in.SortOrder), Limit: int(value(in.MaxResults)),
	}, value(in.NextToken))
	if err != nil {
		return nil, err
	}
	out := wire.ListLabelingJobsResponse{LabelingJobSummaryList: []wire.LabelingJobSummary{}, NextToken: optional(next)}
	for _, j := range jobs {
		made, err := requestOf(j)
		if err != nil {
			return nil, err
		}
		out.LabelingJobSummaryList = append(out.LabelingJobSummaryList, wire.LabelingJobSummary{
			LabelingJobName: j.Name, LabelingJobArn: j.ARN, LabelingJobStatus: string(j.Status),
			CreationTime: awsapi.At(j.CreatedAt), LastModifiedTime: awsapi.At(j.ModifiedAt),
			LabelCounters: counters(j), WorkteamArn: j.Human.WorkteamARN, FailureReason: failure(j),
			PreHumanTaskLambdaArn:            optional(j.Human.PreFunctionARN),
			AnnotationConsolidationLambdaArn: optional(j.Human.ConsolidationFunctionARN),
			LabelingJobOutput:                outputOf(j), InputConfig: &made.InputConfig,
		})
	}
	return out, nil
}

func (a *API) listLabelingJobsForWorkteam(ctx context.Context, _ *awsapi.Call, in *wire.ListLabelingJobsForWorkteamRequest) (any, error) {
	if _, err := a.Workforce.Team(ctx, in.WorkteamArn); err != nil {
		if fault.Is(err, fault.NotFound) { // this operation's model has the other error
			return nil, fault.Newf("sagemakerapi.listLabelingJobsForWorkteam", fault.NotFound, "The work team %s does not exist.", in.WorkteamArn)
		}
		return nil, err
	}
	jobs, next, err := a.Jobs.List(ctx, engine.Filter{
		Workteam: in.WorkteamArn, ReferenceCodeContains: value(in.JobReferenceCodeContains),
		CreatedAfter: timeOf(in.CreationTimeAfter), CreatedBefore: timeOf(in.CreationTimeBefore),
		Descending: descending(in.SortOrder), Limit: int(value(in.MaxResults)),
	}, value(in.NextToken))
	if err != nil {
		return nil, err
	}
	out := wire.ListLabelingJobsForWorkteamResponse{LabelingJobSummaryList: []wire.LabelingJobForWorkteamSummary{}, NextToken: optional(next)}
	for _, j := range jobs {
		workers, c := int64(j.Human.Workers), j.Counters
		pending := c.Unlabeled()
		if j.Status.Ended() {
			pending = 0
		}
		out.LabelingJobSummaryList = append(out.LabelingJobSummaryList, wire.LabelingJobForWorkteamSummary{
			LabelingJobName: &j.Name, JobReferenceCode: j.ReferenceCode, WorkRequesterAccountId: a.Account,
			CreationTime: awsapi.At(j.CreatedAt), NumberOfHumanWorkersPerDataObject: &workers,
			LabelCounters: &wire.LabelCountersForWorkteam{HumanLabeled: &c.HumanLabeled, PendingHuman: &pending, Total: &c.Total},
		})
	}
	return out, nil
}

func counters(j *labeling.Job) wire.LabelCounters {
	c := j.Counters
	labeled, unlabeled := c.Labeled(), c.Unlabeled()
	return wire.LabelCounters{TotalLabeled: &labeled, HumanLabeled: &c.HumanLabeled, MachineLabeled: &c.MachineLabeled,
		FailedNonRetryableError: &c.Failed, Unlabeled: &unlabeled}
}

// failure is FailureReason, which the model bounds to 1,024 characters.
func failure(j *labeling.Job) *string {
	const most = 1024
	if r := []rune(j.FailureReason); len(r) > most {
		s := string(r[:most-1]) + "…"
		return &s
	}
	return optional(j.FailureReason)
}

func outputOf(j *labeling.Job) *wire.LabelingJobOutput {
	if j.OutputManifestURI == "" {
		return nil
	}
	return &wire.LabelingJobOutput{OutputDatasetS3Uri: j.OutputManifestURI}
}

func timeOf(t *awsapi.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// workteamType is the value of the condition key sagemaker:WorkteamType.
func workteamType(teamARN string) string {
	a, err := arn.Parse(teamARN)
	if err != nil {
		return ""
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(a.Resource, "workteam/"), "/")
	return kind
}
