package replication_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const east, west = servertest.Region, "us-west-2"

// pair is a booted server with an instance, and a client of the other region.
type pair struct {
	*servertest.Server
	id   string
	west *connect.Client
}

func open(t *testing.T) pair {
	t.Helper()
	s := servertest.Boot(t)
	return pair{s, s.NewInstance(t), s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) { o.Region = west })}
}

func (p pair) replicate(t *testing.T, alias string, change ...func(*connect.ReplicateInstanceInput)) (*connect.ReplicateInstanceOutput, error) {
	in := &connect.ReplicateInstanceInput{InstanceId: &p.id, ReplicaRegion: aws.String(west), ReplicaAlias: &alias}
	for _, f := range change {
		f(in)
	}
	return p.Connect.ReplicateInstance(t.Context(), in)
}

func (p pair) groups(t *testing.T, c *connect.Client, instance *string) []types.TrafficDistributionGroupSummary {
	t.Helper()
	out, err := c.ListTrafficDistributionGroups(t.Context(), &connect.ListTrafficDistributionGroupsInput{InstanceId: instance})
	ok(t, err)
	return out.TrafficDistributionGroupSummaryList
}

func (p pair) group(t *testing.T, name string) *connect.CreateTrafficDistributionGroupOutput {
	t.Helper()
	out, err := p.Connect.CreateTrafficDistributionGroup(t.Context(), &connect.CreateTrafficDistributionGroupInput{InstanceId: &p.id, Name: &name})
	ok(t, err)
	return out
}

func TestReplicateInstance(t *testing.T) {
	p := open(t)
	other := p.NewInstance(t)
	before, err := p.Connect.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &p.id})
	ok(t, err)
	if before.ReplicationConfiguration != nil {
		t.Error("an instance without a replica shows one")
	}
	alias := *before.Instance.InstanceAlias
	for name, c := range map[string]struct {
		alias  string
		change func(*connect.ReplicateInstanceInput)
		code   fault.Code
	}{
		"its own region":       {"replica", func(in *connect.ReplicateInstanceInput) { in.ReplicaRegion = aws.String(east) }, fault.InvalidRequest},
		"a region not linked":  {"replica", func(in *connect.ReplicateInstanceInput) { in.ReplicaRegion = aws.String("eu-west-2") }, fault.InvalidRequest},
		"an instance's alias":  {strings.ToUpper(alias), func(*connect.ReplicateInstanceInput) {}, fault.ResourceConflict},
		"an unknown instance":  {"replica", func(in *connect.ReplicateInstanceInput) { in.InstanceId = aws.String(domain.NewID()) }, fault.ResourceNotFound},
		"an alias that is bad": {"d-alias", func(*connect.ReplicateInstanceInput) {}, fault.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.replicate(t, c.alias, c.change)
			fails(t, err, c.code)
		})
	}
	token := func(in *connect.ReplicateInstanceInput) { in.ClientToken = aws.String("token") }
	made, err := p.replicate(t, "replica", token)
	ok(t, err)
	again, err := p.replicate(t, "replica", token)
	ok(t, err)
	arn := strings.Replace(servertest.InstanceARN(p.id), east, west, 1)
	same(t, "answers", []*string{made.Id, made.Arn, again.Arn}, []*string{&p.id, &arn, &arn})
	_, err = p.replicate(t, "another")
	fails(t, err, fault.ResourceConflict)
	_, err = p.replicate(t, "replica", func(in *connect.ReplicateInstanceInput) { in.InstanceId = &other })
	fails(t, err, fault.ResourceConflict)
	_, err = p.Connect.CreateInstance(t.Context(), &connect.CreateInstanceInput{
		IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("Replica"), InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	fails(t, err, fault.InvalidRequest, "already used")
	_, err = p.west.ReplicateInstance(t.Context(), &connect.ReplicateInstanceInput{InstanceId: &p.id, ReplicaRegion: aws.String(east), ReplicaAlias: aws.String("back")})
	fails(t, err, fault.InvalidRequest)

	want := &types.ReplicationConfiguration{SourceRegion: aws.String(east), ReplicationStatusSummaryList: []types.ReplicationStatusSummary{
		{Region: aws.String(west), ReplicationStatus: types.InstanceReplicationStatusInstanceReplicationComplete},
	}}
	for c, seen := range map[*connect.Client][]string{p.Connect: {servertest.InstanceARN(p.id), alias}, p.west: {arn, "replica"}} {
		out, err := c.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &p.id})
		ok(t, err)
		same(t, "replication", out.ReplicationConfiguration, want)
		same(t, "instance", []string{*out.Instance.Arn, *out.Instance.InstanceAlias}, seen)
		list, err := c.ListInstances(t.Context(), &connect.ListInstancesInput{})
		ok(t, err)
		if !slices.ContainsFunc(list.InstanceSummaryList, func(i types.InstanceSummary) bool { return *i.Arn == seen[0] && *i.InstanceAlias == seen[1] }) {
			t.Errorf("%s is not listed", seen[0])
		}
	}
}

