package flows

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// The roles in which flows, modules and their versions refer to contents.
const (
	rolePublished store.Role = "published"
	roleSaved     store.Role = "saved"
	roleVersion   store.Role = "version"
)

var flowContentKind = catalog.Kind[domain.FlowContent]{
	Of:       domain.KindFlowContent,
	Name:     func(*domain.FlowContent) string { return "" },
	Check:    (*domain.FlowContent).Check,
	NoTags:   true,
	Unlisted: true,
}

// contentRefs are the contents of a flow or module. What the contents name in
// turn is not among them: the service lets it be deleted, and the flow then
// takes its error branch.
func contentRefs(c *domain.FlowContents) []catalog.Ref {
	var refs []catalog.Ref
	if c.Published != nil {
		refs = append(refs, contentRef(rolePublished, c.Published))
	}
	if c.Saved != nil {
		refs = append(refs, contentRef(roleSaved, c.Saved))
	}
	return refs
}

func contentRef(role store.Role, r *domain.FlowRevision) catalog.Ref {
	return catalog.Ref{Role: role, Kind: domain.KindFlowContent, ID: string(r.ContentID)}
}

// versionKind describes the versions of flows or of modules.
func versionKind(of, parent domain.Kind, role store.Role) catalog.Kind[domain.FlowVersion] {
	return catalog.Kind[domain.FlowVersion]{
		Of:     of,
		Name:   func(e *domain.FlowVersion) string { return strconv.FormatInt(e.Number, 10) },
		Parent: &catalog.Parent[domain.FlowVersion]{Kind: parent, Role: role, ID: func(e *domain.FlowVersion) string { return e.Of }},
		Refs: func(e *domain.FlowVersion) []catalog.Ref {
			return []catalog.Ref{contentRef(roleVersion, &e.FlowRevision)}
		},
		Check:  (*domain.FlowVersion).Check,
		NoTags: true,
	}
}

type version = catalog.Item[domain.FlowVersion]

// documents are all flows or all modules, as far as both are the same: they
// have contents and versions, and a qualifier after their id asks for one of
// these.
type documents[E any] struct {
	catalog  *catalog.Catalog
	contents *catalog.Collection[domain.FlowContent]
	kind     domain.Kind
	items    *catalog.Collection[E]
	versions *catalog.Collection[domain.FlowVersion]
	of       func(*E) *domain.FlowContents
	// aliased finds the version that a qualifier names by an alias. Nil for
	// flows, which have none in this API.
	aliased func(ctx context.Context, rd store.Reader, sc catalog.Scope, id, qualifier string) (*version, error)
}

// id reads the id or ARN of a flow or module as a whole. One that a version is
// named with is an InvalidParameterException: whoever deletes a version must
// not lose them all.
func (d *documents[E]) id(sc catalog.Scope, idOrARN string) (string, error) {
	id, qualifier, err := catalog.QualifiedID(sc, d.kind, idOrARN)
	if err == nil && qualifier != "" {
		err = fault.New(fault.InvalidParameter, "%sId must name the %[1]s itself, without :%s", d.kind, qualifier)
	}
	return id, err
}

// writable reads the id or ARN of a flow or module whose content shall change,
// and whether it is to be saved only. Versions never change.
func (d *documents[E]) writable(sc catalog.Scope, idOrARN string) (id string, saved bool, err error) {
	id, qualifier, err := catalog.QualifiedID(sc, d.kind, idOrARN)
	switch {
	case err != nil:
		return "", false, err
	case qualifier == "" || qualifier == domain.SavedQualifier:
		return id, qualifier != "", nil
	default:
		return "", false, fault.New(fault.InvalidParameter, "%sId must name the %[1]s itself or its :%s content, not :%s", d.kind, domain.SavedQualifier, qualifier)
	}
}

// described is a flow or module with one of its contents.
type described[E any] struct {
	*catalog.Item[E]
	content domain.FlowContent
	sha256  string
	status  types.ContactFlowStatus
	version *domain.FlowVersion // nil unless the content was asked for as one
}

