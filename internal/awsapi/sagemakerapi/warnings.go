package sagemakerapi

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"fiducial/internal/awsapi/wire"
)

// Warnings knows which workers of a job the policies of its buckets will refuse.
type Warnings interface {
	Warnings(ctx context.Context, job string) ([]string, error)
}

// WarningTag is the tag under which DescribeLabelingJob shows the first warning
// to clients that know only the members of the model. It is made when it is asked
// for and kept nowhere, so it always says what holds now.
const WarningTag = "fiducial:AccessWarning"

// WaitTag is the tag under which DescribeLabelingJob shows why a job waits, as
// long as it does: that storage is away, say. Ground Truth's API has no member
// for it.
const WaitTag = "fiducial:WaitReason"

// createdJob and describedJob are answers with a member that is not of the model,
// which AWS's clients skip.
type createdJob struct {
	wire.CreateLabelingJobResponse
	AccessWarnings []string `json:",omitempty"`
}

type describedJob struct {
	wire.DescribeLabelingJobResponse
	AccessWarnings []string `json:",omitempty"`
	WaitReason     string   `json:",omitempty"` // why the job gets on no further at the moment
}

// accessWarnings are advice: a job is created and described without them if they
// cannot be had.
func (a *API) accessWarnings(ctx context.Context, job string) []string {
	if a.Warnings == nil {
		return nil
	}
	list, err := a.Warnings.Warnings(ctx, job)
	if err != nil {
		return []string{"Whether the policies of the buckets refuse workers cannot be known at the moment."}
	}
	return list
}

// withWarning adds the tag, in place of one that somebody gave that name.
func withWarning(tags []wire.Tag, warnings []string) []wire.Tag {
	if len(warnings) == 0 {
		return withTag(tags, WarningTag, "")
	}
	return withTag(tags, WarningTag, warnings[0])
}

// withTag shows a text as a tag; an empty one, and what somebody gave that
// name, are not there.
func withTag(tags []wire.Tag, key, text string) []wire.Tag {
	tags = slices.DeleteFunc(tags, func(t wire.Tag) bool { return t.Key == key })
	if text == "" {
		return tags
	}
	return append(tags, wire.Tag{Key: key, Value: tagValue(text)})
}

// tagValue fits a text into what the model lets a tag's value be: 256 letters,
// digits, spaces and _.:/=+-@.
func tagValue(s string) string {
	const most = 256
	r := []rune(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsLetter(c), unicode.IsDigit(c), strings.ContainsRune(" _.:/=+-@", c):
			return c
		case c == ',' || c == ';':
			return ' '
		}
		return -1
	}, s))
	if len(r) > most {
		r = r[:most]
	}
	return string(r)
}
