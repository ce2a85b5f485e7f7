package catalog

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"iter"
	"sort"
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

// series is what a token belongs to: one kind of list of one kind of resource
// in one instance. A token of another series is refused rather than misread.
type series struct {
	what byte
	kind domain.Kind
	in   store.PK
}

// The kinds of lists.
const (
	listed    = 'l'
	searched  = 's'
	newest    = 'n'
	referring = 'r'
	sliced    = 'c'
	ordered   = 'o'
	several   = 'h'
	computed  = 'q'
)

// token is opaque to clients: the series, the place after which the next page
// begins, and a check sum against a token that was cut on its way.
func (s series) token(after string) *string {
	body := fmt.Sprintf("%c %d %d %s", s.what, s.kind, s.in, after)
	t := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %08x", body, crc32.ChecksumIEEE([]byte(body))))
	return &t
}

// at is the token of a page that begins after a record.
func (s series) at(pk store.PK) *string { return s.token(strconv.FormatInt(int64(pk), 10)) }

// after reads the token of a page, "" when there is none.
func (s series) after(p Page) (string, error) {
	if p.NextToken == nil || *p.NextToken == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*p.NextToken)
	if err != nil {
		return "", badToken()
	}
	after, ok := strings.CutPrefix(string(raw), fmt.Sprintf("%c %d %d ", s.what, s.kind, s.in))
	after, _, _ = strings.Cut(after, " ")
	if !ok || after == "" || *s.token(after) != *p.NextToken {
		return "", badToken()
	}
	return after, nil
}

func badToken() error {
	return fault.New(fault.InvalidParameter, "NextToken is not valid for this request.")
}

// number reads a token that holds a number: a key or an offset.
func (s series) number(p Page) (int64, error) {
	after, err := s.after(p)
	if err != nil || after == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 0 {
		return 0, badToken()
	}
	return n, nil
}

// Sequence cuts a page from a list that is computed while it is read, because
// it is too long to have as a whole. From yields what comes after the key of an
// element, from the beginning after "". A key has no spaces. Owner is the kind
// that is listed.
func Sequence[T any](sc Scope, owner domain.Kind, p Page, from func(after string) iter.Seq2[T, error], key func(T) string) ([]T, *string, error) {
	pages := series{computed, owner, sc.PK}
	after, err := pages.after(p)
	if err != nil {
		return nil, nil, err
	}
	limit := p.limit()
	found := []T{}
	for t, err := range from(after) {
		if err != nil {
			return nil, nil, err
		}
		if len(found) == limit {
			return found, pages.token(key(found[limit-1])), nil
		}
		found = append(found, t)
	}
	return found, nil, nil
}

// Ordered cuts a page from a list in the ascending order of keys, each of which
// there is once. A page begins after the key of the last element shown, so that
// what is made or removed between pages neither hides another element nor shows
// it twice. Owner is the kind that is listed.
func Ordered[T any](sc Scope, owner domain.Kind, p Page, all []T, key func(T) string) ([]T, *string, error) {
	pages := series{ordered, owner, sc.PK}
	token, err := pages.after(p)
	if err != nil {
		return nil, nil, err
	}
	after, err := hex.DecodeString(token) // keys may hold spaces
	if err != nil {
		return nil, nil, badToken()
	}
	if token != "" {
		all = all[sort.Search(len(all), func(i int) bool { return key(all[i]) > string(after) }):]
	}
	if limit := p.limit(); len(all) > limit {
		return all[:limit], pages.token(hex.EncodeToString([]byte(key(all[limit-1])))), nil
	}
	return all, nil, nil
}

// Slice cuts a page from a list that is computed rather than stored, such as
// the queues of a routing profile, and that hardly changes between pages: they
// are counted from its beginning. Owner is the kind that the list hangs on.
func Slice[T any](sc Scope, owner domain.Kind, p Page, all []T) ([]T, *string, error) {
	pages := series{sliced, owner, sc.PK}
	from, err := pages.number(p)
	if err != nil {
		return nil, nil, err
	}
	if from > int64(len(all)) {
		return []T{}, nil, nil
	}
	all = all[from:]
	if limit := p.limit(); len(all) > limit {
		return all[:limit], pages.at(store.PK(from + int64(limit))), nil
	}
	return all, nil, nil
}
