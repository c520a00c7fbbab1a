// Package notice tells work teams and workers that there is work.
//
// A team that has a NotificationTopicArn gets a message when a job of its has tasks,
// and when one is about to expire, as Ground Truth does. Its workers get a mail, if
// the server has a mail server: one an hour at most, with all jobs that they were
// not told of. A live job is told of again when it had run dry and has tasks again.
//
// Who was told of what is a row that is written with the promise to tell: replicas
// do not tell twice, and a crash does not swallow a mail.
package notice

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/messaging"
	"fiducial/internal/outbound"
)

// Job is a job in progress.
type Job struct {
	ID        int64
	Name, ARN string
	Title     string
	Team      string // ARN
	CreatedAt time.Time
	Live      bool
	Flow      bool  // it is a flow definition: topics are not told, as A2I has it
	Ready     int64 // objects with the workers
}

// Team is whom to tell.
type Team struct {
	Name     string
	TopicARN string // NotificationTopicArn; "" for none
	Workers  []Worker
}

// Worker is one who may be told by mail.
type Worker struct{ ID, Email string }

// Claim is something that is told once, or again after so long (0: never).
type Claim struct {
	Subject string
	Again   time.Duration
}

// Store keeps who was told of what.
type Store interface {
	JobsInProgress(ctx context.Context) ([]Job, error)
	// Told lists the subjects that begin with the prefix.
	Told(ctx context.Context, prefix string) ([]string, error)
	// Claim notes that the subjects are told now and stores the deliveries, in one
	// transaction, unless one of them was told already: then it does nothing. It
	// reports which.
	Claim(ctx context.Context, claims []Claim, now time.Time, list ...outbound.Delivery) (bool, error)
	// Forget forgets the subjects that begin with the prefix.
	Forget(ctx context.Context, prefix string) error
}

// Teams tell who is in a team; NotFound if it is gone.
type Teams interface {
	Team(ctx context.Context, teamARN string) (Team, error)
}

// Publisher publishes to topics.
type Publisher interface {
	PublishFor(ctx context.Context, service, sourceARN, topicARN string, m messaging.Message) error
}

// Options are what a Service is made of.
type Options struct {
	Store     Store
	Teams     Teams
	Publisher Publisher
	Mail      bool     // workers get mails
	Exclude   []string // addresses that do not
	PortalURL string
	Nudge     func() // deliveries were stored
	Now       func() time.Time
	NewID     func() string
	Log       *slog.Logger
}

// Service tells. Run it with Run.
type Service struct{ o Options }

// New makes a service.
func New(o Options) *Service { return &Service{o} }

// The paces of telling.
const (
	tick          = 5 * time.Second
	mailEvery     = time.Hour      // to one worker
	topicEvery    = time.Hour      // of one live job
	expiresWithin = 24 * time.Hour // tells that a job is about to expire
)

// Run tells until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	for {
		if err := s.Pass(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("work teams cannot be told of work now", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tick):
		}
	}
}

// of is the prefix of all subjects about a job.
func of(j Job) string { return fmt.Sprintf("job/%d/", j.ID) }

// Pass looks once.
func (s *Service) Pass(ctx context.Context) error {
	jobs, err := s.o.Store.JobsInProgress(ctx)
	if err != nil {
		return err
	}
	teams := map[string][]Job{}
	for _, j := range jobs {
		if j.Ready == 0 {
			if j.Live {
				if err := s.o.Store.Forget(ctx, of(j)); err != nil {
					return err
				}
			}
			continue
		}
		teams[j.Team] = append(teams[j.Team], j)
	}
	for _, arn := range slices.Sorted(mapKeys(teams)) {
		t, err := s.o.Teams.Team(ctx, arn)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := s.tell(ctx, arn, t, teams[arn]); err != nil {
			return err
		}
	}
	return nil
}

