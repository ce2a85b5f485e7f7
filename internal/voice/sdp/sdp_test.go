package sdp

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/sdp/v3"

	"ringdown/internal/audio"
)

// text joins lines as they are sent.
func text(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

func here() Local {
	return Local{Address: netip.MustParseAddr("192.0.2.1"), Port: 4000, ID: 7, Version: 3}
}

// head is what begins most descriptions of these tests.
func head(more ...string) []string {
	return append([]string{"v=0", "o=- 20518 0 IN IP4 203.0.113.1", "s=-", "c=IN IP4 203.0.113.1", "t=0 0"}, more...)
}

func agreed(change func(*Agreed)) Agreed {
	a := Agreed{
		Remote:     netip.MustParseAddrPort("203.0.113.1:49170"),
		RemoteRTCP: netip.MustParseAddrPort("203.0.113.1:49171"),
		Codec:      audio.MuLaw, Ptime: 20 * time.Millisecond,
	}
	if change != nil {
		change(&a)
	}
	return a
}

const audioLine = "m=audio 49170 RTP/AVP "

func TestOffer(t *testing.T) {
	full := []string{
		"m=audio 4000 RTP/AVP 0 8 101",
		"a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
		"a=ptime:20",
	}
	four := []string{"v=0", "o=- 7 3 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"}
	six := []string{"v=0", "o=- 7 3 IN IP6 2001:db8::1", "s=-", "c=IN IP6 2001:db8::1", "t=0 0"}
	for name, c := range map[string]struct {
		change func(*Local)
		want   [][]string
	}{
		"all": {nil, [][]string{four, full, {"a=sendrecv"}}},
		"A-law alone": {
			func(l *Local) { l.Codecs = []audio.Encoding{audio.ALaw, audio.PCM, audio.ALaw}; l.Direction = SendOnly },
			[][]string{four, {
				"m=audio 4000 RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
				"a=ptime:20", "a=sendonly",
			}},
		},
		"A-law first": {
			func(l *Local) { l.Codecs = []audio.Encoding{audio.ALaw, audio.MuLaw}; l.Direction = Inactive },
			[][]string{four, {
				"m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000",
				"a=fmtp:101 0-15", "a=ptime:20", "a=inactive",
			}},
		},
		"IPv6":        {func(l *Local) { l.Address = netip.MustParseAddr("2001:db8::1") }, [][]string{six, full, {"a=sendrecv"}}},
		"mapped IPv4": {func(l *Local) { l.Address = netip.MustParseAddr("::ffff:192.0.2.1") }, [][]string{four, full, {"a=sendrecv"}}},
		"after an answer that refused video, with events of 96": {
			func(l *Local) {
				l.Last = text(
					"v=0", "o=- 7 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0",
					"m=video 0 RTP/AVP 99 100", "m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/8000", "m=image 0 udptl t38",
				)
			},
			[][]string{four, {
				"m=video 0 RTP/AVP 99 100",
				"m=audio 4000 RTP/AVP 0 8 96",
				"a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 telephone-event/8000", "a=fmtp:96 0-15",
				"a=ptime:20", "a=sendrecv", "m=image 0 udptl t38",
			}},
		},
		"after all was refused": {
			func(l *Local) {
				l.Last = text("v=0", "o=- 7 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 0 RTP/AVP 18")
			},
			[][]string{four, {"m=audio 0 RTP/AVP 18"}, full, {"a=sendrecv"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := here()
			if c.change != nil {
				c.change(&l)
			}
			if got, want := string(Offer(l)), string(text(slices.Concat(c.want...)...)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestAnswer is what becomes of offers: the m= lines and direction of the answer,
// and the agreement.
func TestAnswer(t *testing.T) {
	simple := agreed(nil)
	events := func(n uint8) func(*Agreed) { return func(a *Agreed) { a.Events = n } }
	towards := func(d Direction) func(*Agreed) { return func(a *Agreed) { a.Direction = d } }
	for name, c := range map[string]struct {
		offer  []byte
		change func(*Local)
		lines  []string // of m=
		want   Agreed
		err    string
	}{
		"static, no rtpmap": {offer: text(head(audioLine + "0 8")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: simple},
		"ours is preferred": {
			offer: text(head(audioLine + "8 0")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: simple,
		},
		"ours is A-law": {
			offer:  text(head(audioLine + "0 8")...),
			change: func(l *Local) { l.Codecs = []audio.Encoding{audio.ALaw, audio.MuLaw} },
			lines:  []string{"audio 4000 RTP/AVP 8"},
			want:   agreed(func(a *Agreed) { a.Codec, a.PayloadType = audio.ALaw, 8 }),
		},
		"dynamic": {
			offer: text(head(audioLine+"96 97", "a=rtpmap:96 PCMU/8000", "a=rtpmap:97 telephone-event/8000", "a=fmtp:97 0-16")...),
			lines: []string{"audio 4000 RTP/AVP 96 97"},
			want:  agreed(func(a *Agreed) { a.PayloadType, a.Events = 96, 97 }),
		},
		"case and channels": {
			offer: text(head(audioLine+"96", "a=rtpmap:96 pcma/8000/1")...),
			lines: []string{"audio 4000 RTP/AVP 96"},
			want:  agreed(func(a *Agreed) { a.Codec, a.PayloadType = audio.ALaw, 96 }),
		},
		"rtpmap says otherwise": {
			offer: text(head(audioLine+"0 8", "a=rtpmap:0 G726-32/8000")...),
			lines: []string{"audio 4000 RTP/AVP 8"},
			want:  agreed(func(a *Agreed) { a.Codec, a.PayloadType = audio.ALaw, 8 }),
		},
		"16 kHz is another codec": {
			offer: text(head(audioLine+"96 101 102", "a=rtpmap:96 PCMU/16000", "a=rtpmap:101 telephone-event/16000", "a=rtpmap:102 telephone-event/8000")...),
			err:   "no codec in common",
		},
		"stereo":      {offer: text(head(audioLine+"96", "a=rtpmap:96 PCMU/8000/2")...), err: "no codec in common"},
		"events only": {offer: text(head(audioLine+"101", "a=rtpmap:101 telephone-event/8000")...), err: "no codec in common"},
		"G.729 only":  {offer: text(head(audioLine+"18", "a=rtpmap:18 G729/8000")...), err: "no codec in common"},
		"the events of 8 kHz": {
			offer: text(head(audioLine+"0 100 101", "a=rtpmap:100 telephone-event/48000", "a=rtpmap:101 telephone-event/8000")...),
			lines: []string{"audio 4000 RTP/AVP 0 101"}, want: agreed(events(101)),
		},
		"hold": {
			offer: text(head(audioLine+"0", "a=sendonly")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: agreed(towards(RecvOnly)),
		},
		"hold for the session": {
			offer: text(head("a=sendonly", audioLine+"0")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: agreed(towards(RecvOnly)),
		},
		"the stream before the session": {
			offer: text(head("a=inactive", audioLine+"0", "a=recvonly")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: agreed(towards(SendOnly)),
		},
		"inactive": {
			offer: text(head(audioLine+"0", "a=inactive")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: agreed(towards(Inactive)),
		},
		"hold both ways": {
			offer: text(head(audioLine+"0", "a=sendonly")...), change: func(l *Local) { l.Direction = SendOnly },
			lines: []string{"audio 4000 RTP/AVP 0"}, want: agreed(towards(Inactive)),
		},
		"ours on hold": {
			offer: text(head(audioLine+"0", "a=sendrecv")...), change: func(l *Local) { l.Direction = SendOnly },
			lines: []string{"audio 4000 RTP/AVP 0"}, want: agreed(towards(SendOnly)),
		},
		"hold of old": {
			offer: text("v=0", "o=- 1 1 IN IP4 203.0.113.1", "s=-", "c=IN IP4 0.0.0.0", "t=0 0", audioLine+"0"),
			lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) {
				a.Remote, a.RemoteRTCP, a.Direction = netip.AddrPort{}, netip.AddrPort{}, RecvOnly
			}),
		},
		"hold of old, with the attribute": {
			offer: text(head(audioLine+"0", "c=IN IP4 0.0.0.0", "a=inactive")...),
			lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) {
				a.Remote, a.RemoteRTCP, a.Direction = netip.AddrPort{}, netip.AddrPort{}, Inactive
			}),
		},
		"the address of the stream": {
			offer: text(head(audioLine+"0", "c=IN IP4 198.51.100.9")...), lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) {
				a.Remote, a.RemoteRTCP = netip.MustParseAddrPort("198.51.100.9:49170"), netip.MustParseAddrPort("198.51.100.9:49171")
			}),
		},
		"IPv6": {
			offer:  text("v=0", "o=- 1 1 IN IP6 2001:db8::2", "s=-", "c=IN IP6 2001:db8::2", "t=0 0", audioLine+"0"),
			change: func(l *Local) { l.Address = netip.MustParseAddr("2001:db8::1") },
			lines:  []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) {
				a.Remote, a.RemoteRTCP = netip.MustParseAddrPort("[2001:db8::2]:49170"), netip.MustParseAddrPort("[2001:db8::2]:49171")
			}),
		},
		"IPv6 to IPv4": {
			offer: text("v=0", "o=- 1 1 IN IP6 2001:db8::2", "s=-", "c=IN IP6 2001:db8::2", "t=0 0", audioLine+"0"), err: "IPv4",
		},
		"RTCP elsewhere": {
			offer: text(head(audioLine+"0", "a=rtcp:53020 IN IP4 126.16.64.4")...), lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) { a.RemoteRTCP = netip.MustParseAddrPort("126.16.64.4:53020") }),
		},
		"RTCP on another port": {
			offer: text(head(audioLine+"0", "a=rtcp:53020")...), lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) { a.RemoteRTCP = netip.MustParseAddrPort("203.0.113.1:53020") }),
		},
		"RTCP on the same port is not taken": {
			offer: text(head(audioLine+"0", "a=rtcp:49170", "a=rtcp-mux")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: simple,
		},
		"the last port has no next": {
			offer: text(head("m=audio 65535 RTP/AVP 0")...), lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) {
				a.Remote, a.RemoteRTCP = netip.MustParseAddrPort("203.0.113.1:65535"), netip.AddrPort{}
			}),
		},
		"30 ms": {
			offer: text(head(audioLine+"0", "a=ptime:30")...), lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) { a.Ptime = 30 * time.Millisecond }),
		},
		"10 ms at most": {
			offer: text(head("a=maxptime:10", audioLine+"0")...), lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) { a.Ptime = 10 * time.Millisecond }),
		},
		"no number of ms": {offer: text(head(audioLine+"0", "a=ptime:NaN")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: simple},
		"200 ms": {
			offer: text(head(audioLine+"0", "a=ptime:200")...), lines: []string{"audio 4000 RTP/AVP 0"},
			want: agreed(func(a *Agreed) { a.Ptime = 60 * time.Millisecond }),
		},
		"video beside it": {
			offer: text(head("m=video 51372 RTP/AVP 99 100", "a=rtpmap:99 H264/90000", audioLine+"0", "m=application 9 UDP/BFCP *")...),
			lines: []string{"video 0 RTP/AVP 99 100", "audio 4000 RTP/AVP 0", "application 0 UDP/BFCP *"}, want: simple,
		},
		"the first that can be used": {
			offer: text(head("m=audio 0 RTP/AVP 0", "m=audio 49168 RTP/SAVP 0", "m=audio 49166 RTP/AVP 18", audioLine+"0", "m=audio 49172 RTP/AVP 0")...),
			lines: []string{"audio 0 RTP/AVP 0", "audio 0 RTP/SAVP 0", "audio 0 RTP/AVP 18", "audio 4000 RTP/AVP 0", "audio 0 RTP/AVP 0"},
			want:  simple,
		},
		"encrypted":       {offer: text(head("m=audio 49170 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x")...), err: "no audio over RTP/AVP"},
		"all refused":     {offer: text(head("m=audio 0 RTP/AVP 0")...), err: "no audio over RTP/AVP"},
		"fax":             {offer: text(head("m=image 4002 udptl t38", "a=T38FaxVersion:0")...), err: "no audio over RTP/AVP"},
		"no streams":      {offer: text(head()...), err: "no audio over RTP/AVP"},
		"a name":          {offer: text(head(audioLine+"0", "c=IN IP4 pbx.example.com")...), err: "line 7: no codec in common: the address is a name"},
		"a group":         {offer: text(head(audioLine+"0", "c=IN IP4 224.2.1.1/127")...), err: "line 7: no codec in common: the address is a group's"},
		"a name unused":   {offer: text(head("m=video 5 RTP/AVP 99", "c=IN IP4 x.example", audioLine+"0")...), lines: []string{"video 0 RTP/AVP 99", "audio 4000 RTP/AVP 0"}, want: simple},
		"no address":      {offer: text("v=0", "o=- 1 1 IN IP4 203.0.113.1", "s=-", "t=0 0", audioLine+"0"), err: "line 5: there is no c= for it"},
		"empty":           {offer: nil, err: "line 1: v= comes first"},
		"something else":  {offer: []byte("{\"hello\": 1}"), err: "line 1: it is not a letter"},
		"another version": {offer: text("v=1"), err: "line 1: v=0"},
		"two versions":    {offer: text(head("v=0")...), err: "line 6: v=0 comes once"},
		"no value":        {offer: text(head("m")...), err: "line 6: it is not a letter"},
		"short m=":        {offer: text(head("m=audio 5 RTP/AVP")...), err: "line 6: m= has four parts"},
		"a great port":    {offer: text(head("m=audio 65536 RTP/AVP 0")...), err: "line 6: the port"},
		"a negative port": {offer: text(head("m=audio -1 RTP/AVP 0")...), err: "line 6: the port"},
		"odd ports":       {offer: text(head("m=audio 5/x RTP/AVP 0")...), err: "line 6: the count"},
		"short c=":        {offer: text("v=0", "c=IN IP4", audioLine+"0"), err: "line 2: c= has three parts"},
		"another net":     {offer: text("v=0", "c=ATM NSAP 47.0091", audioLine+"0"), err: "line 2: c= is not of IN"},
		"two ports":       {offer: text(head("m=audio 49170/2 RTP/AVP 0")...), lines: []string{"audio 4000 RTP/AVP 0"}, want: simple},
		"a control character": {
			offer: text(head("a=tool:a\rb", audioLine+"0")...), err: "line 6: there is a control character",
		},
		"too many": {offer: text(head(slices.Repeat([]string{audioLine + "0"}, streamLimit+1)...)...), err: "too many m= lines"},
		"only what matters, bare line ends": {
			offer: []byte("v=0\nc=IN IP4 203.0.113.1\nm=audio 49170 RTP/AVP 0"), lines: []string{"audio 4000 RTP/AVP 0"}, want: simple,
		},
		"odd payload types": {
			offer: text(head(audioLine+"x 300 -1 128 0", "a=rtpmap", "a=rtpmap:", "a=rtpmap:1", "a=rtcp:", "a=rtcp:x", "a=:", "a=")...),
			lines: []string{"audio 4000 RTP/AVP 0"}, want: simple,
		},
		"the first rtpmap counts": {
			offer: text(head(audioLine+"96", "a=rtpmap:96 PCMU/8000", "a=rtpmap:96 opus/48000/2")...),
			lines: []string{"audio 4000 RTP/AVP 96"}, want: agreed(func(a *Agreed) { a.PayloadType = 96 }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := here()
			if c.change != nil {
				c.change(&l)
			}
			answer, got, err := Answer(c.offer, l)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("the error is %v, want one with %q", err, c.err)
				}
				if errors.Is(err, ErrNoCommon) == errors.Is(err, ErrMalformed) {
					t.Errorf("%v is not one kind of error", err)
				}
				if answer != nil {
					t.Errorf("there is an answer: %q", answer)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("agreed to\n%+v, want\n%+v", got, c.want)
			}
			if lines := streamsOf(answer); !slices.Equal(lines, c.lines) {
				t.Errorf("the streams are %q, want %q", lines, c.lines)
			}
			if !strings.Contains(string(answer), "\r\na="+got.Direction.String()+"\r\n") {
				t.Errorf("the answer does not say %s:\n%s", got.Direction, answer)
			}
			if !strings.Contains(string(answer), "o=- 7 3 IN IP") {
				t.Errorf("the answer is not of session 7, version 3:\n%s", answer)
			}
		})
	}
}

