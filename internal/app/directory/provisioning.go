package directory

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// Users as identity providers manage them. A provider says all that it knows of
// a user in one request, where the API has an operation for each thing, so a
// user is made and changed here as a whole: by the rules of CreateUser and the
// Update operations, in one transaction.

// Provisioned is a user as an identity provider manages it.
type Provisioned struct {
	ID                string
	Version           int64 // grows with each change, whoever makes it
	Created, Modified time.Time
	Username          string
	ExternalID        string // what the provider calls the user
	Inactive          bool   // must not sign in
	Identity          domain.IdentityInfo
	// Names as they are read, that of a group with those above it: Sales/North.
	// They may be written as names, ids or ARNs.
	RoutingProfile   string
	SecurityProfiles []string
	HierarchyGroup   string // empty: none
	// Password is only ever written. Empty leaves the one that there is, or makes
	// one that nobody knows where users have passwords.
	Password string
}

// ProvisioningIdentity is the identity type of an instance.
func (d *Directory) ProvisioningIdentity(ctx context.Context, instance domain.InstanceID) (domain.IdentityManagementType, error) {
	sc, err := d.provisioningScope(ctx, instance)
	return sc.Identity, err
}

func (d *Directory) provisioningScope(ctx context.Context, instance domain.InstanceID) (catalog.Scope, error) {
	id := string(instance)
	return d.catalog.Scope(ctx, &id)
}

// ProvisionedUser returns a user.
func (d *Directory) ProvisionedUser(ctx context.Context, instance domain.InstanceID, id string) (*Provisioned, error) {
	return d.provisioned(ctx, instance, func(rd store.Reader, sc catalog.Scope) (*store.Record, error) {
		return rd.Get(ctx, sc.PK, domain.KindUser, id)
	}, id)
}

// ProvisionedNamed returns a user by its Username, case-sensitive.
func (d *Directory) ProvisionedNamed(ctx context.Context, instance domain.InstanceID, username string) (*Provisioned, error) {
	return d.provisioned(ctx, instance, func(rd store.Reader, sc catalog.Scope) (*store.Record, error) {
		return rd.GetByName(ctx, sc.PK, domain.KindUser, username)
	}, username)
}

func (d *Directory) provisioned(
	ctx context.Context, instance domain.InstanceID, find func(store.Reader, catalog.Scope) (*store.Record, error), key string,
) (*Provisioned, error) {
	sc, err := d.provisioningScope(ctx, instance)
	if err != nil {
		return nil, err
	}
	if !storable(key) {
		return nil, fault.New(fault.ResourceNotFound, "%s not found.", domain.KindUser)
	}
	var p *Provisioned
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		r, err := find(rd, sc)
		if err != nil {
			return err
		}
		p, err = d.named(rd, sc).user(ctx, r)
		return err
	})
	return p, err
}

// storable reports whether a text can be a key of the store.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// CountProvisioned counts the users of an instance.
func (d *Directory) CountProvisioned(ctx context.Context, instance domain.InstanceID) (int, error) {
	sc, err := d.provisioningScope(ctx, instance)
	if err != nil {
		return 0, err
	}
	return d.catalog.Store().Count(ctx, sc.PK, domain.KindUser)
}

