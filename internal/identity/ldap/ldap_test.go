package ldap_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ringdown/internal/identity/ldap"
	"ringdown/internal/identity/ldap/ldaptest"
)

// lockedFilter is what locked entries of OpenLDAP match.
const lockedFilter = "(pwdAccountLockedTime=*)"

// people are in the directories of the tests.
var people = []ldaptest.Person{
	{UID: "mary", FirstName: "Mary", LastName: "Major", Email: "mary@example.org", Mobile: "+1 555 0100"},
	{UID: "john", FirstName: "John", LastName: "Stiles"},
	{UID: "locked", Locked: true},
	{UID: "reset", MustChange: true},
	{UID: "keyless", NoPassword: true},
	{UID: "twice"},
	{UID: "twice", OU: "others"},
	{UID: "hidden", NotFound: true},
	{UID: "zoë", FirstName: "Zoë", LastName: "Ó Néill"},
	{UID: `o'hara, "pat" <+> \ #1=;*()`},
}

// config is of a directory that the search account reads.
func config(s *ldaptest.Server) ldap.Config {
	return ldap.Config{
		URL: s.URL, BindDN: ldaptest.ReaderDN, BindPassword: s.ReaderPassword, SearchBase: ldaptest.Base,
		Disabled: lockedFilter, Timeout: 10 * time.Second,
	}
}

