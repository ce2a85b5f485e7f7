package domain

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"golang.org/x/text/unicode/norm"

	"ringdown/internal/fault"
)

// User is an agent, supervisor or administrator of an instance.
type User struct {
	Username string
	// PasswordHash is an argon2id hash in PHC form; of CONNECT_MANAGED users
	// only.
	PasswordHash string `json:",omitempty"`
	// PasswordChosen says that the user has chosen the password, rather than
	// whoever made the user.
	PasswordChosen bool `json:",omitempty"`
	// FederatedBy is the unique id of the principal that the user is bound to,
	// which alone may have federation tokens for it; empty until the first.
	FederatedBy string `json:",omitempty"`
	// ExternalID and Inactive are what SCIM keeps of a user: the id that the
	// identity provider gave it, and that it must not sign in (RFC 7643 §3.1,
	// §4.1.1).
	ExternalID string `json:",omitempty"`
	Inactive   bool   `json:",omitempty"`
	// Deactivations is how often the user has become Inactive: what was opened
	// before stays closed when it is active again.
	Deactivations   int           `json:",omitempty"`
	DirectoryUserID string        `json:",omitempty"`
	IdentityInfo    *IdentityInfo `json:",omitempty"`
	PhoneConfig     *PhoneConfig  `json:",omitempty"`

	// Settings of one channel each; they take the place of the member of
	// PhoneConfig that means the same.
	AutoAcceptConfigs           []types.AutoAcceptConfig                 `json:",omitempty"`
	AfterContactWorkConfigs     []types.AfterContactWorkConfigPerChannel `json:",omitempty"`
	PhoneNumberConfigs          []types.PhoneNumberConfig                `json:",omitempty"`
	PersistentConnectionConfigs []types.PersistentConnectionConfig       `json:",omitempty"`
	VoiceEnhancementConfigs     []types.VoiceEnhancementConfig           `json:",omitempty"`

	RoutingProfileID   RoutingProfileID
	SecurityProfileIDs []SecurityProfileID
	HierarchyGroupID   HierarchyGroupID `json:",omitempty"`
	Proficiencies      []Proficiency    `json:",omitempty"`
}

// IdentityInfo is who a user is.
type IdentityInfo struct {
	FirstName      string `json:",omitempty"`
	LastName       string `json:",omitempty"`
	Email          string `json:",omitempty"`
	SecondaryEmail string `json:",omitempty"`
	Mobile         string `json:",omitempty"` // E.164
}

// PhoneConfig is how calls reach a user.
type PhoneConfig struct {
	PhoneType                 types.PhoneType `json:",omitempty"`
	AutoAccept                bool            `json:",omitempty"`
	AfterContactWorkTimeLimit int32           `json:",omitempty"` // seconds, 0 is no limit
	DeskPhoneNumber           string          `json:",omitempty"` // E.164
	PersistentConnection      *bool           `json:",omitempty"`
}

// Proficiency is how well a user knows one value of a predefined attribute.
type Proficiency struct {
	AttributeID string
	Name, Value string
	Level       float32 // 1, 2, 3, 4 or 5
}

// maxAfterContactWork is the longest AfterContactWorkTimeLimit in seconds (AWS
// API reference, UserPhoneConfig).
const maxAfterContactWork = 2_000_000

// usernamePattern is what a Username may hold (AWS API reference, CreateUser).
var usernamePattern = regexp.MustCompile(`^[a-zA-Z0-9_.@-]+$`)

// emailForm is the e-mail form that a Username with an @ must have.
var emailForm = regexp.MustCompile(`^[^@]+@[^@]+\.[^@]+$`)

// maxSAMLUsername is the longest Username of a SAML instance (same page). The
// 20 characters that the page allows elsewhere are not enforced by the service
// (docs/divergences.md).
const maxSAMLUsername = 64

// CheckUsername checks the rules of a Username that depend on the instance.
func CheckUsername(name string, identity IdentityManagementType) error {
	switch {
	case identity == SAML && utf8.RuneCountInString(name) > maxSAMLUsername:
		return fault.New(fault.InvalidParameter, "Username must have at most %d characters, it has %d", maxSAMLUsername, utf8.RuneCountInString(name))
	case !usernamePattern.MatchString(name):
		return fault.New(fault.InvalidParameter, "Username may hold letters, digits and _-.@ only")
	case strings.Contains(name, "@") && !emailForm.MatchString(name):
		return fault.New(fault.InvalidParameter, "Username may hold @ only as part of an e-mail address such as name@host.tld")
	default:
		return nil
	}
}

// Check checks the rules of a user that need nothing but itself.
func (u *User) Check() error {
	if u.IdentityInfo != nil {
		if err := u.IdentityInfo.check(); err != nil {
			return err
		}
	}
	if u.PhoneConfig != nil {
		if err := u.PhoneConfig.check(); err != nil {
			return err
		}
	}
	if err := u.checkProficiencies(); err != nil {
		return err
	}
	return u.checkChannels()
}

// checkProficiencies checks that levels are whole and each value is there once
// (AWS API reference, UserProficiency).
func (u *User) checkProficiencies() error {
	for i, p := range u.Proficiencies {
		if p.Level < 1 || p.Level > 5 || p.Level != float32(int(p.Level)) {
			return fault.New(fault.InvalidParameter, "UserProficiencies: the Level of %q, %q must be 1, 2, 3, 4 or 5", p.Name, p.Value)
		}
		for _, other := range u.Proficiencies[:i] {
			if other.Name == p.Name && other.Value == p.Value {
				return fault.New(fault.DuplicateResource, "UserProficiencies: the user has %q, %q already", p.Name, p.Value)
			}
		}
	}
	return nil
}

