package evaluations

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/evaluation"
	"ringdown/internal/fault"
	"ringdown/internal/search"
)

// The fields that the conditions of a search ask for, beside those of a
// StringCondition. Their names are those of the results' members; AWS documents
// none (docs/divergences.md). In the index they are in lower case.
var (
	formNumbers  = []string{"LatestVersion", "ActiveVersion"}
	formBooleans = []string{"AutoEvaluationEnabled"}
	formTimes    = []string{"CreatedTime", "LastModifiedTime", "LastActivatedTime"}

	evaluationNumbers  = []string{"EvaluationFormVersion"}
	evaluationDecimals = []string{"ScorePercentage"}
	evaluationBooleans = []string{"ScoreAutomaticFail", "ScoreNotApplicable", "AutoEvaluationEnabled"}
	evaluationTimes    = []string{"CreatedTime", "LastModifiedTime"}
)

// truth is a boolean as the index holds it.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// moment is a time as the index holds it: in milliseconds, which is how precise
// the API shows times.
func moment(t time.Time) float64 { return float64(t.UnixMilli()) }

// SearchEvaluationForms finds forms by criteria and tags, each as its latest
// version is.
func (e *Evaluations) SearchEvaluationForms(ctx context.Context, in *connect.SearchEvaluationFormsInput) (*connect.SearchEvaluationFormsOutput, error) {
	sc, err := e.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	q, err := catalog.NarrowByAttributes(e.formCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := e.forms.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchEvaluationFormsOutput{
		NextToken: next, ApproximateTotalCount: total,
		EvaluationFormSearchSummaryList: catalog.Map(found, func(i *catalog.Item[evaluation.Form]) types.EvaluationFormSearchSummary {
			f := &i.Value
			s := types.EvaluationFormSearchSummary{
				EvaluationFormId: &i.ID, EvaluationFormArn: i.ARN(sc), Title: &f.Title, Description: catalog.Optional(f.Description),
				Status: f.Status(), LatestVersion: &f.LatestVersion, ActiveVersion: activeVersion(f),
				AutoEvaluationEnabled: f.AutoEvaluation, ContactInteractionType: f.InteractionType, EvaluationFormLanguage: f.Language,
				CreatedBy: &f.Created.By, CreatedTime: &f.Created.At, LastModifiedBy: &f.Modified.By, LastModifiedTime: &f.Modified.At,
				Tags: i.TagMap(),
			}
			if f.Activated != nil {
				s.LastActivatedBy, s.LastActivatedTime = &f.Activated.By, &f.Activated.At
			}
			return s
		}),
	}, nil
}

func (e *Evaluations) formCriteria(c *types.EvaluationFormSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And: catalog.Each(c.AndConditions, e.formCriteria),
		Or:  catalog.Each(c.OrConditions, e.formCriteria),
		Leaves: []catalog.Leaf{
			e.forms.String(c.StringCondition), numberLeaf(c.NumberCondition, formNumbers),
			booleanLeaf(c.BooleanCondition, formBooleans), dateTimeLeaf(c.DateTimeCondition, formTimes),
		},
	}
}

// SearchContactEvaluations finds evaluations by criteria and tags.
func (e *Evaluations) SearchContactEvaluations(ctx context.Context, in *connect.SearchContactEvaluationsInput) (*connect.SearchContactEvaluationsOutput, error) {
	sc, err := e.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	q, err := catalog.NarrowByAttributes(e.evaluationCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := e.evaluations.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchContactEvaluationsOutput{
		NextToken: next, ApproximateTotalCount: total,
		EvaluationSearchSummaryList: catalog.Map(found, func(i *catalog.Item[evaluation.ContactEvaluation]) types.EvaluationSearchSummary {
			v := &i.Value
			m := &types.EvaluationSearchMetadata{
				ContactId: &v.ContactID, EvaluatorArn: &v.Evaluator,
				AutoEvaluationEnabled: v.AutoEvaluation, AutoEvaluationStatus: autoEvaluationStatus(v),
			}
			if v.Score != nil {
				m.ScorePercentage, m.ScoreAutomaticFail, m.ScoreNotApplicable = v.Score.Percentage, v.Score.AutomaticFail, v.Score.NotApplicable
			}
			return types.EvaluationSearchSummary{
				EvaluationId: &i.ID, EvaluationArn: i.ARN(sc), EvaluationType: types.EvaluationTypeStandard, Status: v.Status,
				EvaluationFormId: (*string)(&v.FormID), EvaluationFormTitle: &v.FormTitle, EvaluationFormVersion: &v.FormVersion,
				Metadata: m, CreatedTime: &v.Created, LastModifiedTime: &v.Modified, Tags: i.TagMap(),
			}
		}),
	}, nil
}

func (e *Evaluations) evaluationCriteria(c *types.EvaluationSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And: catalog.Each(c.AndConditions, e.evaluationCriteria),
		Or:  catalog.Each(c.OrConditions, e.evaluationCriteria),
		Leaves: []catalog.Leaf{
			e.evaluations.String(c.StringCondition), numberLeaf(c.NumberCondition, evaluationNumbers),
			decimalLeaf(c.DecimalCondition, evaluationDecimals), booleanLeaf(c.BooleanCondition, evaluationBooleans),
			dateTimeLeaf(c.DateTimeCondition, evaluationTimes),
		},
	}
}