// streamsOf are the m= lines of a text.
func streamsOf(text []byte) []string {
	var all []string
	for line := range strings.Lines(string(text)) {
		if m, ok := strings.CutPrefix(line, "m="); ok {
			all = append(all, strings.TrimSpace(m))
		}
	}
	return all
}

func TestAccept(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		change func(*Local)
		want   Agreed
		err    string
	}{
		"one codec": {
			answer: text(head(audioLine+"8 101", "a=rtpmap:101 telephone-event/8000")...),
			want:   agreed(func(a *Agreed) { a.Codec, a.PayloadType, a.Events = audio.ALaw, 8, 101 }),
		},
		"theirs is preferred": {
			answer: text(head(audioLine + "8 0")...),
			want:   agreed(func(a *Agreed) { a.Codec, a.PayloadType = audio.ALaw, 8 }),
		},
		"one that was not offered": {
			answer: text(head(audioLine + "8")...), change: func(l *Local) { l.Codecs = []audio.Encoding{audio.MuLaw} }, err: "no codec",
		},
		"one that was not offered before one that was": {
			answer: text(head(audioLine + "18 8 0")...), change: func(l *Local) { l.Codecs = []audio.Encoding{audio.MuLaw} }, want: agreed(nil),
		},
		"their events": {
			answer: text(head(audioLine+"0 96", "a=rtpmap:96 telephone-event/8000")...), want: agreed(func(a *Agreed) { a.Events = 96 }),
		},
		"on hold": {
			answer: text(head(audioLine+"0", "a=recvonly")...), change: func(l *Local) { l.Direction = SendOnly },
			want: agreed(func(a *Agreed) { a.Direction = SendOnly }),
		},
		"more than was offered": {
			answer: text(head(audioLine+"0", "a=sendrecv")...), change: func(l *Local) { l.Direction = SendOnly },
			want: agreed(func(a *Agreed) { a.Direction = SendOnly }),
		},
		"they only send": {
			answer: text(head(audioLine+"0", "a=sendonly")...), want: agreed(func(a *Agreed) { a.Direction = RecvOnly }),
		},
		"refused":   {answer: text(head("m=audio 0 RTP/AVP 0")...), err: "no audio over RTP/AVP"},
		"encrypted": {answer: text(head("m=audio 5 RTP/SAVP 0")...), err: "no audio over RTP/AVP"},
		"malformed": {answer: text("m=audio 5 RTP/AVP 0"), err: "line 1: v= comes first"},
		"after a refused stream": {
			answer: text(head("m=video 0 RTP/AVP 99", audioLine+"0")...), want: agreed(nil),
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := here()
			if c.change != nil {
				c.change(&l)
			}
			got, err := Accept(c.answer, l)
			switch {
			case c.err == "" && err != nil:
				t.Fatal(err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Fatalf("the error is %v, want one with %q", err, c.err)
			case c.err == "" && got != c.want:
				t.Errorf("agreed to\n%+v, want\n%+v", got, c.want)
			}
		})
	}
}

