package contract_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ringdown/internal/contract"
	"ringdown/internal/fault"
)

// loadSTS binds every operation of STS to the SDK client's own types.
func loadSTS(t testing.TB) *contract.Service {
	t.Helper()
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	svc := api.Service("STS")
	client := reflect.TypeFor[*sts.Client]()
	for _, op := range svc.Operations() {
		m, ok := client.MethodByName(op.Name)
		if !ok {
			t.Fatalf("the SDK has no %s", op.Name)
		}
		if err := op.Bind(m.Type.In(2), m.Type.Out(0)); err != nil {
			t.Fatal(err)
		}
	}
	return svc
}

// answering is an http.RoundTripper that keeps the form of a request and gives
// an answer.
type answering struct {
	status int
	body   []byte
	form   string
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a.form = string(raw)
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r,
	}, r.Body.Close()
}

func (a *answering) client() *sts.Client {
	return sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://sts.invalid"), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", ""), HTTPClient: &http.Client{Transport: a},
	})
}

const roleARN = "arn:aws:iam::123456789012:role/desk"

// TestFormsOfTheSDK: what AWS's own client sends is what was given to it, empty
// lists included.
func TestFormsOfTheSDK(t *testing.T) {
	svc := loadSTS(t)
	sent := &answering{status: http.StatusOK, body: []byte(`<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>`)}
	client := sent.client()
	many := make([]types.Tag, 12) // so that member.10 is not taken for the second
	for i := range many {
		many[i] = types.Tag{Key: aws.String(strings.Repeat("k", i+1)), Value: aws.String("")}
	}
	for _, in := range []*sts.AssumeRoleInput{
		{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("mary")},
		{
			RoleArn: aws.String(roleARN), RoleSessionName: aws.String("mary@example.com"), DurationSeconds: aws.Int32(900), ExternalId: aws.String("a/b"),
			Policy: aws.String(`{"Version":"2012-10-17","Statement":[]}` + "\r\n\tä"), SourceIdentity: aws.String("mary"), SerialNumber: aws.String("GAHT12345678"), TokenCode: aws.String("123456"),
			PolicyArns:        []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}, {Arn: aws.String("arn:aws:iam::aws:policy/Other")}},
			Tags:              []types.Tag{{Key: aws.String("Département"), Value: aws.String("Ventes + Co.=/@:-_")}, {Key: aws.String("a.b"), Value: aws.String("")}},
			TransitiveTagKeys: []string{"Département", "a.b"},
			ProvidedContexts:  []types.ProvidedContext{{ProviderArn: aws.String("arn:aws:iam::aws:contextProvider/IdentityCenter"), ContextAssertion: aws.String("abcd")}},
		},
		{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("mary"), Tags: many},
		{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("mary"), Tags: []types.Tag{}, TransitiveTagKeys: []string{}, PolicyArns: []types.PolicyDescriptorType{}},
	} {
		if _, err := client.AssumeRole(context.Background(), in); err != nil {
			t.Fatal(err)
		}
		form, err := url.ParseQuery(sent.form)
		if err != nil {
			t.Fatal(err)
		}
		got, err := svc.Operation("AssumeRole").DecodeForm(form)
		if err != nil {
			t.Errorf("%s: %v", sent.form, err)
		}
		if !reflect.DeepEqual(got, in) {
			t.Errorf("%s became %+v, want %+v", sent.form, got, in)
		}
	}
}

