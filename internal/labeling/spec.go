package labeling

import (
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
)

// Spec is what CreateLabelingJob asks for, with the request's own member names
// in the order of the wire model. NewJob makes a Job of it.
type Spec struct {
	Account, Region string // this server's

	LabelingJobName        string
	LabelAttributeName     string
	ManifestS3URI          string // InputConfig.DataSource.S3DataSource.ManifestS3Uri
	InputSNSTopicARN       string // InputConfig.DataSource.SnsDataSource.SnsTopicArn
	S3OutputPath           string // OutputConfig.S3OutputPath
	OutputKMSKeyID         string // OutputConfig.KmsKeyId
	OutputSNSTopicARN      string // OutputConfig.SnsTopicArn
	RoleARN                string
	LabelCategoryConfigURI string // LabelCategoryConfigS3Uri
	Stopping               StoppingConditions
	AlgorithmARN           string // LabelingJobAlgorithmsConfig.LabelingJobAlgorithmSpecificationArn

	WorkteamARN                       string
	UITemplateS3URI                   string
	HumanTaskUIARN                    string
	PreHumanTaskLambdaARN             string
	AnnotationConsolidationLambdaARN  string
	TaskTitle, TaskDescription        string
	TaskKeywords                      []string
	NumberOfHumanWorkersPerDataObject int
	TaskTimeLimitInSeconds            int64
	TaskAvailabilityLifetimeInSeconds int64 // 0: not given
	MaxConcurrentTaskCount            int   // 0: not given

	Tags    []Tag
	Request json.RawMessage
}

// Bounds and defaults of the human task.
const (
	MinTaskTimeLimit        = 30
	MaxTaskTimeLimit        = 28_800 // image, text and custom tasks
	MinTaskAvailability     = 60
	MaxTaskAvailability     = 2_592_000
	DefaultTaskAvailability = MaxTaskAvailability
	DefaultMaxConcurrent    = 1000
	MaxMaxConcurrent        = 5000
	MaxWorkers              = 9
)

// Paths of members, as messages name them.
const (
	memberTemplate      = "HumanTaskConfig.UiConfig.UiTemplateS3Uri"
	memberTaskUI        = "HumanTaskConfig.UiConfig.HumanTaskUiArn"
	memberPre           = "HumanTaskConfig.PreHumanTaskLambdaArn"
	memberConsolidation = "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn"
)

// NewJob checks what the wire model cannot say and makes the job, in state
// Initializing. Every refusal is Invalid and names the member. random gives
// the job's id and reference code.
func NewJob(s Spec, now time.Time, random io.Reader) (*Job, error) {
	checks := []func(*Spec) error{checkNames, checkPlaces, checkTopics, checkUnbuilt, checkHumanTask}
	for _, check := range checks {
		if err := check(&s); err != nil {
			return nil, err
		}
	}
	in, taskType, err := kinds(&s)
	if err != nil {
		return nil, err
	}
	if err := checkSuffix(s.LabelAttributeName, taskType); err != nil {
		return nil, err
	}
	quality, err := qualityURI(s.Tags)
	if err != nil {
		return nil, err
	}
	j := &Job{
		Name:               s.LabelingJobName,
		ARN:                arn.ARN{Partition: "aws", Service: "sagemaker", Region: s.Region, Account: s.Account, Resource: "labeling-job/" + Key(s.LabelingJobName)}.String(),
		LabelAttributeName: s.LabelAttributeName, TaskType: taskType, Input: in,
		ManifestURI: s.ManifestS3URI, OutputURI: s.S3OutputPath, OutputKMSKeyID: s.OutputKMSKeyID,
		RoleARN: s.RoleARN, LabelCategoryConfigURI: s.LabelCategoryConfigURI, Stopping: s.Stopping,
		Human: HumanTask{
			WorkteamARN: s.WorkteamARN, TemplateURI: s.UITemplateS3URI, HumanTaskUIARN: s.HumanTaskUIARN,
			PreFunctionARN: s.PreHumanTaskLambdaARN, ConsolidationFunctionARN: s.AnnotationConsolidationLambdaARN,
			Title: s.TaskTitle, Description: s.TaskDescription, Keywords: s.TaskKeywords,
			Workers:          s.NumberOfHumanWorkersPerDataObject,
			TaskTimeLimit:    time.Duration(s.TaskTimeLimitInSeconds) * time.Second,
			TaskAvailability: time.Duration(or(s.TaskAvailabilityLifetimeInSeconds, DefaultTaskAvailability)) * time.Second,
			MaxConcurrent:    or(s.MaxConcurrentTaskCount, DefaultMaxConcurrent),
		},
		Tags: s.Tags, Request: s.Request, QualityConfigURI: quality,
		Status: Initializing, CreatedAt: now, ModifiedAt: now,
	}
	streaming(&s, j)
	return j, j.Identify(s.Account, random)
}

