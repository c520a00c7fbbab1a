package labeling

import (
	"encoding/json"
	"strconv"
	"time"
)

// ObjectState is where a data object is on its way to a label.
type ObjectState string

// The states of a data object.
const (
	ObjectQueued    ObjectState = "queued"
	ObjectPreparing ObjectState = "preparing" // awaits the pre-annotation function's answer
	ObjectReady     ObjectState = "ready"
	ObjectRequeued  ObjectState = "requeued" // comes back to the workers when there is room
	ObjectAnswered  ObjectState = "answered" // has its answers, awaits consolidation
	ObjectLabeled   ObjectState = "labeled"
	ObjectFailed    ObjectState = "failed"
	ObjectExcluded  ObjectState = "excluded" // its function says that it needs no human annotation
)

// DataObject is one line of a job's input manifest.
type DataObject struct {
	Job   int64
	Index int64  // from 0, in the manifest's order; its text is the datasetObjectId
	Line  []byte // as it stands in the manifest, without the line end
}

// ID is the datasetObjectId.
func (o *DataObject) ID() string { return strconv.FormatInt(o.Index, 10) }

// Answer is one worker's submitted answer to one data object.
type Answer struct {
	Worker      string          // worker id
	Content     json.RawMessage // answerContent: an object keyed by element name
	AcceptedAt  time.Time       // when the worker took the task
	SubmittedAt time.Time
}

// Answered is a data object with the answers that it got, in the order in
// which they were submitted. There is at least one.
type Answered struct {
	DataObject
	Wanted  int // answers; closed by time or by a stop, an object has fewer
	Answers []Answer
}

// Consolidated is what consolidation makes of one Answered object: the two
// values that its manifest line gets, or the reason why there is no label.
type Consolidated struct {
	Index    int64
	Label    json.RawMessage // value of LabelAttributeName
	Metadata json.RawMessage // value of LabelAttributeName-metadata
	Failure  string          // not empty: no label could be made, and why
	// Again: the workers disagree, and one more is asked before there is a label.
	Again bool
	// Scores are how far each answer agrees with the label, for quality control.
	Scores []Score
}

// Score is how far one worker's answer agrees with a label: 0 to 1.
type Score struct {
	Worker string
	Value  float64
}
