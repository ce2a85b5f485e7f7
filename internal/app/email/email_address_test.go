package email_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

// office is a booted server with an instance.
type office struct {
	*servertest.Server
	id string
}

func open(t *testing.T, change ...func(*server.Config)) office {
	t.Helper()
	s := servertest.Boot(t, change...)
	return office{s, s.NewInstance(t)}
}

func (o office) create(t *testing.T, address string, tags map[string]string) string {
	t.Helper()
	out, err := o.Connect.CreateEmailAddress(t.Context(), &connect.CreateEmailAddressInput{InstanceId: &o.id, EmailAddress: &address, Tags: tags})
	ok(t, err)
	same(t, "ARN", out.EmailAddressArn, servertest.InstanceARN(o.id)+"/email-address/"+*out.EmailAddressId)
	return *out.EmailAddressId
}

func (o office) describe(t *testing.T, id string) *connect.DescribeEmailAddressOutput {
	t.Helper()
	out, err := o.Connect.DescribeEmailAddress(t.Context(), &connect.DescribeEmailAddressInput{InstanceId: &o.id, EmailAddressId: &id})
	ok(t, err)
	return out
}

func (o office) remove(t *testing.T, id string) error {
	_, err := o.Connect.DeleteEmailAddress(t.Context(), &connect.DeleteEmailAddressInput{InstanceId: &o.id, EmailAddressId: &id})
	return err
}

func TestEmailAddress(t *testing.T) {
	o := open(t)
	in := &connect.CreateEmailAddressInput{
		InstanceId: &o.id, EmailAddress: aws.String("Support@example.com"), Description: aws.String("what is asked"), DisplayName: aws.String("Support"),
		Tags: map[string]string{"a": "1"}, ClientToken: aws.String("token"),
	}
	made, err := o.Connect.CreateEmailAddress(t.Context(), in)
	ok(t, err)
	again, err := o.Connect.CreateEmailAddress(t.Context(), in)
	ok(t, err)
	same(t, "the same request's answer", again.EmailAddressId, made.EmailAddressId)
	for _, arnOrID := range []*string{made.EmailAddressId, made.EmailAddressArn} {
		got := o.describe(t, *arnOrID)
		for what, at := range map[string]*string{"CreateTimestamp": got.CreateTimestamp, "ModifiedTimestamp": got.ModifiedTimestamp} {
			if _, err := time.Parse(time.RFC3339, aws.ToString(at)); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		got.CreateTimestamp, got.ModifiedTimestamp, got.ResultMetadata = nil, nil, connect.DescribeEmailAddressOutput{}.ResultMetadata
		same(t, "address", got, connect.DescribeEmailAddressOutput{
			EmailAddress: in.EmailAddress, EmailAddressId: made.EmailAddressId, EmailAddressArn: made.EmailAddressArn,
			Description: in.Description, DisplayName: in.DisplayName, AliasConfigurations: []types.AliasConfiguration{}, Tags: map[string]string{"a": "1"},
		})
	}
	for name, c := range map[string]struct {
		change func(in *connect.CreateEmailAddressInput)
		code   fault.Code
	}{
		"taken, in another case": {func(in *connect.CreateEmailAddressInput) { in.EmailAddress = aws.String("support@EXAMPLE.com") }, fault.DuplicateResource},
		"token of another":       {func(in *connect.CreateEmailAddressInput) { in.ClientToken = aws.String("token") }, fault.Idempotency},
		"no address":             {func(in *connect.CreateEmailAddressInput) { in.EmailAddress = aws.String("support") }, fault.InvalidParameter},
		"unknown instance":       {func(in *connect.CreateEmailAddressInput) { in.InstanceId = aws.String(domain.NewID()) }, fault.ResourceNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			in := &connect.CreateEmailAddressInput{InstanceId: &o.id, EmailAddress: aws.String("new@example.com")}
			c.change(in)
			_, err := o.Connect.CreateEmailAddress(t.Context(), in)
			fails(t, err, c.code)
		})
	}

	update := func(description, name *string) string {
		out, err := o.Connect.UpdateEmailAddressMetadata(t.Context(), &connect.UpdateEmailAddressMetadataInput{
			InstanceId: &o.id, EmailAddressId: made.EmailAddressArn, Description: description, DisplayName: name,
		})
		ok(t, err)
		same(t, "the answer to an update", []*string{out.EmailAddressId, out.EmailAddressArn}, []*string{made.EmailAddressId, made.EmailAddressArn})
		got := o.describe(t, *made.EmailAddressId)
		return fmt.Sprint(aws.ToString(got.Description), "/", aws.ToString(got.DisplayName), got.DisplayName == nil)
	}
	same(t, "updates", []string{update(nil, nil), update(aws.String("d"), nil), update(nil, aws.String(""))},
		[]string{"what is asked/Supportfalse", "d/Supportfalse", "d/true"})

	ok(t, o.remove(t, *made.EmailAddressId))
	fails(t, o.remove(t, *made.EmailAddressId), fault.ResourceNotFound)
	_, err = o.Connect.UpdateEmailAddressMetadata(t.Context(), &connect.UpdateEmailAddressMetadataInput{InstanceId: &o.id, EmailAddressId: made.EmailAddressId})
	fails(t, err, fault.ResourceNotFound)
}

