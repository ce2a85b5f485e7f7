package numbering

import (
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/nyaruka/phonenumbers"

	"ringdown/internal/domain"
)

// Stock is made up: for each country and type the same numbers at every start,
// of the form that the country's numbering plan gives them. Where a country has
// set numbers aside for fiction, they are those; elsewhere they are the
// neighbours of the plan's example. None is ever called through a network that
// the operator has not connected.
type Stock struct{}

// block is a run of numbers: a prefix with its plus sign, and all there is of
// some more digits.
type block struct {
	prefix string
	digits int
}

// fiction is what countries have set aside for drama and examples. Those of
// North America are found by northAmerica: 555-0100 to 555-0199 in every area
// (ATIS-0300115), and behind each freephone code.
var fiction = map[types.PhoneNumberCountryCode]map[types.PhoneNumberType][]block{
	// Ofcom, "Telephone numbers for use in TV and radio drama programmes".
	"GB": {
		types.PhoneNumberTypeDid: {
			{"+441134960", 3},
			{"+441144960", 3},
			{"+441154960", 3},
			{"+441164960", 3},
			{"+441174960", 3},
			{"+441184960", 3},
			{"+441214960", 3},
			{"+441314960", 3},
			{"+441414960", 3},
			{"+441514960", 3},
			{"+441614960", 3},
			{"+441632960", 3},
			{"+441914980", 3},
			{"+442079460", 3},
			{"+442896496", 3},
			{"+442920180", 3},
		},
		types.PhoneNumberTypeTollFree: {{"+448081570", 3}},
	},
	// Bundesnetzagentur, "Rufnummern für Filmproduktionen".
	"DE": {types.PhoneNumberTypeDid: {
		{"+492214710", 3}, {"+493023125", 3}, {"+494066969", 3}, {"+496990009", 3}, {"+498999998", 3},
	}},
	// Arcep, plan national de numérotation, numbers for audiovisual works.
	"FR": {types.PhoneNumberTypeDid: {
		{"+3319900", 4}, {"+3326191", 4}, {"+3335301", 4}, {"+3346571", 4}, {"+3353649", 4},
	}},
	// ACMA, "Phone numbers for use in TV shows, films and creative works".
	"AU": {types.PhoneNumberTypeDid: {
		{"+6125550", 4},
		{"+6127010", 4},
		{"+6135550", 4},
		{"+6137010", 4},
		{"+6175550", 4},
		{"+6177010", 4},
		{"+6185550", 4},
		{"+6187010", 4},
	}},
	// ComReg, National Numbering Scheme, numbers for drama.
	"IE": {types.PhoneNumberTypeDid: {{"+3532091", 5}}},
	// PTS, "Telefonnummer för användning i böcker och filmer".
	"SE": {types.PhoneNumberTypeDid: {{"+463139006", 2}, {"+464062804", 2}, {"+468465004", 2}, {"+46980319", 3}}},
}

// northAmerica is the fictitious numbers of the countries under +1.
var northAmerica = sync.OnceValue(func() map[types.PhoneNumberCountryCode]map[types.PhoneNumberType][]block {
	all := map[types.PhoneNumberCountryCode]map[types.PhoneNumberType][]block{}
	for area := 200; area < 1000; area++ {
		b := block{fmt.Sprintf("+1%d55501", area), 2}
		p, err := phonenumbers.Parse(b.prefix+"00", "")
		if err != nil || !phonenumbers.IsValidNumber(p) {
			continue
		}
		n, err := Parse(b.prefix + "00")
		if err != nil {
			continue
		}
		// Freephone codes are those of all North America; two are dealt out to
		// Canada, for a number to have one country.
		if n.Type == types.PhoneNumberTypeTollFree && (area == 833 || area == 844) {
			n.Country = types.PhoneNumberCountryCodeCa
		}
		if all[n.Country] == nil {
			all[n.Country] = map[types.PhoneNumberType][]block{}
		}
		all[n.Country][n.Type] = append(all[n.Country][n.Type], b)
	}
	return all
})

// blocks are the numbers of a country and type, in ascending order. Sure says
// that they are all of that country and type, and need not be looked at.
func blocks(country types.PhoneNumberCountryCode, kind types.PhoneNumberType) (list []block, sure bool) {
	if kind == types.PhoneNumberTypeUifn {
		return []block{{uifnPrefix(country), 3}}, true
	}
	if list := northAmerica()[country][kind]; list != nil {
		return list, true
	}
	if list := fiction[country][kind]; list != nil {
		return list, true
	}
	planned, ok := map[types.PhoneNumberType]phonenumbers.PhoneNumberType{
		types.PhoneNumberTypeDid:      phonenumbers.FIXED_LINE,
		types.PhoneNumberTypeTollFree: phonenumbers.TOLL_FREE,
		types.PhoneNumberTypeShared:   phonenumbers.SHARED_COST,
	}[kind]
	if !ok {
		return nil, true // short codes and numbers of third parties are imported
	}
	example := phonenumbers.GetExampleNumberForType(string(country), planned)
	if example == nil {
		return nil, true
	}
	const vary = 3
	number := phonenumbers.Format(example, phonenumbers.E164)
	return []block{{number[:len(number)-vary], vary}}, false
}

