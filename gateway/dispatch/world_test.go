package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

// world is what surrounds the dispatchers of one run of the model: a disk that
// is slow and fails, endpoints that fail in every way, and a ledger of all that
// they were sent. What happens depends on the seed and on what is asked alone,
// not on the order in which goroutines ask.
type world struct {
	seed  uint64
	calm  atomic.Bool // from now on everything works
	big   bool        // events are large, so that the bounds on bytes are met
	disk  *memory
	spoil atomic.Bool // the disk fails now and then

	mu     sync.Mutex // guards what follows
	life   int        // of the process: crashes and restarts so far
	active map[string]int
	held   map[string]bool // endpoints that must be sent nothing
	tries  map[identity]int
	dead   map[identity]bool // given up at some time, maybe not for good: the process may have died
	log    []sent            // what was taken, in order
	errs   []error
}

// identity names a delivery.
type identity struct {
	endpoint, route string
	position        event.Position
	output          int
}

func identify(d *delivery.Delivery) identity {
	return identity{d.Endpoint, d.Route, d.Position, d.Output}
}

// sent is one delivery that an endpoint took.
type sent struct {
	identity
	key, version string
	life         int
	sink         *worldSink
	redrive      delivery.Ref
}

func newWorld(seed uint64) *world {
	return &world{seed: seed, disk: newMemory(), active: map[string]int{}, held: map[string]bool{}, tries: map[identity]int{}, dead: map[identity]bool{}}
}

// roll draws a number below n that depends on the seed and what alone.
func (w *world) roll(n int, what ...any) int {
	h := fnv.New64a()
	fmt.Fprint(h, w.seed)
	fmt.Fprint(h, what...)
	return rand.New(rand.NewPCG(h.Sum64(), w.seed)).IntN(n)
}

func (w *world) fault(format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf(format, args...))
}

// Record implements dispatch.Recorder.
func (w *world) Record(tries []delivery.Try) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, try := range tries {
		if try.Dead {
			w.dead[identify(try.Delivery)] = true
		}
	}
}

// view is the disk as one life of the process sees it; once it is dead nothing
// that it does has an effect.
type view struct {
	*memory
	w    *world
	dead atomic.Bool
	n    atomic.Int64
}

var errDead = errors.New("this process is dead")

// slow takes the time of a write, and may fail it.
func (v *view) slow(what string) error {
	n := v.n.Add(1)
	if !v.w.calm.Load() {
		time.Sleep(time.Duration(v.w.roll(4, "disk", what, n)) * 300 * time.Microsecond)
		if v.w.spoil.Load() && v.w.roll(12, "spoil", what, n) == 0 {
			return errors.New("disk error")
		}
	}
	if v.dead.Load() {
		return errDead
	}
	return nil
}

func (v *view) SaveMarks(ctx context.Context, marks []delivery.Mark) error {
	if err := v.slow("marks"); err != nil {
		return err
	}
	return errors.Join(v.memory.SaveMarks(ctx, marks), v.slow("marks done"))
}

// spool is a bag of a view.
type spool struct {
	*bag
	v       *view
	letters bool
}

func (s spool) Replace(ctx context.Context, refs []delivery.Ref, letters []delivery.DeadLetter) ([]delivery.Ref, error) {
	if err := s.v.slow("spool"); err != nil {
		return nil, err
	}
	if s.letters {
		s.v.w.checkRemoved(s.bag, refs, letters)
	}
	put, err := s.bag.Replace(ctx, refs, letters)
	// The process may die between the write and its answer.
	time.Sleep(time.Duration(s.v.w.roll(3, "answer", s.v.n.Load())) * 300 * time.Microsecond)
	return put, err
}

func (s spool) Get(ctx context.Context, ref delivery.Ref) (delivery.DeadLetter, error) {
	if s.v.dead.Load() {
		return delivery.DeadLetter{}, errDead
	}
	return s.bag.Get(ctx, ref)
}

func (s spool) All(ctx context.Context) iter.Seq2[delivery.Kept, error] { return s.bag.All(ctx) }

