package domain

// EntitySecurityProfiles are the security profiles of an entity that is no
// user, and that lives in another service: an AI agent.
type EntitySecurityProfiles struct {
	EntityARN          string
	SecurityProfileIDs []SecurityProfileID
}
