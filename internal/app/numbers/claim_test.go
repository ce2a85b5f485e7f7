package numbers_test

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
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// line is a booted server without an inventory, and two instances.
type line struct {
	*servertest.Server
	one, two string
}

func open(t *testing.T, change ...func(*server.Config)) line {
	t.Helper()
	s := servertest.Boot(t, change...)
	return line{s, s.NewInstance(t), s.NewInstance(t)}
}

func (l line) search(t *testing.T, in connect.SearchAvailablePhoneNumbersInput) []string {
	t.Helper()
	if in.InstanceId == nil && in.TargetArn == nil {
		in.InstanceId = &l.one
	}
	out, err := l.Connect.SearchAvailablePhoneNumbers(t.Context(), &in)
	ok(t, err)
	all := []string{}
	for _, n := range out.AvailableNumbersList {
		if n.PhoneNumberCountryCode != in.PhoneNumberCountryCode || n.PhoneNumberType != in.PhoneNumberType {
			t.Errorf("%s is %s %s", *n.PhoneNumber, n.PhoneNumberCountryCode, n.PhoneNumberType)
		}
		all = append(all, *n.PhoneNumber)
	}
	return all
}

func (l line) claim(t *testing.T, number, target string) string {
	t.Helper()
	out, err := l.Connect.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{PhoneNumber: &number, TargetArn: &target})
	ok(t, err)
	return *out.PhoneNumberId
}

func (l line) describe(t *testing.T, id string) *types.ClaimedPhoneNumberSummary {
	t.Helper()
	out, err := l.Connect.DescribePhoneNumber(t.Context(), &connect.DescribePhoneNumberInput{PhoneNumberId: &id})
	ok(t, err)
	return out.ClaimedPhoneNumberSummary
}

func TestSearchAvailablePhoneNumbers(t *testing.T) {
	l := open(t)
	us := connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "US", PhoneNumberType: "DID", PhoneNumberPrefix: aws.String("+1206")}
	all := servertest.Pages(t, func(token *string) ([]string, *string, error) {
		in := us
		in.InstanceId, in.NextToken, in.MaxResults = &l.one, token, aws.Int32(7)
		out, err := l.Connect.SearchAvailablePhoneNumbers(t.Context(), &in)
		if err != nil {
			return nil, nil, err
		}
		var page []string
		for _, n := range out.AvailableNumbersList {
			page = append(page, *n.PhoneNumber)
		}
		return page, out.NextToken, nil
	})
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprintf("+120655501%02d", i))
	}
	same(t, "pages", all, servertest.InPages(want, 7))
	if n := len(l.search(t, us)); n != 10 {
		t.Errorf("a page has %d numbers, want 10", n)
	}

	l.claim(t, want[0], instanceARN(l.one))
	for name, c := range map[string]struct {
		in   connect.SearchAvailablePhoneNumbersInput
		want []string
	}{
		"without what is claimed": {connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "US", PhoneNumberType: "DID", PhoneNumberPrefix: aws.String("+1206"), MaxResults: aws.Int32(1)}, want[1:2]},
		"another instance":        {connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "US", PhoneNumberType: "DID", PhoneNumberPrefix: aws.String("+12065550100"), TargetArn: aws.String(instanceARN(l.two))}, []string{}},
		"Britain":                 {connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "GB", PhoneNumberType: "TOLL_FREE", MaxResults: aws.Int32(1)}, []string{"+448081570000"}},
		"another country's":       {connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "GB", PhoneNumberType: "DID", PhoneNumberPrefix: aws.String("+1")}, []string{}},
		"no such type":            {connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "GB", PhoneNumberType: "SHORT_CODE"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) { same(t, "numbers", l.search(t, c.in), c.want) })
	}
	for name, in := range map[string]connect.SearchAvailablePhoneNumbersInput{
		"no target":           {},
		"prefix without plus": {InstanceId: &l.one, PhoneNumberPrefix: aws.String("1206")},
		"bad token":           {InstanceId: &l.one, NextToken: aws.String("x")},
		"two instances":       {InstanceId: &l.one, TargetArn: aws.String(instanceARN(l.two))},
		"unknown instance":    {InstanceId: aws.String(domain.NewID())},
	} {
		in.PhoneNumberCountryCode, in.PhoneNumberType = "US", "DID"
		if _, err := l.Connect.SearchAvailablePhoneNumbers(t.Context(), &in); err == nil {
			t.Errorf("%s: found something", name)
		} else {
			fails(t, err, fault.InvalidParameter) // the one exception declared
		}
	}
}

