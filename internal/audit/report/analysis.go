package report

import (
	"slices"
	"strings"
	"time"

	"fiducial/internal/audit"
)

// analysis is a report in the making.
type analysis struct {
	o   Options
	out Report

	workers map[string]*workerState
	looks   map[lookKey]*Look
	objects map[string]*objectState
	tallies map[tallyKey]*tally
	counts  map[Kind]int // findings so far

	grants  map[string]*grantState // by id
	keys    map[string]*grantState // by access key id
	expires []expiring             // in the order of coming
	swept   time.Time              // when expired ones were last looked for
}

func newAnalysis(o Options) *analysis {
	return &analysis{
		o: o, workers: map[string]*workerState{}, looks: map[lookKey]*Look{}, objects: map[string]*objectState{}, tallies: map[tallyKey]*tally{},
		counts: map[Kind]int{}, grants: map[string]*grantState{}, keys: map[string]*grantState{},
	}
}

type workerState struct {
	Worker
	origin string // at which the worker was seen last
	at     time.Time
	jumps  int
	first  time.Time // jump
	last   time.Time
	places []string // between which
	seen   map[string]struct{}
}

// grantState is a grant that has not expired.
type grantState struct {
	id, key, worker, job, team, object, reach string
	made, expires                             time.Time
	looks, denied                             int
	from                                      []string // addresses that it was used from
	done                                      bool
}

type expiring struct {
	at time.Time
	g  *grantState
}

// objectState is whom an object was shown to.
type objectState struct {
	teams   []string
	readers []string // principals that are no workers
	from    []string
	times   int
	first   time.Time
	last    time.Time
}

// maxGrants bounds the grants that are followed at once.
const maxGrants = 2_000_000

func (a *analysis) add(r *audit.Record) {
	a.out.Records++
	if a.out.First.IsZero() || r.Time.Before(a.out.First) {
		a.out.First = r.Time
	}
	if r.Time.After(a.out.Last) {
		a.out.Last = r.Time
	}
	if r.Time.Sub(a.swept) > time.Minute {
		a.swept = r.Time
		a.expire(r.Time)
	}
	switch r.Kind {
	case audit.Grant:
		a.grant(r)
	case audit.Access:
		a.access(r)
	case audit.SignIn:
		a.signIn(r)
	case audit.Task:
		if a.wanted(r.Worker, r.Job, a.o.Object) && r.Worker != "" {
			a.at(a.worker(r.Worker, r.Time), r)
		}
	}
}

// wanted reports whether a record of these is asked for.
func (a *analysis) wanted(worker, job, object string) bool {
	return (a.o.Worker == "" || a.o.Worker == worker) && (a.o.Job == "" || a.o.Job == job) && (a.o.Object == "" || a.o.Object == object)
}

func (a *analysis) worker(id string, t time.Time) *workerState {
	w := a.workers[id]
	if w == nil {
		w = &workerState{seen: map[string]struct{}{}}
		w.Worker.Worker, w.First = strings.Clone(id), t
		a.workers[w.Worker.Worker] = w
	}
	w.Last = t
	return w
}

// at notes where a worker was seen.
func (a *analysis) at(w *workerState, r *audit.Record) {
	if r.Origin == "" || r.Origin == "unknown" {
		return
	}
	w.Addresses = keep(w.Addresses, r.Origin)
	if w.origin != "" && w.origin != r.Origin && r.Time.Sub(w.at) < a.o.JumpWithin {
		if w.jumps++; w.jumps == 1 {
			w.first = r.Time
		}
		w.last = r.Time
		w.places = keep(keep(w.places, w.origin), r.Origin)
	}
	if w.origin != r.Origin {
		w.origin = strings.Clone(r.Origin)
	}
	w.at = r.Time
}

// keep adds a text to a short set.
func keep(set []string, s string) []string {
	if len(set) >= maxAddresses || slices.Contains(set, s) {
		return set
	}
	return append(set, strings.Clone(s))
}

func (a *analysis) grant(r *audit.Record) {
	object := objectName(r.Resource)
	if !a.wanted(r.Worker, r.Job, object) {
		return
	}
	w := a.worker(r.Worker, r.Time)
	a.at(w, r)
	if r.Verdict != audit.Allow {
		w.Refused++
		a.tally(Refused, r.Time, object, w.Worker.Worker, r.Reason)
		return
	}
	w.Grants++
	g := &grantState{
		id: strings.Clone(r.GrantID), key: strings.Clone(r.AccessKeyID), worker: w.Worker.Worker, job: strings.Clone(r.Job),
		team: strings.Clone(r.Team), object: strings.Clone(object), made: r.Time, expires: r.Expires, reach: strings.Clone(r.Origin),
	}
	if r.MediaAddr != "" {
		g.reach = strings.Clone(r.MediaAddr)
		if g.reach != r.Origin {
			a.tally(Elsewhere, r.Time, object, w.Worker.Worker, r.Origin, g.reach)
		}
	}
	if len(a.expires) >= maxGrants {
		a.close(a.expires[0].g)
		a.expires = a.expires[1:]
	}
	a.grants[g.id], a.keys[g.key] = g, g
	a.expires = append(a.expires, expiring{g.expires, g})
	if o := a.object(g.object); o != nil && g.team != "" {
		o.teams = keep(o.teams, g.team)
	}
}

