package domain

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The longest names of a user (service model, AgentFirstName and AgentLastName).
const (
	maxFirstName = 255
	maxLastName  = 300
)

// Completed is who a user is by what was said of it and, where nothing was, by
// what a directory says of it. Names of a directory are taken in normalization
// form C; what the API would not take is left out.
func (i *IdentityInfo) Completed(firstName, lastName, email string) *IdentityInfo {
	all := IdentityInfo{}
	if i != nil {
		all = *i
	}
	if s := norm.NFC.String(firstName); all.FirstName == "" && utf8.RuneCountInString(s) <= maxFirstName {
		all.FirstName = s
	}
	if s := norm.NFC.String(lastName); all.LastName == "" && utf8.RuneCountInString(s) <= maxLastName {
		all.LastName = s
	}
	if all.Email == "" && (&IdentityInfo{Email: email}).check() == nil {
		all.Email = email
	}
	return &all
}
