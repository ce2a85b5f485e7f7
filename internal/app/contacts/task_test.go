package contacts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

type startTask = connect.StartTaskContactInput

// at has a task wait for its time.
func at(when time.Time) func(*startTask) {
	return func(in *startTask) { in.ScheduledTime = &when }
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour).Truncate(time.Second) }

func expiry(minutes int32) map[string]types.SegmentAttributeValue {
	return map[string]types.SegmentAttributeValue{"connect:ContactExpiry": {ValueMap: map[string]types.SegmentAttributeValue{
		"ExpiryDuration": {ValueInteger: &minutes},
	}}}
}

func TestStartTaskContact(t *testing.T) {
	c := open(t)
	id := c.queuedTask(func(in *startTask) {
		in.Description = aws.String("She asked for it")
		in.Attributes = map[string]string{"Language": "en"}
		in.References = map[string]types.Reference{"Order": {Type: types.ReferenceTypeUrl, Value: aws.String("https://example.com/1")}}
		in.SegmentAttributes = expiry(60)
	})
	e := c.describe(id)
	same(t, "what it says", []any{e.Channel, e.InitiationMethod, *e.Name, *e.Description, e.Attributes, *e.SegmentAttributes["connect:Subtype"].ValueString, *e.QueuePriority, *e.QueueInfo.Id, *e.ContactAssociationId},
		[]any{"TASK", "API", "Call Mary", "She asked for it", map[string]string{"Language": "en"}, "connect:Task", 5, c.queue, id})
	same(t, "what it has not", []any{e.InitialContactId, e.PreviousContactId, e.RelatedContactId, e.DisconnectTimestamp, e.DisconnectReason, e.ScheduledTimestamp, e.AgentInfo, e.NextContacts, e.TotalPauseCount, e.TaskTemplateInfo, e.Tags, e.CustomerEndpoint},
		[]any{nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil})

	over := c.await(c.task(func(in *startTask) { in.ContactFlowId = &c.ends }), "ended", ended)
	same(t, "why the flow's end ends it", *over.DisconnectReason, "CONTACT_FLOW_DISCONNECT")
}

