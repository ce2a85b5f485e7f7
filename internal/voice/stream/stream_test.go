package stream

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sdp"
)

// carried is a session that notes what it is told.
type carried struct {
	port int
	sets []media.Params
}

func (c *carried) Port() int          { return c.port }
func (c *carried) Set(p media.Params) { c.sets = append(c.sets, p) }

// last is what the session carries now.
func (c *carried) last(t *testing.T) media.Params {
	t.Helper()
	if len(c.sets) == 0 {
		t.Fatal("the session was told nothing")
	}
	return c.sets[len(c.sets)-1]
}

// side is a stream and its session.
type side struct {
	*Stream
	session *carried
}

func newSide(address string, port int, codecs ...audio.Encoding) side {
	c := &carried{port: port}
	return side{New(Options{Session: c, Address: netip.MustParseAddr(address), Codecs: codecs}), c}
}

// negotiate has one side offer and the other answer, and returns both texts.
func negotiate(t *testing.T, from, to side) (offer, answer string) {
	t.Helper()
	o, err := from.Offer()
	if err != nil {
		t.Fatal(err)
	}
	a, err := to.Answer(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := from.Accept(a); err != nil {
		t.Fatal(err)
	}
	return string(o), string(a)
}

// version is that of the o= line.
func version(t *testing.T, text string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "o=") && len(fields) == 6 {
			return fields[2]
		}
	}
	t.Fatalf("no o= line in %q", text)
	return ""
}

// TestAgreement: both sessions carry the same codec, to where the other listens.
func TestAgreement(t *testing.T) {
	for name, c := range map[string]struct {
		ours, theirs []audio.Encoding
		want         audio.Encoding
	}{
		"the defaults":       {nil, nil, audio.MuLaw},
		"what both can":      {nil, []audio.Encoding{audio.ALaw}, audio.ALaw},
		"the answerer's way": {[]audio.Encoding{audio.MuLaw, audio.ALaw}, []audio.Encoding{audio.ALaw, audio.MuLaw}, audio.ALaw},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newSide("127.0.0.1", 4000, c.ours...), newSide("127.0.0.2", 5000, c.theirs...)
			negotiate(t, a, b)
			for _, x := range []struct {
				one   side
				where string
			}{{a, "127.0.0.2:5000"}, {b, "127.0.0.1:4000"}} {
				p := x.one.session.last(t)
				if p.Remote.String() != x.where || p.Codec != c.want || p.Events == 0 || !p.Send || !p.Receive || x.one.Held() {
					t.Errorf("to %s: %+v, held %v", x.where, p, x.one.Held())
				}
				if agreed, ok := x.one.Agreed(); !ok || agreed.Codec != c.want {
					t.Errorf("agreed is %+v, %v", agreed, ok)
				}
			}
		})
	}
}

// TestHold: who is held neither sends nor stops listening, who holds the other way
// round, and whoever resumes first, both must want to talk again.
func TestHold(t *testing.T) {
	a, b := newSide("127.0.0.1", 4000), newSide("127.0.0.1", 5000)
	negotiate(t, a, b)
	steps := []struct {
		name         string
		do           func()
		from, to     side
		aSend, aRecv bool
		bSend, bRecv bool
	}{
		{"a holds", func() { a.Hold(true) }, a, b, true, false, false, true},
		{"b holds as well", func() { b.Hold(true) }, b, a, false, false, false, false},
		{"a resumes", func() { a.Hold(false) }, a, b, false, true, true, false},
		{"b resumes", func() { b.Hold(false) }, b, a, true, true, true, true},
	}
	for _, s := range steps {
		s.do()
		negotiate(t, s.from, s.to)
		pa, pb := a.session.last(t), b.session.last(t)
		if pa.Send != s.aSend || pa.Receive != s.aRecv || pb.Send != s.bSend || pb.Receive != s.bRecv {
			t.Errorf("%s: a sends %v and receives %v, b %v and %v", s.name, pa.Send, pa.Receive, pb.Send, pb.Receive)
		}
		if a.Held() == s.aSend || b.Held() == s.bSend {
			t.Errorf("%s: a is held: %v, b: %v", s.name, a.Held(), b.Held())
		}
	}
	if !a.Hold(true) || a.Hold(true) || !a.Hold(false) {
		t.Error("it is not told what is a change")
	}
}