// ListProvisioned returns at most limit users in the order of their ids: those
// beyond the one with the id after, less the first skip of them.
func (d *Directory) ListProvisioned(ctx context.Context, instance domain.InstanceID, after string, skip, limit int) ([]*Provisioned, error) {
	sc, err := d.provisioningScope(ctx, instance)
	if err != nil {
		return nil, err
	}
	var list []*Provisioned
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		q := store.ListQuery{Instance: sc.PK, Kind: domain.KindUser, After: after, Limit: skip, HeadersOnly: true}
		if skip > 0 {
			before, err := rd.List(ctx, q)
			if err != nil || len(before) < skip {
				return err
			}
			q.After = before[skip-1].ID
		}
		q.Limit, q.HeadersOnly = limit, false
		records, err := rd.List(ctx, q)
		if err != nil {
			return err
		}
		list = make([]*Provisioned, len(records))
		names := d.named(rd, sc)
		for i, r := range records {
			if list[i], err = names.user(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// fieldExternalID is the index field of Provisioned.ExternalID. The index is
// made of the stored users at each start, so it has all of them, whenever and by
// whichever version they were made.
const fieldExternalID = "externalid"

func indexExternalID(e *domain.User, d *search.Doc) {
	if e.ExternalID != "" {
		d.Keys[fieldExternalID] = []string{e.ExternalID}
	}
}

// ProvisionedExternally returns the users that a provider calls by an id, which
// is unique to nobody but the provider (RFC 7643 §3.1), in the order of their
// ids. When there are more than limit, all is false.
func (d *Directory) ProvisionedExternally(ctx context.Context, instance domain.InstanceID, externalID string, limit int) (list []*Provisioned, all bool, err error) {
	sc, err := d.provisioningScope(ctx, instance)
	if err != nil {
		return nil, false, err
	}
	most := int32(limit)
	found, next, _, err := d.users.Search(ctx, sc, search.Key{Field: fieldExternalID, Values: []string{externalID}}, catalog.Page{MaxResults: &most})
	if err != nil || next != nil {
		return nil, false, err
	}
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		list = make([]*Provisioned, 0, len(found))
		names := d.named(rd, sc)
		for _, i := range found {
			r, err := rd.Get(ctx, sc.PK, domain.KindUser, i.ID)
			if fault.Is(err, fault.ResourceNotFound) {
				continue // gone meanwhile
			}
			if err != nil {
				return err
			}
			p, err := names.user(ctx, r)
			if err != nil {
				return err
			}
			if p.ExternalID == externalID {
				list = append(list, p)
			}
		}
		return nil
	})
	slices.SortFunc(list, func(a, b *Provisioned) int { return strings.Compare(a.ID, b.ID) })
	return list, err == nil, err
}

// Provision makes a user. It gets a soft phone, as it does in Amazon Connect's
// own pages.
func (d *Directory) Provision(ctx context.Context, instance domain.InstanceID, p *Provisioned) (*Provisioned, error) {
	sc, err := d.provisioningScope(ctx, instance)
	if err != nil {
		return nil, err
	}
	password := p.Password
	if password == "" && sc.Identity == domain.ConnectManaged {
		password = rand.Text() + "aA1" // nobody is told; its owner can ask for a link to set another
	}
	request := &connect.CreateUserInput{}
	if password != "" {
		request.Password = &password
	}
	like := domain.User{Username: p.Username, PhoneConfig: &domain.PhoneConfig{PhoneType: types.PhoneTypeSoftPhone}}
	if who := p.Identity; who != (domain.IdentityInfo{}) {
		like.IdentityInfo = &who
	}
	if err := checkIdentity(sc.Identity, &like, request); err != nil {
		return nil, err
	}
	if n := utf8.RuneCountInString(p.Username); n > maxUsername {
		return nil, fault.New(fault.InvalidParameter, "Username must have at most %d characters, it has %d", maxUsername, n)
	}
	if err := d.findInDirectory(ctx, sc, &like); err != nil {
		return nil, err
	}
	if like.PasswordHash, err = d.provisionedPassword(ctx, sc, p, password); err != nil {
		return nil, err
	}
	as := *p
	as.Identity = *identity(&like) // which the directory may have completed
	var made *Provisioned
	err = d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		e := like
		names := d.named(tx, sc)
		if err := names.apply(ctx, &e, &as, nil); err != nil {
			return err
		}
		i, err := d.users.Insert(ctx, tx, sc, &e, nil)
		if err != nil {
			return err
		}
		made, err = names.read(ctx, i.ID)
		return err
	})
	return made, err
}