func TestStartTaskContactRefuses(t *testing.T) {
	c := open(t)
	reference := func(kind types.ReferenceType) func(*startTask) {
		return func(in *startTask) {
			in.References = map[string]types.Reference{"A": {Type: kind, Value: aws.String("a")}}
		}
	}
	segment := func(key string, v types.SegmentAttributeValue) func(*startTask) {
		return func(in *startTask) { in.SegmentAttributes = map[string]types.SegmentAttributeValue{key: v} }
	}
	for what, tc := range map[string]struct {
		change func(*startTask)
		code   fault.Code
		word   string
	}{
		"nothing to begin with":    {func(in *startTask) { in.ContactFlowId = nil }, fault.InvalidRequest, "Exactly one of"},
		"two things to begin with": {func(in *startTask) { in.QuickConnectId = aws.String(unknownID) }, fault.InvalidRequest, "Exactly one of"},
		"unknown flow":             {func(in *startTask) { in.ContactFlowId = aws.String(unknownID) }, fault.ResourceNotFound, ""},
		"flow of another type":     {func(in *startTask) { in.ContactFlowId = &c.transfer }, fault.InvalidRequest, "QUEUE_TRANSFER"},
		"unknown quick connect": {func(in *startTask) {
			in.ContactFlowId, in.QuickConnectId = nil, aws.String(unknownID)
		}, fault.ResourceNotFound, ""},
		"unknown template": {func(in *startTask) {
			in.ContactFlowId, in.TaskTemplateId = nil, aws.String(unknownID)
		}, fault.ResourceNotFound, ""},
		"unknown instance": {func(in *startTask) { in.InstanceId = aws.String(unknownID) }, fault.ResourceNotFound, ""},
		"past":             {at(time.Now().Add(-2 * time.Second)), fault.InvalidRequest, "past"},
		"too far ahead":    {at(time.Now().Add(91 * 24 * time.Hour)), fault.InvalidRequest, "90 days"},
		"attachment":       {reference(types.ReferenceTypeAttachment), fault.InvalidRequest, "ATTACHMENT"},
		"files": {func(in *startTask) {
			in.Attachments = []types.TaskAttachment{{FileName: aws.String("a"), S3Url: aws.String("https://a")}}
		}, fault.InvalidRequest, "Attachments"},
		"attribute key":             {func(in *startTask) { in.Attributes = map[string]string{"a b": "c"} }, fault.InvalidParameter, "a b"},
		"attributes too long":       {func(in *startTask) { in.Attributes = map[string]string{"a": strings.Repeat("ä", 16384)} }, fault.InvalidRequest, "32768"},
		"expiry of nothing":         {segment("connect:ContactExpiry", types.SegmentAttributeValue{ValueString: aws.String("60")}), fault.InvalidRequest, "ExpiryDuration"},
		"expiry of no time":         {func(in *startTask) { in.SegmentAttributes = expiry(0) }, fault.InvalidRequest, "1 to 129600"},
		"expiry too long":           {func(in *startTask) { in.SegmentAttributes = expiry(129601) }, fault.InvalidRequest, "1 to 129600"},
		"subtype":                   {segment("connect:Subtype", types.SegmentAttributeValue{ValueString: aws.String("connect:SMS")}), fault.InvalidRequest, "connect:Subtype"},
		"unknown segment attribute": {segment("Tier", types.SegmentAttributeValue{ValueString: aws.String("Gold")}), fault.InvalidRequest, "Tier"},
		"created by nobody":         {segment("connect:CreatedByUser", types.SegmentAttributeValue{ValueString: aws.String(unknownID)}), fault.ResourceNotFound, ""},
		"unknown previous":          {func(in *startTask) { in.PreviousContactId = aws.String(unknownID) }, fault.ResourceNotFound, ""},
		"unknown related":           {func(in *startTask) { in.RelatedContactId = aws.String(unknownID) }, fault.ResourceNotFound, ""},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := c.startTask(tc.change)
			fails(t, err, tc.code, tc.word)
		})
	}
}

// A token that is used again leads to the contact that there is.
func TestStartTaskContactToken(t *testing.T) {
	c := open(t)
	token := func(in *startTask) { in.ClientToken = aws.String("one") }
	id := c.task(token)
	same(t, "the second contact", c.task(token), id)
	c.await(id, "queued", queued)
	ok(t, c.stop(id))
	same(t, "the contact after it was stopped", c.task(token), id)
	_, err := c.startTask(token, func(in *startTask) { in.Name = aws.String("Another") })
	fails(t, err, fault.InvalidRequest, "ClientToken")
}

