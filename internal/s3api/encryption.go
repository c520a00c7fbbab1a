package s3api

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

// The headers of server-side encryption, in canonical form.
const (
	headSSE         = "X-Amz-Server-Side-Encryption"
	headKeyID       = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	headContext     = "X-Amz-Server-Side-Encryption-Context"
	headBucketKey   = "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"
	headCustomer    = "X-Amz-Server-Side-Encryption-Customer-Algorithm"
	headCustomerKey = "X-Amz-Server-Side-Encryption-Customer-Key"
	headCopySource  = "X-Amz-Copy-Source-Server-Side-Encryption-Customer-Algorithm"
)

// maxContext bounds the encryption context in base64. KMS takes at most 8192
// characters of it.
const maxContext = 12 << 10

// badHeader refuses a header's value and names the header.
func badHeader(name, why string) error {
	f := invalid("%s: %s", strings.ToLower(name), why)
	f.(*fault.Error).Field = strings.ToLower(name)
	return f
}

// sse reads what a request asks of server-side encryption.
func (x *exchange) sse() (in objects.SSE, err error) {
	in = objects.SSE{Algorithm: x.header(headSSE), KeyID: x.header(headKeyID), BucketKey: strings.ToLower(x.header(headBucketKey))}
	switch in.Algorithm {
	case "", objects.AES256, objects.AWSKMS:
	case "aws:kms:dsse":
		return in, notImplemented("the encryption method aws:kms:dsse is not supported by this server; use aws:kms")
	default:
		return in, badHeader(headSSE, "the encryption method specified is not supported; expected AES256 or aws:kms")
	}
	text := x.header(headContext)
	if in.Algorithm != objects.AWSKMS {
		switch {
		case in.KeyID != "":
			return in, badHeader(headKeyID, "only for x-amz-server-side-encryption: aws:kms")
		case text != "":
			return in, badHeader(headContext, "only for x-amz-server-side-encryption: aws:kms")
		}
	}
	switch in.BucketKey {
	case "", "true", "false":
	default:
		return in, badHeader(headBucketKey, "expected true or false")
	}
	if len(in.KeyID) > 2048 {
		return in, badHeader(headKeyID, "longer than any key's name")
	}
	in.Context, err = parseContext(text)
	return in, err
}

// parseContext reads an encryption context: JSON of strings, in base64.
func parseContext(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxContext {
		return nil, badHeader(headContext, "too long")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, badHeader(headContext, "expected base64")
	}
	var c map[string]string
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, badHeader(headContext, "expected a JSON object of strings, in base64")
	}
	for name := range c {
		if strings.EqualFold(name, objects.ContextKey) {
			return nil, badHeader(headContext, objects.ContextKey+" is added by S3 and cannot be given")
		}
	}
	if len(c) == 0 {
		return nil, nil
	}
	return c, nil
}

// noEncryptionHeaders refuses the headers on operations that do not take them:
// what is read is opened as it was sealed, and a part is sealed as its upload says.
func (x *exchange) noEncryptionHeaders() error {
	if x.header(headSSE) != "" {
		return badHeader(headSSE, "this header is not supported for this operation")
	}
	return x.noCustomerKey()
}

// noCustomerKey refuses SSE-C. A key that came with a request would have to be
// trusted to the worker's browser to show a picture.
func (x *exchange) noCustomerKey() error {
	for _, name := range [...]string{headCustomer, headCustomerKey, headCopySource} {
		if x.header(name) != "" {
			return notImplemented("the header " + strings.ToLower(name) + ": encryption with customer-provided keys (SSE-C) is not supported by this server; use AES256 or aws:kms")
		}
	}
	return nil
}

// showEncryption tells how an object is sealed; nothing if it is not.
func (x *exchange) showEncryption(e *objects.Encryption) {
	if e == nil {
		return
	}
	head := x.w.Header()
	head[headSSE] = []string{e.Algorithm}
	if e.KeyARN != "" {
		head[headKeyID] = []string{e.KeyARN}
	}
	if e.BucketKey {
		head[headBucketKey] = []string{"true"}
	}
}

type encryptionRule struct {
	Default *struct {
		SSEAlgorithm   string
		KMSMasterKeyID string `xml:",omitempty"`
	} `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKeyEnabled bool
	Blocked          *struct {
		EncryptionType []string
	} `xml:"BlockedEncryptionTypes,omitempty"`
}

type encryptionConfiguration struct {
	XMLName xml.Name         `xml:"ServerSideEncryptionConfiguration"`
	Xmlns   string           `xml:"xmlns,attr,omitempty"`
	Rule    []encryptionRule `xml:"Rule"`
}

func (x *exchange) getEncryption() error {
	b, err := x.read()
	if err != nil {
		return err
	}
	// S3 answers AES256 for every bucket, since it seals everything. Here an
	// object lies as it came unless somebody asked, and that is what is said.
	if b.Encryption == (objects.DefaultEncryption{}) {
		return fault.Coded("s3api", fault.NotFound, "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found")
	}
	var rule encryptionRule
	rule.Default = &struct {
		SSEAlgorithm   string
		KMSMasterKeyID string `xml:",omitempty"`
	}{b.Encryption.Algorithm, b.Encryption.KeyID}
	rule.BucketKeyEnabled = b.Encryption.BucketKey
	return x.answer(http.StatusOK, &encryptionConfiguration{Xmlns: namespace, Rule: []encryptionRule{rule}})
}

func (x *exchange) putEncryption() error {
	var in encryptionConfiguration
	if err := x.xml(maxSmallXML, false, &in); err != nil {
		return err
	}
	if len(in.Rule) != 1 || in.Rule[0].Default == nil {
		return malformedXML()
	}
	rule := in.Rule[0]
	if rule.Default.SSEAlgorithm == "aws:kms:dsse" {
		return notImplemented("the SSEAlgorithm aws:kms:dsse is not supported by this server; use aws:kms")
	}
	if rule.Blocked != nil {
		for _, t := range rule.Blocked.EncryptionType {
			// SSE-C is refused anyway.
			if t != "SSE-C" && t != "NONE" {
				return invalid("EncryptionType %.40q: expected SSE-C or NONE", t)
			}
		}
	}
	err := x.h.objects.PutBucketEncryption(x.r.Context(), &x.call, x.bucket, objects.DefaultEncryption{
		Algorithm: rule.Default.SSEAlgorithm, KeyID: rule.Default.KMSMasterKeyID, BucketKey: rule.BucketKeyEnabled,
	})
	if err != nil {
		return err
	}
	return x.empty(http.StatusOK)
}

func (x *exchange) deleteEncryption() error {
	if err := x.h.objects.DeleteBucketEncryption(x.r.Context(), &x.call, x.bucket); err != nil {
		return err
	}
	return x.empty(http.StatusNoContent)
}
