// Package dispatch carries events from the journal to the sinks.
//
// One reader takes chunks from the journal, workers evaluate them against the
// route table in force, and a hand-off gives each endpoint its deliveries in
// the order of the journal. An endpoint that cannot keep up is detached: it
// keeps its position and follows the journal by itself, at its own pace, until
// it has caught up. Nothing is settled for an endpoint until its sink took it,
// or it lies among the retries or the dead letters, on disk.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/route"
)

// Journal is what dispatch needs of the durable log of events.
type Journal interface {
	// Read yields the chunks from sequence from on, or from the first that is
	// kept, and waits at the end for more until ctx is done. An error is about
	// chunks that cannot be read; what follows them comes after it.
	Read(ctx context.Context, from uint64) iter.Seq2[event.Chunk, error]
	// Last is the sequence of the newest durable chunk; 0 when there is none.
	Last() uint64
	LoadMarks(ctx context.Context) ([]delivery.Mark, error)
	SaveMarks(ctx context.Context, marks []delivery.Mark) error
}

// Spool is a durable bag of deliveries: retries in one, dead letters in
// another. Its methods return when the change is on disk.
type Spool interface {
	// Replace puts letters, returns their names, and removes refs; an error
	// never leaves a removal alone.
	Replace(ctx context.Context, refs []delivery.Ref, letters []delivery.DeadLetter) ([]delivery.Ref, error)
	Get(ctx context.Context, ref delivery.Ref) (delivery.DeadLetter, error)
	All(ctx context.Context) iter.Seq2[delivery.Kept, error]
}

// Sink is what dispatch needs of a connector; packages under sink implement it.
type Sink interface {
	// Send tries each delivery once and returns one outcome for each, in the
	// same order. It never retries, and never holds on to its arguments. When
	// it sends piecemeal, it answers [delivery.NotTried] for a delivery whose
	// key failed earlier in the batch.
	Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome
	// Capacity says how Send is to be called. It does not change.
	Capacity() delivery.Capacity
	Close() error
}

// Recorder is told of every try. It does not hold on to tries, which are used
// again, but may to the deliveries that they point to.
type Recorder interface {
	Record(tries []delivery.Try)
}

// Endpoint is a configured endpoint with its open sink.
type Endpoint struct {
	Name   string
	Policy delivery.Policy
	// Paused means that nothing is sent, and nothing grows too old: what is owed
	// waits until somebody resumes the endpoint.
	Paused bool
	// Sink is owned by the dispatcher from Open or Swap on. A different value
	// than before replaces the endpoint's sink.
	Sink Sink
}

// Plan is what is in force: a table, and the endpoints that its rules name by
// their index.
type Plan struct {
	Table     *route.Table
	Endpoints []Endpoint
}

// Options are the optional parts of a dispatcher.
type Options struct {
	Workers  int           // goroutines that evaluate routes; default 2
	SaveMark time.Duration // how often positions are saved; default 200 ms
	Recorder Recorder
	// Accepted is told of every chunk once, as the live reader takes it; it must
	// not block. Nil tells nobody.
	Accepted func(event.Chunk)
	Logger   *slog.Logger
}

// Dispatcher is the engine. Its methods may be called from any goroutine.
type Dispatcher struct {
	journal  Journal
	retries  Spool
	letters  Spool
	recorder Recorder
	log      *slog.Logger
	opts     Options

	force atomic.Pointer[force]
	// read is the sequence of the newest chunk that the live reader took.
	read atomic.Uint64

	swap    sync.Mutex               // serialises Swap and Close; guards leaving
	leaving map[string]chan struct{} // runners that end; closed when their sink is
	saving  chan struct{}            // holds one while save is at work
	slowly  chan struct{}            // holds one while a slow route is evaluated

	mu      sync.Mutex // guards what follows
	runners map[string]*runner
	buried  map[string]*burialOf // estates that are not among the dead letters yet
	dirty   bool                 // the set of runners changed since the last save
	free    uint64               // the end of the journal when nobody owed anything

	ctx    context.Context // of the goroutines; ended by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	closed bool

	burying    context.Context // of estates; ended when Close has waited enough
	stopBurial context.CancelFunc
	estates    sync.WaitGroup
}

// force is a plan in force with the runners of its endpoints, in their order.
type force struct {
	Plan
	runners []*runner
}

