package server

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func TestCallsAreChecked(t *testing.T) {
	for want, calls := range map[string]Calls{
		"calls: countries[0]":        {Countries: []string{"Switzerland"}},
		"calls: blocked-prefixes[0]": {BlockedPrefixes: []string{"447"}},
	} {
		_, err := Start(t.Context(), Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Calls: calls})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one about %s", err, want)
		}
	}
}

// TestContactsGoWithTheirInstance: nothing is left of the contacts of a deleted
// instance, and those of others live on.
func TestContactsGoWithTheirInstance(t *testing.T) {
	s, err := Start(t.Context(), Config{Listen: "127.0.0.1:0", Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	c := connect.New(connect.Options{
		Region: DefaultRegion, BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider(s.Root.AccessKeyID, s.Root.SecretAccessKey, ""),
	})
	var ids []*string
	for _, alias := range []string{"stays", "goes"} {
		made, err := c.CreateInstance(t.Context(), &connect.CreateInstanceInput{
			InstanceAlias: &alias, IdentityManagementType: types.DirectoryTypeConnectManaged, InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
		})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.Id)
		for range 3 {
			if _, err := c.CreateContact(t.Context(), &connect.CreateContactInput{InstanceId: made.Id, Channel: "TASK", InitiationMethod: "API"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := s.contacts.Live(); n != 6 {
		t.Fatalf("%d contacts live, want 6", n)
	}
	if _, err := c.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: ids[1]}); err != nil {
		t.Fatal(err)
	}
	if n := s.contacts.Live(); n != 3 {
		t.Errorf("%d contacts live, want the 3 of the other instance", n)
	}
}
