package sagemakerapi

import (
	"context"
	"encoding/json"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/labeling"
	"fiducial/internal/policy"
	"fiducial/internal/template"
)

func (a *API) templates() []awsapi.Operation {
	return []awsapi.Operation{
		operation("RenderUiTemplate", wire.RenderUiTemplateRequestShape, anything[wire.RenderUiTemplateRequest], a.renderUiTemplate),
	}
}

// passedTo is the condition key that trust in passing a role rests on.
func passedTo() policy.Key {
	return policy.Key{Name: "iam:PassedToService", Value: "sagemaker.amazonaws.com"}
}

// renderUiTemplate shows what a worker would see. What is wrong with the
// template or its input is part of a normal answer.
func (a *API) renderUiTemplate(ctx context.Context, c *awsapi.Call, in *wire.RenderUiTemplateRequest) (any, error) {
	switch {
	case in.UiTemplate != nil && in.HumanTaskUiArn != nil:
		return nil, invalid("UiTemplate and HumanTaskUiArn exclude each other.")
	case in.UiTemplate == nil && in.HumanTaskUiArn == nil:
		return nil, invalid("UiTemplate or HumanTaskUiArn is required.")
	}
	if err := c.Authorize(ctx, "iam:PassRole", in.RoleArn, passedTo()); err != nil {
		return nil, err
	}
	var src string
	if in.UiTemplate != nil {
		src = in.UiTemplate.Content
	} else if t, ok := labeling.BuiltinUI(*in.HumanTaskUiArn); ok {
		src, _ = template.Builtin(string(t))
	} else {
		var err error
		if src, err = a.templateOf(ctx, *in.HumanTaskUiArn); err != nil {
			return nil, err
		}
	}
	functions := template.Functions{
		Hosts: a.Hosts,
		Now:   a.Now,
		GrantReadAccess: func(ctx context.Context, bucket, key string) (string, error) {
			return a.Media.ReadURL(ctx, in.RoleArn, bucket, key)
		},
	}
	html, errs := template.Render(ctx, src, json.RawMessage(in.Task.Input), functions, template.Limits{})
	out := wire.RenderUiTemplateResponse{RenderedContent: html, Errors: []wire.RenderingError{}}
	for _, e := range errs {
		out.Errors = append(out.Errors, wire.RenderingError{Code: e.Code, Message: e.Located()})
	}
	return out, nil
}
