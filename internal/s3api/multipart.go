package s3api

import (
	"encoding/xml"
	"net/http"
	"strconv"

	"fiducial/internal/objects"
	"fiducial/internal/sigv4"
)

func (x *exchange) createUpload() error {
	h, err := x.stored()
	if err != nil {
		return err
	}
	sse, err := x.sse()
	if err != nil {
		return err
	}
	u, err := x.h.objects.CreateMultipartUpload(x.r.Context(), &x.call, objects.CreateUploadInput{
		Bucket: x.bucket, Key: x.name, Headers: h, SSE: sse,
		Checksum: objects.Checksum{Algorithm: x.header("X-Amz-Checksum-Algorithm"), Type: x.header("X-Amz-Checksum-Type")},
	})
	if err != nil {
		return err
	}
	x.showEncryption(u.Encryption)
	if u.Checksum.Algorithm != "" {
		x.w.Header().Set("X-Amz-Checksum-Algorithm", u.Checksum.Algorithm)
		x.w.Header().Set("X-Amz-Checksum-Type", u.Checksum.Type)
	}
	return x.answer(http.StatusOK, &struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		Xmlns    string   `xml:"xmlns,attr"`
		Bucket   string
		Key      string
		UploadID string `xml:"UploadId"`
	}{Xmlns: namespace, Bucket: x.bucket, Key: x.name, UploadID: u.ID})
}

func (x *exchange) partNumber() (int, error) {
	n, err := strconv.Atoi(x.query("partNumber"))
	if err != nil {
		return 0, invalid("Part number must be an integer between 1 and 10000, inclusive")
	}
	return n, nil
}

func (x *exchange) uploadPart() error {
	n, err := x.partNumber()
	if err != nil {
		return err
	}
	if err := x.checkUnsupported(); err != nil {
		return err
	}
	if err := x.noEncryptionHeaders(); err != nil {
		return err
	}
	b, err := x.sized()
	if err != nil {
		return err
	}
	p, err := x.h.objects.UploadPart(x.r.Context(), &x.call, objects.PartInput{
		Bucket: x.bucket, Key: x.name, UploadID: x.query("uploadId"), Number: n, Body: b, Size: b.Size(), Sum: x.sum(b, ""),
	})
	if err != nil {
		return err
	}
	x.w.Header()["Etag"] = []string{`"` + p.ETag + `"`}
	x.showEncryption(p.Encryption)
	x.echoChecksum(p.Checksum)
	return x.empty(http.StatusOK)
}

func (x *exchange) copyPart() error {
	n, err := x.partNumber()
	if err != nil {
		return err
	}
	if err := x.checkUnsupported(); err != nil {
		return err
	}
	if err := x.noEncryptionHeaders(); err != nil {
		return err
	}
	in, err := x.copyInput()
	if err != nil {
		return err
	}
	p, err := x.h.objects.UploadPartCopy(x.r.Context(), &x.call, objects.CopyPartInput{
		CopyInput: in, UploadID: x.query("uploadId"), Number: n, Range: x.header("X-Amz-Copy-Source-Range"),
	})
	if err != nil {
		return err
	}
	x.showEncryption(p.Encryption)
	return x.answer(http.StatusOK, &copyResult{
		XMLName: xml.Name{Local: "CopyPartResult"}, Xmlns: namespace,
		LastModified: stamp(p.Modified), ETag: `"` + p.ETag + `"`, checksumElements: elements(p.Checksum),
	})
}

func (x *exchange) completeUpload() error {
	var doc struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []struct {
			PartNumber int
			ETag       string
			checksumElements
		} `xml:"Part"`
	}
	b, err := x.sig.BodyOnly(x.r, x.key) // x-amz-checksum-… is the object's here
	if err != nil {
		return err
	}
	data, err := x.document(b, maxCompleteXML)
	if err != nil {
		return err
	}
	if err := parseXML(data, &doc); err != nil {
		return err
	}
	in := objects.CompleteInput{Bucket: x.bucket, Key: x.name, UploadID: x.query("uploadId"), Conditions: x.conditions(""), Size: -1}
	for _, p := range doc.Part {
		in.Parts = append(in.Parts, objects.CompletePart{Number: p.PartNumber, ETag: p.ETag, Checksum: p.checksum()})
	}
	if v := x.header("X-Amz-Mp-Object-Size"); v != "" {
		if in.Size, err = strconv.ParseInt(v, 10, 64); err != nil || in.Size < 0 {
			return invalid("x-amz-mp-object-size must be a number of bytes")
		}
	}
	for _, a := range sigv4.ChecksumAlgorithms {
		if v := x.header(checksumHeader(a)); v != "" {
			in.Checksum = v
		}
	}
	o, err := x.h.objects.CompleteMultipartUpload(x.r.Context(), &x.call, in)
	if err != nil {
		return err
	}
	x.objectSize = o.Size
	x.showEncryption(o.Encryption)
	scheme := "http"
	if x.call.Origin.Secure {
		scheme = "https"
	}
	return x.answer(http.StatusOK, &struct {
		XMLName  xml.Name `xml:"CompleteMultipartUploadResult"`
		Xmlns    string   `xml:"xmlns,attr"`
		Location string
		Bucket   string
		Key      string
		ETag     string
		checksumElements
		ChecksumType string `xml:",omitempty"`
	}{
		Xmlns: namespace, Location: scheme + "://" + x.r.Host + "/" + x.bucket + "/" + urlEncode(x.name), Bucket: x.bucket, Key: x.name,
		ETag: o.QuotedETag, checksumElements: elements(o.Checksum), ChecksumType: o.Checksum.Type,
	})
}

