package sip

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/auth"
	"ringdown/internal/voice/sip/wire"
)

// dialog is the state of RFC 3261 §12. Only its call changes it.
type dialog struct {
	localTag, remoteTag string
	local               sip.FromHeader // From of our requests, with localTag
	remote              sip.ToHeader   // To of our requests, with remoteTag once it is known
	localSeq, remoteSeq uint32
	heard               bool // remoteSeq is known
	// target is where requests are for (Contact of the far side), routes the proxies
	// on the way, as Route has them.
	target sip.Uri
	routes []string
}

// route tells what a request within the dialog is addressed to, its Route, and
// where it goes first (RFC 3261 §12.2.1.1).
func (d *dialog) route() (uri sip.Uri, routes []string, next sip.Uri) {
	if len(d.routes) == 0 {
		return d.target, nil, d.target
	}
	first, err := wire.URIOf(d.routes[0])
	if err != nil || !wire.Writable(&first) {
		return d.target, d.routes, d.target
	}
	if loose(&first) {
		return d.target, d.routes, first
	}
	// A strict router: it is addressed itself, and passes on by the last Route.
	uri = *first.Clone()
	uri.Headers = nil
	return uri, append(slices.Clone(d.routes[1:]), "<"+d.target.String()+">"), first
}

func loose(u *sip.Uri) bool {
	return slices.ContainsFunc(u.UriParams, func(p sip.HeaderKV) bool { return strings.EqualFold(p.K, "lr") })
}

// hopsOf are the proxies that a message has recorded, as the one who received it
// sees them: the first is the next.
func hopsOf(m sip.Message) []string {
	routes := wire.List(m, "Record-Route")
	if _, ok := m.(*sip.Response); ok {
		slices.Reverse(routes) // RFC 3261 §12.1.2
	}
	return routes
}

// newRequest begins a request with all but From, To, Call-ID and CSeq, which are
// the caller's to add, and Contact (see contact). It is to be sent to to.
func (e *Endpoint) newRequest(method sip.RequestMethod, uri sip.Uri, routes []string, t *Trunk, to wire.Hop) *sip.Request {
	req := sip.NewRequest(method, uri)
	req.AppendHeader(e.via(t, to))
	for _, r := range routes {
		req.AppendHeader(sip.NewHeader("Route", r))
	}
	hops := sip.MaxForwardsHeader(70)
	req.AppendHeader(&hops)
	if e.userAgent != "" {
		req.AppendHeader(sip.NewHeader("User-Agent", e.userAgent))
	}
	return req
}

// via is the Via of a request; rport as RFC 3581 §3.
func (e *Endpoint) via(t *Trunk, to wire.Hop) *sip.ViaHeader {
	host, port := e.here(t, to)
	return &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: to.Proto.String(), Host: host, Port: port,
		Params: sip.HeaderParams{{K: "branch", V: wire.NewBranch()}, {K: "rport"}},
	}
}

// here is how this side is reached by who is at a hop: as advertised for the trunk or
// for all.
func (e *Endpoint) here(t *Trunk, to wire.Hop) (host string, port int) {
	advertise := e.advertise
	if t != nil && t.Advertise != "" {
		advertise = t.Advertise
	}
	return e.net.Here(advertise, to)
}

// contact is the Contact of this side for who is at a hop.
func (e *Endpoint) contact(t *Trunk, to wire.Hop) *sip.ContactHeader {
	host, port := e.here(t, to)
	u := sip.Uri{Scheme: "sip", User: "ringdown", Host: host, Port: port}
	if p := to.Proto.Param(); p != "" {
		u.UriParams = sip.HeaderParams{{K: "transport", V: p}}
	}
	return &sip.ContactHeader{Address: u}
}

// dialogTime is how long the address that a dialog's requests go to is listened to
// after the last of them. It need not be that of the trunk: proxies and media
// servers behind it have their own.
const dialogTime = 4 * time.Hour

// errGone is that of a far side behind NAT whose connection has ended.
var errGone = errors.New("the connection that leads there is gone")

