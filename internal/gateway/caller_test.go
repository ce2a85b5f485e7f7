package gateway_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ringdown/internal/domain"
	"ringdown/internal/gateway"
	"ringdown/internal/iam"
)

// recorder keeps who has called it.
type recorder struct {
	caller    domain.Caller
	principal *iam.Principal
}

func (r *recorder) keep(ctx context.Context) {
	r.caller, r.principal = *domain.CallerOf(ctx), iam.PrincipalOf(ctx)
}

func (r *recorder) ListUsers(ctx context.Context, _ *connect.ListUsersInput) (*connect.ListUsersOutput, error) {
	r.keep(ctx)
	return &connect.ListUsersOutput{}, nil
}

func (r *recorder) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	r.keep(ctx)
	return &sts.GetCallerIdentityOutput{}, nil
}

func (r *recorder) AssumeRoleWithSAML(ctx context.Context, _ *sts.AssumeRoleWithSAMLInput) (*sts.AssumeRoleWithSAMLOutput, error) {
	r.keep(ctx)
	return &sts.AssumeRoleWithSAMLOutput{}, nil
}

const bySAML = "Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/desk&PrincipalArn=arn:aws:iam::123456789012:saml-provider/idp&SAMLAssertion=abcd"

// TestCallers: what operations learn of who calls them, and of who does not say.
func TestCallers(t *testing.T) {
	session := &iam.Principal{
		ARN: "arn:aws:sts::123456789012:assumed-role/desk/mary", Account: "123456789012", UserID: "AROAROLE:mary", Root: true,
		Role: iam.NewRole("123456789012", "desk", 0), Session: &iam.Session{Role: "desk", Name: "mary"},
	}
	for _, c := range []struct {
		name    string
		request func() *http.Request
		want    domain.Caller
		asks    bool // whether the operation is told the principal
	}{
		{"Amazon Connect", func() *http.Request {
			return signed(t, "GET", "http://localhost/users-summary/"+instance, "", "connect", "eu-west-2")
		}, domain.Caller{Region: "eu-west-2", PrincipalID: "AROAROLE:mary", ARN: session.ARN, SessionName: "mary", Root: true}, false},
		{"STS", func() *http.Request {
			return signed(t, "POST", "http://localhost/", "Action=GetCallerIdentity&Version=2011-06-15", "sts", "us-east-1")
		}, domain.Caller{Region: "us-east-1", PrincipalID: "AROAROLE:mary", ARN: session.ARN, SessionName: "mary", Root: true}, true},
		{"unsigned", func() *http.Request {
			return httptest.NewRequestWithContext(context.Background(), "POST", "http://localhost/", strings.NewReader(bySAML))
		}, domain.Caller{}, false},
		{"signed without need", func() *http.Request {
			return signed(t, "POST", "http://localhost/", bySAML, "sts", "us-east-1")
		}, domain.Caller{}, false},
		{"signed wrongly without need", func() *http.Request {
			r := signed(t, "POST", "http://localhost/", bySAML, "sts", "us-east-1")
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 nonsense")
			return r
		}, domain.Caller{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := &recorder{}
			o := options(t, io.Discard)
			o.Keys = oneKey{iam.Key{ID: keyID, Secret: keySecret, Principal: session}}
			g, err := gateway.New(o, seen)
			if err != nil {
				t.Fatal(err)
			}
			resp := ask(g, c.request())
			if body := text(t, resp); resp.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", resp.StatusCode, body)
			}
			c.want.Account, c.want.Address, c.want.RequestID = "123456789012", "192.0.2.1", resp.Header.Get("x-amzn-RequestId")
			if seen.caller != c.want {
				t.Errorf("the caller is %+v, want %+v", seen.caller, c.want)
			}
			if (seen.principal != nil) != c.asks {
				t.Errorf("the principal is %v", seen.principal)
			}
		})
	}
}

// TestAddress: where a request comes from, in one notation.
func TestAddress(t *testing.T) {
	proxied := func(r *http.Request) netip.Addr {
		a, _ := netip.ParseAddr(r.Header.Get("X-Forwarded-For"))
		return a
	}
	for _, c := range []struct {
		name, from, forwarded string
		address               func(*http.Request) netip.Addr
		want                  string
	}{
		{"IPv4", "192.0.2.7:1234", "", nil, "192.0.2.7"},
		{"IPv6", "[2001:db8::7]:1234", "", nil, "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.7]:1234", "", nil, "192.0.2.7"},
		{"with a zone", "[fe80::1%eth0]:1234", "", nil, "fe80::1"},
		{"no network", "@", "", nil, ""},
		{"headers are not believed", "192.0.2.7:1234", "198.51.100.1", nil, "192.0.2.7"},
		{"but by who is told to", "192.0.2.7:1234", "::ffff:198.51.100.1", proxied, "198.51.100.1"},
		{"who may not know", "192.0.2.7:1234", "nonsense", proxied, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := &recorder{}
			o := options(t, io.Discard)
			o.Address = c.address
			g, err := gateway.New(o, seen)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(context.Background(), "POST", "http://localhost/", strings.NewReader(bySAML))
			r.RemoteAddr = c.from
			r.Header.Set("X-Forwarded-For", c.forwarded)
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != http.StatusOK || seen.caller.Address != c.want {
				t.Errorf("%d: it comes from %q, want %q", w.Code, seen.caller.Address, c.want)
			}
		})
	}
}

// TestSecureTransport: what policies are told of how a request came, with a proxy
// and with somebody who only says to be one.
func TestSecureTransport(t *testing.T) {
	policy, err := iam.ParsePolicy([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	proxied := func(*http.Request) netip.Addr { return netip.MustParseAddr("198.51.100.1") }
	direct := func(*http.Request) netip.Addr { return netip.MustParseAddr("::ffff:192.0.2.1") }
	for _, c := range []struct {
		name    string
		address func(*http.Request) netip.Addr
		change  func(*http.Request)
		want    int
	}{
		{"TLS", nil, func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, http.StatusOK},
		{"none", nil, func(*http.Request) {}, http.StatusForbidden},
		{"a header that anybody can send", nil, header("X-Forwarded-Proto", "https"), http.StatusForbidden},
		{"a header of no proxy's", direct, header("X-Forwarded-Proto", "https"), http.StatusForbidden},
		{"a proxy that ends TLS", proxied, header("X-Forwarded-Proto", "HTTPS"), http.StatusOK},
		{"a proxy that has none", proxied, header("X-Forwarded-Proto", "http"), http.StatusForbidden},
		{"a proxy that does not say", proxied, func(*http.Request) {}, http.StatusForbidden},
		{"TLS behind a proxy", proxied, func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, io.Discard)
			o.Address = c.address
			o.Keys = oneKey{iam.Key{ID: keyID, Secret: keySecret, Principal: &iam.Principal{
				ARN: "arn:aws:iam::123456789012:user/ci", Account: "123456789012", UserID: "AIDACI", UserName: "ci", Policies: []*iam.Policy{policy},
			}}}
			g, err := gateway.New(o, &recorder{})
			if err != nil {
				t.Fatal(err)
			}
			r := signed(t, "GET", "http://localhost/users-summary/"+instance, "", "connect", "us-east-1")
			c.change(r)
			if resp := ask(g, r); resp.StatusCode != c.want {
				t.Errorf("status %d, want %d: %s", resp.StatusCode, c.want, text(t, resp))
			}
		})
	}
}

// header sets a header of a request.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}
