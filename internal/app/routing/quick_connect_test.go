package routing_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func TestQuickConnect(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	flow, user, queue, unknown := c.flow(t), c.newUser(t, "agent", c.profile), c.newQueue(t, "Sales"), domain.NewID()
	configs := map[types.QuickConnectType]*types.QuickConnectConfig{
		types.QuickConnectTypePhoneNumber: phone("+15550100"),
		types.QuickConnectTypeUser: {
			QuickConnectType: types.QuickConnectTypeUser, UserConfig: &types.UserQuickConnectConfig{UserId: &user, ContactFlowId: &flow},
		},
		types.QuickConnectTypeQueue: {
			QuickConnectType: types.QuickConnectTypeQueue, QueueConfig: &types.QueueQuickConnectConfig{QueueId: &queue, ContactFlowId: &flow},
		},
		types.QuickConnectTypeFlow: {
			QuickConnectType: types.QuickConnectTypeFlow, FlowConfig: &types.FlowQuickConnectConfig{ContactFlowId: &flow},
		},
	}
	describe := func(id string) *types.QuickConnect {
		t.Helper()
		out, err := c.DescribeQuickConnect(t.Context(), &connect.DescribeQuickConnectInput{InstanceId: &c.id, QuickConnectId: &id})
		ok(t, err)
		return out.QuickConnect
	}
	create := func(name string, config *types.QuickConnectConfig) (string, error) {
		out, err := c.CreateQuickConnect(t.Context(), &connect.CreateQuickConnectInput{
			InstanceId: &c.id, Name: &name, Description: aws.String("About " + name), QuickConnectConfig: config, Tags: map[string]string{"name": name},
		})
		if err != nil {
			return "", err
		}
		return *out.QuickConnectId, nil
	}
	made := map[types.QuickConnectType]string{}
	for _, of := range types.QuickConnectType("").Values() {
		id, err := create(string(of), configs[of])
		ok(t, err)
		made[of] = id
		q := describe(c.arn(domain.KindQuickConnect, id))
		same(t, string(of), []any{q.QuickConnectId, q.QuickConnectARN, q.Name, q.Description, q.QuickConnectConfig, q.Tags},
			[]any{id, c.arn(domain.KindQuickConnect, id), of, "About " + string(of), configs[of], map[string]string{"name": string(of)}})
	}
	for name, tt := range map[string]struct {
		config *types.QuickConnectConfig
		code   fault.Code
		word   string
	}{
		"USER":        {configs[types.QuickConnectTypeUser], fault.DuplicateResource, "USER"},
		"no config":   {&types.QuickConnectConfig{QuickConnectType: types.QuickConnectTypeUser}, fault.InvalidParameter, "UserConfig is required"},
		"two configs": {&types.QuickConnectConfig{QuickConnectType: types.QuickConnectTypePhoneNumber, PhoneConfig: phone("+15550100").PhoneConfig, FlowConfig: configs[types.QuickConnectTypeFlow].FlowConfig}, fault.InvalidParameter, "FlowConfig must not"},
		"no number":   {phone("12345"), fault.InvalidParameter, "PhoneNumber"},
		"no flow":     {&types.QuickConnectConfig{QuickConnectType: types.QuickConnectTypeFlow, FlowConfig: &types.FlowQuickConnectConfig{ContactFlowId: &unknown}}, fault.ResourceNotFound, unknown},
		"no queue":    {&types.QuickConnectConfig{QuickConnectType: types.QuickConnectTypeQueue, QueueConfig: &types.QueueQuickConnectConfig{QueueId: &unknown, ContactFlowId: &flow}}, fault.ResourceNotFound, unknown},
		"no user":     {&types.QuickConnectConfig{QuickConnectType: types.QuickConnectTypeUser, UserConfig: &types.UserQuickConnectConfig{UserId: &unknown, ContactFlowId: &flow}}, fault.ResourceNotFound, unknown},
	} {
		_, err := create(name, tt.config)
		fails(t, err, tt.code, tt.word)
	}
	t.Run("list", func(t *testing.T) {
		for _, tt := range []struct {
			of   []types.QuickConnectType
			want int
		}{{nil, 4}, {[]types.QuickConnectType{types.QuickConnectTypeQueue}, 1}, {[]types.QuickConnectType{types.QuickConnectTypeQueue, types.QuickConnectTypeUser}, 2}} {
			got := pages(t, func(size *int32, token *string) ([]string, *string, error) {
				out, err := c.ListQuickConnects(t.Context(), &connect.ListQuickConnectsInput{InstanceId: &c.id, QuickConnectTypes: tt.of, MaxResults: size, NextToken: token})
				if err != nil {
					return nil, nil, err
				}
				var ids []string
				for _, q := range out.QuickConnectSummaryList {
					ids = append(ids, *q.Id)
				}
				return ids, out.NextToken, nil
			}, 1)
			same(t, "how many", len(got), tt.want)
		}
	})
	t.Run("search", func(t *testing.T) {
		type criteria = types.QuickConnectSearchCriteria
		for name, tt := range map[string]struct {
			criteria *criteria
			tag      string
			want     string
			code     fault.Code
		}{
			"name":        {&criteria{StringCondition: is("name", "user")}, "", made[types.QuickConnectTypeUser], ""},
			"description": {&criteria{StringCondition: is("description", "about flow")}, "", made[types.QuickConnectTypeFlow], ""},
			"id":          {&criteria{AndConditions: []criteria{{StringCondition: is("resourceID", made[types.QuickConnectTypeQueue])}}}, "", made[types.QuickConnectTypeQueue], ""},
			"tag":         {nil, "FLOW", made[types.QuickConnectTypeFlow], ""},
			"field":       {&criteria{StringCondition: is("type", "USER")}, "", "", fault.InvalidParameter},
		} {
			in := &connect.SearchQuickConnectsInput{InstanceId: &c.id, SearchCriteria: tt.criteria}
			if tt.tag != "" {
				in.SearchFilter = &types.QuickConnectSearchFilter{TagFilter: &types.ControlPlaneTagFilter{
					OrConditions: [][]types.TagCondition{{{TagKey: aws.String("name"), TagValue: &tt.tag}}},
				}}
			}
			out, err := c.SearchQuickConnects(t.Context(), in)
			fails(t, err, tt.code)
			if err == nil && (len(out.QuickConnects) != 1 || *out.QuickConnects[0].QuickConnectId != tt.want || *out.ApproximateTotalCount != 1) {
				t.Errorf("%s: found %v, want %s", name, out.QuickConnects, tt.want)
			}
		}
	})
	t.Run("update, references, delete", func(t *testing.T) {
		id := made[types.QuickConnectTypePhoneNumber]
		rename := func(name, description *string) error {
			_, err := c.UpdateQuickConnectName(t.Context(), &connect.UpdateQuickConnectNameInput{InstanceId: &c.id, QuickConnectId: &id, Name: name, Description: description})
			return err
		}
		ok(t, rename(aws.String("Help"), aws.String("")))
		fails(t, rename(aws.String("USER"), nil), fault.InvalidRequest, "USER")
		reconfigure := func(id string, config *types.QuickConnectConfig) error {
			_, err := c.UpdateQuickConnectConfig(t.Context(), &connect.UpdateQuickConnectConfigInput{InstanceId: &c.id, QuickConnectId: &id, QuickConnectConfig: config})
			return err
		}
		ok(t, reconfigure(id, configs[types.QuickConnectTypeQueue]))
		q := describe(id)
		same(t, "updated", []any{q.Name, q.Description, q.QuickConnectConfig}, []any{"Help", nil, configs[types.QuickConnectTypeQueue]})
		fails(t, reconfigure(id, &types.QuickConnectConfig{QuickConnectType: types.QuickConnectTypeUser, UserConfig: &types.UserQuickConnectConfig{UserId: &unknown, ContactFlowId: &flow}}), fault.ResourceNotFound, unknown)

		removeQueue := func() error {
			_, err := c.DeleteQueue(t.Context(), &connect.DeleteQueueInput{InstanceId: &c.id, QueueId: &queue})
			return err
		}
		fails(t, removeQueue(), fault.ResourceInUse)
		ok(t, reconfigure(id, phone("+15550101")))
		_, err := c.DeleteQuickConnect(t.Context(), &connect.DeleteQuickConnectInput{InstanceId: &c.id, QuickConnectId: aws.String(made[types.QuickConnectTypeQueue])})
		ok(t, err)
		ok(t, removeQueue())

		_, err = c.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: &c.id, UserId: &user})
		ok(t, err)
		same(t, "left behind", describe(made[types.QuickConnectTypeUser]).QuickConnectConfig, configs[types.QuickConnectTypeUser])
	})
}
