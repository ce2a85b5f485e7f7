// Package servertest boots whole servers for tests: on a free loopback port,
// with a fresh data folder, gone when the test ends. Tests talk to them
// through the AWS SDK.
package servertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ringdown/internal/server"
)

// Server is a booted server with clients that hold its root credentials.
type Server struct {
	*server.Server
	Connect *connect.Client
	STS     *sts.Client
}

// Region is the region that the clients sign for.
const Region = "us-east-1"

// Account is the account of a booted server.
const Account = server.DefaultAccount

// Boot starts a server; change, when given, alters its configuration.
func Boot(t testing.TB, change ...func(*server.Config)) *Server {
	t.Helper()
	cfg := server.Config{Listen: "127.0.0.1:0", Data: t.TempDir()}
	for _, f := range change {
		f(&cfg)
	}
	s, err := server.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	b := &Server{Server: s}
	b.Connect = b.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey)
	b.STS = sts.New(sts.Options{
		Region: Region, BaseEndpoint: aws.String(s.URL), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(s.Root.AccessKeyID, s.Root.SecretAccessKey, ""),
	})
	return b
}

// Client returns a client with other credentials. It does not retry, so that
// tests see every answer.
func (s *Server) Client(id, secret string, change ...func(*connect.Options)) *connect.Client {
	return connect.New(connect.Options{
		Region: Region, BaseEndpoint: aws.String(s.URL), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		HTTPClient:  &http.Client{Transport: plainBodies{&http.Transport{MaxIdleConnsPerHost: 64}}},
	}, change...)
}

// plainBodies sends what the SDK has put together as a plain body. The SDK's own
// tells a transport that closes it a second time of an error, upon which the
// transport drops the connection, and with it the rest of a large answer that
// has come meanwhile (docs/clients/go.md). Retries hide that; tests have none.
type plainBodies struct{ next http.RoundTripper }

func (p plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return p.next.RoundTrip(r)
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	plain := r.Clone(r.Context())
	plain.Body = io.NopCloser(bytes.NewReader(raw))
	return p.next.RoundTrip(plain)
}

var instances atomic.Int64

// NewInstance creates an instance of identity type SAML and returns its id.
func (s *Server) NewInstance(t testing.TB) string { return s.NewInstanceOf(t, types.DirectoryTypeSaml) }

// NewInstanceOf creates an instance of an identity type and returns its id.
func (s *Server) NewInstanceOf(t testing.TB, kind types.DirectoryType) string {
	t.Helper()
	n := instances.Add(1)
	in := &connect.CreateInstanceInput{
		IdentityManagementType: kind, InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	}
	if kind == types.DirectoryTypeExistingDirectory {
		in.DirectoryId = aws.String(fmt.Sprintf("d-%010x", n))
	} else {
		in.InstanceAlias = aws.String(fmt.Sprintf("test-%d", n))
	}
	out, err := s.Connect.CreateInstance(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.Id
}
