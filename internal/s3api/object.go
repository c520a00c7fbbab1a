package s3api

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
	"fiducial/internal/sigv4"
)

// getInput reads what GetObject and HeadObject have in common.
func (x *exchange) getInput() (in objects.GetInput, err error) {
	in = objects.GetInput{Bucket: x.bucket, Key: x.name, Range: x.r.Header.Get("Range"), Conditions: x.conditions("")}
	if err := x.checkVersion(); err != nil {
		return in, err
	}
	if err := x.noEncryptionHeaders(); err != nil {
		return in, err
	}
	in.PartNumber, err = x.number("partNumber", 0, 1)
	if in.PartNumber > objects.MaxParts {
		return in, invalid("Part number must be an integer between 1 and 10000, inclusive")
	}
	return in, err
}

func (x *exchange) getObject() error {
	in, err := x.getInput()
	if err != nil {
		return err
	}
	c, err := x.h.objects.GetObject(x.r.Context(), &x.call, in)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := x.describe(c, in.PartNumber); err != nil {
		return err
	}
	if x.h.follows != nil && c.AtHand() && c.Length >= minFollowing && x.r.ProtoMajor == 1 {
		x.h.follows(x.r.Context())
	}
	n, err := c.WriteTo(x.w)
	x.sent = n
	if err != nil {
		// The answer has begun, so the only way to say that it is incomplete is
		// to let the connection end short of the length that was announced.
		x.h.log.Debug("an object was not sent whole", "request", x.call.RequestID, "sent", n, "err", err)
	}
	return nil
}

func (x *exchange) headObject() error {
	in, err := x.getInput()
	if err != nil {
		return err
	}
	in.Checksums = x.checksumMode()
	c, err := x.h.objects.HeadObject(x.r.Context(), &x.call, in)
	if err != nil {
		return err
	}
	return x.describe(c, in.PartNumber)
}

// overrides are the response headers that a signed request may choose.
var overrides = [...]struct{ parameter, header string }{
	{"response-content-type", "Content-Type"}, {"response-content-language", "Content-Language"}, {"response-expires", "Expires"},
	{"response-cache-control", "Cache-Control"}, {"response-content-disposition", "Content-Disposition"}, {"response-content-encoding", "Content-Encoding"},
}

// describe sends the head of an answer about an object.
func (x *exchange) describe(c *objects.Content, part int) error {
	x.objectSize = c.Size
	status := http.StatusOK
	head := x.w.Header()
	// One array holds every value, to spare an allocation for each.
	values := make([]string, 0, 16)
	set := func(name, value string) {
		values = append(values, value)
		head[name] = values[len(values)-1 : len(values) : len(values)]
	}
	set("Accept-Ranges", "bytes")
	set("Content-Length", strconv.FormatInt(c.Length, 10))
	set("Content-Type", c.Headers.ContentType)
	set("Etag", c.QuotedETag)
	set("Last-Modified", c.LastModified)
	if c.Partial {
		status = http.StatusPartialContent
		set("Content-Range", "bytes "+strconv.FormatInt(c.Start, 10)+"-"+strconv.FormatInt(c.Start+c.Length-1, 10)+"/"+strconv.FormatInt(c.Size, 10))
	}
	if part != 0 && c.Parts > 0 {
		set("X-Amz-Mp-Parts-Count", strconv.Itoa(c.Parts))
	}
	for _, h := range [...]struct{ name, value string }{
		{"Cache-Control", c.Headers.CacheControl}, {"Content-Disposition", c.Headers.ContentDisposition}, {"Content-Encoding", c.Headers.ContentEncoding},
		{"Content-Language", c.Headers.ContentLanguage}, {"Expires", c.Headers.Expires}, {"X-Amz-Website-Redirect-Location", c.Headers.RedirectLocation},
	} {
		if h.value != "" {
			set(h.name, h.value)
		}
	}
	for _, m := range c.Headers.Meta {
		// Not through Set: canonical form is for names, and S3 keeps metadata
		// names in lower case.
		head["x-amz-meta-"+m.Name] = []string{m.Value}
	}
	if c.Encryption != nil {
		x.showEncryption(c.Encryption)
	}
	if !c.Partial && x.checksumMode() {
		x.echoChecksum(c.Checksum)
	}
	if x.sig.Query.Len() > 0 {
		if err := x.override(head); err != nil {
			return err
		}
	}
	x.writeHead(status)
	return nil
}

