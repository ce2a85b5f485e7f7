package sigv4

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync"
	"testing"
)

// TestSign holds the prepared key against crypto/hmac, for messages around the
// sizes of a block.
func TestSign(t *testing.T) {
	for _, size := range []int{0, 1, 55, 56, 63, 64, 65, 128, 1000} {
		key := bytes.Repeat([]byte{byte(size), 0x7f}, 16)
		message := bytes.Repeat([]byte("m"), size)
		mac := hmac.New(sha256.New, key)
		mac.Write(message)
		if got, _ := newSigningKey(key).sign(message, []byte("left over")); !hmac.Equal(got[:], mac.Sum(nil)) {
			t.Errorf("%d bytes: wrong MAC %x", size, got)
		}
	}
}

func TestKeyCache(t *testing.T) {
	var cache keyCache
	scope := func(i int) keyScope { return keyScope{accessKeyID: strconv.Itoa(i)} }
	keys := make([]*signingKey, 3*keyCacheSize)
	for i := range keys {
		if _, ok := cache.get(scope(i)); ok {
			t.Fatalf("key %d was found before it was put in", i)
		}
		keys[i] = new(signingKey)
		cache.put(scope(i), keys[i])
		if got, ok := cache.get(scope(0)); !ok || got != keys[0] {
			t.Fatalf("key 0, always in use, was lost after %d others", i)
		}
		if n := len(cache.young) + len(cache.old); n > 2*keyCacheSize {
			t.Fatalf("%d keys are kept", n)
		}
	}
	if got, ok := cache.get(scope(len(keys) - 1)); !ok || got != keys[len(keys)-1] {
		t.Error("the last key is not there")
	}
	if _, ok := cache.get(scope(1)); ok {
		t.Error("a key that was not in use is still there")
	}
	for _, other := range []keyScope{{secret: "0"}, {accessKeyID: "0", secret: "x"}, {accessKeyID: "0", date: "x"}, {accessKeyID: "0", region: "x"}, {accessKeyID: "0", service: "x"}} {
		if _, ok := cache.get(other); ok {
			t.Errorf("%+v was found", other)
		}
	}
}

// TestCacheTakesVerifiedKeysOnly shows that a caller without the secret cannot
// fill the cache.
func TestCacheTakesVerifiedKeysOnly(t *testing.T) {
	v := newTestVerifier()
	client := newRequest(t, "GET", "http://localhost/users/i", "")
	sign(t, client, testKey, hashOf(""), "connect", "us-east-1")
	client.Method = "DELETE"
	r, body := receive(t, client)
	if _, err := v.Verify(r, body, "connect"); err == nil {
		t.Fatal("a wrong signature passed")
	}
	if n := len(v.keys.young); n != 0 {
		t.Errorf("%d keys are cached", n)
	}
	r.Method = "GET"
	if _, err := v.Verify(r, body, "connect"); err != nil {
		t.Fatal(err)
	}
	if n := len(v.keys.young); n != 1 {
		t.Errorf("%d keys are cached, want 1", n)
	}
}

// TestConcurrentUse gives the race detector something to look at.
func TestConcurrentUse(t *testing.T) {
	v := newTestVerifier()
	var wg sync.WaitGroup
	for i := range 8 {
		client := newRequest(t, "PUT", "http://localhost/users/i?a=b", fmt.Sprint(i))
		sign(t, client, testKey, hashOf(fmt.Sprint(i)), "connect", "us-east-"+strconv.Itoa(1+i/2))
		good, body := receive(t, client)
		wg.Go(func() {
			for range 50 {
				if _, err := v.Verify(good, body, "connect"); err != nil {
					t.Error(err)
				}
				if _, err := v.Verify(good, body[:0], "connect"); err == nil {
					t.Error("another body passed")
				}
			}
		})
	}
	wg.Wait()
}
