package app

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"sync/atomic"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/a2iapi"
	"fiducial/internal/awsapi/cognitoapi"
	"fiducial/internal/awsapi/iamapi"
	"fiducial/internal/awsapi/kmsapi"
	"fiducial/internal/awsapi/sagemakerapi"
	"fiducial/internal/awsapi/snsapi"
	"fiducial/internal/awsapi/sqsapi"
	"fiducial/internal/awsapi/stsapi"
	"fiducial/internal/origin"
	"fiducial/internal/portal"
	"fiducial/internal/s3api"
	"fiducial/internal/server"
	"fiducial/internal/store"
	"fiducial/web"
)

// late is a handler that is filled after its port is bound.
type late struct{ h atomic.Pointer[http.Handler] }

func (l *late) set(h http.Handler) { l.h.Store(&h) }

func (l *late) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := l.h.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	http.Error(w, "starting", http.StatusServiceUnavailable)
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }

// edge is what all public listeners share: who is believed, and TLS.
func (a *App) edge() (*origin.Resolver, *tls.Config, error) {
	resolver, err := a.resolve()
	if err != nil {
		return nil, nil, err
	}
	switch {
	case a.settings.TLSCert != "":
		c, err := server.FilesTLS(a.settings.TLSCert, a.settings.TLSKey, a.now, a.log)
		return resolver, c, err
	case len(a.settings.ACMEDomain) > 0:
		return resolver, server.ACMETLS(a.settings.ACMEDomain, a.settings.DataDir), nil
	}
	return resolver, nil, nil
}

// edges makes what stands at the ports.
func (a *App) edges(context.Context) error {
	s3 := s3api.New(s3api.Options{Objects: a.objects, IAM: a.iam, Audit: a.recorder, Domain: a.settings.S3Domain, Now: a.now, Rand: a.rand, Log: a.log.With("part", "s3"), BodyFollows: server.BodyFollows})
	links := &sagemakerapi.Links{Keys: a.sessions, Templates: a.reviews, Audit: a.recorder, URL: a.apiURL, Account: a.settings.AccountID, Now: a.now, Log: a.log.With("part", "api")}
	sagemaker := sagemakerapi.New(sagemakerapi.Deps{Workforce: a.workforce, Jobs: a.engine, Reviews: a.reviews, Links: links, Tags: teamTags{store.NewTags(a.db), a}, Media: media{a}, Hosts: a.s3Hosts(), Warnings: a.explainer(),
		Region: a.settings.Region, Account: a.settings.AccountID, Now: a.now, Random: a.rand})
	cognito := cognitoapi.New(cognitoapi.Deps{Workforce: a.workforce, Passwords: a.passwords, SignIns: a.signin, Region: a.settings.Region, Account: a.settings.AccountID})
	mux := awsapi.New(awsapi.Deps{IAM: a.iam, Audit: a.recorder, S3: s3, Probe: a.probe(), ProbeURL: a.apiURL + portal.ProbePath, Now: a.now, RequestID: func() string { return newID(a.rand) }, Log: a.log.With("part", "api")},
		sagemaker.Service(), a2iapi.New(a.reviews).Service(), cognito.Service(), iamapi.New(a.iam).Service(), stsapi.New(a.iam).Service(), kmsapi.New(a.kms).Service(), a.fiducialAPI(),
		snsapi.New(a.messaging, a.iam).Service(), sqsapi.New(a.messaging, a.iam).Service())
	a.handlerAPI.set(a.withTemplates(links, mux))

	dist, err := fs.Sub(web.Dist, "dist")
	if err != nil {
		return err
	}
	mirror, err := a.templateMirror()
	if err != nil {
		return err
	}
	p, err := portal.New(portal.Config{TemplateHosts: a.templateHosts, Mirror: mirror, SignIn: a.signin, Workforce: a.workforce, Queue: a.queue, Grants: a.access, Places: a.places, BrowserBound: a.browserBound, Recorder: a.recorder,
		Logger: a.log.With("part", "portal"), Now: a.now, Assets: dist, PublicURL: a.portalURL, MediaURL: a.apiURL, S3Domain: a.settings.S3Domain, Sources: a.mediaSources()})
	if err != nil {
		return err
	}
	a.pages = p
	both, err := a.withConsole(mux, dist, &portal.Entrance{Next: p, Doorkeeper: a.workforce, Recorder: a.recorder, Logger: a.log.With("part", "portal"), Now: a.now})
	if err != nil {
		return err
	}
	a.handlerP.set(both)
	return nil
}

// newID makes a UUID (version 4).
func newID(random io.Reader) string {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		panic("no randomness: " + err.Error()) // a server without it must not go on
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}
