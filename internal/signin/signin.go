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
	"ringdown/internal/federation"
	"ringdown/internal/identity"
	"ringdown/internal/identity/ldap"
	"ringdown/internal/identity/oidc"
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
	// SetPassword replaces the hash; chosen as in User.
	SetPassword(ctx context.Context, in *Instance, id, hash string, chosen bool) error
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
	// Directories by DirectoryId, OIDC by name.
	Directories map[string]*ldap.Directory
	OIDC        []*oidc.Provider
	Mail        Mailer // nil: links are written to Logger for the operator
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

// Service is safe for concurrent use. Close waits for messages that are being
// sent.
type Service struct{ opts Options }

// New returns a Service.
func New(o Options) (*Service, error) { panic("not yet") }

// Close may be called twice.
func (s *Service) Close() error { panic("not yet") }

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

// SignIn checks a name and a password, by the identity type of the instance: its
// own users', or its directory's. The error is a *Refusal, or internal.
func (s *Service) SignIn(ctx context.Context, in *Instance, v Visitor, username, password string) (*Opened, error) {
	panic("not yet")
}

// Session finds the session of a cookie's token. The error is ErrNoSession, or
// internal. It ends with the user, with a change of the password, after the
// MaxSessionDuration of the authentication profile (12 hours), and from an
// address that the profile does not allow.
func (s *Service) Session(ctx context.Context, v Visitor, token string) (*Session, error) {
	panic("not yet")
}

// SignOut ends a session, if there is one.
func (s *Service) SignOut(ctx context.Context, v Visitor, token string) error { panic("not yet") }

// AskReset sends a link to whoever has forgotten a password, if there is such a
// user with an e-mail address; without a mail server it is written to the log.
// Nothing tells whether there is. The error is internal, or a *Refusal.
func (s *Service) AskReset(ctx context.Context, in *Instance, v Visitor, username string) error {
	panic("not yet")
}

// ResetTarget tells whose password a link's code resets, without using it up.
func (s *Service) ResetTarget(ctx context.Context, in *Instance, code string) (*User, error) {
	panic("not yet")
}

// Reset sets a new password by a link's code, uses the code up, ends all
// sessions of the user, and opens none.
func (s *Service) Reset(ctx context.Context, in *Instance, v Visitor, code, password string) error {
	panic("not yet")
}

// ChangePassword sets a new password for whoever must (Opened.MustChange) or
// wishes to: then must is the token of their session, and current the password
// that they have. All other sessions of the user end; it answers with a new one.
func (s *Service) ChangePassword(ctx context.Context, in *Instance, v Visitor, must, current, password string) (*Opened, error) {
	panic("not yet")
}

// Way is a way to sign in through a provider.
type Way struct {
	Door  Door // BySAML or ByOIDC
	Name  string
	Label string
}

// Ways lists the providers that an instance's sign-in page offers.
func (s *Service) Ways(ctx context.Context, in *Instance) ([]Way, error) { panic("not yet") }

// Begin is where a browser is sent to sign in through a provider.
// destination is a path of this server, or empty.
func (s *Service) Begin(ctx context.Context, in *Instance, w Way, destination string) (url string, err error) {
	panic("not yet")
}

// SAML lets in by a posted response: one that Begin asked for, which relayState
// tells, or an unsolicited one, whose relayState may name a destination: a path,
// or a URL with a parameter of that name, as those of the AWS console have.
func (s *Service) SAML(ctx context.Context, in *Instance, v Visitor, response, relayState string) (*Opened, error) {
	panic("not yet")
}

// OIDC lets in by what a provider has sent the browser back with.
func (s *Service) OIDC(ctx context.Context, in *Instance, v Visitor, state, code string) (*Opened, error) {
	panic("not yet")
}

// Tokens are what GetFederationToken answers with.
type Tokens struct {
	Access, Refresh               string
	AccessExpires, RefreshExpires time.Time
	SignInURL                     string // opens a session, once
	User                          *User
}

// Federate gives the tokens of the user whose Username is name, and binds it to
// principal, the unique id of a role or user. The errors are those of
// GetFederationToken: UserNotFoundException, DuplicateResourceException,
// InvalidRequestException for an instance that is not of type SAML.
func (s *Service) Federate(ctx context.Context, in *Instance, name, principal string) (*Tokens, error) {
	panic("not yet")
}

// Refresh gives new tokens for a refresh token, which then no longer works.
func (s *Service) Refresh(ctx context.Context, in *Instance, v Visitor, refresh string) (*Tokens, error) {
	panic("not yet")
}

// Redeem opens a session by the code of a SignInURL, which works once, or by an
// access token.
func (s *Service) Redeem(ctx context.Context, in *Instance, v Visitor, codeOrToken, destination string) (*Opened, error) {
	panic("not yet")
}

// Root is the path of an instance's sign-in page.
func Root(in *Instance) string { return "/-/login/" + string(in.ID) }
