package lambda_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ringdown/internal/lambda"
	"ringdown/internal/sigv4"
)

const (
	keyID, secret = "AKIAIOSFODNN7EXAMPLE", "a-secret-access-key"
	function      = "arn:aws:lambda:eu-west-1:123456789012:function:greet"
)

// far is the other side: it records what it was asked and answers by a script,
// whose last line it repeats.
type far struct {
	*httptest.Server
	script []answer
	asked  []request
}

type answer struct {
	status int
	header map[string]string
	body   string
	hang   bool // until the client has gone
}

type request struct {
	path, kind, body string
	credential       string // as the Authorization header names it
}

func newFar(t *testing.T, script ...answer) *far {
	f := &far{script: script}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		f.asked = append(f.asked, request{
			r.URL.EscapedPath(), r.Header.Get("X-Amz-Invocation-Type"), string(body), f.verify(r, body),
		})
		a := f.script[min(len(f.asked), len(f.script))-1]
		if a.hang {
			<-r.Context().Done()
			return
		}
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		if a.status != 0 {
			w.WriteHeader(a.status)
		}
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(f.Close)
	return f
}

// verify checks a signature, if there is one.
func (f *far) verify(r *http.Request, body []byte) string {
	if r.Header.Get("Authorization") == "" {
		return ""
	}
	lookup := func(_ context.Context, id, _ string) (sigv4.Credential, error) {
		return sigv4.Credential{AccessKeyID: id, SecretAccessKey: secret}, nil
	}
	id, err := sigv4.New(lookup, time.Now).Verify(r, body, "lambda")
	if err != nil {
		return err.Error()
	}
	return id.AccessKeyID + " in " + id.Region
}

// clients are the two ways to reach a function, held to one contract.
func clients(t *testing.T, f *far) map[string]*lambda.Client {
	return map[string]*lambda.Client{
		"service": newClient(t, lambda.Options{Endpoint: f.URL, Region: "us-east-1", AccessKeyID: keyID, SecretAccessKey: secret}),
		"address": newClient(t, lambda.Options{Functions: map[string]string{"greet": f.URL + "/greet?code=" + secret}}),
	}
}

func newClient(t *testing.T, o lambda.Options) *lambda.Client {
	t.Helper()
	c, err := lambda.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return lambda.Impatient(c)
}

