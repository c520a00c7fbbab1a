package labeling

import (
	"strings"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
)

// TaskType decides how answers become a label. Its text is the second half of
// "type" in a label's metadata: "groundtruth/object-detection".
type TaskType string

// The task types that are built.
const (
	ImageClassification           TaskType = "image-classification"
	ImageClassificationMultiLabel TaskType = "image-classification-multilabel"
	ObjectDetection               TaskType = "object-detection"
	TextClassification            TaskType = "text-classification"
	TextClassificationMultiLabel  TaskType = "text-classification-multilabel"
	Custom                        TaskType = "custom"
)

// TaskTypes are all of them.
var TaskTypes = [...]TaskType{ImageClassification, ImageClassificationMultiLabel, ObjectDetection,
	TextClassification, TextClassificationMultiLabel, Custom}

// MetadataType is "type" in a label's metadata.
func (t TaskType) MetadataType() string { return "groundtruth/" + string(t) }

// MinLabels is how many label categories the type needs.
func (t TaskType) MinLabels() int {
	switch t {
	case Custom:
		return 0
	case ObjectDetection:
		return 1
	}
	return 2
}

// MaxLabels is how many label categories the type takes; 0: no limit.
func (t TaskType) MaxLabels() int {
	switch t {
	case ObjectDetection, ImageClassificationMultiLabel, TextClassificationMultiLabel:
		return 50
	}
	return 0
}

// Input says what a template sees as task.input.
type Input string

// The kinds of task input.
const (
	// ManifestInput: the members of the manifest line, for jobs without a
	// pre-annotation function.
	ManifestInput Input = "manifest"
	// TaskObjectInput: {"taskObject": …, "labels": […]}, as the built-in
	// pre-annotation functions answer.
	TaskObjectInput Input = "taskObject"
	// FunctionInput: the taskInput that the requester's own pre-annotation
	// function answered with.
	FunctionInput Input = "function"
)

// passThrough is the suffix of the functions that change nothing.
const passThrough = "PassThrough"

// ownFunction stands for the suffix of a function that a requester wrote.
// Whether and how it can be run is the engine's to say.
const ownFunction = "(own)"

// builtin maps the suffix of a built-in function's name to what it is for.
// The account in the ARN differs by region and says nothing.
func builtin(suffix string) (TaskType, bool) {
	switch suffix {
	case "ImageMultiClass":
		return ImageClassification, true
	case "ImageMultiClassMultiLabel":
		return ImageClassificationMultiLabel, true
	case "BoundingBox":
		return ObjectDetection, true
	case "TextMultiClass":
		return TextClassification, true
	case "TextMultiClassMultiLabel":
		return TextClassificationMultiLabel, true
	case passThrough:
		return Custom, true
	}
	return "", false
}

// later are the suffixes of Ground Truth's built-in functions that are known
// but cannot be run yet.
func later(suffix string) bool {
	switch suffix {
	case "SemanticSegmentation", "NamedEntityRecognition", "VideoMultiClass", "VideoObjectDetection",
		"VideoObjectTracking", "3DPointCloudObjectDetection", "3DPointCloudObjectTracking",
		"3DPointCloudSemanticSegmentation", "VerificationBoundingBox", "AdjustmentBoundingBox",
		"VerificationSemanticSegmentation", "AdjustmentSemanticSegmentation",
		"AdjustmentVideoObjectDetection", "AdjustmentVideoObjectTracking",
		"Adjustment3DPointCloudObjectDetection", "Adjustment3DPointCloudObjectTracking",
		"Adjustment3DPointCloudSemanticSegmentation":
		return true
	}
	return false
}

// function reads the ARN of a pre-annotation ("PRE-") or consolidation
// ("ACS-") function. An empty ARN is pass-through.
func function(member, prefix, s string) (suffix string, t TaskType, err error) {
	const op = "labeling.NewJob"
	if s == "" {
		return passThrough, Custom, nil
	}
	a, err := arn.Parse(s)
	if err != nil || a.Service != "lambda" || a.Type() != "function" {
		return "", "", invalid(op, member, "must be the ARN of a function (arn:aws:lambda:REGION:ACCOUNT:function:NAME), not %q", s)
	}
	name := strings.TrimPrefix(a.Resource, "function:")
	suffix, ours := strings.CutPrefix(name, prefix)
	if t, ok := builtin(suffix); ours && ok {
		return suffix, t, nil
	}
	switch {
	case ours && later(suffix):
		return "", "", invalid(op, member, "the built-in function %s is for a task type that this server does not have yet; it has %sBoundingBox, %[2]sImageMultiClass, %[2]sImageMultiClassMultiLabel, %[2]sTextMultiClass, %[2]sTextMultiClassMultiLabel and %[2]sPassThrough", name, prefix)
	case strings.HasPrefix(name, "PRE-") || strings.HasPrefix(name, "ACS-"):
		return "", "", invalid(op, member, "%s is not a built-in function whose name begins with %s", name, prefix)
	}
	return ownFunction, Custom, nil
}

func invalid(op, member, format string, args ...any) error {
	f := fault.Newf(op, fault.Invalid, member+": "+format, args...)
	f.Field = member
	return f
}
