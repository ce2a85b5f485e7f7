package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"ringdown/internal/contract"
	"ringdown/internal/gateway"
)

// BoundAPI returns the contract with every operation bound that a server of
// this build serves, for contract.Operation.Bound to tell. It opens no data
// folder and listens nowhere. It fails as Start would: when a method has the
// name of an operation and not its types.
func BoundAPI() (*contract.API, error) {
	var cfg Config
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	api, err := contract.Load()
	if err != nil {
		return nil, err
	}
	s, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	_, err = gateway.New(gateway.Options{
		API: api, Tags: s.catalog, Metrics: prometheus.NewRegistry(), Logger: cfg.Logger, Now: cfg.Now, Account: cfg.Account,
	}, append(s.areas, s.identities.areas(s.catalog)...)...)
	if err != nil {
		return nil, err
	}
	return api, nil
}
