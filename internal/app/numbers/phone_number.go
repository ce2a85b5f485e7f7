package numbers

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// The roles in which a number refers to where its calls go.
const (
	roleInstance store.Role = "phone-number-instance"
	roleGroup    store.Role = "phone-number-group"
)

// phoneNumberQuota is for an instance: admin guide, "Amazon Connect service
// quotas". Claiming beyond it fails later, so the catalog does not count.
const phoneNumberQuota = 5

var phoneNumberKind = catalog.Kind[domain.PhoneNumber]{
	Of:       domain.KindPhoneNumber,
	Name:     func(e *domain.PhoneNumber) string { return e.Number },
	Refs:     phoneNumberRefs,
	GoesWith: []catalog.Tie{{Kind: domain.KindInstance, Role: roleInstance}},
	Region:   func(e *domain.PhoneNumber) string { return e.Region },
	Instance: func(e *domain.PhoneNumber) domain.InstanceID { return e.InstanceID },
}

func phoneNumberRefs(e *domain.PhoneNumber) []catalog.Ref {
	refs := []catalog.Ref{{Role: roleInstance, Kind: domain.KindInstance, ID: string(e.InstanceID)}}
	if e.GroupID != "" {
		refs = append(refs, catalog.Ref{Role: roleGroup, Kind: domain.KindTrafficDistributionGroup, ID: string(e.GroupID)})
	}
	return refs
}

type phoneNumber = catalog.Item[domain.PhoneNumber]

