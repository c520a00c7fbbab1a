package external

import (
	"context"
	"errors"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"fiducial/internal/fault"
)

// failure says in words what a store answered or why it did not. The words are
// for whoever may describe the job, and name no secret: they are the store's own
// code and message.
func (s *Store) failure(op string, err error) error {
	if err == nil {
		return nil
	}
	where := "the store of bucket " + s.bucket + " (" + s.origin + ")"
	var status int
	var id string
	var res *awshttp.ResponseError
	if errors.As(err, &res) {
		status, id = res.HTTPStatusCode(), res.ServiceRequestID()
	}
	code, message := "", ""
	var api smithy.APIError
	if errors.As(err, &api) {
		code, message = api.ErrorCode(), api.ErrorMessage()
	}
	said := where + " says " + strings.TrimSuffix(code+": "+message, ": ")
	if id != "" {
		said += " (request " + id + ")"
	}
	switch {
	case code == "NoSuchKey" || code == "NotFound" || code == "NoSuchBucket" || status == 404:
		if code != "NoSuchBucket" {
			code = "NoSuchKey"
		}
		f := fault.Coded(op, fault.NotFound, code, said)
		f.Err = err
		return f
	case code == "PreconditionFailed" || status == 412:
		f := fault.Coded(op, fault.NotFound, "NoSuchKey", "the object was replaced while it was read")
		f.Err = err
		return f
	case keysAtFault[code]:
		// Not the requester's fault, and mended without the requester: wait.
		return fault.E(op, fault.Unavailable, said+": the credentials that this server has for it do not work", err)
	case status == 403 || status == 401:
		f := fault.Coded(op, fault.Denied, "AccessDenied", said)
		f.Err = err
		return f
	case status >= 400 && status < 500 && status != 408 && status != 429:
		return fault.E(op, fault.Invalid, said, err)
	case code != "" || status != 0:
		return fault.E(op, fault.Unavailable, said, err)
	case errors.Is(err, context.Canceled):
		return fault.E(op, fault.Unavailable, "the request was given up", err)
	}
	return fault.E(op, fault.Unavailable, where+" does not answer", err)
}

// keysAtFault are answers that no policy gives.
var keysAtFault = map[string]bool{
	"InvalidAccessKeyId": true, "InvalidClientTokenId": true, "InvalidToken": true, "ExpiredToken": true, "ExpiredTokenException": true,
	"SignatureDoesNotMatch": true, "RequestTimeTooSkewed": true, "UnrecognizedClientException": true, "TokenRefreshRequired": true,
}
