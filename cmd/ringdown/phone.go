package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/server"
	"ringdown/internal/voice/phone"
)

const phoneHelp = `Usage:
  ringdown phone dial [flags] NUMBER   call a number of the server
  ringdown phone wait [flags]          register with the server, and wait to be called

A telephone for those who have none at hand. It prints what happens in the call, with the seconds
since it began; "sound" and "silence" are what is heard. On a terminal, keys that are typed (0-9 * #,
then Enter) are pressed, and "hold", "resume" and "bye" do what they say. Ctrl-C hangs up; a second
one ends at once.

  --data FOLDER       the server of this data folder is called (default %[1]s)
  --server ADDRESS    another server: HOST:PORT, sip:HOST:PORT;transport=tcp, or sips:HOST:PORT for TLS
  --ca FILE           over TLS, trust the certificates in this file (PEM) instead of the system's: those
                      of authorities of your own, or the server's itself
  --number NUMBER     the phone's own number (default %[2]s)
  --username NAME     when the server asks for a password
  --password-file F   the file that the password is in
  --listen HOST:PORT  where the phone takes sound and signalling (default 127.0.0.1:0, a free port);
                      for a server on another machine, the address that it reaches this one at

  --type KEYS         press these keys after the answer; a comma is a pause of a second
  --after TIME        when the first of them is pressed (default 1s)
  --speak FILE.wav    say this after the answer
  --save FILE.wav     keep what is heard
  --for TIME          hang up so long after the answer (default: when the other side does)
  --json              one JSON object a line

dial:
  --header 'NAME: VALUE'  a header field for the call; may be given several times

wait:
  --answer-after TIME  how long it rings (default 1s)
  --busy, --reject     refuse the call instead
  --no-answer          let it ring until the caller gives up
  --calls N            how many calls to take, at once if they come so (default 1)
  --direct             take calls from anybody who finds this phone, without a server

The exit code is 0 when the call was answered and somebody hung up, or was refused as wanted; 1 when it
was not answered, or broke off; 2 when the command line makes no sense.
`

// phones makes and takes calls.
func phones(ctx context.Context, p *program, args []string) error {
	return words(ctx, p, args, printPhoneHelp, word{"dial", phoneDial}, word{"wait", phoneWait})
}

func phoneDial(ctx context.Context, p *program, args []string) error {
	return phoneCall(ctx, p, true, args)
}

func phoneWait(ctx context.Context, p *program, args []string) error {
	return phoneCall(ctx, p, false, args)
}

func printPhoneHelp(w io.Writer) error {
	_, err := fmt.Fprintf(w, phoneHelp, server.DefaultData, phone.DefaultNumber)
	return err
}

// handset is what a phone is to do, as the command line says.
type handset struct {
	outgoing                                      bool
	number                                        string // to dial
	data, server, own, username, password, listen string
	roots                                         *x509.CertPool // nil for the system's
	headers                                       map[string]string

	keys        string
	after, last time.Duration
	speak       *audio.Clip
	save        string
	asJSON      bool

	answerAfter            time.Duration
	busy, reject, noAnswer bool
	calls                  int
	direct                 bool
}

// named are the files that the command line names to be read.
type named struct{ speak, password, ca string }

// flags are those of dial or wait.
func (h *handset) flags(p *program) (f *flag.FlagSet, files *named) {
	f = flag.NewFlagSet("phone", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&h.data, "data", cmp.Or(p.getenv("RINGDOWN_DATA"), server.DefaultData), "")
	f.StringVar(&h.server, "server", "", "")
	f.StringVar(&h.own, "number", phone.DefaultNumber, "")
	f.StringVar(&h.username, "username", "", "")
	files = new(named)
	f.StringVar(&files.password, "password-file", "", "")
	f.StringVar(&files.ca, "ca", "", "")
	f.StringVar(&h.listen, "listen", "", "")
	f.StringVar(&h.keys, "type", "", "")
	f.DurationVar(&h.after, "after", time.Second, "")
	f.StringVar(&files.speak, "speak", "", "")
	f.StringVar(&h.save, "save", "", "")
	f.DurationVar(&h.last, "for", 0, "")
	f.BoolVar(&h.asJSON, "json", false, "")
	h.calls = 1
	if h.outgoing {
		f.Func("header", "", h.header)
		return f, files
	}
	f.DurationVar(&h.answerAfter, "answer-after", time.Second, "")
	f.BoolVar(&h.busy, "busy", false, "")
	f.BoolVar(&h.reject, "reject", false, "")
	f.BoolVar(&h.noAnswer, "no-answer", false, "")
	f.IntVar(&h.calls, "calls", 1, "")
	f.BoolVar(&h.direct, "direct", false, "")
	return f, files
}

// header reads a header field.
func (h *handset) header(s string) error {
	name, value, ok := strings.Cut(s, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" || value == "" || strings.ContainsAny(s, "\r\n") {
		return errors.New("say 'Name: value'")
	}
	for known := range h.headers {
		if strings.EqualFold(known, name) {
			return errors.New("it is given twice")
		}
	}
	if h.headers == nil {
		h.headers = map[string]string{}
	}
	h.headers[name] = value
	return nil
}