// ListPhoneNumbers lists the numbers of an instance in the older form: the ARN
// has an instance part, and so names nothing that can be tagged.
func (n *Numbers) ListPhoneNumbers(ctx context.Context, in *connect.ListPhoneNumbersInput) (*connect.ListPhoneNumbersOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := n.claimedTo(ctx, target{Scope: sc}, page, func(i *phoneNumber) bool {
		return oneOf(in.PhoneNumberCountryCodes, i.Value.CountryCode) && oneOf(in.PhoneNumberTypes, olderType(i.Value.Type))
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListPhoneNumbersOutput{
		NextToken: next,
		PhoneNumberSummaryList: catalog.Map(found, func(i *phoneNumber) types.PhoneNumberSummary {
			return types.PhoneNumberSummary{
				Arn:                    aws.String(instanceARN(sc) + "/" + domain.KindPhoneNumber.Segment() + "/" + i.ID),
				Id:                     aws.String(i.ID),
				PhoneNumber:            aws.String(i.Value.Number),
				PhoneNumberCountryCode: i.Value.CountryCode,
				PhoneNumberType:        olderType(i.Value.Type),
			}
		}),
	}, nil
}

// olderType is what ListPhoneNumbers says of a type that it does not know. AWS
// documents that it shows such numbers as TOLL_FREE or DID, but not which of
// them as what (AWS API reference, ListPhoneNumbers; docs/divergences.md).
func olderType(t types.PhoneNumberType) types.PhoneNumberType {
	switch t {
	case types.PhoneNumberTypeUifn, types.PhoneNumberTypeThirdPartyTf:
		return types.PhoneNumberTypeTollFree
	case types.PhoneNumberTypeShared, types.PhoneNumberTypeThirdPartyDid:
		return types.PhoneNumberTypeDid
	default:
		return t
	}
}

// ListPhoneNumbersV2 lists the numbers of the instance or traffic distribution
// group that TargetArn or InstanceId names; without either, those of all instances in the region.
func (n *Numbers) ListPhoneNumbersV2(ctx context.Context, in *connect.ListPhoneNumbersV2Input) (*connect.ListPhoneNumbersV2Output, error) {
	prefix := aws.ToString(in.PhoneNumberPrefix)
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	keep := func(i *phoneNumber) bool {
		return oneOf(in.PhoneNumberCountryCodes, i.Value.CountryCode) &&
			oneOf(in.PhoneNumberTypes, i.Value.Type) && strings.HasPrefix(i.Value.Number, prefix)
	}
	root := n.catalog.RootScope(ctx)
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	var found []*phoneNumber
	var next *string
	if in.TargetArn == nil && in.InstanceId == nil {
		var err error
		found, next, err = n.phoneNumbers.ListWhere(ctx, root, page, func(i *phoneNumber) bool {
			return i.Value.Region == root.Region && keep(i)
		})
		if err != nil {
			return nil, err
		}
	} else {
		to, err := n.target(ctx, in.TargetArn, in.InstanceId)
		if err != nil {
			return nil, err
		}
		found, next, err = n.claimedTo(ctx, to, page, keep)
		if err != nil {
			return nil, err
		}
	}
	return &connect.ListPhoneNumbersV2Output{
		NextToken: next,
		ListPhoneNumbersSummaryList: catalog.Map(found, func(i *phoneNumber) types.ListPhoneNumbersSummary {
			c := claimed(root, i)
			return types.ListPhoneNumbersSummary{
				InstanceId: c.InstanceId, TargetArn: c.TargetArn,
				PhoneNumber: c.PhoneNumber, PhoneNumberArn: c.PhoneNumberArn, PhoneNumberId: c.PhoneNumberId,
				PhoneNumberCountryCode: c.PhoneNumberCountryCode, PhoneNumberType: c.PhoneNumberType,
				PhoneNumberDescription: c.PhoneNumberDescription, SourcePhoneNumberArn: c.SourcePhoneNumberArn,
			}
		}),
	}, nil
}

// target is where the calls of a number go.
type target struct {
	catalog.Scope // the instance; that of the group if there is one
	group         domain.TrafficDistributionGroupID
}

// target finds the instance or traffic distribution group that a request names
// by ARN, the instance that it names by id, or by both when they agree.
func (n *Numbers) target(ctx context.Context, arn, id *string) (target, error) {
	if arn == nil && id == nil {
		return target{}, fault.New(fault.InvalidParameter, "TargetArn or InstanceId is required")
	}
	if arn == nil {
		sc, err := n.catalog.Scope(ctx, id)
		return target{Scope: sc}, err
	}
	if !domain.IsARN(*arn) {
		return target{}, fault.New(fault.InvalidParameter, "TargetArn must be the ARN of an instance or of a traffic distribution group")
	}
	parsed, err := domain.ParseARN(*arn)
	if err != nil {
		return target{}, err
	}
	var to target
	if parsed.Kind == domain.KindTrafficDistributionGroup {
		to.group, to.Scope, err = n.groups.GroupInstance(ctx, *arn)
	} else {
		to.Scope, err = n.catalog.ScopeARN(ctx, arn)
	}
	if err != nil {
		return target{}, err
	}
	if id != nil && *id != string(to.ID) {
		return target{}, fault.New(fault.InvalidParameter, "TargetArn and InstanceId must name the same instance when both are given")
	}
	return to, nil
}

// claimedTo lists the numbers of a target.
func (n *Numbers) claimedTo(ctx context.Context, to target, page catalog.Page, keep func(*phoneNumber) bool) ([]*phoneNumber, *string, error) {
	return n.phoneNumbers.ReferringWhere(ctx, n.catalog.Store(), to.Scope, to.PK, roleInstance, page, func(i *phoneNumber) bool {
		return i.Value.GroupID == to.group && (to.group != "" || i.Value.Region == to.Region) && keep(i)
	})
}

// DescribePhoneNumber returns a number by its id or ARN.
func (n *Numbers) DescribePhoneNumber(ctx context.Context, in *connect.DescribePhoneNumberInput) (*connect.DescribePhoneNumberOutput, error) {
	root := n.catalog.RootScope(ctx)
	i, err := n.phoneNumbers.Get(ctx, root, *in.PhoneNumberId)
	if err != nil {
		return nil, err
	}
	c := claimed(root, i)
	return &connect.DescribePhoneNumberOutput{ClaimedPhoneNumberSummary: &c}, nil
}

func claimed(root catalog.Scope, i *phoneNumber) types.ClaimedPhoneNumberSummary {
	e := &i.Value
	root.Region = e.Region // a list may be that of a replica's region
	c := types.ClaimedPhoneNumberSummary{
		PhoneNumber:            aws.String(e.Number),
		PhoneNumberArn:         aws.String(root.ARN(domain.KindPhoneNumber, i.ID)),
		PhoneNumberCountryCode: e.CountryCode,
		PhoneNumberDescription: catalog.Optional(e.Description),
		PhoneNumberId:          aws.String(i.ID),
		PhoneNumberStatus:      &types.PhoneNumberStatus{Status: e.Status, Message: catalog.Optional(e.StatusMessage)},
		PhoneNumberType:        e.Type,
		SourcePhoneNumberArn:   catalog.Optional(e.SourceARN),
		Tags:                   i.TagMap(),
	}
	if e.GroupID != "" {
		c.TargetArn = aws.String(root.ARN(domain.KindTrafficDistributionGroup, string(e.GroupID)))
		return c
	}
	to := root
	to.ID = e.InstanceID
	c.InstanceId, c.TargetArn = aws.String(string(to.ID)), aws.String(instanceARN(to))
	return c
}

func instanceARN(sc catalog.Scope) string { return sc.ARN(domain.KindInstance, string(sc.ID)) }

// oneOf reports whether a filter accepts a value; an empty one accepts all.
func oneOf[T comparable](filter []T, value T) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}
