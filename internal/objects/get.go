package objects

import (
	"context"
	"errors"
	"io"
	"strconv"

	"fiducial/internal/arn"
	"fiducial/internal/blob"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/policy"
)

// GetInput asks for an object or a part of its bytes.
type GetInput struct {
	Bucket, Key string
	Range       string // "bytes=first-last"; "" for all
	PartNumber  int    // 0 for none
	Conditions  Conditions

	// Checksums asks HeadObject for the checksums too, which tell something of
	// the content: whoever wants them needs the right to open it.
	Checksums bool

	copying bool // the source of a copy, whose conditions and range have rules of their own
}

// Content is what a read gives: the row, which bytes, and for GetObject the
// bytes themselves. Close it if it has a reader.
type Content struct {
	*Object
	Partial       bool // a range or one part
	Start, Length int64

	key     envelope.Secret // opened, if the bytes are sealed and wanted
	service *Service
	ctx     context.Context // of the request that the content belongs to and does not outlive
	first   blob.Blob       // opened before the answer begins, so that a missing blob is still an error
	firstID blob.ID
	gone    uint64 // see idleBlobs
	small   []byte // or all of them, if the object is small
	at      int    // index of first among the segments
	held    bool
	remote  io.ReadCloser // the bytes, if another store keeps them
}

// GetObject authorizes, decides conditions and range, opens the bytes and puts
// the access on record, in this order. The caller sends them with WriteTo.
func (s *Service) GetObject(ctx context.Context, call *Call, in GetInput) (*Content, error) {
	b, err := s.decide(ctx, call, OpGetObject, in.Bucket, in.Key)
	if err != nil {
		return nil, s.refuse(ctx, call, err)
	}
	c, err := s.open(ctx, call, &in)
	return s.answer(ctx, call, b, c, err)
}

// HeadObject is GetObject without the bytes.
func (s *Service) HeadObject(ctx context.Context, call *Call, in GetInput) (*Content, error) {
	b, err := s.decide(ctx, call, OpHeadObject, in.Bucket, in.Key)
	if err != nil {
		return nil, s.refuse(ctx, call, err)
	}
	var c *Content
	o, err := s.row(ctx, in.Bucket, in.Key, false)
	if err == nil && in.Checksums && o.Encryption.sealed() {
		_, err = s.openKey(ctx, call, in.Bucket, in.Key, o.Encryption)
	}
	if err == nil {
		c, err = in.choose(o)
	}
	return s.answer(ctx, call, b, c, err)
}

// CheckObject carries out GetObjectAcl, PutObjectAcl and GetObjectTagging, which ask
// for a right and an object that is there and no more. The access control list is the
// same for every object, the owner has full control; and no object has tags.
func (s *Service) CheckObject(ctx context.Context, call *Call, op int, bucket, key string) error {
	if op != OpGetObjectACL && op != OpPutObjectACL && op != OpGetObjectTagging {
		return fault.E("objects.CheckObject", fault.Internal, "", errors.New("not an operation that only asks for an object"))
	}
	b, err := s.decide(ctx, call, op, bucket, key)
	if err != nil {
		return s.refuse(ctx, call, err)
	}
	o, err := s.row(ctx, bucket, key, false)
	_, err = s.answer(ctx, call, b, &Content{Object: o}, err)
	return err
}

