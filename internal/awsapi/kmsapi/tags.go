package kmsapi

import (
	"context"
	"sort"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/kmswire"
	"fiducial/internal/kms"
	"fiducial/internal/policy"
)

func tagsOf(in []kmswire.Tag) []kms.Tag {
	var out []kms.Tag
	for _, t := range in {
		out = append(out, kms.Tag{Key: t.TagKey, Value: t.TagValue})
	}
	return out
}

// requestTags are the condition keys of the tags in a request.
func requestTags(in []kmswire.Tag) []policy.Key {
	if len(in) == 0 {
		return nil
	}
	var keys []policy.Key
	var names []string
	for _, t := range in {
		keys, names = append(keys, policy.Key{Name: "aws:RequestTag/" + t.TagKey, Value: t.TagValue}), append(names, t.TagKey)
	}
	return append(keys, policy.Key{Name: "aws:TagKeys", Values: names})
}

func (a *API) tags() []awsapi.Operation {
	list := func(in *kmswire.ListResourceTagsRequest) string { return in.KeyId }
	return []awsapi.Operation{
		simple(a, "TagResource", kmswire.TagResourceRequestShape, func(in *kmswire.TagResourceRequest) string { return in.KeyId },
			func(in *kmswire.TagResourceRequest) []policy.Key { return requestTags(in.Tags) },
			func(ctx context.Context, r *request[kmswire.TagResourceRequest]) error {
				return a.keys.Tag(ctx, r.target, tagsOf(r.in.Tags))
			}),
		simple(a, "UntagResource", kmswire.UntagResourceRequestShape, func(in *kmswire.UntagResourceRequest) string { return in.KeyId },
			func(in *kmswire.UntagResourceRequest) []policy.Key {
				return []policy.Key{{Name: "aws:TagKeys", Values: in.TagKeys}}
			},
			func(ctx context.Context, r *request[kmswire.UntagResourceRequest]) error {
				return a.keys.Untag(ctx, r.target, r.in.TagKeys)
			}),
		onKey(a, about[kmswire.ListResourceTagsRequest]{
			name: "ListResourceTags", shape: kmswire.ListResourceTagsRequestShape, key: list, find: named(a, list),
			do: func(_ context.Context, r *request[kmswire.ListResourceTagsRequest]) (any, error) {
				p, err := readPage(r.in.Marker, r.in.Limit, 50)
				if err != nil {
					return nil, err
				}
				tags := append([]kms.Tag(nil), r.target.Key().Tags...)
				sort.Slice(tags, func(i, j int) bool { return tags[i].Key < tags[j].Key })
				first := sort.Search(len(tags), func(i int) bool { return tags[i].Key > p.after })
				tags = tags[first:]
				out := kmswire.ListResourceTagsResponse{Tags: []kmswire.Tag{}}
				tags, out.NextMarker, out.Truncated = cut(tags, p, func(t *kms.Tag) string { return t.Key })
				for _, t := range tags {
					out.Tags = append(out.Tags, kmswire.Tag{TagKey: t.Key, TagValue: t.Value})
				}
				return out, nil
			},
		}),
	}
}