// parse reads the command line.
func (h *handset) parse(p *program, args []string) error {
	given, args := leading(args)
	f, files := h.flags(p)
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		if err := printPhoneHelp(p.stdout); err != nil {
			return err
		}
		return flag.ErrHelp
	} else if err != nil {
		return &usageError{err}
	}
	given = append(given, f.Args()...)
	if h.outgoing && len(given) == 1 {
		h.number = given[0]
	}
	if err := h.check(given); err != nil {
		return &usageError{err}
	}
	return h.read(files)
}

// check finds what makes no sense.
func (h *handset) check(given []string) error {
	refusing := 0
	for _, r := range []bool{h.busy, h.reject, h.noAnswer} {
		if r {
			refusing++
		}
	}
	switch {
	case h.outgoing && len(given) != 1:
		return errors.New("give one number to call, after the flags")
	case h.outgoing && (h.number == "" || strings.ContainsAny(h.number, " \t\r\n")):
		return fmt.Errorf("%q is no number", h.number)
	case !h.outgoing && len(given) > 0:
		return fmt.Errorf("unexpected argument %q", given[0])
	case h.own == "" || strings.ContainsAny(h.own, " \t\r\n"):
		return errors.New("--number must be a number or a name")
	case strings.Trim(h.keys, "0123456789*#ABCDabcd,") != "":
		return fmt.Errorf("--type: keys are 0-9 * # A-D, and a comma is a pause; not %q", h.keys)
	case h.after < 0 || h.last < 0 || h.answerAfter < 0:
		return errors.New("times must not be negative")
	case h.calls < 1:
		return errors.New("--calls must be at least 1")
	case refusing > 1:
		return errors.New("give one of --busy, --reject and --no-answer")
	case h.direct && h.server != "":
		return errors.New("--direct does without a server: leave --server out")
	}
	return nil
}

// read reads the files that the command line names, and finds out whether what is
// heard can be written.
func (h *handset) read(files *named) error {
	if files.speak != "" {
		raw, err := os.ReadFile(files.speak)
		if err == nil {
			h.speak, err = audio.ReadClip(raw)
		}
		if err != nil {
			return fmt.Errorf("--speak %s: %w", files.speak, err)
		}
	}
	if files.password != "" {
		raw, err := os.ReadFile(files.password)
		if err != nil {
			return fmt.Errorf("--password-file: %w", err)
		}
		h.password = strings.TrimRight(string(raw), "\r\n")
	}
	if files.ca != "" {
		raw, err := os.ReadFile(files.ca)
		if err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
		h.roots = x509.NewCertPool()
		if !h.roots.AppendCertsFromPEM(raw) {
			return fmt.Errorf("--ca: there is no certificate in %s", files.ca)
		}
	}
	if h.save != "" {
		f, err := os.OpenFile(h.save, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return fmt.Errorf("--save: %w", err)
		}
		return f.Close()
	}
	return nil
}

// locate finds the server, and where the phone listens for it.
func (h *handset) locate() error {
	if h.direct {
		h.listen = cmp.Or(h.listen, "127.0.0.1:0")
		return nil
	}
	if h.server == "" {
		if h.server = server.SIPEndpoint(&server.Config{Data: h.data}); h.server == "" {
			return fmt.Errorf("no server that takes calls runs on the data folder %s: start one with \"ringdown serve%s\", name its folder with --data, or its address with --server", h.data, (&settings{Config: server.Config{Data: h.data}}).dataFlag())
		}
	}
	if h.listen != "" {
		return nil
	}
	loopback, ok := loopbackOf(h.server)
	if !ok {
		return &usageError{fmt.Errorf("--listen: the server %s is not on this machine: say at which address it reaches this one, such as --listen 192.0.2.10:0", h.server)}
	}
	h.listen = netip.AddrPortFrom(loopback, 0).String()
	return nil
}

// loopbackOf is the address of this machine that a server on this machine reaches;
// false for one on another.
func loopbackOf(address string) (netip.Addr, bool) {
	host := address
	if scheme, rest, ok := strings.Cut(host, ":"); ok && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")) {
		host = rest
	}
	host, _, _ = strings.Cut(host, ";")
	if at := strings.LastIndex(host, "@"); at >= 0 {
		host = host[at+1:]
	}
	if i := strings.LastIndex(host, ":"); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	switch {
	case err != nil || !a.IsLoopback():
		return netip.Addr{}, false
	case a.Is4():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	return a, true
}

// phoneCall dials a number, or waits for calls.
func phoneCall(ctx context.Context, p *program, dial bool, args []string) (err error) {
	h := &handset{outgoing: dial}
	if err := h.parse(p, args); err != nil {
		return err
	}
	if err := h.locate(); err != nil {
		return err
	}
	o := phone.Options{
		Listen: h.listen, Server: h.server, Number: h.own, Username: h.username, Password: h.password, Roots: h.roots,
		Register: !dial && !h.direct, Headers: h.headers,
		Logger: slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	v := &vigil{p: p, handset: h, began: time.Now(), hurry: make(chan struct{})}
	if v.phone, err = phone.New(ctx, o); err != nil {
		return err
	}
	defer v.hasten(ctx)()
	defer func() {
		if parting := v.hangUp(); !errors.Is(err, errAtOnce) {
			err = errors.Join(err, parting)
		}
	}()
	if dial {
		return v.dial(ctx)
	}
	return v.wait(ctx)
}
