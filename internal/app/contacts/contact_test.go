package contacts_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func TestStopContact(t *testing.T) {
	c := open(t)
	id := c.queuedTask()
	_, err := c.StopContact(c.ctx(), &connect.StopContactInput{InstanceId: &c.id, ContactId: &id, DisconnectReason: &types.DisconnectReason{Code: aws.String("EXPIRED")}})
	fails(t, err, fault.InvalidRequest, "campaigns")
	ok(t, c.stop(servertest.InstanceARN(c.id)+"/contact/"+id))
	e := c.describe(id)
	same(t, "why it ended", []any{*e.DisconnectReason, e.DisconnectTimestamp != nil}, []any{"API", true})
	fails(t, c.stop(id), fault.ContactNotFound, "ended")
	fails(t, c.stop(unknownID), fault.ContactNotFound)
	ok(t, c.stop(c.task(at(tomorrow()))))
}

func TestContactAttributes(t *testing.T) {
	c := open(t)
	id := c.task(at(tomorrow()))
	same(t, "no attributes", c.attributes(id), map[string]string{})
	ok(t, c.setAttributes(id, map[string]string{"a": "1", "b-b": "ä"}))
	ok(t, c.setAttributes(id, map[string]string{"a": ""}))
	ok(t, c.stop(id))
	ok(t, c.setAttributes(id, map[string]string{"c_c": "3"}))
	want := map[string]string{"a": "", "b-b": "ä", "c_c": "3"}
	same(t, "the attributes", c.attributes(id), want)
	fails(t, c.setAttributes(id, map[string]string{"c c": "3"}), fault.InvalidParameter, "c c")
	fails(t, c.setAttributes(id, map[string]string{"d": strings.Repeat("x", 32767)}), fault.InvalidRequest, "32768")
	same(t, "the attributes after what was refused", c.attributes(id), want)
	fails(t, c.setAttributes(unknownID, want), fault.ResourceNotFound)
	_, err := c.GetContactAttributes(c.ctx(), &connect.GetContactAttributesInput{InstanceId: &c.id, InitialContactId: aws.String(unknownID)})
	fails(t, err, fault.ResourceNotFound)
}

func TestDescribeContactRefuses(t *testing.T) {
	c := open(t)
	for what, tc := range map[string]struct{ instance, contact string }{
		"unknown contact":       {c.id, unknownID},
		"unknown instance":      {unknownID, c.task()},
		"of another instance":   {c.id, servertest.InstanceARN(unknownID) + "/contact/" + c.task()},
		"something that is not": {c.id, servertest.InstanceARN(c.id) + "/queue/" + c.queue},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := c.DescribeContact(c.ctx(), &connect.DescribeContactInput{InstanceId: &tc.instance, ContactId: &tc.contact})
			fails(t, err, fault.ResourceNotFound)
		})
	}
}

