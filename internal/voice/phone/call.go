package phone

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
	"ringdown/internal/voice/stream"
)

// Call is a call of the phone.
type Call struct {
	phone    *Phone
	inbound  bool
	from, to string
	name     string
	arrived  []sip.Header
	events   *queue
	answered chan struct{} // closed when the call is answered
	ended    chan struct{} // closed when it is over
	heard    reel
	ears     ears

	mu       sync.Mutex
	line     *sip.Call
	session  *media.Session // nil until an offer is made or answered
	stream   *stream.Stream
	recorder *media.Recorder
	since    time.Time // of the answer
	picked   bool      // Answer or Reject was called
	over     bool
	reason   string
	broken   bool
	status   int       // of SIP, when the far side refused
	until    time.Time // of the end
	early    []string  // keys pressed before there was sound
	clips    []*audio.Clip
	playing  int // seq of the clip that is spoken, 0 for none
	spoken   int // seq of the last clip
}

// Unanswered is the error of a call that ended before it was answered.
type Unanswered struct {
	Reason string // as Ended tells it
	Status int    // of SIP, when there is one
}

func (e *Unanswered) Error() string { return "not answered: " + e.Reason }

func (p *Phone) newCall(from, to string) *Call {
	return &Call{phone: p, from: from, to: to, answered: make(chan struct{}), ended: make(chan struct{}), events: newQueue()}
}

// open takes a port for the sound.
func (c *Call) open() error {
	session, err := c.phone.engine.Open(c.hearSession)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		session.Close()
		return ErrClosed
	}
	c.session = session
	c.stream = stream.New(stream.Options{Session: session, Address: c.phone.address, Codecs: c.phone.o.Codecs})
	return nil
}

// connect joins the call to its signalling.
func (c *Call) connect(line *sip.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line = line
}

// From is who calls, To who is called.
func (c *Call) From() string { return c.from }

// To is who is called.
func (c *Call) To() string { return c.to }

// FromName is the display name of who calls, if there is one.
func (c *Call) FromName() string { return c.name }

