package domain

// IdentityManagementType says where the users of an instance come from.
type IdentityManagementType string

// The identity types; an instance keeps the one that it was created with.
const (
	SAML              IdentityManagementType = "SAML"
	ConnectManaged    IdentityManagementType = "CONNECT_MANAGED"
	ExistingDirectory IdentityManagementType = "EXISTING_DIRECTORY"
)

// Instance is a contact centre of its own.
type Instance struct {
	Region       string
	Alias        string `json:",omitempty"`
	DirectoryID  string `json:",omitempty"`
	IdentityType IdentityManagementType
	// RoleSuffix ends the name of the service-linked role in DescribeInstance.
	RoleSuffix string
	// Attributes holds the value ("true", "false") of every attribute.
	Attributes map[string]string
}
