package quality

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"fiducial/internal/labeling/consolidate/classes"
)

// Report is what a requester sees of a job's quality control.
type Report struct {
	LabelingJobName string
	Config          any // the configuration in force, as JSON
	Workers         []WorkerReport
	Gold            []GoldReport `json:",omitempty"`
	Actions         []Acted
	Answers         int64 // of ordinary objects that count
	Discarded       int64 // taken out by RequeueAnswers
}

// WorkerReport is one worker in a job.
type WorkerReport struct {
	WorkerId string
	Status   string     // Admitted, Paused, Excluded
	Until    *time.Time `json:",omitempty"` // of Paused
	Answers  int64      // gold questions too
	Skips    int64
	Gold     *Share `json:",omitempty"` // right answers to gold questions
	// Agreement is the mean score against the labels that the worker's answers
	// went into.
	Agreement     *float64 `json:",omitempty"`
	Compared      int64
	MedianSeconds float64 // of the newest MaxWindow answers
	Actions       int
}

// Share is a share with the interval where the true one lies with 95 %
// probability (Wilson).
type Share struct {
	Right, Asked     int64
	Value, Low, High float64
}

// ShareOf makes one; nil of nothing.
func ShareOf(right, asked int64) *Share {
	if asked == 0 {
		return nil
	}
	low, high := classes.Wilson(float64(right), float64(asked))
	return &Share{right, asked, float64(right) / float64(asked), low, high}
}

// GoldReport is how one gold question was answered. One that good workers
// answer wrong is a wrong question.
type GoldReport struct {
	Line   int64 // of the gold manifest, from 1
	Source string
	Share
}

// Acted is an action that was taken.
type Acted struct {
	Number   int64 // in the job, from 1
	Time     time.Time
	Action   string
	Rule     string `json:",omitempty"`
	WorkerId string
	// ObjectId is the datasetObjectId of the object that it was about; a gold
	// question has none.
	ObjectId string     `json:",omitempty"`
	Detail   string     // in words
	Until    *time.Time `json:",omitempty"`
	By       string     `json:",omitempty"` // who, where it was no rule
}

// Of tells of one worker.
func Of(worker string, s *State) WorkerReport {
	r := WorkerReport{WorkerId: worker, Status: "Admitted", Answers: s.Answers, Skips: s.Skips,
		Gold: ShareOf(s.GoldRight, s.GoldAsked), Compared: s.Compared, MedianSeconds: s.Median()}
	if s.Compared > 0 {
		mean := s.Agreed / float64(s.Compared)
		r.Agreement = &mean
	}
	return r
}

// JSON is the report as a file.
func (r *Report) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// Sort puts those first who answered most.
func (r *Report) Sort() {
	slices.SortFunc(r.Workers, func(a, b WorkerReport) int {
		return cmp.Or(cmp.Compare(b.Answers, a.Answers), cmp.Compare(a.WorkerId, b.WorkerId))
	})
}
