package main

import (
	"fmt"
	"regexp"
)

// family is a group of operations that a reader looks for together.
type family struct {
	name    string
	pattern *regexp.Regexp // of the operations' names
}

// families are tried from the top: an operation belongs to the first whose
// pattern its name matches.
var families = []family{
	{"Tags", regexp.MustCompile(`^(TagResource|UntagResource|ListTagsForResource|SearchResourceTags)$`)},
	{"Instances", regexp.MustCompile(`Instances?($|Attribute|StorageConfig)`)},
	{"Traffic distribution groups", regexp.MustCompile(`TrafficDistribution`)},
	{"Users", regexp.MustCompile(`^(Create|Delete|Describe|List|Search)Users?$|^UpdateUser(Config|Hierarchy|IdentityInfo|PhoneConfig|RoutingProfile|SecurityProfiles)$|^PutUserStatus$|^GetFederationToken$`)},
	{"User hierarchy", regexp.MustCompile(`UserHierarchy(Group|Structure)`)},
	{"Agent statuses", regexp.MustCompile(`AgentStatus`)},
	{"Security profiles", regexp.MustCompile(`SecurityProfile`)},
	{"Authentication profiles", regexp.MustCompile(`AuthenticationProfile`)},
	{"Predefined attributes and proficiencies", regexp.MustCompile(`PredefinedAttribute|UserProficienc`)},
	{"Routing profiles", regexp.MustCompile(`RoutingProfile`)},
	{"Queues", regexp.MustCompile(`Queue`)},
	{"Hours of operation", regexp.MustCompile(`HoursOfOperation`)},
	{"Quick connects", regexp.MustCompile(`QuickConnect`)},
	{"Phone numbers", regexp.MustCompile(`PhoneNumber`)},
	{"Prompts", regexp.MustCompile(`Prompt`)},
	{"Flow modules", regexp.MustCompile(`ContactFlowModule`)},
	{"Flows", regexp.MustCompile(`ContactFlow|FlowAssociation|ssociateFlow$`)},
	{"Test cases", regexp.MustCompile(`TestCase`)},
	{"Metrics", regexp.MustCompile(`MetricData|CurrentUserData|ContactMetrics`)},
	{"Evaluations", regexp.MustCompile(`Evaluation`)},
	{"Rules", regexp.MustCompile(`Rules?$`)},
	{"Views", regexp.MustCompile(`View`)},
	{"Task templates", regexp.MustCompile(`TaskTemplate`)},
	{"Email addresses", regexp.MustCompile(`EmailAddress`)},
	{"Attached files", regexp.MustCompile(`AttachedFile`)},
	{"Data tables", regexp.MustCompile(`DataTable`)},
	{"Vocabularies", regexp.MustCompile(`Vocabular`)},
	{"Notifications", regexp.MustCompile(`Notification`)},
	{"Workspaces", regexp.MustCompile(`Workspace`)},
	{"Integrations", regexp.MustCompile(`ApprovedOrigin|SecurityKey|LambdaFunction|Bots?$|IntegrationAssociation|UseCase|AnalyticsData`)},
	{"Contacts", regexp.MustCompile(`Contact|Participant|SendChat|OutboundEmail|ScreenSharing`)},
}

// familyOf is the family that an operation belongs to. The error asks for an
// addition to families, which a new release of the API may need.
func familyOf(operation string) (string, error) {
	for _, f := range families {
		if f.pattern.MatchString(operation) {
			return f.name, nil
		}
	}
	return "", fmt.Errorf("%s belongs to no family: add it to families", operation)
}
