package labeling

import (
	"slices"

	"fiducial/internal/fault"
)

// QualityTag is the tag of CreateLabelingJob whose value is the S3 URI of the
// job's quality configuration. Ground Truth's API has no member for it.
const QualityTag = "fiducial:QualityConfigS3Uri"

// Quality is a job's quality configuration. It is read when the job is made
// and never changes. Zero members ask for nothing.
type Quality struct {
	Gold    *Gold         `json:",omitempty"`
	Overlap *Overlap      `json:",omitempty"`
	Rules   []QualityRule `json:",omitempty"`
}

// Gold says which questions with known answers are mixed in, and how often.
type Gold struct {
	ManifestS3Uri      string   // lines with a label each, as an output manifest has them
	LabelAttributeName string   // of the known answers
	OneTaskIn          int      // of so many tasks of a worker, one is gold
	MinScore           float64  // an answer that scores less is wrong
	AcceptTells        []string `json:",omitempty"` // what may give a gold question away, as the requester knows
}

// Overlap lets an object begin with fewer workers than the job asks for.
type Overlap struct {
	MinWorkers   int
	MinAgreement float64 // below it another worker is asked
}

// Collector is what a rule looks at.
type Collector string

// The collectors. Each tells one number of a worker in a job.
const (
	GoldAccuracy  Collector = "GoldAccuracy"      // share of right answers to gold questions
	Agreement     Collector = "Agreement"         // mean score of answers against the consolidated labels
	MedianSeconds Collector = "MedianSeconds"     // median time from taking a task to its answer
	AnswerSeconds Collector = "AnswerSeconds"     // time of the answer just given
	SkipsInARow   Collector = "SkipsInARow"       // tasks declined or released without an answer in between
	SameInARow    Collector = "SameAnswersInARow" // answers alike to the letter, one after the other
)

// QualityRule is collector, condition and actions.
type QualityRule struct {
	Name      string
	Collector Collector
	Window    int      `json:",omitempty"` // the newest so many observations
	MinCount  int      `json:",omitempty"` // with fewer the rule says nothing
	Below     *float64 `json:",omitempty"` // acts if the collector tells less
	AtLeast   *float64 `json:",omitempty"` // or as much
	Actions   []QualityAction
}

// ActionType is what a rule does.
type ActionType string

// The actions. AdmitWorker undoes the first two, and no rule takes it.
const (
	PauseWorker    ActionType = "PauseWorker"    // no tasks of this job for a time
	ExcludeWorker  ActionType = "ExcludeWorker"  // no tasks of this job any more
	RequeueAnswers ActionType = "RequeueAnswers" // the worker's answers are discarded and their objects offered again
	AnotherOpinion ActionType = "AnotherOpinion" // one more worker for this object
	Notify         ActionType = "Notify"         // log and record
	AdmitWorker    ActionType = "AdmitWorker"
)

// QualityAction is one action of a rule.
type QualityAction struct {
	Type    ActionType
	Seconds int64 `json:",omitempty"` // of PauseWorker
}

// HasGold reports whether workers of the job get gold questions.
func (j *Job) HasGold() bool { return j.Quality != nil && j.Quality.Gold != nil }

// BeginsWith is how many workers an object of the job is offered to at first.
func (j *Job) BeginsWith() int {
	if j.Quality != nil && j.Quality.Overlap != nil {
		return min(j.Quality.Overlap.MinWorkers, j.Human.Workers)
	}
	return j.Human.Workers
}

// qualityURI finds where the quality configuration is; "" if there is none.
func qualityURI(tags []Tag) (string, error) {
	i := slices.IndexFunc(tags, func(t Tag) bool { return t.Key == QualityTag })
	if i < 0 {
		return "", nil
	}
	if _, err := ParseS3Object(tags[i].Value); err != nil {
		return "", invalid("labeling.NewJob", "Tags["+QualityTag+"]", "%s", fault.MessageOf(err))
	}
	return tags[i].Value, nil
}
