package sagemakerapi

import (
	"context"
	"time"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
	"fiducial/internal/labeling/review"
	"fiducial/internal/policy"
)

func (a *API) taskUIs() []awsapi.Operation {
	named := func(name string) string { return a.arn("human-task-ui", name) }
	return []awsapi.Operation{
		withContext(operation("CreateHumanTaskUi", wire.CreateHumanTaskUiRequestShape,
			func(in *wire.CreateHumanTaskUiRequest) string { return named(in.HumanTaskUiName) }, a.createHumanTaskUI),
			func(in *wire.CreateHumanTaskUiRequest) []policy.Key { return requestTags(in.Tags) }),
		operation("DescribeHumanTaskUi", wire.DescribeHumanTaskUiRequestShape,
			func(in *wire.DescribeHumanTaskUiRequest) string { return named(in.HumanTaskUiName) }, a.describeHumanTaskUI),
		operation("DeleteHumanTaskUi", wire.DeleteHumanTaskUiRequestShape,
			func(in *wire.DeleteHumanTaskUiRequest) string { return named(in.HumanTaskUiName) }, a.deleteHumanTaskUI),
		operation("ListHumanTaskUis", wire.ListHumanTaskUisRequestShape, anything[wire.ListHumanTaskUisRequest], a.listHumanTaskUIs),
	}
}

func (a *API) createHumanTaskUI(ctx context.Context, _ *awsapi.Call, in *wire.CreateHumanTaskUiRequest) (any, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	u, err := a.Reviews.CreateTaskUI(ctx, in.HumanTaskUiName, in.UiTemplate.Content)
	if err != nil {
		return nil, err
	}
	made := a.Reviews.TaskUIARN(u.Name)
	if err := a.tag(ctx, made, in.Tags); err != nil {
		return nil, err
	}
	return wire.CreateHumanTaskUiResponse{HumanTaskUiArn: made}, nil
}

func (a *API) describeHumanTaskUI(ctx context.Context, c *awsapi.Call, in *wire.DescribeHumanTaskUiRequest) (any, error) {
	u, err := a.Reviews.TaskUI(ctx, in.HumanTaskUiName)
	if err != nil {
		return nil, err
	}
	link, err := a.Links.Make(u, c.Origin)
	if err != nil {
		return nil, err
	}
	active := "Active"
	return wire.DescribeHumanTaskUiResponse{
		HumanTaskUiArn: a.Reviews.TaskUIARN(u.Name), HumanTaskUiName: u.Name, HumanTaskUiStatus: &active, CreationTime: awsapi.At(u.CreatedAt),
		UiTemplate: wire.UiTemplateInfo{Url: &link, ContentSha256: &u.SHA256},
	}, nil
}

func (a *API) deleteHumanTaskUI(ctx context.Context, _ *awsapi.Call, in *wire.DeleteHumanTaskUiRequest) (any, error) {
	if err := a.Reviews.DeleteTaskUI(ctx, in.HumanTaskUiName); err != nil {
		return nil, err
	}
	return wire.DeleteHumanTaskUiResponse{}, a.Tags.DropTags(ctx, a.Reviews.TaskUIARN(in.HumanTaskUiName))
}

func (a *API) listHumanTaskUIs(ctx context.Context, _ *awsapi.Call, in *wire.ListHumanTaskUisRequest) (any, error) {
	uis, err := a.Reviews.TaskUIs(ctx)
	if err != nil {
		return nil, err
	}
	span := created{in.CreationTimeAfter, in.CreationTimeBefore}
	all := []review.TaskUI{}
	for _, u := range uis {
		if span.has(u.CreatedAt) {
			all = append(all, u)
		}
	}
	found, next, err := page(all, func(u *review.TaskUI) string { return nameOrTime(false, u.Name, u.CreatedAt) }, descending(in.SortOrder),
		listID("human-task-uis", value(in.SortOrder), span.id()), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := wire.ListHumanTaskUisResponse{HumanTaskUiSummaries: []wire.HumanTaskUiSummary{}, NextToken: next}
	for _, u := range found {
		out.HumanTaskUiSummaries = append(out.HumanTaskUiSummaries, wire.HumanTaskUiSummary{
			HumanTaskUiName: u.Name, HumanTaskUiArn: a.Reviews.TaskUIARN(u.Name), CreationTime: awsapi.At(u.CreatedAt)})
	}
	return out, nil
}

// templateOf is the text of a human task UI of this account.
func (a *API) templateOf(ctx context.Context, taskUIARN string) (string, error) {
	src, err := a.Reviews.Template(ctx, taskUIARN)
	if fault.Is(err, fault.NotFound) {
		err = fault.Newf("sagemakerapi.templateOf", fault.NotFound, "HumanTaskUiArn: there is no human task UI %s.", taskUIARN)
	}
	return src, err
}

// created is a span of creation times.
type created struct{ after, before *awsapi.Time }

func (c created) has(t time.Time) bool {
	return (c.after == nil || t.UnixMicro() > c.after.UnixMicro()) && (c.before == nil || t.UnixMicro() < c.before.UnixMicro())
}

func (c created) id() string {
	return timeOf(c.after).String() + " " + timeOf(c.before).String()
}

// Templates finds human task UIs. *review.Service does.
type Templates interface {
	TaskUI(ctx context.Context, name string) (review.TaskUI, error)
}

var _ Templates = (*review.Service)(nil)
