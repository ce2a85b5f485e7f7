package roundtrip

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func flowKinds() []kind {
	return []kind{contactFlowModules(), contactFlows(), flowAssociations()}
}

// endsWith is a content of one action; the note makes it another one.
func endsWith(action, note string) *string {
	return aws.String(fmt.Sprintf(`{"Version":"2019-10-30","StartAction":"end","Metadata":{"note":%q},"Actions":[{"Identifier":"end","Type":%q,"Parameters":{},"Transitions":{}}]}`, note, action))
}

// invokes is a content that names a module.
func invokes(module, note string) *string {
	return aws.String(fmt.Sprintf(`{"Version":"2019-10-30","StartAction":"go","Metadata":{"note":%q},"Actions":[
{"Identifier":"go","Type":"InvokeFlowModule","Parameters":{"FlowModuleId":%q},"Transitions":{"NextAction":"end","Errors":[{"ErrorType":"NoMatchingError","NextAction":"end"}]}},
{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`, note, module))
}

// soundsAndQueues are the ids of what contents name beside flows and modules,
// each followed by what stands for it in a document: a prompt or a queue is
// known by its name, so that flows may be rebuilt whether or not it was.
func soundsAndQueues(t testing.TB, s *site) (pairs []string) {
	t.Helper()
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListPrompts(t.Context(), &connect.ListPromptsInput{InstanceId: &s.id, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, p := range page.PromptSummaryList {
			pairs = append(pairs, *p.Id, "{prompt "+*p.Name+"}")
		}
		return page.NextToken, nil
	})
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &s.id, NextToken: token, QueueTypes: []types.QueueType{types.QueueTypeStandard}})
		if err != nil {
			return nil, err
		}
		for _, q := range page.QueueSummaryList {
			pairs = append(pairs, *q.Id, "{queue "+*q.Name+"}")
		}
		return page.NextToken, nil
	})
	return pairs
}

// unnamed makes contents of a document contents of the site again.
func unnamed(t testing.TB, s *site) *strings.Replacer {
	t.Helper()
	pairs := soundsAndQueues(t, s)
	slices.Reverse(pairs)
	return strings.NewReplacer(pairs...)
}

// version is one of a flow or module. Contents name ids, so no checksum of one
// is in a document.
type version struct {
	Description *string
	Content     string
	Settings    *string
}

type flowDocument struct {
	Flow     *types.ContactFlow
	Saved    string // what is saved and not published, "" for nothing
	Versions []version
}

func contactFlows() kind {
	return of("ContactFlow", fillContactFlow, exportContactFlows,
		func(t testing.TB, s *site, d flowDocument) string {
			f := d.Flow
			if id := s.existing("ContactFlow", *f.Name); id != "" {
				return id
			}
			// Its content may name what is not there yet.
			out, err := s.CreateContactFlow(t.Context(), &connect.CreateContactFlowInput{
				InstanceId: &s.id, Name: f.Name, Type: f.Type, Content: aws.String("{}"), Status: types.ContactFlowStatusSaved, Tags: tags(f.Tags),
			})
			ok(t, err)
			return *out.ContactFlowId
		},
		func(t testing.TB, s *site, id string, d flowDocument) {
			names := unnamed(t, s)
			write := func(id, content string) {
				t.Helper()
				_, err := s.UpdateContactFlowContent(t.Context(), &connect.UpdateContactFlowContentInput{
					InstanceId: &s.id, ContactFlowId: &id, Content: aws.String(names.Replace(content)),
				})
				ok(t, err)
			}
			for _, v := range d.Versions {
				write(id, v.Content)
				_, err := s.CreateContactFlowVersion(t.Context(), &connect.CreateContactFlowVersionInput{InstanceId: &s.id, ContactFlowId: &id, Description: v.Description})
				ok(t, err)
			}
			if d.Flow.Status == types.ContactFlowStatusPublished {
				write(id, *d.Flow.Content)
			}
			if d.Saved != "" {
				write(id+":$SAVED", d.Saved)
			}
			_, err := s.UpdateContactFlowMetadata(t.Context(), &connect.UpdateContactFlowMetadataInput{
				InstanceId: &s.id, ContactFlowId: &id, Description: d.Flow.Description, ContactFlowState: d.Flow.State,
			})
			ok(t, err)
		})
}

