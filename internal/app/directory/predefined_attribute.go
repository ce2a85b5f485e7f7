package directory

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
	"ringdown/internal/starter"
	"ringdown/internal/store"
)

// predefinedAttributeQuota: admin guide, "Amazon Connect service quotas".
const predefinedAttributeQuota = 150

var predefinedAttributeKind = catalog.Kind[domain.PredefinedAttribute]{
	Of:   domain.KindPredefinedAttribute,
	Name: func(e *domain.PredefinedAttribute) string { return e.Name },
	// "language" cannot be made beside "Language" (admin guide, "Create
	// predefined attributes for routing contacts to agents").
	Key:    func(e *domain.PredefinedAttribute) string { return attributeKey(e.Name) },
	Check:  (*domain.PredefinedAttribute).Check,
	Quota:  predefinedAttributeQuota,
	NoTags: true,
	Fields: catalog.Fields[domain.PredefinedAttribute]{
		"name": catalog.TextField(func(e *domain.PredefinedAttribute) string { return e.Name }),
	},
}

func attributeKey(name string) string { return strings.ToLower(name) }

// HasPredefinedAttribute reports whether an instance has a predefined attribute of
// exactly that name, for those who put it on contacts.
func (d *Directory) HasPredefinedAttribute(ctx context.Context, sc catalog.Scope, name string) (bool, error) {
	r, err := d.catalog.Store().GetByName(ctx, sc.PK, domain.KindPredefinedAttribute, attributeKey(name))
	if fault.Is(err, fault.ResourceNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return r.Name == name, nil
}

// seedPredefinedAttributes gives a new instance the system's attributes.
func (d *Directory) seedPredefinedAttributes(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	for _, a := range starter.PredefinedAttributes() {
		e := &domain.PredefinedAttribute{
			Name: a.Name, Values: a.Values, SystemValues: slices.Clone(a.Values), Purposes: a.Purposes,
			EnableValueValidationOnAssociation: a.EnableValueValidationOnAssociation, IsReadOnly: a.IsReadOnly,
		}
		if _, err := d.predefinedAttributes.Insert(ctx, tx, sc, e, nil); err != nil {
			return err
		}
	}
	return nil
}

// CreatePredefinedAttribute adds an attribute.
func (d *Directory) CreatePredefinedAttribute(ctx context.Context, in *connect.CreatePredefinedAttributeInput) (*connect.CreatePredefinedAttributeOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := domain.CheckAttributeName(*in.Name); err != nil {
		return nil, err
	}
	e := &domain.PredefinedAttribute{Name: *in.Name, Values: attributeValues(in.Values), Purposes: in.Purposes}
	if in.AttributeConfiguration != nil {
		e.EnableValueValidationOnAssociation = in.AttributeConfiguration.EnableValueValidationOnAssociation
	}
	_, err = d.predefinedAttributes.Create(ctx, sc, e, nil)
	return nil, err
}

// attributeValues are the values of a request; nil when it has none.
func attributeValues(in types.PredefinedAttributeValues) []string {
	if list, ok := in.(*types.PredefinedAttributeValuesMemberStringList); ok {
		return listed(list.Value)
	}
	return nil
}

// attribute finds an attribute by its name, letter by letter: that another
// one of other case cannot be made does not make the two the same.
func (d *Directory) attribute(ctx context.Context, rd store.Reader, sc catalog.Scope, name string) (*catalog.Item[domain.PredefinedAttribute], error) {
	i, err := d.predefinedAttributes.GetByName(ctx, rd, sc, attributeKey(name))
	if err != nil && !fault.Is(err, fault.ResourceNotFound) {
		return nil, err
	}
	if err != nil || i.Name != name {
		return nil, fault.New(fault.ResourceNotFound, "PredefinedAttribute %q not found.", name)
	}
	return i, nil
}

// DescribePredefinedAttribute returns an attribute.
func (d *Directory) DescribePredefinedAttribute(ctx context.Context, in *connect.DescribePredefinedAttributeInput) (*connect.DescribePredefinedAttributeOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := d.attribute(ctx, d.catalog.Store(), sc, *in.Name)
	if err != nil {
		return nil, err
	}
	out := predefinedAttribute(sc, i)
	return &connect.DescribePredefinedAttributeOutput{PredefinedAttribute: &out}, nil
}

// UpdatePredefinedAttribute changes the members that the request has. A value
// that a user is proficient in cannot be taken away.
func (d *Directory) UpdatePredefinedAttribute(ctx context.Context, in *connect.UpdatePredefinedAttributeInput) (*connect.UpdatePredefinedAttributeOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := d.attribute(ctx, tx, sc, *in.Name)
		if err != nil {
			return err
		}
		return d.predefinedAttributes.Change(ctx, tx, sc, i.ID, func(e *domain.PredefinedAttribute) error {
			if e.IsReadOnly {
				return fault.New(fault.InvalidRequest, "The predefined attribute %s is read-only", e.Name)
			}
			if values := attributeValues(in.Values); values != nil {
				if err := unusedBeyond(ctx, tx, i, values); err != nil {
					return err
				}
				e.Values = values
			}
			if in.Purposes != nil {
				e.Purposes = in.Purposes
			}
			if in.AttributeConfiguration != nil {
				e.EnableValueValidationOnAssociation = in.AttributeConfiguration.EnableValueValidationOnAssociation
			}
			return nil
		})
	})
}

