package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/server"
)

// transcript keeps what a command prints and lets a test wait for a part of
// it.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	printed chan struct{} // closed and replaced with each write
}

func newTranscript() *transcript { return &transcript{printed: make(chan struct{})} }

func (p *transcript) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.text.Write(b)
	close(p.printed)
	p.printed = make(chan struct{})
	return n, err
}

func (p *transcript) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// waitFor returns once s has been printed, or ended is closed.
func (p *transcript) waitFor(s string, ended <-chan struct{}) bool {
	for {
		p.mu.Lock()
		found, printed := strings.Contains(p.text.String(), s), p.printed
		p.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-printed:
		case <-ended:
			return strings.Contains(p.String(), s)
		}
	}
}

// result is what a command has left behind.
type result struct {
	code           int
	stdout, stderr string
}

func (r result) String() string {
	return fmt.Sprintf("exit code %d\nstdout: %s\nstderr: %s", r.code, r.stdout, r.stderr)
}

// environment is what a command sees in the place of the process's own.
type environment map[string]string

// run runs a command to its end.
func run(t testing.TB, env environment, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := &program{strings.NewReader(stdin), &stdout, &stderr, func(name string) string { return env[name] }}
	code := p.main(context.Background(), args)
	return result{code, stdout.String(), stderr.String()}
}

// succeed is run that must end well.
func succeed(t testing.TB, env environment, stdin string, args ...string) result {
	t.Helper()
	r := run(t, env, stdin, args...)
	if r.code != 0 {
		t.Fatalf("ringdown %s: %s", strings.Join(args, " "), r)
	}
	return r
}

// running is a server that a test has started with "ringdown serve".
type running struct {
	url    string
	data   string
	log    *transcript
	code   int           // once ended is closed
	ended  chan struct{} // closed when the command has returned
	cancel context.CancelFunc
}

// serving starts "ringdown serve" on a free port and waits until it is ready.
// It is stopped when the test ends, or by stop.
func serving(t testing.TB, env environment, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{log: newTranscript(), ended: make(chan struct{}), cancel: cancel}
	p := &program{strings.NewReader(""), r.log, r.log, func(name string) string { return env[name] }}
	all := append([]string{"serve"}, args...)
	if !strings.Contains(strings.Join(args, " "), "--listen") && env["RINGDOWN_LISTEN"] == "" {
		all = append(all, "--listen", "127.0.0.1:0")
	}
	if !strings.Contains(strings.Join(args, " "), "--sip-listen") && env["RINGDOWN_SIP_LISTEN"] == "" {
		all = append(all, "--sip-listen", "127.0.0.1:0")
	}
	for i, a := range args {
		if a == "--data" {
			r.data = args[i+1]
		}
	}
	if r.data == "" {
		r.data = t.TempDir()
		all = append(all, "--data", r.data)
	}
	go func() {
		r.code = p.main(ctx, all)
		close(r.ended)
	}()
	t.Cleanup(func() { r.stop(t) })
	ready := "aws connect list-instances" // the last line that is printed for people
	if strings.Contains(strings.Join(args, " "), "json") {
		ready = `"msg":"ready"`
	}
	if !r.log.waitFor(ready, r.ended) {
		t.Fatalf("the server did not start: %s", r.log)
	}
	raw, err := os.ReadFile(filepath.Join(r.data, "endpoint.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e struct{ URL string }
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	r.url = e.URL
	return r
}

// stop ends the server as SIGTERM does, and may be called twice.
func (r *running) stop(t testing.TB) {
	t.Helper()
	r.cancel()
	<-r.ended
	if r.code != 0 {
		t.Errorf("the server ended with code %d: %s", r.code, r.log)
	}
}

// rootClient is a client with the root credentials of a data folder.
func (r *running) rootClient(t testing.TB, httpClient *http.Client) *connect.Client {
	t.Helper()
	root, err := server.FindRoot(&server.Config{Data: r.data})
	if err != nil {
		t.Fatal(err)
	}
	return r.client(root.AccessKeyID, root.SecretAccessKey, httpClient)
}

func (r *running) client(id, secret string, httpClient *http.Client) *connect.Client {
	o := connect.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(r.url), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	}
	if httpClient != nil {
		o.HTTPClient = httpClient
	}
	return connect.New(o)
}

// file writes a file for a command to read and returns its name.
func file(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
