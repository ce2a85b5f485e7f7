package vocabularies

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// vocabularyQuota: admin guide, "Contact Lens service quotas".
const vocabularyQuota = 20

// The fields that SearchVocabularies asks for.
const nameField, languageField, stateField = "name", "languagecode", "state"

var vocabularyKind = catalog.Kind[domain.Vocabulary]{
	Of:    domain.KindVocabulary,
	Name:  func(e *domain.Vocabulary) string { return e.Name },
	Check: (*domain.Vocabulary).Check,
	Quota: vocabularyQuota,
	Fields: catalog.Fields[domain.Vocabulary]{
		nameField:     catalog.TextField(func(e *domain.Vocabulary) string { return e.Name }),
		languageField: catalog.KeyField(func(e *domain.Vocabulary) []string { return []string{string(e.LanguageCode)} }),
		stateField:    catalog.KeyField(func(e *domain.Vocabulary) []string { return []string{string(e.State())} }),
	},
}

type vocabulary = catalog.Item[domain.Vocabulary]

// CreateVocabulary adds a vocabulary. It is ready at once; one whose content is
// no table is there too, in the state CREATION_FAILED with the reason.
func (v *Vocabularies) CreateVocabulary(ctx context.Context, in *connect.CreateVocabularyInput) (*connect.CreateVocabularyOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, v.catalog, sc, "CreateVocabulary", in.ClientToken, in, func(tx store.Tx) (*connect.CreateVocabularyOutput, error) {
		made, err := v.vocabularies.Insert(ctx, tx, sc, &domain.Vocabulary{
			Name: *in.VocabularyName, LanguageCode: in.LanguageCode,
			Content: *in.Content, FailureReason: domain.VocabularyProblem(*in.Content),
		}, in.Tags)
		if err != nil {
			return nil, err
		}
		return &connect.CreateVocabularyOutput{
			State: made.Value.State(), VocabularyArn: made.ARN(sc), VocabularyId: aws.String(made.ID),
		}, nil
	})
}

// DescribeVocabulary returns a vocabulary with its content.
func (v *Vocabularies) DescribeVocabulary(ctx context.Context, in *connect.DescribeVocabularyInput) (*connect.DescribeVocabularyOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := v.vocabularies.Get(ctx, sc, *in.VocabularyId)
	if err != nil {
		return nil, err
	}
	return &connect.DescribeVocabularyOutput{Vocabulary: &types.Vocabulary{
		Arn: i.ARN(sc), Id: aws.String(i.ID), Name: aws.String(i.Value.Name), LanguageCode: i.Value.LanguageCode,
		State: i.Value.State(), FailureReason: catalog.Optional(i.Value.FailureReason),
		Content: aws.String(i.Value.Content), LastModifiedTime: aws.Time(i.Modified), Tags: i.TagMap(),
	}}, nil
}

// DeleteVocabulary removes a vocabulary, which must not be the default of its
// language.
func (v *Vocabularies) DeleteVocabulary(ctx context.Context, in *connect.DeleteVocabularyInput) (*connect.DeleteVocabularyOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var gone *vocabulary
	err = v.vocabularies.Delete(ctx, sc, *in.VocabularyId, func(_ store.Tx, i *vocabulary) error {
		gone = i
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &connect.DeleteVocabularyOutput{
		State: types.VocabularyStateDeleteInProgress, VocabularyArn: gone.ARN(sc), VocabularyId: aws.String(gone.ID),
	}, nil
}

// SearchVocabularies finds vocabularies that match all that the request asks
// for. It shows all but their contents.
func (v *Vocabularies) SearchVocabularies(ctx context.Context, in *connect.SearchVocabulariesInput) (*connect.SearchVocabulariesOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var q search.And
	if in.NameStartsWith != nil {
		q = append(q, search.Text{Field: nameField, Op: search.Prefix, Value: *in.NameStartsWith})
	}
	if in.LanguageCode != "" {
		q = append(q, search.Key{Field: languageField, Values: []string{string(in.LanguageCode)}})
	}
	if in.State != "" {
		q = append(q, search.Key{Field: stateField, Values: []string{string(in.State)}})
	}
	found, next, _, err := v.vocabularies.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchVocabulariesOutput{
		NextToken: next,
		VocabularySummaryList: catalog.Map(found, func(i *vocabulary) types.VocabularySummary {
			return types.VocabularySummary{
				Arn: i.ARN(sc), Id: aws.String(i.ID), Name: aws.String(i.Value.Name), LanguageCode: i.Value.LanguageCode,
				State: i.Value.State(), FailureReason: catalog.Optional(i.Value.FailureReason), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}
