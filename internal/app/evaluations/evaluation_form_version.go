package evaluations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/evaluation"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// ListEvaluationFormVersions lists the versions of a form, oldest first.
func (e *Evaluations) ListEvaluationFormVersions(ctx context.Context, in *connect.ListEvaluationFormVersionsInput) (*connect.ListEvaluationFormVersionsOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	form, err := e.forms.Get(ctx, sc, *in.EvaluationFormId)
	if err != nil {
		return nil, err
	}
	found, next, err := e.versions.ListParts(ctx, sc, form.ID, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, nil)
	if err != nil {
		return nil, err
	}
	return &connect.ListEvaluationFormVersionsOutput{
		NextToken: next,
		EvaluationFormVersionSummaryList: catalog.Map(found, func(i *catalog.Item[evaluation.FormVersion]) types.EvaluationFormVersionSummary {
			v := &i.Value
			return types.EvaluationFormVersionSummary{
				EvaluationFormId: &form.ID, EvaluationFormArn: form.ARN(sc), EvaluationFormVersion: v.Version,
				Locked: v.Locked, Status: form.Value.StatusOf(v.Version),
				CreatedBy: &v.Created.By, CreatedTime: &v.Created.At, LastModifiedBy: &v.Modified.By, LastModifiedTime: &v.Modified.At,
			}
		}),
	}, nil
}

// ActivateEvaluationForm makes a version the one that evaluations are started
// from, in the place of another, and locks it. It must be complete.
func (e *Evaluations) ActivateEvaluationForm(ctx context.Context, in *connect.ActivateEvaluationFormInput) (*connect.ActivateEvaluationFormOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var form *catalog.Item[evaluation.Form]
	err = e.catalog.Store().Update(ctx, func(tx store.Tx) error {
		var version *catalog.Item[evaluation.FormVersion]
		if form, version, err = e.formAndVersion(ctx, tx, sc, *in.EvaluationFormId, in.EvaluationFormVersion); err != nil {
			return err
		}
		if err := version.Value.Content.CheckComplete(); err != nil {
			return err
		}
		err := e.versions.Change(ctx, tx, sc, version.ID, func(v *evaluation.FormVersion) error {
			v.Locked = true
			return nil
		})
		if err != nil {
			return err
		}
		return e.forms.Change(ctx, tx, sc, form.ID, func(f *evaluation.Form) error {
			now := e.stamp(ctx)
			f.ActiveVersion, f.Activated = in.EvaluationFormVersion, &now
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return &connect.ActivateEvaluationFormOutput{EvaluationFormId: &form.ID, EvaluationFormArn: form.ARN(sc), EvaluationFormVersion: in.EvaluationFormVersion}, nil
}

// DeactivateEvaluationForm keeps evaluations from being started from the active
// version.
func (e *Evaluations) DeactivateEvaluationForm(ctx context.Context, in *connect.DeactivateEvaluationFormInput) (*connect.DeactivateEvaluationFormOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var form *catalog.Item[evaluation.Form]
	err = e.catalog.Store().Update(ctx, func(tx store.Tx) error {
		if form, _, err = e.formAndVersion(ctx, tx, sc, *in.EvaluationFormId, in.EvaluationFormVersion); err != nil {
			return err
		}
		return e.forms.Change(ctx, tx, sc, form.ID, func(f *evaluation.Form) error {
			if f.ActiveVersion != in.EvaluationFormVersion {
				return fault.New(fault.ResourceConflict, "Version %d of the evaluation form is not active.", in.EvaluationFormVersion)
			}
			f.ActiveVersion = 0
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return &connect.DeactivateEvaluationFormOutput{EvaluationFormId: &form.ID, EvaluationFormArn: form.ARN(sc), EvaluationFormVersion: in.EvaluationFormVersion}, nil
}
