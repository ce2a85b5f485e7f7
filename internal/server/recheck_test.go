package server_test

import (
	"net/http"
	"strings"
	"testing"

	"ringdown/internal/audit"
	"ringdown/internal/identity/ldap/ldaptest"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// TestDisabledInTheDirectory: whoever is locked or removed in a directory that is
// asked again at each use is signed out; whoever is not stays, also while it is
// down.
func TestDisabledInTheDirectory(t *testing.T) {
	s := newDirectorySite(t, ldaptest.Person{UID: "locked"}, ldaptest.Person{UID: "removed"}, ldaptest.Person{UID: "stays"})
	sessions := map[string]*http.Cookie{}
	for _, name := range []string{"locked", "removed", "stays"} {
		_, err := s.user(oftenDirectory, name)
		servertest.OK(t, err)
		_, answer, session := s.signIn(oftenDirectory, name, s.directory.Password(name))
		if session == nil {
			t.Fatalf("%s is not let in: %s", name, answer)
		}
		sessions[name] = session
	}
	in := func(name string, want bool) {
		t.Helper()
		if status, _ := s.home(oftenDirectory, sessions[name]); (status == http.StatusOK) != want {
			t.Errorf("%s is answered with %d", name, status)
		}
	}
	in("locked", true)
	in("removed", true)
	s.directory.Modify("dn: cn=locked," + ldaptest.People + "\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n\n" +
		"dn: cn=removed," + ldaptest.People + "\nchangetype: delete\n")
	for name, why := range map[string]string{"locked": "has disabled", "removed": "no longer has"} {
		in(name, false)
		e := s.lastAudited()
		if e.Event != audit.SessionEnd || e.Door != "directory" || e.User != name || e.UserID == "" || !strings.Contains(e.Reason, why) || e.From == "" {
			t.Errorf("the audit log has %+v", e)
		}
	}
	in("stays", true)
	s.directory.Stop()
	in("stays", true)
	in("stays", true)
	if n := strings.Count(s.log.String(), "cannot be asked"); n != 1 {
		t.Errorf("the operator is told %d times that the directory is down", n)
	}
	s.kept(s.directory.Password("stays"), s.directory.ReaderPassword, sessions["stays"].Value)
}

// TestRecheckSetting: what is no duration is refused with the setting's name.
func TestRecheckSetting(t *testing.T) {
	for setting, want := range map[string]string{"": "", "off": "", "5m": "", "0s": "recheck", "-1m": "recheck", "often": "recheck"} {
		s, err := server.Start(t.Context(), server.Config{
			Listen: "127.0.0.1:0", Data: t.TempDir(),
			SignIn: server.SignIn{Directories: []server.LDAPDirectory{{
				ID: goodDirectory, URL: "ldaps://ldap.example.org", SearchBase: ldaptest.Base, Recheck: setting,
			}}},
		})
		if err == nil {
			servertest.OK(t, s.Close())
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), "directories[0]: "+want) {
			t.Errorf("%q: %v", setting, err)
		}
	}
}