// uifnPrefix is where a country's Universal International Freephone Numbers
// begin: such numbers belong to no country, but those that are claimed do, so
// each country has numbers of its own.
func uifnPrefix(country types.PhoneNumberCountryCode) string {
	return fmt.Sprintf("+%d%03d00", uifn, uifnFirst+slices.Index(countries(), country))
}

const uifnFirst = 100

// uifnCountry is the country of a number under +800: the United States' where
// it is none of the stock, for it has to have one.
func uifnCountry(number string) types.PhoneNumberCountryCode {
	for _, c := range countries() {
		if strings.HasPrefix(number, uifnPrefix(c)) {
			return c
		}
	}
	return types.PhoneNumberCountryCodeUs
}

// countries are those that the API knows, in a fixed order.
var countries = sync.OnceValue(func() []types.PhoneNumberCountryCode {
	all := types.PhoneNumberCountryCode("").Values()
	slices.Sort(all)
	return all
})

// Find returns the numbers of a country and type that begin with a prefix and
// come after a number, in ascending order.
func (Stock) Find(country types.PhoneNumberCountryCode, kind types.PhoneNumberType, prefix, after string) iter.Seq[domain.AvailableNumber] {
	return func(yield func(domain.AvailableNumber) bool) {
		list, sure := blocks(country, kind)
		for _, b := range list {
			for n := range b.numbers(prefix, after) {
				if (sure || planned(n, country, kind)) && !yield(domain.AvailableNumber{E164: n, Country: country, Type: kind}) {
					return
				}
			}
		}
	}
}

// numbers are those of a block that begin with a prefix and come after a
// number, in ascending order.
func (b block) numbers(prefix, after string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !strings.HasPrefix(b.prefix, prefix) && !strings.HasPrefix(prefix, b.prefix) || b.prefix+strings.Repeat("9", b.digits) <= after {
			return
		}
		end := 1
		for range b.digits {
			end *= 10
		}
		for i := range end {
			n := fmt.Sprintf("%s%0*d", b.prefix, b.digits, i)
			if n > after && strings.HasPrefix(n, prefix) && !yield(n) {
				return
			}
		}
	}
}

// planned reports whether the numbering plan gives a number to the country and
// the type. Countries that share a country code share freephone numbers too:
// these are the first one's.
func planned(number string, country types.PhoneNumberCountryCode, kind types.PhoneNumberType) bool {
	p, err := phonenumbers.Parse(number, "")
	if err != nil || !phonenumbers.IsValidNumber(p) {
		return false
	}
	n, err := Parse(number)
	return err == nil && n.Country == country && n.Type == kind
}

// Lookup returns a number, and whether there is one.
func (s Stock) Lookup(number string) (domain.AvailableNumber, bool) {
	n, err := Parse(number)
	if err != nil {
		return domain.AvailableNumber{}, false
	}
	for _, country := range []types.PhoneNumberCountryCode{n.Country, types.PhoneNumberCountryCodeCa} {
		for found := range s.Find(country, n.Type, number, "") {
			if found.E164 == number {
				return found, true
			}
		}
	}
	return domain.AvailableNumber{}, false
}

// Imported returns the number that an ARN of another service ends with, as
// …:phone-number/12065550100. What else an ARN ends with stands for a
// fictitious number, always the same one.
func (Stock) Imported(arn string) (domain.AvailableNumber, bool) {
	id := importedID(arn)
	if id == "" {
		return domain.AvailableNumber{}, false
	}
	n, err := Parse("+" + id)
	if err != nil {
		h := fnv.New32a()
		_, _ = h.Write([]byte(id)) // which cannot fail
		list := northAmerica()[types.PhoneNumberCountryCodeUs][types.PhoneNumberTypeDid]
		at := h.Sum32()
		b := list[at%uint32(len(list))]
		n = domain.AvailableNumber{
			E164:    fmt.Sprintf("%s%02d", b.prefix, at/uint32(len(list))%100),
			Country: types.PhoneNumberCountryCodeUs, Type: types.PhoneNumberTypeDid,
		}
	}
	n.Type = thirdParty(n.Type)
	return n, true
}
