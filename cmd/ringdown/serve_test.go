package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/certtest"
	"ringdown/internal/server"
)

func listInstances(c *connect.Client) error {
	_, err := c.ListInstances(context.Background(), &connect.ListInstancesInput{})
	return err
}

// TestEnv: a shell that evaluates what env prints has exactly the values,
// whatever characters are in them.
func TestEnv(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no POSIX shell here")
	}
	const secret = "it's $HOME `id` \"quoted\" \\ and\nmore"
	env := environment{"RINGDOWN_ROOT_ACCESS_KEY_ID": "AKIAEXAMPLE", "RINGDOWN_ROOT_SECRET_ACCESS_KEY": secret}
	s := serving(t, env)
	r := succeed(t, env, "", "env", "--data", s.data, "--region", "eu-west-1")
	for name, want := range map[string]string{
		"AWS_ENDPOINT_URL_CONNECT":            s.url,
		"AWS_ENDPOINT_URL_CONNECTPARTICIPANT": s.url,
		"AWS_ENDPOINT_URL_STS":                s.url,
		"AWS_ACCESS_KEY_ID":                   "AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY":               secret,
		"AWS_REGION":                          "eu-west-1",
		"AWS_DEFAULT_REGION":                  "eu-west-1",
		"AWS_SESSION_TOKEN":                   "",
		"AWS_PROFILE":                         "",
	} {
		cmd := exec.CommandContext(context.Background(), shell, "-c", `eval "$1"; printf %s "$`+name+`"`, "sh", r.stdout)
		cmd.Env = []string{"AWS_SESSION_TOKEN=old", "AWS_PROFILE=old"}
		got, err := cmd.CombinedOutput()
		if err != nil || string(got) != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}

	empty := filepath.Join(t.TempDir(), "none")
	if r := run(t, nil, "", "env", "--data", empty); r.code != 1 || !strings.Contains(r.stderr, `start "ringdown serve" first`) || r.stdout != "" {
		t.Errorf("env without a server: %s", r)
	}
	if _, err := os.Stat(empty); err == nil {
		t.Error("env has made a data folder")
	}
}

// TestRootCredentials: made once, kept privately, told by env alone.
func TestRootCredentials(t *testing.T) {
	s := serving(t, nil)
	name := filepath.Join(s.data, "root-credentials.json")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the mode of %s is %v", name, info.Mode())
	}
	if !strings.Contains(s.log.String(), name) {
		t.Errorf("the first start does not say where the credentials are: %s", s.log)
	}
	first := succeed(t, nil, "", "env", "--data", s.data).stdout
	if err := listInstances(s.rootClient(t, nil)); err != nil {
		t.Error(err)
	}
	s.stop(t)
	again := serving(t, nil, "--data", s.data, "--listen", strings.TrimPrefix(s.url, "http://"))
	if second := succeed(t, nil, "", "env", "--data", s.data).stdout; second != first {
		t.Errorf("the credentials changed with a restart:\n%s\n%s", first, second)
	}
	if strings.Contains(again.log.String(), "credentials were made") {
		t.Errorf("the second start made credentials: %s", again.log)
	}
}

func TestTLS(t *testing.T) {
	own := certtest.New(t, certtest.Options{})
	cert, key := own.Files(t)
	s := serving(t, nil, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.url, "https://127.0.0.1:") {
		t.Fatalf("the URL is %s", s.url)
	}
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: own.Pool(), MinVersion: tls.VersionTLS12}}}
	defer trusting.CloseIdleConnections()
	if err := listInstances(s.rootClient(t, trusting)); err != nil {
		t.Error(err)
	}
	if err := listInstances(s.rootClient(t, &http.Client{})); err == nil {
		t.Error("a client that does not trust the certificate was served")
	}
	if r := succeed(t, nil, "", "env", "--data", s.data, "--tls-cert", cert, "--tls-key", key); !strings.Contains(r.stdout, "export AWS_CA_BUNDLE="+cert+"\n") {
		t.Errorf("env does not name the certificate: %s", r)
	}
	// The other commands go through the server, over TLS too.
	policy := file(t, "policy.json", allowList)
	made := succeed(t, nil, "", "keys", "create", "--data", s.data, "--tls-cert", cert, "--tls-key", key, "--user", "mary", "--policy", policy)
	if id, secret := exported(made.stdout); listInstances(s.client(id, secret, trusting)) != nil {
		t.Errorf("a key that was made over TLS does not work: %s", made)
	}
}