// fillContactFlow makes a flow, and beside it one of the type that has versions
// and one that was never published.
func fillContactFlow(t testing.TB, s *site, n int) string {
	t.Helper()
	create := func(kind string, change func(*connect.CreateContactFlowInput)) string {
		t.Helper()
		in := &connect.CreateContactFlowInput{
			InstanceId: &s.id, Name: name(kind, n), Description: aws.String("what contacts hear"), Type: types.ContactFlowTypeContactFlow,
			Content: invokes(s.a(t, "ContactFlowModule", n)+":live", fmt.Sprint(n)), Tags: map[string]string{"Team": "flows"},
		}
		change(in)
		out, err := s.CreateContactFlow(t.Context(), in)
		ok(t, err)
		return *out.ContactFlowId
	}
	write := func(id string, content *string) {
		t.Helper()
		_, err := s.UpdateContactFlowContent(t.Context(), &connect.UpdateContactFlowContentInput{InstanceId: &s.id, ContactFlowId: &id, Content: content})
		ok(t, err)
	}
	id := create("Flow", func(*connect.CreateContactFlowInput) {})
	write(id+":$SAVED", aws.String("not valid yet, but saved"))
	create("Draft", func(in *connect.CreateContactFlowInput) {
		in.Status, in.Content = types.ContactFlowStatusSaved, aws.String("only an idea")
	})
	campaign := create("Campaign", func(in *connect.CreateContactFlowInput) {
		in.Type, in.Content = types.ContactFlowTypeCampaign, endsWith("DisconnectParticipant", "0")
	})
	for v := range 2 {
		_, err := s.CreateContactFlowVersion(t.Context(), &connect.CreateContactFlowVersionInput{
			InstanceId: &s.id, ContactFlowId: &campaign, Description: aws.String(fmt.Sprint("try ", v)),
		})
		ok(t, err)
		write(campaign, endsWith("DisconnectParticipant", fmt.Sprint(v+1)))
	}
	_, err := s.UpdateContactFlowMetadata(t.Context(), &connect.UpdateContactFlowMetadataInput{
		InstanceId: &s.id, ContactFlowId: &campaign, ContactFlowState: types.ContactFlowStateArchived,
	})
	ok(t, err)
	return id
}

func exportContactFlows(t testing.TB, s *site) (all resources) {
	t.Helper()
	names := strings.NewReplacer(soundsAndQueues(t, s)...)
	describe := func(id string) *types.ContactFlow {
		t.Helper()
		out, err := s.DescribeContactFlow(t.Context(), &connect.DescribeContactFlowInput{InstanceId: &s.id, ContactFlowId: &id})
		ok(t, err)
		out.ContactFlow.FlowContentSha256 = nil
		out.ContactFlow.Content = aws.String(names.Replace(*out.ContactFlow.Content))
		return out.ContactFlow
	}
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &s.id, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, i := range page.ContactFlowSummaryList {
			saved := describe(*i.Id + ":$SAVED")
			d := flowDocument{Flow: saved}
			if saved.Status == types.ContactFlowStatusSaved {
				d.Saved = *saved.Content
				if i.ContactFlowStatus == types.ContactFlowStatusPublished {
					d.Flow = describe(*i.Id)
				}
			}
			versions, err := s.ListContactFlowVersions(t.Context(), &connect.ListContactFlowVersionsInput{InstanceId: &s.id, ContactFlowId: i.Id})
			ok(t, err)
			for _, v := range versions.ContactFlowVersionSummaryList {
				d.Versions = append(d.Versions, version{Description: v.VersionDescription, Content: *describe(*v.Arn).Content})
			}
			all.add(*i.Id, *i.Name, d)
		}
		return page.NextToken, nil
	})
	return all
}

type moduleDocument struct {
	Module   *types.ContactFlowModule
	Saved    *version // what is saved and not published
	Versions []version
	// Aliases have ids that the service alone decides.
	Aliases []types.ContactFlowModuleAliasSummary
}

