package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

// memory is a journal and two spools that outlive a dispatcher, as the disk
// does. It works under a simulated clock, which the embedded server does not.
type memory struct {
	mu     sync.Mutex
	chunks []event.Chunk
	grown  chan struct{}
	marks  []delivery.Mark
	at     uint64 // the end when marks were saved
	forget bool   // chunks are read once

	retries, letters *bag
}

func newMemory() *memory {
	return &memory{grown: make(chan struct{}), retries: newBag(), letters: newBag()}
}

func (m *memory) append(events ...event.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chunks = append(m.chunks, event.Chunk{Seq: uint64(len(m.chunks) + 1), Accepted: time.Now(), Events: events})
	close(m.grown)
	m.grown = make(chan struct{})
}

func (m *memory) Last() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.chunks))
}

func (m *memory) Read(ctx context.Context, from uint64) iter.Seq2[event.Chunk, error] {
	return func(yield func(event.Chunk, error) bool) {
		for next := max(from, 1); ; {
			m.mu.Lock()
			grown := m.grown
			var c event.Chunk
			if next <= uint64(len(m.chunks)) {
				if c = m.chunks[next-1]; m.forget {
					m.chunks[next-1].Events = nil
				}
			}
			m.mu.Unlock()
			if c.Seq == 0 {
				select {
				case <-ctx.Done():
					return
				case <-grown:
				}
				continue
			}
			if ctx.Err() != nil || !yield(c, nil) {
				return
			}
			next++
		}
	}
}

func (m *memory) LoadMarks(context.Context) ([]delivery.Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.marks), nil
}

func (m *memory) SaveMarks(_ context.Context, marks []delivery.Mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.marks, m.at = slices.Clone(marks), uint64(len(m.chunks))
	return nil
}

func (m *memory) setMarks(marks ...delivery.Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.marks = marks
}

// saved is how many marks were saved last, and the end of the journal then.
func (m *memory) saved() (int, uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.marks), m.at
}

// low is the low mark of the first endpoint.
func (m *memory) low() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.marks[0].Low
}

type bag struct {
	mu   sync.Mutex
	next uint64
	held map[delivery.Ref]delivery.DeadLetter
	bad  map[delivery.Ref]bool // it cannot be read
	fail error

	blind bool // nothing is kept: memory is measured
}

func newBag() *bag {
	return &bag{held: map[delivery.Ref]delivery.DeadLetter{}, bad: map[delivery.Ref]bool{}}
}

func (b *bag) damage(ref delivery.Ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bad[ref] = true
}

func (b *bag) Replace(_ context.Context, refs []delivery.Ref, letters []delivery.DeadLetter) ([]delivery.Ref, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return nil, b.fail
	}
	for _, ref := range refs {
		delete(b.held, ref)
	}
	b.next++
	var put []delivery.Ref
	for i, l := range letters {
		ref := delivery.Ref{Seq: b.next, Index: i}
		if !b.blind {
			b.held[ref] = l
		}
		put = append(put, ref)
	}
	return put, nil
}

func (b *bag) Get(_ context.Context, ref delivery.Ref) (delivery.DeadLetter, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.held[ref]
	if !ok || b.bad[ref] {
		return l, errors.New("no such letter")
	}
	return l, nil
}

func (b *bag) All(ctx context.Context) iter.Seq2[delivery.Kept, error] {
	return func(yield func(delivery.Kept, error) bool) {
		for _, ref := range b.refs() {
			letter, err := b.Get(ctx, ref)
			if !yield(delivery.Kept{Ref: ref, DeadLetter: letter}, err) {
				return
			}
		}
	}
}

func (b *bag) refs() []delivery.Ref {
	b.mu.Lock()
	defer b.mu.Unlock()
	var refs []delivery.Ref
	for ref := range b.held {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, delivery.Ref.Compare)
	return refs
}

func (b *bag) at(ref delivery.Ref) delivery.DeadLetter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held[ref]
}

func (b *bag) setFail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

// recorder is a sink that keeps what it took, and answers as told.
type recorder struct {
	capacity delivery.Capacity
	answer   func(d delivery.Delivery) delivery.Outcome // nil: everything is delivered
	took     func()                                     // nil: at once

	mu     sync.Mutex
	sent   []delivery.Delivery
	tries  int
	active map[string]int
	errs   []error
	closed bool
}

func newRecorder(answer func(delivery.Delivery) delivery.Outcome) *recorder {
	return &recorder{capacity: delivery.Capacity{Lanes: 4, Batch: 8}, answer: answer, active: map[string]int{}}
}

func (s *recorder) Capacity() delivery.Capacity { return s.capacity }

func (s *recorder) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *recorder) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	s.enter(batch, 1)
	defer s.enter(batch, -1)
	if s.took != nil {
		s.took()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.errs = append(s.errs, errors.New("Send after Close"))
	}
	failed := map[string]bool{}
	out := make([]delivery.Outcome, len(batch))
	for i, d := range batch {
		if d.Key != "" && failed[d.Key] {
			out[i] = delivery.NotTried()
			continue
		}
		s.tries++
		if s.answer != nil {
			out[i] = s.answer(d)
		}
		if out[i].Blame == delivery.None {
			s.sent = append(s.sent, d)
		} else {
			failed[d.Key] = true
		}
	}
	return out
}

// enter notes, for each key of a batch, that a call is under way, and that
// calls for one key never overlap.
func (s *recorder) enter(batch []delivery.Delivery, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	for _, d := range batch {
		if d.Key == "" || seen[d.Key] {
			continue
		}
		seen[d.Key] = true
		if s.active[d.Key] += by; s.active[d.Key] > 1 {
			s.errs = append(s.errs, fmt.Errorf("two sends of key %q at once", d.Key))
		}
	}
}

// ids returns the ids of the events that were delivered, those of key alone if
// one is given.
func (s *recorder) ids(key ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, d := range s.sent {
		if len(key) == 0 || d.Key == key[0] {
			ids = append(ids, d.Event.ID)
		}
	}
	return ids
}

func (s *recorder) deliveries() []delivery.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

func (s *recorder) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

func (s *recorder) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *recorder) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, err := range s.errs {
		t.Error(err)
	}
}

// anything is a table's filters when every rule takes every event.
type anything struct{}

func (anything) Load(*event.Event)       {}
func (anything) Matches(dst []int) []int { return append(dst, 0) }
func (anything) Close() error            { return nil }

func plan(t *testing.T, rules []route.Rule, endpoints ...dispatch.Endpoint) dispatch.Plan {
	t.Helper()
	table, err := route.NewTable(rules, len(endpoints), func() (route.Filters, error) { return anything{}, nil }, route.Options{Warm: 1})
	if err != nil {
		t.Fatal(err)
	}
	return dispatch.Plan{Table: table, Endpoints: endpoints}
}

func rule(id string, endpoint int, stages ...pipeline.Stage) route.Rule {
	return route.Rule{ID: id, Endpoint: endpoint, Pipeline: pipeline.New(stages...), ProducedBy: "0123456789abcdef"}
}

func policy() delivery.Policy { return delivery.DefaultPolicy() }

func twin(id, key string) event.Event {
	return event.Event{ID: id, Source: "host", Type: event.TwinUpdate, Subject: key, Data: []byte(`{}`)}
}

func open(t *testing.T, m *memory, p dispatch.Plan) *dispatch.Dispatcher {
	t.Helper()
	d, err := dispatch.Open(t.Context(), m, m.retries, m.letters, p, dispatch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func closeNow(t *testing.T, d *dispatch.Dispatcher) {
	t.Helper()
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
