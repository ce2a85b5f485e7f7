package main

import (
	"reflect"
	"strings"
	"testing"

	"ringdown/internal/server"
)

// TestPrecedence: a flag, else the environment, else the file, else the
// default.
func TestPrecedence(t *testing.T) {
	config := file(t, "ringdown.yaml", "account: \"333333333333\"\nregion: eu-west-3\nthrottle: aws\nquotas: off\nlisten: 127.0.0.1:3333\n")
	for _, c := range []struct {
		name string
		env  environment
		args []string
		want settings
	}{
		{"defaults", nil, nil, settings{Config: server.Config{
			Account: "123456789012", Region: "us-east-1", Listen: "127.0.0.1:8765", Data: "./ringdown-data",
		}}},
		{"file", nil, []string{"--config", config}, settings{Config: server.Config{
			Account: "333333333333", Region: "eu-west-3", Listen: "127.0.0.1:3333", Data: "./ringdown-data", Throttle: true,
		}}},
		{"file named by the environment", environment{"RINGDOWN_CONFIG": config}, nil, settings{Config: server.Config{
			Account: "333333333333", Region: "eu-west-3", Listen: "127.0.0.1:3333", Data: "./ringdown-data", Throttle: true,
		}}},
		{"environment over file", environment{"RINGDOWN_ACCOUNT": "222222222222", "RINGDOWN_THROTTLE": "off"}, []string{"--config", config}, settings{Config: server.Config{
			Account: "222222222222", Region: "eu-west-3", Listen: "127.0.0.1:3333", Data: "./ringdown-data",
		}}},
		{"flag over environment over file", environment{"RINGDOWN_ACCOUNT": "222222222222", "RINGDOWN_REGION": "eu-west-2"}, []string{"--config", config, "--account", "111111111111"}, settings{Config: server.Config{
			Account: "111111111111", Region: "eu-west-2", Listen: "127.0.0.1:3333", Data: "./ringdown-data", Throttle: true,
		}}},
		{"flag that gives the default", environment{"RINGDOWN_REGION": "eu-west-2"}, []string{"--region", "us-east-1"}, settings{Config: server.Config{
			Account: "123456789012", Region: "us-east-1", Listen: "127.0.0.1:8765", Data: "./ringdown-data",
		}}},
		{"hyphens", environment{"RINGDOWN_TLS_CERT": "cert.pem", "RINGDOWN_TLS_KEY": "key.pem"}, nil, settings{Config: server.Config{
			Account: "123456789012", Region: "us-east-1", Listen: "127.0.0.1:8765", Data: "./ringdown-data", TLSCert: "cert.pem", TLSKey: "key.pem",
		}}},
		{"root credentials", environment{"RINGDOWN_ROOT_ACCESS_KEY_ID": "AKIA", "RINGDOWN_ROOT_SECRET_ACCESS_KEY": "secret"}, []string{"--quotas=aws"}, settings{Config: server.Config{
			Account: "123456789012", Region: "us-east-1", Listen: "127.0.0.1:8765", Data: "./ringdown-data", Quotas: true,
			RootAccessKeyID: "AKIA", RootSecretAccessKey: "secret",
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s settings
			p := &program{getenv: func(name string) string { return c.env[name] }, stderr: &strings.Builder{}}
			if err := s.parse(s.flags("serve"), p, c.args); err != nil {
				t.Fatal(err)
			}
			got, want := s.Config, c.want.Config
			got.Logger, got.Now = nil, nil
			if got.Listen != want.Listen || got.Data != want.Data || got.Region != want.Region || got.Account != want.Account ||
				got.Throttle != want.Throttle || got.Quotas != want.Quotas || got.TLSCert != want.TLSCert || got.TLSKey != want.TLSKey ||
				got.RootAccessKeyID != want.RootAccessKeyID || got.RootSecretAccessKey != want.RootSecretAccessKey {
				t.Errorf("%+v\nwant %+v", got, want)
			}
		})
	}
}

// TestMistakes: a command line, environment or file that makes no sense is
// refused, with the place and without effect.
func TestMistakes(t *testing.T) {
	unknown := file(t, "unknown.yaml", "# comment\nregion: eu-west-3\n\nlistne: 127.0.0.1:1\n")
	list := file(t, "list.yaml", "region:\n  - eu-west-3\n")
	broken := file(t, "broken.yaml", "region: [\n")
	for _, c := range []struct {
		name string
		env  environment
		args []string
		code int
		want string
	}{
		{"no command", nil, nil, 2, "Usage:"},
		{"unknown command", nil, []string{"sreve"}, 2, `there is no command "sreve"`},
		{"unknown flag", nil, []string{"serve", "--lisetn", "x"}, 2, "flag provided but not defined: -lisetn"},
		{"superfluous argument", nil, []string{"serve", "now"}, 2, `unexpected argument "now"`},
		{"unknown key", nil, []string{"serve", "--config", unknown}, 2, unknown + `:4: there is no setting "listne"`},
		{"list for a value", nil, []string{"serve", "--config", list}, 2, list + ":2: region must be a single value"},
		{"broken YAML", nil, []string{"serve", "--config", broken}, 2, broken},
		{"no such file", nil, []string{"serve", "--config", unknown + ".gone"}, 2, "no such file"},
		{"file within a file", nil, []string{"serve", "--config", file(t, "nested.yaml", "config: other.yaml\n")}, 2, `there is no setting "config"`},
		{"unknown member of lambda", nil, []string{"serve", "--config", file(t, "lambda.yaml", "lambda:\n  endpiont: aws\n")}, 2, "lambda.yaml:2: lambda: "},
		{"function without address", nil, []string{"serve", "--config", file(t, "functions.yaml", "lambda:\n  functions:\n    greet: nowhere\n")}, 1, `lambda: functions: the address of "greet" must be a URL`},
		{"unknown member of events", nil, []string{"serve", "--config", file(t, "events.yaml", "events:\n  webhook: {ulr: x}\n")}, 2, "events.yaml:2: events: "},
		{"webhook without URL", nil, []string{"serve", "--config", file(t, "webhook.yaml", "events:\n  webhook: {secret: s}\n")}, 1, "events: webhook: url must be a URL"},
		{"unknown member of simulation", nil, []string{"serve", "--config", file(t, "simulation.yaml", "simulation:\n  sped: 1\n")}, 2, "simulation.yaml:2: simulation: "},
		{"callee without number", nil, []string{"serve", "--config", file(t, "callee.yaml", "simulation:\n  callees: [{answer: busy}]\n")}, 1, "simulation: callees[0]: number must be"},
		{"SIP trunk", nil, []string{"serve", "--sip-trunk", "carrier"}, 1, "--sip-trunk must be a SIP address such as"},
		{"RTP ports", nil, []string{"serve", "--rtp-ports", "20000"}, 1, "--rtp-ports must be a range of ports"},
		{"SIP address", nil, []string{"serve", "--sip-listen", "5060"}, 1, "--sip-listen must be host:port"},
		{"unknown member of sip", nil, []string{"serve", "--config", file(t, "sip.yaml", "sip:\n  trnks: []\n")}, 2, "sip.yaml:2: sip: "},
		{"trunk without name", nil, []string{"serve", "--config", file(t, "trunk.yaml", "sip:\n  trunks: [{address: 'sip:192.0.2.1'}]\n")}, 1, "sip: trunks[0]: name must be"},
		{"unknown speech engine", nil, []string{"serve", "--config", file(t, "speech.yaml", "speech:\n  engine: parrot\n")}, 1, "speech: "},
		{"throttle", nil, []string{"serve", "--throttle", "on"}, 2, "--throttle must be off or aws"},
		{"quotas in the environment", environment{"RINGDOWN_QUOTAS": "maybe"}, []string{"serve"}, 2, "--quotas must be off or aws"},
		{"log format", nil, []string{"serve", "--log-format", "xml"}, 2, "--log-format must be text or json"},
		{"listen", nil, []string{"serve", "--listen", "8765"}, 1, "--listen must be host:port"},
		{"account", nil, []string{"serve", "--account", "12"}, 1, "--account must be the 12 digits"},
		{"region", nil, []string{"serve", "--region", "earth"}, 1, "--region must be an AWS region"},
		{"half of TLS", nil, []string{"serve", "--tls-cert", "c.pem"}, 1, "--tls-cert and --tls-key must be given together"},
		{"database", nil, []string{"serve", "--database", "mysql://x"}, 1, "--database must be empty"},
		{"half of the root credentials", environment{"RINGDOWN_ROOT_ACCESS_KEY_ID": "AKIA"}, []string{"serve"}, 1, "must be set together"},
		{"version with arguments", nil, []string{"version", "now"}, 2, "it takes no arguments"},
		{"keys without a verb", nil, []string{"keys"}, 2, "say create, list or delete"},
		{"keys with an unknown verb", nil, []string{"keys", "make"}, 2, `there is no "make"`},
		{"key without a user", nil, []string{"keys", "create"}, 2, "give --user NAME and --policy FILE"},
		{"delete of no key", nil, []string{"keys", "delete"}, 2, "give the id of the key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args
			data := t.TempDir() + "/data"
			if len(args) > 0 && args[0] == "serve" {
				args = append(args[:1:1], append([]string{"--data", data}, args[1:]...)...)
			}
			r := run(t, c.env, "", args...)
			if r.code != c.code || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
				t.Errorf("%s\nwant code %d and %q", r, c.code, c.want)
			}
			if strings.Count(r.stderr, c.want) != 1 {
				t.Errorf("the mistake is told more than once: %s", r.stderr)
			}
			if strings.Count(r.stderr, "\n") > 5+len(commands()) { // the list of them is the longest
				t.Errorf("one mistake fills the screen: %s", r.stderr)
			}
		})
	}
}

