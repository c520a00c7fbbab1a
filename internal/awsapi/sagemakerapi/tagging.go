package sagemakerapi

import (
	"context"
	"strings"

	"fiducial/internal/access"
	"fiducial/internal/arn"
	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/policy"
	"fiducial/internal/template"
)

// maxTags is how many tags a resource may have.
const maxTags = 50

func (a *API) tagging() []awsapi.Operation {
	return []awsapi.Operation{
		withContext(operation("AddTags", wire.AddTagsInputShape, func(in *wire.AddTagsInput) string { return in.ResourceArn }, a.addTags),
			func(in *wire.AddTagsInput) []policy.Key { return requestTags(in.Tags) }),
		operation("ListTags", wire.ListTagsInputShape, func(in *wire.ListTagsInput) string { return in.ResourceArn }, a.listTags),
		withContext(operation("DeleteTags", wire.DeleteTagsInputShape, func(in *wire.DeleteTagsInput) string { return in.ResourceArn }, a.deleteTags),
			func(in *wire.DeleteTagsInput) []policy.Key {
				return []policy.Key{{Name: "aws:TagKeys", Values: in.TagKeys}}
			}),
	}
}

// requestTags are the condition keys of tags that a request brings.
func requestTags(tags []wire.Tag) []policy.Key {
	if len(tags) == 0 {
		return nil
	}
	names := make([]string, len(tags))
	keys := make([]policy.Key, 0, len(tags)+1)
	for i, t := range tags {
		names[i] = t.Key
		keys = append(keys, policy.Key{Name: "aws:RequestTag/" + t.Key, Value: t.Value})
	}
	return append(keys, policy.Key{Name: "aws:TagKeys", Values: names})
}

func checkTags(tags []wire.Tag) error {
	seen := make(map[string]bool, len(tags))
	for i, t := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return invalid("Tags[%d].Key: %q begins with aws:, which is reserved.", i, t.Key)
		case seen[t.Key]:
			return invalid("Tags[%d].Key: %q is given twice.", i, t.Key)
		case t.Key == access.BrowserBindingTag && t.Value != access.BrowserBindingOn && t.Value != access.BrowserBindingOff:
			return invalid("Tags[%d].Value: %s is %s or %s, not %q.", i, t.Key, access.BrowserBindingOn, access.BrowserBindingOff, t.Value)
		}
		if t.Key == template.HostsTag {
			if _, err := template.ParseHosts(t.Value); err != nil {
				return invalid("Tags[%d].Value: %s: %s.", i, t.Key, err)
			}
		}
		seen[t.Key] = true
	}
	return nil
}

func tagsIn(tags []wire.Tag) []labeling.Tag {
	var out []labeling.Tag
	for _, t := range tags {
		out = append(out, labeling.Tag{Key: t.Key, Value: t.Value})
	}
	return out
}

func tagsOut(tags []labeling.Tag) []wire.Tag {
	out := []wire.Tag{}
	for _, t := range tags {
		out = append(out, wire.Tag{Key: t.Key, Value: t.Value})
	}
	return out
}

// tag gives a resource that was just made its tags.
func (a *API) tag(ctx context.Context, resource string, tags []wire.Tag) error {
	if len(tags) == 0 {
		return nil
	}
	_, err := a.Tags.PutTags(ctx, resource, tagsIn(tags), maxTags)
	return err
}

// exists answers ResourceNotFound unless the ARN is of something that is there.
func (a *API) exists(ctx context.Context, resource string) error {
	parsed, err := arn.Parse(resource)
	if err != nil {
		return err
	}
	name := parsed.Name()
	var have string
	switch {
	case strings.HasPrefix(parsed.Resource, "workteam/private-crowd/"):
		t, e := a.Workforce.DescribeWorkteam(ctx, name)
		have, err = t.ARN, e
	case parsed.Type() == "workforce":
		w, e := a.Workforce.DescribeWorkforce(ctx, name)
		have, err = w.ARN, e
	case parsed.Type() == "human-task-ui":
		_, err = a.Reviews.TaskUI(ctx, name)
		have = a.Reviews.TaskUIARN(name)
	case parsed.Type() == "flow-definition":
		_, err = a.Reviews.Flow(ctx, name)
		have = a.Reviews.FlowARN(name)
	case parsed.Type() == "labeling-job":
		j, e := a.Jobs.Describe(ctx, name)
		if err = e; err == nil {
			have = j.ARN
		}
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err != nil || have == "" || have != resource {
		return fault.Newf("sagemakerapi.exists", fault.NotFound, "The resource %s does not exist.", resource)
	}
	return nil
}

func (a *API) addTags(ctx context.Context, _ *awsapi.Call, in *wire.AddTagsInput) (any, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	for i, t := range in.Tags {
		if t.Key == labeling.QualityTag {
			return nil, invalid("Tags[%d].Key: %s is read when a labeling job is created, and changes nothing after.", i, t.Key)
		}
	}
	if err := a.exists(ctx, in.ResourceArn); err != nil {
		return nil, err
	}
	all, err := a.Tags.PutTags(ctx, in.ResourceArn, tagsIn(in.Tags), maxTags)
	if err != nil {
		return nil, err
	}
	return wire.AddTagsOutput{Tags: tagsOut(all)}, nil
}

func (a *API) listTags(ctx context.Context, _ *awsapi.Call, in *wire.ListTagsInput) (any, error) {
	if err := a.exists(ctx, in.ResourceArn); err != nil {
		return nil, err
	}
	tags, err := a.Tags.Tags(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	found, next, err := page(tags, func(t *labeling.Tag) string { return t.Key }, false,
		listID("tags", in.ResourceArn), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return wire.ListTagsOutput{Tags: tagsOut(found), NextToken: next}, nil
}

func (a *API) deleteTags(ctx context.Context, _ *awsapi.Call, in *wire.DeleteTagsInput) (any, error) {
	if err := a.exists(ctx, in.ResourceArn); err != nil {
		return nil, err
	}
	return wire.DeleteTagsOutput{}, a.Tags.DropTags(ctx, in.ResourceArn, in.TagKeys...)
}
