package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// userQuota: admin guide, "Amazon Connect service quotas".
const userQuota = 500

// The roles in which a user refers to other resources.
const (
	roleRoutingProfile  store.Role = "routing-profile"
	roleSecurityProfile store.Role = "security-profile"
	roleHierarchyGroup  store.Role = "hierarchy-group"
)

var userKind = catalog.Kind[domain.User]{
	Of:    domain.KindUser,
	Name:  func(e *domain.User) string { return e.Username }, // case-sensitive in all identity types
	Refs:  userRefs,
	Check: (*domain.User).Check,
	Quota: userQuota,
	Fields: catalog.Fields[domain.User]{
		"Username":  catalog.TextField(func(e *domain.User) string { return e.Username }),
		"FirstName": catalog.TextField(func(e *domain.User) string { return identity(e).FirstName }),
		"LastName":  catalog.TextField(func(e *domain.User) string { return identity(e).LastName }),
		"RoutingProfileId": catalog.KeyField(func(e *domain.User) []string {
			return []string{string(e.RoutingProfileID)}
		}),
		"SecurityProfileId": catalog.KeyField(func(e *domain.User) []string {
			return catalog.Map(e.SecurityProfileIDs, func(id domain.SecurityProfileID) string { return string(id) })
		}),
		"resourceId": catalog.IDField[domain.User](),
		// Beyond the documented fields, the conditions of their own:
		"hierarchyGroup": catalog.OtherField(indexHierarchy),
		"proficiency":    catalog.OtherField(indexProficiencies),
		// Asked for by SCIM alone:
		"externalId": catalog.OtherField(indexExternalID),
	},
}

func userRefs(e *domain.User) []catalog.Ref {
	refs := make([]catalog.Ref, 0, 4+len(e.Proficiencies))
	refs = append(refs, catalog.Ref{Role: roleRoutingProfile, Kind: domain.KindRoutingProfile, ID: string(e.RoutingProfileID)})
	for _, id := range e.SecurityProfileIDs {
		refs = append(refs, catalog.Ref{Role: roleSecurityProfile, Kind: domain.KindSecurityProfile, ID: string(id)})
	}
	if e.HierarchyGroupID != "" {
		refs = append(refs, catalog.Ref{Role: roleHierarchyGroup, Kind: domain.KindHierarchyGroup, ID: string(e.HierarchyGroupID)})
	}
	for _, p := range e.Proficiencies {
		refs = append(refs, catalog.Ref{Role: roleProficiency(p.Value), Kind: domain.KindPredefinedAttribute, ID: p.AttributeID})
	}
	return refs
}

func identity(e *domain.User) *domain.IdentityInfo {
	if e.IdentityInfo == nil {
		return &domain.IdentityInfo{}
	}
	return e.IdentityInfo
}

// CreateUser adds a user. Which of Password, DirectoryUserId and IdentityInfo
// it needs depends on the identity type of the instance (AWS API reference,
// CreateUser).
func (d *Directory) CreateUser(ctx context.Context, in *connect.CreateUserInput) (*connect.CreateUserOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e := &domain.User{
		Username:                    *in.Username,
		DirectoryUserID:             aws.ToString(in.DirectoryUserId),
		IdentityInfo:                identityInfo(in.IdentityInfo),
		PhoneConfig:                 phoneConfig(in.PhoneConfig),
		AutoAcceptConfigs:           in.AutoAcceptConfigs,
		AfterContactWorkConfigs:     in.AfterContactWorkConfigs,
		PhoneNumberConfigs:          in.PhoneNumberConfigs,
		PersistentConnectionConfigs: in.PersistentConnectionConfigs,
		VoiceEnhancementConfigs:     in.VoiceEnhancementConfigs,
	}
	if e.RoutingProfileID, e.SecurityProfileIDs, err = profileIDs(sc, in.RoutingProfileId, in.SecurityProfileIds); err != nil {
		return nil, err
	}
	if e.HierarchyGroupID, err = d.groupForUser(ctx, d.catalog.Store(), sc, in.HierarchyGroupId); err != nil {
		return nil, err
	}
	if err := checkIdentity(sc.Identity, e, in); err != nil {
		return nil, err
	}
	if err := d.findInDirectory(ctx, sc, e); err != nil {
		return nil, err
	}
	if in.Password != nil {
		if e.PasswordHash, err = d.passwords.Hash(ctx, *in.Password); err != nil {
			return nil, fmt.Errorf("hash a password: %w", err)
		}
	}
	made, err := d.users.Create(ctx, sc, e, in.Tags)
	if err != nil {
		return nil, err
	}
	return &connect.CreateUserOutput{
		UserArn: aws.String(sc.ARN(domain.KindUser, made.ID)),
		UserId:  aws.String(made.ID),
	}, nil
}

