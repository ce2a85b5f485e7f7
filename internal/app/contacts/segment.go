package contacts

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// The segment attributes that a client may set, beside those of its own (API
// reference, StartTaskContact).
const (
	contactExpiry = "connect:ContactExpiry"
	createdByUser = "connect:CreatedByUser"
	subtype       = "connect:Subtype"
)

var ownSegment = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// newSegment checks the segment attributes of a request, and tells the minutes
// that the contact may last, 0 when they do not say. Attributes of a client's own
// are texts that the instance has predefined attributes for (API reference,
// UpdateContact).
func (c *Contacts) newSegment(ctx context.Context, sc catalog.Scope, given map[string]types.SegmentAttributeValue) (segment map[string]types.SegmentAttributeValue, minutes int, err error) {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		v := given[key]
		switch {
		case key == contactExpiry:
			n := v.ValueMap["ExpiryDuration"].ValueInteger
			if n == nil {
				return nil, 0, fault.New(fault.InvalidRequest, "SegmentAttributes: %s must be a ValueMap with the integer ExpiryDuration, in minutes", key)
			}
			minutes = int(*n)
			if err := checkMinutes("SegmentAttributes: ExpiryDuration", minutes); err != nil {
				return nil, 0, err
			}
		case key == createdByUser:
			if _, err := catalog.Existing(ctx, c.catalog.Store(), sc, domain.KindUser, aws.ToString(v.ValueString)); err != nil {
				return nil, 0, err
			}
		case !ownSegment.MatchString(key):
			return nil, 0, fault.New(fault.InvalidRequest, "SegmentAttributes: %q cannot be set; %s and %s can, and keys of letters, digits, hyphens and underscores", key, contactExpiry, createdByUser)
		default:
			if err := c.checkOwnSegment(ctx, sc, key, v); err != nil {
				return nil, 0, err
			}
		}
	}
	return maps.Clone(given), minutes, nil
}

func (c *Contacts) checkOwnSegment(ctx context.Context, sc catalog.Scope, key string, v types.SegmentAttributeValue) error {
	if v.ValueString == nil {
		return fault.New(fault.InvalidRequest, "SegmentAttributes: %s must be a ValueString", key)
	}
	known, err := c.Predefined.HasPredefinedAttribute(ctx, sc, key)
	if err == nil && !known {
		return fault.New(fault.InvalidRequest, "SegmentAttributes: the instance has no predefined attribute %s", key)
	}
	return err
}
