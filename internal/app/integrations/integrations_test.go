package integrations_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
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

// list is one of the lists of what an instance is joined with, each element
// named by one text.
type list struct {
	add, remove func(ctx context.Context, c *connect.Client, instance, what string, token *string) error
	// read returns a page.
	read  func(ctx context.Context, c *connect.Client, instance string, limit *int32, next *string) ([]string, *string, error)
	nth   func(n int) string // the nth that may be added
	page  int                // how many a page holds when nobody says
	wrong []string           // what may not be added
}

func text(p *string) string { return aws.ToString(p) }

var lists = map[string]list{
	"ApprovedOrigin": {
		add: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.AssociateApprovedOrigin(ctx, &connect.AssociateApprovedOriginInput{InstanceId: &i, Origin: &what, ClientToken: token})
			return err
		},
		remove: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.DisassociateApprovedOrigin(ctx, &connect.DisassociateApprovedOriginInput{InstanceId: &i, Origin: &what, ClientToken: token})
			return err
		},
		read: func(ctx context.Context, c *connect.Client, i string, limit *int32, next *string) ([]string, *string, error) {
			out, err := c.ListApprovedOrigins(ctx, &connect.ListApprovedOriginsInput{InstanceId: &i, MaxResults: limit, NextToken: next})
			if err != nil {
				return nil, nil, err
			}
			return out.Origins, out.NextToken, nil
		},
		nth:  func(n int) string { return fmt.Sprintf("https://Site-%d.example.com:8443", n) },
		page: 25,
		wrong: []string{
			"", "example.com", "ftp://example.com", "https://", "https://:443", "https://example.com/", "https://example.com/path",
			"https://example.com?a=b", "https://mary@example.com", "https://exa mple.com", "javascript:alert(1)",
		},
	},
	"LambdaFunction": {
		add: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.AssociateLambdaFunction(ctx, &connect.AssociateLambdaFunctionInput{InstanceId: &i, FunctionArn: &what, ClientToken: token})
			return err
		},
		remove: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.DisassociateLambdaFunction(ctx, &connect.DisassociateLambdaFunctionInput{InstanceId: &i, FunctionArn: &what, ClientToken: token})
			return err
		},
		read: func(ctx context.Context, c *connect.Client, i string, limit *int32, next *string) ([]string, *string, error) {
			out, err := c.ListLambdaFunctions(ctx, &connect.ListLambdaFunctionsInput{InstanceId: &i, MaxResults: limit, NextToken: next})
			if err != nil {
				return nil, nil, err
			}
			return out.LambdaFunctions, out.NextToken, nil
		},
		nth: func(n int) string {
			return fmt.Sprintf("arn:aws:lambda:us-east-1:123456789012:function:lookup-%d:live", n)
		},
		page: 25,
		wrong: []string{
			"lookup", "arn:aws:lambda:us-east-1:123456789012:function:", "arn:aws:lambda:us-east-1:123456789012:layer:lookup",
			"arn:aws:lambda::123456789012:function:lookup", "arn:aws:lambda:us-east-1:12:function:lookup", "arn:aws:s3:::bucket",
		},
	},
	"Lex V1 bot": {
		add: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.AssociateLexBot(ctx, &connect.AssociateLexBotInput{InstanceId: &i, LexBot: v1(what), ClientToken: token})
			return err
		},
		remove: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			b := v1(what)
			_, err := c.DisassociateLexBot(ctx, &connect.DisassociateLexBotInput{InstanceId: &i, BotName: b.Name, LexRegion: b.LexRegion, ClientToken: token})
			return err
		},
		read: func(ctx context.Context, c *connect.Client, i string, limit *int32, next *string) ([]string, *string, error) {
			out, err := c.ListLexBots(ctx, &connect.ListLexBotsInput{InstanceId: &i, MaxResults: limit, NextToken: next})
			if err != nil {
				return nil, nil, err
			}
			var names []string
			for _, b := range out.LexBots {
				names = append(names, text(b.Name)+" "+text(b.LexRegion))
			}
			return names, out.NextToken, nil
		},
		nth:   func(n int) string { return fmt.Sprintf("Bot%d us-west-2", n) },
		page:  10,
		wrong: []string{" us-west-2", "Bot "},
	},
	"V1 bot": {
		add: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.AssociateBot(ctx, &connect.AssociateBotInput{InstanceId: &i, LexBot: v1(what), ClientToken: token})
			return err
		},
		remove: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.DisassociateBot(ctx, &connect.DisassociateBotInput{InstanceId: &i, LexBot: v1(what), ClientToken: token})
			return err
		},
		read:  readBots(types.LexVersionV1),
		nth:   func(n int) string { return fmt.Sprintf("Bot%d us-west-2", n) },
		page:  25,
		wrong: []string{" us-west-2", "Bot "},
	},
	"V2 bot": {
		add: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.AssociateBot(ctx, &connect.AssociateBotInput{InstanceId: &i, LexV2Bot: &types.LexV2Bot{AliasArn: &what}, ClientToken: token})
			return err
		},
		remove: func(ctx context.Context, c *connect.Client, i, what string, token *string) error {
			_, err := c.DisassociateBot(ctx, &connect.DisassociateBotInput{InstanceId: &i, LexV2Bot: &types.LexV2Bot{AliasArn: &what}, ClientToken: token})
			return err
		},
		read:  readBots(types.LexVersionV2),
		nth:   func(n int) string { return fmt.Sprintf("arn:aws:lex:us-east-1:123456789012:bot-alias/BOT/ALIAS%d", n) },
		page:  25,
		wrong: []string{"BOT", "arn:aws:lex:us-east-1:123456789012:bot/BOT", "arn:aws:lambda:us-east-1:123456789012:function:lookup"},
	},
}

