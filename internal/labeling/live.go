package labeling

import (
	"time"
	"unicode/utf8"

	"fiducial/internal/fault"
)

// Live makes a job live: data objects arrive while it is in progress (see
// engine.Arrive), and it does not end because nothing is left to do. Its
// stopping conditions and the 30 days of other jobs are not looked at.
type Live struct {
	// InputTopicARN and OutputTopicARN are the topics of a streaming labeling
	// job: objects come from the one, labels go to the other. Either may be
	// empty.
	InputTopicARN  string `json:",omitempty"`
	OutputTopicARN string `json:",omitempty"`
	// IdleAfter ends the job as Stopped when for so long nothing arrived and
	// nothing was left to do. 0: never.
	IdleAfter time.Duration `json:",omitempty"`
	// UnsentAfter is after how long an object that was not sent to a worker
	// fails. 0: never.
	UnsentAfter time.Duration `json:",omitempty"`
}

// Ground Truth's bounds on streaming labeling jobs.
const (
	StreamingIdleAfter   = 10 * 24 * time.Hour
	StreamingUnsentAfter = 14 * 24 * time.Hour
)

// MaxDeduplicationID is the longest deduplication id, in characters.
const MaxDeduplicationID = 1024

// Arrival is a data object that is sent to a live job.
type Arrival struct {
	ID   string // deduplication id, unique in the job: 1-1,024 characters
	Line []byte // as a line of an input manifest
}

// Arrived is what became of an Arrival.
type Arrived struct {
	Index     int64
	Duplicate bool // it was there already; Index is that of the first
}

// CheckArrival reports what is wrong with an arrival that no job may get. What a
// line must have, package manifest and the job's task type say.
func CheckArrival(a Arrival) error {
	const op = "labeling.CheckArrival"
	switch n := utf8.RuneCountInString(a.ID); {
	case n == 0:
		return fault.Newf(op, fault.Invalid, "the data object has no deduplication id")
	case n > MaxDeduplicationID:
		return fault.Newf(op, fault.Invalid, "the deduplication id has %d characters, more than %d", n, MaxDeduplicationID)
	case !utf8.ValidString(a.ID) || !utf8.Valid(a.Line):
		return fault.Newf(op, fault.Invalid, "the data object is not UTF-8")
	case len(a.Line) == 0:
		return fault.Newf(op, fault.Invalid, "the data object is empty")
	}
	for _, r := range a.ID {
		if r == 0 {
			return fault.Newf(op, fault.Invalid, "the deduplication id has a NUL character")
		}
	}
	return nil
}
