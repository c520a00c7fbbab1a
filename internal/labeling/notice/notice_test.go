package notice_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/notice"
	"fiducial/internal/messaging"
	"fiducial/internal/outbound"
)

// memory is a notice.Store with jobs that the test sets.
type memory struct {
	jobs []notice.Job
	told map[string]time.Time
	sent []outbound.Delivery
}

func (m *memory) JobsInProgress(context.Context) ([]notice.Job, error) { return m.jobs, nil }

func (m *memory) Told(_ context.Context, prefix string) (out []string, _ error) {
	for s := range m.told {
		if strings.HasPrefix(s, prefix) {
			out = append(out, s)
		}
	}
	return out, nil
}

func (m *memory) Claim(_ context.Context, claims []notice.Claim, now time.Time, list ...outbound.Delivery) (bool, error) {
	for _, c := range claims {
		if at, ok := m.told[c.Subject]; ok && (c.Again == 0 || now.Sub(at) < c.Again) {
			return false, nil
		}
	}
	for _, c := range claims {
		m.told[c.Subject] = now
	}
	m.sent = append(m.sent, list...)
	return true, nil
}

func (m *memory) Forget(_ context.Context, prefix string) error {
	for s := range m.told {
		if strings.HasPrefix(s, prefix) {
			delete(m.told, s)
		}
	}
	return nil
}

type team notice.Team

func (t team) Team(_ context.Context, arn string) (notice.Team, error) {
	if arn == "gone" {
		return notice.Team{}, fault.Newf("test", fault.NotFound, "gone")
	}
	return notice.Team(t), nil
}

type topic struct {
	got []string
	err error
}

func (p *topic) PublishFor(_ context.Context, service, source, arn string, m messaging.Message) error {
	if _, err := messaging.CheckMessage(m, "Message"); err != nil {
		return err
	}
	if p.err == nil {
		p.got = append(p.got, service+" for "+source+" to "+arn+": "+m.Subject)
	}
	return p.err
}

// Teams and workers are told once of a job, workers once an hour at most, and of a
// live job again when it had run dry.
func TestPass(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m, p, id := &memory{told: map[string]time.Time{}}, &topic{}, 0
	s := notice.New(notice.Options{Store: m, Teams: team{Name: "readers", TopicARN: "topic", Workers: []notice.Worker{{"ann", "ann@example.org"}, {"ben", "Ben@example.org"}, {"cy", ""}}},
		Publisher: p, Mail: true, Exclude: []string{"ben@example.org"}, PortalURL: "https://portal", Now: func() time.Time { return now },
		NewID: func() string { id++; return fmt.Sprint(id) }, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	pass := func(mails, messages int) {
		t.Helper()
		for range 2 { // a second look changes nothing
			if err := s.Pass(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if len(m.sent) != mails || len(p.got) != messages {
			t.Errorf("%d mails and %d messages, want %d and %d: %v", len(m.sent), len(p.got), mails, messages, p.got)
		}
	}
	plain := notice.Job{ID: 1, Name: "one", Title: "Find\nbirds", Team: "arn", CreatedAt: now, Ready: 3}
	live := notice.Job{ID: 2, Name: "two", Title: "Read", Team: "arn", CreatedAt: now, Live: true}
	m.jobs = []notice.Job{plain, live, {ID: 3, Team: "gone", Ready: 1, CreatedAt: now}, {ID: 4, Team: "arn", CreatedAt: now}}
	pass(1, 1)
	if d := m.sent[0]; d.Kind != outbound.Mail || d.Target != "ann@example.org" || !strings.Contains(string(d.Body), "  Find birds\n") || !strings.Contains(string(d.Body), "https://portal") {
		t.Errorf("%+v", d)
	}
	if want := "sagemaker.amazonaws.com for arn to topic: New labeling tasks for readers"; p.got[0] != want {
		t.Errorf("got %s, want %s", p.got[0], want)
	}
	m.jobs[1].Ready = 1
	pass(1, 2) // the topic at once, the worker after the hour
	now = now.Add(time.Hour)
	pass(2, 2)
	if body := string(m.sent[1].Body); strings.Contains(body, "birds") || !strings.Contains(body, "Read") {
		t.Errorf("the second mail is %s", body)
	}
	m.jobs[1].Ready = 0
	pass(2, 2)
	m.jobs[1].Ready = 1
	pass(2, 3) // it had run dry, an hour ago
	m.jobs[1].Ready = 0
	pass(2, 3)
	m.jobs[1].Ready = 1
	now = now.Add(59 * time.Minute)
	pass(2, 3)
	now = now.Add(time.Minute)
	pass(3, 4)
	// About to expire: the plain job alone.
	now = plain.CreatedAt.Add(29*24*time.Hour + time.Second)
	pass(3, 5)
	if !strings.Contains(p.got[4], "expire") {
		t.Errorf("got %s", p.got[4])
	}
	// A topic that is away is told later, one that refuses is not.
	m.jobs = append(m.jobs, notice.Job{ID: 5, Name: "five", Title: "t", Team: "arn", CreatedAt: now, Ready: 1})
	p.err = errors.New("away")
	pass(4, 5)
	p.err = nil
	pass(4, 6)
	m.jobs = append(m.jobs, notice.Job{ID: 6, Name: "six", Title: "t", Team: "arn", CreatedAt: now, Ready: 1})
	p.err = fault.Newf("test", fault.Denied, "no")
	pass(4, 6)
	p.err = nil
	pass(4, 6)
	if slices.ContainsFunc(m.sent, func(d outbound.Delivery) bool { return d.Target != "ann@example.org" }) {
		t.Errorf("mails went to %+v", m.sent)
	}
}
