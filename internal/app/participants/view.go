package participants

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	sdk "github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contract/connectparticipant/types"
	"ringdown/internal/fault"
)

func noView() error {
	return fault.New(fault.ResourceNotFound, "The view is not shown in the chat, or has been answered.")
}

func viewInput(who caller, id string) *connect.DescribeViewInput {
	return &connect.DescribeViewInput{InstanceId: aws.String(string(who.Instance.ID)), ViewId: &id}
}

// viewOf is a view as participants see it.
func viewOf(v *sdk.View) *types.View {
	out := &types.View{Arn: v.Arn, Id: v.Id, Name: v.Name}
	if v.Version != 0 {
		out.Version = &v.Version
	}
	if c := v.Content; c != nil {
		out.Content = &types.ViewContent{Actions: c.Actions, InputSchema: c.InputSchema, Template: c.Template}
	}
	return out
}
