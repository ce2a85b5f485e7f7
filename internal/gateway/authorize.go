package gateway

import (
	"context"
	"net"
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
// is allowed regardless of tags then learns that it is missing.
func (g *Gateway) authorize(ctx context.Context, r *http.Request, h *handler, p *iam.Principal, input any) error {
	switch {
	case byToken(h.op): // what its token allows the operation knows
		return nil
	case p.Root, h.op.Service.ID == "STS": // GetCallerIdentity needs no permission
		return nil
	}
	c := domain.CallerOf(ctx)
	tags, keys := h.targets.requestTags(input)
	question := conditions{
		request: r, principal: p, caller: c, now: g.opts.Now(), secure: r.TLS != nil,
		instance: h.targets.instanceID(input), requestTags: tags, tagKeys: keys,
	}
	for _, res := range h.targets.resources(input, c.Region, c.Account) {
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
			return err
		}
	}
	return nil
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
	case "aws:principalarn":
		return one(c.principal.ARN)
	case "aws:principalaccount", "aws:resourceaccount":
		return one(c.principal.Account)
	case "aws:principaltype":
		if c.caller.SessionName != "" {
			return one("AssumedRole")
		}
		return one("User")
	case "aws:username":
		return one(c.principal.UserName)
	case "aws:userid":
		return one(c.principal.UserID)
	case "aws:sourceip":
		host, _, err := net.SplitHostPort(c.request.RemoteAddr)
		if err != nil {
			host = c.request.RemoteAddr
		}
		return one(host)
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
	case "connect:instanceid":
		return one(c.instance)
	default:
		return nil, false
	}
}
