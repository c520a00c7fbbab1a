package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"fiducial/internal/fault"
)

type flowList struct {
	FlowDefinitionSummaries []struct {
		FlowDefinitionName, FlowDefinitionStatus, FailureReason string
		CreationTime                                            epoch
	}
	NextToken string
}

type taskUIList struct {
	HumanTaskUiSummaries []struct {
		HumanTaskUiName, HumanTaskUiArn string
		CreationTime                    epoch
	}
	NextToken string
}

type reviewsPage struct {
	Flows   flowList
	TaskUIs taskUIList
	NoUIs   string // why human task UIs cannot be shown
}

// reviews lists flow definitions and human task UIs, newest first.
func (s *Console) reviews(v *visit) (reply, error) {
	in := map[string]any{"MaxResults": jobsPerPage, "SortOrder": "Descending"}
	if next := v.URL.Query().Get("next"); next != "" {
		in["NextToken"] = next
	}
	var p reviewsPage
	if err := s.ask(v, "sagemaker", "ListFlowDefinitions", in, &p.Flows); err != nil {
		return nil, err
	}
	err := s.ask(v, "sagemaker", "ListHumanTaskUis", map[string]any{"MaxResults": 100, "SortOrder": "Descending"}, &p.TaskUIs)
	if fault.KindOf(err) == fault.Internal && err != nil {
		return nil, err
	}
	if err != nil {
		p.NoUIs = fault.MessageOf(err)
	}
	return page{"reviews", http.StatusOK, "Human review", p}, nil
}

type flowDescription struct {
	FlowDefinitionName, FlowDefinitionArn, FlowDefinitionStatus, FailureReason, RoleArn string

	CreationTime           epoch
	HumanLoopRequestSource struct{ AwsManagedHumanLoopRequestSource string }
	OutputConfig           struct{ S3OutputPath, KmsKeyId string }
	HumanLoopConfig        struct {
		WorkteamArn, HumanTaskUiArn, TaskTitle, TaskDescription string
		TaskCount, TaskTimeLimitInSeconds                       int
	}
}

// nameIn is the last part of an ARN.
func nameIn(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// Team and TaskUI are the names in the ARNs.
func (f *flowDescription) Team() string   { return nameIn(f.HumanLoopConfig.WorkteamArn) }
func (f *flowDescription) TaskUI() string { return nameIn(f.HumanLoopConfig.HumanTaskUiArn) }

// TimeLimit is in seconds, the default where none was given.
func (f *flowDescription) TimeLimit() int {
	return cmp.Or(f.HumanLoopConfig.TaskTimeLimitInSeconds, 3600)
}

type loopList struct {
	HumanLoopSummaries []struct {
		HumanLoopName, HumanLoopStatus, FailureReason string
		CreationTime                                  time.Time
	}
	NextToken string
}

type flowPage struct {
	Flow    flowDescription
	Loops   loopList
	NoLoops string // why the human loops cannot be shown
}

// flow shows a flow definition with its human loops, newest first.
func (s *Console) flow(v *visit) (reply, error) {
	var p flowPage
	if err := s.ask(v, "sagemaker", "DescribeFlowDefinition", map[string]string{"FlowDefinitionName": v.PathValue("flow")}, &p.Flow); err != nil {
		return nil, notFound(err)
	}
	in := map[string]any{"FlowDefinitionArn": p.Flow.FlowDefinitionArn, "MaxResults": jobsPerPage, "SortOrder": "Descending"}
	if next := v.URL.Query().Get("next"); next != "" {
		in["NextToken"] = next
	}
	switch err := s.ask(v, "sagemaker-a2i-runtime", "ListHumanLoops", in, &p.Loops); {
	case err != nil && slices.Contains([]fault.Kind{fault.Internal, fault.Invalid}, fault.KindOf(err)):
		return nil, err
	case err != nil:
		p.NoLoops = fault.MessageOf(err)
	}
	return page{"flow", http.StatusOK, p.Flow.FlowDefinitionName, &p}, nil
}
