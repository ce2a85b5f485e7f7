package domain

import (
	"strings"
	"testing"
)

func TestCompleted(t *testing.T) {
	long := strings.Repeat("x", 301)
	for what, c := range map[string]struct {
		said               *IdentityInfo
		first, last, email string
		want               IdentityInfo
	}{
		"nothing said":       {nil, "Mary", "Major", "mary@example.org", IdentityInfo{FirstName: "Mary", LastName: "Major", Email: "mary@example.org"}},
		"nothing known":      {nil, "", "", "", IdentityInfo{}},
		"all said":           {&IdentityInfo{FirstName: "M", LastName: "M", Email: "m@example.org", Mobile: "+15550100"}, "Mary", "Major", "mary@example.org", IdentityInfo{FirstName: "M", LastName: "M", Email: "m@example.org", Mobile: "+15550100"}},
		"one said":           {&IdentityInfo{LastName: "Minor", SecondaryEmail: "m@example.org"}, "Mary", "Major", "", IdentityInfo{FirstName: "Mary", LastName: "Minor", SecondaryEmail: "m@example.org"}},
		"decomposed":         {nil, "Zoe\u0308", "O\u0301 Ne\u0301ill", "", IdentityInfo{FirstName: "Zo\u00eb", LastName: "\u00d3 N\u00e9ill"}},
		"too long":           {nil, long, long, "", IdentityInfo{}},
		"longest":            {nil, long[:255], long[:300], "", IdentityInfo{FirstName: long[:255], LastName: long[:300]}},
		"no address":         {nil, "Mary", "Major", "room 5", IdentityInfo{FirstName: "Mary", LastName: "Major"}},
		"decomposed address": {nil, "", "", "zoe\u0308@example.org", IdentityInfo{}},
	} {
		t.Run(what, func(t *testing.T) {
			got := c.said.Completed(c.first, c.last, c.email)
			if *got != c.want {
				t.Errorf("got %+v, want %+v", *got, c.want)
			}
			if err := (&User{IdentityInfo: got}).Check(); err != nil {
				t.Errorf("it is not taken: %v", err)
			}
		})
	}
}
