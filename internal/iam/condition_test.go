package iam

import (
	"fmt"
	"strings"
	"testing"
)

// conditionHolds parses a policy that allows everything under a condition, and
// reports whether it allows a request with the given context.
func conditionHolds(t *testing.T, condition string, ctx Context) bool {
	t.Helper()
	p, err := ParsePolicy([]byte(`{"Version":"2012-10-17","Statement":{
		"Effect":"Allow","Action":"*","Resource":"*","Condition":` + condition + `}}`))
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	caller := &Principal{ARN: "arn:aws:iam::123456789012:user/ops", Policies: []*Policy{p}}
	return caller.decide(Request{Action: "connect:DescribeUser", Resource: "*", Context: ctx}) == allowed
}

// TestOperators tests each operator with a key k:k of one value; values is what
// the policy lists.
func TestOperators(t *testing.T) {
	for _, c := range []struct {
		operator, values string
		value            string
		want             bool
	}{
		{"StringEquals", `"johndoe"`, "johndoe", true},
		{"StringEquals", `"johndoe"`, "JohnDoe", false},
		{"StringEquals", `["a","b"]`, "b", true},
		{"StringEquals", `["a","b"]`, "c", false},
		{"StringEquals", `"a*"`, "ab", false},
		{"StringEquals", `"a*"`, "a*", true},
		{"StringEquals", `"a${*}"`, "a*", true},
		{"StringEquals", `""`, "", true},
		{"StringEquals", `true`, "true", true},
		{"StringEquals", `10`, "10", true},
		{"StringNotEquals", `["a","b"]`, "b", false},
		{"StringNotEquals", `["a","b"]`, "c", true},
		{"StringEqualsIgnoreCase", `"johndoe"`, "JohnDoe", true},
		{"StringEqualsIgnoreCase", `"johndoe"`, "JohnDo", false},
		{"StringEqualsIgnoreCase", `"john*"`, "JohnDoe", false},
		{"StringNotEqualsIgnoreCase", `"johndoe"`, "JohnDoe", false},
		{"StringNotEqualsIgnoreCase", `"johndoe"`, "Jane", true},
		{"StringLike", `["t1.*","t2.*","m3.*"]`, "t2.micro", true},
		{"StringLike", `["t1.*","t2.*","m3.*"]`, "T2.micro", false},
		{"StringLike", `["t1.*","t2.*","m3.*"]`, "c5.large", false},
		{"StringLike", `"home/?"`, "home/é", true},
		{"StringLike", `"home/${?}"`, "home/x", false},
		{"StringLike", `"home/${?}${*}${$}"`, "home/?*$", true},
		{"StringNotLike", `["t1.*","t2.*"]`, "t2.micro", false},
		{"StringNotLike", `["t1.*","t2.*"]`, "m3.micro", true},

		{"ArnEquals", `"arn:aws:sns:*:123456789012:topic"`, "arn:aws:sns:us-east-1:123456789012:topic", true},
		{"ArnLike", `"arn:aws:sns:*:123456789012:topic"`, "arn:aws:sns:us-east-1:123456789012:topic", true},
		{"ArnLike", `"arn:aws:sns:*:123456789012:topic"`, "arn:aws:sns:us-east-1:123456789012:Topic", false},
		{"ArnLike", `"*"`, "arn:aws:sns:us-east-1:123456789012:topic", true},
		{"ArnLike", `"arn:aws:sns:*:*:*"`, "topic", false},
		{"ArnNotEquals", `"arn:aws:sns:*:123456789012:topic"`, "arn:aws:sns:us-east-1:123456789012:topic", false},
		{"ArnNotLike", `"arn:aws:sns:*:123456789012:topic"`, "arn:aws:sns:us-east-1:123456789012:other", true},

		{"NumericEquals", `"10"`, "10.0", true},
		{"NumericEquals", `10`, "10", true},
		{"NumericEquals", `[1,2]`, "2", true},
		{"NumericEquals", `"10"`, "ten", false},
		{"NumericEquals", `"-1.5e1"`, "-15", true},
		{"NumericNotEquals", `[1,2]`, "2", false},
		{"NumericNotEquals", `[1,2]`, "3", true},
		{"NumericNotEquals", `1`, "one", true},
		{"NumericLessThan", `10`, "9.99", true},
		{"NumericLessThan", `10`, "10", false},
		{"NumericLessThanEquals", `10`, "10", true},
		{"NumericLessThanEquals", `10`, "10.01", false},
		{"NumericLessThanEquals", `10`, "many", false},
		{"NumericGreaterThan", `10`, "10", false},
		{"NumericGreaterThan", `10`, "11", true},
		{"NumericGreaterThanEquals", `10`, "10", true},
		{"NumericGreaterThanEquals", `10`, "9", false},
		{"NumericGreaterThanEquals", `10`, "Inf", false},

		{"DateEquals", `"2026-01-31T09:00:00Z"`, "2026-01-31T10:00:00+01:00", true},
		{"DateEquals", `"2026-01-31T09:00Z"`, "1769850000", true},
		{"DateEquals", `"1769850000"`, "2026-01-31T09:00:00Z", true},
		{"DateEquals", `1769850000`, "2026-01-31T09:00:00.000Z", true},
		{"DateEquals", `"2026"`, "2026-01-01T00:00:00Z", true},
		{"DateEquals", `"2026-02"`, "2026-02-01", true},
		{"DateNotEquals", `"2026-02"`, "2026-02-01", false},
		{"DateNotEquals", `"2026-02"`, "2026-02-02", true},
		{"DateLessThan", `"2026-02-01T00:00:00Z"`, "2026-01-31T23:59:59.9Z", true},
		{"DateLessThan", `"2026-02-01T00:00:00Z"`, "2026-02-01T00:00:00Z", false},
		{"DateLessThan", `"2026-02-01T00:00:00Z"`, "yesterday", false},
		{"DateLessThanEquals", `"2026-02-01T00:00:00Z"`, "2026-02-01T00:00:00Z", true},
		{"DateLessThanEquals", `"2026-02-01T00:00:00Z"`, "2026-02-01T00:00:01Z", false},
		{"DateGreaterThan", `"2026-02-01T00:00:00Z"`, "2026-02-01T00:00:00Z", false},
		{"DateGreaterThan", `"2026-02-01T00:00:00Z"`, "2026-02-01T00:00:01Z", true},
		{"DateGreaterThanEquals", `"2026-02-01T00:00:00Z"`, "2026-02-01T00:00:00Z", true},
		{"DateGreaterThanEquals", `"2026-02-01T00:00:00Z"`, "0", false},

		{"Bool", `"true"`, "true", true},
		{"Bool", `true`, "TRUE", true},
		{"Bool", `"false"`, "true", false},
		{"Bool", `"false"`, "no", false},
		{"Bool", `"${k:k}"`, "no", false},
		{"Bool", `"${k:k}"`, "false", true},

		{"BinaryEquals", `"QmluYXJ5VmFsdWVJbkJhc2U2NA=="`, "BinaryValueInBase64", true},
		{"BinaryEquals", `"QmluYXJ5VmFsdWVJbkJhc2U2NA=="`, "QmluYXJ5VmFsdWVJbkJhc2U2NA==", false},

		{"IpAddress", `"203.0.113.0/24"`, "203.0.113.255", true},
		{"IpAddress", `"203.0.113.0/24"`, "203.0.114.0", false},
		{"IpAddress", `"203.0.113.77/24"`, "203.0.113.1", true},
		{"IpAddress", `"203.0.113.0/24"`, "::ffff:203.0.113.7", true},
		{"IpAddress", `"203.0.113.7"`, "203.0.113.7", true},
		{"IpAddress", `"203.0.113.7"`, "203.0.113.8", false},
		{"IpAddress", `"203.0.113.0/24"`, "2001:db8::1", false},
		{"IpAddress", `"203.0.113.0/24"`, "localhost", false},
		{"IpAddress", `["203.0.113.0/24","2001:DB8:1234:5678::/64"]`, "2001:db8:1234:5678::9", true},
		{"IpAddress", `["203.0.113.0/24","2001:DB8:1234:5678::/64"]`, "2001:db8:1234:5679::9", false},
		{"IpAddress", `"fe80::/10"`, "fe80::1%eth0", true},
		{"IpAddress", `"2001:db8::1"`, "2001:db8::1", true},
		{"NotIpAddress", `["203.0.113.0/24","192.0.2.0/24"]`, "192.0.2.1", false},
		{"NotIpAddress", `["203.0.113.0/24","192.0.2.0/24"]`, "198.51.100.1", true},

		{"Null", `"true"`, "x", false},
		{"Null", `"false"`, "x", true},
		{"Null", `false`, "x", true},
		{"Null", `["true","false"]`, "x", true},
		// "It is possible to include an empty string. In this case, the value in
		// the request context is null." IAM JSON policy elements: Condition.
		{"Null", `"true"`, "", true},
		{"Null", `"false"`, "", false},
	} {
		condition := fmt.Sprintf(`{%q:{"k:k":%s}}`, c.operator, c.values)
		if got := conditionHolds(t, condition, Values{"k:k": {c.value}}); got != c.want {
			t.Errorf("%s with %q: %v", condition, c.value, got)
		}
	}
}