func mapKeys(m map[string][]Job) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (s *Service) tell(ctx context.Context, arn string, t Team, jobs []Job) error {
	told := map[string]bool{}
	for _, j := range jobs {
		list, err := s.o.Store.Told(ctx, of(j))
		if err != nil {
			return err
		}
		for _, subject := range list {
			told[subject] = true
		}
	}
	if t.TopicARN != "" {
		for _, j := range jobs {
			if j.Flow {
				continue
			}
			if err := s.topic(ctx, arn, t, j, told); err != nil {
				return err
			}
		}
	}
	if !s.o.Mail {
		return nil
	}
	for _, w := range t.Workers {
		if err := s.mail(ctx, w, jobs, told); err != nil {
			return err
		}
	}
	return nil
}

// topic publishes to the team's topic. A topic that refuses is not asked again for
// the same reason: the log and the record say why.
func (s *Service) topic(ctx context.Context, arn string, t Team, j Job, told map[string]bool) error {
	publish := func(claims []Claim, subject, text string) error {
		ok, err := s.o.Store.Claim(ctx, claims, s.o.Now())
		if err != nil || !ok {
			return err
		}
		err = s.o.Publisher.PublishFor(ctx, messaging.ServiceSageMaker, arn, t.TopicARN, messaging.Message{Subject: subject, Body: text})
		switch {
		case err == nil:
		case fault.Is(err, fault.Denied), fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid):
			s.o.Log.Error("a work team's topic was not told", "team", t.Name, "topic", t.TopicARN, "error", err)
		default: // again at the next look
			s.o.Log.Warn("a work team's topic cannot be told now", "team", t.Name, "topic", t.TopicARN, "error", err)
			for _, c := range claims {
				if err := s.o.Store.Forget(ctx, c.Subject); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if key := of(j) + "topic"; !told[key] {
		claims := []Claim{{Subject: key}}
		if j.Live {
			claims = append(claims, Claim{Subject: fmt.Sprintf("topic/%d", j.ID), Again: topicEvery})
		}
		if err := publish(claims, "New labeling tasks for "+cut(t.Name, 60),
			fmt.Sprintf("The labeling job %q has tasks for the work team %s.\n\nTask: %s\nSign in: %s\n", j.Name, t.Name, j.Title, s.o.PortalURL)); err != nil {
			return err
		}
	}
	end := j.CreatedAt.Add(labeling.ExpiresAfter)
	if key := of(j) + "expiring"; !j.Live && !told[key] && end.Sub(s.o.Now()) < expiresWithin {
		return publish([]Claim{{Subject: key}}, "Labeling tasks expire for "+cut(t.Name, 60),
			fmt.Sprintf("The labeling job %q of the work team %s expires at %s.\n\nTask: %s\nSign in: %s\n", j.Name, t.Name, end.UTC().Format(time.RFC3339), j.Title, s.o.PortalURL))
	}
	return nil
}

// mail promises a worker one mail about the jobs that he was not told of.
func (s *Service) mail(ctx context.Context, w Worker, jobs []Job, told map[string]bool) error {
	if w.Email == "" || slices.ContainsFunc(s.o.Exclude, func(x string) bool { return strings.EqualFold(x, w.Email) }) {
		return nil
	}
	var text strings.Builder
	claims := []Claim{{Subject: "mail/" + w.ID, Again: mailEvery}}
	for _, j := range jobs {
		key := of(j) + "mail/" + w.ID
		if told[key] {
			continue
		}
		claims = append(claims, Claim{Subject: key})
		fmt.Fprintf(&text, "  %s\n", oneLine(j.Title))
	}
	if len(claims) == 1 {
		return nil
	}
	body := "There are labeling tasks for you:\n\n" + text.String() + "\nSign in: " + s.o.PortalURL + "\n\nYou get this because you are a member of the work team. You get one such mail an hour at most.\nTo get none, ask whoever runs this service to leave out your address.\n"
	ok, err := s.o.Store.Claim(ctx, claims, s.o.Now(), outbound.Delivery{ID: s.o.NewID(), Kind: outbound.Mail, Origin: "work is there", Target: w.Email,
		Header: map[string]string{"Subject": "Labeling tasks are waiting for you"}, Body: []byte(body), CreatedAt: s.o.Now()})
	if ok && s.o.Nudge != nil {
		s.o.Nudge()
	}
	return err
}

// oneLine keeps a title from making lines of its own in a mail.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}