// TestFormProblems: everything that a form breaks is named, never repeated.
func TestFormProblems(t *testing.T) {
	svc := loadSTS(t)
	const good = "RoleArn=" + roleARN + "&RoleSessionName=mary"
	const (
		name = `[\w+=,.@-]*`
		tag  = `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`
	)
	for _, c := range []struct{ name, form, want string }{
		{"good", good, ""},
		{"unknown members", good + "&Unknown=1&Unknown.member.1=2&.=3&=4&Tagsmember=5", ""},
		{"nothing", "", "RoleArn is required; RoleSessionName is required"},
		{"too short", "RoleArn=short&RoleSessionName=m", "RoleArn must have at least 20 characters, it has 5; RoleSessionName must have at least 2 characters, it has 1"},
		{"too long", good + "&RoleSessionName=x&SourceIdentity=" + strings.Repeat("s", 65), "SourceIdentity must have at most 64 characters, it has 65"},
		{"the first of two counts", "RoleSessionName=m&" + good, "RoleSessionName must have at least 2 characters, it has 1"},
		{"part of a name matches", "RoleArn=" + roleARN + "&RoleSessionName=mary major", "RoleSessionName must match the pattern " + name},
		{"a line end after a name", "RoleArn=" + roleARN + "&RoleSessionName=mary%0A", "RoleSessionName must match the pattern " + name},
		{"no UTF-8", "RoleArn=" + roleARN + "&RoleSessionName=%ff%ff", "RoleSessionName must be valid UTF-8"},
		{"no number", good + "&DurationSeconds=long", "DurationSeconds must be an integer"},
		{"empty number", good + "&DurationSeconds=", "DurationSeconds must be an integer"},
		{"too large a number", good + "&DurationSeconds=43201", "DurationSeconds must be between 900 and 43200"},
		{"far too large a number", good + "&DurationSeconds=99999999999", "DurationSeconds must be an integer of 32 bits"},
		{"an empty policy", good + "&Policy=", "Policy must have at least 1 characters, it has 0"},
		{"a policy in other letters", good + "&Policy=%E2%82%AC", "Policy must match the pattern [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"},
		{"half a tag", good + "&Tags.member.1.Key=a&Tags.member.2.Value=b", "Tags[0].Value is required; Tags[1].Key is required"},
		{"a tag without members", good + "&Tags.member.1=a", "Tags[0] must be given by its members"},
		{"gaps are closed", good + "&Tags.member.7.Key=!&Tags.member.7.Value=&Tags.member.3.Key=a&Tags.member.3.Value=", "Tags[1].Key must match the pattern " + tag},
		{"a list as one value", good + "&Tags=a", "Tags must be given as Tags.member.1 and so on"},
		{"a list and one value", good + "&Tags=&Tags.member.1.Key=a", "Tags must be given as Tags.member.1 and so on"},
		{"a list without the word", good + "&Tags.1.Key=a", "Tags must be given as Tags.member.1 and so on"},
		{"item zero", good + "&Tags.member.0.Key=a", "Tags must be given as Tags.member.1 and so on"},
		{"item minus one", good + "&Tags.member.-1.Key=a", "Tags must be given as Tags.member.1 and so on"},
		{"item 01", good + "&Tags.member.01.Key=a", "Tags must be given as Tags.member.1 and so on"},
		{"no number", good + "&Tags.member.x.Key=a", "Tags must be given as Tags.member.1 and so on"},
		{"nothing after the word", good + "&Tags.member=a", "Tags must be given as Tags.member.1 and so on"},
		{"a scalar with members", "RoleArn.member.1=" + roleARN + "&RoleSessionName=mary", "RoleArn must be a single value"},
		{"a scalar deeper down", good + "&Tags.member.1.Key.x=a&Tags.member.1.Value=b", "Tags[0].Key must be a single value"},
		{"a list of texts", good + "&TransitiveTagKeys.member.1=a&TransitiveTagKeys.member.2=", "TransitiveTagKeys[1] must have at least 1 characters, it has 0"},
		{"too many items", good + items("TransitiveTagKeys", 51), "TransitiveTagKeys must include at most 50 items"},
		{"far too many items", good + items("TransitiveTagKeys", 1001), "TransitiveTagKeys must include at most 1000 items"},
		{"too few items", good + "&ProvidedContexts=", "ProvidedContexts must include at least 1 items"},
		{"too deep to be a member", good + "&Tags" + strings.Repeat(".member.1", 2000) + "=a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			form, err := url.ParseQuery(c.form)
			if err != nil {
				t.Fatal(err)
			}
			in, err := svc.Operation("AssumeRole").DecodeForm(form)
			if _, ok := in.(*sts.AssumeRoleInput); !ok {
				t.Errorf("the input is a %T", in)
			}
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!fault.Is(err, fault.ValidationError) || fault.From(err).Message != c.want):
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := svc.Operation("AssumeRole").DecodeForm(url.Values{"Tags": {"a"}, "PolicyArns": {"a"}, "TransitiveTagKeys": {"a"}, "ProvidedContexts": {"a"}}); strings.Count(fault.From(err).Message, ";") != 5 {
		t.Errorf("not all problems are told: %v", err)
	}
}

func items(list string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&" + list + ".member." + strconv.Itoa(i+1) + "=k")
	}
	return b.String()
}

// TestSTSErrorsAreTyped: the SDK knows each exception that an operation declares
// by the code in the answer, which for some is not the shape's name.
func TestSTSErrorsAreTyped(t *testing.T) {
	svc := loadSTS(t)
	for _, op := range svc.Operations() {
		for _, code := range op.Errors {
			f := op.Fault(fault.New(code, "why <it> failed & so on"))
			if f.Code != code {
				t.Errorf("%s: %s became %s", op.Name, code, f.Code)
			}
			a := &answering{status: op.Status(code), body: svc.FaultXML(f, "an-id")}
			method := reflect.ValueOf(a.client()).MethodByName(op.Name)
			in := minimal(op.Name)
			result := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), reflect.ValueOf(in)})
			err, _ := result[1].Interface().(error)
			if !typed(err, code) {
				t.Errorf("%s: %s, status %d, came as %v", op.Name, code, a.status, err)
			}
		}
	}
	saml := svc.Operation("AssumeRoleWithSAML")
	for code, want := range map[fault.Code]int{
		fault.ExpiredToken: 400, fault.IDPRejectedClaim: 403, fault.InvalidIdentityToken: 400, fault.MalformedPolicyDocument: 400,
		fault.PackedPolicyTooLarge: 400, fault.ExpiredCredentials: 403, fault.AccessDenied: 403, fault.ValidationError: 400,
	} {
		if got := saml.Status(code); got != want {
			t.Errorf("%s has status %d, want %d", code, got, want)
		}
	}
}

