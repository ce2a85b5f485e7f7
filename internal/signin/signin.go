// Package signin lets users of instances in and remembers them: it checks
// passwords, asks directories and identity providers, slows down guessing, opens
// and ends sessions, and gives federation tokens. What is shown of all that is
// internal/login's.
//
// Whether a user exists is told to nobody who is not signed in: each way of
// being refused for a name or a password gives the same answer after the same
// work.
package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/identity"
	"ringdown/internal/identity/ldap"
	"ringdown/internal/identity/oidc"
	"ringdown/internal/identity/once"
	"ringdown/internal/identity/saml"
	"ringdown/internal/mail"
	"ringdown/internal/store"
)

// Instance is where somebody signs in.
type Instance struct {
	PK          store.PK
	ID          domain.InstanceID
	ARN         string
	Alias       string // may be empty
	Region      string
	Identity    domain.IdentityManagementType
	DirectoryID string
}

// User is what signing in needs to know of a user.
type User struct {
	PK                                   store.PK
	ID, ARN                              string
	Username, FirstName, LastName, Email string
	DirectoryUserID                      string
	PasswordHash                         string
	PasswordChosen                       bool   // by the user, not for it
	Inactive                             bool   // by SCIM: must not sign in
	Deactivations                        int    // how often that was so
	FederatedBy                          string // the principal that it is bound to
}

// People knows the users of all instances, whatever their region.
type People interface {
	// Instance finds an instance by its id or, whatever its case, its alias; an
	// unknown one is a ResourceNotFoundException.
	Instance(ctx context.Context, idOrAlias string) (*Instance, error)
	// User finds a user by its Username, case-sensitive; an unknown one is a
	// UserNotFoundException.
	User(ctx context.Context, in *Instance, username string) (*User, error)
	// UserByID likewise.
	UserByID(ctx context.Context, in *Instance, id string) (*User, error)
	// SetPassword puts a hash in the place of old; chosen as in User. When the
	// user has another hash by now nothing changes, and the error is ErrChanged:
	// of two that change a password the later one must not win unseen.
	SetPassword(ctx context.Context, in *Instance, id, old, hash string, chosen bool) error
	// Bind binds a user to a principal, by its unique id. One that is bound to
	// another already is a DuplicateResourceException: "The user {name} is
	// already associated with the Amazon Connect instance {id}".
	Bind(ctx context.Context, in *Instance, id, principal string) error
	// Profile is the authentication profile that holds for an instance's users.
	Profile(ctx context.Context, in *Instance) (*domain.AuthenticationProfile, error)
}

// Mailer sends a message; *mail.SMTP does.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Options configure a Service.
type Options struct {
	Store      store.Store
	People     People
	Passwords  *identity.Passwords
	Federation *federation.Federation
	// Signer signs what SAML providers are asked; nil: nothing is signed.
	Signer *saml.Signer
	// Directories by DirectoryId, OIDC by name.
	Directories map[string]*ldap.Directory
	OIDC        []*oidc.Provider
	// Recheck is how old, by DirectoryId, the last look at a directory may be when
	// a session of one of its users is used; 0: DefaultRecheck, negative: any age.
	Recheck map[string]time.Duration
	Mail    Mailer // nil: links are written to Logger for the operator
	// RootSecret is what the keys of tokens are derived from.
	RootSecret string
	// URL is the address of this server as browsers know it, without a slash at
	// the end.
	URL func() string
	// ChangeFirst has users choose another password when they first sign in with
	// one that was chosen for them.
	ChangeFirst bool
	Audit       *audit.Log
	Logger      *slog.Logger
	Now         func() time.Time
}

// Service is safe for concurrent use. It runs a few goroutines that send messages;
// Close waits for them.
type Service struct {
	opts        Options
	seals       *sealer
	used        *once.Book
	guard       *guard
	resets      *resets
	federation  admitter
	directories map[string]directory
	rechecks    rechecks
	oidc        []identityProvider
	// dummy is a hash that no password fits, which is verified where there is no
	// other.
	dummy string
	quiet hush // of the hints to the operator
}

// admitter is the part of *federation.Federation that is used.
type admitter interface {
	Providers(ctx context.Context) ([]*federation.Provider, error)
	Admit(ctx context.Context, v federation.Visit) (*federation.Assumed, error)
}

// directory is the part of *ldap.Directory that is used.
type directory interface {
	SignIn(ctx context.Context, username, password string) (*ldap.Entry, error)
	Check(ctx context.Context, username string) (*ldap.Entry, error)
}

