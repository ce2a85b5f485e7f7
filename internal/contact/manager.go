package contact

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ringdown/internal/contact/lease"
	"ringdown/internal/contact/queue"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Manager owns all live contacts of a server.
type Manager struct {
	opts    Options
	store   store.Store
	library library
	queues  queue.Index
	lease   *lease.Lease // which lets this server run the contacts

	ctx    context.Context // of what contacts do; ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // the owners, and what they have sent out

	mu     sync.Mutex
	live   map[domain.ContactID]*live
	chains map[domain.ContactID]*chain // of live contacts, by their first contact
	closed bool

	ended [64]sync.Mutex // locks of contacts that have ended, by their id
}

// New returns a Manager that runs nothing yet. Open gives it its store, before
// anything else of it is used.
func New(o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	m := &Manager{opts: o, live: map[domain.ContactID]*live{}, chains: map[domain.ContactID]*chain{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// now is the clock as it is stored: UTC, microseconds.
func (m *Manager) now() time.Time { return m.opts.Now().UTC().Truncate(time.Microsecond) }

// errClosed is what Do answers after Close.
var errClosed = errors.New("contacts are not served any more")

// Open takes up the contacts that lived when the server last stopped: chats and
// tasks go on where they were, calls end. It returns when all of them have
// owners.
//
// Shared says that other servers write to the same store; see lease.go.
func (m *Manager) Open(ctx context.Context, st store.Store, shared bool) error {
	m.store = st
	m.lease = m.newLease(shared)
	return m.lease.Open(ctx)
}

// adoptAll takes up all contacts that live. None goes on before all have owners,
// since some change others.
func (m *Manager) adoptAll(ctx context.Context) error {
	const batch = 500
	all := make(chan struct{})
	defer close(all)
	instances := map[store.PK]Instance{}
	var n adopted
	after := ""
	for {
		rows, err := m.store.LiveContacts(ctx, after, batch)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.ID
			if err := m.adopt(ctx, row, instances, all, &n); err != nil {
				return err
			}
		}
		if len(rows) == batch {
			continue
		}
		if n.contacts > 0 {
			m.opts.Logger.Info("contacts are taken up that lived when a server stopped; the calls among them, which that has cut off, end",
				slog.Int("contacts", n.contacts), slog.Int("calls", n.calls))
		}
		return nil
	}
}

// adopted counts contacts that are taken up, and the calls among them.
type adopted struct{ contacts, calls int }

// adopt makes a stored contact live; it goes on when all is closed. One that
// cannot be read is left as it is, so that it does not keep the others from going
// on.
func (m *Manager) adopt(ctx context.Context, row *store.Contact, instances map[store.PK]Instance, all <-chan struct{}, n *adopted) error {
	in, known := instances[row.Instance]
	if !known {
		found, err := m.opts.Configuration.Instance(ctx, row.Instance)
		if fault.Is(err, fault.ResourceNotFound) { // it is being deleted
			return nil
		}
		if err != nil {
			return err
		}
		in, instances[row.Instance] = found, found
	}
	c, err := decode(row)
	var st *state
	if err == nil {
		st, err = decodeState(row)
	}
	if err != nil {
		m.opts.Logger.Error("a contact cannot be taken up", slog.String("contact", row.ID), slog.Any("err", err))
		return nil
	}
	l := m.newLive(in, c, st)
	l.version = row.Version
	n.contacts++
	if l.cutOff() {
		n.calls++
	}
	m.start(l, func() {
		select {
		case <-all:
			l.must(func(t *Transition) { t.resumeLife() })
		case <-m.ctx.Done():
		}
	})
	return nil
}

// Close stops all owners where they are; what they do next is in the store. It
// may be called twice.
func (m *Manager) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	end := func() {
		m.cancel()
		m.work.Wait()
	}
	if m.lease == nil { // it was never opened
		end()
	} else {
		m.lease.Close(end)
	}
	return nil
}

// Live counts the live contacts.
func (m *Manager) Live() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live)
}

// find returns the live contact, nil when it is not live here.
func (m *Manager) find(in Instance, id domain.ContactID) *live {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.live[id]
	if l == nil || l.in.PK != in.PK {
		return nil
	}
	return l
}