// Reprovision makes the user with p's ID be as p is, all or nothing; its Username
// stays. When Version is no longer the user's, that is a
// ResourceConflictException.
func (d *Directory) Reprovision(ctx context.Context, instance domain.InstanceID, p *Provisioned) (*Provisioned, error) {
	sc, err := d.provisioningScope(ctx, instance)
	if err != nil {
		return nil, err
	}
	hash, err := d.provisionedPassword(ctx, sc, p, p.Password)
	if err != nil {
		return nil, err
	}
	var now *Provisioned
	err = d.unlessChanged(ctx, sc, p.ID, p.Version, func(tx store.Tx) error {
		names := d.named(tx, sc)
		was, err := names.read(ctx, p.ID)
		if err != nil {
			return err
		}
		if err := d.users.Change(ctx, tx, sc, p.ID, func(e *domain.User) error {
			if hash != "" {
				e.PasswordHash, e.PasswordChosen = hash, false
			}
			if err := names.apply(ctx, e, p, was); err != nil {
				return err
			}
			return checkNames(sc.Identity, e)
		}); err != nil {
			return err
		}
		now, err = names.read(ctx, p.ID)
		return err
	})
	return now, err
}

// unlessChanged runs fn in a transaction if the user is still of a version, 0
// for any. Otherwise it answers once the change that came first is durable, so
// that whoever looks again sees it.
func (d *Directory) unlessChanged(ctx context.Context, sc catalog.Scope, id string, version int64, fn func(tx store.Tx) error) error {
	var late error
	err := d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		late = nil
		r, err := tx.Get(ctx, sc.PK, domain.KindUser, id)
		switch {
		case fault.Is(err, fault.ResourceNotFound):
			late = err
			return nil
		case err != nil:
			return err
		case version != 0 && r.Version != version:
			late = fault.New(fault.ResourceConflict, "The user has been changed meanwhile.")
			return nil
		}
		return fn(tx)
	})
	if err != nil {
		return err
	}
	return late
}

// Deprovision removes a user as DeleteUser does; version as in Reprovision, 0
// for any.
func (d *Directory) Deprovision(ctx context.Context, instance domain.InstanceID, id string, version int64) error {
	sc, err := d.provisioningScope(ctx, instance)
	if err != nil {
		return err
	}
	return d.unlessChanged(ctx, sc, id, version, func(tx store.Tx) error {
		return d.users.Remove(ctx, tx, sc, id, nil)
	})
}

// The constraints of Amazon Connect's model, for what comes around it:
// AgentUsername, AgentFirstName, AgentLastName, PhoneNumber and
// SecurityProfileIds.
const (
	maxUsername         = 100
	maxFirstName        = 255
	maxLastName         = 300
	maxSecurityProfiles = 10
)

var mobileNumber = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)

func checkProvisioned(p *Provisioned) error {
	for _, f := range []struct {
		name, value string
		most        int
	}{{"FirstName", p.Identity.FirstName, maxFirstName}, {"LastName", p.Identity.LastName, maxLastName}} {
		if n := utf8.RuneCountInString(f.value); n > f.most {
			return fault.New(fault.InvalidParameter, "IdentityInfo.%s must have at most %d characters, it has %d", f.name, f.most, n)
		}
	}
	switch n := len(p.SecurityProfiles); {
	case p.Identity.Mobile != "" && !mobileNumber.MatchString(p.Identity.Mobile):
		return fault.New(fault.InvalidParameter, "IdentityInfo.Mobile must be in E.164 form")
	case n < 1 || n > maxSecurityProfiles:
		return fault.New(fault.InvalidParameter, "A user has 1 to %d security profiles, not %d", maxSecurityProfiles, n)
	default:
		return nil
	}
}

