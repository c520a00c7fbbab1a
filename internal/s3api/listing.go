package s3api

import (
	"encoding/xml"
	"net/http"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

// encoder writes names as encoding-type asks.
type encoder bool

func (e encoder) text(s string) string {
	if !e {
		return s
	}
	return urlEncode(s)
}

func (e encoder) optional(s string) *string {
	if s == "" {
		return nil
	}
	s = e.text(s)
	return &s
}

// urlEncode is encoding-type=url: percent-encoding that leaves slashes alone.
func urlEncode(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~/*", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

type objectEntry struct {
	Key               string
	LastModified      string
	ETag              string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Size              int64
	StorageClass      string
	Owner             *owner `xml:",omitempty"`
}

type prefixEntry struct{ Prefix string }

func entries(l *objects.Listing, enc encoder, o *owner) (contents []objectEntry) {
	for _, r := range l.Objects {
		contents = append(contents, objectEntry{
			Key: enc.text(r.Key), LastModified: stamp(r.Modified), ETag: r.QuotedETag, Size: r.Size, StorageClass: "STANDARD",
			ChecksumAlgorithm: r.Checksum.Algorithm, ChecksumType: r.Checksum.Type, Owner: o,
		})
	}
	return contents
}

func prefixes(list []string, enc encoder) (out []prefixEntry) {
	for _, p := range list {
		out = append(out, prefixEntry{enc.text(p)})
	}
	return out
}

// listInput reads what the three listings have in common.
func (x *exchange) listInput() (in objects.ListInput, enc encoder, err error) {
	encoding, err := x.encoding()
	if err != nil {
		return in, false, err
	}
	in = objects.ListInput{Bucket: x.bucket, Prefix: x.query("prefix"), Delimiter: x.query("delimiter")}
	in.MaxKeys, err = x.number("max-keys", objects.MaxKeys, 0)
	return in, encoding == "url", err
}

// encodingType echoes encoding-type.
func encodingType(e encoder) string {
	if e {
		return "url"
	}
	return ""
}

func (x *exchange) listObjects() error {
	in, enc, err := x.listInput()
	if err != nil {
		return err
	}
	in.Marker = x.query("marker")
	l, err := x.h.objects.ListObjects(x.r.Context(), &x.call, in)
	if err != nil {
		return err
	}
	o := x.owner()
	doc := struct {
		XMLName        xml.Name `xml:"ListBucketResult"`
		Xmlns          string   `xml:"xmlns,attr"`
		Name           string
		Prefix         string
		Marker         string
		NextMarker     *string `xml:",omitempty"`
		MaxKeys        int
		Delimiter      *string `xml:",omitempty"`
		EncodingType   string  `xml:",omitempty"`
		IsTruncated    bool
		Contents       []objectEntry `xml:",omitempty"`
		CommonPrefixes []prefixEntry `xml:",omitempty"`
	}{
		Xmlns: namespace, Name: x.bucket, Prefix: enc.text(in.Prefix), Marker: enc.text(in.Marker), MaxKeys: in.MaxKeys,
		Delimiter: enc.optional(in.Delimiter), EncodingType: encodingType(enc), IsTruncated: l.Truncated,
		Contents: entries(l, enc, &o), CommonPrefixes: prefixes(l.CommonPrefixes, enc),
	}
	if in.Delimiter != "" { // otherwise the last key is the marker
		doc.NextMarker = enc.optional(l.NextMarker)
	}
	return x.answer(http.StatusOK, &doc)
}

func (x *exchange) listObjectsV2() error {
	if x.query("list-type") != "2" {
		return invalid("list-type must be 2")
	}
	in, enc, err := x.listInput()
	if err != nil {
		return err
	}
	in.Marker, in.Token = x.query("start-after"), x.query("continuation-token")
	l, err := x.h.objects.ListObjectsV2(x.r.Context(), &x.call, in)
	if err != nil {
		return err
	}
	doc := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Xmlns                 string   `xml:"xmlns,attr"`
		Name                  string
		Prefix                string
		Delimiter             *string `xml:",omitempty"`
		StartAfter            *string `xml:",omitempty"`
		ContinuationToken     *string `xml:",omitempty"`
		NextContinuationToken string  `xml:",omitempty"`
		KeyCount              int
		MaxKeys               int
		EncodingType          string `xml:",omitempty"`
		IsTruncated           bool
		Contents              []objectEntry `xml:",omitempty"`
		CommonPrefixes        []prefixEntry `xml:",omitempty"`
	}{
		Xmlns: namespace, Name: x.bucket, Prefix: enc.text(in.Prefix), Delimiter: enc.optional(in.Delimiter), StartAfter: enc.optional(in.Marker),
		NextContinuationToken: l.NextToken, KeyCount: len(l.Objects) + len(l.CommonPrefixes), MaxKeys: in.MaxKeys,
		EncodingType: encodingType(enc), IsTruncated: l.Truncated, CommonPrefixes: prefixes(l.CommonPrefixes, enc),
	}
	if t, ok := x.sig.Query.Lookup("continuation-token"); ok {
		doc.ContinuationToken = &t
	}
	var o *owner
	if x.query("fetch-owner") == "true" {
		v := x.owner()
		o = &v
	}
	doc.Contents = entries(l, enc, o)
	return x.answer(http.StatusOK, &doc)
}

type versionEntry struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
	Owner        owner
}

// listVersions lists every object with its one version, named null, as S3 does
// for a bucket that never had versioning.
func (x *exchange) listVersions() error {
	in, enc, err := x.listInput()
	if err != nil {
		return err
	}
	in.Marker = x.query("key-marker")
	if v := x.query("version-id-marker"); v != "" && v != "null" {
		return invalid("Invalid version id specified")
	}
	l, err := x.h.objects.ListObjectVersions(x.r.Context(), &x.call, in)
	if err != nil {
		return err
	}
	doc := struct {
		XMLName             xml.Name `xml:"ListVersionsResult"`
		Xmlns               string   `xml:"xmlns,attr"`
		Name                string
		Prefix              string
		KeyMarker           string
		VersionIDMarker     string  `xml:"VersionIdMarker"`
		NextKeyMarker       *string `xml:",omitempty"`
		NextVersionIDMarker string  `xml:"NextVersionIdMarker,omitempty"`
		MaxKeys             int
		Delimiter           *string `xml:",omitempty"`
		EncodingType        string  `xml:",omitempty"`
		IsTruncated         bool
		Version             []versionEntry `xml:",omitempty"`
		CommonPrefixes      []prefixEntry  `xml:",omitempty"`
	}{
		Xmlns: namespace, Name: x.bucket, Prefix: enc.text(in.Prefix), KeyMarker: enc.text(in.Marker), VersionIDMarker: x.query("version-id-marker"),
		NextKeyMarker: enc.optional(l.NextMarker), MaxKeys: in.MaxKeys, Delimiter: enc.optional(in.Delimiter), EncodingType: encodingType(enc),
		IsTruncated: l.Truncated, CommonPrefixes: prefixes(l.CommonPrefixes, enc),
	}
	if l.Truncated {
		doc.NextVersionIDMarker = "null"
	}
	for _, r := range l.Objects {
		doc.Version = append(doc.Version, versionEntry{enc.text(r.Key), "null", true, stamp(r.Modified), r.QuotedETag, r.Size, "STANDARD", x.owner()})
	}
	return x.answer(http.StatusOK, &doc)
}

type deleteEntry struct {
	Key       string
	VersionID string `xml:"VersionId"`
	ETag      string
}

type deletedEntry struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
}

type deleteError struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Code      string
	Message   string
}

func (x *exchange) deleteObjects() error {
	var in struct {
		XMLName xml.Name      `xml:"Delete"`
		Quiet   bool          `xml:"Quiet"`
		Object  []deleteEntry `xml:"Object"`
	}
	if err := x.xml(maxDeleteXML, false, &in); err != nil {
		return err
	}
	list := make([]objects.DeleteInput, len(in.Object))
	for i, o := range in.Object {
		list[i] = objects.DeleteInput{Key: o.Key, VersionID: o.VersionID, IfMatch: o.ETag}
	}
	out, err := x.h.objects.DeleteObjects(x.r.Context(), &x.call, x.bucket, list)
	if err != nil {
		return err
	}
	doc := struct {
		XMLName xml.Name       `xml:"DeleteResult"`
		Xmlns   string         `xml:"xmlns,attr"`
		Deleted []deletedEntry `xml:",omitempty"`
		Error   []deleteError  `xml:",omitempty"`
	}{Xmlns: namespace}
	for _, d := range out {
		switch {
		case d.Err != nil:
			doc.Error = append(doc.Error, deleteError{d.Key, d.VersionID, codeOf(d.Err), fault.MessageOf(d.Err)})
		case !in.Quiet:
			doc.Deleted = append(doc.Deleted, deletedEntry{d.Key, d.VersionID})
		}
	}
	return x.answer(http.StatusOK, &doc)
}