// start gives a contact its owner, whose first work is first. When the server
// stops, or the contact has an owner, there is none.
func (m *Manager) start(l *live, first func()) {
	m.mu.Lock()
	if m.closed || m.live[l.id] != nil {
		m.mu.Unlock()
		l.hangupAll()
		m.release(l)
		close(l.gone)
		return
	}
	m.live[l.id] = l
	m.work.Add(1)
	m.mu.Unlock()
	go func() {
		defer m.work.Done()
		l.own(first)
	}()
}

// spawn runs what an owner has sent out.
func (m *Manager) spawn(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.work.Go(f)
}

// Read returns a contact as it was last stored.
func (m *Manager) Read(ctx context.Context, in Instance, id string) (*domain.Contact, error) {
	row, err := m.row(ctx, m.store, in, id)
	if err != nil {
		return nil, err
	}
	return decode(row)
}

func (m *Manager) row(ctx context.Context, rd store.Reader, in Instance, id string) (*store.Contact, error) {
	id, err := contactID(in, id)
	if err != nil {
		return nil, err
	}
	return rd.Contact(ctx, in.PK, id)
}

// contactID takes an id or an ARN of a contact of the instance.
func contactID(in Instance, idOrARN string) (string, error) {
	if !domain.IsARN(idOrARN) {
		return idOrARN, nil
	}
	arn, err := domain.ParseARN(idOrARN)
	if err != nil {
		return "", err
	}
	if arn.Kind != domain.KindContact || arn.Instance != in.ID || arn.Region != in.Region || arn.Account != in.Account {
		return "", fault.New(fault.ResourceNotFound, "Contact %s not found.", idOrARN)
	}
	return arn.ID, nil
}

// Attributes are the user-defined attributes of a contact's chain, never nil.
func (m *Manager) Attributes(ctx context.Context, in Instance, initial domain.ContactID) (map[string]string, error) {
	return readAttributes(ctx, m.store, in, initial)
}

// Do changes a contact on its owner's goroutine, or, when it has ended, under
// its lock. What fn does is stored before Do returns. An error of fn, returned
// as it is, changes nothing; fn must then not have changed anything.
func (m *Manager) Do(ctx context.Context, in Instance, id string, fn func(t *Transition) error) error {
	id, err := contactID(in, id)
	if err != nil {
		return err
	}
	if err := m.elsewhere(); err != nil {
		return err
	}
	for {
		if m.ctx.Err() != nil {
			return errClosed
		}
		l := m.find(in, domain.ContactID(id))
		if l == nil {
			again, err := m.doEnded(ctx, in, id, fn)
			if !again {
				return err
			}
			continue
		}
		result := make(chan error, 1)
		select {
		case l.mail <- func() {
			if l.isLost() {
				result <- m.elsewhere()
				return
			}
			result <- l.transition(ctx, fn)
		}:
			return <-result
		case <-l.gone: // it has ended meanwhile
		case <-ctx.Done():
			return ctx.Err()
		case <-m.ctx.Done():
			return errClosed
		}
	}
}

// doEnded is Do for a contact that is not live. Again is true when it turned
// out to live.
func (m *Manager) doEnded(ctx context.Context, in Instance, id string, fn func(t *Transition) error) (again bool, err error) {
	lock := &m.ended[stripe(id)]
	lock.Lock()
	defer lock.Unlock()
	if m.find(in, domain.ContactID(id)) != nil {
		return true, nil
	}
	row, err := m.store.Contact(ctx, in.PK, id)
	if err != nil {
		return false, err
	}
	if row.Live {
		// It was born this moment and its owner is about to begin, or another
		// server owns it.
		return false, fault.New(fault.ResourceConflict, "Contact %s is being started.", id)
	}
	l, err := m.load(ctx, in, row)
	if err != nil {
		return false, err
	}
	defer m.release(l)
	return false, l.transition(ctx, fn)
}

func stripe(id string) int {
	sum := 0
	for i := range len(id) {
		sum = sum*31 + int(id[i])
	}
	return (sum%64 + 64) % 64
}
