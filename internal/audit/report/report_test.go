package report_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/audit"
	"fiducial/internal/audit/report"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	ana  = "private.us-east-1.000000000000000a"
	ben  = "private.us-east-1.000000000000000b"
	team = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/cats"
	dogs = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/dogs"
)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// grant is one made for a worker at an address, for half an hour.
func grant(minute int, id, worker, from string) audit.Event {
	return audit.Event{Time: at(minute), Kind: audit.Grant, Verdict: audit.Allow, Action: "s3:GetObject", Worker: worker, Job: "boxes", Team: team,
		GrantID: id, AccessKeyID: "ASIA" + id, Resource: "arn:aws:s3:::media/1.jpg", Origin: from, Bound: "aws:SourceIp " + from + "/32", Expires: at(minute + 30)}
}

// look is a use of a grant.
func look(minute int, id, worker, from string) audit.Event {
	return audit.Event{Time: at(minute), Kind: audit.Access, Verdict: audit.Allow, Action: "s3:GetObject", Worker: worker, Job: "boxes", Team: team, Method: "GET",
		GrantID: id, AccessKeyID: "ASIA" + id, Resource: "arn:aws:s3:::media/1.jpg", Origin: from, Size: 1000, Status: 200}
}

func refused(e audit.Event, statement, reason string) audit.Event {
	e.Verdict, e.Statement, e.Reason, e.Status = audit.Deny, statement, reason, 403
	return e
}

func with(e audit.Event, change func(*audit.Event)) audit.Event {
	change(&e)
	return e
}

// end is something that happens when every grant is over.
var end = audit.Event{Time: at(600), Kind: audit.Server, Action: "stop"}

