package ldap

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
)

func TestVerdict(t *testing.T) {
	const password = "Geheim123"
	answer := func(code uint16, text string) error {
		return &goldap.Error{ResultCode: code, Err: errors.New(text)}
	}
	windows := func(data string) error {
		return answer(49, "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data "+data+", v4563\x00")
	}
	policy := func(code int8) *goldap.SimpleBindResult {
		c := goldap.NewControlBeheraPasswordPolicy()
		c.Error = code
		return &goldap.SimpleBindResult{Controls: []goldap.Control{goldap.NewControlMicrosoftNotification(), c}}
	}
	for what, c := range map[string]struct {
		result *goldap.SimpleBindResult
		err    error
		want   error
		says   string
	}{
		"success":                      {&goldap.SimpleBindResult{}, nil, nil, ""},
		"success, expires soon":        {policy(-1), nil, nil, ""},
		"success, must be changed":     {policy(2), nil, ErrDisabled, "changed"},
		"expired":                      {policy(0), answer(49, ""), ErrDisabled, "expired"},
		"locked":                       {policy(1), answer(49, ""), ErrDisabled, "locked"},
		"wrong, nothing of the policy": {policy(-1), answer(49, ""), ErrRefused, ""},
		"another error of the policy":  {policy(6), answer(49, ""), ErrRefused, ""},
		"wrong":                        {nil, answer(49, ""), ErrRefused, ""},
		"no such object":               {nil, answer(32, ""), ErrRefused, ""},
		"not a name there":             {nil, answer(34, "invalid DN"), ErrRefused, ""},
		"no password":                  {nil, answer(48, ""), ErrRefused, ""},
		"Windows: wrong":               {nil, windows("52e"), ErrRefused, ""},
		"Windows: unknown":             {nil, windows("525"), ErrRefused, ""},
		"Windows: disabled":            {nil, windows("533"), ErrDisabled, "disabled"},
		"Windows: account expired":     {nil, windows("701"), ErrDisabled, "account has expired"},
		"Windows: password expired":    {nil, windows("532"), ErrDisabled, "password has expired"},
		"Windows: must change":         {nil, windows("773"), ErrDisabled, "changed"},
		"Windows: locked":              {nil, windows("775"), ErrDisabled, "locked"},
		"Windows: not now":             {nil, windows("530"), ErrDisabled, "time"},
		"Windows: not from here":       {nil, windows("531"), ErrDisabled, "machine"},
		"Windows: unheard of":          {nil, windows("9999"), ErrRefused, ""},
		"Windows: part of a code":      {nil, windows("7331"), ErrRefused, ""},
		"inactive":                     {nil, answer(53, "Account inactivated."), ErrDisabled, "Account inactivated."},
		"too many attempts":            {nil, answer(19, "Exceed password retry limit."), ErrDisabled, "retry limit"},
		"busy":                         {nil, answer(51, "come back"), ErrDown, `Busy (51): "come back"`},
		"unavailable":                  {nil, answer(52, ""), ErrDown, "Unavailable (52)"},
		"needs TLS":                    {nil, answer(13, "TLS required"), ErrDown, "TLS required"},
		"referral":                     {nil, answer(10, ""), ErrDown, "Referral"},
		"stronger authentication":      {nil, answer(8, ""), ErrDown, "(8)"},
		"tells the password":           {nil, answer(53, "no use for "+password), ErrDisabled, "(53)"},
		"tells the password, down":     {nil, answer(51, password), ErrDown, "(51)"},
		"talks much":                   {nil, answer(51, strings.Repeat("é", 500)), ErrDown, "…"},
		"no answer":                    {nil, fmt.Errorf("closed"), ErrDown, "closed"},
	} {
		t.Run(what, func(t *testing.T) {
			err := verdict(c.result, c.err, password)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil {
				return
			}
			for _, other := range []error{ErrRefused, ErrDisabled, ErrDown} {
				if !errors.Is(c.want, other) && errors.Is(err, other) {
					t.Errorf("%v is also %v", err, other)
				}
			}
			text := err.Error()
			if !strings.Contains(text, c.says) || strings.Contains(text, password) || len(text) > 400 || strings.Contains(text, "\x00") {
				t.Errorf("got %q, want something of %q", text, c.says)
			}
		})
	}
}

func TestIdentifier(t *testing.T) {
	uuid := []byte("6f9619ff-8b86-d011-b42d-00c04fc964ff")
	// The example of Microsoft's documentation of GUIDs, as its bytes are stored.
	binary := []byte{0xff, 0x19, 0x96, 0x6f, 0x86, 0x8b, 0x11, 0xd0, 0xb4, 0x2d, 0x00, 0xc0, 0x4f, 0xc9, 0x64, 0xff}
	for what, c := range map[string]struct {
		attribute string
		values    [][]byte
		want      string // empty: an error
	}{
		"text":              {"entryUUID", [][]byte{uuid}, string(uuid)},
		"GUID":              {"objectGUID", [][]byte{binary}, "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
		"GUID, other case":  {"objectguid", [][]byte{binary}, "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
		"GUID as text":      {"objectGUID", [][]byte{uuid}, ""},
		"none":              {"entryUUID", nil, ""},
		"two":               {"entryUUID", [][]byte{uuid, uuid}, ""},
		"empty":             {"entryUUID", [][]byte{{}}, ""},
		"binary":            {"objectSid", [][]byte{binary}, ""},
		"control character": {"entryUUID", [][]byte{[]byte("a\nb")}, ""},
		"too long":          {"entryUUID", [][]byte{[]byte(strings.Repeat("x", 257))}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			got, err := identifier(c.attribute, c.values)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}
