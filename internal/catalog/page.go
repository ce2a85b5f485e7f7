package catalog

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Page is what a list or search operation asks for.
type Page struct {
	MaxResults *int32
	NextToken  *string
	// Default is the page size when MaxResults is absent; 0 means 100, which
	// AWS documents for most lists.
	Default int
}

func (p Page) limit() int {
	switch {
	case p.MaxResults != nil && *p.MaxResults > 0:
		return int(*p.MaxResults)
	case p.Default > 0:
		return p.Default
	default:
		return 100
	}
}

// A token is opaque to clients: the place after which the next page begins,
// with the list that it belongs to, so that a token of another list is
// refused rather than misread.
func token(kind domain.Kind, sc Scope, after string) *string {
	s := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "1 %d %d %s", kind, sc.PK, after))
	return &s
}

// tokenAt is the token of a page that begins after a record.
func tokenAt(kind domain.Kind, sc Scope, pk store.PK) *string {
	return token(kind, sc, strconv.FormatInt(int64(pk), 10))
}

func (p Page) after(kind domain.Kind, sc Scope) (string, error) {
	if p.NextToken == nil || *p.NextToken == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*p.NextToken)
	if err == nil {
		if after, ok := strings.CutPrefix(string(raw), fmt.Sprintf("1 %d %d ", kind, sc.PK)); ok && after != "" {
			return after, nil
		}
	}
	return "", badToken()
}

func badToken() error {
	return fault.New(fault.InvalidParameter, "NextToken is not valid for this request.")
}

func (p Page) afterID(kind domain.Kind, sc Scope) (string, error) {
	after, err := p.after(kind, sc)
	if err == nil && after != "" && !domain.IsUUID(after) {
		return "", badToken()
	}
	return after, err
}

// afterNumber reads a token that holds a number: a key or an offset.
func (p Page) afterNumber(kind domain.Kind, sc Scope) (int64, error) {
	after, err := p.after(kind, sc)
	if err != nil || after == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 0 {
		return 0, badToken()
	}
	return n, nil
}

// Slice cuts a page from a list that is computed rather than stored, such as
// the queues of a routing profile. Owner is the kind that the list hangs on.
func Slice[T any](sc Scope, owner domain.Kind, p Page, all []T) ([]T, *string, error) {
	from, err := p.afterNumber(owner, sc)
	if err != nil {
		return nil, nil, err
	}
	if from > int64(len(all)) {
		return []T{}, nil, nil
	}
	all = all[from:]
	if limit := p.limit(); len(all) > limit {
		return all[:limit], token(owner, sc, strconv.FormatInt(from+int64(limit), 10)), nil
	}
	return all, nil, nil
}
