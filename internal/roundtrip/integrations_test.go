package roundtrip

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func integrationKinds() []kind {
	return []kind{
		approvedOrigins(), securityKeys(), lambdaFunctions(), bots(), integrationAssociations(), useCases(), analyticsDataAssociations(),
	}
}

// named is the document of what is nothing but a name.
type named struct{ Name string }

func approvedOrigins() kind {
	add := func(t testing.TB, s *site, origin string) {
		_, err := s.AssociateApprovedOrigin(t.Context(), &connect.AssociateApprovedOriginInput{InstanceId: &s.id, Origin: &origin})
		ok(t, err)
	}
	return of("ApprovedOrigin",
		func(t testing.TB, s *site, n int) string {
			add(t, s, fmt.Sprintf("https://site-%d.example.com", n))
			return ""
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListApprovedOrigins(t.Context(), &connect.ListApprovedOriginsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, origin := range page.Origins {
					all.add(origin, origin, named{origin})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d named) string { add(t, s, d.Name); return "" },
		nil)
}

// mostSecurityKeys is how many keys an instance has room for.
const mostSecurityKeys = 2

func securityKeys() kind {
	add := func(t testing.TB, s *site, key string) string {
		out, err := s.AssociateSecurityKey(t.Context(), &connect.AssociateSecurityKeyInput{InstanceId: &s.id, Key: &key})
		ok(t, err)
		return *out.AssociationId
	}
	return of("SecurityKey",
		func(t testing.TB, s *site, n int) string {
			if n >= mostSecurityKeys {
				return ""
			}
			pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			ok(t, err)
			der, err := x509.MarshalPKIXPublicKey(&pair.PublicKey)
			ok(t, err)
			return add(t, s, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListSecurityKeys(t.Context(), &connect.ListSecurityKeysInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, k := range page.SecurityKeys {
					all.add(*k.AssociationId, *k.AssociationId, k)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d types.SecurityKey) string { return add(t, s, *d.Key) },
		nil)
}

func lambdaFunctions() kind {
	add := func(t testing.TB, s *site, arn string) {
		_, err := s.AssociateLambdaFunction(t.Context(), &connect.AssociateLambdaFunctionInput{InstanceId: &s.id, FunctionArn: &arn})
		ok(t, err)
	}
	return of("LambdaFunction",
		func(t testing.TB, s *site, n int) string {
			add(t, s, fmt.Sprintf("arn:aws:lambda:us-east-1:123456789012:function:lookup-%d", n))
			return ""
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListLambdaFunctions(t.Context(), &connect.ListLambdaFunctionsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, arn := range page.LambdaFunctions {
					all.add(arn, arn, named{arn})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d named) string { add(t, s, d.Name); return "" },
		nil)
}

func bots() kind {
	add := func(t testing.TB, s *site, b types.LexBotConfig) {
		_, err := s.AssociateBot(t.Context(), &connect.AssociateBotInput{InstanceId: &s.id, LexBot: b.LexBot, LexV2Bot: b.LexV2Bot})
		ok(t, err)
	}
	return of("Bot",
		func(t testing.TB, s *site, n int) string {
			if n == 0 {
				add(t, s, types.LexBotConfig{LexBot: &types.LexBot{Name: aws.String("Orders"), LexRegion: aws.String("us-west-2")}})
				return ""
			}
			add(t, s, types.LexBotConfig{LexV2Bot: &types.LexV2Bot{AliasArn: aws.String(fmt.Sprintf("arn:aws:lex:us-east-1:123456789012:bot-alias/BOT/ALIAS%d", n))}})
			return ""
		},
		func(t testing.TB, s *site) (all resources) {
			for _, version := range types.LexVersion("").Values() {
				everyPage(t, func(token *string) (*string, error) {
					page, err := s.ListBots(t.Context(), &connect.ListBotsInput{InstanceId: &s.id, LexVersion: version, NextToken: token})
					if err != nil {
						return nil, err
					}
					for _, b := range page.LexBots {
						id := ""
						if b.LexBot != nil {
							id = *b.LexBot.Name + ":" + *b.LexBot.LexRegion
						} else {
							id = *b.LexV2Bot.AliasArn
						}
						all.add(id, id, b)
					}
					return page.NextToken, nil
				})
			}
			return all
		},
		func(t testing.TB, s *site, d types.LexBotConfig) string { add(t, s, d); return "" },
		nil)
}

type integrationDocument struct {
	Association types.IntegrationAssociationSummary
	Tags        map[string]string
}

func integrationAssociations() kind {
	return of("IntegrationAssociation",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreateIntegrationAssociation(t.Context(), &connect.CreateIntegrationAssociationInput{
				InstanceId: &s.id, IntegrationType: types.IntegrationTypeEvent,
				IntegrationArn:        aws.String(fmt.Sprintf("arn:aws:app-integrations:us-east-1:123456789012:event-integration/%d", n)),
				SourceApplicationName: name("Application", n), SourceApplicationUrl: aws.String("https://example.com"), SourceType: types.SourceTypeZendesk,
				Tags: map[string]string{"Team": "integrations"},
			})
			ok(t, err)
			return *out.IntegrationAssociationId
		},
		func(t testing.TB, s *site) (all resources) {
			for _, a := range associationsOf(t, s) {
				all.add(*a.IntegrationAssociationId, *a.IntegrationArn, integrationDocument{a, tagsOf(t, s, a.IntegrationAssociationArn)})
			}
			return all
		},
		func(t testing.TB, s *site, d integrationDocument) string {
			a := d.Association
			out, err := s.CreateIntegrationAssociation(t.Context(), &connect.CreateIntegrationAssociationInput{
				InstanceId: &s.id, IntegrationType: a.IntegrationType, IntegrationArn: a.IntegrationArn,
				SourceApplicationName: a.SourceApplicationName, SourceApplicationUrl: a.SourceApplicationUrl, SourceType: a.SourceType, Tags: tags(d.Tags),
			})
			ok(t, err)
			return *out.IntegrationAssociationId
		},
		nil)
}

func associationsOf(t testing.TB, s *site) (all []types.IntegrationAssociationSummary) {
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListIntegrationAssociations(t.Context(), &connect.ListIntegrationAssociationsInput{InstanceId: &s.id, NextToken: token})
		if err != nil {
			return nil, err
		}
		all = append(all, page.IntegrationAssociationSummaryList...)
		return page.NextToken, nil
	})
	return all
}

// tagsOf are the tags of what Describe and List show without them.
func tagsOf(t testing.TB, s *site, arn *string) map[string]string {
	out, err := s.ListTagsForResource(t.Context(), &connect.ListTagsForResourceInput{ResourceArn: arn})
	ok(t, err)
	return out.Tags
}

type useCaseDocument struct {
	AssociationID string
	UseCase       types.UseCase
	Tags          map[string]string
}

func useCases() kind {
	return of("UseCase",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreateUseCase(t.Context(), &connect.CreateUseCaseInput{
				InstanceId: &s.id, IntegrationAssociationId: aws.String(s.a(t, "IntegrationAssociation", n)),
				UseCaseType: types.UseCaseTypeRulesEvaluation, Tags: map[string]string{"Team": "use cases"},
			})
			ok(t, err)
			return *out.UseCaseId
		},
		func(t testing.TB, s *site) (all resources) {
			for _, a := range associationsOf(t, s) {
				everyPage(t, func(token *string) (*string, error) {
					page, err := s.ListUseCases(t.Context(), &connect.ListUseCasesInput{InstanceId: &s.id, IntegrationAssociationId: a.IntegrationAssociationId, NextToken: token})
					if err != nil {
						return nil, err
					}
					for _, u := range page.UseCaseSummaryList {
						all.add(*u.UseCaseId, *u.UseCaseId, useCaseDocument{*a.IntegrationAssociationId, u, tagsOf(t, s, u.UseCaseArn)})
					}
					return page.NextToken, nil
				})
			}
			return all
		},
		func(t testing.TB, s *site, d useCaseDocument) string {
			out, err := s.CreateUseCase(t.Context(), &connect.CreateUseCaseInput{
				InstanceId: &s.id, IntegrationAssociationId: &d.AssociationID, UseCaseType: d.UseCase.UseCaseType, Tags: tags(d.Tags),
			})
			ok(t, err)
			return *out.UseCaseId
		},
		nil)
}

func analyticsDataAssociations() kind {
	add := func(t testing.TB, s *site, set, account *string) string {
		out, err := s.AssociateAnalyticsDataSet(t.Context(), &connect.AssociateAnalyticsDataSetInput{InstanceId: &s.id, DataSetId: set, TargetAccountId: account})
		ok(t, err)
		return *out.ResourceShareId
	}
	return of("AnalyticsDataAssociation",
		func(t testing.TB, s *site, n int) string {
			return add(t, s, aws.String("contact_record"), aws.String(fmt.Sprintf("21098765432%d", n)))
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListAnalyticsDataAssociations(t.Context(), &connect.ListAnalyticsDataAssociationsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, a := range page.Results {
					all.add(*a.ResourceShareId, *a.DataSetId+" "+*a.TargetAccountId, a)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d types.AnalyticsDataAssociationResult) string {
			return add(t, s, d.DataSetId, d.TargetAccountId)
		},
		nil)
}
