package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"ringdown/internal/app/contacts"
	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/fault"
	"ringdown/internal/objects"
	"ringdown/internal/recording"
	"ringdown/internal/store"
	"ringdown/internal/voice/call"
	"ringdown/internal/voice/simulated"
	"ringdown/internal/voice/speech"
)

// Speech says who speaks the texts of flows. The zero value takes an engine that
// is installed.
type Speech struct {
	// Engine is auto, espeak-ng, flite, or none.
	Engine string `yaml:"engine"`
	// URL is a service that speaks: it is sent {"text", "ssml", "voice", "engine",
	// "language"} and answers with a WAV file.
	URL           string `yaml:"url"`
	Authorization string `yaml:"authorization"` // the value of that header
	// Voices are the engine's names of voices such as Joanna.
	Voices map[string]string `yaml:"voices"`
}

// voice is everything about calls: those by SIP, and those that are simulated.
type voice struct {
	simulated *simulated.Dialer
	phones    *telephones
	options   call.Options
	calls     *call.Calls      // nil when there is no SIP
	spool     *recording.Spool // nil until open, or without SIP
	receive   func(ctx context.Context, c contacts.InboundCall) error
	cfg       *Config
	drain     time.Duration
	logger    *slog.Logger
}

// soundLimit is how large a recorded prompt may be: more than an hour of
// telephone sound.
const soundLimit = 64 << 20

// newVoice prepares calls; nothing listens before open.
func newVoice(c *Config, files objects.Store) (_ *voice, err error) {
	v := &voice{cfg: c, phones: newTelephones(c), logger: c.Logger}
	if v.simulated, err = newSimulation(c, files); err != nil {
		return nil, err
	}
	if c.SIPListen == "" {
		return v, nil
	}
	o := call.Options{Arrive: v.arrive, TrunkOf: c.trunkOf(), Elsewhere: v.simulated, Explicit: v.simulated.Knows, Logger: c.Logger, Now: c.Now}
	if o.SIP, err = c.sipOptions(); err != nil {
		return nil, err
	}
	o.SIP.Memory = v.phones
	if o.Media, err = c.mediaOptions(); err != nil {
		return nil, err
	}
	if v.drain, err = c.callDrain(); err != nil {
		return nil, err
	}
	if o.Speech, err = speech.New(speech.Options{
		Engine: c.Speech.Engine, URL: c.Speech.URL, Authorization: c.Speech.Authorization, Voices: c.Speech.Voices, Logger: c.Logger,
	}); err != nil {
		return nil, fmt.Errorf("speech: %w", err)
	}
	o.Sound = func(ctx context.Context, uri string) (*audio.Clip, error) { return readSound(ctx, files, uri) }
	o.Record = v.record
	v.options = o
	v.calls, err = call.New(o)
	return v, err
}

// trunkOf finds the trunk of a number of the inventory.
func (c *Config) trunkOf() func(string) string {
	trunks := map[string]string{}
	for _, n := range c.Numbers {
		if n.Trunk != "" {
			trunks[n.Number] = n.Trunk
		}
	}
	return func(number string) string { return trunks[number] }
}

// Dial implements contact.Dialer.
func (v *voice) Dial(c contact.Call, hear func(contact.LegEvent)) contact.Leg {
	if v.calls == nil {
		return v.simulated.Dial(c, hear)
	}
	return v.calls.Dial(c, hear)
}

// open begins to listen, and tells where: host:port, "" when no calls are taken.
func (v *voice) open(ctx context.Context, files objects.Store, records store.Store, receive func(context.Context, contacts.InboundCall) error) (address string, err error) {
	if v.calls == nil {
		return "", nil
	}
	v.receive = receive
	v.phones.store = records
	if v.spool, err = recording.Open(ctx, recording.Options{Dir: filepath.Join(v.cfg.Data, "recordings"), Store: files, Logger: v.logger}); err != nil {
		return "", err
	}
	err = v.calls.Open(ctx)
	if v.cfg.SIPAnyPort && errors.Is(err, syscall.EADDRINUSE) {
		host, _, splitErr := net.SplitHostPort(v.cfg.SIPListen)
		if splitErr != nil {
			return "", err
		}
		v.logger.Warn("another program uses the SIP port; a free one is taken instead", slog.String("taken", v.cfg.SIPListen))
		v.options.SIP.Listen = net.JoinHostPort(host, "0")
		if err = v.calls.Close(); err != nil {
			return "", err
		}
		if v.calls, err = call.New(v.options); err != nil {
			return "", err
		}
		err = v.calls.Open(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("--sip-listen: %w", err)
	}
	return reachable(v.calls.Endpoint().Addr().String()), nil
}

// arrive takes a call that has come in.
func (v *voice) arrive(a *call.Arrival) {
	if trunk := v.options.TrunkOf(a.To); trunk != "" && trunk != a.Trunk {
		v.logger.Warn("a call came by another trunk than its number has", slog.String("trunk", a.Trunk), slog.String("number's trunk", trunk))
		a.Reject(404)
		return
	}
	// The call is answered, or not, whoever waits for it.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := v.receive(ctx, contacts.InboundCall{Arrival: a, To: a.To, From: a.From, FromName: a.FromName, At: a.At, Headers: a.Headers})
	switch {
	case err == nil:
	case fault.Is(err, fault.ResourceNotFound):
		v.logger.Info("a call was refused: its number leads nowhere", slog.String("trunk", a.Trunk), slog.Any("err", err))
		a.Reject(404)
	case fault.Is(err, fault.LimitExceeded):
		a.Reject(486)
	default:
		v.logger.Error("a call could not be taken", slog.String("trunk", a.Trunk), slog.Any("err", err))
		a.Reject(503)
	}
}

// record begins the recording of a call.
func (v *voice) record(uri string) (call.RecordingFile, error) {
	at, err := objects.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	return v.spool.Create(at)
}

// readSound reads a recorded prompt.
func readSound(ctx context.Context, files objects.Store, uri string) (*audio.Clip, error) {
	at, err := objects.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	file, info, err := files.Get(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if info.Size > soundLimit {
		return nil, fmt.Errorf("%s has %d bytes; a prompt may have %d", uri, info.Size, soundLimit)
	}
	raw, err := io.ReadAll(io.LimitReader(file, soundLimit))
	if err != nil {
		return nil, err
	}
	return audio.ReadClip(raw)
}

// quiesce refuses new calls and lets those under way end, for a while.
func (v *voice) quiesce() {
	if v.calls == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), v.drain)
	defer cancel()
	v.calls.Drain(ctx)
}

// Close ends all calls. It may be called twice, and before open.
func (v *voice) Close() error {
	var err error
	if v.calls != nil {
		err = v.calls.Close()
	}
	if v.options.Speech != nil {
		err = errors.Join(err, v.options.Speech.Close())
	}
	if v.spool != nil {
		err = errors.Join(err, v.spool.Close())
	}
	return errors.Join(err, v.simulated.Close())
}
