package access

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// index is the live revocations in memory. Subjects are kept as 64-bit keyed
// hashes: every submitted task leaves one for half a day, and a million of them
// should not weigh more than some tens of megabytes. Two subjects that collide
// would end a grant too early, once in 2^64 pairs.
type index struct {
	seed   maphash.Seed
	counts map[string]*atomic.Int64 // never changed after init; zero spares the look-up
	shards [64]shard
}

type shard struct {
	mu   sync.RWMutex
	rows map[uint64]row
}

// row is the highest revocation of a subject.
type row struct {
	seq     int64
	expires int64 // Unix seconds
}

func (x *index) init() {
	x.seed = maphash.MakeSeed()
	x.counts = map[string]*atomic.Int64{}
	for _, k := range [...]string{OfAssignment, OfSignIn, OfJob, OfGrant, OfWorker, OfTeam, OfPlace, OfAll, OfObject, OfJobMedia} {
		x.counts[k] = &atomic.Int64{}
	}
	for i := range x.shards {
		x.shards[i].rows = map[uint64]row{}
	}
}

func (x *index) key(s Subject) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	_, _ = h.WriteString(s.Kind)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(s.ID)
	return h.Sum64()
}

// add notes a revocation. Counts only grow.
func (x *index) add(r *Revocation) {
	n := x.counts[r.Subject.Kind]
	if n == nil {
		return // of a newer version; its grants are too
	}
	k := x.key(r.Subject)
	sh := &x.shards[k%uint64(len(x.shards))]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	old := sh.rows[k]
	sh.rows[k] = row{max(old.seq, r.Seq), max(old.expires, r.Expires.Unix())}
	n.Add(1) // after the row: whoever reads zero came before the revocation
}

// last returns the number of the latest revocation of a subject, 0 if none lives.
func (x *index) last(s Subject) int64 {
	if x.counts[s.Kind].Load() == 0 {
		return 0
	}
	k := x.key(s)
	sh := &x.shards[k%uint64(len(x.shards))]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.rows[k].seq
}

// sweep drops what has expired and returns how many rows are left. It locks a
// sixty-fourth of the index at a time.
func (x *index) sweep(now time.Time) int {
	left := 0
	for i := range x.shards {
		sh := &x.shards[i]
		sh.mu.Lock()
		for k, r := range sh.rows {
			if r.expires < now.Unix() {
				delete(sh.rows, k)
			}
		}
		left += len(sh.rows)
		sh.mu.Unlock()
	}
	return left
}
