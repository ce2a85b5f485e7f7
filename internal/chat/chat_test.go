package chat_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ringdown/internal/chat"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// TestTokens: a token says what it was made of, to those who share the secret, for
// one purpose and until its end.
func TestTokens(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	tokens := func(secret string) *chat.Tokens {
		made := chat.NewTokens(func() time.Time { return now })
		if err := made.Open(secret); err != nil {
			t.Fatal(err)
		}
		return made
	}
	mine := tokens("secret")
	claims := chat.Claims{Kind: chat.ConnectionToken, Instance: "i", Region: "us-east-1", Contact: "c", Participant: "p"}
	token, end := mine.Issue(claims, time.Hour)
	if want := now.Add(time.Hour); !end.Equal(want) {
		t.Errorf("it ends at %s, want %s", end, want)
	}
	read, err := tokens("secret").Read(token, chat.ConnectionToken)
	claims.Expires = end.Unix()
	if err != nil || read != claims {
		t.Errorf("read %+v %v, want %+v", read, err, claims)
	}
	body, mac, _ := strings.Cut(token, ".")
	other, _ := mine.Issue(chat.Claims{Kind: chat.ConnectionToken, Participant: "q"}, time.Hour)
	_, otherMAC, _ := strings.Cut(other, ".")
	for what, refused := range map[string]func() error{
		"another secret":      func() error { _, err := tokens("else").Read(token, chat.ConnectionToken); return err },
		"another kind":        func() error { _, err := mine.Read(token, chat.SocketToken); return err },
		"another's signature": func() error { _, err := mine.Read(body+"."+otherMAC, chat.ConnectionToken); return err },
		"no signature":        func() error { _, err := mine.Read(body, chat.ConnectionToken); return err },
		"the signature alone": func() error { _, err := mine.Read("."+mac, chat.ConnectionToken); return err },
		"nothing":             func() error { _, err := mine.Read("", chat.ConnectionToken); return err },
		"one second after the end": func() error {
			defer func(was time.Time) { now = was }(now)
			now = end
			_, err := mine.Read(token, chat.ConnectionToken)
			return err
		},
	} {
		if err := refused(); !fault.Is(err, fault.AccessDenied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	forever, _ := mine.Issue(chat.Claims{Kind: chat.ParticipantToken}, 0)
	now = now.AddDate(10, 0, 0)
	if _, err := mine.Read(forever, chat.ParticipantToken); err != nil {
		t.Errorf("a token without end: %v", err)
	}
}

// TestSlowReader: one who does not read is cut off, and holds up neither the chat
// nor its other readers.
func TestSlowReader(t *testing.T) {
	hub := chat.NewHub(slog.New(slog.DiscardHandler))
	t.Cleanup(hub.Close)
	in := contact.Instance{PK: 1}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seat, ok := hub.Enter(in, "chat", r.URL.Query().Get("who"))
		if !ok {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			seat.Leave()
			return
		}
		seat.Serve(ws)
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	open := func(who string) *websocket.Conn {
		ws, resp, err := websocket.Dial(ctx, strings.Replace(server.URL, "http", "ws", 1)+"?who="+who, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		t.Cleanup(func() { _ = ws.CloseNow() })
		ws.SetReadLimit(-1)
		if err := ws.Write(ctx, websocket.MessageText, []byte(`{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}`)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(ctx); err != nil { // the answer
			t.Fatal(err)
		}
		return ws
	}
	_, quick := open("slow"), open("quick")
	// Enough to fill the buffers of the network as well.
	big := strings.Repeat("x", 64<<10)
	for n := 0; hub.Sockets() == 2; n++ {
		if ctx.Err() != nil {
			t.Fatal("the slow reader is not cut off")
		}
		hub.Deliver(in, "chat", &domain.ChatItem{ID: "id", ContactID: "chat", Type: "MESSAGE", ContentType: "text/plain", Content: big})
		if _, _, err := quick.Read(ctx); err != nil {
			t.Fatalf("the quick reader: %v", err)
		}
	}
}

// FuzzToken: whatever a stranger shows, only what was issued is read.
func FuzzToken(f *testing.F) {
	tokens := chat.NewTokens(time.Now)
	if err := tokens.Open("secret"); err != nil {
		f.Fatal(err)
	}
	issued, _ := tokens.Issue(chat.Claims{Kind: chat.SocketToken, Participant: "p"}, 0)
	f.Add(issued)
	f.Add("e30.")
	f.Add(".")
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := tokens.Read(token, chat.SocketToken); err == nil && token != issued {
			t.Errorf("%q was read: %+v", token, c)
		}
	})
}
