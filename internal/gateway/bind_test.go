package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/gateway"
)

// area serves a few operations in ways that real ones must not.
type area struct{}

func (area) DescribeUser(_ context.Context, in *connect.DescribeUserInput) (*connect.DescribeUserOutput, error) {
	switch *in.UserId {
	case "panic":
		panic("the secret of the panic")
	case "error":
		return nil, errors.New("the secret of the error")
	case "wrapped":
		return nil, errors.Join(errors.New("the secret of the wrapper"), fault.New(fault.ResourceNotFound, "not here").Wrap(errors.New("the secret of the cause")))
	case "undeclared":
		return nil, fault.New(fault.LimitExceeded, "not among the exceptions of DescribeUser")
	default:
		return &connect.DescribeUserOutput{User: &types.User{Id: in.UserId, Arn: aws.String(domain.CallerOf(context.Background()).ARN)}}, nil
	}
}

func (area) ListQueues(ctx context.Context, _ *connect.ListQueuesInput) (*connect.ListQueuesOutput, error) {
	return &connect.ListQueuesOutput{NextToken: aws.String(domain.CallerOf(ctx).Region + " " + domain.CallerOf(ctx).ARN)}, nil
}

// Helper is no operation and does not matter.
func (area) Helper(int) string { return "" }

type wrongInput struct{}

func (wrongInput) DescribeUser(context.Context, *connect.DeleteUserInput) (*connect.DescribeUserOutput, error) {
	return nil, nil
}

type wrongOutput struct{}

func (wrongOutput) DescribeUser(context.Context, *connect.DescribeUserInput) (*connect.DeleteUserOutput, error) {
	return nil, nil
}

type wrongForm struct{}

func (wrongForm) DescribeUser(*connect.DescribeUserInput) (*connect.DescribeUserOutput, error) {
	return nil, nil
}

type ownTypes struct{}

// DescribeUserInput has the name of the SDK's type.
type DescribeUserInput struct{}

func (ownTypes) DescribeUser(context.Context, *DescribeUserInput) (*connect.DescribeUserOutput, error) {
	return nil, nil
}

func TestBinding(t *testing.T) {
	g, err := gateway.New(options(t, io.Discard), area{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(g.Served(), " "); got != "DescribeUser ListQueues" {
		t.Errorf("served: %s", got)
	}
	for name, c := range map[string]struct {
		areas []any
		want  string
	}{
		"wrong input":  {[]any{wrongInput{}}, "is not the SDK's *DescribeUserInput"},
		"wrong output": {[]any{wrongOutput{}}, "is not the SDK's *DescribeUserOutput"},
		"wrong form":   {[]any{wrongForm{}}, "want func(context.Context, *DescribeUserInput) (*DescribeUserOutput, error)"},
		"own types":    {[]any{ownTypes{}}, "is not the SDK's *DescribeUserInput"},
		"served twice": {[]any{area{}, area{}}, "is served already"},
	} {
		if _, err := gateway.New(options(t, io.Discard), c.areas...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestFailures: what an operation does wrong is logged once and told to nobody.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		user    string
		status  int
		code    string
		message string
		logged  string
	}{
		{"panic", 500, "InternalServiceException", "An internal error occurred.", "the secret of the panic"},
		{"error", 500, "InternalServiceException", "An internal error occurred.", "the secret of the error"},
		{"wrapped", 404, "ResourceNotFoundException", "not here", ""},
		{"undeclared", 400, "InvalidRequestException", "not among the exceptions of DescribeUser", ""},
		{"mary", 200, "", "", ""},
	} {
		t.Run(c.user, func(t *testing.T) {
			var log bytes.Buffer
			g, err := gateway.New(options(t, &log), area{})
			if err != nil {
				t.Fatal(err)
			}
			r := ask(g, signed(t, "GET", "http://localhost/users/"+instance+"/"+c.user, "", "connect", "us-east-1"))
			body := text(t, r)
			if r.StatusCode != c.status || r.Header.Get("x-amzn-ErrorType") != c.code || c.message != "" && body != `{"Message":"`+c.message+`"}` {
				t.Errorf("%d %s %s, want %d %s %s", r.StatusCode, r.Header.Get("x-amzn-ErrorType"), body, c.status, c.code, c.message)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("a cause reached the client: %s", body)
			}
			id := r.Header.Get("x-amzn-RequestId")
			if id == "" || !strings.Contains(log.String(), id) {
				t.Errorf("the log does not have the request %q: %s", id, log.String())
			}
			if c.logged != "" && strings.Count(log.String(), c.logged) != 1 {
				t.Errorf("the cause is not in the log once: %s", log.String())
			}
			if n := strings.Count(log.String(), `"msg":"request"`); n != 1 {
				t.Errorf("%d lines for one request: %s", n, log.String())
			}
		})
	}
}

// TestCaller: an operation learns who calls, and for which region.
func TestCaller(t *testing.T) {
	g, err := gateway.New(options(t, io.Discard), area{})
	if err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{"us-east-1", "eu-central-1", "ap-southeast-2"} {
		r := ask(g, signed(t, http.MethodGet, "http://localhost/queues-summary/"+instance, "", "connect", region))
		want := `{"NextToken":"` + region + ` arn:aws:iam::123456789012:root"}`
		if body := text(t, r); r.StatusCode != http.StatusOK || body != want {
			t.Errorf("%d %s, want %s", r.StatusCode, body, want)
		}
	}
}

// FuzzRequest sends what strangers can send: any method, path, query,
// Authorization and body, signed or not.
func FuzzRequest(f *testing.F) {
	g, err := gateway.New(options(f, io.Discard), area{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("GET", "/users/i/u", "", "", "", false)
	f.Add("POST", "/tags/arn:aws:connect:us-east-1:1:instance/i/agent/u", "tagKeys=a", "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request", "{}", false)
	f.Add("POST", "/", "", "", "Action=GetCallerIdentity&Version=2011-06-15", true)
	f.Add("PUT", "/users/i", "maxResults=%zz", "Bearer x", `{"Username":"\ud800"}`, true)
	f.Fuzz(func(t *testing.T, method, path, query, authorization, body string, sig bool) {
		r, err := http.NewRequestWithContext(context.Background(), method, "http://localhost", strings.NewReader(body))
		if err != nil {
			return
		}
		if r.URL.Path = path; !strings.HasPrefix(path, "/") {
			return
		}
		r.URL.RawQuery = query
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		if sig {
			sign(t, r, body, keyID, keySecret, "connect", "us-east-1", time.Now())
		}
		answer := ask(g, r)
		defer answer.Body.Close()
		if answer.StatusCode >= 500 && answer.StatusCode != http.StatusNotImplemented || answer.Header.Get("x-amzn-RequestId") == "" {
			t.Fatalf("%s %q?%q: %d", method, path, query, answer.StatusCode)
		}
	})
}
