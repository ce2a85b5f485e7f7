package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

const allowAll = `{"UserName":"mary","Policy":{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}}`

// ask sends a request to a server's own pages; unsigned when id is empty.
func ask(t testing.TB, method, url, body, id, secret, service string) (int, string) {
	t.Helper()
	ctx := context.Background()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if id != "" {
		sum := sha256.Sum256([]byte(body))
		creds := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
		if err := v4.NewSigner().SignHTTP(ctx, creds, r, hex.EncodeToString(sum[:]), service, servertest.Region, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// TestKeysPage: keys are the root's affair, under a signature for ringdown's
// own service, so that no signature for the API can be turned against them.
func TestKeysPage(t *testing.T) {
	s := servertest.Boot(t)
	id, secret := s.Root.AccessKeyID, s.Root.SecretAccessKey
	page := s.URL + "/-/keys"
	status, body := ask(t, "POST", page, allowAll, id, secret, "ringdown")
	var made server.MadeKey
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != http.StatusOK || made.UserName != "mary" {
		t.Fatalf("%d %s", status, body)
	}
	for _, c := range []struct {
		name, method, path, body string
		id, secret, service      string
		status                   int
		message                  string
	}{
		{"unsigned", "GET", "", "", "", "", "", 403, "Missing Authentication Token"},
		{"signed by a user who may do everything", "GET", "", "", made.AccessKeyID, made.SecretAccessKey, "ringdown", 403, "The security token included in the request is invalid."},
		{"signed for the API", "GET", "", "", id, secret, "connect", 403, "Credential should be scoped to correct service: 'ringdown'."},
		{"wrong secret", "GET", "", "", id, secret + "x", "ringdown", 403, "The request signature we calculated does not match"},
		{"no JSON", "POST", "", "nonsense", id, secret, "ringdown", 400, "no JSON object with UserName and Policy"},
		{"no policy", "POST", "", `{"UserName":"mary"}`, id, secret, "ringdown", 400, ""},
		{"no user", "POST", "", strings.Replace(allowAll, "mary", "", 1), id, secret, "ringdown", 400, ""},
		{"a user that is no name", "POST", "", strings.Replace(allowAll, "mary", "ma ry/:*", 1), id, secret, "ringdown", 400, ""},
		{"unknown key", "DELETE", "/AKIANOSUCHKEY0000000", "", id, secret, "ringdown", 404, "not found"},
		{"the root's key", "DELETE", "/" + id, "", id, secret, "ringdown", 404, "not found"},
		{"another method", "PUT", "", "", id, secret, "ringdown", 404, "is not served"},
		{"deleting all", "DELETE", "", "", id, secret, "ringdown", 404, "is not served"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := ask(t, c.method, page+c.path, c.body, c.id, c.secret, c.service)
			var told struct{ Message string }
			if err := json.Unmarshal([]byte(body), &told); err != nil || status != c.status || told.Message == "" || !strings.Contains(told.Message, c.message) {
				t.Errorf("%d %s (%v), want %d %s", status, body, err, c.status, c.message)
			}
		})
	}
	// None of that has changed anything.
	status, body = ask(t, "GET", page, "", id, secret, "ringdown")
	if status != http.StatusOK || strings.Count(body, "AccessKeyID") != 1 || strings.Contains(body, made.SecretAccessKey) {
		t.Errorf("the list: %d %s", status, body)
	}
}

// TestOwnPages: what is no AWS API needs no signature and no AWS client.
func TestOwnPages(t *testing.T) {
	s := servertest.Boot(t)
	if status, body := ask(t, "GET", s.URL+"/-/healthy", "", "", "", ""); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/-/healthy: %d %q", status, body)
	}
	if status, body := ask(t, "GET", s.URL+"/-/metrics", "", "", "", ""); status != http.StatusOK || !strings.Contains(body, "ringdown_api_operations_served ") {
		t.Errorf("/-/metrics: %d %s", status, body)
	}
	if status, _ := ask(t, "GET", s.URL+"/-/nothing", "", "", "", ""); status != http.StatusNotFound {
		t.Errorf("/-/nothing: %d", status)
	}
	if status, _ := ask(t, "POST", s.URL+"/-/healthy", "", "", "", ""); status != http.StatusMethodNotAllowed {
		t.Errorf("POST /-/healthy: %d", status)
	}
}

// TestCloseTwice: Close may be called twice, and the data folder is free after
// the first.
func TestCloseTwice(t *testing.T) {
	cfg := server.Config{Listen: "127.0.0.1:0", Data: t.TempDir()}
	for range 2 {
		s, err := server.Start(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("a second time: %v", err)
		}
	}
}
