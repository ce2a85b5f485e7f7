// Package federation is where users of other organisations' directories become
// principals: it holds the SAML identity providers and the roles of the account,
// and assumes roles. Providers and roles come from the configuration file, or
// are kept in the store by `ringdown idp`; those of the file win and cannot be
// changed there.
package federation

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/iam"
	"ringdown/internal/identity/once"
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
	Name string // IAM's rules: 1 to 64 of letters, digits and _+=,.@-
	// Policy is an IAM policy document; empty: DefaultPolicy.
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
type Federation struct {
	opts       Options
	configured *held // by the file; never changes
	kept       kept
	used       *once.Book // assertions
}

// awsAudiences are the names that identity providers know AWS by (IAM User
// Guide, "Configure SAML assertions for the authentication response").
var awsAudiences = []string{"urn:amazon:webservices", "https://signin.aws.amazon.com/saml"}

// New checks the configuration; the error names the provider or role and what is
// wrong with it.
func New(o Options) (*Federation, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &Federation{opts: o, configured: newHeld(), kept: newKept(), used: once.New(o.Store)}
	for _, c := range o.Providers {
		parsed, err := checkProvider(c)
		if err != nil {
			return nil, fmt.Errorf("the SAML provider %.200q: %w", c.Name, err)
		}
		if f.configured.providers[c.Name] != nil {
			return nil, fmt.Errorf("the SAML provider %s is there twice", c.Name)
		}
		f.configured.providers[c.Name] = &Provider{ProviderConfig: c, ARN: f.providerARN(c.Name), SAML: parsed, Configured: true}
	}
	for _, c := range o.Roles {
		r, err := f.newRole(c)
		if err != nil {
			return nil, fmt.Errorf("the role %.200q: %w", c.Name, err)
		}
		if f.configured.roles[c.Name] != nil {
			return nil, fmt.Errorf("the role %s is there twice", c.Name)
		}
		for _, name := range c.Providers {
			if f.configured.providers[name] == nil {
				o.Logger.Warn("a role names a SAML provider that the configuration does not have; it works once \"ringdown idp add\" has added it",
					slog.String("role", c.Name), slog.String("provider", name))
			}
		}
		r.configured = true
		f.configured.roles[c.Name] = r
	}
	return f, nil
}

// Use gives the federation the keys that it issues credentials with, which
// themselves find roles by it; once, before anything is assumed.
func (f *Federation) Use(k *iam.Keys) { f.opts.Keys = k }

// audiences are what assertions may be meant for.
func (f *Federation) audiences() []string {
	if len(f.opts.Audiences) > 0 {
		return f.opts.Audiences
	}
	if f.opts.OwnAudience == nil {
		return awsAudiences
	}
	return append([]string{f.opts.OwnAudience()}, awsAudiences...)
}

func (f *Federation) providerARN(name string) string { return f.prefix() + "saml-provider/" + name }

// prefix begins the ARNs of IAM in the account.
func (f *Federation) prefix() string { return "arn:aws:iam::" + f.opts.Account + ":" }

// Provider is a SAML identity provider that is known.
type Provider struct {
	ProviderConfig
	ARN        string // arn:aws:iam::ACCOUNT:saml-provider/NAME
	SAML       *saml.Provider
	Configured bool // in the file
	Created    time.Time
}

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

// Visit is a response that a browser has posted to the sign-in page of an
// instance.
type Visit struct {
	Response string // base64
	// Recipient is the URL that it was posted to. The assertion must name this
	// very one: one for the sign-in page of another instance is for that page.
	Recipient string
	RequestID string // of the request that it must answer; empty: unsolicited
	From      string // IP address, for the audit log
	// Permission is the resource ARN on which the role must allow
	// connect:GetFederationToken, given the aws:userid of the session.
	Permission func(userID string) string
	// Opens reports whether a provider is for the instance, by what its
	// ProviderConfig lists.
	Opens func(instances []string) bool
}
