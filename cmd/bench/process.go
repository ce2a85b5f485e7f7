package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
)

// The root credentials of the servers under load.
const (
	keyID  = "AKIABENCHMARKBENCHMA"
	secret = "benchmark/benchmark/benchmark/benchmark0"
)

var rootCredentials = aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}

// process is a server in a process of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	addr  string
	ready time.Duration // from start to the first healthy answer
}

func (p *process) target() target { return target{p.addr, rootCredentials} }

func (p *process) client() *connect.Client {
	return connect.New(connect.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + p.addr), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	})
}

// startFloor starts this program again as the floor server.
func startFloor() (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self, "-floor")}
	p.cmd.SysProcAttr = endsWithParent()
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	p.addr = strings.TrimSpace(line)
	return p, err
}

// build builds the real server into dir.
func build(dir string) (string, error) {
	bin := filepath.Join(dir, "ringdown")
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, "ringdown/cmd/ringdown")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
}

// startServer starts the real server on a data folder, with more flags, and waits
// until it is healthy.
func startServer(bin, data string, flags ...string) (*process, error) {
	p := &process{cmd: exec.Command(bin, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, flags...)...)}
	p.cmd.Env = append(os.Environ(), "RINGDOWN_ROOT_ACCESS_KEY_ID="+keyID, "RINGDOWN_ROOT_SECRET_ACCESS_KEY="+secret)
	p.cmd.SysProcAttr = endsWithParent()
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(began) < 5*time.Minute {
		if raw, err := os.ReadFile(filepath.Join(data, "endpoint.json")); err == nil {
			var e struct{ URL string }
			if json.Unmarshal(raw, &e) == nil && healthy(e.URL) {
				p.ready, p.addr = time.Since(began), strings.TrimPrefix(e.URL, "http://")
				return p, nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	_ = p.cmd.Process.Kill()
	return nil, fmt.Errorf("the server was not ready within five minutes")
}

func healthy(url string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/-/healthy", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop ends the process and waits for it.
func (p *process) stop() {
	if p.stdin != nil {
		_ = p.stdin.Close()
	} else {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	_ = p.cmd.Wait()
}

// resident is the process's resident memory in bytes (Linux).
func (p *process) resident() int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb * 1024
		}
	}
	return 0
}

// cpu is the processor time that the process has used (Linux). Unlike elapsed
// time it hardly depends on what else the machine is doing.
func (p *process) cpu() time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(raw), ") ") // the name may hold spaces
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	return time.Duration(user+system) * tick
}
