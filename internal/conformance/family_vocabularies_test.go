package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const vocabulary kind = "Vocabulary"

// vocabularyTable is the least that a vocabulary may hold.
const vocabularyTable = "Phrase\tIPA\tSoundsLike\tDisplayAs\nLos-Angeles\n"

func init() {
	add(family{
		makers: map[kind]maker{
			vocabulary: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateVocabulary(ctx, &connect.CreateVocabularyInput{
					InstanceId: &w.instance, VocabularyName: w.alias(), Content: aws.String(vocabularyTable),
					LanguageCode: types.VocabularyLanguageCodeArAe, // the first, which requests have
				})
				if err != nil {
					return nil, err
				}
				return out.VocabularyId, nil
			},
		},
		references: map[string]kind{"VocabularyId": vocabulary},
		examples: map[string]example{
			"VocabularyName":      {"Products", "!Products"},
			"VocabularyNextToken": {"token", "   "},
		},
		recipes: map[string]recipe{
			"CreateVocabulary": of(
				with("VocabularyName", func(_ testing.TB, w *world) any { return *w.alias() }),
				with("Content", always(vocabularyTable))),
		},
	})
	merge(pagedOperations, map[string]paged{
		"SearchVocabularies": {vocabulary, "Id", "DeleteVocabulary", "VocabularyId"},
	})
	merge(fewOperations, map[string]string{"ListDefaultVocabularies": "one for each language"})
}
