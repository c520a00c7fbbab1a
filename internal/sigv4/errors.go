package sigv4

import (
	"fmt"

	"fiducial/internal/fault"
)

// Codes of the faults of this package, as S3 names them. Malformed requests are
// fault.Invalid, everything that leaves the caller unknown fault.Unauthenticated.
const (
	CodeSignatureDoesNotMatch = "SignatureDoesNotMatch"
	CodeTimeTooSkewed         = "RequestTimeTooSkewed"
	CodeAccessDenied          = "AccessDenied" // expired, not yet valid, unsigned headers, no date
	CodeHeaderMalformed       = "AuthorizationHeaderMalformed"
	CodeQueryParameters       = "AuthorizationQueryParametersError"
	CodeInvalidRequest        = "InvalidRequest"
	CodeInvalidArgument       = "InvalidArgument"
	CodeInvalidURI            = "InvalidURI"
	CodeMissingHeader         = "MissingSecurityHeader"
	CodeContentMismatch       = "XAmzContentSHA256Mismatch"
	CodeBadDigest             = "BadDigest"
	CodeInvalidDigest         = "InvalidDigest"
	CodeIncompleteBody        = "IncompleteBody"
	CodeMissingLength         = "MissingContentLength"
	CodeMalformedTrailer      = "MalformedTrailerError"
)

func invalid(code, format string, args ...any) error {
	return fault.Coded("sigv4", fault.Invalid, code, fmt.Sprintf(format, args...))
}

func refused(code, message string) error {
	return fault.Coded("sigv4", fault.Unauthenticated, code, message)
}

// mismatch is the one answer to every signature that is wrong. It says nothing
// about which part of the request differs.
func mismatch() error {
	return refused(CodeSignatureDoesNotMatch, "The signature does not match the request. Check the secret access key, and that the request arrives as it was signed.")
}