// TestBothSides has this package talk to itself: both agree to the same.
func TestBothSides(t *testing.T) {
	orders := [][]audio.Encoding{nil, {audio.MuLaw}, {audio.ALaw}, {audio.ALaw, audio.MuLaw}}
	for _, first := range orders {
		for _, second := range orders {
			for d := SendRecv; d <= Inactive; d++ {
				a := Local{Address: netip.MustParseAddr("192.0.2.1"), Port: 4000, Codecs: first, Direction: d}
				b := Local{Address: netip.MustParseAddr("192.0.2.2"), Port: 5000, Codecs: second}
				answer, there, err := Answer(Offer(a), b)
				if len(first) == 1 && len(second) == 1 && first[0] != second[0] {
					if !errors.Is(err, ErrNoCommon) {
						t.Errorf("%v and %v: %v", first, second, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				here, err := Accept(answer, a)
				if err != nil {
					t.Fatal(err)
				}
				if here.Codec != there.Codec || here.PayloadType != there.PayloadType || here.Events != 101 || there.Events != 101 ||
					here.Direction != d || there.Direction != direction(d.Receives(), d.Sends()) ||
					here.Remote.Port() != 5000 || there.Remote.Port() != 4000 {
					t.Errorf("%v and %v: one side has %+v, the other %+v", first, second, here, there)
				}
			}
		}
	}
}

// mirrors checks an answer: it can be read, and has the streams of the offer in
// their order, one of them accepted at most.
func mirrors(t *testing.T, offer, answer []byte) {
	t.Helper()
	d, err := parse(answer)
	if err != nil {
		t.Fatalf("the answer cannot be read: %v\n%q", err, answer)
	}
	o, err := parse(offer)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.streams) != len(o.streams) {
		t.Fatalf("%d streams in answer to %d", len(d.streams), len(o.streams))
	}
	accepted := 0
	strict := true
	for i := range d.streams {
		got, was := &d.streams[i], &o.streams[i]
		if got.media != was.media || got.proto != was.proto {
			t.Errorf("stream %d is %s over %s, was %s over %s", i, got.media, got.proto, was.media, was.proto)
		}
		if got.port == 0 {
			if !slices.Equal(got.formats, was.formats) {
				t.Errorf("stream %d was refused with %q, was offered with %q", i, got.formats, was.formats)
			}
		} else {
			accepted++
			if was.port == 0 {
				t.Errorf("stream %d was offered with port 0 and taken", i)
			}
		}
		strict = strict && slices.Contains([]string{"audio", "video"}, got.media) && got.proto == "RTP/AVP"
	}
	if accepted != 1 {
		t.Errorf("%d streams were accepted", accepted)
	}
	if strict { // somebody else's reader, which takes fewer kinds of streams
		var s pion.SessionDescription
		if err := s.Unmarshal(answer); err != nil {
			t.Errorf("pion cannot read the answer: %v\n%q", err, answer)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, r := range offers {
		f.Add([]byte(r.text))
	}
	f.Add(text(head("m=image 4002 udptl t38", audioLine+"0 8 96", "a=rtpmap:96 telephone-event/8000", "a=sendonly")...))
	f.Fuzz(func(t *testing.T, offer []byte) {
		answer, a, err := Answer(offer, here())
		if err != nil {
			if answer != nil || a != (Agreed{}) || errors.Is(err, ErrNoCommon) == errors.Is(err, ErrMalformed) {
				t.Errorf("an error that is none: %v", err)
			}
			return
		}
		mirrors(t, offer, answer)
		if a.Direction.Sends() && !a.Remote.IsValid() {
			t.Errorf("sends nowhere: %+v", a)
		}
	})
}

func FuzzAccept(f *testing.F) {
	for _, r := range offers {
		f.Add([]byte(r.text))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		l := here()
		a, err := Accept(answer, l)
		if err != nil {
			return
		}
		if a.Codec != audio.MuLaw && a.Codec != audio.ALaw || a.PayloadType > 127 || a.Ptime < leastPtime || a.Ptime > mostPtime {
			t.Errorf("agreed to %+v", a)
		}
		if a.Direction.Sends() && !a.Remote.IsValid() {
			t.Errorf("sends nowhere: %+v", a)
		}
		// What was agreed is what the next offer of this side builds on.
		l.Last = answer
		if _, _, err := Answer(Offer(l), Local{Address: l.Address, Port: 6000}); err != nil {
			if d, _ := parse(answer); len(d.streams) < streamLimit {
				t.Errorf("the next offer is refused: %v\n%s", err, Offer(l))
			}
		}
	})
}
