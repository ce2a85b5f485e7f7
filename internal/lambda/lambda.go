// Package lambda calls the functions that flows name: by the API of AWS Lambda,
// at Amazon or at whatever speaks it (LocalStack, SAM), or by plain HTTP at an
// address that the operator has given for one function.
//
// It knows nothing of flows: it takes an event, and gives back what the
// function has answered or why there is no answer.
//
// Invariants:
//   - a call never outlasts its limit, retries included;
//   - what is read of an answer is bounded, whatever the other side sends;
//   - no error shows a secret of the configuration, nor an address, which may
//     hold one.
//
// It has no goroutines of its own.
package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxResponse is how large the answer of a function may be, in bytes of UTF-8
// (Amazon Connect Administrator Guide, "Grant Amazon Connect access to your AWS
// Lambda functions": 32 KB).
const MaxResponse = 32 << 10

// retries is how often a call is made again that was throttled or that met a
// failure of the service (Amazon Connect Administrator Guide, "Flow block: AWS
// Lambda function").
const retries = 3

// firstPause is the longest time before the first retry; it doubles with each.
const firstPause = 100 * time.Millisecond

// Why a call gives no answer, beside *FunctionError and failures of the network
// or the service.
var (
	ErrTimeout      = errors.New("it did not answer in time")
	ErrTooLarge     = errors.New("its answer is larger than 32 KB")
	ErrNotText      = errors.New("its answer is no text in UTF-8")
	ErrUnconfigured = errors.New("nothing says where it is: the configuration file must give its address in the section lambda, under functions, or the endpoint of a service that has it")
)

// FunctionError says that a function was run and has failed.
type FunctionError struct {
	Function string // as the request named it
	Type     string // the exception, such as "ValueError"; or "HTTP 500"
	Message  string // the function's own words, cut after maxMessage bytes
}

func (e *FunctionError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("function %q failed: %s", e.Function, e.Type)
	}
	return fmt.Sprintf("function %q failed: %s: %s", e.Function, e.Type, e.Message)
}

// maxMessage keeps the message of a failed function to what fits into a log.
const maxMessage = 1 << 10

// Request is one call.
type Request struct {
	// Function is the ARN or the name of a function, with a version or an alias
	// or without. It may come from a caller's input, so it may be anything.
	Function string
	Payload  []byte // the event, as JSON
	// Async asks only that the event be taken; the function may run later.
	Async bool
	// Limit is how long all may take. 0: as long as the context allows.
	Limit time.Duration
}

// Response is what came of a call.
type Response struct {
	// Payload is the function's answer, text in UTF-8 of at most MaxResponse
	// bytes. It need not be JSON. An asynchronous call has none.
	Payload []byte
	// InvocationID is the id that the service has given the call, or a new one
	// when an address gave none.
	InvocationID string
}

// An invoker makes one attempt. Whether another may help is told by again.
type invoker interface {
	invoke(ctx context.Context, r Request) (_ Response, again bool, err error)
}

// Client calls functions. It is safe for concurrent use.
type Client struct {
	addresses addresses
	service   invoker // nil: only functions with an address can be called
	pause     func(retry int) time.Duration
}

// Options say where functions are. The zero value knows none.
type Options struct {
	// Endpoint is the URL of a service that speaks the API of AWS Lambda, or
	// Amazon. Empty: there is none.
	Endpoint string
	// Region is where functions are that a request names without ARN.
	Region          string
	AccessKeyID     string
	SecretAccessKey string
	// Functions are the http:// or https:// URLs of functions by ARN or name. A
	// key stands for all functions that have its parts: a bare name for those of
	// that name in any account and region, one without qualifier for all
	// versions and aliases. The key with the most parts wins, a qualifier before
	// an ARN.
	Functions map[string]string
}

// Amazon is the endpoint that stands for Amazon's own.
const Amazon = "aws"

// New returns a client. It asks nobody whether the functions are there. Its
// errors name the member of the options as the configuration file spells it.
func New(o Options) (*Client, error) {
	web := &http.Client{
		Transport: bounded{&http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 64, // a busy flow calls one function all the time
			IdleConnTimeout:     time.Minute,
		}},
		// A function answers itself; whoever else answers is a mistake.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c := &Client{pause: pause}
	var err error
	if c.addresses, err = newAddresses(o.Functions, web); err != nil {
		return nil, err
	}
	switch {
	case o.Endpoint != "":
		if c.service, err = newService(o, web); err != nil {
			return nil, err
		}
	case o.AccessKeyID != "" || o.SecretAccessKey != "":
		return nil, errors.New("access-key-id and secret-access-key are of no use without an endpoint")
	}
	return c, nil
}

