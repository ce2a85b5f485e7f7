package integrations_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

const elsewhere = "210987654321" // another account

func TestAnalyticsDataLakeDataSets(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	read := func(limit *int32) []types.AnalyticsDataSetsResult {
		return slices.Concat(servertest.Pages(t, func(token *string) ([]types.AnalyticsDataSetsResult, *string, error) {
			out, err := s.Connect.ListAnalyticsDataLakeDataSets(t.Context(), &connect.ListAnalyticsDataLakeDataSetsInput{InstanceId: &instance, MaxResults: limit, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.Results, out.NextToken, nil
		})...)
	}
	all := read(nil)
	same(t, "the list in pages of 7", read(aws.Int32(7)), all)
	seen := map[string]bool{}
	for _, r := range all {
		if seen[*r.DataSetId] || *r.DataSetName == "" {
			t.Errorf("%s is there twice or has no name", *r.DataSetId)
		}
		seen[*r.DataSetId] = true
	}
	for _, id := range []string{"contact_record", "agent_statistic_record", "users"} {
		if !seen[id] {
			t.Errorf("%s is not among %d data sets", id, len(all))
		}
	}
}

func TestAnalyticsDataAssociations(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	associate := func(set string, account *string) (*connect.AssociateAnalyticsDataSetOutput, error) {
		return c.AssociateAnalyticsDataSet(ctx, &connect.AssociateAnalyticsDataSetInput{InstanceId: &instance, DataSetId: &set, TargetAccountId: account})
	}
	disassociate := func(set string, account *string) error {
		_, err := c.DisassociateAnalyticsDataSet(ctx, &connect.DisassociateAnalyticsDataSetInput{InstanceId: &instance, DataSetId: &set, TargetAccountId: account})
		return err
	}
	list := func(set *string) [][]types.AnalyticsDataAssociationResult {
		return servertest.Pages(t, func(token *string) ([]types.AnalyticsDataAssociationResult, *string, error) {
			out, err := c.ListAnalyticsDataAssociations(ctx, &connect.ListAnalyticsDataAssociationsInput{InstanceId: &instance, DataSetId: set, MaxResults: aws.Int32(2), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.Results, out.NextToken, nil
		})
	}
	var all []types.AnalyticsDataAssociationResult
	for _, w := range []struct {
		set     string
		account *string
		target  string
	}{{"contact_record", nil, servertest.Account}, {"contact_record", aws.String(elsewhere), elsewhere}, {"users", nil, servertest.Account}} {
		out, err := associate(w.set, w.account)
		ok(t, err)
		want := types.AnalyticsDataAssociationResult{
			DataSetId: &w.set, TargetAccountId: &w.target, ResourceShareId: out.ResourceShareId,
			ResourceShareArn:    aws.String("arn:aws:ram:us-east-1:" + servertest.Account + ":resource-share/" + *out.ResourceShareId),
			ResourceShareStatus: aws.String("ASSOCIATED"),
		}
		same(t, "the answer", *out, connect.AssociateAnalyticsDataSetOutput{
			DataSetId: want.DataSetId, TargetAccountId: want.TargetAccountId, ResourceShareId: want.ResourceShareId,
			ResourceShareArn: want.ResourceShareArn, ResultMetadata: out.ResultMetadata,
		})
		all = append(all, want)
		again, err := associate(w.set, w.account)
		ok(t, err)
		same(t, "the share of the same data set", again.ResourceShareId, out.ResourceShareId)
	}
	same(t, "all associations", list(nil), servertest.InPages(all, 2))
	same(t, "those of one data set", list(aws.String("contact_record")), servertest.InPages(all[:2], 2))
	same(t, "those of no data set", list(aws.String("no_such_set")), [][]types.AnalyticsDataAssociationResult{{}})

	_, err := associate("no_such_set", nil)
	fails(t, err, fault.ResourceNotFound, "no_such_set")
	_, err = associate("users", aws.String("mary"))
	fails(t, err, fault.InvalidParameter, "TargetAccountId")
	fails(t, disassociate("users", aws.String("mary")), fault.InvalidParameter, "TargetAccountId")
	fails(t, disassociate("users", aws.String(elsewhere)), fault.ResourceNotFound, elsewhere)
	ok(t, disassociate("users", nil))
	fails(t, disassociate("users", nil), fault.ResourceNotFound, "users")
	same(t, "what is left", list(nil), servertest.InPages(all[:2], 2))
}

func TestBatchAnalyticsDataAssociations(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	sets := []string{"users", "no_such_set", "contact_record"}
	in := &connect.BatchAssociateAnalyticsDataSetInput{InstanceId: &instance, DataSetIds: sets, TargetAccountId: aws.String(elsewhere)}
	made, err := c.BatchAssociateAnalyticsDataSet(ctx, in)
	ok(t, err)
	var created []string
	for _, r := range made.Created {
		created = append(created, *r.DataSetId+" "+*r.TargetAccountId)
	}
	same(t, "what was associated", created, []string{"users " + elsewhere, "contact_record " + elsewhere})
	if len(made.Errors) != 1 || *made.Errors[0].ErrorCode != string(fault.ResourceNotFound) || *made.Errors[0].ErrorMessage == "" {
		t.Errorf("the errors are %v", made.Errors)
	}
	again, err := c.BatchAssociateAnalyticsDataSet(ctx, in)
	ok(t, err)
	same(t, "the second answer", again.Created, made.Created)

	gone, err := c.BatchDisassociateAnalyticsDataSet(ctx, &connect.BatchDisassociateAnalyticsDataSetInput{
		InstanceId: &instance, DataSetIds: sets, TargetAccountId: aws.String(elsewhere),
	})
	ok(t, err)
	same(t, "what was disassociated", gone.Deleted, []string{"users", "contact_record"})
	if len(gone.Errors) != 1 || *gone.Errors[0].ErrorCode != string(fault.ResourceNotFound) {
		t.Errorf("the errors are %v", gone.Errors)
	}
	left, err := c.ListAnalyticsDataAssociations(ctx, &connect.ListAnalyticsDataAssociationsInput{InstanceId: &instance})
	ok(t, err)
	same(t, "what is left", left.Results, []string{})

	in.TargetAccountId = aws.String("mary")
	_, err = c.BatchAssociateAnalyticsDataSet(ctx, in)
	fails(t, err, fault.InvalidParameter, "TargetAccountId")
}
