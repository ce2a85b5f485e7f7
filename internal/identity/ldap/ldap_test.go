package ldap_test

import (
	"errors"
	"net"
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

// silent is a directory that takes connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) // connections that wait to be accepted go with it
	return l.Addr().String()
}
