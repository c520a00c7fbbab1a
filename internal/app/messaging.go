package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fiducial/internal/config"
	"fiducial/internal/envelope"
	"fiducial/internal/events"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/notice"
	"fiducial/internal/labeling/stream"
	"fiducial/internal/messaging"
	"fiducial/internal/messaging/aws"
	"fiducial/internal/objects"
	"fiducial/internal/outbound"
	"fiducial/internal/outbound/mail"
	"fiducial/internal/store"
)

// openMessaging makes topics and queues, what is promised to others, and events.
func (a *App) openMessaging(ctx context.Context, columns *envelope.Keyset) error {
	m := a.settings.Messaging
	secrets, err := webhookSecrets(m.Webhooks, os.LookupEnv)
	if err != nil {
		return err
	}
	var hooks []events.Webhook
	hosts := outbound.Hosts(m.OutboundHosts)
	reachable := append(outbound.Hosts{}, hosts...) // webhooks go where the operator said
	for _, w := range m.Webhooks {
		hooks = append(hooks, events.Webhook{Name: w.Name, URL: w.URL, Events: w.Events})
		if u, err := url.Parse(w.URL); err == nil {
			reachable = append(reachable, hostOf(u))
		}
	}
	senders := map[string]outbound.Sender{outbound.HTTP: outbound.NewWeb(outbound.Web{Hosts: reachable, Now: a.now,
		Secret: func(origin string) []byte { return secrets[origin] }})}
	if m.SMTPAddr != "" {
		senders[outbound.Mail] = mail.New(mail.Options{Addr: m.SMTPAddr, TLS: m.SMTPTLS, User: m.SMTPUser, Password: m.SMTPPassword.Reveal(), From: m.SMTPFrom, Now: a.now})
	}
	deliveries, eventRows := store.NewOutbound(a.db, columns), store.NewEvents(a.db, columns)
	watch := a.countDeliveries(deliveries, eventRows)
	a.outbound = outbound.New(outbound.Options{Store: deliveries, Senders: senders, Watch: watch, Now: a.now, Log: a.log.With("part", "outbound")})
	a.s3Events = outbound.New(outbound.Options{Store: eventRows, Senders: map[string]outbound.Sender{objects.EventNotification: eventSender{a}},
		Watch: watch, Now: a.now, Log: a.log.With("part", "event notifications")})
	elsewhere, err := a.topicsElsewhere(ctx)
	if err != nil {
		return err
	}
	a.messaging = messaging.New(messaging.Options{Store: store.NewMessaging(a.db, columns), IAM: a.iam, Audit: a.recorder, Hosts: hosts, Elsewhere: elsewhere, Nudge: a.outbound.Nudge,
		Region: a.settings.Region, Account: a.settings.AccountID, URL: a.apiURL, Now: a.now, Random: a.rand, NewID: a.newID, Log: a.log.With("part", "messaging")})
	a.events = events.New(events.Options{Webhooks: hooks, Topic: m.EventTopic, Promises: a.outbound, Publisher: a.messaging,
		Account: a.settings.AccountID, Region: a.settings.Region, Now: a.now, NewID: a.newID, Log: a.log.With("part", "events")})
	a.notices = notice.New(notice.Options{Store: store.NewNotices(a.db, columns), Teams: crews{a}, Publisher: a.messaging, Mail: m.SMTPAddr != "", Exclude: m.SMTPExclude,
		PortalURL: a.portalURL, Nudge: a.outbound.Nudge, Now: a.now, NewID: a.newID, Log: a.log.With("part", "notices")})
	return nil
}

func (a *App) newID() string { return newID(a.rand) }

// topicsElsewhere is a nil interface where every topic is kept here.
func (a *App) topicsElsewhere(ctx context.Context) (messaging.Elsewhere, error) {
	m := a.settings.Messaging
	if len(m.ElsewhereTopics) == 0 {
		return nil, nil
	}
	return aws.New(ctx, aws.Options{Topics: m.ElsewhereTopics, SNSEndpoint: m.SNSEndpoint, SQSEndpoint: m.SQSEndpoint})
}

func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// minSecret is the shortest secret of a webhook, in bytes.
const minSecret = 16

// webhookSecrets reads the secrets, by the origin of deliveries.
func webhookSecrets(hooks config.Webhooks, lookup func(string) (string, bool)) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, w := range hooks {
		var secret []byte
		if w.SecretEnv != "" {
			v, _ := lookup(w.SecretEnv)
			secret = []byte(v)
		} else {
			b, err := os.ReadFile(w.SecretFile)
			if err != nil {
				return nil, fault.E("app.New", fault.Invalid, "webhooks: the secret-file of "+w.Name+" cannot be read", err)
			}
			secret = bytes.TrimSpace(b)
		}
		if len(secret) < minSecret {
			return nil, fault.Newf("app.New", fault.Invalid, "webhooks: the secret of %s has %d bytes; expected %d at least", w.Name, len(secret), minSecret)
		}
		out[events.Webhook{Name: w.Name}.Origin()] = secret
	}
	return out, nil
}

