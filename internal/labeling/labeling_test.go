package labeling_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

const lambda = "arn:aws:lambda:us-east-1:432418664414:function:"

func spec() labeling.Spec {
	return labeling.Spec{
		Account: "123456789012", Region: "eu-west-1", LabelingJobName: "Find-Birds", LabelAttributeName: "birds",
		ManifestS3URI: "s3://bucket/in.manifest", S3OutputPath: "s3://bucket/out", RoleARN: "arn:aws:iam::123456789012:role/r",
		LabelCategoryConfigURI: "s3://bucket/labels.json", UITemplateS3URI: "s3://bucket/t.liquid",
		WorkteamARN:           "arn:aws:sagemaker:eu-west-1:123456789012:workteam/private-crowd/team",
		PreHumanTaskLambdaARN: lambda + "PRE-BoundingBox", AnnotationConsolidationLambdaARN: lambda + "ACS-BoundingBox",
		TaskTitle: "T", TaskDescription: "D", NumberOfHumanWorkersPerDataObject: 5, TaskTimeLimitInSeconds: 600,
		Request: json.RawMessage(`{"a":1}`),
	}
}

const (
	topic      = "arn:aws:sns:eu-west-1:123456789012:in"
	inputTopic = "InputConfig.DataSource.SnsDataSource.SnsTopicArn"
)

// A job with an input topic is live, needs no manifest, and has no stopping
// conditions, whatever was asked for.
func TestStreamingJob(t *testing.T) {
	s := spec()
	s.InputSNSTopicARN, s.OutputSNSTopicARN, s.ManifestS3URI = topic, topic+"-labels", ""
	s.Stopping.MaxHumanLabeledObjectCount = 1
	j, err := labeling.NewJob(s, time.Now(), random())
	if err != nil {
		t.Fatal(err)
	}
	want := labeling.Live{InputTopicARN: topic, OutputTopicARN: topic + "-labels", IdleAfter: 240 * time.Hour, UnsentAfter: 336 * time.Hour}
	if j.Live == nil || *j.Live != want || j.Stopping != (labeling.StoppingConditions{}) {
		t.Errorf("%+v, stopping %+v", j.Live, j.Stopping)
	}
}

func random() *bytes.Reader { return bytes.NewReader(bytes.Repeat([]byte{0xff, 1, 2, 3}, 10)) }

func TestNewJob(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	j, err := labeling.NewJob(spec(), now, random())
	if err != nil {
		t.Fatal(err)
	}
	if j.ID <= 0 {
		t.Errorf("id %d must be positive", j.ID)
	}
	want := labeling.HumanTask{
		WorkteamARN: spec().WorkteamARN, TemplateURI: "s3://bucket/t.liquid", PreFunctionARN: lambda + "PRE-BoundingBox",
		ConsolidationFunctionARN: lambda + "ACS-BoundingBox", Title: "T", Description: "D", Workers: 5,
		TaskTimeLimit: 10 * time.Minute, TaskAvailability: 30 * 24 * time.Hour, MaxConcurrent: 1000,
	}
	if d := cmp.Diff(want, j.Human); d != "" {
		t.Error(d)
	}
	if j.ARN != "arn:aws:sagemaker:eu-west-1:123456789012:labeling-job/find-birds" || j.Name != "Find-Birds" {
		t.Errorf("name %s, ARN %s", j.Name, j.ARN)
	}
	if j.TaskType != labeling.ObjectDetection || j.Input != labeling.TaskObjectInput || j.TemplateTaskType() != labeling.ObjectDetection {
		t.Errorf("type %s, input %s", j.TaskType, j.Input)
	}
	if !strings.HasPrefix(j.ReferenceCode, "123456789012") || len(j.ReferenceCode) != 28 {
		t.Errorf("reference code %q", j.ReferenceCode)
	}
	if j.Status != labeling.Initializing || !j.CreatedAt.Equal(now) {
		t.Errorf("status %s, created %v", j.Status, j.CreatedAt)
	}
	if _, err := labeling.NewJob(spec(), now, iotest.ErrReader(errors.New("dry"))); !fault.Is(err, fault.Internal) {
		t.Errorf("without randomness: %v", err)
	}
}

