package awsapi

import (
	"errors"
	"fmt"
	"net/http"

	"fiducial/internal/fault"
)

// Code is an error code of a protocol and the HTTP status that goes with it.
type Code struct {
	Name   string
	Status int
}

// kindCodes is what each protocol says for a kind of fault that carries no code
// of its own. Services override single kinds (Service.Codes).
var kindCodes = map[Protocol]map[fault.Kind]Code{
	JSON11: {
		fault.Internal:        {"InternalFailure", 500},
		fault.Invalid:         {"ValidationException", 400},
		fault.Unauthenticated: {"UnrecognizedClientException", 400},
		fault.Denied:          {"AccessDeniedException", 400},
		fault.NotFound:        {"ResourceNotFoundException", 400},
		fault.Exists:          {"ResourceInUseException", 400},
		fault.InUse:           {"ResourceInUseException", 400},
		fault.Limit:           {"LimitExceededException", 400},
		fault.Precond:         {"ConflictException", 400},
		fault.Unavailable:     {"ServiceUnavailableException", 503},
		fault.Unsupported:     {"UnknownOperationException", 400},
	},
	REST: {
		fault.Internal:        {"InternalServerException", 500},
		fault.Invalid:         {"ValidationException", 400},
		fault.Unauthenticated: {"UnrecognizedClientException", 403},
		fault.Denied:          {"AccessDeniedException", 403},
		fault.NotFound:        {"ResourceNotFoundException", 404},
		fault.Exists:          {"ConflictException", 409},
		fault.InUse:           {"ConflictException", 409},
		fault.Limit:           {"ServiceQuotaExceededException", 402},
		fault.Precond:         {"ConflictException", 409},
		fault.Unavailable:     {"ServiceUnavailableException", 503},
		fault.Unsupported:     {"UnknownOperationException", 404},
	},
	Query: {
		fault.Internal:        {"InternalFailure", 500},
		fault.Invalid:         {"ValidationError", 400},
		fault.Unauthenticated: {"InvalidClientTokenId", 403},
		fault.Denied:          {"AccessDenied", 403},
		fault.NotFound:        {"NoSuchEntity", 404},
		fault.Exists:          {"EntityAlreadyExists", 409},
		fault.InUse:           {"DeleteConflict", 409},
		fault.Limit:           {"LimitExceeded", 409},
		fault.Precond:         {"ConcurrentModification", 409},
		fault.Unavailable:     {"ServiceUnavailable", 503},
		fault.Unsupported:     {"InvalidAction", 400},
	},
}

