package flows_test

import (
	"fmt"
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

func moduleContent(note string) string { return endsWith("EndFlowModuleExecution", note) }

func newModule(t testing.TB, s *servertest.Server, instance, name, content string, change ...func(*connect.CreateContactFlowModuleInput)) string {
	t.Helper()
	in := &connect.CreateContactFlowModuleInput{InstanceId: &instance, Name: &name, Content: &content}
	for _, f := range change {
		f(in)
	}
	out, err := s.Connect.CreateContactFlowModule(t.Context(), in)
	ok(t, err)
	same(t, "ARN", out.Arn, instanceARN(instance)+"/flow-module/"+*out.Id)
	return *out.Id
}

func writeModule(t testing.TB, s *servertest.Server, instance, id, content string, settings *string) error {
	t.Helper()
	_, err := s.Connect.UpdateContactFlowModuleContent(t.Context(), &connect.UpdateContactFlowModuleContentInput{
		InstanceId: &instance, ContactFlowModuleId: &id, Content: &content, Settings: settings,
	})
	return err
}

func describeModule(t testing.TB, s *servertest.Server, instance, id string) (*types.ContactFlowModule, error) {
	t.Helper()
	out, err := s.Connect.DescribeContactFlowModule(t.Context(), &connect.DescribeContactFlowModuleInput{InstanceId: &instance, ContactFlowModuleId: &id})
	if err != nil {
		return nil, err
	}
	return out.ContactFlowModule, nil
}

func newModuleVersion(t testing.TB, s *servertest.Server, instance, id string, want int64) {
	t.Helper()
	out, err := s.Connect.CreateContactFlowModuleVersion(t.Context(), &connect.CreateContactFlowModuleVersionInput{InstanceId: &instance, ContactFlowModuleId: &id})
	ok(t, err)
	same(t, "version", []any{out.Version, out.ContactFlowModuleArn}, []any{want, instanceARN(instance) + "/flow-module/" + id})
}

func TestContactFlowModule(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	empty := contentsOf(t, s, instance)
	bare := newModule(t, s, instance, "bare", moduleContent("1"))
	rich := newModule(t, s, instance, "rich", moduleContent("2"), func(in *connect.CreateContactFlowModuleInput) {
		in.Description, in.Settings, in.Tags = aws.String("about it"), aws.String(`{"a":1}`), map[string]string{"Team": "a"}
		in.ExternalInvocationConfiguration = &types.ExternalInvocationConfiguration{Enabled: true}
	})
	arn := instanceARN(instance) + "/flow-module/"
	shown := func(id, content string, status types.ContactFlowModuleStatus) types.ContactFlowModule {
		m := types.ContactFlowModule{
			Arn: aws.String(arn + id), Id: &id, Name: aws.String("bare"), Content: &content, FlowModuleContentSha256: aws.String(sha256Of(content)),
			State: types.ContactFlowModuleStateActive, Status: status, Tags: map[string]string{},
		}
		if id == rich {
			m.Name, m.Description, m.Settings, m.Tags = aws.String("rich"), aws.String("about it"), aws.String(`{"a":1}`), map[string]string{"Team": "a"}
			m.ExternalInvocationConfiguration = &types.ExternalInvocationConfiguration{Enabled: true}
		}
		return m
	}
	const published, saved = types.ContactFlowModuleStatusPublished, types.ContactFlowModuleStatusSaved
	check := func(id string, want types.ContactFlowModule) {
		t.Helper()
		for _, prefix := range []string{"", arn} {
			m, err := describeModule(t, s, instance, prefix+id)
			ok(t, err)
			same(t, prefix+id, m, want)
		}
	}
	check(bare, shown(bare, moduleContent("1"), published))
	check(rich, shown(rich, moduleContent("2"), published))
	check(rich+":$SAVED", shown(rich, moduleContent("2"), published))

	// Settings go with the content.
	ok(t, writeModule(t, s, instance, rich+":$SAVED", "draft", nil))
	check(rich+":$SAVED", shown(rich, "draft", saved))
	check(rich, shown(rich, moduleContent("2"), published))
	ok(t, writeModule(t, s, instance, arn+rich+":$SAVED", "draft 2", aws.String(`{"b":2}`)))
	edited := shown(rich, "draft 2", saved)
	edited.Settings = aws.String(`{"b":2}`)
	check(rich+":$SAVED", edited)
	ok(t, writeModule(t, s, instance, rich+":$SAVED", "draft 3", nil))
	edited.Content, edited.FlowModuleContentSha256 = aws.String("draft 3"), aws.String(sha256Of("draft 3"))
	check(rich+":$SAVED", edited)
	ok(t, writeModule(t, s, instance, rich, moduleContent("3"), nil))
	for _, q := range []string{"", ":$SAVED", ":$LATEST", ":$.LATEST"} {
		check(rich+q, shown(rich, moduleContent("3"), published))
	}
	if n := contentsOf(t, s, instance); n != empty+2 {
		t.Errorf("%d contents are kept, want %d", n, empty+2)
	}

	fails(t, writeModule(t, s, instance, rich, moduleContent(""), aws.String("[]")), fault.InvalidRequest, "Settings")
	fails(t, writeModule(t, s, instance, rich, "{}", nil), fault.InvalidContactFlowModule)
	fails(t, writeModule(t, s, instance, rich+":1", moduleContent(""), nil), fault.InvalidRequest, ":1")
	fails(t, writeModule(t, s, instance, domain.NewID(), moduleContent(""), nil), fault.ResourceNotFound)
	_, err := describeModule(t, s, instance, rich+":1")
	fails(t, err, fault.ResourceNotFound, "1")

	metadata := func(in connect.UpdateContactFlowModuleMetadataInput) error {
		in.InstanceId, in.ContactFlowModuleId = &instance, &bare
		_, err := s.Connect.UpdateContactFlowModuleMetadata(t.Context(), &in)
		return err
	}
	fails(t, metadata(connect.UpdateContactFlowModuleMetadataInput{Name: aws.String("rich")}), fault.DuplicateResource, "rich")
	ok(t, metadata(connect.UpdateContactFlowModuleMetadataInput{Name: aws.String("naked"), Description: aws.String("of nothing")}))
	ok(t, metadata(connect.UpdateContactFlowModuleMetadataInput{State: types.ContactFlowModuleStateArchived}))
	want := shown(bare, moduleContent("1"), published)
	want.Name, want.Description, want.State = aws.String("naked"), aws.String("of nothing"), types.ContactFlowModuleStateArchived
	check(bare, want)

	remove := func(id string) error {
		_, err := s.Connect.DeleteContactFlowModule(t.Context(), &connect.DeleteContactFlowModuleInput{InstanceId: &instance, ContactFlowModuleId: &id})
		return err
	}
	fails(t, remove(bare+":$SAVED"), fault.InvalidParameter, "$SAVED")
	ok(t, remove(bare))
	fails(t, remove(bare), fault.ResourceNotFound)
	ok(t, remove(arn+rich))
	if n := contentsOf(t, s, instance); n != empty {
		t.Errorf("%d contents are kept, want %d", n, empty)
	}
}

func TestCreateContactFlowModule(t *testing.T) {
	s := servertest.Boot(t, func(c *server.Config) { c.Quotas = true })
	instance := s.NewInstance(t)
	once := connect.CreateContactFlowModuleInput{InstanceId: &instance, Name: aws.String("once"), Content: aws.String(moduleContent("")), ClientToken: aws.String("token")}
	first, err := s.Connect.CreateContactFlowModule(t.Context(), &once)
	ok(t, err)
	again, err := s.Connect.CreateContactFlowModule(t.Context(), &once)
	ok(t, err)
	same(t, "second answer", again.Id, first.Id)
	for name, c := range map[string]struct {
		change func(*connect.CreateContactFlowModuleInput)
		code   fault.Code
		word   string
	}{
		"same token":    {func(in *connect.CreateContactFlowModuleInput) { in.Name = aws.String("twice") }, fault.Idempotency, ""},
		"name taken":    {func(in *connect.CreateContactFlowModuleInput) { in.ClientToken = nil }, fault.DuplicateResource, "once"},
		"bad settings":  {func(in *connect.CreateContactFlowModuleInput) { in.Settings = aws.String("x") }, fault.Idempotency, ""},
		"settings":      {func(in *connect.CreateContactFlowModuleInput) { in.ClientToken, in.Settings = nil, aws.String("null") }, fault.InvalidParameter, "Settings"},
		"a flow's end":  {func(in *connect.CreateContactFlowModuleInput) { in.Content = aws.String("{}") }, fault.InvalidContactFlowModule, ""},
		"blank name":    {func(in *connect.CreateContactFlowModuleInput) { in.Name = aws.String(" ") }, fault.InvalidParameter, "Name"},
		"long content":  {func(in *connect.CreateContactFlowModuleInput) { in.Content = aws.String(strings.Repeat("x", 256_001)) }, fault.InvalidParameter, "Content"},
		"no such place": {func(in *connect.CreateContactFlowModuleInput) { in.InstanceId = aws.String(domain.NewID()) }, fault.ResourceNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := once
			c.change(&in)
			_, err := s.Connect.CreateContactFlowModule(t.Context(), &in)
			fails(t, err, c.code, c.word)
		})
	}
	for n := 1; n < 200; n++ {
		newModule(t, s, instance, fmt.Sprint(n), moduleContent(""))
	}
	_, err = s.Connect.CreateContactFlowModule(t.Context(), &connect.CreateContactFlowModuleInput{InstanceId: &instance, Name: aws.String("201"), Content: aws.String(moduleContent(""))})
	fails(t, err, fault.LimitExceeded, "200")
}

