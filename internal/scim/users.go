package scim

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// What is done, in the words of the audit log.
const (
	created     = "create"
	replaced    = "replace"
	patched     = "patch"
	deactivated = "deactivate"
	activated   = "activate"
	deleted     = "delete"
)

// create serves POST (RFC 7644 §3.3).
func (s *service) create(ctx context.Context, x *exchange) (*answer, error) {
	x.did = created
	want, err := wanted(x)
	if err != nil {
		return nil, err
	}
	m, err := decodeUser(x)
	if err != nil {
		return nil, err
	}
	ext := within(m, connectSchema)
	if ext["routingProfile"] == nil {
		ext["routingProfile"] = x.token.RoutingProfile
	}
	if ext["securityProfiles"] == nil {
		ids := make([]any, len(x.token.SecurityProfiles))
		for i, id := range x.token.SecurityProfiles {
			ids[i] = id
		}
		ext["securityProfiles"] = ids
	}
	u, err := userOf(m, nil)
	if err != nil {
		return nil, err
	}
	if err := s.password(ctx, x, u); err != nil {
		return nil, err
	}
	if u, err = s.o.Users.Create(ctx, x.token.Instance, u); err != nil {
		return nil, err
	}
	x.user = u
	return s.show(http.StatusCreated, u, want), nil
}

// password forgets a password that the instance has no use for: identity
// providers send one unasked, Okta a random one.
func (s *service) password(ctx context.Context, x *exchange, u *User) error {
	if u.Password == "" {
		return nil
	}
	kind, err := s.o.Users.Identity(ctx, x.token.Instance)
	if kind != domain.ConnectManaged {
		u.Password = ""
	}
	return err
}

// read serves GET (RFC 7644 §3.4.1).
func (s *service) read(ctx context.Context, x *exchange, id string) (*answer, error) {
	want, err := wanted(x)
	if err != nil {
		return nil, err
	}
	u, err := s.find(ctx, x, id)
	if err != nil {
		return nil, err
	}
	a := s.show(http.StatusOK, u, want)
	if tags := x.Header.Values("If-None-Match"); len(tags) > 0 && tagged(tags, u.Version) {
		a.status, a.body = http.StatusNotModified, nil
	}
	return a, nil
}

// find finds a user of the token's instance.
func (s *service) find(ctx context.Context, x *exchange, id string) (*User, error) {
	none := refuse(http.StatusNotFound, "there is no user with this id")
	if !domain.IsUUID(id) {
		return nil, none
	}
	u, err := s.o.Users.User(ctx, x.token.Instance, id)
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, none
	}
	return u, err
}

// tagged reports whether one of the tags of a header is that of a version. Weak
// and strong ones are not told apart, as SCIM's are weak (RFC 7644 §3.14).
func tagged(headers []string, version int64) bool {
	own := strings.TrimPrefix(etag(version), "W/")
	for _, h := range headers {
		for tag := range strings.SplitSeq(h, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == own {
				return true
			}
		}
	}
	return false
}

// expected checks the conditions of a request that changes a user (RFC 9110
// §13.1).
func expected(x *exchange, u *User) error {
	if tags := x.Header.Values("If-Match"); len(tags) > 0 && !tagged(tags, u.Version) {
		return refuse(http.StatusPreconditionFailed, "the user has been changed meanwhile")
	}
	if tags := x.Header.Values("If-None-Match"); len(tags) > 0 && tagged(tags, u.Version) {
		return refuse(http.StatusPreconditionFailed, "the user is as If-None-Match says")
	}
	return nil
}

// put serves PUT (RFC 7644 §3.5.1). What Amazon Connect requires and the request
// does not say stays as it is: an identity provider that knows no profiles must
// not take them from users, and one that leaves out active must not let in whom
// it has shut out.
func (s *service) put(ctx context.Context, x *exchange, id string) (*answer, error) {
	x.did = replaced
	m, err := decodeUser(x)
	if err != nil {
		return nil, err
	}
	said, extended := m[connectSchema].(map[string]any)
	return s.change(ctx, x, id, func(was *User) (*User, error) {
		now := resource(was, "")
		full := maps.Clone(m)
		if full["active"] == nil {
			full["active"] = now["active"]
		}
		ext := within(now, connectSchema)
		if extended {
			delete(ext, "hierarchyGroup") // it may be taken away
		}
		maps.Copy(ext, said)
		full[connectSchema] = ext
		return userOf(full, was)
	})
}

// patch serves PATCH (RFC 7644 §3.5.2).
func (s *service) patch(ctx context.Context, x *exchange, id string) (*answer, error) {
	x.did = patched
	var body struct {
		Schemas    []string
		Operations []operation
	}
	if err := decode(x, &body); err != nil {
		return nil, err
	}
	if err := isA(body.Schemas, patchMessage); err != nil {
		return nil, err
	}
	return s.change(ctx, x, id, func(was *User) (*User, error) {
		m := resource(was, "")
		if err := patch(m, body.Operations); err != nil {
			return nil, err
		}
		return userOf(m, was)
	})
}

// maxTries is how often a change is worked out anew because others have changed
// the user meanwhile.
const maxTries = 10

// change makes a user what become makes of it. Become may be called again with
// the user as it is by then.
func (s *service) change(ctx context.Context, x *exchange, id string, become func(was *User) (*User, error)) (*answer, error) {
	want, err := wanted(x)
	if err != nil {
		return nil, err
	}
	for range maxTries {
		was, err := s.find(ctx, x, id)
		if err != nil {
			return nil, err
		}
		x.user = was
		if err := expected(x, was); err != nil {
			return nil, err
		}
		u, err := become(was)
		if err != nil {
			return nil, err
		}
		if err := s.password(ctx, x, u); err != nil {
			return nil, err
		}
		if reflect.DeepEqual(u, was) {
			return s.show(http.StatusOK, was, want), nil
		}
		switch {
		case u.Inactive && !was.Inactive:
			x.did = deactivated
		case was.Inactive && !u.Inactive:
			x.did = activated
		}
		u, err = s.o.Users.Replace(ctx, x.token.Instance, u)
		switch {
		case fault.Is(err, fault.ResourceConflict):
			continue // if the client minds, expected will say so
		case fault.Is(err, fault.ResourceNotFound):
			continue // find will
		case err != nil:
			return nil, err
		}
		return s.show(http.StatusOK, u, want), nil
	}
	return nil, refuse(http.StatusConflict, "others keep changing the user")
}

// remove serves DELETE (RFC 7644 §3.6).
func (s *service) remove(ctx context.Context, x *exchange, id string) (*answer, error) {
	x.did = deleted
	for range maxTries {
		u, err := s.find(ctx, x, id)
		if err != nil {
			return nil, err
		}
		x.user = u
		if err := expected(x, u); err != nil {
			return nil, err
		}
		err = s.o.Users.Delete(ctx, x.token.Instance, id, u.Version)
		if fault.Is(err, fault.ResourceConflict) || fault.Is(err, fault.ResourceNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &answer{http.StatusNoContent, nil, http.Header{}}, nil
	}
	return nil, refuse(http.StatusConflict, "others keep changing the user")
}