// identityProvider is the part of *oidc.Provider that is used.
type identityProvider interface {
	Name() string
	Label() string
	Opens(id, alias string) bool
	Redirect(ctx context.Context, a oidc.Attempt, callback string) (string, error)
	Finish(ctx context.Context, a oidc.Attempt, back oidc.Return, callback string, now time.Time) (*oidc.Identity, error)
}

// New returns a Service.
func New(o Options) (*Service, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Passwords == nil {
		o.Passwords = identity.NewPasswords()
	}
	s := &Service{opts: o, used: once.New(o.Store), guard: newGuard(o.Now), dummy: identity.Unmatched(), directories: map[string]directory{}}
	if o.Federation != nil {
		s.federation = o.Federation
	}
	for id, d := range o.Directories {
		s.directories[id] = d
	}
	for _, p := range o.OIDC {
		s.oidc = append(s.oidc, p)
	}
	var err error
	if s.seals, err = newSealer(o.RootSecret, o.Now); err != nil {
		return nil, err
	}
	s.resets = newResets(s.sendReset)
	return s, nil
}

// Close may be called twice.
func (s *Service) Close() error {
	s.resets.close()
	return nil
}

// Refusal is why somebody is not let in, as far as they may know it.
type Refusal struct {
	Reason Reason
	Wait   time.Duration // with TooMany: until the next attempt is looked at
}

func (r *Refusal) Error() string { return string(r.Reason) }

// Reason is why somebody is not let in.
type Reason string

// The reasons.
const (
	WrongCredentials Reason = "the user name or the password is wrong"
	TooMany          Reason = "too many attempts"
	DirectoryDown    Reason = "the directory cannot be reached"
	ProviderDown     Reason = "the identity provider cannot be reached"
	FromHere         Reason = "signing in from this address is not allowed"
	OtherDoor        Reason = "users of this instance sign in in another way"
	NotAccepted      Reason = "the identity provider's answer was not accepted"
	NoSuchUser       Reason = "the identity provider's user is no user of this instance"
	BoundToOther     Reason = "the user belongs to another identity"
	LinkUsed         Reason = "the link has been used or is too old"
	WeakPassword     Reason = "the new password does not follow the rules"
	SamePassword     Reason = "the new password is the old one"
)

// ErrChanged says that a password has been changed by somebody else meanwhile.
var ErrChanged = errors.New("the password has been changed meanwhile")

// ErrNoSession says that a token opens no session.
var ErrNoSession = errors.New("there is no such session")

// Visitor is who is in front of a page.
type Visitor struct {
	Address   netip.Addr
	RequestID string
}

// Door is how somebody came in, as the audit log has it.
type Door string

// The doors.
const (
	ByPassword   Door = "password"
	ByDirectory  Door = "directory"
	BySAML       Door = "saml"
	ByOIDC       Door = "oidc"
	ByFederation Door = "federation"
)

// Opened is a session that has just been opened, or what is missing to it.
type Opened struct {
	// Token is for the cookie; empty when MustChange is set.
	Token   string
	Expires time.Time
	User    *User
	// MustChange is what ChangePassword takes in place of a session: the user
	// has to choose a password first.
	MustChange string
	// Destination is where the browser goes on, a path of this server that
	// begins with one slash; empty: nobody has said.
	Destination string
}

// Session is somebody who is signed in.
type Session struct {
	Instance *Instance
	User     *User
	Door     Door
	Began    time.Time
	Expires  time.Time
}

// Way is a way to sign in through a provider.
type Way struct {
	Door  Door // BySAML or ByOIDC
	Name  string
	Label string
}

// Root is the path of an instance's sign-in page.
func Root(in *Instance) string { return "/-/login/" + string(in.ID) }

// refuse is the answer to somebody who is not let in.
func refuse(r Reason) error { return &Refusal{Reason: r} }

// record writes an event about an instance to the audit log; u is nil where no
// user is known.
func (s *Service) record(ctx context.Context, in *Instance, u *User, v Visitor, e audit.Event) {
	e.Instance, e.RequestID = string(in.ID), v.RequestID
	if u != nil {
		e.User, e.UserID = u.Username, u.ID
	}
	e.From = v.from()
	s.opts.Audit.Record(ctx, e)
}

// user finds a user by its name, nil when there is none.
func (s *Service) user(ctx context.Context, in *Instance, name string) (*User, error) {
	u, err := s.opts.People.User(ctx, in, name)
	if missing(err) {
		return nil, nil
	}
	return u, err
}

// userByID likewise.
func (s *Service) userByID(ctx context.Context, in *Instance, id string) (*User, error) {
	u, err := s.opts.People.UserByID(ctx, in, id)
	if missing(err) {
		return nil, nil
	}
	return u, err
}

func missing(err error) bool {
	return fault.Is(err, fault.UserNotFound) || fault.Is(err, fault.ResourceNotFound)
}
