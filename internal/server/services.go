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

// services does for flows what has no request of its own (contact.Services).
type services struct {
	tables *datatables.DataTables
	logger *slog.Logger
}

// service does what an action asks for. A fault is the error branch, with its
// message in the flow log.
type service func(s *services, ctx context.Context, sc catalog.Scope, parameters map[string]any) (machine.Reply, error)

// servedActions are the services by the types of the actions. What is not among
// them takes the error branch.
var servedActions = map[string]service{
	"EvaluateDataTableValues": (*services).evaluateTable,
	"ListDataTableValues":     (*services).listTable,
	"UpsertDataTableValues":   (*services).writeTable,
}

// ServesAction reports whether there is something that does what actions of a
// type ask of services.
func ServesAction(typ string) bool { return servedActions[typ] != nil }

// Serve implements contact.Services.
func (s *services) Serve(ctx context.Context, in contact.Instance, c *domain.Contact, r machine.ServiceRequest) machine.Reply {
	serve := servedActions[r.Type]
	if serve == nil {
		return contact.Unserved(r.Type)
	}
	reply, err := serve(s, ctx, scope(in), r.Parameters)
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

func (s *services) evaluateTable(ctx context.Context, sc catalog.Scope, parameters map[string]any) (machine.Reply, error) {
	found, err := s.tables.EvaluateInFlow(ctx, sc, parameters)
	return machine.Reply{Data: map[string]any{"DataTables": found}}, err
}

func (s *services) listTable(ctx context.Context, sc catalog.Scope, parameters map[string]any) (machine.Reply, error) {
	found, err := s.tables.ListInFlow(ctx, sc, parameters)
	return machine.Reply{Data: map[string]any{"DataTableList": map[string]any{"ResultData": found}}}, err
}

func (s *services) writeTable(ctx context.Context, sc catalog.Scope, parameters map[string]any) (machine.Reply, error) {
	return machine.Reply{}, s.tables.UpsertInFlow(ctx, sc, parameters)
}
