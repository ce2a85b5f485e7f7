package server

import (
	"context"
	"log/slog"

	"ringdown/internal/app/datatables"
	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
)

// services does for flows what has no request of its own (contact.Services), by
// the types of the actions. What is not among them takes the error branch.
type services struct {
	serve  map[string]service
	logger *slog.Logger
}

// service does what an action asks for. A fault is the error branch, with its
// message in the flow log.
type service func(ctx context.Context, sc catalog.Scope, parameters map[string]any) (machine.Reply, error)

func newServices(tables *datatables.DataTables, logger *slog.Logger) *services {
	return &services{logger: logger, serve: map[string]service{
		"EvaluateDataTableValues": filling("DataTables", tables.EvaluateInFlow),
		"ListDataTableValues": filling("DataTableList", func(ctx context.Context, sc catalog.Scope, parameters map[string]any) (map[string]any, error) {
			found, err := tables.ListInFlow(ctx, sc, parameters)
			return map[string]any{"ResultData": found}, err
		}),
		"UpsertDataTableValues": func(ctx context.Context, sc catalog.Scope, parameters map[string]any) (machine.Reply, error) {
			return machine.Reply{}, tables.UpsertInFlow(ctx, sc, parameters)
		},
	}}
}

// filling is a service whose answer fills a namespace.
func filling(namespace string, read func(context.Context, catalog.Scope, map[string]any) (map[string]any, error)) service {
	return func(ctx context.Context, sc catalog.Scope, parameters map[string]any) (machine.Reply, error) {
		found, err := read(ctx, sc, parameters)
		return machine.Reply{Data: map[string]any{namespace: found}}, err
	}
}

// Serve implements contact.Services.
func (s *services) Serve(ctx context.Context, in contact.Instance, c *domain.Contact, r machine.ServiceRequest) machine.Reply {
	serve := s.serve[r.Type]
	if serve == nil {
		return contact.Unserved(r.Type)
	}
	reply, err := serve(ctx, scope(in), r.Parameters)
	if err == nil {
		return reply
	}
	f := fault.From(err)
	if f.Code == fault.InternalService {
		if ctx.Err() == nil {
			s.logger.Error("an action of a flow failed", slog.String("contact", string(c.ID)), slog.String("action", r.Type), slog.Any("err", err))
		}
		return machine.Reply{Err: machine.NoMatchingError}
	}
	return machine.Reply{Err: machine.NoMatchingError, Note: f.Message}
}
