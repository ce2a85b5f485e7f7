package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// TestTokens: tokens for SCIM are made, listed and deleted with and without a
// server, and it makes no difference which.
func TestTokens(t *testing.T) {
	data := t.TempDir()
	s := serving(t, nil, "--data", data)
	out, err := s.rootClient(t, nil).CreateInstance(t.Context(), &connect.CreateInstanceInput{
		IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("Desk"), InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	create := []string{"keys", "create", "--data", data, "--routing-profile", "Basic Routing Profile", "--security-profile", "Agent, Admin", "--scim"}
	during := succeed(t, nil, "", append(create, "desk")...)
	if got, want := said(during.stdout, "Base URL: "), s.url+"/-/scim/v2"; got != want {
		t.Errorf("the base URL is %s, want %s", got, want)
	}
	s.stop(t)
	before := succeed(t, nil, "", append(create, *out.Id)...)
	s = serving(t, nil, "--data", data)

	var ids, secrets []string
	for _, made := range []result{during, before} {
		secret := said(made.stdout, "Token: ")
		id, _, _ := strings.Cut(strings.TrimPrefix(made.stderr, "The token "), " ")
		if secret == "" || !strings.HasPrefix(id, "SCIM") || !strings.HasSuffix(said(made.stdout, "Base URL: "), "/-/scim/v2") || !strings.Contains(made.stderr, *out.Id) {
			t.Fatalf("made: %s", made)
		}
		ids, secrets = append(ids, id), append(secrets, secret)
		if status := s.users(t, secret); status != http.StatusOK {
			t.Errorf("%d: %s", status, made)
		}
	}
	key := succeed(t, nil, allowList, "keys", "create", "--data", data, "--user", "mary", "--policy", "-")
	keyID, _ := exported(key.stdout)
	listed := succeed(t, nil, "", "keys", "list", "--data", data).stdout
	for _, want := range []string{"KEY ID", ids[0], ids[1], "SCIM for " + *out.Id, keyID, "mary"} {
		if !strings.Contains(listed, want) {
			t.Errorf("the list lacks %s: %s", want, listed)
		}
	}
	for _, secret := range secrets {
		if strings.Contains(listed, secret) || strings.Contains(s.log.String(), secret) {
			t.Error("a token is listed or logged")
		}
	}

	// One is deleted through the server, the other without it.
	succeed(t, nil, "", "keys", "delete", "--data", data, ids[0])
	if status := s.users(t, secrets[0]); status != http.StatusUnauthorized {
		t.Errorf("a deleted token: %d", status)
	}
	s.stop(t)
	succeed(t, nil, "", "keys", "delete", ids[1], "--data", data)
	if r := run(t, nil, "", "keys", "delete", ids[1], "--data", data); r.code != 1 || !strings.Contains(r.stderr, "not found") {
		t.Errorf("a token that is gone: %s", r)
	}
	if listed := succeed(t, nil, "", "keys", "list", "--data", data).stdout; strings.Contains(listed, "SCIM for") || !strings.Contains(listed, keyID) {
		t.Errorf("the list: %s", listed)
	}
}

// said is what follows a word at the beginning of a line.
func said(text, word string) string {
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, word); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// users asks for the users by SCIM and returns the status.
func (r *running) users(t *testing.T, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/-/scim/v2/Users", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestTokensRefused: what there is none of makes no token.
func TestTokensRefused(t *testing.T) {
	s := serving(t, nil)
	_, err := s.rootClient(t, nil).CreateInstance(t.Context(), &connect.CreateInstanceInput{
		IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("desk"), InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no such instance":         {[]string{"--scim", "nowhere", "--routing-profile", "Basic Routing Profile", "--security-profile", "Agent"}, 1, `no Instance "nowhere"`},
		"no such routing profile":  {[]string{"--scim", "desk", "--routing-profile", "None", "--security-profile", "Agent"}, 1, `no RoutingProfile "None"`},
		"no such security profile": {[]string{"--scim", "desk", "--routing-profile", "Basic Routing Profile", "--security-profile", "Agent,None"}, 1, `no SecurityProfile "None"`},
		"an empty one":             {[]string{"--scim", "desk", "--routing-profile", "Basic Routing Profile", "--security-profile", "Agent,"}, 1, `no SecurityProfile ""`},
		"no routing profile":       {[]string{"--scim", "desk", "--security-profile", "Agent"}, 2, "give --scim"},
		"no security profile":      {[]string{"--scim", "desk", "--routing-profile", "Basic Routing Profile"}, 2, "give --scim"},
		"a user as well":           {[]string{"--scim", "desk", "--routing-profile", "x", "--security-profile", "Agent", "--user", "mary"}, 2, "no --user"},
		"a region":                 {[]string{"--scim", "desk", "--routing-profile", "x", "--security-profile", "Agent", "--region", "eu-west-1"}, 2, "--region has no effect on ringdown keys create"},
		"a region for a key":       {[]string{"--user", "mary", "--policy", "-", "--region", "eu-west-1"}, 2, "--region has no effect"},
		"a key's routing profile":  {[]string{"--user", "mary", "--policy", "-", "--routing-profile", "x"}, 2, "give --scim INSTANCE"},
		"a key's security profile": {[]string{"--user", "mary", "--policy", "-", "--security-profile", "x"}, 2, "give --scim INSTANCE"},
	} {
		r := run(t, nil, "", append([]string{"keys", "create", "--data", s.data}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
			t.Errorf("%s: %s, want %q", name, r, c.want)
		}
	}
	if r := succeed(t, nil, "", "keys", "list", "--data", s.data); r.stdout != "" {
		t.Errorf("tokens were made: %s", r)
	}
}

// TestIdleFlags: commands that manage what a server holds refuse the flags that
// only a server heeds, and do not list them; a file or environment that is a
// server's may have them.
func TestIdleFlags(t *testing.T) {
	idle := map[string]string{"region": "eu-west-1", "throttle": "aws", "quotas": "aws", "sip-listen": "off", "rtp-ports": "20000-20099", "sip-trunk": "sip:example.org:5060"}
	data := t.TempDir()
	var config strings.Builder
	env := environment{}
	for name, value := range idle {
		config.WriteString(name + ": " + value + "\n")
		env["RINGDOWN_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = value
	}
	for _, command := range [][]string{
		{"keys", "create", "--user", "mary", "--policy", "-"},
		{"keys", "list"},
		{"keys", "delete", "X"},
		{"idp", "add", "--metadata", "-"},
		{"idp", "list"},
		{"idp", "delete", "X"},
	} {
		for name, value := range idle {
			args := append(append([]string{}, command...), "--data", data, "--"+name, value)
			want := "--" + name + " has no effect on ringdown " + command[0] + " " + command[1]
			if r := run(t, nil, "", args...); r.code != 2 || !strings.Contains(r.stderr, want) {
				t.Errorf("%v: %s, want %q", args, r, want)
			}
		}
		help := succeed(t, nil, "", command[0], command[1], "--help").stdout
		if !strings.Contains(help, "-data folder") || !strings.Contains(help, "./ringdown-data") {
			t.Errorf("%v: the help lacks --data: %s", command, help)
		}
		for name := range idle {
			if strings.Contains(help, "-"+name+" ") {
				t.Errorf("%v: the help has --%s", command, name)
			}
		}
	}
	succeed(t, env, "", "keys", "list", "--data", data, "--config", file(t, "ringdown.yaml", config.String()))
	for want, args := range map[string][]string{
		`unexpected argument "X"`:       {"keys", "list", "X"},
		"can be standard input":         {"idp", "add", "--metadata", "-", "--policy", "-"},
		"--max-session: \"900ms\" must": {"idp", "add", "--metadata", "-", "--max-session", "900ms"},
	} {
		if r := run(t, nil, "", append(args, "--data", data)...); r.code != 2 || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: %s, want %q", args, r, want)
		}
	}
}