func (i *IdentityInfo) check() error {
	for _, f := range []struct{ name, value string }{
		{"FirstName", i.FirstName}, {"LastName", i.LastName}, {"Email", i.Email}, {"SecondaryEmail", i.SecondaryEmail},
	} {
		if !norm.NFC.IsNormalString(f.value) {
			return fault.New(fault.InvalidParameter, "IdentityInfo.%s must be in Unicode normalization form C", f.name)
		}
	}
	for _, f := range []struct{ name, value string }{{"Email", i.Email}, {"SecondaryEmail", i.SecondaryEmail}} {
		if f.value == "" {
			continue
		}
		if utf8.RuneCountInString(f.value) > maxEmail || !emailForm.MatchString(f.value) || strings.ContainsAny(f.value, " \t\r\n") {
			return fault.New(fault.InvalidParameter, "IdentityInfo.%s must be an e-mail address of at most %d characters", f.name, maxEmail)
		}
	}
	return nil
}

// maxEmail is the longest e-mail address of a user (AWS API reference,
// UserIdentityInfo, SecondaryEmail).
const maxEmail = 265

func (p *PhoneConfig) check() error {
	switch {
	case p.AfterContactWorkTimeLimit > maxAfterContactWork:
		return fault.New(fault.InvalidParameter, "PhoneConfig.AfterContactWorkTimeLimit must be between 0 and %d seconds", maxAfterContactWork)
	case p.PhoneType == types.PhoneTypeDeskPhone && p.DeskPhoneNumber == "":
		return fault.New(fault.InvalidParameter, "PhoneConfig.DeskPhoneNumber is required for a DESK_PHONE")
	default:
		return nil
	}
}

// checkChannels checks the settings by channel: each channel once, some for
// VOICE only, and none beside the PhoneConfig member that means the same (AWS
// API reference, CreateUser).
func (u *User) checkChannels() error {
	p := u.PhoneConfig
	if p == nil {
		p = &PhoneConfig{}
	}
	if err := eachChannelOnce("AutoAcceptConfigs", u.AutoAcceptConfigs, func(c types.AutoAcceptConfig) types.Channel { return c.Channel }, false, p.AutoAccept, "AutoAccept"); err != nil {
		return err
	}
	for i, c := range u.AfterContactWorkConfigs {
		for _, w := range []*types.AfterContactWorkConfig{c.AfterContactWorkConfig, c.AgentFirstCallbackAfterContactWorkConfig} {
			if w != nil && w.AfterContactWorkTimeLimit > maxAfterContactWork {
				return fault.New(fault.InvalidParameter, "AfterContactWorkConfigs[%d]: AfterContactWorkTimeLimit must be between 0 and %d seconds", i, maxAfterContactWork)
			}
		}
	}
	if err := eachChannelOnce("AfterContactWorkConfigs", u.AfterContactWorkConfigs, func(c types.AfterContactWorkConfigPerChannel) types.Channel { return c.Channel }, false, p.AfterContactWorkTimeLimit != 0, "AfterContactWorkTimeLimit"); err != nil {
		return err
	}
	for i, c := range u.PhoneNumberConfigs {
		if c.PhoneType == types.PhoneTypeDeskPhone && (c.PhoneNumber == nil || *c.PhoneNumber == "") {
			return fault.New(fault.InvalidParameter, "PhoneNumberConfigs[%d].PhoneNumber is required for a DESK_PHONE", i)
		}
	}
	if err := eachChannelOnce("PhoneNumberConfigs", u.PhoneNumberConfigs, func(c types.PhoneNumberConfig) types.Channel { return c.Channel }, true, p.DeskPhoneNumber != "", "DeskPhoneNumber"); err != nil {
		return err
	}
	if err := eachChannelOnce("PersistentConnectionConfigs", u.PersistentConnectionConfigs, func(c types.PersistentConnectionConfig) types.Channel { return c.Channel }, true, p.PersistentConnection != nil && *p.PersistentConnection, "PersistentConnection"); err != nil {
		return err
	}
	return eachChannelOnce("VoiceEnhancementConfigs", u.VoiceEnhancementConfigs, func(c types.VoiceEnhancementConfig) types.Channel { return c.Channel }, true, false, "")
}

func eachChannelOnce[C any](name string, list []C, channel func(C) types.Channel, voiceOnly, alsoInPhoneConfig bool, member string) error {
	var seen []types.Channel
	for i, c := range list {
		ch := channel(c)
		if slices.Contains(seen, ch) {
			return fault.New(fault.InvalidParameter, "%s[%d]: channel %s is given twice", name, i, ch)
		}
		if voiceOnly && ch != types.ChannelVoice {
			return fault.New(fault.InvalidParameter, "%s[%d].Channel must be VOICE", name, i)
		}
		seen = append(seen, ch)
	}
	if len(list) > 0 && alsoInPhoneConfig {
		return fault.New(fault.InvalidParameter, "%s and PhoneConfig.%s must not be given together", name, member)
	}
	return nil
}