// A replica shows what its instance holds, under ARNs of its own, and what is
// changed in one region is changed in the other.
func TestReplica(t *testing.T) {
	p := open(t)
	_, err := p.replicate(t, "replica")
	ok(t, err)
	arns := func(c *connect.Client) (all []string) {
		out, err := c.ListHoursOfOperations(t.Context(), &connect.ListHoursOfOperationsInput{InstanceId: &p.id})
		ok(t, err)
		for _, h := range out.HoursOfOperationSummaryList {
			all = append(all, *h.Arn)
		}
		return all
	}
	_, err = p.west.CreateHoursOfOperation(t.Context(), &connect.CreateHoursOfOperationInput{
		InstanceId: &p.id, Name: aws.String("Made in the west"), TimeZone: aws.String("UTC"), Config: []types.HoursOfOperationConfig{},
	})
	ok(t, err)
	for range 2 { // for ARNs are kept
		near, far := arns(p.Connect), arns(p.west)
		same(t, "hours in the west", far, strings.Split(strings.ReplaceAll(strings.Join(near, " "), east, west), " "))
		if len(near) != 2 || !strings.Contains(near[1], east) {
			t.Errorf("hours in the east are %v", near)
		}
	}
	_, err = p.west.UpdateInstanceAttribute(t.Context(), &connect.UpdateInstanceAttributeInput{InstanceId: &p.id, AttributeType: types.InstanceAttributeTypeContactflowLogs, Value: aws.String("true")})
	ok(t, err)
	out, err := p.Connect.DescribeInstanceAttribute(t.Context(), &connect.DescribeInstanceAttributeInput{InstanceId: &p.id, AttributeType: types.InstanceAttributeTypeContactflowLogs})
	ok(t, err)
	same(t, "attribute", out.Attribute.Value, "true")
	arn := strings.Replace(servertest.InstanceARN(p.id), east, west, 1)
	_, err = p.west.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"a": "1"}})
	ok(t, err)
	tags, err := p.Connect.ListTagsForResource(t.Context(), &connect.ListTagsForResourceInput{ResourceArn: aws.String(servertest.InstanceARN(p.id))})
	ok(t, err)
	same(t, "tags", tags.Tags, map[string]string{"a": "1"})
}

func TestDeleteReplica(t *testing.T) {
	p := open(t)
	_, err := p.replicate(t, "replica")
	ok(t, err)
	g := p.group(t, "Group")
	found, err := p.west.SearchAvailablePhoneNumbers(t.Context(), &connect.SearchAvailablePhoneNumbersInput{InstanceId: &p.id, PhoneNumberCountryCode: "US", PhoneNumberType: "DID"})
	ok(t, err)
	_, err = p.west.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{InstanceId: &p.id, PhoneNumber: found.AvailableNumbersList[0].PhoneNumber})
	ok(t, err)
	remove := func(c *connect.Client) error {
		_, err := c.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &p.id})
		return err
	}
	fails(t, remove(p.west), fault.InvalidRequest, *g.Id)
	_, err = p.Connect.DeleteTrafficDistributionGroup(t.Context(), &connect.DeleteTrafficDistributionGroupInput{TrafficDistributionGroupId: g.Id})
	ok(t, err)
	ok(t, remove(p.west))
	fails(t, remove(p.west), fault.ResourceNotFound)
	same(t, "groups", p.groups(t, p.Connect, nil), []types.TrafficDistributionGroupSummary{})
	numbers, err := p.west.ListPhoneNumbersV2(t.Context(), &connect.ListPhoneNumbersV2Input{})
	ok(t, err)
	same(t, "numbers", numbers.ListPhoneNumbersSummaryList, []types.ListPhoneNumbersSummary{})
	out, err := p.Connect.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &p.id})
	ok(t, err)
	if out.ReplicationConfiguration != nil {
		t.Error("the replica is still shown")
	}
	_, err = p.replicate(t, "replica") // once more
	ok(t, err)
	ok(t, remove(p.Connect)) // and the instance with all
	fails(t, remove(p.west), fault.ResourceNotFound)
}

