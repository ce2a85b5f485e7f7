package domain

import (
	"strings"

	"ringdown/internal/fault"
)

// ARN names one resource of Amazon Connect:
//
//	arn:{partition}:connect:{region}:{account}:instance/{instance}
//	arn:{partition}:connect:{region}:{account}:instance/{instance}/{segment}/{id}[:{qualifier}]
//	arn:{partition}:connect:{region}:{account}:{segment}/{id}
//
//	arn:{partition}:connect:{region}:aws:view/{id}[:{qualifier}]
//
// The third form is that of resources outside an instance (phone numbers), where
// Instance is empty; lists of old show phone numbers in the second form too. The
// last is that of views that AWS gives to every instance. ID is the instance's
// id when Kind is KindInstance.
type ARN struct {
	Partition string
	Region    string
	Account   string
	Instance  InstanceID
	Kind      Kind
	ID        string
	// Qualifier is what follows the id of a flow, module or view: a version,
	// an alias or $SAVED. Empty when absent.
	Qualifier string
}

const agentQueuePrefix = "agent/"

// AWSAccount is the account in the ARNs of what AWS gives to every instance.
const AWSAccount = "aws"

// Managed reports whether the ARN names a view that AWS gives to every
// instance.
func (a ARN) Managed() bool { return a.Account == AWSAccount && a.Kind == KindView }

// Partition is the partition that a region belongs to.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	default:
		return "aws"
	}
}

// String builds the ARN.
func (a ARN) String() string {
	var b strings.Builder
	b.Grow(128)
	b.WriteString("arn:")
	if a.Partition == "" {
		b.WriteString(Partition(a.Region))
	} else {
		b.WriteString(a.Partition)
	}
	b.WriteString(":connect:")
	b.WriteString(a.Region)
	b.WriteByte(':')
	b.WriteString(a.Account)
	b.WriteByte(':')
	if (!a.Kind.Outside() && !a.Managed()) || (a.Instance != "" && a.Kind != KindInstance) {
		b.WriteString("instance/")
		b.WriteString(string(a.Instance))
		b.WriteByte('/')
	}
	b.WriteString(a.Kind.Segment())
	b.WriteByte('/')
	b.WriteString(a.ID)
	if a.Qualifier != "" {
		b.WriteByte(':')
		b.WriteString(a.Qualifier)
	}
	return b.String()
}

// IsARN tells an ARN from a bare id.
func IsARN(s string) bool { return strings.HasPrefix(s, "arn:") }

// ParseARN reads an ARN of Amazon Connect. An agent queue
// (…/queue/agent/{userId}) comes back with Kind KindQueue and an ID of
// "agent/{userId}". What is not such an ARN gives an InvalidParameterException.
func ParseARN(s string) (ARN, error) {
	bad := func(why string) (ARN, error) {
		return ARN{}, fault.New(fault.InvalidParameter, "Invalid ARN (length %d): %s", len(s), why)
	}
	if len(s) > 2048 {
		return bad("longer than 2048 characters")
	}
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return bad("expected arn:partition:connect:region:account:resource")
	}
	a := ARN{Partition: parts[1], Region: parts[3], Account: parts[4]}
	if a.Partition != "aws" && a.Partition != "aws-us-gov" && a.Partition != "aws-cn" {
		return bad("unknown partition")
	}
	if parts[2] != "connect" {
		return bad("the service is not connect")
	}
	if a.Region == "" || a.Account == "" {
		return bad("region and account are required")
	}
	path := parts[5]
	segment, rest, ok := strings.Cut(path, "/")
	if !ok || rest == "" {
		return bad("the resource has no id")
	}
	if segment == "instance" {
		instance, inner, has := strings.Cut(rest, "/")
		if !has {
			a.Kind, a.Instance, a.ID = KindInstance, InstanceID(instance), instance
			return a, nil
		}
		a.Instance = InstanceID(instance)
		segment, rest, ok = strings.Cut(inner, "/")
		if !ok || rest == "" || instance == "" {
			return bad("the resource has no id")
		}
	}
	kind, known := kindOfSegment[segment]
	if !known || kind == KindInstance {
		return bad("unknown resource type")
	}
	a.Kind = kind
	if a.Instance == "" && !kind.Outside() && !a.Managed() {
		return bad("this type of resource belongs to an instance")
	}
	if kind == KindQueue && strings.HasPrefix(rest, agentQueuePrefix) {
		a.ID = rest
		return a, nil
	}
	a.ID, a.Qualifier, _ = strings.Cut(rest, ":")
	if a.ID == "" || strings.Contains(a.ID, "/") {
		return bad("malformed resource id")
	}
	return a, nil
}
