package roundtrip

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func testCaseKinds() []kind { return []kind{testCases()} }

// testCaseDocument holds a test case with each of its contents. Published is
// nil of one that never was, Saved shows what is published when nothing was
// saved since.
type testCaseDocument struct{ Published, Saved *types.TestCase }

func testCases() kind {
	const saved, published = types.TestCaseStatusSaved, types.TestCaseStatusPublished
	content := func(mark string) *string {
		return aws.String(`{"Version":"2025-06-21","Metadata":{},"Observations":[{"Identifier":"` + mark + `",
			"Event":{"Identifier":"begun","Type":"TestInitiated","Actor":"System","Properties":{}},"Usage":{"Type":"EXACTLY"},
			"Actions":[{"Identifier":"press","Type":"SendInstruction","Transitions":{"NextAction":""},"Parameters":{
				"ActionType":"SendInstruction","Actor":"Customer","Instruction":{"Type":"DtmfInput","Properties":{"Value":"1"}}}}],
			"Transitions":{"NextObservations":[]}}]}`)
	}
	create := func(t testing.TB, s *site, d *types.TestCase) *string {
		out, err := s.CreateTestCase(t.Context(), &connect.CreateTestCaseInput{
			InstanceId: &s.id, Name: d.Name, Description: d.Description, Status: d.Status, Content: d.Content,
			EntryPoint: d.EntryPoint, InitializationData: d.InitializationData, Tags: tags(d.Tags),
		})
		ok(t, err)
		return out.TestCaseId
	}
	save := func(t testing.TB, s *site, id *string, d *types.TestCase) {
		_, err := s.UpdateTestCase(t.Context(), &connect.UpdateTestCaseInput{
			InstanceId: &s.id, TestCaseId: id, Status: saved, Content: d.Content, EntryPoint: d.EntryPoint, InitializationData: d.InitializationData,
		})
		ok(t, err)
	}
	return of("TestCase",
		// The first is published, the second has been saved since, the third never
		// was published.
		func(t testing.TB, s *site, n int) string {
			flow := s.a(t, "ContactFlow", n)
			d := types.TestCase{
				Name: name("Test case", n), Description: aws.String("how callers are greeted"), Status: published, Content: content("begin"),
				EntryPoint: &types.TestCaseEntryPoint{
					Type: types.TestCaseEntryPointTypeVoiceCall, VoiceCallEntryPointParameters: &types.VoiceCallEntryPointParameters{
						FlowId: &flow, SourcePhoneNumber: aws.String("+15555550100"), DestinationPhoneNumber: aws.String("+15555550101"),
					},
				},
				InitializationData: aws.String(fmt.Sprintf(`{"n":%d}`, n)), Tags: map[string]string{"Team": "tests"},
			}
			if n == 2 {
				d.Status = saved
			}
			id := create(t, s, &d)
			if n == 1 {
				save(t, s, id, &types.TestCase{
					Content: content("begin anew"), InitializationData: aws.String(`{"n":"one"}`), EntryPoint: &types.TestCaseEntryPoint{
						Type: types.TestCaseEntryPointTypeChat, ChatEntryPointParameters: &types.ChatEntryPointParameters{FlowId: &flow},
					},
				})
			}
			return *id
		},
		func(t testing.TB, s *site) (all resources) {
			describe := func(id *string, status types.TestCaseStatus) *types.TestCase {
				out, err := s.DescribeTestCase(t.Context(), &connect.DescribeTestCaseInput{InstanceId: &s.id, TestCaseId: id, Status: status})
				if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
					return nil
				}
				ok(t, err)
				return out.TestCase
			}
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListTestCases(t.Context(), &connect.ListTestCasesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, c := range page.TestCaseSummaryList {
					all.add(*c.Id, *c.Name, testCaseDocument{describe(c.Id, published), describe(c.Id, saved)})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d testCaseDocument) string {
			if d.Published == nil {
				return *create(t, s, d.Saved)
			}
			id := create(t, s, d.Published)
			if d.Saved.Status == saved {
				save(t, s, id, d.Saved)
			}
			return *id
		},
		nil)
}
