package s3api

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"

	"fiducial/internal/fault"
)

// statuses are the HTTP statuses of S3's codes ("Error responses" in the S3 API
// Reference). Codes that are not here have their kind's status.
var statuses = map[string]int{
	"AccessDenied":                                   403,
	"AuthorizationHeaderMalformed":                   400,
	"AuthorizationQueryParametersError":              400,
	"BucketAlreadyExists":                            409,
	"BucketAlreadyOwnedByYou":                        409,
	"BucketNotEmpty":                                 409,
	"ConditionalRequestConflict":                     409,
	"KMS.DisabledException":                          400,
	"KMS.InvalidKeyUsageException":                   400,
	"KMS.KMSInvalidStateException":                   400,
	"KMS.NotFoundException":                          400,
	"ServerSideEncryptionConfigurationNotFoundError": 404,
	"EntityTooLarge":                                 400,
	"EntityTooSmall":                                 400,
	"ExpiredToken":                                   400,
	"IncompleteBody":                                 400,
	"InvalidAccessKeyId":                             403,
	"InvalidRange":                                   416,
	"InvalidToken":                                   400,
	"MethodNotAllowed":                               405,
	"MissingContentLength":                           411,
	"MissingSecurityHeader":                          400,
	"NoSuchBucket":                                   404,
	"NoSuchBucketPolicy":                             404,
	"NoSuchCORSConfiguration":                        404,
	"NoSuchKey":                                      404,
	"NoSuchUpload":                                   404,
	"NoSuchVersion":                                  404,
	"NotImplemented":                                 501,
	"NotModified":                                    304,
	"PreconditionFailed":                             412,
	"RequestTimeTooSkewed":                           403,
	"SignatureDoesNotMatch":                          403,
	"AccessControlListNotSupported":                  400,
	"KeyTooLongError":                                400,
	"MalformedACLError":                              400,
	"MalformedPolicy":                                400,
	"MaxMessageLengthExceeded":                       400,
	"XAmzContentSHA256Mismatch":                      400,
	"InvalidTargetBucketForLogging":                  400,
	"IllegalLocationConstraintException":             400,
}

// kinds are the code and status of a fault without a code of its own.
var kinds = [...]struct {
	code   string
	status int
}{
	fault.Internal:        {"InternalError", 500},
	fault.Invalid:         {"InvalidArgument", 400},
	fault.Unauthenticated: {"AccessDenied", 403},
	fault.Denied:          {"AccessDenied", 403},
	fault.NotFound:        {"NoSuchKey", 404},
	fault.Exists:          {"OperationAborted", 409},
	fault.InUse:           {"OperationAborted", 409},
	fault.Limit:           {"EntityTooLarge", 400},
	fault.Precond:         {"PreconditionFailed", 412},
	fault.Unavailable:     {"ServiceUnavailable", 503},
	fault.Unsupported:     {"NotImplemented", 501},
}

// forbidden is an error that is answered with 403 whatever its code.
type forbidden struct{ error }

func (f *forbidden) Unwrap() error { return f.error }

// codeOf and statusOf translate an error.
func codeOf(err error) string {
	switch code := fault.CodeOf(err); code {
	case "":
		return kinds[fault.KindOf(err)].code
	case "InvalidClientTokenId": // what IAM calls it
		return "InvalidToken"
	default:
		return code
	}
}

func statusOf(err error) int {
	var f *forbidden
	if errors.As(err, &f) {
		return http.StatusForbidden
	}
	if s, ok := statuses[codeOf(err)]; ok {
		return s
	}
	return kinds[fault.KindOf(err)].status
}

// errorDocument is the body of an error.
type errorDocument struct {
	XMLName    xml.Name `xml:"Error"`
	Code       string
	Message    string
	BucketName string `xml:",omitempty"`
	Key        string `xml:",omitempty"`
	Region     string `xml:",omitempty"`
	RequestID  string `xml:"RequestId"`
	HostID     string `xml:"HostId"`
}

// fail answers with an error.
func (x *exchange) fail(err error) {
	code, status := codeOf(err), statusOf(err)
	if status >= 500 && status != http.StatusNotImplemented {
		if x.r.Context().Err() != nil || errors.Is(err, context.Canceled) {
			x.h.log.Debug("the client went away", "request", x.call.RequestID, "err", err)
		} else {
			x.h.log.Error("a request failed", "request", x.call.RequestID, "method", x.r.Method, "bucket", x.bucket, "err", err)
		}
	}
	x.status, x.errorCode = status, code
	x.clock()
	head := x.w.Header()
	for _, h := range [...]string{"Content-Length", "Content-Range", "Etag", "Last-Modified", "Content-Type"} {
		head.Del(h)
	}
	switch status {
	case http.StatusNotModified:
		if f := fieldOf(err); f != "" {
			head["Etag"] = []string{f}
		}
		x.w.WriteHeader(status)
		return
	case http.StatusRequestedRangeNotSatisfiable:
		if f := fieldOf(err); f != "" {
			head.Set("Content-Range", "bytes */"+f)
		}
	case http.StatusServiceUnavailable:
		head.Set("Retry-After", "1")
	}
	if x.r.Method == http.MethodHead {
		x.w.WriteHeader(status)
		return
	}
	doc := errorDocument{Code: code, Message: fault.MessageOf(err), BucketName: x.bucket, Key: x.name, RequestID: x.call.RequestID, HostID: x.call.RequestID}
	if code == "AuthorizationHeaderMalformed" || code == "AuthorizationQueryParametersError" {
		doc.Region = x.h.region
	}
	body, merr := xml.Marshal(&doc)
	if merr != nil {
		body = []byte("<Error><Code>InternalError</Code></Error>")
	}
	x.writeXML(status, body)
}

func fieldOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Field
	}
	return ""
}

// answer sends a result document.
func (x *exchange) answer(status int, doc any) error {
	body, err := xml.Marshal(doc)
	if err != nil {
		return fault.E("s3api", fault.Internal, "", err)
	}
	x.writeXML(status, body)
	return nil
}

func (x *exchange) writeXML(status int, body []byte) {
	head := x.w.Header()
	head["Content-Type"] = []string{"application/xml"}
	head["Content-Length"] = []string{strconv.Itoa(len(xml.Header) + len(body))}
	x.writeHead(status)
	n, _ := x.w.Write(append([]byte(xml.Header), body...))
	x.sent += int64(n)
}

// empty answers without a body.
func (x *exchange) empty(status int) error {
	x.writeHead(status)
	return nil
}

func (x *exchange) writeHead(status int) {
	x.status = status
	x.clock()
	x.w.WriteHeader(status)
}
