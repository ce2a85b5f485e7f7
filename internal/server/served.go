package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"ringdown/internal/catalog"
	"ringdown/internal/contract"
	"ringdown/internal/gateway"
	"ringdown/internal/identity"
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
	files, _, err := newObjects(&cfg)
	if err != nil {
		return nil, err
	}
	stock, err := cfg.stock()
	if err != nil {
		return nil, err
	}
	c := catalog.New(catalog.Options{Account: cfg.Account, Now: cfg.Now, Logger: cfg.Logger})
	nothing := &Server{cfg: cfg, identities: &identities{passwords: identity.NewPasswords()}}
	if nothing.chats, err = newAudience(&cfg); err != nil {
		return nil, err
	}
	defer nothing.chats.Close()
	_, err = gateway.New(gateway.Options{
		API: api, Tags: c, Metrics: prometheus.NewRegistry(), Logger: cfg.Logger, Now: cfg.Now, Account: cfg.Account,
	}, append(nothing.newAreas(c, files, stock), nothing.identities.areas(c)...)...)
	if err != nil {
		return nil, err
	}
	return api, nil
}
