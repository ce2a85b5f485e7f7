package starter

import (
	"slices"
	"strings"
	"sync"
)

// permissionAreas lists the permissions a security profile can grant, by
// their API names without repeating the area: "Area" has "Area.Action" for
// each action, and "." stands for the area's bare name. The source is the
// administrator guide, "List of security profile permissions", legacy ones
// included, since profiles may still be given them; and, where the guide has
// gaps (EmailAddresses, TestCases, message templates …), what real Admin
// profiles hold.
var permissionAreas = []struct{ area, actions string }{
	{"AccessMetrics", ". AgentActivityAudit.Access Dashboards.Access DashboardsWithMyData.View HistoricalMetrics.Access RealTimeMetrics.Access"},
	{"AgentGrouping", "Create Edit EnableAndDisable View"},
	{"AgentStates", "Create Edit EnableAndDisable View"},
	{"AgentTimeCard", "View"},
	{"Analytics", "PerformanceMetrics.Access"},
	{"AnalyticsConnectors", "Edit View"},
	{"Audio", "View"},
	{"AudioDeviceSettings", "Access"},
	{"AutomatedVoiceInteraction", "Recordings.Redacted.Access Recordings.Redacted.DownloadButton Recordings.Unredacted.Access Recordings.Unredacted.DownloadButton Transcripts.Redacted.Access Transcripts.Unredacted.Access"},
	{"BasicAgentAccess", "."},
	{"Bots", "Create Delete Edit View"},
	{"CallRecordings", "Redacted.Access Redacted.DownloadButton Unredacted.Access Unredacted.DownloadButton"},
	{"Campaigns", "Create Delete Edit Manage View"},
	{"Capacity", "Edit Publish View"},
	{"CaseComments", "Delete Edit"},
	{"CaseContacts", "Delete"},
	{"CaseCustomRelatedItems", "Delete Edit"},
	{"CaseFields", "Create Edit View"},
	{"CaseFiles", "Delete"},
	{"CaseHistory", "View"},
	{"CaseTemplates", "Create Edit View"},
	{"Cases", "Create Delete Edit View"},
	{"ChatTestMode", "."},
	{"CoachingSessions", "Create Delete Edit View"},
	{"Cobrowse", "Access"},
	{"ConfigureContactAttributes", "View"},
	{"ContactAttributes", "View"},
	{"ContactFlowModules", "Create Delete Edit Execute Publish View"},
	{"ContactFlows", "Create Delete Edit Publish View"},
	{"ContactLensCustomVocabulary", "Edit View"},
	{"ContactLensPostContactSummary", "View"},
	{"ContactRecording", "Access"},
	{"ContactSearch", "View"},
	{"ContactSearchQuickViewWidget", "Create Delete Edit View"},
	{"ContactSearchSampleContacts", "View"},
	{"ContactSearchWithCharacteristics", "Access View"},
	{"ContactSearchWithKeywords", "Access View"},
	{"ContactTranscripts", "Redacted.Access Unredacted.Access Unredacted.DownloadButton"},
	{"Contacts", "Tag.Edit"},
	{"ContentManagement", "Create Delete Edit MessageTemplates.Create MessageTemplates.Delete MessageTemplates.Edit MessageTemplates.View View"},
	{"CustomMetrics", "Create Delete Edit Publish View"},
	{"CustomViews", "Access"},
	{"CustomerProfiles", "Create Edit View"},
	{"CustomerProfiles.CalculatedAttributes", "Create Delete Edit View"},
	{"CustomerProfiles.PredictiveInsights", "Create Delete Edit View"},
	{"CustomerProfiles.ProfileExplorer", "Create Delete Edit View"},
	{"CustomerProfiles.Segments", "Create Delete Export View"},
	{"DataTables", "Create Delete Edit EditExpressionValues ManageValues View"},
	{"DeleteCallRecordings", "."},
	{"DownloadCallRecordings", "."},
	{"EmailAddresses", "Create Edit Remove View"},
	{"Evaluation", "Create Delete Edit View"},
	{"EvaluationAssistant", "Access"},
	{"EvaluationCalibrationSessions", "Create Delete Edit View"},
	{"EvaluationForms", "Create Delete Edit View"},
	{"EvaluationReviewRequest", "Create Delete View"},
	{"EvaluationReviews", "Create View"},
	{"FileAttachments", "Configurations.Edit Configurations.View"},
	{"ForecastScheduleInterval", "Edit View"},
	{"Forecasting", "Edit Publish View"},
	{"GraphTrends", "View"},
	{"HistoricalChanges", "View"},
	{"HoursOfOperation", "Create Delete Edit View"},
	{"InformationExtraction", "Definitions.Create Definitions.Delete Definitions.Edit Definitions.View Results.View"},
	{"ListenCallRecordings", "."},
	{"ManagerBargeIn", "."},
	{"ManagerListenIn", "."},
	{"ManualAssignAnyContact", "Enable"},
	{"ManualAssignMyContacts", "Enable"},
	{"MetricsReports", "Create Delete Edit Publish Schedule Share View"},
	{"MyCaseComments", "Delete Edit"},
	{"MyCaseContacts", "Delete"},
	{"MyCaseCustomRelatedItems", "Delete Edit"},
	{"MyCases", "Delete"},
	{"MyCoachingSessions", "Create Delete Edit View"},
	{"MyContacts", "View"},
	{"MyReceivedEvaluations", "View"},
	{"OutboundCallAccess", "."},
	{"OutboundEmail", "Create"},
	{"PhoneNumbers", "Claim Edit Release View"},
	{"PredefinedAttributes", "Create Delete Edit View"},
	{"Prompts", "Create Delete Edit View"},
	{"QConnectAIAgents", "Create Delete Edit View"},
	{"QConnectAIPrompts", "Create Delete Edit View"},
	{"QConnectGuardrails", "Create Delete Edit View"},
	{"Queues", "Create Delete Edit EditExpressions EnableAndDisable Purge View"},
	{"RealtimeContactLens", "View"},
	{"RedactedData", "View"},
	{"ReportSchedules", "Create Delete Edit View"},
	{"ReportsAdmin", "Access Delete Publish Schedule View"},
	{"RequireEndContactConfirmation", "Enabled"},
	{"RestrictContactAccessByHierarchy", "View"},
	{"RestrictPhoneTypeSettings", "Access"},
	{"RestrictTaskCreation", "Access"},
	{"RoutingPolicies", "Create Delete Edit View"},
	{"Rules", "Create Delete Edit View"},
	{"RulesGenerativeAI", "Create Delete Edit View"},
	{"Scheduling", "Edit Publish View"},
	{"ScreenRecording", "Access Delete Download Redacted.Access Redacted.Download"},
	{"SecurityProfiles", "Create Delete Edit View"},
	{"SelfAssignContacts", "Access"},
	{"StaffCalendar", "Edit View"},
	{"StopContact", "Enabled"},
	{"TaskTemplates", "Create Delete Edit View"},
	{"TeamCalendar", "Edit View"},
	{"TestCases", "Create Delete Edit Execute Publish View"},
	{"ThemeDetection", "Create Delete View"},
	{"TimeOff", "Approve Edit View"},
	{"TimeOffBalance", "Edit View"},
	{"Transcript", "View"},
	{"TransferContact", "Enabled"},
	{"TransferDestinations", "Create Delete Edit View"},
	{"UnredactedData", "View"},
	{"UpdateContactSchedule", "Enabled"},
	{"Users", "Create Delete Edit EditPermission EnableAndDisable View"},
	{"VideoContact", "Access"},
	{"Views", "Create Edit Remove View"},
	{"VoiceId", "Access"},
	{"VoiceIdAttributesAndSearch", "View"},
	{"VoiceIdUpdateSpeakerId", "Access"},
	{"Wisdom", "View"},
	{"Workspaces", "Assign Create Delete Edit EditVisibility View"},
}