func TestTrafficDistributionGroup(t *testing.T) {
	p := open(t)
	create := func(c *connect.Client, name string) error {
		_, err := c.CreateTrafficDistributionGroup(t.Context(), &connect.CreateTrafficDistributionGroupInput{InstanceId: &p.id, Name: &name})
		return err
	}
	fails(t, create(p.Connect, "Group"), fault.InvalidRequest, "ReplicateInstance")
	_, err := p.replicate(t, "replica")
	ok(t, err)
	arn := servertest.InstanceARN(p.id)
	in := &connect.CreateTrafficDistributionGroupInput{
		InstanceId: &arn, Name: aws.String("Group"), Description: aws.String("two regions"), Tags: map[string]string{"a": "1"}, ClientToken: aws.String("token"),
	}
	g, err := p.Connect.CreateTrafficDistributionGroup(t.Context(), in)
	ok(t, err)
	again, err := p.Connect.CreateTrafficDistributionGroup(t.Context(), in)
	ok(t, err)
	same(t, "the same request's answer", again.Id, g.Id)
	same(t, "ARN", g.Arn, "arn:aws:connect:us-east-1:123456789012:traffic-distribution-group/"+*g.Id)
	fails(t, create(p.Connect, "Group"), fault.ResourceConflict)
	fails(t, create(p.west, "West"), fault.InvalidRequest, east)

	type summary = types.TrafficDistributionGroupSummary
	for c, instance := range map[*connect.Client]*string{p.Connect: &p.id, p.west: nil} {
		list := p.groups(t, c, instance)
		if len(list) != 2 || !list[0].IsDefault {
			t.Fatalf("the groups are %+v", list)
		}
		same(t, "summary", list[1], summary{Arn: g.Arn, Id: g.Id, InstanceArn: &arn, Name: in.Name, Status: "ACTIVE"})
	}
	for c, ids := range map[*connect.Client][]*string{p.Connect: {g.Id, g.Arn}, p.west: {g.Arn}} {
		for _, id := range ids {
			out, err := c.DescribeTrafficDistributionGroup(t.Context(), &connect.DescribeTrafficDistributionGroupInput{TrafficDistributionGroupId: id})
			ok(t, err)
			same(t, "group", out.TrafficDistributionGroup, types.TrafficDistributionGroup{
				Arn: g.Arn, Id: g.Id, InstanceArn: &arn, Name: in.Name, Description: in.Description, Status: "ACTIVE", Tags: map[string]string{"a": "1"},
			})
		}
	}
	_, err = p.west.DescribeTrafficDistributionGroup(t.Context(), &connect.DescribeTrafficDistributionGroupInput{TrafficDistributionGroupId: g.Id})
	fails(t, err, fault.ResourceNotFound) // without the ARN
	third := p.Client(p.Root.AccessKeyID, p.Root.SecretAccessKey, func(o *connect.Options) { o.Region = "eu-west-2" })
	_, err = third.DescribeTrafficDistributionGroup(t.Context(), &connect.DescribeTrafficDistributionGroupInput{TrafficDistributionGroupId: g.Arn})
	fails(t, err, fault.ResourceNotFound)
	same(t, "groups of a third region", p.groups(t, third, nil), []summary{})

	remove := func(c *connect.Client, id *string) error {
		_, err := c.DeleteTrafficDistributionGroup(t.Context(), &connect.DeleteTrafficDistributionGroupInput{TrafficDistributionGroupId: id})
		return err
	}
	fails(t, remove(p.Connect, p.groups(t, p.Connect, nil)[0].Id), fault.InvalidRequest, "default")
	fails(t, remove(p.west, g.Arn), fault.InvalidRequest, east)
	ok(t, remove(p.Connect, g.Arn))
	ok(t, remove(p.Connect, g.Id)) // it is gone already

	for n := range 3 {
		p.group(t, fmt.Sprint("Group ", n))
	}
	pages := servertest.Pages(t, func(token *string) ([]string, *string, error) {
		out, err := p.Connect.ListTrafficDistributionGroups(t.Context(), &connect.ListTrafficDistributionGroupsInput{MaxResults: aws.Int32(3), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		var names []string
		for _, g := range out.TrafficDistributionGroupSummaryList {
			names = append(names, *g.Name)
		}
		return names, out.NextToken, nil
	})
	same(t, "pages", pages, [][]string{{"Default traffic distribution group", "Group 0", "Group 1"}, {"Group 2"}})
}

// Numbers of a group ring in either region.
func TestNumbersOfAGroup(t *testing.T) {
	p := open(t)
	_, err := p.replicate(t, "replica")
	ok(t, err)
	g := p.group(t, "Group")
	search := &connect.SearchAvailablePhoneNumbersInput{TargetArn: g.Arn, PhoneNumberCountryCode: "US", PhoneNumberType: "DID"}
	found, err := p.west.SearchAvailablePhoneNumbers(t.Context(), search)
	ok(t, err)
	claim := &connect.ClaimPhoneNumberInput{TargetArn: g.Arn, PhoneNumber: found.AvailableNumbersList[0].PhoneNumber}
	_, err = p.west.ClaimPhoneNumber(t.Context(), claim)
	fails(t, err, fault.InvalidParameter, east)
	number, err := p.Connect.ClaimPhoneNumber(t.Context(), claim)
	ok(t, err)
	described, err := p.Connect.DescribePhoneNumber(t.Context(), &connect.DescribePhoneNumberInput{PhoneNumberId: number.PhoneNumberId})
	ok(t, err)
	same(t, "target", described.ClaimedPhoneNumberSummary.TargetArn, g.Arn)
	if described.ClaimedPhoneNumberSummary.InstanceId != nil {
		t.Error("a number of a group shows an instance")
	}
	for target, want := range map[string]int{*g.Arn: 1, servertest.InstanceARN(p.id): 0} {
		out, err := p.Connect.ListPhoneNumbersV2(t.Context(), &connect.ListPhoneNumbersV2Input{TargetArn: &target})
		ok(t, err)
		if n := len(out.ListPhoneNumbersSummaryList); n != want {
			t.Errorf("%s has %d numbers", target, n)
		}
	}
	flows, err := p.west.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &p.id, MaxResults: aws.Int32(1)})
	ok(t, err)
	associate := func(c *connect.Client, number *string) error {
		_, err := c.AssociatePhoneNumberContactFlow(t.Context(), &connect.AssociatePhoneNumberContactFlowInput{
			InstanceId: &p.id, PhoneNumberId: number, ContactFlowId: flows.ContactFlowSummaryList[0].Id,
		})
		return err
	}
	fails(t, associate(p.west, number.PhoneNumberId), fault.ResourceNotFound)
	ok(t, associate(p.west, number.PhoneNumberArn))
	ok(t, associate(p.Connect, number.PhoneNumberId))
	_, err = p.Connect.DeleteTrafficDistributionGroup(t.Context(), &connect.DeleteTrafficDistributionGroupInput{TrafficDistributionGroupId: g.Id})
	fails(t, err, fault.ResourceInUse)
	_, err = p.Connect.UpdatePhoneNumber(t.Context(), &connect.UpdatePhoneNumberInput{PhoneNumberId: number.PhoneNumberId, InstanceId: &p.id})
	ok(t, err)
	_, err = p.Connect.DeleteTrafficDistributionGroup(t.Context(), &connect.DeleteTrafficDistributionGroupInput{TrafficDistributionGroupId: g.Id})
	ok(t, err)
}
