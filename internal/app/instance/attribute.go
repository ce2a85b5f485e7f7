package instance

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// attributePage is the page size of ListInstanceAttributes when the request
// names none.
const attributePage = 7

// defaultAttributes are the attributes of a new instance. The last four are
// not documented; a feature that is off until asked for surprises least
// (docs/divergences.md).
func defaultAttributes(inbound, outbound bool) map[string]string {
	return map[string]string{
		string(types.InstanceAttributeTypeInboundCalls):              strconv.FormatBool(inbound),
		string(types.InstanceAttributeTypeOutboundCalls):             strconv.FormatBool(outbound),
		string(types.InstanceAttributeTypeContactLens):               "true",
		string(types.InstanceAttributeTypeEarlyMedia):                "true",
		string(types.InstanceAttributeTypeAutoResolveBestVoices):     "true",
		string(types.InstanceAttributeTypeContactflowLogs):           "false",
		string(types.InstanceAttributeTypeMultiPartyConference):      "false",
		string(types.InstanceAttributeTypeUseCustomTtsVoices):        "false",
		string(types.InstanceAttributeTypeHighVolumeOutbound):        "false",
		string(types.InstanceAttributeTypeEnhancedContactMonitoring): "false",
		string(types.InstanceAttributeTypeEnhancedChatMonitoring):    "false",
		string(types.InstanceAttributeTypeMultiPartyChatConference):  "false",
		string(types.InstanceAttributeTypeMessageStreaming):          "false",
	}
}

// DescribeInstanceAttribute returns one attribute.
func (s *Instances) DescribeInstanceAttribute(ctx context.Context, in *connect.DescribeInstanceAttributeInput) (*connect.DescribeInstanceAttributeOutput, error) {
	i, err := s.find(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return &connect.DescribeInstanceAttributeOutput{Attribute: &types.Attribute{
		AttributeType: in.AttributeType,
		Value:         aws.String(i.Value.Attributes[string(in.AttributeType)]),
	}}, nil
}

// ListInstanceAttributes lists all attributes.
func (s *Instances) ListInstanceAttributes(ctx context.Context, in *connect.ListInstanceAttributesInput) (*connect.ListInstanceAttributesOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := s.find(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	names := types.InstanceAttributeType("").Values()
	slices.Sort(names)
	page, next, err := catalog.Slice(sc, domain.KindInstance, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: attributePage}, names)
	if err != nil {
		return nil, err
	}
	return &connect.ListInstanceAttributesOutput{
		NextToken: next,
		Attributes: catalog.Map(page, func(n types.InstanceAttributeType) types.Attribute {
			return types.Attribute{AttributeType: n, Value: aws.String(i.Value.Attributes[string(n)])}
		}),
	}, nil
}

// UpdateInstanceAttribute sets an attribute to "true" or "false". AWS lets
// only accounts that it has admitted change USE_CUSTOM_TTS_VOICES; so does
// this server, for a client's handling of the refusal to be testable.
func (s *Instances) UpdateInstanceAttribute(ctx context.Context, in *connect.UpdateInstanceAttributeInput) (*connect.UpdateInstanceAttributeOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	value := strings.ToLower(*in.Value)
	if value != "true" && value != "false" {
		return nil, fault.New(fault.InvalidParameter, "Value must be true or false")
	}
	if in.AttributeType == types.InstanceAttributeTypeUseCustomTtsVoices {
		return nil, fault.New(fault.AccessDenied, "The account is not allowed to change %s.", in.AttributeType)
	}
	return nil, s.instances.Update(ctx, s.home(sc), *in.InstanceId, func(_ store.Tx, e *domain.Instance) error {
		e.Attributes[string(in.AttributeType)] = value
		return nil
	})
}

// Enabled reports whether an attribute of an instance is on, for those who do what
// it allows.
func (s *Instances) Enabled(ctx context.Context, sc catalog.Scope, attribute types.InstanceAttributeType) (bool, error) {
	i, err := s.instances.Get(ctx, s.home(sc), string(sc.ID))
	if err != nil {
		return false, err
	}
	return i.Value.Attributes[string(attribute)] == "true", nil
}

// roleSuffix ends the name of a new instance's service-linked role.
func roleSuffix() string { return rand.Text()[:20] }

// Creations and deletions of instances are counted over 30 days (admin guide,
// "Amazon Connect service quotas").
const (
	creationWindow = 30 * 24 * time.Hour
	creationQuota  = 100
)

// countCreation refuses more than 100 creations and deletions in 30 days.
func (s *Instances) countCreation(ctx context.Context, tx store.Tx, root catalog.Scope) error {
	if !s.catalog.Quotas() {
		return nil
	}
	created := catalog.Tally{Key: "CreateInstance/quota/" + root.Region, Span: creationWindow}
	n, err := s.catalog.Tallied(ctx, tx, created)
	if err != nil {
		return err
	}
	if n >= creationQuota {
		return fault.New(fault.ServiceQuotaExceeded, "Your account has been flagged for an excessive number of creation and deletion attempts of instances: %d in 30 days are allowed.", creationQuota)
	}
	return s.catalog.Tally(ctx, tx, created)
}