func (x *exchange) override(head http.Header) error {
	if x.sig.Presigned && !x.hoisted() {
		return nil
	}
	for _, o := range overrides {
		v, ok := x.sig.Query.Lookup(o.parameter)
		if !ok {
			continue
		}
		// Whoever may choose the type of a stranger's object in a browser can
		// run script in its origin: only those who signed for it.
		if x.sig.Anonymous {
			return fault.Coded("s3api", fault.Invalid, "InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
		}
		head[o.header] = []string{v}
	}
	return nil
}

func (x *exchange) checksumMode() bool {
	return strings.EqualFold(x.header("X-Amz-Checksum-Mode"), "ENABLED")
}

func (x *exchange) echoChecksum(c objects.Checksum) {
	if c.Algorithm == "" {
		return
	}
	head := x.w.Header()
	head.Set(sigv4.ChecksumAlgorithm(c.Algorithm).Header(), c.Value)
	if c.Type != "" {
		head.Set("X-Amz-Checksum-Type", c.Type)
	}
}

func (x *exchange) getObjectACL() error {
	if err := x.h.objects.CheckObject(x.r.Context(), &x.call, x.route.Operation, x.bucket, x.name); err != nil {
		return err
	}
	return x.answerACL()
}

// getObjectTagging tells that an object has no tags: none can be given to it. The
// AWS CLI asks before it copies a large object.
func (x *exchange) getObjectTagging() error {
	if err := x.h.objects.CheckObject(x.r.Context(), &x.call, x.route.Operation, x.bucket, x.name); err != nil {
		return err
	}
	return x.answer(http.StatusOK, &tagging{Xmlns: namespace})
}

func (x *exchange) putObjectACL() error {
	if err := x.h.objects.CheckObject(x.r.Context(), &x.call, x.route.Operation, x.bucket, x.name); err != nil {
		return err
	}
	if err := x.checkPutACL(); err != nil {
		return err
	}
	return x.empty(http.StatusOK)
}

// sized returns the body, whose length must be known: S3 does not take a body
// without one.
func (x *exchange) sized() (*sigv4.Body, error) {
	b, err := x.body()
	if err != nil {
		return nil, err
	}
	if b.Size() < 0 {
		return nil, fault.Coded("s3api", fault.Invalid, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	return b, nil
}

// compute reads which checksum the client wants computed where it sends none.
func (x *exchange) compute() (string, error) {
	v := x.header("X-Amz-Checksum-Algorithm")
	if v == "" {
		return "", nil
	}
	a, err := sigv4.ParseChecksumAlgorithm(v)
	return string(a), err
}

func (x *exchange) putObject() error {
	h, err := x.stored()
	if err != nil {
		return err
	}
	compute, err := x.compute()
	if err != nil {
		return err
	}
	sse, err := x.sse()
	if err != nil {
		return err
	}
	b, err := x.sized()
	if err != nil {
		return err
	}
	o, err := x.h.objects.PutObject(x.r.Context(), &x.call, objects.PutInput{
		Bucket: x.bucket, Key: x.name, Headers: h, Conditions: x.conditions(""), Body: b, Size: b.Size(), Sum: x.sum(b, compute), SSE: sse,
	})
	if err != nil {
		return err
	}
	x.objectSize = o.Size
	x.w.Header()["Etag"] = []string{o.QuotedETag}
	x.showEncryption(o.Encryption)
	x.echoChecksum(o.Checksum)
	return x.empty(http.StatusOK)
}

// copyInput reads what CopyObject and UploadPartCopy have in common.
func (x *exchange) copyInput() (in objects.CopyInput, err error) {
	in = objects.CopyInput{Bucket: x.bucket, Key: x.name, Source: x.conditions("X-Amz-Copy-Source-")}
	in.SourceBucket, in.SourceKey, err = x.copySource()
	return in, err
}

type copyResult struct {
	XMLName      xml.Name
	Xmlns        string `xml:"xmlns,attr"`
	LastModified string
	ETag         string
	checksumElements
}

// checksumElements is a checksum in a document: one of the five is set.
type checksumElements struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
}

func elements(c objects.Checksum) (e checksumElements) {
	if p := e.of(c.Algorithm); p != nil {
		*p = c.Value
	}
	return e
}

func (e *checksumElements) of(algorithm string) *string {
	switch sigv4.ChecksumAlgorithm(algorithm) {
	case sigv4.CRC32:
		return &e.ChecksumCRC32
	case sigv4.CRC32C:
		return &e.ChecksumCRC32C
	case sigv4.CRC64NVME:
		return &e.ChecksumCRC64NVME
	case sigv4.SHA1:
		return &e.ChecksumSHA1
	case sigv4.SHA256:
		return &e.ChecksumSHA256
	}
	return nil
}

// checksum is the reverse of elements.
func (e *checksumElements) checksum() objects.Checksum {
	for _, a := range sigv4.ChecksumAlgorithms {
		if v := *e.of(string(a)); v != "" {
			return objects.Checksum{Algorithm: string(a), Value: v}
		}
	}
	return objects.Checksum{}
}

func (x *exchange) copyObject() error {
	in, err := x.copyInput()
	if err != nil {
		return err
	}
	if in.Headers, err = x.stored(); err != nil {
		return err
	}
	if in.Compute, err = x.compute(); err != nil {
		return err
	}
	if in.SSE, err = x.sse(); err != nil {
		return err
	}
	switch strings.ToUpper(x.header("X-Amz-Metadata-Directive")) {
	case "", "COPY":
	case "REPLACE":
		in.Replace = true
	default:
		return invalid("Unknown metadata directive.")
	}
	in.Conditions = objects.Conditions{IfMatch: x.r.Header.Get("If-Match"), IfNoneMatch: x.r.Header.Get("If-None-Match")}
	o, err := x.h.objects.CopyObject(x.r.Context(), &x.call, in)
	if err != nil {
		return err
	}
	x.objectSize = o.Size
	x.showEncryption(o.Encryption)
	return x.answer(http.StatusOK, &copyResult{
		XMLName: xml.Name{Local: "CopyObjectResult"}, Xmlns: namespace,
		LastModified: stamp(o.Modified), ETag: o.QuotedETag, checksumElements: elements(o.Checksum),
	})
}

func (x *exchange) deleteObject() error {
	err := x.h.objects.DeleteObject(x.r.Context(), &x.call, x.bucket, objects.DeleteInput{
		Key: x.name, VersionID: x.query("versionId"), IfMatch: x.r.Header.Get("If-Match"),
	})
	if err != nil {
		return err
	}
	return x.empty(http.StatusNoContent)
}

type tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	Xmlns   string   `xml:"xmlns,attr"`
	TagSet  struct{} `xml:"TagSet"`
}
