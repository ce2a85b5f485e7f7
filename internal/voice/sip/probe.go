package sip

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// probeTimeout is how long a trunk may take to answer OPTIONS: long enough for four
// retransmissions.
const probeTimeout = 8 * time.Second

// probe asks a trunk from time to time whether it is there (RFC 3261 §11). It has one
// goroutine, from start to stop. A trunk that has not been asked yet counts as up.
type probe struct {
	requester requester
	trunk     *Trunk
	logger    *slog.Logger
	down      atomic.Bool
	asked     bool
	cancel    context.CancelFunc
	done      chan struct{}
}

func newProbe(r requester, t *Trunk, logger *slog.Logger) *probe {
	return &probe{requester: r, trunk: t, logger: logger}
}

// up tells whether the trunk has answered when it was last asked.
func (p *probe) up() bool { return !p.down.Load() }

// start asks until stop.
func (p *probe) start(ctx context.Context) {
	ctx, p.cancel = context.WithCancel(ctx)
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			if err := p.ask(ctx); ctx.Err() == nil {
				p.tell(err)
			}
			timer.Reset(p.trunk.Probe)
		}
	}()
}

// stop ends what start began. It may be called twice.
func (p *probe) stop() {
	if p.cancel != nil {
		p.cancel()
		<-p.done
	}
}

// ask sends OPTIONS. Any answer shows that the trunk is there, even that it does not
// know the method, but for those that say it cannot take calls now.
func (p *probe) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var target sip.Uri
	if err := sip.ParseUri(p.trunk.Address, &target); err != nil {
		return err
	}
	req := sip.NewRequest(sip.OPTIONS, target)
	req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	res, err := p.requester.request(ctx, p.trunk, req)
	switch {
	case err != nil && errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer")
	case err != nil:
		return err
	case res.StatusCode == sip.StatusServiceUnavailable || res.StatusCode == sip.StatusRequestTimeout:
		return &refusal{status: res.StatusCode}
	}
	return nil
}

// tell logs a change, once.
func (p *probe) tell(err error) {
	was := p.down.Swap(err != nil)
	switch {
	case err != nil && (!was || !p.asked):
		p.logger.Warn("SIP trunk is down", "trunk", p.trunk.Name, "error", err)
	case err == nil && was:
		p.logger.Info("SIP trunk is up again", "trunk", p.trunk.Name)
	}
	p.asked = true
}
