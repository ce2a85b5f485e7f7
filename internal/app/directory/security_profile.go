package directory

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/starter"
	"ringdown/internal/store"
)

// securityProfileQuota: admin guide, "Amazon Connect service quotas".
const securityProfileQuota = 100

// roleAccessControl is the role in which a security profile refers to the
// hierarchy group that bounds what its users may touch.
const roleAccessControl store.Role = "access-control"

var securityProfileKind = catalog.Kind[domain.SecurityProfile]{
	Of:   domain.KindSecurityProfile,
	Name: func(e *domain.SecurityProfile) string { return e.Name },
	Refs: func(e *domain.SecurityProfile) []catalog.Ref {
		if e.AllowedAccessControlHierarchyGroupID == "" {
			return nil
		}
		// Flow modules are none: they can be deleted while profiles allow them
		// (DeleteContactFlowModule has no ResourceInUseException).
		return []catalog.Ref{{
			Role: roleAccessControl, Kind: domain.KindHierarchyGroup, ID: string(e.AllowedAccessControlHierarchyGroupID),
		}}
	},
	Check: (*domain.SecurityProfile).Check,
	Quota: securityProfileQuota,
	Fields: catalog.Fields[domain.SecurityProfile]{
		"name": catalog.TextField(func(e *domain.SecurityProfile) string { return e.Name }),
	},
}

// seedSecurityProfiles gives a new instance its four profiles.
func (d *Directory) seedSecurityProfiles(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	for _, p := range starter.SecurityProfiles() {
		e := &domain.SecurityProfile{Name: p.Name, Description: p.Description, Permissions: p.Permissions, Default: true}
		if _, err := d.securityProfiles.Insert(ctx, tx, sc, e, nil); err != nil {
			return err
		}
	}
	return nil
}

