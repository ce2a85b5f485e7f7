package server_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audit"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// guessedAt is a server whose users somebody guesses at, over HTTP. Its proxy is
// this machine, which so may say that it is any other.
type guessedAt struct {
	*servertest.Server
	page   string
	client *http.Client
}

const ownPassword = "0wn-Passw0rd"

func newGuessedAt(t *testing.T, users ...string) *guessedAt {
	t.Helper()
	g := &guessedAt{client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	g.Server = servertest.Boot(t, func(c *server.Config) { c.SignIn.TrustedProxies = []string{"127.0.0.0/8"} })
	t.Cleanup(g.client.CloseIdleConnections)
	in := g.NewInstanceOf(t, types.DirectoryTypeConnectManaged)
	g.page = g.URL + "/-/login/" + in
	for _, name := range users {
		newPersonOf(t, g.Server, in, name, func(in *connect.CreateUserInput) { in.Password = aws.String(ownPassword) })
	}
	return g
}

// signIn sends the form of the sign-in page and returns the status, 303 for
// whoever is let in, and how long to wait.
func (g *guessedAt) signIn(ctx context.Context, from, name, password string) (status, wait int, err error) {
	form := url.Values{"username": {name}, "password": {password}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.page, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-For", from)
	res, err := g.client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	wait, _ = strconv.Atoi(res.Header.Get("Retry-After"))
	return res.StatusCode, wait, err
}

// TestGuessingOverHTTP: ten thousand guesses at one user, many at a time, get
// nowhere; another user comes in meanwhile, from the same address.
func TestGuessingOverHTTP(t *testing.T) {
	const guesses, guessers = 10_000, 8
	g := newGuessedAt(t, "ana", "bob")
	var done, looked atomic.Int32
	var wg sync.WaitGroup
	flooding := make(chan struct{})
	for n := range guessers {
		wg.Go(func() {
			for i := n; i < guesses; i += guessers {
				status, wait, err := g.signIn(t.Context(), "192.0.2.1", "ana", fmt.Sprint("Guess-", i))
				switch {
				case err != nil:
					t.Errorf("guess %d: %v", i, err)
					return
				case status == http.StatusUnauthorized:
					looked.Add(1)
				case status != http.StatusTooManyRequests || wait < 1:
					t.Errorf("guess %d: %d, wait %d", i, status, wait)
					return
				}
				if done.Add(1) == 50 {
					close(flooding)
				}
			}
		})
	}
	<-flooding
	began := time.Now()
	status, _, err := g.signIn(t.Context(), "192.0.2.1", "bob", ownPassword)
	took := time.Since(began)
	meanwhile := done.Load()
	wg.Wait()
	if err != nil || status != http.StatusSeeOther {
		t.Errorf("the other user: %d, %v", status, err)
	}
	if meanwhile >= guesses {
		t.Error("the other user came in only when nobody guessed any more")
	}
	// Each wait is twice the one before: even ten minutes of guessing are good for
	// no more than these.
	if n := looked.Load(); n < 5 || n > 15 {
		t.Errorf("%d of %d guesses were looked at", n, guesses)
	}
	t.Logf("%d of %d guesses were looked at; the other user waited %v", looked.Load(), guesses, took)
	var wrong, locks int
	for _, e := range audited(t, g.Server) {
		switch {
		case e.Event == audit.SignIn && e.User == "ana" && e.Outcome == audit.Refused:
			wrong++
		case e.Event == audit.Lockout && e.User == "ana":
			locks++
		}
	}
	if n := int(looked.Load()); wrong != n || locks != n-4 {
		t.Errorf("the audit log has %d wrong passwords and %d lock-outs, of %d guesses that were looked at", wrong, locks, n)
	}
}

// TestTimeTellsNothing: a wrong password is refused as soon as an unknown name,
// as far as clients can tell. Samples are taken in turns; the ranks must not tell
// the kinds apart, nor the medians be further from one another than a few per
// cent and what they are uncertain by.
func TestTimeTellsNothing(t *testing.T) {
	const samples, rounds = 40, 3
	users := make([]string, samples)
	for i := range users {
		users[i] = fmt.Sprint("agent-", i)
	}
	g := newGuessedAt(t, users...)
	sample := func(name string, n int) float64 {
		began := time.Now()
		// Each from an address of its own: wrong passwords from one are counted.
		status, _, err := g.signIn(t.Context(), fmt.Sprintf("198.51.%d.%d", n/250, 1+n%250), name, "Wrong-Passw0rd")
		took := time.Since(began).Seconds()
		if err != nil || status != http.StatusUnauthorized {
			t.Fatalf("%s: %d, %v", name, status, err)
		}
		return took
	}
	n := 0
	for range rounds {
		var known, unknown []float64
		for i := range samples {
			n += 2
			if i%2 == 0 {
				known = append(known, sample(users[i], n))
			}
			unknown = append(unknown, sample(fmt.Sprint("nobody-", i), n+1))
			if i%2 == 1 {
				known = append(known, sample(users[i], n))
			}
		}
		ratio, unsure, z := compare(known, unknown)
		t.Logf("unknown names against wrong passwords: medians %.4f, give or take %.4f, z %.2f", ratio, unsure, z)
		if math.Abs(ratio-1) <= 0.03+unsure && math.Abs(z) < 3.3 { // one in a thousand
			return
		}
	}
	t.Error("unknown names can be told from wrong passwords by time")
}

// compare returns the ratio of the medians of b and a with its uncertainty (that
// of box plots), and the statistic of Mann and Whitney as a standard normal
// variable.
func compare(a, b []float64) (ratio, unsure, z float64) {
	quantile := func(list []float64, q float64) float64 {
		return slices.Sorted(slices.Values(list))[int(q*float64(len(list)-1))]
	}
	var above float64
	for _, x := range a {
		for _, y := range b {
			if x > y {
				above++
			}
		}
	}
	n, m := float64(len(a)), float64(len(b))
	for _, list := range [][]float64{a, b} {
		unsure += 1.57 * (quantile(list, 0.75) - quantile(list, 0.25)) / math.Sqrt(float64(len(list))) / quantile(list, 0.5)
	}
	return quantile(b, 0.5) / quantile(a, 0.5), unsure, (above - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}
