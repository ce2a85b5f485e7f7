package numbering

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Destinations are the numbers that may be called. The zero value allows all.
type Destinations struct {
	// Countries are the two letters of those that may be called (ISO 3166-1); nil:
	// all.
	Countries []string
	// Blocked are prefixes, with their plus sign, that may not be called though
	// their country may.
	Blocked []string
	// Regions has those of AWS, by the region that a call is placed from, where
	// Countries is nil.
	Regions bool
}

// NewDestinations checks the lists. An error names the entry, by its place from 0
// on.
func NewDestinations(countries, blocked []string) (Destinations, error) {
	known := phonenumbers.GetSupportedRegions()
	for i, c := range countries {
		if !known[c] {
			return Destinations{}, fmt.Errorf("countries[%d]: %q is no country: two capital letters, such as US or GB", i, c)
		}
	}
	for i, p := range blocked {
		if digits, plus := strings.CutPrefix(p, "+"); !plus || digits == "" || strings.Trim(digits, "0123456789") != "" {
			return Destinations{}, fmt.Errorf("blocked-prefixes[%d]: %q is no prefix: a plus sign and digits, such as +447", i, p)
		}
	}
	return Destinations{Countries: countries, Blocked: blocked}, nil
}

// The countries that AWS lets new instances call, by region, and the prefixes
// that it does not (administrator guide, "Countries that call centers using
// Amazon Connect can call by default").
var (
	americanCountries = []string{"US", "CA", "MX", "PR", "GB"}
	regionCountries   = map[string][]string{
		"eu-central-1":   {"GB", "IT", "FR", "IE", "US"},
		"eu-west-2":      {"GB", "IT", "FR", "IE", "US"},
		"ap-southeast-2": {"AU", "NZ", "PH", "US"},
		"ap-southeast-1": {"SG", "AU", "HK", "US", "GB"},
		"ap-northeast-1": {"JP", "VN", "US"},
		"ap-northeast-2": {"KR", "GB", "US"},
		"af-south-1":     {"ZA", "GB", "US"},
	}
	regionBlocked = []string{"+447", "+44111", "+44118", "+44119", "+448", "+44826", "+449", "+8170", "+8180", "+8190"}
)

// Refused says why a number, E.164, may not be called from a region, "" when it
// may. It reads on after "to": "numbers in CH".
func (d Destinations) Refused(region, number string) string {
	countries, blocked := d.Countries, d.Blocked
	if countries == nil && d.Regions {
		countries, blocked = regionCountries[region], append(slices.Clone(blocked), regionBlocked...)
		if countries == nil {
			countries = americanCountries
		}
	}
	for _, p := range blocked {
		if strings.HasPrefix(number, p) {
			return "numbers that begin with " + p
		}
	}
	if countries == nil {
		return ""
	}
	if c := countryOf(number); !slices.Contains(countries, c) {
		if c == "" {
			return "numbers of no country"
		}
		return "numbers in " + c
	}
	return ""
}

// countryOf is the country that a number belongs to, "" for none. Where countries
// share a code and the number does not tell, it is the code's main country.
func countryOf(number string) string {
	p, err := phonenumbers.Parse(number, "")
	if err != nil {
		return ""
	}
	if c := phonenumbers.GetRegionCodeForNumber(p); c != "" && c != "ZZ" && c != "001" {
		return c
	}
	if c := phonenumbers.GetRegionCodeForCountryCode(int(p.GetCountryCode())); c != "ZZ" && c != "001" {
		return c
	}
	return ""
}
