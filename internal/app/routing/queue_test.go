package routing_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func (c *centre) describeQueue(t *testing.T, id string) *types.Queue {
	t.Helper()
	out, err := c.DescribeQueue(t.Context(), &connect.DescribeQueueInput{InstanceId: &c.id, QueueId: &id})
	ok(t, err)
	return out.Queue
}

// flow is the id of a flow of the instance.
func (c *centre) flow(t *testing.T) string {
	t.Helper()
	out, err := c.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &c.id})
	ok(t, err)
	return *out.ContactFlowSummaryList[0].Id
}

func (c *centre) newPhoneQuickConnect(t *testing.T, name string) string {
	t.Helper()
	out, err := c.CreateQuickConnect(t.Context(), &connect.CreateQuickConnectInput{InstanceId: &c.id, Name: &name, QuickConnectConfig: phone("+15550100")})
	ok(t, err)
	return *out.QuickConnectId
}

func phone(number string) *types.QuickConnectConfig {
	return &types.QuickConnectConfig{
		QuickConnectType: types.QuickConnectTypePhoneNumber, PhoneConfig: &types.PhoneNumberQuickConnectConfig{PhoneNumber: &number},
	}
}

func TestQueue(t *testing.T) {
	s := servertest.Boot(t)
	t.Run("create and update", func(t *testing.T) {
		c := newCentre(t, s)
		flow := c.flow(t)
		id := c.newQueue(t, "Sales", func(in *connect.CreateQueueInput) {
			in.Description, in.MaxContacts, in.Tags = aws.String("Sells"), aws.Int32(0), map[string]string{"team": "a"}
			in.HoursOfOperationId = aws.String(c.arn(domain.KindHoursOfOperation, c.hours))
			in.OutboundCallerConfig = &types.OutboundCallerConfig{OutboundCallerIdName: aws.String("Shop"), OutboundFlowId: aws.String(c.arn(domain.KindContactFlow, flow))}
		})
		q := c.describeQueue(t, c.arn(domain.KindQueue, id))
		same(t, "the queue", []any{q.QueueId, q.Name, q.Description, q.MaxContacts, q.HoursOfOperationId, q.Status, q.Tags, q.OutboundCallerConfig}, []any{
			id, "Sales", "Sells", 0, c.hours, "ENABLED",
			map[string]string{"team": "a"},
			types.OutboundCallerConfig{OutboundCallerIdName: aws.String("Shop"), OutboundFlowId: &flow},
		})
		other := c.newHours(t, "Other")
		steps := []struct {
			name string
			do   func() error
			want func(q *types.Queue) any
			is   any
		}{
			{"name", func() error {
				_, err := c.UpdateQueueName(t.Context(), &connect.UpdateQueueNameInput{InstanceId: &c.id, QueueId: &id, Name: aws.String("Shop")})
				return err
			}, func(q *types.Queue) any { return []any{q.Name, q.Description} }, []any{"Shop", "Sells"}},
			{"description", func() error {
				_, err := c.UpdateQueueName(t.Context(), &connect.UpdateQueueNameInput{InstanceId: &c.id, QueueId: &id, Description: aws.String("Buys")})
				return err
			}, func(q *types.Queue) any { return []any{q.Name, q.Description} }, []any{"Shop", "Buys"}},
			{"status", func() error {
				_, err := c.UpdateQueueStatus(t.Context(), &connect.UpdateQueueStatusInput{InstanceId: &c.id, QueueId: &id, Status: types.QueueStatusDisabled})
				return err
			}, func(q *types.Queue) any { return q.Status }, "DISABLED"},
			{"contacts", func() error {
				_, err := c.UpdateQueueMaxContacts(t.Context(), &connect.UpdateQueueMaxContactsInput{InstanceId: &c.id, QueueId: &id, MaxContacts: aws.Int32(100000)})
				return err
			}, func(q *types.Queue) any { return q.MaxContacts }, 100000},
			{"no limit", func() error {
				_, err := c.UpdateQueueMaxContacts(t.Context(), &connect.UpdateQueueMaxContactsInput{InstanceId: &c.id, QueueId: &id})
				return err
			}, func(q *types.Queue) any { return q.MaxContacts }, nil},
			{"hours", func() error {
				_, err := c.UpdateQueueHoursOfOperation(t.Context(), &connect.UpdateQueueHoursOfOperationInput{InstanceId: &c.id, QueueId: &id, HoursOfOperationId: &other})
				return err
			}, func(q *types.Queue) any { return q.HoursOfOperationId }, other},
			{"caller replaced", func() error {
				_, err := c.UpdateQueueOutboundCallerConfig(t.Context(), &connect.UpdateQueueOutboundCallerConfigInput{
					InstanceId: &c.id, QueueId: &id, OutboundCallerConfig: &types.OutboundCallerConfig{OutboundCallerIdName: aws.String("S")},
				})
				return err
			}, func(q *types.Queue) any { return q.OutboundCallerConfig }, types.OutboundCallerConfig{OutboundCallerIdName: aws.String("S")}},
			{"caller removed", func() error {
				_, err := c.UpdateQueueOutboundCallerConfig(t.Context(), &connect.UpdateQueueOutboundCallerConfigInput{
					InstanceId: &c.id, QueueId: &id, OutboundCallerConfig: &types.OutboundCallerConfig{},
				})
				return err
			}, func(q *types.Queue) any { return q.OutboundCallerConfig }, nil},
			{"e-mail removed", func() error {
				_, err := c.UpdateQueueOutboundEmailConfig(t.Context(), &connect.UpdateQueueOutboundEmailConfigInput{
					InstanceId: &c.id, QueueId: &id, OutboundEmailConfig: &types.OutboundEmailConfig{},
				})
				return err
			}, func(q *types.Queue) any { return q.OutboundEmailConfig }, nil},
		}
		for _, step := range steps {
			ok(t, step.do())
			same(t, step.name, step.want(c.describeQueue(t, id)), step.is)
		}
		_, err := c.DeleteQueue(t.Context(), &connect.DeleteQueueInput{InstanceId: &c.id, QueueId: &id})
		ok(t, err)
		_, err = c.DeleteQueue(t.Context(), &connect.DeleteQueueInput{InstanceId: &c.id, QueueId: &id})
		fails(t, err, fault.ResourceNotFound)
	})
	t.Run("refused", func(t *testing.T) {
		c, foreign := newCentre(t, s), newCentre(t, s)
		unknown := domain.NewID()
		type input = connect.CreateQueueInput
		for name, tt := range map[string]struct {
			change func(*input)
			code   fault.Code
			word   string
		}{
			"BasicQueue": {func(*input) {}, fault.DuplicateResource, "BasicQueue"},
			"hours":      {func(in *input) { in.HoursOfOperationId = &unknown }, fault.ResourceNotFound, unknown},
			"other's hours": {func(in *input) {
				in.HoursOfOperationId = aws.String(foreign.arn(domain.KindHoursOfOperation, foreign.hours))
			}, fault.ResourceNotFound, ""},
			"bare hours":    {func(in *input) { in.HoursOfOperationId = &foreign.hours }, fault.ResourceNotFound, ""},
			"quick connect": {func(in *input) { in.QuickConnectIds = []string{unknown} }, fault.ResourceNotFound, unknown},
			"empty id":      {func(in *input) { in.QuickConnectIds = []string{""} }, fault.ResourceNotFound, ""},
			"e-mail":        {func(in *input) { in.EmailAddressesConfig = []types.EmailAddressConfig{{EmailAddressId: &unknown}} }, fault.ResourceNotFound, unknown},
			"from":          {func(in *input) { in.OutboundEmailConfig = &types.OutboundEmailConfig{OutboundEmailAddressId: &unknown} }, fault.ResourceNotFound, unknown},
			"number": {func(in *input) {
				in.OutboundCallerConfig = &types.OutboundCallerConfig{OutboundCallerIdNumberId: &unknown}
			}, fault.ResourceNotFound, unknown},
			"empty number": {func(in *input) {
				in.OutboundCallerConfig = &types.OutboundCallerConfig{OutboundCallerIdNumberId: aws.String("")}
			}, fault.InvalidParameter, "OutboundCallerIdNumberId"},
			"empty flow": {func(in *input) { in.OutboundCallerConfig = &types.OutboundCallerConfig{OutboundFlowId: aws.String("")} }, fault.InvalidParameter, "OutboundFlowId"},
			"negative":   {func(in *input) { in.MaxContacts = aws.Int32(-1) }, fault.InvalidParameter, "MaxContacts"},
		} {
			in := &input{InstanceId: &c.id, Name: &name, HoursOfOperationId: &c.hours}
			tt.change(in)
			_, err := c.CreateQueue(t.Context(), in)
			fails(t, err, tt.code, tt.word)
		}
		id := c.newQueue(t, "Sales")
		_, err := c.UpdateQueueName(t.Context(), &connect.UpdateQueueNameInput{InstanceId: &c.id, QueueId: &id, Name: aws.String("BasicQueue")})
		fails(t, err, fault.DuplicateResource, "BasicQueue")
		same(t, "the name", c.describeQueue(t, id).Name, "Sales")
	})
	t.Run("agents have queues", func(t *testing.T) {
		c := newCentre(t, s)
		standard := []string{c.queue, c.newQueue(t, "Sales")}
		var agents []string
		for i := range 3 {
			agents = append(agents, c.newUser(t, fmt.Sprintf("agent%d", i), c.profile))
		}
		both := append(standard[:2:2], agents...)
		for name, tt := range map[string]struct {
			of   []types.QueueType
			want []string
		}{
			"all":      {nil, both},
			"both":     {[]types.QueueType{types.QueueTypeAgent, types.QueueTypeStandard}, both},
			"standard": {[]types.QueueType{types.QueueTypeStandard}, standard},
			"agent":    {[]types.QueueType{types.QueueTypeAgent}, agents},
		} {
			for _, size := range []int32{1, 2, 3, 5, 100} {
				same(t, name, pages(t, func(size *int32, token *string) ([]string, *string, error) {
					out, err := c.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &c.id, QueueTypes: tt.of, MaxResults: size, NextToken: token})
					if err != nil {
						return nil, nil, err
					}
					var ids []string
					for _, q := range out.QueueSummaryList {
						ids = append(ids, *q.Id)
					}
					return ids, out.NextToken, nil
				}, size), tt.want)
			}
		}
		out, err := c.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &c.id, QueueTypes: []types.QueueType{types.QueueTypeAgent}})
		ok(t, err)
		q := out.QueueSummaryList[0]
		same(t, "an agent's queue", []any{q.Id, q.Name, q.QueueType, q.Arn}, []any{agents[0], nil, "AGENT", c.arn(domain.KindQueue, "agent/"+agents[0])})
		for _, id := range []string{agents[0], *q.Arn} {
			_, err = c.DescribeQueue(t.Context(), &connect.DescribeQueueInput{InstanceId: &c.id, QueueId: &id})
			fails(t, err, fault.ResourceNotFound)
			_, err = c.DeleteQueue(t.Context(), &connect.DeleteQueueInput{InstanceId: &c.id, QueueId: &id})
			fails(t, err, fault.ResourceNotFound)
		}
		found, err := c.SearchQueues(t.Context(), &connect.SearchQueuesInput{InstanceId: &c.id})
		ok(t, err)
		same(t, "searched", found.ApproximateTotalCount, 2)
		_, err = c.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &c.id, NextToken: aws.String("xyz")})
		fails(t, err, fault.InvalidParameter, "NextToken")
		_, err = c.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: &c.id, UserId: &agents[0]})
		ok(t, err)
		out, err = c.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &c.id})
		ok(t, err)
		same(t, "after the user is gone", len(out.QueueSummaryList), 4)
	})
	t.Run("search", func(t *testing.T) {
		c := newCentre(t, s)
		ids := []string{c.queue}
		for i, name := range []string{"Sales east", "Sales west", "Support"} {
			ids = append(ids, c.newQueue(t, name, func(in *connect.CreateQueueInput) {
				in.Description, in.Tags = aws.String("Number "+name), map[string]string{"n": fmt.Sprint(i)}
			}))
		}
		type criteria = types.QueueSearchCriteria
		begins := &types.StringCondition{FieldName: aws.String("name"), Value: aws.String("sales"), ComparisonType: types.StringComparisonTypeStartsWith}
		holds := func(value string) *types.StringCondition {
			return &types.StringCondition{FieldName: aws.String("description"), Value: &value, ComparisonType: types.StringComparisonTypeContains}
		}
		for name, tt := range map[string]struct {
			criteria *criteria
			filter   *types.ControlPlaneTagFilter
			want     []string
			code     fault.Code
		}{
			"all":              {nil, nil, ids, ""},
			"type":             {&criteria{QueueTypeCondition: types.SearchableQueueTypeStandard}, nil, ids, ""},
			"begins":           {&criteria{StringCondition: begins}, nil, ids[1:3], ""},
			"contains":         {&criteria{StringCondition: holds("BER s")}, nil, ids[1:], ""},
			"too short":        {&criteria{StringCondition: holds("b")}, nil, nil, fault.InvalidParameter},
			"id":               {&criteria{StringCondition: is("resourceID", ids[3])}, nil, ids[3:], ""},
			"nested":           {&criteria{AndConditions: []criteria{{StringCondition: begins}, {OrConditions: []criteria{{StringCondition: is("name", "Sales west")}, {StringCondition: is("name", "Support")}}}}}, nil, ids[2:3], ""},
			"type and name":    {&criteria{AndConditions: []criteria{{QueueTypeCondition: types.SearchableQueueTypeStandard}, {StringCondition: begins}}}, nil, ids[1:3], ""},
			"two in one level": {&criteria{QueueTypeCondition: types.SearchableQueueTypeStandard, StringCondition: begins}, nil, nil, fault.InvalidParameter},
			"tag":              {&criteria{StringCondition: begins}, &types.ControlPlaneTagFilter{TagCondition: &types.TagCondition{TagKey: aws.String("n"), TagValue: aws.String("1")}}, ids[2:3], ""},
			"field":            {&criteria{StringCondition: is("status", "ENABLED")}, nil, nil, fault.InvalidParameter},
		} {
			var total *int64
			in := &connect.SearchQueuesInput{InstanceId: &c.id, SearchCriteria: tt.criteria}
			if tt.filter != nil {
				in.SearchFilter = &types.QueueSearchFilter{TagFilter: tt.filter}
			}
			if tt.code != "" {
				_, err := c.SearchQueues(t.Context(), in)
				fails(t, err, tt.code)
				continue
			}
			got := pages(t, func(size *int32, token *string) ([]string, *string, error) {
				in.MaxResults, in.NextToken = size, token
				out, err := c.SearchQueues(t.Context(), in)
				if err != nil {
					return nil, nil, err
				}
				total = out.ApproximateTotalCount
				var ids []string
				for _, q := range out.Queues {
					ids = append(ids, *q.QueueId)
				}
				return ids, out.NextToken, nil
			}, 1)
			same(t, name, []any{got, total}, []any{tt.want, len(tt.want)})
		}
	})
}

