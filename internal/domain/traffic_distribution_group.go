package domain

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// TrafficDistributionGroup distributes calls, agents and sign-ins between an
// instance and its replica.
type TrafficDistributionGroup struct {
	Name        string
	Description string `json:",omitempty"`
	InstanceID  InstanceID
	Region      string // of the instance, where the group was made
	Replica     string // the region of its replica
	// Default marks the group that came with the replica and goes with it.
	Default   bool                       `json:",omitempty"`
	Telephony []types.Distribution       // one for each region, as the others
	Agents    []types.Distribution       // percentages in tens, 100 in all
	SignIn    []types.SignInDistribution `json:",omitempty"` // of the default group
}

// Check holds the distributions to the two regions (admin guide, "Update
// telephony traffic distribution across instances and AWS Regions").
func (g *TrafficDistributionGroup) Check() error {
	for _, d := range []struct {
		member string
		list   []types.Distribution
	}{{"TelephonyConfig", g.Telephony}, {"AgentConfig", g.Agents}} {
		sum := int32(0)
		var regions []string
		for _, r := range d.list {
			regions = append(regions, *r.Region)
			sum += r.Percentage
			if r.Percentage%10 != 0 {
				return fault.New(fault.InvalidRequest, "%s: Percentage must be a multiple of 10, %s has %d", d.member, *r.Region, r.Percentage)
			}
		}
		if err := g.checkRegions(d.member, regions); err != nil {
			return err
		}
		if sum != 100 {
			return fault.New(fault.InvalidRequest, "%s: the percentages must add up to 100, not %d", d.member, sum)
		}
	}
	if !g.Default {
		return nil
	}
	var regions []string
	enabled := false
	for _, r := range g.SignIn {
		regions = append(regions, *r.Region)
		enabled = enabled || r.Enabled
	}
	if err := g.checkRegions("SignInConfig", regions); err != nil {
		return err
	}
	if !enabled {
		return fault.New(fault.InvalidRequest, "SignInConfig: one region at least must be enabled")
	}
	return nil
}

func (g *TrafficDistributionGroup) checkRegions(member string, regions []string) error {
	if len(regions) != 2 || !slices.Contains(regions, g.Region) || !slices.Contains(regions, g.Replica) {
		return fault.New(fault.InvalidRequest, "%s: Distributions must name both regions of the instance, %s and %s, once each", member, g.Region, g.Replica)
	}
	return nil
}

// TrafficDistributionGroupUser is an agent that a group distributes.
type TrafficDistributionGroupUser struct {
	GroupID TrafficDistributionGroupID
	UserID  UserID
}
