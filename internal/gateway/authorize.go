package gateway

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/iam"
)

// Tags tells the tags of a resource.
type Tags interface {
	TagsOf(ctx context.Context, arn domain.ARN) (map[string]string, error)
}

// authorize asks whether the caller may use the operation on each resource
// that the request touches. A resource that is not there has no tags: whoever
// is allowed regardless of tags then learns that it is missing. The context that
// it returns carries who asks, where the operation itself must decide.
func (g *Gateway) authorize(ctx context.Context, r *http.Request, h *handler, p *iam.Principal, input any) (context.Context, error) {
	switch {
	case byToken(h.op), h.op.Unsigned: // what it is given allows, the operation knows
		return ctx, nil
	case h.op.Service.ID == "STS":
		// GetCallerIdentity needs no permission, and whether a role may be assumed
		// depends on whom the role trusts.
		return iam.WithRequester(ctx, p, &conditions{
			request: r, principal: p, caller: domain.CallerOf(ctx), now: g.opts.Now(), secure: g.secure(r),
		}), nil
	case p.Root:
		return ctx, nil
	}
	c := domain.CallerOf(ctx)
	tags, keys := h.targets.requestTags(input)
	question := conditions{
		request: r, principal: p, caller: c, now: g.opts.Now(), secure: g.secure(r),
		instance: h.targets.instanceID(input), requestTags: tags, tagKeys: keys,
	}
	for _, res := range h.targets.resources(input, c) {
		q := question
		if res.parsed.Kind != domain.KindRoot {
			q.resourceTags = func() map[string]string {
				// What cannot be read has no tags; a failing store fails the
				// operation itself just after.
				tags, _ := g.opts.Tags.TagsOf(ctx, res.parsed)
				return tags
			}
			if q.instance == "" {
				q.instance = string(res.parsed.Instance)
			}
		}
		if err := p.Authorize(iam.Request{Action: "connect:" + h.op.Name, Resource: res.arn, Context: &q}); err != nil {
			return ctx, err
		}
	}
	return ctx, nil
}

// conditions are the condition keys of one request about one resource (IAM
// User Guide, "AWS global condition context keys"; service authorization
// reference, "Condition keys for Amazon Connect").
type conditions struct {
	request      *http.Request
	principal    *iam.Principal
	caller       *domain.Caller
	now          time.Time
	secure       bool
	instance     string
	requestTags  map[string]string
	tagKeys      []string
	resourceTags func() map[string]string // nil when there is no one resource
	tags         map[string]string        // what resourceTags gave
}

// Lookup implements iam.Context.
func (c *conditions) Lookup(key string) ([]string, bool) {
	one := func(s string) ([]string, bool) { return []string{s}, s != "" }
	name, tag, _ := strings.Cut(key, "/")
	switch name {
	case "aws:resourcetag":
		if c.resourceTags != nil {
			c.tags, c.resourceTags = c.resourceTags(), nil
		}
		v, ok := iam.TagValue(c.tags, tag)
		return []string{v}, ok
	case "aws:requesttag":
		v, ok := iam.TagValue(c.requestTags, tag)
		return []string{v}, ok
	case "aws:tagkeys":
		return c.tagKeys, len(c.tagKeys) > 0
	case "aws:resourceaccount":
		return one(c.principal.Account)
	case "aws:sourceip":
		return one(c.caller.Address)
	case "aws:currenttime":
		return one(c.now.UTC().Format(time.RFC3339))
	case "aws:epochtime":
		return one(strconv.FormatInt(c.now.Unix(), 10))
	case "aws:securetransport":
		return one(strconv.FormatBool(c.secure))
	case "aws:useragent":
		return one(c.request.UserAgent())
	case "aws:requestedregion":
		return one(c.caller.Region)
	case "aws:viaawsservice":
		return one("false")
	case "connect:instanceid":
		return one(c.instance)
	default:
		return c.principal.Lookup(key)
	}
}
