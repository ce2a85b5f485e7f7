package iam

import (
	"testing"

	"ringdown/internal/fault"
)

const (
	instance = "arn:aws:connect:us-east-1:123456789012:instance/6c7f61b9-a3b6-4a3c-8c79-6c6cbf4b3fd0"
	agent    = instance + "/agent/0b1d2a61-2b3e-4c1a-9d48-6b1a8f8a0f10"
	queue    = instance + "/queue/9f0c4f0e-4a3c-49be-8a40-0a7bd0a1d2c3"
)

// supportDesk lets its holder describe the users of one department only.
const supportDesk = `{
	"Version": "2012-10-17",
	"Statement": [{
		"Sid": "DescribeSupport",
		"Effect": "Allow",
		"Action": "connect:DescribeUser",
		"Resource": "arn:aws:connect:*:*:instance/*/agent/*",
		"Condition": {"StringEquals": {"aws:ResourceTag/Department": "Support"}}
	}]
}`

func mustParse(t testing.TB, docs ...string) []*Policy {
	t.Helper()
	var policies []*Policy
	for _, doc := range docs {
		p, err := ParsePolicy([]byte(doc))
		if err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		policies = append(policies, p)
	}
	return policies
}

func TestAuthorizeByResourceTag(t *testing.T) {
	ops := &Principal{ARN: "arn:aws:iam::123456789012:user/ops", Policies: mustParse(t, supportDesk)}
	department := func(d string) Context { return Values{"aws:ResourceTag/Department": {d}} }
	refused := func(action, resource string) string {
		return "User: arn:aws:iam::123456789012:user/ops is not authorized to perform: " + action +
			" on resource: " + resource + " because no identity-based policy allows the " + action + " action"
	}
	for _, c := range []struct {
		name    string
		req     Request
		message string // of the refusal
	}{
		{"support", Request{"connect:DescribeUser", agent, department("Support")}, ""},
		{"action in another case", Request{"Connect:describeuser", agent, department("Support")}, ""},
		{"sales", Request{"connect:DescribeUser", agent, department("Sales")}, refused("connect:DescribeUser", agent)},
		{"value in another case", Request{"connect:DescribeUser", agent, department("support")}, refused("connect:DescribeUser", agent)},
		{"no tag", Request{"connect:DescribeUser", agent, Values{}}, refused("connect:DescribeUser", agent)},
		{"no context", Request{"connect:DescribeUser", agent, nil}, refused("connect:DescribeUser", agent)},
		{"other action", Request{"connect:DeleteUser", agent, department("Support")}, refused("connect:DeleteUser", agent)},
		{"other resource", Request{"connect:DescribeUser", queue, department("Support")}, refused("connect:DescribeUser", queue)},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := ops.Authorize(c.req)
			if c.message == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !fault.Is(err, fault.AccessDenied) || fault.From(err).Message != c.message {
				t.Errorf("got %v\nwant %s", err, c.message)
			}
		})
	}
}

func TestAuthorizeExplicitDeny(t *testing.T) {
	const (
		allowAll    = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
		denyDeletes = `{"Statement":{"Effect":"Deny","Action":"connect:Delete*","Resource":"*"}}`
	)
	want := "User: arn:aws:iam::123456789012:user/ops is not authorized to perform: connect:DeleteUser on resource: " +
		agent + " with an explicit deny in an identity-based policy"
	for _, docs := range [][]string{{allowAll, denyDeletes}, {denyDeletes, allowAll}, {denyDeletes}} {
		ops := &Principal{ARN: "arn:aws:iam::123456789012:user/ops", Policies: mustParse(t, docs...)}
		err := ops.Authorize(Request{Action: "connect:DeleteUser", Resource: agent})
		if !fault.Is(err, fault.AccessDenied) || fault.From(err).Message != want {
			t.Errorf("%v:\ngot  %v\nwant %s", docs, err, want)
		}
	}
	root := &Principal{Root: true, Policies: mustParse(t, denyDeletes)}
	if err := root.Authorize(Request{Action: "connect:DeleteUser", Resource: agent}); err != nil {
		t.Errorf("root: %v", err)
	}
}

