package views

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// CreateViewVersion makes a version of the content published last. When the
// highest version has that content, it is returned and none is made.
func (v *Views) CreateViewVersion(ctx context.Context, in *connect.CreateViewVersionInput) (*connect.CreateViewVersionOutput, error) {
	sc, id, err := v.own(ctx, in.InstanceId, in.ViewId)
	if err != nil {
		return nil, err
	}
	var out *types.View
	err = v.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := v.views.GetIn(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		latest, err := v.content(ctx, tx, sc, i, domain.ViewLatest)
		if err != nil {
			return err
		}
		if in.ViewContentSha256 != nil && *in.ViewContentSha256 != i.Value.PublishedSHA256 {
			return fault.New(fault.InvalidParameter, "ViewContentSha256 is not the checksum of the content published last.")
		}
		if n := len(i.Value.Versions); n == 0 || i.Value.Versions[n-1].SHA256 != i.Value.PublishedSHA256 {
			if i, err = v.addVersion(ctx, tx, sc, i, latest, aws.ToString(in.VersionDescription)); err != nil {
				return err
			}
		}
		highest := i.Value.Versions[len(i.Value.Versions)-1]
		out = full(sc, i, named(i, qualifierOf(highest.Number)), latest)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateViewVersionOutput{View: out}, nil
}

// addVersion makes a version and returns the view that has it.
func (v *Views) addVersion(ctx context.Context, tx store.Tx, sc catalog.Scope, i *catalog.Item[domain.View], latest *domain.ViewContent, description string) (*catalog.Item[domain.View], error) {
	number := i.Value.LastVersion + 1
	c := *latest
	c.Qualifier = qualifierOf(number)
	if _, err := v.contents.Insert(ctx, tx, sc, &c, nil); err != nil {
		return nil, err
	}
	err := v.views.Change(ctx, tx, sc, i.ID, func(e *domain.View) error {
		e.LastVersion = number
		e.Versions = append(e.Versions, domain.ViewVersion{Number: number, Description: description, SHA256: e.PublishedSHA256})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v.views.GetIn(ctx, tx, sc, i.ID)
}

func qualifierOf(number int32) string { return strconv.Itoa(int(number)) }

// DeleteViewVersion removes a version. Its number is not used again.
func (v *Views) DeleteViewVersion(ctx context.Context, in *connect.DeleteViewVersionInput) (*connect.DeleteViewVersionOutput, error) {
	sc, id, err := v.own(ctx, in.InstanceId, in.ViewId)
	if err != nil {
		return nil, err
	}
	return nil, v.views.Update(ctx, sc, id, func(tx store.Tx, e *domain.View) error {
		if e.Version(*in.ViewVersion) == nil {
			return fault.New(fault.ResourceNotFound, "View %s has no version %d.", id, *in.ViewVersion)
		}
		e.Versions = slices.DeleteFunc(e.Versions, func(w domain.ViewVersion) bool { return w.Number == *in.ViewVersion })
		c, err := v.contents.PartNamed(ctx, tx, sc, id, qualifierOf(*in.ViewVersion))
		if err != nil {
			return err
		}
		return v.contents.Remove(ctx, tx, sc, c.ID, nil)
	})
}

// ListViewVersions lists the versions of a view from the highest number. A view
// that AWS gives to every instance has one.
func (v *Views) ListViewVersions(ctx context.Context, in *connect.ListViewVersionsInput) (*connect.ListViewVersionsOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var all []types.ViewVersionSummary
	m, err := v.managedARN(sc, *in.ViewId)
	if err != nil {
		return nil, err
	}
	if m != nil {
		all = []types.ViewVersionSummary{versionSummary(m.brief(sc), domain.ViewVersion{Number: managedVersion})}
	} else {
		id, _, err := catalog.QualifiedID(sc, domain.KindView, *in.ViewId)
		if err != nil {
			return nil, err
		}
		i, err := v.views.Get(ctx, sc, id)
		if err != nil {
			return nil, err
		}
		for _, w := range slices.Backward(i.Value.Versions) {
			all = append(all, versionSummary(brief(sc, i), w))
		}
	}
	page, next, err := catalog.Slice(sc, domain.KindViewVersion, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, all)
	if err != nil {
		return nil, err
	}
	return &connect.ListViewVersionsOutput{ViewVersionSummaryList: append([]types.ViewVersionSummary{}, page...), NextToken: next}, nil
}

func versionSummary(of types.View, w domain.ViewVersion) types.ViewVersionSummary {
	return types.ViewVersionSummary{
		Arn: aws.String(*of.Arn + ":" + qualifierOf(w.Number)), Id: of.Id, Name: of.Name, Description: of.Description,
		Type: of.Type, Version: w.Number, VersionDescription: catalog.Optional(w.Description),
	}
}
