package gateway

import (
	"reflect"
	"slices"
	"strings"

	"ringdown/internal/contract"
	"ringdown/internal/domain"
)

// targets tells on which resources a caller must be allowed to use an
// operation. It is read off the input's members, at any depth: a UserId makes
// the user a resource, the QueueId of a queue configuration that queue. That
// gives what AWS's service authorization reference lists for Amazon Connect,
// without a table of operations.
type targets struct {
	instance int            // the field that names the instance, -1 when there is none
	arn      int            // the field that is a resource's ARN
	members  []targetMember // the members that name resources of the instance
	creates  domain.Kind    // what a Create operation makes
	self     bool           // whether it is about the caller itself
	tags     int            // the field with the tags of a request
	tagKeys  int            // the field with the tag keys of a request
}

// targetMember is a member by the fields that lead to it, from the input down;
// pointers and lists on the way are followed.
type targetMember struct {
	fields []int
	kind   domain.Kind
}

// memberKinds says what the members of inputs refer to. KindRoot stands for
// members that hold ARNs of several kinds.
var memberKinds = map[string]domain.Kind{
	"UserId":                 domain.KindUser,
	"RoutingProfileId":       domain.KindRoutingProfile,
	"SecurityProfileId":      domain.KindSecurityProfile,
	"SecurityProfileIds":     domain.KindSecurityProfile,
	"QueueId":                domain.KindQueue,
	"DefaultOutboundQueueId": domain.KindQueue,
	"HierarchyGroupId":       domain.KindHierarchyGroup,
	"ParentGroupId":          domain.KindHierarchyGroup,
	"HoursOfOperationId":     domain.KindHoursOfOperation,
	"ContactFlowId":          domain.KindContactFlow,
	"ContactFlowModuleId":    domain.KindContactFlowModule,
	"PromptId":               domain.KindPrompt,
	"AgentStatusId":          domain.KindAgentStatus,
	"QuickConnectId":         domain.KindQuickConnect,
	"QuickConnectIds":        domain.KindQuickConnect,
	"PhoneNumberId":          domain.KindPhoneNumber,
	"EmailAddressId":         domain.KindEmailAddress,

	"ParentHoursOfOperationIds": domain.KindHoursOfOperation,
	"EmailAddressesId":          domain.KindEmailAddress,
	"OutboundFlowId":            domain.KindContactFlow,
	"OutboundCallerIdNumberId":  domain.KindPhoneNumber,
	"OutboundEmailAddressId":    domain.KindEmailAddress,

	"FlowId":                     domain.KindContactFlow,
	"SelfAssignFlowId":           domain.KindContactFlow,
	"AuthenticationProfileId":    domain.KindAuthenticationProfile,
	"IntegrationAssociationId":   domain.KindIntegrationAssociation,
	"UseCaseId":                  domain.KindUseCase,
	"TrafficDistributionGroupId": domain.KindTrafficDistributionGroup,
	"NotificationId":             domain.KindNotification,
	"WorkspaceId":                domain.KindWorkspace,
	"TaskTemplateId":             domain.KindTaskTemplate,
	"ViewId":                     domain.KindView,
	"VocabularyId":               domain.KindVocabulary,
	"RuleId":                     domain.KindRule,
	"EvaluationFormId":           domain.KindEvaluationForm,
	"EvaluationId":               domain.KindContactEvaluation,
	"DataTableId":                domain.KindDataTable,
	"TestCaseId":                 domain.KindTestCase,
	"TestCaseExecutionId":        domain.KindTestCaseExecution,
	"FileId":                     domain.KindAttachedFile,
	"FileIds":                    domain.KindAttachedFile,
	"ContactId":                  domain.KindContact,
	"InitialContactId":           domain.KindContact,
	"PreviousContactId":          domain.KindContact,
	"RelatedContactId":           domain.KindContact,

	// Their ARNs tell the kind.
	"EntityArn":    domain.KindRoot,
	"ResourceArns": domain.KindRoot,
	"TargetArn":    domain.KindRoot,

	// A member that means something else in other operations is named with its
	// operation. The contact of an evaluation is only noted, and is no resource
	// that the operation needs (AWS service authorization reference, "Actions
	// defined by Amazon Connect").
	"StartContactEvaluation.ContactId": domain.KindRoot,
	"ListContactEvaluations.ContactId": domain.KindRoot,

	"GetTrafficDistribution.Id":    domain.KindTrafficDistributionGroup,
	"UpdateTrafficDistribution.Id": domain.KindTrafficDistributionGroup,

	"AssociateSecurityProfiles.Id":    domain.KindSecurityProfile,
	"DisassociateSecurityProfiles.Id": domain.KindSecurityProfile,

	"CreateWorkspacePage.ResourceArn": domain.KindView,
	"UpdateWorkspacePage.ResourceArn": domain.KindView,
}

// maxTargetDepth is how deep members are looked for. The types of search
// criteria nest without end and name no resources.
const maxTargetDepth = 4

// findMembers gathers the members below a type that name resources.
func findMembers(operation string, t reflect.Type, fields []int) []targetMember {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || len(fields) >= maxTargetDepth {
		return nil
	}
	var found []targetMember
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		here := append(slices.Clone(fields), i)
		kind, ok := memberKinds[operation+"."+f.Name]
		if !ok {
			kind, ok = memberKinds[f.Name]
		}
		if ok {
			found = append(found, targetMember{here, kind})
			continue
		}
		found = append(found, findMembers(operation, f.Type, here)...)
	}
	return found
}

// each calls use with every text that the member has in an input.
func (m *targetMember) each(v reflect.Value, use func(string)) { eachText(v, m.fields, use) }