func (x *exchange) abortUpload() error {
	if err := x.h.objects.AbortMultipartUpload(x.r.Context(), &x.call, x.bucket, x.name, x.query("uploadId")); err != nil {
		return err
	}
	return x.empty(http.StatusNoContent)
}

// initiator shows who began an upload.
func initiator(arn string) owner { return owner{ID: arn, DisplayName: arn} }

type partEntry struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
	checksumElements
}

func (x *exchange) listParts() error {
	limit, err := x.number("max-parts", objects.MaxKeys, 0)
	if err != nil {
		return err
	}
	after, err := x.number("part-number-marker", 0, 0)
	if err != nil {
		return err
	}
	l, err := x.h.objects.ListParts(x.r.Context(), &x.call, x.bucket, x.name, x.query("uploadId"), after, limit)
	if err != nil {
		return err
	}
	doc := struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		Xmlns                string   `xml:"xmlns,attr"`
		Bucket               string
		Key                  string
		UploadID             string `xml:"UploadId"`
		Initiator            owner
		Owner                owner
		StorageClass         string
		PartNumberMarker     int
		NextPartNumberMarker int
		MaxParts             int
		IsTruncated          bool
		ChecksumAlgorithm    string      `xml:",omitempty"`
		ChecksumType         string      `xml:",omitempty"`
		Part                 []partEntry `xml:",omitempty"`
	}{
		Xmlns: namespace, Bucket: x.bucket, Key: x.name, UploadID: l.Upload.ID, Initiator: initiator(l.Upload.Initiator), Owner: x.owner(),
		StorageClass: "STANDARD", PartNumberMarker: after, MaxParts: limit, IsTruncated: l.Truncated,
		ChecksumAlgorithm: l.Upload.Checksum.Algorithm, ChecksumType: l.Upload.Checksum.Type,
	}
	for _, p := range l.Parts {
		doc.Part = append(doc.Part, partEntry{p.Number, stamp(p.Modified), `"` + p.ETag + `"`, p.Size, elements(p.Checksum)})
		doc.NextPartNumberMarker = p.Number
	}
	return x.answer(http.StatusOK, &doc)
}

type uploadEntry struct {
	Key               string
	UploadID          string `xml:"UploadId"`
	Initiator         owner
	Owner             owner
	StorageClass      string
	Initiated         string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func (x *exchange) listUploads() error {
	encoding, err := x.encoding()
	if err != nil {
		return err
	}
	enc := encoder(encoding == "url")
	in := objects.ListUploadsInput{
		Bucket: x.bucket, Prefix: x.query("prefix"), Delimiter: x.query("delimiter"),
		KeyMarker: x.query("key-marker"), UploadIDMarker: x.query("upload-id-marker"),
	}
	if in.MaxUploads, err = x.number("max-uploads", objects.MaxKeys, 0); err != nil {
		return err
	}
	l, err := x.h.objects.ListMultipartUploads(x.r.Context(), &x.call, in)
	if err != nil {
		return err
	}
	doc := struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		Xmlns              string   `xml:"xmlns,attr"`
		Bucket             string
		KeyMarker          string
		UploadIDMarker     string `xml:"UploadIdMarker"`
		NextKeyMarker      string
		NextUploadIDMarker string  `xml:"NextUploadIdMarker"`
		Prefix             *string `xml:",omitempty"`
		Delimiter          *string `xml:",omitempty"`
		EncodingType       string  `xml:",omitempty"`
		MaxUploads         int
		IsTruncated        bool
		Upload             []uploadEntry `xml:",omitempty"`
		CommonPrefixes     []prefixEntry `xml:",omitempty"`
	}{
		Xmlns: namespace, Bucket: x.bucket, KeyMarker: enc.text(in.KeyMarker), UploadIDMarker: in.UploadIDMarker,
		Prefix: enc.optional(in.Prefix), Delimiter: enc.optional(in.Delimiter), EncodingType: encoding, MaxUploads: in.MaxUploads,
		IsTruncated: l.Truncated, CommonPrefixes: prefixes(l.CommonPrefixes, enc),
	}
	if l.Truncated {
		doc.NextKeyMarker, doc.NextUploadIDMarker = enc.text(l.NextKeyMarker), l.NextUploadIDMarker
	}
	for _, u := range l.Uploads {
		doc.Upload = append(doc.Upload, uploadEntry{
			enc.text(u.Key), u.ID, initiator(u.Initiator), x.owner(), "STANDARD", stamp(u.CreatedAt), u.Checksum.Algorithm, u.Checksum.Type,
		})
	}
	return x.answer(http.StatusOK, &doc)
}