// Contacts of a chain share their attributes, related ones take a copy.
func TestLinkedTasks(t *testing.T) {
	c := open(t)
	wait := at(tomorrow())
	first := c.task(wait, func(in *startTask) { in.Attributes = map[string]string{"a": "1", "b": "1"} })
	last := first
	for range 11 {
		last = c.task(wait, func(in *startTask) { in.PreviousContactId = &last })
	}
	_, err := c.startTask(wait, func(in *startTask) { in.PreviousContactId = &first })
	fails(t, err, fault.ServiceQuotaExceeded, "12")

	ok(t, c.setAttributes(last, map[string]string{"b": "2", "c": ""}))
	want := map[string]string{"a": "1", "b": "2", "c": ""}
	same(t, "the attributes of the first", c.attributes(first), want)
	e := c.describe(last)
	same(t, "the last contact", []any{*e.InitialContactId, e.Attributes, e.RelatedContactId}, []any{first, want, nil})

	related := c.task(wait, func(in *startTask) {
		in.RelatedContactId = &last
		in.Attributes = map[string]string{"a": "3"}
	})
	ok(t, c.setAttributes(first, map[string]string{"b": "4"}))
	r := c.describe(related)
	same(t, "the related contact", []any{r.InitialContactId, *r.RelatedContactId, *r.ContactAssociationId, r.Attributes},
		[]any{nil, last, first, map[string]string{"a": "3", "b": "2", "c": ""}})

	list := func(token *string) ([]string, *string, error) {
		out, err := c.ListAssociatedContacts(c.ctx(), &connect.ListAssociatedContactsInput{InstanceId: &c.id, ContactId: &related, MaxResults: aws.Int32(5), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		var ids []string
		for _, s := range out.ContactSummaryList {
			ids = append(ids, *s.ContactId)
		}
		return ids, out.NextToken, nil
	}
	pages := pagesOf(t, list)
	same(t, "the sizes of the pages", []int{len(pages[0]), len(pages[1]), len(pages[2])}, []int{5, 5, 3})
	same(t, "the ends of the tree", []string{pages[0][0], pages[2][2]}, []string{first, related})
	_, _, err = list(aws.String("nonsense"))
	fails(t, err, fault.InvalidParameter, "NextToken")
}

func TestTaskByQuickConnect(t *testing.T) {
	c := open(t)
	connects := func(name string, config *types.QuickConnectConfig) string {
		out, err := c.CreateQuickConnect(c.ctx(), &connect.CreateQuickConnectInput{InstanceId: &c.id, Name: &name, QuickConnectConfig: config})
		ok(t, err)
		return *out.QuickConnectId
	}
	queue := connects("Queue", &types.QuickConnectConfig{QuickConnectType: types.QuickConnectTypeQueue, QueueConfig: &types.QueueQuickConnectConfig{ContactFlowId: &c.transfer, QueueId: &c.queue}})
	phone := connects("Phone", &types.QuickConnectConfig{QuickConnectType: types.QuickConnectTypePhoneNumber, PhoneConfig: &types.PhoneNumberQuickConnectConfig{PhoneNumber: aws.String("+12065550100")}})

	before := c.task(at(tomorrow()))
	by := func(id string) func(*startTask) {
		return func(in *startTask) { in.ContactFlowId, in.QuickConnectId, in.PreviousContactId = nil, &id, &before }
	}
	id := c.queuedTask(by(queue))
	same(t, "its queue", *c.describe(id).QueueInfo.Id, c.queue)
	_, err := c.startTask(by(phone))
	fails(t, err, fault.InvalidRequest, "phone number")

	next := c.describe(before).NextContacts
	if len(next) != 1 {
		t.Fatalf("the contact before has %d next ones", len(next))
	}
	data := next[0].NextContactMetadata.(*types.NextContactMetadataMemberQuickConnectContactData).Value
	same(t, "the next contact", []any{next[0].Type, *data.ContactId, *data.QuickConnectId, *data.QuickConnectName, data.QuickConnectType},
		[]any{"QUICK_CONNECT", id, queue, "Queue", "QUEUE"})
}

func TestTaskByTemplate(t *testing.T) {
	c := open(t)
	field := func(name string, kind types.TaskTemplateFieldType) types.TaskTemplateField {
		return types.TaskTemplateField{Id: &types.TaskTemplateFieldIdentifier{Name: &name}, Type: kind}
	}
	named := func(name string) *types.TaskTemplateFieldIdentifier {
		return &types.TaskTemplateFieldIdentifier{Name: &name}
	}
	template := func(name string, change func(*connect.CreateTaskTemplateInput)) *connect.CreateTaskTemplateOutput {
		in := &connect.CreateTaskTemplateInput{
			InstanceId: &c.id, Name: &name, ContactFlowId: &c.waits, Status: types.TaskTemplateStatusActive,
			Fields: []types.TaskTemplateField{
				field("Title", types.TaskTemplateFieldTypeName), field("Amount", types.TaskTemplateFieldTypeNumber),
				field("Team", types.TaskTemplateFieldTypeText), field("Life", types.TaskTemplateFieldTypeExpiryDuration),
			},
			Constraints: &types.TaskTemplateConstraints{
				RequiredFields: []types.RequiredFieldInfo{{Id: named("Amount")}}, ReadOnlyFields: []types.ReadOnlyFieldInfo{{Id: named("Team")}},
			},
			Defaults: &types.TaskTemplateDefaults{DefaultFieldValues: []types.TaskTemplateDefaultFieldValue{
				{Id: named("Team"), DefaultValue: aws.String("Refunds")}, {Id: named("Life"), DefaultValue: aws.String("30")},
			}},
		}
		change(in)
		out, err := c.CreateTaskTemplate(c.ctx(), in)
		ok(t, err)
		return out
	}
	refunds := template("Refund", func(*connect.CreateTaskTemplateInput) {})
	inactive := template("Inactive", func(in *connect.CreateTaskTemplateInput) { in.Status = types.TaskTemplateStatusInactive })
	flowless := template("Flowless", func(in *connect.CreateTaskTemplateInput) {
		in.ContactFlowId = nil
		in.Fields = append(in.Fields, field("To", types.TaskTemplateFieldTypeQuickConnect))
	})
	by := func(id *string, references map[string]types.Reference) func(*startTask) {
		return func(in *startTask) { in.ContactFlowId, in.TaskTemplateId, in.References = nil, id, references }
	}
	number := func(v string) types.Reference {
		return types.Reference{Type: types.ReferenceTypeNumber, Value: &v}
	}
	word := func(v string) types.Reference {
		return types.Reference{Type: types.ReferenceTypeString, Value: &v}
	}

	id := c.queuedTask(by(refunds.Id, map[string]types.Reference{"Amount": number("12.5")}))
	e := c.describe(id)
	same(t, "the template", e.TaskTemplateInfo, types.TaskTemplateInfoV2{Arn: refunds.Arn, Name: aws.String("Refund")})
	same(t, "its references", c.references(id, types.ReferenceTypeNumber, types.ReferenceTypeString), []string{"Amount 12.5", "Team Refunds"})

	for what, tc := range map[string]struct {
		change func(*startTask)
		word   string
	}{
		"required field missing": {by(refunds.Id, nil), "Amount"},
		"no number":              {by(refunds.Id, map[string]types.Reference{"Amount": number("much")}), "a number"},
		"another type":           {by(refunds.Id, map[string]types.Reference{"Amount": word("12.5")}), "NUMBER"},
		"read-only field":        {by(refunds.Id, map[string]types.Reference{"Amount": number("1"), "Team": word("Sales")}), "read-only"},
		"inactive":               {by(inactive.Id, nil), "ACTIVE"},
		"without a flow":         {by(flowless.Id, nil), "no flow"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := c.startTask(tc.change)
			fails(t, err, fault.InvalidRequest, tc.word)
		})
	}
}

func TestUpdateContactSchedule(t *testing.T) {
	c := open(t)
	move := func(id string, when time.Time) error {
		_, err := c.UpdateContactSchedule(c.ctx(), &connect.UpdateContactScheduleInput{InstanceId: &c.id, ContactId: &id, ScheduledTime: &when})
		return err
	}
	id := c.task(at(tomorrow()))
	later := tomorrow().Add(time.Hour)
	ok(t, move(id, later))
	if got := c.describe(id).ScheduledTimestamp; !got.Equal(later) {
		t.Errorf("it is scheduled for %s, want %s", got, later)
	}
	fails(t, move(id, time.Now().Add(-time.Hour)), fault.InvalidRequest, "past")
	fails(t, move(unknownID, later), fault.ResourceNotFound)
	fails(t, move(c.queuedTask(), later), fault.InvalidRequest, "scheduled")
	for range 19 {
		ok(t, move(id, later))
	}
	fails(t, move(id, later), fault.LimitExceeded, "20")
	// A task whose time has come begins.
	now := c.task(at(tomorrow()))
	ok(t, move(now, time.Now().Truncate(time.Second)))
	c.await(now, "queued", queued)
}

func TestPauseContact(t *testing.T) {
	c := open(t)
	pause := func(id string, flow *string) error {
		_, err := c.PauseContact(c.ctx(), &connect.PauseContactInput{InstanceId: &c.id, ContactId: &id, ContactFlowId: flow})
		return err
	}
	resume := func(id string, flow *string) error {
		_, err := c.ResumeContact(c.ctx(), &connect.ResumeContactInput{InstanceId: &c.id, ContactId: &id, ContactFlowId: flow})
		return err
	}
	id := c.queuedTask()
	fails(t, resume(id, nil), fault.Conflict, "not paused")
	ok(t, pause(id, nil))
	fails(t, pause(id, nil), fault.Conflict, "paused already")
	ok(t, resume(id, nil))
	e := c.describe(id)
	same(t, "the pauses", []any{*e.TotalPauseCount, *e.TotalPauseDurationInSeconds, e.LastPausedTimestamp != nil, e.LastResumedTimestamp != nil}, []any{1, 0, true, true})
	for range 9 {
		ok(t, pause(id, nil))
		ok(t, resume(id, nil))
	}
	fails(t, pause(id, nil), fault.LimitExceeded, "10")
	fails(t, pause(c.task(), aws.String(unknownID)), fault.ResourceNotFound)
	fails(t, resume(id, aws.String(unknownID)), fault.ResourceNotFound)
	fails(t, pause(unknownID, nil), fault.ResourceNotFound)
	ok(t, c.stop(id))
	fails(t, pause(id, nil), fault.Conflict, "ended")
	fails(t, resume(id, nil), fault.Conflict, "ended")
}

func TestTransferContact(t *testing.T) {
	c := open(t)
	transfer := func(id string, change ...func(*connect.TransferContactInput)) (*connect.TransferContactOutput, error) {
		in := &connect.TransferContactInput{InstanceId: &c.id, ContactId: &id, ContactFlowId: &c.transfer, QueueId: &c.queue}
		for _, f := range change {
			f(in)
		}
		return c.TransferContact(c.ctx(), in)
	}
	first := c.queuedTask(func(in *startTask) { in.Attributes = map[string]string{"a": "1"} })
	token := func(in *connect.TransferContactInput) { in.ClientToken = aws.String("one") }
	out, err := transfer(first, token)
	ok(t, err)
	again, err := transfer(first, token)
	ok(t, err)
	same(t, "the contact of the second request", *again.ContactId, *out.ContactId)
	next := c.await(*out.ContactId, "queued", queued)
	same(t, "the new contact", []any{*next.Arn, *next.PreviousContactId, *next.InitialContactId, next.InitiationMethod, *next.QueueInfo.Id, next.Attributes},
		[]any{*out.ContactArn, first, first, "TRANSFER", c.queue, map[string]string{"a": "1"}})
	if e := c.describe(first); e.DisconnectTimestamp == nil {
		t.Error("the contact that was transferred goes on")
	}
	_, err = transfer(first, token, func(in *connect.TransferContactInput) { in.ContactFlowId = &c.waits })
	fails(t, err, fault.Idempotency, "ClientToken")

	for what, tc := range map[string]struct {
		id     string
		change func(*connect.TransferContactInput)
		code   fault.Code
	}{
		"to nobody":            {*out.ContactId, func(in *connect.TransferContactInput) { in.QueueId = nil }, fault.InvalidRequest},
		"to two":               {*out.ContactId, func(in *connect.TransferContactInput) { in.UserId = aws.String(unknownID) }, fault.InvalidRequest},
		"unknown queue":        {*out.ContactId, func(in *connect.TransferContactInput) { in.QueueId = aws.String(unknownID) }, fault.ResourceNotFound},
		"unknown user":         {*out.ContactId, func(in *connect.TransferContactInput) { in.QueueId, in.UserId = nil, aws.String(unknownID) }, fault.ResourceNotFound},
		"unknown flow":         {*out.ContactId, func(in *connect.TransferContactInput) { in.ContactFlowId = aws.String(unknownID) }, fault.ResourceNotFound},
		"a flow of no use":     {*out.ContactId, func(in *connect.TransferContactInput) { in.ContactFlowId = aws.String(c.defaultFlow("CUSTOMER_QUEUE")) }, fault.InvalidRequest},
		"unknown contact":      {unknownID, func(*connect.TransferContactInput) {}, fault.ResourceNotFound},
		"contact that is over": {first, func(*connect.TransferContactInput) {}, fault.InvalidRequest},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := transfer(tc.id, tc.change)
			fails(t, err, tc.code)
		})
	}
	last := *out.ContactId
	for range 10 {
		out, err := transfer(last)
		ok(t, err)
		last = *out.ContactId
		c.await(last, "queued", queued)
	}
	_, err = transfer(last)
	fails(t, err, fault.ServiceQuotaExceeded, "11")
}

