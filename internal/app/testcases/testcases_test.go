package testcases_test

import (
	"errors"
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

const saved, published = types.TestCaseStatusSaved, types.TestCaseStatusPublished

// content is a document of the testing language, with a mark to tell it from
// others: when the call begins, the caller presses a key.
func content(mark string) *string {
	return aws.String(`{"Version":"2025-06-21","Metadata":{},"Observations":[{"Identifier":"` + mark + `",
		"Event":{"Identifier":"begin","Type":"TestInitiated","Actor":"System","Properties":{}},"Usage":{"Type":"EXACTLY"},
		"Actions":[{"Identifier":"press","Type":"SendInstruction","Transitions":{"NextAction":""},"Parameters":{
			"ActionType":"SendInstruction","Actor":"Customer","Instruction":{"Type":"DtmfInput","Properties":{"Value":"1"}}}}],
		"Transitions":{"NextObservations":[]}}]}`)
}

func sha(content *string) string { return (&domain.TestCaseContent{Content: *content}).SHA256() }

func voice(flow string) *types.TestCaseEntryPoint {
	return &types.TestCaseEntryPoint{Type: types.TestCaseEntryPointTypeVoiceCall, VoiceCallEntryPointParameters: &types.VoiceCallEntryPointParameters{
		FlowId: &flow, SourcePhoneNumber: aws.String("+15555550100"), DestinationPhoneNumber: aws.String("+15555550101"),
	}}
}

func chat(flow string) *types.TestCaseEntryPoint {
	return &types.TestCaseEntryPoint{
		Type: types.TestCaseEntryPointTypeChat, ChatEntryPointParameters: &types.ChatEntryPointParameters{FlowId: &flow},
	}
}

func firstFlow(t *testing.T, c *connect.Client, instance string) types.ContactFlowSummary {
	t.Helper()
	out, err := c.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &instance})
	ok(t, err)
	return out.ContactFlowSummaryList[0]
}

func describe(t *testing.T, c *connect.Client, instance string, id *string, status types.TestCaseStatus) *types.TestCase {
	t.Helper()
	out, err := c.DescribeTestCase(t.Context(), &connect.DescribeTestCaseInput{InstanceId: &instance, TestCaseId: id, Status: status})
	ok(t, err)
	return out.TestCase
}

