package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// forwarded sends requests as a proxy does that ends TLS.
type forwarded struct{ proto string }

func (f forwarded) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Forwarded-Proto", f.proto)
	return http.DefaultTransport.RoundTrip(r)
}

// TestLinksBeginWhereTheClientIs: the links to objects lead to the address that
// the client has used, not to the one that the server listens on.
func TestLinksBeginWhereTheClientIs(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	listed, err := s.Connect.ListPrompts(t.Context(), &connect.ListPromptsInput{InstanceId: &instance, MaxResults: aws.Int32(1)})
	servertest.OK(t, err)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, c := range []struct{ endpoint, proto, want string }{
		{s.URL, "", s.URL},
		{"http://localhost" + port, "", "http://localhost" + port},
		{"http://localhost" + port, "https", "https://localhost" + port},
		{s.URL, "gopher", s.URL},
	} {
		client := s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) {
			o.BaseEndpoint = &c.endpoint
			if c.proto != "" {
				o.HTTPClient = &http.Client{Transport: forwarded{c.proto}}
			}
		})
		out, err := client.GetPromptFile(t.Context(), &connect.GetPromptFileInput{InstanceId: &instance, PromptId: listed.PromptSummaryList[0].Id})
		servertest.OK(t, err)
		if !strings.HasPrefix(*out.PromptPresignedUrl, c.want+"/-/objects/") {
			t.Errorf("from %+v the link is %s", c, *out.PromptPresignedUrl)
		}
	}
}

// TestObjectsInService: with an S3 service configured, s3:// leads there and
// the server itself gives no objects away.
func TestObjectsInService(t *testing.T) {
	asked := make(chan string, 100)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<Error><Code>NoSuchBucket</Code></Error>")
	}))
	t.Cleanup(service.Close)
	s := servertest.Boot(t, func(c *server.Config) {
		c.Objects = server.Objects{Endpoint: service.URL, AccessKeyID: "id", SecretAccessKey: "secret"}
	})
	instance := s.NewInstance(t)
	_, err := s.Connect.CreatePrompt(t.Context(), &connect.CreatePromptInput{InstanceId: &instance, Name: aws.String("a"), S3Uri: aws.String("s3://bucket/a.wav")})
	servertest.Fails(t, err, fault.InvalidParameter, "S3Uri", "no such object")
	if got := <-asked; got != "GET /bucket/a.wav" {
		t.Errorf("the service was asked %s", got)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/-/objects/bucket/a.wav", nil)
	servertest.OK(t, err)
	resp, err := http.DefaultClient.Do(r)
	servertest.OK(t, err)
	servertest.OK(t, resp.Body.Close())
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("the server itself answers a link with %s", resp.Status)
	}
	_, err = s.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &instance})
	servertest.OK(t, err)
	if got := <-asked; got != "GET /ringdown-"+instance {
		t.Errorf("the deletion of the instance asked the service %s", got)
	}
}

func TestObjectsConfig(t *testing.T) {
	for name, o := range map[string]server.Objects{
		"no keys":     {Endpoint: "aws"},
		"no URL":      {Endpoint: "nonsense", AccessKeyID: "id", SecretAccessKey: "secret"},
		"no endpoint": {AccessKeyID: "id", SecretAccessKey: "secret"},
	} {
		s, err := server.Start(t.Context(), server.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Objects: o})
		if err == nil {
			servertest.OK(t, s.Close())
		}
		if err == nil || !strings.HasPrefix(err.Error(), "objects: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLinksInBrowsers: a page of any origin may use a link that it has.
func TestLinksInBrowsers(t *testing.T) {
	s := servertest.Boot(t)
	for method, want := range map[string]struct {
		status int
		header string
	}{
		http.MethodOptions: {http.StatusNoContent, "Access-Control-Allow-Methods"},
		http.MethodPut:     {http.StatusForbidden, "Access-Control-Allow-Origin"},
		http.MethodPost:    {http.StatusMethodNotAllowed, "Allow"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/-/objects/bucket/a.pdf", http.NoBody)
		servertest.OK(t, err)
		resp, err := http.DefaultClient.Do(r)
		servertest.OK(t, err)
		servertest.OK(t, resp.Body.Close())
		if resp.StatusCode != want.status || resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get(want.header) == "" {
			t.Errorf("%s: %s, %v", method, resp.Status, resp.Header)
		}
	}
}
