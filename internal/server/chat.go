package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"

	"ringdown/internal/app/participants"
	"ringdown/internal/chat"
	"ringdown/internal/chat/topics"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/objects"
	"ringdown/internal/store"
)

// audience is what carries chats (contact.Audience).
type audience struct {
	tokens  *chat.Tokens
	hub     *chat.Hub
	streams *chat.Streams
	topics  *topics.Client
}

func newAudience(c *Config) (*audience, error) {
	to, err := topics.New(topics.Options{
		Endpoint: c.Streaming.Endpoint, Region: cmp.Or(c.Streaming.Region, c.Region),
		AccessKeyID: c.Streaming.AccessKeyID, SecretAccessKey: c.Streaming.SecretAccessKey,
		Topics: c.Streaming.Topics,
	})
	if err != nil {
		return nil, fmt.Errorf("streaming: %w", err)
	}
	return &audience{chat.NewTokens(c.Now), chat.NewHub(c.Logger), chat.NewStreams(to, c.Logger), to}, nil
}

// open gives tokens their key and streams their store.
func (c *audience) open(secret string, st store.Store) error {
	c.streams.Open(st)
	return c.tokens.Open(secret)
}

// hang ends all WebSockets.
func (c *audience) hang() error {
	c.hub.Close()
	return nil
}

// Close stops publishing. It may be called twice.
func (c *audience) Close() error {
	c.streams.Close()
	c.topics.Close()
	return nil
}

// Deliver implements contact.Audience.
func (c *audience) Deliver(in contact.Instance, id domain.ContactID, item *domain.ChatItem) {
	c.hub.Deliver(in, id, item)
	c.streams.Deliver(in, id, item)
}

// Closed implements contact.Audience.
func (c *audience) Closed(in contact.Instance, id domain.ContactID, participant string) {
	c.hub.Closed(in, id, participant)
}

// Streaming implements contact.Audience.
func (c *audience) Streaming(in contact.Instance, first, id domain.ContactID, to []domain.ChatStream) {
	c.streams.Streaming(in, first, id, to)
}

// socketPath is where WebSockets are opened, with a token in the query: a browser
// can send it nowhere else.
const socketPath = "/-/chat/socket"

// socketURL is the address of WebSockets, up to the token.
func socketURL(ctx context.Context) (string, error) {
	u, err := url.Parse(objects.Base(ctx))
	if err != nil || u.Host == "" {
		return "", errors.New("the address of WebSockets: nobody knows under which address the server is reached")
	}
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	// Without TLS amazon-connect-chatjs takes no name for the server's own machine,
	// only the address.
	if port, ok := strings.CutPrefix(u.Host, "localhost:"); ok && u.Scheme == "ws" {
		u.Host = "127.0.0.1:" + port
	}
	return u.String() + socketPath + "?token=", nil
}

// socketHandler opens WebSockets.
type socketHandler struct {
	people *participants.Participants
	chats  *audience
}

func (h socketHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who, err := h.people.Sit(domain.WithCaller(r.Context(), &domain.Caller{}), r.URL.Query().Get("token"))
	if err != nil {
		f := fault.From(err)
		http.Error(w, f.Message, f.Code.Status())
		return
	}
	seat, ok := h.chats.hub.Enter(who.Instance, who.Chat, who.ID)
	if !ok {
		http.Error(w, fmt.Sprintf("a participant has at most %d WebSockets", chat.MaxSockets), http.StatusTooManyRequests)
		return
	}
	// The token is all the permission there is, so a page of any origin may use one
	// that it has.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		seat.Leave()
		return // Accept has answered
	}
	if err := h.people.Engine.Connected(r.Context(), who.Participant); err != nil {
		seat.Leave()
		_ = ws.Close(websocket.StatusPolicyViolation, "the chat is over")
		return
	}
	seat.Serve(ws)
}
