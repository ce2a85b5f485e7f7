package sip

import (
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// leastNational is how many digits a number has at least that lacks its country
// code; shorter ones are extensions and services (112), which are the same
// everywhere.
const leastNational = 7

// mostDigits is how many digits a number has at most (E.164 §6.1).
const mostDigits = 15

// number is E.164 with a plus sign for a telephone number that came from the
// trunk, as Numbers tells; anything else stays as it came. What came is the user
// part of a SIP URI, or a tel: URI without its scheme (RFC 3966), the parameters of
// either included.
func (t *Trunk) number(user string) string {
	name, digits, global := dialled(user)
	if digits == "" {
		return name
	}
	if global {
		return "+" + digits
	}
	n := t.Numbers
	if n.Country == "" && !n.Bare {
		return name
	}
	// Prefixes of international numbers: 00 as recommended by E.164, 011 in North
	// America.
	rest, international := strings.CutPrefix(digits, "00")
	if !international && n.Country == "1" && len(digits) > 11 {
		rest, international = strings.CutPrefix(digits, "011")
	}
	if international {
		if len(rest) < leastNational || rest[0] == '0' {
			return name
		}
		return "+" + rest
	}
	if len(digits) < leastNational {
		return name
	}
	if n.National != "" && n.Country != "" {
		// Where national numbers are marked as such, one that is not marked and
		// begins with the country code has it already.
		if rest, ok := strings.CutPrefix(digits, n.National); ok && len(rest) >= leastNational-1 {
			return complete(name, n.Country+rest)
		}
		if rest, ok := strings.CutPrefix(digits, n.Country); ok && len(rest) >= leastNational {
			return complete(name, digits)
		}
	}
	switch {
	case n.Bare:
		return complete(name, digits)
	case n.Country == "1" && len(digits) == 11 && digits[0] == '1':
		return "+" + digits // 1 is the national prefix and the country code alike
	default:
		return complete(name, n.Country+digits)
	}
}

// complete writes a number with its country code, if it can be one.
func complete(name, digits string) string {
	if len(digits) > mostDigits || digits[0] == '0' {
		return name
	}
	return "+" + digits
}

// dialled takes what came apart: its name without parameters and escapes, the
// digits if it is a telephone number, and whether they are complete (with a plus
// sign, or a phone-context that makes them so; RFC 3966 §5.1.4).
func dialled(user string) (name, digits string, global bool) {
	name, params, _ := strings.Cut(user, ";")
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	global = strings.HasPrefix(name, "+")
	digits, ok := digitsOf(strings.TrimPrefix(name, "+"))
	if !ok {
		return name, "", false
	}
	for p := range strings.SplitSeq(params, ";") {
		key, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(key, "phone-context") || global {
			continue
		}
		if context, ok := strings.CutPrefix(value, "+"); ok {
			if c, ok := digitsOf(context); ok && len(c)+len(digits) <= mostDigits {
				return name, c + digits, true
			}
		}
	}
	if global && (len(digits) > mostDigits || digits[0] == '0') {
		return name, "", false
	}
	return name, digits, global
}

// digitsOf are the digits of a number without the separators that are only for the
// eye (RFC 3966 §5.1.1, and the space of human writing).
func digitsOf(s string) (string, bool) {
	digits := make([]byte, 0, 20)
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits = append(digits, c)
		case c == '-' || c == '.' || c == '(' || c == ')' || c == ' ':
		default:
			return "", false
		}
	}
	return string(digits), len(digits) > 0
}

// user is how the trunk writes a number, or a user name, in the user part of a URI:
// what may not stand there is escaped (RFC 3261 §25.1).
func (t *Trunk) user(number string) string {
	if t.Numbers.Bare {
		if rest, ok := strings.CutPrefix(number, "+"); ok {
			if _, ok := digitsOf(rest); ok {
				number = rest
			}
		}
	}
	return escapeUser(number)
}