// sample has a value for each operator, so that tests can range over them.
func sample(operator string) string {
	switch {
	case strings.HasPrefix(operator, "Arn"):
		return "arn:aws:iam::123456789012:user/a"
	case strings.HasPrefix(operator, "Numeric"):
		return "1"
	case strings.HasPrefix(operator, "Date"):
		return "2026-01-31"
	case strings.HasPrefix(operator, "Bool"):
		return "true"
	case strings.HasPrefix(operator, "Binary"):
		return "QUJD"
	case strings.Contains(operator, "Ip"):
		return "192.0.2.0/24"
	default:
		return "a"
	}
}

// TestMissingKey holds every operator, in every form, against a request that
// does not have the key. "Condition operators": the condition is false, true if
// the operator is negated, true with IfExists. "Single-valued vs. multivalued
// context keys": ForAllValues is then true and ForAnyValue false.
func TestMissingKey(t *testing.T) {
	contexts := map[string]Context{
		"nil":       nil,
		"other key": Values{"k:other": {"a"}},
		"no values": Values{"k:k": {}},
	}
	for name, op := range operators {
		for _, form := range []struct {
			operator string
			want     bool
		}{
			{name, op.negated},
			{name + "IfExists", true},
			{"ForAllValues:" + name, true},
			{"ForAllValues:" + name + "IfExists", true},
			{"ForAnyValue:" + name, false},
			{"ForAnyValue:" + name + "IfExists", true},
		} {
			condition := fmt.Sprintf(`{%q:{"k:k":%q}}`, form.operator, sample(name))
			for what, ctx := range contexts {
				if got := conditionHolds(t, condition, ctx); got != form.want {
					t.Errorf("%s, %s: %v", condition, what, got)
				}
			}
		}
	}
	for value, want := range map[string]bool{"true": true, "false": false} {
		condition := fmt.Sprintf(`{"Null":{"k:k":%q}}`, value)
		if got := conditionHolds(t, condition, nil); got != want {
			t.Errorf("%s: %v", condition, got)
		}
	}
}

