package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// TestKill ends the server with SIGKILL in the middle of 64 loops of
// CreateUser, again and again. After each restart every user that was
// acknowledged is there, and every user that is there is whole: it can be
// described with all that it was made with, and search finds it as it is.
func TestKill(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	binary := buildBinary(t)
	k := &killing{data: t.TempDir(), acknowledged: map[string]string{}, whole: map[string]bool{}}
	k.clients.Transport = wholeAnswers{&http.Transport{MaxIdleConnsPerHost: creators}}
	defer k.clients.CloseIdleConnections()

	p := startProcess(t, binary, k.data)
	k.prepare(t, p)
	for round := range rounds {
		// How much is written before the kill differs, from the first few users
		// on.
		k.createUntilKilled(t, p, 1+rand.IntN(250))
		p = startProcess(t, binary, k.data)
		k.check(t, p)
		if t.Failed() {
			t.Fatalf("after round %d", round+1)
		}
	}
	t.Logf("%d kills, %d users acknowledged, %d more stored", rounds, len(k.acknowledged), len(k.whole)-len(k.acknowledged))
}

const creators = 64

// killing is what the test knows across restarts.
type killing struct {
	data     string
	clients  http.Client
	instance string
	routing  string
	security string

	mu           sync.Mutex
	made         int
	acknowledged map[string]string // user id to username
	whole        map[string]bool   // ids that have been seen whole
}

// wholeAnswers reads each answer to its end before the SDK sees its beginning.
// The SDK closes a request's body as soon as it has the answer's header. When
// that is before the transport has looked for the end of the body, which on
// loopback happens, the transport takes it for a failure and closes the
// connection, with the rest of a large answer still in it.
type wholeAnswers struct{ transport *http.Transport }

