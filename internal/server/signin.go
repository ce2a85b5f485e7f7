package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/federation"
	"ringdown/internal/iam"
	"ringdown/internal/identity"
	"ringdown/internal/identity/ldap"
	"ringdown/internal/identity/oidc"
	"ringdown/internal/identity/saml"
	"ringdown/internal/login"
	"ringdown/internal/mail"
	"ringdown/internal/signin"
	"ringdown/internal/store"
)

// SignIn says how users come in. The zero value lets users of CONNECT_MANAGED
// instances sign in with their passwords, and others in no way.
type SignIn struct {
	// URL is the address of this server as browsers know it, such as
	// https://connect.example.org. Empty: where it listens.
	URL string `yaml:"url"`
	// Audiences are what SAML assertions may be meant for. Empty: those of AWS,
	// and this server's own.
	Audiences   []string        `yaml:"audiences"`
	SAML        []SAMLProvider  `yaml:"saml"`
	Signing     Signing         `yaml:"signing"`
	Roles       []Role          `yaml:"roles"`
	OIDC        []OIDCProvider  `yaml:"oidc"`
	Directories []LDAPDirectory `yaml:"directories"`
	SMTP        SMTP            `yaml:"smtp"`
	// ChangeFirstPassword has users choose another password when they first sign
	// in with one that was chosen for them.
	ChangeFirstPassword bool `yaml:"change-first-password"`
	// TrustedProxies are the networks of reverse proxies whose X-Forwarded-For is
	// believed.
	TrustedProxies []string `yaml:"trusted-proxies"`
	// Audit is the file of the audit log. Empty: audit.jsonl in the data folder.
	Audit string `yaml:"audit"`
}

// SAMLProvider is an identity provider that speaks SAML 2.0.
type SAMLProvider struct {
	Name      string   `yaml:"name"`
	Label     string   `yaml:"label"`     // on the button; empty: the name
	Metadata  string   `yaml:"metadata"`  // XML file
	Instances []string `yaml:"instances"` // ids or aliases; empty: all of type SAML
}

// Signing is what requests to SAML providers are signed with; empty: nothing.
type Signing struct {
	Certificate string `yaml:"certificate"` // PEM file, which our metadata has
	Key         string `yaml:"key"`         // PEM file of its key, RSA
}

// Role is what users become by SAML, or principals by AssumeRole.
type Role struct {
	Name       string         `yaml:"name"`
	Policy     map[string]any `yaml:"policy"`      // an IAM policy document
	PolicyFile string         `yaml:"policy-file"` // or a file that holds one
	Providers  []string       `yaml:"providers"`   // by which it may be assumed
	AssumedBy  []string       `yaml:"assumed-by"`  // user/NAME, role/NAME, account
	MaxSession string         `yaml:"max-session"` // such as 12h; empty: 1h
}

// OIDCProvider is an identity provider that speaks OpenID Connect (oidc.Config
// has the meaning of each member).
type OIDCProvider struct {
	Name          string   `yaml:"name"`
	Label         string   `yaml:"label"`
	Issuer        string   `yaml:"issuer"`
	ClientID      string   `yaml:"client-id"`
	ClientSecret  string   `yaml:"client-secret"`
	UsernameClaim string   `yaml:"username-claim"`
	Scopes        []string `yaml:"scopes"`
	Instances     []string `yaml:"instances"`
	CAFile        string   `yaml:"ca-file"`
}

// LDAPDirectory is a directory of EXISTING_DIRECTORY instances (ldap.Config has
// the meaning of each member).
type LDAPDirectory struct {
	ID           string         `yaml:"id"`  // the DirectoryId of the instance, d- and 10 digits
	URL          string         `yaml:"url"` // ldaps://HOST or ldap://HOST
	StartTLS     bool           `yaml:"start-tls"`
	CAFile       string         `yaml:"ca-file"`
	BindDN       string         `yaml:"bind-dn"`
	BindPassword string         `yaml:"bind-password"`
	SearchBase   string         `yaml:"search-base"`
	Filter       string         `yaml:"filter"`
	Disabled     string         `yaml:"disabled"`
	Attributes   LDAPAttributes `yaml:"attributes"`
	Timeout      string         `yaml:"timeout"`
	// Recheck is how old the last look at the directory may be when a session of
	// one of its users is used, such as 5m; empty: 15m; off: any age.
	Recheck string `yaml:"recheck"`
}

// LDAPAttributes are the directory's names of what is asked.
type LDAPAttributes struct {
	Username  string `yaml:"username"`
	FirstName string `yaml:"first-name"`
	LastName  string `yaml:"last-name"`
	Email     string `yaml:"email"`
	Mobile    string `yaml:"mobile"`
	ID        string `yaml:"id"`
}

// SMTP is the server that mails links (mail.Config has the meaning of each
// member).
type SMTP struct {
	Server   string `yaml:"server"` // host:port; empty: links are written to the log
	From     string `yaml:"from"`
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	TLS      string `yaml:"tls"` // starttls, tls or none
	CAFile   string `yaml:"ca-file"`
}

