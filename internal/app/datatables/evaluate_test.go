package datatables_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

func (tb *table) evaluate(zone *string, sets ...types.DataTableValueEvaluationSet) []types.DataTableEvaluatedValue {
	tb.t.Helper()
	return slices.Concat(servertest.Pages(tb.t, func(token *string) ([]types.DataTableEvaluatedValue, *string, error) {
		out, err := tb.EvaluateDataTableValues(tb.t.Context(), &connect.EvaluateDataTableValuesInput{
			InstanceId: &tb.bench.id, DataTableId: &tb.id, Values: sets, TimeZone: zone, MaxResults: aws.Int32(2), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Values, out.NextToken, nil
	})...)
}

func of(primary []types.PrimaryValue, names ...string) types.DataTableValueEvaluationSet {
	return types.DataTableValueEvaluationSet{PrimaryValues: primary, AttributeNames: names}
}

func TestDefaults(t *testing.T) {
	tb := boot(t).table("Table", types.DataTableLockLevelNone).with([]string{"Key"}, "Text", "Only")
	for name, kind := range map[string]types.DataTableAttributeValueType{"Number": number, "Boolean": boolean, "Texts": textList, "Numbers": numberList} {
		_, err := tb.add(name, kind, false, nil)
		ok(t, err)
	}
	made := tb.must(value(key("Key", "one"), "Text", "one"), value(nil, "Text", "default"), value(nil, "Number", "7"))
	one, fallback := *made[0].RecordId, *made[1].RecordId
	var got []string
	for _, v := range tb.evaluate(nil, of(key("Key", "one"), "text", "Key", "Number", "Boolean"), of(key("Key", "two"), "Text", "Texts", "Numbers", "Only", "Key"), of(nil, "Text")) {
		record := map[string]string{one: "one", fallback: "default"}[*v.RecordId]
		got = append(got, fmt.Sprintf("%s %s=%s %t %t %s %d", record, *v.AttributeName, *v.EvaluatedValue, v.Found, v.Error, v.ValueType, len(v.PrimaryValues)))
	}
	same(t, "the values", got, []string{
		"one Text=one true false TEXT 1", "one Key=one true false TEXT 1", "one Number=7 false false NUMBER 1", "one Boolean=false false false BOOLEAN 1",
		"default Text=default false false TEXT 1", "default Texts=[] false false TEXT_LIST 1", "default Numbers=[] false false NUMBER_LIST 1",
		"default Only= false false TEXT 1", "default Key= false false TEXT 1",
		"default Text=default true false TEXT 0",
	})

	_, err := tb.UpdateDataTableAttribute(t.Context(), &connect.UpdateDataTableAttributeInput{
		InstanceId: &tb.bench.id, DataTableId: &tb.id, AttributeName: aws.String("Text"), Name: aws.String("Text"), ValueType: number,
	})
	ok(t, err)
	v := tb.evaluate(nil, of(key("Key", "one"), "Text"))[0]
	if *v.EvaluatedValue != "0" || !v.Error || !v.Found {
		t.Errorf("a text where a number is wanted is %+v", v)
	}

	for name, in := range map[string]connect.EvaluateDataTableValuesInput{
		"half a key":   {Values: []types.DataTableValueEvaluationSet{of(key("Text", "one"), "Text")}},
		"no such zone": {TimeZone: aws.String("Nowhere")},
	} {
		in.InstanceId, in.DataTableId = &tb.bench.id, &tb.id
		if in.Values == nil {
			in.Values = []types.DataTableValueEvaluationSet{}
		}
		_, err := tb.EvaluateDataTableValues(t.Context(), &in)
		t.Log(name)
		fails(t, err, fault.InvalidParameter)
	}
	_, err = tb.EvaluateDataTableValues(t.Context(), &connect.EvaluateDataTableValuesInput{
		InstanceId: &tb.bench.id, DataTableId: &tb.id, Values: []types.DataTableValueEvaluationSet{of(nil, "None")},
	})
	fails(t, err, fault.ResourceNotFound)
}

// TestExpressions computes at one moment, while the clock stands still.
func TestExpressions(t *testing.T) {
	now := time.Now()
	b := boot(t, func(c *server.Config) { c.Now = func() time.Time { return now } })
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	ok(t, err)
	local := now.In(berlin(t))
	hours, err := b.CreateHoursOfOperation(t.Context(), &connect.CreateHoursOfOperationInput{
		InstanceId: &b.id, Name: aws.String("Hours"), TimeZone: aws.String("Asia/Tokyo"), Config: []types.HoursOfOperationConfig{{ // today
			Day:       types.HoursOfOperationDays(strings.ToUpper(now.In(tokyo).Weekday().String())),
			StartTime: &types.HoursOfOperationTimeSlice{Hours: aws.Int32(0), Minutes: aws.Int32(0)}, EndTime: &types.HoursOfOperationTimeSlice{Hours: aws.Int32(0), Minutes: aws.Int32(0)},
		}},
	})
	ok(t, err)
	other := b.table("Other", types.DataTableLockLevelNone).with([]string{"Language", "Department"}, "Message")
	other.must(value(key("Language", "English", "Department", "Sales"), "Message", "Hello"), value(key("Language", "English", "Department", "Lost"), "Message", "=1/0"),
		value(nil, "Message", "Hi"))

	tb := b.table("Table", types.DataTableLockLevelNone).with([]string{"Key"}, "Result", "Helper")
	for name, kind := range map[string]types.DataTableAttributeValueType{"Number": number, "Yes": boolean, "List": textList, "Numbers": numberList} {
		_, err := tb.add(name, kind, false, nil)
		ok(t, err)
	}
	_, err = tb.add("Small", number, false, &types.Validation{Maximum: 5})
	ok(t, err)
	of1 := key("Key", "1")
	tb.must(value(of1, "List", `["a","b"]`), value(of1, "Numbers", "[1,2,3]"), value(of1, "Number", "=LOOKUP(\"Number\", \"Key\", \"2\") * 2"),
		value(key("Key", "2"), "Number", "21"), value(key("Key", "3"), "Helper", `=LOOKUP("Helper", "Key", "3")`), value(of1, "Small", "=6"), value(of1, "Yes", "=\"true\""))
	arn := servertest.InstanceARN(b.id) + "/data-table/" + other.id
	lost := `"` + other.id + `", "Message", `
	for i, c := range []struct{ expression, want string }{
		{`1 + 2 * 3 - 4 / 2`, "5"},
		{`-(1 + 2) * -3`, "9"},
		{`"a" & "b""c" & 1`, `ab"c1`},
		{`1 < 2`, "true"},
		{`"a" >= "b"`, "false"},
		{`1 <> 1 `, "false"},
		{`IF(1 = 1, "yes", 1/0)`, "yes"},
		{`if(false, 1/0, "no")`, "no"},
		{`AND(true, 1 < 2)`, "true"},
		{`AND(false, 1/0 = 1)`, "false"},
		{`OR(FALSE, TRUE, "x")`, "true"},
		{`NOT(OR(false))`, "true"},
		{`EQ("a", "a") & EQ(1, "1")`, "truefalse"},
		{`COALESCE("", LOOKUP("Helper", "Key", "1"), "third")`, "third"},
		{`GT(2, 1) & GTE(1, 1) & LT(2, 1) & LTE(2, 1)`, "truetruefalsefalse"},
		{`ADD(1, 2, 3) & "," & SUM(LOOKUP("Numbers", "Key", "1"), 4)`, "6,10"},
		{`SUBTRACT(5, 3) & "," & MULTIPLY(2, 3, 4) & "," & DIVIDE(1, 4)`, "2,24,0.25"},
		{`CEILING(1.2) & "," & CEILING(7, 5) & "," & FLOOR(1.8) & "," & FLOOR(7, 5)`, "2,10,1,5"},
		{`ROUND(1.45, 1) & "," & ROUND(15, -1) & "," & ROUND(2.5)`, "1.5,20,3"},
		{`ROUNDUP(1.01, 1) & "," & ROUNDUP(-1.1) & "," & ROUNDDOWN(1.99, 1) & "," & ROUNDDOWN(-1.9)`, "1.1,-2,1.9,-1"},
		{`CONCAT("a", 1, true, LOOKUP("List", "Key", "1"))`, "a1trueab"},
		{`JOIN("-", "x", LOOKUP("List", "Key", "1"), 2)`, "x-a-b-2"},
		{`TEXT(1234.5) & "," & TEXT(1234.567, "#,##0.00") & "," & TEXT(0.256, "0%") & "," & TEXT(-5, "000") & "," & TEXT(0.5, "#.##") & "," & TEXT(1, "$0.0# each")`, "1234.5,1,234.57,26%,-005,.5,$1.0 each"},
		{`NUMBER("1.5") + 1`, "2.5"},
		{`BOOLEAN("TRUE")`, "true"},
		{`NOW()`, local.Format(time.RFC3339)},
		{`HOUR() & ":" & MINUTE() & ":" & SECOND() & " " & WEEKDAY()`, fmt.Sprintf("%d:%d:%d %d", local.Hour(), local.Minute(), local.Second(), local.Weekday()+1)},
		{`HOUR("2026-01-31T23:30:00Z") & "," & DAY("2026-01-31T23:30:00Z") & "," & MONTH("2026-01-31") & "," & YEAR("2026-01-31T10:00")`, "0,1,1,2026"},
		{`HOUR("2026-07-01T10:00:00")`, "10"},
		{`INDEX(LOOKUP("List", "Key", "1"), 2) & INDEX(LOOKUP("Numbers", "Key", "1"), 1)`, "b1"},
		{`IFERROR(1/0, "fallback") & IFERROR("fine", 1/0)`, "fallbackfine"},
		{`LOOKUP("Number", "Key", "1")`, "42"},
		{`LOOKUP("Yes", "Key", "1")`, "true"},
		{`XLOOKUP("` + arn + `", "Message", "Language", "English", "Department", "Sales")`, "Hello"},
		{`XLOOKUP("` + other.id + `", "Message", "Department", "None", "Language", "English")`, "Hi"},
		{`ALOOKUP(` + lost + `"error", "invalid", "missing", "Language", "English", "Department", "Lost")`, "error"},
		{`ALOOKUP(` + lost + `"error", "invalid", "missing", "Language", "English", "Department", "None")`, "missing"},
		{`ALOOKUP(` + lost + `"error", "invalid", "missing", "Language", "English", "Department", "Sales")`, "Hello"},
		{`ALOOKUP("` + tb.id + `", "Small", "error", "invalid", "missing", "Key", "1")`, "invalid"},
		{`ALOOKUP("nowhere", "Small", "error", "invalid", "missing")`, "error"},
		{`HOOP("` + *hours.HoursOfOperationId + `", "open", "closed") & HOOP("` + *hours.HoursOfOperationArn + `", "open", "closed", 1440)`, "openclosed"},
	} {
		k := key("Key", fmt.Sprint("expression ", i))
		tb.must(value(k, "Result", "="+c.expression))
		if v := tb.evaluate(nil, of(k, "Result"))[0]; *v.EvaluatedValue != c.want || v.Error || !v.Found {
			t.Errorf("%s is %q, error %t, want %q", c.expression, *v.EvaluatedValue, v.Error, c.want)
		}
	}

	tb.must(value(nil, "Result", "default"), value(key("Key", "hour"), "Result", "=HOUR()"))
	v := tb.evaluate(aws.String("Asia/Tokyo"), of(key("Key", "hour"), "Result"))[0]
	same(t, "the hour in another zone", *v.EvaluatedValue, fmt.Sprint(now.In(tokyo).Hour()))
	for i, expression := range []string{
		`1/0`, `"a" + 1`, `1 < "a"`, `true < false`, `NOT(1)`, `IF(1, 2, 3)`, `AND(1)`, `INDEX(LOOKUP("List", "Key", "1"), 3)`, `INDEX("a", 1)`, `NUMBER("x")`, `HOUR("x")`,
		`LOOKUP("None")`, `LOOKUP("Helper", "Key")`, `LOOKUP("Helper", "Helper", "1")`, `LOOKUP("Helper", "Key", "3")`, `XLOOKUP("none", "A")`, `XLOOKUP(1, "A")`,
		`HOOP("none", 1, 2)`, `HOOP("` + *hours.HoursOfOperationId + `", 1, 2, 1000000)`, `TEXT(1, "x")`, `ROUND(1, 0.5)`, `CEILING(1, 0)`, `MULTIPLY(` + strings.Repeat("9", 200) + `, ` + strings.Repeat("9", 200) + `)`,
	} {
		k := key("Key", fmt.Sprint("wrong ", i))
		tb.must(value(k, "Result", "="+expression))
		if v := tb.evaluate(nil, of(k, "Result"))[0]; *v.EvaluatedValue != "default" || !v.Error || !v.Found {
			t.Errorf("%s is %q, error %t, found %t", expression, *v.EvaluatedValue, v.Error, v.Found)
		}
	}
	// A result must fit the attribute.
	if v := tb.evaluate(nil, of(of1, "Small"))[0]; *v.EvaluatedValue != "0" || !v.Error {
		t.Errorf("6 where 5 is the most is %+v", v)
	}
	for _, malformed := range []string{"", "1 2", "(1", `"a`, "1..2", "Name", "IF(1)", "NOW(1)", "IF(1,2,3", "#", strings.Repeat("(", 100) + "1" + strings.Repeat(")", 100), strings.Repeat("-", 100) + "1"} {
		if out := tb.put(value(key("Key", "malformed"), "Result", "="+malformed)); len(out.Failed) != 1 || !strings.Contains(*out.Failed[0].Message, "no valid expression") {
			t.Errorf("%.20s was taken: %+v", malformed, out)
		}
	}
}

// TestCostlyExpressions has each value look up the next one twice.
func TestCostlyExpressions(t *testing.T) {
	tb := boot(t).table("Table", types.DataTableLockLevelNone).with([]string{"Key"})
	_, err := tb.add("Value", number, false, nil)
	ok(t, err)
	for i := range 14 {
		tb.must(value(key("Key", fmt.Sprint(i)), "Value", fmt.Sprintf(`=LOOKUP("Value", "Key", "%d") + LOOKUP("Value", "Key", "%[1]d")`, i+1)))
	}
	tb.must(value(key("Key", "14"), "Value", "1"))
	for from, want := range map[string]string{"8": "64", "0": "0"} {
		v := tb.evaluate(nil, of(key("Key", from), "Value"))[0]
		same(t, "from "+from, *v.EvaluatedValue, want)
		same(t, "from "+from+": error", v.Error, want == "0")
	}
}

func berlin(t *testing.T) *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	ok(t, err)
	return zone
}