func TestCreateContact(t *testing.T) {
	c := open(t)
	create := func(change ...func(*connect.CreateContactInput)) (*connect.CreateContactOutput, error) {
		in := &connect.CreateContactInput{InstanceId: &c.id, Channel: types.ChannelTask, InitiationMethod: types.ContactInitiationMethodApi, Name: aws.String("Done elsewhere")}
		for _, f := range change {
			f(in)
		}
		return c.CreateContact(c.ctx(), in)
	}
	out, err := create(func(in *connect.CreateContactInput) {
		in.InitiateAs, in.Attributes = types.InitiateAsCompleted, map[string]string{"a": "1"}
	})
	ok(t, err)
	e := c.describe(*out.ContactId)
	same(t, "a contact that is over", []any{*e.Arn, *e.Name, *e.SegmentAttributes["connect:Subtype"].ValueString, e.DisconnectTimestamp != nil, e.Attributes},
		[]any{*out.ContactArn, "Done elsewhere", "connect:ExternalTask", true, map[string]string{"a": "1"}})
	out, err = create()
	ok(t, err)
	same(t, "a contact that goes on", c.describe(*out.ContactId).DisconnectTimestamp, nil)
	ok(t, c.stop(*out.ContactId))

	for what, tc := range map[string]struct {
		change func(*connect.CreateContactInput)
		word   string
	}{
		"chat":           {func(in *connect.CreateContactInput) { in.Channel = types.ChannelChat }, "CHAT"},
		"inbound task":   {func(in *connect.CreateContactInput) { in.InitiationMethod = types.ContactInitiationMethodInbound }, "INBOUND"},
		"e-mail":         {func(in *connect.CreateContactInput) { in.Channel, in.InitiationMethod = "EMAIL", "FLOW" }, "TASK only"},
		"call":           {func(in *connect.CreateContactInput) { in.Channel, in.InitiationMethod = "VOICE", "TRANSFER" }, "TASK only"},
		"with an agent":  {func(in *connect.CreateContactInput) { in.InitiateAs = types.InitiateAsConnectedToUser }, "signed in"},
		"of an agent":    {func(in *connect.CreateContactInput) { in.UserInfo = &types.UserInfo{UserId: aws.String(unknownID)} }, "UserInfo"},
		"after another":  {func(in *connect.CreateContactInput) { in.PreviousContactId = aws.String(unknownID) }, "PreviousContactId"},
		"for no time":    {func(in *connect.CreateContactInput) { in.ExpiryDurationInMinutes = aws.Int32(0) }, "ExpiryDurationInMinutes"},
		"related to one": {func(in *connect.CreateContactInput) { in.RelatedContactId = aws.String(unknownID) }, ""},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := create(tc.change)
			if tc.word == "" {
				fails(t, err, fault.ResourceNotFound)
				return
			}
			fails(t, err, fault.InvalidRequest, tc.word)
		})
	}
}