const allowList = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"connect:ListInstances","Resource":"*"}}`

// exported reads the credentials that "keys create" prints for a shell.
func exported(stdout string) (id, secret string) {
	for _, line := range strings.Split(stdout, "\n") {
		if v, ok := strings.CutPrefix(line, "export AWS_ACCESS_KEY_ID="); ok {
			id = v
		}
		if v, ok := strings.CutPrefix(line, "export AWS_SECRET_ACCESS_KEY="); ok {
			secret = v
		}
	}
	return id, secret
}

// TestKeys: keys are made, listed and deleted with and without a server, and
// it makes no difference which.
func TestKeys(t *testing.T) {
	data := t.TempDir()
	if r := succeed(t, nil, "", "keys", "list", "--data", data); r.stdout != "" || !strings.Contains(r.stderr, "There are no keys") {
		t.Errorf("keys of an empty folder: %s", r)
	}
	before := succeed(t, nil, allowList, "keys", "create", "--data", data, "--user", "before", "--policy", "-")
	s := serving(t, nil, "--data", data)
	during := succeed(t, nil, "", "keys", "create", "--data", data, "--user", "during", "--policy", file(t, "policy.json", allowList))

	type credentials struct{ id, secret string }
	var both []credentials
	for _, made := range []result{before, during} {
		id, secret := exported(made.stdout)
		both = append(both, credentials{id, secret})
		if err := listInstances(s.client(id, secret, nil)); err != nil {
			t.Errorf("%v: %s", err, made)
		}
		// The policy holds: it names one operation.
		_, err := s.client(id, secret, nil).CreateInstance(context.Background(), &connect.CreateInstanceInput{
			IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("mine"), InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
		})
		if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
			t.Errorf("CreateInstance: %v, want a refusal", err)
		}
	}
	listed := succeed(t, nil, "", "keys", "list", "--data", data).stdout
	for _, want := range []string{"KEY ID", "before", "during", both[0].id, both[1].id} {
		if !strings.Contains(listed, want) {
			t.Errorf("the list lacks %s: %s", want, listed)
		}
	}
	for _, secret := range []string{both[0].secret, both[1].secret} {
		if strings.Contains(listed, secret) || strings.Contains(s.log.String(), secret) {
			t.Error("a secret is listed or logged")
		}
	}

	// One is deleted through the server, the other without it.
	succeed(t, nil, "", "keys", "delete", "--data", data, both[0].id)
	if err := listInstances(s.client(both[0].id, both[0].secret, nil)); err == nil || !strings.Contains(err.Error(), "UnrecognizedClientException") {
		t.Errorf("a deleted key: %v", err)
	}
	s.stop(t)
	if stored := succeed(t, nil, "", "keys", "list", "--data", data).stdout; strings.Contains(stored, both[0].id) || !strings.Contains(stored, both[1].id) {
		t.Errorf("after the restart: %s", stored)
	}
	succeed(t, nil, "", "keys", "delete", both[1].id, "--data", data)
	if r := run(t, nil, "", "keys", "delete", both[1].id, "--data", data); r.code != 1 || !strings.Contains(r.stderr, "not found") {
		t.Errorf("a key that is gone: %s", r)
	}
}

// TestKeysRefused: policies that make no sense make no key.
func TestKeysRefused(t *testing.T) {
	s := serving(t, nil)
	for _, data := range []string{s.data, t.TempDir()} { // with a server and without
		for name, c := range map[string]struct{ policy, want string }{
			"no JSON":        {`{"Version"`, "JSON"},
			"no statement":   {`{"Version":"2012-10-17"}`, "Statement"},
			"no effect":      {`{"Version":"2012-10-17","Statement":[{"Action":"*","Resource":"*"}]}`, "Effect"},
			"wrong operator": {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}]}`, "StringIs"},
		} {
			r := run(t, nil, c.policy, "keys", "create", "--data", data, "--user", "mary", "--policy", "-")
			if r.code != 1 || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
				t.Errorf("%s: %s, want a word of %s", name, r, c.want)
			}
		}
		if r := succeed(t, nil, "", "keys", "list", "--data", data); r.stdout != "" {
			t.Errorf("keys were made: %s", r)
		}
	}
}

// TestSecondServer: one data folder, one server.
func TestSecondServer(t *testing.T) {
	s := serving(t, nil)
	r := run(t, nil, "", "serve", "--data", s.data, "--listen", "127.0.0.1:0")
	if r.code != 1 || !strings.Contains(r.stderr, "the data folder is in use by another server") {
		t.Errorf("a second server: %s", r)
	}
	// The attempt has not disturbed the first.
	if err := listInstances(s.rootClient(t, nil)); err != nil {
		t.Error(err)
	}
	if r := succeed(t, nil, "", "env", "--data", s.data); !strings.Contains(r.stdout, s.url) {
		t.Errorf("the first server's address is lost: %s", r)
	}
	if r := run(t, nil, "", "serve", "--data", t.TempDir(), "--listen", strings.TrimPrefix(s.url, "http://")); r.code != 1 || !strings.Contains(r.stderr, "--listen: ") {
		t.Errorf("a taken port: %s", r)
	}
}

