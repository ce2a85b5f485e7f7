package federation

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ringdown/internal/iam"
	"ringdown/internal/identity/saml"
)

// The rules of names are those of IAM (IAM API reference, CreateSAMLProvider,
// CreateRole and CreateUser).
var (
	providerName = regexp.MustCompile(`^[\w._-]{1,128}$`)
	roleName     = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
)

// maxLabel is what a button has room for.
const maxLabel = 100

// The longest session of a role is within these (IAM API reference, CreateRole,
// MaxSessionDuration).
const (
	leastMaxSession = time.Hour
	mostMaxSession  = 12 * time.Hour
)

// ValidProviderName reports whether a SAML provider can have a name.
func ValidProviderName(name string) bool { return providerName.MatchString(name) }

// checkProvider reads the metadata of a provider. The error does not name it.
func checkProvider(c ProviderConfig) (*saml.Provider, error) {
	if !providerName.MatchString(c.Name) {
		return nil, errors.New("its name must have 1 to 128 letters, digits or ._-")
	}
	if len(c.Label) > maxLabel {
		return nil, fmt.Errorf("its label must have at most %d bytes", maxLabel)
	}
	for _, name := range c.Instances {
		if name == "" || len(name) > maxLabel {
			return nil, errors.New("its instances must be ids or aliases")
		}
	}
	return saml.ParseMetadata(c.Metadata)
}

// role is a role with who may assume it.
type role struct {
	RoleConfig
	iam        *iam.Role
	configured bool
}

// newRole checks a role and compiles its policy. The error does not name it.
func (f *Federation) newRole(c RoleConfig) (*role, error) {
	if !roleName.MatchString(c.Name) {
		return nil, errors.New("its name must have 1 to 64 letters, digits or _+=,.@-")
	}
	for _, name := range c.Providers {
		if !providerName.MatchString(name) {
			return nil, errors.New("its providers must be names of SAML providers: 1 to 128 letters, digits or ._-")
		}
	}
	for _, who := range c.AssumedBy {
		kind, name, _ := strings.Cut(who, "/")
		if who != byAccount && (kind != "user" && kind != "role" || !roleName.MatchString(name)) {
			return nil, errors.New(`it can be assumed by "user/NAME", "role/NAME" or "account"`)
		}
	}
	if c.MaxSession == 0 {
		c.MaxSession = leastMaxSession
	}
	if c.MaxSession < leastMaxSession || c.MaxSession > mostMaxSession || c.MaxSession%time.Second != 0 {
		return nil, errors.New("its longest session must be 1 to 12 hours")
	}
	if len(c.Policy) == 0 {
		c.Policy = DefaultPolicy(f.opts.Account)
	}
	policy, err := iam.ParsePolicy(c.Policy)
	if err != nil {
		return nil, err
	}
	return &role{RoleConfig: c, iam: iam.NewRole(f.opts.Account, c.Name, c.MaxSession, policy)}, nil
}

// byAccount in AssumedBy leaves it to the policies of the account's principals
// who may assume a role.
const byAccount = "account"

// trusts reports whether the role may be assumed by SAML through a provider.
func (r *role) trusts(provider string) bool { return slices.Contains(r.Providers, provider) }

// DefaultPolicy allows a session of a role to get the federation token of the
// user that it is named after, in any instance, and nothing else (Amazon Connect
// administrator guide, "Configure SAML with IAM for Amazon Connect"). It holds
// in every partition, because an instance's follows from its region.
func DefaultPolicy(account string) json.RawMessage {
	return json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"connect:GetFederationToken",` +
		`"Resource":"arn:*:connect:*:` + account + `:instance/*/user/${aws:userid}"}]}`)
}