// describe finds a flow or module with the content that the qualifier of its
// id asks for: $SAVED the one saved last, a number that version, an alias the
// version that it stands for, and nothing or $LATEST the published one. Of what
// was published after it was last saved, $SAVED is the published content too.
func (d *documents[E]) describe(ctx context.Context, sc catalog.Scope, idOrARN string) (*described[E], error) {
	id, qualifier, err := catalog.QualifiedID(sc, d.kind, idOrARN)
	if err != nil {
		return nil, err
	}
	var out *described[E]
	// A view reads past the catalog's cache, which counts items, not their size.
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		i, err := d.items.GetIn(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		out = &described[E]{Item: i}
		revision, err := d.pick(ctx, rd, sc, out, qualifier)
		if err != nil {
			return err
		}
		content, err := d.contents.GetIn(ctx, rd, sc, string(revision.ContentID))
		if err != nil {
			return err
		}
		out.content, out.sha256 = content.Value, revision.SHA256
		return nil
	})
	return out, err
}

// pick finds the content that a qualifier asks for, and says in out which it
// is.
func (d *documents[E]) pick(ctx context.Context, rd store.Reader, sc catalog.Scope, out *described[E], qualifier string) (*domain.FlowRevision, error) {
	c := d.of(&out.Value)
	switch {
	case qualifier == domain.SavedQualifier && c.Saved != nil:
		out.status = types.ContactFlowStatusSaved
		return c.Saved, nil
	case qualifier != "" && !domain.IsFlowQualifier(qualifier):
		v, err := d.qualified(ctx, rd, sc, out.ID, qualifier)
		if err != nil {
			return nil, err
		}
		out.status, out.version = types.ContactFlowStatusPublished, &v.Value
		return &v.Value.FlowRevision, nil
	case c.Published == nil:
		return nil, fault.New(fault.ContactFlowNotPublished, "%s %s is not published. Its saved content has the id %[2]s:%s.", d.kind, out.ID, domain.SavedQualifier)
	default:
		out.status = types.ContactFlowStatusPublished
		return c.Published, nil
	}
}

// qualified finds the version that a qualifier names by number or alias. A
// number is a version's even if an alias has it for a name.
func (d *documents[E]) qualified(ctx context.Context, rd store.Reader, sc catalog.Scope, id, qualifier string) (*version, error) {
	v, err := d.numbered(ctx, rd, sc, id, qualifier)
	if d.aliased == nil || !fault.Is(err, fault.ResourceNotFound) {
		return v, err
	}
	return d.aliased(ctx, rd, sc, id, qualifier)
}

// numbered finds a version by its number.
func (d *documents[E]) numbered(ctx context.Context, rd store.Reader, sc catalog.Scope, id, number string) (*version, error) {
	v, err := d.versions.PartNamed(ctx, rd, sc, id, number)
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, fault.New(fault.ResourceNotFound, "%s %s has no version %s.", d.kind, id, number)
	}
	return v, err
}

// versionARN is the ARN of a version or of an alias.
func (d *documents[E]) versionARN(sc catalog.Scope, id, qualifier string) *string {
	return aws.String(sc.ARN(d.kind, id) + ":" + qualifier)
}

// insertContent stores a content for a flow or module to refer to.
func (d *documents[E]) insertContent(ctx context.Context, tx store.Tx, sc catalog.Scope, content domain.FlowContent) (*domain.FlowRevision, error) {
	made, err := d.contents.Insert(ctx, tx, sc, &content, nil)
	if err != nil {
		return nil, err
	}
	return &domain.FlowRevision{ContentID: domain.FlowContentID(made.ID), SHA256: content.SHA256()}, nil
}

// write gives a flow or module another content: saved, or else published. What
// is published replaces what was saved before it. Without settings it has those
// of the content that it takes the place of.
func (d *documents[E]) write(ctx context.Context, sc catalog.Scope, id string, saved bool, content string, settings *string) error {
	return d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := d.items.GetIn(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		old := *d.of(&i.Value)
		replaced := old.Published
		if saved && old.Saved != nil {
			replaced = old.Saved
		}
		next := domain.FlowContent{Content: content}
		if settings != nil {
			next.Settings = *settings
		} else if replaced != nil {
			was, err := d.contents.GetIn(ctx, tx, sc, string(replaced.ContentID))
			if err != nil {
				return err
			}
			next.Settings = was.Value.Settings
		}
		revision, err := d.insertContent(ctx, tx, sc, next)
		if err != nil {
			return err
		}
		if err := d.items.Change(ctx, tx, sc, id, func(e *E) error {
			if c := d.of(e); saved {
				c.Saved = revision
			} else {
				c.Published, c.Saved = revision, nil
			}
			return nil
		}); err != nil {
			return err
		}
		return d.sweep(ctx, tx, sc, old.Published, old.Saved)
	})
}