// The functions decide what the template sees and how answers become a label,
// each on its own.
func TestTaskTypes(t *testing.T) {
	for _, c := range []struct {
		name, pre, acs string
		input          labeling.Input
		want           labeling.TaskType
	}{
		{"boxes", "PRE-BoundingBox", "ACS-BoundingBox", labeling.TaskObjectInput, labeling.ObjectDetection},
		{"image class", "PRE-ImageMultiClass", "ACS-ImageMultiClass", labeling.TaskObjectInput, labeling.ImageClassification},
		{"image classes", "PRE-ImageMultiClassMultiLabel", "ACS-ImageMultiClassMultiLabel", labeling.TaskObjectInput, labeling.ImageClassificationMultiLabel},
		{"text class", "PRE-TextMultiClass", "ACS-TextMultiClass", labeling.TaskObjectInput, labeling.TextClassification},
		{"text classes", "PRE-TextMultiClassMultiLabel", "ACS-TextMultiClassMultiLabel", labeling.TaskObjectInput, labeling.TextClassificationMultiLabel},
		{"pass-through", "PRE-PassThrough", "ACS-PassThrough", labeling.ManifestInput, labeling.Custom},
		{"no functions", "", "", labeling.ManifestInput, labeling.Custom},
		{"boxes mended", "PRE-AdjustmentBoundingBox", "ACS-AdjustmentBoundingBox", labeling.TaskObjectInput, labeling.ObjectDetectionAdjustment},
		{"boxes judged", "PRE-VerificationBoundingBox", "ACS-VerificationBoundingBox", labeling.TaskObjectInput, labeling.ObjectDetectionVerification},
		{"segments judged", "PRE-VerificationSemanticSegmentation", "ACS-VerificationSemanticSegmentation", labeling.TaskObjectInput, labeling.SemanticSegmentationVerification},
		{"entities", "PRE-NamedEntityRecognition", "ACS-NamedEntityRecognition", labeling.TaskObjectInput, labeling.NamedEntityRecognition},
		{"videos, as the service model names them", "PRE-VideoMultiClass", "ACS-VideoMultiClass", labeling.TaskObjectInput, labeling.VideoClassification},
		{"videos, as the guide does", "PRE-VideoClassification", "ACS-VideoClassification", labeling.TaskObjectInput, labeling.VideoClassification},
		{"videos, mixed", "PRE-VideoMultiClass", "ACS-VideoClassification", labeling.TaskObjectInput, labeling.VideoClassification},
		{"raw annotations of boxes", "PRE-BoundingBox", "", labeling.TaskObjectInput, labeling.Custom},
		{"own template, built-in consolidation", "", "ACS-BoundingBox", labeling.ManifestInput, labeling.ObjectDetection},
		{"own functions", "my-pre:live", "my-post", labeling.FunctionInput, labeling.Custom},
		{"own preparation, built-in consolidation", "my-pre", "ACS-BoundingBox", labeling.FunctionInput, labeling.ObjectDetection},
		{"built-in preparation, own consolidation", "PRE-BoundingBox", "my-post", labeling.TaskObjectInput, labeling.Custom},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := spec()
			s.PreHumanTaskLambdaARN, s.AnnotationConsolidationLambdaARN = "", ""
			if c.pre != "" {
				s.PreHumanTaskLambdaARN = "arn:aws:lambda:ap-south-1:565803892007:function:" + c.pre // another region's account
			}
			if c.acs != "" {
				s.AnnotationConsolidationLambdaARN = lambda + c.acs
			}
			j, err := labeling.NewJob(s, time.Now(), random())
			if err != nil {
				t.Fatal(err)
			}
			if j.Input != c.input || j.TaskType != c.want {
				t.Errorf("got %s and %s, want %s and %s", j.Input, j.TaskType, c.input, c.want)
			}
		})
	}
}

