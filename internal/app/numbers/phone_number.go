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
)

// roleTarget is the role in which a number refers to where its calls go.
const roleTarget = "phone-number-target"

var phoneNumberKind = catalog.Kind[domain.PhoneNumber]{
	Of:   domain.KindPhoneNumber,
	Name: func(e *domain.PhoneNumber) string { return e.Number },
	Refs: func(e *domain.PhoneNumber) []catalog.Ref {
		return []catalog.Ref{{Role: roleTarget, Kind: domain.KindInstance, ID: string(e.InstanceID)}}
	},
	Region: func(e *domain.PhoneNumber) string { return e.Region },
}

type phoneNumber = catalog.Item[domain.PhoneNumber]

// Add adds a claimed number for the instance of sc; its Region and InstanceID
// are filled in from there. A number that is there already, whatever its
// instance, is a DuplicateResourceException.
func (n *Numbers) Add(ctx context.Context, sc catalog.Scope, e domain.PhoneNumber, tags map[string]string) (*phoneNumber, error) {
	e.Region, e.InstanceID = sc.Region, sc.ID
	return n.phoneNumbers.Create(ctx, n.catalog.RootScope(ctx), &e, tags)
}

// ListPhoneNumbers lists the numbers of an instance in the older form: the ARN
// has an instance part, and so names nothing that can be tagged.
func (n *Numbers) ListPhoneNumbers(ctx context.Context, in *connect.ListPhoneNumbersInput) (*connect.ListPhoneNumbersOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := n.phoneNumbers.ReferringWhere(ctx, n.catalog.Store(), sc, sc.PK, roleTarget, page, func(i *phoneNumber) bool {
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

// ListPhoneNumbersV2 lists the numbers of the instance that TargetArn or
// InstanceId names; without either, those of all instances in the region.
func (n *Numbers) ListPhoneNumbersV2(ctx context.Context, in *connect.ListPhoneNumbersV2Input) (*connect.ListPhoneNumbersV2Output, error) {
	prefix := aws.ToString(in.PhoneNumberPrefix)
	if prefix != "" && !strings.HasPrefix(prefix, "+") {
		return nil, fault.New(fault.InvalidParameter, "PhoneNumberPrefix must contain + as part of the country code")
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
		sc, err := n.target(ctx, in.TargetArn, in.InstanceId)
		if err != nil {
			return nil, err
		}
		found, next, err = n.phoneNumbers.ReferringWhere(ctx, n.catalog.Store(), sc, sc.PK, roleTarget, page, keep)
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

// target is the instance that a request names by ARN, by id, or by both when
// they agree.
func (n *Numbers) target(ctx context.Context, arn, id *string) (catalog.Scope, error) {
	if arn == nil {
		return n.catalog.Scope(ctx, id)
	}
	if !domain.IsARN(*arn) {
		return catalog.Scope{}, fault.New(fault.InvalidParameter, "TargetArn must be the ARN of an instance")
	}
	sc, err := n.catalog.ScopeARN(ctx, arn)
	if err != nil {
		return catalog.Scope{}, err
	}
	if id != nil && *id != string(sc.ID) {
		return catalog.Scope{}, fault.New(fault.InvalidParameter, "TargetArn and InstanceId must name the same instance when both are given")
	}
	return sc, nil
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
	target := root
	target.ID = e.InstanceID
	return types.ClaimedPhoneNumberSummary{
		InstanceId:             aws.String(string(e.InstanceID)),
		PhoneNumber:            aws.String(e.Number),
		PhoneNumberArn:         aws.String(root.ARN(domain.KindPhoneNumber, i.ID)),
		PhoneNumberCountryCode: e.CountryCode,
		PhoneNumberDescription: catalog.Optional(e.Description),
		PhoneNumberId:          aws.String(i.ID),
		PhoneNumberStatus:      &types.PhoneNumberStatus{Status: e.Status, Message: catalog.Optional(e.StatusMessage)},
		PhoneNumberType:        e.Type,
		SourcePhoneNumberArn:   catalog.Optional(e.SourceARN),
		Tags:                   i.TagMap(),
		TargetArn:              aws.String(instanceARN(target)),
	}
}

func instanceARN(sc catalog.Scope) string { return sc.ARN(domain.KindInstance, string(sc.ID)) }

// oneOf reports whether a filter accepts a value; an empty one accepts all.
func oneOf[T comparable](filter []T, value T) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}
