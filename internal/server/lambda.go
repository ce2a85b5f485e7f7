package server

import (
	"cmp"
	"fmt"

	"ringdown/internal/lambda"
)

// newLambda makes the caller of the functions that flows name. Without a
// section lambda in the configuration it knows none, and says so to the flow.
func newLambda(c *Config) (*lambda.Client, error) {
	client, err := lambda.New(lambda.Options{
		Endpoint: c.Lambda.Endpoint, Region: cmp.Or(c.Lambda.Region, c.Region),
		AccessKeyID: c.Lambda.AccessKeyID, SecretAccessKey: c.Lambda.SecretAccessKey,
		Functions: c.Lambda.Functions,
	})
	if err != nil {
		return nil, fmt.Errorf("lambda: %w", err)
	}
	return client, nil
}
