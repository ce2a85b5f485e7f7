// Package stream joins descriptions of sound and the sound itself: it offers,
// answers and accepts for one call (sip.Media; RFC 3264), and has the call's
// session carry what was agreed. It has no goroutine of its own.
//
// Invariants:
//   - the version of a description grows by one when the description differs from
//     the one before, and stays when it does not (RFC 3264 §8), so that a refresh of
//     a session is told from a change;
//   - the session is told of an agreement only when it differs from the one before:
//     it has learned since where the far side really is, and would forget.
package stream

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"

	"ringdown/internal/audio"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sdp"
)

// Session is what carries the sound: a media.Session.
type Session interface {
	Port() int
	Set(p media.Params)
}

// Options make a Stream.
type Options struct {
	Session Session
	// Address is the one that the far side is told to send to.
	Address netip.Addr
	// Codecs in order of preference; nil for PCMU, PCMA.
	Codecs []audio.Encoding
}

// Stream is the sound of one call, as signalling knows it.
type Stream struct {
	o  Options
	id uint64 // of the o= line

	mu      sync.Mutex
	hold    bool   // this side does not want to listen
	version uint64 // of last
	last    []byte // what this side has described last
	offered *sdp.Local
	agreed  *sdp.Agreed
}

// New makes a Stream.
func New(o Options) *Stream {
	if o.Codecs == nil {
		o.Codecs = []audio.Encoding{audio.MuLaw, audio.ALaw}
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	// 62 bits: every reader of o= lines takes a positive 64-bit number.
	return &Stream{o: o, id: binary.BigEndian.Uint64(b[:]) >> 2}
}

// Offer implements sip.Media.
func (s *Stream) Offer() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.local()
	text := sdp.Offer(l)
	if s.differs(text) {
		l.Version++
		text = sdp.Offer(l)
	}
	s.described(text, l.Version)
	s.offered = &l
	return text, nil
}

// Answer implements sip.Media.
func (s *Stream) Answer(offer []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.local()
	text, agreed, err := sdp.Answer(offer, l)
	if err != nil {
		return nil, err
	}
	if s.differs(text) {
		l.Version++
		if text, agreed, err = sdp.Answer(offer, l); err != nil {
			return nil, err
		}
	}
	s.described(text, l.Version)
	s.agree(agreed)
	return text, nil
}

// Accept implements sip.Media.
func (s *Stream) Accept(answer []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offered == nil {
		return errors.New("stream: an answer without an offer")
	}
	agreed, err := sdp.Accept(answer, *s.offered)
	if err != nil {
		return err
	}
	s.agree(agreed)
	return nil
}

// Hold says whether the next description is to have the far side wait: it is not
// listened to, and may be sent music (RFC 3264 §8.4). It takes effect with the
// offer that follows (sip.Call.Reinvite). It reports whether that is a change.
func (s *Stream) Hold(on bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.hold != on
	s.hold = on
	return changed
}

// Held reports whether the far side does not listen.
func (s *Stream) Held() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agreed != nil && !s.agreed.Direction.Sends()
}

// Agreed is what both sides have agreed last, false when they have not yet.
func (s *Stream) Agreed() (sdp.Agreed, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agreed == nil {
		return sdp.Agreed{}, false
	}
	return *s.agreed, true
}

// Renew has the session told once more what was agreed last, so that it waits anew for
// the sound of a far side that it has given up.
func (s *Stream) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agreed != nil {
		s.set(*s.agreed)
	}
}

// local is what this side can do, with the version of its last description.
func (s *Stream) local() sdp.Local {
	l := sdp.Local{Address: s.o.Address, Port: s.o.Session.Port(), Codecs: s.o.Codecs, ID: s.id, Version: max(s.version, 1), Last: s.last}
	if s.hold {
		l.Direction = sdp.SendOnly
	}
	return l
}

func (s *Stream) differs(text []byte) bool { return s.last != nil && !bytes.Equal(text, s.last) }

func (s *Stream) described(text []byte, version uint64) { s.last, s.version = text, version }

func (s *Stream) agree(a sdp.Agreed) {
	if s.agreed != nil && *s.agreed == a {
		return
	}
	s.agreed = &a
	s.set(a)
}

func (s *Stream) set(a sdp.Agreed) {
	s.o.Session.Set(media.Params{
		Remote: a.Remote, RemoteRTCP: a.RemoteRTCP, Codec: a.Codec, PayloadType: a.PayloadType, Events: a.Events,
		Send: a.Direction.Sends(), Receive: a.Direction.Receives(), Ptime: a.Ptime,
	})
}
