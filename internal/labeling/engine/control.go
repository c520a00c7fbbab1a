package engine

import (
	"context"
	"encoding/json"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/quality"
)

// Control is what quality control reads and writes.
type Control interface {
	// PutGold stores the gold questions of a job, instead of any there are:
	// question n has the index -1-n.
	PutGold(ctx context.Context, h Hold, gold []GoldQuestion) error
	// GoldQuestions answers with them, in their order.
	GoldQuestions(ctx context.Context, job int64) ([]GoldQuestion, error)
	// Facts lists what has happened and was not judged, oldest first.
	Facts(ctx context.Context, job int64, limit int) ([]Fact, error)
	// States are those of the workers named; of all, if none is. A worker of
	// whom nothing is kept has an empty one.
	States(ctx context.Context, job int64, workers ...string) (map[string]*quality.State, error)
	// Judged stores what was found of facts, and forgets them.
	Judged(ctx context.Context, h Hold, v Verdict) error
	// Requeue discards up to limit answers of workers whose answers are to be
	// discarded, and lets their objects be asked for again, those that have a
	// label already too. It answers with how many: 0 when there is nothing left
	// to do, or a batch is under way.
	Requeue(ctx context.Context, h Hold, limit int, now time.Time) (int, error)
	// Barred are the workers who are kept from the job, and until when.
	Barred(ctx context.Context, job int64, now time.Time) (map[string]time.Time, error)
	// Acted adds to what was done in a job, by somebody who does not drive it.
	Acted(ctx context.Context, job int64, a quality.Acted) error
	// Actions are all that was done, the oldest first.
	Actions(ctx context.Context, job int64) ([]quality.Acted, error)
	// AnswerCounts counts the answers to ordinary objects that count, and those
	// that were discarded.
	AnswerCounts(ctx context.Context, job int64) (counted, discarded int64, err error)
}

// GoldQuestion is an object whose label is known.
type GoldQuestion struct {
	Line            []byte // of the gold manifest, without the label
	Label, Metadata []byte
	Asked, Right    int64
}

// Fact is what happened to a worker, as it is stored.
type Fact struct {
	ID      string
	Worker  string
	Index   int64
	Kind    quality.FactKind
	Score   float64
	Took    time.Duration   // of an answer
	Content json.RawMessage // of an answer
}

// Verdict is what was found of some facts.
type Verdict struct {
	Facts   []string // their ids
	States  map[string]*quality.State
	Gold    map[int64]GoldQuestion // by index: to add to Asked and Right
	Another []int64                // objects of which one more answer is wanted
	Actions []quality.Acted
	Now     time.Time
}

// Officer hears of everything that quality control does, before it is done. An
// error keeps it from being done for now.
type Officer interface {
	Acting(ctx context.Context, j *labeling.Job, a quality.Acted) error
}