// checkIdentity checks what the instance's identity type demands of a new
// user.
func checkIdentity(kind domain.IdentityManagementType, e *domain.User, in *connect.CreateUserInput) error {
	if err := domain.CheckUsername(e.Username, kind); err != nil {
		return err
	}
	managed := kind == domain.ConnectManaged
	switch {
	case managed && in.Password == nil:
		return fault.New(fault.InvalidRequest, "Password is required for a user of an instance that manages its own users")
	case !managed && in.Password != nil:
		return fault.New(fault.InvalidRequest, "Password must not be given: the instance's users sign in by %s", kind)
	case kind == domain.SAML && in.DirectoryUserId != nil:
		return fault.New(fault.InvalidRequest, "DirectoryUserId must not be given: the instance's users sign in by SAML")
	case managed && in.DirectoryUserId != nil:
		return fault.New(fault.InvalidRequest, "DirectoryUserId must not be given: the instance has no directory of others")
	default:
		return checkNames(kind, e)
	}
}

// checkNames checks that a user has a name where no directory of others keeps
// it.
func checkNames(kind domain.IdentityManagementType, e *domain.User) error {
	if who := identity(e); kind != domain.ExistingDirectory && (who.FirstName == "" || who.LastName == "") {
		return fault.New(fault.InvalidRequest, "IdentityInfo.FirstName and IdentityInfo.LastName are required for an instance of type %s", kind)
	}
	return nil
}

// DescribeUser returns a user.
func (d *Directory) DescribeUser(ctx context.Context, in *connect.DescribeUserInput) (*connect.DescribeUserOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := d.users.Get(ctx, sc, *in.UserId)
	if err != nil {
		return nil, err
	}
	e := &i.Value
	return &connect.DescribeUserOutput{User: &types.User{
		Id:                          aws.String(i.ID),
		Arn:                         aws.String(sc.ARN(domain.KindUser, i.ID)),
		Username:                    aws.String(e.Username),
		DirectoryUserId:             directoryUserID(i),
		IdentityInfo:                identityInfoOut(e.IdentityInfo),
		PhoneConfig:                 phoneConfigOut(e.PhoneConfig),
		AutoAcceptConfigs:           e.AutoAcceptConfigs,
		AfterContactWorkConfigs:     e.AfterContactWorkConfigs,
		PhoneNumberConfigs:          e.PhoneNumberConfigs,
		PersistentConnectionConfigs: e.PersistentConnectionConfigs,
		VoiceEnhancementConfigs:     e.VoiceEnhancementConfigs,
		RoutingProfileId:            aws.String(string(e.RoutingProfileID)),
		SecurityProfileIds:          strs(e.SecurityProfileIDs),
		HierarchyGroupId:            catalog.Optional(e.HierarchyGroupID),
		LastModifiedRegion:          aws.String(sc.Region),
		LastModifiedTime:            aws.Time(i.Modified),
		Tags:                        i.TagMap(),
	}}, nil
}

// ListUsers lists users.
func (d *Directory) ListUsers(ctx context.Context, in *connect.ListUsersInput) (*connect.ListUsersOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := d.users.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	// A page has up to 1,000 users, so what the items hold is pointed at, not
	// copied.
	return &connect.ListUsersOutput{
		NextToken: next,
		UserSummaryList: catalog.Map(found, func(i *catalog.Item[domain.User]) types.UserSummary {
			return types.UserSummary{
				Id: &i.ID, Arn: i.ARN(sc), Username: &i.Name, LastModifiedRegion: &sc.Region, LastModifiedTime: &i.Modified,
			}
		}),
	}, nil
}

// DeleteUser removes a user and its agent queue. Quick connects to it stay, as
// on the real service.
func (d *Directory) DeleteUser(ctx context.Context, in *connect.DeleteUserInput) (*connect.DeleteUserOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, d.users.Delete(ctx, sc, *in.UserId, nil)
}