// TestLambdaSection: every member of the section has its key.
func TestLambdaSection(t *testing.T) {
	config := file(t, "ringdown.yaml", "lambda:\n  endpoint: http://127.0.0.1:4566\n  region: eu-west-1\n  access-key-id: id\n  secret-access-key: secret\n  functions:\n    greet: http://127.0.0.1:9000\n")
	var s settings
	p := &program{getenv: func(string) string { return "" }, stderr: &strings.Builder{}}
	if err := s.parse(s.flags("serve"), p, []string{"--config", config}); err != nil {
		t.Fatal(err)
	}
	want := server.Lambda{
		Endpoint: "http://127.0.0.1:4566", Region: "eu-west-1", AccessKeyID: "id", SecretAccessKey: "secret",
		Functions: map[string]string{"greet": "http://127.0.0.1:9000"},
	}
	if !reflect.DeepEqual(s.Lambda, want) {
		t.Errorf("%+v\nwant %+v", s.Lambda, want)
	}
}

// TestEventsSection: every member of the section has its key.
func TestEventsSection(t *testing.T) {
	service := "endpoint: http://127.0.0.1:4566, region: eu-west-1, access-key-id: id, secret-access-key: secret"
	config := file(t, "ringdown.yaml", "events:\n  file: false\n  webhook: {url: \"http://127.0.0.1:9000\", secret: s}\n"+
		"  eventbridge: {"+service+", bus: b, source: own}\n  kinesis: {"+service+", records-stream: r, events-stream: e}\n")
	var s settings
	p := &program{getenv: func(string) string { return "" }, stderr: &strings.Builder{}}
	if err := s.parse(s.flags("serve"), p, []string{"--config", config}); err != nil {
		t.Fatal(err)
	}
	at := server.EventsService{Endpoint: "http://127.0.0.1:4566", Region: "eu-west-1", AccessKeyID: "id", SecretAccessKey: "secret"}
	want := server.Events{
		File: new(false), Webhook: &server.EventsWebhook{URL: "http://127.0.0.1:9000", Secret: "s"},
		EventBridge: &server.EventsEventBridge{EventsService: at, Bus: "b", Source: "own"},
		Kinesis:     &server.EventsKinesis{EventsService: at, RecordsStream: "r", EventsStream: "e"},
	}
	if !reflect.DeepEqual(s.Events, want) {
		t.Errorf("%+v\nwant %+v", s.Events, want)
	}
}