func v1(what string) *types.LexBot {
	name, region, _ := strings.Cut(what, " ")
	return &types.LexBot{Name: &name, LexRegion: &region}
}

func readBots(version types.LexVersion) func(context.Context, *connect.Client, string, *int32, *string) ([]string, *string, error) {
	return func(ctx context.Context, c *connect.Client, i string, limit *int32, next *string) ([]string, *string, error) {
		out, err := c.ListBots(ctx, &connect.ListBotsInput{InstanceId: &i, LexVersion: version, MaxResults: limit, NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		var names []string
		for _, b := range out.LexBots {
			if b.LexBot != nil {
				names = append(names, text(b.LexBot.Name)+" "+text(b.LexBot.LexRegion))
			}
			if b.LexV2Bot != nil {
				names = append(names, text(b.LexV2Bot.AliasArn))
			}
		}
		return names, out.NextToken, nil
	}
}

func TestLists(t *testing.T) {
	s := servertest.Boot(t)
	for name, l := range lists {
		t.Run(name, func(t *testing.T) {
			ctx, c, instance, other := t.Context(), s.Connect, s.NewInstance(t), s.NewInstance(t)
			page, next, err := l.read(ctx, c, instance, nil, nil)
			ok(t, err)
			if len(page) != 0 || next != nil {
				t.Errorf("a new instance has %v", page)
			}
			var all []string
			for n := range l.page + 1 {
				all = append(all, l.nth(n))
				ok(t, l.add(ctx, c, instance, l.nth(n), nil))
			}
			for _, limit := range []int{0, 3} {
				size, asked := l.page, (*int32)(nil)
				if limit > 0 {
					size, asked = limit, aws.Int32(int32(limit))
				}
				same(t, fmt.Sprintf("the list in pages of %d", size), servertest.Pages(t, func(token *string) ([]string, *string, error) {
					return l.read(ctx, c, instance, asked, token)
				}), servertest.InPages(all, size))
			}
			_, _, err = l.read(ctx, c, instance, nil, aws.String("x"))
			fails(t, err, invalid(name))

			first := l.nth(0)
			fails(t, l.add(ctx, c, instance, first, nil), fault.ResourceConflict, "already associated")
			ok(t, l.add(ctx, c, other, first, nil)) // what one instance has, another may have too
			ok(t, l.remove(ctx, c, instance, first, nil))
			fails(t, l.remove(ctx, c, instance, first, nil), fault.ResourceNotFound, "not associated")
			page, _, err = l.read(ctx, c, other, nil, nil)
			ok(t, err)
			same(t, "the list of the other instance", page, []string{first})

			// A request sent again is answered again, and changes nothing.
			token := aws.String("once")
			for range 2 {
				ok(t, l.add(ctx, c, instance, first, token))
			}
			fails(t, l.add(ctx, c, instance, l.nth(1), token), fault.ResourceConflict, "ClientToken")
			for range 2 {
				ok(t, l.remove(ctx, c, instance, first, token))
			}
			for _, wrong := range l.wrong {
				err := l.add(ctx, c, instance, wrong, nil)
				if err == nil {
					t.Errorf("%q was added", wrong)
					continue
				}
				fails(t, err, invalid(name))
			}
		})
	}
}

// invalid is the exception for a broken rule. AssociateBot and its kin declare
// no InvalidParameterException.
func invalid(list string) fault.Code {
	if list == "V1 bot" || list == "V2 bot" {
		return fault.InvalidRequest
	}
	return fault.InvalidParameter
}

func TestApprovedOriginsHaveNoCase(t *testing.T) {
	s := servertest.Boot(t)
	ctx, instance, l := t.Context(), s.NewInstance(t), lists["ApprovedOrigin"]
	ok(t, l.add(ctx, s.Connect, instance, "https://Example.com", nil))
	fails(t, l.add(ctx, s.Connect, instance, "HTTPS://example.COM", nil), fault.ResourceConflict)
	ok(t, l.add(ctx, s.Connect, instance, "https://example.com:8443", nil))
	ok(t, l.add(ctx, s.Connect, instance, "http://[::1]:3000", nil))
	ok(t, l.remove(ctx, s.Connect, instance, "https://EXAMPLE.com", nil))
}

// TestBotsAreOneList: bots of Lex V1 are the same by either operation, and no
// others are among them.
func TestBotsAreOneList(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	older, newer, v2 := lists["Lex V1 bot"], lists["V1 bot"], lists["V2 bot"]
	ok(t, older.add(ctx, c, instance, "Orders us-east-1", nil))
	fails(t, newer.add(ctx, c, instance, "Orders us-east-1", nil), fault.ResourceConflict)
	ok(t, newer.add(ctx, c, instance, "Orders eu-west-2", nil)) // the same name in another region
	ok(t, v2.add(ctx, c, instance, v2.nth(0), nil))
	for name, l := range map[string]list{"ListLexBots": older, "ListBots": newer} {
		page, _, err := l.read(ctx, c, instance, nil, nil)
		ok(t, err)
		same(t, name, page, []string{"Orders us-east-1", "Orders eu-west-2"})
	}
	page, _, err := v2.read(ctx, c, instance, nil, nil)
	ok(t, err)
	same(t, "V2 bots", page, []string{v2.nth(0)})
	ok(t, older.remove(ctx, c, instance, "Orders eu-west-2", nil))
	ok(t, newer.remove(ctx, c, instance, "Orders us-east-1", nil))

	for name, in := range map[string]*connect.AssociateBotInput{
		"neither":  {InstanceId: &instance},
		"both":     {InstanceId: &instance, LexBot: v1("Orders us-east-1"), LexV2Bot: &types.LexV2Bot{AliasArn: aws.String(v2.nth(1))}},
		"no alias": {InstanceId: &instance, LexV2Bot: &types.LexV2Bot{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.AssociateBot(t.Context(), in)
			fails(t, err, fault.InvalidRequest, "LexV2Bot")
			_, err = c.DisassociateBot(t.Context(), &connect.DisassociateBotInput{InstanceId: in.InstanceId, LexBot: in.LexBot, LexV2Bot: in.LexV2Bot})
			fails(t, err, fault.InvalidRequest, "LexV2Bot")
		})
	}
}

func TestQuotas(t *testing.T) {
	s := servertest.Boot(t, func(cfg *server.Config) { cfg.Quotas = true })
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	for name, most := range map[string]int{"ApprovedOrigin": 100, "LambdaFunction": 50, "Lex V1 bot": 70, "V2 bot": 100} {
		t.Run(name, func(t *testing.T) {
			l := lists[name]
			for n := range most {
				ok(t, l.add(ctx, c, instance, l.nth(n), nil))
			}
			fails(t, l.add(ctx, c, instance, l.nth(most), nil), fault.ServiceQuotaExceeded)
		})
	}
	t.Run("IntegrationAssociation", func(t *testing.T) {
		add := func(n int, kind types.IntegrationType) error {
			_, err := c.CreateIntegrationAssociation(ctx, integration(instance, kind, fmt.Sprintf("arn:aws:wisdom:us-east-1:123456789012:assistant/%d", n)))
			return err
		}
		ok(t, add(0, types.IntegrationTypeWisdomAssistant))
		fails(t, add(1, types.IntegrationTypeWisdomAssistant), fault.InvalidRequest, "Reached Integration association limit for the Amazon Connect instance.")
		for n := range 10 {
			ok(t, add(n, types.IntegrationTypeWisdomKnowledgeBase))
		}
		fails(t, add(10, types.IntegrationTypeWisdomKnowledgeBase), fault.InvalidRequest, "Reached")
		for n := range 12 {
			ok(t, add(n, types.IntegrationTypeApplication)) // without a quota
		}
	})
}

// publicKeys are two keys in both forms that PEM has for them.
func publicKeys(t *testing.T) (pkix, pkcs1 string) {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	der, err := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	ok(t, err)
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	ok(t, err)
	return pemOf("PUBLIC KEY", der), pemOf("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&pair.PublicKey))
}

func pemOf(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func TestSecurityKeys(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	one, two := publicKeys(t)
	third, _ := publicKeys(t)
	add := func(key string, token *string) (*string, error) {
		out, err := c.AssociateSecurityKey(ctx, &connect.AssociateSecurityKeyInput{InstanceId: &instance, Key: &key, ClientToken: token})
		if err != nil {
			return nil, err
		}
		return out.AssociationId, nil
	}
	first, err := add(one, aws.String("once"))
	ok(t, err)
	again, err := add(one, aws.String("once"))
	ok(t, err)
	same(t, "the answer to the same request", again, first)
	_, err = add(strings.ReplaceAll(one, "\n", "\r\n"), nil)
	fails(t, err, fault.ResourceConflict) // the same key, however it is written
	second, err := add(two, nil)
	ok(t, err)
	_, err = add(third, nil)
	fails(t, err, fault.ServiceQuotaExceeded, "2 security keys")

	out, err := c.ListSecurityKeys(ctx, &connect.ListSecurityKeysInput{InstanceId: &instance})
	ok(t, err)
	if len(out.SecurityKeys) != 2 || out.NextToken != nil || out.SecurityKeys[0].CreationTime == nil {
		t.Fatalf("got %+v", out)
	}
	for i, want := range []types.SecurityKey{{AssociationId: first, Key: &one}, {AssociationId: second, Key: &two}} {
		want.CreationTime = out.SecurityKeys[i].CreationTime
		same(t, "a key", out.SecurityKeys[i], want)
	}
	same(t, "keys in pages of 1", servertest.Pages(t, func(token *string) ([]string, *string, error) {
		page, err := c.ListSecurityKeys(ctx, &connect.ListSecurityKeysInput{InstanceId: &instance, MaxResults: aws.Int32(1), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return []string{*page.SecurityKeys[0].AssociationId}, page.NextToken, nil
	}), [][]string{{*first}, {*second}})

	remove := func(id, token *string) error {
		_, err := c.DisassociateSecurityKey(ctx, &connect.DisassociateSecurityKeyInput{InstanceId: &instance, AssociationId: id, ClientToken: token})
		return err
	}
	for range 2 {
		ok(t, remove(first, aws.String("gone")))
	}
	fails(t, remove(first, nil), fault.ResourceNotFound)
	_, err = add(third, nil)
	ok(t, err)
}

func TestWrongSecurityKeys(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	one, two := publicKeys(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(ec)
	ok(t, err)
	for name, key := range map[string]string{
		"no PEM":           "ssh-rsa AAAAB3NzaC1yc2E",
		"a private key":    pemOf("PRIVATE KEY", private),
		"no key inside":    pemOf("PUBLIC KEY", []byte("hello")),
		"no RSA inside":    pemOf("RSA PUBLIC KEY", []byte("hello")),
		"the wrong label":  strings.ReplaceAll(one, "PUBLIC", "RSA PUBLIC"),
		"two keys":         one + two,
		"text after a key": one + "and more",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Connect.AssociateSecurityKey(t.Context(), &connect.AssociateSecurityKeyInput{InstanceId: &instance, Key: &key})
			fails(t, err, fault.InvalidParameter, "Key ")
		})
	}
}

func integration(instance string, kind types.IntegrationType, arn string) *connect.CreateIntegrationAssociationInput {
	return &connect.CreateIntegrationAssociationInput{InstanceId: &instance, IntegrationType: kind, IntegrationArn: &arn}
}

func TestIntegrationAssociations(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	const base = "arn:aws:wisdom:us-east-1:123456789012:knowledge-base/1"
	const events = "arn:aws:app-integrations:us-east-1:123456789012:event-integration/orders"
	event := integration(instance, types.IntegrationTypeEvent, events)
	event.SourceApplicationName, event.SourceApplicationUrl, event.SourceType = aws.String("Orders"), aws.String("https://example.com"), types.SourceTypeSalesforce
	event.Tags = map[string]string{"Team": "sales"}
	var want []types.IntegrationAssociationSummary
	for _, in := range []*connect.CreateIntegrationAssociationInput{
		event,
		integration(instance, types.IntegrationTypeWisdomKnowledgeBase, base),
		integration(instance, types.IntegrationTypeWisdomQuickResponses, base), // the same resource in another type
	} {
		out, err := c.CreateIntegrationAssociation(ctx, in)
		ok(t, err)
		same(t, "the ARN", out.IntegrationAssociationArn, servertest.InstanceARN(instance)+"/integration-association/"+*out.IntegrationAssociationId)
		want = append(want, types.IntegrationAssociationSummary{
			InstanceId: &instance, IntegrationArn: in.IntegrationArn, IntegrationType: in.IntegrationType,
			IntegrationAssociationArn: out.IntegrationAssociationArn, IntegrationAssociationId: out.IntegrationAssociationId,
			SourceApplicationName: in.SourceApplicationName, SourceApplicationUrl: in.SourceApplicationUrl, SourceType: in.SourceType,
		})
		_, err = c.CreateIntegrationAssociation(ctx, in)
		fails(t, err, fault.DuplicateResource, *in.IntegrationArn, string(in.IntegrationType))
	}
	tags, err := c.ListTagsForResource(ctx, &connect.ListTagsForResourceInput{ResourceArn: want[0].IntegrationAssociationArn})
	ok(t, err)
	same(t, "the tags", tags.Tags, event.Tags)

	for name, f := range map[string]struct {
		kind types.IntegrationType
		arn  *string
		want []types.IntegrationAssociationSummary
	}{
		"all":            {want: want},
		"a type":         {kind: types.IntegrationTypeEvent, want: want[:1]},
		"a resource":     {arn: aws.String(base), want: want[1:]},
		"both":           {kind: types.IntegrationTypeWisdomQuickResponses, arn: aws.String(base), want: want[2:]},
		"an unused type": {kind: types.IntegrationTypeVoiceId, want: []types.IntegrationAssociationSummary{}},
	} {
		t.Run(name, func(t *testing.T) {
			pages := servertest.Pages(t, func(token *string) ([]types.IntegrationAssociationSummary, *string, error) {
				out, err := c.ListIntegrationAssociations(ctx, &connect.ListIntegrationAssociationsInput{
					InstanceId: &instance, IntegrationType: f.kind, IntegrationArn: f.arn, MaxResults: aws.Int32(2), NextToken: token,
				})
				if err != nil {
					return nil, nil, err
				}
				return out.IntegrationAssociationSummaryList, out.NextToken, nil
			})
			if len(f.want) == 0 {
				same(t, "the pages", pages, [][]types.IntegrationAssociationSummary{{}})
				return
			}
			same(t, "the pages", pages, servertest.InPages(f.want, 2))
		})
	}

	for name, in := range map[string]*connect.CreateIntegrationAssociationInput{
		"IntegrationArn":        integration(instance, types.IntegrationTypeApplication, "an application"),
		"2048":                  integration(instance, types.IntegrationTypeApplication, "arn:aws:app-integrations:us-east-1:123456789012:"+strings.Repeat("x", 2048)),
		"SourceApplicationName": integration(instance, types.IntegrationTypeEvent, events+"2"),
		"SourceType":            {InstanceId: &instance, IntegrationType: types.IntegrationTypeEvent, IntegrationArn: aws.String(events + "2"), SourceApplicationName: aws.String("a"), SourceApplicationUrl: aws.String("b")},
	} {
		t.Run("wrong "+name, func(t *testing.T) {
			_, err := c.CreateIntegrationAssociation(ctx, in)
			fails(t, err, fault.InvalidRequest, name)
		})
	}
}

func TestUseCases(t *testing.T) {
	s := servertest.Boot(t)
	ctx, c, instance := t.Context(), s.Connect, s.NewInstance(t)
	associate := func(n int) *string {
		out, err := c.CreateIntegrationAssociation(ctx, integration(instance, types.IntegrationTypeApplication, fmt.Sprintf("arn:aws:app-integrations:us-east-1:123456789012:application/%d", n)))
		ok(t, err)
		return out.IntegrationAssociationId
	}
	of, other := associate(1), associate(2)
	create := func(of *string, kind types.UseCaseType) (*connect.CreateUseCaseOutput, error) {
		return c.CreateUseCase(ctx, &connect.CreateUseCaseInput{
			InstanceId: &instance, IntegrationAssociationId: of, UseCaseType: kind, Tags: map[string]string{"Team": "sales"},
		})
	}
	list := func(of *string) [][]types.UseCase {
		return servertest.Pages(t, func(token *string) ([]types.UseCase, *string, error) {
			out, err := c.ListUseCases(ctx, &connect.ListUseCasesInput{InstanceId: &instance, IntegrationAssociationId: of, MaxResults: aws.Int32(1), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.UseCaseSummaryList, out.NextToken, nil
		})
	}
	var want []types.UseCase
	for _, kind := range types.UseCaseType("").Values() {
		out, err := create(of, kind)
		ok(t, err)
		same(t, "the ARN", out.UseCaseArn, servertest.InstanceARN(instance)+"/use-case/"+*out.UseCaseId)
		want = append(want, types.UseCase{UseCaseArn: out.UseCaseArn, UseCaseId: out.UseCaseId, UseCaseType: kind})
		_, err = create(of, kind)
		fails(t, err, fault.DuplicateResource, string(kind))
		_, err = create(other, kind)
		ok(t, err)
	}
	same(t, "the use cases", list(of), servertest.InPages(want, 1))
	tags, err := c.ListTagsForResource(ctx, &connect.ListTagsForResourceInput{ResourceArn: want[0].UseCaseArn})
	ok(t, err)
	same(t, "the tags", tags.Tags, map[string]string{"Team": "sales"})

	remove := func(of, id *string) error {
		_, err := c.DeleteUseCase(ctx, &connect.DeleteUseCaseInput{InstanceId: &instance, IntegrationAssociationId: of, UseCaseId: id})
		return err
	}
	disassociate := func(of *string) error {
		_, err := c.DeleteIntegrationAssociation(ctx, &connect.DeleteIntegrationAssociationInput{InstanceId: &instance, IntegrationAssociationId: of})
		return err
	}
	fails(t, disassociate(of), fault.InvalidRequest, "2 use cases")
	fails(t, remove(other, want[0].UseCaseId), fault.ResourceNotFound) // a use case of another association
	for _, u := range want {
		ok(t, remove(of, u.UseCaseId))
	}
	fails(t, remove(of, want[0].UseCaseId), fault.ResourceNotFound)
	same(t, "the use cases", list(of), [][]types.UseCase{{}})
	ok(t, disassociate(of))
	fails(t, disassociate(of), fault.ResourceNotFound)
	_, err = create(of, types.UseCaseTypeRulesEvaluation)
	fails(t, err, fault.ResourceNotFound)
	_, err = c.ListUseCases(ctx, &connect.ListUseCasesInput{InstanceId: &instance, IntegrationAssociationId: aws.String(domain.NewID())})
	fails(t, err, fault.ResourceNotFound)
}
