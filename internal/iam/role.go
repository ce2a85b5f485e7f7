package iam

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"time"
)

// Role is what principals can become for a while.
type Role struct {
	Name string
	ARN  string // arn:aws:iam::ACCOUNT:role/NAME
	// ID is the unique id, AROA and 17 characters, which aws:userid begins with.
	ID       string
	Policies []*Policy
	// MaxSession is the longest session.
	MaxSession time.Duration
}

// NewRole returns the role of a name in an account. Its ID follows from both, so
// that a role that is made again under its name is the same to whom it is bound.
func NewRole(account, name string, maxSession time.Duration, policies ...*Policy) *Role {
	return &Role{
		Name: name, ARN: "arn:aws:iam::" + account + ":role/" + name, ID: uniqueID("AROA", account+"/role/"+name),
		Policies: policies, MaxSession: maxSession,
	}
}

// uniqueID is an id of IAM's form that follows from a name.
func uniqueID(prefix, name string) string {
	sum := sha256.Sum256([]byte(name))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// Roles finds roles.
type Roles interface {
	// Role returns nil when there is no such role.
	Role(ctx context.Context, name string) (*Role, error)
}

// Session is what is known of an assumed role beyond the role itself. It is
// what a session token carries, sealed, so short member names.
type Session struct {
	Role    string `json:"r"` // name
	Name    string `json:"n"` // RoleSessionName
	Issued  int64  `json:"i"` // Unix seconds
	Expires int64  `json:"e"`
	// Policy is the session policy: what the session may do at most.
	Policy json.RawMessage `json:"p,omitempty"`
	// Tags are aws:PrincipalTag, TransitiveTagKeys those that stay when the
	// session assumes another role.
	Tags              map[string]string `json:"t,omitempty"`
	TransitiveTagKeys []string          `json:"tt,omitempty"`
	SourceIdentity    string            `json:"s,omitempty"`
	// Provider is the ARN of the SAML provider, aws:FederatedProvider, and SAML
	// the condition keys saml:…, by their names in lower case; both empty
	// unless the role was assumed by SAML.
	Provider string              `json:"f,omitempty"`
	SAML     map[string][]string `json:"sm,omitempty"`
	// Chained says that the session was made by another session, which limits it
	// to an hour (STS API reference, AssumeRole).
	Chained bool `json:"c,omitempty"`
}