// checkRemoved holds the dispatcher to it that a letter goes only when it was
// delivered, or when another takes its place.
func (w *world) checkRemoved(b *bag, refs []delivery.Ref, put []delivery.DeadLetter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ref := range refs {
		old, err := b.Get(context.Background(), ref)
		if err != nil {
			continue
		}
		taken := slices.ContainsFunc(w.log, func(s sent) bool { return s.redrive == ref })
		again := slices.ContainsFunc(put, func(l delivery.DeadLetter) bool {
			return l.Delivery.Position == old.Delivery.Position && l.Delivery.Route == old.Delivery.Route
		})
		if !taken && !again {
			w.fault("letter %s was removed: neither delivered nor replaced", ref)
		}
	}
}

// worldSink is the sink of one endpoint for one configuration.
type worldSink struct {
	w        *world
	v        *view
	name     string
	capacity delivery.Capacity
	whole    bool // a batch has one outcome
	closed   atomic.Bool
	calls    atomic.Int64
}

func (s *worldSink) Capacity() delivery.Capacity { return s.capacity }
func (s *worldSink) Close() error                { s.closed.Store(true); return nil }

func (s *worldSink) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	s.enter(batch, 1)
	defer s.enter(batch, -1)
	if len(batch) > s.capacity.Batch {
		s.w.mu.Lock()
		s.w.fault("%s got %d deliveries at once, its bound is %d", s.name, len(batch), s.capacity.Batch)
		s.w.mu.Unlock()
	}
	out := make([]delivery.Outcome, len(batch))
	if err := s.work(ctx); err != nil {
		for i := range out {
			out[i] = delivery.Transient(err)
		}
		s.count(batch)
		return out
	}
	if s.v.dead.Load() {
		for i := range out {
			out[i] = delivery.Transient(errDead)
		}
		return out
	}
	if s.whole {
		first := s.outcome(&batch[0])
		for i := range batch {
			s.book(&batch[i], first)
			out[i] = first
		}
		return out
	}
	failed := map[string]bool{}
	for i := range batch {
		if failed[batch[i].Key] && batch[i].Key != "" {
			out[i] = delivery.NotTried()
			continue
		}
		out[i] = s.outcome(&batch[i])
		s.book(&batch[i], out[i])
		failed[batch[i].Key] = !out[i].Settled()
	}
	return out
}

// work takes the time of a call: seldom until the deadline.
func (s *worldSink) work(ctx context.Context) error {
	if s.w.calm.Load() {
		return nil
	}
	n := s.calls.Add(1)
	took := time.Duration(s.w.roll(4, s.name, "took", n)) * time.Millisecond
	switch s.w.roll(40, s.name, "hang", n) {
	case 0:
		took = time.Hour
	case 1, 2:
		took = time.Second
	}
	select {
	case <-time.After(took):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *worldSink) outcome(d *delivery.Delivery) delivery.Outcome {
	id := identify(d)
	s.w.mu.Lock()
	n := s.w.tries[id]
	s.w.mu.Unlock()
	if s.w.roll(40, id, "reject") == 0 && n < 3 {
		return delivery.Permanent(errors.New("422"))
	}
	if s.w.calm.Load() {
		return delivery.Delivered()
	}
	switch p := s.w.roll(100, id, n); {
	case p < 15:
		return delivery.Transient(errors.New("503"))
	case p < 18:
		return delivery.Transient(errors.New("429")).After(2 * time.Second)
	case p < 19:
		return delivery.Refused(errors.New("401"))
	}
	return delivery.Delivered()
}

func (s *worldSink) count(batch []delivery.Delivery) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for i := range batch {
		s.w.tries[identify(&batch[i])]++
	}
}

func (s *worldSink) book(d *delivery.Delivery, out delivery.Outcome) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.closed.Load() {
		s.w.fault("%s was sent to after Close", s.name)
	}
	id := identify(d)
	s.w.tries[id]++
	if out.Blame != delivery.None {
		return
	}
	entry := sent{identity: id, key: d.Key, life: s.w.life, sink: s}
	entry.version, _ = d.Event.Extension("producedby")
	if d.Redrive != nil {
		entry.redrive = d.Redrive.Letter
	}
	s.w.log = append(s.w.log, entry)
}