// open makes a directory of a configuration, which change may alter.
func open(t *testing.T, c ldap.Config, change ...func(*ldap.Config)) *ldap.Directory {
	t.Helper()
	for _, f := range change {
		f(&c)
	}
	d, err := ldap.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSignIn(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.Options{People: people})
	d := open(t, config(s))
	for what, c := range map[string]struct {
		name, password string
		want           error
	}{
		"right":                     {"mary", s.Password("mary"), nil},
		"wrong":                     {"mary", "wrong", ldap.ErrRefused},
		"another's":                 {"mary", s.Password("john"), ldap.ErrRefused},
		"other case":                {"mary", strings.ToLower(s.Password("mary")), ldap.ErrRefused},
		"empty":                     {"mary", "", ldap.ErrRefused},
		"NUL":                       {"mary", "\x00", ldap.ErrRefused},
		"of the search account":     {"mary", s.ReaderPassword, ldap.ErrRefused},
		"search account":            {"reader", s.ReaderPassword, ldap.ErrRefused},
		"unknown":                   {"nobody", "wrong", ldap.ErrRefused},
		"unknown without":           {"nobody", "", ldap.ErrRefused},
		"no name":                   {"", s.Password("mary"), ldap.ErrRefused},
		"neither":                   {"", "", ldap.ErrRefused},
		"locked":                    {"locked", s.Password("locked"), ldap.ErrDisabled},
		"locked and wrong":          {"locked", "wrong", ldap.ErrDisabled},
		"to be changed":             {"reset", s.Password("reset"), ldap.ErrDisabled},
		"to be changed and wrong":   {"reset", "wrong", ldap.ErrRefused},
		"entry without password":    {"keyless", "wrong", ldap.ErrRefused},
		"two entries":               {"twice", s.Password("twice"), ldap.ErrAmbiguous},
		"entry that is not seen":    {"hidden", s.Password("hidden"), ldap.ErrRefused},
		"beyond ASCII":              {"zoë", s.Password("zoë"), nil},
		"all that is special":       {people[9].UID, s.Password(people[9].UID), nil},
		"special and wrong":         {people[9].UID, s.Password("mary"), ldap.ErrRefused},
		"anybody":                   {"*", s.Password("mary"), ldap.ErrRefused},
		"beginning":                 {"mar*", s.Password("mary"), ldap.ErrRefused},
		"escaped":                   {`mar\79`, s.Password("mary"), ldap.ErrRefused},
		"another condition":         {"nobody)(uid=mary", s.Password("mary"), ldap.ErrRefused},
		"end of the condition":      {")(uid=*", s.Password("mary"), ldap.ErrRefused},
		"an alternative":            {"mary)(|(objectClass=*", s.Password("mary"), ldap.ErrRefused},
		"all conditions":            {"*)(objectClass=*))(|(uid=*", s.Password("mary"), ldap.ErrRefused},
		"distinguished name":        {"cn=mary," + ldaptest.People, s.Password("mary"), ldap.ErrRefused},
		"name in a name":            {"mary,ou=people", s.Password("mary"), ldap.ErrRefused},
		"NUL at the end":            {"mary\x00", s.Password("mary"), ldap.ErrRefused},
		"NUL and more":              {"mary\x00)(uid=*", s.Password("mary"), ldap.ErrRefused},
		"not UTF-8":                 {"mary\xff", s.Password("mary"), ldap.ErrRefused},
		"too long":                  {strings.Repeat("m", 257), s.Password("mary"), ldap.ErrRefused},
		"as long as may be":         {strings.Repeat("m", 256), s.Password("mary"), ldap.ErrRefused},
		"long password":             {"mary", strings.Repeat("p", 100_000), ldap.ErrRefused},
		"right, other case of name": {"MARY", s.Password("mary"), nil},
		"wide letters":              {"\uff4dary", s.Password("mary"), ldap.ErrRefused},
		"space at the end":          {"mary ", s.Password("mary"), ldap.ErrRefused},
	} {
		t.Run(what, func(t *testing.T) {
			e, err := d.SignIn(t.Context(), c.name, c.password)
			if !errors.Is(err, c.want) || (err == nil) != (e != nil) {
				t.Fatalf("got %+v, %v; want %v", e, err, c.want)
			}
			if err != nil && c.password != "" && c.password != "\x00" && strings.Contains(err.Error(), c.password) {
				t.Errorf("the error %q tells the password", err)
			}
			if err == nil && (e.ID == "" || !strings.EqualFold(e.Username, c.name)) {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestFind(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.Options{People: people})
	d := open(t, config(s))
	e, err := d.Find(t.Context(), "mary")
	if err != nil || e == nil {
		t.Fatalf("got %+v, %v", e, err)
	}
	id := e.ID
	if len(id) != 36 {
		t.Errorf("the id %q is no entryUUID", id)
	}
	if want := (ldap.Entry{
		DN: "cn=mary," + ldaptest.People, ID: id, Username: "mary", FirstName: "Mary", LastName: "Major", Email: "mary@example.org", Mobile: "+1 555 0100",
	}); *e != want {
		t.Errorf("got %+v, want %+v", *e, want)
	}
	for _, name := range []string{"", "nobody", "*", "hidden", "mary\x00", "mary)(uid=*"} {
		if e, err := d.Find(t.Context(), name); e != nil || err != nil {
			t.Errorf("%q: got %+v, %v", name, e, err)
		}
	}
	if _, err := d.Find(t.Context(), "twice"); !errors.Is(err, ldap.ErrAmbiguous) || !errors.Is(err, ldap.ErrDown) {
		t.Errorf("two entries: got %v", err)
	}
}

// TestCheck: who may still sign in, without a password.
func TestCheck(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.Options{People: people})
	d := open(t, config(s))
	for name, want := range map[string]error{
		"mary": nil, "zoë": nil, people[9].UID: nil, "keyless": nil, "locked": ldap.ErrDisabled, "twice": ldap.ErrAmbiguous,
		"nobody": ldap.ErrRefused, "hidden": ldap.ErrRefused, "*": ldap.ErrRefused, "": ldap.ErrRefused, "mary\x00": ldap.ErrRefused,
	} {
		e, err := d.Check(t.Context(), name)
		if !errors.Is(err, want) || (err == nil) != (e != nil && e.Username == name && e.ID != "") {
			t.Errorf("%q: got %+v, %v; want %v", name, e, err, want)
		}
	}
	s.Modify("dn: cn=mary," + ldaptest.People + "\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n\n" +
		"dn: cn=john," + ldaptest.People + "\nchangetype: delete\n")
	for name, want := range map[string]error{"mary": ldap.ErrDisabled, "john": ldap.ErrRefused, "zoë": nil} {
		if _, err := d.Check(t.Context(), name); !errors.Is(err, want) {
			t.Errorf("%q, after changes: %v, want %v", name, err, want)
		}
	}
	s.Stop()
	if _, err := d.Check(t.Context(), "zoë"); !errors.Is(err, ldap.ErrDown) {
		t.Errorf("a directory that has stopped: %v", err)
	}
}

func TestNew(t *testing.T) {
	good := ldap.Config{URL: "ldaps://directory.example.org", SearchBase: "dc=example,dc=org"}
	for what, c := range map[string]struct {
		change  func(*ldap.Config)
		setting string // that the error names, empty for none
	}{
		"least":                    {func(*ldap.Config) {}, ""},
		"port":                     {func(c *ldap.Config) { c.URL = "ldaps://directory.example.org:3269/" }, ""},
		"StartTLS":                 {func(c *ldap.Config) { c.URL, c.StartTLS = "ldap://directory.example.org", true }, ""},
		"in the clear":             {func(c *ldap.Config) { c.URL = "ldap://directory.example.org" }, "start-tls"},
		"in the clear, by address": {func(c *ldap.Config) { c.URL = "ldap://192.0.2.1:389" }, "start-tls"},
		"in the clear, like here":  {func(c *ldap.Config) { c.URL = "ldap://localhost.example.org" }, "start-tls"},
		"in the clear, here":       {func(c *ldap.Config) { c.URL = "ldap://127.0.0.1" }, ""},
		"in the clear, here by v6": {func(c *ldap.Config) { c.URL = "ldap://[::1]:389" }, ""},
		"in the clear, localhost":  {func(c *ldap.Config) { c.URL = "ldap://LOCALHOST" }, ""},
		"StartTLS for LDAPS":       {func(c *ldap.Config) { c.StartTLS = true }, "start-tls"},
		"no URL":                   {func(c *ldap.Config) { c.URL = "" }, "url"},
		"no scheme":                {func(c *ldap.Config) { c.URL = "directory.example.org" }, "url"},
		"other scheme":             {func(c *ldap.Config) { c.URL = "https://directory.example.org" }, "url"},
		"socket":                   {func(c *ldap.Config) { c.URL = "ldapi:///run/slapd" }, "url"},
		"search in the URL":        {func(c *ldap.Config) { c.URL = "ldaps://directory.example.org/dc=example?uid" }, "url"},
		"password in the URL":      {func(c *ldap.Config) { c.URL = "ldaps://reader:Geheim123@directory.example.org" }, "url"},
		"no certificate":           {func(c *ldap.Config) { c.CA = []byte("none") }, "ca-file"},
		"no bind password":         {func(c *ldap.Config) { c.BindDN = "cn=reader" }, "bind-password"},
		"no bind DN":               {func(c *ldap.Config) { c.BindPassword = "Geheim123" }, "bind-dn"},
		"user principal name":      {func(c *ldap.Config) { c.BindDN, c.BindPassword = "reader@example.org", "Geheim123" }, ""},
		"no base":                  {func(c *ldap.Config) { c.SearchBase = "" }, "search-base"},
		"base is no name":          {func(c *ldap.Config) { c.SearchBase = "example.org" }, "search-base"},
		"filter":                   {func(c *ldap.Config) { c.Filter = "(&(objectClass=person)(!(ou=x)))" }, ""},
		"filter is none":           {func(c *ldap.Config) { c.Filter = "objectClass=person" }, "filter"},
		"half a filter":            {func(c *ldap.Config) { c.Filter = "(objectClass=person" }, "filter"},
		"two filters":              {func(c *ldap.Config) { c.Filter = "(objectClass=person)(uid=*)" }, "filter"},
		"Windows' disabled":        {func(c *ldap.Config) { c.Disabled = "(userAccountControl:1.2.840.113556.1.4.803:=2)" }, ""},
		"disabled is no filter":    {func(c *ldap.Config) { c.Disabled = "nsAccountLock" }, "disabled"},
		"attribute with option":    {func(c *ldap.Config) { c.Attributes.FirstName = "givenName;lang-en" }, ""},
		"attribute by number":      {func(c *ldap.Config) { c.Attributes.Username = "0.9.2342.19200300.100.1.1" }, ""},
		"attribute is a filter":    {func(c *ldap.Config) { c.Attributes.Username = "uid=*)(cn" }, "username"},
		"attribute is two":         {func(c *ldap.Config) { c.Attributes.Email = "mail, mobile" }, "email"},
		"negative time":            {func(c *ldap.Config) { c.Timeout = -time.Second }, "timeout"},
	} {
		t.Run(what, func(t *testing.T) {
			config := good
			c.change(&config)
			_, err := ldap.New(config)
			if c.setting == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.setting) || strings.Contains(err.Error(), "Geheim") {
				t.Errorf("got %v, want an error that names %s", err, c.setting)
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.Options{Anonymous: true, People: people, LDIF: `dn: ou=elsewhere,` + ldaptest.Base + `
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://192.0.2.1/ou=elsewhere,dc=example,dc=org

dn: cn=door,` + ldaptest.People + `
objectClass: device
objectClass: uidObject
cn: door
uid: door

dn: ou=aliases,` + ldaptest.Base + `
objectClass: organizationalUnit

dn: cn=alias,ou=aliases,` + ldaptest.Base + `
objectClass: alias
objectClass: extensibleObject
cn: alias
uid: alias
aliasedObjectName: cn=mary,` + ldaptest.People + `
`})
	find := func(name string, change ...func(*ldap.Config)) (*ldap.Entry, error) {
		return open(t, config(s), change...).Find(t.Context(), name)
	}
	anonymous := func(c *ldap.Config) { c.BindDN, c.BindPassword = "", "" }
	for what, c := range map[string]struct {
		name   string
		change []func(*ldap.Config)
		dn     string // empty: there is none
		fails  string
	}{
		"anonymous":                     {"mary", []func(*ldap.Config){anonymous}, "cn=mary," + ldaptest.People, ""},
		"no person":                     {"door", nil, "", ""},
		"an alias":                      {"alias", nil, "", ""},
		"who has an alias":              {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.SearchBase = "ou=aliases," + ldaptest.Base }}, "", ""},
		"by another filter":             {"door", []func(*ldap.Config){func(c *ldap.Config) { c.Filter = "(objectClass=device)" }}, "cn=door," + ldaptest.People, ""},
		"by another attribute":          {"mary@example.org", []func(*ldap.Config){func(c *ldap.Config) { c.Attributes.Username = "mail" }}, "cn=mary," + ldaptest.People, ""},
		"in a part":                     {"twice", []func(*ldap.Config){func(c *ldap.Config) { c.SearchBase = ldaptest.People }}, "cn=twice," + ldaptest.People, ""},
		"not in that part":              {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.SearchBase = "ou=others," + ldaptest.Base }}, "", ""},
		"no such part":                  {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.SearchBase = "ou=nowhere," + ldaptest.Base }}, "", "No Such Object"},
		"a part that is elsewhere":      {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.SearchBase = "ou=elsewhere," + ldaptest.Base }}, "", "Referral"},
		"an id that there is none of":   {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.Attributes.ID = "employeeNumber" }}, "", "employeeNumber"},
		"an id that may be any":         {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.Attributes.ID = "mail" }}, "cn=mary," + ldaptest.People, ""},
		"an attribute that is not one":  {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.Attributes.Email = "noSuchAttribute" }}, "cn=mary," + ldaptest.People, ""},
		"a name that is no attribute":   {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.Attributes.Username = "noSuchAttribute" }}, "", ""},
		"attributes in another case":    {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.Attributes.Username, c.Attributes.ID = "UID", "ENTRYUUID" }}, "cn=mary," + ldaptest.People, ""},
		"search account of another DN":  {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.BindDN = "cn=mary," + ldaptest.People }}, "", "bind-dn"},
		"search account without a name": {"mary", []func(*ldap.Config){func(c *ldap.Config) { c.BindDN = "reader" }}, "", "bind-dn"},
	} {
		t.Run(what, func(t *testing.T) {
			e, err := find(c.name, c.change...)
			switch {
			case c.fails != "":
				if !errors.Is(err, ldap.ErrDown) || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), s.ReaderPassword) {
					t.Errorf("got %+v, %v; want a failure that names %s", e, err, c.fails)
				}
			case err != nil:
				t.Error(err)
			case e == nil && c.dn != "", e != nil && e.DN != c.dn:
				t.Errorf("got %+v, want %q", e, c.dn)
			}
		})
	}
}

