package labeling

import (
	"strings"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
)

// TaskType decides how answers become a label, and names the built-in template.
type TaskType string

// The task types that are built. Of an image's boxes or segments there are three
// each: made, mended (adjustment) and judged (verification).
const (
	ImageClassification              TaskType = "image-classification"
	ImageClassificationMultiLabel    TaskType = "image-classification-multilabel"
	ObjectDetection                  TaskType = "object-detection"
	ObjectDetectionAdjustment        TaskType = "object-detection-adjustment"
	ObjectDetectionVerification      TaskType = "object-detection-verification"
	SemanticSegmentation             TaskType = "semantic-segmentation"
	SemanticSegmentationAdjustment   TaskType = "semantic-segmentation-adjustment"
	SemanticSegmentationVerification TaskType = "semantic-segmentation-verification"
	TextClassification               TaskType = "text-classification"
	TextClassificationMultiLabel     TaskType = "text-classification-multilabel"
	NamedEntityRecognition           TaskType = "named-entity-recognition"
	VideoClassification              TaskType = "video-classification"
	Custom                           TaskType = "custom"
)

// TaskTypes are all of them.
var TaskTypes = [...]TaskType{ImageClassification, ImageClassificationMultiLabel,
	ObjectDetection, ObjectDetectionAdjustment, ObjectDetectionVerification,
	SemanticSegmentation, SemanticSegmentationAdjustment, SemanticSegmentationVerification,
	TextClassification, TextClassificationMultiLabel, NamedEntityRecognition, VideoClassification, Custom}

// MetadataType is "type" in a label's metadata.
func (t TaskType) MetadataType() string {
	switch t {
	case ObjectDetectionAdjustment, SemanticSegmentationAdjustment:
		t, _ = t.Audits()
	case ObjectDetectionVerification, SemanticSegmentationVerification:
		return "groundtruth/label-verification"
	case NamedEntityRecognition:
		return "groundtruth/text-span"
	}
	return "groundtruth/" + string(t)
}

// Audits is the task type whose labels this one adjusts or verifies.
func (t TaskType) Audits() (TaskType, bool) {
	switch t {
	case ObjectDetectionAdjustment, ObjectDetectionVerification:
		return ObjectDetection, true
	case SemanticSegmentationAdjustment, SemanticSegmentationVerification:
		return SemanticSegmentation, true
	}
	return "", false
}

// Adjusts reports whether workers mend labels that are there.
func (t TaskType) Adjusts() bool {
	return t == ObjectDetectionAdjustment || t == SemanticSegmentationAdjustment
}

// Verifies reports whether workers judge labels that are there.
func (t TaskType) Verifies() bool {
	return t == ObjectDetectionVerification || t == SemanticSegmentationVerification
}

// LabelIsFile reports whether a label is the S3 URI of a file, so that its
// attribute name must end with -ref.
func (t TaskType) LabelIsFile() bool {
	return t == SemanticSegmentation || t == SemanticSegmentationAdjustment
}

// MinLabels is how many label categories the type needs.
func (t TaskType) MinLabels() int {
	switch t {
	case Custom:
		return 0
	case ImageClassification, ImageClassificationMultiLabel, TextClassification, TextClassificationMultiLabel:
		return 2
	}
	return 1
}

// MaxLabels is how many label categories the type takes; 0: no limit. A PNG with
// a palette has 256 colours, and the background is one of them.
func (t TaskType) MaxLabels() int {
	switch t {
	case ObjectDetection, ObjectDetectionAdjustment, ImageClassificationMultiLabel, TextClassificationMultiLabel:
		return 50
	case SemanticSegmentation, SemanticSegmentationAdjustment:
		return 255
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
// The account in the ARN differs by region and says nothing. Video
// classification has two names: one in the service model, one in the guide.
func builtin(suffix string) (TaskType, bool) {
	switch suffix {
	case "ImageMultiClass":
		return ImageClassification, true
	case "ImageMultiClassMultiLabel":
		return ImageClassificationMultiLabel, true
	case "BoundingBox":
		return ObjectDetection, true
	case "AdjustmentBoundingBox":
		return ObjectDetectionAdjustment, true
	case "VerificationBoundingBox":
		return ObjectDetectionVerification, true
	case "SemanticSegmentation":
		return SemanticSegmentation, true
	case "AdjustmentSemanticSegmentation":
		return SemanticSegmentationAdjustment, true
	case "VerificationSemanticSegmentation":
		return SemanticSegmentationVerification, true
	case "TextMultiClass":
		return TextClassification, true
	case "TextMultiClassMultiLabel":
		return TextClassificationMultiLabel, true
	case "NamedEntityRecognition":
		return NamedEntityRecognition, true
	case "VideoMultiClass", "VideoClassification":
		return VideoClassification, true
	case passThrough:
		return Custom, true
	}
	return "", false
}

// later are the suffixes of Ground Truth's built-in functions that are known
// but cannot be run yet: video frames and point clouds.
func later(suffix string) bool {
	switch suffix {
	case "VideoObjectDetection", "VideoObjectTracking", "AdjustmentVideoObjectDetection", "AdjustmentVideoObjectTracking",
		"3DPointCloudObjectDetection", "3DPointCloudObjectTracking", "3DPointCloudSemanticSegmentation",
		"Adjustment3DPointCloudObjectDetection", "Adjustment3DPointCloudObjectTracking",
		"Adjustment3DPointCloudSemanticSegmentation":
		return true
	}
	return false
}

// BuiltinUI is the task type of a built-in human task UI's ARN, which is known
// by its name whatever the account.
func BuiltinUI(s string) (TaskType, bool) {
	if name, ok := uiName(s); ok && name == "NamedEntityRecognition" {
		return NamedEntityRecognition, true
	}
	return "", false
}

func uiName(s string) (string, bool) {
	a, err := arn.Parse(s)
	if err != nil || a.Service != "sagemaker" {
		return "", false
	}
	return strings.CutPrefix(a.Resource, "human-task-ui/")
}

// checkUI refuses human task UIs that workers of labeling jobs cannot be shown.
func checkUI(s *Spec) error {
	const op = "labeling.NewJob"
	name, ok := uiName(s.HumanTaskUIARN)
	switch {
	case !ok:
		return invalid(op, memberTaskUI, "must be the ARN of a human task UI (arn:aws:sagemaker:REGION:ACCOUNT:human-task-ui/NamedEntityRecognition), not %s", Quote(s.HumanTaskUIARN))
	case name == "NamedEntityRecognition":
		return nil
	case name == "VideoObjectDetection" || name == "VideoObjectTracking":
		return invalid(op, memberTaskUI, "the human task UI %s is for video frames, which this server does not have yet", name)
	case name == "PointCloudObjectDetection" || name == "PointCloudObjectTracking" || name == "PointCloudSemanticSegmentation":
		return invalid(op, memberTaskUI, "the human task UI %s is for point clouds, which this server does not have yet", name)
	case ownTaskUI(s):
		return nil
	}
	return invalid(op, memberTaskUI, "%s is not a built-in human task UI; give NamedEntityRecognition, one of your own, or a worker task template in UiTemplateS3Uri", Quote(name))
}

// TaskTypeOf is the task type of a consolidation function's ARN; "" is Custom.
func TaskTypeOf(consolidationARN string) (TaskType, error) {
	_, t, err := function(memberConsolidation, "ACS-", consolidationARN)
	return t, err
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
		return "", "", invalid(op, member, "the built-in function %s is for video frames or point clouds, which this server does not have yet; it has those for images, texts and video classification, and %sPassThrough", name, prefix)
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