// enter notes that a call begins or ends. Calls for one key of one endpoint
// never overlap, whatever was swapped.
func (s *worldSink) enter(batch []delivery.Delivery, by int) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if by > 0 && s.w.held[s.name] && !s.v.dead.Load() {
		s.w.fault("%s is paused, and was sent %d deliveries", s.name, len(batch))
	}
	seen := map[string]bool{}
	for i := range batch {
		if key := batch[i].Key; key != "" && !seen[key] {
			seen[key] = true
			at := fmt.Sprint(s.w.lifeOf(s.v), s.name, key)
			if s.w.active[at] += by; s.w.active[at] > 1 {
				s.w.fault("two sends of %s for key %q at once", s.name, key)
			}
		}
	}
}

func (w *world) lifeOf(v *view) string { return fmt.Sprintf("%p", v) }

// worldRoute is a route of one version of the table: what it makes of an event
// follows from its fields and the event alone.
type worldRoute struct {
	id       string
	endpoint string
	salt     int
	faulty   bool
	stuck    time.Time // it cannot run before
	shy      time.Time // its events are to wait until then
	lame     bool      // it takes its time
}

func (r *worldRoute) draw(n int, e *event.Event, what string) int {
	h := fnv.New32a()
	fmt.Fprint(h, r.salt, r.id, e.ID, what)
	return int(h.Sum32() % uint32(n))
}

func (r *worldRoute) matches(e *event.Event) bool { return r.draw(3, e, "match") > 0 }
func (r *worldRoute) fails(e *event.Event) bool   { return r.faulty && r.draw(8, e, "fail") == 0 }
func (r *worldRoute) outputs(e *event.Event) int {
	return []int{0, 1, 1, 1, 1, 2, 3}[r.draw(7, e, "n")]
}

// Run implements pipeline.Stage.
func (r *worldRoute) Run(ctx context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	if r.lame {
		time.Sleep(time.Duration(len(in)) * 4 * time.Millisecond)
	}
	if time.Now().Before(r.stuck) {
		return nil, errors.New("no instance")
	}
	if rest := time.Until(r.shy); rest > 0 {
		return nil, leftAlone(rest)
	}
	for _, item := range in {
		if r.fails(item.Source) {
			item.Err = errors.New("trap")
			out = append(out, item)
			continue
		}
		for k := range r.outputs(item.Source) {
			e := *item.Event
			e.DataSchema = strconv.Itoa(k)
			next := item
			next.Event = &e
			out = append(out, next)
		}
	}
	return out, nil
}

// leftAlone is how long a plugin is left alone.
type leftAlone time.Duration

func (l leftAlone) Error() string             { return "it is left alone" }
func (l leftAlone) RetryAfter() time.Duration { return time.Duration(l) }

// worldFilters are the filters of a table of world routes.
type worldFilters struct {
	routes []worldRoute
	e      *event.Event
}

func (f *worldFilters) Load(e *event.Event) { f.e = e }
func (f *worldFilters) Matches(dst []int) []int {
	for i := range f.routes {
		if f.routes[i].matches(f.e) {
			dst = append(dst, i)
		}
	}
	return dst
}
func (f *worldFilters) Close() error { return nil }

func worldTable(version int, endpoints []string, routes []worldRoute) (*route.Table, error) {
	rules := make([]route.Rule, len(routes))
	for i := range routes {
		r := &routes[i]
		rules[i] = route.Rule{
			ID: r.id, Endpoint: slices.Index(endpoints, r.endpoint), Filter: i,
			Pipeline: pipeline.New(r), ProducedBy: strconv.Itoa(version),
		}
	}
	return route.NewTable(rules, len(endpoints), func() (route.Filters, error) { return &worldFilters{routes: routes}, nil }, route.Options{})
}
