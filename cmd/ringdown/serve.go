package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"ringdown/internal/server"
)

// serve runs the server until ctx is done.
func serve(ctx context.Context, p *program, args []string) error {
	var s settings
	f := s.flags("serve")
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return &usageError{fmt.Errorf("unexpected argument %q", f.Arg(0))}
	}
	server.CollectLess()
	running, err := server.Start(ctx, s.Config)
	if err != nil {
		return err
	}
	s.announce(p.stderr, running)
	err = running.Wait(ctx)
	s.Logger.Info("stopping")
	return errors.Join(err, running.Close())
}

// announce tells a person where everything is, and a machine the same in one
// record.
func (s *settings) announce(w io.Writer, r *server.Server) {
	if s.logFormat == "json" {
		s.Logger.Info("ready", "url", r.URL, "sip", r.SIP, "data", r.Data, "operations", len(r.Served), "exposed", r.Exposed)
	} else {
		fmt.Fprintf(w, "ringdown %s is ready: %d of 370 operations of Amazon Connect, see docs/coverage.md.\n", versionString(), r.ConnectServed())
		fmt.Fprintf(w, "  API    %s\n", r.URL)
		if r.SIP != "" {
			fmt.Fprintf(w, "  SIP    %s (UDP and TCP)\n", r.SIP)
		}
		fmt.Fprintf(w, "  data   %s (%s)\n", r.Data, s.databaseKind())
		if r.NewRoot {
			fmt.Fprintf(w, "  root   credentials were made and are kept in %s\n", r.RootFile())
		}
		fmt.Fprintf(w, "To use it from another terminal:\n  eval \"$(ringdown env%s)\"\n  aws connect list-instances --endpoint-url %s\n", s.dataFlag(), r.URL)
	}
	if r.Exposed && s.TLSCert == "" {
		s.Logger.Warn("!! This server can be reached from other machines and does not use TLS: whoever is on the way can read everything. Give --tls-cert and --tls-key, or listen on 127.0.0.1.")
	}
}

func (s *settings) databaseKind() string {
	if s.Database != "" {
		return "the database is PostgreSQL"
	}
	return "SQLite"
}

// dataFlag is what other commands need to find this server's data folder.
func (s *settings) dataFlag() string {
	if s.Data == server.DefaultData {
		return ""
	}
	return " --data " + shellQuote(s.Data)
}
