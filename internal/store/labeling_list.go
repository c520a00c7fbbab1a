package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
)

// listQuery collects conditions and their parameters.
type listQuery struct {
	where []string
	args  []any
}

// add appends a condition; each %s in it is the parameter.
func (q *listQuery) add(condition string, value any) {
	q.args = append(q.args, value)
	q.where = append(q.where, strings.ReplaceAll(condition, "%s", "$"+strconv.Itoa(len(q.args))))
}

func (q *listQuery) contains(column, part string) {
	if part != "" {
		q.add(column+` like %s escape '\'`, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part)+"%")
	}
}

func (q *listQuery) between(column string, after, before time.Time) {
	if !after.IsZero() {
		q.add(column+" > %s", Micros(after))
	}
	if !before.IsZero() {
		q.add(column+" < %s", Micros(before))
	}
}

// List implements engine.Jobs. Paging is by position, so that a page costs the
// same wherever it is and nothing is skipped or repeated when jobs are added.
func (l *Labeling) List(ctx context.Context, f engine.Filter) ([]*labeling.Job, bool, error) {
	const op = "store.Labeling.List"
	var q listQuery
	if !f.Flows {
		q.where = append(q.where, "flow = ''")
	}
	if f.Workteam != "" {
		q.add("workteam = %s", f.Workteam)
	}
	if f.Status != "" {
		q.add("status = %s", string(f.Status))
	}
	q.contains("name_key", labeling.Key(f.NameContains))
	q.contains("reference_code", f.ReferenceCodeContains)
	q.between("created_at", f.CreatedAfter, f.CreatedBefore)
	q.between("modified_at", f.ModifiedAfter, f.ModifiedBefore)
	column := map[engine.SortBy]string{engine.ByName: "name_key", engine.ByStatus: "status_key"}[f.SortBy]
	if column == "" {
		column = "created_at"
	}
	direction, beyond := "asc", ">"
	if f.Descending {
		direction, beyond = "desc", "<"
	}
	if err := q.after(f, column, beyond); err != nil {
		return nil, false, err
	}
	text := "select " + jobColumns + " from labeling_jobs"
	if len(q.where) > 0 {
		text += " where " + strings.Join(q.where, " and ")
	}
	text += fmt.Sprintf(" order by %s %s, id %s limit %d", column, direction, direction, f.Limit+1)
	rows, err := l.db.Read().QueryContext(ctx, text, q.args...)
	if err != nil {
		return nil, false, wrap(op, err)
	}
	defer rows.Close()
	var jobs []*labeling.Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, false, wrap(op, err)
		}
		jobs = append(jobs, j)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, false, wrap(op, err)
	}
	if len(jobs) > f.Limit {
		return jobs[:f.Limit], true, nil
	}
	return jobs, false, nil
}

// after adds the condition "behind the position".
func (q *listQuery) after(f engine.Filter, column, beyond string) error {
	if f.After == nil {
		return nil
	}
	var key any = f.After.Key
	if column == "created_at" {
		n, err := strconv.ParseInt(f.After.Key, 10, 64)
		if err != nil {
			return fault.Newf("store.Labeling.List", fault.Invalid, "the position is not one of this order")
		}
		key = n
	}
	q.args = append(q.args, key, f.After.ID)
	n := len(q.args)
	q.where = append(q.where, fmt.Sprintf("(%s %s $%d or (%[1]s = $%[3]d and id %[2]s $%[4]d))", column, beyond, n-1, n))
	return nil
}