// Identify gives a job that is being made its id and its reference code.
func (j *Job) Identify(account string, random io.Reader) error {
	var b [20]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return fault.E("labeling.Identify", fault.Internal, "", err)
	}
	j.ID = int64(binary.BigEndian.Uint64(b[:8]) >> 1)
	j.ReferenceCode = account + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[10:])
	return nil
}

// Key is a job name as names are compared: they are unique whatever the case.
func Key(name string) string { return strings.ToLower(name) }

func or[T int | int64](n, otherwise T) T {
	if n == 0 {
		return otherwise
	}
	return n
}

var (
	jobName       = regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`)
	attributeName = regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}$`)
)

func checkNames(s *Spec) error {
	const op = "labeling.NewJob"
	if !jobName.MatchString(s.LabelingJobName) {
		return invalid(op, "LabelingJobName", "must be 1-63 letters, digits and single inner hyphens")
	}
	const m = "LabelAttributeName"
	n := s.LabelAttributeName
	switch {
	case !attributeName.MatchString(n):
		return invalid(op, m, "must be 1-127 letters, digits and inner hyphens")
	case n == "source" || n == "source-ref":
		return invalid(op, m, "%q is the name of the data object itself; choose another name for the label", n)
	case strings.HasSuffix(n, "-metadata"):
		return invalid(op, m, "%q ends with -metadata, which is kept for the metadata of a label", n)
	}
	return nil
}

// checkSuffix holds a label attribute name to what its task type asks for.
func checkSuffix(n string, t TaskType) error {
	const op, m = "labeling.NewJob", "LabelAttributeName"
	switch file := strings.HasSuffix(n, "-ref"); {
	case file && !t.LabelIsFile():
		return invalid(op, m, "%q ends with -ref, which is kept for task types whose label is a file; this job's is not", n)
	case !file && t.LabelIsFile():
		return invalid(op, m, "%q must end with -ref: the label of %s is a file", n, t)
	}
	return nil
}

func checkPlaces(s *Spec) error {
	const op = "labeling.NewJob"
	objects := []struct{ member, uri string }{
		{"InputConfig.DataSource.S3DataSource.ManifestS3Uri", s.ManifestS3URI},
		{"LabelCategoryConfigS3Uri", s.LabelCategoryConfigURI},
		{memberTemplate, s.UITemplateS3URI},
	}
	for i, o := range objects {
		if o.uri == "" && (i > 0 || s.InputSNSTopicARN != "") {
			continue
		}
		if _, err := ParseS3Object(o.uri); err != nil {
			return invalid(op, o.member, "%s", fault.MessageOf(err))
		}
	}
	if _, err := ParseS3URI(s.S3OutputPath); err != nil {
		return invalid(op, "OutputConfig.S3OutputPath", "%s", fault.MessageOf(err))
	}
	return nil
}

// checkUnbuilt refuses what would otherwise be accepted and silently not done.
func checkUnbuilt(s *Spec) error {
	const op = "labeling.NewJob"
	switch {
	case s.AlgorithmARN != "":
		return invalid(op, "LabelingJobAlgorithmsConfig", "this server has no automated data labeling")
	case s.HumanTaskUIARN != "" && s.UITemplateS3URI != "":
		return invalid(op, memberTaskUI, "give either UiTemplateS3Uri or HumanTaskUiArn, not both")
	case s.HumanTaskUIARN != "":
		return checkUI(s)
	}
	return nil
}

// ownTaskUI reports whether the human task UI is of this account, and so was made
// with CreateHumanTaskUi.
func ownTaskUI(s *Spec) bool {
	a, err := arn.Parse(s.HumanTaskUIARN)
	return err == nil && a.Service == "sagemaker" && a.Account == s.Account && a.Type() == "human-task-ui"
}