func TestQueueQuickConnects(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	first, second, third := c.newPhoneQuickConnect(t, "One"), c.newPhoneQuickConnect(t, "Two"), c.newPhoneQuickConnect(t, "Three")
	id := c.newQueue(t, "Sales", func(in *connect.CreateQueueInput) { in.QuickConnectIds = []string{second, second} })
	list := func() []string {
		return pages(t, func(size *int32, token *string) ([]string, *string, error) {
			out, err := c.ListQueueQuickConnects(t.Context(), &connect.ListQueueQuickConnectsInput{InstanceId: &c.id, QueueId: &id, MaxResults: size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			var names []string
			for _, q := range out.QuickConnectSummaryList {
				names = append(names, *q.Name+" "+string(q.QuickConnectType))
			}
			return names, out.NextToken, nil
		}, 2)
	}
	same(t, "at first", list(), []string{"Two PHONE_NUMBER"})
	_, err := c.AssociateQueueQuickConnects(t.Context(), &connect.AssociateQueueQuickConnectsInput{
		InstanceId: &c.id, QueueId: &id, QuickConnectIds: []string{first, second, c.arn(domain.KindQuickConnect, third)},
	})
	ok(t, err)
	same(t, "associated", list(), []string{"Two PHONE_NUMBER", "One PHONE_NUMBER", "Three PHONE_NUMBER"})
	_, err = c.AssociateQueueQuickConnects(t.Context(), &connect.AssociateQueueQuickConnectsInput{InstanceId: &c.id, QueueId: &id, QuickConnectIds: []string{domain.NewID()}})
	fails(t, err, fault.ResourceNotFound)
	_, err = c.DeleteQuickConnect(t.Context(), &connect.DeleteQuickConnectInput{InstanceId: &c.id, QuickConnectId: &second})
	fails(t, err, fault.InvalidRequest, "in use")
	_, err = c.DisassociateQueueQuickConnects(t.Context(), &connect.DisassociateQueueQuickConnectsInput{InstanceId: &c.id, QueueId: &id, QuickConnectIds: []string{second, domain.NewID()}})
	ok(t, err)
	same(t, "disassociated", list(), []string{"One PHONE_NUMBER", "Three PHONE_NUMBER"})
	_, err = c.DeleteQuickConnect(t.Context(), &connect.DeleteQuickConnectInput{InstanceId: &c.id, QuickConnectId: &second})
	ok(t, err)
}

// TestNoQueueEmailAddresses is about a queue without any; those with some are in
// the tests of internal/app/email.
func TestNoQueueEmailAddresses(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	unknown := domain.NewID()
	out, err := c.ListQueueEmailAddresses(t.Context(), &connect.ListQueueEmailAddressesInput{InstanceId: &c.id, QueueId: &c.queue})
	ok(t, err)
	same(t, "the addresses", out.EmailAddressMetadataList, []any{})
	_, err = c.AssociateQueueEmailAddresses(t.Context(), &connect.AssociateQueueEmailAddressesInput{
		InstanceId: &c.id, QueueId: &c.queue, EmailAddressesConfig: []types.EmailAddressConfig{{EmailAddressId: &unknown}},
	})
	fails(t, err, fault.ResourceNotFound, unknown)
	disassociate := func(id string) error {
		_, err := c.DisassociateQueueEmailAddresses(t.Context(), &connect.DisassociateQueueEmailAddressesInput{
			InstanceId: &c.id, QueueId: &c.queue, EmailAddressesId: []string{id}, ClientToken: aws.String("token"),
		})
		return err
	}
	ok(t, disassociate(unknown))
	ok(t, disassociate(unknown))
	fails(t, disassociate(domain.NewID()), fault.InvalidRequest, "ClientToken")
}
