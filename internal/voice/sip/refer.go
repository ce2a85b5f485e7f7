package sip

import (
	"bytes"
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// referTime is how long the outcome of a REFER is waited for.
const referTime = 2 * time.Minute

// referral is a REFER of this side whose outcome is not known yet.
type referral struct {
	referring  bool
	referTimer *time.Timer
}

// Refer has the far side call somebody else by the same trunk, and tells Referred
// with the final status that it got, or with its refusal (RFC 3515). 408 is that of
// an outcome that nobody told.
func (c *Call) Refer(to string) {
	c.post(func() {
		if c.phase != talking {
			return
		}
		if c.referring {
			c.tell(Event{Kind: Referred, Status: 491})
			return
		}
		req, where, err := c.within(mREFER)
		if err != nil {
			c.quit(Failed, 0)
			return
		}
		target := sip.Uri{Scheme: "sip", User: c.trunk.user(to), Host: c.d.remote.Address.Host, Port: c.d.remote.Address.Port}
		if u, err := c.trunk.address(); err == nil {
			target.Scheme, target.Host, target.Port = u.Scheme, u.Host, u.Port
		}
		by := c.d.local.Address
		req.AppendHeader(sip.NewHeader("Refer-To", "<"+target.String()+">"))
		req.AppendHeader(sip.NewHeader("Referred-By", "<"+by.String()+">"))
		req.SetBody(nil)
		c.referring = true
		c.referTimer = c.after(referTime, func() { c.referred(408) })
		c.ask(req, where, func(res *sip.Response, err error) {
			if err == nil && res.StatusCode >= 300 {
				c.referred(res.StatusCode)
			}
		})
	})
}

// referred tells the outcome.
func (c *Call) referred(status int) {
	if !c.referring || c.phase != talking {
		return
	}
	c.referring = false
	stopTimers(c.referTimer)
	c.tell(Event{Kind: Referred, Status: status})
}

// notified is told how far a REFER is (RFC 3515 §2.4.4): the status line of the far
// side's own call. It may come before the answer to the REFER.
func (c *Call) notified(req *sip.Request, tx *wire.ServerTx) {
	event, _, _ := strings.Cut(wire.Field(req, "Event"), ";")
	switch {
	case !strings.EqualFold(strings.TrimSpace(event), "refer"):
		c.e.refuse(req, tx, 489, sip.NewHeader("Allow-Events", "refer"))
		return
	case !c.referring:
		c.e.refuse(req, tx, 481)
		return
	}
	kind, _, _ := mime.ParseMediaType(wire.Field(req, "Content-Type"))
	status := fragment(req.Body())
	if kind != "message/sipfrag" && len(req.Body()) > 0 {
		c.e.refuse(req, tx, 415, sip.NewHeader("Accept", "message/sipfrag"))
		return
	}
	c.e.refuse(req, tx, 200)
	state, _, _ := strings.Cut(wire.Field(req, "Subscription-State"), ";")
	switch {
	case status >= 200:
		c.referred(status)
	case strings.EqualFold(strings.TrimSpace(state), "terminated"):
		c.referred(408)
	}
}

// fragment is the status of a status line (RFC 3420), 0 for none.
func fragment(body []byte) int {
	line, _, _ := bytes.Cut(body, []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) < 2 || !strings.EqualFold(words[0], "SIP/2.0") {
		return 0
	}
	n, err := strconv.Atoi(words[1])
	if err != nil || n < 100 || n > 699 {
		return 0
	}
	return n
}
