package scim

import (
	"errors"
	"fmt"
	"net/http"

	"ringdown/internal/fault"
)

// failure is an error as a client sees it (RFC 7644 §3.12).
type failure struct {
	status int
	kind   scimType
	detail string
	cause  error // logged, never shown
}

// scimType says what is wrong with a request (RFC 7644 §3.12, table 9); empty
// when the status says it all.
type scimType string

const (
	invalidFilter scimType = "invalidFilter"
	tooMany       scimType = "tooMany"
	uniqueness    scimType = "uniqueness"
	mutability    scimType = "mutability"
	invalidSyntax scimType = "invalidSyntax"
	invalidPath   scimType = "invalidPath"
	noTarget      scimType = "noTarget"
	invalidValue  scimType = "invalidValue"
)

func (f *failure) Error() string { return f.detail }

func (f *failure) Unwrap() error { return f.cause }

// bad is a request that cannot be carried out as it is.
func bad(kind scimType, format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, kind: kind, detail: fmt.Sprintf(format, args...)}
}

func refuse(status int, format string, args ...any) *failure {
	return &failure{status: status, detail: fmt.Sprintf(format, args...)}
}

// failed turns any error into what a client sees of it: an exception of the API
// into its like.
func failed(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var e *fault.Error
	if !errors.As(err, &e) {
		return &failure{status: http.StatusInternalServerError, detail: "something went wrong in the server", cause: err}
	}
	f = &failure{status: e.Code.Status(), detail: e.Message, cause: err}
	switch {
	case e.Code == fault.DuplicateResource:
		f.kind = uniqueness
	case e.Code == fault.ResourceConflict:
		f.status, f.detail = http.StatusPreconditionFailed, "the user has been changed meanwhile"
	case f.status == http.StatusBadRequest:
		f.kind = invalidValue
	case f.status >= http.StatusInternalServerError:
		f.detail = "something went wrong in the server"
	}
	return f
}