func TestClaimAndRelease(t *testing.T) {
	l := open(t)
	const number = "+12065550100"
	in := &connect.ClaimPhoneNumberInput{
		InstanceId: &l.one, PhoneNumber: aws.String(number), PhoneNumberDescription: aws.String("Front desk"),
		Tags: map[string]string{"a": "1"}, ClientToken: aws.String("token"),
	}
	first, err := l.Connect.ClaimPhoneNumber(t.Context(), in)
	ok(t, err)
	again, err := l.Connect.ClaimPhoneNumber(t.Context(), in)
	ok(t, err)
	same(t, "the same request's answer", again.PhoneNumberId, first.PhoneNumberId)
	other := *in
	other.PhoneNumber = aws.String("+12065550101")
	_, err = l.Connect.ClaimPhoneNumber(t.Context(), &other)
	fails(t, err, fault.Idempotency)
	same(t, "number", l.describe(t, *first.PhoneNumberId), types.ClaimedPhoneNumberSummary{
		InstanceId: &l.one, TargetArn: aws.String(instanceARN(l.one)), PhoneNumber: aws.String(number),
		PhoneNumberArn: first.PhoneNumberArn, PhoneNumberId: first.PhoneNumberId, PhoneNumberCountryCode: "US", PhoneNumberType: "DID",
		PhoneNumberDescription: aws.String("Front desk"), PhoneNumberStatus: &types.PhoneNumberStatus{Status: "CLAIMED"}, Tags: map[string]string{"a": "1"},
	})
	for name, c := range map[string]struct {
		in   connect.ClaimPhoneNumberInput
		code fault.Code
		word string
	}{
		"taken":            {connect.ClaimPhoneNumberInput{InstanceId: &l.two, PhoneNumber: aws.String(number)}, fault.InvalidParameter, "Phone number not available: " + number},
		"somebody's":       {connect.ClaimPhoneNumberInput{InstanceId: &l.two, PhoneNumber: aws.String("+12065551234")}, fault.InvalidParameter, "Phone number not available"},
		"no target":        {connect.ClaimPhoneNumberInput{PhoneNumber: aws.String("+12065550101")}, fault.InvalidParameter, "TargetArn or InstanceId"},
		"unknown instance": {connect.ClaimPhoneNumberInput{InstanceId: aws.String(domain.NewID()), PhoneNumber: aws.String("+12065550101")}, fault.ResourceNotFound, ""},
		"unknown group":    {connect.ClaimPhoneNumberInput{TargetArn: aws.String("arn:aws:connect:us-east-1:123456789012:traffic-distribution-group/" + domain.NewID()), PhoneNumber: aws.String("+12065550101")}, fault.ResourceNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.Connect.ClaimPhoneNumber(t.Context(), &c.in)
			fails(t, err, c.code, c.word)
		})
	}

	describe := func(description *string) string {
		_, err := l.Connect.UpdatePhoneNumberMetadata(t.Context(), &connect.UpdatePhoneNumberMetadataInput{PhoneNumberId: first.PhoneNumberArn, PhoneNumberDescription: description})
		ok(t, err)
		return aws.ToString(l.describe(t, *first.PhoneNumberId).PhoneNumberDescription)
	}
	same(t, "descriptions", []string{describe(nil), describe(aws.String("Back")), describe(aws.String(""))}, []string{"Front desk", "Back", ""})

	release := &connect.ReleasePhoneNumberInput{PhoneNumberId: first.PhoneNumberId, ClientToken: aws.String("release")}
	for range 2 {
		_, err = l.Connect.ReleasePhoneNumber(t.Context(), release)
		ok(t, err)
	}
	_, err = l.Connect.ReleasePhoneNumber(t.Context(), &connect.ReleasePhoneNumberInput{PhoneNumberId: first.PhoneNumberId})
	fails(t, err, fault.ResourceNotFound)
	l.claim(t, number, instanceARN(l.two)) // at once
}

