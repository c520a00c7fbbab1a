package store

import (
	"context"
	"database/sql"
	"slices"

	"golang.org/x/sync/errgroup"

	"fiducial/internal/labeling/engine"
)

// Bounds of a page of rows.
const (
	firstPage = 500 // rows
	pageRows  = 2000
	pageBytes = 1 << 20
)

// sealedRow is a row as it stands in the database.
type sealedRow struct {
	engine.Row
	label, metadata string
}

// Rows implements engine.Work. It reads in pages, and none while fn waits for
// somebody: one long query would keep SQLite from checkpointing for as long as
// the output takes. While fn has one page the next is read.
func (l *Labeling) Rows(ctx context.Context, id int64, fn func(engine.Row) error) error {
	pages, read := make(chan []sealedRow, 1), make(chan []sealedRow, 3)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(pages)
		r := pager{l: l, job: id, after: -1, rows: firstPage}
		for {
			var page []sealedRow
			select {
			case page = <-read: // room that is not needed any more
			default:
			}
			page, err := r.next(ctx, page[:0])
			if err != nil || len(page) == 0 {
				return err
			}
			select {
			case pages <- page:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	g.Go(func() error {
		var scratch []byte
		for page := range pages {
			for i := range page {
				r, err := l.openRow(id, &page[i], &scratch)
				if err != nil {
					return err
				}
				if err := fn(r); err != nil {
					return err
				}
			}
			clear(page)
			select {
			case read <- page:
			default:
			}
		}
		return nil
	})
	return g.Wait()
}

// pager reads a job's rows page by page: a range of lines, and the same range of
// results. To join them in the database is to look for each result by itself, and
// takes several times as long.
type pager struct {
	l     *Labeling
	job   int64
	after int64 // index of the last row that was read
	rows  int   // of the next page: as many as have pageBytes, by the last one
}

// next appends the next page; nothing if there are no more rows.
func (p *pager) next(ctx context.Context, page []sealedRow) ([]sealedRow, error) {
	const op = "store.Labeling.Rows"
	page, size, err := p.lines(ctx, page)
	if err != nil || len(page) == 0 {
		return page, wrap(op, err)
	}
	if page, size, err = p.results(ctx, page, size); err != nil {
		return page, wrap(op, err)
	}
	p.after = page[len(page)-1].Index
	p.rows = max(1, min(pageRows, len(page)*pageBytes/max(1, size)))
	return page, nil
}

// lines appends lines, up to a page's bytes, and tells how many these are.
func (p *pager) lines(ctx context.Context, page []sealedRow) (_ []sealedRow, size int, err error) {
	rows, err := p.l.db.Read().QueryContext(ctx, `select idx, line, kept from data_objects
		where job = $1 and idx > $2 order by idx limit $3`, p.job, p.after, p.rows)
	if err != nil {
		return page, 0, err
	}
	defer rows.Close()
	for size < pageBytes && rows.Next() {
		var r sealedRow
		var kept int
		if err := rows.Scan(&r.Index, &r.Line, &kept); err != nil {
			return page, size, err
		}
		r.Kept, r.Unfit = kept == keptLabel, kept == keptUnfit
		page = append(page, r)
		size += len(r.Line)
	}
	return page, size, rows.Err()
}

// results adds the results to the lines of a page. If they are so long that the
// page becomes too large it ends earlier.
func (p *pager) results(ctx context.Context, page []sealedRow, size int) ([]sealedRow, int, error) {
	rows, err := p.l.db.Read().QueryContext(ctx, `select idx, label, metadata, failure from labeling_results
		where job = $1 and idx > $2 and idx <= $3 order by idx`, p.job, p.after, page[len(page)-1].Index)
	if err != nil {
		return page, size, err
	}
	defer rows.Close()
	for i := 0; rows.Next(); {
		var idx int64
		var label, metadata, failure string
		if err := rows.Scan(&idx, &label, &metadata, &failure); err != nil {
			return page, size, err
		}
		for i < len(page) && page[i].Index < idx {
			i++
		}
		if i == len(page) {
			break
		}
		if r := &page[i]; r.Index == idx {
			r.label, r.metadata, r.Failure = label, metadata, failure
		}
		if size += len(label) + len(metadata); size >= 2*pageBytes {
			page = page[:i+1]
			break
		}
	}
	return page, size, rows.Err()
}

// scanSealed reads a line with its result.
func scanSealed(rows *sql.Rows) (r sealedRow, err error) {
	var kept int
	err = rows.Scan(&r.Index, &r.Line, &kept, &r.label, &r.metadata, &r.Failure)
	r.Kept, r.Unfit = kept == keptLabel, kept == keptUnfit
	return r, err
}

// openRow opens the annotations of a row.
func (l *Labeling) openRow(job int64, r *sealedRow, scratch *[]byte) (_ engine.Row, err error) {
	if r.label != "" {
		if r.Label, err = l.annotation(r.label, labelOf(job, r.Index), scratch); err != nil {
			return r.Row, err
		}
	}
	if r.metadata != "" {
		r.Metadata, err = l.annotation(r.metadata, metadataOf(job, r.Index), scratch)
	}
	return r.Row, err
}

// annotation opens a column of labeling_results or quality_gold.
func (l *Labeling) annotation(text, of string, scratch *[]byte) ([]byte, error) {
	*scratch = slices.Grow((*scratch)[:0], len(text))
	return l.seals.appendOpen(*scratch, text, of)
}
