package vocabularies_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const (
	header  = "Phrase\tIPA\tSoundsLike\tDisplayAs\n"
	content = header + "Los-Angeles\t\t\tLos Angeles\nC.L.I.\n"
)

func vocabulary(instance, name string, language types.VocabularyLanguageCode, content string) *connect.CreateVocabularyInput {
	return &connect.CreateVocabularyInput{InstanceId: &instance, VocabularyName: &name, LanguageCode: language, Content: &content}
}

func TestVocabulary(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	in := vocabulary(instance, "products", types.VocabularyLanguageCodeEnUs, content)
	in.Tags, in.ClientToken = map[string]string{"Team": "sales"}, aws.String("once")
	made, err := c.CreateVocabulary(ctx, in)
	ok(t, err)
	arn := servertest.InstanceARN(instance) + "/vocabulary/" + *made.VocabularyId
	same(t, "the answer", []any{made.State, made.VocabularyArn}, []any{types.VocabularyStateActive, arn})
	again, err := c.CreateVocabulary(ctx, in)
	ok(t, err)
	same(t, "the answer to the same request", again.VocabularyId, made.VocabularyId)
	in.LanguageCode = types.VocabularyLanguageCodeDeDe
	_, err = c.CreateVocabulary(ctx, in)
	fails(t, err, fault.ResourceConflict, "ClientToken")
	in.ClientToken = nil
	_, err = c.CreateVocabulary(ctx, in)
	fails(t, err, fault.ResourceConflict, `"products"`)
	_, err = c.CreateVocabulary(ctx, vocabulary(instance, "two words", types.VocabularyLanguageCodeEnUs, content))
	fails(t, err, fault.InvalidRequest, "VocabularyName")

	for _, id := range []string{*made.VocabularyId, arn} {
		out, err := c.DescribeVocabulary(ctx, &connect.DescribeVocabularyInput{InstanceId: &instance, VocabularyId: &id})
		ok(t, err)
		if out.Vocabulary.LastModifiedTime == nil {
			t.Error("LastModifiedTime is absent")
		}
		same(t, "the vocabulary", *out.Vocabulary, types.Vocabulary{
			Arn: &arn, Id: made.VocabularyId, Name: aws.String("products"), LanguageCode: types.VocabularyLanguageCodeEnUs,
			State: types.VocabularyStateActive, Content: aws.String(content), Tags: in.Tags, LastModifiedTime: out.Vocabulary.LastModifiedTime,
		})
	}
	gone, err := c.DeleteVocabulary(ctx, &connect.DeleteVocabularyInput{InstanceId: &instance, VocabularyId: made.VocabularyId})
	ok(t, err)
	same(t, "the answer", []any{gone.State, gone.VocabularyArn, gone.VocabularyId}, []any{types.VocabularyStateDeleteInProgress, arn, made.VocabularyId})
	_, err = c.DescribeVocabulary(ctx, &connect.DescribeVocabularyInput{InstanceId: &instance, VocabularyId: made.VocabularyId})
	fails(t, err, fault.ResourceNotFound)
	_, err = c.DeleteVocabulary(ctx, &connect.DeleteVocabularyInput{InstanceId: &instance, VocabularyId: made.VocabularyId})
	fails(t, err, fault.ResourceNotFound)
}

