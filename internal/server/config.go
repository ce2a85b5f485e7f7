// Package server puts the parts of ringdown together: one process that serves
// the API, its metrics and its own pages on one port. cmd/ringdown runs it,
// and so do the tests.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Config is all that can be chosen about a server. The zero value of a member
// means its default.
type Config struct {
	Listen   string // host:port of the HTTP port; port 0 takes a free one
	Data     string // the data folder
	Database string // postgres://… ; empty: SQLite in the data folder
	Region   string // what `ringdown env` tells clients to use
	Account  string // the 12 digits in every ARN
	Throttle bool   // AWS's request rates
	Quotas   bool   // AWS's quotas
	TLSCert  string // PEM files; both or neither
	TLSKey   string

	// Numbers is the inventory of phone numbers that can be claimed. Empty: a
	// plausible stock for each country and type.
	Numbers []Number
	// Objects is where prompts and other files are kept.
	Objects Objects
	// Calls says who may be called.
	Calls Calls
	// Lambda is where the functions are that flows invoke.
	Lambda Lambda
	// Streaming is where the topics are that chats are published to.
	Streaming Streaming
	// SIPListen is host:port of SIP; port 0 takes a free one. Empty: no calls by SIP.
	SIPListen string
	// SIPAnyPort has a free port taken when that of SIPListen is not.
	SIPAnyPort bool
	RTPPorts   string // a range, such as 20000-29999
	SIPTrunk   string // sip:HOST:PORT that outbound calls go to
	SIP        SIP
	Speech     Speech
	// SignIn says how users come in.
	SignIn SignIn
	// Simulation is who answers calls that no trunk takes.
	Simulation Simulation
	// Events is where contact events and contact records are delivered to.
	Events Events

	// Root credentials. Empty: those of the data folder, made at first need.
	RootAccessKeyID     string
	RootSecretAccessKey string

	Logger *slog.Logger
	Now    func() time.Time
}

// Number is a phone number of the operator's.
type Number struct {
	Number string `yaml:"number"` // E.164, with its plus sign
	Type   string `yaml:"type"`   // as in the API: DID, TOLL_FREE …; empty: DID
	Trunk  string `yaml:"trunk"`  // that its calls come from
}

// Objects says where s3://BUCKET/KEY leads. The zero value is a folder of the
// data folder.
type Objects struct {
	// Endpoint is the URL of a service that speaks S3; "aws" means Amazon's own.
	Endpoint        string `yaml:"endpoint"`
	Region          string `yaml:"region"` // empty: that of the server
	AccessKeyID     string `yaml:"access-key-id"`
	SecretAccessKey string `yaml:"secret-access-key"`
}

// Calls says who may be called. The zero value allows all numbers or, with
// Quotas, those that AWS lets new instances call.
type Calls struct {
	Countries       []string `yaml:"countries"`        // two letters each, such as US
	BlockedPrefixes []string `yaml:"blocked-prefixes"` // E.164, such as +447
}

// Lambda says where functions are. The zero value knows none.
type Lambda struct {
	// Endpoint is the URL of a service that speaks the API of AWS Lambda; "aws"
	// means Amazon's own.
	Endpoint        string `yaml:"endpoint"`
	Region          string `yaml:"region"` // of functions named without ARN; empty: that of the server
	AccessKeyID     string `yaml:"access-key-id"`
	SecretAccessKey string `yaml:"secret-access-key"`
	// Functions are URLs that events are posted to, by ARN or name.
	Functions map[string]string `yaml:"functions"`
}

// Streaming says where topics are. The zero value knows none.
type Streaming struct {
	// Endpoint is the URL of a service that speaks the API of Amazon SNS; "aws"
	// means Amazon's own.
	Endpoint        string `yaml:"endpoint"`
	Region          string `yaml:"region"` // of topics whose ARN tells none; empty: that of the server
	AccessKeyID     string `yaml:"access-key-id"`
	SecretAccessKey string `yaml:"secret-access-key"`
	// Topics are URLs that items are posted to, as SNS notifies HTTP endpoints, by
	// ARN.
	Topics map[string]string `yaml:"topics"`
}

// The defaults of a Config.
const (
	DefaultListen  = "127.0.0.1:8765"
	DefaultData    = "./ringdown-data"
	DefaultRegion  = "us-east-1"
	DefaultAccount = "123456789012"
)

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+){1,2}-[0-9]$`)
)

// complete fills in defaults and checks the rest. The errors name the flag.
func (c *Config) complete() error {
	for _, d := range []struct {
		value *string
		def   string
	}{{&c.Listen, DefaultListen}, {&c.Data, DefaultData}, {&c.Region, DefaultRegion}, {&c.Account, DefaultAccount}} {
		if *d.value == "" {
			*d.value = d.def
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("--listen must be host:port, such as %s: %w", DefaultListen, err)
	}
	if !accountPattern.MatchString(c.Account) {
		return errors.New("--account must be the 12 digits of an AWS account")
	}
	if !regionPattern.MatchString(c.Region) {
		return errors.New("--region must be an AWS region such as us-east-1")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key must be given together")
	}
	if c.Database != "" && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		return errors.New("--database must be empty, for SQLite in the data folder, or a postgres:// URL")
	}
	if _, err := c.destinations(); err != nil {
		return err
	}
	if _, err := c.trunks(); err != nil {
		return err
	}
	if (c.RootAccessKeyID == "") != (c.RootSecretAccessKey == "") {
		return errors.New("RINGDOWN_ROOT_ACCESS_KEY_ID and RINGDOWN_ROOT_SECRET_ACCESS_KEY must be set together")
	}
	return nil
}

// exposed reports whether the server can be reached from other machines.
func (c *Config) exposed() bool {
	host, _, _ := net.SplitHostPort(c.Listen)
	if host == "localhost" {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

// scheme is that of the server's URLs.
func (c *Config) scheme() string {
	if c.TLSCert != "" {
		return "https"
	}
	return "http"
}

// dataFolder makes the data folder if need be and returns its absolute path.
func (c *Config) dataFolder() (string, error) {
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	return dir, nil
}
