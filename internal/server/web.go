package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ringdown/internal/contract"
	"ringdown/internal/gateway"
)

// drain is how long a stopping server lets requests finish.
const drain = 15 * time.Second

// web answers requests on the one port.
type web struct {
	tls      *tls.Config  // nil for HTTP
	server   *http.Server // nil until open
	endpoint string       // the file that tells other commands where
	finished chan error   // why it does not serve any more
	serving  sync.WaitGroup
}

func newWeb(c *Config) (*web, error) {
	w := &web{endpoint: filepath.Join(c.Data, endpointFile), finished: make(chan error, 1)}
	if c.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
		}
		w.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return w, nil
}

// openWeb serves what all parts have to show.
func (s *Server) openWeb(ctx context.Context) error {
	handler, err := s.handler()
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	s.URL = s.cfg.scheme() + "://" + reachable(l.Addr().String())
	if err := s.web.tell(endpoint{s.URL, s.SIP}); err != nil {
		return errors.Join(err, l.Close())
	}
	s.web.serve(l, handler, &s.cfg, s.events.bell.silence)
	return nil
}

// handler puts the API and what is beside it on one port.
func (s *Server) handler() (http.Handler, error) {
	api, err := contract.Load()
	if err != nil {
		return nil, err
	}
	pages := &own{ServeMux: http.NewServeMux(), metrics: prometheus.NewRegistry()}
	pages.metrics.MustRegister(goCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	g, err := gateway.New(gateway.Options{
		API: api, Keys: s.keys, Tags: s.catalog, Metrics: pages.metrics, Logger: s.cfg.Logger, Now: s.cfg.Now,
		Account: s.cfg.Account, Throttle: s.cfg.Throttle, Address: s.identities.address,
	}, append(s.areas, s.identities.areas(s.catalog)...)...)
	if err != nil {
		return nil, err
	}
	s.Served = g.Served()
	for _, name := range s.Served {
		if api.Service("Connect").Operation(name) != nil {
			s.connectServed++
		}
	}
	pages.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	pages.Handle("GET /-/metrics", promhttp.HandlerFor(pages.metrics, promhttp.HandlerOpts{}))
	s.parts.show(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/-/") {
			pages.ServeHTTP(w, r)
			return
		}
		g.ServeHTTP(w, s.withBase(r))
	}), nil
}

// reachable is an address at which a server that listens on addr can be
// reached from its own machine: a server that listens on all addresses is told
// to nobody as 0.0.0.0 or [::].
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// serve answers what comes to a listener, in the background. The function is
// called when that is to end, so that requests that wait wait no longer.
func (w *web) serve(l net.Listener, handler http.Handler, c *Config, ending func()) {
	w.server = &http.Server{
		Handler:           handler,
		TLSConfig:         w.tls,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(c.Logger.Handler(), slog.LevelWarn),
	}
	w.server.RegisterOnShutdown(ending)
	w.serving.Go(func() {
		if w.tls != nil {
			w.finished <- w.server.ServeTLS(l, "", "")
			return
		}
		w.finished <- w.server.Serve(l)
	})
}

// tell writes down where the server is.
func (w *web) tell(where endpoint) error {
	raw, err := json.Marshal(where)
	if err != nil {
		return err
	}
	return writePrivately(w.endpoint, raw)
}

// Close lets requests finish. It may be called twice, and before open.
func (w *web) Close() error {
	if w.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := w.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, w.server.Close())
	}
	w.serving.Wait()
	if e := os.Remove(w.endpoint); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}