func checkHumanTask(s *Spec) error {
	const op, h = "labeling.NewJob", "HumanTaskConfig."
	team, err := arn.Parse(s.WorkteamARN)
	if err != nil || !strings.HasPrefix(team.Resource, "workteam/private-crowd/") {
		return invalid(op, h+"WorkteamArn", "must be the ARN of a private work team (arn:aws:sagemaker:REGION:ACCOUNT:workteam/private-crowd/NAME), not %s", Quote(s.WorkteamARN))
	}
	bounds := []struct {
		member          string
		value, low, top int64
		optional        bool
	}{
		{"NumberOfHumanWorkersPerDataObject", int64(s.NumberOfHumanWorkersPerDataObject), 1, MaxWorkers, false},
		{"TaskTimeLimitInSeconds", s.TaskTimeLimitInSeconds, MinTaskTimeLimit, MaxTaskTimeLimit, false},
		{"TaskAvailabilityLifetimeInSeconds", s.TaskAvailabilityLifetimeInSeconds, MinTaskAvailability, MaxTaskAvailability, true},
		{"MaxConcurrentTaskCount", int64(s.MaxConcurrentTaskCount), 1, MaxMaxConcurrent, true},
	}
	for _, b := range bounds {
		if b.optional && b.value == 0 {
			continue
		}
		if b.value < b.low || b.value > b.top {
			return invalid(op, h+b.member, "must be between %d and %d, not %d", b.low, b.top, b.value)
		}
	}
	if p := s.Stopping.MaxPercentageOfInputDatasetLabeled; p < 0 || p > 100 {
		return invalid(op, "StoppingConditions.MaxPercentageOfInputDatasetLabeled", "must be between 1 and 100, not %d", p)
	}
	if n := s.Stopping.MaxHumanLabeledObjectCount; n < 0 {
		return invalid(op, "StoppingConditions.MaxHumanLabeledObjectCount", "must be at least 1, not %d", n)
	}
	return nil
}

// kinds works out the task type and the task input from the two functions. A
// built-in consolidation function alone decides the type; without one, or with
// ACS-PassThrough, the raw annotations are the label and the type is custom.
func kinds(s *Spec) (Input, TaskType, error) {
	const op = "labeling.NewJob"
	pre, preType, err := function(memberPre, "PRE-", s.PreHumanTaskLambdaARN)
	if err != nil {
		return "", "", err
	}
	acs, taskType, err := function(memberConsolidation, "ACS-", s.AnnotationConsolidationLambdaARN)
	if err != nil {
		return "", "", err
	}
	if builtIn(pre) && builtIn(acs) && preType != taskType {
		return "", "", invalid(op, memberConsolidation, "ACS-%s does not go with PRE-%s: both must be for one task type", acs, pre)
	}
	in := TaskObjectInput
	switch pre {
	case passThrough:
		in = ManifestInput
	case ownFunction:
		in = FunctionInput
	}
	if ui, ok := BuiltinUI(s.HumanTaskUIARN); ok && ui != preType {
		return "", "", invalid(op, memberPre, "the human task UI NamedEntityRecognition needs PRE-NamedEntityRecognition, which gives it its text and labels")
	}
	if s.LabelCategoryConfigURI == "" && (preType != Custom || taskType != Custom) {
		return "", "", invalid(op, "LabelCategoryConfigS3Uri", "is required for a built-in task type: its labels come from that file")
	}
	if s.UITemplateS3URI == "" && s.HumanTaskUIARN == "" && preType == Custom {
		return "", "", invalid(op, memberTemplate, "or HumanTaskUiArn is required unless PreHumanTaskLambdaArn is a built-in function with a built-in template")
	}
	return in, taskType, nil
}

// builtIn reports whether a suffix is that of a function for one task type.
func builtIn(suffix string) bool { return suffix != passThrough && suffix != ownFunction }

// PreFunction is the ARN of the requester's own pre-annotation function, ""
// for a job that has none.
func (j *Job) PreFunction() string { return own(memberPre, "PRE-", j.Human.PreFunctionARN) }

// ConsolidationFunction is the ARN of the requester's own post-annotation
// function, "" for a job that has none.
func (j *Job) ConsolidationFunction() string {
	return own(memberConsolidation, "ACS-", j.Human.ConsolidationFunctionARN)
}

func own(member, prefix, s string) string {
	if suffix, _, err := function(member, prefix, s); err != nil || suffix != ownFunction {
		return ""
	}
	return s
}

// OwnFunction is a function that the requester wrote, with the request member
// that names it.
type OwnFunction struct{ Member, ARN string }

// OwnFunctions are those of the job.
func (j *Job) OwnFunctions() []OwnFunction {
	var out []OwnFunction
	for _, f := range []OwnFunction{{memberPre, j.PreFunction()}, {memberConsolidation, j.ConsolidationFunction()}} {
		if f.ARN != "" {
			out = append(out, f)
		}
	}
	return out
}

// BuiltinTemplate reports whether workers see the built-in template of
// TemplateTaskType.
func (j *Job) BuiltinTemplate() bool {
	if j.Human.TemplateURI != "" || j.Flow != "" {
		return false
	}
	_, builtin := BuiltinUI(j.Human.HumanTaskUIARN)
	return builtin || j.Human.HumanTaskUIARN == ""
}

// TemplateTaskType is the task type whose built-in template the job uses when
// it names no template of its own; Custom: there is none.
func (j *Job) TemplateTaskType() TaskType {
	_, t, err := function(memberPre, "PRE-", j.Human.PreFunctionARN)
	if err != nil {
		return Custom
	}
	return t
}
