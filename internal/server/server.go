package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ringdown/internal/app/attachments"
	"ringdown/internal/app/chats"
	"ringdown/internal/app/contacts"
	"ringdown/internal/app/datatables"
	"ringdown/internal/app/directory"
	"ringdown/internal/app/email"
	"ringdown/internal/app/evaluations"
	"ringdown/internal/app/flows"
	"ringdown/internal/app/instance"
	"ringdown/internal/app/integrations"
	"ringdown/internal/app/notifications"
	"ringdown/internal/app/numbers"
	"ringdown/internal/app/participants"
	"ringdown/internal/app/prompts"
	"ringdown/internal/app/replication"
	"ringdown/internal/app/routing"
	"ringdown/internal/app/rules"
	"ringdown/internal/app/storage"
	"ringdown/internal/app/tagging"
	"ringdown/internal/app/tasks"
	"ringdown/internal/app/testcases"
	"ringdown/internal/app/views"
	"ringdown/internal/app/vocabularies"
	"ringdown/internal/app/workspaces"
	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/contract"
	"ringdown/internal/event"
	"ringdown/internal/gateway"
	"ringdown/internal/iam"
	"ringdown/internal/lambda"
	"ringdown/internal/login"
	"ringdown/internal/objects"
	"ringdown/internal/scim"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// Server is a running server.
type Server struct {
	URL     string // where it listens
	SIP     string // where it takes calls, host:port; "" when it takes none
	Data    string // absolute path of the data folder
	NewRoot bool   // root credentials were made at this start
	Exposed bool   // it can be reached from other machines
	Root    RootCredentials
	Served  []string // names of operations

	connectServed int
	cfg           Config
	store         store.Store
	folder        *objects.Folder // of files; nil when a service keeps them
	functions     *lambda.Client  // that flows invoke
	contacts      *contact.Manager
	testCases     *testcases.TestCases       // runs tests of flows
	chats         *audience                  // carries what is said to those who take part
	participants  *participants.Participants // whose tokens open WebSockets
	calls         *contacts.Contacts         // takes calls
	voice         *voice                     // carries them
	identities    *identities                // lets users in
	people        *people                    // who are the users of instances
	traces        *bell                      // rings when contacts have written something
	events        *event.Outbox              // delivers what contacts have appended to the store
	http          *http.Server
	finished      chan error
}

// drain is how long a stopping server lets requests finish.
const drain = 15 * time.Second

// Start opens the data and begins to serve. When it returns, the server is
// ready. Close stops it.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if cfg.Data, err = cfg.dataFolder(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, Data: cfg.Data, Exposed: cfg.exposed(), traces: newBell(), finished: make(chan error, 1)}

	c := catalog.New(catalog.Options{Account: cfg.Account, Shared: cfg.Database != "", Quotas: cfg.Quotas, Now: cfg.Now, Logger: cfg.Logger})
	files, folder, err := newObjects(&cfg)
	if err != nil {
		return nil, err
	}
	s.folder = folder
	if s.functions, err = newLambda(&cfg); err != nil {
		return nil, err
	}
	if s.voice, err = newVoice(&cfg, files); err != nil {
		return nil, err
	}
	if s.chats, err = newAudience(&cfg); err != nil {
		return nil, err
	}
	if s.identities, err = s.newIdentities(); err != nil {
		return nil, err
	}
	feeds, err := cfg.feeds()
	if err != nil {
		return nil, err
	}
	stock, err := cfg.stock()
	if err != nil {
		return nil, err
	}
	areas := s.newAreas(c, files, stock) // before the store, whose changes the catalog must understand
	if s.store, err = sqlstore.Open(ctx, sqlstore.Options{
		Dir: cfg.Data, URL: cfg.Database, Now: cfg.Now, Observer: c.Observe, Logger: cfg.Logger,
	}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.chats.Close()
			err = errors.Join(err, s.testCases.Close(), s.voice.Close(), s.contacts.Close(), s.events.Close(), s.identities.Close(), s.folder.Close(), s.store.Close())
		}
	}()
	c.Use(s.store)
	if err := c.LoadIndex(ctx); err != nil {
		return nil, err
	}
	if s.Root, s.NewRoot, err = ensureRoot(&cfg); err != nil {
		return nil, err
	}
	if err := s.folder.Open(s.Root.SecretAccessKey); err != nil {
		return nil, err
	}
	if err := s.openEvents(ctx, feeds); err != nil {
		return nil, err
	}
	if err := s.chats.open(s.Root.SecretAccessKey, s.store); err != nil {
		return nil, err
	}
	if err := s.contacts.Open(ctx, s.store, cfg.Database != ""); err != nil {
		return nil, err
	}
	if err := s.testCases.Open(ctx, cfg.Database != ""); err != nil {
		return nil, err
	}
	handler, err := s.handler(c, areas) //nolint:contextcheck // pages have the contexts of their requests
	if err != nil {
		return nil, err
	}
	if err := s.voice.open(ctx, files, s.store, s.calls.Receive); err != nil {
		return nil, err
	}
	return s, s.listen(ctx, handler)
}

