package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// place is an instance with what users of it need.
type place struct {
	id, routing, security string
}

// newPlace makes an instance through the API.
func newPlace(ctx context.Context, c *connect.Client, alias string) (place, error) {
	made, err := c.CreateInstance(ctx, &connect.CreateInstanceInput{
		InstanceAlias: aws.String(alias), IdentityManagementType: types.DirectoryTypeSaml,
		InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	if err != nil {
		return place{}, err
	}
	routing, err := c.ListRoutingProfiles(ctx, &connect.ListRoutingProfilesInput{InstanceId: made.Id})
	if err != nil {
		return place{}, err
	}
	security, err := c.ListSecurityProfiles(ctx, &connect.ListSecurityProfilesInput{InstanceId: made.Id})
	if err != nil {
		return place{}, err
	}
	return place{*made.Id, *routing.RoutingProfileSummaryList[0].Id, *security.SecurityProfileSummaryList[0].Id}, nil
}

// create is a CreateUser call.
func (p place) create(name string) call {
	return call{"PUT", "/users/" + p.id, fmt.Sprintf(
		`{"Username":%q,"IdentityInfo":{"FirstName":"Mary","LastName":"Major"},"PhoneConfig":{"PhoneType":"SOFT_PHONE","AutoAccept":true,"AfterContactWorkTimeLimit":60},"RoutingProfileId":%q,"SecurityProfileIds":[%q],"Tags":{"Department":"Support"}}`,
		name, p.routing, p.security)}
}

// The makings of the users that are searched: thousands of distinct names,
// hundreds of groups, a few tags.
const (
	firstNames  = 3000
	lastNames   = 9000
	groups      = 400
	departments = 50
)

// populate writes n users straight into the store, as CreateUser would have
// left them, while no server runs on it. Everything is drawn from a fixed
// seed.
func populate(ctx context.Context, data string, p place, groupIDs []string, n int) error {
	st, err := sqlstore.Open(ctx, sqlstore.Options{Dir: data, Now: time.Now})
	if err != nil {
		return err
	}
	in, err := st.Get(ctx, store.Root, domain.KindInstance, p.id)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	routing, err := st.Resolve(ctx, in.PK, domain.KindRoutingProfile, p.routing)
	if err != nil {
		return err
	}
	security, err := st.Resolve(ctx, in.PK, domain.KindSecurityProfile, p.security)
	if err != nil {
		return err
	}
	groupPKs, err := st.Resolve(ctx, in.PK, domain.KindHierarchyGroup, groupIDs...)
	if err != nil {
		return err
	}
	const run = 5000
	for from := 0; from < n; from += run {
		err := st.Update(ctx, func(tx store.Tx) error {
			for i := from; i < min(from+run, n); i++ {
				g := random.IntN(groups)
				u := domain.User{
					Username:         fmt.Sprintf("user%07d", i),
					IdentityInfo:     &domain.IdentityInfo{FirstName: fmt.Sprintf("First%d", random.IntN(firstNames)), LastName: fmt.Sprintf("Last%d", random.IntN(lastNames))},
					PhoneConfig:      &domain.PhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
					RoutingProfileID: domain.RoutingProfileID(p.routing), SecurityProfileIDs: []domain.SecurityProfileID{domain.SecurityProfileID(p.security)},
					HierarchyGroupID: domain.HierarchyGroupID(groupIDs[g]),
					Proficiencies:    []domain.Proficiency{{Name: "Language", Value: fmt.Sprintf("Lang%d", random.IntN(40)), Level: float32(1 + random.IntN(5))}},
				}
				if i%10_000 == 17 {
					u.Username = fmt.Sprintf("needle%07d", i)
					u.IdentityInfo.FirstName = "Zebedee"
				}
				doc, err := json.Marshal(&u)
				if err != nil {
					return err
				}
				tags := map[string]string{"Department": fmt.Sprintf("D%d", random.IntN(departments))}
				if i%10_000 == 17 {
					tags["Rare"] = "yes"
				}
				r := &store.Record{Instance: in.PK, Kind: domain.KindUser, ID: domain.NewID(), Name: u.Username, NameKey: u.Username, Doc: doc, Tags: tags}
				refs := []store.Ref{{Role: "routing-profile", To: routing[0]}, {Role: "security-profile", To: security[0]}, {Role: "hierarchy-group", To: groupPKs[g]}}
				if err := tx.Insert(ctx, r, refs); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return st.Close()
}

// newGroups makes one group at level one and all others below it, through the
// API.
func (p place) newGroups(ctx context.Context, c *connect.Client) ([]string, error) {
	level := func(name string) *types.HierarchyLevelUpdate {
		return &types.HierarchyLevelUpdate{Name: aws.String(name)}
	}
	if _, err := c.UpdateUserHierarchyStructure(ctx, &connect.UpdateUserHierarchyStructureInput{
		InstanceId:         aws.String(p.id),
		HierarchyStructure: &types.HierarchyStructureUpdate{LevelOne: level("Company"), LevelTwo: level("Team")},
	}); err != nil {
		return nil, err
	}
	ids := make([]string, groups)
	for i := range ids {
		in := &connect.CreateUserHierarchyGroupInput{InstanceId: aws.String(p.id), Name: aws.String(fmt.Sprintf("Group %d", i))}
		if i > 0 {
			in.ParentGroupId = aws.String(ids[0])
		}
		out, err := c.CreateUserHierarchyGroup(ctx, in)
		if err != nil {
			return nil, err
		}
		ids[i] = *out.HierarchyGroupId
	}
	return ids, nil
}
