package labeling

import (
	"encoding/json"
	"slices"
	"time"
)

// AssignmentState is where a lease is.
type AssignmentState string

// The states of an assignment.
const (
	Active    AssignmentState = "active"
	Submitted AssignmentState = "submitted"
	Released  AssignmentState = "released"
	Declined  AssignmentState = "declined"
	Expired   AssignmentState = "expired"
	Discarded AssignmentState = "discarded" // submitted once; quality control took the answer out
)

// Assignment is one worker's lease on one data object.
type Assignment struct {
	ID        string // random, unguessable
	Job       *Job
	Index     int64
	Worker    string
	State     AssignmentState
	TakenAt   time.Time
	ExpiresAt time.Time
	Line      json.RawMessage // the manifest line
	Input     json.RawMessage // what the job's own pre-annotation function made of it; nil: it has none
	Draft     json.RawMessage // the last saved draft; nil: none
	DraftAt   time.Time
	EndedAt   time.Time
}

// Worker is who asks for work: the caller has established who it is and which
// work teams it is in now. A worker whose teams do not include the job's gets
// nothing of that job, not even what it already holds.
type Worker struct {
	ID    string
	Teams []string // work team ARNs
}

// In reports whether the worker is in the team.
func (w Worker) In(team string) bool { return slices.Contains(w.Teams, team) }

// Offer is a job as a worker sees it in the list of jobs.
type Offer struct {
	JobName       string
	JobARN        string
	WorkteamARN   string
	Title         string
	Description   string
	Keywords      []string
	TaskType      TaskType
	TaskTimeLimit time.Duration
	Workers       int
	CreatedAt     time.Time
	Total         int64  // objects of the job
	Finished      int64  // labelled or failed
	Waiting       int64  // objects that this worker could still get, now or later
	HasWork       bool   // Take would give a task now
	Done          int64  // submitted by this worker
	Flow          string // the flow definition, if it is no labeling job
	Resume        string // the worker's own live assignment in the job, or ""
}
