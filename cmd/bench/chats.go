package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/coder/websocket"
)

// chatClients is how many customers chat at once.
const chatClients = 50

// chatFlow lets the customer speak.
func chatFlow(string) (string, error) {
	to := failing("end", "NoMatchingError")
	to["Conditions"] = []any{map[string]any{"NextAction": "end", "Condition": map[string]any{"Operator": "Equals", "Operands": []string{"WaitCompleted"}}}}
	return document(
		action{"wait", "Wait", map[string]any{"TimeLimitSeconds": "86400"}, to},
		action{"end", "DisconnectParticipant", map[string]any{}, map[string]any{}},
	)
}

// chatter is a customer with a WebSocket.
type chatter struct {
	conn    net.Conn
	answers *bufio.Reader
	message []byte // a SendMessage request
	socket  *websocket.Conn
}

func (c *chatter) close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	if c.socket != nil {
		_ = c.socket.CloseNow()
	}
}

// newChatter starts a chat and opens its connections.
func newChatter(ctx context.Context, p *process, c *connect.Client, at place, flowID string) (_ *chatter, err error) {
	started, err := c.StartChatContact(ctx, &connect.StartChatContactInput{
		InstanceId: &at.id, ContactFlowId: &flowID, ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("Mary")},
	})
	if err != nil {
		return nil, err
	}
	var opened struct {
		Websocket             struct{ URL string }
		ConnectionCredentials struct{ ConnectionToken string }
	}
	if err := p.participate(ctx, *started.ParticipantToken, "connection", `{"Type":["WEBSOCKET","CONNECTION_CREDENTIALS"]}`, &opened); err != nil {
		return nil, err
	}
	ch := &chatter{}
	defer func() {
		if err != nil {
			ch.close()
		}
	}()
	//nolint:bodyclose // the answer of a WebSocket has none
	if ch.socket, _, err = websocket.Dial(ctx, opened.Websocket.URL, nil); err != nil {
		return nil, err
	}
	if err = ch.socket.Write(ctx, websocket.MessageText, []byte(`{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}`)); err != nil {
		return nil, err
	}
	if ch.conn, err = net.Dial("tcp", p.addr); err != nil {
		return nil, err
	}
	ch.answers = bufio.NewReader(ch.conn)
	r, err := p.participation(ctx, opened.ConnectionCredentials.ConnectionToken, "message", `{"ContentType":"text/plain","Content":"Where is my order 4711? It should have come yesterday."}`)
	if err != nil {
		return nil, err
	}
	var raw bytes.Buffer
	err = r.Write(&raw)
	ch.message = raw.Bytes()
	return ch, err
}

// participation is a request of the Participant service.
func (p *process) participation(ctx context.Context, token, operation, body string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.addr+"/participant/"+operation, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Amz-Bearer", token)
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

func (p *process) participate(ctx context.Context, token, operation, body string, out any) error {
	r, err := p.participation(ctx, token, operation, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", operation, resp.Status, raw)
	}
	return json.Unmarshal(raw, out)
}

// talk sends messages one after the other, each when the one before has come back
// on the WebSocket, and returns how long each took.
func (c *chatter) talk(ctx context.Context, until time.Time) ([]time.Duration, error) {
	var times []time.Duration
	for time.Now().Before(until) {
		sent := time.Now()
		if _, err := c.conn.Write(c.message); err != nil {
			return nil, err
		}
		heard := make(chan error, 1)
		var at time.Time
		go func() {
			err := c.hear(ctx)
			at = time.Now()
			heard <- err
		}()
		if err := errors.Join(readAnswer(c.answers), <-heard); err != nil {
			return nil, err
		}
		times = append(times, at.Sub(sent))
	}
	return times, nil
}

// hear waits for a message on the WebSocket.
func (c *chatter) hear(ctx context.Context) error {
	for {
		_, frame, err := c.socket.Read(ctx)
		if err != nil {
			return err
		}
		if bytes.Contains(frame, []byte(`\"Type\":\"MESSAGE\"`)) {
			return nil
		}
	}
}

// benchChats prints how many messages a second reach the WebSockets of their
// chats, and how fast.
func benchChats(ctx context.Context, o options, bin, data string) error {
	p, err := startServer(bin, data)
	if err != nil {
		return err
	}
	defer p.stop()
	at, flowID, err := newPlaceWith(ctx, p.client(), "chats", chatFlow)
	if err != nil {
		return err
	}
	chatters := make([]*chatter, chatClients)
	for i := range chatters {
		if chatters[i], err = newChatter(ctx, p, p.client(), at, flowID); err != nil {
			return err
		}
		defer chatters[i].close()
	}
	var perSecond []float64
	var times [][]time.Duration
	var spent time.Duration
	for range o.rounds {
		lists, failed := make([][]time.Duration, len(chatters)), make([]error, len(chatters))
		used, began := p.cpu(), time.Now()
		var loops sync.WaitGroup
		for i, c := range chatters {
			loops.Go(func() { lists[i], failed[i] = c.talk(ctx, began.Add(o.length)) })
		}
		loops.Wait()
		if err := errors.Join(failed...); err != nil {
			return err
		}
		all := slices.Concat(lists...)
		perSecond = append(perSecond, float64(len(all))/time.Since(began).Seconds())
		times, spent = append(times, all), spent+p.cpu()-used
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	fmt.Printf("chat: %d customers, each with a WebSocket: %.0f messages a second, sent, stored and delivered in p50 %v, p99 %v, CPU of a message %v\n\n",
		chatClients, median(perSecond), all[len(all)/2].Round(10*time.Microsecond), all[len(all)*99/100].Round(10*time.Microsecond),
		(spent / time.Duration(len(all))).Round(time.Microsecond))
	return nil
}
