package app

import (
	"context"
	"io/fs"
	"os"

	"fiducial/internal/fault"
	"fiducial/internal/store"
	"fiducial/internal/template"
)

// templateHosts reads from a work team's tags which hosts its templates may load
// from. A value that cannot be read allows none.
func (a *App) templateHosts(ctx context.Context, teamARN string) ([]template.Host, error) {
	tags, err := store.NewTags(a.db).Tags(ctx, teamARN)
	if err != nil {
		return nil, err
	}
	for _, t := range tags {
		if t.Key != template.HostsTag {
			continue
		}
		hosts, err := template.ParseHosts(t.Value)
		if err != nil {
			a.log.Warn("a work team's tag is not understood, and its templates load from nowhere", "team", teamARN, "tag", t.Key, "error", err)
		}
		return hosts, nil
	}
	return nil, nil
}

// templateMirror is the folder of copies, or nil. A link in it that leads out of
// the folder leads nowhere.
func (a *App) templateMirror() (fs.FS, error) {
	if a.settings.TemplateMirror == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(a.settings.TemplateMirror)
	if err != nil {
		return nil, fault.E("app.templateMirror", fault.Invalid, "template-mirror: the folder cannot be opened", err)
	}
	return root.FS(), nil
}
