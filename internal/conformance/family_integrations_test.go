package conformance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server/servertest"
)

const (
	integrationAssociation kind = "IntegrationAssociation"
	useCase                kind = "UseCase"
)

func init() {
	add(family{
		makers: map[kind]maker{
			integrationAssociation: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateIntegrationAssociation(ctx, &connect.CreateIntegrationAssociationInput{
					InstanceId: &w.instance, IntegrationType: types.IntegrationTypeApplication, IntegrationArn: aws.String(w.foreign("app-integrations", "application/")),
				})
				if err != nil {
					return nil, err
				}
				return out.IntegrationAssociationId, nil
			},
			useCase: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateUseCase(ctx, &connect.CreateUseCaseInput{
					InstanceId: &w.instance, IntegrationAssociationId: aws.String(w.fresh(t, integrationAssociation)), UseCaseType: types.UseCaseTypeRulesEvaluation,
				})
				if err != nil {
					return nil, err
				}
				return out.UseCaseId, nil
			},
		},
		examples:   map[string]example{"SourceApplicationName": {"Orders", "Orders!"}},
		references: map[string]kind{"IntegrationAssociationId": integrationAssociation, "UseCaseId": useCase},
		recipes: map[string]recipe{
			"AssociateApprovedOrigin":    of(with("Origin", newOrigin)),
			"DisassociateApprovedOrigin": of(with("Origin", oldOrigin)),

			// An instance has room for two keys only, so each request has an instance
			// of its own.
			"AssociateSecurityKey":    of(with("InstanceId", anotherInstance), with("Key", newKey)),
			"DisassociateSecurityKey": of(with("InstanceId", anotherInstance), oldKey),

			"AssociateLambdaFunction":    of(with("FunctionArn", newFunction)),
			"DisassociateLambdaFunction": of(with("FunctionArn", oldFunction)),
			"DisassociateLexBot":         of(oldLexBot),
			// One of the two versions.
			"AssociateBot":    of(without("LexBot"), with("LexV2Bot", newAlias)),
			"DisassociateBot": of(without("LexBot"), with("LexV2Bot", oldAlias)),

			"CreateIntegrationAssociation": of(with("IntegrationType", always("APPLICATION")), with("IntegrationArn", func(_ testing.TB, w *world) any {
				return w.foreign("app-integrations", "application/")
			})),
			"CreateUseCase": of(with("IntegrationAssociationId", func(t testing.TB, w *world) any { return w.fresh(t, integrationAssociation) })),
			"DeleteUseCase": of(useCaseOfAssociation),

			"AssociateAnalyticsDataSet":         of(with("DataSetId", always("users")), given("TargetAccountId", always(anotherAccount))),
			"BatchAssociateAnalyticsDataSet":    of(with("DataSetIds", always([]any{"users"})), given("TargetAccountId", always(anotherAccount))),
			"DisassociateAnalyticsDataSet":      of(with("DataSetId", oldDataSet), without("TargetAccountId")),
			"BatchDisassociateAnalyticsDataSet": of(with("DataSetIds", always([]any{"users"})), given("TargetAccountId", always(anotherAccount))),
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListIntegrationAssociations": {integrationAssociation, "IntegrationAssociationId", "DeleteIntegrationAssociation", "IntegrationAssociationId"},
	})
	merge(fewOperations, map[string]string{
		"ListApprovedOrigins":           "a quota of fifty; an origin has no id",
		"ListSecurityKeys":              "two at most",
		"ListLambdaFunctions":           "a quota of fifty; a function has no id here",
		"ListBots":                      "a quota of a hundred; a bot has no id here",
		"ListLexBots":                   "a quota of a hundred; a bot has no id here",
		"ListUseCases":                  "one of each type",
		"ListAnalyticsDataAssociations": "one for each data set and account",
		"ListAnalyticsDataLakeDataSets": "there are forty",
	})
}

const anotherAccount = "210987654321"

// foreign is the ARN of a new resource of another service; kind is the start of
// its last part.
func (w *world) foreign(service, kind string) string {
	return "arn:aws:" + service + ":us-east-1:123456789012:" + kind + strconv.FormatInt(w.next(), 10)
}

func anotherInstance(t testing.TB, w *world) any { return w.server.NewInstance(t) }

func newOrigin(_ testing.TB, w *world) any { return "https://" + *w.alias() + ".example.com" }

func newFunction(_ testing.TB, w *world) any { return w.foreign("lambda", "function:lookup-") }

func newAlias(_ testing.TB, w *world) any {
	return object{"AliasArn": w.foreign("lex", "bot-alias/BOT/ALIAS")}
}

func newKey(t testing.TB, _ *world) any {
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&pair.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func oldOrigin(t testing.TB, w *world) any {
	origin := newOrigin(t, w).(string)
	_, err := w.server.Connect.AssociateApprovedOrigin(context.Background(), &connect.AssociateApprovedOriginInput{InstanceId: &w.instance, Origin: &origin})
	servertest.OK(t, err)
	return origin
}

func oldKey(t testing.TB, w *world, in object, _ style) {
	instance := in["InstanceId"].(string)
	out, err := w.server.Connect.AssociateSecurityKey(context.Background(), &connect.AssociateSecurityKeyInput{InstanceId: &instance, Key: aws.String(newKey(t, w).(string))})
	servertest.OK(t, err)
	in["AssociationId"] = *out.AssociationId
}

func oldFunction(t testing.TB, w *world) any {
	arn := newFunction(t, w).(string)
	_, err := w.server.Connect.AssociateLambdaFunction(context.Background(), &connect.AssociateLambdaFunctionInput{InstanceId: &w.instance, FunctionArn: &arn})
	servertest.OK(t, err)
	return arn
}

func oldLexBot(t testing.TB, w *world, in object, _ style) {
	name := "Bot" + strconv.FormatInt(w.next(), 10)
	_, err := w.server.Connect.AssociateLexBot(context.Background(), &connect.AssociateLexBotInput{
		InstanceId: &w.instance, LexBot: &types.LexBot{Name: &name, LexRegion: aws.String("us-east-1")},
	})
	servertest.OK(t, err)
	in["BotName"], in["LexRegion"] = name, "us-east-1"
}

func oldAlias(t testing.TB, w *world) any {
	alias := newAlias(t, w).(object)
	_, err := w.server.Connect.AssociateBot(context.Background(), &connect.AssociateBotInput{
		InstanceId: &w.instance, LexV2Bot: &types.LexV2Bot{AliasArn: aws.String(alias["AliasArn"].(string))},
	})
	servertest.OK(t, err)
	return alias
}

func oldDataSet(t testing.TB, w *world) any {
	_, err := w.server.Connect.AssociateAnalyticsDataSet(context.Background(), &connect.AssociateAnalyticsDataSetInput{InstanceId: &w.instance, DataSetId: aws.String("users")})
	servertest.OK(t, err)
	return "users"
}

// useCaseOfAssociation names a use case together with its association.
func useCaseOfAssociation(t testing.TB, w *world, in object, _ style) {
	of := w.fresh(t, integrationAssociation)
	out, err := w.server.Connect.CreateUseCase(context.Background(), &connect.CreateUseCaseInput{
		InstanceId: &w.instance, IntegrationAssociationId: &of, UseCaseType: types.UseCaseTypeConnectCampaigns,
	})
	servertest.OK(t, err)
	in["IntegrationAssociationId"], in["UseCaseId"] = of, *out.UseCaseId
}
