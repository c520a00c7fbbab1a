package accesskey

import (
	"sync"
	"time"
)

// maxCounted bounds what a limiter remembers.
const maxCounted = 10_000

// limiter counts attempts. Secrets have 240 random bits and are not guessed: it
// keeps the noise out of the record and the work off the processor.
type limiter struct {
	mu     sync.Mutex
	counts map[string]*tally
}

type tally struct {
	since time.Time
	n     int
}

// counted is what attempts are counted by, and how many are allowed within
// attemptsWithin.
type counted struct {
	name string
	most int
}

// allow counts one attempt under each name, and reports whether all are below
// their limits.
func (l *limiter) allow(now time.Time, by ...counted) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil || len(l.counts) > maxCounted {
		l.forget(now)
	}
	ok := true
	for _, c := range by {
		t := l.counts[c.name]
		if t == nil || now.Sub(t.since) >= attemptsWithin {
			t = &tally{since: now}
			l.counts[c.name] = t
		}
		t.n++
		ok = ok && t.n <= c.most
	}
	return ok
}

// forget drops what is over. If it is all recent, everything goes: somebody with
// ten thousand addresses is not stopped by a list of them.
func (l *limiter) forget(now time.Time) {
	for name, t := range l.counts {
		if now.Sub(t.since) >= attemptsWithin {
			delete(l.counts, name)
		}
	}
	if l.counts == nil || len(l.counts) > maxCounted {
		l.counts = map[string]*tally{}
	}
}
