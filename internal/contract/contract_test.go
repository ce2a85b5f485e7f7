package contract_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contract"
	"ringdown/internal/fault"
)

// load binds every operation of Connect to the SDK client's own types.
func load(t testing.TB) *contract.API {
	t.Helper()
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	client := reflect.TypeFor[*connect.Client]()
	ops := api.Service("Connect").Operations()
	if len(ops) != 370 {
		t.Fatalf("%d operations, want 370", len(ops))
	}
	for _, op := range ops {
		m, ok := client.MethodByName(op.Name)
		if !ok {
			t.Fatalf("the SDK has no %s", op.Name)
		}
		if err := op.Bind(m.Type.In(2), m.Type.Out(0)); err != nil {
			t.Fatal(err)
		}
	}
	return api
}

func TestEveryOperationBindsToTheSDK(t *testing.T) { load(t) }

func TestEveryRouteMatchesItself(t *testing.T) {
	api := load(t)
	arn := "arn:aws:connect:us-east-1:123456789012:instance/0190f0c4-0000-7000-8000-000000000000/agent/x"
	for _, id := range []string{"Connect", "ConnectParticipant"} {
		for _, op := range api.Service(id).Operations() {
			for _, value := range []string{"some-id", "with space+and%", arn} {
				for _, escape := range []func(string) string{url.PathEscape, escapeAll} {
					var want []string
					segments := strings.Split(op.URI, "/")
					for i, s := range segments {
						if strings.HasPrefix(s, "{") {
							segments[i] = escape(value)
							want = append(want, value)
						}
					}
					got, values := api.Match(op.Method, strings.Join(segments, "/"))
					if got != op || !reflect.DeepEqual(values, want) {
						t.Errorf("%s %s matched %v with %q, want %s with %q", op.Method, strings.Join(segments, "/"), got, values, op.Name, want)
					}
				}
			}
		}
	}
}

func escapeAll(s string) string { return strings.ReplaceAll(url.PathEscape(s), ":", "%3A") }

func TestBareARNsInThePath(t *testing.T) {
	api := load(t)
	for _, c := range []struct{ method, path, op, last string }{
		{"POST", "/tags/arn:aws:connect:us-east-1:1:instance/i/agent/u", "TagResource", "arn:aws:connect:us-east-1:1:instance/i/agent/u"},
		{"GET", "/tags/arn:aws:connect:us-east-1:1:instance/i/queue/agent/u", "ListTagsForResource", "arn:aws:connect:us-east-1:1:instance/i/queue/agent/u"},
		{"GET", "/contact-flows/i/arn:aws:connect:us-east-1:1:instance/i/contact-flow/f", "DescribeContactFlow", "arn:aws:connect:us-east-1:1:instance/i/contact-flow/f"},
		{"POST", "/contact-flows/i/arn:aws:connect:us-east-1:1:instance/i/contact-flow/f/name", "UpdateContactFlowName", "arn:aws:connect:us-east-1:1:instance/i/contact-flow/f"},
		{"POST", "/contact-flows/i/arn%3Aaws%3Aconnect%3Aus-east-1%3A1%3Ainstance%2Fi%2Fcontact-flow%2Ff/name", "UpdateContactFlowName", "arn:aws:connect:us-east-1:1:instance/i/contact-flow/f"},
	} {
		op, values := api.Match(c.method, c.path)
		if op == nil || op.Name != c.op || values[len(values)-1] != c.last {
			t.Errorf("%s %s: %v %q", c.method, c.path, op, values)
		}
	}
	for _, path := range []string{"/", "", "//", "/users", "/users/", "/nothing/here", "/users/a/b/c/d/e", "/users//" + strings.Repeat("a/", 100), "/users/%zz"} {
		if op, _ := api.Match("GET", path); op != nil {
			t.Errorf("GET %q matched %s", path, op.Name)
		}
	}
}

func decode(t *testing.T, op *contract.Operation, path []string, query, body string) (any, error) {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return op.Decode(contract.Request{Path: path, Query: q, Header: http.Header{}, Body: []byte(body)})
}

