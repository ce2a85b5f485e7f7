package domain

// Kind says what a resource is. The numbers are stored: never reuse or change
// one.
type Kind uint8

// The kinds of resources. KindRoot is the parent of everything that belongs to
// no instance: instances themselves, phone numbers and access keys.
const (
	KindRoot                         Kind = 0
	KindInstance                     Kind = 1
	KindUser                         Kind = 2
	KindHierarchyGroup               Kind = 3
	KindHierarchyStructure           Kind = 4
	KindAgentStatus                  Kind = 5
	KindSecurityProfile              Kind = 6
	KindRoutingProfile               Kind = 7
	KindQueue                        Kind = 8
	KindHoursOfOperation             Kind = 9
	KindQuickConnect                 Kind = 10
	KindPrompt                       Kind = 11
	KindContactFlow                  Kind = 12
	KindContactFlowModule            Kind = 13
	KindPhoneNumber                  Kind = 14
	KindPredefinedAttribute          Kind = 15
	KindEmailAddress                 Kind = 16
	KindHoursOverride                Kind = 17
	KindFlowContent                  Kind = 18
	KindContactFlowVersion           Kind = 19
	KindContactFlowModuleVersion     Kind = 20
	KindContactFlowModuleAlias       Kind = 21
	KindFlowAssociation              Kind = 22
	KindInstanceStorageConfig        Kind = 23
	KindApprovedOrigin               Kind = 24
	KindSecurityKey                  Kind = 25
	KindLambdaFunction               Kind = 26
	KindBot                          Kind = 27
	KindIntegrationAssociation       Kind = 28
	KindUseCase                      Kind = 29
	KindAnalyticsDataAssociation     Kind = 30
	KindAttachedFilesConfiguration   Kind = 31
	KindAuthenticationProfile        Kind = 32
	KindTrafficDistributionGroup     Kind = 33
	KindTrafficDistributionGroupUser Kind = 34
	KindNotification                 Kind = 35
	KindUserNotification             Kind = 36
	KindWorkspace                    Kind = 37
	KindWorkspacePage                Kind = 38
	KindWorkspaceMedia               Kind = 39
	KindWorkspaceAssociation         Kind = 40
	KindTaskTemplate                 Kind = 41
	KindView                         Kind = 42
	KindViewVersion                  Kind = 43
	KindVocabulary                   Kind = 44
	KindDefaultVocabulary            Kind = 45
	KindRule                         Kind = 46
	KindEvaluationForm               Kind = 47
	KindEvaluationFormVersion        Kind = 48
	KindContactEvaluation            Kind = 49
	KindDataTable                    Kind = 50
	KindDataTableAttribute           Kind = 51
	KindDataTableRecord              Kind = 52
	KindTestCase                     Kind = 54
	KindEntitySecurityProfiles       Kind = 55
	KindInstanceReplica              Kind = 57
	KindTestCaseContent              Kind = 58
	KindTestCaseExecution            Kind = 59
	KindTestCaseExecutionRecords     Kind = 60
	KindAttachedFile                 Kind = 61
	// KindContact has ARNs, and no records: contacts have a table of their own.
	KindContact   Kind = 62
	KindAccessKey Kind = 100
	// What else of the account is kept beside access keys.
	KindSCIMToken    Kind = 101
	KindSAMLProvider Kind = 102
	KindRole         Kind = 103
)

// kindInfo is what the rest of the system derives from a kind.
type kindInfo struct {
	name string // Amazon's noun, as messages use it
	// segment is the part of an ARN before the id: instance/{id}/{segment}/{id}.
	// Empty: the kind has no ARN of its own.
	segment string
	// outside is true when the ARN has no instance part (phone numbers).
	outside bool
}