func TestAliases(t *testing.T) {
	o := open(t)
	var ids []string
	for n := range 5 {
		ids = append(ids, o.create(t, fmt.Sprintf("a%d@example.com", n), nil))
	}
	associate := func(primary, alias string) error {
		_, err := o.Connect.AssociateEmailAddressAlias(t.Context(), &connect.AssociateEmailAddressAliasInput{
			InstanceId: &o.id, EmailAddressId: &primary, AliasConfiguration: &types.AliasConfiguration{EmailAddressId: &alias},
		})
		return err
	}
	disassociate := func(primary, alias string) error {
		_, err := o.Connect.DisassociateEmailAddressAlias(t.Context(), &connect.DisassociateEmailAddressAliasInput{
			InstanceId: &o.id, EmailAddressId: &primary, AliasConfiguration: &types.AliasConfiguration{EmailAddressId: &alias},
		})
		return err
	}
	ok(t, associate(ids[0], ids[1]))
	same(t, "aliases", o.describe(t, ids[0]).AliasConfigurations, []types.AliasConfiguration{{EmailAddressId: &ids[1]}})
	for name, c := range map[string]struct {
		primary, alias string
		code           fault.Code
	}{
		"itself":                 {ids[2], ids[2], fault.InvalidRequest},
		"a second alias":         {ids[0], ids[2], fault.ResourceConflict},
		"somebody else's alias":  {ids[2], ids[1], fault.ResourceConflict},
		"an alias of an alias":   {ids[1], ids[2], fault.ResourceConflict},
		"an address with one":    {ids[2], ids[0], fault.ResourceConflict},
		"an unknown alias":       {ids[2], domain.NewID(), fault.ResourceNotFound},
		"of an unknown address":  {domain.NewID(), ids[2], fault.ResourceNotFound},
		"which is there already": {ids[0], ids[1], fault.ResourceConflict},
	} {
		t.Run(name, func(t *testing.T) { fails(t, associate(c.primary, c.alias), c.code) })
	}
	fails(t, disassociate(ids[0], ids[2]), fault.ResourceNotFound)
	ok(t, disassociate(ids[0], ids[1]))
	ok(t, associate(ids[0], ids[1])) // again at once
	ok(t, o.remove(t, ids[1]))       // an alias goes, the address stays without
	same(t, "aliases", o.describe(t, ids[0]).AliasConfigurations, []types.AliasConfiguration{})
	ok(t, associate(ids[0], ids[2]))
	ok(t, o.remove(t, ids[0])) // the other way about
	ok(t, associate(ids[3], ids[2]))
}