// TestSetOperators has the tables of "Evaluation logic for multiple values with
// condition set operators" and of its negated counterpart.
func TestSetOperators(t *testing.T) {
	for _, c := range []struct {
		operator, values string
		request          []string
		want             bool
	}{
		{"ForAllValues:StringEquals", `["PostDateTime","Message","Tags"]`, []string{"PostDateTime", "UserName"}, false},
		{"ForAllValues:StringEquals", `["PostDateTime","Message","Tags"]`, []string{"PostDateTime", "Tags"}, true},
		{"ForAllValues:StringEquals", `["PostDateTime","Message","Tags"]`, []string{"Tags"}, true},
		{"ForAllValues:StringEquals", `["PostDateTime"]`, []string{""}, true},
		{"ForAllValues:StringEquals", `["PostDateTime"]`, []string{"PostDateTime", ""}, false},
		{"ForAnyValue:StringEquals", `["ID","PostDateTime"]`, []string{"UserName", "Message", "PostDateTime"}, true},
		{"ForAnyValue:StringEquals", `["ID","PostDateTime"]`, []string{"UserName"}, false},
		{"ForAnyValue:StringEquals", `[""]`, []string{""}, false},
		{"ForAllValues:StringLike", `["key1*"]`, []string{"key1:legal", "key1:hr"}, true},
		{"ForAllValues:StringLike", `["key1*"]`, []string{"key1:legal", "key2:hr"}, false},
		{"ForAllValues:StringNotEquals", `["a","b"]`, []string{"c", "d"}, true},
		{"ForAllValues:StringNotEquals", `["a","b"]`, []string{"c", "b"}, false},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, []string{"c", "b"}, true},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, []string{"a", "b"}, false},
		{"ForAnyValue:StringNotLikeIfExists", `"a*"`, []string{"ab"}, false},
		{"ForAllValues:NumericLessThan", `10`, []string{"1", "9"}, true},
		{"ForAllValues:NumericLessThan", `10`, []string{"1", "10"}, false},
		{"ForAllValues:ArnLike", `"arn:aws:connect:*:*:instance/*"`, []string{"arn:aws:connect:r:1:instance/a"}, true},
		{"ForAnyValue:IpAddress", `"192.0.2.0/24"`, []string{"10.0.0.1", "192.0.2.4"}, true},
		// Without a set operator: docs/divergences.md.
		{"StringEquals", `"b"`, []string{"a", "b"}, true},
		{"StringEquals", `"c"`, []string{"a", "b"}, false},
		{"StringNotEquals", `"b"`, []string{"a", "b"}, false},
		{"StringNotEquals", `"c"`, []string{"a", "b"}, true},
	} {
		condition := fmt.Sprintf(`{%q:{"aws:TagKeys":%s}}`, c.operator, c.values)
		if got := conditionHolds(t, condition, Values{"aws:TagKeys": c.request}); got != c.want {
			t.Errorf("%s with %q: %v", condition, c.request, got)
		}
	}
}

