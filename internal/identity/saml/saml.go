// Package saml validates what SAML 2.0 identity providers say of their users
// (OASIS saml-core-2.0, saml-bindings-2.0, saml-profiles-2.0 §4.1), and sends
// browsers to them. What is in an assertion beyond that is Amazon's: the
// attributes Role, RoleSessionName, SessionDuration, PrincipalTag and
// SourceIdentity (IAM User Guide, "Configure SAML assertions for the
// authentication response").
//
// An Assertion exists only of what the provider's key has signed: nothing
// outside the signed element is ever read.
package saml

import (
	"time"
)

// Provider is an identity provider as its metadata describes it. It is
// read-only and may be used concurrently.
type Provider struct {
	entityID string
}

// ParseMetadata reads the metadata of one identity provider
// (saml-metadata-2.0). The error says what is missing: it must have one
// IDPSSODescriptor with a certificate for signing.
func ParseMetadata(xml []byte) (*Provider, error) { panic("not yet") }

// EntityID is the name that the provider's assertions have as their Issuer.
func (p *Provider) EntityID() string { return p.entityID }

// CanRedirect reports whether browsers can be sent to the provider: its metadata
// names a SingleSignOnService of the HTTP-Redirect binding.
func (p *Provider) CanRedirect() bool { panic("not yet") }

// Request is a question to a provider: who is this browser's user?
type Request struct {
	ID         string // such as NewRequestID makes
	Issuer     string // our entity id
	ACS        string // URL where the answer is posted to
	RelayState string
	Now        time.Time
}

// NewRequestID makes an id for a Request: an NCName that cannot be guessed.
func NewRequestID() string { panic("not yet") }

// Redirect is the URL that a browser is sent to with a request
// (saml-bindings-2.0 §3.4).
func (p *Provider) Redirect(r Request) (string, error) { panic("not yet") }

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

// Kind groups the reasons to refuse a response, as STS does.
type Kind int

// The kinds.
const (
	Invalid  Kind = iota // malformed, not signed by the provider, or not for us
	Expired              // too old, or not valid yet
	Rejected             // the provider itself says that it has not authenticated anybody
)

// Validate checks a response, XML of at most MaxResponse bytes, and returns its
// assertion. The error is an *Error. What Validate cannot know is whether the
// assertion has been used before: callers remember ID and Issuer until Expires.
func (p *Provider) Validate(response []byte, e Expect) (*Assertion, error) { panic("not yet") }

// MaxResponse is the longest response in bytes: 100,000 characters of base64,
// as STS has it.
const MaxResponse = 75_000

// ServiceMetadata is our own metadata, which operators give to their provider:
// our entity id and where assertions are posted to.
func ServiceMetadata(entityID string, acs []string) ([]byte, error) { panic("not yet") }
