package objects

import (
	"context"

	"fiducial/internal/policy"
)

// PartsListing is a page of an upload's parts.
type PartsListing struct {
	Upload    *Upload
	Parts     []Segment
	Truncated bool
}

// ListParts lists parts by number, after a number.
func (s *Service) ListParts(ctx context.Context, call *Call, bucket, key, id string, after, limit int) (*PartsListing, error) {
	if _, err := s.begin(ctx, call, OpListParts, bucket, key, true); err != nil {
		return nil, err
	}
	u, err := s.store.Upload(ctx, bucket, key, id)
	if err != nil {
		return nil, err
	}
	limit = min(max(limit, 0), MaxKeys)
	parts, err := s.store.PartsOf(ctx, id, after, limit+1)
	if err != nil {
		return nil, err
	}
	l := &PartsListing{Upload: u, Parts: parts}
	if len(parts) > limit {
		l.Parts, l.Truncated = parts[:limit], true
	}
	return l, nil
}

// ListUploadsInput asks for a part of a bucket's uploads in progress.
type ListUploadsInput struct {
	Bucket, Prefix, Delimiter string
	KeyMarker, UploadIDMarker string
	MaxUploads                int
}

// UploadsListing is a page of uploads.
type UploadsListing struct {
	Uploads            []Upload
	CommonPrefixes     []string
	Truncated          bool
	NextKeyMarker      string
	NextUploadIDMarker string
}

// ListMultipartUploads lists uploads in progress by key and id.
func (s *Service) ListMultipartUploads(ctx context.Context, call *Call, in ListUploadsInput) (*UploadsListing, error) {
	keys := []policy.Key{{Name: "s3:prefix", Value: in.Prefix}}
	if in.Delimiter != "" {
		keys = append(keys, policy.Key{Name: "s3:delimiter", Value: in.Delimiter})
	}
	if _, err := s.begin(ctx, call, OpListMultipartUploads, in.Bucket, "", true, keys...); err != nil {
		return nil, err
	}
	limit := min(max(in.MaxUploads, 0), MaxKeys)
	out := &UploadsListing{}
	if limit == 0 {
		return out, nil
	}
	q := RangeQuery{Bucket: in.Bucket, Prefix: in.Prefix, From: in.KeyMarker, After: in.KeyMarker != "", Limit: limit + 1}
	afterID := ""
	if in.KeyMarker != "" {
		afterID = in.UploadIDMarker
		if p, ok := commonPrefix(in.KeyMarker, in.Prefix, in.Delimiter); ok && p == in.KeyMarker {
			if afterID = ""; !q.skip(p) {
				return out, nil
			}
		}
	}
	for {
		rows, err := s.store.Uploads(ctx, q, afterID)
		if err != nil {
			return nil, err
		}
		skipped := ""
		for _, u := range rows {
			if skipped != "" && len(u.Key) >= len(skipped) && u.Key[:len(skipped)] == skipped {
				continue
			}
			if len(out.Uploads)+len(out.CommonPrefixes) == limit {
				out.Truncated = true
				return out, nil
			}
			if p, ok := commonPrefix(u.Key, in.Prefix, in.Delimiter); ok {
				out.CommonPrefixes = append(out.CommonPrefixes, p)
				out.NextKeyMarker, out.NextUploadIDMarker = p, ""
				skipped = p
				continue
			}
			skipped = ""
			out.Uploads = append(out.Uploads, u)
			out.NextKeyMarker, out.NextUploadIDMarker = u.Key, u.ID
		}
		if len(rows) < q.Limit {
			return out, nil
		}
		if skipped != "" {
			afterID = ""
			if !q.skip(skipped) {
				return out, nil
			}
			continue
		}
		q.From, q.After, afterID = out.NextKeyMarker, true, out.NextUploadIDMarker
	}
}
