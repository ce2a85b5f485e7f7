package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// call is one API call before it is signed.
type call struct{ method, path, body string }

// target is a server under load.
type target struct {
	addr  string
	creds aws.Credentials
}

// sign returns the bytes of the signed request. Signing happens ahead of the
// measurement: a signature holds for five minutes, and the client shall cost
// as little as it can, since it shares the machine with the server.
func (t target) sign(c call) ([]byte, error) {
	r, err := http.NewRequestWithContext(context.Background(), c.method, "http://"+t.addr+c.path, strings.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(c.body))
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), t.creds, r, hex.EncodeToString(sum[:]), "connect", "us-east-1", time.Now()); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (t target) signAll(calls []call) ([][]byte, error) {
	out := make([][]byte, len(calls))
	for i, c := range calls {
		var err error
		if out[i], err = t.sign(c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// result is what one round of load measured.
type result struct {
	perSecond float64
	p50, p99  time.Duration
	answered  int
}

// run sends requests over a number of connections, each one after the other,
// for a time; with once set every request is sent a single time and the round
// ends when they are used up. Each answer must have the status 200.
func (t target) run(requests [][]byte, connections int, length time.Duration, once bool) (result, error) {
	var next atomic.Int64
	deadline := time.Now().Add(length)
	times := make([][]time.Duration, connections)
	failed := make([]error, connections)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() {
			c, err := net.Dial("tcp", t.addr)
			if err != nil {
				failed[i] = err
				return
			}
			defer c.Close()
			in := bufio.NewReaderSize(c, 64<<10)
			for {
				n := next.Add(1) - 1
				sent := time.Now()
				if (once && n >= int64(len(requests))) || (!once && sent.After(deadline)) {
					return
				}
				if _, err := c.Write(requests[int(n)%len(requests)]); err != nil {
					failed[i] = err
					return
				}
				if err := readAnswer(in); err != nil {
					failed[i] = err
					return
				}
				times[i] = append(times[i], time.Since(sent))
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	for _, err := range failed {
		if err != nil {
			return result{}, err
		}
	}
	all := slices.Concat(times...)
	if len(all) == 0 {
		return result{}, fmt.Errorf("no request was answered")
	}
	slices.Sort(all)
	return result{
		perSecond: float64(len(all)) / took.Seconds(),
		answered:  len(all),
		p50:       all[len(all)/2],
		p99:       all[min(len(all)-1, len(all)*99/100)],
	}, nil
}

// readAnswer reads one HTTP/1.1 response with a Content-Length.
func readAnswer(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok := len(line) > 12 && string(line[9:12]) == "200"
	status := string(line)
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		const name = "content-length: "
		if len(line) > len(name) && strings.EqualFold(string(line[:len(name)]), name) {
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[len(name):]))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("an answer without a length: %s", status)
	}
	if !ok {
		body := make([]byte, length)
		_, _ = io.ReadFull(in, body)
		return fmt.Errorf("%s: %s", strings.TrimSpace(status), body)
	}
	_, err = in.Discard(length)
	return err
}