func build(t *testing.T, o report.Options, events ...audit.Event) *report.Report {
	t.Helper()
	r, err := report.Build(context.Background(), func(_ context.Context, f func(*audit.Record) error) (int, error) {
		for _, e := range events {
			if err := f(&audit.Record{Event: e}); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFindings(t *testing.T) {
	type finding struct {
		kind  report.Kind
		count int
		text  string
	}
	for _, c := range []struct {
		name   string
		events []audit.Event
		want   []finding
	}{
		{"a day without remark", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"), look(2, "g1", ana, "192.0.2.1"), end}, nil},
		{"a grant used from two addresses", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"), look(2, "g1", ana, "192.0.2.9"), end},
			[]finding{{report.Shared, 2, "grant g1, made for worker " + ana + " at 192.0.2.1, was used from 192.0.2.1 and 192.0.2.9"}}},
		{"two grants, one address each", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), grant(20, "g2", ana, "192.0.2.9"), look(1, "g1", ana, "192.0.2.1"), look(21, "g2", ana, "192.0.2.9"), end}, nil},
		{"a stranger tries a worker's URL", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"),
			refused(look(2, "g1", ana, "198.51.100.7"), "session policy, statement 1", "aws:SourceIp does not match"),
			refused(look(3, "g1", ana, "198.51.100.7"), "session policy, statement 1", "aws:SourceIp does not match"), end},
			[]finding{{report.Attempt, 2, "URLs made for worker " + ana + " were tried 2 times from 198.51.100.7, which is not where they were made for; refused: aws:SourceIp does not match (session policy, statement 1)"}}},
		{"long after the grant was over", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"),
			refused(look(300, "g1", ana, "198.51.100.7"), "", "Request has expired"), end},
			[]finding{{report.Attempt, 1, "were tried once from 198.51.100.7"}}},
		{"the worker comes too late", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"),
			refused(look(2, "g1", ana, "192.0.2.1"), "revocation", "the grant has ended with its assignment"), end},
			[]finding{{report.Late, 1, "were tried once from where they were made for, and refused: the grant has ended with its assignment (revocation)"}}},
		{"a changed URL still says whose it was", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"),
			{Time: at(2), Kind: audit.Access, Verdict: audit.Deny, AccessKeyID: "ASIAg1", Origin: "192.0.2.1", Resource: "arn:aws:s3:::media/2.jpg", Reason: "the signature does not match"}, end},
			[]finding{{report.Changed, 1, "a URL made for worker " + ana + " was changed and tried once from 192.0.2.1; refused: the signature does not match"}}},
		{"a key that nobody has", []audit.Event{
			{Time: at(2), Kind: audit.Access, Verdict: audit.Deny, AccessKeyID: "AKIANOBODY", Origin: "198.51.100.7", Reason: "no such key"}, end},
			[]finding{{report.Forged, 1, "1 request came from 198.51.100.7 with a key or signature that is not valid; refused: no such key"}}},
		{"a worker jumps to and fro", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), grant(2, "g2", ana, "198.51.100.7"), grant(4, "g3", ana, "192.0.2.1"),
			look(5, "g1", ana, "192.0.2.1"), look(5, "g2", ana, "198.51.100.7"), look(5, "g3", ana, "192.0.2.1"), end},
			[]finding{{report.Jumps, 2, "worker " + ana + " changed address 2 times within 10 minutes of being seen at another: 192.0.2.1 and 198.51.100.7"}}},
		{"a worker who moves at leisure", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"), grant(60, "g2", ana, "198.51.100.7"), look(61, "g2", ana, "198.51.100.7"), end}, nil},
		{"two workers, two addresses", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"), grant(2, "g2", ben, "198.51.100.7"), look(3, "g2", ben, "198.51.100.7"), end}, nil},
		{"an administrator looks", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"),
			{Time: at(2), Kind: audit.Access, Verdict: audit.Allow, Action: "s3:GetObject", Principal: "arn:aws:iam::000000000000:user/eve", Method: "GET", Origin: "203.0.113.5", Resource: "arn:aws:s3:::media/1.jpg", Size: 9}, end},
			[]finding{{report.Outside, 1, "s3://media/1.jpg, which workers are shown, was also read once by arn:aws:iam::000000000000:user/eve from 203.0.113.5, without a grant"}}},
		{"an administrator looks at something else", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"),
			{Time: at(2), Kind: audit.Access, Verdict: audit.Allow, Action: "s3:GetObject", Principal: "arn:aws:iam::000000000000:user/eve", Method: "GET", Origin: "203.0.113.5", Resource: "arn:aws:s3:::media/other", Size: 9}, end}, nil},
		{"the server reads for its job", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"),
			{Time: at(2), Kind: audit.Access, Verdict: audit.Allow, Action: "s3:GetObject", Principal: "arn:aws:sts::000000000000:assumed-role/x/job", Origin: "unknown", Resource: "arn:aws:s3:::media/1.jpg"}, end}, nil},
		{"two teams see one object", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"),
			with(grant(2, "g2", ben, "192.0.2.2"), func(e *audit.Event) { e.Team = dogs }), look(3, "g2", ben, "192.0.2.2"), end},
			[]finding{{report.Outside, 2, "s3://media/1.jpg was shown to the workers of 2 teams"}}},
		{"grants without a look", []audit.Event{grant(0, "g1", ana, "192.0.2.1"), grant(1, "g2", ana, "192.0.2.1"), end},
			[]finding{{report.Unused, 2, "2 grants for worker " + ana + " in job boxes ended without a look"}}},
		{"grants that are not over yet", []audit.Event{grant(0, "g1", ana, "192.0.2.1")}, nil},
		{"media from another network", []audit.Event{with(grant(0, "g1", ana, "2001:db8::1"), func(e *audit.Event) { e.MediaAddr = "192.0.2.1" }), look(1, "g1", ana, "192.0.2.1"), end},
			[]finding{{report.Elsewhere, 1, "reaches the portal from 2001:db8::1 and the media from 192.0.2.1 (1 grant)"}}},
		{"no grant for the worker", []audit.Event{refused(grant(0, "", ana, "192.0.2.1"), "", "the address is not known"), end},
			[]finding{{report.Refused, 1, "worker " + ana + " asked once for media and got none: the address is not known"}}},
		{"passwords are guessed", append(repeat(7, audit.Event{Time: at(0), Kind: audit.SignIn, Verdict: audit.Deny, Origin: "198.51.100.7"}), end),
			[]finding{{report.SignInFailures, 7, "7 attempts to sign in from 198.51.100.7 failed"}}},
		{"a password is mistyped", append(repeat(2, audit.Event{Time: at(0), Kind: audit.SignIn, Verdict: audit.Deny, Origin: "198.51.100.7"}), end), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, report.Options{}, c.events...)
			if len(r.Findings) != len(c.want) {
				t.Fatalf("findings %+v, want %d", r.Findings, len(c.want))
			}
			for i, w := range c.want {
				if f := r.Findings[i]; f.Kind != w.kind || f.Count != w.count || !strings.Contains(f.Text, w.text) {
					t.Errorf("got %s, %d: %s\nwant %s, %d: %s", f.Kind, f.Count, f.Text, w.kind, w.count, w.text)
				}
			}
		})
	}
}

