package sip

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestEndpointsRegister has one endpoint register with another, which challenges it:
// its number is then called there, and no longer after it has closed.
func TestEndpointsRegister(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, transport := range []string{"udp", "tcp"} {
		for _, strong := range []bool{false, true} {
			t.Run(fmt.Sprint(transport, " SHA-256 ", strong), func(t *testing.T) {
				var log lines
				server, err := Listen(ctx, Options{
					Listen: "127.0.0.1:0", Logger: log.logger(),
					Trunks: []Trunk{{Name: "phones", Registrar: true, InboundUsername: "ann", InboundPassword: "secret", InboundSHA256: strong}},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer server.Close()
				begin := func(password string) (*Endpoint, error) {
					phone, err := Listen(ctx, Options{
						Listen: "127.0.0.1:0", Logger: log.logger(),
						Trunks: []Trunk{{
							Name: "server", Address: fmt.Sprintf("sip:%s;transport=%s", server.Addr(), transport),
							Register: true, Identity: "+15551234567", Username: "ann", Password: password,
						}},
					})
					if err != nil {
						t.Fatal(err)
					}
					return phone, phone.Registered(ctx, "server")
				}
				guest, err := begin("guess")
				if err == nil {
					t.Error("it registers with a wrong password")
				}
				if name, ok := server.Route("+15551234567"); ok {
					t.Errorf("a wrong password leads to %q", name)
				}
				guest.Close()
				phone, err := begin("secret")
				if err != nil {
					phone.Close()
					t.Fatal(err)
				}
				if name, ok := server.Route("+15551234567"); !ok || name != "phones" {
					t.Errorf("its calls go to %q", name)
				}
				c, ok := server.registrar.lookup("15551234567")
				if !ok || transport == "udp" && c.source != phone.Addr() {
					t.Errorf("it is at %v, want %v", c.source, phone.Addr())
				}
				if err := phone.Close(); err != nil {
					t.Error(err)
				}
				if name, ok := server.Route("+15551234567"); ok {
					t.Errorf("when it has closed its calls go to %q", name)
				}
			})
		}
	}
}

// TestRouteAvoidsWhatIsDown: of two trunks for all numbers the second takes the calls
// while the first does not answer OPTIONS.
func TestRouteAvoidsWhatIsDown(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	far, err := Listen(ctx, Options{Listen: "127.0.0.1:0", Trunks: []Trunk{{Name: "any", Sources: prefixes("127.0.0.1")}}})
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	far.Drain(ctx) // 503 from now on
	var log lines
	near, err := Listen(ctx, Options{Listen: "127.0.0.1:0", Logger: log.logger(), Trunks: []Trunk{
		{Name: "first", Address: fmt.Sprintf("sip:%s", far.Addr()), Probe: time.Hour},
		{Name: "second", Address: "sip:127.0.0.1:9"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if name, ok := near.Route("+15551234567"); ok && name == "second" {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("calls still go to a trunk that takes none")
		}
	}
	if got, want := log.messages()[0], `level=WARN msg="SIP trunk is down" trunk=first error="the answer is 503"`; got != want {
		t.Errorf("logged %s, want %s", got, want)
	}
}
