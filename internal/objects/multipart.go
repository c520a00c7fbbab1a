package objects

import (
	"context"
	"io"
	"strconv"

	"fiducial/internal/blob"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
)

// CreateUploadInput begins a multipart upload.
type CreateUploadInput struct {
	Bucket, Key string
	Headers     Headers
	Checksum    Checksum // Algorithm and Type
	SSE         SSE
}

// CreateMultipartUpload begins an upload.
func (s *Service) CreateMultipartUpload(ctx context.Context, call *Call, in CreateUploadInput) (*Upload, error) {
	e, _, err := s.checkWrite(ctx, call, OpCreateMultipartUpload, in.Bucket, in.Key, &in.Headers, in.SSE)
	if err != nil {
		return nil, err
	}
	if err := checkAlgorithm(&in.Checksum); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	u := Upload{
		ID: id, Bucket: in.Bucket, Key: in.Key, Initiator: call.Caller.ARN, CreatedAt: s.now().UTC(),
		Headers: in.Headers, Checksum: in.Checksum, Encryption: e,
	}
	return &u, s.store.CreateUpload(ctx, u)
}

// PartInput is a part's bytes.
type PartInput struct {
	Bucket, Key, UploadID string
	Number                int
	Body                  io.Reader
	Size                  int64 // -1 if not known
	Sum                   Sum
}

// UploadPart stores a part.
func (s *Service) UploadPart(ctx context.Context, call *Call, in PartInput) (*Segment, error) {
	if _, err := s.begin(ctx, call, OpUploadPart, in.Bucket, in.Key, true); err != nil {
		return nil, err
	}
	return s.putPart(ctx, call, &in)
}

