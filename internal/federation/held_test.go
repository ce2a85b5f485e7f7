package federation_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/store"
)

// TestConfiguration: what is wrong is told with the name of whom it is about.
func TestConfiguration(t *testing.T) {
	md := genuine().metadata(entityID)
	provider := func(change func(*federation.ProviderConfig)) federation.Options {
		c := federation.ProviderConfig{Name: "corp", Metadata: md}
		change(&c)
		return federation.Options{Providers: []federation.ProviderConfig{c}}
	}
	role := func(change func(*federation.RoleConfig)) federation.Options {
		c := federation.RoleConfig{Name: "agents"}
		change(&c)
		return federation.Options{Roles: []federation.RoleConfig{c}}
	}
	for name, c := range map[string]struct {
		o    federation.Options
		want []string
	}{
		"name of a provider":   {provider(func(c *federation.ProviderConfig) { c.Name = "my corp" }), []string{`"my corp"`, "1 to 128"}},
		"no metadata":          {provider(func(c *federation.ProviderConfig) { c.Metadata = nil }), []string{`"corp"`, "metadata"}},
		"label":                {provider(func(c *federation.ProviderConfig) { c.Label = strings.Repeat("x", 101) }), []string{`"corp"`, "label"}},
		"instance":             {provider(func(c *federation.ProviderConfig) { c.Instances = []string{""} }), []string{`"corp"`, "instances"}},
		"provider twice":       {federation.Options{Providers: []federation.ProviderConfig{{Name: "corp", Metadata: md}, {Name: "corp", Metadata: md}}}, []string{"corp", "twice"}},
		"name of a role":       {role(func(c *federation.RoleConfig) { c.Name = "a/b" }), []string{`"a/b"`, "1 to 64"}},
		"policy":               {role(func(c *federation.RoleConfig) { c.Policy = []byte(`{"Statement":{}}`) }), []string{`"agents"`, "Effect"}},
		"name of its provider": {role(func(c *federation.RoleConfig) { c.Providers = []string{"a b"} }), []string{`"agents"`, "providers"}},
		"who assumes it":       {role(func(c *federation.RoleConfig) { c.AssumedBy = []string{"group/x"} }), []string{`"agents"`, "user/NAME"}},
		"nobody assumes it":    {role(func(c *federation.RoleConfig) { c.AssumedBy = []string{"user/"} }), []string{`"agents"`, "user/NAME"}},
		"short session":        {role(func(c *federation.RoleConfig) { c.MaxSession = 59 * time.Minute }), []string{`"agents"`, "1 to 12 hours"}},
		"long session":         {role(func(c *federation.RoleConfig) { c.MaxSession = 12*time.Hour + time.Second }), []string{`"agents"`, "1 to 12 hours"}},
		"role twice":           {federation.Options{Roles: []federation.RoleConfig{{Name: "agents"}, {Name: "agents"}}}, []string{"agents", "twice"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := federation.New(c.o)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
		})
	}
	w := newWorld(t, func(o *federation.Options) {
		o.Roles = append(o.Roles, federation.RoleConfig{Name: "agents", Providers: []string{"later"}})
	})
	if log := w.log.String(); !strings.Contains(log, "role=agents") || !strings.Contains(log, "provider=later") {
		t.Errorf("the operator is not told of a provider that is not there: %s", log)
	}
}

// names of the providers that there are.
func names(t testing.TB, f *federation.Federation) string {
	t.Helper()
	all, err := f.Providers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, p := range all {
		list = append(list, p.Name)
	}
	return strings.Join(list, " ")
}