func repeat(n int, e audit.Event) []audit.Event {
	out := make([]audit.Event, n)
	for i := range out {
		out[i] = e
	}
	return out
}

func TestRows(t *testing.T) {
	events := []audit.Event{
		grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1"), look(3, "g1", ana, "192.0.2.1"),
		refused(look(4, "g1", ana, "198.51.100.7"), "s", "r"), grant(5, "g2", ben, "192.0.2.2"), look(6, "g2", ben, "192.0.2.2"), end,
	}
	r := build(t, report.Options{}, events...)
	if d := cmp.Diff([]report.Worker{
		{Worker: ana, Grants: 1, Looks: 2, Denied: 1, Objects: 1, Addresses: []string{"192.0.2.1"}, First: at(0), Last: at(4)},
		{Worker: ben, Grants: 1, Looks: 1, Objects: 1, Addresses: []string{"192.0.2.2"}, First: at(5), Last: at(6)},
	}, r.Workers); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]report.Look{
		{Object: "s3://media/1.jpg", Worker: ana, Origin: "192.0.2.1", Times: 2, Bytes: 2000, First: at(1), Last: at(3)},
		{Object: "s3://media/1.jpg", Worker: ana, Origin: "198.51.100.7", Denied: 1, First: at(4), Last: at(4)},
		{Object: "s3://media/1.jpg", Worker: ben, Origin: "192.0.2.2", Times: 1, Bytes: 1000, First: at(6), Last: at(6)},
	}, r.Looks); d != "" {
		t.Error(d)
	}
	for name, c := range map[string]struct {
		o    report.Options
		want int
	}{
		"a worker": {report.Options{Worker: ben}, 1}, "an object": {report.Options{Object: "s3://media/1.jpg"}, 3}, "an object by ARN": {report.Options{Object: "arn:aws:s3:::media/1.jpg"}, 3},
		"another object": {report.Options{Object: "s3://media/2.jpg"}, 0}, "a job": {report.Options{Job: "boxes"}, 3}, "another job": {report.Options{Job: "x"}, 0},
	} {
		if got := len(build(t, c.o, events...).Looks); got != c.want {
			t.Errorf("%s: %d looks, want %d", name, got, c.want)
		}
	}
}

// However much there is, what is held is bounded, and what is left out is said.
func TestBounds(t *testing.T) {
	var events []audit.Event
	for i := range 5000 {
		id := fmt.Sprintf("g%d", i)
		e := grant(i, id, ana, "192.0.2.1")
		e.Resource = fmt.Sprintf("arn:aws:s3:::media/%d.jpg", i)
		l := look(i, id, ana, fmt.Sprintf("192.0.2.%d", i%200))
		l.Resource = e.Resource
		events = append(events, e, l, refused(with(l, func(e *audit.Event) { e.Origin = fmt.Sprintf("198.51.100.%d", i) }), "s", "r"))
	}
	r := build(t, report.Options{MaxRows: 100}, events...)
	if len(r.Looks) != 100 || r.LooksOmitted == 0 || r.FindingsOmitted == 0 {
		t.Errorf("%d looks, %d omitted, %d findings omitted", len(r.Looks), r.LooksOmitted, r.FindingsOmitted)
	}
	if w := r.Workers[0]; w.Looks != 5000 || w.Denied != 5000 || w.Grants != 5000 {
		t.Errorf("the sums are of everything: %+v", w)
	}
}

// From files of two chains, in the order of time.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	now := func() time.Time { return at(0) }
	a, err := audit.OpenFile(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := audit.OpenFile(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	g, l := grant(0, "g1", ana, "192.0.2.1"), look(1, "g1", ana, "192.0.2.1") // made by one, used at the other
	for f, e := range map[*audit.File]*audit.Event{a: &l, b: &g} {
		if err := f.Record(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := report.Build(context.Background(), report.Folder(dir, audit.Between{}), report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != 0 || len(r.Looks) != 1 || r.Records != 4 {
		t.Errorf("got %+v", r)
	}
	r, err = report.Build(context.Background(), report.Folder(dir, audit.Between{From: at(1), To: at(2)}), report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Records != 1 || len(r.Looks) != 1 {
		t.Errorf("of one minute: %+v", r)
	}
}
