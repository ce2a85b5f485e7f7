package flows

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/store"
)

// validate checks a content that contacts shall run. What is wrong with it is
// an InvalidContactFlowException, of a module an
// InvalidContactFlowModuleException: a list of problems and no message. These
// have the service's words, which often do not say where and why, so the log
// has them with the rule, the action and the place in the document.
func (f *Flows) validate(ctx context.Context, sc catalog.Scope, content string, t flow.Type) error {
	if err := (&domain.FlowContent{Content: content}).Check(); err != nil {
		return err
	}
	found := flow.Check(content, t)
	var problems []flow.Problem
	err := f.catalog.Store().View(ctx, func(rd store.Reader) error {
		missing, err := f.missing(ctx, rd, sc, found.References)
		problems = append(slices.Clone(found.Problems), missing...)
		return err
	})
	if err != nil || len(problems) == 0 {
		return err
	}
	slices.SortStableFunc(problems, func(a, b flow.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	f.catalog.Logger().LogAttrs(ctx, slog.LevelInfo, "flow content refused",
		slog.String("request", domain.CallerOf(ctx).RequestID), slog.String("instance", string(sc.ID)),
		slog.String("type", string(t)), flow.Logged(problems))
	if t == flow.Module {
		return flow.Refusal(fault.InvalidContactFlowModule, problems)
	}
	return flow.Refusal(fault.InvalidContactFlow, problems)
}

// missing are the problems of those references that must name something and do
// not.
func (f *Flows) missing(ctx context.Context, rd store.Reader, sc catalog.Scope, refs []flow.Reference) ([]flow.Problem, error) {
	type key struct {
		kind domain.Kind
		id   string
	}
	known := map[key]bool{}
	var problems []flow.Problem
	for _, r := range refs {
		if !r.Required {
			continue
		}
		k := key{r.Kind, r.ID}
		there, ok := known[k]
		if !ok {
			err := f.resolve(ctx, rd, sc, r.Kind, r.ID)
			// An ARN of something else, or none at all, names nothing here.
			if err != nil && !fault.Is(err, fault.ResourceNotFound) && !fault.Is(err, fault.InvalidParameter) {
				return nil, err
			}
			there = err == nil
			known[k] = there
		}
		if !there {
			problems = append(problems, r.Problem)
		}
	}
	return problems, nil
}

// resolve answers with a fault when a document names a resource that the
// instance does not have.
func (f *Flows) resolve(ctx context.Context, rd store.Reader, sc catalog.Scope, kind domain.Kind, name string) error {
	switch {
	case kind == domain.KindBot: // known by what it is in Amazon Lex (domain.Bot)
		_, err := rd.GetByName(ctx, sc.PK, kind, name)
		return err
	case kind == domain.KindContactFlowModule:
		return f.modules.resolve(ctx, rd, sc, name)
	case kind == domain.KindView && awsView(name):
		return nil
	}
	id, err := catalog.ID(sc, kind, name)
	if err != nil {
		return err
	}
	if user, ok := strings.CutPrefix(id, "agent/"); ok && kind == domain.KindQueue {
		kind, id = domain.KindUser, user
	}
	in := sc.PK
	if kind.Outside() {
		in = store.Root
	}
	id, _, _ = strings.Cut(id, ":")
	_, err = rd.Resolve(ctx, in, kind, id)
	return err
}

// awsView reports whether a view is one of those that AWS provides: they are
// known by words, where those of instances have UUIDs, and belong to an account
// of AWS's own (admin guide, "AWS managed views").
func awsView(name string) bool {
	if domain.IsARN(name) {
		parts := strings.SplitN(name, ":", 6)
		return len(parts) == 6 && parts[4] == "aws"
	}
	id, _, _ := strings.Cut(name, ":")
	return !domain.IsUUID(id)
}

// resolve answers with a fault when there is no such flow or module, or no such
// version or alias of it.
func (d *documents[E]) resolve(ctx context.Context, rd store.Reader, sc catalog.Scope, idOrARN string) error {
	id, qualifier, err := catalog.QualifiedID(sc, d.kind, idOrARN)
	if err != nil {
		return err
	}
	if _, err := rd.Resolve(ctx, sc.PK, d.kind, id); err != nil {
		return err
	}
	if qualifier != "" && !domain.IsFlowQualifier(qualifier) {
		_, err = d.qualified(ctx, rd, sc, id, qualifier)
	}
	return err
}
