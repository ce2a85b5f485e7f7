package iam

import (
	"fmt"
	"strings"
	"testing"

	"ringdown/internal/fault"
)

func TestParsePolicyAccepts(t *testing.T) {
	for _, doc := range []string{
		`{"Version":"2012-10-17","Id":"x y","Statement":[{"Sid":"A1","Effect":"Allow","Action":"connect:*","Resource":"*"}]}`,
		`{"Statement":{"Sid":"","Resource":["*"],"Action":["connect:Get*","*:List?"],"Effect":"Deny"},"Version":"2008-10-17"}`,
		`{"Statement":{"Effect":"Allow","NotAction":"*","NotResource":"arn:aws:s3:::b/*"}}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:*:connect:??-*::instance/${aws:userid, 'a:b'}"}}`,
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":["arn:aws:connect:*","arn:aws:connect:us-east-1:*"]}}`,
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"oidc.example.com/id/A:sub":"x"}}}}`,
		// Only version 2012-10-17 has variables.
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${","Condition":{"StringEquals":{"aws:username":"${"}}}}`,
		strings.Repeat(" \t\r\n", 10000) + `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
		policyOfSize(maxPolicyCharacters),
	} {
		if _, err := ParsePolicy([]byte(doc)); err != nil {
			t.Errorf("%.200s: %v", strings.TrimSpace(doc), err)
		}
	}
}

// policyOfSize returns a valid policy of n characters, all of two bytes where
// they can be, and white space that does not count.
func policyOfSize(n int) string {
	const around = `{"Id":"","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	return strings.Replace(around, `""`, `"`+strings.Repeat("é", n-len(around))+`   "`, 1)
}

