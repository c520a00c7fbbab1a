package app

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"fiducial/internal/access"
	"fiducial/internal/awsapi/sagemakerapi"
	"fiducial/internal/labeling"
	"fiducial/internal/origin"
	"fiducial/internal/portal"
	"fiducial/internal/s3api"
	"fiducial/internal/store"
)

// newPlaces makes what knows where workers are.
func (a *App) newPlaces(keys access.Sealer) *access.Places {
	return access.NewPlaces(access.PlacesOptions{Store: store.NewPlaces(a.db), Keys: keys, Grants: a.access, Admits: admitter{a},
		Audit: a.recorder, Account: a.settings.AccountID, Now: a.now, Rand: a.rand, Log: a.log.With("part", "places")})
}

// admitter asks the workforce, which is made after the places.
type admitter struct{ a *App }

func (d admitter) Admits(ctx context.Context, o origin.Origin) (bool, error) {
	return d.a.workforce.Admits(ctx, o)
}

// probe is what answers portal pages at the media endpoint.
func (a *App) probe() http.Handler {
	return portal.NewProbe(portal.ProbeOptions{Witness: a.places, Cookie: s3api.BrowserCookie, Digest: s3api.BrowserDigest, Rand: a.rand})
}

// browserBound reads from a work team's tags whether its media open only in the
// worker's own browser.
func (a *App) browserBound(ctx context.Context, teamARN string) (bool, error) {
	tags, err := store.NewTags(a.db).Tags(ctx, teamARN)
	if err != nil {
		return false, err
	}
	for _, t := range tags {
		if t.Key == access.BrowserBindingTag {
			return access.BrowserBound(t.Value), nil
		}
	}
	return false, nil
}

// teamTags ends the grants of a work team when the tag changes that says what they
// are bound to.
type teamTags struct {
	next sagemakerapi.Tags
	a    *App
}

func (t teamTags) Tags(ctx context.Context, arn string) ([]labeling.Tag, error) {
	return t.next.Tags(ctx, arn)
}

func (t teamTags) PutTags(ctx context.Context, arn string, tags []labeling.Tag, most int) ([]labeling.Tag, error) {
	all, err := t.next.PutTags(ctx, arn, tags, most)
	if err == nil && slices.ContainsFunc(tags, func(g labeling.Tag) bool { return g.Key == access.BrowserBindingTag }) {
		err = t.changed(ctx, arn)
	}
	return all, err
}

func (t teamTags) DropTags(ctx context.Context, arn string, keys ...string) error {
	err := t.next.DropTags(ctx, arn, keys...)
	if err == nil && slices.Contains(keys, access.BrowserBindingTag) {
		err = t.changed(ctx, arn)
	}
	return err
}

func (t teamTags) changed(ctx context.Context, arn string) error {
	if !strings.Contains(arn, ":workteam/") {
		return nil
	}
	return t.a.access.Revoke(ctx, "the browser binding of the work team changed", access.Subject{Kind: access.OfTeam, ID: arn})
}