// remove deletes a flow or module with its versions and contents. Check, when
// not nil, may refuse.
func (d *documents[E]) remove(ctx context.Context, sc catalog.Scope, idOrARN string, check func(*catalog.Item[E]) error) error {
	id, err := d.id(sc, idOrARN)
	if err != nil {
		return err
	}
	return d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := d.items.GetIn(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		versions, err := d.versions.AllParts(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		if err := d.items.Remove(ctx, tx, sc, id, check); err != nil {
			return err
		}
		c := d.of(&i.Value)
		left := []*domain.FlowRevision{c.Published, c.Saved}
		for _, v := range versions {
			left = append(left, &v.Value.FlowRevision)
		}
		return d.sweep(ctx, tx, sc, left...)
	})
}

// sweep deletes those contents that nothing refers to any more. A nil one is
// none, and one that is named twice is deleted once.
func (d *documents[E]) sweep(ctx context.Context, tx store.Tx, sc catalog.Scope, revisions ...*domain.FlowRevision) error {
	seen := map[domain.FlowContentID]bool{}
	for _, r := range revisions {
		if r == nil || seen[r.ContentID] {
			continue
		}
		seen[r.ContentID] = true
		used, err := d.used(ctx, tx, sc, r.ContentID)
		if err != nil {
			return err
		}
		if used {
			continue
		}
		if err := d.contents.Remove(ctx, tx, sc, string(r.ContentID), nil); err != nil {
			return err
		}
	}
	return nil
}

func (d *documents[E]) used(ctx context.Context, rd store.Reader, sc catalog.Scope, id domain.FlowContentID) (bool, error) {
	pks, err := rd.Resolve(ctx, sc.PK, domain.KindFlowContent, string(id))
	if err != nil {
		return false, err
	}
	for _, role := range []store.Role{rolePublished, roleSaved, roleVersion} {
		n, err := rd.CountReferrers(ctx, pks[0], role)
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// newVersion is what a request says of a version to be made.
type newVersion struct {
	number      *int64 // what it is expected to be
	sha256      *string
	description *string
}

// createVersion keeps the published content as a version and returns its
// number, one more than any version had before. Check, when not nil, may refuse.
// The content must be the one with the checksum that the request gives, and the
// number that which it expects, if it has them.
func (d *documents[E]) createVersion(ctx context.Context, sc catalog.Scope, id string, in newVersion, check func(*catalog.Item[E]) error) (number int64, err error) {
	err = d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := d.items.GetIn(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		if check != nil {
			if err := check(i); err != nil {
				return err
			}
		}
		c := d.of(&i.Value)
		number = c.LastVersion + 1
		switch {
		case c.Published == nil:
			return fault.New(fault.InvalidRequest, "%s %s is not published, so it has no content to make a version of.", d.kind, id)
		case in.sha256 != nil && !strings.EqualFold(*in.sha256, c.Published.SHA256):
			return fault.New(fault.InvalidRequest, "The checksum of the published content is %s, not the one given.", c.Published.SHA256)
		case in.number != nil && *in.number != number:
			return fault.New(fault.InvalidRequest, "The next version of %s %s has the number %d.", d.kind, id, number)
		}
		e := &domain.FlowVersion{Of: id, Number: number, Description: aws.ToString(in.description), FlowRevision: *c.Published}
		if _, err := d.versions.Insert(ctx, tx, sc, e, nil); err != nil {
			return err
		}
		return d.items.Change(ctx, tx, sc, id, func(e *E) error {
			d.of(e).LastVersion = number
			return nil
		})
	})
	return number, err
}

// deleteVersion deletes a version that no alias stands for.
func (d *documents[E]) deleteVersion(ctx context.Context, sc catalog.Scope, idOrARN string, number int64) error {
	id, err := d.id(sc, idOrARN)
	if err != nil {
		return err
	}
	return d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		v, err := d.numbered(ctx, tx, sc, id, strconv.FormatInt(number, 10))
		if err != nil {
			return err
		}
		if err := d.versions.Remove(ctx, tx, sc, v.ID, nil); err != nil {
			return err
		}
		return d.sweep(ctx, tx, sc, &v.Value.FlowRevision)
	})
}

// listVersions lists the versions of a flow or module, the first one first.
func (d *documents[E]) listVersions(ctx context.Context, sc catalog.Scope, idOrARN string, p catalog.Page) ([]*version, *string, error) {
	id, err := d.id(sc, idOrARN)
	if err != nil {
		return nil, nil, err
	}
	return d.versions.ListParts(ctx, sc, id, p, nil)
}