// TestParsePolicyRefuses checks that each refusal names what is wrong and
// where; message is a part of it.
func TestParsePolicyRefuses(t *testing.T) {
	statement := func(elements string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"},{` + elements + `}]}`
	}
	resource := func(arn string) string {
		return statement(`"Sid":"Mine","Effect":"Allow","Action":"*","Resource":["*",` + arn + `]`)
	}
	action := func(name string) string {
		return statement(`"Effect":"Allow","NotAction":` + name + `,"Resource":"*"`)
	}
	condition := func(block string) string {
		return statement(`"Sid":"Mine","Effect":"Allow","Action":"*","Resource":"*","Condition":` + block)
	}
	for _, c := range []struct{ doc, message string }{
		{``, "line 1: unexpected end of JSON input"},
		{"{\n\n  \"Version\": }", "line 3: invalid character '}'"},
		{`{} {}`, "not JSON"},
		{"{\"Id\":\"\xff\"}", "not UTF-8"},
		{policyOfSize(maxPolicyCharacters + 1), "6145 characters besides white space, more than 6144"},
		{strings.Repeat(" ", maxPolicyBytes+1), "131073 bytes"},
		{`[]`, "a policy document is an object, not a list"},
		{`{}`, "no Statement"},
		{`{"Statement":[]}`, "the Statement element is an empty list"},
		{`{"Statement":["x"]}`, "Statement[0]: a statement is an object, not a string"},
		{`{"Statement":null}`, "Statement[0]: a statement is an object, not null"},
		{`{"Version":"2012-10-18","Statement":{}}`, `the Version must be "2012-10-17" or "2008-10-17"`},
		{`{"Version":2012,"Statement":{}}`, `the Version must be`},
		{`{"Id":1,"Statement":{}}`, "the Id must be a string, not a number"},
		{`{"statement":{}}`, `unknown element "statement"; did you mean "Statement"?`},
		{`{"Version":"2012-10-17","Version":"2012-10-17","Statement":{}}`, `the document: the key "Version" occurs twice`},

		{statement(`"Effect":"Allow","Effect":"Deny"`), `Statement[1]: the key "Effect" occurs twice`},
		{statement(`"Action":"*","Resource":"*"`), "Statement[1]: the Effect element is missing"},
		{statement(`"Effect":"allow","Action":"*","Resource":"*"`), `the Effect must be "Allow" or "Deny"`},
		{statement(`"Effect":true,"Action":"*","Resource":"*"`), `the Effect must be`},
		{statement(`"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"`), "Principal is not allowed in an identity-based policy"},
		{statement(`"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"*","Resource":"*"`), "NotPrincipal is not allowed"},
		{statement(`"Effect":"Allow","Actions":"*","Resource":"*"`), `unknown element "Actions"`},
		{statement(`"Sid":"My statement"`), `Statement[1] (Sid "My statement"): the Sid must be`},
		{statement(`"Sid":1,"Effect":"Allow","Action":"*","Resource":"*"`), "the Sid must be a string"},
		{`{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"A"}]}`, `Statement[1] (Sid "A"): Statement[0] has the same Sid`},
		{statement(`"Effect":"Allow","Resource":"*"`), "there is neither Action nor NotAction"},
		{statement(`"Effect":"Allow","Action":"*"`), "there is neither Resource nor NotResource"},
		{statement(`"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"`), "Action and NotAction exclude each other"},
		{statement(`"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"`), "Resource and NotResource exclude each other"},

		{action(`[]`), "NotAction is an empty list"},
		{action(`{"a":"b"}`), "NotAction must be a string or a list of strings, not an object"},
		{action(`["*",null]`), "NotAction must be a string or a list of strings, not null"},
		{action(`""`), `NotAction "": an action is "*" or "service:name"`},
		{action(`"DescribeUser"`), `NotAction "DescribeUser": an action is`},
		{action(`"conn*:DescribeUser"`), `NotAction "conn*:DescribeUser"`},
		{action(`"connect:"`), `NotAction "connect:"`},
		{action(`":DescribeUser"`), `NotAction ":DescribeUser"`},
		{action(`"connect:Describe User"`), `NotAction "connect:Describe User"`},
		{action(`"connect:${aws:username}"`), `NotAction "connect:${aws:username}"`},

		{resource(`""`), `Statement[1] (Sid "Mine"): Resource "": a resource is "*" or an ARN`},
		{resource(`"instance/*"`), `Resource "instance/*": a resource is`},
		{resource(`"arn:aws:*"`), "the third field of an ARN is a service"},
		{resource(`"arn:aws:conn?ct:*:*:*"`), "the third field of an ARN is a service"},
		{resource(`"arn:aws::*:*:*"`), "the third field of an ARN is a service"},
		{resource(`"arn:aws:connect:us-east-1"`), "the ARN has 4 of its 6 fields"},
		{resource(`"arn:aws:connect:us-east-1:${aws:PrincipalAccount}:instance/*"`), "after the fifth colon"},
		{resource(`"arn:aws:s3:::${aws:username"`), "is not closed"},
		{resource(`"arn:aws:s3:::${username}"`), `policy variable: "username" is not a context key`},
		{resource(`"arn:aws:s3:::${}"`), `"" is not a context key`},
		{resource(`"arn:aws:s3:::${aws:${aws:username}}"`), "cannot contain a policy variable"},
		{resource(`"arn:aws:s3:::${aws:username, David}"`), "${key, 'default'}"},
		{resource(`"arn:aws:s3:::${aws:username, 'David}"`), "${key, 'default'}"},
		{resource(`"arn:aws:s3:::${aws:username, 'David' x}"`), "${key, 'default'}"},

		{condition(`[]`), `Statement[1] (Sid "Mine"): the Condition element must be an object, not a list`},
		{condition(`{"stringequals":{}}`), `unknown condition operator "stringequals"; did you mean "StringEquals"?`},
		{condition(`{"ForAllValues:StringMatches":{}}`), `unknown condition operator "ForAllValues:StringMatches"`},
		{condition(`{"ForAllValues:ForAnyValue:StringEquals":{}}`), "unknown condition operator"},
		{condition(`{"StringEqualsIfExistsIfExists":{}}`), "unknown condition operator"},
		{condition(`{"NullIfExists":{}}`), "Null takes neither"},
		{condition(`{"ForAnyValue:Null":{}}`), "Null takes neither"},
		{condition(`{"StringEquals":"x"}`), "condition StringEquals must be an object of context keys, not a string"},
		{condition(`{"StringEquals":{"aws:username":"a","aws:username":"b"}}`), `Statement[1].Condition.StringEquals: the key "aws:username" occurs twice`},
		{condition(`{"StringEquals":{"aws:username":"a","aws:UserName":"b"}}`), `condition StringEquals: the key "aws:UserName" occurs twice, in a different case`},
		{condition(`{"StringEquals":{"username":"a"}}`), `condition StringEquals "username": "username" is not a context key`},
		{condition(`{"StringEquals":{"aws:ResourceTag/":"a"}}`), "names no tag"},
		{condition(`{"StringEquals":{"aws:ResourceTag/${aws:username}":"a"}}`), "cannot contain a policy variable"},
		{condition(`{"StringEquals":{"aws:username":[]}}`), `condition StringEquals "aws:username": the list of values is empty`},
		{condition(`{"StringEquals":{"aws:username":{}}}`), "not an object"},
		{condition(`{"StringEquals":{"aws:username":["a",["b"]]}}`), "not a list"},
		{condition(`{"StringEquals":{"aws:username":null}}`), "not null"},
		{condition(`{"StringEquals":{"aws:username":"${aws:userid"}}`), "is not closed"},
		{condition(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*"}}`), `the value "arn:aws:iam::*" is neither "*" nor an ARN of six fields`},
		{condition(`{"Bool":{"aws:SecureTransport":"yes"}}`), `the value "yes" is neither true nor false`},
		{condition(`{"Null":{"aws:username":"yes"}}`), `the value "yes" is neither true nor false`},
		{condition(`{"NumericEquals":{"k:k":"ten"}}`), `the value "ten" is not a decimal number`},
		{condition(`{"NumericEquals":{"k:k":"0x10"}}`), "not a decimal number"},
		{condition(`{"NumericEquals":{"k:k":"Inf"}}`), "not a decimal number"},
		{condition(`{"NumericEquals":{"k:k":"1e999"}}`), "not a decimal number"},
		{condition(`{"NumericEquals":{"k:k":"${aws:EpochTime}"}}`), "only string, ARN and Bool operators take one"},
		{condition(`{"DateEquals":{"aws:CurrentTime":"31.1.2026"}}`), "not a date"},
		{condition(`{"DateEquals":{"aws:CurrentTime":"2026-01-31T09:00:00"}}`), "not a date"},
		{condition(`{"DateEquals":{"aws:CurrentTime":"253402300800"}}`), "not a date"},
		{condition(`{"DateEquals":{"aws:CurrentTime":"-1"}}`), "not a date"},
		{condition(`{"IpAddress":{"aws:SourceIp":"203.0.113.0/33"}}`), "not an IP address"},
		{condition(`{"IpAddress":{"aws:SourceIp":"203.0.113.*"}}`), "not an IP address"},
		{condition(`{"IpAddress":{"aws:SourceIp":"::ffff:203.0.113.0/120"}}`), "not an IP address"},
		{condition(`{"IpAddress":{"aws:SourceIp":"fe80::1%eth0"}}`), "not an IP address"},
		{condition(`{"BinaryEquals":{"k:k":"?"}}`), "not base64"},
	} {
		p, err := ParsePolicy([]byte(c.doc))
		if err == nil {
			t.Errorf("%.200s: accepted", c.doc)
			continue
		}
		if p != nil || !fault.Is(err, MalformedPolicyDocument) || fault.From(err).Code.Status() != 400 {
			t.Errorf("%.200s: %v, %#v", c.doc, p, err)
		}
		if message := fault.From(err).Message; !strings.Contains(message, c.message) {
			t.Errorf("%.200s: %q does not say %q", c.doc, message, c.message)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, doc := range []string{
		supportDesk,
		`{"Statement":{"Effect":"Allow","NotAction":["connect:Delete*"],"NotResource":"arn:aws:connect:*"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username, 'x'}/${*}"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{
			"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a*","${aws:userid}"]},
			"NumericLessThan":{"aws:EpochTime":1e9},"DateGreaterThan":{"aws:CurrentTime":"2026-01-31"},
			"Bool":{"aws:SecureTransport":true},"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]},
			"ArnLike":{"aws:PrincipalArn":"arn:*:iam::*:user/*"},"BinaryEquals":{"k:b":"QQ=="},"Null":{"k:n":"false"}}}}`,
	} {
		f.Add([]byte(doc), "connect:DescribeUser", "arn:aws:connect:us-east-1:123456789012:instance/i/agent/a", "aws:username", "ana")
	}
	f.Fuzz(func(t *testing.T, doc []byte, action, resource, key, value string) {
		p, err := ParsePolicy(doc)
		if err != nil {
			if !fault.Is(err, MalformedPolicyDocument) || fault.From(err).Message == "" {
				t.Errorf("the refusal is %#v", err)
			}
			return
		}
		caller := &Principal{ARN: "arn:aws:iam::123456789012:user/ops", Policies: []*Policy{p}}
		for _, ctx := range []Context{nil, Values{key: {value}}, Values{key: {value, ""}}, everyKey(value)} {
			req := Request{Action: action, Resource: resource, Context: ctx}
			err := caller.Authorize(req)
			if err != nil && !fault.Is(err, fault.AccessDenied) {
				t.Errorf("Authorize: %v", err)
			}
			denial := &Policy{statements: []statement{{deny: true, actions: actionSet{not: true}, resources: resourceSet{not: true}}}}
			denied := &Principal{Policies: []*Policy{p, denial}}
			if got := denied.decide(req); got != deniedExplicitly {
				t.Errorf("with a Deny of everything the decision is %v", got)
			}
		}
	})
}

// everyKey is a context in which every key has the same value.
func everyKey(value string) Context {
	return lookupFunc(func(string) ([]string, bool) { return []string{value}, true })
}

func TestDocumentErrorsNameTheDepth(t *testing.T) {
	doc := `{"Statement":[[{"a":[{},{"b":1,"b":2}]}]]}`
	_, err := ParsePolicy([]byte(doc))
	if want := `Statement[0][0].a[1]: the key "b" occurs twice`; err == nil || fault.From(err).Message != want {
		t.Errorf("%v, want %q", err, want)
	}
	deep := fmt.Sprintf(`{"Statement":%s%s}`, strings.Repeat("[", 3000), strings.Repeat("]", 3000))
	if _, err := ParsePolicy([]byte(deep)); err == nil {
		t.Error("a document 3000 levels deep was accepted")
	}
}
