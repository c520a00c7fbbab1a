package app

import (
	"context"
	"io/fs"
	"net/http"

	"fiducial/internal/audit"
	"fiducial/internal/audit/report"
	"fiducial/internal/awsapi/fiducialapi"
	"fiducial/internal/console"
	"fiducial/internal/signin/accesskey"
	"fiducial/internal/store"
	"fiducial/web"
)

// withConsole puts the console beside the portal. It stands outside of the
// portal's entrance: the workforce's CIDRs and VPC are for workers.
func (a *App) withConsole(api console.API, assets fs.FS, portal http.Handler) (http.Handler, error) {
	gallery, err := fs.Sub(web.Gallery, "src/gallery")
	if err != nil {
		return nil, err
	}
	keys := accesskey.New(accesskey.Config{Keys: a.iam, Store: store.NewRequesters(a.db), Recorder: a.recorder, Now: a.now, Rand: a.rand})
	c, err := console.New(console.Config{SignIn: keys, API: api, Logger: a.log.With("part", "console"), Now: a.now, Assets: assets, Gallery: gallery, Frame: a.pages.Frame(), PublicURL: a.portalURL})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if console.Covers(r.URL.Path) {
			c.ServeHTTP(w, r)
			return
		}
		portal.ServeHTTP(w, r)
	}), nil
}

// accessReport reads the record of this process's folder.
func (a *App) accessReport(ctx context.Context, q fiducialapi.ReportQuery) (*report.Report, error) {
	return report.Build(ctx, report.Folder(a.settings.AuditDir(), audit.Between{From: q.From, To: q.To}), q.Options)
}