// lead finds where the first of a request's ways leads, given what is known of the
// call's far side.
//
// A far side that has come over a connection is spoken to over it as long as it is
// open: its Contact often lacks the transport, and it can often be reached by no other
// way (RFC 5923 §4, RFC 5626 §5.3). When it has ended, the URI tells where to go on
// (RFC 3261 §8.1.2), and a request that was on its way fails, as one that could not be
// sent does. The connection of a proxy counts for the Route that leads to it alone.
func (c *Call) lead(next *sip.Uri, routed bool) (wire.Hop, error) {
	if c.forced != nil && !routed && c.e.open(*c.forced) {
		return *c.forced, nil
	}
	last := wire.Hop{Proto: c.last.Proto, Addr: c.last.Source}
	named := transport(next)
	over := last.Proto != wire.UDP && c.e.open(last) && secure(next, last.Proto)
	if over && !routed && named == "" {
		return last, nil
	}
	to, err := c.e.resolver.Resolve(c.e.life, next)
	switch {
	case err != nil && last.Addr.IsValid() && (over || last.Proto == wire.UDP):
		// An address that makes no sense: back to where the far side has spoken from.
		to = last
	case err != nil:
		return wire.Hop{}, err
	case to.Proto != wire.UDP && c.e.open(to):
		// There is a connection to where it wants to be reached.
	case over && (to.Proto == last.Proto || nearby(to, last, named)):
		to = last
	case c.went.Proto != wire.UDP && c.e.open(c.went) && secure(next, c.went.Proto) &&
		(to.Proto != c.went.Proto && nearby(to, c.went, named) || hidden(to.Addr.Addr(), c.went.Addr.Addr())):
		to = c.went
	case !routed && to.Proto == wire.UDP && last.Proto == wire.UDP && hidden(to.Addr.Addr(), last.Addr.Addr()):
		to.Addr = last.Addr
	case !routed && hidden(to.Addr.Addr(), c.origin()):
		return wire.Hop{}, errGone
	}
	c.e.guard.expect(to.Addr.Addr(), nil, dialogTime)
	return to, nil
}

// open tells whether a hop can be gone now: a connection that leads there must be there
// already.
func (e *Endpoint) open(to wire.Hop) bool { return to.Proto == wire.UDP || e.net.Has(to) }

// origin is where the far side's connection came from, when it came over one.
func (c *Call) origin() netip.Addr {
	switch {
	case c.forced != nil && c.forced.Proto != wire.UDP:
		return c.forced.Addr.Addr()
	case c.last.Proto != wire.UDP:
		return c.last.Source.Addr()
	}
	return netip.Addr{}
}

// transport is that which a URI names, "" for none.
func transport(u *sip.Uri) string {
	for _, p := range u.UriParams {
		if strings.EqualFold(p.K, "transport") {
			return strings.ToLower(p.V)
		}
	}
	return ""
}

// secure tells whether a connection is as safe as a URI wants it (RFC 3261 §26.2.2).
func secure(u *sip.Uri, p wire.Proto) bool { return u.Scheme != "sips" || p == wire.TLS }

// nearby tells whether who is at the end of a connection is meant by a URI that leads
// elsewhere: the same host, unless datagrams are asked for, or one behind NAT.
func nearby(to, there wire.Hop, named string) bool {
	return hidden(to.Addr.Addr(), there.Addr.Addr()) || named != "udp" && to.Addr.Addr() == there.Addr.Addr()
}

// hidden tells whether an address is one of a private network that messages come
// out of by another: the far side is behind NAT and does not know.
func hidden(contact, source netip.Addr) bool {
	return contact != source && contact.IsPrivate() && source.IsValid() && !source.IsPrivate() && !source.IsLoopback()
}

// within begins a request of the call's dialog, and tells where it goes. ACK has the
// number of its INVITE, which the caller is to set.
func (c *Call) within(method sip.RequestMethod) (*sip.Request, wire.Hop, error) {
	uri, routes, next := c.d.route()
	to, err := c.lead(&next, len(routes) > 0)
	if err != nil {
		return nil, wire.Hop{}, err
	}
	return c.compose(method, uri, routes, to), to, nil
}

// compose begins a request of the call.
func (c *Call) compose(method sip.RequestMethod, uri sip.Uri, routes []string, to wire.Hop) *sip.Request {
	req := c.e.newRequest(method, uri, routes, c.trunk, to)
	from, dest, id := c.d.local, c.d.remote, sip.CallIDHeader(c.id)
	from.Params, dest.Params = from.Params.Clone(), dest.Params.Clone()
	req.AppendHeader(&from)
	req.AppendHeader(&dest)
	req.AppendHeader(&id)
	if method != mACK {
		c.d.localSeq++
	}
	req.AppendHeader(&sip.CSeqHeader{SeqNo: c.d.localSeq, MethodName: method})
	if method == mINVITE || method == mUPDATE || method == mREFER {
		req.AppendHeader(c.e.contact(c.trunk, to))
		req.AppendHeader(sip.NewHeader("Allow", allow))
		req.AppendHeader(sip.NewHeader("Supported", supported))
	}
	return req
}

// reissue prepares a request to be sent once more as a new one.
func (e *Endpoint) reissue(req *sip.Request, seq uint32) {
	via := req.Via()
	via.Params.Add("branch", wire.NewBranch())
	req.CSeq().SeqNo = seq
}

