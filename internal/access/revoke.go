package access

import (
	"context"
	"errors"
	"strings"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
)

// Revoke ends every grant that rests on one of the subjects. When it returns nil
// the revocation is durable, on record, in force here, and in force everywhere
// within a second. When it fails it is in force here all the same, and Run goes
// on trying to write it down.
func (s *Service) Revoke(ctx context.Context, reason string, subjects ...Subject) error {
	const op = "access.Revoke"
	if len(subjects) == 0 {
		return nil
	}
	for _, sub := range subjects {
		if s.index.counts[sub.Kind] == nil || (sub.ID == "") != (sub.Kind == OfAll) {
			return fault.Newf(op, fault.Internal, "%q is nothing that a grant can rest on", sub.String())
		}
	}
	now := s.o.Now().UTC()
	rows := make([]Revocation, len(subjects))
	for i, sub := range subjects {
		// In force at once. The number is provisional: no epoch given out so far
		// is above it, nor above the one that the row will get.
		rows[i] = Revocation{Seq: int64(s.Epoch()), Subject: sub, Reason: reason, At: now, Expires: now.Add(LongestSession + slack)}
		s.index.add(&rows[i])
	}
	return errors.Join(s.save(rows), s.record(ctx, revocationEvent(now, reason, subjects)))
}

// batch is the revocations that are written together: with hundreds of workers
// submitting at once, one commit serves them all.
type batch struct {
	rows []Revocation
	done chan struct{}
	err  error
}

// save writes rows, together with those of whoever comes while an earlier write
// is under way.
func (s *Service) save(rows []Revocation) error {
	s.batchMu.Lock()
	b := s.batch
	first := b == nil
	if first {
		b = &batch{done: make(chan struct{})}
		s.batch = b
	}
	b.rows = append(b.rows, rows...)
	s.batchMu.Unlock()
	if first {
		s.writeMu.Lock()
		s.batchMu.Lock()
		s.batch = nil // closed: the next comer begins another
		s.batchMu.Unlock()
		b.err = s.write(b.rows)
		s.writeMu.Unlock()
		close(b.done)
	}
	<-b.done
	return b.err
}

// write writes rows and those that an earlier write could not; writeMu is held.
// No request's context counts: the write is everybody's.
func (s *Service) write(rows []Revocation) error {
	rows = append(s.unsaved, rows...)
	s.unsaved = nil
	if len(rows) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	last, err := s.o.Store.AddRevocations(ctx, rows)
	if err != nil {
		s.unsaved = rows
		return fault.E("access.Revoke", fault.Unavailable, "the end of access could not be written down yet", err)
	}
	before := last - int64(len(rows))
	for i := range rows {
		rows[i].Seq = before + int64(i) + 1
		s.index.add(&rows[i])
	}
	if s.known.CompareAndSwap(before, last) {
		return nil
	}
	// Other replicas' rows come before ours, and are not known here yet: what is
	// known may not pass over them. The rows are written, so that a failure to
	// read is not one of this write; Run reads again.
	if err := s.refresh(ctx); err != nil {
		s.o.Log.Warn("revocations of other replicas were not read", "error", err)
	}
	return nil
}

// record writes an event; what cannot be recorded is an error.
func (s *Service) record(ctx context.Context, e *audit.Event) error {
	return s.o.Audit.Record(context.WithoutCancel(ctx), e)
}

func revocationEvent(now time.Time, reason string, subjects []Subject) *audit.Event {
	e := &audit.Event{Time: now, Kind: audit.Revoke, Reason: reason}
	for _, sub := range subjects {
		if sub.Kind == OfObject {
			sub.ID = "arn:aws:s3:::" + sub.ID
		}
		member := map[string]*string{
			OfAssignment: &e.Assignment, OfSignIn: &e.SignInID, OfJob: &e.Job, OfGrant: &e.GrantID,
			OfWorker: &e.Worker, OfTeam: &e.Team, OfPlace: &e.Place, OfAll: &e.Resource, OfObject: &e.Resource, OfJobMedia: &e.Job,
		}[sub.Kind]
		id := sub.ID
		if sub.Kind == OfAll {
			id = "*"
		}
		*member = strings.TrimPrefix(*member+" "+id, " ")
	}
	return e
}
