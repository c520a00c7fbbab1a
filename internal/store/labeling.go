package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// Labeling implements queue.Store and engine.Store.
type Labeling struct {
	db    *DB
	cache *jobCache
	crowd crowd
	seals columns

	takers takers
	plain  plainLeases
}

// NewLabeling returns the rows of labeling jobs, data objects and assignments in db.
func NewLabeling(db *DB) *Labeling {
	return &Labeling{db: db, cache: newJobCache(), takers: takers{jobs: map[int64]*[maxCrowd]bool{}}, plain: plainLeases{ids: map[string]bool{}}}
}

// Sealed makes l seal answers, drafts and annotations from now on. What was
// written before is read as it is; see Reseal.
func (l *Labeling) Sealed(keys *envelope.Keyset) *Labeling {
	l.seals.keys = keys
	return l
}

// errRace says that a guard did not hold any more when its statement ran: the
// transaction is to be run again.
var errRace = errors.New("another transaction was first")

// write runs fn like DB.Write does, except for PostgreSQL's isolation level:
// read committed. Every change here is a statement that repeats its guard in
// the outer "where", or an insert that a unique key guards, so it is right at
// that level; serializable transactions would abort one another all the time
// where hundreds of workers take from the head of one job.
func (l *Labeling) write(ctx context.Context, fn TxFunc) error {
	return l.retry(ctx, func() error {
		if l.db.dialect == Postgres {
			return l.tryPostgres(ctx, fn)
		}
		return l.db.Write(ctx, fn)
	})
}

// execer runs statements: a transaction, or a database where each is one by itself.
type execer interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

// writeOne is write for a change of one statement, which PostgreSQL makes a
// transaction of by itself: one round trip instead of three.
func (l *Labeling) writeOne(ctx context.Context, fn func(context.Context, execer) error) error {
	if l.db.dialect == Postgres {
		return l.retry(ctx, func() error { return fn(ctx, l.db.writer) })
	}
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return fn(ctx, tx) })
}

// retry calls try until no other transaction is in its way.
func (l *Labeling) retry(ctx context.Context, try func() error) error {
	var err error
	for n := range maxTries {
		err = try()
		if !errors.Is(err, errRace) && !serialization(err) && !(l.db.dialect == Postgres && unique(err)) {
			return wrap("store.Labeling", err)
		}
		select {
		case <-time.After(time.Duration(n) * time.Millisecond):
		case <-ctx.Done():
			return wrap("store.Labeling", ctx.Err())
		case <-l.db.stop:
			return closed()
		}
	}
	return fault.E("store.Labeling", fault.Unavailable, "the database is busy; try again", err)
}