// ask sends a request of the dialog other than INVITE, ACK and BYE. Done is told the
// final answer, or why there was none; it may be nil.
func (c *Call) ask(req *sip.Request, to wire.Hop, done func(*sip.Response, error)) {
	tries := 0
	var send func()
	told := func(res *sip.Response, err error) {
		if res != nil && res.StatusCode < 200 {
			return
		}
		if res != nil && (res.StatusCode == 401 || res.StatusCode == 407) && c.phase != over {
			if tries++; tries <= 2 && c.authorize(req, res) {
				c.d.localSeq++
				c.e.reissue(req, c.d.localSeq)
				send()
				return
			}
		}
		if done != nil {
			done(res, err)
		}
		c.judge(res, err)
	}
	send = func() {
		_, err := c.e.tx.Client(req, to, func(res *sip.Response, err error) { c.post(func() { told(res, err) }) })
		if err != nil {
			told(nil, err)
		}
	}
	send()
}

// judge ends a call whose far side knows nothing of it any more, or is silent (RFC
// 3261 §12.2.1.2).
func (c *Call) judge(res *sip.Response, err error) {
	if c.phase == over {
		return
	}
	switch {
	case err != nil:
		c.quit(causeOf(err), 0)
	case res.StatusCode == 481, res.StatusCode == 408:
		c.quit(Failed, res.StatusCode)
	}
}

// authorize puts the answer to a challenge on a request. False when there is none,
// or the far side did not like it.
func (c *Call) authorize(req *sip.Request, res *sip.Response) bool {
	retry, err := auth.Authorize(req, res, c.trunk.Username, c.trunk.Password, c.trunk.Realm)
	if err != nil {
		c.e.log.Warn("a call is asked for a password", "trunk", c.trunk.Name, "call", c.id, "err", err)
	}
	return retry && err == nil
}

// request sends a request outside calls by a trunk, and answers challenges. What the
// request lacks of Via, From, To, Call-ID, CSeq, Max-Forwards and Contact is put in.
func (e *Endpoint) request(ctx context.Context, t *Trunk, req *sip.Request) (*sip.Response, error) {
	next := req.Recipient
	if r := wire.Field(req, "Route"); r != "" {
		u, err := wire.URIOf(r)
		if err != nil {
			return nil, err
		}
		next = u
	}
	to, err := e.resolver.Resolve(ctx, &next)
	if err != nil {
		return nil, err
	}
	e.guard.expect(to.Addr.Addr(), nil, time.Minute)
	e.complete(t, req, to)
	for tries := 0; ; tries++ {
		res, err := e.await(ctx, req, to)
		if err != nil || res.StatusCode != 401 && res.StatusCode != 407 || tries == 2 {
			return res, err
		}
		if retry, err := auth.Authorize(req, res, t.Username, t.Password, t.Realm); err != nil || !retry {
			if err != nil {
				e.log.Warn("a trunk asks for a password", "trunk", t.Name, "err", err)
			}
			return res, nil
		}
		e.reissue(req, req.CSeq().SeqNo+1)
	}
}

// complete puts in what a request outside calls lacks.
func (e *Endpoint) complete(t *Trunk, req *sip.Request, to wire.Hop) {
	if req.Via() == nil {
		req.PrependHeader(e.via(t, to))
	}
	if req.MaxForwards() == nil {
		hops := sip.MaxForwardsHeader(70)
		req.AppendHeader(&hops)
	}
	if req.From() == nil {
		host, _ := e.here(t, to)
		from := sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: "ringdown", Host: host}}
		if t.Username != "" {
			from.Address.User = t.user(t.Username)
		}
		req.AppendHeader(&from)
	}
	if wire.TagOf(req.From().Params) == "" {
		req.From().Params.Add("tag", wire.NewID())
	}
	if req.To() == nil {
		req.AppendHeader(&sip.ToHeader{Address: *req.Recipient.Clone()})
	}
	if req.CallID() == nil {
		id := sip.CallIDHeader(wire.NewID())
		req.AppendHeader(&id)
	}
	if req.CSeq() == nil {
		req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: req.Method})
	}
	if req.Contact() == nil {
		req.AppendHeader(e.contact(t, to))
	}
	if !wire.Has(req, "User-Agent") && e.userAgent != "" {
		req.AppendHeader(sip.NewHeader("User-Agent", e.userAgent))
	}
	if req.ContentLength() == nil {
		req.SetBody(req.Body())
	}
}

// await sends a request and waits for its final answer.
func (e *Endpoint) await(ctx context.Context, req *sip.Request, to wire.Hop) (*sip.Response, error) {
	type outcome struct {
		res *sip.Response
		err error
	}
	done := make(chan outcome, 1)
	tx, err := e.tx.Client(req, to, func(res *sip.Response, err error) {
		if res != nil && res.StatusCode < 200 {
			return
		}
		select {
		case done <- outcome{res, err}:
		default:
		}
	})
	if err != nil {
		return nil, err
	}
	select {
	case o := <-done:
		return o.res, o.err
	case <-ctx.Done():
		tx.Detach()
		return nil, ctx.Err()
	}
}