func TestTestCase(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	flow := firstFlow(t, c, instance)
	in := &connect.CreateTestCaseInput{
		InstanceId: aws.String(servertest.InstanceARN(instance)), Name: aws.String("Welcome"), Description: aws.String("greets"), Content: content("a"),
		EntryPoint: voice(*flow.Id), InitializationData: aws.String(`{"Language":"en"}`), Tags: map[string]string{"Team": "sales"},
	}
	made, err := c.CreateTestCase(ctx, in)
	ok(t, err)
	arn := servertest.InstanceARN(instance) + "/test-case/" + *made.TestCaseId
	same(t, "the ARN", made.TestCaseArn, arn)
	_, err = c.CreateTestCase(ctx, in)
	fails(t, err, fault.DuplicateResource, `"Welcome"`)
	for _, id := range []*string{made.TestCaseId, &arn} {
		got := describe(t, c, instance, id, "")
		if got.LastModifiedTime == nil {
			t.Error("LastModifiedTime is absent")
		}
		same(t, "the test case", *got, types.TestCase{
			Arn: &arn, Id: made.TestCaseId, Name: in.Name, Description: in.Description, Status: published,
			Content: in.Content, TestCaseSha256: aws.String(sha(in.Content)), EntryPoint: in.EntryPoint, InitializationData: in.InitializationData,
			LastModifiedRegion: aws.String(servertest.Region), LastModifiedTime: got.LastModifiedTime, Tags: in.Tags,
		})
	}
	bare, err := c.CreateTestCase(ctx, &connect.CreateTestCaseInput{InstanceId: &instance, Name: aws.String("Bare"), Content: content("b"), Status: saved})
	ok(t, err)
	got := describe(t, c, instance, bare.TestCaseId, "")
	same(t, "what a bare one lacks", []any{got.Description, got.EntryPoint, got.InitializationData, got.Tags, got.Status},
		[]any{nil, nil, nil, map[string]string{}, saved})

	list, err := c.ListTestCases(ctx, &connect.ListTestCasesInput{InstanceId: &instance})
	ok(t, err)
	if len(list.TestCaseSummaryList) != 2 {
		t.Fatalf("got %+v", list.TestCaseSummaryList)
	}
	same(t, "the summary", list.TestCaseSummaryList[0], types.TestCaseSummary{
		Arn: &arn, Id: made.TestCaseId, Name: in.Name, Status: published, LastModifiedRegion: aws.String(servertest.Region),
		LastModifiedTime: list.TestCaseSummaryList[0].LastModifiedTime,
	})
	pages := servertest.Pages(t, func(token *string) ([]string, *string, error) {
		out, err := c.ListTestCases(ctx, &connect.ListTestCasesInput{InstanceId: &instance, MaxResults: aws.Int32(1), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return []string{*out.TestCaseSummaryList[0].Name}, out.NextToken, nil
	})
	same(t, "the list in pages of 1", pages, [][]string{{"Welcome"}, {"Bare"}})

	remove := func() error {
		_, err := c.DeleteTestCase(ctx, &connect.DeleteTestCaseInput{InstanceId: &instance, TestCaseId: made.TestCaseId})
		return err
	}
	ok(t, remove()) // with its content
	fails(t, remove(), fault.ResourceNotFound)
	_, err = c.DescribeTestCase(ctx, &connect.DescribeTestCaseInput{InstanceId: &instance, TestCaseId: made.TestCaseId})
	fails(t, err, fault.ResourceNotFound)

	in.TestCaseId = aws.String(domain.NewID())
	_, err = c.CreateTestCase(ctx, in)
	fails(t, err, fault.InvalidRequest, "TestCaseId")
}

// TestContents follows the two contents of a test case.
func TestContents(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	made, err := c.CreateTestCase(ctx, &connect.CreateTestCaseInput{InstanceId: &instance, Name: aws.String("Welcome"), Content: content("1"), Status: saved})
	ok(t, err)
	id := made.TestCaseId
	_, err = c.DescribeTestCase(ctx, &connect.DescribeTestCaseInput{InstanceId: &instance, TestCaseId: id, Status: published})
	fails(t, err, fault.ResourceNotFound, "not published")

	type update struct {
		content *string
		status  types.TestCaseStatus
	}
	for _, step := range []struct {
		what   string
		change update
		// The contents that Describe shows for no status, PUBLISHED and SAVED, each
		// with the status that it says; "" for none.
		def, published, saved string
	}{
		{"save", update{content("2"), saved}, "2 SAVED", "", "2 SAVED"},
		{"without a status", update{content: content("3")}, "3 SAVED", "", "3 SAVED"},
		{"publish what is saved", update{status: published}, "3 PUBLISHED", "3 PUBLISHED", "3 PUBLISHED"},
		{"publish again", update{status: published}, "3 PUBLISHED", "3 PUBLISHED", "3 PUBLISHED"},
		{"save beside it", update{content("4"), saved}, "3 PUBLISHED", "3 PUBLISHED", "4 SAVED"},
		{"change what is published", update{content: content("5")}, "5 PUBLISHED", "5 PUBLISHED", "4 SAVED"},
		{"save once more", update{content("6"), saved}, "5 PUBLISHED", "5 PUBLISHED", "6 SAVED"},
		{"publish it", update{status: published}, "6 PUBLISHED", "6 PUBLISHED", "6 PUBLISHED"},
		{"publish another", update{content("7"), published}, "7 PUBLISHED", "7 PUBLISHED", "7 PUBLISHED"},
		{"save the same", update{status: saved}, "7 PUBLISHED", "7 PUBLISHED", "7 SAVED"},
	} {
		_, err := c.UpdateTestCase(ctx, &connect.UpdateTestCaseInput{InstanceId: &instance, TestCaseId: id, Content: step.change.content, Status: step.change.status})
		ok(t, err)
		for status, want := range map[types.TestCaseStatus]string{"": step.def, published: step.published, saved: step.saved} {
			out, err := c.DescribeTestCase(ctx, &connect.DescribeTestCaseInput{InstanceId: &instance, TestCaseId: id, Status: status})
			if want == "" {
				fails(t, err, fault.ResourceNotFound)
				continue
			}
			ok(t, err)
			mark, says, _ := strings.Cut(want, " ")
			if *out.TestCase.Content != *content(mark) || string(out.TestCase.Status) != says || *out.TestCase.TestCaseSha256 != sha(content(mark)) {
				t.Errorf("%s: with status %q it shows %s, which is %s; want %s", step.what, status, *out.TestCase.Content, out.TestCase.Status, want)
			}
		}
	}
}

func TestUpdateTestCase(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	flow := firstFlow(t, c, instance)
	made, err := c.CreateTestCase(ctx, &connect.CreateTestCaseInput{
		InstanceId: &instance, Name: aws.String("Welcome"), Description: aws.String("greets"), Content: content("a"), InitializationData: aws.String("{}"),
	})
	ok(t, err)
	_, err = c.CreateTestCase(ctx, &connect.CreateTestCaseInput{InstanceId: &instance, Name: aws.String("Goodbye"), Content: content("b")})
	ok(t, err)
	id := made.TestCaseId
	update := func(in connect.UpdateTestCaseInput) error {
		in.InstanceId, in.TestCaseId = &instance, id
		_, err := c.UpdateTestCase(ctx, &in)
		return err
	}
	before := describe(t, c, instance, id, "")
	ok(t, update(connect.UpdateTestCaseInput{}))
	ok(t, update(connect.UpdateTestCaseInput{Name: aws.String("Hello")}))
	ok(t, update(connect.UpdateTestCaseInput{Description: aws.String("")}))
	ok(t, update(connect.UpdateTestCaseInput{EntryPoint: chat(*flow.Arn)}))
	ok(t, update(connect.UpdateTestCaseInput{InitializationData: aws.String(`{"a":1}`)}))
	after := describe(t, c, instance, id, "")
	if !after.LastModifiedTime.After(*before.LastModifiedTime) {
		t.Errorf("it was modified at %s, and at %s before", after.LastModifiedTime, before.LastModifiedTime)
	}
	want := *before
	want.Name, want.Description, want.EntryPoint, want.InitializationData = aws.String("Hello"), nil, chat(*flow.Arn), aws.String(`{"a":1}`)
	want.LastModifiedTime = after.LastModifiedTime
	same(t, "the test case", *after, want)

	for _, w := range []struct {
		name string
		in   connect.UpdateTestCaseInput
		code fault.Code
		word string
	}{
		{"a name that is taken", connect.UpdateTestCaseInput{Name: aws.String("Goodbye")}, fault.DuplicateResource, "Goodbye"},
		{"a flow that is not there", connect.UpdateTestCaseInput{EntryPoint: voice(domain.NewID())}, fault.ResourceNotFound, ""},
		{"the ARN of something else", connect.UpdateTestCaseInput{EntryPoint: voice(*made.TestCaseArn)}, fault.ResourceNotFound, ""},
		{"no type", connect.UpdateTestCaseInput{EntryPoint: &types.TestCaseEntryPoint{}}, fault.InvalidParameter, "EntryPoint.Type"},
		{"parameters of a chat", connect.UpdateTestCaseInput{EntryPoint: &types.TestCaseEntryPoint{
			Type: types.TestCaseEntryPointTypeVoiceCall, ChatEntryPointParameters: chat(*flow.Id).ChatEntryPointParameters,
		}}, fault.InvalidParameter, "ChatEntryPointParameters"},
		{"parameters of a call", connect.UpdateTestCaseInput{EntryPoint: &types.TestCaseEntryPoint{
			Type: types.TestCaseEntryPointTypeChat, VoiceCallEntryPointParameters: voice(*flow.Id).VoiceCallEntryPointParameters,
		}}, fault.InvalidParameter, "VoiceCallEntryPointParameters"},
		{"attributes that are no JSON", connect.UpdateTestCaseInput{InitializationData: aws.String("{")}, fault.InvalidParameter, "InitializationData"},
	} {
		t.Run(w.name, func(t *testing.T) {
			fails(t, update(w.in), w.code, w.word)
			same(t, "the test case", *describe(t, c, instance, id, ""), *after)
		})
	}
	// The type alone is enough, and so is a flow with a qualifier.
	ok(t, update(connect.UpdateTestCaseInput{EntryPoint: &types.TestCaseEntryPoint{Type: types.TestCaseEntryPointTypeVoiceCall}}))
	ok(t, update(connect.UpdateTestCaseInput{EntryPoint: voice(*flow.Id + ":$SAVED")}))
	id = aws.String(domain.NewID())
	fails(t, update(connect.UpdateTestCaseInput{}), fault.ResourceNotFound)
}

// TestInvalidContent: only what is published is validated.
func TestInvalidContent(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	for i, wrong := range []string{"no JSON", "[]", "null", `"text"`, "{} {}"} {
		in := &connect.CreateTestCaseInput{InstanceId: &instance, Name: aws.String("Wrong " + string(rune('a'+i))), Content: &wrong}
		for _, status := range []types.TestCaseStatus{"", published} {
			in.Status = status
			_, err := c.CreateTestCase(ctx, in)
			refused(t, err)
		}
		in.Status = saved
		made, err := c.CreateTestCase(ctx, in)
		ok(t, err)
		_, err = c.UpdateTestCase(ctx, &connect.UpdateTestCaseInput{InstanceId: &instance, TestCaseId: made.TestCaseId, Status: published})
		refused(t, err)
		same(t, "the status", describe(t, c, instance, made.TestCaseId, "").Status, saved)
	}
}

// refused checks that an InvalidTestCaseException says what is wrong.
func refused(t *testing.T, err error) {
	t.Helper()
	var e *types.InvalidTestCaseException
	if !errors.As(err, &e) {
		t.Errorf("got %v, want an InvalidTestCaseException", err)
		return
	}
	if len(e.Problems) == 0 || aws.ToString(e.Problems[0].Message) == "" {
		t.Errorf("the problems are %v", e.Problems)
	}
}

func TestSearchTestCases(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	ids := map[string]string{}
	for _, in := range []connect.CreateTestCaseInput{
		{Name: aws.String("Sales welcome"), Description: aws.String("greets callers"), Tags: map[string]string{"Team": "sales"}},
		{Name: aws.String("Sales hours"), Status: saved, Tags: map[string]string{"Team": "sales", "Region": "EU"}},
		{Name: aws.String("Support welcome"), Description: aws.String("greets customers"), Tags: map[string]string{"Team": "support"}},
	} {
		in.InstanceId, in.Content = &instance, content("a")
		out, err := c.CreateTestCase(ctx, &in)
		ok(t, err)
		ids[*in.Name] = *out.TestCaseId
	}
	is := func(field, value string, how types.StringComparisonType) *types.StringCondition {
		return &types.StringCondition{FieldName: &field, Value: &value, ComparisonType: how}
	}
	team := types.TagCondition{TagKey: aws.String("Team"), TagValue: aws.String("sales")}
	for _, w := range []struct {
		name     string
		criteria *types.TestCaseSearchCriteria
		filter   *types.ControlPlaneTagFilter
		want     []string
	}{
		{name: "all", want: []string{"Sales welcome", "Sales hours", "Support welcome"}},
		{name: "name", criteria: &types.TestCaseSearchCriteria{StringCondition: is("name", "sales", types.StringComparisonTypeStartsWith)}, want: []string{"Sales welcome", "Sales hours"}},
		{name: "description", criteria: &types.TestCaseSearchCriteria{StringCondition: is("description", "customers", types.StringComparisonTypeContains)}, want: []string{"Support welcome"}},
		{name: "id", criteria: &types.TestCaseSearchCriteria{StringCondition: is("resourceID", ids["Sales hours"], types.StringComparisonTypeExact)}, want: []string{"Sales hours"}},
		{name: "saved", criteria: &types.TestCaseSearchCriteria{StatusCondition: saved}, want: []string{"Sales hours"}},
		{name: "and", criteria: &types.TestCaseSearchCriteria{AndConditions: []types.TestCaseSearchCriteria{
			{StatusCondition: published}, {StringCondition: is("name", "sales", types.StringComparisonTypeStartsWith)},
		}}, want: []string{"Sales welcome"}},
		{name: "or", criteria: &types.TestCaseSearchCriteria{OrConditions: []types.TestCaseSearchCriteria{
			{StatusCondition: saved}, {StringCondition: is("name", "support", types.StringComparisonTypeStartsWith)},
		}}, want: []string{"Sales hours", "Support welcome"}},
		{name: "tags", filter: &types.ControlPlaneTagFilter{TagCondition: &team}, want: []string{"Sales welcome", "Sales hours"}},
		{name: "criteria and tags", criteria: &types.TestCaseSearchCriteria{StatusCondition: published}, filter: &types.ControlPlaneTagFilter{TagCondition: &team}, want: []string{"Sales welcome"}},
	} {
		t.Run(w.name, func(t *testing.T) {
			found := slices.Concat(servertest.Pages(t, func(token *string) ([]types.TestCase, *string, error) {
				out, err := c.SearchTestCases(ctx, &connect.SearchTestCasesInput{
					InstanceId: &instance, SearchCriteria: w.criteria, SearchFilter: &types.TestCaseSearchFilter{TagFilter: w.filter},
					MaxResults: aws.Int32(2), NextToken: token,
				})
				if err != nil {
					return nil, nil, err
				}
				same(t, "the number of all", out.ApproximateTotalCount, len(w.want))
				return out.TestCases, out.NextToken, nil
			})...)
			var names []string
			for _, f := range found {
				names = append(names, *f.Name)
				want := *describe(t, c, instance, f.Id, "")
				want.Content, want.TestCaseSha256 = nil, nil
				same(t, "a result", f, want)
			}
			same(t, "what was found", names, w.want)
		})
	}
	for name, criteria := range map[string]*types.TestCaseSearchCriteria{
		"FieldName": {StringCondition: is("status", "SAVED", types.StringComparisonTypeExact)},
		"only one":  {StatusCondition: saved, StringCondition: is("name", "a", types.StringComparisonTypeExact)},
	} {
		_, err := c.SearchTestCases(ctx, &connect.SearchTestCasesInput{InstanceId: &instance, SearchCriteria: criteria})
		fails(t, err, fault.InvalidParameter, name)
	}
}