func minimal(operation string) any {
	switch operation {
	case "AssumeRole":
		return &sts.AssumeRoleInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("mary")}
	case "AssumeRoleWithSAML":
		return &sts.AssumeRoleWithSAMLInput{RoleArn: aws.String(roleARN), PrincipalArn: aws.String(roleARN), SAMLAssertion: aws.String("abcd")}
	default:
		return &sts.GetCallerIdentityInput{}
	}
}

// typed reports whether err is the SDK's own type for a code.
func typed(err error, code fault.Code) bool {
	var (
		expired   *types.ExpiredTokenException
		malformed *types.MalformedPolicyDocumentException
		packed    *types.PackedPolicyTooLargeException
		disabled  *types.RegionDisabledException
		rejected  *types.IDPRejectedClaimException
		invalid   *types.InvalidIdentityTokenException
	)
	targets := map[fault.Code]any{
		fault.ExpiredToken: &expired, fault.MalformedPolicyDocument: &malformed, fault.PackedPolicyTooLarge: &packed,
		"RegionDisabledException": &disabled, fault.IDPRejectedClaim: &rejected, fault.InvalidIdentityToken: &invalid,
	}
	target, ok := targets[code]
	return ok && errors.As(err, target) && strings.Contains(err.Error(), "why <it> failed & so on")
}

// TestStatusesOfTheModel: what the models give an exception is what it has in
// general, but for the one that STS shares with those that check signatures.
func TestStatusesOfTheModel(t *testing.T) {
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"Connect", "ConnectParticipant", "STS"} {
		for _, op := range api.Service(id).Operations() {
			for _, code := range op.Errors {
				if general := code.Status(); op.Status(code) != general && !(id == "STS" && slices.Contains([]fault.Code{fault.ExpiredToken, "RegionDisabledException"}, code)) {
					t.Errorf("%s: %s is %d in the model, and %d in general", op.Name, code, op.Status(code), general)
				}
			}
		}
	}
}

// TestUnsigned: one operation is for callers without credentials.
func TestUnsigned(t *testing.T) {
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	var unsigned []string
	for _, id := range []string{"Connect", "ConnectParticipant", "STS"} {
		for _, op := range api.Service(id).Operations() {
			if op.Unsigned {
				unsigned = append(unsigned, op.Name)
			}
		}
	}
	if !slices.Equal(unsigned, []string{"AssumeRoleWithSAML"}) {
		t.Errorf("no signature is needed for %q", unsigned)
	}
}

// FuzzForm shows that no form crashes the decoder or gets past the model's
// limits, and that a refusal is a short ValidationError.
func FuzzForm(f *testing.F) {
	svc := loadSTS(f)
	ops := svc.Operations()
	const good = "RoleArn=" + roleARN + "&RoleSessionName=mary"
	for i := range ops {
		f.Add(uint8(i), good+"&Tags.member.1.Key=a&Tags.member.1.Value=b&TransitiveTagKeys.member.1=a&PolicyArns=")
		f.Add(uint8(i), good+"&PrincipalArn="+roleARN+"&SAMLAssertion=abcd&DurationSeconds=9e2")
		f.Add(uint8(i), "Tags.member.1.Key.x=1&Tags..member=&.=&Tags.member=2&Tags.member.99999999999999999999.Key=1")
	}
	f.Fuzz(func(t *testing.T, i uint8, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		in, err := ops[int(i)%len(ops)].DecodeForm(form)
		if in == nil {
			t.Fatal("no input")
		}
		if err != nil {
			if message := fault.From(err).Message; !fault.Is(err, fault.ValidationError) || len(message) > 2000 || strings.Count(message, ";") > 9 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if in, ok := in.(*sts.AssumeRoleInput); ok {
			if n := len(aws.ToString(in.RoleSessionName)); n < 2 || n > 64 || len(in.Tags) > 50 || in.RoleArn == nil || len(in.TransitiveTagKeys) > 50 {
				t.Fatalf("accepted %+v", in)
			}
			for _, tag := range in.Tags {
				if tag.Key == nil || tag.Value == nil || *tag.Key == "" {
					t.Fatalf("accepted the tag %+v", tag)
				}
			}
		}
	})
}
