package roundtrip

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func vocabularyKinds() []kind { return []kind{vocabularies(), defaultVocabularies()} }

// vocabularyLanguages are those of the three vocabularies.
var vocabularyLanguages = []types.VocabularyLanguageCode{
	types.VocabularyLanguageCodeEnUs, types.VocabularyLanguageCodeDeDe, types.VocabularyLanguageCodeFrFr,
}

func vocabularies() kind {
	return of("Vocabulary",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreateVocabulary(t.Context(), &connect.CreateVocabularyInput{
				InstanceId: &s.id, VocabularyName: aws.String("Vocabulary-" + string(vocabularyLanguages[n])), LanguageCode: vocabularyLanguages[n],
				Content: aws.String("Phrase\tIPA\tSoundsLike\tDisplayAs\nLos-Angeles\t\t\tLos Angeles\n"), Tags: map[string]string{"Team": "vocabularies"},
			})
			ok(t, err)
			return *out.VocabularyId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.SearchVocabularies(t.Context(), &connect.SearchVocabulariesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, v := range page.VocabularySummaryList {
					out, err := s.DescribeVocabulary(t.Context(), &connect.DescribeVocabularyInput{InstanceId: &s.id, VocabularyId: v.Id})
					ok(t, err)
					all.add(*v.Id, *v.Name, *out.Vocabulary)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d types.Vocabulary) string {
			out, err := s.CreateVocabulary(t.Context(), &connect.CreateVocabularyInput{
				InstanceId: &s.id, VocabularyName: d.Name, LanguageCode: d.LanguageCode, Content: d.Content, Tags: tags(d.Tags),
			})
			ok(t, err)
			return *out.VocabularyId
		},
		nil)
}

func defaultVocabularies() kind {
	associate := func(t testing.TB, s *site, language types.VocabularyLanguageCode, id *string) string {
		_, err := s.AssociateDefaultVocabulary(t.Context(), &connect.AssociateDefaultVocabularyInput{InstanceId: &s.id, LanguageCode: language, VocabularyId: id})
		ok(t, err)
		return ""
	}
	return of("DefaultVocabulary",
		func(t testing.TB, s *site, n int) string {
			return associate(t, s, vocabularyLanguages[n], aws.String(s.a(t, "Vocabulary", n)))
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListDefaultVocabularies(t.Context(), &connect.ListDefaultVocabulariesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, d := range page.DefaultVocabularyList {
					all.add(string(d.LanguageCode), string(d.LanguageCode), d)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d types.DefaultVocabulary) string {
			return associate(t, s, d.LanguageCode, d.VocabularyId)
		},
		nil)
}
