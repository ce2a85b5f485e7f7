package sts

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
)

// AssumeRole gives its caller temporary credentials of a role (AWS STS API
// reference, AssumeRole). An ExternalId is taken and not looked at, as AWS does
// for a role whose trust says nothing of one.
func (s STS) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	w := federation.Wish{
		RoleARN:        aws.ToString(in.RoleArn),
		Duration:       seconds(in.DurationSeconds),
		SessionName:    aws.ToString(in.RoleSessionName),
		SourceIdentity: aws.ToString(in.SourceIdentity),
		Policy:         []byte(aws.ToString(in.Policy)),
		TransitiveKeys: in.TransitiveTagKeys,
	}
	if in.SerialNumber != nil || in.TokenCode != nil {
		return nil, fault.New(fault.AccessDenied, "MultiFactorAuthentication failed, unable to validate MFA code. There are no MFA devices here: leave out SerialNumber and TokenCode.")
	}
	if len(in.ProvidedContexts) > 0 {
		return nil, fault.New(fault.ValidationError, "ProvidedContexts is not supported: there are no context providers here")
	}
	if err := noManagedPolicies(in.PolicyArns); err != nil {
		return nil, err
	}
	var err error
	if w.Tags, err = sessionTags(in.Tags); err != nil {
		return nil, err
	}
	a, err := s.roles.Assume(ctx, w)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleOutput{
		AssumedRoleUser:  assumedRoleUser(a),
		Credentials:      credentials(a),
		PackedPolicySize: packed(a), //nolint:staticcheck // what replaces it the service model does not have yet
		SourceIdentity:   optional(a.Session.SourceIdentity),
	}, nil
}

// AssumeRoleWithSAML gives the user of an assertion temporary credentials of
// one of its roles. Its caller has not signed: the assertion is all that says who
// it is (AWS STS API reference, AssumeRoleWithSAML, which has the meaning of each
// member).
func (s STS) AssumeRoleWithSAML(ctx context.Context, in *sts.AssumeRoleWithSAMLInput) (*sts.AssumeRoleWithSAMLOutput, error) {
	if err := noManagedPolicies(in.PolicyArns); err != nil {
		return nil, err
	}
	provider := aws.ToString(in.PrincipalArn)
	_, name, _ := strings.Cut(provider, ":saml-provider/")
	a, err := s.roles.AssumeWithSAML(ctx, provider, aws.ToString(in.SAMLAssertion), federation.Wish{
		RoleARN:  aws.ToString(in.RoleArn),
		Duration: seconds(in.DurationSeconds),
		Policy:   []byte(aws.ToString(in.Policy)),
	})
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleWithSAMLOutput{
		AssumedRoleUser:  assumedRoleUser(a),
		Audience:         optional(a.Assertion.Recipient),
		Credentials:      credentials(a),
		Issuer:           optional(a.Assertion.Issuer),
		NameQualifier:    aws.String(federation.NameQualifier(a.Assertion.Issuer, domain.CallerOf(ctx).Account, name)),
		PackedPolicySize: packed(a), //nolint:staticcheck // what replaces it the service model does not have yet
		SourceIdentity:   optional(a.Session.SourceIdentity),
		Subject:          optional(a.Assertion.Subject),
		SubjectType:      optional(a.Assertion.SubjectType),
	}, nil
}

func seconds(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Second }

// noManagedPolicies refuses session policies that are named instead of given:
// policies have no names here.
func noManagedPolicies(arns []types.PolicyDescriptorType) error {
	if len(arns) == 0 {
		return nil
	}
	return fault.New(fault.ValidationError, "PolicyArns[0].arn names a managed policy, and there are none here: give the session policy itself as Policy")
}

// sessionTags refuses a key that is there twice, which a map could not show; what
// else cannot be a tag is refused with the role.
func sessionTags(list []types.Tag) (map[string]string, error) {
	tags := make(map[string]string, len(list))
	for i, t := range list {
		key := aws.ToString(t.Key)
		if _, twice := tags[key]; twice {
			return nil, fault.New(fault.ValidationError, "Tags[%d].Key is there twice. Please note that Tag keys are case insensitive.", i)
		}
		tags[key] = aws.ToString(t.Value)
	}
	return tags, nil
}

func assumedRoleUser(a *federation.Assumed) *types.AssumedRoleUser {
	return &types.AssumedRoleUser{Arn: aws.String(a.ARN), AssumedRoleId: aws.String(a.ID)}
}

func credentials(a *federation.Assumed) *types.Credentials {
	return &types.Credentials{
		AccessKeyId:     aws.String(a.Key.ID),
		SecretAccessKey: aws.String(a.Key.Secret),
		SessionToken:    aws.String(a.Key.Token),
		Expiration:      aws.Time(a.Key.Expires),
	}
}

// packed is the share of the room for session policies and tags that is taken;
// AWS leaves it out when none were given.
func packed(a *federation.Assumed) *int32 {
	if a.Packed == 0 {
		return nil
	}
	return aws.Int32(a.Packed)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}