func TestListContactFlowModules(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	var active, archived, all []types.ContactFlowModuleSummary
	for n := range 5 {
		name := fmt.Sprint("module ", n)
		id := newModule(t, s, instance, name, moduleContent(""))
		m := types.ContactFlowModuleSummary{
			Arn: aws.String(instanceARN(instance) + "/flow-module/" + id), Id: &id, Name: &name, State: types.ContactFlowModuleStateActive,
		}
		if n%2 == 0 {
			m.State = types.ContactFlowModuleStateArchived
			_, err := s.Connect.UpdateContactFlowModuleMetadata(t.Context(), &connect.UpdateContactFlowModuleMetadataInput{
				InstanceId: &instance, ContactFlowModuleId: &id, State: m.State,
			})
			ok(t, err)
			archived = append(archived, m)
		} else {
			active = append(active, m)
		}
		all = append(all, m)
	}
	for state, want := range map[types.ContactFlowModuleState][]types.ContactFlowModuleSummary{
		"": all, types.ContactFlowModuleStateActive: active, types.ContactFlowModuleStateArchived: archived,
	} {
		got := servertest.Pages(t, func(token *string) ([]types.ContactFlowModuleSummary, *string, error) {
			out, err := s.Connect.ListContactFlowModules(t.Context(), &connect.ListContactFlowModulesInput{
				InstanceId: &instance, ContactFlowModuleState: state, MaxResults: aws.Int32(2), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.ContactFlowModulesSummaryList, out.NextToken, nil
		})
		same(t, "modules in state "+string(state), got, servertest.InPages(want, 2))
	}
}

func TestContactFlowModuleVersions(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	id := newModule(t, s, instance, "module", moduleContent("1"), func(in *connect.CreateContactFlowModuleInput) { in.Settings = aws.String(`{"v":1}`) })
	other := newModule(t, s, instance, "other", moduleContent("1"))
	arn := instanceARN(instance) + "/flow-module/" + id
	same(t, "version", func() int64 {
		out, err := s.Connect.CreateContactFlowModuleVersion(t.Context(), &connect.CreateContactFlowModuleVersionInput{
			InstanceId: &instance, ContactFlowModuleId: &arn, Description: aws.String("the first"), FlowModuleContentSha256: aws.String(sha256Of(moduleContent("1"))),
		})
		ok(t, err)
		return *out.Version
	}(), 1)
	ok(t, writeModule(t, s, instance, id, moduleContent("2"), aws.String(`{"v":2}`)))
	newModuleVersion(t, s, instance, id, 2)
	newModuleVersion(t, s, instance, other, 1)

	_, err := s.Connect.CreateContactFlowModuleVersion(t.Context(), &connect.CreateContactFlowModuleVersionInput{
		InstanceId: &instance, ContactFlowModuleId: &id, FlowModuleContentSha256: aws.String(sha256Of(moduleContent("1"))),
	})
	fails(t, err, fault.InvalidRequest, sha256Of(moduleContent("2")))
	_, err = s.Connect.CreateContactFlowModuleVersion(t.Context(), &connect.CreateContactFlowModuleVersionInput{InstanceId: &instance, ContactFlowModuleId: aws.String(id + ":1")})
	fails(t, err, fault.InvalidParameter)

	m, err := describeModule(t, s, instance, id+":1")
	ok(t, err)
	same(t, "the first version", m, types.ContactFlowModule{
		Arn: &arn, Id: &id, Name: aws.String("module"), Content: aws.String(moduleContent("1")), FlowModuleContentSha256: aws.String(sha256Of(moduleContent("1"))),
		Settings: aws.String(`{"v":1}`), State: types.ContactFlowModuleStateActive, Status: types.ContactFlowModuleStatusPublished,
		Tags: map[string]string{}, Version: aws.Int64(1), VersionDescription: aws.String("the first"),
	})
	list := func(id string) [][]types.ContactFlowModuleVersionSummary {
		return servertest.Pages(t, func(token *string) ([]types.ContactFlowModuleVersionSummary, *string, error) {
			out, err := s.Connect.ListContactFlowModuleVersions(t.Context(), &connect.ListContactFlowModuleVersionsInput{
				InstanceId: &instance, ContactFlowModuleId: &id, MaxResults: aws.Int32(1), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.ContactFlowModuleVersionSummaryList, out.NextToken, nil
		})
	}
	second := types.ContactFlowModuleVersionSummary{Arn: aws.String(arn + ":2"), Version: aws.Int64(2)}
	same(t, "versions", list(arn), [][]types.ContactFlowModuleVersionSummary{
		{{Arn: aws.String(arn + ":1"), Version: aws.Int64(1), VersionDescription: aws.String("the first")}}, {second},
	})
	remove := func(id string, version int64) error {
		_, err := s.Connect.DeleteContactFlowModuleVersion(t.Context(), &connect.DeleteContactFlowModuleVersionInput{InstanceId: &instance, ContactFlowModuleId: &id, ContactFlowModuleVersion: &version})
		return err
	}
	ok(t, remove(id, 1))
	fails(t, remove(id, 1), fault.ResourceNotFound)
	fails(t, remove(id+":2", 2), fault.InvalidParameter)
	same(t, "versions", list(id), [][]types.ContactFlowModuleVersionSummary{{second}})
	ok(t, remove(id, 2))
	newModuleVersion(t, s, instance, id, 3) // numbers are not used again
}

func TestContactFlowModuleAliases(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	instanceOrARN := []string{instance, instanceARN(instance)}
	id := newModule(t, s, instance, "module", moduleContent("1"))
	other := newModule(t, s, instance, "other", moduleContent("1"))
	arn := instanceARN(instance) + "/flow-module/" + id
	newModuleVersion(t, s, instance, id, 1)
	ok(t, writeModule(t, s, instance, id, moduleContent("2"), nil))
	newModuleVersion(t, s, instance, id, 2)
	newModuleVersion(t, s, instance, other, 1)

	create := func(module, name string, version int64, description *string) (string, error) {
		out, err := s.Connect.CreateContactFlowModuleAlias(t.Context(), &connect.CreateContactFlowModuleAliasInput{
			InstanceId: &instanceOrARN[len(name)%2], ContactFlowModuleId: &module, AliasName: &name, ContactFlowModuleVersion: &version, Description: description,
		})
		if err != nil {
			return "", err
		}
		same(t, "ARN", out.ContactFlowModuleArn, instanceARN(instance)+"/flow-module/"+strings.TrimPrefix(module, instanceARN(instance)+"/flow-module/"))
		return *out.Id, nil
	}
	live, err := create(arn, "live", 1, aws.String("what callers hear"))
	ok(t, err)
	beta, err := create(id, "beta", 2, nil)
	ok(t, err)
	elsewhere, err := create(other, "live", 1, nil) // names are unique in a module
	ok(t, err)
	number, err := create(id, "9", 2, nil)
	ok(t, err)
	for name, c := range map[string]struct {
		alias   string
		version int64
		code    fault.Code
		word    string
	}{
		"name taken":    {"live", 2, fault.DuplicateResource, "live"},
		"no version":    {"gamma", 3, fault.ResourceNotFound, "3"},
		"saved":         {"$SAVED", 1, fault.InvalidParameter, "$SAVED"},
		"latest":        {"$LATEST", 1, fault.InvalidParameter, "$LATEST"},
		"two hyphens":   {"a--b", 1, fault.InvalidParameter, "AliasName"},
		"a long name":   {strings.Repeat("x", 101), 1, fault.InvalidParameter, "AliasName"},
		"a colon":       {"a:b", 1, fault.InvalidParameter, "AliasName"},
		"as an id":      {"", 1, fault.InvalidParameter, "AliasName"},
		"no such thing": {"zero", 0, fault.InvalidParameter, "ContactFlowModuleVersion"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := create(id, c.alias, c.version, nil)
			fails(t, err, c.code, c.word)
		})
	}
	_, err = create(id, "delta", 1, aws.String(strings.Repeat("x", 501)))
	fails(t, err, fault.InvalidParameter, "Description")

	describe := func(module, alias string) (types.ContactFlowModuleAliasInfo, error) {
		out, err := s.Connect.DescribeContactFlowModuleAlias(t.Context(), &connect.DescribeContactFlowModuleAliasInput{InstanceId: &instance, ContactFlowModuleId: &module, AliasId: &alias})
		if err != nil {
			return types.ContactFlowModuleAliasInfo{}, err
		}
		a := *out.ContactFlowModuleAlias
		if a.LastModifiedTime == nil {
			t.Error("LastModifiedTime is absent")
		}
		a.LastModifiedTime = nil
		return a, nil
	}
	info := types.ContactFlowModuleAliasInfo{
		AliasId: &live, Name: aws.String("live"), Description: aws.String("what callers hear"), ContactFlowModuleArn: &arn, ContactFlowModuleId: &id,
		Version: aws.Int64(1), LastModifiedRegion: aws.String(servertest.Region),
	}
	got, err := describe(arn, live)
	ok(t, err)
	same(t, "alias", got, info)
	_, err = describe(id, elsewhere)
	fails(t, err, fault.ResourceNotFound)
	_, err = describe(id, "live")
	fails(t, err, fault.ResourceNotFound)

	points := func(qualifier string, version int64) {
		t.Helper()
		m, err := describeModule(t, s, instance, id+":"+qualifier)
		ok(t, err)
		same(t, qualifier, []any{m.Version, m.Content}, []any{version, moduleContent(fmt.Sprint(version))})
	}
	points("live", 1)
	points(live, 1)
	points("beta", 2)
	points("2", 2)
	points("9", 2)
	for _, bad := range []string{"LIVE", elsewhere, "7"} {
		_, err := describeModule(t, s, instance, id+":"+bad)
		fails(t, err, fault.ResourceNotFound, bad)
	}

	update := func(alias string, in connect.UpdateContactFlowModuleAliasInput) error {
		in.InstanceId, in.ContactFlowModuleId, in.AliasId = &instance, &id, &alias
		_, err := s.Connect.UpdateContactFlowModuleAlias(t.Context(), &in)
		return err
	}
	removeVersion := func(version int64) error {
		_, err := s.Connect.DeleteContactFlowModuleVersion(t.Context(), &connect.DeleteContactFlowModuleVersionInput{InstanceId: &instance, ContactFlowModuleId: &id, ContactFlowModuleVersion: &version})
		return err
	}
	fails(t, removeVersion(1), fault.InvalidRequest, "in use")
	ok(t, update(live, connect.UpdateContactFlowModuleAliasInput{ContactFlowModuleVersion: aws.Int64(2)}))
	points("live", 2)
	ok(t, removeVersion(1))
	ok(t, update(live, connect.UpdateContactFlowModuleAliasInput{Name: aws.String("prod"), Description: aws.String("other words")}))
	info.Name, info.Description, info.Version = aws.String("prod"), aws.String("other words"), aws.Int64(2)
	got, err = describe(id, live)
	ok(t, err)
	same(t, "alias", got, info)
	points("prod", 2)
	points(live, 2)
	fails(t, update(live, connect.UpdateContactFlowModuleAliasInput{Name: aws.String("beta")}), fault.DuplicateResource, "beta")
	fails(t, update(live, connect.UpdateContactFlowModuleAliasInput{Name: aws.String("no name")}), fault.InvalidParameter, "alias")
	fails(t, update(live, connect.UpdateContactFlowModuleAliasInput{ContactFlowModuleVersion: aws.Int64(1)}), fault.ResourceNotFound, "1")
	fails(t, update(elsewhere, connect.UpdateContactFlowModuleAliasInput{}), fault.ResourceNotFound)

	list := func(instance string) [][]types.ContactFlowModuleAliasSummary {
		return servertest.Pages(t, func(token *string) ([]types.ContactFlowModuleAliasSummary, *string, error) {
			out, err := s.Connect.ListContactFlowModuleAliases(t.Context(), &connect.ListContactFlowModuleAliasesInput{
				InstanceId: &instance, ContactFlowModuleId: &id, MaxResults: aws.Int32(2), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			for i := range out.ContactFlowModuleAliasSummaryList {
				a := &out.ContactFlowModuleAliasSummaryList[i]
				if a.LastModifiedTime == nil {
					t.Error("LastModifiedTime is absent")
				}
				a.LastModifiedTime = nil
			}
			return out.ContactFlowModuleAliasSummaryList, out.NextToken, nil
		})
	}
	summary := func(id, name string, description *string) types.ContactFlowModuleAliasSummary {
		return types.ContactFlowModuleAliasSummary{
			Arn: aws.String(arn + ":" + id), AliasId: &id, AliasName: &name, AliasDescription: description, Version: aws.Int64(2),
		}
	}
	for _, i := range instanceOrARN {
		same(t, "aliases", list(i), servertest.InPages([]types.ContactFlowModuleAliasSummary{
			summary(live, "prod", aws.String("other words")), summary(beta, "beta", nil), summary(number, "9", nil),
		}, 2))
	}
	remove := func(alias string) error {
		_, err := s.Connect.DeleteContactFlowModuleAlias(t.Context(), &connect.DeleteContactFlowModuleAliasInput{InstanceId: &instance, ContactFlowModuleId: &id, AliasId: &alias})
		return err
	}
	ok(t, remove(live))
	fails(t, remove(live), fault.ResourceNotFound)
	fails(t, remove(elsewhere), fault.ResourceNotFound)

	// Aliases and versions go with the module.
	_, err = s.Connect.DeleteContactFlowModule(t.Context(), &connect.DeleteContactFlowModuleInput{InstanceId: &instance, ContactFlowModuleId: &id})
	ok(t, err)
	_, err = describe(id, beta)
	fails(t, err, fault.ResourceNotFound)
	_, err = describe(other, elsewhere)
	ok(t, err)
}
