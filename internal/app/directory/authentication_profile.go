package directory

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

var authenticationProfileKind = catalog.Kind[domain.AuthenticationProfile]{
	Of:     domain.KindAuthenticationProfile,
	Name:   func(e *domain.AuthenticationProfile) string { return e.Name },
	Check:  (*domain.AuthenticationProfile).Check,
	NoTags: true,
}

// seedAuthenticationProfiles gives a new instance its only profile (admin
// guide, "Set IP address restrictions and session timeouts"). Its name and
// description are our guess; its durations are the longest that the API
// reference admits (docs/divergences.md).
func (d *Directory) seedAuthenticationProfiles(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	_, err := d.authenticationProfiles.Insert(ctx, tx, sc, newDefaultProfile(), nil)
	return err
}

func newDefaultProfile() *domain.AuthenticationProfile {
	return &domain.AuthenticationProfile{
		Name: "Default Authentication Profile", Description: "A basic default Authentication Profile", Default: true,
		PeriodicSessionDuration: 60, MaxSessionDuration: 720,
	}
}

// DescribeAuthenticationProfile returns a profile.
func (d *Directory) DescribeAuthenticationProfile(ctx context.Context, in *connect.DescribeAuthenticationProfileInput) (*connect.DescribeAuthenticationProfileOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := d.authenticationProfiles.Get(ctx, sc, *in.AuthenticationProfileId)
	if err != nil {
		return nil, err
	}
	e := &i.Value
	return &connect.DescribeAuthenticationProfileOutput{AuthenticationProfile: &types.AuthenticationProfile{
		Id:                               aws.String(i.ID),
		Arn:                              i.ARN(sc),
		Name:                             aws.String(e.Name),
		Description:                      catalog.Optional(e.Description),
		IsDefault:                        e.Default,
		AllowedIps:                       listed(e.AllowedIPs),
		BlockedIps:                       listed(e.BlockedIPs),
		PeriodicSessionDuration:          aws.Int32(e.PeriodicSessionDuration), //nolint:staticcheck // deprecated members are served as well
		MaxSessionDuration:               aws.Int32(e.MaxSessionDuration),
		SessionInactivityDuration:        e.SessionInactivityDuration,
		SessionInactivityHandlingEnabled: aws.Bool(e.SessionInactivityHandlingEnabled),
		CreatedTime:                      aws.Time(i.Created),
		LastModifiedRegion:               aws.String(sc.Region),
		LastModifiedTime:                 aws.Time(i.Modified),
	}}, nil
}

// ListAuthenticationProfiles lists profiles.
func (d *Directory) ListAuthenticationProfiles(ctx context.Context, in *connect.ListAuthenticationProfilesInput) (*connect.ListAuthenticationProfilesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := d.authenticationProfiles.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListAuthenticationProfilesOutput{
		NextToken: next,
		AuthenticationProfileSummaryList: catalog.Map(found, func(i *catalog.Item[domain.AuthenticationProfile]) types.AuthenticationProfileSummary {
			return types.AuthenticationProfileSummary{
				Id: aws.String(i.ID), Arn: i.ARN(sc), Name: aws.String(i.Name), IsDefault: i.Value.Default,
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// UpdateAuthenticationProfile changes the members that the request has; an
// empty list takes away what was there.
func (d *Directory) UpdateAuthenticationProfile(ctx context.Context, in *connect.UpdateAuthenticationProfileInput) (*connect.UpdateAuthenticationProfileOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, d.authenticationProfiles.Update(ctx, sc, *in.AuthenticationProfileId, func(_ store.Tx, e *domain.AuthenticationProfile) error {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		if in.AllowedIps != nil {
			e.AllowedIPs = in.AllowedIps
		}
		if in.BlockedIps != nil {
			e.BlockedIPs = in.BlockedIps
		}
		if in.PeriodicSessionDuration != nil { //nolint:staticcheck // as above
			e.PeriodicSessionDuration = *in.PeriodicSessionDuration //nolint:staticcheck // as above
		}
		if in.SessionInactivityDuration != nil {
			e.SessionInactivityDuration = in.SessionInactivityDuration
		}
		if in.SessionInactivityHandlingEnabled != nil {
			e.SessionInactivityHandlingEnabled = *in.SessionInactivityHandlingEnabled
		}
		return nil
	})
}
