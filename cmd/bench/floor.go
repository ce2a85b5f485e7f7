package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/prometheus/client_golang/prometheus"

	"ringdown/internal/contract"
	"ringdown/internal/domain"
	"ringdown/internal/gateway"
	"ringdown/internal/iam"
	"ringdown/internal/server"
)

// The floor is the same front door (signature, decoding, validation, encoding,
// log, metrics) in front of answers that are ready in memory. What a real
// operation costs beyond it is what ringdown itself adds: its rules and its
// storage.
type floor struct {
	user   *connect.DescribeUserOutput
	list   *connect.ListUsersOutput
	search *connect.SearchUsersOutput
}

func (f *floor) DescribeUser(context.Context, *connect.DescribeUserInput) (*connect.DescribeUserOutput, error) {
	return f.user, nil
}

func (f *floor) ListUsers(context.Context, *connect.ListUsersInput) (*connect.ListUsersOutput, error) {
	return f.list, nil
}

func (f *floor) SearchUsers(context.Context, *connect.SearchUsersInput) (*connect.SearchUsersOutput, error) {
	return f.search, nil
}

func (f *floor) CreateUser(context.Context, *connect.CreateUserInput) (*connect.CreateUserOutput, error) {
	return &connect.CreateUserOutput{UserArn: f.user.User.Arn, UserId: f.user.User.Id}, nil
}

func (f *floor) UpdateUserPhoneConfig(context.Context, *connect.UpdateUserPhoneConfigInput) (*connect.UpdateUserPhoneConfigOutput, error) {
	return nil, nil
}

func (f *floor) TagResource(context.Context, *connect.TagResourceInput) (*connect.TagResourceOutput, error) {
	return nil, nil
}

func newFloor() *floor {
	instance, now := domain.NewID(), time.Now()
	arn := func(kind domain.Kind, id string) *string {
		return aws.String(domain.ARN{Region: "us-east-1", Account: "123456789012", Instance: domain.InstanceID(instance), Kind: kind, ID: id}.String())
	}
	f := &floor{list: &connect.ListUsersOutput{NextToken: aws.String("MSAyIDEgMDE5MGYwYzQtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw")}, search: &connect.SearchUsersOutput{ApproximateTotalCount: aws.Int64(1_000_000)}}
	for i := range 100 {
		id := domain.NewID()
		name := aws.String(fmt.Sprintf("user%07d", i))
		info := &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")}
		phone := &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone, DeskPhoneNumber: aws.String("")}
		f.user = &connect.DescribeUserOutput{User: &types.User{
			Id: aws.String(id), Arn: arn(domain.KindUser, id), Username: name, DirectoryUserId: aws.String(id), IdentityInfo: info, PhoneConfig: phone,
			RoutingProfileId: aws.String(instance), SecurityProfileIds: []string{instance}, LastModifiedRegion: aws.String("us-east-1"),
			LastModifiedTime: &now, Tags: map[string]string{"Department": "Support"},
		}}
		f.list.UserSummaryList = append(f.list.UserSummaryList, types.UserSummary{
			Id: aws.String(id), Arn: arn(domain.KindUser, id), Username: name, LastModifiedRegion: aws.String("us-east-1"), LastModifiedTime: &now,
		})
		f.search.Users = append(f.search.Users, types.UserSearchSummary{
			Id: aws.String(id), Arn: arn(domain.KindUser, id), Username: name, DirectoryUserId: aws.String(id),
			IdentityInfo: &types.UserIdentityInfoLite{FirstName: info.FirstName, LastName: info.LastName}, PhoneConfig: phone,
			RoutingProfileId: aws.String(instance), SecurityProfileIds: []string{instance}, Tags: map[string]string{"Department": "Support"},
		})
	}
	return f
}

type floorKeys struct{ key *iam.Key }

func (k floorKeys) Find(_ context.Context, id, _ string) (*iam.Key, error) {
	if id != k.key.ID {
		return nil, nil
	}
	return k.key, nil
}

// serveFloor runs the floor server until its standard input ends. It prints
// its address.
func serveFloor(keyID, secret string) error {
	server.CollectLess()
	api, err := contract.Load()
	if err != nil {
		return err
	}
	g, err := gateway.New(gateway.Options{
		API: api, Metrics: prometheus.NewRegistry(), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: time.Now, Account: "123456789012",
		Keys: floorKeys{&iam.Key{ID: keyID, Secret: secret, Principal: &iam.Principal{Root: true, ARN: "arn:aws:iam::123456789012:root"}}},
	}, newFloor())
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	s := &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute}
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		_ = s.Close()
	}()
	if err := s.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}