// change is the whole of an Update operation on a user.
func (d *Directory) change(ctx context.Context, instanceID, userID *string, change func(sc catalog.Scope, e *domain.User) error) error {
	sc, err := d.catalog.Scope(ctx, instanceID)
	if err != nil {
		return err
	}
	return d.users.Update(ctx, sc, *userID, func(_ store.Tx, e *domain.User) error { return change(sc, e) })
}

// UpdateUserIdentityInfo replaces the identity information as a whole.
func (d *Directory) UpdateUserIdentityInfo(ctx context.Context, in *connect.UpdateUserIdentityInfoInput) (*connect.UpdateUserIdentityInfoOutput, error) {
	return nil, d.change(ctx, in.InstanceId, in.UserId, func(sc catalog.Scope, e *domain.User) error {
		e.IdentityInfo = identityInfo(in.IdentityInfo)
		return checkNames(sc.Identity, e)
	})
}

// UpdateUserPhoneConfig replaces the phone settings as a whole. They take the
// place of settings by channel that mean the same: the operation "will always
// set the same ACW timeouts to all channels" (AWS API reference), and so for
// the others.
func (d *Directory) UpdateUserPhoneConfig(ctx context.Context, in *connect.UpdateUserPhoneConfigInput) (*connect.UpdateUserPhoneConfigOutput, error) {
	return nil, d.change(ctx, in.InstanceId, in.UserId, func(_ catalog.Scope, e *domain.User) error {
		phone := phoneConfig(in.PhoneConfig)
		e.PhoneConfig, e.AutoAcceptConfigs, e.AfterContactWorkConfigs = phone, nil, nil
		if phone.PhoneType != "" || phone.DeskPhoneNumber != "" {
			e.PhoneNumberConfigs = nil
		}
		if phone.PersistentConnection != nil {
			e.PersistentConnectionConfigs = nil
		}
		return nil
	})
}

// UpdateUserConfig replaces the settings by channel that the request has.
// A list takes the place of the member of PhoneConfig that means the same.
func (d *Directory) UpdateUserConfig(ctx context.Context, in *connect.UpdateUserConfigInput) (*connect.UpdateUserConfigOutput, error) {
	return nil, d.change(ctx, in.InstanceId, in.UserId, func(_ catalog.Scope, e *domain.User) error {
		phone := domain.PhoneConfig{}
		if e.PhoneConfig != nil {
			phone = *e.PhoneConfig
		}
		if in.AutoAcceptConfigs != nil {
			e.AutoAcceptConfigs, phone.AutoAccept = in.AutoAcceptConfigs, false
		}
		if in.AfterContactWorkConfigs != nil {
			e.AfterContactWorkConfigs, phone.AfterContactWorkTimeLimit = in.AfterContactWorkConfigs, 0
		}
		if in.PhoneNumberConfigs != nil {
			e.PhoneNumberConfigs = in.PhoneNumberConfigs
			phone.DeskPhoneNumber, phone.PhoneType = "", ""
		}
		if in.PersistentConnectionConfigs != nil {
			e.PersistentConnectionConfigs, phone.PersistentConnection = in.PersistentConnectionConfigs, nil
		}
		if in.VoiceEnhancementConfigs != nil {
			e.VoiceEnhancementConfigs = in.VoiceEnhancementConfigs
		}
		if e.PhoneConfig != nil {
			e.PhoneConfig = &phone
		}
		return nil
	})
}

// UpdateUserHierarchy puts a user into a hierarchy group, or out of any when
// the request names none.
func (d *Directory) UpdateUserHierarchy(ctx context.Context, in *connect.UpdateUserHierarchyInput) (*connect.UpdateUserHierarchyOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, d.users.Update(ctx, sc, *in.UserId, func(tx store.Tx, e *domain.User) error {
		var err error
		e.HierarchyGroupID, err = d.groupForUser(ctx, tx, sc, in.HierarchyGroupId)
		return err
	})
}

// UpdateUserRoutingProfile gives a user another routing profile.
func (d *Directory) UpdateUserRoutingProfile(ctx context.Context, in *connect.UpdateUserRoutingProfileInput) (*connect.UpdateUserRoutingProfileOutput, error) {
	return nil, d.change(ctx, in.InstanceId, in.UserId, func(sc catalog.Scope, e *domain.User) error {
		id, err := catalog.ID(sc, domain.KindRoutingProfile, *in.RoutingProfileId)
		e.RoutingProfileID = domain.RoutingProfileID(id)
		return err
	})
}

