package integrations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// analyticsDataSets are the tables of the analytics data lake by their ids,
// with the titles that the admin guide gives them ("Connect Customer analytics
// data lake": contact, agent, flow, bot, forecasting, scheduling, configuration
// and AI data).
var analyticsDataSets = []struct{ id, name string }{
	{"contact_record", "Contact record"},
	{"contact_statistic_record", "Contact statistic record"},
	{"contact_evaluation_record", "Contact evaluation record"},
	{"contact_lens_conversational_analytics", "Conversational analytics"},
	{"contact_flow_events", "Contact flow events"},
	{"agent_queue_statistic_record", "Agent queue statistic record"},
	{"agent_statistic_record", "Agent statistic record"},
	{"outbound_campaign_events", "Outbound campaign events"},
	{"bot_conversations", "Bot conversations"},
	{"bot_intents", "Bot intents"},
	{"bot_slots", "Bot slots"},
	{"forecast_groups", "Forecast groups"},
	{"long_term_forecasts", "Long-term forecasts"},
	{"short_term_forecasts", "Short-term forecasts"},
	{"intraday_forecasts", "Intraday forecasts"},
	{"demand_group", "Demand group"},
	{"demand_group_definitions", "Demand group definitions"},
	{"staff_scheduling_profile", "Staff scheduling profile"},
	{"shift_activities", "Shift activities"},
	{"shift_profiles", "Shift profiles"},
	{"staffing_groups", "Staffing groups"},
	{"staffing_group_forecast_groups", "Staffing groups - Forecast groups"},
	{"staffing_group_supervisors", "Staffing groups - Supervisors"},
	{"staffing_group_demand_group", "Staffing groups demand group"},
	{"staff_shifts", "Staff shifts"},
	{"staff_shift_activities", "Staff shift activities"},
	{"staff_shift_activity_allocations", "Staff shift activity allocation"},
	{"staff_timeoff_balance_changes", "Staff timeoff balance changes"},
	{"staff_timeoffs", "Staff timeoffs"},
	{"staff_timeoff_intervals", "Staff timeoff intervals"},
	{"staff_demand_group", "Staff demand group"},
	{"agent_hierarchy_groups", "Agent hierarchy groups"},
	{"routing_profiles", "Routing profiles"},
	{"users", "Users"},
	{"ai_agent", "AI agent"},
	{"ai_agent_knowledge_base", "AI agent knowledge base"},
	{"ai_prompt", "AI prompt"},
	{"ai_session", "AI session"},
	{"ai_tool", "AI tool"},
	{"connect_test_case_results", "Test case results"},
}

var analyticsDataAssociationKind = catalog.Kind[domain.AnalyticsDataAssociation]{
	Of:     domain.KindAnalyticsDataAssociation,
	Name:   (*domain.AnalyticsDataAssociation).Name,
	Check:  (*domain.AnalyticsDataAssociation).Check,
	NoTags: true,
}

type dataAssociation = catalog.Item[domain.AnalyticsDataAssociation]

// ListAnalyticsDataLakeDataSets lists the data sets that can be associated.
func (g *Integrations) ListAnalyticsDataLakeDataSets(ctx context.Context, in *connect.ListAnalyticsDataLakeDataSetsInput) (*connect.ListAnalyticsDataLakeDataSetsOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	p := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := catalog.Slice(sc, domain.KindAnalyticsDataAssociation, p, analyticsDataSets)
	if err != nil {
		return nil, err
	}
	return &connect.ListAnalyticsDataLakeDataSetsOutput{
		NextToken: next,
		Results: catalog.Map(found, func(s struct{ id, name string }) types.AnalyticsDataSetsResult {
			return types.AnalyticsDataSetsResult{DataSetId: aws.String(s.id), DataSetName: aws.String(s.name)}
		}),
	}, nil
}