// notAdmin are the areas and permissions that the Admin profile of a real
// instance was seen without: those that take something away from whoever has
// them, and recent ones that must be chosen.
var notAdmin = []string{
	"AnalyticsConnectors",
	"Bots.Delete",
	"CaseComments",
	"CaseContacts",
	"CaseCustomRelatedItems",
	"CaseFiles",
	"Cases.Delete",
	"ContactRecording",
	"Contacts",
	"CustomerProfiles.PredictiveInsights",
	"InformationExtraction",
	"MyCaseComments",
	"MyCaseContacts",
	"MyCaseCustomRelatedItems",
	"MyCases",
	"MyReceivedEvaluations",
	"RequireEndContactConfirmation",
	"RestrictContactAccessByHierarchy",
	"RestrictPhoneTypeSettings",
	"RestrictTaskCreation",
	"ScreenRecording.Redacted",
	"ThemeDetection",
}

var permissions = sync.OnceValue(func() []string {
	var names []string
	for _, p := range permissionAreas {
		for _, action := range strings.Fields(p.actions) {
			if action == "." {
				names = append(names, p.area)
				continue
			}
			names = append(names, p.area+"."+action)
		}
	}
	slices.Sort(names)
	return names
})

// Permissions are the API names of all permissions that a security profile
// may grant, sorted.
//
// A real instance accepts besides them one permission for each third-party
// application that is associated with it; those are not known here.
func Permissions() []string {
	return slices.Clone(permissions())
}

