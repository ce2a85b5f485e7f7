package chat

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

const (
	// MaxSockets is how many WebSockets a participant may have open
	// (administrator guide, "Amazon Connect feature specifications").
	MaxSockets = 5
	// maxFrame bounds what a client may send: the largest list of topics.
	maxFrame = 4 << 10
	// backlog is how many frames may wait for a reader.
	backlog = 256
	// pingEvery is how often a connection is asked whether it is still there, and
	// patience how long the answer, or a frame, may take.
	pingEvery = 30 * time.Second
	patience  = 10 * time.Second
	// lingering is how long a client may take to hang up when it has nothing more
	// to hear. If the server hung up first, amazon-connect-chatjs would try to
	// connect again before it has understood that the chat is over.
	lingering = 5 * time.Second
)

// Hub knows the WebSockets of all chats.
type Hub struct {
	logger *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	chats  map[chatKey][]*Seat
	closed bool
}

// chatKey names a chat: the first contact of its chain.
type chatKey struct {
	instance store.PK
	chat     domain.ContactID
}

// NewHub returns a hub without connections.
func NewHub(logger *slog.Logger) *Hub {
	h := &Hub{logger: logger, chats: map[chatKey][]*Seat{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// Close ends all connections. It may be called twice.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.work.Wait()
}

// Seat is the place of one WebSocket in a chat.
type Seat struct {
	hub         *Hub
	key         chatKey
	participant string
	out         chan []byte
	ending      chan struct{} // closed when nothing more will come
	cut         context.CancelFunc
	ctx         context.Context //nolint:containedctx // it ends with the connection, whichever side ends that

	// under Hub.mu
	subscribed, ended bool
}

// Enter takes a place in a chat for a participant, false when it has as many as
// it may. Whoever takes one calls Serve or Leave.
func (h *Hub) Enter(in contact.Instance, chat domain.ContactID, participant string) (*Seat, bool) {
	key := chatKey{in.PK, chat}
	s := &Seat{hub: h, key: key, participant: participant, out: make(chan []byte, backlog), ending: make(chan struct{})}
	s.ctx, s.cut = context.WithCancel(h.ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, o := range h.chats[key] {
		if o.participant == participant {
			n++
		}
	}
	if h.closed || n >= MaxSockets {
		s.cut()
		return nil, false
	}
	h.chats[key] = append(h.chats[key], s)
	h.work.Add(1)
	return s, true
}

// Leave gives the place up.
func (s *Seat) Leave() {
	s.cut()
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	rest := slices.DeleteFunc(s.hub.chats[s.key], func(o *Seat) bool { return o == s })
	if s.hub.chats[s.key] = rest; len(rest) == 0 {
		delete(s.hub.chats, s.key)
	}
	s.hub.work.Done()
}

// Serve talks to a client until one side ends the connection, and leaves.
func (s *Seat) Serve(ws *websocket.Conn) {
	defer s.Leave()
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.write(ws)
	}()
	s.read(ws)
	s.cut()
	<-written
	_ = ws.CloseNow() // it is closed already unless it broke
}

func (s *Seat) read(ws *websocket.Conn) {
	ws.SetReadLimit(maxFrame)
	for {
		kind, raw, err := ws.Read(s.ctx)
		if err != nil {
			return
		}
		var f frame
		if kind != websocket.MessageText || json.Unmarshal(raw, &f) != nil {
			_ = ws.Close(websocket.StatusUnsupportedData, "a frame is a JSON object with a topic")
			return
		}
		s.heard(f)
	}
}

// heard answers a frame. What the client has subscribed to comes after the
// answer.
func (s *Seat) heard(f frame) {
	reply := answer(f)
	if reply == nil {
		return // of a later client, perhaps
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if (f.Topic == topicSubscribe || f.Topic == topicUnsubscribe) && slices.Contains(topics(f), topicChat) {
		s.subscribed = f.Topic == topicSubscribe
	}
	s.push(reply)
}

// push puts a frame in line, under the hub's lock. When the line is full the
// connection ends.
func (s *Seat) push(raw []byte) {
	select {
	case s.out <- raw:
	default:
		s.hub.logger.Info("a chat client does not keep up and is cut off", slog.String("contact", string(s.key.chat)), slog.String("participant", s.participant))
		s.cut()
	}
}

func (s *Seat) write(ws *websocket.Conn) {
	defer s.cut()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	ending := s.ending
	var over <-chan time.Time
	for {
		var err error
		select {
		case raw := <-s.out:
			err = limited(s.ctx, func(ctx context.Context) error { return ws.Write(ctx, websocket.MessageText, raw) })
		case <-ping.C:
			err = limited(s.ctx, ws.Ping)
		case <-ending:
			ending = nil
			linger := time.NewTimer(lingering)
			defer linger.Stop()
			over = linger.C
		case <-over:
			_ = ws.Close(websocket.StatusNormalClosure, "the chat is over")
			return
		case <-s.hub.ctx.Done():
			_ = ws.Close(websocket.StatusGoingAway, "the server stops")
			return
		case <-s.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func limited(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return f(ctx)
}

// Deliver shows an item to everybody in a chat who has subscribed.
func (h *Hub) Deliver(in contact.Instance, chat domain.ContactID, i *domain.ChatItem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	seats := h.chats[chatKey{in.PK, chat}]
	if len(seats) == 0 {
		return
	}
	raw, err := chatFrame(chat, i)
	if err != nil {
		h.logger.Error("a chat item could not be written", slog.String("contact", string(i.ContactID)), slog.Any("err", err))
		return
	}
	for _, s := range seats {
		if s.subscribed && !s.ended {
			s.push(raw)
		}
	}
}

// Closed lets the connections of a chat, or those of one participant, end.
func (h *Hub) Closed(in contact.Instance, chat domain.ContactID, participant string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.chats[chatKey{in.PK, chat}] {
		if !s.ended && (participant == "" || s.participant == participant) {
			s.ended = true
			close(s.ending)
		}
	}
}

// Sockets counts the open connections.
func (h *Hub) Sockets() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, seats := range h.chats {
		n += len(seats)
	}
	return n
}
