package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// as returns a client of the AWS SDK for a principal with the statements.
func (w *world) as(t testing.TB, k keys, statements ...statement) *connect.Client {
	t.Helper()
	who := k.principal(t, "mary", statements...)
	return w.server.Client(who.id, who.secret)
}

// code is the exception of an SDK error, "" for none.
func code(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var api interface {
		error
		ErrorCode() string
	}
	if !errors.As(err, &api) {
		t.Fatalf("no answer of the server: %v", err)
	}
	return api.ErrorCode()
}

const denied = "AccessDeniedException"

// tagged makes a user that has the tag Department, and returns its id.
func (w *world) tagged(t testing.TB, department string) string {
	t.Helper()
	id := w.fresh(t, user)
	if department == "" {
		return id
	}
	_, err := w.server.Connect.TagResource(context.Background(), &connect.TagResourceInput{
		ResourceArn: aws.String(w.arn("agent", id)), Tags: map[string]string{"Department": department},
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// newUser is a request for a user that is legal, with tags.
func (w *world) newUser(t testing.TB, tags map[string]string) *connect.CreateUserInput {
	t.Helper()
	return &connect.CreateUserInput{
		InstanceId: &w.instance, Username: w.alias(), Tags: tags,
		RoutingProfileId: aws.String(w.shared(t, routingProfile)), SecurityProfileIds: []string{w.shared(t, securityProfile)},
		IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
	}
}

// TestAccessByTagOfResource is the example of the administrator guide
// ("Tag-based access control"): whoever may see the users of one department
// sees those and no other.
func TestAccessByTagOfResource(t *testing.T) {
	w := newWorld(t)
	k := w.keys(t)
	ctx := context.Background()
	support, sales, none := w.tagged(t, "Support"), w.tagged(t, "Sales"), w.tagged(t, "")
	c := w.as(t, k, statement{
		"Effect": "Allow", "Action": "connect:DescribeUser", "Resource": "*",
		"Condition": map[string]any{"StringEquals": map[string]any{"aws:ResourceTag/Department": "Support"}},
	})
	see := func(id string) string {
		t.Helper()
		out, err := c.DescribeUser(ctx, &connect.DescribeUserInput{InstanceId: &w.instance, UserId: &id})
		if err == nil && *out.User.Id != id {
			t.Errorf("asked for %s, got %s", id, *out.User.Id)
		}
		return code(t, err)
	}
	for _, want := range []struct{ who, id, code string }{
		{"in the department", support, ""},
		{"in another department", sales, denied},
		{"without the tag", none, denied},
		{"that does not exist", unknownID, denied},
	} {
		if got := see(want.id); got != want.code {
			t.Errorf("a user %s: %q, want %q", want.who, got, want.code)
		}
	}
	if _, err := c.ListUsers(ctx, &connect.ListUsersInput{InstanceId: &w.instance}); code(t, err) != denied {
		t.Errorf("listing all users: %v, want a refusal", err)
	}

	// The tag as it is now decides, not as it was when the key was made.
	move := func(id, department string) {
		t.Helper()
		_, err := w.server.Connect.TagResource(ctx, &connect.TagResourceInput{
			ResourceArn: aws.String(w.arn("agent", id)), Tags: map[string]string{"Department": department},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	move(sales, "Support")
	move(support, "Sales")
	if got := see(sales); got != "" {
		t.Errorf("a user who has come into the department: %q", got)
	}
	if got := see(support); got != denied {
		t.Errorf("a user who has left the department: %q", got)
	}
}

// TestAccessByTagsOfRequest: what tags a principal may give.
func TestAccessByTagsOfRequest(t *testing.T) {
	w := newWorld(t)
	k := w.keys(t)
	ctx := context.Background()

	// It may make users of its department, with that tag and no other.
	create := w.as(t, k,
		statement{"Effect": "Allow", "Action": "connect:CreateUser", "Resource": w.arn("agent", "*"), "Condition": map[string]any{
			"StringEquals":              map[string]any{"aws:RequestTag/Department": "Support"},
			"ForAllValues:StringEquals": map[string]any{"aws:TagKeys": []string{"Department"}},
		}},
		statement{"Effect": "Allow", "Action": "connect:CreateUser", "Resource": []string{w.arn("routing-profile", "*"), w.arn("security-profile", "*")}})
	for _, c := range []struct {
		name string
		tags map[string]string
		want string
	}{
		{"its department", map[string]string{"Department": "Support"}, ""},
		{"another department", map[string]string{"Department": "Sales"}, denied},
		{"no tags", nil, denied},
		{"one tag more", map[string]string{"Department": "Support", "Admin": "true"}, denied},
	} {
		if _, err := create.CreateUser(ctx, w.newUser(t, c.tags)); code(t, err) != c.want {
			t.Errorf("CreateUser with %s: %v, want %q", c.name, err, c.want)
		}
	}

	// It may set and take away one key, on users of its department only.
	tag := w.as(t, k, statement{
		"Effect": "Allow", "Action": []string{"connect:TagResource", "connect:UntagResource"}, "Resource": w.arn("agent", "*"),
		"Condition": map[string]any{
			"ForAllValues:StringLike": map[string]any{"aws:TagKeys": "Shift*"},
			"StringEquals":            map[string]any{"aws:ResourceTag/Department": "Support"},
		},
	})
	support, sales := w.arn("agent", w.tagged(t, "Support")), w.arn("agent", w.tagged(t, "Sales"))
	for _, c := range []struct {
		name, arn string
		keys      []string
		want      string
	}{
		{"its key", support, []string{"Shift"}, ""},
		{"two of its keys", support, []string{"Shift", "ShiftLead"}, ""},
		{"another key", support, []string{"Department"}, denied},
		{"its key and another", support, []string{"Shift", "Department"}, denied},
		{"its key in another department", sales, []string{"Shift"}, denied},
		{"an agent status", w.arn("agent-state", w.shared(t, agentStatus)), []string{"Shift"}, denied},
	} {
		tags := map[string]string{}
		for _, key := range c.keys {
			tags[key] = "early"
		}
		if _, err := tag.TagResource(ctx, &connect.TagResourceInput{ResourceArn: &c.arn, Tags: tags}); code(t, err) != c.want {
			t.Errorf("TagResource, %s: %v, want %q", c.name, err, c.want)
		}
		if _, err := tag.UntagResource(ctx, &connect.UntagResourceInput{ResourceArn: &c.arn, TagKeys: c.keys}); code(t, err) != c.want {
			t.Errorf("UntagResource, %s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestAccessConditions goes through what else a statement can say.
func TestAccessConditions(t *testing.T) {
	w := newWorld(t)
	k := w.keys(t)
	ctx := context.Background()
	id := w.tagged(t, "Support")
	describe := func(c *connect.Client) error {
		_, err := c.DescribeUser(ctx, &connect.DescribeUserInput{InstanceId: &w.instance, UserId: &id})
		return err
	}
	list := func(c *connect.Client) error {
		_, err := c.ListUsers(ctx, &connect.ListUsersInput{InstanceId: &w.instance})
		return err
	}
	allow := func(more statement) statement {
		s := statement{"Effect": "Allow", "Action": "connect:*", "Resource": "*"}
		for k, v := range more {
			s[k] = v
		}
		return s
	}
	when := func(operator, key string, value any) statement {
		return allow(statement{"Condition": map[string]any{operator: map[string]any{key: value}}})
	}
	for _, c := range []struct {
		name       string
		statements []statement
		call       func(*connect.Client) error
		want       string
	}{
		{"the instance", []statement{when("StringEquals", "connect:InstanceId", w.instance)}, list, ""},
		{"another instance", []statement{when("StringEquals", "connect:InstanceId", unknownID)}, list, denied},
		{"the client's address", []statement{when("IpAddress", "aws:SourceIp", "127.0.0.0/8")}, list, ""},
		{"another network", []statement{when("IpAddress", "aws:SourceIp", []string{"10.0.0.0/8", "2001:db8::/32"})}, list, denied},
		{"not from this network", []statement{when("NotIpAddress", "aws:SourceIp", "127.0.0.1/32")}, list, denied},
		{"the region", []statement{when("StringEquals", "aws:RequestedRegion", "us-east-1")}, list, ""},
		{"another region", []statement{when("StringEquals", "aws:RequestedRegion", "eu-west-1")}, list, denied},
		{"over TLS only", []statement{when("Bool", "aws:SecureTransport", "true")}, list, denied},
		{"the user's own name", []statement{when("StringEquals", "aws:username", "mary")}, list, ""},
		{"until long ago", []statement{when("DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z")}, list, denied},
		{"from long ago on", []statement{when("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z")}, list, ""},
		{"a tag that is not there", []statement{when("Null", "aws:ResourceTag/Department", "true")}, describe, denied},
		{"a tag that is there", []statement{when("Null", "aws:ResourceTag/Department", "false")}, describe, ""},
		{"NotAction leaves the rest", []statement{{"Effect": "Allow", "NotAction": "connect:Describe*", "Resource": "*"}}, list, ""},
		{"NotAction takes this out", []statement{{"Effect": "Allow", "NotAction": "connect:Describe*", "Resource": "*"}}, describe, denied},
		{"NotResource", []statement{{"Effect": "Allow", "Action": "connect:*", "NotResource": w.arn("agent", "*")}}, describe, denied},
		{"a wildcard in the action", []statement{allow(statement{"Action": "connect:Desc*User"})}, describe, ""},
		{"another case of the action", []statement{allow(statement{"Action": "Connect:describeuser"})}, describe, ""},
		{"another service", []statement{allow(statement{"Action": "ec2:*"})}, describe, denied},
		{"an explicit deny", []statement{allow(nil), {"Effect": "Deny", "Action": "connect:DescribeUser", "Resource": w.arn("agent", id)}}, describe, denied},
		{"an explicit deny of another", []statement{allow(nil), {"Effect": "Deny", "Action": "connect:DescribeUser", "Resource": w.arn("agent", unknownID)}}, describe, ""},
		{"a deny by tag", []statement{allow(nil), {
			"Effect": "Deny", "Action": "*", "Resource": "*",
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:ResourceTag/Department": "Support"}},
		}}, describe, denied},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.call(w.as(t, k, c.statements...))
			if code(t, err) != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestDeletedKey: a key stops working when it is deleted.
func TestDeletedKey(t *testing.T) {
	w := newWorld(t)
	k := w.keys(t)
	ctx := context.Background()
	who := k.principal(t, "mary", statement{"Effect": "Allow", "Action": "connect:ListUsers", "Resource": "*"})
	c := w.server.Client(who.id, who.secret)
	call := func() error {
		_, err := c.ListUsers(ctx, &connect.ListUsersInput{InstanceId: &w.instance})
		return err
	}
	if err := call(); err != nil {
		t.Fatal(err)
	}
	list, err := k.manager.List(ctx)
	if err != nil || len(list) != 1 || list[0].AccessKeyID != who.id || list[0].UserName != "mary" || !strings.Contains(string(list[0].Policy), "ListUsers") {
		t.Errorf("list of keys: %+v, %v", list, err)
	}
	if err := k.manager.Delete(ctx, who.id); err != nil {
		t.Fatal(err)
	}
	if got := code(t, call()); got != "UnrecognizedClientException" {
		t.Errorf("a deleted key: %q, want UnrecognizedClientException", got)
	}
	if err := k.manager.Delete(ctx, who.id); err == nil {
		t.Error("a key was deleted twice")
	}
}