// UpdateUserSecurityProfiles replaces the security profiles of a user.
func (d *Directory) UpdateUserSecurityProfiles(ctx context.Context, in *connect.UpdateUserSecurityProfilesInput) (*connect.UpdateUserSecurityProfilesOutput, error) {
	return nil, d.change(ctx, in.InstanceId, in.UserId, func(sc catalog.Scope, e *domain.User) error {
		var err error
		_, e.SecurityProfileIDs, err = profileIDs(sc, nil, in.SecurityProfileIds)
		return err
	})
}

func profileIDs(sc catalog.Scope, routing *string, security []string) (domain.RoutingProfileID, []domain.SecurityProfileID, error) {
	rp, err := catalog.ID(sc, domain.KindRoutingProfile, aws.ToString(routing))
	if err != nil {
		return "", nil, err
	}
	ids := make([]domain.SecurityProfileID, len(security))
	for i, s := range security {
		id, err := catalog.ID(sc, domain.KindSecurityProfile, s)
		if err != nil {
			return "", nil, err
		}
		ids[i] = domain.SecurityProfileID(id)
	}
	return domain.RoutingProfileID(rp), distinct(ids), nil
}

// distinct leaves of each element the first.
func distinct[T comparable](list []T) []T {
	out := make([]T, 0, len(list))
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func hierarchyGroupID(sc catalog.Scope, idOrARN *string) (domain.HierarchyGroupID, error) {
	id, err := catalog.ID(sc, domain.KindHierarchyGroup, aws.ToString(idOrARN))
	return domain.HierarchyGroupID(id), err
}

// groupForUser is the hierarchy group that a request gives a user, empty for
// none. The root of the hierarchy is no place for users.
func (d *Directory) groupForUser(ctx context.Context, rd store.Reader, sc catalog.Scope, idOrARN *string) (domain.HierarchyGroupID, error) {
	if aws.ToString(idOrARN) == "" {
		return "", nil
	}
	i, err := d.hierarchyGroups.GetIn(ctx, rd, sc, *idOrARN)
	if err != nil {
		return "", err
	}
	if i.Value.IsRoot() {
		return "", rootIsFixed()
	}
	return domain.HierarchyGroupID(i.ID), nil
}

func strs[S ~string](list []S) []string {
	return catalog.Map(list, func(s S) string { return string(s) })
}

// directoryUserID is the user's name in the directory; where there is none it
// is the user's own id, for the real service returns one for every identity
// type.
func directoryUserID(i *catalog.Item[domain.User]) *string {
	if i.Value.DirectoryUserID != "" {
		return &i.Value.DirectoryUserID
	}
	return &i.ID
}

func identityInfo(in *types.UserIdentityInfo) *domain.IdentityInfo {
	if in == nil {
		return nil
	}
	return &domain.IdentityInfo{
		FirstName: aws.ToString(in.FirstName), LastName: aws.ToString(in.LastName),
		Email: aws.ToString(in.Email), SecondaryEmail: aws.ToString(in.SecondaryEmail), Mobile: aws.ToString(in.Mobile),
	}
}

func identityInfoOut(e *domain.IdentityInfo) *types.UserIdentityInfo {
	if e == nil {
		return nil
	}
	return &types.UserIdentityInfo{
		FirstName: aws.String(e.FirstName), LastName: aws.String(e.LastName),
		Email: catalog.Optional(e.Email), SecondaryEmail: catalog.Optional(e.SecondaryEmail), Mobile: catalog.Optional(e.Mobile),
	}
}

func phoneConfig(in *types.UserPhoneConfig) *domain.PhoneConfig {
	if in == nil {
		return nil
	}
	return &domain.PhoneConfig{
		PhoneType: in.PhoneType, AutoAccept: in.AutoAccept, AfterContactWorkTimeLimit: in.AfterContactWorkTimeLimit,
		DeskPhoneNumber: aws.ToString(in.DeskPhoneNumber), PersistentConnection: in.PersistentConnection,
	}
}

// phoneConfigOut shows a missing desk number as an empty one, as the real
// service does.
func phoneConfigOut(e *domain.PhoneConfig) *types.UserPhoneConfig {
	if e == nil {
		return nil
	}
	return &types.UserPhoneConfig{
		PhoneType: e.PhoneType, AutoAccept: e.AutoAccept, AfterContactWorkTimeLimit: e.AfterContactWorkTimeLimit,
		DeskPhoneNumber: &e.DeskPhoneNumber, PersistentConnection: e.PersistentConnection,
	}
}
