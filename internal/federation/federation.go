// Package federation is where users of other organisations' directories become
// principals: it holds the SAML identity providers and the roles of the account,
// and assumes roles. Providers and roles come from the configuration file, or
// are kept in the store by `ringdown idp`; those of the file win and cannot be
// changed there.
package federation

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/iam"
	"ringdown/internal/identity/saml"
	"ringdown/internal/store"
)

// ProviderConfig is a SAML identity provider.
type ProviderConfig struct {
	Name     string // IAM's rules: 1 to 128 of letters, digits and ._-
	Label    string // on the button; empty: Name
	Metadata []byte // XML
	// Instances are ids or aliases of the instances whose sign-in pages offer
	// it; empty: all of type SAML.
	Instances []string
}

// RoleConfig is a role.
type RoleConfig struct {
	Name   string // IAM's rules: 1 to 64 of letters, digits and _+=,.@-
	Policy json.RawMessage
	// Providers may have the role assumed by SAML: their names.
	Providers []string
	// AssumedBy may assume it by AssumeRole: "user/NAME", "role/NAME", or
	// "account" for all whose policies allow sts:AssumeRole on it.
	AssumedBy []string
	// MaxSession is the longest session, 1 to 12 hours; 0: an hour, as IAM has it.
	MaxSession time.Duration
}

// Options configure a Federation.
type Options struct {
	Store   store.Store
	Account string
	// Providers and Roles are those of the configuration file.
	Providers []ProviderConfig
	Roles     []RoleConfig
	// Audiences are what assertions may be meant for; empty: AWS's
	// (urn:amazon:webservices, https://signin.aws.amazon.com/saml) and our own
	// entity id, which OwnAudience tells. Recipient reports whether a URL is one
	// of ours, or of AWS's, to which assertions may be posted.
	Audiences   []string
	OwnAudience func() string
	Recipient   func(url string) bool
	Keys        *iam.Keys // set by Use
	Audit       *audit.Log
	Logger      *slog.Logger
	Now         func() time.Time
}

// Federation is safe for concurrent use. It is an iam.Roles.
type Federation struct{ opts Options }

// New checks the configuration; the error names the provider or role and what is
// wrong with it.
func New(o Options) (*Federation, error) { panic("not yet") }

// Use gives the federation the keys that it issues credentials with, which
// themselves find roles by it; once, before anything is assumed.
func (f *Federation) Use(k *iam.Keys) { f.opts.Keys = k }

// Provider is a SAML identity provider that is known.
type Provider struct {
	ProviderConfig
	ARN        string // arn:aws:iam::ACCOUNT:saml-provider/NAME
	SAML       *saml.Provider
	Configured bool // in the file
	Created    time.Time
}

// Provider returns nil when there is none of that name.
func (f *Federation) Provider(ctx context.Context, name string) (*Provider, error) { panic("not yet") }

// Providers lists all, by name.
func (f *Federation) Providers(ctx context.Context) ([]*Provider, error) { panic("not yet") }

// Role implements iam.Roles.
func (f *Federation) Role(ctx context.Context, name string) (*iam.Role, error) { panic("not yet") }

// AddProvider keeps a provider, and the roles that come with it, all or none. A
// provider of that name is replaced, as is a role, unless the file has it.
func (f *Federation) AddProvider(ctx context.Context, p ProviderConfig, roles ...RoleConfig) (*Provider, error) {
	panic("not yet")
}

// DeleteProvider removes a kept provider, and kept roles that nobody else can
// assume; an unknown one is a ResourceNotFoundException.
func (f *Federation) DeleteProvider(ctx context.Context, name string) error { panic("not yet") }

// Assumed is a role that has been assumed.
type Assumed struct {
	Key       *iam.Key
	ARN       string // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
	ID        string // AROA…:SESSION
	Session   iam.Session
	Assertion *saml.Assertion // nil unless by SAML
	Packed    int32           // PackedPolicySize, per cent
}

// Wish is what a caller asks of the session.
type Wish struct {
	RoleARN string
	// Duration is 0 when the caller names none: an hour.
	Duration       time.Duration
	SessionName    string // not by SAML
	SourceIdentity string // not by SAML
	Policy         []byte // a session policy
	Tags           map[string]string
	TransitiveKeys []string
}

// Assume assumes a role for the caller that ctx carries (domain.CallerOf) and
// whose principal is given; see AssumeRole of the STS API reference.
func (f *Federation) Assume(ctx context.Context, caller *iam.Principal, w Wish) (*Assumed, error) {
	panic("not yet")
}

// AssumeWithSAML assumes a role by a response, base64 as it was posted; see
// AssumeRoleWithSAML of the STS API reference. providerARN names the provider.
// The assertion is used up, except where STS allows it more than once: within
// its life, for its roles (docs/divergences.md).
func (f *Federation) AssumeWithSAML(ctx context.Context, providerARN, response string, w Wish) (*Assumed, error) {
	panic("not yet")
}

// Visit is a response that a browser has posted to the sign-in page of an
// instance.
type Visit struct {
	Response  string // base64
	Recipient string // the URL that it was posted to
	RequestID string // of the request that it must answer; empty: unsolicited
	From      string // IP address, for the audit log
	// Permission is the resource ARN on which the role must allow
	// connect:GetFederationToken, given the aws:userid of the session.
	Permission func(userID string) string
}

// Admit finds the provider of a response by its Issuer, validates it, uses its
// assertion up (a second visit with it is refused), and assumes the first of its
// roles that may have a federation token. No credentials are made: the answer's
// Key has a principal alone.
func (f *Federation) Admit(ctx context.Context, v Visit) (*Assumed, error) { panic("not yet") }