// identities is everything about who comes in.
type identities struct {
	cfg         SignIn
	url         func() string
	audit       *audit.Log
	passwords   *identity.Passwords
	federation  *federation.Federation
	signer      *saml.Signer // nil: none
	directories map[string]*ldap.Directory
	rechecks    map[string]time.Duration // by directory, where it is not the default
	providers   []*oidc.Provider
	mail        *mail.SMTP // nil: none
	proxies     []netip.Prefix
	signIn      *signin.Service
}

// newIdentities checks the configuration and reads the files that it names; the
// errors name the setting. It needs no store. Where the server listens is known when
// it does.
func newIdentities(c *Config, listens func() string) (_ *identities, err error) {
	cfg := c.SignIn
	i := &identities{cfg: cfg, passwords: identity.NewPasswords(), directories: map[string]*ldap.Directory{}, rechecks: map[string]time.Duration{}}
	base := strings.TrimSuffix(cfg.URL, "/")
	if base != "" {
		if u, err := url.Parse(base); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" {
			return nil, errors.New("sign-in: url must be an address such as https://connect.example.org")
		}
	}
	i.url = func() string {
		if base != "" {
			return base
		}
		return listens()
	}
	for n, p := range cfg.TrustedProxies {
		network, err := netip.ParsePrefix(p)
		if err != nil {
			return nil, fmt.Errorf("sign-in: trusted-proxies[%d] must be a network such as 10.0.0.0/8", n)
		}
		i.proxies = append(i.proxies, network.Masked())
	}
	if i.signer, err = cfg.Signing.open(); err != nil {
		return nil, fmt.Errorf("sign-in: signing: %w", err)
	}
	if err := i.openDirectories(); err != nil {
		return nil, err
	}
	if err := i.openProviders(c.Now); err != nil {
		return nil, err
	}
	if m := cfg.SMTP; m.Server != "" {
		ca, err := optionalFile(m.CAFile)
		if err != nil {
			return nil, fmt.Errorf("sign-in: smtp: ca-file: %w", err)
		}
		if i.mail, err = mail.New(mail.Config{Server: m.Server, From: m.From, Username: m.Username, Password: m.Password, TLS: m.TLS, CA: ca}); err != nil {
			return nil, fmt.Errorf("sign-in: smtp: %w", err)
		}
	}
	return i, nil
}

func (s Signing) open() (*saml.Signer, error) {
	if s == (Signing{}) {
		return nil, nil
	}
	certificate, err := optionalFile(s.Certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	key, err := optionalFile(s.Key)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return saml.NewSigner(certificate, key)
}

func (i *identities) openDirectories() error {
	for n, d := range i.cfg.Directories {
		fail := func(err error) error { return fmt.Errorf("sign-in: directories[%d]: %w", n, err) }
		if !directoryID.MatchString(d.ID) {
			return fail(errors.New("id must be the DirectoryId of an instance, d- and 10 digits"))
		}
		if i.directories[d.ID] != nil {
			return fail(fmt.Errorf("%s is there twice", d.ID))
		}
		ca, err := optionalFile(d.CAFile)
		if err != nil {
			return fail(fmt.Errorf("ca-file: %w", err))
		}
		timeout, err := optionalDuration(d.Timeout)
		if err != nil {
			return fail(fmt.Errorf("timeout: %w", err))
		}
		if i.rechecks[d.ID], err = recheck(d.Recheck); err != nil {
			return fail(fmt.Errorf("recheck: %w", err))
		}
		if i.directories[d.ID], err = ldap.New(ldap.Config{
			URL: d.URL, StartTLS: d.StartTLS, CA: ca, BindDN: d.BindDN, BindPassword: d.BindPassword, SearchBase: d.SearchBase,
			Filter: d.Filter, Disabled: d.Disabled, Attributes: ldap.Attributes(d.Attributes), Timeout: timeout,
		}); err != nil {
			return fail(err)
		}
	}
	return nil
}

// recheck reads LDAPDirectory.Recheck, as signin.Options has it.
func recheck(s string) (time.Duration, error) {
	if s == "off" {
		return -1, nil
	}
	d, err := optionalDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%w, or off", err)
	}
	return d, nil
}

// directoryID is what a DirectoryId looks like (AWS API reference,
// CreateInstance).
var directoryID = regexp.MustCompile(`^d-[0-9a-f]{10}$`)

func (i *identities) openProviders(now func() time.Time) error {
	names := map[string]bool{}
	for n, p := range i.cfg.OIDC {
		fail := func(err error) error { return fmt.Errorf("sign-in: oidc[%d]: %w", n, err) }
		ca, err := optionalFile(p.CAFile)
		if err != nil {
			return fail(fmt.Errorf("ca-file: %w", err))
		}
		provider, err := oidc.New(oidc.Config{
			Name: p.Name, Label: p.Label, Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret,
			UsernameClaim: p.UsernameClaim, Scopes: p.Scopes, Instances: p.Instances, CA: ca, Now: now,
		})
		if err != nil {
			return fail(err)
		}
		if names[p.Name] {
			return fail(fmt.Errorf("the name %s is there twice", p.Name))
		}
		names[p.Name] = true
		i.providers = append(i.providers, provider)
	}
	return nil
}