func eachText(v reflect.Value, fields []int, use func(string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), fields, use)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), fields, use)
		}
	case reflect.Struct:
		if len(fields) > 0 {
			eachText(v.Field(fields[0]), fields[1:], use)
		}
	case reflect.String:
		use(v.String())
	}
}

func findTargets(op *contract.Operation, in reflect.Type) targets {
	t := targets{instance: -1, arn: -1, tags: -1, tagKeys: -1, members: findMembers(op.Name, in, nil)}
	for i := range in.NumField() {
		switch in.Field(i).Name {
		case "InstanceId":
			t.instance = i
		case "ResourceArn":
			// Of an operation that names an instance it is one of the members.
			if _, ok := in.FieldByName("InstanceId"); !ok {
				t.arn = i
			}
		case "Tags":
			if in.Field(i).Type == reflect.TypeFor[map[string]string]() {
				t.tags = i
			}
		case "TagKeys":
			t.tagKeys = i
		}
	}
	switch op.Name {
	case "ClaimPhoneNumber", "ImportPhoneNumber":
		t.creates = domain.KindPhoneNumber
	case "StartAttachedFileUpload":
		t.creates = domain.KindAttachedFile
	case "StartOutboundVoiceContact", "StartTaskContact":
		t.creates = domain.KindContact
	case "StartContactEvaluation":
		t.creates = domain.KindContactEvaluation
	case "GetFederationToken":
		t.self = true
	}
	if made, ok := strings.CutPrefix(op.Name, "Create"); ok {
		if kind, ok := domain.KindNamed(made); ok && kind.Segment() != "" {
			t.creates = kind
		} else if kind, ok := domain.KindNamed(strings.TrimPrefix(made, "User")); ok && kind.Segment() != "" {
			t.creates = kind
		}
	}
	return t
}

// resource is one that a request touches.
type resource struct {
	arn    string
	parsed domain.ARN // zero when arn names no single resource
}

// unversioned reports whether the contents and versions of a kind are no
// resources of their own, unlike those of a view (AWS service authorization
// reference, "Resource types defined by Amazon Connect"): a policy about a flow
// is about all of it, so that no qualifier leads past one.
func unversioned(kind domain.Kind) bool {
	return kind == domain.KindContactFlow || kind == domain.KindContactFlowModule
}

// named is the resource that an ARN names.
func named(arn string, parsed domain.ARN) resource {
	if unversioned(parsed.Kind) {
		parsed.Qualifier = ""
		arn = parsed.String()
	}
	return resource{arn, parsed}
}

// resources lists what a request of a caller touches. The input may be
// incomplete.
func (t *targets) resources(input any, caller *domain.Caller) []resource {
	region, account := caller.Region, caller.Account
	v := reflect.ValueOf(input).Elem()
	if t.arn >= 0 {
		s := text(v.Field(t.arn))
		parsed, err := domain.ParseARN(s)
		if err != nil {
			return []resource{{arn: s}}
		}
		return []resource{named(s, parsed)}
	}
	instance := t.instanceID(input)
	var list []resource
	add := func(kind domain.Kind, id string) {
		if id == "" {
			return
		}
		if domain.IsARN(id) {
			if parsed, err := domain.ParseARN(id); err == nil {
				list = append(list, named(id, parsed))
				return
			}
		}
		if kind == domain.KindRoot {
			return // no ARN, so nothing that a policy could name
		}
		a := domain.ARN{Region: region, Account: account, Kind: kind, ID: id}
		if !kind.Outside() {
			a.Instance = domain.InstanceID(instance)
		}
		a.ID, a.Qualifier, _ = strings.Cut(id, ":")
		list = append(list, named(a.String(), a))
	}
	for i := range t.members {
		m := &t.members[i]
		m.each(v, func(id string) { add(m.kind, id) })
	}
	if t.creates != domain.KindRoot {
		add(t.creates, "*")
		list[len(list)-1].parsed = domain.ARN{}
	}
	if len(list) > 0 {
		return list
	}
	if instance == "" {
		instance = "*"
	}
	if t.self {
		// What policies name as instance/ID/user/${aws:userid} (Amazon Connect
		// administrator guide, "Configure SAML with IAM for Amazon Connect"): no
		// user of the instance, which would be an agent, and so without tags.
		a := domain.ARN{Region: region, Account: account, Kind: domain.KindInstance, ID: instance}
		return []resource{{arn: a.String() + "/user/" + caller.PrincipalID}}
	}
	a := domain.ARN{Region: region, Account: account, Kind: domain.KindInstance, ID: instance}
	r := resource{arn: a.String()}
	if instance != "*" {
		a.Instance = domain.InstanceID(instance)
		r.parsed = a
	}
	return []resource{r}
}

// instanceID is the id of the instance that the input names, from its ARN if
// need be, or "".
func (t *targets) instanceID(input any) string {
	if t.instance < 0 {
		return ""
	}
	s := text(reflect.ValueOf(input).Elem().Field(t.instance))
	if domain.IsARN(s) {
		if a, err := domain.ParseARN(s); err == nil && a.Kind == domain.KindInstance {
			return a.ID
		}
	}
	return s
}

// requestTags are the tags that a request sets, and the keys of those that it
// sets or removes.
func (t *targets) requestTags(input any) (tags map[string]string, keys []string) {
	v := reflect.ValueOf(input).Elem()
	if t.tags >= 0 {
		tags, _ = v.Field(t.tags).Interface().(map[string]string)
		for k := range tags {
			keys = append(keys, k)
		}
	}
	if t.tagKeys >= 0 {
		more, _ := v.Field(t.tagKeys).Interface().([]string)
		keys = append(keys, more...)
	}
	return tags, keys
}

func text(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.String {
		return ""
	}
	return v.String()
}