// countDeliveries counts attempts, and tells how many deliveries stand.
func (a *App) countDeliveries(stores ...outbound.Store) outbound.Watcher {
	attempts := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "fiducial_deliveries_total",
		Help: "Attempts to deliver what was promised, by kind (http, mail, s3-event) and outcome; dead: given up."}, []string{"kind", "outcome"})
	standing := func(dead bool) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			var n int64
			for _, s := range stores {
				w, d, err := s.Standing(ctx)
				if err != nil {
					return -1
				}
				if dead {
					w = d
				}
				n += w
			}
			return float64(n)
		}
	}
	a.metrics.MustRegister(attempts,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "fiducial_deliveries_waiting", Help: "Deliveries that have not arrived yet; -1: unknown."}, standing(false)),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "fiducial_deliveries_dead", Help: "Deliveries that were given up in the last 14 days; -1: unknown."}, standing(true)))
	return func(kind, outcome string) { attempts.WithLabelValues(kind, outcome).Inc() }
}

// streams makes streaming labeling jobs.
func (a *App) streams() *stream.Service {
	messages := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "fiducial_stream_messages_total",
		Help: "Messages of streaming labeling jobs: arrived, duplicate or invalid data objects; published or unpublished labels."}, []string{"result"})
	a.metrics.MustRegister(messages)
	return stream.New(stream.Options{Roles: topicRoles{a}, Count: func(result string) { messages.WithLabelValues(result).Inc() }, Log: a.log.With("part", "streaming")})
}

// topicRoles gives streaming jobs topics and queues as their execution role.
type topicRoles struct{ a *App }

func (r topicRoles) Client(ctx context.Context, j *labeling.Job) (stream.Client, error) {
	_, caller, err := r.a.iam.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: j.RoleARN, SessionName: "GroundTruth-" + j.Name[:min(len(j.Name), 48)], Duration: engineSession, SourceARN: j.ARN})
	if err != nil {
		return nil, err
	}
	return r.a.messaging.As(caller, j.Name), nil
}

// crews tells who is in a team.
type crews struct{ a *App }

func (c crews) Team(ctx context.Context, teamARN string) (notice.Team, error) {
	t, err := c.a.workforce.Team(ctx, teamARN)
	if err != nil {
		return notice.Team{}, err
	}
	out := notice.Team{Name: t.Name, TopicARN: t.NotificationTopicARN}
	if c.a.settings.Messaging.SMTPAddr == "" {
		return out, nil
	}
	seen := map[string]bool{}
	for _, m := range t.Members {
		for after := ""; ; {
			list, err := c.a.workforce.WorkersIn(ctx, m.UserPool, m.Group, after, 60)
			if err != nil {
				return out, err
			}
			for _, w := range list {
				if after = w.Username; w.Enabled && !seen[w.ID] {
					seen[w.ID] = true
					out.Workers = append(out.Workers, notice.Worker{ID: w.ID, Email: w.Email})
				}
			}
			if len(list) < 60 {
				break
			}
		}
	}
	return out, nil
}

// endsEvery is how often ends of jobs are looked for that were not told of.
const endsEvery = time.Second

// tellEnds emits an event for every labeling job that has ended. Its id follows from
// job and status: a repeat after a crash is known by it.
func (a *App) tellEnds(ctx context.Context) error {
	every(ctx, endsEvery, func() {
		if err := a.tellSomeEnds(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("ends of labeling jobs were not told of yet", "error", err)
		}
	})
	return nil
}

func (a *App) tellSomeEnds(ctx context.Context) error {
	ids, err := a.labeling.UntoldEnds(ctx, 100)
	if err != nil {
		return err
	}
	for _, id := range ids {
		j, err := a.labeling.JobByID(ctx, id)
		if err == nil {
			sum := sha256.Sum256([]byte(j.ARN + " " + string(j.Status) + " " + j.ReferenceCode))
			h := hex.EncodeToString(sum[:16])
			err = a.events.Emit(ctx, events.Event{ID: h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], DetailType: events.LabelingJobStateChange, Time: j.ModifiedAt,
				Resources: []string{j.ARN}, Detail: map[string]string{"LabelingJobStatus": string(j.Status)}})
		}
		if err == nil {
			err = a.labeling.ToldEnd(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
