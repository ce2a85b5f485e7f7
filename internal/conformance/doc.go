// Package conformance holds the server to the service models of Amazon Connect
// and of its Participant service from outside: it boots one server and walks the
// models' operations over HTTP. It has tests only.
//
//   - conformance_test.go: requests that are right and requests that break one
//     rule each, every answer checked against the model.
//   - authorization_test.go: who may use an operation, and in which instance.
//   - tokens_test.go: the same of the Participant service, whose callers show
//     tokens.
//   - unserved_test.go: the list of operations that are still missing, which
//     may only shrink.
//   - access_test.go: policies as people write them, through the AWS SDK.
//
// The tests read the model file themselves and share no code with
// internal/contract, whose work they check.
//
// A newly bound operation is walked without being named anywhere. What cannot
// be read off the model (which user to describe, which members do not go
// together) is said once in recipes_test.go; the failure of the new operation
// says so.
package conformance