func TestNewJobRefuses(t *testing.T) {
	const h = "HumanTaskConfig."
	for _, c := range []struct {
		name   string
		change func(*labeling.Spec)
		field  string
		want   string // in the message
	}{
		{"job name", func(s *labeling.Spec) { s.LabelingJobName = "-x" }, "LabelingJobName", "letters"},
		{"attribute empty", func(s *labeling.Spec) { s.LabelAttributeName = "" }, "LabelAttributeName", "1-127"},
		{"attribute source", func(s *labeling.Spec) { s.LabelAttributeName = "source" }, "LabelAttributeName", "data object itself"},
		{"attribute source-ref", func(s *labeling.Spec) { s.LabelAttributeName = "source-ref" }, "LabelAttributeName", "data object itself"},
		{"attribute -metadata", func(s *labeling.Spec) { s.LabelAttributeName = "x-metadata" }, "LabelAttributeName", "-metadata"},
		{"attribute -ref", func(s *labeling.Spec) { s.LabelAttributeName = "x-ref" }, "LabelAttributeName", "-ref"},
		{"no manifest", func(s *labeling.Spec) { s.ManifestS3URI = "" }, "InputConfig.DataSource.S3DataSource.ManifestS3Uri", "s3://bucket/key"},
		{"manifest over https", func(s *labeling.Spec) { s.ManifestS3URI = "https://bucket/x" }, "InputConfig.DataSource.S3DataSource.ManifestS3Uri", "s3://bucket/key"},
		{"manifest is a bucket", func(s *labeling.Spec) { s.ManifestS3URI = "s3://bucket" }, "InputConfig.DataSource.S3DataSource.ManifestS3Uri", "names no object"},
		{"output", func(s *labeling.Spec) { s.S3OutputPath = "bucket/out" }, "OutputConfig.S3OutputPath", "s3://bucket/key"},
		{"labels", func(s *labeling.Spec) { s.LabelCategoryConfigURI = "s3://BUCKET/x" }, "LabelCategoryConfigS3Uri", "bucket name"},
		{"template", func(s *labeling.Spec) { s.UITemplateS3URI = "s3://bucket/" + strings.Repeat("k", 1025) }, h + "UiConfig.UiTemplateS3Uri", "longer than 1024"},
		{"input topic", func(s *labeling.Spec) { s.InputSNSTopicARN, s.ManifestS3URI = "arn:aws:sns:x", "" }, inputTopic, "ARN of a topic"},
		{"input topic of another service", func(s *labeling.Spec) { s.InputSNSTopicARN = "arn:aws:sqs:eu-west-1:123456789012:q" }, inputTopic, "ARN of a topic"},
		{"subscription as topic", func(s *labeling.Spec) { s.InputSNSTopicARN = topic + ":id" }, inputTopic, "ARN of a topic"},
		{"input topic elsewhere", func(s *labeling.Spec) { s.InputSNSTopicARN = "arn:aws:sns:us-east-1:123456789012:in" }, inputTopic, "region, eu-west-1"},
		{"FIFO topic", func(s *labeling.Spec) { s.InputSNSTopicARN = topic + ".fifo" }, inputTopic, "FIFO"},
		{"output topic without input", func(s *labeling.Spec) { s.OutputSNSTopicARN = topic }, "OutputConfig.SnsTopicArn", "input topic"},
		{"output is input", func(s *labeling.Spec) { s.InputSNSTopicARN, s.OutputSNSTopicARN = topic, topic }, "OutputConfig.SnsTopicArn", "another topic"},
		{"streaming with a bad manifest", func(s *labeling.Spec) { s.InputSNSTopicARN, s.ManifestS3URI = topic, "x" }, "InputConfig.DataSource.S3DataSource.ManifestS3Uri", "s3://bucket/key"},
		{"streaming with automated labeling", func(s *labeling.Spec) { s.InputSNSTopicARN, s.AlgorithmARN = topic, "arn" }, "LabelingJobAlgorithmsConfig", "automated"},
		{"auto-labeling", func(s *labeling.Spec) { s.AlgorithmARN = "arn" }, "LabelingJobAlgorithmsConfig", "automated"},
		{"both UIs", func(s *labeling.Spec) { s.HumanTaskUIARN = "arn" }, h + "UiConfig.HumanTaskUiArn", "not both"},
		{"human task UI that is no ARN", func(s *labeling.Spec) { s.HumanTaskUIARN, s.UITemplateS3URI = "arn", "" }, h + "UiConfig.HumanTaskUiArn", "must be the ARN of a human task UI"},
		{"human task UI of somebody", func(s *labeling.Spec) { s.HumanTaskUIARN, s.UITemplateS3URI = ui+"mine", "" }, h + "UiConfig.HumanTaskUiArn", "not a built-in human task UI"},
		{"human task UI of video frames", func(s *labeling.Spec) { s.HumanTaskUIARN, s.UITemplateS3URI = ui+"VideoObjectTracking", "" }, h + "UiConfig.HumanTaskUiArn", "for video frames, which this server does not have yet"},
		{"human task UI of point clouds", func(s *labeling.Spec) {
			s.HumanTaskUIARN, s.UITemplateS3URI = ui+"PointCloudSemanticSegmentation", ""
		}, h + "UiConfig.HumanTaskUiArn", "for point clouds, which this server does not have yet"},
		{"human task UI of entities for boxes", func(s *labeling.Spec) { s.HumanTaskUIARN, s.UITemplateS3URI = ui+"NamedEntityRecognition", "" }, h + "PreHumanTaskLambdaArn", "needs PRE-NamedEntityRecognition"},
		{"segments without -ref", func(s *labeling.Spec) { both(s, "SemanticSegmentation") }, "LabelAttributeName", `"birds" must end with -ref`},
		{"mended segments without -ref", func(s *labeling.Spec) { both(s, "AdjustmentSemanticSegmentation") }, "LabelAttributeName", `"birds" must end with -ref`},
		{"judged segments with -ref", func(s *labeling.Spec) {
			both(s, "VerificationSemanticSegmentation")
			s.LabelAttributeName = "birds-ref"
		}, "LabelAttributeName", "-ref, which is kept for"},
		{"entities with -ref", func(s *labeling.Spec) {
			both(s, "NamedEntityRecognition")
			s.LabelAttributeName = "birds-ref"
		}, "LabelAttributeName", "-ref, which is kept for"},
		{"boxes made and mended", func(s *labeling.Spec) { s.PreHumanTaskLambdaARN = lambda + "PRE-AdjustmentBoundingBox" },
			h + "AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn", "ACS-BoundingBox does not go with PRE-AdjustmentBoundingBox"},
		{"no UI for a custom task", func(s *labeling.Spec) {
			s.UITemplateS3URI, s.PreHumanTaskLambdaARN, s.AnnotationConsolidationLambdaARN = "", "", ""
		}, h + "UiConfig.UiTemplateS3Uri", "required"},
		{"public team", func(s *labeling.Spec) {
			s.WorkteamARN = "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"
		}, h + "WorkteamArn", "private work team"},
		{"no team", func(s *labeling.Spec) { s.WorkteamARN = "" }, h + "WorkteamArn", "private work team"},
		{"no workers", func(s *labeling.Spec) { s.NumberOfHumanWorkersPerDataObject = 0 }, h + "NumberOfHumanWorkersPerDataObject", "between 1 and 9"},
		{"ten workers", func(s *labeling.Spec) { s.NumberOfHumanWorkersPerDataObject = 10 }, h + "NumberOfHumanWorkersPerDataObject", "between 1 and 9, not 10"},
		{"short time", func(s *labeling.Spec) { s.TaskTimeLimitInSeconds = 29 }, h + "TaskTimeLimitInSeconds", "between 30 and 28800"},
		{"long time", func(s *labeling.Spec) { s.TaskTimeLimitInSeconds = 28_801 }, h + "TaskTimeLimitInSeconds", "between 30 and 28800"},
		{"short availability", func(s *labeling.Spec) { s.TaskAvailabilityLifetimeInSeconds = 59 }, h + "TaskAvailabilityLifetimeInSeconds", "between 60 and 2592000"},
		{"too many at once", func(s *labeling.Spec) { s.MaxConcurrentTaskCount = 5001 }, h + "MaxConcurrentTaskCount", "between 1 and 5000"},
		{"percentage", func(s *labeling.Spec) { s.Stopping.MaxPercentageOfInputDatasetLabeled = 101 }, "StoppingConditions.MaxPercentageOfInputDatasetLabeled", "between 1 and 100"},
		{"count", func(s *labeling.Spec) { s.Stopping.MaxHumanLabeledObjectCount = -1 }, "StoppingConditions.MaxHumanLabeledObjectCount", "at least 1"},
		{"labels missing", func(s *labeling.Spec) { s.LabelCategoryConfigURI = "" }, "LabelCategoryConfigS3Uri", "required"},
		{"functions of two types", func(s *labeling.Spec) { s.PreHumanTaskLambdaARN = lambda + "PRE-TextMultiClass" },
			h + "AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn", "ACS-BoundingBox does not go with PRE-TextMultiClass"},
		{"not an ARN", func(s *labeling.Spec) { s.PreHumanTaskLambdaARN = "PRE-BoundingBox" }, h + "PreHumanTaskLambdaArn", "ARN of a function"},
		{"of another service", func(s *labeling.Spec) { s.PreHumanTaskLambdaARN = "arn:aws:s3:::function:PRE-BoundingBox" }, h + "PreHumanTaskLambdaArn", "ARN of a function"},
		{"task type of later", func(s *labeling.Spec) { both(s, "3DPointCloudObjectTracking") }, h + "PreHumanTaskLambdaArn", "video frames or point clouds, which this server does not have yet"},
		{"ACS as PRE", func(s *labeling.Spec) { s.PreHumanTaskLambdaARN = lambda + "ACS-BoundingBox" }, h + "PreHumanTaskLambdaArn", "begins with PRE-"},
		{"own function under a built-in prefix", func(s *labeling.Spec) { s.AnnotationConsolidationLambdaARN = lambda + "ACS-mine" },
			h + "AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn", "not a built-in function"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := spec()
			c.change(&s)
			_, err := labeling.NewJob(s, time.Now(), random())
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid {
				t.Fatalf("got %v, want Invalid", err)
			}
			if f.Field != c.field || !strings.HasPrefix(f.Message, c.field+": ") || !strings.Contains(f.Message, c.want) {
				t.Errorf("got %q for %s\nwant %s and %q in it", f.Message, f.Field, c.field, c.want)
			}
		})
	}
}

