package s3

import (
	"bytes"
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// Create begins a blob. Nothing is sent before a part is full or Commit.
func (s *Store) Create(ctx context.Context) (blob.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.E("blob/s3.Create", fault.Unavailable, "the request was given up", err)
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	return &writer{s: s, ctx: ctx, id: id}, nil
}

type writer struct {
	s      *Store
	ctx    context.Context // of Create: parts are sent while the body comes in
	id     blob.ID
	buf    bytes.Buffer
	size   int64
	upload *string // of the multipart upload, once there is one
	parts  []types.CompletedPart
	ended  bool
}

func (w *writer) Write(p []byte) (int, error) {
	if w.ended {
		return 0, fault.E("blob/s3.Write", fault.Internal, "", io.ErrClosedPipe)
	}
	n := 0
	for len(p) > 0 {
		take := min(len(p), partSize-w.buf.Len())
		w.buf.Write(p[:take])
		p, n = p[take:], n+take
		w.size += int64(take)
		// A full part is sent when more comes: a blob of one part needs no upload.
		if w.buf.Len() == partSize && len(p) > 0 {
			if err := w.send(w.ctx); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// send sends what is in the buffer as a part.
func (w *writer) send(ctx context.Context) error {
	const op = "blob/s3.Write"
	o := &w.s.o
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if w.upload == nil {
		up, err := o.Client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &o.Bucket, Key: w.s.key(w.id)})
		if err != nil {
			return failure(op, err)
		}
		w.upload = up.UploadId
	}
	n := int32(len(w.parts) + 1)
	if n > maxParts {
		return fault.Newf(op, fault.Limit, "a blob has at most %d bytes here", int64(maxParts)*partSize)
	}
	out, err := o.Client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &o.Bucket, Key: w.s.key(w.id), UploadId: w.upload, PartNumber: &n, Body: bytes.NewReader(w.buf.Bytes()), ContentLength: aws.Int64(int64(w.buf.Len())),
	})
	if err != nil {
		return failure(op, err)
	}
	w.parts = append(w.parts, types.CompletedPart{PartNumber: &n, ETag: out.ETag})
	w.buf.Reset()
	return nil
}

// Commit makes the blob visible.
func (w *writer) Commit(ctx context.Context) (blob.ID, int64, error) {
	const op = "blob/s3.Commit"
	if w.ended {
		return "", 0, fault.E(op, fault.Internal, "", io.ErrClosedPipe)
	}
	err := ctx.Err()
	if err == nil {
		err = w.finish(ctx)
	} else {
		err = fault.E(op, fault.Unavailable, "the request was given up", err)
	}
	if err != nil {
		w.Abort()
		return "", 0, err
	}
	w.ended = true
	return w.id, w.size, nil
}

func (w *writer) finish(ctx context.Context) error {
	const op = "blob/s3.Commit"
	o := &w.s.o
	if w.upload != nil && w.buf.Len() > 0 {
		if err := w.send(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if w.upload == nil {
		_, err := o.Client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &o.Bucket, Key: w.s.key(w.id), Body: bytes.NewReader(w.buf.Bytes()), ContentLength: aws.Int64(int64(w.buf.Len())),
		})
		if err != nil {
			return failure(op, err)
		}
		return nil
	}
	_, err := o.Client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &o.Bucket, Key: w.s.key(w.id), UploadId: w.upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
	})
	if err != nil {
		return failure(op, err)
	}
	return nil
}

// Abort leaves nothing behind, as far as the store answers.
func (w *writer) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	w.buf = bytes.Buffer{}
	o := &w.s.o
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), patience)
	defer cancel()
	if w.upload != nil {
		_, _ = o.Client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &o.Bucket, Key: w.s.key(w.id), UploadId: w.upload})
	}
}