// kinds is the table of facts about each kind. The segments are those of the
// "Resource types defined by Amazon Connect" table in AWS's service
// authorization reference.
var kinds = map[Kind]kindInfo{
	KindRoot:                         {name: "Root"},
	KindInstance:                     {name: "Instance", segment: "instance", outside: true},
	KindUser:                         {name: "User", segment: "agent"},
	KindHierarchyGroup:               {name: "HierarchyGroup", segment: "agent-group"},
	KindHierarchyStructure:           {name: "HierarchyStructure", segment: "agent-group-level"}, // its ARNs name one level each: …/agent-group-level/1
	KindAgentStatus:                  {name: "AgentStatus", segment: "agent-state"},
	KindSecurityProfile:              {name: "SecurityProfile", segment: "security-profile"},
	KindRoutingProfile:               {name: "RoutingProfile", segment: "routing-profile"},
	KindQueue:                        {name: "Queue", segment: "queue"},
	KindHoursOfOperation:             {name: "HoursOfOperation", segment: "operating-hours"},
	KindQuickConnect:                 {name: "QuickConnect", segment: "transfer-destination"},
	KindPrompt:                       {name: "Prompt", segment: "prompt"},
	KindContactFlow:                  {name: "ContactFlow", segment: "contact-flow"},
	KindContactFlowModule:            {name: "ContactFlowModule", segment: "flow-module"},
	KindPhoneNumber:                  {name: "PhoneNumber", segment: "phone-number", outside: true},
	KindPredefinedAttribute:          {name: "PredefinedAttribute"},
	KindEmailAddress:                 {name: "EmailAddress", segment: "email-address"},
	KindFlowContent:                  {name: "FlowContent"},
	KindHoursOverride:                {name: "HoursOfOperationOverride"},
	KindContactFlowVersion:           {name: "ContactFlowVersion"},
	KindContactFlowModuleVersion:     {name: "ContactFlowModuleVersion"},
	KindContactFlowModuleAlias:       {name: "ContactFlowModuleAlias"},
	KindFlowAssociation:              {name: "FlowAssociation"},
	KindInstanceStorageConfig:        {name: "InstanceStorageConfig"},
	KindApprovedOrigin:               {name: "ApprovedOrigin"},
	KindSecurityKey:                  {name: "SecurityKey"},
	KindLambdaFunction:               {name: "LambdaFunction"},
	KindBot:                          {name: "Bot"},
	KindIntegrationAssociation:       {name: "IntegrationAssociation", segment: "integration-association"},
	KindUseCase:                      {name: "UseCase", segment: "use-case"},
	KindAnalyticsDataAssociation:     {name: "AnalyticsDataAssociation"},
	KindAttachedFilesConfiguration:   {name: "AttachedFilesConfiguration"},
	KindAuthenticationProfile:        {name: "AuthenticationProfile", segment: "authentication-profile"},
	KindTrafficDistributionGroup:     {name: "TrafficDistributionGroup", segment: "traffic-distribution-group", outside: true},
	KindTrafficDistributionGroupUser: {name: "TrafficDistributionGroupUser"},
	KindNotification:                 {name: "Notification", segment: "notification"},
	KindUserNotification:             {name: "UserNotification"},
	KindWorkspace:                    {name: "Workspace", segment: "workspace"},
	KindWorkspacePage:                {name: "WorkspacePage"},
	KindWorkspaceMedia:               {name: "WorkspaceMedia"},
	KindWorkspaceAssociation:         {name: "WorkspaceAssociation"},
	KindTaskTemplate:                 {name: "TaskTemplate", segment: "task-template"},
	KindView:                         {name: "View", segment: "view"},
	KindViewVersion:                  {name: "ViewVersion"},
	KindVocabulary:                   {name: "Vocabulary", segment: "vocabulary"},
	KindDefaultVocabulary:            {name: "DefaultVocabulary"},
	KindRule:                         {name: "Rule", segment: "rule"},
	KindEvaluationForm:               {name: "EvaluationForm", segment: "evaluation-form"},
	KindEvaluationFormVersion:        {name: "EvaluationFormVersion"},
	KindContactEvaluation:            {name: "ContactEvaluation", segment: "contact-evaluation"},
	KindDataTable:                    {name: "DataTable", segment: "data-table"},
	KindDataTableAttribute:           {name: "DataTableAttribute"},
	KindDataTableRecord:              {name: "DataTableRecord"},
	KindTestCase:                     {name: "TestCase", segment: "test-case"},
	KindEntitySecurityProfiles:       {name: "EntitySecurityProfiles"},
	KindInstanceReplica:              {name: "InstanceReplica"},
	KindTestCaseContent:              {name: "TestCaseContent"},
	KindTestCaseExecution:            {name: "TestCaseExecution", segment: "test-case-execution"},
	KindTestCaseExecutionRecords:     {name: "TestCaseExecutionRecords"},
	KindAttachedFile:                 {name: "AttachedFile", segment: "file"},
	KindContact:                      {name: "Contact", segment: "contact"},
	KindAccessKey:                    {name: "AccessKey"},
	KindSCIMToken:                    {name: "SCIMToken"},
	KindSAMLProvider:                 {name: "SAMLProvider"},
	KindRole:                         {name: "Role"},
}

// kindOfSegment finds a kind by its ARN segment.
var kindOfSegment = func() map[string]Kind {
	m := make(map[string]Kind, len(kinds))
	for k, info := range kinds {
		if info.segment != "" {
			m[info.segment] = k
		}
	}
	return m
}()

// String is Amazon's noun for the kind: User, RoutingProfile.
func (k Kind) String() string { return kinds[k].name }

// Segment is the ARN segment of the kind, empty when it has no ARN.
func (k Kind) Segment() string { return kinds[k].segment }

// Outside reports whether ARNs of the kind have no instance part.
func (k Kind) Outside() bool { return kinds[k].outside }

// KindNamed returns the kind that String calls name.
func KindNamed(name string) (Kind, bool) {
	for k, info := range kinds {
		if info.name == name {
			return k, true
		}
	}
	return KindRoot, false
}