func TestOwnFunctions(t *testing.T) {
	s := spec()
	s.PreHumanTaskLambdaARN, s.AnnotationConsolidationLambdaARN = lambda+"pre:live", lambda+"post"
	j, err := labeling.NewJob(s, time.Now(), random())
	if err != nil {
		t.Fatal(err)
	}
	const h = "HumanTaskConfig."
	want := []labeling.OwnFunction{{Member: h + "PreHumanTaskLambdaArn", ARN: lambda + "pre:live"},
		{Member: h + "AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn", ARN: lambda + "post"}}
	if d := cmp.Diff(want, j.OwnFunctions()); d != "" {
		t.Error(d)
	}
	if j.PreFunction() != lambda+"pre:live" || j.ConsolidationFunction() != lambda+"post" {
		t.Errorf("got %s and %s", j.PreFunction(), j.ConsolidationFunction())
	}
	if j, err := labeling.NewJob(spec(), time.Now(), random()); err != nil || len(j.OwnFunctions()) > 0 {
		t.Errorf("built-in functions are not the requester's: %v, %v", j.OwnFunctions(), err)
	}
	// The function's answer is the task input; the line is not.
	a := labeling.Assignment{Job: j, Line: json.RawMessage(`{"source":"x"}`), Input: json.RawMessage(`{"n":1.50}`)}
	if got, err := a.TaskInput(); string(got) != `{"n":1.50}` || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	a.Input = nil
	if got, err := a.TaskInput(); err == nil {
		t.Errorf("an object that is not prepared has the input %s", got)
	}
}

