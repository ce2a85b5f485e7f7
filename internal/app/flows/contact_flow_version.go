package flows

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// roleFlowOfVersion is that in which a version refers to its flow.
const roleFlowOfVersion store.Role = "flow-of-version"

var contactFlowVersionKind = versionKind(domain.KindContactFlowVersion, domain.KindContactFlow, roleFlowOfVersion)

// CreateContactFlowVersion keeps the published content of a campaign flow as a
// version; the service has none of other flows in this API. What the request
// says of number, checksum, region and time of modification must be so
// (docs/divergences.md).
func (f *Flows) CreateContactFlowVersion(ctx context.Context, in *connect.CreateContactFlowVersionInput) (*connect.CreateContactFlowVersionOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := f.contactFlows.id(sc, *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	want := newVersion{number: in.ContactFlowVersion, sha256: in.FlowContentSha256, description: in.Description}
	number, err := f.contactFlows.createVersion(ctx, sc, id, want, func(i *catalog.Item[domain.ContactFlow]) error {
		switch {
		case i.Value.Type != types.ContactFlowTypeCampaign:
			return fault.New(fault.InvalidRequest, "Only flows of type %s have versions, this one is a %s.", types.ContactFlowTypeCampaign, i.Value.Type)
		case in.LastModifiedRegion != nil && *in.LastModifiedRegion != sc.Region:
			return fault.New(fault.InvalidRequest, "The flow was last modified in %s.", sc.Region)
		case in.LastModifiedTime != nil && !sameMoment(i.Modified, *in.LastModifiedTime):
			return fault.New(fault.InvalidRequest, "The flow was last modified at %s.", i.Modified.Format(time.RFC3339Nano))
		default:
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateContactFlowVersionOutput{
		ContactFlowArn: aws.String(sc.ARN(domain.KindContactFlow, id)), Version: aws.Int64(number),
	}, nil
}

// sameMoment compares a time with what a client sends of it: the SDKs send
// milliseconds, the AWS CLI whole seconds.
func sameMoment(t, sent time.Time) bool {
	precision := time.Millisecond
	if sent.Nanosecond() == 0 {
		precision = time.Second
	}
	return t.Truncate(precision).Equal(sent.Round(precision))
}

// DeleteContactFlowVersion deletes a version; its number is not used again.
func (f *Flows) DeleteContactFlowVersion(ctx context.Context, in *connect.DeleteContactFlowVersionInput) (*connect.DeleteContactFlowVersionOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, f.contactFlows.deleteVersion(ctx, sc, *in.ContactFlowId, *in.ContactFlowVersion)
}

// ListContactFlowVersions lists the versions of a flow, the first one first.
func (f *Flows) ListContactFlowVersions(ctx context.Context, in *connect.ListContactFlowVersionsInput) (*connect.ListContactFlowVersionsOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := f.contactFlows.listVersions(ctx, sc, *in.ContactFlowId, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListContactFlowVersionsOutput{
		NextToken: next,
		ContactFlowVersionSummaryList: catalog.Map(found, func(i *version) types.ContactFlowVersionSummary {
			return types.ContactFlowVersionSummary{
				Arn:     f.contactFlows.versionARN(sc, i.Value.Of, i.Name),
				Version: aws.Int64(i.Value.Number), VersionDescription: catalog.Optional(i.Value.Description),
			}
		}),
	}, nil
}