// federationOptions are the providers and roles of the configuration.
func (c *Config) federationOptions(base func() string) (federation.Options, error) {
	o := federation.Options{Account: c.Account, Logger: c.Logger, Now: c.Now, Audiences: c.SignIn.Audiences}
	for n, p := range c.SignIn.SAML {
		metadata, err := os.ReadFile(p.Metadata)
		if err != nil {
			return o, fmt.Errorf("sign-in: saml[%d]: metadata: %w", n, err)
		}
		o.Providers = append(o.Providers, federation.ProviderConfig{Name: p.Name, Label: p.Label, Metadata: metadata, Instances: p.Instances})
	}
	for n, r := range c.SignIn.Roles {
		policy, err := r.policy()
		if err != nil {
			return o, fmt.Errorf("sign-in: roles[%d]: %w", n, err)
		}
		longest, err := optionalDuration(r.MaxSession)
		if err != nil {
			return o, fmt.Errorf("sign-in: roles[%d]: max-session: %w", n, err)
		}
		o.Roles = append(o.Roles, federation.RoleConfig{Name: r.Name, Policy: policy, Providers: r.Providers, AssumedBy: r.AssumedBy, MaxSession: longest})
	}
	// What is meant for AWS may be used here too: an identity provider that has
	// been set up for Amazon Connect need not be changed to be tested against.
	o.Recipient = func(to string) bool {
		own, ok := strings.CutPrefix(to, base()+login.Path)
		return ok && strings.HasSuffix("/"+own, "/saml") || awsSignIn.MatchString(to)
	}
	o.OwnAudience = func() string { return base() + login.Path + "saml" }
	return o, nil
}

// awsSignIn is where assertions for AWS are posted to (AWS general reference,
// "AWS Sign-In endpoints").
var awsSignIn = regexp.MustCompile(`^https://([a-z]{2}(-[a-z]+){1,2}-[0-9]\.)?signin\.(aws\.amazon\.com|amazonaws-us-gov\.com)/saml(/acs/[A-Za-z0-9]+)?$`)

func (r *Role) policy() (json.RawMessage, error) {
	switch {
	case (r.Policy == nil) == (r.PolicyFile == ""):
		return nil, errors.New("give either policy or policy-file")
	case r.Policy != nil:
		raw, err := json.Marshal(r.Policy)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		return raw, nil
	default:
		raw, err := os.ReadFile(r.PolicyFile)
		if err != nil {
			return nil, fmt.Errorf("policy-file: %w", err)
		}
		return raw, nil
	}
}

// open begins to let users in.
func (i *identities) open(c *Config, st store.Store, people signin.People, rootSecret string, keys *iam.Keys) (err error) {
	if i.audit, err = openAudit(c); err != nil {
		return err
	}
	o, err := c.federationOptions(i.url)
	if err != nil {
		return err
	}
	o.Store, o.Audit = st, i.audit
	if i.federation, err = federation.New(o); err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	i.federation.Use(keys)
	keys.UseRoles(i.federation)
	so := signin.Options{
		Store: st, People: people, Passwords: i.passwords, Federation: i.federation, Signer: i.signer, Directories: i.directories, Recheck: i.rechecks, OIDC: i.providers,
		RootSecret: rootSecret, URL: i.url, ChangeFirst: i.cfg.ChangeFirstPassword,
		Audit: i.audit, Logger: c.Logger, Now: c.Now,
	}
	if i.mail != nil {
		so.Mail = i.mail
	}
	i.signIn, err = signin.New(so)
	return err
}

// manager serves `ringdown idp`.
func (i *identities) manager(account string) localProviders {
	return localProviders{federation: i.federation, account: account, base: i.url}
}

// address is the IP address of whoever sent a request.
func (i *identities) address(r *http.Request) netip.Addr { return login.Address(r, i.proxies) }

// from is address in words, "" when there is none.
func (i *identities) from(r *http.Request) string {
	if a := i.address(r); a.IsValid() {
		return a.String()
	}
	return ""
}

// pages are what browsers see.
func (i *identities) pages(c *Config, people signin.People) http.Handler {
	metadata := func(entityID string, acs []string) ([]byte, error) {
		return saml.ServiceMetadata(entityID, acs, i.signer)
	}
	return login.New(login.Options{
		Service: i.signIn, People: people, Metadata: metadata, URL: i.url, TrustedProxies: i.proxies,
		Logger: c.Logger, Now: c.Now,
	})
}

// Close waits for messages that are being sent; it may be called twice, and
// before open.
func (i *identities) Close() error {
	var err error
	if i.signIn != nil {
		err = i.signIn.Close()
	}
	return errors.Join(err, i.audit.Close())
}

// optionalFile reads a file, nil when none is named.
func optionalFile(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	return os.ReadFile(name) //nolint:gosec // the operator names the file
}

// optionalDuration reads a duration, 0 when none is given.
func optionalDuration(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q must be a duration such as 30s or 12h", s)
	}
	return d, nil
}
