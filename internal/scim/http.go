package scim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// maxBody bounds a request; a user has a few hundred bytes.
const maxBody = 1 << 20

// service serves the requests.
type service struct{ o Options }

// exchange is a request as it is served.
type exchange struct {
	*http.Request
	id    string // of the request
	token *Token // nil until it is known
	did   string // what was done, for the audit log; empty for what only reads
	user  *User  // to whom, when that is known
}

// answer is what a client gets.
type answer struct {
	status int
	body   any // nil: none
	header http.Header
}

// ServeHTTP implements http.Handler.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := s.o.Now()
	x := &exchange{Request: r, id: domain.NewID()}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	ctx := r.Context()
	a, err := s.serve(ctx, x)
	if err != nil {
		f := failed(err)
		a = f.answer()
		if f.status >= http.StatusInternalServerError && f.status != http.StatusNotImplemented && ctx.Err() == nil {
			s.o.Logger.LogAttrs(ctx, slog.LevelError, "scim", slog.String("request", x.id), slog.Any("err", f.cause))
		}
		s.record(ctx, x, f)
	} else {
		s.record(ctx, x, nil)
	}
	if a.body != nil {
		a.header.Set("Content-Type", "application/scim+json")
	}
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h.Set("X-Request-Id", x.id)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(a.status)
	if a.body != nil && r.Method != http.MethodHead {
		// The status is out: what goes wrong now is the connection's end.
		_ = json.NewEncoder(w).Encode(a.body)
	}
	key := ""
	if x.token != nil {
		key = x.token.ID
	}
	s.o.Logger.LogAttrs(ctx, slog.LevelInfo, "provisioning",
		slog.String("request", x.id), slog.String("method", r.Method), slog.String("did", x.did), slog.Int("status", a.status),
		slog.Duration("took", s.o.Now().Sub(began)), slog.String("key", key), slog.String("from", r.RemoteAddr))
}

// answer is the failure as an answer (RFC 7644 §3.12).
func (f *failure) answer() *answer {
	body := map[string]any{"schemas": []string{errorMessage}, "status": strconv.Itoa(f.status), "detail": f.detail}
	if f.kind != "" {
		body["scimType"] = f.kind
	}
	a := &answer{f.status, body, http.Header{}}
	if f.status == http.StatusUnauthorized {
		a.header.Set("WWW-Authenticate", `Bearer realm="ringdown"`)
	}
	return a
}

// record writes down what was done or refused; to read is nothing to write down.
func (s *service) record(ctx context.Context, x *exchange, f *failure) {
	e := audit.Event{Event: audit.Provisioning, Outcome: audit.OK, Reason: x.did, From: s.o.Address(x.Request), RequestID: x.id}
	switch {
	case f != nil && f.status == http.StatusUnauthorized:
		if x.Header.Get("Authorization") == "" {
			return // nobody has tried anything
		}
		e.Outcome, e.Reason = audit.Refused, f.detail
	case x.did == "":
		return
	case f != nil:
		// Not the detail, which may quote what was sent.
		e.Outcome, e.Reason = audit.Refused, x.did+": "+strconv.Itoa(f.status)
		if f.kind != "" {
			e.Reason += " " + string(f.kind)
		}
		if f.status >= http.StatusInternalServerError {
			e.Outcome = audit.Failed
		}
	}
	if x.token != nil {
		e.Key, e.Instance = x.token.ID, string(x.token.Instance)
	}
	if x.user != nil {
		e.User, e.UserID = x.user.Username, x.user.ID
	}
	s.o.Audit.Record(ctx, e)
}

// serve finds out who asks for what.
func (s *service) serve(ctx context.Context, x *exchange) (*answer, error) {
	ctx, err := s.identify(ctx, x)
	if err != nil {
		return nil, err
	}
	// A base URL that was entered with a slash at its end makes two of them.
	path := strings.Trim(strings.TrimPrefix(x.URL.Path, strings.TrimSuffix(Path, "/")), "/")
	kind, id, one := strings.Cut(path, "/")
	switch {
	case path == ".search" || path == "Users/.search":
		return s.only(x, http.MethodPost, func() (*answer, error) { return s.searchByPost(ctx, x) })
	case path == "" || path == "Users":
		return s.users(ctx, x, path)
	case kind == "Users" && one && !strings.Contains(id, "/"):
		return s.user(ctx, x, id)
	case path == "ServiceProviderConfig", kind == "ResourceTypes", kind == "Schemas":
		return s.only(x, http.MethodGet, func() (*answer, error) { return s.discovery(x, kind, id) })
	case kind == "Groups":
		return groups(x, id)
	case path == "Me", path == "Bulk":
		return nil, refuse(http.StatusNotImplemented, "%s is not served", path)
	default:
		return nil, refuse(http.StatusNotFound, "there is nothing here: users are at %sUsers", Path)
	}
}