func TestUpdateContact(t *testing.T) {
	c := open(t)
	update := func(id string, change func(*connect.UpdateContactInput)) error {
		in := &connect.UpdateContactInput{InstanceId: &c.id, ContactId: &id}
		change(in)
		_, err := c.UpdateContact(c.ctx(), in)
		return err
	}
	_, err := c.CreatePredefinedAttribute(c.ctx(), &connect.CreatePredefinedAttributeInput{
		InstanceId: &c.id, Name: aws.String("Tier"), Values: &types.PredefinedAttributeValuesMemberStringList{Value: []string{"Gold"}},
	})
	ok(t, err)
	reference := func(kind types.ReferenceType, value string) types.Reference {
		return types.Reference{Type: kind, Value: &value}
	}
	id := c.task(at(tomorrow()), func(in *startTask) {
		in.References = map[string]types.Reference{"Order": reference(types.ReferenceTypeUrl, "https://example.com/1"), "Total": reference(types.ReferenceTypeNumber, "1")}
	})
	tier := map[string]types.SegmentAttributeValue{"Tier": {ValueString: aws.String("Gold")}}
	ok(t, update(id, func(in *connect.UpdateContactInput) {
		in.Name, in.Description, in.SegmentAttributes = aws.String("Another"), aws.String("Text"), tier
		in.References = map[string]types.Reference{"Total": reference(types.ReferenceTypeNumber, "2"), "Note": reference(types.ReferenceTypeString, "x")}
	}))
	ok(t, update(id, func(in *connect.UpdateContactInput) { in.SegmentAttributes = expiry(60) }))
	e := c.describe(id)
	same(t, "the contact", []any{
		*e.Name, *e.Description, *e.SegmentAttributes["Tier"].ValueString, *e.SegmentAttributes["connect:Subtype"].ValueString,
		*e.SegmentAttributes["connect:ContactExpiry"].ValueMap["ExpiryDuration"].ValueInteger,
	}, []any{"Another", "Text", "Gold", "connect:Task", 60})
	same(t, "its references", c.references(id, types.ReferenceTypeUrl, types.ReferenceTypeNumber, types.ReferenceTypeString, types.ReferenceTypeDate), []string{"Note x", "Order https://example.com/1", "Total 2"})
	same(t, "those of one type", c.references(id, types.ReferenceTypeNumber), []string{"Total 2"})
	_, err = c.ListContactReferences(c.ctx(), &connect.ListContactReferencesInput{InstanceId: &c.id, ContactId: &id, ReferenceTypes: []types.ReferenceType{"URL"}, NextToken: aws.String("x")})
	fails(t, err, fault.InvalidParameter, "NextToken")

	ok(t, c.stop(id))
	ok(t, update(id, func(in *connect.UpdateContactInput) { in.Name = aws.String("Over") }))
	same(t, "the name of an ended contact", *c.describe(id).Name, "Over")
	for what, tc := range map[string]struct {
		change func(*connect.UpdateContactInput)
		word   string
	}{
		"nothing":            {func(*connect.UpdateContactInput) {}, "At least one"},
		"a queue":            {func(in *connect.UpdateContactInput) { in.QueueInfo = &types.QueueInfoInput{Id: &c.queue} }, "other systems"},
		"expiry of the past": {func(in *connect.UpdateContactInput) { in.SegmentAttributes = expiry(60) }, "ended"},
		"who has made it": {func(in *connect.UpdateContactInput) {
			in.SegmentAttributes = map[string]types.SegmentAttributeValue{"connect:CreatedByUser": {}}
		}, "CreatedByUser"},
		"a number of its own": {func(in *connect.UpdateContactInput) {
			in.SegmentAttributes = map[string]types.SegmentAttributeValue{"Tier": {ValueInteger: aws.Int32(1)}}
		}, "ValueString"},
	} {
		t.Run(what, func(t *testing.T) { fails(t, update(id, tc.change), fault.InvalidRequest, tc.word) })
	}
	fails(t, update(unknownID, func(in *connect.UpdateContactInput) { in.Name = aws.String("x") }), fault.ResourceNotFound)

	// An expiry that has passed ends the contact.
	late := c.queuedTask()
	ok(t, update(late, func(in *connect.UpdateContactInput) { in.SegmentAttributes = expiry(1) }))
	same(t, "a contact with a minute to go", c.describe(late).DisconnectTimestamp, nil)
}

func TestTagContact(t *testing.T) {
	c := open(t)
	tag := func(id string, tags map[string]string) error {
		_, err := c.TagContact(c.ctx(), &connect.TagContactInput{InstanceId: &c.id, ContactId: &id, Tags: tags})
		return err
	}
	untag := func(id string, keys ...string) error {
		_, err := c.UntagContact(c.ctx(), &connect.UntagContactInput{InstanceId: &c.id, ContactId: &id, TagKeys: keys})
		return err
	}
	id := c.task(at(tomorrow()))
	six := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": ""}
	ok(t, tag(id, six))
	ok(t, tag(id, map[string]string{"a": "6"}))
	fails(t, tag(id, map[string]string{"g": "7"}), fault.InvalidRequest, "6 tags")
	fails(t, tag(id, map[string]string{"aws:g": "7"}), fault.InvalidParameter, "Tags")
	ok(t, c.stop(id))
	ok(t, untag(id, "b", "nothing"))
	want := maps.Clone(six)
	want["a"] = "6"
	delete(want, "b")
	same(t, "the tags", c.describe(id).Tags, want)
	ok(t, untag(id, "a", "c", "d", "e", "f"))
	same(t, "no tags", c.describe(id).Tags, nil)
	fails(t, tag(unknownID, six), fault.ResourceNotFound)
	fails(t, untag(unknownID, "a"), fault.ResourceNotFound)
}

