package workspaces

import (
	"context"
	"math"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// fieldWorkspace is the index field of an association's workspace.
const fieldWorkspace = "workspaceid"

var associationKind = catalog.Kind[domain.WorkspaceAssociation]{
	Of:   domain.KindWorkspaceAssociation,
	Name: associationName,
	Parent: &catalog.Parent[domain.WorkspaceAssociation]{
		Kind: domain.KindWorkspace, Role: roleAssociationOf,
		ID: func(e *domain.WorkspaceAssociation) string { return string(e.WorkspaceID) },
	},
	Refs: func(e *domain.WorkspaceAssociation) []catalog.Ref {
		role := roleRouting
		if e.Kind == domain.KindUser {
			role = roleUser
		}
		return []catalog.Ref{{Role: role, Kind: e.Kind, ID: e.ID}}
	},
	GoesWith: []catalog.Tie{{Kind: domain.KindUser, Role: roleUser}, {Kind: domain.KindRoutingProfile, Role: roleRouting}},
	NoTags:   true,
	Fields: catalog.Fields[domain.WorkspaceAssociation]{
		"WorkspaceId": catalog.KeyField(func(e *domain.WorkspaceAssociation) []string { return []string{string(e.WorkspaceID)} }),
		"ResourceId":  catalog.KeyField(func(e *domain.WorkspaceAssociation) []string { return []string{e.ID} }),
		"ResourceType": catalog.TextField(func(e *domain.WorkspaceAssociation) string {
			return e.ResourceType()
		}),
	},
}

func associationName(e *domain.WorkspaceAssociation) string { return e.ResourceType() + " " + e.ID }

// each does something to each of the resources that a request names, in one
// transaction, and tells which of them it could not be done to. Do must find
// that out before it writes: a write that fails undoes them all.
func (w *Workspaces) each(
	ctx context.Context, instanceID, workspaceID *string, arns []string,
	do func(tx store.Tx, sc catalog.Scope, e *domain.WorkspaceAssociation) error,
) (done []types.SuccessfulBatchAssociationSummary, failed []types.FailedBatchAssociationSummary, err error) {
	sc, err := w.catalog.Scope(ctx, instanceID)
	if err != nil {
		return nil, nil, err
	}
	err = w.catalog.Store().Update(ctx, func(tx store.Tx) error {
		done, failed = []types.SuccessfulBatchAssociationSummary{}, []types.FailedBatchAssociationSummary{}
		workspace, err := w.workspaces.GetIn(ctx, tx, sc, *workspaceID)
		if err != nil {
			return err
		}
		for _, arn := range arns {
			e, err := association(sc, workspace.ID, arn)
			if err == nil {
				err = do(tx, sc, e)
			}
			if err == nil {
				done = append(done, types.SuccessfulBatchAssociationSummary{ResourceArn: aws.String(arn)})
				continue
			}
			why := fault.From(err)
			if why.Code == fault.InternalService {
				return err
			}
			failed = append(failed, types.FailedBatchAssociationSummary{
				ResourceArn: aws.String(arn), ErrorCode: aws.String(strconv.Itoa(why.Code.Status())), ErrorMessage: aws.String(why.Message),
			})
		}
		return nil
	})
	return done, failed, err
}

// association joins a workspace and the resource that an ARN names.
func association(sc catalog.Scope, workspace, arn string) (*domain.WorkspaceAssociation, error) {
	parsed, err := domain.ParseARN(arn)
	if err != nil {
		return nil, err
	}
	if parsed.Kind != domain.KindUser && parsed.Kind != domain.KindRoutingProfile {
		return nil, fault.New(fault.InvalidParameter, "Only users and routing profiles can have workspaces.")
	}
	id, err := catalog.ID(sc, parsed.Kind, arn)
	return &domain.WorkspaceAssociation{WorkspaceID: domain.WorkspaceID(workspace), Kind: parsed.Kind, ID: id}, err
}

// AssociateWorkspace gives a workspace to users and routing profiles. Those to
// whom it cannot be given are told in the answer, each with the status and the
// message of the exception that it would be by itself. A resource may have
// several workspaces; that it has this one already is such a failure
// (docs/divergences.md).
func (w *Workspaces) AssociateWorkspace(ctx context.Context, in *connect.AssociateWorkspaceInput) (*connect.AssociateWorkspaceOutput, error) {
	done, failed, err := w.each(ctx, in.InstanceId, in.WorkspaceId, in.ResourceArns, func(tx store.Tx, sc catalog.Scope, e *domain.WorkspaceAssociation) error {
		if _, err := tx.Resolve(ctx, sc.PK, e.Kind, e.ID); err != nil {
			return err
		}
		switch _, err := w.associations.PartNamed(ctx, tx, sc, string(e.WorkspaceID), associationName(e)); {
		case err == nil:
			return fault.New(fault.DuplicateResource, "The %s %s has the workspace already.", e.Kind, e.ID)
		case !fault.Is(err, fault.ResourceNotFound):
			return err
		}
		_, err := w.associations.Insert(ctx, tx, sc, e, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.AssociateWorkspaceOutput{SuccessfulList: done, FailedList: failed}, nil
}

// DisassociateWorkspace takes a workspace from users and routing profiles.
// That one of them does not have it is told in the answer.
func (w *Workspaces) DisassociateWorkspace(ctx context.Context, in *connect.DisassociateWorkspaceInput) (*connect.DisassociateWorkspaceOutput, error) {
	done, failed, err := w.each(ctx, in.InstanceId, in.WorkspaceId, in.ResourceArns, func(tx store.Tx, sc catalog.Scope, e *domain.WorkspaceAssociation) error {
		i, err := w.associations.PartNamed(ctx, tx, sc, string(e.WorkspaceID), associationName(e))
		if err != nil {
			return err
		}
		return w.associations.Remove(ctx, tx, sc, i.ID, nil)
	})
	if err != nil {
		return nil, err
	}
	return &connect.DisassociateWorkspaceOutput{SuccessfulList: done, FailedList: failed}, nil
}

// SearchWorkspaceAssociations finds who has which workspace, by criteria, among
// the workspaces that have the tags of the filter: associations have none.
func (w *Workspaces) SearchWorkspaceAssociations(ctx context.Context, in *connect.SearchWorkspaceAssociationsInput) (*connect.SearchWorkspaceAssociationsOutput, error) {
	sc, err := w.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	tagged, err := w.associationsOfTagged(ctx, sc, filter)
	if err != nil {
		return nil, err
	}
	q, err := catalog.Narrow(w.associationCriteria(in.SearchCriteria), tagged)
	if err != nil {
		return nil, err
	}
	out := &connect.SearchWorkspaceAssociationsOutput{WorkspaceAssociations: []types.WorkspaceAssociationSearchSummary{}}
	found, next, total, err := w.associations.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	out.NextToken, out.ApproximateTotalCount = next, total
	for _, i := range found {
		e := &i.Value
		resource, err := w.catalog.Store().Get(ctx, sc.PK, e.Kind, e.ID)
		if fault.Is(err, fault.ResourceNotFound) {
			continue // gone since it was found, and the association with it
		}
		if err != nil {
			return nil, err
		}
		out.WorkspaceAssociations = append(out.WorkspaceAssociations, types.WorkspaceAssociationSearchSummary{
			ResourceArn: aws.String(sc.ARN(e.Kind, e.ID)), ResourceId: aws.String(e.ID), ResourceName: aws.String(resource.Name),
			ResourceType: aws.String(e.ResourceType()),
			WorkspaceArn: aws.String(sc.ARN(domain.KindWorkspace, string(e.WorkspaceID))), WorkspaceId: aws.String(string(e.WorkspaceID)),
		})
	}
	return out, nil
}

// associationsOfTagged matches the associations of the workspaces that a
// filter matches; nil when there is no filter.
func (w *Workspaces) associationsOfTagged(ctx context.Context, sc catalog.Scope, filter *types.ControlPlaneAttributeFilter) (search.Query, error) {
	q, err := catalog.AttributeFilter(filter)
	if q == nil || err != nil {
		return nil, err
	}
	found, _, _, err := w.workspaces.Search(ctx, sc, q, catalog.Page{Default: math.MaxInt32})
	return search.Key{Field: fieldWorkspace, Values: catalog.Map(found, func(i *catalog.Item[domain.Workspace]) string { return i.ID })}, err
}

func (w *Workspaces) associationCriteria(c *types.WorkspaceAssociationSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, w.associationCriteria),
		Or:     catalog.Each(c.OrConditions, w.associationCriteria),
		Leaves: []catalog.Leaf{w.associations.String(c.StringCondition)},
	}
}