// TestDisabledByFilter: whom the directory itself would let in.
func TestDisabledByFilter(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.Options{People: people})
	d := open(t, config(s), func(c *ldap.Config) { c.Disabled = "(givenName=John)" })
	for name, want := range map[string]error{"john": ldap.ErrDisabled, "mary": nil, "zoë": nil} {
		if _, err := d.SignIn(t.Context(), name, s.Password(name)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	if e, err := d.Find(t.Context(), "john"); e == nil || err != nil { // a user may be made all the same
		t.Errorf("got %+v, %v", e, err)
	}
}

// TestRefusedWithoutAsking: what no directory needs to see.
func TestRefusedWithoutAsking(t *testing.T) {
	d := open(t, ldap.Config{URL: "ldap://127.0.0.1:1", SearchBase: ldaptest.Base})
	if _, err := d.SignIn(t.Context(), "mary", "secret"); !errors.Is(err, ldap.ErrDown) {
		t.Fatalf("got %v of a directory that is not there", err)
	}
	for what, c := range map[string]struct{ name, password string }{
		"no password": {"mary", ""},
		"no name":     {"", "secret"},
		"NUL":         {"mary\x00", "secret"},
		"not UTF-8":   {"mary\xff", "secret"},
		"too long":    {strings.Repeat("m", 257), "secret"},
	} {
		t.Run(what, func(t *testing.T) {
			if _, err := d.SignIn(t.Context(), c.name, c.password); !errors.Is(err, ldap.ErrRefused) {
				t.Errorf("got %v", err)
			}
			if c.password == "" {
				return
			}
			if e, err := d.Find(t.Context(), c.name); e != nil || err != nil {
				t.Errorf("found %+v, %v", e, err)
			}
		})
	}
}