// identify finds the token (RFC 6750 §2.1) and returns the context of its
// requests.
func (s *service) identify(ctx context.Context, x *exchange) (context.Context, error) {
	scheme, text, _ := strings.Cut(x.Header.Get("Authorization"), " ")
	text = strings.TrimSpace(text)
	if !strings.EqualFold(scheme, "Bearer") || text == "" {
		return nil, refuse(http.StatusUnauthorized, "a bearer token is required")
	}
	unknown := refuse(http.StatusUnauthorized, "the bearer token is not known")
	t, err := s.o.Tokens.FindToken(ctx, text)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, unknown
	}
	ctx = domain.WithCaller(ctx, &domain.Caller{
		Region: t.Region, Account: s.o.Account, PrincipalID: t.ID, ARN: "arn:aws:iam::" + s.o.Account + ":scim-token/" + t.ID, RequestID: x.id,
	})
	// The instance may be gone, and the token with it.
	if _, err := s.o.Users.Identity(ctx, t.Instance); err != nil {
		if fault.Is(err, fault.ResourceNotFound) {
			return nil, unknown
		}
		return nil, err
	}
	x.token = t
	return ctx, nil
}

// only serves one method; HEAD is a GET whose answer is cut.
func (s *service) only(x *exchange, method string, serve func() (*answer, error)) (*answer, error) {
	if x.Method == method || x.Method == http.MethodHead && method == http.MethodGet {
		return serve()
	}
	return notAllowed(method)
}

func notAllowed(methods ...string) (*answer, error) {
	a := refuse(http.StatusMethodNotAllowed, "the method must be %s", strings.Join(methods, ", ")).answer()
	a.header.Set("Allow", strings.Join(methods, ", "))
	return a, nil
}

// groups serves the groups that there are none of. Identity providers list and
// search them before anything else, whether or not they are to send any, and take
// another answer than an empty list for a connection that does not work.
func groups(x *exchange, id string) (*answer, error) {
	none := &answer{http.StatusOK, page([]any{}, 0, 1), http.Header{}}
	reads := x.Method == http.MethodGet || x.Method == http.MethodHead
	switch {
	case id == "" && reads, id == ".search" && x.Method == http.MethodPost:
		return none, nil
	case reads:
		return nil, refuse(http.StatusNotFound, "there are no groups here: Amazon Connect has none")
	default:
		return nil, refuse(http.StatusNotImplemented, "groups are not served: Amazon Connect has none; the profiles of a user are in %s", connectSchema)
	}
}

func (s *service) users(ctx context.Context, x *exchange, path string) (*answer, error) {
	switch {
	case x.Method == http.MethodGet || x.Method == http.MethodHead:
		return s.searchByGet(ctx, x)
	case x.Method == http.MethodPost && path == "Users":
		return s.create(ctx, x)
	case path == "":
		return notAllowed(http.MethodGet)
	default:
		return notAllowed(http.MethodGet, http.MethodPost)
	}
}

func (s *service) user(ctx context.Context, x *exchange, id string) (*answer, error) {
	switch x.Method {
	case http.MethodGet, http.MethodHead:
		return s.read(ctx, x, id)
	case http.MethodPut:
		return s.put(ctx, x, id)
	case http.MethodPatch:
		return s.patch(ctx, x, id)
	case http.MethodDelete:
		return s.remove(ctx, x, id)
	default:
		return notAllowed(http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete)
	}
}

// show is an answer with a user, as far as the request wants to see it.
func (s *service) show(status int, u *User, want selection) *answer {
	base := s.o.URL()
	h := http.Header{}
	h.Set("ETag", etag(u.Version))
	h.Set("Location", base+Path+"Users/"+u.ID)
	return &answer{status, want.of(resource(u, base)), h}
}

// wanted is the selection that a request's query makes.
func wanted(x *exchange) (selection, error) {
	q := x.URL.Query()
	return selected(names(q["attributes"]), names(q["excludedAttributes"]))
}

// names are those of a parameter, which may be given more than once.
func names(given []string) []string {
	list := strings.Join(given, ",")
	if strings.Trim(list, ", ") == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// decode reads the body of a request into v.
func decode(x *exchange, v any) error {
	if t := x.Header.Get("Content-Type"); t != "" {
		if media, _, err := mime.ParseMediaType(t); err != nil || media != "application/scim+json" && media != "application/json" {
			return refuse(http.StatusUnsupportedMediaType, "the body must be application/scim+json")
		}
	}
	raw, err := io.ReadAll(x.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return refuse(http.StatusRequestEntityTooLarge, "the body must have at most %d bytes", maxBody)
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the body could not be read")
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return bad(invalidSyntax, "the body must be a JSON object of the right form")
	}
	return nil
}

// isA checks the schemas of a body (RFC 7643 §3).
func isA(schemas []string, want string) error {
	if !slices.ContainsFunc(schemas, func(s string) bool { return strings.EqualFold(s, want) }) {
		return bad(invalidValue, "schemas must include %s", want)
	}
	return nil
}

// wasCore reports whether a schema is that of users in the drafts of RFC 7643,
// whose attributes have the same names: OneLogin sends it.
func wasCore(schema string) bool {
	return strings.EqualFold(schema, "urn:scim:schemas:core:2.0") || strings.EqualFold(schema, "urn:scim:schemas:core:2.0:User")
}

// decodeUser reads a user in the form of this package.
func decodeUser(x *exchange) (map[string]any, error) {
	var raw map[string]any
	if err := decode(x, &raw); err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, bad(invalidSyntax, "the body must be a JSON object")
	}
	var said []string
	for key, v := range raw {
		if !strings.EqualFold(key, "schemas") {
			continue
		}
		for _, s := range list(v) {
			if s, ok := s.(string); ok {
				said = append(said, s)
			}
		}
	}
	if slices.ContainsFunc(said, wasCore) {
		return clean(raw)
	}
	if err := isA(said, coreSchema); err != nil {
		return nil, err
	}
	return clean(raw)
}
