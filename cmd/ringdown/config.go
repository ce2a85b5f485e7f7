package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"ringdown/internal/server"
)

// A setting is given by a flag, else by the environment variable
// RINGDOWN_<FLAG>, else by the key of that name in the YAML file that --config
// names, else by its default.
type settings struct {
	server.Config
	throttle, quotas, logFormat string
	// idle are flags that the command has no use for. In the environment and the
	// file, which other commands read too, they may be.
	idle []string
}

// managing declares the flags of a command that manages what a server or a data
// folder holds: the place to find it counts, how it serves does not.
func (s *settings) managing(name string) *flag.FlagSet {
	s.idle = []string{"region", "throttle", "quotas", "sip-listen", "rtp-ports", "sip-trunk"}
	return s.flags(name)
}

// flags declares the flags. The set belongs to one command.
func (s *settings) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet("ringdown "+name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // mistakes are told by main, help by parse
	f.StringVar(&s.Listen, "listen", server.DefaultListen, "`host:port` of the HTTP port")
	f.StringVar(&s.Data, "data", server.DefaultData, "data `folder`, made when it does not exist")
	f.StringVar(&s.Database, "database", "", "postgres:// `URL`; empty: SQLite in the data folder")
	f.StringVar(&s.Region, "region", server.DefaultRegion, "AWS `region` that \"ringdown env\" tells clients to use")
	f.StringVar(&s.Account, "account", server.DefaultAccount, "AWS account `id` of every ARN, 12 digits")
	f.StringVar(&s.throttle, "throttle", "off", "AWS's request rates, `off|aws`")
	f.StringVar(&s.quotas, "quotas", "off", "AWS's service quotas, `off|aws`")
	f.StringVar(&s.TLSCert, "tls-cert", "", "PEM `file` with the certificate chain; serves HTTPS")
	f.StringVar(&s.TLSKey, "tls-key", "", "PEM `file` with the certificate's key")
	f.StringVar(&s.logFormat, "log-format", "text", "`text|json`")
	f.StringVar(&s.SIPListen, "sip-listen", server.DefaultSIPListen, "`host:port` of SIP, UDP and TCP, or off")
	f.StringVar(&s.RTPPorts, "rtp-ports", server.DefaultRTPPorts, "`range` of UDP ports of RTP")
	f.StringVar(&s.SIPTrunk, "sip-trunk", "", "`sip:HOST:PORT` that outbound calls go to; empty: simulated callees")
	f.String("config", "", "YAML `file` with these settings, by the names of the flags")
	return f
}

// parse reads the command line, the environment and the configuration file.
// What is left of the command line stays in the flag set.
func (s *settings) parse(f *flag.FlagSet, p *program, args []string) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintf(p.stdout, "Flags of %s, each also an environment variable RINGDOWN_<FLAG>:\n", f.Name())
			s.printFlags(f, p.stdout)
			return err
		}
		return &usageError{err}
	}
	given := map[string]bool{}
	f.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	for _, name := range s.idle {
		if given[name] {
			return &usageError{fmt.Errorf("--%s has no effect on %s", name, f.Name())}
		}
	}
	var failed error
	set := func(name, value, from string) {
		if err := f.Set(name, value); err != nil && failed == nil {
			failed = &usageError{fmt.Errorf("%s: %w", from, err)}
		}
		given[name] = true
	}
	f.VisitAll(func(fl *flag.Flag) {
		variable := "RINGDOWN_" + strings.ToUpper(strings.ReplaceAll(fl.Name, "-", "_"))
		if v := p.getenv(variable); v != "" && !given[fl.Name] {
			set(fl.Name, v, variable)
		}
	})
	if failed != nil {
		return failed
	}
	if file := f.Lookup("config").Value.String(); file != "" {
		values, err := readConfigFile(file, f, s.sections())
		if err != nil {
			return &usageError{err}
		}
		for name, value := range values {
			if !given[name] {
				set(name, value, file)
			}
		}
	}
	if failed != nil {
		return failed
	}
	s.SIPAnyPort = !given["sip-listen"]
	s.RootAccessKeyID = p.getenv("RINGDOWN_ROOT_ACCESS_KEY_ID")
	s.RootSecretAccessKey = p.getenv("RINGDOWN_ROOT_SECRET_ACCESS_KEY")
	return s.complete(p)
}

// printFlags prints the flags that have an effect.
func (s *settings) printFlags(f *flag.FlagSet, w io.Writer) {
	shown := flag.NewFlagSet(f.Name(), flag.ContinueOnError)
	shown.SetOutput(w)
	f.VisitAll(func(fl *flag.Flag) {
		if !slices.Contains(s.idle, fl.Name) {
			shown.Var(fl.Value, fl.Name, fl.Usage)
			shown.Lookup(fl.Name).DefValue = fl.DefValue
		}
	})
	shown.PrintDefaults()
}

// sections are what the configuration file alone can say, by key.
func (s *settings) sections() map[string]any {
	return map[string]any{"numbers": &s.Numbers, "calls": &s.Calls, "objects": &s.Objects, "lambda": &s.Lambda, "events": &s.Events, "streaming": &s.Streaming, "simulation": &s.Simulation, "sip": &s.SIP, "speech": &s.Speech, "sign-in": &s.SignIn}
}

// readConfigFile reads scalar settings, which it returns, and sections, which
// it fills in. An unknown key is refused, for a misspelt one would be silently
// without effect.
func readConfigFile(file string, f *flag.FlagSet, sections map[string]any) (map[string]string, error) {
	raw, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	var keys map[string]yaml.Node
	if err := yaml.Unmarshal(raw, &keys); err != nil {
		return nil, fmt.Errorf("--config: %s: %w", file, err)
	}
	values := map[string]string{}
	for name, node := range keys {
		if section, ok := sections[name]; ok {
			if err := decodeStrictly(&node, section); err != nil {
				return nil, fmt.Errorf("--config: %s:%d: %s: %w", file, node.Line, name, err)
			}
			continue
		}
		switch {
		case f.Lookup(name) == nil || name == "config":
			return nil, fmt.Errorf("--config: %s:%d: there is no setting %q", file, node.Line, name)
		case node.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("--config: %s:%d: %s must be a single value", file, node.Line, name)
		}
		values[name] = node.Value
	}
	return values, nil
}

// decodeStrictly refuses keys that the section does not have.
func decodeStrictly(node *yaml.Node, section any) error {
	raw, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	return d.Decode(section)
}

// complete turns words into settings.
func (s *settings) complete(p *program) error {
	for _, w := range []struct {
		name, value string
		target      *bool
	}{{"throttle", s.throttle, &s.Throttle}, {"quotas", s.quotas, &s.Quotas}} {
		switch w.value {
		case "off", "false": // YAML 1.1 readers write off as false
			*w.target = false
		case "aws":
			*w.target = true
		default:
			return &usageError{fmt.Errorf("--%s must be off or aws", w.name)}
		}
	}
	if s.SIPListen == "off" || s.SIPListen == "false" {
		s.SIPListen = ""
	}
	switch s.logFormat {
	case "text":
		s.Logger = slog.New(slog.NewTextHandler(p.stderr, nil))
	case "json":
		s.Logger = slog.New(slog.NewJSONHandler(p.stderr, nil))
	default:
		return &usageError{fmt.Errorf("--log-format must be text or json")}
	}
	return nil
}
