package contacts

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/contact"
	"ringdown/internal/fault"
)

// maxContactTags is how many tags a contact may have (API reference, TagContact).
const maxContactTags = 6

// TagContact adds tags to a contact or replaces their values, whether or not it
// has ended.
func (c *Contacts) TagContact(ctx context.Context, in *connect.TagContactInput) (*connect.TagContactOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	return nil, c.Engine.Do(ctx, instanceOf(sc), id, func(t *contact.Transition) error {
		tags := map[string]string{}
		maps.Copy(tags, t.Contact().Tags)
		maps.Copy(tags, in.Tags)
		if len(tags) > maxContactTags {
			return fault.New(fault.InvalidRequest, "A contact has at most %d tags, this one would have %d", maxContactTags, len(tags))
		}
		setTags(t, tags)
		return nil
	})
}

// UntagContact removes tags from a contact. Removing what is not there is no
// error.
func (c *Contacts) UntagContact(ctx context.Context, in *connect.UntagContactInput) (*connect.UntagContactOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	return nil, c.Engine.Do(ctx, instanceOf(sc), id, func(t *contact.Transition) error {
		tags := maps.Clone(t.Contact().Tags)
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		setTags(t, tags)
		return nil
	})
}

func setTags(t *contact.Transition, tags map[string]string) {
	if maps.Equal(tags, t.Contact().Tags) {
		return
	}
	t.Contact().Tags = tags
	t.Changed("Tags")
}