// TestConditionBlocks has the example of "Conditions with multiple context keys
// or values": everything in a block must hold.
func TestConditionBlocks(t *testing.T) {
	const block = `{
		"StringEqualsIgnoreCase": {
			"aws:PrincipalTag/department": ["finance", "hr", "legal"],
			"aws:PrincipalTag/role": ["audit", "security"]
		},
		"StringEquals": {"aws:PrincipalAccount": "123456789012"}
	}`
	request := func(department, role, account string) Values {
		return Values{
			"aws:PrincipalTag/department": {department},
			"aws:PrincipalTag/role":       {role},
			"aws:PrincipalAccount":        {account},
		}
	}
	for _, c := range []struct {
		ctx  Values
		want bool
	}{
		{request("HR", "audit", "123456789012"), true},
		{request("legal", "Security", "123456789012"), true},
		{request("sales", "audit", "123456789012"), false},
		{request("hr", "clerk", "123456789012"), false},
		{request("hr", "audit", "999999999999"), false},
		{Values{"aws:PrincipalTag/department": {"hr"}, "aws:PrincipalAccount": {"123456789012"}}, false},
	} {
		if got := conditionHolds(t, block, c.ctx); got != c.want {
			t.Errorf("%v: %v", c.ctx, got)
		}
	}
	for _, empty := range []string{`{}`, `{"StringEquals":{}}`} {
		if !conditionHolds(t, empty, nil) {
			t.Errorf("%s does not hold", empty)
		}
	}
}

func TestContextKeyCase(t *testing.T) {
	for _, c := range []struct {
		key  string
		ctx  Values
		want bool
	}{
		{"aws:SourceIP", Values{"AWS:SourceIp": {"x"}}, true},
		{"AWS:USERNAME", Values{"aws:username": {"x"}}, true},
		// Either spelling of a tag key, and the tag of that spelling first.
		{"aws:ResourceTag/TagKey1", Values{"aws:ResourceTag/tagkey1": {"x"}}, true},
		{"aws:ResourceTag/ec2", Values{"aws:resourcetag/ec2": {"x"}, "aws:resourcetag/EC2": {"y"}}, true},
		{"aws:ResourceTag/EC2", Values{"aws:resourcetag/ec2": {"x"}, "aws:resourcetag/EC2": {"y"}}, false},
		{"aws:ResourceTag/Ec2", Values{"aws:resourcetag/ec2": {"y"}, "aws:resourcetag/EC2": {"x"}}, true},
	} {
		condition := fmt.Sprintf(`{"StringEquals":{%q:"x"}}`, c.key)
		if got := conditionHolds(t, condition, c.ctx); got != c.want {
			t.Errorf("%s with %v: %v", condition, c.ctx, got)
		}
	}
	var asked string
	conditionHolds(t, `{"StringEquals":{"AWS:ResourceTag/Cost/Centre":"x"}}`, lookupFunc(func(key string) ([]string, bool) {
		asked = key
		return nil, false
	}))
	if want := "aws:resourcetag/Cost/Centre"; asked != want {
		t.Errorf("Lookup was asked for %q, want %q", asked, want)
	}
	if v, ok := TagValue(map[string]string{"Department": "Support"}, "department"); v != "Support" || !ok {
		t.Errorf("TagValue = %q, %v", v, ok)
	}
	if v, ok := TagValue(map[string]string{"Department": "Support"}, "Team"); v != "" || ok {
		t.Errorf("TagValue of an absent tag = %q, %v", v, ok)
	}
}