func TestSearchEmailAddresses(t *testing.T) {
	o := open(t)
	var want []string
	for n := range 5 {
		want = append(want, o.create(t, fmt.Sprintf("a%d@example.com", n), map[string]string{"Team": fmt.Sprint(n % 2)}))
	}
	_, err := o.Connect.UpdateEmailAddressMetadata(t.Context(), &connect.UpdateEmailAddressMetadataInput{
		InstanceId: &o.id, EmailAddressId: &want[3], Description: aws.String("about bills"), DisplayName: aws.String("Billing"),
	})
	ok(t, err)
	search := func(t *testing.T, in connect.SearchEmailAddressesInput) ([]string, *connect.SearchEmailAddressesOutput, error) {
		in.InstanceId = &o.id
		out, err := o.Connect.SearchEmailAddresses(t.Context(), &in)
		if err != nil {
			return nil, nil, err
		}
		ids := []string{}
		for _, a := range out.EmailAddresses {
			ids = append(ids, *a.EmailAddressId)
		}
		return ids, out, nil
	}
	pages := servertest.Pages(t, func(token *string) ([]string, *string, error) {
		ids, out, err := search(t, connect.SearchEmailAddressesInput{NextToken: token, MaxResults: aws.Int32(2)})
		if err == nil && *out.ApproximateTotalCount != 5 {
			t.Errorf("%d addresses in all", *out.ApproximateTotalCount)
		}
		return ids, out.NextToken, err
	})
	same(t, "pages", pages, servertest.InPages(want, 2))

	field := func(name, value string, how types.StringComparisonType) *types.EmailAddressSearchCriteria {
		return &types.EmailAddressSearchCriteria{StringCondition: &types.StringCondition{FieldName: &name, Value: &value, ComparisonType: how}}
	}
	tag := &types.EmailAddressSearchFilter{TagFilter: &types.ControlPlaneTagFilter{TagCondition: &types.TagCondition{TagKey: aws.String("Team"), TagValue: aws.String("1")}}}
	for name, c := range map[string]struct {
		in   connect.SearchEmailAddressesInput
		want []string
	}{
		"address":     {connect.SearchEmailAddressesInput{SearchCriteria: field("emailAddress", "A2@Example", "STARTS_WITH")}, want[2:3]},
		"name":        {connect.SearchEmailAddressesInput{SearchCriteria: field("displayName", "billing", "EXACT")}, want[3:4]},
		"description": {connect.SearchEmailAddressesInput{SearchCriteria: field("description", "bill", "CONTAINS")}, want[3:4]},
		"id":          {connect.SearchEmailAddressesInput{SearchCriteria: field("resourceID", want[4], "EXACT")}, want[4:]},
		"tag":         {connect.SearchEmailAddressesInput{SearchFilter: tag}, []string{want[1], want[3]}},
		"and":         {connect.SearchEmailAddressesInput{SearchFilter: tag, SearchCriteria: &types.EmailAddressSearchCriteria{AndConditions: []types.EmailAddressSearchCriteria{*field("emailAddress", "a", "STARTS_WITH"), *field("displayName", "B", "STARTS_WITH")}}}, want[3:4]},
		"or":          {connect.SearchEmailAddressesInput{SearchCriteria: &types.EmailAddressSearchCriteria{OrConditions: []types.EmailAddressSearchCriteria{*field("resourceID", want[0], "EXACT"), *field("displayName", "B", "STARTS_WITH")}}}, []string{want[0], want[3]}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := search(t, c.in)
			ok(t, err)
			same(t, "found", got, c.want)
		})
	}
	_, _, err = search(t, connect.SearchEmailAddressesInput{SearchCriteria: field("colour", "a", "EXACT")})
	fails(t, err, fault.InvalidParameter, "FieldName")
	_, _, err = search(t, connect.SearchEmailAddressesInput{NextToken: aws.String("x")})
	fails(t, err, fault.InvalidParameter)
}

// The addresses that queues write from.
func TestQueuesOfEmailAddresses(t *testing.T) {
	o := open(t)
	a, b := o.create(t, "a@example.com", nil), o.create(t, "b@example.com", nil)
	queues, err := o.Connect.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &o.id})
	ok(t, err)
	queue := queues.QueueSummaryList[0].Id
	associate := func(id string) error {
		_, err := o.Connect.AssociateQueueEmailAddresses(t.Context(), &connect.AssociateQueueEmailAddressesInput{
			InstanceId: &o.id, QueueId: queue, EmailAddressesConfig: []types.EmailAddressConfig{{EmailAddressId: &id}},
		})
		return err
	}
	listed := func() string {
		out, err := o.Connect.ListQueueEmailAddresses(t.Context(), &connect.ListQueueEmailAddressesInput{InstanceId: &o.id, QueueId: queue})
		ok(t, err)
		var all []string
		for _, e := range out.EmailAddressMetadataList {
			same(t, "ARN", e.Arn, servertest.InstanceARN(o.id)+"/email-address/"+*e.Id)
			all = append(all, fmt.Sprint(map[string]string{a: "a", b: "b"}[*e.Id], e.IsDefaultOutboundEmail))
		}
		return strings.Join(all, " ")
	}
	outbound := func(id *string) {
		_, err := o.Connect.UpdateQueueOutboundEmailConfig(t.Context(), &connect.UpdateQueueOutboundEmailConfigInput{
			InstanceId: &o.id, QueueId: queue, OutboundEmailConfig: &types.OutboundEmailConfig{OutboundEmailAddressId: id},
		})
		ok(t, err)
	}
	fails(t, associate(domain.NewID()), fault.ResourceNotFound)
	ok(t, associate(a))
	ok(t, associate(a))
	outbound(&b)
	same(t, "addresses of the queue", listed(), "btrue afalse")
	for _, id := range []string{a, b} {
		fails(t, o.remove(t, id), fault.ResourceConflict)
	}
	outbound(nil)
	_, err = o.Connect.DisassociateQueueEmailAddresses(t.Context(), &connect.DisassociateQueueEmailAddressesInput{InstanceId: &o.id, QueueId: queue, EmailAddressesId: []string{a}})
	ok(t, err)
	same(t, "addresses of the queue", listed(), "")
	ok(t, o.remove(t, a))
	ok(t, o.remove(t, b))
}

func TestQuotaOfEmailAddresses(t *testing.T) {
	o := open(t, func(c *server.Config) { c.Quotas = true })
	for n := range 100 {
		o.create(t, fmt.Sprintf("a%d@example.com", n), nil)
	}
	_, err := o.Connect.CreateEmailAddress(t.Context(), &connect.CreateEmailAddressInput{InstanceId: &o.id, EmailAddress: aws.String("one@too.many")})
	fails(t, err, fault.ServiceQuotaExceeded)
}