// AssociateAnalyticsDataSet shares a data set with an account, that of the
// instance when none is named. The operation declares no conflict, so a data
// set that is shared already keeps its share, which is the answer
// (docs/divergences.md).
func (g *Integrations) AssociateAnalyticsDataSet(ctx context.Context, in *connect.AssociateAnalyticsDataSetInput) (*connect.AssociateAnalyticsDataSetOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var r types.AnalyticsDataAssociationResult
	err = g.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := g.shareDataSet(ctx, tx, sc, *in.DataSetId, in.TargetAccountId)
		if err == nil {
			r = dataAssociationResult(sc, i)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.AssociateAnalyticsDataSetOutput{
		DataSetId: r.DataSetId, ResourceShareArn: r.ResourceShareArn, ResourceShareId: r.ResourceShareId, TargetAccountId: r.TargetAccountId,
	}, nil
}

// BatchAssociateAnalyticsDataSet shares several data sets. What cannot be
// shared is among the errors and does not keep the others from it.
func (g *Integrations) BatchAssociateAnalyticsDataSet(ctx context.Context, in *connect.BatchAssociateAnalyticsDataSetInput) (*connect.BatchAssociateAnalyticsDataSetOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	created := []types.AnalyticsDataAssociationResult{}
	failed, err := g.eachDataSet(ctx, in.DataSetIds, func() { created = created[:0] }, func(tx store.Tx, id string) error {
		i, err := g.shareDataSet(ctx, tx, sc, id, in.TargetAccountId)
		if err == nil {
			created = append(created, dataAssociationResult(sc, i))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.BatchAssociateAnalyticsDataSetOutput{Created: created, Errors: failed}, nil
}

// DisassociateAnalyticsDataSet ends the sharing of a data set with an account.
func (g *Integrations) DisassociateAnalyticsDataSet(ctx context.Context, in *connect.DisassociateAnalyticsDataSetInput) (*connect.DisassociateAnalyticsDataSetOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, g.catalog.Store().Update(ctx, func(tx store.Tx) error {
		return g.unshareDataSet(ctx, tx, sc, *in.DataSetId, in.TargetAccountId)
	})
}

// BatchDisassociateAnalyticsDataSet ends the sharing of several data sets. What
// is not shared is among the errors.
func (g *Integrations) BatchDisassociateAnalyticsDataSet(ctx context.Context, in *connect.BatchDisassociateAnalyticsDataSetInput) (*connect.BatchDisassociateAnalyticsDataSetOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	deleted := []string{}
	failed, err := g.eachDataSet(ctx, in.DataSetIds, func() { deleted = deleted[:0] }, func(tx store.Tx, id string) error {
		err := g.unshareDataSet(ctx, tx, sc, id, in.TargetAccountId)
		if err == nil {
			deleted = append(deleted, id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.BatchDisassociateAnalyticsDataSetOutput{Deleted: deleted, Errors: failed}, nil
}

// ListAnalyticsDataAssociations lists what is shared with whom, of one data set
// or of all.
func (g *Integrations) ListAnalyticsDataAssociations(ctx context.Context, in *connect.ListAnalyticsDataAssociationsInput) (*connect.ListAnalyticsDataAssociationsOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	p := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := g.dataSets.ListWhere(ctx, sc, p, func(i *dataAssociation) bool {
		return in.DataSetId == nil || *in.DataSetId == i.Value.DataSetID
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListAnalyticsDataAssociationsOutput{
		NextToken: next,
		Results: catalog.Map(found, func(i *dataAssociation) types.AnalyticsDataAssociationResult {
			return dataAssociationResult(sc, i)
		}),
	}, nil
}

// eachDataSet calls use for each id in one transaction, after reset, and gathers
// what a client may see of its failures; another error ends it.
func (g *Integrations) eachDataSet(ctx context.Context, ids []string, reset func(), use func(tx store.Tx, id string) error) ([]types.ErrorResult, error) {
	var failed []types.ErrorResult
	err := g.catalog.Store().Update(ctx, func(tx store.Tx) error {
		reset()
		failed = []types.ErrorResult{}
		for _, id := range ids {
			err := use(tx, id)
			switch {
			case fault.Is(err, fault.ResourceNotFound):
				f := fault.From(err)
				failed = append(failed, types.ErrorResult{ErrorCode: aws.String(string(f.Code)), ErrorMessage: aws.String(f.Message)})
			case err != nil:
				return err
			}
		}
		return nil
	})
	return failed, err
}

// shareDataSet returns the association of a data set with an account, new or
// old. A data set that the lake does not have is a ResourceNotFoundException.
func (g *Integrations) shareDataSet(ctx context.Context, tx store.Tx, sc catalog.Scope, id string, account *string) (*dataAssociation, error) {
	if !isAnalyticsDataSet(id) {
		return nil, fault.New(fault.ResourceNotFound, "There is no data set %s. ListAnalyticsDataLakeDataSets lists them.", id)
	}
	e := newDataAssociation(sc, id, account)
	i, err := g.dataSets.GetByName(ctx, tx, sc, e.Name())
	if fault.Is(err, fault.ResourceNotFound) {
		return g.dataSets.Insert(ctx, tx, sc, e, nil)
	}
	return i, err
}

func (g *Integrations) unshareDataSet(ctx context.Context, tx store.Tx, sc catalog.Scope, id string, account *string) error {
	e := newDataAssociation(sc, id, account)
	if err := e.Check(); err != nil {
		return err
	}
	i, err := g.dataSets.GetByName(ctx, tx, sc, e.Name())
	if fault.Is(err, fault.ResourceNotFound) {
		return fault.New(fault.ResourceNotFound, "The data set %s is not associated with the account %s.", id, e.TargetAccountID).Wrap(err)
	}
	if err != nil {
		return err
	}
	return g.dataSets.Remove(ctx, tx, sc, i.ID, nil)
}

func isAnalyticsDataSet(id string) bool {
	for _, s := range analyticsDataSets {
		if s.id == id {
			return true
		}
	}
	return false
}

func newDataAssociation(sc catalog.Scope, id string, account *string) *domain.AnalyticsDataAssociation {
	e := &domain.AnalyticsDataAssociation{DataSetID: id, TargetAccountID: sc.Account}
	if account != nil {
		e.TargetAccountID = *account
	}
	return e
}

// associated is what AWS Resource Access Manager calls a share that is in
// effect (RAM API reference, ResourceShareAssociation).
const associated = "ASSOCIATED"

// dataAssociationResult shows an association as a share of AWS Resource Access
// Manager, of which it has the id.
func dataAssociationResult(sc catalog.Scope, i *dataAssociation) types.AnalyticsDataAssociationResult {
	return types.AnalyticsDataAssociationResult{
		DataSetId:       aws.String(i.Value.DataSetID),
		TargetAccountId: aws.String(i.Value.TargetAccountID),
		ResourceShareId: aws.String(i.ID),
		ResourceShareArn: aws.String("arn:" + domain.Partition(sc.Region) + ":ram:" + sc.Region + ":" + sc.Account +
			":resource-share/" + i.ID),
		ResourceShareStatus: aws.String(associated),
	}
}