// TestExposed: a server that others can reach without TLS says so.
func TestExposed(t *testing.T) {
	cert, key := certtest.New(t, certtest.Options{}).Files(t)
	const warning = "can be reached from other machines and does not use TLS"
	for _, c := range []struct {
		name  string
		args  []string
		warns bool
	}{
		{"loopback", nil, false},
		{"localhost", []string{"--listen", "localhost:0"}, false},
		{"all addresses", []string{"--listen", "0.0.0.0:0"}, true},
		{"all addresses, shorter", []string{"--listen", ":0"}, true},
		{"all addresses, JSON log", []string{"--listen", "0.0.0.0:0", "--log-format", "json"}, true},
		{"all addresses with TLS", []string{"--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key}, false},
	} {
		s := serving(t, nil, c.args...)
		s.stop(t)
		if got := strings.Contains(s.log.String(), warning); got != c.warns {
			t.Errorf("%s: warned: %v, want %v: %s", c.name, got, c.warns, s.log)
		}
	}
}

// TestGracefulStop: a request that has begun is answered before the server
// ends. The server asks for the body ("100 Continue"), is told to stop, and
// only then gets it.
func TestGracefulStop(t *testing.T) {
	s := serving(t, nil)
	root, err := server.FindRoot(&server.Config{Data: s.data})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"IdentityManagementType":"SAML","InstanceAlias":"last","InboundCallsEnabled":true,"OutboundCallsEnabled":true}`
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPut, s.url+"/instance", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Expect", "100-continue")
	sum := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: root.AccessKeyID, SecretAccessKey: root.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), "connect", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var wire strings.Builder
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(wire.String(), "\r\n\r\n")
	if _, err := io.WriteString(conn, head+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	if line, err := reader.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q, %v, want 100 Continue", line, err)
	}
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}

	s.cancel()
	if !s.log.waitFor("stopping", s.ended) {
		t.Fatalf("it does not stop: %s", s.log)
	}
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(reader, r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var made struct {
		ID string `json:"Id"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || resp.StatusCode != http.StatusOK || made.ID == "" {
		t.Errorf("%s %+v %v", resp.Status, made, err)
	}
	s.stop(t)
	if _, err := os.Stat(filepath.Join(s.data, "endpoint.json")); err == nil {
		t.Error("a stopped server still says where it listens")
	}

	again := serving(t, nil, "--data", s.data)
	if _, err := again.rootClient(t, nil).DescribeInstance(context.Background(), &connect.DescribeInstanceInput{InstanceId: &made.ID}); err != nil {
		t.Errorf("the last request's instance: %v", err)
	}
}

// TestNoSecretsInTheLog goes through what carries secrets, right and wrong,
// and looks for them in all that the server has printed.
func TestNoSecretsInTheLog(t *testing.T) {
	const password = "Sup3rSecretPassw0rd"
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			s := serving(t, nil, "--log-format", format)
			ctx := context.Background()
			c := s.rootClient(t, nil)
			root, err := server.FindRoot(&server.Config{Data: s.data})
			if err != nil {
				t.Fatal(err)
			}
			instance, err := c.CreateInstance(ctx, &connect.CreateInstanceInput{
				IdentityManagementType: types.DirectoryTypeConnectManaged, InstanceAlias: aws.String("managed"), InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
			})
			if err != nil {
				t.Fatal(err)
			}
			routing, err := c.ListRoutingProfiles(ctx, &connect.ListRoutingProfilesInput{InstanceId: instance.Id})
			if err != nil {
				t.Fatal(err)
			}
			security, err := c.ListSecurityProfiles(ctx, &connect.ListSecurityProfilesInput{InstanceId: instance.Id})
			if err != nil {
				t.Fatal(err)
			}
			in := &connect.CreateUserInput{
				InstanceId: instance.Id, Username: aws.String("mary"), Password: aws.String(password),
				RoutingProfileId: routing.RoutingProfileSummaryList[0].Id, SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
				IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
			}
			if _, err := c.CreateUser(ctx, in); err != nil {
				t.Fatal(err)
			}
			if _, err := c.CreateUser(ctx, in); err == nil { // a duplicate
				t.Fatal("the same user was created twice")
			}
			in.Password = aws.String(password + " ") // not a legal one
			if _, err := c.CreateUser(ctx, in); err == nil || strings.Contains(err.Error(), password) {
				t.Fatalf("a password with a space: %v", err)
			}
			in.InstanceId = aws.String(password)
			_, _ = c.CreateUser(ctx, in) // whatever it is answered
			made := succeed(t, nil, allowList, "keys", "create", "--data", s.data, "--user", "mary", "--policy", "-")
			id, secret := exported(made.stdout)
			_ = listInstances(s.client(id, secret+"x", nil))
			_ = listInstances(s.client(root.AccessKeyID, root.SecretAccessKey+"x", nil))
			s.stop(t)

			log := s.log.String()
			if n := strings.Count(log, "operation="); format == "text" && n < 8 {
				t.Errorf("only %d requests are in the log: %s", n, log)
			}
			for what, word := range map[string]string{
				"the root secret": root.SecretAccessKey, "a key's secret": secret, "a user's password": password, "a signature": "AWS4-HMAC-SHA256",
			} {
				if strings.Contains(log, word) {
					t.Errorf("%s is in the log:\n%s", what, log)
				}
			}
		})
	}
}
