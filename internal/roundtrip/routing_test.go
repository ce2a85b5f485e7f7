package roundtrip

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func routingKinds() []kind {
	return []kind{hoursOfOperation()}
}

type hoursDocument struct {
	Hours *types.HoursOfOperation
}

func hoursOfOperation() kind {
	return of("HoursOfOperation",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreateHoursOfOperation(t.Context(), &connect.CreateHoursOfOperationInput{
				InstanceId: &s.id, Name: name("Hours", n), Description: aws.String("when somebody is there"), TimeZone: aws.String("Europe/Berlin"),
				Config: []types.HoursOfOperationConfig{{
					Day:       types.HoursOfOperationDaysMonday,
					StartTime: &types.HoursOfOperationTimeSlice{Hours: aws.Int32(int32(8 + n)), Minutes: aws.Int32(0)},
					EndTime:   &types.HoursOfOperationTimeSlice{Hours: aws.Int32(17), Minutes: aws.Int32(30)},
				}},
				Tags: map[string]string{"Team": "hours"},
			})
			ok(t, err)
			return *out.HoursOfOperationId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListHoursOfOperations(t.Context(), &connect.ListHoursOfOperationsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, h := range page.HoursOfOperationSummaryList {
					out, err := s.DescribeHoursOfOperation(t.Context(), &connect.DescribeHoursOfOperationInput{InstanceId: &s.id, HoursOfOperationId: h.Id})
					ok(t, err)
					all.add(*h.Id, *h.Name, hoursDocument{out.HoursOfOperation})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d hoursDocument) string {
			h := d.Hours
			if id := s.existing("HoursOfOperation", *h.Name); id != "" {
				_, err := s.UpdateHoursOfOperation(t.Context(), &connect.UpdateHoursOfOperationInput{
					InstanceId: &s.id, HoursOfOperationId: &id, Name: h.Name, Description: h.Description, TimeZone: h.TimeZone, Config: h.Config,
				})
				ok(t, err)
				return id
			}
			out, err := s.CreateHoursOfOperation(t.Context(), &connect.CreateHoursOfOperationInput{
				InstanceId: &s.id, Name: h.Name, Description: h.Description, TimeZone: h.TimeZone, Config: h.Config, Tags: tags(h.Tags),
			})
			ok(t, err)
			return *out.HoursOfOperationId
		},
		nil)
}
