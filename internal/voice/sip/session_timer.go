package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

const (
	// leastSession is the shortest interval that RFC 4028 §4 allows to ask for, and
	// that is agreed to here.
	leastSession = 90
	// sessionTime is what calls out ask for when the trunk does not say.
	sessionTime = 30 * time.Minute
	// longestSession bounds what Min-SE of a far side can have us ask for.
	longestSession = 24 * 3600
)

// session is the timer of RFC 4028: a call whose far side has gone without a word
// ends. The seconds of an interval are those of the protocol.
type session struct {
	asks      int // the interval that this side asks for
	least     int // the Min-SE that it has been told
	interval  int // 0 for no timer
	refresher bool
	updates   bool // the far side takes UPDATE
	timerHad  bool // the far side knows session timers
	// sessionTimer is for the next refresh, or for the end without one.
	sessionTimer *time.Timer
}

// tooShort tells whether a request asks for an interval that is too short (422). Who
// does not know session timers is not told so: a proxy has put it in, and this side
// may lengthen it.
func (e *Endpoint) tooShort(req *sip.Request) bool {
	n, ok := wire.Number(wire.Field(req, "Session-Expires"))
	return ok && n < e.minSE && wire.Lists(req, "Supported", "timer")
}

// sessionNote notes what a far side's message says of what it knows.
func (c *Call) sessionNote(m sip.Message) {
	if wire.Has(m, "Allow") {
		c.updates = wire.Lists(m, "Allow", "UPDATE")
	}
	c.timerHad = wire.Lists(m, "Supported", "timer") || wire.Lists(m, "Require", "timer")
}

// sessionAsk puts into the INVITE of a call out what is asked for (§7.1). Who
// refreshes is left to the far side.
func (c *Call) sessionAsk(req *sip.Request) {
	every := c.trunk.SessionExpires
	if every <= 0 {
		every = sessionTime
	}
	c.asks = max(int(every/time.Second), c.e.minSE, c.least)
	req.AppendHeader(sip.NewHeader("Session-Expires", number10(c.asks)))
	req.AppendHeader(sip.NewHeader("Min-SE", number10(max(c.e.minSE, c.least))))
}

// sessionRefresh puts the agreed interval into a request within the call (§7.4):
// who refreshes stays who does.
func (c *Call) sessionRefresh(req *sip.Request) {
	if c.interval == 0 {
		return
	}
	who := ";refresher=uas"
	if c.refresher {
		who = ";refresher=uac"
	}
	req.AppendHeader(sip.NewHeader("Session-Expires", number10(max(c.interval, c.least))+who))
	req.AppendHeader(sip.NewHeader("Min-SE", number10(max(c.e.minSE, c.least))))
}

// sessionLonger asks for what a 422 wants. False when that makes no sense.
func (c *Call) sessionLonger(req *sip.Request, res *sip.Response) bool {
	n, ok := wire.Number(wire.Field(res, "Min-SE"))
	if !ok || n <= c.least || n > longestSession || !wire.Has(req, "Session-Expires") {
		return false
	}
	who := ""
	if p := wire.Param(wire.Field(req, "Session-Expires"), "refresher"); p != "" {
		who = ";refresher=" + p
	}
	c.least = n
	req.RemoveHeader("Session-Expires")
	req.RemoveHeader("Min-SE")
	req.AppendHeader(sip.NewHeader("Session-Expires", number10(max(c.asks, c.interval, n))+who))
	req.AppendHeader(sip.NewHeader("Min-SE", number10(n)))
	return true
}

// sessionAgreed is told of the 2xx to a request of this side that may have asked for
// a timer (§7.2). Without Session-Expires there is none.
func (c *Call) sessionAgreed(res *sip.Response) {
	c.sessionNote(res)
	value := wire.Field(res, "Session-Expires")
	n, ok := wire.Number(value)
	if !ok || n <= 0 {
		c.interval = 0
	} else {
		c.interval = n
		c.refresher = wire.Param(value, "refresher") != "uas"
	}
	c.sessionArm()
}

// sessionAnswer agrees to the timer that a request asks for (§9), and writes so into
// its 2xx. The far side refreshes if it can; else this side does.
func (c *Call) sessionAnswer(req *sip.Request, res *sip.Response) {
	value := wire.Field(req, "Session-Expires")
	n, ok := wire.Number(value)
	switch {
	case !ok && c.interval == 0:
		return
	case !ok: // a request about something else: the timer stays as it was agreed
		n = c.interval
	default:
		least, _ := wire.Number(wire.Field(req, "Min-SE"))
		n = min(max(n, c.e.minSE, least), longestSession)
		c.refresher = !c.timerHad || wire.Param(value, "refresher") == "uas"
	}
	c.interval = n
	who := ";refresher=uac"
	if c.refresher {
		who = ";refresher=uas"
	}
	res.AppendHeader(sip.NewHeader("Session-Expires", number10(n)+who))
	if c.timerHad {
		res.AppendHeader(sip.NewHeader("Require", "timer"))
	}
	c.sessionArm()
}

// sessionArm starts the timer anew (§10): refreshes are due at half the interval;
// who does not refresh waits until shortly before its end.
func (c *Call) sessionArm() {
	stopTimers(c.sessionTimer)
	c.sessionTimer = nil
	if c.interval == 0 {
		return
	}
	whole := time.Duration(c.interval) * time.Second
	if !c.refresher {
		c.expireIn(whole - min(32*time.Second, whole/3))
		return
	}
	var t *time.Timer
	t = c.after(whole/2, func() {
		if c.sessionTimer == t && c.phase == talking {
			c.expireIn(whole/2 - min(32*time.Second, whole/3))
			c.refresh()
		}
	})
	c.sessionTimer = t
}

// expireIn ends the call after a while without a refresh.
func (c *Call) expireIn(d time.Duration) {
	var t *time.Timer
	t = c.after(d, func() {
		if c.sessionTimer == t && c.phase == talking {
			c.quit(Expired, 0)
		}
	})
	c.sessionTimer = t
}

// refresh tells the far side that the call goes on: by UPDATE, which offers nothing,
// or by INVITE.
func (c *Call) refresh() {
	if c.revision != nil || c.waitACK || c.updating {
		return // what is under way refreshes as well
	}
	if !c.updates {
		c.reinvite()
		return
	}
	req, to, err := c.within(mUPDATE)
	if err != nil {
		c.quit(Failed, 0)
		return
	}
	c.sessionRefresh(req)
	req.SetBody(nil)
	c.updating = true
	c.ask(req, to, func(res *sip.Response, err error) {
		c.updating = false
		switch {
		case c.phase != talking || err != nil:
		case res.StatusCode < 300:
			c.follow(res)
			c.sessionAgreed(res)
		case res.StatusCode == 422 && c.sessionLonger(req, res):
			c.interval = max(c.interval, c.least)
			c.refresh()
		case res.StatusCode == 405 || res.StatusCode == 501:
			c.updates = false
			c.reinvite()
		}
		c.reinviteDue()
	})
}