func (l *Labeling) tryPostgres(ctx context.Context, fn TxFunc) error {
	tx, err := l.db.writer.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exec runs a statement and says how many rows it changed.
func exec(ctx context.Context, tx execer, text string, args ...any) (int64, error) {
	r, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// jobSpec is what of a job never changes and no query looks at.
type jobSpec struct {
	ARN, LabelAttributeName                                 string
	TaskType                                                labeling.TaskType
	Input                                                   labeling.Input
	ManifestURI, OutputURI, OutputKMSKeyID, RoleARN, Labels string
	Stopping                                                labeling.StoppingConditions
	Human                                                   labeling.HumanTask
	QualityURI                                              string            `json:",omitempty"`
	Quality                                                 *labeling.Quality `json:",omitempty"`
	Live                                                    *labeling.Live    `json:",omitempty"`
	Request                                                 json.RawMessage
	Flow                                                    string `json:",omitempty"`
}

const jobColumns = `id, name, reference_code, status, ending, failure_reason, note, spec, template, label_config,
	total, human_labeled, machine_labeled, failed, kept, output_manifest, created_at, modified_at, excluded`

// scanJob reads jobColumns.
func scanJob(row interface{ Scan(...any) error }) (*labeling.Job, error) {
	var j labeling.Job
	var spec, config string
	var created, modified int64
	err := row.Scan(&j.ID, &j.Name, &j.ReferenceCode, &j.Status, &j.Ending, &j.FailureReason, &j.Note, &spec, &j.Template, &config,
		&j.Counters.Total, &j.Counters.HumanLabeled, &j.Counters.MachineLabeled, &j.Counters.Failed, &j.Counters.Kept,
		&j.OutputManifestURI, &created, &modified, &j.Counters.Excluded)
	if err != nil {
		return nil, err
	}
	var s jobSpec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return nil, err
	}
	j.ARN, j.LabelAttributeName, j.TaskType, j.Input = s.ARN, s.LabelAttributeName, s.TaskType, s.Input
	j.ManifestURI, j.OutputURI, j.OutputKMSKeyID, j.RoleARN = s.ManifestURI, s.OutputURI, s.OutputKMSKeyID, s.RoleARN
	j.LabelCategoryConfigURI, j.Stopping, j.Human, j.Live, j.Request = s.Labels, s.Stopping, s.Human, s.Live, s.Request
	j.QualityConfigURI, j.Quality = s.QualityURI, s.Quality
	j.Flow = s.Flow
	j.CreatedAt, j.ModifiedAt = Time(created), Time(modified)
	if config != "" {
		j.LabelConfig = json.RawMessage(config)
		c, err := labeling.ParseLabelConfig(j.LabelConfig, j.TaskType)
		if err != nil {
			return nil, err
		}
		j.Labels, j.Instructions, j.AuditLabelAttributeName = c.Labels, c.Instructions, c.AuditLabelAttributeName
	}
	return &j, nil
}

func statusKey(s labeling.Status, name string) string { return string(s) + " " + labeling.Key(name) }

// Create stores a new job.
func (l *Labeling) Create(ctx context.Context, j *labeling.Job) error {
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return createJob(ctx, tx, j) })
}

func createJob(ctx context.Context, tx *sql.Tx, j *labeling.Job) error {
	const op = "store.Labeling.Create"
	spec, err := json.Marshal(jobSpec{
		ARN: j.ARN, LabelAttributeName: j.LabelAttributeName, TaskType: j.TaskType, Input: j.Input,
		ManifestURI: j.ManifestURI, OutputURI: j.OutputURI, OutputKMSKeyID: j.OutputKMSKeyID, RoleARN: j.RoleARN,
		Labels: j.LabelCategoryConfigURI, Stopping: j.Stopping, Human: j.Human, Live: j.Live, Request: j.Request, Flow: j.Flow,
		QualityURI: j.QualityConfigURI, Quality: j.Quality,
	})
	if err != nil {
		return fault.E(op, fault.Internal, "", err)
	}
	n, err := exec(ctx, tx, `insert into labeling_jobs (id, name, name_key, reference_code, workteam, status, status_key, spec,
			workers, max_concurrent, time_limit, availability, created_at, modified_at, flow, prepares, overlap)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) on conflict do nothing`,
		j.ID, j.Name, labeling.Key(j.Name), j.ReferenceCode, j.Human.WorkteamARN, string(j.Status), statusKey(j.Status, j.Name), string(spec),
		j.Human.Workers, j.Human.MaxConcurrent, j.Human.TaskTimeLimit.Microseconds(), j.Human.TaskAvailability.Microseconds(),
		Micros(j.CreatedAt), Micros(j.ModifiedAt), j.Flow, Bool(j.Input == labeling.FunctionInput), j.BeginsWith())
	if err == nil && n == 0 {
		return fault.Coded(op, fault.Exists, "ResourceInUse", "A labeling job named "+labeling.Quote(j.Name)+" exists already. Names are unique in an account and region, whatever the case.")
	}
	return err
}

// Job finds a job by its name, whatever the case.
func (l *Labeling) Job(ctx context.Context, name string) (*labeling.Job, error) {
	const op = "store.Labeling.Job"
	j, err := scanJob(l.db.Read().QueryRowContext(ctx, `select `+jobColumns+` from labeling_jobs where name_key = $1`, labeling.Key(name)))
	if err != nil {
		return nil, notFound(op, err, "Labeling job %s does not exist.", labeling.Quote(name))
	}
	return j, nil
}
