package gateway

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contract"
	"ringdown/internal/domain"
)

// TestTargets holds what a request touches to what AWS's service authorization
// reference lists for the operation.
func TestTargets(t *testing.T) {
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	const in = "arn:aws:connect:eu-west-2:1:instance/i"
	for _, c := range []struct {
		input any
		want  []string
	}{
		{&connect.ListInstancesInput{}, []string{"arn:aws:connect:eu-west-2:1:instance/*"}},
		{&connect.ListUsersInput{InstanceId: aws.String("i")}, []string{in}},
		{&connect.SearchUsersInput{InstanceId: aws.String(in)}, []string{in}},
		{&connect.DescribeUserInput{InstanceId: aws.String("i"), UserId: aws.String("u")}, []string{in + "/agent/u"}},
		{&connect.DescribeUserInput{InstanceId: aws.String("i"), UserId: aws.String(in + "/agent/u")}, []string{in + "/agent/u"}},
		{&connect.UpdateUserHierarchyInput{InstanceId: aws.String("i"), UserId: aws.String("u")}, []string{in + "/agent/u"}},
		{&connect.CreateUserInput{
			InstanceId: aws.String("i"), RoutingProfileId: aws.String("r"), SecurityProfileIds: []string{"a", "b"},
		}, []string{in + "/routing-profile/r", in + "/security-profile/a", in + "/security-profile/b", in + "/agent/*"}},
		{&connect.CreateUserHierarchyGroupInput{InstanceId: aws.String("i")}, []string{in + "/agent-group/*"}},
		{&connect.AssociateRoutingProfileQueuesInput{
			InstanceId: aws.String("i"), RoutingProfileId: aws.String("r"),
			QueueConfigs: []types.RoutingProfileQueueConfig{{QueueReference: &types.RoutingProfileQueueReference{QueueId: aws.String("q")}}},
		}, []string{in + "/routing-profile/r", in + "/queue/q"}},
		{&connect.UpdateQueueOutboundCallerConfigInput{
			InstanceId: aws.String("i"), QueueId: aws.String("q"),
			OutboundCallerConfig: &types.OutboundCallerConfig{OutboundCallerIdNumberId: aws.String("n"), OutboundFlowId: aws.String("f")},
		}, []string{in + "/queue/q", in + "/contact-flow/f", "arn:aws:connect:eu-west-2:1:phone-number/n"}},
		{&connect.CreateQuickConnectInput{
			InstanceId:         aws.String("i"),
			QuickConnectConfig: &types.QuickConnectConfig{UserConfig: &types.UserQuickConnectConfig{UserId: aws.String("u"), ContactFlowId: aws.String("f")}},
		}, []string{in + "/agent/u", in + "/contact-flow/f", in + "/transfer-destination/*"}},
		{&connect.DescribeContactFlowInput{InstanceId: aws.String("i"), ContactFlowId: aws.String("f:$SAVED")}, []string{in + "/contact-flow/f"}},
		{&connect.DescribeContactFlowInput{InstanceId: aws.String("i"), ContactFlowId: aws.String(in + "/contact-flow/f:")}, []string{in + "/contact-flow/f"}},
		{&connect.DescribeContactFlowModuleInput{InstanceId: aws.String("i"), ContactFlowModuleId: aws.String("m:live")}, []string{in + "/flow-module/m"}},
		{&connect.DescribeViewInput{InstanceId: aws.String("i"), ViewId: aws.String("v:$SAVED")}, []string{in + "/view/v:$SAVED"}},
		{&connect.TagResourceInput{ResourceArn: aws.String(in + "/contact-flow/f:1")}, []string{in + "/contact-flow/f"}},
		{&connect.CreateWorkspacePageInput{
			InstanceId: aws.String("i"), WorkspaceId: aws.String("w"), ResourceArn: aws.String("arn:aws:connect:eu-west-2:aws:view/form"),
		}, []string{in + "/workspace/w", "arn:aws:connect:eu-west-2:aws:view/form"}},
		{&connect.AssociateSecurityProfilesInput{
			InstanceId: aws.String("i"), EntityArn: aws.String(in + "/agent/u"), SecurityProfiles: []types.SecurityProfileItem{{Id: aws.String("s")}},
		}, []string{in + "/agent/u", in + "/security-profile/s"}},
		{&connect.TagResourceInput{ResourceArn: aws.String(in + "/queue/q")}, []string{in + "/queue/q"}},
		{&connect.TagResourceInput{ResourceArn: aws.String("nonsense")}, []string{"nonsense"}},
		{&connect.GetFederationTokenInput{InstanceId: aws.String("i")}, []string{in + "/user/AROAROLE:mary"}},
	} {
		typ := reflect.TypeOf(c.input).Elem()
		name := typ.Name()[:len(typ.Name())-len("Input")]
		targets := findTargets(api.Service("Connect").Operation(name), typ)
		var got []string
		for _, r := range targets.resources(c.input, &domain.Caller{Region: "eu-west-2", Account: "1", PrincipalID: "AROAROLE:mary"}) {
			got = append(got, r.arn)
			// Tags are those of the resource, whatever of it is named.
			if strings.Contains(r.parsed.ID, ":") {
				t.Errorf("%s: the id %s is none", name, r.parsed.ID)
			}
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s touches %q, want %q", name, got, c.want)
		}
	}
}