func (s *Service) putPart(ctx context.Context, call *Call, in *PartInput) (*Segment, error) {
	if in.Number < 1 || in.Number > MaxParts {
		return nil, fault.Coded("objects.UploadPart", fault.Invalid, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	u, err := s.store.Upload(ctx, in.Bucket, in.Key, in.UploadID)
	if err != nil {
		return nil, err
	}
	if alg := u.Checksum.Algorithm; alg != "" {
		switch in.Sum.Declared {
		case "":
			in.Sum.Compute = alg
		case alg:
		default:
			return nil, fault.Coded("objects.UploadPart", fault.Invalid, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: "+alg+", actual checksum Type: "+in.Sum.Declared)
		}
	}
	key, err := s.uploadKey(ctx, call, u)
	if err != nil {
		return nil, err
	}
	st, err := s.write(ctx, in.Body, in.Size, in.Sum, sealWith(u.Encryption, key, partStream(in.Number)))
	if err != nil {
		return nil, err
	}
	p := Segment{Number: in.Number, Blob: st.blob, Size: st.size, ETag: st.etag, Checksum: st.checksum, Modified: s.now().UTC()}
	freed, err := s.store.PutPart(ctx, u.ID, p)
	if err != nil {
		if k := fault.KindOf(err); k != fault.Internal && k != fault.Unavailable {
			s.remove([]blob.ID{p.Blob})
		}
		return nil, err
	}
	s.remove(freed)
	p.Encryption = u.Encryption
	return &p, nil
}

// uploadKey opens the data key of an upload's parts.
func (s *Service) uploadKey(ctx context.Context, call *Call, u *Upload) (envelope.Secret, error) {
	if !u.Encryption.sealed() {
		return envelope.Secret{}, nil
	}
	key, err := s.openKey(ctx, call, u.Bucket, u.Key, u.Encryption)
	if keyRefused(call, err) {
		err = s.refuse(ctx, call, err)
	}
	return key, err
}

// CopyPartInput is a part that is copied from an object.
type CopyPartInput struct {
	CopyInput
	UploadID string
	Number   int
	Range    string // of the source; "" for all
}

// UploadPartCopy stores a part that is a copy.
func (s *Service) UploadPartCopy(ctx context.Context, call *Call, in CopyPartInput) (*Segment, error) {
	src, _, err := s.beginCopy(ctx, call, OpUploadPartCopy, &in.CopyInput, in.Range)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	body := src.Reader()
	defer body.Close()
	return s.putPart(ctx, call, &PartInput{
		Bucket: in.Bucket, Key: in.Key, UploadID: in.UploadID, Number: in.Number,
		Body: body, Size: src.Length,
	})
}

// CompletePart names a part as the client knows it.
type CompletePart struct {
	Number   int
	ETag     string
	Checksum Checksum // Value empty if the client did not say
}

// CompleteInput ends an upload.
type CompleteInput struct {
	Bucket, Key, UploadID string
	Parts                 []CompletePart
	Conditions            Conditions // IfMatch and IfNoneMatch
	Checksum              string     // of the whole object, if the client says; base64
	Size                  int64      // of the whole object, if the client says; otherwise -1
}

// CompleteMultipartUpload makes the object. Called again with an upload that it
// has completed, it answers as before: a client may not have heard the first time.
func (s *Service) CompleteMultipartUpload(ctx context.Context, call *Call, in CompleteInput) (*Object, error) {
	if _, err := s.begin(ctx, call, OpCompleteMultipartUpload, in.Bucket, in.Key, true); err != nil {
		return nil, err
	}
	if len(in.Parts) == 0 || len(in.Parts) > MaxParts {
		return nil, fault.Coded("objects.CompleteMultipartUpload", fault.Invalid, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema: 1 to 10000 parts are expected")
	}
	u, err := s.store.Upload(ctx, in.Bucket, in.Key, in.UploadID)
	if fault.Is(err, fault.NotFound) {
		return s.completed(ctx, &in, err)
	}
	if err != nil {
		return nil, err
	}
	if _, err := s.uploadKey(ctx, call, u); err != nil {
		return nil, err
	}
	present, err := s.store.PartsOf(ctx, u.ID, 0, MaxParts)
	if err != nil {
		return nil, err
	}
	keep, size, err := chooseParts(present, in.Parts)
	if err != nil {
		return nil, err
	}
	if in.Size >= 0 && in.Size != size {
		return nil, fault.Coded("objects.CompleteMultipartUpload", fault.Invalid, "InvalidRequest", "The provided 'x-amz-mp-object-size' header does not match what was computed")
	}
	sum, err := combine(u.Checksum.Algorithm, u.Checksum.Type, keep)
	if err != nil {
		return nil, err
	}
	if in.Checksum != "" && sum.Value != "" && in.Checksum != sum.Value {
		return nil, fault.Coded("objects.CompleteMultipartUpload", fault.Invalid, "BadDigest", "The "+u.Checksum.Algorithm+" you specified did not match the calculated checksum.")
	}
	o := &Object{
		Bucket: in.Bucket, Key: in.Key, Upload: u.ID, Parts: len(keep), Size: size, ETag: multipartETag(keep),
		Modified: s.now().UTC(), Headers: u.Headers, Checksum: sum, segments: keep, Encryption: u.Encryption,
	}
	err = s.commit(ctx, call, o, keep, in.Conditions.write)
	if fault.CodeOf(err) == "NoSuchUpload" { // another request was faster
		return s.completed(ctx, &in, err)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// completed answers for an upload that is not in progress: the object, if that
// upload made the present one, otherwise notFound.
func (s *Service) completed(ctx context.Context, in *CompleteInput, notFound error) (*Object, error) {
	o, err := s.row(ctx, in.Bucket, in.Key, true)
	if err != nil || in.UploadID == "" || o.Upload != in.UploadID || len(in.Parts) != len(o.segments) {
		return nil, notFound
	}
	for i, p := range in.Parts {
		if p.Number != o.segments[i].Number || unquote(p.ETag) != o.segments[i].ETag {
			return nil, notFound
		}
	}
	return o, nil
}

// chooseParts matches what the client wants joined with what is there.
func chooseParts(present []Segment, want []CompletePart) (keep []Segment, size int64, err error) {
	const op = "objects.CompleteMultipartUpload"
	byNumber := make(map[int]Segment, len(present))
	for _, p := range present {
		byNumber[p.Number] = p
	}
	for i, w := range want {
		if i > 0 && w.Number <= want[i-1].Number {
			return nil, 0, fault.Coded(op, fault.Invalid, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
		p, ok := byNumber[w.Number]
		if !ok || unquote(w.ETag) != p.ETag {
			return nil, 0, fault.Coded(op, fault.Invalid, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		}
		if w.Checksum.Value != "" && p.Checksum.Value != "" && (w.Checksum.Algorithm != p.Checksum.Algorithm || w.Checksum.Value != p.Checksum.Value) {
			return nil, 0, fault.Coded(op, fault.Invalid, "InvalidPart", "The checksum of part "+strconv.Itoa(w.Number)+" does not match the part that was uploaded")
		}
		if i < len(want)-1 && p.Size < MinPart {
			return nil, 0, fault.Coded(op, fault.Invalid, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size: part "+strconv.Itoa(w.Number)+" has "+strconv.FormatInt(p.Size, 10)+" bytes, and every part but the last needs 5242880")
		}
		p.Offset = size
		if size += p.Size; size > MaxObject {
			return nil, 0, tooLarge()
		}
		keep = append(keep, p)
	}
	return keep, size, nil
}

// AbortMultipartUpload ends an upload and removes its parts.
func (s *Service) AbortMultipartUpload(ctx context.Context, call *Call, bucket, key, id string) error {
	if _, err := s.begin(ctx, call, OpAbortMultipartUpload, bucket, key, true); err != nil {
		return err
	}
	freed, err := s.store.DeleteUpload(ctx, bucket, key, id)
	if err != nil {
		return err
	}
	s.remove(freed)
	return nil
}
