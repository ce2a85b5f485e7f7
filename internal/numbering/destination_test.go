package numbering

import (
	"strings"
	"testing"
)

func TestDestinations(t *testing.T) {
	aws := Destinations{Regions: true}
	for what, tc := range map[string]struct {
		to             Destinations
		region, number string
		want           string
	}{
		"anywhere":                      {Destinations{}, "us-east-1", "+41446681800", ""},
		"at home":                       {aws, "us-east-1", "+12065550100", ""},
		"a neighbour":                   {aws, "ca-central-1", "+525512345678", ""},
		"an island with a code of ours": {aws, "us-east-1", "+17872345678", ""},
		"another island":                {aws, "us-east-1", "+18762345678", "numbers in JM"},
		"abroad":                        {aws, "us-east-1", "+41446681800", "numbers in CH"},
		"a mobile":                      {aws, "eu-west-2", "+447400123456", "numbers that begin with +447"},
		"the region's own":              {aws, "ap-northeast-1", "+81312345678", ""},
		"its mobiles":                   {aws, "ap-northeast-1", "+819012345678", "numbers that begin with +8190"},
		"not the region's":              {aws, "ap-northeast-1", "+442079460018", "numbers in GB"},
		"no country's":                  {aws, "us-east-1", "+80012345678", "numbers of no country"},
		"one country":                   {Destinations{Countries: []string{"CH"}, Regions: true}, "us-east-1", "+41446681800", ""},
		"that country alone":            {Destinations{Countries: []string{"CH"}, Regions: true}, "us-east-1", "+12065550100", "numbers in US"},
		"no country at all":             {Destinations{Countries: []string{}}, "us-east-1", "+12065550100", "numbers in US"},
		"a prefix":                      {Destinations{Blocked: []string{"+1900"}}, "us-east-1", "+19005550100", "numbers that begin with +1900"},
		"beside the prefix":             {Destinations{Blocked: []string{"+1900"}}, "us-east-1", "+12065550100", ""},
	} {
		t.Run(what, func(t *testing.T) {
			if got := tc.to.Refused(tc.region, tc.number); got != tc.want {
				t.Errorf("calls to %s from %s: refused %q, want %q", tc.number, tc.region, got, tc.want)
			}
		})
	}
}

func TestNewDestinations(t *testing.T) {
	for _, tc := range []struct {
		countries, blocked []string
		want               string
	}{
		{[]string{"US", "GB"}, []string{"+447", "+1"}, ""},
		{[]string{"US", "UK"}, nil, "countries[1]"},
		{[]string{"us"}, nil, "countries[0]"},
		{nil, []string{"+1", "447"}, "blocked-prefixes[1]"},
		{nil, []string{"+"}, "blocked-prefixes[0]"},
		{nil, []string{"+44 7"}, "blocked-prefixes[0]"},
	} {
		_, err := NewDestinations(tc.countries, tc.blocked)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q, %q: error %v, want one about %q", tc.countries, tc.blocked, err, tc.want)
		}
	}
}
