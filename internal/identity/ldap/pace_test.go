package ldap

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"

	"ringdown/internal/identity/ldap/ldaptest"
)

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		waited := func(ctx context.Context, passed time.Duration) time.Duration {
			began := time.Now()
			p.wait(ctx, passed)
			return time.Since(began)
		}
		if w := waited(t.Context(), 0); w != 0 {
			t.Errorf("with nothing to go by it waited %v", w)
		}
		p.observe(100 * time.Millisecond)
		for passed, want := range map[time.Duration]time.Duration{
			0:                      100 * time.Millisecond,
			40 * time.Millisecond:  60 * time.Millisecond,
			100 * time.Millisecond: 0,
			time.Second:            0,
		} {
			if w := waited(t.Context(), passed); w != want {
				t.Errorf("after %v it waited %v, want %v", passed, w, want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if w := waited(ctx, 0); w != 10*time.Millisecond {
			t.Errorf("it waited %v for somebody who had gone", w)
		}
		// Only what was seen of late counts.
		for range len(p.recent) {
			p.observe(time.Second)
		}
		if w := waited(t.Context(), 0); w != time.Second {
			t.Errorf("it waited %v, as in the past", w)
		}
		p.observe(3 * time.Second)
		seen := map[time.Duration]bool{}
		for range 1000 { // enough to see one of 16
			seen[p.pick()] = true
		}
		if !seen[time.Second] || !seen[3*time.Second] || len(seen) != 2 {
			t.Errorf("it picks %v", seen)
		}
	})
}

// TestUnknownUsersTakeAsLong: with a slow hash a directory answers about an
// unknown user much sooner than about a wrong password; here nobody can tell.
func TestUnknownUsersTakeAsLong(t *testing.T) {
	const memory, rounds = 8 << 10, 3 // KiB
	password, salt := rand.Text(), []byte(rand.Text()[:16])
	encoded := base64.RawStdEncoding.EncodeToString
	hash := fmt.Sprintf("{ARGON2}$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", memory, rounds,
		encoded(salt), encoded(argon2.IDKey([]byte(password), salt, rounds, memory, 1, 32)))
	s := ldaptest.Start(t, ldaptest.Options{People: []ldaptest.Person{{UID: "mary", Password: password, Hash: hash}}})
	d := made(t, reading(s))
	if _, err := d.SignIn(t.Context(), "mary", password); err != nil {
		t.Fatalf("a password that is right: %v", err)
	}
	const tries = 20
	median := func(list []time.Duration) time.Duration {
		slices.Sort(list)
		return list[len(list)/2]
	}
	// What else the machine does may double a time; a bind as nobody is quicker by
	// far more than that. So of a few comparisons one has to come out even.
	var wrong, unknown time.Duration
	alike := false
	for round := 0; round < 5 && !alike; round++ {
		taken := map[string][]time.Duration{}
		for range tries {
			for _, name := range []string{"mary", "nobody"} {
				began := time.Now()
				if _, err := d.SignIn(t.Context(), name, "wrong"); !errors.Is(err, ErrRefused) {
					t.Fatalf("%s: got %v", name, err)
				}
				taken[name] = append(taken[name], time.Since(began))
			}
		}
		wrong, unknown = median(taken["mary"]), median(taken["nobody"])
		alike = unknown > wrong/2 && unknown < wrong*2
	}
	// The bind alone, without what is done about it.
	var quick []time.Duration
	for range tries {
		c, err := d.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := c.bind(t.Context(), d.nobody, "wrong"); !errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
		quick = append(quick, time.Since(began))
		c.close(t.Context())
	}
	bare := median(quick)
	t.Logf("wrong password %v, unknown user %v, bind as nobody %v", wrong, unknown, bare)
	if !alike {
		t.Errorf("an unknown user takes %v, a wrong password %v", unknown, wrong)
	}
	if bare > wrong/2 { // else the test would show nothing
		t.Errorf("the directory takes %v for nobody: there was nothing to hide", bare)
	}
}