// ui begins the ARN of a human task UI.
const ui = "arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/"

// both gives a job both functions of a suffix.
func both(s *labeling.Spec, suffix string) {
	s.PreHumanTaskLambdaARN, s.AnnotationConsolidationLambdaARN = lambda+"PRE-"+suffix, lambda+"ACS-"+suffix
}

func TestEveryBuiltInSuffixHasAnAnswer(t *testing.T) {
	for _, suffix := range []string{"BoundingBox", "ImageMultiClass", "ImageMultiClassMultiLabel", "SemanticSegmentation",
		"TextMultiClass", "TextMultiClassMultiLabel", "NamedEntityRecognition", "VideoMultiClass", "VideoObjectDetection",
		"VideoObjectTracking", "3DPointCloudObjectDetection", "3DPointCloudObjectTracking", "3DPointCloudSemanticSegmentation",
		"VerificationBoundingBox", "AdjustmentBoundingBox", "VerificationSemanticSegmentation", "AdjustmentSemanticSegmentation",
		"AdjustmentVideoObjectDetection", "AdjustmentVideoObjectTracking", "Adjustment3DPointCloudObjectDetection",
		"Adjustment3DPointCloudObjectTracking", "Adjustment3DPointCloudSemanticSegmentation", "PassThrough"} {
		s := spec()
		both(&s, suffix)
		if suffix == "SemanticSegmentation" || suffix == "AdjustmentSemanticSegmentation" {
			s.LabelAttributeName = "birds-ref"
		}
		_, err := labeling.NewJob(s, time.Now(), random())
		later := strings.Contains(suffix, "VideoObject") || strings.Contains(suffix, "3D")
		if !later && err != nil || later && (err == nil || !strings.Contains(err.Error(), "does not have yet")) {
			t.Errorf("%s: %v", suffix, err)
		}
	}
}

