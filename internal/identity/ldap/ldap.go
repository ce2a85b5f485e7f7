// Package ldap asks a directory who somebody is (RFC 4511): it finds the entry
// of a user name and binds as it. Nothing is ever written to the directory.
//
// Each question has a connection of its own, which is closed when it is
// answered: no connection on which somebody has signed in is ever used for
// somebody else. There are at most 16 at a time; further questions wait, each
// for as long as a step may take.
package ldap

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"
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
	Now      func() time.Time
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
	ErrRefused = errors.New("the directory does not know this user and password")
	// ErrDisabled may be the answer whatever the password is, so it is for the
	// operator: whoever signs in must not see it apart from ErrRefused.
	ErrDisabled = errors.New("the directory has disabled this user")
	// ErrDown wraps the cause: the directory cannot be reached or does not do
	// what it is asked.
	ErrDown = errors.New("the directory cannot be reached")
	// ErrAmbiguous comes wrapped in ErrDown: several entries have the user name.
	// Which of them is meant cannot be told, so none is let in until the operator
	// has narrowed the filter or the search base.
	ErrAmbiguous = errors.New("several entries have this user name")
)

const (
	// maxUsername is the longest user name that is asked for; an API user's has
	// at most 100 characters.
	maxUsername    = 256
	defaultTimeout = 5 * time.Second
	maxConnections = 16
)

// Directory is a configured directory. It is safe for concurrent use.
type Directory struct {
	config  Config
	address string // host:port
	secure  bool   // from the first byte
	tls     *tls.Config
	// nobody is a DN that no entry has, which is bound as in place of the entry of
	// an unknown user.
	nobody string
	slots  chan struct{} // has an element for each connection
	pace   pace
}

// New checks a configuration; the error names the setting. It does not connect.
func New(c Config) (*Directory, error) {
	if c.Filter == "" {
		c.Filter = "(objectClass=person)"
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Attributes = c.Attributes.withDefaults()
	d := &Directory{config: c, slots: make(chan struct{}, maxConnections)}
	if err := d.setAddress(); err != nil {
		return nil, err
	}
	if len(c.CA) > 0 {
		d.tls.RootCAs = x509.NewCertPool()
		if !d.tls.RootCAs.AppendCertsFromPEM(c.CA) {
			return nil, errors.New("ca-file: there is no certificate in it")
		}
	}
	switch {
	case c.Timeout < 0:
		return nil, errors.New("timeout must not be negative")
	case c.BindDN != "" && c.BindPassword == "":
		// It would be an unauthenticated bind, which is anonymous (RFC 4513 §5.1.2).
		return nil, errors.New("bind-password is missing for bind-dn")
	case c.BindDN == "" && c.BindPassword != "":
		return nil, errors.New("bind-dn is missing for bind-password")
	case c.SearchBase == "":
		return nil, errors.New("search-base is missing, such as ou=people,dc=example,dc=org")
	}
	if _, err := goldap.ParseDN(c.SearchBase); err != nil {
		return nil, fmt.Errorf("search-base must be a distinguished name: %w", err)
	}
	for name, filter := range map[string]string{"filter": c.Filter, "disabled": c.Disabled} {
		if filter == "" {
			continue
		}
		if _, err := goldap.CompileFilter(filter); err != nil {
			return nil, fmt.Errorf("%s must be a filter such as (objectClass=person): %w", name, err)
		}
	}
	if err := c.Attributes.check(); err != nil {
		return nil, err
	}
	d.nobody = "cn=" + rand.Text() + "," + c.SearchBase
	return d, nil
}

// setAddress reads the URL.
func (d *Directory) setAddress() error {
	const form = "url must be ldaps://HOST[:PORT] or ldap://HOST[:PORT]"
	u, err := url.Parse(d.config.URL)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New(form)
	}
	port := u.Port()
	switch {
	case u.Scheme == "ldaps" && d.config.StartTLS:
		return errors.New("start-tls is for ldap:// URLs: ldaps:// is TLS from the start")
	case u.Scheme == "ldaps":
		d.secure = true
		port = firstOf(port, goldap.DefaultLdapsPort)
	case u.Scheme == "ldap":
		port = firstOf(port, goldap.DefaultLdapPort)
	default:
		return errors.New(form)
	}
	if !d.secure && !d.config.StartTLS && !isLoopback(u.Hostname()) {
		return errors.New("url: passwords would cross the network in the clear: use ldaps://, or set start-tls")
	}
	d.address = net.JoinHostPort(u.Hostname(), port)
	d.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	return nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// isLoopback tells whether a host is certainly this machine. For the name
// localhost that is checked again when it has been connected to.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (a Attributes) withDefaults() Attributes {
	return Attributes{
		Username:  firstOf(a.Username, "uid"),
		FirstName: firstOf(a.FirstName, "givenName"),
		LastName:  firstOf(a.LastName, "sn"),
		Email:     firstOf(a.Email, "mail"),
		Mobile:    firstOf(a.Mobile, "mobile"),
		ID:        firstOf(a.ID, "entryUUID"),
	}
}

