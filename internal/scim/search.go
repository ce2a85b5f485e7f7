package scim

import (
	"context"
	"net/http"
	"strconv"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

const (
	defaultCount = 100    // users in a page when the client does not say
	maxCount     = 1000   // and at most (ServiceProviderConfig, filter.maxResults)
	batch        = 1000   // users that a filter is tried on at a time
	maxTried     = 200000 // users that a filter is tried on at all
)

// query is what a search asks for (RFC 7644 §3.4.2).
type query struct {
	filter filter // nil: all
	start  int    // of the first result, from 1
	count  int
	want   selection
}

// searchByGet serves GET of a list.
func (s *service) searchByGet(ctx context.Context, x *exchange) (*answer, error) {
	values := x.URL.Query()
	var start, count *int
	for name, to := range map[string]**int{"startIndex": &start, "count": &count} {
		if v := values.Get(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				return nil, bad(invalidValue, "%s must be a whole number", name)
			}
			*to = &n
		}
	}
	return s.search(ctx, x, values.Get("filter"), names(values["attributes"]), names(values["excludedAttributes"]), start, count)
}

// searchByPost serves .search (RFC 7644 §3.4.3). There is no order to choose:
// sortBy is ignored, as the service's configuration says.
func (s *service) searchByPost(ctx context.Context, x *exchange) (*answer, error) {
	var body struct {
		Schemas                        []string
		Attributes, ExcludedAttributes []string
		Filter                         string
		StartIndex, Count              *int
	}
	if err := decode(x, &body); err != nil {
		return nil, err
	}
	if err := isA(body.Schemas, searchMessage); err != nil {
		return nil, err
	}
	return s.search(ctx, x, body.Filter, body.Attributes, body.ExcludedAttributes, body.StartIndex, body.Count)
}

func (s *service) search(ctx context.Context, x *exchange, text string, only, except []string, start, count *int) (*answer, error) {
	q := query{start: 1, count: defaultCount}
	if start != nil {
		q.start = max(*start, 1)
	}
	if count != nil {
		q.count = min(max(*count, 0), maxCount)
	}
	var err error
	if q.want, err = selected(only, except); err != nil {
		return nil, err
	}
	if text != "" {
		if q.filter, err = parseFilter(text); err != nil {
			return nil, err
		}
	}
	found, total, err := s.run(ctx, x.token.Instance, q)
	if err != nil {
		return nil, err
	}
	base := s.o.URL()
	resources := make([]any, len(found))
	for i, u := range found {
		resources[i] = q.want.of(resource(u, base))
	}
	return &answer{http.StatusOK, page(resources, total, q.start), http.Header{}}, nil
}

// page is a list's answer (RFC 7644 §3.4.2, figure 3).
func page(resources []any, total, start int) map[string]any {
	return map[string]any{
		"schemas": []string{listMessage}, "totalResults": total, "itemsPerPage": len(resources), "startIndex": start, "Resources": resources,
	}
}

// run finds the users of a page and how many there are in all. Those that are
// named are looked up, whatever else the filter says; other filters are tried on
// all.
func (s *service) run(ctx context.Context, in domain.InstanceID, q query) (found []*User, total int, err error) {
	if q.filter == nil {
		if total, err = s.o.Users.Count(ctx, in); err != nil || q.count == 0 || q.start > total {
			return nil, total, err
		}
		found, err = s.o.Users.List(ctx, in, "", q.start-1, q.count)
		return found, total, err
	}
	base := s.o.URL()
	keep := func(u *User) {
		if !q.filter.matches(resource(u, base)) {
			return
		}
		if total++; total >= q.start && len(found) < q.count {
			found = append(found, u)
		}
	}
	if users, ok, err := s.candidates(ctx, in, q.filter); ok || err != nil {
		for _, u := range users {
			keep(u)
		}
		return found, total, err
	}
	after := ""
	for tried := 0; tried < maxTried; tried += batch {
		users, err := s.o.Users.List(ctx, in, after, 0, batch)
		if err != nil {
			return nil, 0, err
		}
		for _, u := range users {
			keep(u)
		}
		if len(users) < batch {
			return found, total, nil
		}
		after = users[len(users)-1].ID
	}
	return nil, 0, bad(tooMany, "there are more than %d users to try the filter on: ask by userName or id", maxTried)
}

// candidates are the users that a filter can hold for, when it says so much of
// them that they can be looked up.
func (s *service) candidates(ctx context.Context, in domain.InstanceID, f filter) (users []*User, ok bool, err error) {
	switch f := f.(type) {
	case and:
		if users, ok, err := s.candidates(ctx, in, f.left); ok || err != nil {
			return users, ok, err
		}
		return s.candidates(ctx, in, f.right)
	case compare:
		want, text := f.want.(string)
		if f.op != eq || !text || f.at.schema != "" || f.at.sub != nil {
			return nil, false, nil
		}
		var u *User
		switch f.at.attr.name {
		case "userName":
			u, err = s.o.Users.Named(ctx, in, want)
		case "id":
			u, err = s.o.Users.User(ctx, in, want)
		case "externalId":
			return s.o.Users.External(ctx, in, want, batch)
		default:
			return nil, false, nil
		}
		if fault.Is(err, fault.ResourceNotFound) {
			return nil, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		return []*User{u}, true, nil
	}
	return nil, false, nil
}