func TestDecode(t *testing.T) {
	svc := load(t).Service("Connect")
	in, err := decode(t, svc.Operation("CreateUser"), []string{"i"}, "", `{
		"Username": "mary", "RoutingProfileId": "r", "SecurityProfileIds": ["a", "b"], "Unknown": {"x": [1, {}]},
		"PhoneConfig": {"PhoneType": "DESK_PHONE", "AutoAccept": true, "AfterContactWorkTimeLimit": 6e1, "DeskPhoneNumber": "+15555551212"},
		"IdentityInfo": null, "Tags": {"Département": "Ventes", "e": ""}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := &connect.CreateUserInput{
		InstanceId: aws.String("i"), Username: aws.String("mary"), RoutingProfileId: aws.String("r"), SecurityProfileIds: []string{"a", "b"},
		PhoneConfig: &types.UserPhoneConfig{PhoneType: types.PhoneTypeDeskPhone, AutoAccept: true, AfterContactWorkTimeLimit: 60, DeskPhoneNumber: aws.String("+15555551212")},
		Tags:        map[string]string{"Département": "Ventes", "e": ""},
	}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("CreateUser: %s", show(in))
	}

	in, err = decode(t, svc.Operation("ListQueues"), []string{"i"}, "queueTypes=STANDARD&queueTypes=AGENT&maxResults=7", "")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, &connect.ListQueuesInput{InstanceId: aws.String("i"), MaxResults: aws.Int32(7), QueueTypes: []types.QueueType{"STANDARD", "AGENT"}}) {
		t.Errorf("ListQueues: %s", show(in))
	}

	in, err = decode(t, svc.Operation("CreatePredefinedAttribute"), []string{"i"}, "", `{"Name":"n","Values":{"StringList":["a"]}}`)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := in.(*connect.CreatePredefinedAttributeInput).Values.(*types.PredefinedAttributeValuesMemberStringList); !ok || v.Value[0] != "a" {
		t.Errorf("union: %s", show(in))
	}
}

func show(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestDecodeRefuses(t *testing.T) {
	svc := load(t).Service("Connect")
	user := func(rest string) string {
		return `{"Username":"mary","RoutingProfileId":"r","SecurityProfileIds":["a"]` + rest + `}`
	}
	for name, c := range map[string]struct {
		op, query, body string
		code            fault.Code
		message         string
	}{
		"not JSON":        {"CreateUser", "", `{nonsense`, fault.Serialization, "not valid JSON at byte"},
		"no object":       {"CreateUser", "", `["a"]`, fault.Serialization, "not a list"},
		"truncated":       {"CreateUser", "", `{"Username":"ma`, fault.Serialization, "ends too early"},
		"text after":      {"CreateUser", "", user("") + "x", fault.Serialization, "text after"},
		"too deep":        {"SearchUsers", "", `{"InstanceId":"i","SearchCriteria":` + strings.Repeat(`{"OrConditions":[`, 60) + strings.Repeat(`]}`, 60) + `}`, fault.Serialization, "deeper than"},
		"missing":         {"CreateUser", "", `{"Username":"mary","SecurityProfileIds":["a"]}`, fault.InvalidParameter, "RoutingProfileId is required"},
		"empty":           {"CreateUser", "", ``, fault.InvalidParameter, "RoutingProfileId is required; SecurityProfileIds is required; Username is required"},
		"missing inside":  {"CreateUser", "", user(`,"AutoAcceptConfigs":[{"AutoAccept":true}]`), fault.InvalidParameter, "AutoAcceptConfigs[0].Channel is required"},
		"wrong type":      {"CreateUser", "", user(`,"PhoneConfig":{"AutoAccept":"yes"}`), fault.InvalidParameter, "PhoneConfig.AutoAccept must be a boolean, not a string"},
		"enum":            {"CreateUser", "", user(`,"PhoneConfig":{"PhoneType":"FAX"}`), fault.InvalidParameter, "PhoneConfig.PhoneType must be one of SOFT_PHONE, DESK_PHONE"},
		"pattern":         {"CreateUser", "", user(`,"PhoneConfig":{"PhoneType":"DESK_PHONE","DeskPhoneNumber":"555"}`), fault.InvalidParameter, "PhoneConfig.DeskPhoneNumber not in E164 format"},
		"password":        {"CreateUser", "", user(`,"Password":"hunter2"`), fault.InvalidParameter, "Password must have 8 to 64 characters"},
		"too many":        {"CreateUser", "", `{"Username":"mary","RoutingProfileId":"r","SecurityProfileIds":["1","2","3","4","5","6","7","8","9","10","11"]}`, fault.InvalidParameter, "SecurityProfileIds must include at most 10 items"},
		"tag key":         {"CreateUser", "", user(`,"Tags":{"aws:x":"y"}`), fault.InvalidParameter, "Tags.key must not begin with aws:"},
		"no tags":         {"CreateUser", "", user(`,"Tags":{}`), fault.InvalidParameter, "Tags must include at least 1 items"},
		"too long":        {"CreateUser", "", `{"Username":"` + strings.Repeat("x", 101) + `","RoutingProfileId":"r","SecurityProfileIds":["a"]}`, fault.InvalidParameter, "Username must have at most 100 characters, it has 101"},
		"range":           {"ListUsers", "maxResults=0", ``, fault.InvalidParameter, "MaxResults must be between 1 and 1000"},
		"no number":       {"ListUsers", "maxResults=many", ``, fault.InvalidParameter, "MaxResults must be an integer"},
		"query enum":      {"ListQueues", "queueTypes=STANDARD&queueTypes=ODD", ``, fault.InvalidParameter, "QueueTypes[1] must be one of STANDARD, AGENT"},
		"overflow":        {"CreateUser", "", user(`,"PhoneConfig":{"AfterContactWorkTimeLimit":99999999999}`), fault.InvalidParameter, "integer of 32 bits"},
		"fraction":        {"CreateUser", "", user(`,"PhoneConfig":{"AfterContactWorkTimeLimit":1.5}`), fault.InvalidParameter, "must be an integer"},
		"two of a union":  {"CreatePredefinedAttribute", "", `{"Name":"n","Values":{}}`, fault.InvalidParameter, "Values must have exactly one of StringList"},
		"other exception": {"CreateInstance", "", `{}`, fault.InvalidRequest, "IdentityManagementType is required"},
		"invalid UTF-8":   {"CreateUser", "", "{\"Username\":\"\xff\"}", fault.Serialization, "not valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := decode(t, svc.Operation(c.op), []string{"i"}, c.query, c.body)
			if in == nil || !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%v, want %s %s", err, c.code, c.message)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Error("a password is in the message")
			}
		})
	}
}

