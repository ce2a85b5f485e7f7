package domain

import "github.com/aws/aws-sdk-go-v2/service/connect/types"

// AgentStatus is what an agent can choose to be: Available, Offline or
// something of the instance's own.
type AgentStatus struct {
	Name         string
	Description  string `json:",omitempty"`
	Type         types.AgentStatusType
	State        types.AgentStatusState
	DisplayOrder *int32 `json:",omitempty"` // 1 to 50; nil: at the end
}
