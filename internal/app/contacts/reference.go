package contacts

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// writable are the types of references that a client may give (API reference,
// StartTaskContact); the others are made as files and e-mails come in.
var writable = []types.ReferenceType{
	types.ReferenceTypeUrl, types.ReferenceTypeNumber, types.ReferenceTypeString, types.ReferenceTypeDate, types.ReferenceTypeEmail,
}

// newReferences checks references that a request gives. Their Value is free text.
func newReferences(references map[string]types.Reference) (map[string]types.Reference, error) {
	for _, name := range slices.Sorted(maps.Keys(references)) {
		if kind := references[name].Type; !slices.Contains(writable, kind) {
			return nil, fault.New(fault.InvalidRequest, "References: %q has the type %s; supported are %v", name, kind, writable)
		}
	}
	return maps.Clone(references), nil
}

// ListContactReferences lists the references of the types asked for, by name and
// on one page, as on AWS, where NextToken is always null.
func (c *Contacts) ListContactReferences(ctx context.Context, in *connect.ListContactReferencesInput) (*connect.ListContactReferencesOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	if in.NextToken != nil && *in.NextToken != "" {
		return nil, fault.New(fault.InvalidParameter, "NextToken is not valid for this request.")
	}
	found, err := c.Engine.Read(ctx, instanceOf(sc), id)
	if err != nil {
		return nil, err
	}
	out := &connect.ListContactReferencesOutput{ReferenceSummaryList: []types.ReferenceSummary{}}
	for _, name := range slices.Sorted(maps.Keys(found.References)) {
		if r := found.References[name]; slices.Contains(in.ReferenceTypes, r.Type) {
			if s := referenceSummary(name, r); s != nil {
				out.ReferenceSummaryList = append(out.ReferenceSummaryList, s)
			}
		}
	}
	return out, nil
}

// referenceSummary is nil for types that no list shows.
func referenceSummary(name string, r types.Reference) types.ReferenceSummary {
	switch r.Type {
	case types.ReferenceTypeUrl:
		return &types.ReferenceSummaryMemberUrl{Value: types.UrlReference{Name: &name, Value: r.Value}}
	case types.ReferenceTypeNumber:
		return &types.ReferenceSummaryMemberNumber{Value: types.NumberReference{Name: &name, Value: r.Value}}
	case types.ReferenceTypeString:
		return &types.ReferenceSummaryMemberString{Value: types.StringReference{Name: &name, Value: r.Value}}
	case types.ReferenceTypeDate:
		return &types.ReferenceSummaryMemberDate{Value: types.DateReference{Name: &name, Value: r.Value}}
	case types.ReferenceTypeEmail:
		return &types.ReferenceSummaryMemberEmail{Value: types.EmailReference{Name: &name, Value: r.Value}}
	case types.ReferenceTypeAttachment:
		return &types.ReferenceSummaryMemberAttachment{Value: types.AttachmentReference{Name: &name, Value: r.Value, Status: r.Status, Arn: r.Arn}}
	case types.ReferenceTypeEmailMessage:
		return &types.ReferenceSummaryMemberEmailMessage{Value: types.EmailMessageReference{Name: &name, Arn: r.Arn}}
	case types.ReferenceTypeEmailMessagePlainText:
		return &types.ReferenceSummaryMemberEmailMessagePlainText{Value: types.EmailMessageReference{Name: &name, Arn: r.Arn}}
	case types.ReferenceTypeEmailMessagePlainTextRedacted:
		return &types.ReferenceSummaryMemberEmailMessagePlainTextRedacted{Value: types.EmailMessageReference{Name: &name, Arn: r.Arn}}
	case types.ReferenceTypeEmailMessageRedacted:
		return &types.ReferenceSummaryMemberEmailMessageRedacted{Value: types.EmailMessageReference{Name: &name, Arn: r.Arn}}
	case types.ReferenceTypeContactAnalysis:
	}
	return nil
}
