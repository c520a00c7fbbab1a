package app

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fiducial/internal/awsapi/sagemakerapi"
	"fiducial/internal/events"
	"fiducial/internal/fault"
	"fiducial/internal/labeling/review"
	"fiducial/internal/store"
)

// newReviews makes human task UIs, flow definitions and human loops.
func (a *App) newReviews() *review.Service {
	return review.New(review.Config{Store: store.NewReviews(a.labeling), Workers: identities{a}, Events: loopEvents{a}, Wake: func() { a.engine.Wake() },
		Region: a.settings.Region, Account: a.settings.AccountID, Hosts: a.s3Hosts(), Now: a.now, Random: a.rand, Log: a.log.With("part", "reviews")})
}

// s3Hosts are this server's own S3 hosts.
func (a *App) s3Hosts() []string {
	var hosts []string
	if u, err := url.Parse(a.apiURL); err == nil {
		hosts = append(hosts, u.Host)
	}
	if a.settings.S3Domain != "" {
		hosts = append(hosts, a.settings.S3Domain)
	}
	return hosts
}

// loopEvents tells everyone who hears of events that human loops have ended.
type loopEvents struct{ a *App }

func (e loopEvents) Emit(ctx context.Context, ev review.Event) error {
	at, err := time.Parse(time.RFC3339, ev.Time)
	if err != nil {
		return fault.E("app.loopEvents", fault.Internal, "", err)
	}
	return e.a.events.Emit(ctx, events.Event{ID: ev.ID, DetailType: ev.DetailType, Time: at, Resources: ev.Resources, Detail: ev.Detail})
}

// withTemplates puts the links of human task UIs beside the API.
func (a *App) withTemplates(links *sagemakerapi.Links, api http.Handler) http.Handler {
	own := ""
	if u, err := url.Parse(a.apiURL); err == nil {
		own = u.Host
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The host counts: below the virtual-host domain the path is a key.
		if r.Host == own && strings.HasPrefix(r.URL.Path, sagemakerapi.LinksPath) {
			links.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}
