// Package ldap asks a directory who somebody is (RFC 4511): it finds the entry
// of a user name and binds as it. Nothing is ever written to the directory.
package ldap

import (
	"context"
	"errors"
	"time"
)

// Config is a directory.
type Config struct {
	// URL is ldaps://HOST[:PORT], or ldap://HOST[:PORT] together with StartTLS.
	// Without either the passwords of users would cross the network in the
	// clear: that is refused but for loopback addresses.
	URL      string
	StartTLS bool
	CA       []byte // PEM of who signed the directory's certificate; empty: the system's
	// BindDN and BindPassword are who searches; empty: anonymously.
	BindDN, BindPassword string
	SearchBase           string
	// Filter selects entries that are users, such as (objectClass=person),
	// which is the default.
	Filter string
	// Attributes are the names that the directory gives to what is asked. Empty
	// members have the defaults of RFC 2798 (inetOrgPerson): uid, givenName, sn,
	// mail, mobile, entryUUID.
	Attributes Attributes
	// Disabled is a filter that entries match which must not sign in, such as
	// (pwdAccountLockedTime=*) or
	// (userAccountControl:1.2.840.113556.1.4.803:=2). Empty: none do.
	Disabled string
	Timeout  time.Duration // of each step; 0: 5 seconds
}

// Attributes names attributes of entries.
type Attributes struct {
	Username, FirstName, LastName, Email, Mobile string
	// ID is an attribute that stays the same when the entry is renamed; Active
	// Directory's objectGUID is binary, and read as a GUID.
	ID string
}

// Entry is a user as the directory has it.
type Entry struct {
	DN                                           string
	ID                                           string // becomes the DirectoryUserId
	Username, FirstName, LastName, Email, Mobile string
}

// The ways in which nobody is let in. ErrRefused does not tell whether the name
// or the password is wrong; both take the same steps.
var (
	ErrRefused  = errors.New("the directory does not know this user and password")
	ErrDisabled = errors.New("the directory has disabled this user")
	// ErrDown wraps the cause: the directory cannot be reached or does not do
	// what it is asked.
	ErrDown = errors.New("the directory cannot be reached")
)

// Directory is a configured directory. It is safe for concurrent use.
type Directory struct{ config Config }

// New checks a configuration; the error names the setting. It does not connect.
func New(c Config) (*Directory, error) { panic("not yet") }

// SignIn finds the entry of a user name and binds as it with the password. The
// error is ErrRefused, ErrDisabled, or wraps ErrDown. An empty password is
// refused without asking: to a directory it would be an anonymous bind that
// succeeds (RFC 4513 §5.1.2).
func (d *Directory) SignIn(ctx context.Context, username, password string) (*Entry, error) {
	panic("not yet")
}

// Find returns the entry of a user name, nil when there is none. The error wraps
// ErrDown.
func (d *Directory) Find(ctx context.Context, username string) (*Entry, error) { panic("not yet") }
