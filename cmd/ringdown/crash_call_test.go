package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/audio"
	"ringdown/internal/server"
	"ringdown/internal/voice/phone"
)

// TestKillCall ends the server with SIGKILL in the middle of a call that is
// recorded. After the restart the contact has ended as one whose call was lost,
// and its recording is where it belongs, but for its last second or so.
func TestKillCall(t *testing.T) {
	data := t.TempDir()
	binary := buildBinary(t)
	p := startProcess(t, binary, data)
	client := p.rootClient(t, nil)
	d := &demonstration{p: &program{stdout: newTranscript(), getenv: func(string) string { return "" }}, ctx: t.Context(), client: client}
	for _, step := range []func() error{d.makeInstance, d.keepRecordings, d.makeFlow, d.claimNumber} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	telephone, err := phone.New(t.Context(), phone.Options{Server: server.SIPEndpoint(&server.Config{Data: data})})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = telephone.Close() }()
	call, err := telephone.Dial(t.Context(), d.source)
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Answered(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const heard = 3 * time.Second
	for call.Heard().Duration() < heard {
		pause(ctx, t)
	}
	p.kill()
	p = startProcess(t, binary, data)
	client = p.rootClient(t, nil)
	var all []server.TracedContact
	if err := json.Unmarshal([]byte(succeed(t, nil, "", "contact", "list", "--json", "--data", data).stdout), &all); err != nil || len(all) != 1 {
		t.Fatalf("the contacts are %+v, %v", all, err)
	}
	described, err := client.DescribeContact(t.Context(), &connect.DescribeContactInput{InstanceId: &d.instance, ContactId: &all[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	c := described.Contact
	if reason := aws.ToString(c.DisconnectReason); reason != "TELECOM_PROBLEM" || len(c.Recordings) != 1 {
		t.Fatalf("the contact ended with %s and %d recordings", reason, len(c.Recordings))
	}
	var stored []string
	for len(stored) == 0 {
		pause(ctx, t)
		stored, _ = filepath.Glob(filepath.Join(data, "objects", demoBucket, "demo", "ivr", "*", "*", "*", all[0].ID+"*.wav"))
	}
	raw, err := os.ReadFile(stored[0])
	if err != nil {
		t.Fatal(err)
	}
	sound, err := audio.ReadClip(raw)
	if err != nil || sound.Duration() < heard-2*time.Second || sound.Duration() > heard+2*time.Second || audio.Level(sound.Samples()) < -50 {
		t.Errorf("%v of %v were kept, at %.0f dB, %v", sound.Duration(), heard, audio.Level(sound.Samples()), err)
	}
}

// pause waits for a moment.
func pause(ctx context.Context, t *testing.T) {
	t.Helper()
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
		t.Fatal("it takes too long")
	}
}
