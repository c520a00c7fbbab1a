// Package report reads the record of decisions and says who saw what from where,
// and what in it a security officer should look at.
//
// It goes once through the records in the order of time, however many there are.
// What it holds is: the grants that have not expired, one row for every worker,
// object and address (up to Options.MaxRows, then it counts what it leaves out
// and says so), and examples of each finding up to a limit.
//
// A grant is followed by its id, and by its access key id where a request was
// refused before its session was opened: a URL that somebody changed still says
// whose it was.
package report

import (
	"context"
	"sort"
	"strings"
	"time"

	"fiducial/internal/audit"
)

// Options say what to report on.
type Options struct {
	Worker, Job, Object string // only this one; empty for all. Object is an ARN or s3://bucket/key
	MaxRows             int    // rows of looks and of objects that are kept; 0 for 100,000

	// JumpWithin is how soon after being seen at one address a worker at another
	// has jumped; 0 for ten minutes.
	JumpWithin time.Duration
}

// Report is the outcome. Its lists are sorted.
type Report struct {
	First      time.Time `json:"first,omitzero"` // of the records that were read
	Last       time.Time `json:"last,omitzero"`
	Records    int       `json:"records"`
	Unreadable int       `json:"unreadable"` // lines that are no records

	Findings []Finding `json:"findings"`
	Workers  []Worker  `json:"workers"`
	Looks    []Look    `json:"looks"`

	// What was left out because there was too much of it.
	LooksOmitted    int `json:"looksOmitted,omitempty"`
	FindingsOmitted int `json:"findingsOmitted,omitempty"`
}

// Worker is what one worker did.
type Worker struct {
	Worker    string    `json:"worker"`
	Grants    int       `json:"grants"`
	Refused   int       `json:"refused"` // grants that were asked for and not made
	Looks     int       `json:"looks"`
	Denied    int       `json:"denied"` // requests with a URL of the worker's that were refused, whoever made them
	Objects   int       `json:"objects"`
	Addresses []string  `json:"addresses"` // that the worker was seen at, in the order of appearance; at most maxAddresses
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// Look is what was seen of one object by one worker, or other principal, from
// one address.
type Look struct {
	Object    string    `json:"object"`
	Worker    string    `json:"worker,omitempty"`
	Principal string    `json:"principal,omitempty"` // where there is no worker
	Origin    string    `json:"origin"`
	Times     int       `json:"times"`
	Denied    int       `json:"denied"`
	Bytes     int64     `json:"bytes"` // that the answers announced
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// Source calls its argument with every record in the order of time; audit.Read
// with a folder and a time is one.
type Source func(ctx context.Context, f func(*audit.Record) error) (unreadable int, err error)

// Folder is the source of a folder's records of a time.
func Folder(dir string, when audit.Between) Source {
	return func(ctx context.Context, f func(*audit.Record) error) (int, error) {
		return audit.Read(ctx, dir, when, func(r *audit.Record, _ []byte) error { return f(r) })
	}
}

// Build goes through the records.
func Build(ctx context.Context, src Source, o Options) (*Report, error) {
	if o.MaxRows <= 0 {
		o.MaxRows = 100_000
	}
	if o.JumpWithin <= 0 {
		o.JumpWithin = 10 * time.Minute
	}
	o.Object = objectName(o.Object)
	a := newAnalysis(o)
	n, err := src(ctx, func(r *audit.Record) error { a.add(r); return nil })
	if err != nil {
		return nil, err
	}
	a.out.Unreadable = n
	a.finish()
	return &a.out, nil
}

// objectName is s3://bucket/key for an ARN of an object, and anything else as
// it is.
func objectName(resource string) string {
	if name, ok := strings.CutPrefix(resource, "arn:aws:s3:::"); ok && strings.Contains(name, "/") {
		return "s3://" + name
	}
	return resource
}

type lookKey struct{ object, worker, principal, origin string }

// maxAddresses bounds the addresses kept of one worker, object or grant.
const maxAddresses = 20

func (a *analysis) finish() {
	a.expire(time.Time{})
	for _, w := range a.workers {
		a.jumps(w)
		a.out.Workers = append(a.out.Workers, w.Worker)
	}
	for _, l := range a.looks {
		a.out.Looks = append(a.out.Looks, *l)
	}
	a.objectFindings()
	a.tallied()
	sort.Slice(a.out.Workers, func(i, j int) bool { return a.out.Workers[i].Worker < a.out.Workers[j].Worker })
	sort.Slice(a.out.Looks, func(i, j int) bool {
		x, y := &a.out.Looks[i], &a.out.Looks[j]
		if x.Object != y.Object {
			return x.Object < y.Object
		}
		if x.Worker != y.Worker {
			return x.Worker < y.Worker
		}
		if x.Principal != y.Principal {
			return x.Principal < y.Principal
		}
		return x.Origin < y.Origin
	})
	sort.SliceStable(a.out.Findings, func(i, j int) bool {
		x, y := &a.out.Findings[i], &a.out.Findings[j]
		if x.Kind != y.Kind {
			return order[x.Kind] < order[y.Kind]
		}
		if !x.First.Equal(y.First) {
			return x.First.Before(y.First)
		}
		return x.Text < y.Text
	})
}
