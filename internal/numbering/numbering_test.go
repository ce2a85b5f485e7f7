package numbering_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/numbering"
)

const (
	did  = types.PhoneNumberTypeDid
	free = types.PhoneNumberTypeTollFree
)

func TestParse(t *testing.T) {
	for number, want := range map[string]domain.AvailableNumber{
		"+12025550100":      {Country: "US", Type: did},
		"+18005550101":      {Country: "US", Type: free},
		"+16045550100":      {Country: "CA", Type: did},
		"+442079460102":     {Country: "GB", Type: did},
		"+448081570001":     {Country: "GB", Type: free},
		"+493023125000":     {Country: "DE", Type: did},
		"+33199000000":      {Country: "FR", Type: did},
		"+80010000001":      {Country: "AD", Type: types.PhoneNumberTypeUifn},
		"+999123":           {},
		"2025550100":        {},
		"+02025550100":      {},
		"+1202555010a":      {},
		"+1":                {},
		"":                  {},
		"+123456789012345":  {Country: "US", Type: did}, // fifteen digits, of no plan
		"+1234567890123456": {},
		"+80055501030":      {Country: "US", Type: types.PhoneNumberTypeUifn},
	} {
		got, err := numbering.Parse(number)
		want.E164 = number
		switch {
		case want.Country == "" && err == nil:
			t.Errorf("%q is taken for %+v", number, got)
		case want.Country != "" && (err != nil || got != want):
			t.Errorf("%q is %+v, %v, want %+v", number, got, err, want)
		}
	}
}

// Every number of the stock is one that a search and a claim agree on.
func TestStock(t *testing.T) {
	var s numbering.Stock
	seen := map[string]bool{}
	offered := map[types.PhoneNumberType]int{}
	for i, country := range types.PhoneNumberCountryCode("").Values() {
		if i%stockStep != 0 {
			continue
		}
		for _, kind := range types.PhoneNumberType("").Values() {
			n, last := 0, ""
			for found := range s.Find(country, kind, "", "") {
				n++
				if n > 20 {
					break
				}
				if found.Country != country || found.Type != kind || found.E164 <= last {
					t.Fatalf("%s %s after %s: %+v", country, kind, last, found)
				}
				if seen[found.E164] {
					t.Fatalf("%s is offered twice", found.E164)
				}
				seen[found.E164], last = true, found.E164
				if n > 3 {
					continue
				}
				if got, ok := s.Lookup(found.E164); !ok || got != found {
					t.Errorf("%+v is looked up as %+v, %v", found, got, ok)
				}
			}
			if n > 0 {
				offered[kind]++
			}
		}
	}
	for kind, least := range map[types.PhoneNumberType]int{did: 200, free: 100, types.PhoneNumberTypeUifn: 230, types.PhoneNumberTypeShared: 10} {
		if offered[kind] < least/stockStep {
			t.Errorf("%d countries have numbers of type %s, want %d at least", offered[kind], kind, least)
		}
	}
	for _, kind := range []types.PhoneNumberType{types.PhoneNumberTypeShortCode, types.PhoneNumberTypeThirdPartyDid, types.PhoneNumberTypeThirdPartyTf} {
		if offered[kind] != 0 {
			t.Errorf("numbers of type %s are offered", kind)
		}
	}
}

func TestStockIsFictitious(t *testing.T) {
	var s numbering.Stock
	n := 0
	for found := range s.Find("US", did, "", "") {
		if n++; !strings.HasPrefix(found.E164[5:], "55501") {
			t.Fatalf("%s may be somebody's", found.E164)
		}
	}
	if n < 10_000 {
		t.Errorf("the United States have %d numbers", n)
	}
	for number, want := range map[string]bool{
		"+12065550123": true, "+12065550200": false, "+12065551234": false, "+1206555012": false, "+18335550100": true,
		"+442079460999": true, "+442079461000": false, "+80010000000": true, "nonsense": false,
	} {
		if _, ok := s.Lookup(number); ok != want {
			t.Errorf("%s is there: %v", number, ok)
		}
	}
}

func TestFind(t *testing.T) {
	inv, err := numbering.NewInventory([]numbering.Entry{
		{"+442079460003", ""}, {"+442079460001", "DID"}, {"+448081570000", "TOLL_FREE"}, {"+442079460002", ""}, {"+12065550100", "SHORT_CODE"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		country       types.PhoneNumberCountryCode
		kind          types.PhoneNumberType
		prefix, after string
		want          []string
	}{
		{"GB", did, "", "", []string{"+442079460001", "+442079460002", "+442079460003"}},
		{"GB", did, "", "+442079460001", []string{"+442079460002", "+442079460003"}},
		{"GB", did, "+442079460002", "", []string{"+442079460002"}},
		{"GB", did, "+4420794600021", "", nil},
		{"GB", free, "+44", "", []string{"+448081570000"}},
		{"US", types.PhoneNumberTypeShortCode, "", "", []string{"+12065550100"}},
		{"US", did, "", "", nil},
	} {
		var got []string
		for n := range inv.Find(c.country, c.kind, c.prefix, c.after) {
			got = append(got, n.E164)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %s after %q: %v, want %v", c.country, c.prefix, c.after, got, c.want)
		}
	}
	if n, ok := inv.Lookup("+448081570000"); !ok || n.Type != free {
		t.Errorf("looked up %+v, %v", n, ok)
	}
	if _, ok := inv.Lookup("+448081570001"); ok {
		t.Error("found what is not there")
	}
}

func TestInventoryErrors(t *testing.T) {
	for want, entries := range map[string][]numbering.Entry{
		"numbers[1]: \"0049\"":                            {{"+442079460003", ""}, {"0049", ""}},
		"numbers[0]: +442079460003 has the type \"X\"":    {{"+442079460003", "X"}},
		"numbers[2]: +442079460003 is numbers[0] already": {{"+442079460003", ""}, {"+442079460004", ""}, {"+442079460003", "TOLL_FREE"}},
	} {
		if _, err := numbering.NewInventory(entries); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestImported(t *testing.T) {
	inv, err := numbering.NewInventory([]numbering.Entry{{"+442079460003", ""}})
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:sms-voice:us-east-1:123456789012:phone-number/"
	type stock interface {
		Imported(arn string) (domain.AvailableNumber, bool)
	}
	for _, c := range []struct {
		s    stock
		id   string
		want domain.AvailableNumber
	}{
		{inv, "442079460003", domain.AvailableNumber{E164: "+442079460003", Country: "GB", Type: types.PhoneNumberTypeThirdPartyDid}},
		{inv, "phone-0123", domain.AvailableNumber{}},
		{numbering.Stock{}, "+18005550100", domain.AvailableNumber{E164: "+18005550100", Country: "US", Type: types.PhoneNumberTypeThirdPartyTf}},
		{numbering.Stock{}, "", domain.AvailableNumber{}},
	} {
		got, ok := c.s.Imported(arn + c.id)
		if ok != (c.want.E164 != "") || got.E164 != c.want.E164 || got.Country != c.want.Country || ok && got.Type != c.want.Type {
			t.Errorf("%T: %q is %+v, %v, want %+v", c.s, c.id, got, ok, c.want)
		}
	}
	var s numbering.Stock
	one, ok := s.Imported(arn + "phone-0123")
	again, _ := s.Imported(arn + "phone-0123")
	other, _ := s.Imported(arn + "phone-0124")
	if !ok || one != again || one == other || !strings.Contains(one.E164, "55501") {
		t.Errorf("imported %+v, then %+v, another is %+v", one, again, other)
	}
}
