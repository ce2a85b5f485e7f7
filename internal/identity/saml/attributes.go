package saml

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// The attributes that AWS gives a meaning (IAM User Guide, "Configure SAML
// assertions for the authentication response").
const (
	attrRole              = "https://aws.amazon.com/SAML/Attributes/Role"
	attrRoleSessionName   = "https://aws.amazon.com/SAML/Attributes/RoleSessionName"
	attrSessionDuration   = "https://aws.amazon.com/SAML/Attributes/SessionDuration"
	attrSourceIdentity    = "https://aws.amazon.com/SAML/Attributes/SourceIdentity"
	attrPrincipalTag      = "https://aws.amazon.com/SAML/Attributes/PrincipalTag:"
	attrTransitiveTagKeys = "https://aws.amazon.com/SAML/Attributes/TransitiveTagKeys"
	attrAWS               = "https://aws.amazon.com/SAML/Attributes/"
)

var (
	sessionName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{2,64}$`)
	roleARN     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\x21-\x7e]+$`)
	providerARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:saml-provider/[A-Za-z0-9._-]{1,128}$`)
)

const (
	minDuration = 15 * time.Minute
	maxDuration = 12 * time.Hour
)

// readAttributes fills in what the AttributeStatements say. An attribute that
// occurs twice has the values of both; where AWS wants one value, two are
// refused, so that nobody can tell us one and our neighbour the other.
func (a *Assertion) readAttributes(el *etree.Element) *Error {
	a.Attributes = map[string][]string{}
	for _, st := range children(el, nsAssertion, "AttributeStatement") {
		if len(children(st, nsAssertion, "EncryptedAttribute")) > 0 {
			return refuse(Invalid, "the assertion has an EncryptedAttribute; encryption is not supported")
		}
		for _, at := range children(st, nsAssertion, "Attribute") {
			name, _ := attribute(at, "Name")
			for _, v := range children(at, nsAssertion, "AttributeValue") {
				s, ok := text(v)
				if !ok {
					if strings.HasPrefix(name, attrAWS) {
						return refuse(Invalid, "a value of the attribute %s is not text", plain(name))
					}
					continue // such as eduPersonTargetedID, which is of no use here
				}
				a.Attributes[name] = append(a.Attributes[name], s)
			}
		}
	}
	return a.readAWS()
}

func (a *Assertion) readAWS() *Error {
	for _, v := range a.Attributes[attrRole] {
		c, err := readRole(v)
		if err != nil {
			return err
		}
		a.Roles = append(a.Roles, c)
	}
	var err *Error
	if a.SessionName, err = a.name(attrRoleSessionName); err != nil {
		return err
	}
	if a.SourceIdentity, err = a.name(attrSourceIdentity); err != nil {
		return err
	}
	d, ok, err := a.one(attrSessionDuration)
	if err != nil {
		return err
	}
	if ok {
		n, err := strconv.ParseUint(d, 10, 31)
		a.SessionDuration = time.Duration(n) * time.Second
		if err != nil || a.SessionDuration < minDuration || a.SessionDuration > maxDuration {
			return refuse(Invalid, "SessionDuration in AuthnResponse is not a number of seconds from %d to %d",
				int(minDuration.Seconds()), int(maxDuration.Seconds()))
		}
	}
	for name := range a.Attributes {
		key, ok := strings.CutPrefix(name, attrPrincipalTag)
		if !ok {
			continue
		}
		v, ok, err := a.one(name)
		if err != nil {
			return err
		}
		if ok {
			if a.Tags == nil {
				a.Tags = map[string]string{}
			}
			a.Tags[key] = v
		}
	}
	a.TransitiveTagKeys = a.Attributes[attrTransitiveTagKeys]
	return nil
}

// readRole reads "role ARN,provider ARN", in either order.
func readRole(v string) (RoleChoice, *Error) {
	first, second, _ := strings.Cut(v, ",")
	first, second = strings.Trim(first, xmlSpace), strings.Trim(second, xmlSpace)
	if providerARN.MatchString(first) {
		first, second = second, first
	}
	if !roleARN.MatchString(first) || !providerARN.MatchString(second) {
		return RoleChoice{}, refuse(Invalid, "a value of the attribute Role is not the ARN of a role and that of a SAML provider with a comma between")
	}
	return RoleChoice{Role: first, Provider: second}, nil
}

// one is the only value of an attribute.
func (a *Assertion) one(name string) (value string, ok bool, err *Error) {
	switch v := a.Attributes[name]; len(v) {
	case 0:
		return "", false, nil
	case 1:
		return v[0], true, nil
	default:
		return "", false, refuse(Invalid, "the attribute %s has %d values, and one is allowed", plain(shortName(name)), len(v))
	}
}

// name is the only value of an attribute that names somebody.
func (a *Assertion) name(attr string) (string, *Error) {
	v, ok, err := a.one(attr)
	if err != nil {
		return "", err
	}
	if ok && !sessionName.MatchString(v) {
		return "", refuse(Invalid, "%s in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}", shortName(attr))
	}
	return v, nil
}

func shortName(attr string) string { return strings.TrimPrefix(attr, attrAWS) }

// subjectType shortens the format of a NameID as AssumeRoleWithSAML does.
func subjectType(format string) string {
	if format == "" {
		// saml-core-2.0 §2.2.2
		format = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	}
	return strings.TrimPrefix(format, "urn:oasis:names:tc:SAML:2.0:nameid-format:")
}