func rolesOf(t testing.TB, f *federation.Federation, provider string) string {
	t.Helper()
	list, err := f.RolesOf(t.Context(), provider)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

// TestKept: providers come and go with their roles, and survive a restart.
func TestKept(t *testing.T) {
	w := newWorld(t, configured)
	ctx := t.Context()
	md := func(id string) []byte { return genuine().metadata("https://" + id + ".example.org") }
	p, err := w.AddProvider(ctx, federation.ProviderConfig{Name: "alpha", Label: "Alpha & Co", Metadata: md("alpha"), Instances: []string{"i-1"}},
		federation.RoleConfig{Name: "shared", Policy: []byte(allow("connect:Describe*")), MaxSession: 2 * time.Hour}, federation.RoleConfig{Name: "alphas"})
	if err != nil {
		t.Fatal(err)
	}
	if p.ARN != prefix+"saml-provider/alpha" || p.SAML.EntityID() != "https://alpha.example.org" || p.Configured || !p.Created.Equal(start) {
		t.Errorf("added %+v", p)
	}
	if _, err := w.AddProvider(ctx, federation.ProviderConfig{Name: "beta", Metadata: md("beta")}, federation.RoleConfig{Name: "shared"}); err != nil {
		t.Fatal(err)
	}
	if got := names(t, w.Federation); got != "alpha beta corp" {
		t.Errorf("providers %s", got)
	}
	if a, b := rolesOf(t, w.Federation, "alpha"), rolesOf(t, w.Federation, "beta"); a != "alphas shared" || b != "shared" {
		t.Errorf("roles %s; %s", a, b)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.open(t, configured)
	found, err := w.Provider(ctx, "alpha")
	if err != nil || found == nil || found.Label != "Alpha & Co" || !slices.Equal(found.Instances, []string{"i-1"}) {
		t.Fatalf("after a restart: %+v, %v", found, err)
	}
	// What was not said anew is as it was.
	shared, err := w.Role(ctx, "shared")
	if err != nil || shared.MaxSession != 2*time.Hour || len(shared.Policies) != 1 || shared.ARN != prefix+"role/shared" {
		t.Fatalf("role %+v, %v", shared, err)
	}
	// A provider is replaced.
	if _, err := w.AddProvider(ctx, federation.ProviderConfig{Name: "alpha", Metadata: md("alpha2")}, federation.RoleConfig{Name: "alphas", MaxSession: 3 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if found, err = w.Provider(ctx, "alpha"); err != nil || found.SAML.EntityID() != "https://alpha2.example.org" || found.Label != "" {
		t.Errorf("replaced: %+v, %v", found, err)
	}
	if r, err := w.Role(ctx, "alphas"); err != nil || r.MaxSession != 3*time.Hour {
		t.Errorf("role %+v, %v", r, err)
	}
	// It goes with the roles that nobody else can assume.
	if err := w.DeleteProvider(ctx, "alpha"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, w.Federation); got != "beta corp" {
		t.Errorf("providers %s", got)
	}
	if r, err := w.Role(ctx, "alphas"); r != nil || err != nil {
		t.Errorf("its role is still there: %v, %v", r, err)
	}
	if r, err := w.Role(ctx, "shared"); r == nil || err != nil {
		t.Errorf("the other's role is gone: %v", err)
	}
	// Another of its name has nothing of it.
	if _, err := w.AddProvider(ctx, federation.ProviderConfig{Name: "alpha", Metadata: md("evil")}); err != nil {
		t.Fatal(err)
	}
	if got := rolesOf(t, w.Federation, "alpha"); got != "" {
		t.Errorf("the next alpha has the roles %s", got)
	}
	refusal(t, w.DeleteProvider(ctx, "nobody"), fault.ResourceNotFound, "nobody")
}

// TestFileWins: what the configuration file has is used as it is there, and can
// be changed only there.
func TestFileWins(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	md := genuine().metadata("https://kept.example.org")
	for _, name := range []string{"corp", "other"} {
		if _, err := w.AddProvider(ctx, federation.ProviderConfig{Name: name, Metadata: md}, federation.RoleConfig{Name: "agents", MaxSession: 12 * time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	w.join(t, configured)
	if p, err := w.Provider(ctx, "corp"); err != nil || !p.Configured || p.SAML.EntityID() != entityID {
		t.Errorf("the provider is %+v, %v", p, err)
	}
	if r, err := w.Role(ctx, "agents"); err != nil || r.MaxSession != 4*time.Hour {
		t.Errorf("the role is %+v, %v", r, err)
	}
	if got := rolesOf(t, w.Federation, "other"); got != "" {
		t.Errorf("the file's role trusts others: %s", got)
	}
	_, err := w.AddProvider(ctx, federation.ProviderConfig{Name: "corp", Metadata: md})
	refusal(t, err, fault.InvalidRequest, "The SAML provider corp is in the configuration file")
	refusal(t, w.DeleteProvider(ctx, "corp"), fault.InvalidRequest, "configuration file")
	_, err = w.AddProvider(ctx, federation.ProviderConfig{Name: "fresh", Metadata: md}, federation.RoleConfig{Name: "agents"})
	refusal(t, err, fault.InvalidRequest, "The role agents is in the configuration file")
	if got := names(t, w.Federation); got != "corp other" {
		t.Errorf("half of what was refused is there: %s", got)
	}
	// A role of the file that trusts the provider already is left as it is.
	w.join(t, func(o *federation.Options) {
		o.Roles = append(o.Roles, federation.RoleConfig{Name: "agents", Providers: []string{"fresh"}})
	})
	if _, err := w.AddProvider(ctx, federation.ProviderConfig{Name: "fresh", Metadata: md}, federation.RoleConfig{Name: "agents"}); err != nil {
		t.Error(err)
	}
	if got := rolesOf(t, w.Federation, "fresh"); got != "agents" {
		t.Errorf("roles %s", got)
	}
}

// TestAddRefused: nothing is kept of what is refused.
func TestAddRefused(t *testing.T) {
	w := newWorld(t)
	good := federation.ProviderConfig{Name: "corp", Metadata: genuine().metadata(entityID)}
	for name, c := range map[string]struct {
		provider federation.ProviderConfig
		role     federation.RoleConfig
		code     fault.Code
		message  string
	}{
		"name":          {federation.ProviderConfig{Name: "", Metadata: good.Metadata}, federation.RoleConfig{Name: "r"}, fault.InvalidParameter, "1 to 128"},
		"metadata":      {federation.ProviderConfig{Name: "corp", Metadata: []byte("<x/>")}, federation.RoleConfig{Name: "r"}, fault.InvalidParameter, "metadata"},
		"role":          {good, federation.RoleConfig{Name: "r r"}, fault.InvalidParameter, "1 to 64"},
		"role's length": {good, federation.RoleConfig{Name: "r", MaxSession: 13 * time.Hour}, fault.InvalidParameter, "12 hours"},
		"policy":        {good, federation.RoleConfig{Name: "r", Policy: []byte(`[]`)}, fault.MalformedPolicyDocument, "object"},
	} {
		_, err := w.AddProvider(t.Context(), c.provider, federation.RoleConfig{Name: "first"}, c.role)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		refusal(t, err, c.code, c.message)
	}
	if got := names(t, w.Federation); got != "" {
		t.Errorf("kept %s", got)
	}
	if r, err := w.Role(t.Context(), "first"); r != nil || err != nil {
		t.Errorf("kept a role: %v", err)
	}
}

// TestMost: there is an end to them.
func TestMost(t *testing.T) {
	w := newWorld(t)
	// The records of 99, which need not be good.
	err := w.store.Update(t.Context(), func(tx store.Tx) error {
		for i := range 99 {
			name := fmt.Sprintf("p%d", i)
			r := &store.Record{Instance: store.Root, Kind: domain.KindSAMLProvider, ID: domain.NewID(), Name: name, NameKey: name, Doc: []byte(`{}`)}
			if err := tx.Insert(t.Context(), r, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string) error {
		_, err := w.AddProvider(t.Context(), federation.ProviderConfig{Name: name, Metadata: genuine().metadata(entityID)}, federation.RoleConfig{Name: name})
		return err
	}
	if err := add("last"); err != nil {
		t.Error(err)
	}
	refusal(t, add("more"), fault.LimitExceeded, "100")
	if err := add("p0"); err != nil {
		t.Errorf("one that replaces another: %v", err)
	}
	if r, err := w.Role(t.Context(), "more"); r != nil || err != nil {
		t.Errorf("the role of the one that was refused: %v, %v", r, err)
	}
}

// TestOtherServer: a change by another server counts after a few seconds.
func TestOtherServer(t *testing.T) {
	w := newWorld(t)
	here := w.Federation
	there := w.join(t)
	if got := names(t, here); got != "" {
		t.Fatal(got)
	}
	if _, err := there.AddProvider(t.Context(), federation.ProviderConfig{Name: "corp", Metadata: genuine().metadata(entityID)}); err != nil {
		t.Fatal(err)
	}
	if got := names(t, there); got != "corp" {
		t.Errorf("where it was added: %q", got)
	}
	w.clock.advance(5 * time.Second)
	if got := names(t, here); got != "corp" {
		t.Errorf("after 5 s: %q", got)
	}
	if err := there.DeleteProvider(t.Context(), "corp"); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(-time.Hour) // a clock that was set back makes nothing last longer
	if got := names(t, here); got != "" {
		t.Errorf("after its end: %q", got)
	}
}

// TestUnreadable: a record that cannot be used hides no other one, and the
// operator is told once.
func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	if _, err := w.AddProvider(t.Context(), federation.ProviderConfig{Name: "corp", Metadata: genuine().metadata(entityID)}); err != nil {
		t.Fatal(err)
	}
	err := w.store.Update(t.Context(), func(tx store.Tx) error {
		for kind, doc := range map[domain.Kind]string{domain.KindSAMLProvider: `{"Metadata":"PHgvPg=="}`, domain.KindRole: `{"Policy":{}}`} {
			r := &store.Record{Instance: store.Root, Kind: kind, ID: domain.NewID(), Name: "broken", NameKey: "broken", Doc: []byte(doc)}
			if err := tx.Insert(t.Context(), r, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.clock.advance(6 * time.Second)
		if got := names(t, w.Federation); got != "corp" {
			t.Errorf("providers %s", got)
		}
	}
	if n := strings.Count(w.log.String(), "cannot be used"); n != 2 {
		t.Errorf("the operator was told %d times, want once of each: %s", n, w.log)
	}
}

// TestMany look up and change at once.
func TestMany(t *testing.T) {
	w := newWorld(t, configured)
	md := genuine().metadata("https://other.example.org")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("p%d", i%4)
			for range 2 {
				if _, err := w.AddProvider(t.Context(), federation.ProviderConfig{Name: name, Metadata: md}, federation.RoleConfig{Name: name}); err != nil && !fault.Is(err, fault.DuplicateResource) {
					t.Error(err)
				}
				if r, err := w.Role(t.Context(), "agents"); r == nil || err != nil {
					t.Errorf("the file's role: %v, %v", r, err)
				}
				w.clock.advance(3 * time.Second)
			}
		})
	}
	wg.Wait()
	if got := names(t, w.Federation); got != "corp p0 p1 p2 p3" {
		t.Errorf("providers %s", got)
	}
}
