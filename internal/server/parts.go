package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// A part is something that a server is made of: what it opens when it starts and
// closes when it stops, and what that shows beside the API. Each of the functions
// may be nil.
type part struct {
	name string
	// open begins its work. The parts before it are open.
	open func(ctx context.Context) error
	// show adds its pages and its metrics. All parts are open but the last, which
	// is what they are shown by.
	show func(to *own)
	// drain refuses what is new and waits for what is under way, for a while.
	// Everything still works.
	drain func()
	// close ends its work. The parts before it are still open. It is called as well
	// when open has failed, whatever that has left.
	close func() error
}

// own is what a server serves of its own, beside the API: all below /-/, and what
// is measured.
type own struct {
	*http.ServeMux

	uncleaned []uncleaned
	metrics   *prometheus.Registry
}

// uncleaned is what begins with a prefix.
type uncleaned struct {
	prefix string
	pages  http.Handler
}

// asIs serves all paths with a prefix as they come: the mux redirects to cleaner
// ones.
func (o *own) asIs(prefix string, h http.Handler) {
	o.uncleaned = append(o.uncleaned, uncleaned{prefix, h})
}

// ServeHTTP implements http.Handler.
func (o *own) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, u := range o.uncleaned {
		if strings.HasPrefix(r.URL.Path, u.prefix) {
			u.pages.ServeHTTP(w, r)
			return
		}
	}
	o.ServeMux.ServeHTTP(w, r)
}

// below serves a path and all that is below it.
func (o *own) below(path string, h http.Handler) {
	o.Handle(path, h)
	o.Handle(path+"/", h)
}

// parts are opened from the first to the last, and closed from the last to the
// first.
type parts struct {
	all   []part
	begun int // as many are open, the last of them perhaps not wholly
}

// open opens all parts. When one fails, those that are open are closed.
func (p *parts) open(ctx context.Context) error {
	for _, each := range p.all {
		p.begun++
		if each.open == nil {
			continue
		}
		if err := each.open(ctx); err != nil {
			return errors.Join(err, p.close())
		}
	}
	return nil
}

// show adds what the parts show.
func (p *parts) show(to *own) {
	for _, each := range p.all {
		if each.show != nil {
			each.show(to)
		}
	}
}

// drain lets what is under way end, in the order in which parts are closed.
func (p *parts) drain() {
	for i := p.begun - 1; i >= 0; i-- {
		if drain := p.all[i].drain; drain != nil {
			drain()
		}
	}
}

// close closes the parts that are open, even if one of them fails to.
func (p *parts) close() (err error) {
	for ; p.begun > 0; p.begun-- {
		if end := p.all[p.begun-1].close; end != nil {
			err = errors.Join(err, end())
		}
	}
	return err
}
