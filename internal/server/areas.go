package server

import (
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
)

// newAreas makes everything that serves operations, and the engine of contacts.
func (s *Server) newAreas(stock numbers.Stock) {
	c := s.catalog
	users := directory.New(c, s.identities.passwords, userDirectories(s.identities.directories))
	routes := routing.New(c)
	sounds := prompts.New(c, s.files)
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
		Cleaners: []instance.Cleaner{contactCleaner{s.contacts}, objectCleaner{s.files}},
	})
	s.people = &people{c, instances, users}
	s.participants = participants.New(c, participants.Others{
		Engine: s.contacts, Tokens: s.chats.tokens, Objects: s.files, Limits: stored, Views: screens, Socket: socketURL,
	})
	s.calls = contacts.New(c, contacts.Others{
		Engine: s.contacts, Configuration: found, Instances: instances, Numbers: phones, QuickConnects: routes, Predefined: users, Destinations: mayCall,
	})
	s.areas = []any{
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
		attachments.New(c, s.files, stored),
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
