// Package numbering knows which phone numbers there are to claim: those of the
// operator's inventory or, without one, a plausible stock for each country and
// type. It wraps github.com/nyaruka/phonenumbers, so that no other package
// needs to know a numbering plan.
//
// It is safe for concurrent use: what it holds never changes.
package numbering

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/nyaruka/phonenumbers"

	"ringdown/internal/domain"
)

// Entry is a number of an inventory as the operator writes it.
type Entry struct {
	Number string // E.164, with its plus sign
	Type   string // a types.PhoneNumberType; empty: DID
}

// Inventory is the numbers that the operator has.
type Inventory struct {
	numbers []domain.AvailableNumber // by E164
}

// NewInventory checks an inventory. An error names the entry, by its place
// from 0 on.
func NewInventory(entries []Entry) (*Inventory, error) {
	inv := new(Inventory)
	places := map[string]int{}
	for i, e := range entries {
		n, err := Parse(e.Number)
		if err != nil {
			return nil, fmt.Errorf("numbers[%d]: %w", i, err)
		}
		if e.Type != "" {
			n.Type = types.PhoneNumberType(e.Type)
		} else {
			n.Type = types.PhoneNumberTypeDid
		}
		if known := n.Type.Values(); !slices.Contains(known, n.Type) {
			return nil, fmt.Errorf("numbers[%d]: %s has the type %q, which is none of %v", i, e.Number, e.Type, known)
		}
		if first, twice := places[n.E164]; twice {
			return nil, fmt.Errorf("numbers[%d]: %s is numbers[%d] already", i, e.Number, first)
		}
		places[n.E164] = i
		inv.numbers = append(inv.numbers, n)
	}
	slices.SortFunc(inv.numbers, func(a, b domain.AvailableNumber) int { return strings.Compare(a.E164, b.E164) })
	return inv, nil
}

// Find returns the numbers of a country and type that begin with a prefix and
// come after a number, in ascending order.
func (inv *Inventory) Find(country types.PhoneNumberCountryCode, kind types.PhoneNumberType, prefix, after string) iter.Seq[domain.AvailableNumber] {
	return func(yield func(domain.AvailableNumber) bool) {
		for _, n := range inv.numbers {
			if n.E164 > after && n.Country == country && n.Type == kind && strings.HasPrefix(n.E164, prefix) && !yield(n) {
				return
			}
		}
	}
}

// Lookup returns a number, and whether there is one.
func (inv *Inventory) Lookup(number string) (domain.AvailableNumber, bool) {
	i, found := slices.BinarySearchFunc(inv.numbers, number, func(n domain.AvailableNumber, e164 string) int { return strings.Compare(n.E164, e164) })
	if !found {
		return domain.AvailableNumber{}, false
	}
	return inv.numbers[i], true
}

// Imported returns the number of the inventory that an ARN of another service
// ends with, as …:phone-number/12065550100.
func (inv *Inventory) Imported(arn string) (domain.AvailableNumber, bool) {
	id := importedID(arn)
	n, ok := inv.Lookup("+" + id)
	n.Type = thirdParty(n.Type)
	return n, ok
}

// importedID is what follows phone-number/ in an ARN, without a plus sign.
func importedID(arn string) string {
	_, id, _ := strings.Cut(arn, ":phone-number/")
	return strings.TrimPrefix(id, "+")
}

// thirdParty is the type that a number has once it is imported.
func thirdParty(t types.PhoneNumberType) types.PhoneNumberType {
	switch t {
	case types.PhoneNumberTypeTollFree:
		return types.PhoneNumberTypeThirdPartyTf
	case types.PhoneNumberTypeDid:
		return types.PhoneNumberTypeThirdPartyDid
	default:
		return t
	}
}

// Parse reads a number in E.164 with its plus sign (ITU-T E.164: at most 15
// digits) and tells its country and type. A number that no plan knows as one of
// its own, such as a test number of a laboratory, is good when its country code
// is.
func Parse(number string) (domain.AvailableNumber, error) {
	digits, plus := strings.CutPrefix(number, "+")
	if !plus || len(digits) < 2 || len(digits) > 15 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return domain.AvailableNumber{}, fmt.Errorf("%q is no number in E.164: a plus sign, a country code and digits, such as +12065550100", number)
	}
	p, err := phonenumbers.Parse(number, "")
	if err != nil {
		return domain.AvailableNumber{}, fmt.Errorf("%s: %w", number, err)
	}
	country := phonenumbers.GetRegionCodeForNumber(p)
	if country == "" {
		country = phonenumbers.GetRegionCodeForCountryCode(int(p.GetCountryCode()))
	}
	n := domain.AvailableNumber{E164: number, Country: types.PhoneNumberCountryCode(country), Type: typeOf(p)}
	if n.Type == types.PhoneNumberTypeUifn {
		n.Country = uifnCountry(number)
	}
	if !slices.Contains(n.Country.Values(), n.Country) {
		return domain.AvailableNumber{}, fmt.Errorf("%s belongs to no country that the API knows", number)
	}
	return n, nil
}

// uifn is the country code of Universal International Freephone Numbers (ITU-T
// E.169.1).
const uifn = 800

func typeOf(p *phonenumbers.PhoneNumber) types.PhoneNumberType {
	if p.GetCountryCode() == uifn {
		return types.PhoneNumberTypeUifn
	}
	switch phonenumbers.GetNumberType(p) {
	case phonenumbers.TOLL_FREE:
		return types.PhoneNumberTypeTollFree
	case phonenumbers.SHARED_COST:
		return types.PhoneNumberTypeShared
	default:
		return types.PhoneNumberTypeDid
	}
}
