package sip

import (
	"mime"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// digits are those of telephones, in the order of their events (RFC 4733 §3.2).
const digits = "0123456789*#ABCD"

// Info sends a digit by INFO (application/dtmf-relay), a way that no RFC describes
// but that all know.
func (c *Call) Info(digit string) {
	if len(digit) != 1 || !strings.Contains(digits, digit) {
		return
	}
	c.post(func() {
		if c.phase != talking {
			return
		}
		req, to, err := c.within(mINFO)
		if err != nil {
			c.quit(Failed, 0)
			return
		}
		setBody(req, "application/dtmf-relay", []byte("Signal="+digit+"\r\nDuration=160\r\n"))
		c.ask(req, to, nil)
	})
}

// informed is told of INFO: a digit, or nothing, which is a sign of life. Packages
// (RFC 6086) are not known here.
func (c *Call) informed(req *sip.Request, tx *wire.ServerTx) {
	if wire.Has(req, "Info-Package") {
		c.e.refuse(req, tx, 469, sip.NewHeader("Recv-Info", "")) // RFC 6086 §4.2.2
		return
	}
	if len(req.Body()) == 0 {
		c.e.refuse(req, tx, 200)
		return
	}
	kind, _, _ := mime.ParseMediaType(wire.Field(req, "Content-Type"))
	digit := ""
	switch kind {
	case "application/dtmf-relay":
		digit = signal(string(req.Body()))
	case "application/dtmf":
		digit = key(string(req.Body()))
	default:
		c.e.refuse(req, tx, 415, sip.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
		return
	}
	if digit == "" {
		c.e.refuse(req, tx, 400)
		return
	}
	c.e.refuse(req, tx, 200)
	if c.phase == talking {
		c.tell(Event{Kind: Info, Digit: digit})
	}
}

// signal is the digit of a body such as "Signal=5\r\nDuration=160".
func signal(body string) string {
	for line := range strings.Lines(body) {
		name, value, ok := strings.Cut(line, "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "Signal") {
			return key(value)
		}
	}
	return ""
}

// key is the digit that is written as itself, or as the number of its event.
func key(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) == 1 && strings.Contains(digits, s) {
		return s
	}
	if n, err := strconv.Atoi(s); err == nil && len(s) == 2 && n >= 10 && n < len(digits) {
		return digits[n : n+1]
	}
	return ""
}
