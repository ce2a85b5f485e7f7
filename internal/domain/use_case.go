package domain

import "github.com/aws/aws-sdk-go-v2/service/connect/types"

// UseCase is what an integration association is used for, one of each type at
// most.
type UseCase struct {
	IntegrationAssociationID IntegrationAssociationID
	Type                     types.UseCaseType
}
