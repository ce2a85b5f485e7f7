package login

import (
	"net/http"
	"strconv"
	"time"

	"ringdown/internal/signin"
)

// saying is how a reason not to let somebody in is told: what it is, and what to
// do.
type saying struct {
	status int
	title  string
	text   string
}

var sayings = map[signin.Reason]saying{
	signin.WrongCredentials: {
		http.StatusUnauthorized, "The user name or the password is wrong",
		"Check both and try again.",
	},
	signin.TooMany: {
		http.StatusTooManyRequests, "Too many attempts",
		"", // tooMany has it
	},
	signin.DirectoryDown: {
		http.StatusBadGateway, "The directory cannot be reached",
		"Nobody can sign in at the moment. Try again in a few minutes.",
	},
	signin.ProviderDown: {
		http.StatusBadGateway, "The identity provider cannot be reached",
		"Signing in by way of your organisation does not work at the moment. Try again in a few minutes; if that does not help, tell whoever looks after your contact centre.",
	},
	signin.FromHere: {
		http.StatusForbidden, "Signing in is not allowed from here",
		"This contact centre lets people in from certain networks only. Use one of those, such as that of your office or its VPN, or ask whoever looks after your contact centre.",
	},
	signin.OtherDoor: {
		http.StatusForbidden, "People sign in to this contact centre in another way",
		"Go to its sign-in page and begin there.",
	},
	signin.NotAccepted: {
		http.StatusForbidden, "The answer of the identity provider was not accepted",
		"It may have been too old, or used before. Sign in again; if that does not help, tell whoever looks after your contact centre.",
	},
	signin.NoSuchUser: {
		http.StatusForbidden, "You are not a user of this contact centre",
		"The identity provider knows you, but there is no user of your name here, or you may not sign in. Ask whoever looks after your contact centre to add you.",
	},
	signin.BoundToOther: {
		http.StatusForbidden, "This user belongs to another identity",
		"Somebody has signed in as this user in another way before. Use that way, or ask whoever looks after your contact centre.",
	},
	signin.LinkUsed: {
		http.StatusBadRequest, "This link no longer works",
		"It has been used, or is too old. Ask for a new one.",
	},
	signin.WeakPassword: {
		http.StatusBadRequest, "The new password does not follow the rules",
		"Choose one that follows those below.",
	},
	signin.SamePassword: {
		http.StatusBadRequest, "The new password is the old one",
		"Choose another that you have not used here before.",
	},
}

// refused is the page about a refusal.
func (v *visit) refused(r *signin.Refusal) *notice {
	s, ok := sayings[r.Reason]
	if !ok {
		s = saying{http.StatusForbidden, "You cannot sign in", "Ask whoever looks after your contact centre."}
	}
	if r.Reason == signin.TooMany {
		s.text = v.tooMany(r.Wait)
	}
	n := &notice{status: s.status, title: s.title, text: []string{s.text}}
	if v.in != nil {
		n.links = []link{{signin.Root(v.in) + "?choose", "Go to the sign-in page"}}
	}
	return n
}

// problem is a refusal above a form, about one of its inputs.
func (v *visit) problem(r *signin.Refusal, field string) (int, *problem) {
	n := v.refused(r)
	return n.status, &problem{Title: n.title, Text: n.text[0], Field: field}
}

// tooMany says how long to wait, to people and to programs (RFC 9110 §10.2.3).
func (v *visit) tooMany(wait time.Duration) string {
	seconds := max(int((wait+time.Second-1)/time.Second), 1)
	v.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return "Wait " + words(wait) + ". Until then, even the right password is refused."
}
