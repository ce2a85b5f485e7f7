package instance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

// What is remembered of a client token is forgotten with the instance that it
// made: to ask again makes another, not an answer about nothing.
func TestClientTokenOfADeletedInstance(t *testing.T) {
	s := servertest.Boot(t)
	in := &connect.CreateInstanceInput{
		IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("alias"), ClientToken: aws.String("token"),
		InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	}
	create := func() string {
		t.Helper()
		out, err := s.Connect.CreateInstance(t.Context(), in)
		servertest.OK(t, err)
		return *out.Id
	}
	first := create()
	if again := create(); again != first {
		t.Errorf("the same request made %s and %s", first, again)
	}
	_, err := s.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &first})
	servertest.OK(t, err)
	second := create()
	if second == first {
		t.Error("a deleted instance was given again")
	}
	_, err = s.Connect.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &second})
	servertest.OK(t, err)
	_, err = s.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &first})
	servertest.Fails(t, err, fault.ResourceNotFound)
}
