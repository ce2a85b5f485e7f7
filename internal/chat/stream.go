package chat

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// Publisher publishes to topics.
type Publisher interface {
	// Publish hands a message over. ErrUnpublishable says that the topic can never
	// take it; any other error that it may later.
	Publish(ctx context.Context, topicARN string, m Message) error
}

// ErrUnpublishable says that a topic can never take a message.
var ErrUnpublishable = errors.New("it can never be published")

// Message is an item of a chat for a topic.
type Message struct {
	Body string    // JSON
	At   time.Time // when it was said
	// Attributes are strings, by their names (administrator guide, "Amazon SNS
	// payload used in message streaming").
	Attributes map[string]string
}

// Store is what streams need of store.Store.
type Store interface {
	Entries(ctx context.Context, q store.EntryQuery) ([]*store.Entry, error)
	Cursor(ctx context.Context, name string) (int64, error)
	Update(ctx context.Context, fn func(store.Tx) error) error
}

// Streams publish the items of chats to topics, in their order and at least once.
// How far a topic has been told is stored, so that after a restart it goes on.
type Streams struct {
	publisher Publisher
	logger    *slog.Logger
	ctx       context.Context //nolint:containedctx // of all workers; it ends with Close
	cancel    context.CancelFunc
	work      sync.WaitGroup

	mu    sync.Mutex
	store Store // nil until Open
	// workers are those of each topic of a chat, by the id of the stream.
	workers map[string]*worker
	// early is what was told before Open.
	early []func()
}

// NewStreams returns streams that publish nothing before Open.
func NewStreams(p Publisher, logger *slog.Logger) *Streams {
	s := &Streams{publisher: p, logger: logger, workers: map[string]*worker{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Open gives the streams the store to read from.
func (s *Streams) Open(st Store) {
	s.mu.Lock()
	s.store = st
	early := s.early
	s.early = nil
	s.mu.Unlock()
	for _, f := range early {
		f()
	}
}

// Close stops publishing. It may be called twice.
func (s *Streams) Close() {
	s.cancel()
	s.work.Wait()
}

// worker publishes one chat to one topic.
type worker struct {
	streams *Streams
	in      contact.Instance
	stream  domain.ChatStream
	chat    domain.ContactID // the first contact of the chain
	wake    chan struct{}    // holds one

	// under Streams.mu
	contacts []domain.ContactID // still to be read, in their order
	last     bool               // no more contacts will come
}

// Streaming is told where the items of a contact go (contact.Audience). Topics
// that are no longer named get what was said until then.
func (s *Streams) Streaming(in contact.Instance, chat, id domain.ContactID, to []domain.ChatStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		s.early = append(s.early, func() { s.Streaming(in, chat, id, to) })
		return
	}
	if s.ctx.Err() != nil {
		return
	}
	named := map[string]bool{}
	for _, stream := range to {
		named[stream.ID] = true
		w := s.workers[stream.ID]
		if w == nil {
			w = &worker{streams: s, in: in, chat: chat, stream: stream, wake: make(chan struct{}, 1)}
			s.workers[stream.ID] = w
			s.work.Go(w.run)
		}
		if n := len(w.contacts); n == 0 || w.contacts[n-1] != id {
			w.contacts = append(w.contacts, id)
		}
		w.nudge()
	}
	for _, w := range s.workers {
		if n := len(w.contacts); n > 0 && w.contacts[n-1] == id && !named[w.stream.ID] {
			w.last = true
			w.nudge()
		}
	}
}

// Deliver is told of an item (contact.Audience).
func (s *Streams) Deliver(_ contact.Instance, chat domain.ContactID, _ *domain.ChatItem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workers {
		if w.chat == chat {
			w.nudge()
		}
	}
}

// nudge never waits.
func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) cursor() string { return "chat-stream/" + w.stream.ID }

// run publishes until the chat is over and all of it is published.
func (w *worker) run() {
	s := w.streams
	const longest = time.Minute
	pause := time.Duration(0)
	at := int64(-1)
	for {
		more, err := w.step(&at)
		switch {
		case s.ctx.Err() != nil:
			return
		case err != nil:
			pause = min(max(2*pause, time.Second), longest)
			s.logger.Warn("a chat could not be published to its topic", slog.String("topic", w.stream.ARN), slog.Any("err", err), slog.Duration("again", pause))
			select {
			case <-time.After(pause):
			case <-s.ctx.Done():
				return
			}
			continue
		}
		pause = 0
		if more {
			continue
		}
		if w.over() {
			return
		}
		select {
		case <-w.wake:
		case <-s.ctx.Done():
			return
		}
	}
}

// over goes on to the next contact of the chain, or ends.
func (w *worker) over() bool {
	s := w.streams
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(w.contacts) > 1 {
		w.contacts = w.contacts[1:]
		w.nudge()
		return false
	}
	if !w.last {
		return false
	}
	// What came since was told after w.last, or before it and the worker was woken.
	select {
	case <-w.wake:
		w.nudge()
		return false
	default:
		delete(s.workers, w.stream.ID)
		return true
	}
}

// step publishes what is next of the contact at work. More says that there may be
// more of it.
func (w *worker) step(at *int64) (more bool, err error) {
	s := w.streams
	if *at < 0 {
		n, err := s.store.Cursor(s.ctx, w.cursor())
		if err != nil {
			return false, err
		}
		*at = n
	}
	s.mu.Lock()
	id := w.contacts[0]
	s.mu.Unlock()
	const batch = 50
	entries, err := s.store.Entries(s.ctx, store.EntryQuery{Stream: store.StreamChat, Instance: w.in.PK, Owner: string(id), After: *at, Limit: batch})
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if err := w.publish(e); err != nil {
			return false, err
		}
		if err := s.store.Update(s.ctx, func(tx store.Tx) error { return tx.SetCursor(s.ctx, w.cursor(), e.Seq) }); err != nil {
			return false, err
		}
		*at = e.Seq
	}
	return len(entries) == batch, nil
}

func (w *worker) publish(e *store.Entry) error {
	i := new(domain.ChatItem)
	if err := json.Unmarshal(e.Doc, i); err != nil {
		w.streams.logger.Error("a chat item cannot be read", slog.String("contact", e.Owner), slog.String("item", e.ID), slog.Any("err", err))
		return nil
	}
	m, err := message(w.in, w.chat, i)
	if err == nil {
		err = w.streams.publisher.Publish(w.streams.ctx, w.stream.ARN, m)
	}
	if errors.Is(err, ErrUnpublishable) {
		w.streams.logger.Error("a chat item is not published", slog.String("contact", e.Owner), slog.String("item", e.ID), slog.String("topic", w.stream.ARN), slog.Any("err", err))
		return nil
	}
	return err
}

// message is an item as a topic gets it.
func message(in contact.Instance, chat domain.ContactID, i *domain.ChatItem) (Message, error) {
	raw, err := wire(chat, i)
	if err != nil {
		return Message{}, err
	}
	attributes := map[string]string{
		"InitialContactId": string(chat), "ContactId": string(i.ContactID), "InstanceId": string(in.ID), "AccountId": in.Account,
		"Type": i.Type, "MessageVisibility": "ALL",
	}
	for name, value := range map[string]string{"ParticipantRole": i.Role, "ContentType": i.ContentType} {
		if value != "" { // a topic takes no empty ones
			attributes[name] = value
		}
	}
	return Message{string(raw), i.At, attributes}, nil
}
