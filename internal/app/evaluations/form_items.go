package evaluations

import (
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/evaluation"
)

// The items of a form are stored in a form of the domain's own, because
// encoding/json cannot read the SDK's unions. The decoder has made sure that no
// union is empty.

func itemsIn(list []types.EvaluationFormItem) []evaluation.FormItem {
	return catalog.Map(list, func(item types.EvaluationFormItem) (to evaluation.FormItem) {
		switch item := item.(type) {
		case *types.EvaluationFormItemMemberSection:
			s := &item.Value
			to.Section = &evaluation.FormSection{RefID: *s.RefId, Title: *s.Title, Instructions: s.Instructions, Weight: s.Weight, Items: itemsIn(s.Items)}
		case *types.EvaluationFormItemMemberQuestion:
			to.Question = questionIn(&item.Value)
		}
		return to
	})
}

func itemsOut(list []evaluation.FormItem) []types.EvaluationFormItem {
	return catalog.Map(list, func(item evaluation.FormItem) types.EvaluationFormItem {
		if s := item.Section; s != nil {
			return &types.EvaluationFormItemMemberSection{Value: types.EvaluationFormSection{
				RefId: &s.RefID, Title: &s.Title, Instructions: s.Instructions, Weight: s.Weight, Items: itemsOut(s.Items),
			}}
		}
		return &types.EvaluationFormItemMemberQuestion{Value: questionOut(item.Question)}
	})
}

func questionIn(q *types.EvaluationFormQuestion) *evaluation.FormQuestion {
	to := &evaluation.FormQuestion{
		RefID: *q.RefId, Title: *q.Title, Instructions: q.Instructions, Type: q.QuestionType,
		NotApplicableEnabled: q.NotApplicableEnabled, Weight: q.Weight,
	}
	if n := q.Enablement; n != nil {
		to.Enablement = &evaluation.QuestionEnablement{Action: n.Action, DefaultAction: n.DefaultAction, Condition: conditionIn(n.Condition)}
	}
	switch p := q.QuestionTypeProperties.(type) {
	case *types.EvaluationFormQuestionTypePropertiesMemberSingleSelect:
		to.SingleSelect = &evaluation.SingleSelectQuestion{Options: p.Value.Options, DisplayAs: p.Value.DisplayAs}
		if a := p.Value.Automation; a != nil {
			to.SingleSelect.Automation = &evaluation.SingleSelectAutomation{AnswerSource: a.AnswerSource, DefaultOptionRefID: a.DefaultOptionRefId}
			for _, o := range a.Options {
				if o, ok := o.(*types.EvaluationFormSingleSelectQuestionAutomationOptionMemberRuleCategory); ok {
					to.SingleSelect.Automation.Options = append(to.SingleSelect.Automation.Options, o.Value)
				}
			}
		}
	case *types.EvaluationFormQuestionTypePropertiesMemberMultiSelect:
		to.MultiSelect = &evaluation.MultiSelectQuestion{Options: p.Value.Options, DisplayAs: p.Value.DisplayAs}
		if a := p.Value.Automation; a != nil {
			to.MultiSelect.Automation = &evaluation.MultiSelectAutomation{AnswerSource: a.AnswerSource, DefaultOptionRefIDs: a.DefaultOptionRefIds}
			for _, o := range a.Options {
				if o, ok := o.(*types.EvaluationFormMultiSelectQuestionAutomationOptionMemberRuleCategory); ok {
					to.MultiSelect.Automation.Options = append(to.MultiSelect.Automation.Options, o.Value)
				}
			}
		}
	case *types.EvaluationFormQuestionTypePropertiesMemberNumeric:
		to.Numeric = &evaluation.NumericQuestion{Min: p.Value.MinValue, Max: p.Value.MaxValue, Options: p.Value.Options}
		switch a := p.Value.Automation.(type) {
		case *types.EvaluationFormNumericQuestionAutomationMemberPropertyValue:
			to.Numeric.Metric = a.Value.Label
		case *types.EvaluationFormNumericQuestionAutomationMemberAnswerSource:
			to.Numeric.AnswerSource = &a.Value
		}
	case *types.EvaluationFormQuestionTypePropertiesMemberText:
		to.Text = &p.Value
	}
	return to
}

