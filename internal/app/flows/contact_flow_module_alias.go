package flows

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// The roles in which an alias refers to its module, and to the version that it
// stands for.
const (
	roleModuleOfAlias store.Role = "module-of-alias"
	roleAliased       store.Role = "aliased-version"
)

var contactFlowModuleAliasKind = catalog.Kind[domain.ContactFlowModuleAlias]{
	Of:   domain.KindContactFlowModuleAlias,
	Name: func(e *domain.ContactFlowModuleAlias) string { return e.Name },
	Parent: &catalog.Parent[domain.ContactFlowModuleAlias]{
		Kind: domain.KindContactFlowModule, Role: roleModuleOfAlias,
		ID: func(e *domain.ContactFlowModuleAlias) string { return string(e.ModuleID) },
	},
	Refs: func(e *domain.ContactFlowModuleAlias) []catalog.Ref {
		return []catalog.Ref{{Role: roleAliased, Kind: domain.KindContactFlowModuleVersion, ID: e.VersionID}}
	},
	Check:  (*domain.ContactFlowModuleAlias).Check,
	NoTags: true,
}

type alias = catalog.Item[domain.ContactFlowModuleAlias]

// CreateContactFlowModuleAlias adds a name for a version of a module.
func (f *Flows) CreateContactFlowModuleAlias(ctx context.Context, in *connect.CreateContactFlowModuleAliasInput) (*connect.CreateContactFlowModuleAliasOutput, error) {
	sc, err := f.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := f.modules.id(sc, *in.ContactFlowModuleId)
	if err != nil {
		return nil, err
	}
	var made *alias
	err = f.catalog.Store().Update(ctx, func(tx store.Tx) error {
		e := &domain.ContactFlowModuleAlias{
			ModuleID: domain.ContactFlowModuleID(id), Name: *in.AliasName, Description: aws.ToString(in.Description),
		}
		if err := f.pointAt(ctx, tx, sc, e, *in.ContactFlowModuleVersion); err != nil {
			return err
		}
		made, err = f.aliases.Insert(ctx, tx, sc, e, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateContactFlowModuleAliasOutput{
		ContactFlowModuleArn: aws.String(sc.ARN(domain.KindContactFlowModule, id)), Id: aws.String(made.ID),
	}, nil
}

// pointAt makes an alias stand for a version of its module.
func (f *Flows) pointAt(ctx context.Context, rd store.Reader, sc catalog.Scope, e *domain.ContactFlowModuleAlias, number int64) error {
	v, err := f.modules.numbered(ctx, rd, sc, string(e.ModuleID), strconv.FormatInt(number, 10))
	if err != nil {
		return err
	}
	e.Version, e.VersionID = number, v.ID
	return nil
}

// aliasedVersion finds the version that an alias of a module stands for, by the
// name or the id of the alias.
func (f *Flows) aliasedVersion(ctx context.Context, rd store.Reader, sc catalog.Scope, moduleID, nameOrID string) (*version, error) {
	a, err := f.aliases.PartNamed(ctx, rd, sc, moduleID, nameOrID)
	if fault.Is(err, fault.ResourceNotFound) {
		if a, err = f.aliases.GetIn(ctx, rd, sc, nameOrID); err == nil {
			err = f.aliases.IsPart(moduleID, &a.Value)
		}
	}
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, fault.New(fault.ResourceNotFound, "%s %s has no version or alias %s.", domain.KindContactFlowModule, moduleID, nameOrID)
	}
	if err != nil {
		return nil, err
	}
	return f.modules.versions.GetIn(ctx, rd, sc, a.Value.VersionID)
}

// moduleAlias finds an alias of the module that a request names.
func (f *Flows) moduleAlias(ctx context.Context, instanceID, moduleID, aliasID *string) (catalog.Scope, *alias, error) {
	sc, err := f.catalog.ScopeARN(ctx, instanceID)
	if err != nil {
		return catalog.Scope{}, nil, err
	}
	id, err := f.modules.id(sc, *moduleID)
	if err != nil {
		return catalog.Scope{}, nil, err
	}
	a, err := f.aliases.GetPart(ctx, sc, id, *aliasID)
	return sc, a, err
}

// DescribeContactFlowModuleAlias returns an alias by its id.
func (f *Flows) DescribeContactFlowModuleAlias(ctx context.Context, in *connect.DescribeContactFlowModuleAliasInput) (*connect.DescribeContactFlowModuleAliasOutput, error) {
	sc, a, err := f.moduleAlias(ctx, in.InstanceId, in.ContactFlowModuleId, in.AliasId)
	if err != nil {
		return nil, err
	}
	return &connect.DescribeContactFlowModuleAliasOutput{ContactFlowModuleAlias: &types.ContactFlowModuleAliasInfo{
		AliasId:              aws.String(a.ID),
		Name:                 aws.String(a.Name),
		Description:          catalog.Optional(a.Value.Description),
		ContactFlowModuleArn: aws.String(sc.ARN(domain.KindContactFlowModule, string(a.Value.ModuleID))),
		ContactFlowModuleId:  aws.String(string(a.Value.ModuleID)),
		Version:              aws.Int64(a.Value.Version),
		LastModifiedRegion:   aws.String(sc.Region),
		LastModifiedTime:     aws.Time(a.Modified),
	}}, nil
}

// UpdateContactFlowModuleAlias changes name, description and version, whichever
// the request has.
func (f *Flows) UpdateContactFlowModuleAlias(ctx context.Context, in *connect.UpdateContactFlowModuleAliasInput) (*connect.UpdateContactFlowModuleAliasOutput, error) {
	sc, a, err := f.moduleAlias(ctx, in.InstanceId, in.ContactFlowModuleId, in.AliasId)
	if err != nil {
		return nil, err
	}
	return nil, f.aliases.Update(ctx, sc, a.ID, func(tx store.Tx, e *domain.ContactFlowModuleAlias) error {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		if in.ContactFlowModuleVersion != nil {
			return f.pointAt(ctx, tx, sc, e, *in.ContactFlowModuleVersion)
		}
		return nil
	})
}

// DeleteContactFlowModuleAlias removes an alias; flows that name it then take
// their error branch.
func (f *Flows) DeleteContactFlowModuleAlias(ctx context.Context, in *connect.DeleteContactFlowModuleAliasInput) (*connect.DeleteContactFlowModuleAliasOutput, error) {
	sc, a, err := f.moduleAlias(ctx, in.InstanceId, in.ContactFlowModuleId, in.AliasId)
	if err != nil {
		return nil, err
	}
	return nil, f.aliases.Delete(ctx, sc, a.ID, nil)
}

// ListContactFlowModuleAliases lists the aliases of a module.
func (f *Flows) ListContactFlowModuleAliases(ctx context.Context, in *connect.ListContactFlowModuleAliasesInput) (*connect.ListContactFlowModuleAliasesOutput, error) {
	sc, err := f.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := f.modules.id(sc, *in.ContactFlowModuleId)
	if err != nil {
		return nil, err
	}
	found, next, err := f.aliases.ListParts(ctx, sc, id, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, nil)
	if err != nil {
		return nil, err
	}
	return &connect.ListContactFlowModuleAliasesOutput{
		NextToken: next,
		ContactFlowModuleAliasSummaryList: catalog.Map(found, func(i *alias) types.ContactFlowModuleAliasSummary {
			return types.ContactFlowModuleAliasSummary{
				Arn:     f.modules.versionARN(sc, id, i.ID),
				AliasId: aws.String(i.ID), AliasName: aws.String(i.Name), AliasDescription: catalog.Optional(i.Value.Description),
				Version: aws.Int64(i.Value.Version), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}