// unusedBeyond refuses when a user is proficient in a value of the attribute
// that is not among those it shall have.
func unusedBeyond(ctx context.Context, tx store.Tx, i *catalog.Item[domain.PredefinedAttribute], values []string) error {
	for _, v := range i.Value.Values {
		if slices.Contains(values, v) {
			continue
		}
		n, err := tx.CountReferrers(ctx, i.PK(), roleProficiency(v))
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.ResourceInUse, "The value %q of %q cannot be removed: it is a proficiency of %d users.", v, i.Name, n)
		}
	}
	return nil
}

// DeletePredefinedAttribute removes an attribute that no user is proficient
// in.
func (d *Directory) DeletePredefinedAttribute(ctx context.Context, in *connect.DeletePredefinedAttributeInput) (*connect.DeletePredefinedAttributeOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := d.attribute(ctx, d.catalog.Store(), sc, *in.Name)
	if err != nil {
		return nil, err
	}
	if i.Value.System() {
		return nil, fault.New(fault.InvalidRequest, "The predefined attribute %s is the system's own and cannot be deleted", i.Name)
	}
	err = d.predefinedAttributes.Delete(ctx, sc, i.ID, nil)
	if fault.Is(err, fault.ResourceInUse) {
		// In words of its own: an attribute has neither an ARN nor an id that
		// clients know.
		return nil, fault.New(fault.ResourceInUse, "The predefined attribute %q is a proficiency of users.", i.Name).Wrap(err)
	}
	return nil, err
}

// ListPredefinedAttributes lists attributes.
func (d *Directory) ListPredefinedAttributes(ctx context.Context, in *connect.ListPredefinedAttributesInput) (*connect.ListPredefinedAttributesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := d.predefinedAttributes.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListPredefinedAttributesOutput{
		NextToken: next,
		PredefinedAttributeSummaryList: catalog.Map(found, func(i *catalog.Item[domain.PredefinedAttribute]) types.PredefinedAttributeSummary {
			return types.PredefinedAttributeSummary{
				Name: aws.String(i.Name), LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// SearchPredefinedAttributes finds attributes by name.
func (d *Directory) SearchPredefinedAttributes(ctx context.Context, in *connect.SearchPredefinedAttributesInput) (*connect.SearchPredefinedAttributesOutput, error) {
	sc, err := d.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	q, err := d.predefinedAttributeCriteria(in.SearchCriteria).Query()
	if err != nil {
		return nil, err
	}
	found, next, total, err := d.predefinedAttributes.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchPredefinedAttributesOutput{
		PredefinedAttributes: catalog.Map(found, func(i *catalog.Item[domain.PredefinedAttribute]) types.PredefinedAttribute {
			return predefinedAttribute(sc, i)
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (d *Directory) predefinedAttributeCriteria(c *types.PredefinedAttributeSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, d.predefinedAttributeCriteria),
		Or:     catalog.Each(c.OrConditions, d.predefinedAttributeCriteria),
		Leaves: []catalog.Leaf{d.predefinedAttributes.String(c.StringCondition)},
	}
}

func predefinedAttribute(sc catalog.Scope, i *catalog.Item[domain.PredefinedAttribute]) types.PredefinedAttribute {
	e := &i.Value
	return types.PredefinedAttribute{
		Name:     aws.String(e.Name),
		Values:   &types.PredefinedAttributeValuesMemberStringList{Value: listed(e.Values)},
		Purposes: e.Purposes,
		AttributeConfiguration: &types.PredefinedAttributeConfiguration{
			EnableValueValidationOnAssociation: e.EnableValueValidationOnAssociation, IsReadOnly: e.IsReadOnly,
		},
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
	}
}
