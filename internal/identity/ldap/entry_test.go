package ldap

import (
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
)

// FuzzFilter: whatever a user name is, it stays a value that is compared.
func FuzzFilter(f *testing.F) {
	for _, name := range []string{"mary", "*", ")(uid=*", "mary)(|(objectClass=*", "*)(objectClass=*))(|(uid=*", "\\2a", "\\", "zo\u00eb", "cn=mary,ou=people", "(", "&", "!", "\x00"} {
		f.Add(name)
	}
	c := Config{Filter: "(objectClass=person)", Attributes: Attributes{Username: "uid"}}
	const locked = "(pwdAccountLockedTime=*)"
	f.Fuzz(func(t *testing.T, name string) {
		if !askable(name) {
			return
		}
		compiled, err := goldap.CompileFilter(c.filter(name, locked))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if compiled.Tag != goldap.FilterAnd || len(compiled.Children) != 3 {
			t.Fatalf("%q changes the filter into %s", name, c.filter(name, locked))
		}
		condition := compiled.Children[1]
		if condition.Tag != goldap.FilterEqualityMatch || len(condition.Children) != 2 ||
			ber.DecodeString(condition.Children[0].Data.Bytes()) != "uid" || ber.DecodeString(condition.Children[1].Data.Bytes()) != name {
			t.Fatalf("%q changes the condition of %s", name, c.filter(name, locked))
		}
	})
}

func TestRead(t *testing.T) {
	a := Attributes{}.withDefaults()
	all := map[string][]string{
		"UID": {"mary"}, "entryuuid": {"e-1"}, "givenName": {"", " Mary "}, "sn": {"Ma\x00jor"}, "mail": {"m@example.org", "n@example.org"},
	}
	without := func(name string) map[string][]string {
		some := map[string][]string{}
		for k, v := range all {
			if k != name {
				some[k] = v
			}
		}
		return some
	}
	got, err := a.read(goldap.NewEntry("cn=mary", all))
	if want := (Entry{DN: "cn=mary", ID: "e-1", FirstName: "Mary", Email: "m@example.org"}); err != nil || *got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for what, c := range map[string]struct {
		dn         string
		attributes map[string][]string
		says       string
	}{
		"no name":                {"", all, "distinguished name"},
		"user name is not shown": {"cn=mary", without("UID"), "uid may be searched for"},
		"id is not shown":        {"cn=mary", without("entryuuid"), "entryUUID"},
	} {
		if got, err := a.read(goldap.NewEntry(c.dn, c.attributes)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %+v, %v", what, got, err)
		}
	}
}