// provisionedPassword checks what it can without the store, and hashes a
// password: that takes long, so not in the transaction.
func (d *Directory) provisionedPassword(ctx context.Context, sc catalog.Scope, p *Provisioned, password string) (string, error) {
	if err := checkProvisioned(p); err != nil {
		return "", err
	}
	switch {
	case password == "":
		return "", nil
	case sc.Identity != domain.ConnectManaged:
		return "", fault.New(fault.InvalidRequest, "Password must not be given: the instance's users sign in by %s", sc.Identity)
	}
	if err := checkPassword(password); err != nil {
		return "", err
	}
	hash, err := d.passwords.Hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// checkPassword checks the rule of the model's Password.
func checkPassword(s string) error {
	var lower, upper, digit, space bool
	for _, r := range s {
		lower = lower || r >= 'a' && r <= 'z'
		upper = upper || r >= 'A' && r <= 'Z'
		digit = digit || r >= '0' && r <= '9'
		space = space || unicode.IsSpace(r)
	}
	if n := utf8.RuneCountInString(s); n < 8 || n > 64 || !lower || !upper || !digit || space {
		return fault.New(fault.InvalidParameter, "Password must have 8 to 64 characters, with a lower-case letter, an upper-case letter and a digit, and no space")
	}
	return nil
}

// naming turns the ids of what users refer to into names and back, within a
// view or transaction. What it has read it remembers.
type naming struct {
	d      *Directory
	rd     store.Reader
	sc     catalog.Scope
	names  map[string]string                      // of profiles, by id
	groups []*catalog.Item[domain.HierarchyGroup] // nil: not read yet
}

func (d *Directory) named(rd store.Reader, sc catalog.Scope) *naming {
	return &naming{d: d, rd: rd, sc: sc, names: map[string]string{}}
}

// read is a user as it is.
func (n *naming) read(ctx context.Context, id string) (*Provisioned, error) {
	r, err := n.rd.Get(ctx, n.sc.PK, domain.KindUser, id)
	if err != nil {
		return nil, err
	}
	return n.user(ctx, r)
}

// user is a record as Provisioned.
func (n *naming) user(ctx context.Context, r *store.Record) (*Provisioned, error) {
	var e domain.User
	if err := json.Unmarshal(r.Doc, &e); err != nil {
		return nil, fmt.Errorf("stored %s %s: %w", r.Kind, r.ID, err)
	}
	p := &Provisioned{
		ID: r.ID, Version: r.Version, Created: r.Created, Modified: r.Modified,
		Username: e.Username, ExternalID: e.ExternalID, Inactive: e.Inactive, Identity: *identity(&e),
	}
	var err error
	if p.RoutingProfile, err = n.nameOf(ctx, domain.KindRoutingProfile, string(e.RoutingProfileID)); err != nil {
		return nil, err
	}
	for _, id := range e.SecurityProfileIDs {
		name, err := n.nameOf(ctx, domain.KindSecurityProfile, string(id))
		if err != nil {
			return nil, err
		}
		p.SecurityProfiles = append(p.SecurityProfiles, name)
	}
	p.HierarchyGroup, err = n.pathOf(ctx, e.HierarchyGroupID)
	return p, err
}

func (n *naming) nameOf(ctx context.Context, kind domain.Kind, id string) (string, error) {
	if name, ok := n.names[id]; ok {
		return name, nil
	}
	r, err := n.rd.Get(ctx, n.sc.PK, kind, id)
	if err != nil {
		return "", err
	}
	n.names[id] = r.Name
	return r.Name, nil
}

// pathOf is the name of a group after those above it.
func (n *naming) pathOf(ctx context.Context, id domain.HierarchyGroupID) (string, error) {
	if id == "" {
		return "", nil
	}
	if err := n.readGroups(ctx); err != nil {
		return "", err
	}
	for _, g := range n.groups {
		if g.ID == string(id) {
			return n.path(g), nil
		}
	}
	return "", fault.New(fault.ResourceNotFound, "%s %s not found.", domain.KindHierarchyGroup, id)
}

func (n *naming) readGroups(ctx context.Context) (err error) {
	if n.groups == nil {
		n.groups, err = n.d.hierarchyGroups.All(ctx, n.rd, n.sc)
	}
	return err
}

func (n *naming) path(g *catalog.Item[domain.HierarchyGroup]) string {
	var parts []string
	for _, id := range g.Value.Ancestors {
		for _, above := range n.groups {
			if above.ID == string(id) && !above.Value.IsRoot() {
				parts = append(parts, above.Name)
			}
		}
	}
	return strings.Join(append(parts, g.Name), "/")
}

// apply makes an entity be as p says; was is what it has been, nil for a new
// one. What p does not change keeps its id, even if its name has become
// ambiguous.
func (n *naming) apply(ctx context.Context, e *domain.User, p, was *Provisioned) (err error) {
	if p.Inactive && !e.Inactive {
		e.Deactivations++
	}
	e.ExternalID, e.Inactive = p.ExternalID, p.Inactive
	if who := p.Identity; who != *identity(e) {
		e.IdentityInfo = &who
	}
	if was == nil {
		was = &Provisioned{}
	}
	if p.RoutingProfile != was.RoutingProfile {
		id, err := n.idOf(ctx, domain.KindRoutingProfile, p.RoutingProfile)
		if err != nil {
			return err
		}
		e.RoutingProfileID = domain.RoutingProfileID(id)
	}
	if !slices.Equal(p.SecurityProfiles, was.SecurityProfiles) {
		ids := make([]domain.SecurityProfileID, len(p.SecurityProfiles))
		for i, name := range p.SecurityProfiles {
			id, err := n.idOf(ctx, domain.KindSecurityProfile, name)
			if err != nil {
				return err
			}
			ids[i] = domain.SecurityProfileID(id)
		}
		e.SecurityProfileIDs = distinct(ids)
	}
	if p.HierarchyGroup != was.HierarchyGroup {
		e.HierarchyGroupID, err = n.groupOf(ctx, p.HierarchyGroup)
	}
	return err
}

// idOf finds a profile by its id, ARN or name.
func (n *naming) idOf(ctx context.Context, kind domain.Kind, said string) (string, error) {
	none := fault.New(fault.InvalidParameter, "There is no %s %q", kind, said)
	if !storable(said) {
		return "", none
	}
	id, err := catalog.ID(n.sc, kind, said)
	if err != nil {
		return "", none.Wrap(err)
	}
	if domain.IsUUID(id) {
		switch _, err := n.rd.Get(ctx, n.sc.PK, kind, id); {
		case err == nil:
			return id, nil
		case !fault.Is(err, fault.ResourceNotFound):
			return "", err
		}
	}
	r, err := n.rd.GetByName(ctx, n.sc.PK, kind, said)
	if fault.Is(err, fault.ResourceNotFound) {
		return "", none
	}
	if err != nil {
		return "", err
	}
	return r.ID, nil
}

// groupOf finds a hierarchy group by its id, ARN or path, or by its name when no
// other group has it. The root is no place for users.
func (n *naming) groupOf(ctx context.Context, said string) (domain.HierarchyGroupID, error) {
	if said == "" {
		return "", nil
	}
	none := fault.New(fault.InvalidParameter, "There is no %s %q", domain.KindHierarchyGroup, said)
	id, err := catalog.ID(n.sc, domain.KindHierarchyGroup, said)
	if err != nil {
		return "", none.Wrap(err)
	}
	if err := n.readGroups(ctx); err != nil {
		return "", err
	}
	var byName []string
	for _, g := range n.groups {
		switch {
		case g.Value.IsRoot():
		case g.ID == id || n.path(g) == said:
			return domain.HierarchyGroupID(g.ID), nil
		case g.Name == said:
			byName = append(byName, g.ID)
		}
	}
	switch len(byName) {
	case 0:
		return "", none
	case 1:
		return domain.HierarchyGroupID(byName[0]), nil
	default:
		return "", fault.New(fault.InvalidParameter, "There are several groups %q: say which by its path, such as Sales/North, or its id", said)
	}
}