// Invoke calls a function and waits for its answer, or for its being taken.
//
// A call that was throttled (429), or that met a failure of the service (5xx),
// is made again up to three times, within the limit. A function that fails is
// not: it has been run. Errors are, for errors.Is and errors.As, ErrTimeout,
// ErrTooLarge, ErrNotText, ErrUnconfigured or *FunctionError; the context's own
// when that has ended; or others, when the service cannot be reached or refuses.
// All of them name the function.
func (c *Client) Invoke(ctx context.Context, r Request) (Response, error) {
	at, err := c.find(r.Function)
	if err != nil {
		return Response{}, err
	}
	if r.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.Limit, ErrTimeout)
		defer cancel()
	}
	for retry := 0; ; retry++ {
		res, again, err := at.invoke(ctx, r)
		switch {
		case err == nil:
			return res, nil
		case ctx.Err() != nil:
			return Response{}, named(r.Function, context.Cause(ctx))
		case timedOut(err):
			return Response{}, named(r.Function, ErrTimeout)
		case !again || retry == retries:
			return Response{}, err
		}
		select {
		case <-ctx.Done():
			return Response{}, fmt.Errorf("%w; the last try failed: %w", named(r.Function, context.Cause(ctx)), err)
		case <-time.After(c.pause(retry)):
		}
	}
}

// find says who calls a function.
func (c *Client) find(function string) (invoker, error) {
	if a := c.addresses.find(function); a != nil {
		return a, nil
	}
	if c.service == nil {
		return nil, named(function, ErrUnconfigured)
	}
	return c.service, nil
}

// pause is how long to wait before a retry. It is drawn by lot, so that many
// contacts that were throttled together do not come back together.
func pause(retry int) time.Duration {
	return rand.N(firstPause << retry) //nolint:gosec // no secret depends on it
}

// named tells which function an error is about.
func named(function string, err error) error { return fmt.Errorf("function %q: %w", function, err) }

// timedOut reports whether the network has given up waiting. It may notice that
// the limit is over before the context does.
func timedOut(err error) bool {
	type timeout interface {
		error
		Timeout() bool
	}
	t, ok := errors.AsType[timeout](err)
	return ok && t.Timeout()
}

// unreached is the error for a request that got no answer. Those of net/http
// show the URL, which may hold a secret.
func unreached(function string, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("function %q cannot be reached: %w", function, err)
}

// answered checks the answer of a function that has not failed.
func answered(r Request, payload []byte, id string) (Response, error) {
	switch {
	case r.Async:
		return Response{InvocationID: id}, nil
	case len(payload) > MaxResponse:
		return Response{}, named(r.Function, ErrTooLarge)
	case !utf8.Valid(payload):
		return Response{}, named(r.Function, ErrNotText)
	}
	return Response{payload, id}, nil
}

// failure is what every runtime of Lambda says of an exception (AWS Lambda
// Developer Guide, "Understanding retry behavior" and the runtimes' pages on
// errors).
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// failed is the error for a function that has answered with an exception. What
// the answer does not tell is left to otherwise.
func failed(function string, payload []byte, otherwise failure) *FunctionError {
	var f failure
	if err := json.Unmarshal(payload, &f); err != nil || f == (failure{}) {
		f = otherwise
	}
	if f.Type == "" {
		f.Type = otherwise.Type
	}
	return &FunctionError{Function: function, Type: clip(f.Type), Message: clip(f.Message)}
}

// clip makes text of a stranger's fit for a log.
func clip(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "…"
	}
	return strings.ToValidUTF8(strings.TrimSpace(s), "�")
}

// bounded reads no more of an answer than is needed to tell that it is too
// large.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		body := resp.Body
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(body, MaxResponse+1), body}
	}
	return resp, err
}

// isException reports whether an answer without a header to tell is an
// exception: an object with both members and nothing but what runtimes put
// beside them.
func isException(payload []byte) bool {
	if !bytes.Contains(payload, []byte("errorType")) { // most answers are spared the rest
		return false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return false
	}
	for name := range members {
		switch name {
		case "errorType", "errorMessage", "requestId", "stackTrace", "trace", "cause":
		default:
			return false
		}
	}
	return members["errorType"] != nil && members["errorMessage"] != nil
}