func TestParseLabelConfig(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`{"label":"` + strings.Repeat("x", i+1) + `"},`)
		}
		return `{"labels":[` + strings.TrimSuffix(b.String(), ",") + `]}`
	}
	for _, c := range []struct {
		name, doc string
		t         labeling.TaskType
		want      string // in the error; "" accepted
	}{
		{"boxes with one", `{"document-version":"2018-11-28","labels":[{"label":"a"}]}`, labeling.ObjectDetection, ""},
		{"byte order mark", "\ufeff" + `{"labels":[{"label":"a"}]}`, labeling.ObjectDetection, ""},
		{"boxes with fifty", many(50), labeling.ObjectDetection, ""},
		{"boxes with more", many(51), labeling.ObjectDetection, "takes at most 50"},
		{"classes with more", many(60), labeling.ImageClassification, ""},
		{"classes with one", `{"labels":[{"label":"a"}]}`, labeling.TextClassification, "needs at least 2"},
		{"custom without", `{}`, labeling.Custom, ""},
		{"boxes without", `{"labels":[]}`, labeling.ObjectDetection, "needs at least 1"},
		{"twice", `{"labels":[{"label":"a"},{"label":"a"}]}`, labeling.ObjectDetection, `"a" is there twice`},
		{"nameless", `{"labels":[{"label":"a"},{"name":"b"}]}`, labeling.ObjectDetection, "label 2 has no name"},
		{"long name", `{"labels":[{"label":"` + strings.Repeat("é", 257) + `"}]}`, labeling.ObjectDetection, "longer than 256 characters"},
		{"longest name", `{"labels":[{"label":"` + strings.Repeat("é", 256) + `"}]}`, labeling.ObjectDetection, ""},
		{"array", `["a","b"]`, labeling.ObjectDetection, "not JSON of the form"},
		{"broken", `{"labels":`, labeling.ObjectDetection, "not JSON of the form"},
		{"not UTF-8", "{\"labels\":[{\"label\":\"\xff\"}]}", labeling.ObjectDetection, "not UTF-8"},
		{"huge", strings.Repeat(" ", labeling.MaxLabelConfig+1), labeling.ObjectDetection, "longer than 1048576 bytes"},
		{"segments with one", `{"labels":[{"label":"a"}]}`, labeling.SemanticSegmentation, ""},
		{"segments with 255", many(255), labeling.SemanticSegmentation, ""},
		{"segments with more", many(256), labeling.SemanticSegmentationAdjustment, "takes at most 255"},
		{"entities without", `{"labels":[]}`, labeling.NamedEntityRecognition, "needs at least 1"},
		{"verdict", `{"labels":[{"label":"good"}],"auditLabelAttributeName":"boxes"}`, labeling.ObjectDetectionVerification, ""},
		{"nothing to audit", `{"labels":[{"label":"a"}],"auditLabelAttributeName":"boxes"}`, labeling.ObjectDetection, "auditLabelAttributeName is for adjustment and verification"},
		{"attributes for all labels", `{"labels":[{"label":"a"}],"categoryGlobalAttributes":[{"name":"hidden"}]}`, labeling.ObjectDetection, "categoryGlobalAttributes is for video frames and point clouds"},
		{"no attributes", `{"labels":[{"label":"a","categoryAttributes":[]}],"categoryGlobalAttributes":[],"frameAttributes":null}`, labeling.ObjectDetection, ""},
		{"attributes of a label", `{"labels":[{"label":"a"},{"label":"b","categoryAttributes":[{"name":"hidden"}]}]}`, labeling.NamedEntityRecognition, "categoryAttributes of label 2"},
		{"locked label", `{"labels":[{"label":"a","editsAllowed":"none"}]}`, labeling.ObjectDetectionAdjustment, "editsAllowed of label 1"},
		{"custom tasks read what they like", `{"categoryGlobalAttributes":[{"name":"hidden"}],"auditLabelAttributeName":"x"}`, labeling.Custom, ""},
		{"too many", `{"labels":[` + strings.Repeat(`{},`, 10_000) + `{}]}`, labeling.Custom, "more than 10000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := labeling.ParseLabelConfig([]byte(c.doc), c.t)
			if c.want == "" && err != nil || c.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	got, err := labeling.ParseLabelConfig([]byte(`{"labels":[{"label":"Date","shortDisplayName":"dt"},{"label":"b"}],"instructions":{"shortInstruction":"<p>","fullInstruction":"<h1>"}}`), labeling.Custom)
	want := labeling.LabelConfig{Labels: []labeling.Label{{Name: "Date", ShortDisplayName: "dt"}, {Name: "b"}}, Instructions: labeling.Instructions{Short: "<p>", Full: "<h1>"}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestTaskInput(t *testing.T) {
	built := &labeling.Job{Input: labeling.TaskObjectInput, Labels: []labeling.Label{{Name: "a<b"}, {Name: "c"}}}
	plain := &labeling.Job{Input: labeling.ManifestInput}
	const boxed = `{"source-ref":"s3://b/k","newer":{},"newer-metadata":{"type":"groundtruth/object-detection","creation-date":"2026-01-02"},"older":{},"older-metadata":{"type":"groundtruth/object-detection","creation-date":"2026-01-01"},"mine":{},"mine-metadata":{"type":"groundtruth/object-detection","creation-date":"2027"}}`
	audit := &labeling.Job{Input: labeling.TaskObjectInput, TaskType: labeling.ObjectDetectionVerification, LabelAttributeName: "mine", Labels: []labeling.Label{{Name: "good"}, {Name: "bad"}}}
	entities := &labeling.Job{Input: labeling.TaskObjectInput, Human: labeling.HumanTask{PreFunctionARN: lambda + "PRE-NamedEntityRecognition"},
		Labels: []labeling.Label{{Name: "Date", ShortDisplayName: "dt", DisplayName: "Point in time"}, {Name: "b"}}}
	for _, c := range []struct {
		name       string
		job        *labeling.Job
		line, want string
	}{
		{"source-ref", built, `{"n":1.50,"source-ref":"s3://b/k"}`, `{"taskObject":"s3://b/k","labels":["a<b","c"],"manifestLine":{"n":1.50,"source-ref":"s3://b/k"}}`},
		{"source", built, `{"source":"a & b"}`, `{"taskObject":"a & b","labels":["a<b","c"],"manifestLine":{"source":"a & b"}}`},
		{"another case is another key", built, `{"Source":"x","source":"y"}`, `{"taskObject":"y","labels":["a<b","c"],"manifestLine":{"Source":"x","source":"y"}}`},
		{"the line itself", plain, ` {"z":1e3,"a":"x","source":"y"} `, `{"z":1e3,"a":"x","source":"y"}`},
		{"entities have names to show", entities, `{"source":"x"}`, `{"taskObject":"x","labels":[{"label":"Date","shortDisplayName":"dt","fullDisplayName":"Point in time"},{"label":"b"}],"manifestLine":{"source":"x"}}`},
		{"the newest label of the type is audited", audit, boxed, `{"taskObject":"s3://b/k","labels":["good","bad"],"labelAttribute":"newer","manifestLine":` + boxed + `}`},
		{"nothing to audit", audit, `{"source-ref":"s3://b/k"}`, ""},
		{"neither", built, `{"x":1}`, ""},
		{"not a string", built, `{"source":1}`, ""},
		{"array", plain, `[1]`, ""},
		{"broken", built, `{"source":`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := labeling.TaskInput(c.job, json.RawMessage(c.line))
			if string(got) != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

// Pages tell the task types apart.
func TestTitles(t *testing.T) {
	seen := map[string]labeling.TaskType{}
	for _, task := range labeling.TaskTypes {
		if other, ok := seen[task.Title()]; ok || task.Title() == "" {
			t.Errorf("%s is called %q, as %s is", task, task.Title(), other)
		}
		seen[task.Title()] = task
	}
}

func TestStoppingLimit(t *testing.T) {
	for _, c := range []struct {
		s           labeling.StoppingConditions
		total, want int64
	}{
		{labeling.StoppingConditions{}, 10, 10},
		{labeling.StoppingConditions{MaxHumanLabeledObjectCount: 3}, 10, 3},
		{labeling.StoppingConditions{MaxHumanLabeledObjectCount: 30}, 10, 10},
		{labeling.StoppingConditions{MaxPercentageOfInputDatasetLabeled: 25}, 10, 3},
		{labeling.StoppingConditions{MaxPercentageOfInputDatasetLabeled: 100}, 10, 10},
		{labeling.StoppingConditions{MaxPercentageOfInputDatasetLabeled: 50, MaxHumanLabeledObjectCount: 2}, 10, 2},
		{labeling.StoppingConditions{MaxPercentageOfInputDatasetLabeled: 1}, 1, 1},
	} {
		if got := c.s.Limit(c.total); got != c.want {
			t.Errorf("%+v of %d: got %d, want %d", c.s, c.total, got, c.want)
		}
	}
}

func TestQuoteCuts(t *testing.T) {
	if got := labeling.Quote(strings.Repeat("é", 100)); len(got) > 130 || !strings.HasSuffix(got, `…"`) {
		t.Errorf("got %s", got)
	}
}

// What is accepted as an answer is one JSON object, and compacting it changes
// nothing of its meaning.
func FuzzCheckAnswer(f *testing.F) {
	for _, s := range []string{"", "{}", ` {"a": [1, 2]} `, `[]`, `{"a":"\u0000"}`, "{\"a\":\"\xff\"}", `{}{}`, `{"a":1e999}`, `{"a":"]]]"}`, strings.Repeat(`{"a":`, 80)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := labeling.CheckAnswer(b)
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Limit) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(b, &before) != nil || json.Unmarshal(got, &after) != nil || len(before) != len(after) {
			t.Fatalf("%q became %q", b, got)
		}
		if again, err := labeling.CheckAnswer(got); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q is not settled: %q, %v", got, again, err)
		}
	})
}

func FuzzParseS3URI(f *testing.F) {
	for _, s := range []string{"s3://bucket/key", "s3://bucket", "s3:///key", "s3://b..b/k", "s3://bucket//a/../b?x#y", "https://x/y", "s3://bücket/k"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := labeling.ParseS3URI(s)
		if err != nil {
			return
		}
		if again, err := labeling.ParseS3URI(u.String()); err != nil || again != u {
			t.Fatalf("%q became %+v became %+v, %v", s, u, again, err)
		}
	})
}
