package vocabularies

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// roleDefault is the role in which a default refers to its vocabulary.
const roleDefault store.Role = "default-vocabulary"

var defaultVocabularyKind = catalog.Kind[domain.DefaultVocabulary]{
	Of:   domain.KindDefaultVocabulary,
	Name: func(e *domain.DefaultVocabulary) string { return string(e.LanguageCode) },
	Refs: func(e *domain.DefaultVocabulary) []catalog.Ref {
		return []catalog.Ref{{Role: roleDefault, Kind: domain.KindVocabulary, ID: string(e.VocabularyID)}}
	},
	NoTags:   true,
	Unlisted: true,
}

// AssociateDefaultVocabulary makes a vocabulary the default of its language, in
// place of the one before. Without a VocabularyId the language has none, which
// it may have had before. A vocabulary of another language, or one that could
// not be made, is refused (docs/divergences.md).
func (v *Vocabularies) AssociateDefaultVocabulary(ctx context.Context, in *connect.AssociateDefaultVocabularyInput) (*connect.AssociateDefaultVocabularyOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, v.catalog.Store().Update(ctx, func(tx store.Tx) error {
		before, err := v.defaults.GetByName(ctx, tx, sc, string(in.LanguageCode))
		has := err == nil
		if err != nil && !fault.Is(err, fault.ResourceNotFound) {
			return err
		}
		if in.VocabularyId == nil {
			if !has {
				return nil
			}
			return v.defaults.Remove(ctx, tx, sc, before.ID, nil)
		}
		i, err := v.vocabularies.GetIn(ctx, tx, sc, *in.VocabularyId)
		if err != nil {
			return err
		}
		if i.Value.LanguageCode != in.LanguageCode {
			return fault.New(fault.InvalidRequest, "The vocabulary %s is one of %s, not of %s.", i.Value.Name, i.Value.LanguageCode, in.LanguageCode)
		}
		if i.Value.State() != types.VocabularyStateActive {
			return fault.New(fault.InvalidRequest, "The vocabulary %s is in the state %s: %s", i.Value.Name, i.Value.State(), i.Value.FailureReason)
		}
		if !has {
			_, err = v.defaults.Insert(ctx, tx, sc, &domain.DefaultVocabulary{
				LanguageCode: in.LanguageCode, VocabularyID: domain.VocabularyID(i.ID),
			}, nil)
			return err
		}
		return v.defaults.Change(ctx, tx, sc, before.ID, func(e *domain.DefaultVocabulary) error {
			e.VocabularyID = domain.VocabularyID(i.ID)
			return nil
		})
	})
}

// ListDefaultVocabularies lists the languages that have a default, or the one
// asked for if it has.
func (v *Vocabularies) ListDefaultVocabularies(ctx context.Context, in *connect.ListDefaultVocabulariesInput) (*connect.ListDefaultVocabulariesOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var all []types.DefaultVocabulary
	err = v.catalog.Store().View(ctx, func(rd store.Reader) error {
		defaults, err := v.defaults.All(ctx, rd, sc)
		if err != nil {
			return err
		}
		for _, d := range defaults {
			if in.LanguageCode != "" && in.LanguageCode != d.Value.LanguageCode {
				continue
			}
			i, err := v.vocabularies.GetIn(ctx, rd, sc, string(d.Value.VocabularyID))
			if err != nil {
				return err
			}
			all = append(all, types.DefaultVocabulary{
				InstanceId: aws.String(string(sc.ID)), LanguageCode: d.Value.LanguageCode,
				VocabularyId: aws.String(i.ID), VocabularyName: aws.String(i.Value.Name),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	found, next, err := catalog.Slice(sc, domain.KindDefaultVocabulary, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, all)
	if err != nil {
		return nil, err
	}
	return &connect.ListDefaultVocabulariesOutput{DefaultVocabularyList: append([]types.DefaultVocabulary{}, found...), NextToken: next}, nil
}