func TestUpdatePhoneNumber(t *testing.T) {
	l := open(t)
	id := l.claim(t, "+12065550100", instanceARN(l.one))
	flows, err := l.Connect.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &l.one, MaxResults: aws.Int32(1)})
	ok(t, err)
	associate := func(instance, flow string) error {
		_, err := l.Connect.AssociatePhoneNumberContactFlow(t.Context(), &connect.AssociatePhoneNumberContactFlowInput{InstanceId: &instance, PhoneNumberId: &id, ContactFlowId: &flow})
		return err
	}
	hasFlow := func() bool {
		out, err := l.Connect.ListFlowAssociations(t.Context(), &connect.ListFlowAssociationsInput{InstanceId: &l.one, ResourceType: "VOICE_PHONE_NUMBER"})
		ok(t, err)
		return slices.ContainsFunc(out.FlowAssociationSummaryList, func(a types.FlowAssociationSummary) bool { return strings.HasSuffix(*a.ResourceId, id) })
	}
	flow := *flows.ContactFlowSummaryList[0].Id
	ok(t, associate(l.one, flow))
	fails(t, associate(l.two, flow), fault.ResourceNotFound)
	fails(t, associate(l.one, domain.NewID()), fault.ResourceNotFound)
	if !hasFlow() {
		t.Error("the number has no flow")
	}
	_, err = l.Connect.DisassociatePhoneNumberContactFlow(t.Context(), &connect.DisassociatePhoneNumberContactFlowInput{InstanceId: &l.one, PhoneNumberId: &id})
	ok(t, err)
	if hasFlow() {
		t.Error("the number kept its flow")
	}
	ok(t, associate(l.one, flow))

	hours, err := l.Connect.ListHoursOfOperations(t.Context(), &connect.ListHoursOfOperationsInput{InstanceId: &l.one})
	ok(t, err)
	caller := func(instance string, number *string) error {
		queues, err := l.Connect.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &instance})
		ok(t, err)
		_, err = l.Connect.UpdateQueueOutboundCallerConfig(t.Context(), &connect.UpdateQueueOutboundCallerConfigInput{
			InstanceId: &instance, QueueId: queues.QueueSummaryList[0].Id, OutboundCallerConfig: &types.OutboundCallerConfig{OutboundCallerIdNumberId: number},
		})
		return err
	}
	_, err = l.Connect.CreateQueue(t.Context(), &connect.CreateQueueInput{
		InstanceId: &l.one, Name: aws.String("Calls"), HoursOfOperationId: hours.HoursOfOperationSummaryList[0].Id,
		OutboundCallerConfig: &types.OutboundCallerConfig{OutboundCallerIdNumberId: aws.String(domain.NewID())},
	})
	fails(t, err, fault.ResourceNotFound)
	fails(t, caller(l.two, &id), fault.ResourceNotFound) // it is another instance's
	ok(t, caller(l.one, &id))
	move := func(to string) error {
		_, err := l.Connect.UpdatePhoneNumber(t.Context(), &connect.UpdatePhoneNumberInput{PhoneNumberId: &id, InstanceId: &to})
		return err
	}
	ok(t, move(l.one))
	if !hasFlow() {
		t.Error("the number lost its flow without being moved")
	}
	fails(t, move(l.two), fault.ResourceInUse)
	_, err = l.Connect.ReleasePhoneNumber(t.Context(), &connect.ReleasePhoneNumberInput{PhoneNumberId: &id})
	fails(t, err, fault.ResourceInUse)
	ok(t, caller(l.one, nil))
	ok(t, move(l.two))
	if got := *l.describe(t, id).InstanceId; got != l.two || hasFlow() {
		t.Errorf("the number is of %s, with its flow: %v", got, hasFlow())
	}
	fails(t, move(domain.NewID()), fault.ResourceNotFound)
}