func TestInvoke(t *testing.T) {
	long := strings.Repeat("é", lambda.MaxResponse/2)
	exception := `{"errorMessage":"no such customer","errorType":"ValueError","stackTrace":["a"]}`
	for name, c := range map[string]struct {
		script []answer
		async  bool
		want   string // the payload
		id     string
		is     error
		as     *lambda.FunctionError
		other  string // in any other error
		calls  int
	}{
		"answer":                  {script: []answer{{header: map[string]string{"X-Amzn-Requestid": "id-1"}, body: `{"a":"b"}`}}, want: `{"a":"b"}`, id: "id-1", calls: 1},
		"answer without id":       {script: []answer{{body: `1`}}, want: `1`, calls: 1},
		"no answer":               {script: []answer{{}}, calls: 1},
		"as large as may be":      {script: []answer{{body: long}}, want: long, calls: 1},
		"too large":               {script: []answer{{body: long + "x"}}, is: lambda.ErrTooLarge, calls: 1},
		"much too large":          {script: []answer{{body: strings.Repeat(long, 40)}}, is: lambda.ErrTooLarge, calls: 1},
		"no text":                 {script: []answer{{body: "\xff\xfe"}}, is: lambda.ErrNotText, calls: 1},
		"taken":                   {script: []answer{{status: 202, header: map[string]string{"X-Amzn-Requestid": "id-2"}, body: "ignored"}}, async: true, id: "id-2", calls: 1},
		"exception":               {script: []answer{{header: map[string]string{"X-Amz-Function-Error": "Unhandled"}, body: exception}}, as: &lambda.FunctionError{Type: "ValueError", Message: "no such customer"}, calls: 1},
		"exception without words": {script: []answer{{header: map[string]string{"X-Amz-Function-Error": "Unhandled"}, body: "null"}}, as: &lambda.FunctionError{Type: "Unhandled"}, calls: 1},
		"exception without type":  {script: []answer{{header: map[string]string{"X-Amz-Function-Error": "Handled"}, body: `{"errorMessage":"oh"}`}}, as: &lambda.FunctionError{Type: "Handled", Message: "oh"}, calls: 1},
		"wordy exception": {
			script: []answer{{header: map[string]string{"X-Amz-Function-Error": "Unhandled"}, body: `{"errorType":"E","errorMessage":"` + strings.Repeat("é", 2000) + `"}`}},
			as:     &lambda.FunctionError{Type: "E", Message: strings.Repeat("é", 512) + "…"}, calls: 1,
		},
		"throttled once":      {script: []answer{{status: 429, body: `{"Type":"User","message":"Rate exceeded"}`}, {body: `2`}}, want: `2`, calls: 2},
		"failing three times": {script: []answer{{status: 500}, {status: 502}, {status: 503}, {body: `2`}}, want: `2`, calls: 4},
		"failing always":      {script: []answer{{status: 503}}, other: "503", calls: 4},
		"refused":             {script: []answer{{status: 403, body: "no"}}, other: "403", calls: 1},
		"redirected":          {script: []answer{{status: 307, header: map[string]string{"Location": "/elsewhere"}}}, other: "307", calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			for way := range clients(t, newFar(t)) {
				f := newFar(t, c.script...)
				got, err := clients(t, f)[way].Invoke(t.Context(), lambda.Request{Function: function, Payload: []byte(`{"in":1}`), Async: c.async, Limit: time.Minute})
				var failed *lambda.FunctionError
				switch {
				case c.is != nil:
					if !errors.Is(err, c.is) {
						t.Errorf("%s: %v, want %v", way, err, c.is)
					}
				case c.as != nil:
					c.as.Function = function
					if !errors.As(err, &failed) || *failed != *c.as {
						t.Errorf("%s: %v\nwant %v", way, err, c.as)
					}
				case c.other != "":
					if err == nil || !strings.Contains(err.Error(), c.other) {
						t.Errorf("%s: %v, want %q", way, err, c.other)
					}
				case err != nil:
					t.Errorf("%s: %v", way, err)
				case string(got.Payload) != c.want || got.InvocationID == "" || c.id != "" && got.InvocationID != c.id:
					t.Errorf("%s: %.100s by %q, want %.100s by %q", way, got.Payload, got.InvocationID, c.want, c.id)
				}
				if err != nil && (strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), function)) {
					t.Errorf("%s: the error shows a secret, or not the function: %v", way, err)
				}
				f.Close() // and so no request is under way
				want := request{map[string]string{
					"service": "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Agreet/invocations",
					"address": "/greet",
				}[way], "RequestResponse", `{"in":1}`, map[string]string{"service": keyID + " in eu-west-1"}[way]}
				if c.async {
					want.kind = "Event"
				}
				if len(f.asked) != c.calls || f.asked[0] != want || f.asked[len(f.asked)-1] != want {
					t.Errorf("%s: asked %d times: %+v\nwant %d times: %+v", way, len(f.asked), f.asked, c.calls, want)
				}
			}
		})
	}
}

// TestLimit: the limit ends a call, wherever it is.
func TestLimit(t *testing.T) {
	for name, script := range map[string][]answer{
		"at once":       {{hang: true}},
		"after a retry": {{status: 500}, {hang: true}},
	} {
		for way := range clients(t, newFar(t)) {
			f := newFar(t, script...)
			_, err := clients(t, f)[way].Invoke(t.Context(), lambda.Request{Function: function, Limit: 40 * time.Millisecond})
			if !errors.Is(err, lambda.ErrTimeout) || !strings.Contains(err.Error(), function) {
				t.Errorf("%s, %s: %v", way, name, err)
			}
		}
	}
}