func questionOut(q *evaluation.FormQuestion) types.EvaluationFormQuestion {
	to := types.EvaluationFormQuestion{
		RefId: &q.RefID, Title: &q.Title, Instructions: q.Instructions, QuestionType: q.Type,
		NotApplicableEnabled: q.NotApplicableEnabled, Weight: q.Weight,
	}
	if n := q.Enablement; n != nil {
		to.Enablement = &types.EvaluationFormItemEnablementConfiguration{Action: n.Action, DefaultAction: n.DefaultAction, Condition: conditionOut(&n.Condition)}
	}
	switch {
	case q.SingleSelect != nil:
		p := types.EvaluationFormSingleSelectQuestionProperties{Options: q.SingleSelect.Options, DisplayAs: q.SingleSelect.DisplayAs}
		if a := q.SingleSelect.Automation; a != nil {
			p.Automation = &types.EvaluationFormSingleSelectQuestionAutomation{AnswerSource: a.AnswerSource, DefaultOptionRefId: a.DefaultOptionRefID}
			for _, o := range a.Options {
				p.Automation.Options = append(p.Automation.Options, &types.EvaluationFormSingleSelectQuestionAutomationOptionMemberRuleCategory{Value: o})
			}
		}
		to.QuestionTypeProperties = &types.EvaluationFormQuestionTypePropertiesMemberSingleSelect{Value: p}
	case q.MultiSelect != nil:
		p := types.EvaluationFormMultiSelectQuestionProperties{Options: q.MultiSelect.Options, DisplayAs: q.MultiSelect.DisplayAs}
		if a := q.MultiSelect.Automation; a != nil {
			p.Automation = &types.EvaluationFormMultiSelectQuestionAutomation{AnswerSource: a.AnswerSource, DefaultOptionRefIds: a.DefaultOptionRefIDs}
			for _, o := range a.Options {
				p.Automation.Options = append(p.Automation.Options, &types.EvaluationFormMultiSelectQuestionAutomationOptionMemberRuleCategory{Value: o})
			}
		}
		to.QuestionTypeProperties = &types.EvaluationFormQuestionTypePropertiesMemberMultiSelect{Value: p}
	case q.Numeric != nil:
		p := types.EvaluationFormNumericQuestionProperties{MinValue: q.Numeric.Min, MaxValue: q.Numeric.Max, Options: q.Numeric.Options}
		if q.Numeric.Metric != "" {
			p.Automation = &types.EvaluationFormNumericQuestionAutomationMemberPropertyValue{Value: types.NumericQuestionPropertyValueAutomation{Label: q.Numeric.Metric}}
		} else if q.Numeric.AnswerSource != nil {
			p.Automation = &types.EvaluationFormNumericQuestionAutomationMemberAnswerSource{Value: *q.Numeric.AnswerSource}
		}
		to.QuestionTypeProperties = &types.EvaluationFormQuestionTypePropertiesMemberNumeric{Value: p}
	case q.Text != nil:
		to.QuestionTypeProperties = &types.EvaluationFormQuestionTypePropertiesMemberText{Value: *q.Text}
	}
	return to
}

func conditionIn(c *types.EvaluationFormItemEnablementCondition) evaluation.EnablementCondition {
	return evaluation.EnablementCondition{
		Operator: c.Operator,
		Operands: catalog.Map(c.Operands, func(o types.EvaluationFormItemEnablementConditionOperand) (to evaluation.EnablementOperand) {
			switch o := o.(type) {
			case *types.EvaluationFormItemEnablementConditionOperandMemberCondition:
				inner := conditionIn(&o.Value)
				to.Condition = &inner
			case *types.EvaluationFormItemEnablementConditionOperandMemberExpression:
				to.Expression = &o.Value
			}
			return to
		}),
	}
}

func conditionOut(c *evaluation.EnablementCondition) *types.EvaluationFormItemEnablementCondition {
	return &types.EvaluationFormItemEnablementCondition{
		Operator: c.Operator,
		Operands: catalog.Map(c.Operands, func(o evaluation.EnablementOperand) types.EvaluationFormItemEnablementConditionOperand {
			if o.Condition != nil {
				return &types.EvaluationFormItemEnablementConditionOperandMemberCondition{Value: *conditionOut(o.Condition)}
			}
			return &types.EvaluationFormItemEnablementConditionOperandMemberExpression{Value: *o.Expression}
		}),
	}
}
