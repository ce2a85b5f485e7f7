package sdp

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"ringdown/internal/audio"
)

// offers are in the shape that well-known telephones and servers give them.
var offers = []struct {
	name, text string
	lines      []string
	want       Agreed
}{
	{
		name: "Asterisk, chan_pjsip",
		text: "v=0\r\no=- 1824711843 1824711843 IN IP4 198.51.100.20\r\ns=Asterisk\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\n" +
			"m=audio 17312 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n" +
			"a=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:150\r\na=sendrecv\r\n",
		lines: []string{"audio 4000 RTP/AVP 0 101"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("198.51.100.20:17312"), RemoteRTCP: netip.MustParseAddrPort("198.51.100.20:17313"),
			Codec: audio.MuLaw, Events: 101, Ptime: 20 * time.Millisecond,
		},
	},
	{
		name: "Asterisk, fax offered beside sound",
		text: "v=0\r\no=root 1209 1210 IN IP4 198.51.100.20\r\ns=Asterisk PBX 16.2.1\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\n" +
			"m=audio 17312 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n" +
			"m=image 4802 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\n",
		lines: []string{"audio 4000 RTP/AVP 8 101", "image 0 udptl t38"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("198.51.100.20:17312"), RemoteRTCP: netip.MustParseAddrPort("198.51.100.20:17313"),
			Codec: audio.ALaw, PayloadType: 8, Events: 101, Ptime: 20 * time.Millisecond,
		},
	},
	{
		name: "FreeSWITCH",
		text: "v=0\r\no=FreeSWITCH 1700000001 1700000002 IN IP4 203.0.113.7\r\ns=FreeSWITCH\r\nc=IN IP4 203.0.113.7\r\nt=0 0\r\n" +
			"m=audio 24874 RTP/AVP 102 9 0 8 103 101\r\na=rtpmap:102 opus/48000/2\r\na=fmtp:102 useinbandfec=1; maxaveragebitrate=30000; maxplaybackrate=48000; ptime=20; minptime=10; maxptime=40\r\n" +
			"a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:103 telephone-event/48000\r\na=fmtp:103 0-15\r\n" +
			"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n",
		lines: []string{"audio 4000 RTP/AVP 0 101"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("203.0.113.7:24874"), RemoteRTCP: netip.MustParseAddrPort("203.0.113.7:24875"),
			Codec: audio.MuLaw, Events: 101, Ptime: 20 * time.Millisecond,
		},
	},
	{
		name: "a carrier",
		text: "v=0\r\no=root 1374526834 1374526834 IN IP4 172.25.10.2\r\ns=Carrier Media Gateway\r\nc=IN IP4 168.86.150.15\r\nt=0 0\r\n" +
			"m=audio 15604 RTP/AVP 0 8 101\r\na=maxptime:20\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n" +
			"a=fmtp:101 0-16\r\na=silenceSupp:off - - - -\r\na=ptime:20\r\na=sendrecv\r\n",
		lines: []string{"audio 4000 RTP/AVP 0 101"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("168.86.150.15:15604"), RemoteRTCP: netip.MustParseAddrPort("168.86.150.15:15605"),
			Codec: audio.MuLaw, Events: 101, Ptime: 20 * time.Millisecond,
		},
	},
	{
		name: "a session border controller: G.729 first, b= before c=",
		text: "v=0\r\no=Sonus_UAC 26012 8733 IN IP4 203.0.113.40\r\ns=SIP Media Capabilities\r\nb=AS:96\r\nc=IN IP4 203.0.113.41\r\nt=0 0\r\n" +
			"m=audio 51234 RTP/AVP 18 8 100\r\nb=TIAS:64000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:8 PCMA/8000\r\n" +
			"a=rtpmap:100 telephone-event/8000\r\na=fmtp:100 0-15\r\na=sendrecv\r\na=maxptime:30\r\na=ptime:30\r\n",
		lines: []string{"audio 4000 RTP/AVP 8 100"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("203.0.113.41:51234"), RemoteRTCP: netip.MustParseAddrPort("203.0.113.41:51235"),
			Codec: audio.ALaw, PayloadType: 8, Events: 100, Ptime: 30 * time.Millisecond,
		},
	},
	{
		name: "baresip",
		text: "v=0\r\no=- 3861276563 1873094413 IN IP4 192.168.1.10\r\ns=-\r\nc=IN IP4 192.168.1.10\r\nt=0 0\r\na=tool:baresip 3.10.1\r\n" +
			"m=audio 21432 RTP/AVP 96 0 8 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=1;sprop-stereo=1\r\na=rtpmap:0 PCMU/8000\r\n" +
			"a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:21433\r\na=sendrecv\r\na=label:1\r\na=rtcp-rsize\r\n" +
			"a=ssrc:1932045 cname:sip:alice@example.com\r\na=ptime:20\r\na=minptime:20\r\n",
		lines: []string{"audio 4000 RTP/AVP 0 101"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("192.168.1.10:21432"), RemoteRTCP: netip.MustParseAddrPort("192.168.1.10:21433"),
			Codec: audio.MuLaw, Events: 101, Ptime: 20 * time.Millisecond,
		},
	},
	{
		name: "sipp",
		text: "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
			"m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
		lines: []string{"audio 4000 RTP/AVP 0"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("127.0.0.1:6000"), RemoteRTCP: netip.MustParseAddrPort("127.0.0.1:6001"),
			Codec: audio.MuLaw, Ptime: 20 * time.Millisecond,
		},
	},
	{
		name: "Linphone, video, keys that it does not insist on",
		text: "v=0\r\no=alice 2890 3456 IN IP4 10.0.0.5\r\ns=Talk\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\n" +
			"a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\r\na=record:off\r\n" +
			"m=audio 7078 RTP/AVP 96 97 98 0 8 18 99 100 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:97 speex/16000\r\n" +
			"a=fmtp:97 vbr=on\r\na=rtpmap:98 speex/8000\r\na=fmtp:98 vbr=on\r\na=fmtp:18 annexb=yes\r\na=rtpmap:99 telephone-event/48000\r\n" +
			"a=rtpmap:100 telephone-event/16000\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp:52741\r\n" +
			"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:NotAKeyNotAKeyNotAKeyNotAKeyNotAKeyNotAKe\r\n" +
			"m=video 9078 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=rtcp:56111\r\n",
		lines: []string{"audio 4000 RTP/AVP 0 101", "video 0 RTP/AVP 96"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("10.0.0.5:7078"), RemoteRTCP: netip.MustParseAddrPort("10.0.0.5:52741"),
			Codec: audio.MuLaw, Events: 101, Ptime: 20 * time.Millisecond,
		},
	},
	{
		name: "a desk telephone on hold, as of RFC 2543",
		text: "v=0\r\no=MxSIP 0 2 IN IP4 192.168.0.12\r\ns=SIP Call\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 16384 RTP/AVP 0 8 18 101\r\n" +
			"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:18 G729/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
		lines: []string{"audio 4000 RTP/AVP 0 101"},
		want:  Agreed{Codec: audio.MuLaw, Events: 101, Direction: RecvOnly, Ptime: 20 * time.Millisecond},
	},
	{
		name: "a gateway with a name of three words in o=, which few can read",
		text: "v=0\r\no=Media Gateway One 1 1 IN IP4 192.0.2.77\r\ns= \r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\na=sendonly\r\n" +
			"m=audio 30000 RTP/AVP 8\r\n",
		lines: []string{"audio 4000 RTP/AVP 8"},
		want: Agreed{
			Remote: netip.MustParseAddrPort("192.0.2.77:30000"), RemoteRTCP: netip.MustParseAddrPort("192.0.2.77:30001"),
			Codec: audio.ALaw, PayloadType: 8, Direction: RecvOnly, Ptime: 20 * time.Millisecond,
		},
	},
}

func TestRealOffers(t *testing.T) {
	for _, c := range offers {
		t.Run(c.name, func(t *testing.T) {
			answer, got, err := Answer([]byte(c.text), here())
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("agreed to\n%+v, want\n%+v", got, c.want)
			}
			if lines := streamsOf(answer); !slices.Equal(lines, c.lines) {
				t.Errorf("the streams are %q, want %q", lines, c.lines)
			}
			mirrors(t, []byte(c.text), answer)
			// The same text as an answer: its first codec that both have.
			if _, err := Accept([]byte(c.text), here()); err != nil {
				t.Errorf("as an answer: %v", err)
			}
		})
	}
}

func BenchmarkAnswer(b *testing.B) {
	offer, l := []byte(offers[0].text), here()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Answer(offer, l); err != nil {
			b.Fatal(err)
		}
	}
}