// Header is the first value of a header field of the INVITE that came in.
func (c *Call) Header(name string) string {
	for _, h := range c.arrived {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// Answer picks up.
func (c *Call) Answer() {
	line := c.pick()
	if line == nil {
		return
	}
	if err := c.open(); err != nil {
		c.refuse(line, "no port is free for the sound: "+statusText(503), 503)
		return
	}
	line.Answer(c.stream, c.hearLine)
}

// Reject refuses with a SIP status, such as 486 for busy.
func (c *Call) Reject(status int) {
	if line := c.pick(); line != nil {
		c.refuse(line, "refused here: "+statusText(status), status)
	}
}

// refuse ends a call that rings here. The reason is told before signalling tells
// its own.
func (c *Call) refuse(line *sip.Call, reason string, status int) {
	c.finish(c.phone.o.Now(), reason, status)
	line.Reject(status)
}

// pick is the line of a call that rings here, once.
func (c *Call) pick() *sip.Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.inbound || c.picked || c.over {
		return nil
	}
	c.picked = true
	return c.line
}

// Answered waits until the call is answered; the error is why it was not.
func (c *Call) Answered(ctx context.Context) error {
	select {
	case <-c.answered:
		return nil
	case <-c.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.since.IsZero() {
		return nil
	}
	return &Unanswered{c.reason, c.status}
}

// Ended waits for the end of the call and returns its reason: "hung up there",
// "hung up here", "busy (486)" …
func (c *Call) Ended(ctx context.Context) (string, error) {
	select {
	case <-c.ended:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason, nil
}

// Broken reports whether the call ended otherwise than by somebody hanging up or
// refusing it.
func (c *Call) Broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

// Press presses keys: 0-9 * # A-D. A comma is a pause of a second. Before the
// answer they are kept until then.
func (c *Call) Press(keys string) {
	c.mu.Lock()
	if c.over || keys == "" {
		c.mu.Unlock()
		return
	}
	if c.since.IsZero() {
		c.early = append(c.early, keys)
		c.mu.Unlock()
		return
	}
	session := c.session
	c.mu.Unlock()
	c.press(session, keys)
}

func (c *Call) press(session *media.Session, keys string) {
	c.tell(Event{What: Pressed, Text: keys})
	session.Press(keys)
}

// Speak says something, once, after what is being said.
func (c *Call) Speak(clip *audio.Clip) {
	c.mu.Lock()
	c.clips = append(c.clips, clip)
	c.mu.Unlock()
	c.speakNext()
}

// speakNext begins with the next clip when there is nothing else to be heard.
func (c *Call) speakNext() {
	c.mu.Lock()
	if c.over || c.since.IsZero() || c.playing != 0 || len(c.clips) == 0 {
		c.mu.Unlock()
		return
	}
	clip := c.clips[0]
	c.clips = c.clips[1:]
	c.spoken++
	c.playing = c.spoken
	seq, session := c.playing, c.session
	c.mu.Unlock()
	session.Play(seq, []*audio.Clip{clip}, false)
}

// Hold has the far side wait, by re-INVITE; Resume ends that.
func (c *Call) Hold() { c.hold(true) }

// Resume listens to the far side again.
func (c *Call) Resume() { c.hold(false) }

func (c *Call) hold(on bool) {
	c.mu.Lock()
	line, s, live := c.line, c.stream, !c.over && !c.since.IsZero()
	c.mu.Unlock()
	if live && s.Hold(on) {
		line.Reinvite()
	}
}

// Heard is what the phone has heard so far, in step with the clock from the answer
// on. While the call goes on it may lag by a second. Of a call that lasts longer
// it is the first hour.
func (c *Call) Heard() *audio.Clip {
	c.mu.Lock()
	since, until := c.since, c.until
	c.mu.Unlock()
	samples := c.heard.samples(0)
	if !since.IsZero() && !until.IsZero() {
		// Silence at the end is part of what was heard.
		n := min(int(until.Sub(since)*rate/time.Second), reelSamples)
		if missing := n - len(samples); missing > 0 {
			samples = append(samples, make([]int16, missing)...)
		}
	}
	return audio.NewClip(samples)
}

// Stats are what the sound of the call has been like.
func (c *Call) Stats() media.Stats {
	c.mu.Lock()
	session := c.session
	c.mu.Unlock()
	if session == nil {
		return media.Stats{}
	}
	return session.Stats()
}

// Hangup ends the call.
func (c *Call) Hangup() {
	if c.inbound {
		// Who hangs up while it rings does not want to talk.
		if line := c.pick(); line != nil {
			c.refuse(line, "refused here: "+statusText(603), 603)
			return
		}
	}
	c.mu.Lock()
	line, over := c.line, c.over
	c.mu.Unlock()
	if line != nil && !over {
		line.Hangup()
	}
}

// hearLine is told what becomes of the call, on its goroutine.
func (c *Call) hearLine(e sip.Event) {
	switch e.Kind {
	case sip.Ringing:
		c.tell(Event{At: e.At, What: Ringing})
	case sip.Early:
		c.tell(Event{At: e.At, What: Early})
	case sip.Answered:
		c.begin(e.At)
	case sip.Info:
		c.tell(Event{At: e.At, What: Key, Text: e.Digit})
	case sip.Held:
		c.tell(Event{At: e.At, What: Held})
	case sip.Resumed:
		c.tell(Event{At: e.At, What: Resumed})
	case sip.Ended:
		status := 0
		if e.Cause == sip.Refused {
			status = e.Status
		}
		switch e.Cause {
		case sip.HungUpHere, sip.HungUpThere, sip.Cancelled, sip.Refused, sip.RangOut:
		case sip.NoAnswer, sip.NoACK, sip.Expired, sip.Failed:
			c.mu.Lock()
			c.broken = !c.over
			c.mu.Unlock()
		}
		c.finish(e.At, endReason(e, c.inbound), status)
	case sip.Confirmed, sip.Referred:
	}
}

// hearSession is told what happens to the sound.
func (c *Call) hearSession(e media.Event) {
	switch e.Kind {
	case media.Digit:
		c.tell(Event{What: Key, Text: e.Key})
	case media.Played:
		c.mu.Lock()
		last := e.Seq == c.playing
		if last {
			c.playing = 0
		}
		c.mu.Unlock()
		if last {
			c.tell(Event{What: Spoken})
			c.speakNext()
		}
	case media.TimedOut:
		c.tell(Event{What: NoSound})
	}
}

// begin is the answer: the recording begins with it.
func (c *Call) begin(at time.Time) {
	recorder, err := media.NewRecorder(&c.heard)
	if err != nil {
		c.phone.o.Logger.Error("what is heard cannot be recorded", "err", err)
	}
	c.mu.Lock()
	if c.over || !c.since.IsZero() {
		c.mu.Unlock()
		return
	}
	c.since, c.recorder = at, recorder
	session, early := c.session, c.early
	c.early = nil
	c.mu.Unlock()
	if recorder != nil {
		session.Record("heard", recorder)
	}
	c.tell(Event{At: at, What: Answered})
	close(c.answered)
	c.phone.start(c.listening)
	for _, keys := range early {
		c.press(session, keys)
	}
	c.speakNext()
}

// finish is the end, once.
func (c *Call) finish(at time.Time, reason string, status int) {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.over, c.reason, c.status, c.until = true, reason, status, at
	session, recorder := c.session, c.recorder
	c.mu.Unlock()
	if session != nil {
		session.Close()
	}
	if recorder != nil {
		if err := recorder.Close(); err != nil {
			c.phone.o.Logger.Error("the recording of what was heard is incomplete", "err", err)
		}
	}
	close(c.ended)
	c.phone.remove(c)
	c.listen(true)
	c.tell(Event{At: at, What: Ended, Text: reason})
	c.events.end()
}

// endReason says in words why a call ended.
func endReason(e sip.Event, inbound bool) string {
	switch e.Cause {
	case sip.HungUpHere:
		return "hung up here"
	case sip.HungUpThere:
		return "hung up there"
	case sip.Cancelled:
		return "the caller gave up"
	case sip.Refused:
		return statusText(e.Status)
	case sip.RangOut:
		return "nobody answered in time"
	case sip.NoAnswer:
		return "no reply at all"
	case sip.NoACK:
		return "the answer was never acknowledged"
	case sip.Expired:
		return "the far side is gone (the session timer ran out)"
	case sip.Failed:
		if inbound && e.Status == 488 {
			return "no codec in common (488)"
		}
	}
	switch {
	case e.Status != 0:
		return "failed: " + statusText(e.Status)
	case e.Err != nil:
		return "failed: " + e.Err.Error()
	}
	return "failed"
}

// statusText says in words what a final answer means (RFC 3261 §21).
func statusText(status int) string {
	words := map[int]string{
		401: "the password is wrong, or none was given", 403: "forbidden", 404: "there is no such number", 407: "the password is wrong, or none was given",
		408: "no reply in time", 410: "the number is no longer in use", 480: "nobody is there", 482: "the call went in a circle", 484: "the number is incomplete",
		486: "busy", 487: "given up", 488: "no codec in common", 500: "the server has failed", 503: "the server takes no calls now",
		600: "busy everywhere", 603: "declined", 604: "the number exists nowhere", 606: "not acceptable",
	}
	if w, ok := words[status]; ok {
		return fmt.Sprintf("%s (%d)", w, status)
	}
	return fmt.Sprintf("refused (%d)", status)
}
