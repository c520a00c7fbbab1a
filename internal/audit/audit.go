// Package audit keeps the record of every decision: which grant was made for
// whom, who opened what from where, who was refused and by which statement.
//
// A record is one JSON object on one line. Record returns after write(2) has
// handed the line to the kernel, so that it survives the death of this process
// at any instant; callers write it before they act (hand out a URL, send the
// first byte). No byte of an object, no key, no signature and no token ever
// stands in a record.
//
// # The chain
//
// Every process writes a chain of its own, so that replicas never wait for each
// other. A chain has a random name and one file a UTC day, <day>.<chain>.jsonl.
// Each line ends with its number in the chain and a hash:
//
//	{…,"seq":42,"hash":"<64 hex digits>"}
//	hash = SHA-256( hash of line 41 as 32 bytes ‖ the line up to, without, `,"hash":` )
//
// Line 1 follows 32 zero bytes. The first line of a file is of kind "chain" and
// repeats the hash of the line before it (prev), which stands at the end of the
// file it names (previous). So a line that was changed, removed, moved or added
// shows, and so does a missing file: Verify says which.
//
// What a chain alone cannot show is that its end was cut off, or that all of it
// was made again. For that there is the head: the number and hash of the last
// line, kept outside the folder, signed with a key of the installation, written
// anew every second; and printed on demand, so that an officer can keep it where
// no administrator of the machine reaches (see Head).
//
// A chain that cannot be continued (its end is missing or damaged) is left as
// it is and another is begun, whose first line says why.
package audit

import (
	"context"
	"time"
)

// Verdict is what was decided.
type Verdict string

// The verdicts.
const (
	Allow Verdict = "allow"
	Deny  Verdict = "deny"
)

// Kind is what sort of decision a record tells of.
type Kind string

// The kinds of record.
const (
	Grant   Kind = "grant"   // a media URL was made for a worker
	Revoke  Kind = "revoke"  // grants were ended
	Access  Kind = "access"  // a request to the S3 endpoint
	API     Kind = "api"     // a request to another API
	SignIn  Kind = "signin"  // somebody signed in, out, or tried to
	Task    Kind = "task"    // a worker accepted, submitted, released or declined a task
	Quality Kind = "quality" // a rule of a labeling job, or its requester, acted on a worker
	Server  Kind = "server"  // start, stop, configuration
	Chain   Kind = "chain"   // of the record itself: a file begun, resumed, retired
)

// Event is one record. Empty members are left out.
type Event struct {
	Time      time.Time
	Kind      Kind
	RequestID string
	Action    string // IAM action: "s3:GetObject"
	Verdict   Verdict
	Statement string // the statement or rule that decided
	Reason    string // in words
	Error     string // error code sent to the client

	Principal   string // ARN
	AccessKeyID string
	Worker      string
	Job         string
	Team        string
	Assignment  string
	GrantID     string
	SignInID    string // a name of the portal session that is not its secret

	Resource string // ARN or s3://bucket/key
	Origin   string // address, with the VPC endpoint where there is one
	Bound    string // for a grant: the origin that it was bound to
	Expires  time.Time
	Method   string
	Status   int
	Size     int64 // bytes that will be sent
	Agent    string

	// Where the worker's browser reaches the media from, where that was found
	// out, and where it had been reaching them from until now.
	MediaAddr   string
	FormerMedia string
	Place       string // the place that a grant rests on
}

// Recorder takes records.
type Recorder interface {
	Record(ctx context.Context, e *Event) error
}

// RecordAll records several events, with one write where the Recorder knows how
// (it has a method of this name). When it returns nil all are on record; after an
// error none may be acted on, though some may be on record.
func RecordAll(ctx context.Context, r Recorder, events []Event) error {
	if all, ok := r.(interface {
		RecordAll(ctx context.Context, events []Event) error
	}); ok {
		return all.RecordAll(ctx, events)
	}
	for i := range events {
		if err := r.Record(ctx, &events[i]); err != nil {
			return err
		}
	}
	return nil
}

// Discard records nothing. For tests of other things only.
type Discard struct{}

// Record does nothing.
func (Discard) Record(context.Context, *Event) error { return nil }