// description is an attribute description (RFC 4512 §2.5).
var description = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)(;[A-Za-z0-9-]+)*$`)

func (a Attributes) check() error {
	for name, value := range map[string]string{
		"username": a.Username, "first-name": a.FirstName, "last-name": a.LastName, "email": a.Email, "mobile": a.Mobile, "id": a.ID,
	} {
		if !description.MatchString(value) {
			return fmt.Errorf("attributes: %s must be the name of an attribute such as uid", name)
		}
	}
	return nil
}

// SignIn finds the entry of a user name and binds as it with the password. The
// error is, or wraps, ErrRefused, ErrDisabled or ErrDown. An empty password is
// refused without asking: to a directory it would be an anonymous bind that
// succeeds (RFC 4513 §5.1.2).
//
// A name that the directory does not know takes the steps of one that it knows:
// the same searches, and a bind as nobody. That bind is quicker than one for
// which the directory has to hash the password, so the answer waits until it has
// taken as long as a recent bind as a user.
func (d *Directory) SignIn(ctx context.Context, username, password string) (*Entry, error) {
	if !askable(username) || password == "" {
		return nil, ErrRefused
	}
	c, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { c.close(ctx) }()
	entry, disabled, err := c.lookUp(ctx, username)
	if err != nil {
		return nil, err
	}
	if entry == nil {
		return nil, c.refuse(ctx, password)
	}
	began := d.config.Now()
	err = c.bind(ctx, entry.DN, password)
	if err == nil || errors.Is(err, ErrRefused) {
		d.pace.observe(d.config.Now().Sub(began))
	}
	switch {
	case errors.Is(err, ErrDown):
		return nil, err
	case disabled:
		return nil, ErrDisabled
	case err != nil:
		return nil, err
	default:
		return entry, nil
	}
}

// refuse takes the steps that a wrong password would take. The error is
// ErrRefused, or wraps ErrDown.
func (c *connection) refuse(ctx context.Context, password string) error {
	d := c.directory
	began := d.config.Now()
	if err := c.bind(ctx, d.nobody, password); err != nil && c.broken {
		return err
	}
	// What the directory thinks of nobody does not matter.
	d.pace.wait(ctx, d.config.Now().Sub(began))
	return ErrRefused
}

// Find returns the entry of a user name, nil when there is none. The error wraps
// ErrDown.
func (d *Directory) Find(ctx context.Context, username string) (*Entry, error) {
	if !askable(username) {
		return nil, nil
	}
	c, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { c.close(ctx) }()
	return c.find(ctx, username)
}

// Check finds the entry of a user name and tells whether it may still sign in,
// as far as that can be known without its password: ErrRefused when there is none
// and ErrDisabled when it matches the filter Disabled. The error is one of these,
// or wraps ErrDown.
func (d *Directory) Check(ctx context.Context, username string) (*Entry, error) {
	if !askable(username) {
		return nil, ErrRefused
	}
	c, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { c.close(ctx) }()
	entry, disabled, err := c.lookUp(ctx, username)
	switch {
	case err != nil:
		return nil, err
	case entry == nil:
		return nil, ErrRefused
	case disabled:
		return nil, ErrDisabled
	default:
		return entry, nil
	}
}

// askable tells whether a directory may be asked for a user name. NUL is escaped
// in filters like all else; but there are directories in C.
func askable(username string) bool {
	return username != "" && len(username) <= maxUsername && utf8.ValidString(username) && !strings.ContainsRune(username, 0)
}

// down wraps the cause of a failure.
func down(doing string, cause error) error {
	return fmt.Errorf("%w: %s: %w", ErrDown, doing, cause)
}