func TestRoutingOfContacts(t *testing.T) {
	c := open(t)
	place := func(id string) float64 {
		t.Helper()
		out, err := c.GetContactMetrics(c.ctx(), &connect.GetContactMetricsInput{
			InstanceId: aws.String(servertest.InstanceARN(c.id)), ContactId: &id,
			Metrics: []types.ContactMetricInfo{{Name: types.ContactMetricNamePositionInQueue}, {Name: types.ContactMetricNameEstimatedWaitTime}},
		})
		ok(t, err)
		if len(out.MetricResults) != 1 {
			t.Fatalf("there are %d results", len(out.MetricResults))
		}
		return out.MetricResults[0].Value.(*types.ContactMetricValueMemberNumber).Value
	}
	route := func(id string, change func(*connect.UpdateContactRoutingDataInput)) error {
		in := &connect.UpdateContactRoutingDataInput{InstanceId: &c.id, ContactId: &id}
		change(in)
		_, err := c.UpdateContactRoutingData(c.ctx(), in)
		return err
	}
	first, second := c.queuedTask(), c.queuedTask()
	same(t, "the places", []float64{place(first), place(second)}, []float64{1, 2})
	ok(t, route(second, func(in *connect.UpdateContactRoutingDataInput) { in.QueuePriority = aws.Int64(1) }))
	same(t, "the places by priority", []float64{place(first), place(second)}, []float64{2, 1})
	ok(t, route(second, func(in *connect.UpdateContactRoutingDataInput) { in.QueuePriority = aws.Int64(5) }))
	ok(t, route(first, func(in *connect.UpdateContactRoutingDataInput) { in.QueueTimeAdjustmentSeconds = aws.Int32(-60) }))
	same(t, "the places by age", []float64{place(first), place(second)}, []float64{2, 1})

	condition := types.Expression{AttributeCondition: &types.AttributeCondition{Name: aws.String("Language"), Value: aws.String("en"), ProficiencyLevel: aws.Float32(3), ComparisonOperator: aws.String("NumberGreaterOrEqualTo")}}
	steps := func(list ...types.RoutingCriteriaInputStep) func(*connect.UpdateContactRoutingDataInput) {
		return func(in *connect.UpdateContactRoutingDataInput) {
			in.RoutingCriteria = &types.RoutingCriteriaInput{Steps: list}
		}
	}
	ok(t, route(first, steps(types.RoutingCriteriaInputStep{Expression: &condition, Expiry: &types.RoutingCriteriaInputStepExpiry{DurationInSeconds: aws.Int32(30)}}, types.RoutingCriteriaInputStep{Expression: &types.Expression{OrExpression: []types.Expression{condition, {AndExpression: []types.Expression{condition}}}}})))
	e := c.describe(first)
	same(t, "the routing", []any{*e.QueuePriority, *e.QueueTimeAdjustmentSeconds, len(e.RoutingCriteria.Steps), e.RoutingCriteria.Steps[0].Status, *e.RoutingCriteria.Steps[0].Expiry.DurationInSeconds, e.RoutingCriteria.Steps[1].Status, e.RoutingCriteria.ActivationTimestamp != nil},
		[]any{5, -60, 2, "ACTIVE", 30, "INACTIVE", true})
	ok(t, route(first, steps()))
	same(t, "no routing criteria", c.describe(first).RoutingCriteria, nil)

	for what, change := range map[string]func(*connect.UpdateContactRoutingDataInput){
		"nothing": func(*connect.UpdateContactRoutingDataInput) {},
		"priority and age": func(in *connect.UpdateContactRoutingDataInput) {
			in.QueuePriority, in.QueueTimeAdjustmentSeconds = aws.Int64(1), aws.Int32(1)
		},
		"six steps":           steps(slices.Repeat([]types.RoutingCriteriaInputStep{{Expression: &condition}}, 6)...),
		"an attribute twice":  steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{AndExpression: []types.Expression{condition, condition}}}),
		"or within and":       steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{AndExpression: []types.Expression{{OrExpression: []types.Expression{condition}}}}}),
		"an unknown operator": steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{NotAttributeCondition: &types.AttributeCondition{Name: aws.String("a"), Value: aws.String("b"), ComparisonOperator: aws.String("Equals")}}}),
		"level 6":             steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{AttributeCondition: &types.AttributeCondition{Name: aws.String("a"), Value: aws.String("b"), ProficiencyLevel: aws.Float32(6), ComparisonOperator: aws.String("NumberGreaterOrEqualTo")}}}),
		"a range upside down": steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{AttributeCondition: &types.AttributeCondition{Name: aws.String("a"), Value: aws.String("b"), Range: &types.Range{MinProficiencyLevel: aws.Float32(4), MaxProficiencyLevel: aws.Float32(2)}, ComparisonOperator: aws.String("Range")}}}),
		"no preferred agent":  steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{AttributeCondition: &types.AttributeCondition{ComparisonOperator: aws.String("Match")}}}),
		"no attribute":        steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{AttributeCondition: &types.AttributeCondition{ComparisonOperator: aws.String("Range")}}}),
		"a step of nothing":   steps(types.RoutingCriteriaInputStep{}),
		"an empty expression": steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{}}),
		"two in one":          steps(types.RoutingCriteriaInputStep{Expression: &types.Expression{AttributeCondition: condition.AttributeCondition, OrExpression: []types.Expression{condition}}}),
		"no time":             steps(types.RoutingCriteriaInputStep{Expression: &condition, Expiry: &types.RoutingCriteriaInputStepExpiry{DurationInSeconds: aws.Int32(0)}}),
	} {
		t.Run(what, func(t *testing.T) { fails(t, route(first, change), fault.InvalidParameter) })
	}
	high := func(in *connect.UpdateContactRoutingDataInput) { in.QueuePriority = aws.Int64(1) }
	fails(t, route(unknownID, high), fault.ResourceNotFound)
	ok(t, c.stop(first))
	fails(t, route(first, high), fault.ResourceConflict, "ended")
	same(t, "the place when the other has left", place(second), 1)
	_, err := c.GetContactMetrics(c.ctx(), &connect.GetContactMetricsInput{InstanceId: &c.id, ContactId: &first, Metrics: []types.ContactMetricInfo{{Name: types.ContactMetricNamePositionInQueue}}})
	fails(t, err, fault.InvalidRequest, "no queue")
}

