package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is a sort of finding.
type Kind string

// The kinds, the gravest first.
const (
	Shared         Kind = "grant-used-from-several-addresses"
	Outside        Kind = "object-seen-outside-the-team"
	Attempt        Kind = "attempt-from-elsewhere"
	Changed        Kind = "changed-url"
	Forged         Kind = "unknown-signature"
	Jumps          Kind = "worker-address-jumps"
	SignInFailures Kind = "sign-in-failures"
	Elsewhere      Kind = "media-address-differs"
	Refused        Kind = "grant-refused"
	Late           Kind = "used-after-the-end"
	Unused         Kind = "grants-never-used"
)

var order = map[Kind]int{Shared: 0, Outside: 1, Attempt: 2, Changed: 3, Forged: 4, Jumps: 5, SignInFailures: 6, Elsewhere: 7, Refused: 8, Late: 9, Unused: 10}

// Finding is something a person should look at, in words.
type Finding struct {
	Kind    Kind      `json:"kind"`
	Text    string    `json:"text"`
	Count   int       `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Worker  string    `json:"worker,omitempty"`
	Grant   string    `json:"grant,omitempty"`
	Objects []string  `json:"objects,omitempty"` // examples
	Origins []string  `json:"origins,omitempty"`
}

// Limits of what is kept of findings.
const (
	maxFindings = 1000 // of a kind
	maxExamples = 3
	maxTallies  = 100_000
)

// minSignInFailures is from how many on a person should look.
const minSignInFailures = 5

func (a *analysis) find(f Finding) {
	if a.counts[f.Kind]++; a.counts[f.Kind] > maxFindings {
		a.out.FindingsOmitted++
		return
	}
	a.out.Findings = append(a.out.Findings, f)
}

// tally counts what happens often and is one finding: the same kind with the
// same parts.
type tally struct {
	count       int
	first, last time.Time
	objects     []string
}

type tallyKey struct {
	kind  Kind
	parts [3]string
}

func (a *analysis) tally(kind Kind, at time.Time, object string, parts ...string) {
	k := tallyKey{kind: kind}
	copy(k.parts[:], parts)
	t := a.tallies[k]
	if t == nil {
		if len(a.tallies) >= maxTallies {
			a.out.FindingsOmitted++
			return
		}
		for i := range k.parts {
			k.parts[i] = strings.Clone(k.parts[i])
		}
		t = &tally{first: at}
		a.tallies[k] = t
	}
	t.count++
	t.last = at
	if object != "" && len(t.objects) < maxExamples && !slices.Contains(t.objects, object) {
		t.objects = append(t.objects, strings.Clone(object))
	}
}

// tallied turns what was counted into findings.
func (a *analysis) tallied() {
	for k, t := range a.tallies {
		f := Finding{Kind: k.kind, Count: t.count, First: t.first, Last: t.last, Objects: t.objects}
		p := k.parts
		switch k.kind {
		case Attempt:
			f.Worker, f.Origins = p[0], []string{p[1]}
			f.Text = fmt.Sprintf("URLs made for worker %s were tried %s from %s, which is not where they were made for; refused: %s", p[0], times(t.count), p[1], p[2])
		case Changed:
			f.Worker, f.Origins = p[0], []string{p[1]}
			f.Text = fmt.Sprintf("a URL made for worker %s was changed and tried %s from %s; refused: %s", p[0], times(t.count), p[1], p[2])
		case Forged:
			f.Origins = []string{p[0]}
			f.Text = fmt.Sprintf("%s came from %s with a key or signature that is not valid; refused: %s", requests(t.count), p[0], p[1])
		case Late:
			f.Worker = p[0]
			f.Text = fmt.Sprintf("URLs made for worker %s were tried %s from where they were made for, and refused: %s", p[0], times(t.count), p[1])
		case Elsewhere:
			f.Worker, f.Origins = p[0], []string{p[1], p[2]}
			f.Text = fmt.Sprintf("worker %s reaches the portal from %s and the media from %s (%s): two networks, or IPv6 and IPv4 of one", p[0], p[1], p[2], grants(t.count))
		case Refused:
			f.Worker = p[0]
			f.Text = fmt.Sprintf("worker %s asked %s for media and got none: %s", p[0], times(t.count), p[1])
		case Unused:
			f.Worker = p[0]
			f.Text = fmt.Sprintf("%s for worker %s in job %s ended without a look", grants(t.count), p[0], p[1])
		case SignInFailures:
			if t.count < minSignInFailures {
				continue
			}
			f.Origins = []string{p[0]}
			f.Text = fmt.Sprintf("%d attempts to sign in from %s failed", t.count, p[0])
		}
		a.find(f)
	}
}

func (a *analysis) shared(g *grantState) {
	a.find(Finding{
		Kind: Shared, Count: g.looks, First: g.made, Last: g.expires, Worker: g.worker, Grant: g.id, Objects: []string{g.object}, Origins: g.from,
		Text: fmt.Sprintf("grant %s, made for worker %s at %s, was used from %s: the team's media are not bound to one address", g.id, g.worker, g.reach, and(g.from)),
	})
}

func (a *analysis) jumps(w *workerState) {
	if w.jumps == 0 {
		return
	}
	a.find(Finding{
		Kind: Jumps, Count: w.jumps, First: w.first, Last: w.last, Worker: w.Worker.Worker, Origins: w.places,
		Text: fmt.Sprintf("worker %s changed address %s within %s of being seen at another: %s", w.Worker.Worker, times(w.jumps), short(a.o.JumpWithin), and(w.places)),
	})
}

// objectFindings: media that a team was shown and others saw too.
func (a *analysis) objectFindings() {
	for name, o := range a.objects {
		if len(o.teams) > 1 {
			a.find(Finding{Kind: Outside, Count: len(o.teams), First: a.out.First, Last: a.out.Last, Objects: []string{name},
				Text: fmt.Sprintf("%s was shown to the workers of %d teams: %s", name, len(o.teams), and(o.teams))})
		}
		if len(o.teams) > 0 && o.times > 0 {
			a.find(Finding{Kind: Outside, Count: o.times, First: o.first, Last: o.last, Objects: []string{name}, Origins: o.from,
				Text: fmt.Sprintf("%s, which workers are shown, was also read %s by %s from %s, without a grant", name, times(o.times), and(o.readers), and(o.from))})
		}
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func requests(n int) string { return count(n, "request") }
func grants(n int) string   { return count(n, "grant") }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func short(d time.Duration) string {
	if d%time.Minute == 0 {
		return count(int(d/time.Minute), "minute")
	}
	return d.String()
}

// and joins texts; a long list is cut.
func and(list []string) string {
	const most = 5
	n := len(list)
	switch {
	case n == 0:
		return "nobody"
	case n == 1:
		return list[0]
	case n > most:
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", n-most)
	}
	return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
}