// TestVersion: it stays while nothing differs, and grows by one when something
// does; a refresh does not trouble the session.
func TestVersion(t *testing.T) {
	a, b := newSide("127.0.0.1", 4000), newSide("127.0.0.1", 5000)
	var offers, answers []string
	note := func(offer, answer string) {
		offers, answers = append(offers, version(t, offer)), append(answers, version(t, answer))
	}
	note(negotiate(t, a, b))
	note(negotiate(t, a, b)) // a refresh
	if len(a.session.sets) != 1 || len(b.session.sets) != 1 {
		t.Errorf("after a refresh the sessions were told %d and %d times", len(a.session.sets), len(b.session.sets))
	}
	a.Hold(true)
	note(negotiate(t, a, b))
	note(negotiate(t, a, b))
	a.Hold(false)
	note(negotiate(t, a, b))
	want := "1 1 2 2 3"
	if got := strings.Join(offers, " "); got != want {
		t.Errorf("the versions of the offers are %s, want %s", got, want)
	}
	if got := strings.Join(answers, " "); got != want {
		t.Errorf("the versions of the answers are %s, want %s", got, want)
	}
	first, _ := a.Offer()
	other, _ := newSide("127.0.0.1", 4000).Offer()
	if string(first) == string(other) {
		t.Error("two calls have the same id")
	}
}

// TestPayloadTypes: what this side offers within a call, asked for by an INVITE
// without a description or to hold, keeps the number that the far side has given
// telephone events (RFC 3264 §8.3.2): it may go on sending them so.
func TestPayloadTypes(t *testing.T) {
	a, b := newSide("127.0.0.1", 4000), newSide("127.0.0.1", 5000)
	offer, err := b.Offer()
	if err != nil {
		t.Fatal(err)
	}
	payloadTypes := strings.NewReplacer(" 101\r\n", " 96\r\n", ":101 ", ":96 ") // the session's id may hold these digits as well
	if _, err := a.Answer([]byte(payloadTypes.Replace(string(offer)))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		again, err := a.Offer()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(again), "a=rtpmap:96 telephone-event/8000\r\n") || strings.Contains(string(again), ":101 ") {
			t.Errorf("after 96 was agreed, the offer is %q", again)
		}
	}
}

// TestEarly: the answer may come twice, in a provisional answer and in the final
// one, which may differ.
func TestEarly(t *testing.T) {
	a := newSide("127.0.0.1", 4000)
	early, final := newSide("127.0.0.1", 5000, audio.MuLaw), newSide("127.0.0.1", 6000, audio.ALaw)
	offer, err := a.Offer()
	if err != nil {
		t.Fatal(err)
	}
	for _, far := range []side{early, early, final} {
		answer, err := far.Answer(offer)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Accept(answer); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.session.sets) != 2 || a.session.last(t).Remote.Port() != 6000 || a.session.last(t).Codec != audio.ALaw {
		t.Errorf("the session was told %+v", a.session.sets)
	}
}

// TestRefused: what cannot be agreed to leaves everything as it was.
func TestRefused(t *testing.T) {
	a, b := newSide("127.0.0.1", 4000, audio.MuLaw), newSide("127.0.0.1", 5000, audio.ALaw)
	if err := a.Accept([]byte("v=0\r\n")); err == nil {
		t.Error("an answer without an offer was taken")
	}
	offer, err := a.Offer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Answer(offer); !errors.Is(err, sdp.ErrNoCommon) {
		t.Errorf("without a common codec: %v", err)
	}
	if _, err := b.Answer([]byte("nonsense")); err == nil {
		t.Error("nonsense was agreed to")
	}
	if err := a.Accept([]byte("nonsense")); err == nil {
		t.Error("nonsense was accepted")
	}
	if _, ok := a.Agreed(); ok || len(a.session.sets)+len(b.session.sets) > 0 || a.Held() {
		t.Error("something is agreed")
	}
}

// TestOldHold: the address 0.0.0.0 holds as well (RFC 2543), and a packet time that
// the far side wants reaches the session.
func TestOldHold(t *testing.T) {
	a := newSide("127.0.0.1", 4000)
	describe := func(address string) string {
		return "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 " + address + "\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\na=ptime:30\r\n"
	}
	for _, c := range []struct {
		address string
		held    bool
	}{{"192.0.2.1", false}, {"0.0.0.0", true}, {"192.0.2.1", false}} {
		if _, err := a.Answer([]byte(describe(c.address))); err != nil {
			t.Fatal(err)
		}
		if a.Held() != c.held || a.session.last(t).Send == c.held {
			t.Errorf("at %s it is held: %v, and sends: %v", c.address, a.Held(), a.session.last(t).Send)
		}
	}
	if p := a.session.last(t); p.Ptime != 30*time.Millisecond || p.Events != 0 {
		t.Errorf("the session carries %+v", p)
	}
}
