package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"
)

// lookUp finds the entry of a user name, nil when there is none, and whether it
// is disabled. Both are asked for in any case, so that the steps tell nothing.
// The error wraps ErrDown.
func (c *connection) lookUp(ctx context.Context, username string) (_ *Entry, disabled bool, err error) {
	entry, err := c.find(ctx, username)
	if err != nil || c.directory.config.Disabled == "" {
		return entry, false, err
	}
	// 1.1 asks for no attributes (RFC 4511 §4.5.1.8).
	found, err := c.search(ctx, username, c.directory.config.Disabled, []string{"1.1"})
	if err != nil {
		return nil, false, down("search for disabled entries", err)
	}
	return entry, len(found) > 0, nil
}

// find finds the entry of a user name, nil when there is none. The error wraps
// ErrDown.
func (c *connection) find(ctx context.Context, username string) (*Entry, error) {
	a := c.directory.config.Attributes
	found, err := c.search(ctx, username, "", []string{a.Username, a.FirstName, a.LastName, a.Email, a.Mobile, a.ID})
	switch {
	case err != nil:
		return nil, down("search", err)
	case len(found) == 0:
		return nil, nil
	case len(found) > 1:
		return nil, down("search", ErrAmbiguous)
	}
	entry, err := a.read(found[0])
	if err != nil {
		return nil, down("read an entry", err)
	}
	// A directory takes more for the same name than capital and small letters,
	// such as the wide forms of letters (RFC 4518 §2). Who counts wrong passwords
	// by name does not know of that.
	for _, name := range found[0].GetEqualFoldAttributeValues(a.Username) {
		if strings.EqualFold(name, username) {
			entry.Username = name
			return entry, nil
		}
	}
	return nil, nil
}

// enough entries to know that a name is ambiguous.
const enough = 2

// search finds at most two users of a name that match a filter as well, empty for
// all.
func (c *connection) search(ctx context.Context, username, filter string, attributes []string) ([]*goldap.Entry, error) {
	config := &c.directory.config
	// Aliases are not followed: an entry has its own name. Neither are references
	// to other directories, which nobody has configured.
	request := goldap.NewSearchRequest(config.SearchBase, goldap.ScopeWholeSubtree, goldap.NeverDerefAliases,
		enough, int(config.Timeout.Seconds()+1), false,
		config.filter(username, filter), attributes, nil)
	request.EnforceSizeLimit = true // whatever the directory sends
	var result *goldap.SearchResult
	err := c.step(ctx, func() (err error) {
		result, err = c.ldap.Search(request)
		return err
	})
	// With more than it was asked for, a directory answers with as many and this
	// error (RFC 4511 §4.5.1.4).
	limited := goldap.IsErrorWithCode(err, goldap.LDAPResultSizeLimitExceeded) || errors.Is(err, goldap.ErrSizeLimitExceeded)
	if limited && len(result.Entries) >= enough {
		err = nil
	}
	if err != nil {
		return nil, plain(err, config.BindPassword)
	}
	return result.Entries, nil
}

// filter selects the users of a name that match another filter as well, empty for
// all (RFC 4515 §3: what means something in a filter is escaped in the name).
func (c *Config) filter(username, other string) string {
	return "(&" + c.Filter + "(" + c.Attributes.Username + "=" + goldap.EscapeFilter(username) + ")" + other + ")"
}

var errNoDN = errors.New("it has no distinguished name")

// read reads an entry, but for the user name.
func (a Attributes) read(from *goldap.Entry) (*Entry, error) {
	if from.DN == "" {
		return nil, errNoDN // to bind without a name is to bind as nobody
	}
	if len(from.GetEqualFoldAttributeValues(a.Username)) == 0 {
		return nil, fmt.Errorf("%s: its %s may be searched for, but not read", from.DN, a.Username)
	}
	id, err := identifier(a.ID, from.GetEqualFoldRawAttributeValues(a.ID))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from.DN, err)
	}
	return &Entry{
		DN: from.DN, ID: id,
		FirstName: text(from, a.FirstName), LastName: text(from, a.LastName), Email: text(from, a.Email), Mobile: text(from, a.Mobile),
	}, nil
}

// text is the first value of an attribute, without what surrounds it; empty when
// it is none or not text.
func text(from *goldap.Entry, attribute string) string {
	for _, v := range from.GetEqualFoldAttributeValues(attribute) {
		if v = strings.TrimSpace(v); v != "" && printable(v) {
			return v
		}
	}
	return ""
}

func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// maxID is the longest id that is taken.
const maxID = 256

// identifier is the id of an entry by the values of its attribute.
func identifier(attribute string, values [][]byte) (string, error) {
	if len(values) != 1 {
		return "", fmt.Errorf("it has %d values of %s, which the setting attributes: id names: one is needed", len(values), attribute)
	}
	v := values[0]
	if strings.EqualFold(attribute, "objectGUID") {
		if len(v) != guidSize {
			return "", fmt.Errorf("its %s has %d bytes, not %d", attribute, len(v), guidSize)
		}
		return guid(v), nil
	}
	if s := string(v); s != "" && len(s) <= maxID && printable(s) {
		return s, nil
	}
	return "", fmt.Errorf("its %s, which the setting attributes: id names, is not text", attribute)
}

const guidSize = 16

// guid writes a GUID as text: its first three parts are little-endian
// ([MS-DTYP] §2.3.4).
func guid(b []byte) string {
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:16])
}