func TestAssociateContactWithUser(t *testing.T) {
	c := open(t)
	profiles, err := c.ListRoutingProfiles(c.ctx(), &connect.ListRoutingProfilesInput{InstanceId: &c.id})
	ok(t, err)
	security, err := c.ListSecurityProfiles(c.ctx(), &connect.ListSecurityProfilesInput{InstanceId: &c.id})
	ok(t, err)
	user, err := c.CreateUser(c.ctx(), &connect.CreateUserInput{
		InstanceId: &c.id, Username: aws.String("mary"), IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
		RoutingProfileId: profiles.RoutingProfileSummaryList[0].Id, SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
	})
	ok(t, err)
	associate := func(id, user string) error {
		_, err := c.AssociateContactWithUser(c.ctx(), &connect.AssociateContactWithUserInput{InstanceId: &c.id, ContactId: &id, UserId: &user})
		return err
	}
	fails(t, associate(c.queuedTask(), *user.UserId), fault.InvalidRequest, "no agents")
	fails(t, associate(c.task(at(tomorrow())), *user.UserId), fault.InvalidRequest, "no queue")
	fails(t, associate(c.queuedTask(), unknownID), fault.ResourceNotFound)
	fails(t, associate(unknownID, *user.UserId), fault.ResourceNotFound)

	// A task goes to the agent's own queue by the agent's quick connect or transfer.
	id := c.queuedTask()
	out, err := c.TransferContact(c.ctx(), &connect.TransferContactInput{InstanceId: &c.id, ContactId: &id, ContactFlowId: &c.transfer, UserId: user.UserId})
	ok(t, err)
	same(t, "the agent's queue", *c.await(*out.ContactId, "queued", queued).QueueInfo.Id, *user.UserId)
}

// Contacts of an instance that is deleted end, and are not found any more.
func TestDeletedInstance(t *testing.T) {
	c := open(t, simulated)
	from := c.claim()
	call, err := c.call(from)
	ok(t, err)
	c.await(call, "queued", queued)
	task := c.task(at(tomorrow()))
	_, err = c.DeleteInstance(c.ctx(), &connect.DeleteInstanceInput{InstanceId: &c.id})
	ok(t, err)
	for _, id := range []string{call, task} {
		_, err := c.DescribeContact(c.ctx(), &connect.DescribeContactInput{InstanceId: &c.id, ContactId: &id})
		fails(t, err, fault.ResourceNotFound)
	}
}
