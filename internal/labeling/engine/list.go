package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// token is what a NextToken holds. The order is in it, since a place means
// nothing in another order.
type token struct {
	By   SortBy `json:"b"`
	Desc bool   `json:"d,omitempty"`
	Key  string `json:"k"`
	ID   int64  `json:"i"`
}

// DefaultLimit and MaxLimit are the sizes of a page.
const (
	DefaultLimit = 10
	MaxLimit     = 100
)

// List answers with a page of the jobs that the filter selects, and with the
// token for the next page, "" behind the last. f.After is not looked at; the
// order must be the one that the token was made for.
func (e *Engine) List(ctx context.Context, f Filter, nextToken string) ([]*labeling.Job, string, error) {
	if f.SortBy == "" {
		f.SortBy = ByCreationTime
	}
	if f.Limit == 0 {
		f.Limit = DefaultLimit
	}
	f.Limit = min(f.Limit, MaxLimit)
	f.After = nil
	if nextToken != "" {
		after, err := f.position(nextToken)
		if err != nil {
			return nil, "", err
		}
		f.After = &after
	}
	jobs, more, err := e.Store.List(ctx, f)
	if err != nil || !more {
		return jobs, "", err
	}
	next, err := f.token(jobs[len(jobs)-1])
	return jobs, next, err
}

// ListForWorkteam is List for the jobs of one work team, by creation time.
func (e *Engine) ListForWorkteam(ctx context.Context, workteam string, f Filter, nextToken string) ([]*labeling.Job, string, error) {
	f.Workteam, f.SortBy = workteam, ByCreationTime
	return e.List(ctx, f, nextToken)
}

func (f *Filter) position(s string) (Position, error) {
	var t token
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil || t.By != f.SortBy || t.Desc != f.Descending {
		e := fault.E("engine.List", fault.Invalid, "NextToken: it is not a token of this list in this order", err)
		e.Field = "NextToken"
		return Position{}, e
	}
	return Position{Key: t.Key, ID: t.ID}, nil
}

func (f *Filter) token(last *labeling.Job) (string, error) {
	t := token{By: f.SortBy, Desc: f.Descending, ID: last.ID}
	switch f.SortBy {
	case ByName:
		t.Key = labeling.Key(last.Name)
	case ByStatus:
		t.Key = string(last.Status) + " " + labeling.Key(last.Name)
	default:
		t.Key = strconv.FormatInt(last.CreatedAt.UnixMicro(), 10)
	}
	b, err := json.Marshal(t)
	if err != nil {
		return "", fault.E("engine.List", fault.Internal, "", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
