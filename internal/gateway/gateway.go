// Package gateway is the front door of the API. Every request passes one
// chain, in this order: find the operation, verify the signature, throttle,
// decode, authorize, call, encode. Nothing else renders an error, and nothing
// behind it knows of HTTP. Operations that the model says need no
// authentication skip signature and permission: what they are given proves
// itself, as the assertion of AssumeRoleWithSAML does.
//
// The order is AWS's: a caller without a valid signature learns nothing but
// that, one without permission learns nothing of what is wrong with its
// request.
//
// The Participant service is for customers' browsers, which have no keys. Its
// callers show a participant's or a connection's token instead of a signature
// (Participant service API reference: its operations "do not use Signature
// Version 4 authentication"), and no policy is asked. What a token is good for
// is known to the operations alone; here it must only be there.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"ringdown/internal/contract"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/iam"
	"ringdown/internal/sigv4"
)

// maxBody is the largest request body. The largest legal input of the model is
// a flow's content of 256,000 characters, escaped.
const maxBody = 4 << 20

// Keys finds access keys.
type Keys interface {
	// Find returns nil when there is no such key. The session token is that of
	// temporary credentials, else empty.
	Find(ctx context.Context, id, token string) (*iam.Key, error)
}

// Options configure a Gateway.
type Options struct {
	API     *contract.API
	Keys    Keys
	Tags    Tags
	Metrics prometheus.Registerer
	Logger  *slog.Logger
	Now     func() time.Time
	Account string
	// Throttle turns AWS's request rates on.
	Throttle bool
	// Address tells where a request came from, for whom a proxy may speak; nil:
	// from where its connection did.
	Address func(*http.Request) netip.Addr
}

// Gateway is an http.Handler that serves the API.
type Gateway struct {
	opts     Options
	handlers map[*contract.Operation]*handler
	verifier *sigv4.Verifier
	throttle *throttle
	metrics  *metrics
}

// New binds the operations that areas serve. The error names a method that
// has an operation's name but not its types.
func New(o Options, areas ...any) (*Gateway, error) {
	handlers, err := bind(o.API, areas)
	if err != nil {
		return nil, err
	}
	g := &Gateway{opts: o, handlers: handlers, metrics: newMetrics(o.Metrics)}
	g.metrics.bound.Set(float64(len(handlers)))
	g.verifier = sigv4.New(g.credential, o.Now)
	if o.Throttle {
		g.throttle = newThrottle()
	}
	return g, nil
}

// Served lists the full names of the operations that are bound, sorted.
func (g *Gateway) Served() []string {
	names := make([]string, 0, len(g.handlers))
	for op := range g.handlers {
		names = append(names, op.FullName())
	}
	slices.Sort(names)
	return names
}

func (g *Gateway) credential(ctx context.Context, id, token string) (sigv4.Credential, error) {
	k, err := g.opts.Keys.Find(ctx, id, token)
	if err != nil {
		return sigv4.Credential{}, err
	}
	if k == nil {
		return sigv4.Credential{}, sigv4.UnknownKey()
	}
	return sigv4.Credential{AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.Token, Expires: k.Expires}, nil
}

// exchange is all that one request gathers on its way.
type exchange struct {
	id        string
	began     time.Time
	service   *contract.Service   // nil until it is known which one is asked
	op        *contract.Operation // nil until a route is found
	key       string              // the access key, once verified
	principal string
	instance  string
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{id: uuid.NewString(), began: g.opts.Now()}
	var a answer
	func() {
		defer func() {
			if p := recover(); p != nil {
				a = g.failed(x, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		a = g.serve(r, x)
	}()
	a.write(w, x.id)
	g.record(r, x, a.status)
}

func (g *Gateway) record(r *http.Request, x *exchange, status int) {
	took := g.opts.Now().Sub(x.began)
	name := ""
	if x.op != nil {
		name = x.op.FullName()
	}
	g.metrics.record(name, status, took)
	if !g.opts.Logger.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	g.opts.Logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("request", x.id), slog.String("operation", name), slog.Int("status", status),
		slog.Duration("took", took), slog.String("instance", x.instance),
		slog.String("key", x.key), slog.String("principal", x.principal), slog.String("from", r.RemoteAddr))
}

// serve is the chain.
func (g *Gateway) serve(r *http.Request, x *exchange) answer {
	if r.Method == http.MethodOptions {
		return preflight()
	}
	body, err := readBody(r)
	if err != nil {
		return g.failed(x, err)
	}
	in, err := g.route(r, x, body)
	if err != nil {
		return g.failed(x, err)
	}
	ctx, principal, err := g.identify(r, x, body)
	if err != nil {
		return g.unidentified(x, err)
	}
	if g.throttle != nil && !g.throttle.allow(g.opts.Account, domain.CallerOf(ctx).Region, x.op, x.began) {
		return g.failed(x, fault.New(fault.Throttling, "Rate exceeded"))
	}
	h := g.handlers[x.op]
	if h == nil {
		return g.unserved(x)
	}
	input, invalid := in.decode(x.op)
	if id := h.targets.instanceID(input); domain.IsUUID(id) {
		x.instance = id // whatever else a client puts there is not for the log
	}
	ctx, err = g.authorize(ctx, r, h, principal, input)
	if err != nil {
		return g.failed(x, err)
	}
	if invalid != nil {
		return g.failed(x, invalid)
	}
	output, err := h.call(ctx, input)
	if err != nil {
		return g.failed(x, err)
	}
	a, err := success(x, h, output)
	if err != nil {
		return g.failed(x, err)
	}
	return a
}

// undecoded is a request whose operation is known.
type undecoded struct {
	request contract.Request
	form    url.Values // of a query service, else nil
}

func (u *undecoded) decode(op *contract.Operation) (any, error) {
	if u.form != nil {
		return op.DecodeForm(u.form)
	}
	return op.Decode(u.request)
}

// route finds the operation: POST / is STS, everything else is told by method
// and path.
func (g *Gateway) route(r *http.Request, x *exchange, body []byte) (*undecoded, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.MalformedHTTPRequest, "The query string is malformed.")
	}
	if r.URL.Path == "/" && r.Method == http.MethodPost {
		x.service = g.opts.API.Service("STS")
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fault.New(fault.MalformedHTTPRequest, "The form in the request body is malformed.")
		}
		if x.op = g.opts.API.QueryOperation(form); x.op == nil {
			return nil, fault.New(fault.UnknownOperation, "Could not find operation %q for version %q.", clip(form.Get("Action")), clip(form.Get("Version")))
		}
		return &undecoded{form: form}, nil
	}
	op, labels := g.opts.API.Match(r.Method, r.URL.EscapedPath())
	if op == nil {
		return nil, fault.New(fault.UnknownOperation, "No operation of Amazon Connect is at %s %s.", r.Method, clip(r.URL.Path))
	}
	x.op, x.service = op, op.Service
	return &undecoded{request: contract.Request{Path: labels, Query: query, Header: r.Header, Body: body}}, nil
}