// HasPermission reports whether name is one of Permissions. Names are case
// sensitive.
func HasPermission(name string) bool {
	_, found := slices.BinarySearch(permissions(), name)
	return found
}

// SecurityProfile is a security profile of a new instance.
type SecurityProfile struct {
	Name        string
	Description string
	Permissions []string // sorted; each one of the function Permissions
}

// SecurityProfiles are the four security profiles of a new instance, with the
// permissions found in exports of real ones. AWS adds permissions to the
// profiles of new instances over time.
func SecurityProfiles() []SecurityProfile {
	return []SecurityProfile{
		{
			Name:        "Admin",
			Description: "An administrator sets up the contact centre and gives others their permissions.",
			Permissions: adminPermissions(),
		},
		{
			Name:        "Agent",
			Description: "An agent is a user of the system that is focused on customer care.",
			Permissions: []string{"BasicAgentAccess", "OutboundCallAccess"},
		},
		{
			Name:        "CallCenterManager",
			Description: "A call centre manager looks after agents, queues and reports from day to day.",
			Permissions: []string{
				"AccessMetrics",
				"AgentGrouping.View",
				"AgentStates.View",
				"AgentTimeCard.View",
				"ContactAttributes.View",
				"ContactFlows.View",
				"ContactSearch.View",
				"DeleteCallRecordings",
				"DownloadCallRecordings",
				"HoursOfOperation.Create",
				"HoursOfOperation.Edit",
				"HoursOfOperation.View",
				"ListenCallRecordings",
				"ManagerListenIn",
				"MetricsReports.Create",
				"MetricsReports.Delete",
				"MetricsReports.Edit",
				"MetricsReports.Publish",
				"MetricsReports.Schedule",
				"MetricsReports.View",
				"PhoneNumbers.Claim",
				"PhoneNumbers.Edit",
				"PhoneNumbers.View",
				"Prompts.View",
				"Queues.Edit",
				"Queues.View",
				"ReportSchedules.Create",
				"ReportSchedules.Delete",
				"ReportSchedules.Edit",
				"ReportSchedules.View",
				"RoutingPolicies.View",
				"SecurityProfiles.View",
				"TransferDestinations.View",
				"Users.Create",
				"Users.Edit",
				"Users.EnableAndDisable",
				"Users.View",
			},
		},
		{
			Name:        "QualityAnalyst",
			Description: "A quality analyst follows metrics and reviews contacts.",
			Permissions: []string{"AccessMetrics", "AgentTimeCard.View", "ContactAttributes.View", "ContactSearch.View"},
		},
	}
}

func adminPermissions() []string {
	return slices.DeleteFunc(Permissions(), func(name string) bool {
		return slices.ContainsFunc(notAdmin, func(without string) bool {
			return name == without || strings.HasPrefix(name, without+".")
		})
	})
}