// newAreas makes everything that serves operations, and the engine of contacts.
func (s *Server) newAreas(c *catalog.Catalog, files objects.Store, stock numbers.Stock) []any {
	users := directory.New(c, s.identities.passwords, userDirectories(s.identities.directories))
	routes := routing.New(c)
	sounds := prompts.New(c, files)
	regions := replication.New(c)
	phones := numbers.New(c, stock, regions)
	flow := flows.New(c, phones)
	screens := views.New(c)
	stored := storage.New(c)
	templates := tasks.New(c)
	found := &configured{
		catalog: c, flows: flow, queues: routes, prompts: sounds, people: users, numbers: phones, templates: templates, stored: stored,
	}
	tables := datatables.New(c, routes)
	outside := &services{tables, s.cfg.Logger}
	s.contacts = s.newContacts(found, outside)
	s.testCases = testcases.New(c, &flowTests{configured: found, contacts: s.contacts, functions: functionCaller{s.functions}, services: outside})
	mayCall, _ := s.cfg.destinations() // which complete has checked
	instances := instance.New(c, instance.Others{
		// The flows of a new instance name its queue and its prompts, so they come
		// after them.
		Seeders:  []instance.Seeder{routes, sounds, flow, users},
		Leavers:  []instance.Leaver{phones, regions},
		Cleaners: []instance.Cleaner{contactCleaner{s.contacts}, objectCleaner{files}},
	})
	s.people = &people{c, instances, users}
	s.participants = participants.New(c, participants.Others{
		Engine: s.contacts, Tokens: s.chats.tokens, Objects: files, Limits: stored, Views: screens, Socket: socketURL,
	})
	s.calls = contacts.New(c, contacts.Others{
		Engine: s.contacts, Configuration: found, Instances: instances, Numbers: phones, QuickConnects: routes, Predefined: users, Destinations: mayCall,
	})
	return []any{
		instances,
		chats.New(c, chats.Others{Engine: s.contacts, Configuration: found, Tokens: s.chats.tokens}),
		s.participants,
		s.calls,
		users,
		routes,
		sounds,
		flow,
		phones,
		stored,
		attachments.New(c, files, stored),
		integrations.New(c),
		regions,
		email.New(c),
		workspaces.New(c, screens),
		notifications.New(c),
		screens,
		tables,
		vocabularies.New(c),
		templates,
		rules.New(c),
		evaluations.New(c),
		s.testCases,
		tagging.New(c),
	}
}