func TestContents(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	for i, w := range []struct{ name, content, reason string }{
		{"as documented", content, ""},
		{"columns in another order", "DisplayAs\tPhrase\tSoundsLike\tIPA\r\nEtva\tEva-Maria\r\n", ""},
		{"other letters", header + "Zürich\nএকটি-শব্দ", ""},
		{"the longest entry", header + strings.Repeat("ü", 256), ""},
		{"a list", "Los-Angeles,C.L.I.", "first line"},
		{"a column missing", "Phrase\tIPA\tDisplayAs\nA\n", "first line"},
		{"a column twice", "Phrase\tPhrase\tIPA\tDisplayAs\nA\n", "first line"},
		{"spaces for tabs", "Phrase IPA SoundsLike DisplayAs\nA\n", "first line"},
		{"no rows", header, "no rows"},
		{"five columns", header + "A\t\t\tA\tA\n", "Line 2"},
		{"no phrase", header + "A\n\t\t\tB\n", "Line 3: there is no Phrase"},
		{"an empty line", header + "A\n\nB\n", "Line 3"},
		{"spaces", header + "Los Angeles\n", "hyphens"},
		{"digits", header + "VX02Q\n", "digits"},
		{"too long an entry", header + strings.Repeat("ü", 257), "257 characters"},
		{"too large", header + strings.Repeat(strings.Repeat("ü", 199)+"\n", 130), "51200 bytes"},
	} {
		t.Run(w.name, func(t *testing.T) {
			made, err := c.CreateVocabulary(ctx, vocabulary(instance, fmt.Sprint("v", i), types.VocabularyLanguageCodeEnUs, w.content))
			ok(t, err)
			out, err := c.DescribeVocabulary(ctx, &connect.DescribeVocabularyInput{InstanceId: &instance, VocabularyId: made.VocabularyId})
			ok(t, err)
			v := out.Vocabulary
			same(t, "the content", v.Content, w.content)
			same(t, "the tags", v.Tags, map[string]string{})
			if w.reason == "" {
				same(t, "the state", []any{made.State, v.State, v.FailureReason}, []any{types.VocabularyStateActive, types.VocabularyStateActive, nil})
				return
			}
			same(t, "the state", []any{made.State, v.State}, []any{types.VocabularyStateCreationFailed, types.VocabularyStateCreationFailed})
			if !strings.Contains(aws.ToString(v.FailureReason), w.reason) {
				t.Errorf("the reason is %q, which does not tell %q", aws.ToString(v.FailureReason), w.reason)
			}
		})
	}
}

func TestSearchVocabularies(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	const english, german = types.VocabularyLanguageCodeEnUs, types.VocabularyLanguageCodeDeDe
	for _, in := range []*connect.CreateVocabularyInput{
		vocabulary(instance, "sales-english", english, content),
		vocabulary(instance, "sales-german", german, content),
		vocabulary(instance, "support", english, content),
		vocabulary(instance, "sales-broken", english, "broken"),
	} {
		_, err := c.CreateVocabulary(ctx, in)
		ok(t, err)
	}
	for _, w := range []struct {
		name string
		in   connect.SearchVocabulariesInput
		want []string
	}{
		{"all", connect.SearchVocabulariesInput{}, []string{"sales-english", "sales-german", "support", "sales-broken"}},
		{"a language", connect.SearchVocabulariesInput{LanguageCode: german}, []string{"sales-german"}},
		{"a state", connect.SearchVocabulariesInput{State: types.VocabularyStateCreationFailed}, []string{"sales-broken"}},
		{"a name", connect.SearchVocabulariesInput{NameStartsWith: aws.String("sales")}, []string{"sales-english", "sales-german", "sales-broken"}},
		{"a part of a name", connect.SearchVocabulariesInput{NameStartsWith: aws.String("german")}, nil},
		{"everything", connect.SearchVocabulariesInput{NameStartsWith: aws.String("sales"), LanguageCode: english, State: types.VocabularyStateActive}, []string{"sales-english"}},
		{"a state that ends at once", connect.SearchVocabulariesInput{State: types.VocabularyStateDeleteInProgress}, nil},
	} {
		t.Run(w.name, func(t *testing.T) {
			in := w.in
			in.InstanceId, in.MaxResults = &instance, aws.Int32(2)
			found := slices.Concat(servertest.Pages(t, func(token *string) ([]types.VocabularySummary, *string, error) {
				in.NextToken = token
				out, err := c.SearchVocabularies(ctx, &in)
				if err != nil {
					return nil, nil, err
				}
				return out.VocabularySummaryList, out.NextToken, nil
			})...)
			var names []string
			for _, v := range found {
				names = append(names, *v.Name)
				if broken := v.State == types.VocabularyStateCreationFailed; broken != (v.FailureReason != nil) || v.LastModifiedTime == nil ||
					*v.Arn != servertest.InstanceARN(instance)+"/vocabulary/"+*v.Id || v.LanguageCode == "" {
					t.Errorf("got %+v", v)
				}
			}
			same(t, "what was found", names, w.want)
		})
	}
	_, err := c.SearchVocabularies(ctx, &connect.SearchVocabulariesInput{InstanceId: &instance, NextToken: aws.String("x")})
	fails(t, err, fault.InvalidRequest, "NextToken")
}

