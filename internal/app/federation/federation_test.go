package federation_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/app/federation"
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/signin"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// mint is where tokens come from; whom it was asked for is kept.
type mint struct {
	in              *signin.Instance
	name, principal string
}

var began = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func (m *mint) Federate(_ context.Context, in *signin.Instance, name, principal string) (*signin.Tokens, error) {
	m.in, m.name, m.principal = in, name, principal
	if name == "nobody" {
		return nil, fault.New(fault.UserNotFound, "No such user.")
	}
	return &signin.Tokens{
		Access: "access", Refresh: "refresh", AccessExpires: began.Add(time.Hour), RefreshExpires: began.Add(12 * time.Hour),
		SignInURL: "https://connect.example.org/-/login", User: &signin.User{ID: "id", ARN: in.ARN + "/agent/id"},
	}, nil
}

func TestGetFederationToken(t *testing.T) {
	c := catalog.New(catalog.Options{Account: "123456789012"})
	st, err := sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	c.Use(st)
	id := domain.NewID()
	doc, err := json.Marshal(domain.Instance{Region: "us-east-1", IdentityType: domain.SAML})
	if err != nil {
		t.Fatal(err)
	}
	err = st.Update(t.Context(), func(tx store.Tx) error {
		return tx.Insert(t.Context(), &store.Record{Kind: domain.KindInstance, ID: id, Doc: doc}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	const sts, iam = "arn:aws:sts::123456789012:", "arn:aws:iam::123456789012:"
	m := &mint{}
	f := federation.New(c, m)
	for _, x := range []struct {
		what            string
		instance        string
		caller          domain.Caller
		name, principal string
		want            fault.Code // empty: tokens
		message         string
	}{
		{"a role", id, domain.Caller{PrincipalID: "AROA1:ana", ARN: sts + "assumed-role/Agents/ana", SessionName: "ana"}, "ana", "AROA1", "", ""},
		{"a session name with a colon is cut at the first", id, domain.Caller{PrincipalID: "AROA1:a:b", ARN: sts + "assumed-role/Agents/a:b", SessionName: "a:b"}, "a:b", "AROA1", "", ""},
		{"a user", id, domain.Caller{PrincipalID: "AIDA1", ARN: iam + "user/ana", UserName: "ana"}, "ana", "AIDA1", "", ""},
		{
			"the root", id,
			domain.Caller{PrincipalID: "123456789012", ARN: iam + "root", Root: true},
			"", "", fault.InvalidRequest,
			"Provided identity: Principal: " + iam + "root User: 123456789012 cannot be used for federation with Amazon Connect",
		},
		{"no such user", id, domain.Caller{PrincipalID: "AROA1:nobody", SessionName: "nobody"}, "nobody", "AROA1", fault.UserNotFound, ""},
		{"no such instance", domain.NewID(), domain.Caller{PrincipalID: "AROA1:ana", SessionName: "ana"}, "", "", fault.ResourceNotFound, ""},
		{"no id", "x", domain.Caller{PrincipalID: "AROA1:ana", SessionName: "ana"}, "", "", fault.InvalidParameter, ""},
		{"another region", id, domain.Caller{Region: "eu-west-2", PrincipalID: "AROA1:ana", SessionName: "ana"}, "", "", fault.ResourceNotFound, ""},
	} {
		t.Run(x.what, func(t *testing.T) {
			*m = mint{}
			if x.caller.Region == "" {
				x.caller.Region = "us-east-1"
			}
			out, err := f.GetFederationToken(domain.WithCaller(t.Context(), &x.caller), &connect.GetFederationTokenInput{InstanceId: &x.instance})
			if m.name != x.name || m.principal != x.principal {
				t.Errorf("asked for %q of %q, want %q of %q", m.name, m.principal, x.name, x.principal)
			}
			if x.want != "" {
				if !fault.Is(err, x.want) || !strings.Contains(fault.From(err).Message, x.message) {
					t.Errorf("got %v, want %s %q", err, x.want, x.message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			arn := "arn:aws:connect:us-east-1:123456789012:instance/" + id
			if m.in.ARN != arn || string(m.in.ID) != id || m.in.Identity != domain.SAML || m.in.PK == 0 || m.in.Region != "us-east-1" {
				t.Errorf("the instance is %+v", m.in)
			}
			k := out.Credentials
			if *k.AccessToken != "access" || *k.RefreshToken != "refresh" || !k.AccessTokenExpiration.Equal(began.Add(time.Hour)) || !k.RefreshTokenExpiration.Equal(began.Add(12*time.Hour)) ||
				*out.SignInUrl != "https://connect.example.org/-/login" || *out.UserArn != arn+"/agent/id" || *out.UserId != "id" {
				t.Errorf("the answer is %+v with %+v", out, k)
			}
		})
	}
}
