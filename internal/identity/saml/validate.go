package saml

import (
	"errors"
	"regexp"
	"time"

	"github.com/beevik/etree"
)

// Validate checks a response, XML of at most MaxResponse bytes, and returns its
// assertion. The error is an *Error. What Validate cannot know is whether the
// assertion has been used before: callers remember ID and Issuer until Expires.
func (p *Provider) Validate(response []byte, e Expect) (*Assertion, error) {
	a, err := p.validate(response, e)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Issuer is who a response says that it comes from: the entity id by which to
// find the provider whose Validate is then to be believed, and nothing else. It
// is empty when the response names nobody, or is not one.
func Issuer(response []byte) string {
	if len(response) > MaxResponse {
		return ""
	}
	root, err := parse(response, false)
	if err != nil || !is(root, nsProtocol, "Response") {
		return ""
	}
	from := root
	if a, err := optional(root, nsAssertion, "Assertion"); err == nil && a != nil {
		from = a
	}
	el, err := optional(from, nsAssertion, "Issuer")
	if err != nil || el == nil {
		return ""
	}
	s, _ := text(el)
	return s
}

func (p *Provider) validate(response []byte, e Expect) (*Assertion, *Error) {
	if len(response) > MaxResponse {
		return nil, refuse(Invalid, "the response is longer than %d bytes", MaxResponse)
	}
	if !p.validUntil.IsZero() && !e.Now.Before(p.validUntil) {
		return nil, refuse(Invalid, "the provider's metadata was valid until %s only", formatTime(p.validUntil))
	}
	root, err := parse(response, false)
	if err != nil {
		return nil, refuse(Invalid, "the response is refused: %v", err)
	}
	shape, refusal := readShape(root)
	if refusal != nil {
		return nil, refusal
	}
	signed, err := p.signedAssertion(shape)
	if err != nil {
		return nil, refuse(Invalid, "Response signature invalid: %v", err) // as AWS begins
	}
	if err := p.checkEnvelope(root, e); err != nil {
		return nil, refuse(Invalid, "the response is refused: %v", err)
	}
	return p.readAssertion(signed, e)
}

// shape is a response in which everything is where it belongs.
type shape struct {
	response, responseSignature   *etree.Element
	assertion, assertionSignature *etree.Element
}

// readShape insists on one Response with one Assertion in it, and on nothing
// anywhere else that could be taken for one of them or for a signature.
func readShape(root *etree.Element) (*shape, *Error) {
	if !is(root, nsProtocol, "Response") {
		return nil, refuse(Invalid, "the response is not a Response of SAML 2.0")
	}
	if err := checkStatus(root); err != nil {
		return nil, err
	}
	if len(children(root, nsAssertion, "EncryptedAssertion")) > 0 {
		return nil, refuse(Invalid, "the assertion is encrypted, which is not supported: have the provider send it signed and not encrypted")
	}
	s := &shape{response: root}
	var err error
	if s.assertion, err = single(root, nsAssertion, "Assertion"); err == nil {
		s.responseSignature, err = optional(root, nsSignature, "Signature")
	}
	if err == nil {
		s.assertionSignature, err = optional(s.assertion, nsSignature, "Signature")
	}
	if err == nil {
		err = s.nothingElse(root)
	}
	if err == nil && s.responseSignature == nil && s.assertionSignature == nil {
		err = errors.New("neither the Response nor the Assertion is signed")
	}
	if err != nil {
		return nil, refuse(Invalid, "the response is refused: %v", err)
	}
	return s, nil
}

// nothingElse looks for further responses, assertions and signatures, by their
// local names, as readers that do not care for namespaces would.
func (s *shape) nothingElse(el *etree.Element) error {
	switch el.Tag {
	case "Response", "Assertion", "EncryptedAssertion", "Signature":
		if el != s.response && el != s.assertion && el != s.responseSignature && el != s.assertionSignature {
			return errors.New("there is another " + el.Tag + " in it")
		}
	}
	for _, c := range el.ChildElements() {
		if err := s.nothingElse(c); err != nil {
			return err
		}
	}
	return nil
}

const statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"

var statusName = regexp.MustCompile(`^urn:oasis:names:tc:SAML:2\.0:status:([A-Za-z]{1,40})$`)

// checkStatus reads what the provider says of itself. Most do not sign it when
// they refuse; all that a liar gains is another word for the refusal.
func checkStatus(root *etree.Element) *Error {
	status, err := single(root, nsProtocol, "Status")
	if err != nil {
		return refuse(Invalid, "the response is refused: %v", err)
	}
	code, err := single(status, nsProtocol, "StatusCode")
	if err != nil {
		return refuse(Invalid, "the response is refused: %v", err)
	}
	v, _ := attribute(code, "Value")
	if v == statusSuccess {
		return nil
	}
	// The second level says more (saml-core-2.0 §3.2.2.2).
	if deeper := children(code, nsProtocol, "StatusCode"); len(deeper) == 1 {
		if d, _ := attribute(deeper[0], "Value"); statusName.MatchString(d) {
			v = d
		}
	}
	if m := statusName.FindStringSubmatch(v); m != nil {
		return refuse(Rejected, "the identity provider has not authenticated the user: %s", m[1])
	}
	return refuse(Rejected, "the identity provider has not authenticated the user")
}

// signedAssertion verifies all signatures and returns the assertion as it was
// signed, by itself or with the response.
func (p *Provider) signedAssertion(s *shape) (*etree.Element, error) {
	var assertion *etree.Element
	if s.assertionSignature != nil {
		var err error
		if assertion, err = p.verify(s.assertion, s.assertionSignature); err != nil {
			return nil, err
		}
	}
	if s.responseSignature != nil {
		response, err := p.verify(s.response, s.responseSignature)
		if err != nil {
			return nil, err
		}
		if assertion == nil {
			if assertion, err = single(response, nsAssertion, "Assertion"); err != nil {
				return nil, err
			}
		}
	}
	if assertion == nil || !is(assertion, nsAssertion, "Assertion") {
		return nil, errors.New("neither the Response nor the Assertion is signed")
	}
	return assertion, nil
}

// checkEnvelope looks at the Response, which need not be signed: it can only
// have the assertion refused.
func (p *Provider) checkEnvelope(root *etree.Element, e Expect) error {
	if v, _ := attribute(root, "Version"); v != "2.0" {
		return errors.New("its version is not 2.0")
	}
	issuer, err := optional(root, nsAssertion, "Issuer")
	if err != nil {
		return err
	}
	if issuer != nil {
		if s, _ := text(issuer); s != p.entityID {
			return errors.New("its Issuer is not the identity provider")
		}
	}
	if d, ok := attribute(root, "Destination"); ok && d != "" && !e.isRecipient(d) {
		return errors.New("its Destination is not here: " + plain(d))
	}
	id, ok := attribute(root, "InResponseTo")
	return e.checkRequest(id, ok, true)
}

func (e Expect) isRecipient(url string) bool { return e.Recipient != nil && e.Recipient(url) }

// checkRequest compares an InResponseTo with what was asked. An envelope may
// leave it out.
func (e Expect) checkRequest(id string, ok, envelope bool) error {
	switch {
	case e.Any:
		return nil
	case e.RequestID == "" && ok:
		return errors.New("it answers a request that was not made here")
	case e.RequestID == "", id == e.RequestID, envelope && !ok:
		return nil
	case !ok:
		return errors.New("it does not say that it answers the request that was made")
	}
	return errors.New("it answers another request than the one that was made")
}

// readAssertion reads a verified assertion and checks all its conditions.
func (p *Provider) readAssertion(el *etree.Element, e Expect) (*Assertion, *Error) {
	a := &Assertion{Issuer: p.entityID}
	a.ID, _ = attribute(el, "ID")
	if v, _ := attribute(el, "Version"); v != "2.0" || a.ID == "" {
		return nil, refuse(Invalid, "the assertion is not one of SAML 2.0")
	}
	issuer, err := single(el, nsAssertion, "Issuer")
	if err != nil {
		return nil, refuse(Invalid, "%v", err)
	}
	if s, _ := text(issuer); s != p.entityID {
		return nil, refuse(Invalid, "the Issuer of the assertion is not the identity provider")
	}
	if err := a.readAge(el, e.Now); err != nil {
		return nil, err
	}
	if err := a.readConditions(el, e); err != nil {
		return nil, err
	}
	if err := a.readSubject(el, e); err != nil {
		return nil, err
	}
	if err := a.readAuthentication(el, e.Now); err != nil {
		return nil, err
	}
	if err := a.readAttributes(el); err != nil {
		return nil, err
	}
	return a, nil
}

// readAge refuses an assertion that was not made just now.
func (a *Assertion) readAge(el *etree.Element, now time.Time) *Error {
	made, ok, err := timeAttribute(el, "IssueInstant")
	if err != nil || !ok {
		return refuse(Invalid, "the assertion has no IssueInstant")
	}
	if made.After(now.Add(Skew)) {
		return refuse(Expired, "the assertion was issued in the future, at %s", formatTime(made))
	}
	a.Expires = made.Add(MaxAge)
	if !now.Before(a.Expires) {
		return refuse(Expired, "the assertion must be redeemed within %d minutes of issuance, which was at %s",
			int(MaxAge.Minutes()), formatTime(made))
	}
	return nil
}

// window checks NotBefore and NotOnOrAfter, and notes when they end.
func (a *Assertion) window(el *etree.Element, now time.Time) *Error {
	from, ok, err := timeAttribute(el, "NotBefore")
	if err != nil {
		return err
	}
	if ok && from.After(now.Add(Skew)) {
		return refuse(Expired, "%s is not valid before %s", el.Tag, formatTime(from))
	}
	to, ok, err := timeAttribute(el, "NotOnOrAfter")
	if err != nil || !ok {
		return err
	}
	to = to.Add(Skew)
	if !now.Before(to) {
		return refuse(Expired, "%s was valid until %s only", el.Tag, formatTime(to.Add(-Skew)))
	}
	if to.Before(a.Expires) {
		a.Expires = to
	}
	return nil
}

// readConditions checks all of them: one that is not known must have the
// assertion refused (saml-core-2.0 §2.5.1).
func (a *Assertion) readConditions(el *etree.Element, e Expect) *Error {
	conditions, err := single(el, nsAssertion, "Conditions")
	if err != nil {
		return refuse(Invalid, "%v", err)
	}
	if err := a.window(conditions, e.Now); err != nil {
		return err
	}
	restricted := false
	for _, c := range conditions.ChildElements() {
		switch {
		case is(c, nsAssertion, "AudienceRestriction"):
			restricted = true
			if err := a.readAudience(c, e); err != nil {
				return err
			}
		case is(c, nsAssertion, "OneTimeUse"), is(c, nsAssertion, "ProxyRestriction"):
			// The first is what we do, the second is not for us.
		default:
			return refuse(Invalid, "the assertion has a condition that is not known: %s", plain(c.Tag))
		}
	}
	if !restricted {
		return refuse(Invalid, "the assertion has no AudienceRestriction")
	}
	return nil
}

// readAudience wants one of the audiences in each restriction
// (saml-core-2.0 §2.5.1.4).
func (a *Assertion) readAudience(el *etree.Element, e Expect) *Error {
	named := ""
	for _, au := range children(el, nsAssertion, "Audience") {
		s, _ := text(au)
		if contains(e.Audiences, s) {
			a.Audience = s
			return nil
		}
		named = s
	}
	return refuse(Invalid, "the assertion is meant for another audience: %s", plain(named))
}

const confirmedByBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer" //nolint:gosec // a name, no secret

// readSubject wants one confirmation by bearer that holds
// (saml-profiles-2.0 §4.1.4.2).
func (a *Assertion) readSubject(el *etree.Element, e Expect) *Error {
	subject, err := single(el, nsAssertion, "Subject")
	if err != nil {
		return refuse(Invalid, "%v", err)
	}
	if len(children(subject, nsAssertion, "EncryptedID")) > 0 {
		return refuse(Invalid, "the assertion has an EncryptedID; encryption is not supported")
	}
	id, err := single(subject, nsAssertion, "NameID")
	if err != nil {
		return refuse(Invalid, "%v", err)
	}
	var ok bool
	if a.Subject, ok = text(id); !ok || a.Subject == "" {
		return refuse(Invalid, "the NameID is empty")
	}
	format, _ := attribute(id, "Format")
	a.SubjectType = subjectType(format)
	refusal := refuse(Invalid, "the assertion has no SubjectConfirmation by bearer")
	for _, c := range children(subject, nsAssertion, "SubjectConfirmation") {
		if m, _ := attribute(c, "Method"); m != confirmedByBearer {
			continue
		}
		if refusal = a.confirm(c, e); refusal == nil {
			return nil
		}
	}
	return refusal
}

func (a *Assertion) confirm(el *etree.Element, e Expect) *Error {
	data, err := single(el, nsAssertion, "SubjectConfirmationData")
	if err != nil {
		return refuse(Invalid, "%v", err)
	}
	recipient, _ := attribute(data, "Recipient")
	if !e.isRecipient(recipient) {
		return refuse(Invalid, "the assertion is meant for another recipient: %s", plain(recipient))
	}
	if _, ok := attribute(data, "NotOnOrAfter"); !ok {
		return refuse(Invalid, "SubjectConfirmationData has no NotOnOrAfter")
	}
	id, ok := attribute(data, "InResponseTo")
	if err := e.checkRequest(id, ok, false); err != nil {
		return refuse(Invalid, "the assertion is refused: %v", err)
	}
	if err := a.window(data, e.Now); err != nil {
		return err
	}
	a.Recipient = recipient
	return nil
}

// readAuthentication wants at least one AuthnStatement, and notes when the first
// of the provider's sessions ends.
func (a *Assertion) readAuthentication(el *etree.Element, now time.Time) *Error {
	statements := children(el, nsAssertion, "AuthnStatement")
	if len(statements) == 0 {
		return refuse(Invalid, "the assertion has no AuthnStatement")
	}
	for _, s := range statements {
		end, ok, err := timeAttribute(s, "SessionNotOnOrAfter")
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if !now.Before(end) {
			return refuse(Expired, "the session at the identity provider ended at %s", formatTime(end))
		}
		if a.SessionNotOnOrAfter.IsZero() || end.Before(a.SessionNotOnOrAfter) {
			a.SessionNotOnOrAfter = end
		}
	}
	return nil
}

func timeAttribute(el *etree.Element, name string) (time.Time, bool, *Error) {
	v, ok := attribute(el, name)
	if !ok {
		return time.Time{}, false, nil
	}
	t, err := parseTime(v)
	if err != nil {
		return time.Time{}, false, refuse(Invalid, "%s of %s is not a time", name, el.Tag)
	}
	return t, true, nil
}