// clip keeps what a stranger sent from filling an answer.
func clip(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// bearer is the header of the Participant service's tokens.
const bearer = "X-Amz-Bearer" //nolint:gosec // a header's name, no credential

// identify verifies the signature and returns who signed, in the context too.
// A participant is no principal: its caller has no region either, because the
// token tells both to the operation. A signature beside the token is ignored:
// the AWS CLI sends one when it has credentials, and for the service that the
// model names, execute-api. So it is for operations that need none: it might be
// of credentials that have just expired, which the caller is about to replace.
func (g *Gateway) identify(r *http.Request, x *exchange, body []byte) (context.Context, *iam.Principal, error) {
	caller := &domain.Caller{Account: g.opts.Account, RequestID: x.id, Address: g.address(r)}
	ctx := domain.WithCaller(r.Context(), caller)
	switch {
	case byToken(x.op):
		if r.Header.Get(bearer) == "" {
			return nil, nil, fault.New(fault.AccessDenied, "Access denied: the header %s is missing.", bearer)
		}
		return ctx, nil, nil
	case x.op.Unsigned:
		return ctx, nil, nil
	}
	id, err := g.verifier.Verify(r, body, x.op.Service.SigningName)
	if err != nil {
		return nil, nil, err
	}
	key, err := g.opts.Keys.Find(r.Context(), id.AccessKeyID, id.SessionToken)
	if err != nil {
		return nil, nil, err
	}
	if key == nil { // removed since
		return nil, nil, sigv4.UnknownKey()
	}
	p := key.Principal
	x.key, x.principal = key.ID, p.ARN
	caller.Region, caller.PrincipalID, caller.ARN, caller.UserName, caller.Root = id.Region, p.UserID, p.ARN, p.UserName, p.Root
	if p.Session != nil {
		caller.SessionName = p.Session.Name
	}
	return ctx, p, nil
}

// address is the IP address that a request came from, empty when its transport
// has none.
func (g *Gateway) address(r *http.Request) string {
	from := connectedFrom
	if g.opts.Address != nil {
		from = g.opts.Address
	}
	return inWords(from(r))
}

// inWords writes an address in one notation, "" when there is none.
func inWords(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}

// secure reports whether a request was sent by TLS. Where a proxy has ended that,
// it says so; it is believed if it was as to where the request came from.
func (g *Gateway) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	proxied := g.address(r) != inWords(connectedFrom(r))
	return proxied && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func connectedFrom(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr()
}

// byToken reports whether the callers of an operation show a token instead of
// signing.
func byToken(op *contract.Operation) bool { return op.Service.ID == "ConnectParticipant" }

func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, tooLarge()
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil && errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fault.New(fault.MalformedHTTPRequest, "The request body ends before its Content-Length.")
	case err != nil:
		return nil, fault.New(fault.RequestTimeout, "The request body could not be read.").Wrap(err)
	case len(body) > maxBody:
		return nil, tooLarge()
	}
	return body, nil
}

func tooLarge() error {
	return fault.New(fault.RequestEntityTooLarge, "The request body is larger than %d bytes.", maxBody)
}

// unserved answers for an operation that this release does not have.
func (g *Gateway) unserved(x *exchange) answer {
	g.metrics.unserved.WithLabelValues(x.op.FullName()).Inc()
	return g.failed(x, fault.New(fault.NotImplemented, "%s is not served by this release of ringdown.", x.op.Name))
}

// unidentified answers a caller whose signature or credentials do not hold.
// Query services have another exception for credentials that have expired than
// for what an operation is given (AWS STS API reference, "Common Error Types"
// and "Errors" of AssumeRoleWithSAML).
func (g *Gateway) unidentified(x *exchange, err error) answer {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == fault.ExpiredToken && x.op.Service.Protocol == "query" {
		expired := *f
		expired.Code = fault.ExpiredCredentials
		err = &expired
	}
	return g.failed(x, err)
}

// failed turns an error into an answer, under an exception that the operation
// declares. What is not a fault is logged here and told to nobody.
func (g *Gateway) failed(x *exchange, err error) answer {
	f := fault.From(err)
	if x.op != nil {
		f = x.op.Fault(f)
	}
	if f.Code.Status() >= http.StatusInternalServerError && f.Code != fault.NotImplemented {
		g.opts.Logger.Error("request failed", slog.String("request", x.id), slog.Any("err", err))
	}
	return refusal(x, f)
}