func TestDefaultVocabularies(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	const english, german = types.VocabularyLanguageCodeEnUs, types.VocabularyLanguageCodeDeDe
	create := func(name string, language types.VocabularyLanguageCode, content string) *string {
		out, err := c.CreateVocabulary(ctx, vocabulary(instance, name, language, content))
		ok(t, err)
		return out.VocabularyId
	}
	associate := func(language types.VocabularyLanguageCode, id *string) error {
		_, err := c.AssociateDefaultVocabulary(ctx, &connect.AssociateDefaultVocabularyInput{InstanceId: &instance, LanguageCode: language, VocabularyId: id})
		return err
	}
	remove := func(id *string) error {
		_, err := c.DeleteVocabulary(ctx, &connect.DeleteVocabularyInput{InstanceId: &instance, VocabularyId: id})
		return err
	}
	list := func(language types.VocabularyLanguageCode) [][]types.DefaultVocabulary {
		return servertest.Pages(t, func(token *string) ([]types.DefaultVocabulary, *string, error) {
			out, err := c.ListDefaultVocabularies(ctx, &connect.ListDefaultVocabulariesInput{InstanceId: &instance, LanguageCode: language, MaxResults: aws.Int32(1), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.DefaultVocabularyList, out.NextToken, nil
		})
	}
	shown := func(language types.VocabularyLanguageCode, id *string, name string) types.DefaultVocabulary {
		return types.DefaultVocabulary{InstanceId: &instance, LanguageCode: language, VocabularyId: id, VocabularyName: &name}
	}
	none := [][]types.DefaultVocabulary{{}}
	one, two, three := create("one", english, content), create("two", english, content), create("three", german, content)
	broken := create("broken", english, "broken")

	same(t, "the defaults of a new instance", list(""), none)
	ok(t, associate(english, nil)) // there is none to remove
	ok(t, associate(english, one))
	ok(t, associate(english, one))
	ok(t, associate(german, aws.String(servertest.InstanceARN(instance)+"/vocabulary/"+*three)))
	same(t, "the defaults", list(""), [][]types.DefaultVocabulary{{shown(english, one, "one")}, {shown(german, three, "three")}})
	fails(t, remove(one), fault.ResourceInUse)
	ok(t, associate(english, two))
	same(t, "the default of English", list(english), [][]types.DefaultVocabulary{{shown(english, two, "two")}})
	ok(t, remove(one))

	fails(t, associate(english, one), fault.ResourceNotFound)
	fails(t, associate(english, aws.String(domain.NewID())), fault.ResourceNotFound)
	fails(t, associate(english, three), fault.InvalidRequest, "de-DE")
	fails(t, associate(english, broken), fault.InvalidRequest, "CREATION_FAILED")
	same(t, "the default of English", list(english), [][]types.DefaultVocabulary{{shown(english, two, "two")}})
	same(t, "the default of French", list(types.VocabularyLanguageCodeFrFr), none)

	ok(t, associate(english, nil))
	same(t, "the defaults", list(""), [][]types.DefaultVocabulary{{shown(german, three, "three")}})
	ok(t, remove(two))
	_, err := c.ListDefaultVocabularies(ctx, &connect.ListDefaultVocabulariesInput{InstanceId: &instance, NextToken: aws.String("x")})
	fails(t, err, fault.InvalidRequest, "NextToken")
	_, err = c.DeleteInstance(ctx, &connect.DeleteInstanceInput{InstanceId: &instance})
	ok(t, err)
}

func TestQuota(t *testing.T) {
	s := servertest.Boot(t, func(cfg *server.Config) { cfg.Quotas = true })
	instance := s.NewInstance(t)
	for n := range 21 {
		_, err := s.Connect.CreateVocabulary(t.Context(), vocabulary(instance, fmt.Sprint("v", n), types.VocabularyLanguageCodeEnUs, content))
		if n < 20 {
			ok(t, err)
		} else {
			fails(t, err, fault.ServiceQuotaExceeded)
		}
	}
}
