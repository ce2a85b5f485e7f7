package storage

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// attachedFilesKind has a resource for each scope about which an instance has
// chosen something.
var attachedFilesKind = catalog.Kind[domain.AttachedFilesConfiguration]{
	Of:     domain.KindAttachedFilesConfiguration,
	Name:   func(e *domain.AttachedFilesConfiguration) string { return string(e.Scope) },
	Check:  (*domain.AttachedFilesConfiguration).Check,
	NoTags: true,
}

// chosen returns what the instance has chosen about a scope, and when;
// nothing, and nil, when it has left it at the defaults.
func (s *Storage) chosen(ctx context.Context, rd store.Reader, sc catalog.Scope, scope types.AttachmentScope) (domain.AttachedFilesConfiguration, *time.Time, error) {
	i, err := s.attachedFiles.GetByName(ctx, rd, sc, string(scope))
	switch {
	case fault.Is(err, fault.ResourceNotFound):
		return domain.AttachedFilesConfiguration{Scope: scope}, nil, nil
	case err != nil:
		return domain.AttachedFilesConfiguration{}, nil, err
	default:
		return i.Value, &i.Modified, nil
	}
}

// AttachedFilesConfiguration is what the instance allows to be attached in a
// scope, for the areas that take attachments.
func (s *Storage) AttachedFilesConfiguration(ctx context.Context, rd store.Reader, sc catalog.Scope, scope types.AttachmentScope) (domain.AttachedFilesConfiguration, error) {
	e, _, err := s.chosen(ctx, rd, sc, scope)
	return e, err
}

// DescribeAttachedFilesConfiguration returns what may be attached in a scope.
// LastModifiedTime is absent while the instance has not changed it.
func (s *Storage) DescribeAttachedFilesConfiguration(ctx context.Context, in *connect.DescribeAttachedFilesConfigurationInput) (*connect.DescribeAttachedFilesConfigurationOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e, modified, err := s.chosen(ctx, s.catalog.Store(), sc, in.AttachmentScope)
	if err != nil {
		return nil, err
	}
	return &connect.DescribeAttachedFilesConfigurationOutput{AttachedFilesConfiguration: &types.AttachedFilesConfiguration{
		InstanceId: in.InstanceId, AttachmentScope: e.Scope, LastModifiedTime: modified,
		MaximumSizeLimitInBytes: aws.Int64(e.EffectiveMaximumBytes()), ExtensionConfiguration: extensions(&e),
	}}, nil
}

// ListAttachedFilesConfigurations lists what may be attached in each scope.
func (s *Storage) ListAttachedFilesConfigurations(ctx context.Context, in *connect.ListAttachedFilesConfigurationsInput) (*connect.ListAttachedFilesConfigurationsOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	scopes, next, err := catalog.Slice(sc, domain.KindAttachedFilesConfiguration,
		catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, types.AttachmentScope("").Values())
	if err != nil {
		return nil, err
	}
	out := &connect.ListAttachedFilesConfigurationsOutput{
		NextToken: next, AttachedFilesConfigurations: make([]types.AttachedFilesConfigurationSummary, len(scopes)),
	}
	err = s.catalog.Store().View(ctx, func(rd store.Reader) error {
		for i, scope := range scopes {
			e, _, err := s.chosen(ctx, rd, sc, scope)
			if err != nil {
				return err
			}
			out.AttachedFilesConfigurations[i] = types.AttachedFilesConfigurationSummary{
				InstanceId: in.InstanceId, AttachmentScope: e.Scope,
				MaximumSizeLimitInBytes: aws.Int64(e.EffectiveMaximumBytes()), ExtensionConfiguration: extensions(&e),
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateAttachedFilesConfiguration changes what may be attached in a scope.
// Members that are absent stay as they are.
func (s *Storage) UpdateAttachedFilesConfiguration(ctx context.Context, in *connect.UpdateAttachedFilesConfigurationInput) (*connect.UpdateAttachedFilesConfigurationOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var now *catalog.Item[domain.AttachedFilesConfiguration]
	err = s.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := s.attachedFiles.GetByName(ctx, tx, sc, string(in.AttachmentScope))
		switch {
		case fault.Is(err, fault.ResourceNotFound):
			e := domain.AttachedFilesConfiguration{Scope: in.AttachmentScope}
			choose(&e, in)
			now, err = s.attachedFiles.Insert(ctx, tx, sc, &e, nil)
			return err
		case err != nil:
			return err
		}
		if err := s.attachedFiles.Change(ctx, tx, sc, i.ID, func(e *domain.AttachedFilesConfiguration) error {
			choose(e, in)
			return nil
		}); err != nil {
			return err
		}
		now, err = s.attachedFiles.GetIn(ctx, tx, sc, i.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.UpdateAttachedFilesConfigurationOutput{
		InstanceId: in.InstanceId, AttachmentScope: in.AttachmentScope, LastModifiedTime: &now.Modified,
		MaximumSizeLimitInBytes: aws.Int64(now.Value.EffectiveMaximumBytes()), ExtensionConfiguration: extensions(&now.Value),
	}, nil
}

// choose takes over what a request says.
func choose(e *domain.AttachedFilesConfiguration, in *connect.UpdateAttachedFilesConfigurationInput) {
	if in.MaximumSizeLimitInBytes != nil {
		e.MaximumBytes = in.MaximumSizeLimitInBytes
	}
	if in.ExtensionConfiguration != nil {
		list := catalog.Map(in.ExtensionConfiguration.AllowedExtensions, func(a types.AllowedExtension) string { return *a.Extension })
		e.Extensions = &list
	}
}

func extensions(e *domain.AttachedFilesConfiguration) *types.ExtensionConfiguration {
	return &types.ExtensionConfiguration{
		AllowedExtensions: catalog.Map(e.EffectiveExtensions(), func(s string) types.AllowedExtension {
			return types.AllowedExtension{Extension: aws.String(s)}
		}),
	}
}
