package flows

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// roleModuleOfVersion is that in which a version refers to its module.
const roleModuleOfVersion store.Role = "module-of-version"

var contactFlowModuleVersionKind = versionKind(domain.KindContactFlowModuleVersion, domain.KindContactFlowModule, roleModuleOfVersion)

// CreateContactFlowModuleVersion keeps the published content and settings of a
// module as a version. A checksum in the request must be that of the content.
func (f *Flows) CreateContactFlowModuleVersion(ctx context.Context, in *connect.CreateContactFlowModuleVersionInput) (*connect.CreateContactFlowModuleVersionOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := f.modules.id(sc, *in.ContactFlowModuleId)
	if err != nil {
		return nil, err
	}
	number, err := f.modules.createVersion(ctx, sc, id, newVersion{sha256: in.FlowModuleContentSha256, description: in.Description}, nil)
	if err != nil {
		return nil, err
	}
	return &connect.CreateContactFlowModuleVersionOutput{
		ContactFlowModuleArn: aws.String(sc.ARN(domain.KindContactFlowModule, id)), Version: aws.Int64(number),
	}, nil
}

// DeleteContactFlowModuleVersion deletes a version that no alias stands for;
// its number is not used again.
func (f *Flows) DeleteContactFlowModuleVersion(ctx context.Context, in *connect.DeleteContactFlowModuleVersionInput) (*connect.DeleteContactFlowModuleVersionOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, f.modules.deleteVersion(ctx, sc, *in.ContactFlowModuleId, *in.ContactFlowModuleVersion)
}

// ListContactFlowModuleVersions lists the versions of a module, the first one
// first.
func (f *Flows) ListContactFlowModuleVersions(ctx context.Context, in *connect.ListContactFlowModuleVersionsInput) (*connect.ListContactFlowModuleVersionsOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := f.modules.listVersions(ctx, sc, *in.ContactFlowModuleId, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListContactFlowModuleVersionsOutput{
		NextToken: next,
		ContactFlowModuleVersionSummaryList: catalog.Map(found, func(i *version) types.ContactFlowModuleVersionSummary {
			return types.ContactFlowModuleVersionSummary{
				Arn:     f.modules.versionARN(sc, i.Value.Of, i.Name),
				Version: aws.Int64(i.Value.Number), VersionDescription: catalog.Optional(i.Value.Description),
			}
		}),
	}, nil
}