// TestLimitWithinPause: what has gone wrong so far is told when the limit ends
// the wait for the next try.
func TestLimitWithinPause(t *testing.T) {
	for way := range clients(t, newFar(t)) {
		c := lambda.Patient(clients(t, newFar(t, answer{status: 503}))[way])
		_, err := c.Invoke(t.Context(), lambda.Request{Function: function, Limit: 40 * time.Millisecond})
		if !errors.Is(err, lambda.ErrTimeout) || !strings.Contains(err.Error(), "503") {
			t.Errorf("%s: %v", way, err)
		}
	}
}

// TestCallerLeaves: a context that ends is not the function's fault.
func TestCallerLeaves(t *testing.T) {
	for way, c := range clients(t, newFar(t, answer{hang: true})) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Invoke(ctx, lambda.Request{Function: function, Limit: time.Minute})
		if !errors.Is(err, context.Canceled) || errors.Is(err, lambda.ErrTimeout) {
			t.Errorf("%s: %v", way, err)
		}
	}
}

// TestUnreachable: an error of the network shows neither the address nor the
// keys.
func TestUnreachable(t *testing.T) {
	f := newFar(t)
	f.Close()
	for way, c := range clients(t, f) {
		_, err := c.Invoke(t.Context(), lambda.Request{Function: function, Limit: time.Minute})
		if err == nil || !strings.Contains(err.Error(), `function "`+function+`" cannot be reached: `) ||
			strings.Contains(err.Error(), "http://") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", way, err)
		}
	}
}

// TestRefusal: what the service has against a call is told in its own words.
func TestRefusal(t *testing.T) {
	f := newFar(t, answer{status: 404, header: map[string]string{"X-Amzn-Errortype": "ResourceNotFoundException"}, body: `{"Type":"User","Message":"Function not found"}`})
	_, err := clients(t, f)["service"].Invoke(t.Context(), lambda.Request{Function: "hangup", Limit: time.Minute})
	if want := `function "hangup" cannot be called: 404 ResourceNotFoundException: Function not found`; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// TestEmulator: the runtime interface emulator tells an exception by status 200
// and its body; what a function answers on purpose is left alone.
func TestEmulator(t *testing.T) {
	for body, exception := range map[string]bool{
		`{"errorMessage":"m","errorType":"T","requestId":"","stackTrace":["x"]}`: true,
		`{"errorType":"T","errorMessage":"m","trace":[]}`:                        true,
		`{"errorType":"T","errorMessage":"m"}`:                                   true,
		`{"errorType":"T","errorMessage":"m","customer":"7"}`:                    false,
		`{"errorType":"T"}`: false,
		`["errorType"]`:     false,
		`"errorType`:        false,
	} {
		f := newFar(t, answer{body: body, header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}})
		c := newClient(t, lambda.Options{Functions: map[string]string{function: f.URL + "/2015-03-31/functions/function/invocations"}})
		got, err := c.Invoke(t.Context(), lambda.Request{Function: function})
		failed, ok := errors.AsType[*lambda.FunctionError](err)
		if ok != exception || ok && (failed.Type != "T" || failed.Message != "m") || !ok && string(got.Payload) != body {
			t.Errorf("%s: %s, %v", body, got.Payload, err)
		}
	}
}

// TestWhichAddress: the key that says most about a function wins.
func TestWhichAddress(t *testing.T) {
	const arn, other = "arn:aws:lambda:eu-west-1:123456789012:function:", "arn:aws:lambda:us-east-1:999999999999:function:"
	f := newFar(t, answer{body: "1"})
	functions := map[string]string{}
	for _, key := range []string{"greet", "greet:blue", arn + "greet", arn + "greet:prod", "999999999999:function:greet", arn + "latest:$LATEST"} {
		functions[key] = f.URL + "/" + key
	}
	c := newClient(t, lambda.Options{Functions: functions})
	for name, want := range map[string]string{
		"greet":               "greet",
		"greet:1":             "greet",
		"greet:blue":          "greet:blue",
		arn + "greet":         arn + "greet",
		arn + "greet:2":       arn + "greet",
		arn + "greet:blue":    "greet:blue",
		arn + "greet:prod":    arn + "greet:prod",
		other + "greet:prod":  "999999999999:function:greet",
		arn + "latest":        arn + "latest:$LATEST",
		"latest":              "",
		arn + "latest:1":      "",
		arn + "Greet":         "",
		arn + "greet:":        "",
		arn + "greet:a:b":     "",
		"":                    "",
		"greet\n":             "",
		"../greet":            "",
		"$.Attributes.choose": "",
	} {
		f.asked = nil
		_, err := c.Invoke(t.Context(), lambda.Request{Function: name})
		if want == "" {
			if !errors.Is(err, lambda.ErrUnconfigured) || !strings.Contains(err.Error(), "under functions") {
				t.Errorf("%q: %v", name, err)
			}
			continue
		}
		if err != nil || len(f.asked) != 1 || f.asked[0].path != "/"+want {
			t.Errorf("%q went to %+v, %v; want %s", name, f.asked, err, want)
		}
	}
}

