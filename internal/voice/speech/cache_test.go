package speech

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/audio"
)

func keyOf(text string) cacheKey { return cacheKey{"test", Text{Plain: text}} }

// TestCacheOnce: callers of the same text at the same time have it spoken once.
func TestCacheOnce(t *testing.T) {
	c := newCache(1 << 20)
	defer c.close()
	var runs atomic.Int32
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			text := fmt.Sprint("text ", i%4)
			clip, err := c.get(t.Context(), keyOf(text), func(context.Context) (*audio.Clip, error) {
				runs.Add(1)
				return audio.NewClip(make([]int16, 100+i%4)), nil
			})
			if err != nil || len(clip.Samples()) != 100+i%4 {
				t.Errorf("%s: %v, %v", text, clip, err)
			}
		})
	}
	wg.Wait()
	if got := runs.Load(); got != 4 {
		t.Errorf("4 texts were spoken %d times", got)
	}
}

// TestCacheCancelled: a caller that leaves takes nothing from the others; the
// last one ends the run, and whoever comes then begins anew.
func TestCacheCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(1 << 20)
		var runs, ended int
		speak := func(ctx context.Context) (*audio.Clip, error) {
			runs++
			select {
			case <-time.After(time.Second):
				return audio.NewClip(make([]int16, 10)), nil
			case <-ctx.Done():
				ended++
				return nil, ctx.Err()
			}
		}
		call := func(wait time.Duration) chan error {
			out := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), wait)
				defer cancel()
				_, err := c.get(ctx, keyOf("a"), speak)
				out <- err
			}()
			synctest.Wait()
			return out
		}
		early, patient := call(100*time.Millisecond), call(time.Minute)
		if err := <-early; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who left was told %v", err)
		}
		if err := <-patient; err != nil || runs != 1 || ended != 0 {
			t.Errorf("who stayed was told %v after %d runs, of which %d were ended", err, runs, ended)
		}

		c2 := newCache(0) // keeps nothing
		c, runs = c2, 0
		first, second := call(100*time.Millisecond), call(200*time.Millisecond)
		<-first
		<-second
		third := call(time.Minute)
		if err := <-third; err != nil || runs != 2 || ended != 1 {
			t.Errorf("who came later was told %v after %d runs, of which %d were ended", err, runs, ended)
		}

		// Closing ends what is under way.
		last := call(time.Minute)
		c.close()
		c.close()
		if err := <-last; !errors.Is(err, context.Canceled) {
			t.Errorf("closed: %v", err)
		}
		if _, err := c.get(t.Context(), keyOf("b"), speak); !errors.Is(err, errClosed) {
			t.Errorf("after it: %v", err)
		}
	})
}

// TestCacheBounded: what was not used for longest makes room.
func TestCacheBounded(t *testing.T) {
	one := (&cached{key: keyOf("a"), clip: audio.NewClip(make([]int16, 1000))}).size()
	c := newCache(3 * one)
	defer c.close()
	runs := map[string]int{}
	ask := func(text string, samples int) {
		t.Helper()
		if _, err := c.get(t.Context(), keyOf(text), func(context.Context) (*audio.Clip, error) {
			runs[text]++
			return audio.NewClip(make([]int16, samples)), nil
		}); err != nil {
			t.Fatal(err)
		}
		if c.size > c.most || c.order.Len() != len(c.entries) {
			t.Fatalf("%d bytes of %d, %d and %d entries", c.size, c.most, c.order.Len(), len(c.entries))
		}
	}
	for _, text := range []string{"a", "b", "c", "a", "d", "a", "b"} {
		ask(text, 1000)
	}
	if got := fmt.Sprint(runs); got != "map[a:1 b:2 c:1 d:1]" {
		t.Errorf("spoken: %s", got)
	}
	ask("huge", 10000)
	ask("huge", 10000)
	ask("a", 1000)
	if runs["huge"] != 2 || runs["a"] != 1 {
		t.Errorf("after a text that is larger than the cache: %v", runs)
	}
}

// TestCacheFailure: what failed is tried again.
func TestCacheFailure(t *testing.T) {
	c := newCache(1 << 20)
	defer c.close()
	failure := errors.New("failure")
	runs := 0
	for i := range 3 {
		_, err := c.get(t.Context(), keyOf("a"), func(context.Context) (*audio.Clip, error) {
			if runs++; runs == 1 {
				return nil, failure
			}
			return audio.NewClip(nil), nil
		})
		if want := i == 0; errors.Is(err, failure) != want {
			t.Errorf("attempt %d: %v", i, err)
		}
	}
	if runs != 2 {
		t.Errorf("%d runs", runs)
	}
}