func contactFlowModules() kind {
	return of("ContactFlowModule", fillContactFlowModule, exportContactFlowModules,
		func(t testing.TB, s *site, d moduleDocument) string {
			m := d.Module
			out, err := s.CreateContactFlowModule(t.Context(), &connect.CreateContactFlowModuleInput{
				InstanceId: &s.id, Name: m.Name, Description: m.Description, ExternalInvocationConfiguration: m.ExternalInvocationConfiguration,
				Content: endsWith("EndFlowModuleExecution", ""), Tags: tags(m.Tags),
			})
			ok(t, err)
			return *out.Id
		},
		func(t testing.TB, s *site, id string, d moduleDocument) {
			names := unnamed(t, s)
			write := func(id string, v version) {
				t.Helper()
				settings := v.Settings
				if settings == nil {
					settings = aws.String("") // not those that it had before
				}
				_, err := s.UpdateContactFlowModuleContent(t.Context(), &connect.UpdateContactFlowModuleContentInput{
					InstanceId: &s.id, ContactFlowModuleId: &id, Content: aws.String(names.Replace(v.Content)), Settings: settings,
				})
				ok(t, err)
			}
			for _, v := range d.Versions {
				write(id, v)
				_, err := s.CreateContactFlowModuleVersion(t.Context(), &connect.CreateContactFlowModuleVersionInput{InstanceId: &s.id, ContactFlowModuleId: &id, Description: v.Description})
				ok(t, err)
			}
			for _, a := range d.Aliases {
				_, err := s.CreateContactFlowModuleAlias(t.Context(), &connect.CreateContactFlowModuleAliasInput{
					InstanceId: &s.id, ContactFlowModuleId: &id, AliasName: a.AliasName, Description: a.AliasDescription, ContactFlowModuleVersion: a.Version,
				})
				ok(t, err)
			}
			write(id, version{Content: *d.Module.Content, Settings: d.Module.Settings})
			if d.Saved != nil {
				write(id+":$SAVED", *d.Saved)
			}
			_, err := s.UpdateContactFlowModuleMetadata(t.Context(), &connect.UpdateContactFlowModuleMetadataInput{InstanceId: &s.id, ContactFlowModuleId: &id, State: d.Module.State})
			ok(t, err)
		})
}

func fillContactFlowModule(t testing.TB, s *site, n int) string {
	t.Helper()
	content := func(note any) *string { return endsWith("EndFlowModuleExecution", fmt.Sprint(n, note)) }
	out, err := s.CreateContactFlowModule(t.Context(), &connect.CreateContactFlowModuleInput{
		InstanceId: &s.id, Name: name("Module", n), Description: aws.String("what flows have in common"), Content: content("first"),
		Settings: aws.String(`{"n":0}`), ExternalInvocationConfiguration: &types.ExternalInvocationConfiguration{Enabled: n == 1},
		Tags: map[string]string{"Team": "flows"},
	})
	ok(t, err)
	id := *out.Id
	write := func(id string, content, settings *string) {
		t.Helper()
		_, err := s.UpdateContactFlowModuleContent(t.Context(), &connect.UpdateContactFlowModuleContentInput{InstanceId: &s.id, ContactFlowModuleId: &id, Content: content, Settings: settings})
		ok(t, err)
	}
	for v := range 2 {
		_, err := s.CreateContactFlowModuleVersion(t.Context(), &connect.CreateContactFlowModuleVersionInput{
			InstanceId: &s.id, ContactFlowModuleId: &id, Description: aws.String(fmt.Sprint("try ", v)),
		})
		ok(t, err)
		write(id, content(v), []*string{aws.String(`{"n":1}`), aws.String("")}[v])
	}
	write(id+":$SAVED", aws.String("not valid yet, but saved"), aws.String(`{"n":2}`))
	for i, alias := range []string{"live", "next"} {
		_, err := s.CreateContactFlowModuleAlias(t.Context(), &connect.CreateContactFlowModuleAliasInput{
			InstanceId: &s.id, ContactFlowModuleId: &id, AliasName: &alias, Description: aws.String("what to invoke"), ContactFlowModuleVersion: aws.Int64(int64(i) + 1),
		})
		ok(t, err)
	}
	if n == 2 {
		_, err := s.UpdateContactFlowModuleMetadata(t.Context(), &connect.UpdateContactFlowModuleMetadataInput{InstanceId: &s.id, ContactFlowModuleId: &id, State: types.ContactFlowModuleStateArchived})
		ok(t, err)
	}
	return id
}

