package domain

import "ringdown/internal/fault"

// AnalyticsDataAssociation shares one data set of the analytics data lake with
// an AWS account.
type AnalyticsDataAssociation struct {
	DataSetID       string
	TargetAccountID string
}

// Name is unique in an instance.
func (a *AnalyticsDataAssociation) Name() string { return a.DataSetID + " " + a.TargetAccountID }

// Check checks the form of the account's id.
func (a *AnalyticsDataAssociation) Check() error {
	if !IsAccountID(a.TargetAccountID) {
		return fault.New(fault.InvalidParameter, "TargetAccountId must be the id of an AWS account, 12 digits")
	}
	return nil
}
