package quality

import (
	"crypto/sha256"
	"encoding/binary"
)

// Slots are when a worker of a job gets gold questions. Secret is the job's
// id, which is random and never shown.
type Slots struct {
	Secret int64
	Worker string
	Every  int // one task in so many
}

// place is where in run b the gold question stands: 0 to Every-1.
func (s Slots) place(b int64) int64 { return int64(s.hash("slot", b) % uint64(s.Every)) }

func (s Slots) hash(what string, n int64) uint64 {
	b := binary.BigEndian.AppendUint64([]byte(what), uint64(s.Secret))
	b = binary.BigEndian.AppendUint64(b, uint64(n))
	sum := sha256.Sum256(append(b, s.Worker...))
	return binary.BigEndian.Uint64(sum[:])
}

// Due reports whether the worker's task after n others is a gold question.
func (s Slots) Due(n int64) bool { return s.place(n/int64(s.Every)) == n%int64(s.Every) }

// First is from which of gold questions (0 to count-1) on to look for one that
// the worker has not had. It stays the same until the task has ended, so that
// a gold question that is given back comes back like any other object.
func (s Slots) First(n, count int64) int64 { return int64(s.hash("gold", n) % uint64(count)) }

// Ahead is how many gold questions, of at most left, come before the last of
// so many ordinary tasks, for a worker whose next task comes after n others.
// What a worker is told is waiting counts them in: it goes down by one with
// every task, whichever kind it was.
func (s Slots) Ahead(n, ordinary, left int64) int64 {
	if ordinary <= 0 || left <= 0 {
		return 0
	}
	every := int64(s.Every)
	run, off := n/every, n%every
	gold := int64(0)
	here, at := every-off, s.place(run)
	if at >= off {
		here--
	}
	if at >= off && at-off < ordinary {
		gold++
	}
	if ordinary > here {
		ordinary -= here
		whole := (ordinary - 1) / (every - 1)
		rest := ordinary - whole*(every-1)
		gold += whole
		if s.place(run+1+whole) < rest {
			gold++
		}
	}
	return min(gold, left)
}