// answer puts a permitted read on record with its outcome.
func (s *Service) answer(ctx context.Context, call *Call, b *Bucket, c *Content, err error) (*Content, error) {
	e := &call.event
	switch {
	case err == nil:
		e.Status, e.Size = 200, c.Length
		if c.Partial {
			e.Status = 206
		}
	case fault.CodeOf(err) == "NoSuchKey":
		if err = s.hide(ctx, call, b, err); fault.CodeOf(err) != "NoSuchKey" {
			return nil, s.refuse(ctx, call, err)
		}
		e.Status, e.Error = 404, "NoSuchKey"
	case keyRefused(call, err):
		return nil, s.refuse(ctx, call, err)
	default:
		e.Status, e.Error = 400, fault.CodeOf(err)
		switch e.Error {
		case "NotModified":
			e.Status = 304
		case "PreconditionFailed":
			e.Status = 412
		case "InvalidRange":
			e.Status = 416
		case "":
			e.Status, e.Error = 500, "InternalError"
		}
	}
	if rerr := s.record(ctx, call); rerr != nil {
		if err == nil {
			_ = c.Close()
		}
		return nil, rerr
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// hide turns NoSuchKey into AccessDenied for callers who may not list the
// bucket: they could otherwise find out which keys there are.
func (s *Service) hide(ctx context.Context, call *Call, b *Bucket, err error) error {
	d, derr := s.allowed(ctx, call, "s3:ListBucket", arn.S3Object(b.Name, ""), b)
	if derr != nil {
		return derr
	}
	if d.Effect == policy.Allow && !call.Caller.IsGrant() {
		return err
	}
	return denied(call, "there is no such key, which is told only to those who may list the bucket")
}

// choose decides conditions and range.
func (in *GetInput) choose(o *Object) (*Content, error) {
	if in.copying {
		if err := in.Conditions.copySource(o); err != nil {
			return nil, err
		}
		start, length, err := parseCopyRange(in.Range, o.Size)
		return &Content{Object: o, Start: start, Length: length}, err
	}
	if err := in.Conditions.read(o); err != nil {
		return nil, err
	}
	c := &Content{Object: o, Length: o.Size}
	if in.PartNumber != 0 {
		if in.Range != "" {
			return nil, fault.Coded("objects", fault.Invalid, "InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
		}
		return c, c.part(in.PartNumber)
	}
	if in.Range == "" {
		return c, nil
	}
	start, length, whole, err := parseRange(in.Range, o.Size)
	if err != nil {
		f := fault.Coded("objects", fault.Invalid, "InvalidRange", "The requested range is not satisfiable")
		f.Field = strconv.FormatInt(o.Size, 10) // for Content-Range: bytes */size
		return nil, f
	}
	c.Start, c.Length, c.Partial = start, length, !whole
	return c, nil
}

func (c *Content) part(n int) error {
	if n == 1 && c.Parts == 0 {
		c.Partial = c.Size > 0
		return nil
	}
	// Parts are counted as they lie in the object, whatever numbers they were
	// uploaded under.
	if n >= 1 && n <= len(c.segments) {
		p := &c.segments[n-1]
		c.Start, c.Length, c.Partial = p.Offset, p.Size, true
		return nil
	}
	return fault.Coded("objects", fault.Invalid, "InvalidPart", "The requested partNumber is not satisfiable")
}

// maxReopen bounds how often a read begins anew because the object was replaced
// between looking it up and opening it.
const maxReopen = 8

// open finds the row and opens the first of the bytes wanted. A row whose bytes
// are gone has been replaced: the next look finds its successor.
func (s *Service) open(ctx context.Context, call *Call, in *GetInput) (*Content, error) {
	for try := range maxReopen {
		o, err := s.row(ctx, in.Bucket, in.Key, try > 0)
		if err != nil {
			return nil, err
		}
		// Asked first, and each time: whoever may not use the key, or nobody at the
		// moment, learns nothing from conditions or ranges either.
		var key envelope.Secret
		if o.Encryption.sealed() {
			if key, err = s.openKey(ctx, call, in.Bucket, in.Key, o.Encryption); err != nil {
				return nil, err
			}
		}
		c, err := in.choose(o)
		if err != nil {
			return nil, err
		}
		c.key = key
		err = s.openContent(ctx, c)
		if err == nil {
			return c, nil
		}
		if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		s.changed(in.Bucket, in.Key)
	}
	return nil, fault.E("objects.open", fault.Internal, "", errBytesMissing)
}

var errBytesMissing = errors.New("the row names bytes that are not there")

func (s *Service) openContent(ctx context.Context, c *Content) error {
	c.service, c.ctx = s, ctx
	if c.Length == 0 {
		return nil
	}
	if c.abroad {
		return s.openAbroad(ctx, c)
	}
	if c.segments == nil && c.Size <= smallObject {
		var err error
		c.small, err = s.smallBytes(ctx, c)
		return err
	}
	if c.segments == nil && c.Encryption.sealed() && c.Size <= openedObject {
		if done, err := s.openOnce(ctx, c); done || err != nil {
			return err
		}
	}
	id := c.Blob
	if c.segments != nil {
		if !s.readers.hold(c.segments) {
			return fault.E("objects.open", fault.NotFound, "", errBytesMissing)
		}
		c.held = true
		for c.at = 0; c.segments[c.at].Offset+c.segments[c.at].Size <= c.Start; c.at++ {
		}
		id = c.segments[c.at].Blob
	}
	var err error
	c.firstID = id
	if c.first, c.gone, err = s.openBlob(ctx, id); err != nil {
		_ = c.Close()
		return err
	}
	return nil
}