// authCodes translates the codes in which signatures and credentials are
// refused, which sigv4 and iam give in S3's or IAM's words, into the protocol's.
var authCodes = map[Protocol]map[string]Code{
	JSON11: {
		"SignatureDoesNotMatch":             {"InvalidSignatureException", 400},
		"RequestTimeTooSkewed":              {"InvalidSignatureException", 400},
		"AccessDenied":                      {"InvalidSignatureException", 400}, // sigv4: expired, or not wholly signed
		"XAmzContentSHA256Mismatch":         {"InvalidSignatureException", 400},
		"InvalidAccessKeyId":                {"UnrecognizedClientException", 400},
		"InvalidClientTokenId":              {"UnrecognizedClientException", 400},
		"InvalidToken":                      {"UnrecognizedClientException", 400},
		"ExpiredToken":                      {"ExpiredTokenException", 400},
		"MissingAuthenticationToken":        {"MissingAuthenticationTokenException", 400},
		"AuthorizationHeaderMalformed":      {"IncompleteSignatureException", 400},
		"AuthorizationQueryParametersError": {"IncompleteSignatureException", 400},
		"IncompleteSignature":               {"IncompleteSignatureException", 400},
		"MissingSecurityHeader":             {"IncompleteSignatureException", 400},
	},
	REST: {
		"SignatureDoesNotMatch":             {"InvalidSignatureException", 403},
		"RequestTimeTooSkewed":              {"InvalidSignatureException", 403},
		"AccessDenied":                      {"InvalidSignatureException", 403}, // sigv4: expired, or not wholly signed
		"XAmzContentSHA256Mismatch":         {"InvalidSignatureException", 403},
		"InvalidAccessKeyId":                {"UnrecognizedClientException", 403},
		"InvalidClientTokenId":              {"UnrecognizedClientException", 403},
		"InvalidToken":                      {"UnrecognizedClientException", 403},
		"ExpiredToken":                      {"ExpiredTokenException", 403},
		"MissingAuthenticationToken":        {"MissingAuthenticationTokenException", 403},
		"AuthorizationHeaderMalformed":      {"IncompleteSignatureException", 403},
		"AuthorizationQueryParametersError": {"IncompleteSignatureException", 403},
		"IncompleteSignature":               {"IncompleteSignatureException", 403},
		"MissingSecurityHeader":             {"IncompleteSignatureException", 403},
	},
	Query: {
		"SignatureDoesNotMatch":             {"SignatureDoesNotMatch", 403},
		"RequestTimeTooSkewed":              {"SignatureDoesNotMatch", 403},
		"AccessDenied":                      {"SignatureDoesNotMatch", 403}, // sigv4: expired, or not wholly signed
		"XAmzContentSHA256Mismatch":         {"SignatureDoesNotMatch", 403},
		"InvalidAccessKeyId":                {"InvalidClientTokenId", 403},
		"InvalidClientTokenId":              {"InvalidClientTokenId", 403},
		"InvalidToken":                      {"InvalidClientTokenId", 403},
		"ExpiredToken":                      {"ExpiredToken", 403},
		"MissingAuthenticationToken":        {"MissingAuthenticationToken", 403},
		"AuthorizationHeaderMalformed":      {"IncompleteSignature", 400},
		"AuthorizationQueryParametersError": {"IncompleteSignature", 400},
		"IncompleteSignature":               {"IncompleteSignature", 400},
		"MissingSecurityHeader":             {"IncompleteSignature", 400},
	},
}

// codeOf is the one place where a fault becomes a code and a status.
func (s *Service) codeOf(err error) Code {
	kind := fault.KindOf(err)
	c, ok := s.Codes[kind]
	if !ok {
		c, ok = kindCodes[s.Protocol][kind]
	}
	if !ok {
		c = kindCodes[s.Protocol][fault.Internal]
	}
	name := fault.CodeOf(err)
	if name == "" {
		return c
	}
	if a, ok := authCodes[s.Protocol][name]; ok && (kind == fault.Unauthenticated || kind == fault.Invalid) {
		return a
	}
	if kind == fault.Unauthenticated {
		return c
	}
	return Code{name, c.Status}
}

// unknownOperation explains why there is no such operation.
func (s *service) unknownOperation(name string) error {
	const op = "awsapi.operation"
	if s.operations == nil {
		return fault.Newf(op, fault.Unsupported, "This server has no service %s.", s.Name)
	}
	for _, p := range s.Planned {
		if p == name {
			return fault.Newf(op, fault.Unsupported, "The operation %s of the service %s is not available in this version of Fiducial.", name, s.Name)
		}
	}
	if name == "" {
		return fault.Newf(op, fault.Unsupported, "The request names no operation of the service %s.", s.Name)
	}
	return fault.Newf(op, fault.Unsupported, "This server has no operation %q of the service %s.", printable(name), s.Name)
}

// printable bounds and cleans what a client sent before it is said back.
func printable(s string) string {
	const limit = 128
	b := make([]byte, 0, min(len(s), limit))
	for i := 0; i < len(s) && i < limit; i++ {
		if c := s[i]; c > 0x20 && c < 0x7f && c != '"' && c != '\\' {
			b = append(b, c)
		}
	}
	return string(b)
}

func tooLarge(most int64) error {
	return &fault.Error{Op: "awsapi.body", Kind: fault.Invalid, Code: "RequestEntityTooLargeException",
		Message: fmt.Sprintf("The request body is larger than %d bytes.", most)}
}

// asBodyError tells a body over the limit from one that broke off.
func asBodyError(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return tooLarge(big.Limit)
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.E("awsapi.body", fault.Invalid, "The request body could not be read to its end.", err)
}
