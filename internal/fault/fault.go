// Package fault holds the one error type that travels from the rules of the
// system to its front door. Everything a client may learn of a failure is in
// an Error: the exception's name, its message, and the extra members that some
// exceptions carry. Whatever is not an Error reaches a client as an
// InternalServiceException with a generic message.
//
// The package knows nothing of HTTP beyond the status that AWS gives each
// exception; internal/gateway alone renders an Error.
package fault

import (
	"errors"
	"fmt"
	"net/http"
)

// Code is the name of an exception as AWS spells it in x-amzn-ErrorType.
type Code string

// Exceptions that Amazon Connect's service model declares.
const (
	InvalidParameter            Code = "InvalidParameterException"
	InvalidRequest              Code = "InvalidRequestException"
	InvalidContactFlow          Code = "InvalidContactFlowException"
	InvalidContactFlowModule    Code = "InvalidContactFlowModuleException"
	InvalidTestCase             Code = "InvalidTestCaseException"
	PropertyValidation          Code = "PropertyValidationException"
	MaximumResultReturned       Code = "MaximumResultReturnedException"
	InvalidActiveRegion         Code = "InvalidActiveRegionException"
	ServiceQuotaExceeded        Code = "ServiceQuotaExceededException"
	AccessDenied                Code = "AccessDeniedException"
	DestinationNotAllowed       Code = "DestinationNotAllowedException"
	OutboundContactNotPermitted Code = "OutboundContactNotPermittedException"
	ResourceNotFound            Code = "ResourceNotFoundException"
	UserNotFound                Code = "UserNotFoundException"
	ContactFlowNotPublished     Code = "ContactFlowNotPublishedException"
	OutputTypeNotFound          Code = "OutputTypeNotFoundException"
	ContactNotFound             Code = "ContactNotFoundException"
	DuplicateResource           Code = "DuplicateResourceException"
	ResourceConflict            Code = "ResourceConflictException"
	Idempotency                 Code = "IdempotencyException"
	Conflict                    Code = "ConflictException"
	ConditionalOperationFailed  Code = "ConditionalOperationFailedException"
	ResourceNotReady            Code = "ResourceNotReadyException"
	ResourceInUse               Code = "ResourceInUseException"
	LimitExceeded               Code = "LimitExceededException"
	Throttling                  Code = "ThrottlingException"
	TooManyRequests             Code = "TooManyRequestsException"
	InternalService             Code = "InternalServiceException"
)

// Exceptions that only the Participant service's model declares; those that it
// shares with Amazon Connect's are above.
const (
	Validation     Code = "ValidationException"
	InternalServer Code = "InternalServerException"
)

// Exceptions of the gateway in front of the service (AWS "Common Errors").
const (
	Serialization              Code = "SerializationException"
	MissingAuthenticationToken Code = "MissingAuthenticationTokenException"
	UnrecognizedClient         Code = "UnrecognizedClientException"
	InvalidSignature           Code = "InvalidSignatureException"
	IncompleteSignature        Code = "IncompleteSignatureException"
	ExpiredToken               Code = "ExpiredTokenException"
	UnknownOperation           Code = "UnknownOperationException"
	RequestEntityTooLarge      Code = "RequestEntityTooLargeException"
	RequestTimeout             Code = "RequestTimeout"
	MalformedHTTPRequest       Code = "MalformedHttpRequestException"
	ServiceUnavailable         Code = "ServiceUnavailable"
	NotImplemented             Code = "NotImplementedException"
)

// Exceptions of the Security Token Service, by the names that they have on the
// wire (AWS STS API reference, "Errors" of AssumeRoleWithSAML and "Common
// Errors"). A token that an operation is given and that is too old is
// ExpiredToken, credentials that are ExpiredCredentials, a caller who may not
// AccessDenied.
const (
	ExpiredCredentials      Code = "ExpiredToken"
	ValidationError         Code = "ValidationError"
	InvalidIdentityToken    Code = "InvalidIdentityToken"
	IDPRejectedClaim        Code = "IDPRejectedClaim"
	MalformedPolicyDocument Code = "MalformedPolicyDocument"
	PackedPolicyTooLarge    Code = "PackedPolicyTooLarge"
)

// statuses lists every code that is not a 400.
var statuses = map[Code]int{
	ServiceQuotaExceeded:        http.StatusPaymentRequired,
	AccessDenied:                http.StatusForbidden,
	DestinationNotAllowed:       http.StatusForbidden,
	OutboundContactNotPermitted: http.StatusForbidden,
	MissingAuthenticationToken:  http.StatusForbidden,
	UnrecognizedClient:          http.StatusForbidden,
	InvalidSignature:            http.StatusForbidden,
	IncompleteSignature:         http.StatusForbidden,
	ExpiredToken:                http.StatusForbidden,
	ExpiredCredentials:          http.StatusForbidden,
	ResourceNotFound:            http.StatusNotFound,
	IDPRejectedClaim:            http.StatusForbidden,
	UserNotFound:                http.StatusNotFound,
	ContactFlowNotPublished:     http.StatusNotFound,
	OutputTypeNotFound:          http.StatusNotFound,
	UnknownOperation:            http.StatusNotFound,
	RequestTimeout:              http.StatusRequestTimeout,
	ContactNotFound:             http.StatusGone,
	DuplicateResource:           http.StatusConflict,
	ResourceConflict:            http.StatusConflict,
	Idempotency:                 http.StatusConflict,
	Conflict:                    http.StatusConflict,
	ConditionalOperationFailed:  http.StatusConflict,
	ResourceNotReady:            http.StatusConflict,
	ResourceInUse:               http.StatusConflict,
	RequestEntityTooLarge:       http.StatusRequestEntityTooLarge,
	LimitExceeded:               http.StatusTooManyRequests,
	Throttling:                  http.StatusTooManyRequests,
	TooManyRequests:             http.StatusTooManyRequests,
	InternalService:             http.StatusInternalServerError,
	InternalServer:              http.StatusInternalServerError,
	NotImplemented:              http.StatusNotImplemented,
	ServiceUnavailable:          http.StatusServiceUnavailable,
}

// Status is the HTTP status that AWS answers for the code.
func (c Code) Status() int {
	if s, ok := statuses[c]; ok {
		return s
	}
	return http.StatusBadRequest
}

// Error is a failure that a client may see.
type Error struct {
	Code    Code
	Message string
	// Members holds what the exception carries beside its message, by member
	// name: ResourceType and ResourceId of a ResourceInUseException, problems
	// of an InvalidContactFlowException.
	Members map[string]any
	// Cause is logged and never rendered.
	Cause error
}

// New returns an Error whose message is formatted from format and args.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// With returns a copy of e that also carries the member name with value.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Members = make(map[string]any, len(e.Members)+1)
	for k, v := range e.Members {
		c.Members[k] = v
	}
	c.Members[name] = value
	return &c
}

// Wrap returns a copy of e whose cause is err.
func (e *Error) Wrap(err error) *Error {
	c := *e
	c.Cause = err
	return &c
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether err is, or wraps, an Error of the given code.
func Is(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

// From returns the Error that err is or wraps; failing that an
// InternalServiceException that keeps err as its cause and says nothing of it.
func From(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: InternalService, Message: "An internal error occurred.", Cause: err}
}