// handler puts the API and what is beside it on one port.
func (s *Server) handler(c *catalog.Catalog, areas []any) (http.Handler, error) {
	api, err := contract.Load()
	if err != nil {
		return nil, err
	}
	keys, err := iam.NewKeys(iam.KeysOptions{
		Store: s.store, Account: s.cfg.Account, RootID: s.Root.AccessKeyID, RootSecret: s.Root.SecretAccessKey, Now: s.cfg.Now, Logger: s.cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	if err := s.identities.open(s, keys); err != nil {
		return nil, err
	}
	areas = append(areas, s.identities.areas(c)...)
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(goCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), s.events, s.voice)
	g, err := gateway.New(gateway.Options{
		API: api, Keys: keys, Tags: c, Metrics: metrics, Logger: s.cfg.Logger, Now: s.cfg.Now,
		Account: s.cfg.Account, Throttle: s.cfg.Throttle, Address: s.identities.address,
	}, areas...)
	if err != nil {
		return nil, err
	}
	s.Served = g.Served()
	for _, name := range s.Served {
		if api.Service("Connect").Operation(name) != nil {
			s.connectServed++
		}
	}
	own := http.NewServeMux()
	own.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	own.Handle("GET /-/metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	tokens := iam.NewSCIMTokens(iam.SCIMTokensOptions{Store: s.store, Now: s.cfg.Now})
	ring := &localKeys{keys: keys, tokens: tokens, store: s.store, base: s.identities.url, audit: s.identities.audit}
	managed := s.private("keys", ring.serve)
	own.Handle(keysPath, managed)
	own.Handle(keysPath+"/", managed)
	traces := s.private("contacts", tracer{s.store, s.traces, traceRun}.serve)
	own.Handle(contactsPath, traces)
	own.Handle(contactsPath+"/", traces)
	providers := s.private("identity providers", s.identities.manager(s.cfg.Account).serve)
	own.Handle(idpPath, providers)
	own.Handle(idpPath+"/", providers)
	own.Handle(login.Path, s.identities.pages(s))
	provisioning := s.newSCIM(tokens)
	own.Handle(scim.Path, provisioning)
	own.Handle("GET "+socketPath, socketHandler{s.participants, s.chats})
	links := linksHandler{s.folder, s.cfg}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux cleans paths, which would break signatures and the keys of
		// objects, so it sees only its own.
		if s.folder != nil && strings.HasPrefix(r.URL.Path, objects.LinkPath) {
			links.ServeHTTP(w, r)
			return
		}
		if strings.HasPrefix(r.URL.Path, scim.Path) {
			// Identity providers do not follow redirects to a cleaner path.
			provisioning.ServeHTTP(w, r)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/-/") {
			own.ServeHTTP(w, r)
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

// listen opens the port and serves in the background.
func (s *Server) listen(ctx context.Context, handler http.Handler) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	s.URL = s.cfg.scheme() + "://" + reachable(l.Addr().String())
	s.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelWarn),
	}
	s.http.RegisterOnShutdown(s.traces.silence)
	s.SIP = s.voice.address()
	raw, err := json.Marshal(endpoint{s.URL, s.SIP})
	if err == nil {
		err = writePrivately(filepath.Join(s.Data, endpointFile), raw)
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	go func() {
		if s.cfg.TLSCert != "" {
			s.finished <- s.http.ServeTLS(l, s.cfg.TLSCert, s.cfg.TLSKey)
			return
		}
		s.finished <- s.http.Serve(l)
	}()
	return nil
}

// Wait returns when ctx is done or the server has failed, which gives an
// error.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.finished:
		s.finished <- err
		return err
	}
}

// Close lets requests finish, then frees everything. It may be called twice.
func (s *Server) Close() error {
	s.voice.quiesce(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if e := os.Remove(filepath.Join(s.Data, endpointFile)); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	s.chats.Close()
	// Calls end before contacts are left to the next start, so that their records
	// tell how.
	return errors.Join(err, s.testCases.Close(), s.voice.Close(), s.contacts.Close(), s.events.Close(), s.identities.Close(), s.folder.Close(), s.store.Close())
}

// ConnectServed is how many operations of Amazon Connect are served.
func (s *Server) ConnectServed() int { return s.connectServed }

// RootFile is where the root credentials are kept.
func (s *Server) RootFile() string { return filepath.Join(s.Data, rootFile) }
