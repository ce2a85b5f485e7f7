package server

import (
	"context"
	"path/filepath"
	"strings"
	"sync"

	"ringdown/internal/app/contacts"
	"ringdown/internal/app/participants"
	"ringdown/internal/app/testcases"
	"ringdown/internal/catalog"
	"ringdown/internal/contact"
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

	// Made by prepare.
	catalog      *catalog.Catalog
	files        objects.Store
	folder       *objects.Folder            // of files; nil when a service keeps them
	functions    *lambda.Client             // that flows invoke
	voice        *voice                     // carries calls
	chats        *audience                  // carries what is said to those who take part
	identities   *identities                // lets users in
	events       *deliveries                // of what contacts have appended to the store
	areas        []any                      // serve the operations
	contacts     *contact.Manager           // the engine of contacts
	calls        *contacts.Contacts         // takes calls
	testCases    *testcases.TestCases       // runs tests of flows
	participants *participants.Participants // whose tokens open WebSockets
	people       *people                    // who are the users of instances
	web          *web                       // answers requests

	// Opened by the parts that are called the same.
	store  store.Store
	keys   *iam.Keys
	tokens *iam.SCIMTokens

	parts parts
	close func() error
}

// Start opens the data and begins to serve. When it returns, the server is
// ready. Close stops it.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if cfg.Data, err = cfg.dataFolder(); err != nil {
		return nil, err
	}
	s, err := prepare(cfg) //nolint:contextcheck // pages have the contexts of their requests
	if err != nil {
		return nil, err
	}
	if err := s.parts.open(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// prepare makes what a configuration asks for, which must be complete. The errors
// name the setting. Nothing of it runs yet or holds anything that would have to be
// given back: that begins with the parts.
func prepare(cfg Config) (_ *Server, err error) {
	s := &Server{cfg: cfg, Data: cfg.Data, Exposed: cfg.exposed()}
	s.catalog = catalog.New(catalog.Options{Account: cfg.Account, Shared: cfg.Database != "", Quotas: cfg.Quotas, Now: cfg.Now, Logger: cfg.Logger})
	if s.files, s.folder, err = newObjects(&cfg); err != nil {
		return nil, err
	}
	if s.functions, err = newLambda(&cfg); err != nil {
		return nil, err
	}
	if s.voice, err = newVoice(&cfg, s.files); err != nil {
		return nil, err
	}
	if s.chats, err = newAudience(&cfg); err != nil {
		return nil, err
	}
	if s.identities, err = newIdentities(&cfg, func() string { return s.URL }); err != nil {
		return nil, err
	}
	if s.events, err = newDeliveries(&cfg); err != nil {
		return nil, err
	}
	stock, err := cfg.stock()
	if err != nil {
		return nil, err
	}
	s.newAreas(stock) // before the store is open, whose changes the catalog must understand
	if s.web, err = newWeb(&cfg); err != nil {
		return nil, err
	}
	s.parts.all = s.list()
	s.close = sync.OnceValue(s.stop)
	return s, nil
}

// list is all that a server is made of, in the order in which it is opened. What
// a part needs of another is given to it here; most were made before, so what is
// said of the order is who must be open when it begins, and who must still be open
// when it ends.
func (s *Server) list() []part {
	return []part{
		{
			name: "store",
			open: s.openStore,
			close: func() error {
				if s.store == nil {
					return nil
				}
				return s.store.Close()
			},
		},
		{
			name: "root",
			open: func(context.Context) (err error) {
				s.Root, s.NewRoot, err = ensureRoot(&s.cfg)
				return err
			},
		},
		{
			name: "files",
			open: func(context.Context) error { return s.folder.Open(s.Root.SecretAccessKey) },
			show: func(to *own) {
				if s.folder != nil {
					to.asIs(objects.LinkPath, linksHandler{s.folder, s.cfg})
				}
			},
			close: s.folder.Close,
		},
		{
			name: "keys",
			open: s.openKeys,
			show: func(to *own) {
				ring := &localKeys{keys: s.keys, tokens: s.tokens, store: s.store, base: s.identities.url, audit: s.identities.audit}
				to.below(keysPath, s.private("keys", ring.serve))
			},
		},
		{
			// Roles are found by the keys, and keys by those who assume roles.
			name: "identities",
			open: func(context.Context) error {
				return s.identities.open(&s.cfg, s.store, s.people, s.Root.SecretAccessKey, s.keys)
			},
			show: func(to *own) {
				to.below(idpPath, s.private("identity providers", s.identities.manager(s.cfg.Account).serve))
				to.Handle(login.Path, s.identities.pages(&s.cfg, s.people))
			},
			close: s.identities.Close,
		},
		{
			name: "provisioning",
			// Identity providers do not follow redirects to a cleaner path.
			show: func(to *own) {
				users := s.newSCIM(s.tokens)
				to.asIs(scim.Path, users)
				to.Handle(strings.TrimSuffix(scim.Path, "/"), users) // the base URL itself
			},
		},
		{
			name:  "events",
			open:  func(ctx context.Context) error { return s.events.open(ctx, &s.cfg, s.store) },
			show:  func(to *own) { to.metrics.MustRegister(s.events.outbox) },
			close: s.events.Close,
		},
		{
			name: "traces",
			show: func(to *own) {
				to.below(contactsPath, s.private("contacts", tracer{s.store, s.events.bell, traceRun}.serve))
			},
		},
		{
			name:  "chats",
			open:  func(context.Context) error { return s.chats.open(s.Root.SecretAccessKey, s.store) },
			close: s.chats.Close,
		},
		{
			name:  "contacts",
			open:  func(ctx context.Context) error { return s.contacts.Open(ctx, s.store, s.cfg.Database != "") },
			close: s.contacts.Close,
		},
		{
			// Calls end before contacts are left to the next start, so that their
			// records tell how.
			name: "calls",
			open: func(ctx context.Context) (err error) {
				s.SIP, err = s.voice.open(ctx, s.files, s.store, s.calls.Receive)
				return err
			},
			show:  func(to *own) { to.metrics.MustRegister(s.voice) },
			drain: s.voice.quiesce,
			close: s.voice.Close,
		},
		{
			name:  "test cases",
			open:  func(ctx context.Context) error { return s.testCases.Open(ctx, s.cfg.Database != "") },
			close: s.testCases.Close,
		},
		{
			// Opened by requests, of which the server of HTTP knows nothing any more.
			name:  "WebSockets",
			show:  func(to *own) { to.Handle("GET "+socketPath, socketHandler{s.participants, s.chats}) },
			close: s.chats.hang,
		},
		{
			name:  "web",
			open:  s.openWeb,
			close: s.web.Close,
		},
	}
}

// openStore opens the data.
func (s *Server) openStore(ctx context.Context) (err error) {
	if s.store, err = sqlstore.Open(ctx, sqlstore.Options{
		Dir: s.cfg.Data, URL: s.cfg.Database, Now: s.cfg.Now, Observer: s.catalog.Observe, Logger: s.cfg.Logger,
	}); err != nil {
		return err
	}
	s.catalog.Use(s.store)
	return s.catalog.LoadIndex(ctx)
}

// openKeys finds the keys and tokens that are in the store.
func (s *Server) openKeys(context.Context) (err error) {
	s.tokens = iam.NewSCIMTokens(iam.SCIMTokensOptions{Store: s.store, Now: s.cfg.Now})
	s.keys, err = iam.NewKeys(iam.KeysOptions{
		Store: s.store, Account: s.cfg.Account, RootID: s.Root.AccessKeyID, RootSecret: s.Root.SecretAccessKey, Now: s.cfg.Now, Logger: s.cfg.Logger,
	})
	return err
}

// Wait returns when ctx is done or the server has failed, which gives an
// error.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.web.finished:
		s.web.finished <- err
		return err
	}
}

// Close lets calls and then requests finish, for a while, and frees everything. It
// may be called twice.
func (s *Server) Close() error { return s.close() }

func (s *Server) stop() error {
	s.parts.drain()
	return s.parts.close()
}

// ConnectServed is how many operations of Amazon Connect are served.
func (s *Server) ConnectServed() int { return s.connectServed }

// RootFile is where the root credentials are kept.
func (s *Server) RootFile() string { return filepath.Join(s.Data, rootFile) }