// CreateSecurityProfile adds a profile.
func (d *Directory) CreateSecurityProfile(ctx context.Context, in *connect.CreateSecurityProfileInput) (*connect.CreateSecurityProfileOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var made *catalog.Item[domain.SecurityProfile]
	err = d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		e := &domain.SecurityProfile{Name: *in.SecurityProfileName}
		if err := setProfile(ctx, tx, sc, e, profileMembers(in)); err != nil {
			return err
		}
		made, err = d.securityProfiles.Insert(ctx, tx, sc, e, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateSecurityProfileOutput{
		SecurityProfileArn: aws.String(sc.ARN(domain.KindSecurityProfile, made.ID)),
		SecurityProfileId:  aws.String(made.ID),
	}, nil
}

// profileMembers are the members of a new profile that can be changed later.
func profileMembers(in *connect.CreateSecurityProfileInput) *connect.UpdateSecurityProfileInput {
	return &connect.UpdateSecurityProfileInput{
		Description:                          in.Description,
		Permissions:                          in.Permissions,
		AllowedAccessControlTags:             in.AllowedAccessControlTags,
		TagRestrictedResources:               in.TagRestrictedResources,
		AllowedAccessControlHierarchyGroupId: in.AllowedAccessControlHierarchyGroupId,
		HierarchyRestrictedResources:         in.HierarchyRestrictedResources,
		GranularAccessControlConfiguration:   in.GranularAccessControlConfiguration,
		Applications:                         in.Applications,
		AllowedFlowModules:                   in.AllowedFlowModules,
	}
}

// setProfile changes the members of a profile that a request has; an empty
// list, map or id takes away what was there.
func setProfile(ctx context.Context, tx store.Tx, sc catalog.Scope, e *domain.SecurityProfile, in *connect.UpdateSecurityProfileInput) error {
	if in.Description != nil {
		e.Description = *in.Description
	}
	if in.Permissions != nil {
		for i, name := range in.Permissions {
			if !starter.HasPermission(name) {
				return fault.New(fault.InvalidParameter, "Permissions[%d]: %q is no permission", i, name)
			}
		}
		permissions := slices.Sorted(slices.Values(in.Permissions))
		e.Permissions = slices.Compact(permissions)
	}
	if in.AllowedAccessControlTags != nil {
		e.AllowedAccessControlTags = in.AllowedAccessControlTags
	}
	if in.TagRestrictedResources != nil {
		e.TagRestrictedResources = in.TagRestrictedResources
	}
	if in.AllowedAccessControlHierarchyGroupId != nil {
		id, err := hierarchyGroupID(sc, in.AllowedAccessControlHierarchyGroupId)
		if err != nil {
			return err
		}
		e.AllowedAccessControlHierarchyGroupID = id
	}
	if in.HierarchyRestrictedResources != nil {
		e.HierarchyRestrictedResources = in.HierarchyRestrictedResources
	}
	if in.GranularAccessControlConfiguration != nil {
		e.GranularAccessControlConfiguration = in.GranularAccessControlConfiguration
	}
	if in.Applications != nil {
		e.Applications = in.Applications
	}
	if in.AllowedFlowModules != nil {
		e.AllowedFlowModules = in.AllowedFlowModules
		return flowModulesExist(ctx, tx, sc, in.AllowedFlowModules)
	}
	return nil
}

func flowModulesExist(ctx context.Context, tx store.Tx, sc catalog.Scope, modules []types.FlowModule) error {
	ids := make([]string, len(modules))
	for i, m := range modules {
		id, err := catalog.ID(sc, domain.KindContactFlowModule, aws.ToString(m.FlowModuleId))
		if err != nil {
			return err
		}
		ids[i] = id
	}
	_, err := tx.Resolve(ctx, sc.PK, domain.KindContactFlowModule, ids...)
	return err
}

// DescribeSecurityProfile returns a profile. What it permits is for the lists
// of permissions, applications and flow modules to show.
func (d *Directory) DescribeSecurityProfile(ctx context.Context, in *connect.DescribeSecurityProfileInput) (*connect.DescribeSecurityProfileOutput, error) {
	sc, i, err := d.securityProfile(ctx, in.InstanceId, in.SecurityProfileId)
	if err != nil {
		return nil, err
	}
	e := &i.Value
	return &connect.DescribeSecurityProfileOutput{SecurityProfile: &types.SecurityProfile{
		Id:                                   aws.String(i.ID),
		Arn:                                  aws.String(sc.ARN(domain.KindSecurityProfile, i.ID)),
		OrganizationResourceId:               aws.String(string(sc.ID)),
		SecurityProfileName:                  aws.String(e.Name),
		Description:                          catalog.Optional(e.Description),
		AllowedAccessControlTags:             e.AllowedAccessControlTags,
		TagRestrictedResources:               e.TagRestrictedResources,
		AllowedAccessControlHierarchyGroupId: catalog.Optional(e.AllowedAccessControlHierarchyGroupID),
		HierarchyRestrictedResources:         e.HierarchyRestrictedResources,
		GranularAccessControlConfiguration:   e.GranularAccessControlConfiguration,
		LastModifiedRegion:                   aws.String(sc.Region),
		LastModifiedTime:                     aws.Time(i.Modified),
		Tags:                                 i.TagMap(),
	}}, nil
}

func (d *Directory) securityProfile(ctx context.Context, instanceID, id *string) (catalog.Scope, *catalog.Item[domain.SecurityProfile], error) {
	sc, err := d.catalog.Scope(ctx, instanceID)
	if err != nil {
		return catalog.Scope{}, nil, err
	}
	i, err := d.securityProfiles.Get(ctx, sc, *id)
	return sc, i, err
}

// UpdateSecurityProfile changes the members that the request has.
func (d *Directory) UpdateSecurityProfile(ctx context.Context, in *connect.UpdateSecurityProfileInput) (*connect.UpdateSecurityProfileOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, d.securityProfiles.Update(ctx, sc, *in.SecurityProfileId, func(tx store.Tx, e *domain.SecurityProfile) error {
		return setProfile(ctx, tx, sc, e, in)
	})
}

// DeleteSecurityProfile removes a profile that no user has. The profiles that
// came with the instance stay; the exception that says so is our guess
// (docs/divergences.md).
func (d *Directory) DeleteSecurityProfile(ctx context.Context, in *connect.DeleteSecurityProfileInput) (*connect.DeleteSecurityProfileOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, d.securityProfiles.Delete(ctx, sc, *in.SecurityProfileId, func(_ store.Tx, i *catalog.Item[domain.SecurityProfile]) error {
		if i.Value.Default {
			return fault.New(fault.AccessDenied, "The security profile %s came with the instance and cannot be deleted.", i.Name)
		}
		return nil
	})
}

// ListSecurityProfiles lists profiles.
func (d *Directory) ListSecurityProfiles(ctx context.Context, in *connect.ListSecurityProfilesInput) (*connect.ListSecurityProfilesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := d.securityProfiles.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListSecurityProfilesOutput{
		NextToken: next,
		SecurityProfileSummaryList: catalog.Map(found, func(i *catalog.Item[domain.SecurityProfile]) types.SecurityProfileSummary {
			return types.SecurityProfileSummary{
				Id: aws.String(i.ID), Arn: aws.String(sc.ARN(domain.KindSecurityProfile, i.ID)), Name: aws.String(i.Name),
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// ListSecurityProfilePermissions lists what a profile permits.
func (d *Directory) ListSecurityProfilePermissions(ctx context.Context, in *connect.ListSecurityProfilePermissionsInput) (*connect.ListSecurityProfilePermissionsOutput, error) {
	sc, i, err := d.securityProfile(ctx, in.InstanceId, in.SecurityProfileId)
	if err != nil {
		return nil, err
	}
	page, next, err := catalog.Slice(sc, domain.KindSecurityProfile, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, i.Value.Permissions)
	if err != nil {
		return nil, err
	}
	return &connect.ListSecurityProfilePermissionsOutput{
		Permissions: listed(page), NextToken: next,
		LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
	}, nil
}

// ListSecurityProfileApplications lists the applications that a profile gives
// access to.
func (d *Directory) ListSecurityProfileApplications(ctx context.Context, in *connect.ListSecurityProfileApplicationsInput) (*connect.ListSecurityProfileApplicationsOutput, error) {
	sc, i, err := d.securityProfile(ctx, in.InstanceId, in.SecurityProfileId)
	if err != nil {
		return nil, err
	}
	page, next, err := catalog.Slice(sc, domain.KindSecurityProfile, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, i.Value.Applications)
	if err != nil {
		return nil, err
	}
	return &connect.ListSecurityProfileApplicationsOutput{
		Applications: listed(page), NextToken: next,
		LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
	}, nil
}

// ListSecurityProfileFlowModules lists the flow modules that AI agents with a
// profile may use as tools.
func (d *Directory) ListSecurityProfileFlowModules(ctx context.Context, in *connect.ListSecurityProfileFlowModulesInput) (*connect.ListSecurityProfileFlowModulesOutput, error) {
	sc, i, err := d.securityProfile(ctx, in.InstanceId, in.SecurityProfileId)
	if err != nil {
		return nil, err
	}
	page, next, err := catalog.Slice(sc, domain.KindSecurityProfile, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, i.Value.AllowedFlowModules)
	if err != nil {
		return nil, err
	}
	return &connect.ListSecurityProfileFlowModulesOutput{
		AllowedFlowModules: listed(page), NextToken: next,
		LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
	}, nil
}

// listed makes a list that is there even when it is empty.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// SearchSecurityProfiles finds profiles by name and tags.
func (d *Directory) SearchSecurityProfiles(ctx context.Context, in *connect.SearchSecurityProfilesInput) (*connect.SearchSecurityProfilesOutput, error) {
	sc, err := d.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(d.securityProfileCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := d.securityProfiles.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchSecurityProfilesOutput{
		SecurityProfiles: catalog.Map(found, func(i *catalog.Item[domain.SecurityProfile]) types.SecurityProfileSearchSummary {
			return types.SecurityProfileSearchSummary{
				Id: aws.String(i.ID), Arn: aws.String(sc.ARN(domain.KindSecurityProfile, i.ID)),
				OrganizationResourceId: aws.String(string(sc.ID)), SecurityProfileName: aws.String(i.Name),
				Description: catalog.Optional(i.Value.Description), Tags: i.TagMap(),
			}
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (d *Directory) securityProfileCriteria(c *types.SecurityProfileSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, d.securityProfileCriteria),
		Or:     catalog.Each(c.OrConditions, d.securityProfileCriteria),
		Leaves: []catalog.Leaf{d.securityProfiles.String(c.StringCondition)},
	}
}
