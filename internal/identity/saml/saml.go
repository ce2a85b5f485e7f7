// Package saml validates what SAML 2.0 identity providers say of their users
// (OASIS saml-core-2.0, saml-bindings-2.0, saml-profiles-2.0 §4.1), and sends
// browsers to them. What is in an assertion beyond that is Amazon's: the
// attributes Role, RoleSessionName, SessionDuration, PrincipalTag and
// SourceIdentity (IAM User Guide, "Configure SAML assertions for the
// authentication response").
//
// An Assertion exists only of what the provider's key has signed. A response
// takes this way, and nothing goes back on it:
//
//   - parse: one XML document without DTD, comments, processing instructions,
//     duplicate attributes or ids, of bounded depth, that a second writing and
//     reading does not change;
//   - shape: one Response, in it one Assertion, and signatures nowhere but
//     directly in these two;
//   - verify: every signature there is, by the keys of the metadata and nothing
//     in KeyInfo; the answer is the canonical bytes that were digested;
//   - read: those bytes are parsed anew, and the assertion is taken from there.
//     What lies outside them (the Response around a signed Assertion) can only
//     have the whole refused.
//
// Of goxmldsig only the canonicalization is used. Its own validation looks for
// signatures at any depth, lets KeyInfo choose the key, and expects ECDSA
// signatures in another form than RFC 6931 §2.3.6 has them; and the
// ServiceProvider of crewjam/saml reads the time and the skew from variables
// that all its users share, and chooses between solicited and unsolicited
// responses once for all.
package saml

import (
	"fmt"
	"time"
)

// Request is a question to a provider: who is this browser's user?
type Request struct {
	ID         string // such as NewRequestID makes
	Issuer     string // our entity id
	ACS        string // URL where the answer is posted to
	RelayState string
	Now        time.Time
	Signer     *Signer // nil: the request is not signed
}

// Expect is what a response must be meant for.
type Expect struct {
	// Audiences are the names of which the assertion's AudienceRestriction must
	// have one.
	Audiences []string
	// Recipient reports whether a URL is one that the assertion may have been
	// posted to: of SubjectConfirmationData and, where it has one, of the
	// Response's Destination.
	Recipient func(url string) bool
	// RequestID is that of the Request that was asked; empty for a response that
	// nobody has asked for, which then must not claim to answer one. Any, if set,
	// takes both: what is given to STS was asked for by others.
	RequestID string
	Any       bool
	Now       time.Time
}

// Assertion is what a provider has signed.
type Assertion struct {
	ID     string
	Issuer string
	// Subject is the NameID, SubjectType the end of its format such as
	// "persistent" or "transient", or its whole URI (as the STS API reference
	// has it in AssumeRoleWithSAML).
	Subject, SubjectType string
	Audience             string // the one that was expected
	Recipient            string
	Roles                []RoleChoice
	SessionName          string // RoleSessionName
	SourceIdentity       string
	SessionDuration      time.Duration // 0: none is named
	SessionNotOnOrAfter  time.Time     // zero: none is named
	Tags                 map[string]string
	TransitiveTagKeys    []string
	// Attributes has all attributes by name, those above included.
	Attributes map[string][]string
	// Expires is from when on the assertion is refused for its age, so that its
	// ID need be remembered no longer.
	Expires time.Time
}

// RoleChoice is a value of the attribute Role: which role may be assumed
// through which provider, both ARNs.
type RoleChoice struct{ Role, Provider string }

// Error is a response that is refused. Its text is for the operator and the
// client alike, and repeats nothing of the response but its plain names.
type Error struct {
	// Kind says which rule is broken.
	Kind Kind
	Text string
}

func (e *Error) Error() string { return e.Text }

func refuse(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Text: fmt.Sprintf(format, args...)}
}

// Kind groups the reasons to refuse a response, as STS does.
type Kind int

// The kinds.
const (
	Invalid  Kind = iota // malformed, not signed by the provider, or not for us
	Expired              // too old, or not valid yet
	Rejected             // the provider itself says that it has not authenticated anybody
)

// MaxResponse is the longest response in bytes: 100,000 characters of base64,
// as STS has it.
const MaxResponse = 75_000

// MaxAge is how old an assertion may be, by its IssueInstant: STS wants it
// within five minutes (IAM User Guide, "Troubleshoot SAML federation").
const MaxAge = 5 * time.Minute

// Skew is by how much the provider's clock may differ from ours.
const Skew = 3 * time.Minute