// indexField is the field of the index that a condition asks for.
func indexField(condition string, name *string, known []string) (string, error) {
	if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, aws.ToString(name)) }) {
		return "", fault.New(fault.InvalidParameter, "%s: FieldName must be one of %s", condition, strings.Join(known, ", "))
	}
	return strings.ToLower(*name), nil
}

func numberLeaf(c *types.NumberCondition, known []string) catalog.Leaf {
	if c == nil {
		return nil
	}
	return func() (search.Query, error) {
		const condition = "NumberCondition"
		field, err := indexField(condition, c.FieldName, known)
		if err != nil {
			return nil, err
		}
		return catalog.NumberQuery(condition, field, string(c.ComparisonType), catalog.Decimal(c.MinValue), catalog.Decimal(c.MaxValue))
	}
}

func decimalLeaf(c *types.DecimalCondition, known []string) catalog.Leaf {
	if c == nil {
		return nil
	}
	return func() (search.Query, error) {
		const condition = "DecimalCondition"
		field, err := indexField(condition, c.FieldName, known)
		if err != nil {
			return nil, err
		}
		return catalog.NumberQuery(condition, field, string(c.ComparisonType), c.MinValue, c.MaxValue)
	}
}

func booleanLeaf(c *types.BooleanCondition, known []string) catalog.Leaf {
	if c == nil {
		return nil
	}
	return func() (search.Query, error) {
		field, err := indexField("BooleanCondition", c.FieldName, known)
		if err != nil {
			return nil, err
		}
		if c.ComparisonType == "" {
			return nil, fault.New(fault.InvalidParameter, "BooleanCondition: ComparisonType is required")
		}
		want := truth(c.ComparisonType == types.BooleanComparisonTypeIsTrue)
		return search.Number{Field: field, Min: want, Max: want}, nil
	}
}

// numberComparisons are the comparisons of a DateTimeCondition as a
// NumberCondition calls them.
var numberComparisons = map[types.DateTimeComparisonType]types.NumberComparisonType{
	types.DateTimeComparisonTypeGreaterThan:          types.NumberComparisonTypeGreater,
	types.DateTimeComparisonTypeGreaterThanOrEqualTo: types.NumberComparisonTypeGreaterOrEqual,
	types.DateTimeComparisonTypeLessThan:             types.NumberComparisonTypeLesser,
	types.DateTimeComparisonTypeLessThanOrEqualTo:    types.NumberComparisonTypeLesserOrEqual,
	types.DateTimeComparisonTypeEqualTo:              types.NumberComparisonTypeEqual,
	types.DateTimeComparisonTypeRange:                types.NumberComparisonTypeRange,
}

func dateTimeLeaf(c *types.DateTimeCondition, known []string) catalog.Leaf {
	if c == nil {
		return nil
	}
	return func() (search.Query, error) {
		const condition = "DateTimeCondition"
		field, err := indexField(condition, c.FieldName, known)
		if err != nil {
			return nil, err
		}
		least, err := dateTime("MinValue", c.MinValue)
		if err != nil {
			return nil, err
		}
		most, err := dateTime("MaxValue", c.MaxValue)
		if err != nil {
			return nil, err
		}
		return catalog.NumberQuery(condition, field, string(numberComparisons[c.ComparisonType]), least, most)
	}
}

// dateTime reads a time in UTC; the model's pattern has let in dates that do
// not exist.
func dateTime(member string, value *string) (*float64, error) {
	if value == nil {
		return nil, nil
	}
	t, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(*value, "Z"))
	if err != nil {
		return nil, fault.New(fault.InvalidParameter, "DateTimeCondition: %s is no time that exists", member)
	}
	return aws.Float64(moment(t)), nil
}
