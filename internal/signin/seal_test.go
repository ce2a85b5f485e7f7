package signin

import (
	"strings"
	"testing"
	"time"
)

func TestSeal(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 500_000_000)}
	s, err := newSealer("secret", c.now)
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.seal(forCode, grant{User: "anastasia", ID: "one"}, c.now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "anastasia") {
		t.Errorf("%s can be read", text)
	}
	again, err := s.seal(forCode, grant{User: "anastasia", ID: "one"}, c.now().Add(time.Minute))
	if err != nil || text == again {
		t.Errorf("two seals are the same (%v)", err)
	}
	var g grant
	end, err := s.open(forCode, text, &g)
	if err != nil || g.User != "anastasia" || !end.Equal(time.Unix(1_800_000_060, 0)) {
		t.Errorf("opened %+v, until %v: %v", g, end, err)
	}
	other, err := newSealer("another secret", c.now)
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() error{
		"another purpose": func() error { _, err := s.open(forAccess, text, &g); return err },
		"renamed":         func() error { _, err := s.open(forAccess, "access"+text[4:], &g); return err },
		"another secret":  func() error { _, err := other.open(forCode, text, &g); return err },
		"cut":             func() error { _, err := s.open(forCode, text[:len(text)-2], &g); return err },
		"empty":           func() error { _, err := s.open(forCode, "", &g); return err },
		"no body":         func() error { _, err := s.open(forCode, "code.", &g); return err },
		"short":           func() error { _, err := s.open(forCode, "code.AAAA", &g); return err },
		"long":            func() error { _, err := s.open(forCode, "code."+strings.Repeat("A", maxSealed), &g); return err },
	} {
		if err := try(); err != errSeal { //nolint:errorlint // it is that very error, and says no more
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range text {
		changed := []byte(text)
		changed[i] ^= 1
		if _, err := s.open(forCode, string(changed), &g); err == nil {
			t.Errorf("opened with character %d changed", i)
		}
	}
	c.add(59 * time.Second)
	if _, err := s.open(forCode, text, &g); err != nil {
		t.Error(err)
	}
	c.add(time.Second)
	if _, err := s.open(forCode, text, &g); err == nil {
		t.Error("opened after its time")
	}
	if string(s.sign("a", "bc", "d")) == string(s.sign("a", "b", "cd")) || string(s.sign("a", "b")) == string(s.sign("a", "b", "")) {
		t.Error("two lists of parts have one mark")
	}
}

// FuzzOpen: what strangers send opens nothing and breaks nothing.
func FuzzOpen(f *testing.F) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	s, err := newSealer("secret", c.now)
	if err != nil {
		f.Fatal(err)
	}
	text, err := s.seal(forCode, grant{User: "anastasia"}, c.now().Add(time.Minute))
	if err != nil {
		f.Fatal(err)
	}
	w := &Service{seals: s, opts: Options{Now: c.now}}
	in := &Instance{ID: "i"}
	relay := w.relay(in, newToken()[:16], c.now().Add(time.Minute), "/home")
	for _, seed := range []string{text, relay, "code.", "r.", "/-/home", "https://x/?destination=%2Fccp-v2%2F"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in2 string) {
		var g grant
		if _, err := s.open(forCode, in2, &g); err == nil && g.User != "anastasia" {
			t.Errorf("opened %q", in2)
		}
		if d, ok := w.readRelay(in, in2); ok && d != "/home" {
			t.Errorf("took %q for ours", in2)
		}
		if d := destinationOf(in2); d != "" && (d[0] != '/' || strings.HasPrefix(d, "//") || strings.HasPrefix(d, `/\`)) {
			t.Errorf("%q leads to %q", in2, d)
		}
	})
}