func exportContactFlowModules(t testing.TB, s *site) (all resources) {
	t.Helper()
	names := strings.NewReplacer(soundsAndQueues(t, s)...)
	describe := func(id string) *types.ContactFlowModule {
		t.Helper()
		out, err := s.DescribeContactFlowModule(t.Context(), &connect.DescribeContactFlowModuleInput{InstanceId: &s.id, ContactFlowModuleId: &id})
		ok(t, err)
		m := out.ContactFlowModule
		m.FlowModuleContentSha256, m.Content = nil, aws.String(names.Replace(*m.Content))
		return m
	}
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListContactFlowModules(t.Context(), &connect.ListContactFlowModulesInput{InstanceId: &s.id, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, i := range page.ContactFlowModulesSummaryList {
			d := moduleDocument{Module: describe(*i.Id)}
			if saved := describe(*i.Id + ":$SAVED"); saved.Status == types.ContactFlowModuleStatusSaved {
				d.Saved = &version{Content: *saved.Content, Settings: saved.Settings}
			}
			versions, err := s.ListContactFlowModuleVersions(t.Context(), &connect.ListContactFlowModuleVersionsInput{InstanceId: &s.id, ContactFlowModuleId: i.Id})
			ok(t, err)
			for _, v := range versions.ContactFlowModuleVersionSummaryList {
				m := describe(*v.Arn)
				d.Versions = append(d.Versions, version{Description: m.VersionDescription, Content: *m.Content, Settings: m.Settings})
			}
			aliases, err := s.ListContactFlowModuleAliases(t.Context(), &connect.ListContactFlowModuleAliasesInput{InstanceId: &s.id, ContactFlowModuleId: i.Id})
			ok(t, err)
			for _, a := range aliases.ContactFlowModuleAliasSummaryList {
				a.AliasId, a.Arn = nil, nil
				d.Aliases = append(d.Aliases, a)
			}
			all.add(*i.Id, *i.Name, d)
		}
		return page.NextToken, nil
	})
	return all
}

// flowAssociations are those of other services' resources. That of a claimed
// phone number is part of the number. Those of type SMS_PHONE_NUMBER are in no
// list, so whoever exports them has to know the resources.
func flowAssociations() kind {
	resource := func(n int) *string {
		return aws.String(fmt.Sprint("arn:aws:social-messaging:us-east-1:123456789012:phone-number-id/", n))
	}
	return of("FlowAssociation",
		func(t testing.TB, s *site, n int) string {
			_, err := s.AssociateFlow(t.Context(), &connect.AssociateFlowInput{
				InstanceId: &s.id, ResourceId: resource(n), FlowId: aws.String(s.a(t, "ContactFlow", n)),
				ResourceType: types.FlowAssociationResourceTypeWhatsappMessagingPhoneNumber,
			})
			ok(t, err)
			return ""
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListFlowAssociations(t.Context(), &connect.ListFlowAssociationsInput{
					InstanceId: &s.id, ResourceType: types.ListFlowAssociationResourceTypeWhatsappMessagingPhoneNumber, NextToken: token,
				})
				if err != nil {
					return nil, err
				}
				for _, a := range page.FlowAssociationSummaryList {
					all.add(*a.ResourceId, *a.ResourceId, a)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d types.FlowAssociationSummary) string {
			_, err := s.AssociateFlow(t.Context(), &connect.AssociateFlowInput{
				InstanceId: &s.id, ResourceId: d.ResourceId, FlowId: d.FlowId, ResourceType: types.FlowAssociationResourceType(d.ResourceType),
			})
			ok(t, err)
			return ""
		},
		nil)
}
