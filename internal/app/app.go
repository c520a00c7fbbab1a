// Package app is the one place that knows concrete types: it opens the stores,
// makes the services out of each other and puts them behind the listeners.
// Time, randomness and ids enter the program here.
package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/config"
	"fiducial/internal/envelope"
	"fiducial/internal/events"
	"fiducial/internal/external"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/kms"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/notice"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/labeling/review"
	"fiducial/internal/messaging"
	"fiducial/internal/objects"
	"fiducial/internal/origin"
	"fiducial/internal/outbound"
	"fiducial/internal/portal"
	"fiducial/internal/server"
	"fiducial/internal/signin"
	"fiducial/internal/signin/local"
	"fiducial/internal/sigv4"
	"fiducial/internal/store"
	"fiducial/internal/workforce"
)

// Grace is how long requests in flight have to finish after a stop.
const Grace = 20 * time.Second

// cacheRows is how many rows of objects stay in memory for media requests, where
// this process is the only one that writes them. A row takes about 1 KiB.
const cacheRows = 50_000

// App is the whole program, made by New and run once by Run.
type App struct {
	settings *config.Settings
	log      *slog.Logger
	metrics  *prometheus.Registry
	now      func() time.Time
	rand     io.Reader

	closers []func() error // in the order of opening

	db        *store.DB
	audit     *audit.File
	recorder  audit.Recorder
	keysets   *kms.Keysets
	master    *envelope.Keyset
	sessions  *envelope.Keyset
	iam       *iam.Service
	kms       *kms.Service
	access    *access.Service
	pages     *portal.Portal
	places    *access.Places
	objects   *objects.Service
	external  *external.Service
	workforce *workforce.Service
	passwords *local.Service
	signin    *signin.Service
	labeling  *store.Labeling
	queue     *queue.Service
	reviews   *review.Service
	engine    *engine.Engine
	outbound  *outbound.Service
	s3Events  *outbound.Service // event notifications of buckets
	messaging *messaging.Service
	events    *events.Service
	notices   *notice.Service

	rootID     string
	rootSecret config.Secret

	resolver             *origin.Resolver
	api, portal, ops     *server.Listener
	further              []*server.Listener // of VPC endpoints and load balancers
	apiURL, portalURL    string
	handlerAPI, handlerP *late
}

// New opens everything and binds the ports; nothing is answered before Run. If
// it fails, what was opened is closed again.
func New(ctx context.Context, settings *config.Settings, version string, log *slog.Logger) (_ *App, err error) {
	a := &App{settings: settings, log: log, metrics: server.NewMetrics(), now: time.Now, rand: rand.Reader}
	defer func() {
		if err != nil {
			_ = a.close()
		}
	}()
	a.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fiducial_build_info", Help: "Always 1; the label says which version runs.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 }))
	for _, step := range []func(context.Context) error{a.folder, a.bind, a.state, a.services, a.edges} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// folder makes the data folder, for this account only.
func (a *App) folder(context.Context) error {
	if err := os.MkdirAll(a.settings.DataDir, 0o700); err != nil {
		return fault.E("app.New", fault.Unavailable, "data-dir: the folder cannot be made", err)
	}
	return nil
}

// bind takes the ports first: the URLs that everything else needs follow from
// them, and a port that is taken is the most common reason not to start.
func (a *App) bind(context.Context) error {
	var tlsConfig *tls.Config
	var err error
	if a.resolver, tlsConfig, err = a.edge(); err != nil {
		return err
	}
	a.handlerAPI, a.handlerP = &late{}, &late{}
	opsHandler := server.Ops(a.metrics,
		server.Check{Name: "database", Do: func(ctx context.Context) error { return a.db.Ping(ctx) }},
		server.Check{Name: "audit", Do: func(context.Context) error { return a.audit.Healthy() }})
	api := server.Options{Name: "api", Addr: a.settings.APIAddr, Handler: a.handlerAPI, TLS: tlsConfig, Service: origin.API}
	portal := server.Options{Name: "portal", Addr: a.settings.PortalAddr, Handler: a.handlerP, TLS: tlsConfig, Service: origin.Portal}
	for _, l := range []struct {
		into *(*server.Listener)
		o    server.Options
	}{
		{&a.api, api},
		{&a.portal, portal},
		{&a.ops, server.Options{Name: "ops", Addr: a.settings.OpsAddr, Handler: opsHandler}},
	} {
		if *l.into, err = a.listen(l.o); err != nil {
			return err
		}
	}
	if err := a.bindNetworks(api, portal); err != nil {
		return err
	}
	a.apiURL = a.settings.Public(a.settings.PublicAPIURL, a.api.Addr())
	a.portalURL = a.settings.Public(a.settings.PublicPortalURL, a.portal.Addr())
	return nil
}

// state opens what is kept: the record, the database, the bytes, the keys.
func (a *App) state(ctx context.Context) error {
	var err error
	if a.audit, err = a.openAudit(); err != nil {
		return err
	}
	a.closers = append(a.closers, a.audit.Close)
	a.recorder = newCountingRecorder(a.audit, a.metrics)
	if a.db, err = store.Open(ctx, a.databaseURL()); err != nil {
		return err
	}
	a.closers = append(a.closers, a.db.Close)
	a.rootID, a.rootSecret, err = rootKey(a.settings)
	return err
}

func (a *App) databaseURL() string {
	if u := a.settings.DatabaseURL.Reveal(); u != "" {
		return u
	}
	return "sqlite:" + filepath.Join(a.settings.DataDir, "fiducial.db")
}

