package domain

// WorkspaceAssociation gives a workspace to a user, or to the users of a
// routing profile.
type WorkspaceAssociation struct {
	WorkspaceID WorkspaceID
	Kind        Kind // KindUser or KindRoutingProfile
	ID          string
}

// The types of resources that can have a workspace (AWS API reference,
// WorkspaceAssociationSearchSummary).
const (
	workspaceUser           = "USER"
	workspaceRoutingProfile = "ROUTING_PROFILE"
)

// ResourceType is what the API calls the kind of the resource.
func (a *WorkspaceAssociation) ResourceType() string {
	if a.Kind == KindUser {
		return workspaceUser
	}
	return workspaceRoutingProfile
}