func escapeUser(s string) string {
	// mark and user-unreserved, without the semicolon, which begins parameters for
	// some, and the slash, which two of at the beginning are left out by others
	const plain = "-_.!~*'()&=+$,?"
	clean := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(plain, c) >= 0
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; clean(c) {
			b.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// callerID is the number that a call from a number shows, or that it shows none.
func (t *Trunk) callerID(from string) (show string, anonymous bool) {
	if from == "" {
		return "", true
	}
	if t.CallerID.Allowed == nil {
		return from, false
	}
	number := t.number(from)
	for _, a := range t.CallerID.Allowed {
		if prefix, ok := strings.CutSuffix(a, "*"); ok {
			if strings.HasPrefix(number, prefix) || strings.HasPrefix(from, prefix) {
				return from, false
			}
		} else if t.number(a) == number {
			return from, false
		}
	}
	return t.CallerID.Default, t.CallerID.Default == ""
}

// identify makes the From of a call out, without its tag, and the header fields
// beside it: P-Asserted-Identity, and Privacy for a caller who hides (RFC 3323 §4.1,
// RFC 3325 §9.1). Host is that of this side.
func (t *Trunk) identify(from, name, host string) (*sip.FromHeader, []sip.Header) {
	show, anonymous := t.callerID(from)
	h := &sip.FromHeader{
		DisplayName: display(name),
		Address:     sip.Uri{Scheme: "sip", User: t.user(show), Host: host},
	}
	if !anonymous {
		if !t.CallerID.Asserted {
			return h, nil
		}
		return h, []sip.Header{sip.NewHeader("P-Asserted-Identity", "<"+h.Address.String()+">")}
	}
	h.DisplayName = "Anonymous"
	h.Address = sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}
	others := []sip.Header{sip.NewHeader("Privacy", "id")}
	if t.CallerID.Asserted && t.CallerID.Default != "" {
		// Whose call it is stays between this side and the trunk.
		u := sip.Uri{Scheme: "sip", User: t.user(t.CallerID.Default), Host: host}
		others = append(others, sip.NewHeader("P-Asserted-Identity", "<"+u.String()+">"))
	}
	return h, others
}

// display is a display name that can stand between quotes.
func display(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '"' || r == '\\' || r == 0x7F {
			return -1
		}
		return r
	}, name)
}

// caller is who calls: what the trunk asserts before what the caller says of itself
// (RFC 3325 §9.2, a trunk being trusted by definition), both empty for one who
// hides.
func (t *Trunk) caller(req *sip.Request) (number, name string) {
	from := req.From()
	if from == nil || hides(req) {
		return "", ""
	}
	for _, h := range req.GetHeaders("P-Asserted-Identity") {
		for value := range wire.Addresses(h.Value()) {
			var u sip.Uri
			var params sip.HeaderParams
			shown, err := sip.ParseAddressValue(value, &u, &params)
			if err != nil || userOf(&u) == "" || anonymousURI(&u) {
				continue
			}
			if shown == "" {
				shown = from.DisplayName
			}
			return t.number(userOf(&u)), shown
		}
	}
	return t.number(userOf(&from.Address)), from.DisplayName
}

// hides tells whether a caller wants to stay unknown: by Privacy (RFC 3323 §4.2,
// RFC 3325 §9.3) or by an anonymous From.
func hides(req *sip.Request) bool {
	for _, h := range req.GetHeaders("Privacy") {
		for value := range strings.FieldsFuncSeq(h.Value(), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			switch strings.ToLower(value) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return anonymousURI(&req.From().Address)
}

func anonymousURI(u *sip.Uri) bool {
	return strings.EqualFold(u.Host, "anonymous.invalid") || strings.EqualFold(u.User, "anonymous")
}

// called is who is called. Where this side has registered, the request URI may be
// the contact of the registration and tell nothing; then it is P-Called-Party-ID
// (RFC 7315 §4.2) or To.
func (t *Trunk) called(req *sip.Request) string {
	user := userOf(&req.Recipient)
	number := t.number(user)
	own := user == "" || t.Register && (user == t.identity() || user == contactUser)
	if _, digits, _ := dialled(user); digits != "" && !own {
		return number
	}
	for _, h := range req.GetHeaders("P-Called-Party-ID") {
		var u sip.Uri
		var params sip.HeaderParams
		if _, err := sip.ParseAddressValue(h.Value(), &u, &params); err == nil && userOf(&u) != "" {
			return t.number(userOf(&u))
		}
	}
	if to := req.To(); to != nil {
		name := userOf(&to.Address)
		if _, digits, _ := dialled(name); digits != "" || own && name != "" {
			return t.number(name)
		}
	}
	return number
}

// contactUser is the user name of this side's contacts, which says nothing.
const contactUser = "ringdown"

// userOf is the user part of a SIP URI, or the number of a tel: URI with its
// parameters.
func userOf(u *sip.Uri) string {
	if strings.EqualFold(u.Scheme, "tel") {
		return u.Raw()
	}
	return u.User
}