// TestSimulationSection: every member of the section has its key.
func TestSimulationSection(t *testing.T) {
	config := file(t, "ringdown.yaml", "simulation:\n  speed: 10\n  callees:\n  - number: \"+1415555*\"\n    answer: 2s\n    press: [\"\", 1, \"42#\"]\n    hangup: 30s\n")
	var s settings
	p := &program{getenv: func(string) string { return "" }, stderr: &strings.Builder{}}
	if err := s.parse(s.flags("serve"), p, []string{"--config", config}); err != nil {
		t.Fatal(err)
	}
	want := server.Simulation{
		Speed: new(10.0), Callees: []server.Callee{{Number: "+1415555*", Answer: "2s", Press: []string{"", "1", "42#"}, Hangup: "30s"}},
	}
	if !reflect.DeepEqual(s.Simulation, want) {
		t.Errorf("%+v\nwant %+v", s.Simulation, want)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		r := succeed(t, nil, "", args...)
		for _, want := range []string{"ringdown serve", "ringdown env", "ringdown keys", "ringdown version"} {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s lacks %q: %s", args, want, r)
			}
		}
	}
	for _, args := range [][]string{{"serve", "--help"}, {"env", "-h"}, {"keys", "create", "--help"}, {"keys", "list", "-h"}} {
		r := succeed(t, nil, "", args...)
		for _, want := range []string{"-listen", "-data", "-database", "-account", "-tls-cert", "RINGDOWN_<FLAG>", "127.0.0.1:8765"} {
			if !strings.Contains(r.stdout, want) || r.stderr != "" {
				t.Errorf("%s lacks %q: %s", args, want, r)
			}
		}
	}
	if r := succeed(t, nil, "", "keys", "help"); !strings.Contains(r.stdout, "ringdown keys create --user NAME --policy FILE") {
		t.Errorf("keys help: %s", r)
	}
	if r := succeed(t, nil, "", "version"); !strings.HasPrefix(r.stdout, "ringdown ") {
		t.Errorf("version: %s", r)
	}
}
