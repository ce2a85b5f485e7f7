package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// object is an input by the model's member names, wherever on the wire they
// travel. Values are strings, float64s, bools, []any, object and, in place of
// anything, what the wire should carry instead.
type object map[string]any

// caller signs requests. The zero caller does not.
type caller struct {
	id, secret string
	region     string
}

// wire is one HTTP request before it is signed. Tests break it on purpose, so
// nothing in it is checked.
type wire struct {
	method, path string // the path is escaped
	query        url.Values
	header       http.Header
	body         []byte
}

// reply is an answer of the server.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// code is the exception that the answer names, empty on success.
func (r *reply) code() string { return r.header.Get("x-amzn-ErrorType") }

// message is the text of an exception.
func (r *reply) message() string {
	var m struct{ Message string }
	_ = json.Unmarshal(r.body, &m) // what has no message has none
	return m.Message
}

func (r *reply) String() string {
	body := string(r.body)
	if len(body) > 600 {
		body = body[:600] + "…"
	}
	return fmt.Sprintf("%d %s %s", r.status, r.code(), body)
}

// request lays an input out as the model binds it.
func (w *world) request(op *operation, in object) wire {
	out := wire{method: op.HTTP.Method, query: url.Values{}, header: http.Header{}}
	body := object{}
	labels := map[string]string{}
	hasBody := false
	shape := w.model.input(op)
	for name, m := range shape.Members {
		hasBody = hasBody || m.Location == ""
		v, ok := in[name]
		if !ok {
			continue
		}
		switch m.Location {
		case "uri":
			labels[m.LocationName] = plain(v)
		case "querystring":
			if list, ok := v.([]any); ok {
				for _, item := range list {
					out.query.Add(m.LocationName, plain(item))
				}
				continue
			}
			out.query.Set(m.LocationName, plain(v))
		case "header":
			out.header.Set(m.LocationName, plain(v))
		default:
			body[name] = v
		}
	}
	for name, v := range in {
		if _, known := shape.Members[name]; !known {
			body[name], hasBody = v, true
		}
	}
	segments := strings.Split(op.HTTP.URI, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			// As the SDKs do: all but letters, digits and -._~ is escaped.
			segments[i] = strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(labels[strings.TrimSuffix(name, "}")]), "+", "%20"), "%7E", "~")
		}
	}
	out.path = strings.Join(segments, "/")
	if hasBody {
		raw, err := json.Marshal(body)
		if err != nil {
			panic(err) // objects hold plain data
		}
		out.body = raw
	}
	return out
}

// plain is a scalar as text.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// send signs a request, unless nobody sends it, and returns the answer.
func (w *world) send(t testing.TB, who caller, r wire) *reply {
	t.Helper()
	target := w.server.URL + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	q, err := http.NewRequestWithContext(context.Background(), r.method, target, bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range r.header {
		q.Header[k] = v
	}
	if len(r.body) > 0 {
		q.Header.Set("Content-Type", "application/json")
	}
	if who != (caller{}) {
		who.sign(t, q, r.body)
	}
	resp, err := w.client.Do(q)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &reply{resp.StatusCode, resp.Header, body}
}

func (who caller) sign(t testing.TB, q *http.Request, body []byte) {
	t.Helper()
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: who.id, SecretAccessKey: who.secret}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, q, hex.EncodeToString(sum[:]), "connect", who.region, time.Now()); err != nil {
		t.Fatal(err)
	}
}