type lookupFunc func(key string) ([]string, bool)

func (f lookupFunc) Lookup(key string) ([]string, bool) { return f(key) }

func TestVariablesInConditions(t *testing.T) {
	ctx := Values{
		"aws:username":             {"ana"},
		"aws:PrincipalTag/Team":    {"blue"},
		"aws:PrincipalTag/Empty":   {""},
		"aws:PrincipalTag/Pattern": {"b*"},
		"aws:PrincipalTag/Odd":     {"b\xff"},
		"aws:PrincipalArn":         {"arn:aws:iam::123456789012:user/ana"},
		"aws:TagKeys":              {"blue", "two"},
		"k:k":                      {"blue"},
		"k:home":                   {"home/ana/"},
		"k:arn":                    {"arn:aws:iam::123456789012:user/ana"},
	}
	for _, c := range []struct {
		condition string
		want      bool
	}{
		{`{"StringEquals":{"k:k":"${aws:PrincipalTag/Team}"}}`, true},
		{`{"StringEquals":{"k:k":"${AWS:principaltag/team}"}}`, true},
		{`{"StringNotEquals":{"k:k":"${aws:PrincipalTag/Team}"}}`, false},
		{`{"StringLike":{"k:home":["","home/","home/${aws:username}/"]}}`, true},
		{`{"StringLike":{"k:home":"*/${aws:username}*"}}`, true},
		{`{"StringEquals":{"k:home":"home/${aws:username}/"}}`, true},
		{`{"StringEqualsIgnoreCase":{"k:k":"B${aws:absent, 'LUE'}"}}`, true},
		{`{"StringEquals":{"k:k":"${aws:absent,'blue' }"}}`, true},
		{`{"StringEquals":{"k:k":"${aws:PrincipalTag/Team, 'red'}"}}`, true},
		// "Policy variables with no value": nothing equals or resembles them.
		{`{"StringEquals":{"k:k":"${aws:PrincipalTag/None}"}}`, false},
		{`{"StringLike":{"k:k":"*${aws:PrincipalTag/None}"}}`, false},
		{`{"StringNotEquals":{"k:k":"${aws:PrincipalTag/None}"}}`, true},
		{`{"StringNotLike":{"k:k":"${aws:PrincipalTag/None}"}}`, true},
		{`{"StringEquals":{"k:k":["${aws:PrincipalTag/None}","blue"]}}`, true},
		{`{"StringLike":{"k:k":"blue${aws:PrincipalTag/Empty}"}}`, false},
		// A multivalued key cannot be a variable.
		{`{"StringEquals":{"k:k":"${aws:TagKeys}"}}`, false},
		{`{"StringEquals":{"k:k":"${aws:TagKeys, 'blue'}"}}`, true},
		// The value of a variable, and its default, have no wildcards.
		{`{"StringLike":{"k:k":"${aws:PrincipalTag/Pattern}"}}`, false},
		{`{"StringLike":{"k:k":"${aws:PrincipalTag/Odd}"}}`, false},
		{`{"StringLike":{"k:k":"${aws:absent, '*'}"}}`, false},
		{`{"ArnEquals":{"k:arn":"${aws:PrincipalArn}"}}`, true},
		{`{"ArnLike":{"k:arn":"arn:aws:iam::*:user/${aws:username}"}}`, true},
		{`{"ArnLike":{"k:arn":"arn:aws:iam::*:user/${aws:userid}"}}`, false},
		{`{"StringEquals":{"k:k":"$blue"}}`, false},
	} {
		if got := conditionHolds(t, c.condition, ctx); got != c.want {
			t.Errorf("%s: %v", c.condition, got)
		}
	}
}
