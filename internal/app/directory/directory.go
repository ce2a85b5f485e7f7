// Package directory serves the people of an instance: users with their phone
// settings, hierarchy, security profiles, statuses and proficiencies.
//
// A file holds one kind of resource: its description for the catalog first,
// then its operations, each named as in Amazon Connect's API, then how the
// entity and AWS's types turn into each other.
package directory

import (
	"context"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// Passwords turns a password into a hash that can be stored.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
}

// Directory serves the operations of this package.
type Directory struct {
	catalog                *catalog.Catalog
	passwords              Passwords
	directories            Directories
	users                  *catalog.Collection[domain.User]
	agentStatuses          *catalog.Collection[domain.AgentStatus]
	hierarchyStructures    *catalog.Collection[domain.HierarchyStructure]
	hierarchyGroups        *catalog.Collection[domain.HierarchyGroup]
	securityProfiles       *catalog.Collection[domain.SecurityProfile]
	predefinedAttributes   *catalog.Collection[domain.PredefinedAttribute]
	authenticationProfiles *catalog.Collection[domain.AuthenticationProfile]
	entitySecurityProfiles *catalog.Collection[domain.EntitySecurityProfiles]
}

// New registers the kinds of this package with the catalog. Without directories
// nothing is known of any but its id.
func New(c *catalog.Catalog, passwords Passwords, directories Directories) *Directory {
	return &Directory{
		catalog:                c,
		passwords:              passwords,
		directories:            directories,
		users:                  catalog.Register(c, userKind),
		agentStatuses:          catalog.Register(c, agentStatusKind),
		hierarchyStructures:    catalog.Register(c, hierarchyStructureKind),
		hierarchyGroups:        catalog.Register(c, hierarchyGroupKind),
		securityProfiles:       catalog.Register(c, securityProfileKind),
		predefinedAttributes:   catalog.Register(c, predefinedAttributeKind),
		authenticationProfiles: catalog.Register(c, authenticationProfileKind),
		entitySecurityProfiles: catalog.Register(c, entitySecurityProfilesKind),
	}
}

// Seed gives a new instance what it holds of this package's kinds.
func (d *Directory) Seed(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	for _, seed := range []func(context.Context, store.Tx, catalog.Scope) error{
		d.seedHierarchy, d.seedAgentStatuses, d.seedSecurityProfiles, d.seedPredefinedAttributes, d.seedAuthenticationProfiles,
	} {
		if err := seed(ctx, tx, sc); err != nil {
			return err
		}
	}
	return nil
}
