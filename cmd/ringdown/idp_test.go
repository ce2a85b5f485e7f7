package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringdown/internal/certtest"
	"ringdown/internal/identity/saml/samltest"
)

// idpMetadata is that of an identity provider with a key of its own.
func idpMetadata(t testing.TB, entityID string) string {
	t.Helper()
	return string(samltest.Provider{EntityID: entityID, Certificate: certtest.New(t, certtest.Options{}).Raw}.Metadata())
}

// TestIDP: identity providers are added, listed and deleted with and without a
// server, and it makes no difference which.
func TestIDP(t *testing.T) {
	data := t.TempDir()
	if r := succeed(t, nil, "", "idp", "list", "--data", data); r.stdout != "" || !strings.Contains(r.stderr, "There are no identity providers") {
		t.Errorf("identity providers of an empty folder: %s", r)
	}
	login := idpMetadata(t, "https://Login.example.org:8443/realms/a")
	before := succeed(t, nil, login, "idp", "add", "--metadata", "-", "--data", data, "--listen", "127.0.0.1:8765")
	for _, want := range []string{
		"The SAML provider login.example.org is known now. Its users assume the role login.example.org.",
		"http://127.0.0.1:8765/-/login/INSTANCE/saml\n",
		"http://127.0.0.1:8765/-/login/saml\n",
		"https://aws.amazon.com/SAML/Attributes/Role\n",
		"arn:aws:iam::123456789012:role/login.example.org,arn:aws:iam::123456789012:saml-provider/login.example.org\n",
		"https://aws.amazon.com/SAML/Attributes/RoleSessionName\n",
		"list-instances",
	} {
		if !strings.Contains(before.stdout, want) {
			t.Errorf("what to enter lacks %q: %s", want, before)
		}
	}

	s := serving(t, nil, "--data", data, "--account", "210987654321")
	metadata := file(t, "urn.xml", idpMetadata(t, "urn:example:corp"))
	policy := file(t, "policy.json", allowList)
	const second = "0198a1b2-0000-7000-8000-0123456789ab"
	during := succeed(t, nil, "", "idp", "add", "--data", data, "--metadata", metadata, "--policy", policy,
		"--role", "desk", "--max-session", "12h", "--instance", "first", "--instance", second, "--label", "The company")
	for _, want := range []string{
		"The SAML provider urn-example-corp is known now. Its users assume the role desk.",
		s.url + "/-/login/" + second + "/saml\n",
		s.url + "/-/login/INSTANCE/saml\n", // whose id the alias does not tell
		// The server's account, for it is asked.
		"arn:aws:iam::210987654321:role/desk,arn:aws:iam::210987654321:saml-provider/urn-example-corp\n",
		"open " + s.url + "/-/login/" + second + " in a browser",
	} {
		if !strings.Contains(during.stdout, want) {
			t.Errorf("what to enter lacks %q: %s", want, during)
		}
	}
	listed := succeed(t, nil, "", "idp", "list", "--data", data).stdout
	for _, want := range []string{"NAME", "login.example.org", "https://Login.example.org:8443/realms/a", "urn-example-corp", "urn:example:corp", "desk", "first," + second} {
		if !strings.Contains(listed, want) {
			t.Errorf("the list lacks %s: %s", want, listed)
		}
	}

	// A derived name replaces no provider of another entity id, a given one does.
	other := idpMetadata(t, "https://login.example.org/realms/b")
	if r := run(t, nil, other, "idp", "add", "--data", data, "--metadata", "-"); r.code != 1 || !strings.Contains(r.stderr, "give a name with --name") {
		t.Errorf("another provider of the host: %s", r)
	}
	succeed(t, nil, other, "idp", "add", "--data", data, "--metadata", "-", "--name", "login.example.org")
	if listed = succeed(t, nil, "", "idp", "list", "--data", data).stdout; !strings.Contains(listed, "realms/b") || strings.Contains(listed, "realms/a") {
		t.Errorf("after it was replaced: %s", listed)
	}

	// One is deleted through the server, the other without it.
	succeed(t, nil, "", "idp", "delete", "--data", data, "login.example.org")
	s.stop(t)
	if kept := succeed(t, nil, "", "idp", "list", "--data", data).stdout; strings.Contains(kept, "login.example.org") || !strings.Contains(kept, "urn-example-corp") {
		t.Errorf("after the restart: %s", kept)
	}
	succeed(t, nil, "", "idp", "delete", "urn-example-corp", "--data", data)
	if r := run(t, nil, "", "idp", "delete", "urn-example-corp", "--data", data); r.code != 1 || !strings.Contains(r.stderr, `There is no SAML provider "urn-example-corp"`) {
		t.Errorf("a provider that is gone: %s", r)
	}
	log, err := os.ReadFile(filepath.Join(data, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if adds, deletes := strings.Count(string(log), `"provider-add"`), strings.Count(string(log), `"provider-delete"`); adds != 3 || deletes != 2 {
		t.Errorf("the audit log has %d additions and %d deletions, want 3 and 2: %s", adds, deletes, log)
	}
}

// TestIDPOfTheFile: providers of the configuration file are listed, and cannot be
// changed by the command.
func TestIDPOfTheFile(t *testing.T) {
	metadata := file(t, "idp.xml", idpMetadata(t, "https://idp.example.org/saml"))
	config := file(t, "ringdown.yaml", `sign-in:
  url: https://cc.example.org/
  saml:
    - {name: corp, metadata: `+metadata+`}
  roles:
    - name: agents
      providers: [corp, idp.example.org]
      policy: {Version: "2012-10-17", Statement: {Effect: Allow, Action: "connect:GetFederationToken", Resource: "*"}}
`)
	data := t.TempDir()
	for _, where := range []string{"without a server", "with one"} {
		if where == "with one" {
			serving(t, nil, "--data", data, "--config", config)
		}
		if r := succeed(t, nil, "", "idp", "list", "--data", data, "--config", config); !strings.Contains(r.stdout, "corp") || !strings.Contains(r.stdout, "agents") || !strings.Contains(r.stdout, "configuration file") {
			t.Errorf("%s: %s", where, r)
		}
		for _, args := range [][]string{
			{"idp", "add", "--metadata", metadata, "--name", "corp"},
			{"idp", "add", "--metadata", metadata, "--name", "another", "--role", "agents"},
			{"idp", "delete", "corp"},
		} {
			if r := run(t, nil, "", append(args, "--data", data, "--config", config)...); r.code != 1 || !strings.Contains(r.stderr, "is in the configuration file") {
				t.Errorf("%s: %v: %s", where, args, r)
			}
		}
		r := succeed(t, nil, "", "idp", "add", "--metadata", metadata, "--role", "agents", "--data", data, "--config", config)
		if !strings.Contains(r.stdout, "https://cc.example.org/-/login/saml\n") || !strings.Contains(r.stdout, ":role/agents,") {
			t.Errorf("%s: %s", where, r)
		}
	}
}

// TestIDPMistakes: each is told, once, and changes nothing.
func TestIDPMistakes(t *testing.T) {
	metadata := file(t, "idp.xml", idpMetadata(t, "https://idp.example.org/saml"))
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no verb":             {[]string{}, 2, "say add, list or delete"},
		"unknown verb":        {[]string{"make"}, 2, `there is no "make"`},
		"no metadata":         {[]string{"add"}, 2, "give --metadata FILE"},
		"superfluous":         {[]string{"add", "--metadata", metadata, "x"}, 2, "give --metadata FILE"},
		"list of what":        {[]string{"list", "x"}, 2, `unexpected argument "x"`},
		"delete of nothing":   {[]string{"delete"}, 2, "give the name of one provider"},
		"delete of two":       {[]string{"delete", "a", "b"}, 2, "give the name of one provider"},
		"no such file":        {[]string{"add", "--metadata", metadata + ".gone"}, 1, "--metadata: "},
		"no such policy":      {[]string{"add", "--metadata", metadata, "--policy", metadata + ".gone"}, 1, "--policy: "},
		"policy that is XML":  {[]string{"add", "--metadata", metadata, "--policy", metadata}, 1, "holds no JSON"},
		"policy of nothing":   {[]string{"add", "--metadata", metadata, "--policy", file(t, "p.json", `{}`)}, 1, "Statement"},
		"metadata of another": {[]string{"add", "--metadata", file(t, "sp.xml", `<x/>`)}, 1, `it begins with "x"`},
		"metadata of a novel": {[]string{"add", "--metadata", file(t, "long.xml", strings.Repeat(" ", 200_000))}, 1, "it has more than"},
		"name":                {[]string{"add", "--metadata", metadata, "--name", "a b"}, 1, "1 to 128 letters"},
		"role":                {[]string{"add", "--metadata", metadata, "--role", "a b"}, 1, "1 to 64 letters"},
		"session":             {[]string{"add", "--metadata", metadata, "--max-session", "12"}, 2, "--max-session: "},
		"long session":        {[]string{"add", "--metadata", metadata, "--max-session", "13h"}, 1, "1 to 12 hours"},
		"unknown flag":        {[]string{"add", "--metdata", metadata}, 2, "flag provided but not defined: -metdata"},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			args := append([]string{"idp"}, c.args...)
			if len(c.args) > 0 {
				args = append([]string{"idp", c.args[0], "--data", data}, c.args[1:]...)
			}
			if c.code == 2 && len(c.args) > 0 && c.args[0] == "delete" {
				args = append(append([]string{"idp"}, c.args...), "--data", data)
			}
			r := run(t, nil, "", args...)
			if r.code != c.code || strings.Count(r.stderr, c.want) != 1 || r.stdout != "" {
				t.Errorf("%s\nwant code %d and %q once", r, c.code, c.want)
			}
		})
	}
	for _, args := range [][]string{{"idp", "add", "--help"}, {"idp", "list", "-h"}, {"idp", "delete", "-h"}} {
		if r := succeed(t, nil, "", args...); !strings.Contains(r.stdout, "-data") {
			t.Errorf("%v: %s", args, r)
		}
	}
	if r := succeed(t, nil, "", "idp", "help"); !strings.Contains(r.stdout, "ringdown idp add --metadata FILE") {
		t.Errorf("idp help: %s", r)
	}
}