// TestDocumentedPolicies has examples of the IAM User Guide and of the Connect
// administrator guide, each with requests.
func TestDocumentedPolicies(t *testing.T) {
	type question struct {
		action, resource string
		ctx              Values
		want             decision
	}
	for _, c := range []struct {
		name      string
		policies  []string
		questions []question
	}{
		{
			name: "the difference between explicit and implicit denies",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": [
					{"Sid": "AllowGetList", "Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
					{"Sid": "DenyReports", "Effect": "Deny", "Action": "iam:*Report", "Resource": "*"}
				]
			}`, `{
				"Version": "2012-10-17",
				"Statement": {"Effect": "Allow", "Action": "iam:GenerateCredentialReport", "Resource": "*"}
			}`},
			questions: []question{
				{"iam:GetUser", "*", nil, allowed},
				{"iam:CreatePolicy", "*", nil, deniedImplicitly},
				{"iam:GetOrganizationsAccessReport", "*", nil, deniedExplicitly},
				{"iam:GenerateCredentialReport", "*", nil, deniedExplicitly},
				{"iam:GenerateServiceLastAccessedDetails", "*", nil, deniedImplicitly},
			},
		},
		{
			name: "NotResource: deny all but a folder",
			policies: []string{
				`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`,
				`{
					"Version": "2012-10-17",
					"Statement": {
						"Effect": "Deny", "Action": "s3:*",
						"NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"]
					}
				}`,
			},
			questions: []question{
				{"s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/2026.csv", nil, allowed},
				{"s3:GetObject", "arn:aws:s3:::HRBucket/Payroll", nil, allowed},
				{"s3:GetObject", "arn:aws:s3:::HRBucket/Reviews/a", nil, deniedExplicitly},
				{"ec2:StartInstances", "*", nil, deniedImplicitly},
			},
		},
		{
			name: "NotAction: deny other Regions but for global services",
			policies: []string{
				`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`,
				`{
					"Version": "2012-10-17",
					"Statement": [{
						"Sid": "DenyAllOutsideRequestedRegions", "Effect": "Deny",
						"NotAction": ["cloudfront:*", "iam:*", "route53:*", "support:*"],
						"Resource": "*",
						"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}
					}]
				}`,
			},
			questions: []question{
				{"connect:ListUsers", instance, Values{"aws:RequestedRegion": {"eu-west-1"}}, allowed},
				{"connect:ListUsers", instance, Values{"aws:RequestedRegion": {"us-east-1"}}, deniedExplicitly},
				{"iam:ListUsers", "*", Values{"aws:RequestedRegion": {"us-east-1"}}, allowed},
				{"connect:ListUsers", instance, nil, deniedExplicitly},
			},
		},
		{
			name: "home directories by user name",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": [
					{"Action": ["s3:ListBucket"], "Effect": "Allow", "Resource": ["arn:aws:s3:::mybucket"],
					 "Condition": {"StringLike": {"s3:prefix": ["${aws:username}/*"]}}},
					{"Action": ["s3:GetObject", "s3:PutObject"], "Effect": "Allow", "Resource": ["arn:aws:s3:::mybucket/${aws:username}/*"]}
				]
			}`},
			questions: []question{
				{"s3:GetObject", "arn:aws:s3:::mybucket/David/a", Values{"aws:username": {"David"}}, allowed},
				{"s3:GetObject", "arn:aws:s3:::mybucket/david/a", Values{"aws:username": {"David"}}, deniedImplicitly},
				{"s3:GetObject", "arn:aws:s3:::mybucket/Ana/a", Values{"aws:username": {"David"}}, deniedImplicitly},
				{"s3:GetObject", "arn:aws:s3:::mybucket/Ana/a", Values{"aws:username": {"*"}}, deniedImplicitly},
				{"s3:GetObject", "arn:aws:s3:::mybucket/${aws:username}/a", nil, deniedImplicitly},
				{"s3:ListBucket", "arn:aws:s3:::mybucket", Values{"aws:username": {"David"}, "s3:prefix": {"David/x"}}, allowed},
				{"s3:ListBucket", "arn:aws:s3:::mybucket", Values{"aws:username": {"David"}, "s3:prefix": {"Ana/x"}}, deniedImplicitly},
			},
		},
		{
			name: "variables are plain text before version 2012-10-17",
			policies: []string{`{
				"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::mybucket/${aws:username}/*"}
			}`},
			questions: []question{
				{"s3:GetObject", "arn:aws:s3:::mybucket/David/a", Values{"aws:username": {"David"}}, deniedImplicitly},
				{"s3:GetObject", "arn:aws:s3:::mybucket/${aws:username}/a", Values{"aws:username": {"David"}}, allowed},
			},
		},
		{
			name: "default value of a variable",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": {"Effect": "Allow", "Action": "s3:*",
					"Resource": "arn:aws:s3:::DOC-EXAMPLE-BUCKET-${aws:PrincipalTag/team, 'company-wide'}"}
			}`},
			questions: []question{
				{"s3:ListBucket", "arn:aws:s3:::DOC-EXAMPLE-BUCKET-yellow", Values{"aws:PrincipalTag/team": {"yellow"}}, allowed},
				{"s3:ListBucket", "arn:aws:s3:::DOC-EXAMPLE-BUCKET-company-wide", Values{"aws:PrincipalTag/team": {"yellow"}}, deniedImplicitly},
				{"s3:ListBucket", "arn:aws:s3:::DOC-EXAMPLE-BUCKET-company-wide", nil, allowed},
			},
		},
		{
			name: "a variable without a value in NotResource covers nothing",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::${aws:PrincipalTag/team}"}
			}`},
			questions: []question{
				{"s3:ListBucket", "arn:aws:s3:::yellow", Values{"aws:PrincipalTag/team": {"yellow"}}, deniedImplicitly},
				{"s3:ListBucket", "arn:aws:s3:::yellow", nil, deniedExplicitly},
			},
		},
		{
			name: "StringLikeIfExists of an instance type",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": [{
					"Sid": "RunInstance", "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*",
					"Condition": {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}
				}]
			}`},
			questions: []question{
				{"ec2:RunInstances", "arn:aws:ec2:us-east-1:1:instance/*", Values{"ec2:InstanceType": {"t2.micro"}}, allowed},
				{"ec2:RunInstances", "arn:aws:ec2:us-east-1:1:instance/*", Values{"ec2:InstanceType": {"c5.large"}}, deniedImplicitly},
				{"ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami", nil, allowed},
			},
		},
		{
			name: "a negated IfExists in a Deny still denies without the key",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*",
					"Condition": {"StringNotEqualsIfExists": {"aws:ResourceTag/Department": "Support"}}}
			}`},
			questions: []question{
				{"connect:DescribeUser", agent, nil, deniedExplicitly},
				{"connect:DescribeUser", agent, Values{"aws:ResourceTag/Department": {"Sales"}}, deniedExplicitly},
				{"connect:DescribeUser", agent, Values{"aws:ResourceTag/Department": {"Support"}}, deniedImplicitly},
			},
		},
		{
			name: "Null: long-term credentials only",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": {"Action": "ec2:*", "Effect": "Allow", "Resource": "*", "Condition": {"Null": {"aws:TokenIssueTime": "true"}}}
			}`},
			questions: []question{
				{"ec2:RunInstances", "*", nil, allowed},
				{"ec2:RunInstances", "*", Values{"aws:TokenIssueTime": {"2026-01-01T00:00:00Z"}}, deniedImplicitly},
			},
		},
		{
			name: "tagging with allowed tag keys, and at least one",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": {
					"Effect": "Allow", "Action": "connect:TagResource", "Resource": "*",
					"Condition": {
						"ForAllValues:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]},
						"Null": {"aws:TagKeys": "false"}
					}
				}
			}`},
			questions: []question{
				{"connect:TagResource", queue, Values{"aws:TagKeys": {"environment", "cost-center"}}, allowed},
				{"connect:TagResource", queue, Values{"aws:TagKeys": {"environment", "owner"}}, deniedImplicitly},
				{"connect:TagResource", queue, nil, deniedImplicitly},
			},
		},
		{
			name: "dates: a window",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": [{
					"Effect": "Allow", "Action": "connect:*", "Resource": "*",
					"Condition": {
						"DateGreaterThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"},
						"DateLessThan": {"aws:CurrentTime": "2020-06-30T23:59:59Z"}
					}
				}]
			}`},
			questions: []question{
				{"connect:ListUsers", instance, Values{"aws:CurrentTime": {"2020-05-01T12:00:00Z"}}, allowed},
				{"connect:ListUsers", instance, Values{"aws:CurrentTime": {"2020-07-01T00:00:00Z"}}, deniedImplicitly},
				{"connect:ListUsers", instance, Values{"aws:CurrentTime": {"2020-04-01T00:00:00Z"}}, deniedImplicitly},
			},
		},
		{
			name: "source IP addresses",
			policies: []string{
				`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`,
				`{
					"Version": "2012-10-17",
					"Statement": {
						"Effect": "Deny", "Action": "*", "Resource": "*",
						"Condition": {"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]}}
					}
				}`,
			},
			questions: []question{
				{"connect:ListUsers", instance, Values{"aws:SourceIp": {"203.0.113.9"}}, allowed},
				{"connect:ListUsers", instance, Values{"aws:SourceIp": {"198.51.100.1"}}, deniedExplicitly},
			},
		},
		{
			name: "Connect: own federation token, one instance",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": [
					{"Effect": "Allow", "Action": "connect:GetFederationToken",
					 "Resource": "arn:aws:connect:*:*:instance/*/user/${aws:userid}"},
					{"Effect": "Allow", "Action": ["connect:Describe*", "connect:List*"], "Resource": "*",
					 "Condition": {"StringEquals": {"connect:InstanceId": "6c7f61b9-a3b6-4a3c-8c79-6c6cbf4b3fd0"}}}
				]
			}`},
			questions: []question{
				{"connect:GetFederationToken", instance + "/user/AROA1:ana", Values{"aws:userid": {"AROA1:ana"}}, allowed},
				{"connect:GetFederationToken", instance + "/user/AROA1:bob", Values{"aws:userid": {"AROA1:ana"}}, deniedImplicitly},
				{"connect:ListQueues", queue, Values{"connect:instanceid": {"6c7f61b9-a3b6-4a3c-8c79-6c6cbf4b3fd0"}}, allowed},
				{"connect:ListQueues", queue, Values{"connect:instanceid": {"other"}}, deniedImplicitly},
				{"connect:ListInstances", "*", nil, deniedImplicitly},
			},
		},
		{
			name: "matching tags of principal and resource",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": {"Effect": "Allow", "Action": "connect:*", "Resource": "*",
					"Condition": {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}}}
			}`},
			questions: []question{
				{"connect:DescribeQueue", queue, Values{"aws:ResourceTag/Team": {"a"}, "aws:PrincipalTag/Team": {"a"}}, allowed},
				{"connect:DescribeQueue", queue, Values{"aws:ResourceTag/Team": {"a"}, "aws:PrincipalTag/Team": {"b"}}, deniedImplicitly},
				{"connect:DescribeQueue", queue, Values{"aws:ResourceTag/Team": {""}, "aws:PrincipalTag/Team": {""}}, deniedImplicitly},
				{"connect:DescribeQueue", queue, nil, deniedImplicitly},
			},
		},
		{
			name: "an incomplete ARN that ends in *",
			policies: []string{`{
				"Version": "2012-10-17",
				"Statement": {"Effect": "Allow", "Action": "connect:*", "Resource": "arn:aws:connect:us-*"}
			}`},
			questions: []question{
				{"connect:DescribeUser", agent, nil, allowed},
				{"connect:DescribeUser", "arn:aws:connect:eu-west-1:123456789012:instance/i", nil, deniedImplicitly},
				{"connect:ListInstances", "*", nil, deniedImplicitly},
			},
		},
		{
			name:      "no policies",
			questions: []question{{"connect:DescribeUser", agent, nil, deniedImplicitly}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			caller := &Principal{ARN: "arn:aws:iam::123456789012:user/ops", Policies: mustParse(t, c.policies...)}
			for _, q := range c.questions {
				req := Request{Action: q.action, Resource: q.resource}
				if q.ctx != nil {
					req.Context = q.ctx
				}
				if got := caller.decide(req); got != q.want {
					t.Errorf("%s on %s with %v: %d, want %d", q.action, q.resource, q.ctx, got, q.want)
				}
			}
		})
	}
}

// benchmarkContext answers as the gateway would: from fields, not from a map.
func benchmarkContext(key string) ([]string, bool) {
	switch key {
	case "aws:resourcetag/Department":
		return support, true
	case "aws:username":
		return user, true
	}
	return nil, false
}

var support, user = []string{"Support"}, []string{"ana"}

func BenchmarkAuthorize(b *testing.B) {
	const other = `{
		"Version": "2012-10-17",
		"Statement": [
			{"Effect": "Allow", "Action": ["connect:List*", "connect:Search*", "connect:Get*"], "Resource": "arn:aws:connect:*:*:instance/*"},
			{"Effect": "Allow", "Action": "connect:*Queue*", "Resource": "arn:aws:connect:us-east-1:123456789012:instance/*/queue/*"},
			{"Effect": "Deny", "Action": ["connect:Delete*", "connect:Disassociate*"], "Resource": "*"},
			{"Effect": "Deny", "Action": "connect:*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "guest"}}},
			{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}/*"}
		]
	}`
	const own = `{
		"Version": "2012-10-17",
		"Statement": {"Effect": "Allow", "Action": "connect:*", "Resource": "arn:aws:connect:*:*:instance/*/user/${aws:username}"}
	}`
	for _, c := range []struct {
		name     string
		policies []string
		req      Request
	}{
		{"ByTag", []string{supportDesk}, Request{Action: "connect:DescribeUser", Resource: agent}},
		{"SixStatements", []string{other, supportDesk}, Request{Action: "connect:DescribeUser", Resource: agent}},
		{"Variable", []string{own}, Request{Action: "connect:GetFederationToken", Resource: instance + "/user/ana"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			caller := &Principal{ARN: "arn:aws:iam::123456789012:user/ops", Policies: mustParse(b, c.policies...)}
			c.req.Context = lookupFunc(benchmarkContext)
			b.ReportAllocs()
			for b.Loop() {
				if err := caller.Authorize(c.req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