// TestBothWays: a function with an address is called there, others at the
// service, in the region of their ARN or else in that of the configuration.
func TestBothWays(t *testing.T) {
	near, service := newFar(t, answer{body: "1"}), newFar(t, answer{body: "2"})
	c := newClient(t, lambda.Options{
		Endpoint: service.URL, Region: "eu-central-1", AccessKeyID: keyID, SecretAccessKey: secret,
		Functions: map[string]string{"near": near.URL},
	})
	for name, want := range map[string]string{"near": "1", "far": "2"} {
		got, err := c.Invoke(t.Context(), lambda.Request{Function: name})
		if err != nil || string(got.Payload) != want {
			t.Errorf("%s: %s, %v", name, got.Payload, err)
		}
	}
	if len(service.asked) != 1 || service.asked[0].credential != keyID+" in eu-central-1" {
		t.Errorf("the service was asked %+v", service.asked)
	}
}

func TestMistakes(t *testing.T) {
	keys := lambda.Options{Endpoint: "http://127.0.0.1:4566", AccessKeyID: keyID, SecretAccessKey: secret}
	with := func(change func(*lambda.Options)) lambda.Options {
		o := keys
		change(&o)
		return o
	}
	for _, c := range []struct {
		options lambda.Options
		want    string
	}{
		{lambda.Options{}, ""},
		{keys, ""},
		{with(func(o *lambda.Options) { o.Endpoint = lambda.Amazon }), ""},
		{with(func(o *lambda.Options) { o.AccessKeyID = "" }), "endpoint: access-key-id and secret-access-key are required"},
		{with(func(o *lambda.Options) { o.SecretAccessKey = "" }), "endpoint: access-key-id and secret-access-key are required"},
		{with(func(o *lambda.Options) { o.Endpoint = "" }), "access-key-id and secret-access-key are of no use"},
		{with(func(o *lambda.Options) { o.Endpoint = "ftp://" + secret }), "endpoint: it must be"},
		{with(func(o *lambda.Options) { o.Endpoint = "localhost:" + secret }), "endpoint: it must be"},
		{lambda.Options{Functions: map[string]string{"a b": "http://127.0.0.1"}}, `functions: "a b" is neither`},
		{lambda.Options{Functions: map[string]string{"greet": secret}}, `functions: the address of "greet" must be a URL`},
	} {
		_, err := lambda.New(c.options)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", c.options, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), secret)):
			t.Errorf("%+v: %v, want %q", c.options, err, c.want)
		}
	}
}

// FuzzReference: what a caller's input names as a function leads nowhere that
// the configuration does not say.
func FuzzReference(f *testing.F) {
	for _, seed := range []string{function, function + ":1", "greet", "123456789012:function:greet:$LATEST", "arn:aws:lambda", ":", "../greet", "greet\x00"} {
		f.Add(seed)
	}
	c, err := lambda.New(lambda.Options{Functions: map[string]string{"greet": "http://127.0.0.1:1"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nothing is sent
		_, err := c.Invoke(ctx, lambda.Request{Function: name})
		known := name == "greet" || strings.HasPrefix(name, "greet:") || strings.HasSuffix(name, ":function:greet") || strings.Contains(name, ":function:greet:")
		if errors.Is(err, lambda.ErrUnconfigured) == errors.Is(err, context.Canceled) || errors.Is(err, context.Canceled) && !known {
			t.Errorf("%q: %v", name, err)
		}
	})
}