func TestImportPhoneNumber(t *testing.T) {
	l := open(t)
	take := func(arn string) (string, error) {
		out, err := l.Connect.ImportPhoneNumber(t.Context(), &connect.ImportPhoneNumberInput{InstanceId: &l.one, SourcePhoneNumberArn: &arn})
		if err != nil {
			return "", err
		}
		n := l.describe(t, *out.PhoneNumberId)
		same(t, "source", n.SourcePhoneNumberArn, arn)
		return *n.PhoneNumber + " " + string(n.PhoneNumberType), nil
	}
	const prefix = "arn:aws:sms-voice:us-east-1:123456789012:phone-number/"
	got, err := take(prefix + "18005550100")
	ok(t, err)
	same(t, "number", got, "+18005550100 THIRD_PARTY_TF")
	got, err = take(prefix + "phone-0123456789abcdef")
	ok(t, err)
	if !strings.Contains(got, "55501") || !strings.HasSuffix(got, "THIRD_PARTY_DID") {
		t.Errorf("imported %s", got)
	}
	_, err = take(prefix + "phone-0123456789abcdef")
	fails(t, err, fault.InvalidParameter, "Phone number not available")
	for _, arn := range []string{
		"nonsense", strings.Replace(prefix, "us-east-1", "us-west-2", 1) + "1", strings.Replace(prefix, "123456789012", "210987654321", 1) + "1",
		"arn:aws:connect:us-east-1:123456789012:phone-number/" + domain.NewID(), "arn:aws:sms-voice:us-east-1:123456789012:pool/1",
	} {
		_, err = take(arn)
		fails(t, err, fault.InvalidParameter)
	}
}

// With quotas an instance has five numbers, a released one rests, and whoever
// releases ten in half a year has to wait.
func TestQuotasOfNumbers(t *testing.T) {
	l := open(t, func(c *server.Config) { c.Quotas = true })
	number := func(n int) string { return fmt.Sprintf("+120655501%02d", n) }
	var ids []string
	for n := range 5 {
		ids = append(ids, l.claim(t, number(n), instanceARN(l.one)))
	}
	failed := l.claim(t, number(5), instanceARN(l.one))
	status := l.describe(t, failed).PhoneNumberStatus
	if status.Status != types.PhoneNumberWorkflowStatusFailed || !strings.Contains(*status.Message, "limit of 5") {
		t.Errorf("the sixth number is %s: %s", status.Status, aws.ToString(status.Message))
	}
	_, err := l.Connect.UpdatePhoneNumber(t.Context(), &connect.UpdatePhoneNumberInput{PhoneNumberId: aws.String(l.claim(t, number(6), instanceARN(l.two))), InstanceId: &l.one})
	fails(t, err, fault.InvalidParameter, "limit of 5")

	release := func(id string) {
		t.Helper()
		_, err := l.Connect.ReleasePhoneNumber(t.Context(), &connect.ReleasePhoneNumberInput{PhoneNumberId: &id})
		ok(t, err)
	}
	release(ids[0])
	ids[0] = l.claim(t, number(5), instanceARN(l.one)) // again, now that there is room
	same(t, "status", l.describe(t, ids[0]).PhoneNumberStatus.Status, "CLAIMED")
	_, err = l.Connect.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{PhoneNumber: aws.String(number(0)), InstanceId: &l.two})
	fails(t, err, fault.InvalidParameter, "Phone number not available")
	rests := connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "US", PhoneNumberType: "DID", PhoneNumberPrefix: aws.String(number(0))}
	same(t, "what rests", l.search(t, rests), []string{})
	for n := range 9 {
		release(ids[0])
		ids[0] = l.claim(t, number(10+n), instanceARN(l.one))
	}
	same(t, "status after ten releases", l.describe(t, ids[0]).PhoneNumberStatus.Status, "FAILED")
}

func TestInventoryOfTheConfiguration(t *testing.T) {
	l := open(t, func(c *server.Config) { c.Numbers = []server.Number{{Number: "+442079460001"}} })
	same(t, "Britain", l.search(t, connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "GB", PhoneNumberType: "DID"}), []string{"+442079460001"})
	same(t, "the States", l.search(t, connect.SearchAvailablePhoneNumbersInput{PhoneNumberCountryCode: "US", PhoneNumberType: "DID"}), []string{})
	_, err := server.Start(t.Context(), server.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Numbers: []server.Number{{Number: "+442079460001"}, {Number: "2079460001"}}})
	if err == nil || !strings.Contains(err.Error(), "numbers[1]") {
		t.Errorf("started with %v", err)
	}
}