// slack is how long after its end a grant is still followed: replicas' clocks
// differ, and a request may have begun before.
const slack = 15 * time.Minute

// expire closes the grants that are over at the instant, all for the zero one.
func (a *analysis) expire(now time.Time) {
	rest := a.expires[:0]
	for _, e := range a.expires {
		if now.IsZero() || e.at.Add(slack).Before(now) {
			a.close(e.g)
		} else {
			rest = append(rest, e)
		}
	}
	clear(a.expires[len(rest):])
	a.expires = rest
}

func (a *analysis) close(g *grantState) {
	if g.done {
		return
	}
	g.done = true
	delete(a.grants, g.id)
	delete(a.keys, g.key)
	switch {
	case len(g.from) > 1:
		a.shared(g)
	case g.looks == 0 && g.expires.Before(a.out.Last):
		a.tally(Unused, g.made, g.object, g.worker, g.job)
	}
}

func (a *analysis) object(name string) *objectState {
	o := a.objects[name]
	if o == nil {
		if len(a.objects) >= a.o.MaxRows {
			return nil
		}
		o = &objectState{}
		a.objects[strings.Clone(name)] = o
	}
	return o
}

// media are the actions by which bytes of an object are seen.
func media(action string) bool { return action == "s3:GetObject" || action == "s3:GetObjectVersion" }

func (a *analysis) access(r *audit.Record) {
	g := a.grants[r.GrantID]
	if g == nil && r.AccessKeyID != "" {
		g = a.keys[r.AccessKeyID]
	}
	object, worker, job := objectName(r.Resource), r.Worker, r.Job
	if g != nil && worker == "" {
		worker, job = g.worker, g.job
	}
	if !a.wanted(worker, job, object) {
		return
	}
	if worker == "" {
		a.stranger(r, object)
		return
	}
	w := a.worker(worker, r.Time)
	allowed := r.Verdict == audit.Allow
	if allowed && !media(r.Action) {
		return
	}
	if l := a.look(lookKey{object, worker, "", r.Origin}, r); l != nil {
		if allowed {
			l.Times++
			l.Bytes += r.Size
			if _, ok := w.seen[object]; !ok && len(w.seen) < a.o.MaxRows {
				w.seen[l.Object] = struct{}{}
				w.Objects++
			}
		} else {
			l.Denied++
		}
	}
	if allowed {
		w.Looks++
		if g != nil {
			g.looks++
			g.from = keep(g.from, r.Origin)
		}
		return
	}
	w.Denied++
	a.attempt(r, g, object, w.Worker.Worker)
}

// look is the row of a key; nil when there is no room for it.
func (a *analysis) look(k lookKey, r *audit.Record) *Look {
	l := a.looks[k]
	if l == nil {
		if len(a.looks) >= a.o.MaxRows {
			a.out.LooksOmitted++
			return nil
		}
		k = lookKey{strings.Clone(k.object), strings.Clone(k.worker), strings.Clone(k.principal), strings.Clone(k.origin)}
		l = &Look{Object: k.object, Worker: k.worker, Principal: k.principal, Origin: k.origin, First: r.Time}
		a.looks[k] = l
	}
	l.Last = r.Time
	return l
}

// attempt is a refused request with a worker's URL. Where a grant is not known
// any more its first address stands for it.
func (a *analysis) attempt(r *audit.Record, g *grantState, object, worker string) {
	if g != nil {
		g.denied++
	}
	switch {
	case g != nil && r.GrantID == "":
		a.tally(Changed, r.Time, object, worker, r.Origin, r.Reason)
	case g != nil && r.Origin != g.reach, g == nil && !slices.Contains(a.workers[worker].Addresses, r.Origin):
		a.tally(Attempt, r.Time, object, worker, r.Origin, because(r))
	default:
		a.tally(Late, r.Time, object, worker, because(r))
	}
}

func because(r *audit.Record) string {
	switch {
	case r.Reason != "" && r.Statement != "":
		return r.Reason + " (" + r.Statement + ")"
	case r.Reason != "":
		return r.Reason
	case r.Statement != "":
		return r.Statement
	}
	return r.Error
}

// stranger is an access that is no worker's: a principal's own, or one whose
// caller could not be established.
func (a *analysis) stranger(r *audit.Record, object string) {
	if r.Verdict != audit.Allow {
		if r.Principal == "" && r.AccessKeyID != "" {
			a.tally(Forged, r.Time, object, r.Origin, r.Reason)
		}
		return
	}
	// The server's own reading has no connection, so no method.
	if !media(r.Action) || r.Method == "" {
		return
	}
	if l := a.look(lookKey{object, "", r.Principal, r.Origin}, r); l != nil {
		l.Times++
		l.Bytes += r.Size
	}
	if o := a.object(object); o != nil {
		o.readers, o.from = keep(o.readers, r.Principal), keep(o.from, r.Origin)
		if o.times++; o.times == 1 {
			o.first = r.Time
		}
		o.last = r.Time
	}
}

func (a *analysis) signIn(r *audit.Record) {
	if !a.wanted(r.Worker, a.o.Job, a.o.Object) {
		return
	}
	if r.Verdict == audit.Deny {
		a.tally(SignInFailures, r.Time, "", r.Origin)
		return
	}
	if r.Worker != "" && r.Action != "portal:SignOut" {
		a.at(a.worker(r.Worker, r.Time), r)
	}
}