// Open loads the positions and retries that j and the spools keep, and starts
// to dispatch under plan. The dispatcher owns plan's table and sinks from now
// on, also when an error is returned.
func Open(ctx context.Context, j Journal, retries, letters Spool, plan Plan, opts Options) (*Dispatcher, error) {
	if opts.Workers <= 0 {
		opts.Workers = 2
	}
	if opts.SaveMark <= 0 {
		opts.SaveMark = 200 * time.Millisecond
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Accepted == nil {
		opts.Accepted = func(event.Chunk) {}
	}
	if opts.Recorder == nil {
		opts.Recorder = discard{}
	}
	d := &Dispatcher{
		journal: j, retries: retries, letters: letters,
		recorder: opts.Recorder, log: opts.Logger, opts: opts,
		runners: map[string]*runner{}, leaving: map[string]chan struct{}{}, buried: map[string]*burialOf{},
		saving: make(chan struct{}, 1), slowly: make(chan struct{}, 1),
	}
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.burying, d.stopBurial = context.WithCancel(context.WithoutCancel(ctx))
	live, err := d.recover(ctx, plan)
	if err != nil {
		d.cancel()
		d.stopBurial()
		plan.Table.Close()
		closeSinks(plan.Endpoints)
		return nil, fmt.Errorf("dispatch: %w", err)
	}
	d.wg.Go(func() { d.runLive(d.ctx, live) })
	d.wg.Go(func() { d.saveMarks(d.ctx) })
	return d, nil
}

type discard struct{}

func (discard) Record([]delivery.Try) {}

func closeSinks(endpoints []Endpoint) {
	for _, e := range endpoints {
		e.Sink.Close()
	}
}

// recover makes a runner for each endpoint, at its saved position and with the
// retries that it still owes, and returns where the live reader starts.
func (d *Dispatcher) recover(ctx context.Context, plan Plan) (live uint64, err error) {
	loaded, err := d.journal.LoadMarks(ctx)
	if err != nil {
		return 0, fmt.Errorf("load positions: %w", err)
	}
	marks := map[string]delivery.Mark{}
	for _, m := range loaded {
		marks[m.Endpoint] = m
	}
	// An endpoint without a mark was stored by a change that never was
	// answered: it owes nothing that came before.
	next := d.journal.Last() + 1
	live = 1
	for _, e := range plan.Endpoints {
		m, ok := marks[e.Name]
		if !ok || m.Low > next {
			m = delivery.Mark{Endpoint: e.Name, Low: next}
		}
		live = max(live, m.Low)
		d.runners[e.Name] = newRunner(d, e, m, nil)
	}
	if len(plan.Endpoints) == 0 {
		live = next
	}
	d.force.Store(d.inForce(plan))
	// The runners compare themselves with the live reader from the start.
	d.read.Store(live - 1)
	if err := d.loadRetries(ctx); err != nil {
		return 0, fmt.Errorf("load retries: %w", err)
	}
	if err := d.save(ctx); err != nil {
		return 0, fmt.Errorf("save positions: %w", err)
	}
	for _, r := range d.runners {
		r.start(d.ctx)
	}
	return live, nil
}

// inForce pairs plan with the runners of its endpoints.
func (d *Dispatcher) inForce(plan Plan) *force {
	f := &force{Plan: plan, runners: make([]*runner, len(plan.Endpoints))}
	for i, e := range plan.Endpoints {
		f.runners[i] = d.runners[e.Name]
	}
	return f
}

// Swap puts plan in force. When it returns nil, every event accepted from now
// on is evaluated under plan. Endpoints are known by name: one that is new
// starts with the next event; one that is gone ends, and what it still owed
// becomes dead letters: [Dispatcher.Buried] tells when.
//
// Everything that can fail on plan's own account was done by whoever built it;
// an error means that the journal could not save the positions of new
// endpoints, and that the plan before is in force still; plan's table and new
// sinks are then the caller's.
func (d *Dispatcher) Swap(ctx context.Context, plan Plan) error {
	d.swap.Lock()
	defer d.swap.Unlock()
	if d.closed {
		return errors.New("dispatch: swap after close")
	}
	added, err := d.add(ctx, plan)
	if err != nil {
		return err
	}
	d.mu.Lock()
	now := d.inForce(plan)
	old := d.force.Swap(now)
	gone := maps.Clone(d.runners)
	for _, e := range plan.Endpoints {
		delete(gone, e.Name)
	}
	for name := range gone {
		delete(d.runners, name)
		d.dirty = true
	}
	d.mu.Unlock()
	for i, e := range plan.Endpoints {
		now.runners[i].configure(e)
	}
	for _, r := range added {
		r.start(d.ctx)
	}
	maps.DeleteFunc(d.leaving, func(_ string, ended chan struct{}) bool { return isClosed(ended) })
	for name, r := range gone {
		d.leaving[name] = r.crew.ended
		d.estates.Go(d.willBury(r))
	}
	if old.Table != plan.Table {
		old.Table.Close()
	}
	return nil
}

// willBury returns what ends r, whose endpoint was deleted.
func (d *Dispatcher) willBury(r *runner) func() {
	d.mu.Lock()
	before, b := d.buried[r.name], &burialOf{done: make(chan struct{})}
	d.buried[r.name] = b
	d.mu.Unlock()
	return func() {
		b.err = r.remove()
		if before != nil { // of an endpoint of the same name
			<-before.done
			b.err = errors.Join(b.err, before.err)
		}
		d.mu.Lock()
		if d.buried[r.name] == b {
			delete(d.buried, r.name)
		}
		d.mu.Unlock()
		close(b.done)
	}
}

// burialOf is the end of a deleted endpoint. Err is set when done is closed.
type burialOf struct {
	done chan struct{}
	err  error
}

// Buried waits until what a deleted endpoint still owed is among the dead
// letters, on disk. Until then a crash would lose what only memory held. An
// error means that ctx, or the dispatcher, ended first.
func (d *Dispatcher) Buried(ctx context.Context, endpoint string) error {
	d.mu.Lock()
	b := d.buried[endpoint]
	d.mu.Unlock()
	if b == nil {
		return nil
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// add makes a runner for each endpoint of plan that has none, starting with the
// next chunk, and saves where they start: the 2xx that follows promises these
// endpoints their events, also after a crash.
func (d *Dispatcher) add(ctx context.Context, plan Plan) ([]*runner, error) {
	next := d.journal.Last() + 1
	var added []*runner
	d.mu.Lock()
	for _, e := range plan.Endpoints {
		if d.runners[e.Name] == nil {
			r := newRunner(d, e, delivery.Mark{Endpoint: e.Name, Low: next}, d.leaving[e.Name])
			d.runners[e.Name] = r
			added = append(added, r)
		}
	}
	d.mu.Unlock()
	if len(added) == 0 {
		return nil, nil
	}
	err := d.save(ctx)
	if err == nil {
		return added, nil
	}
	d.mu.Lock()
	for _, r := range added {
		delete(d.runners, r.name)
	}
	d.mu.Unlock()
	return nil, fmt.Errorf("dispatch: save positions: %w", err)
}

// Close stops taking events from the journal, lets what is under way finish
// until ctx ends, saves the positions and closes the sinks. It is idempotent.
func (d *Dispatcher) Close(ctx context.Context) error {
	d.swap.Lock()
	defer d.swap.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	runners := d.all()
	for _, r := range runners {
		r.drain()
	}
	for _, r := range runners {
		r.waitDrained(ctx)
	}
	d.cancel()
	d.wg.Wait()
	for _, r := range runners {
		r.close()
	}
	d.force.Load().Table.Close()
	d.waitEstates(ctx)
	// The positions are saved whatever became of ctx: they are why a restart
	// does not repeat what was just drained.
	if err := d.save(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("dispatch: save positions: %w", err)
	}
	return nil
}

// waitEstates waits until what removed endpoints owed is among the dead
// letters, or ctx ends.
func (d *Dispatcher) waitEstates(ctx context.Context) {
	stop := context.AfterFunc(ctx, d.stopBurial)
	d.estates.Wait()
	stop()
	d.stopBurial()
}

// all returns the runners.
func (d *Dispatcher) all() []*runner {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.runners))
}

// saveMarks keeps the positions on disk until ctx ends. A save that fails is
// tried again: old positions only mean that more is delivered twice after a
// crash.
func (d *Dispatcher) saveMarks(ctx context.Context) {
	tick := time.NewTicker(d.opts.SaveMark)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !d.changed() && !failing {
			continue
		}
		err := d.save(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			d.log.Warn("positions not saved; trying again", "err", err)
		}
		failing = err != nil
	}
}

// changed reports whether there is anything to be saved. Where nobody owes
// anything, the end of the journal is: else what is behind it never went.
func (d *Dispatcher) changed() bool {
	last := d.journal.Last()
	d.mu.Lock()
	defer d.mu.Unlock()
	changed := d.dirty || len(d.runners) == 0 && last != d.free
	d.dirty, d.free = false, last
	for _, r := range d.runners {
		// No short cut: each runner's flag is to be taken down.
		changed = r.takeDirty() || changed
	}
	return changed
}

// save writes the positions of all runners. Saves are serial, so that an older
// set never replaces a newer one.
func (d *Dispatcher) save(ctx context.Context) error {
	select {
	case d.saving <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-d.saving }()
	runners := d.all()
	marks := make([]delivery.Mark, 0, len(runners))
	for _, r := range runners {
		marks = append(marks, r.mark())
	}
	return d.journal.SaveMarks(ctx, marks)
}
