package ldap

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// bind binds as a user. The error is, or wraps, ErrRefused, ErrDisabled or
// ErrDown.
func (c *connection) bind(ctx context.Context, dn, password string) error {
	// The directory is asked for what draft-behera-ldap-password-policy §9 has it
	// say of the password; one that does not know the control leaves it out.
	request := goldap.NewSimpleBindRequest(dn, password, []goldap.Control{goldap.NewControlBeheraPasswordPolicy()})
	var result *goldap.SimpleBindResult
	err := c.step(ctx, func() (err error) {
		result, err = c.ldap.SimpleBind(request)
		return err
	})
	if c.broken {
		return down("bind as the user", plain(err, password))
	}
	return verdict(result, err, password)
}

// policyErrors are the errors of the password policy control that keep somebody
// out (draft-behera-ldap-password-policy §6.2).
var policyErrors = map[int8]string{
	0: "the password has expired",
	1: "the account is locked",
	2: "the password must be changed first",
}

// activeDirectory is what Active Directory says of a bind that it refuses.
var activeDirectory = regexp.MustCompile(`AcceptSecurityContext error, data ([0-9a-fA-F]+)\b`)

// activeDirectoryErrors are its codes, Windows' system error codes in
// hexadecimal, but for those of an unknown user (525) and a wrong password (52e)
// (Microsoft Learn, "System Error Codes (1300-1699)" and "(1700-3999)"). All but
// 775 come only with the right password.
var activeDirectoryErrors = map[string]string{
	"530": "signing in is not allowed at this time",
	"531": "signing in is not allowed from this machine",
	"532": "the password has expired",
	"533": "the account is disabled",
	"568": "the user is in too many groups",
	"701": "the account has expired",
	"773": "the password must be changed first",
	"775": "the account is locked",
}

// verdict tells what a directory's answer to a bind as a user means. A user that
// could be known but not used, whatever the password, is disabled; an answer
// that says nothing of the user means that the directory does not do what it is
// asked.
func verdict(result *goldap.SimpleBindResult, err error, password string) error {
	if result != nil {
		for _, control := range result.Controls {
			policy, ok := control.(*goldap.ControlBeheraPasswordPolicy)
			if !ok {
				continue
			}
			if why, ok := policyErrors[policy.Error]; ok {
				return fmt.Errorf("%w: %s", ErrDisabled, why)
			}
		}
	}
	if err == nil {
		return nil
	}
	e, ok := asError(err)
	if !ok {
		return down("bind as the user", err)
	}
	switch e.ResultCode {
	case goldap.LDAPResultInvalidCredentials:
		if m := activeDirectory.FindStringSubmatch(e.Err.Error()); m != nil {
			if why, ok := activeDirectoryErrors[strings.ToLower(m[1])]; ok {
				return fmt.Errorf("%w: %s", ErrDisabled, why)
			}
		}
		return ErrRefused
	case
		// The entry went while it was asked for, or nobody's was never there.
		goldap.LDAPResultNoSuchObject, goldap.LDAPResultInvalidDNSyntax,
		// It has no password (RFC 4511 appendix A.2).
		goldap.LDAPResultInappropriateAuthentication:
		return ErrRefused
	case
		// What 389 Directory Server says of accounts that are inactive, and of those
		// with too many attempts.
		goldap.LDAPResultUnwillingToPerform, goldap.LDAPResultConstraintViolation:
		return fmt.Errorf("%w: %w", ErrDisabled, plain(err, password))
	default:
		return down("bind as the user", plain(err, password))
	}
}

// maxSaid is how much of a directory's own words is repeated.
const maxSaid = 200

// said is the directory's own text of an error, for the operator; empty when the
// password appears in it.
func said(e *goldap.Error, password string) string {
	if e.Err == nil {
		return ""
	}
	text := strings.TrimRight(e.Err.Error(), "\x00")
	if password != "" && strings.Contains(text, password) {
		return ""
	}
	if len(text) > maxSaid {
		text = strings.ToValidUTF8(text[:maxSaid], "") + "…"
	}
	return text
}

func asError(err error) (*goldap.Error, bool) { return errors.AsType[*goldap.Error](err) }
