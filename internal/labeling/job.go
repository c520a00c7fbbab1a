package labeling

import (
	"encoding/json"
	"time"
)

// Status is a job's state, in AWS's words.
type Status string

// The states of a job.
const (
	Initializing Status = "Initializing"
	InProgress   Status = "InProgress"
	Completed    Status = "Completed"
	Failed       Status = "Failed"
	Stopping     Status = "Stopping"
	Stopped      Status = "Stopped"
)

// Ended reports whether the job will never change again.
func (s Status) Ended() bool { return s == Completed || s == Failed || s == Stopped }

// Counters are a job's LabelCounters. They are kept, not counted.
type Counters struct {
	Total          int64 // data objects of the job; known when ingestion has ended
	HumanLabeled   int64
	MachineLabeled int64
	Failed         int64 // FailedNonRetryableError
	// Kept lines brought a label of the job's attribute name along. They are
	// not sent to workers, come out as they went in, and are in no other counter.
	Kept int64
	// Excluded objects need no human annotation, says the job's pre-annotation
	// function. They come out as they went in, and count as unlabelled.
	Excluded int64
}

// Labeled is TotalLabeled.
func (c Counters) Labeled() int64 { return c.HumanLabeled + c.MachineLabeled }

// Unlabeled is how many objects have neither a label nor a failure.
func (c Counters) Unlabeled() int64 { return c.Total - c.Labeled() - c.Failed }

// StoppingConditions end a job before every object has its label. Zero: not set.
type StoppingConditions struct {
	MaxHumanLabeledObjectCount         int64
	MaxPercentageOfInputDatasetLabeled int64 // 1-100
}

// Limit is how many of total objects may be labelled.
func (s StoppingConditions) Limit(total int64) int64 {
	n := total
	if s.MaxHumanLabeledObjectCount > 0 {
		n = min(n, s.MaxHumanLabeledObjectCount)
	}
	if p := s.MaxPercentageOfInputDatasetLabeled; p > 0 && p < 100 {
		n = min(n, (total*p+99)/100)
	}
	return n
}

// HumanTask says who labels, with what, and for how long.
type HumanTask struct {
	WorkteamARN              string
	TemplateURI              string // UiTemplateS3Uri; empty: the built-in template of the pre-annotation function
	HumanTaskUIARN           string
	PreFunctionARN           string
	ConsolidationFunctionARN string
	Title, Description       string
	Keywords                 []string
	Workers                  int           // NumberOfHumanWorkersPerDataObject, 1-9
	TaskTimeLimit            time.Duration // how long a lease lasts
	TaskAvailability         time.Duration // how long an object is offered
	MaxConcurrent            int           // MaxConcurrentTaskCount, 1-5000
}

// Tag is a key and value that a requester put on a job.
type Tag struct{ Key, Value string }

// Job is a labeling job. What is set at its creation never changes; the second
// half is what the engine finds out and does.
type Job struct {
	ID                     int64 // ours, never shown
	Name                   string
	ARN                    string
	ReferenceCode          string // JobReferenceCode
	LabelAttributeName     string
	TaskType               TaskType
	Input                  Input
	ManifestURI            string
	OutputURI              string // S3OutputPath
	OutputKMSKeyID         string
	RoleARN                string
	LabelCategoryConfigURI string
	Stopping               StoppingConditions
	Human                  HumanTask
	Tags                   []Tag
	QualityConfigURI       string          // where Quality was read; "": there is none
	Quality                *Quality        // nil: no quality control
	Live                   *Live           // nil: all objects are in the manifest
	Request                json.RawMessage // CreateLabelingJob's input as it was accepted, for Describe to echo
	CreatedAt              time.Time

	Status            Status
	Ending            Status // the final status that the engine is working towards; "": none yet
	FailureReason     string
	Note              string // why the engine waits, while it does: storage is away, say
	Counters          Counters
	OutputManifestURI string // OutputDatasetS3Uri; empty until it is written
	ModifiedAt        time.Time

	Template     string // the worker task template's text; empty before InProgress
	Labels       []Label
	Instructions Instructions
	// AuditLabelAttributeName names the label that is adjusted or verified, when
	// the label category configuration does.
	AuditLabelAttributeName string
	// LabelConfig is the label category configuration file as it was read;
	// nil for a job without one.
	LabelConfig json.RawMessage

	// Flow is the flow definition whose human loops are the job's objects; "" for
	// a labeling job. Such a job is not shown as one: see package review.
	Flow string
}

// ExpiresAfter is how long a job may take, as Ground Truth bounds it.
const ExpiresAfter = 30 * 24 * time.Hour

// Label is one label category.
type Label struct {
	Name             string // "label"
	DisplayName      string // "fullDisplayName" or "displayName", when the file has one
	ShortDisplayName string
}

// Instructions for workers, HTML, from the label category configuration file.
type Instructions struct{ Short, Full string }

// LabelNames are the names of the job's label categories in the file's order:
// a label's class id is its place here.
func (j *Job) LabelNames() []string {
	names := make([]string, len(j.Labels))
	for i, l := range j.Labels {
		names[i] = l.Name
	}
	return names
}