func (w wholeAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (w wholeAnswers) CloseIdleConnections() { w.transport.CloseIdleConnections() }

func buildBinary(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ringdown")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	//nolint:gosec // the arguments are the test's own
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", name, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return name
}

// process is a server of its own.
type process struct {
	running
	cmd    *exec.Cmd
	output *transcript
	exited chan struct{}
}

func startProcess(t *testing.T, binary, data string) *process {
	t.Helper()
	//nolint:gosec // the arguments are the test's own
	p := &process{cmd: exec.CommandContext(context.Background(), binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--sip-listen", "127.0.0.1:0"), output: newTranscript(), exited: make(chan struct{})}
	p.data = data
	out, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(p.output, out) // ends with the process
		_ = p.cmd.Wait()              // a killed process has no exit code of interest
		close(p.exited)
	}()
	t.Cleanup(p.kill)
	if !p.output.waitFor("--endpoint-url http://", p.exited) || !p.output.waitFor("\n", p.exited) {
		t.Fatalf("the server did not start: %s", p.output)
	}
	lines := bufio.NewScanner(strings.NewReader(p.output.String()))
	for lines.Scan() {
		if url, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "API "); ok {
			p.url = strings.TrimSpace(url)
		}
	}
	if p.url == "" {
		t.Fatalf("the server does not say where it listens: %s", p.output)
	}
	return p
}

// kill ends the process with SIGKILL, which it cannot catch.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

func (k *killing) prepare(t *testing.T, p *process) {
	t.Helper()
	ctx, c := context.Background(), p.rootClient(t, &k.clients)
	instance, err := c.CreateInstance(ctx, &connect.CreateInstanceInput{
		IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("crash"), InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	k.instance = *instance.Id
	routing, err := c.ListRoutingProfiles(ctx, &connect.ListRoutingProfilesInput{InstanceId: &k.instance})
	if err != nil {
		t.Fatal(err)
	}
	security, err := c.ListSecurityProfiles(ctx, &connect.ListSecurityProfilesInput{InstanceId: &k.instance})
	if err != nil {
		t.Fatal(err)
	}
	k.routing, k.security = *routing.RoutingProfileSummaryList[0].Id, *security.SecurityProfileSummaryList[0].Id
}

// want is the user of that name as it must be stored.
func (k *killing) want(username string) *connect.CreateUserInput {
	return &connect.CreateUserInput{
		InstanceId: &k.instance, Username: &username, RoutingProfileId: &k.routing, SecurityProfileIds: []string{k.security},
		IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("First " + username), LastName: aws.String("Last " + username)},
		PhoneConfig:  &types.UserPhoneConfig{PhoneType: types.PhoneTypeDeskPhone, DeskPhoneNumber: aws.String("+15555550100"), AfterContactWorkTimeLimit: 60},
		Tags:         map[string]string{"Username": username},
	}
}

// createUntilKilled creates users in many loops, and kills the server when so
// many have been acknowledged, while all the others are under way.
func (k *killing) createUntilKilled(t *testing.T, p *process, after int) {
	t.Helper()
	c := p.rootClient(t, &k.clients)
	goal := len(k.acknowledged) + after
	reached := make(chan struct{})
	var loops sync.WaitGroup
	for range creators {
		loops.Go(func() {
			for {
				k.mu.Lock()
				k.made++
				username := fmt.Sprintf("user-%d", k.made)
				k.mu.Unlock()
				out, err := c.CreateUser(context.Background(), k.want(username))
				if err != nil {
					return // the server is gone
				}
				k.mu.Lock()
				k.acknowledged[*out.UserId] = username
				if len(k.acknowledged) == goal {
					close(reached)
				}
				k.mu.Unlock()
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		loops.Wait()
		close(ended)
	}()
	select {
	case <-reached:
	case <-ended:
		t.Errorf("the loops ended before the kill: %s", p.output)
	}
	p.kill()
	<-ended
}

// check goes through all users of a restarted server.
func (k *killing) check(t *testing.T, p *process) {
	t.Helper()
	ctx, c := context.Background(), p.rootClient(t, &k.clients)
	listed := map[string]string{}
	lists := connect.NewListUsersPaginator(c, &connect.ListUsersInput{InstanceId: &k.instance, MaxResults: aws.Int32(1000)})
	for lists.HasMorePages() {
		page, err := lists.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.UserSummaryList {
			listed[*u.Id] = *u.Username
		}
	}
	for id, username := range k.acknowledged {
		if listed[id] != username {
			t.Errorf("user %s was acknowledged as %s and is listed as %q", username, id, listed[id])
		}
	}

	found := map[string]*types.UserSearchSummary{}
	searches := connect.NewSearchUsersPaginator(c, &connect.SearchUsersInput{InstanceId: &k.instance, MaxResults: aws.Int32(500)})
	for searches.HasMorePages() {
		page, err := searches.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if page.ApproximateTotalCount == nil || *page.ApproximateTotalCount != int64(len(listed)) {
			t.Errorf("search counts %v users, %d are listed", page.ApproximateTotalCount, len(listed))
		}
		for i := range page.Users {
			found[*page.Users[i].Id] = &page.Users[i]
		}
	}
	if len(found) != len(listed) {
		t.Errorf("search finds %d users, %d are listed", len(found), len(listed))
	}
	for id, username := range listed {
		if k.whole[id] {
			continue
		}
		k.whole[id] = true
		k.checkWhole(t, c, id, username, found[id])
	}
}

// checkWhole checks one user against what it was made with.
func (k *killing) checkWhole(t *testing.T, c *connect.Client, id, username string, found *types.UserSearchSummary) {
	t.Helper()
	want := k.want(username)
	out, err := c.DescribeUser(context.Background(), &connect.DescribeUserInput{InstanceId: &k.instance, UserId: &id})
	if err != nil {
		t.Errorf("%s is listed, but: %v", username, err)
		return
	}
	if found == nil {
		t.Errorf("%s is listed, but search does not find it", username)
		return
	}
	u := out.User
	for what, pair := range map[string][2]any{
		"name":                      {*u.Username, username},
		"routing profile":           {*u.RoutingProfileId, k.routing},
		"security profiles":         {u.SecurityProfileIds, want.SecurityProfileIds},
		"first name":                {*u.IdentityInfo.FirstName, *want.IdentityInfo.FirstName},
		"last name":                 {*u.IdentityInfo.LastName, *want.IdentityInfo.LastName},
		"phone":                     {*u.PhoneConfig.DeskPhoneNumber, *want.PhoneConfig.DeskPhoneNumber},
		"tags":                      {u.Tags, want.Tags},
		"name in the search":        {*found.Username, username},
		"first name in the search":  {*found.IdentityInfo.FirstName, *want.IdentityInfo.FirstName},
		"tags in the search":        {found.Tags, want.Tags},
		"routing profile in search": {*found.RoutingProfileId, k.routing},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s of %s: %v, want %v", what, username, pair[0], pair[1])
		}
	}
}