func TestEncode(t *testing.T) {
	svc := load(t).Service("Connect")
	when := time.UnixMilli(1571234567120)
	got, err := svc.Operation("DescribeUser").Encode(nil, &connect.DescribeUserOutput{User: &types.User{
		Id: aws.String("u"), Username: aws.String("a\"é\n<"), PhoneConfig: &types.UserPhoneConfig{DeskPhoneNumber: aws.String("")},
		Tags: map[string]string{}, SecurityProfileIds: []string{"b", "a"}, LastModifiedTime: &when,
	}})
	want := `{"User":{"Id":"u","LastModifiedTime":1571234567.12,"PhoneConfig":{"AfterContactWorkTimeLimit":0,"AutoAccept":false,"DeskPhoneNumber":""},"SecurityProfileIds":["b","a"],"Tags":{},"Username":"a\"é\n<"}}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
	got, err = svc.Operation("TagResource").Encode(nil, (*connect.TagResourceOutput)(nil))
	if err != nil || string(got) != "{}" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err = svc.Operation("TagResource").Encode(nil, &connect.DescribeUserOutput{}); err == nil {
		t.Error("another operation's output was taken")
	}
}

func TestFaultsAreDeclared(t *testing.T) {
	svc := load(t).Service("Connect")
	for _, c := range []struct {
		op         string
		code, want fault.Code
	}{
		{"CreateUser", fault.InvalidParameter, fault.InvalidParameter},
		{"CreateInstance", fault.InvalidParameter, fault.InvalidRequest},
		{"CreateView", fault.Throttling, fault.TooManyRequests},
		{"CreateInstance", fault.LimitExceeded, fault.ServiceQuotaExceeded},
		{"DeleteHoursOfOperation", fault.ResourceInUse, fault.InvalidRequest},
		{"ListPhoneNumbersV2", fault.InvalidRequest, fault.InvalidParameter},
		{"ListUsers", fault.AccessDenied, fault.AccessDenied},
	} {
		if got := svc.Operation(c.op).Fault(fault.New(c.code, "x")).Code; got != c.want {
			t.Errorf("%s: %s became %s, want %s", c.op, c.code, got, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	svc := load(f).Service("Connect")
	ops := svc.Operations()
	f.Add(uint16(0), "q=1", `{"Username":"a"}`)
	f.Add(uint16(100), "maxResults=-1", `{"SearchCriteria":{"OrConditions":[{}]}}`)
	f.Fuzz(func(t *testing.T, i uint16, query, body string) {
		op := ops[int(i)%len(ops)]
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		path := []string{"a", "b", "c", "d"}
		in, err := op.Decode(contract.Request{Path: path, Query: q, Body: []byte(body)})
		if in == nil {
			t.Fatal("no input")
		}
		if err != nil && fault.From(err).Code.Status() != http.StatusBadRequest {
			t.Fatalf("%s: %v", op.Name, err)
		}
		if err == nil && reflect.TypeOf(in).Elem().Kind() != reflect.Struct {
			t.Fatal("no structure")
		}
	})
}

func FuzzMatch(f *testing.F) {
	api := load(f)
	f.Add("GET", "/users/i/u")
	f.Add("POST", "/tags/arn:aws:x/y/z")
	f.Fuzz(func(t *testing.T, method, path string) {
		if op, values := api.Match(method, path); op != nil && len(values) != strings.Count(op.URI, "{") {
			t.Fatalf("%s %s: %s with %q", method, path, op.Name, values)
		}
	})
}

func BenchmarkDecodeCreateUser(b *testing.B) {
	op := load(b).Service("Connect").Operation("CreateUser")
	r := contract.Request{Path: []string{"i"}, Body: []byte(`{"Username":"mary","RoutingProfileId":"r","SecurityProfileIds":["a"],"IdentityInfo":{"FirstName":"Mary","LastName":"Major"},"PhoneConfig":{"PhoneType":"DESK_PHONE","AutoAccept":true,"AfterContactWorkTimeLimit":60,"DeskPhoneNumber":"+15555551212"}}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := op.Decode(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeDescribeUser(b *testing.B) {
	op := load(b).Service("Connect").Operation("DescribeUser")
	when := time.Now()
	out := &connect.DescribeUserOutput{User: &types.User{Id: aws.String("0190f0c4-0000-7000-8000-000000000000"), Username: aws.String("mary"), Arn: aws.String("arn:aws:connect:us-east-1:1:instance/i/agent/u"), SecurityProfileIds: []string{"a"}, LastModifiedTime: &when, Tags: map[string]string{"a": "b"}}}
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := op.Encode(buf, out); err != nil {
			b.Fatal(err)
		}
	}
}