// services makes the services, lowest layer first.
func (a *App) services(ctx context.Context) error {
	keys, err := a.openKeys(ctx)
	if err != nil {
		return err
	}
	a.sessions = keys
	if a.iam, err = iam.New(iam.Options{Account: a.settings.AccountID, Store: store.NewIAM(a.db), Keys: keys,
		RootAccessKeyID: a.rootID, RootSecret: iam.NewSecret(a.rootSecret.Reveal()), Now: a.now, Rand: a.rand}); err != nil {
		return err
	}
	a.keyService()
	sealing, err := a.sealing(ctx)
	if err != nil {
		return err
	}
	if err := a.openExternal(ctx); err != nil {
		return err
	}
	blobs, err := a.openBlobs()
	if err != nil {
		return err
	}
	endpoint, err := sigv4.NewEndpoint(a.apiURL, a.settings.Region)
	if err != nil {
		return err
	}
	if a.access, err = access.New(ctx, access.Options{Store: store.NewAccess(a.db), Roles: a.iam, Audit: a.recorder, Endpoint: endpoint,
		Region: a.settings.Region, Account: a.settings.AccountID, Now: a.now, Rand: a.rand, Alone: a.alone(), Elsewhere: a.urlsElsewhere()}); err != nil {
		return err
	}
	a.places = a.newPlaces(keys)
	a.objects = objects.New(objects.Options{Store: store.NewObjects(a.db).Sealed(sealing.columns), Blobs: blobs, IAM: a.iam, Audit: a.recorder, Revocations: a.access,
		Region: a.settings.Region, Account: a.settings.AccountID, Now: a.now, Rand: a.rand, Log: a.log.With("part", "s3"), CacheRows: a.cacheRows(), Elsewhere: a.bytesElsewhere(),
		Own: sealing.objects, Keys: objectKeys{a.kms.Via("s3")}, Destinations: destinations{a}, Nudge: func() { a.s3Events.Nudge() }})
	a.labeling = store.NewLabeling(a.db).Sealed(sealing.columns)
	if err := a.openMessaging(ctx, sealing.columns); err != nil {
		return err
	}
	return a.labelingServices()
}

// alone reports whether no other process uses the database.
func (a *App) alone() bool { return a.db.Dialect() == store.SQLite }

func (a *App) cacheRows() int {
	if a.alone() {
		return cacheRows
	}
	return 0
}

func (a *App) labelingServices() error {
	portal, err := url.Parse(a.portalURL)
	if err != nil {
		return fault.E("app.New", fault.Invalid, "public-portal-url: not a URL", err)
	}
	a.workforce = workforce.New(workforce.Config{Store: store.NewWorkforce(a.db), Changes: changes{a}, Jobs: running{a},
		Region: a.settings.Region, Account: a.settings.AccountID, PortalHost: portal.Host, Networks: a.resolver.Networks(), Now: a.now, Random: a.rand})
	signinStore := store.NewSignin(a.db)
	if a.passwords, err = local.New(local.Config{Store: signinStore, Directory: a.workforce, Now: a.now, Random: a.rand}); err != nil {
		return err
	}
	a.signin = signin.New(signin.Config{Store: signinStore, Workers: a.workforce, Passwords: a.passwords, Recorder: a.recorder,
		Ended: a.endedBy(access.OfSignIn), Now: a.now, Random: a.rand})
	a.queue = queue.New(a.labeling, assignments{a}, a.now, a.rand, a.log.With("part", "queue"))
	functions, err := a.functions()
	if err != nil {
		return err
	}
	a.reviews = a.newReviews()
	streams := a.streams()
	a.engine = engine.New(engine.Options{Store: a.labeling, Queue: a.queue, Roles: roles{a}, Workers: identities{a}, Watcher: watcher{a}, Officer: officer{a},
		Functions: functions, Streams: streams, Results: streams, Template: builtin, TaskUI: a.reviews.Template, Reviews: a.reviews,
		Owner: newID(a.rand), Alone: a.alone(), Now: a.now, Log: a.log.With("part", "engine")})
	return nil
}

// APIURL is the API's public URL.
func (a *App) APIURL() string { return a.apiURL }

// LocalAPIURL is the API's URL on this machine.
func (a *App) LocalAPIURL() string { return a.settings.Public("", a.api.Addr()) }

// PortalURL is the portal's public URL.
func (a *App) PortalURL() string { return a.portalURL }

// OpsURL is the operations port's URL on this machine.
func (a *App) OpsURL() string { return "http://" + a.ops.Addr() }

// Root returns the account's root key.
func (a *App) Root() (id, secret string) { return a.rootID, a.rootSecret.Reveal() }

// Run serves until ctx ends, lets requests in flight finish, stops the
// background work, and closes everything in the reverse order of opening. The
// background outlives the listeners, so that a request in flight never waits
// for something that has stopped.
func (a *App) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	serving, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	defer context.AfterFunc(serving, a.messaging.Drain)()
	for _, loop := range a.loops() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := loop.run(background); err != nil && background.Err() == nil {
				a.log.Error("a background part has ended; the server stops", "part", loop.name, "error", err)
				failed(err)
			}
		}()
	}
	_ = a.recorder.Record(ctx, &audit.Event{Kind: audit.Server, Action: "start", Verdict: audit.Allow})
	err := server.Serve(serving, Grace, append(a.further, a.api, a.portal, a.ops)...)
	if cause := context.Cause(serving); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	stop()
	wg.Wait()
	_ = a.recorder.Record(context.WithoutCancel(ctx), &audit.Event{Kind: audit.Server, Action: "stop", Verdict: audit.Allow})
	return errors.Join(err, a.close())
}

func (a *App) close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(errs...)
}
