package identity

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
)

// cheap is a hash of "Passw0rd" whose parameters cost next to nothing.
func cheap(tb testing.TB) string {
	tb.Helper()
	h := hash{memory: 8, passes: 1, lanes: 1, salt: []byte("saltsalt")}
	h.tag = argon2.IDKey([]byte("Passw0rd"), h.salt, h.passes, h.memory, h.lanes, minTag)
	return h.String()
}

func TestHashIsVerified(t *testing.T) {
	p := NewPasswords()
	first, err := p.Hash(t.Context(), "Passw0rd")
	if err != nil {
		t.Fatal(err)
	}
	if want := "$argon2id$v=19$m=19456,t=2,p=1$"; !strings.HasPrefix(first, want) {
		t.Errorf("%s does not begin with %s", first, want)
	}
	second, err := p.Hash(t.Context(), "Passw0rd")
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("two hashes have one salt")
	}
	for password, want := range map[string]bool{"Passw0rd": true, "passw0rd": false, "Passw0rd ": false, "": false} {
		got, err := p.Verify(t.Context(), first, password)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
}

// The hash is one that the reference implementation of argon2 tests itself
// with (its src/test.c, "Test Argon2id version number: 13").
func TestVerifyReadsHashesOfOthers(t *testing.T) {
	p := NewPasswords()
	stored := "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for password, want := range map[string]bool{"password": true, "Password": false} {
		got, err := p.Verify(t.Context(), stored, password)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
}

func TestVerifyRefusesWhatIsNoHash(t *testing.T) {
	good := cheap(t)
	cases := map[string]string{
		"empty":               "",
		"words":               "not a hash",
		"argon2i":             strings.Replace(good, "argon2id", "argon2i", 1),
		"bcrypt":              "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		"older version":       strings.Replace(good, "v=19", "v=16", 1),
		"no version":          strings.Replace(good, "v=19$", "", 1),
		"no memory":           strings.Replace(good, "m=8", "m=0", 1),
		"too little memory":   strings.Replace(good, "m=8", "m=7", 1),
		"all memory":          strings.Replace(good, "m=8", "m=4294967295", 1),
		"more than 32 bits":   strings.Replace(good, "m=8", "m=4294967304", 1),
		"negative":            strings.Replace(good, "t=1", "t=-1", 1),
		"no passes":           strings.Replace(good, "t=1", "t=0", 1),
		"passes for ever":     strings.Replace(good, "t=1", "t=100000", 1),
		"no lanes":            strings.Replace(good, "p=1", "p=0", 1),
		"other order":         strings.Replace(good, "m=8,t=1", "t=1,m=8", 1),
		"spaces":              strings.Replace(good, "m=8,t=1", "m=8, t=1", 1),
		"leading zero":        strings.Replace(good, "m=8", "m=08", 1),
		"padded":              good + "=",
		"empty tag":           good[:strings.LastIndex(good, "$")+1],
		"no tag":              good[:strings.LastIndex(good, "$")],
		"short tag":           good[:len(good)-4],
		"trailing":            good + "$",
		"another parameter":   strings.Replace(good, "p=1", "p=1,keyid=x", 1),
		"base64 with a break": good[:len(good)-2] + "\n" + good[len(good)-2:],
	}
	p := NewPasswords()
	if ok, err := p.Verify(t.Context(), good, "Passw0rd"); !ok || err != nil {
		t.Fatalf("the hash that the cases are made from: %v, %v", ok, err)
	}
	for name, stored := range cases {
		t.Run(name, func(t *testing.T) {
			if ok, err := p.Verify(t.Context(), stored, "Passw0rd"); ok || !errors.Is(err, errHash) {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
}

func TestHashingWaitsForMemory(t *testing.T) {
	p := NewPasswords()
	if err := p.memory.Acquire(t.Context(), p.budget); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Hash(ctx, "Passw0rd"); !errors.Is(err, context.Canceled) {
		t.Errorf("hash beside a full budget: %v", err)
	}
	if _, err := p.Verify(ctx, cheap(t), "Passw0rd"); !errors.Is(err, context.Canceled) {
		t.Errorf("verify beside a full budget: %v", err)
	}
	p.memory.Release(p.budget)

	// All of the budget comes back, whatever ran: also of a hash that needs
	// more than there is.
	big := hash{memory: uint32(p.budget) + 8, passes: 1, lanes: 1, salt: []byte("saltsalt"), tag: make([]byte, minTag)}
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			if _, err := p.Verify(t.Context(), cheap(t), "Passw0rd"); err != nil {
				t.Error(err)
			}
			if _, err := p.derive(t.Context(), &big, "Passw0rd"); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if !p.memory.TryAcquire(p.budget) {
		t.Error("some of the budget was not given back")
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(cheap(f))
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$$$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err != nil {
			return
		}
		if h.String() != s {
			t.Errorf("%q is read as %q", s, h)
		}
		if h.memory > maxMemoryKiB || h.lanes < 1 || h.passes < 1 || len(h.tag) == 0 {
			t.Errorf("%q: %+v", s, h)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	p := NewPasswords()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Hash(b.Context(), "Passw0rd"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOutdated(t *testing.T) {
	p := NewPasswords()
	today, err := p.Hash(t.Context(), "Passw0rd")
	if err != nil {
		t.Fatal(err)
	}
	nobody := Unmatched()
	if ok, err := p.Verify(t.Context(), nobody, "Passw0rd"); ok || err != nil {
		t.Errorf("a password fits %s: %v", nobody, err)
	}
	if p.Outdated(nobody) || nobody == Unmatched() {
		t.Errorf("%s is out of date, or not the only one", nobody)
	}
	if p.Outdated(today) {
		t.Errorf("%s is out of date", today)
	}
	for name, change := range map[string]func(*hash){
		"memory": func(h *hash) { h.memory /= 2 },
		"passes": func(h *hash) { h.passes++ },
		"lanes":  func(h *hash) { h.lanes++ },
		"salt":   func(h *hash) { h.salt = h.salt[:minSalt] },
		"tag":    func(h *hash) { h.tag = h.tag[:minTag] },
	} {
		h, err := parseHash(today)
		if err != nil {
			t.Fatal(err)
		}
		change(h)
		if !p.Outdated(h.String()) {
			t.Errorf("another %s is not out of date", name)
		}
	}
	if !p.Outdated("") || !p.Outdated(today+"x") {
		t.Error("what is no hash is not out of date")
	}
}
