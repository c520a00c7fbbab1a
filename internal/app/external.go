package app

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"fiducial/internal/access"
	"fiducial/internal/blob"
	"fiducial/internal/blob/disk"
	s3blob "fiducial/internal/blob/s3"
	"fiducial/internal/external"
	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/labeling"
	"fiducial/internal/objects"
)

// openExternal makes what works with buckets that other stores keep, if there
// are any. It comes before the services that ask it.
func (a *App) openExternal(ctx context.Context) error {
	if len(a.settings.ExternalBuckets) == 0 {
		return nil
	}
	var err error
	a.external, err = external.New(ctx, external.Options{Settings: a.settings.ExternalBuckets, Account: a.settings.AccountID, Lookup: os.LookupEnv,
		Hidden: a.settings.BlobsBucket.Name, IAM: a.iam, Tasks: taskObjects{a}, Audit: a.recorder, Now: a.now, Log: a.log.With("part", "external")})
	return err
}

// openBlobs opens the place of the bytes of embedded buckets: a folder, or a
// bucket of another store, which replicas on several machines share.
func (a *App) openBlobs() (blob.Store, error) {
	if at := a.settings.BlobsBucket; at.Name != "" {
		st, ok := a.external.For(at.Name)
		if !ok {
			return nil, fault.Newf("app.New", fault.Invalid, "blobs-bucket: external-buckets has no bucket %s", at.Name)
		}
		return s3blob.New(s3blob.Options{Client: st.Client(), Bucket: at.Name, Prefix: at.Prefix, Now: a.now, Rand: a.rand}), nil
	}
	return disk.Open(cmp.Or(a.settings.BlobsDir, filepath.Join(a.settings.DataDir, "blobs")), a.now, a.rand)
}

// bytesElsewhere and urlsElsewhere are nil interfaces where every bucket is kept
// here.
func (a *App) bytesElsewhere() objects.Elsewhere {
	if a.external == nil {
		return nil
	}
	return a.external
}

func (a *App) urlsElsewhere() access.Elsewhere {
	if a.external == nil {
		return nil
	}
	return a.external
}

func (a *App) runExternal(ctx context.Context) error {
	if a.external == nil {
		<-ctx.Done()
		return nil
	}
	return a.external.Run(ctx)
}

// mediaSources are the stores that frames may load media from.
func (a *App) mediaSources() []string {
	if a.external == nil {
		return nil
	}
	return a.external.Sources()
}

// keptElsewhere reports whether another store keeps a bucket.
func (a *App) keptElsewhere(bucket string) bool {
	if a.external == nil {
		return false
	}
	_, ok := a.external.Bucket(bucket)
	return ok
}

// taskObjects finds the objects of a bucket that a task's data object names:
// what the worker's page is going to ask for.
type taskObjects struct{ a *App }

// maxTaskObjects bounds what is looked at in one data object.
const maxTaskObjects = 1000

func (t taskObjects) Objects(ctx context.Context, g *identity.Grant, bucket string) []string {
	as, err := t.a.labeling.Assignment(ctx, g.Assignment)
	if err != nil || as.Worker != g.Worker {
		return nil // a preview, or not theirs: every object is asked for by itself
	}
	var keys []string
	for _, text := range []json.RawMessage{as.Line, as.Input} {
		var named any
		if json.Unmarshal(text, &named) != nil {
			continue // there need not be an input
		}
		walk(named, func(s string) bool {
			if u, err := labeling.ParseS3Object(s); err == nil && u.Bucket == bucket {
				keys = append(keys, u.Key)
			}
			return len(keys) < maxTaskObjects
		})
	}
	return keys
}

// walk calls fn for every string in a JSON value that may be an S3 URI, until fn
// returns false.
func walk(v any, fn func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return !strings.HasPrefix(v, "s3://") || fn(v)
	case []any:
		for _, e := range v {
			if !walk(e, fn) {
				return false
			}
		}
	case map[string]any:
		for _, e := range v {
			if !walk(e, fn) {
				return false
			}
		}
	}
	return true
}
