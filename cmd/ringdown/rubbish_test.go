package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/coder/websocket"

	"ringdown/internal/server"
)

// TestRubbish floods a server with broken requests for contacts, chats and their
// participants, and with broken frames on WebSockets, while calls run. None of it
// is a fault of the server's, the calls go on to their end, and when it is over
// nothing of it is left: no goroutine, and no memory that grows from flood to flood.
func TestRubbish(t *testing.T) {
	each := 2500
	if testing.Short() {
		each = 400
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	k := &mortal{killing: killing{data: t.TempDir()}, byID: map[string]*victim{}, flows: map[string]*script{}}
	k.clients.Transport = wholeAnswers{&http.Transport{MaxIdleConnsPerHost: starters}}
	p := startProcess(t, buildBinary(t), k.data)
	k.prepare(t, p)
	k.prepareFlows(t, p)

	r := newRubbish(t, k, p, seed)
	r.flood(t, each/5) // what is made at the first use is there afterwards
	r.quiet(t)
	goroutines, memory, now := r.metric(t, "go_goroutines"), 0.0, 0.0
	for range 3 {
		r.flood(t, each)
		r.quiet(t)
		eventually(t, fmt.Sprintf("the %v goroutines of before", goroutines), func() bool {
			return r.metric(t, "go_goroutines") <= goroutines
		})
		// The memory of the first flood is what the later ones have to do with, give or
		// take what the collector has not yet given back.
		const slack = 48 << 20
		switch now = r.metric(t, "process_resident_memory_bytes"); {
		case memory == 0:
			memory = now
		case now > memory+slack:
			t.Errorf("a flood has left %v MB, the first %v", int(now)>>20, int(memory)>>20)
		}
	}
	t.Logf("%d requests and frames, %v goroutines, %v MB resident after the first flood, %v MB after the last", r.sent.Load(), goroutines, int(memory)>>20, int(now)>>20)
}

// rubbish is what a flood is made of.
type rubbish struct {
	k      *mortal
	p      *process
	c      *connect.Client
	creds  aws.Credentials
	random *rand.Rand // of the test's own goroutine
	sent   atomic.Int64

	participant, connection string // tokens of the chat that is flooded
	socket                  string // where WebSockets begin, without a token
	chat                    string
}

func newRubbish(t *testing.T, k *mortal, p *process, seed uint64) *rubbish {
	t.Helper()
	root, err := server.FindRoot(&server.Config{Data: k.data})
	if err != nil {
		t.Fatal(err)
	}
	return &rubbish{
		k: k, p: p, c: p.rootClient(t, &k.clients), random: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // tests may be guessed
		creds: aws.Credentials{AccessKeyID: root.AccessKeyID, SecretAccessKey: root.SecretAccessKey},
	}
}

// flood starts calls and a chat, sends rubbish of each kind, and waits for the end
// of the calls and of the chat.
func (r *rubbish) flood(t *testing.T, each int) {
	t.Helper()
	ctx := context.Background()
	var calls []*victim
	for range 20 {
		v := &victim{kind: "call", token: fmt.Sprintf("call-%d", r.random.Uint64()), attributes: map[string]string{}}
		id, err := r.k.start(r.c, v)
		if err != nil {
			t.Fatal(err)
		}
		v.id = id
		calls = append(calls, v)
	}
	r.openChat(t)
	var loops sync.WaitGroup
	for _, send := range []func(*testing.T, *rand.Rand){r.api, r.api, r.participants, r.participants, r.frames, r.noise} {
		random := rand.New(rand.NewPCG(r.random.Uint64(), 0)) //nolint:gosec // as above
		loops.Go(func() {
			for range each / 6 {
				send(t, random)
			}
		})
	}
	loops.Wait()
	if _, err := r.c.StopContact(ctx, &connect.StopContactInput{InstanceId: &r.k.instance, ContactId: &r.chat}); err != nil {
		t.Errorf("the chat that was flooded: %v", err)
	}
	for _, v := range calls {
		eventually(t, "the end of call "+v.id, func() bool {
			found := r.k.describe(t, r.c, v)
			if found != nil && found.DisconnectTimestamp != nil && aws.ToString(found.DisconnectReason) != "CONTACT_FLOW_DISCONNECT" {
				t.Errorf("a call ended with %s", aws.ToString(found.DisconnectReason))
			}
			return found == nil || found.DisconnectTimestamp != nil
		})
	}
}

// openChat starts the chat that is flooded, which waits in a queue.
func (r *rubbish) openChat(t *testing.T) {
	t.Helper()
	out, err := r.c.StartChatContact(context.Background(), &connect.StartChatContactInput{
		InstanceId: &r.k.instance, ContactFlowId: &r.k.flows["queue"].id, ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("Mary")},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.chat, r.participant = *out.ContactId, *out.ParticipantToken
	r.connection, r.socket = r.connect(t)
}

// connect opens a connection of the chat as browsers do, and returns its token and
// the URL of its WebSocket.
func (r *rubbish) connect(t *testing.T) (token, socket string) {
	status, raw := r.send(t, http.MethodPost, "/participant/connection", r.participant, []byte(`{"Type":["WEBSOCKET","CONNECTION_CREDENTIALS"]}`))
	var opened struct {
		Websocket             struct{ URL string }
		ConnectionCredentials struct{ ConnectionToken string }
	}
	if err := json.Unmarshal(raw, &opened); status != http.StatusOK || err != nil {
		t.Errorf("a connection: %d %s (%v)", status, raw, err)
	}
	return opened.ConnectionCredentials.ConnectionToken, opened.Websocket.URL
}

// send sends a request with a participant's token, or with "" one that is signed,
// and checks that it is not refused as the server's fault.
func (r *rubbish) send(t *testing.T, method, path, bearer string, body []byte) (int, []byte) {
	ctx := context.Background()
	req, err := http.NewRequestWithContext(ctx, method, r.p.url+path, bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return 0, nil
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("X-Amz-Bearer", bearer)
	} else {
		sum := sha256.Sum256(body)
		if err := v4.NewSigner().SignHTTP(ctx, r.creds, req, hex.EncodeToString(sum[:]), "connect", "us-east-1", time.Now()); err != nil {
			t.Error(err)
			return 0, nil
		}
	}
	r.sent.Add(1)
	resp, err := r.k.clients.Do(req)
	if err != nil {
		t.Errorf("%s %s %.200q: %v", method, path, body, err)
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusInternalServerError && resp.StatusCode != http.StatusNotImplemented {
		t.Errorf("%s %s %.200q: %s %s (%v)", method, path, body, resp.Status, raw, err)
	}
	return resp.StatusCode, raw
}

// spoil breaks a body in one of many ways.
func spoil(random *rand.Rand, body string) []byte {
	b := []byte(body)
	switch random.IntN(8) {
	case 0: // cut off
		b = b[:random.IntN(len(b))]
	case 1: // other bytes
		for range 1 + random.IntN(4) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
	case 2: // deep
		deep := 1 + random.IntN(20000)
		b = []byte(strings.Repeat(`{"a":[`, deep) + strings.Repeat(`]}`, deep))
	case 3: // long
		b = []byte(strings.Replace(body, "NAME", strings.Repeat("x", random.IntN(100_000)), 1))
	case 4: // of another type
		b = []byte(strings.NewReplacer(`"NAME"`, []string{"17", "null", "[]", "{}", "true", "1e400"}[random.IntN(6)]).Replace(body))
	case 5: // no text
		b = []byte(strings.Replace(body, "NAME", "\\ud800\x00\xff", 1))
	case 6: // twice
		b = append(b, b...)
	case 7: // nothing that could be decoded
		b = make([]byte, random.IntN(2000))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
	}
	return b
}

// api sends a broken signed request about contacts.
func (r *rubbish) api(t *testing.T, random *rand.Rand) {
	in, fl := r.k.instance, r.k.flows["quick"].id
	kinds := []struct{ method, path, body string }{
		{"PUT", "/contact/task", `{"InstanceId":"` + in + `","ContactFlowId":"` + fl + `","Name":"NAME","Attributes":{"a":"NAME"},"References":{"NAME":{"Type":"URL","Value":"NAME"}},"ScheduledTime":"NAME"}`},
		{"PUT", "/contact/chat", `{"InstanceId":"` + in + `","ContactFlowId":"NAME","ParticipantDetails":{"DisplayName":"NAME"},"InitialMessage":{"ContentType":"NAME","Content":"NAME"}}`},
		{"PUT", "/contact/outbound-voice", `{"InstanceId":"` + in + `","ContactFlowId":"` + fl + `","DestinationPhoneNumber":"NAME","SourcePhoneNumber":"+1NAME"}`},
		{"POST", "/contact/attributes", `{"InstanceId":"` + in + `","InitialContactId":"` + r.chat + `","Attributes":{"NAME":"NAME"}}`},
		{"POST", "/contact/stop", `{"InstanceId":"` + in + `","ContactId":"NAME"}`},
		{"POST", "/contact/tags", `{"InstanceId":"` + in + `","ContactId":"` + r.chat + `","Tags":{"aws:NAME":"NAME"}}`},
		{"POST", "/contact/create-participant", `{"InstanceId":"` + in + `","ContactId":"` + r.chat + `","ParticipantDetails":{"ParticipantRole":"NAME","DisplayName":"NAME"}}`},
		{"POST", "/contacts/" + in + "/" + r.chat, `{"Name":"NAME","SegmentAttributes":{"NAME":{"ValueString":"NAME"}}}`},
		{"POST", "/search-contacts", `{"InstanceId":"` + in + `","TimeRange":{"Type":"NAME","StartTime":0,"EndTime":1},"NextToken":"NAME"}`},
	}
	c := kinds[random.IntN(len(kinds))]
	r.send(t, c.method, c.path, "", spoil(random, c.body))
}

// participants sends a broken request of a participant, or one with a broken token.
func (r *rubbish) participants(t *testing.T, random *rand.Rand) {
	c := [][2]string{
		{"message", `{"ContentType":"text/NAME","Content":"NAME"}`},
		{"event", `{"ContentType":"application/vnd.amazonaws.connect.event.NAME","Content":"NAME"}`},
		{"transcript", `{"MaxResults":"NAME","StartPosition":{"Id":"NAME","MostRecent":3},"NextToken":"NAME"}`},
		{"connection", `{"Type":["NAME"]}`},
		{"start-attachment-upload", `{"AttachmentName":"NAME","AttachmentSizeInBytes":"NAME","ContentType":"NAME","ClientToken":"NAME"}`},
		{"complete-attachment-upload", `{"AttachmentIds":["NAME"],"ClientToken":"NAME"}`},
		{"attachment", `{"AttachmentId":"NAME"}`},
		{"disconnect", `{"ClientToken":"NAME"`}, // which would end the chat, were it whole
	}[random.IntN(8)]
	body := []byte(strings.Replace(c[1], "NAME", "\"", 1))
	if c[0] != "disconnect" {
		body = spoil(random, c[1])
	}
	token := r.connection
	switch random.IntN(4) {
	case 0:
		token = r.participant
	case 1:
		token = token[:random.IntN(len(token))] + "x"
	case 2:
		at := random.IntN(len(token))
		token = token[:at] + "A" + token[at:]
	}
	r.send(t, http.MethodPost, "/participant/"+c[0], token, body)
}

// frames opens a WebSocket and sends it what no client would.
func (r *rubbish) frames(t *testing.T, random *rand.Rand) {
	if random.IntN(4) > 0 { // an opening costs much more than a request
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, url := r.connect(t)
	if random.IntN(4) == 0 {
		url = url[:len(url)-1-random.IntN(20)]
	}
	r.sent.Add(1)
	ws, resp, err := websocket.Dial(ctx, url, nil)
	if resp != nil && resp.StatusCode >= http.StatusInternalServerError {
		t.Errorf("a WebSocket: %s", resp.Status)
	}
	if err != nil {
		return // the token was broken, or there are too many
	}
	defer func() { _ = ws.CloseNow() }()
	for range random.IntN(6) {
		kind := []websocket.MessageType{websocket.MessageText, websocket.MessageText, websocket.MessageBinary}[random.IntN(3)]
		frame := spoil(random, `{"topic":"aws/subscribe","content":{"topics":["aws/chat","NAME"]}}`)
		r.sent.Add(1)
		if ws.Write(ctx, kind, frame) != nil {
			return // it has hung up
		}
	}
	if random.IntN(2) == 0 {
		_ = ws.Close(websocket.StatusNormalClosure, "")
	}
}

// noise is no HTTP, or only its beginning.
func (r *rubbish) noise(t *testing.T, random *rand.Rand) {
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", strings.TrimPrefix(r.p.url, "http://"))
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	r.sent.Add(1)
	text := []byte("GET /participant/connection HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: NAME\r\nContent-Length: 100\r\n\r\n")
	switch random.IntN(3) {
	case 0:
		text = text[:random.IntN(len(text))]
	case 1:
		text = spoil(random, string(text))
	}
	_, _ = conn.Write(text) // it may hang up
}

// quiet waits until no request is under way, and closes what this side holds open.
func (r *rubbish) quiet(t *testing.T) {
	t.Helper()
	r.k.clients.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
}

// metric reads a number of the server's page of metrics.
func (r *rubbish) metric(t *testing.T, name string) float64 {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, r.p.url+"/-/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := r.k.clients.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
