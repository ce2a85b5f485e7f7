// Package iam decides what a principal may do. It reads IAM identity-based
// policy documents (ParsePolicy), and answers one question at a time: may this
// principal perform this action on this resource (Principal.Authorize).
//
// The language is that of the IAM User Guide: "Grammar of the IAM JSON policy
// language", "IAM JSON policy elements reference" and "Policy evaluation
// logic". An explicit deny wins over any allow, what nothing allows is denied,
// and the root user of an account is never denied. Identity-based policies exist
// here, and session policies: there are no resource-based policies, permissions
// boundaries or organization policies.
//
// It also keeps the access keys of principals (Keys). Those of users are stored,
// those of assumed roles are carried by whoever holds them (session.go).
//
// Where IAM stays silent, or accepts a document that can only be a mistake, a
// policy is refused when it is parsed and the refusal says why; every such
// choice is listed in docs/divergences.md.
//
// A Policy is compiled when it is parsed and never changes afterwards, so it is
// safe for concurrent use. A decision uses no regular expression, and no pattern
// makes it take exponential time: matching text costs at most the product of the
// lengths of both, for a resource times the number of its colons. The package
// starts no goroutine.
package iam
