package dispatch_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
)

// TestModel runs the dispatcher through histories drawn from seeds: events,
// outcomes of every kind, swaps, restarts, crashes, redrives, replays, heads of
// keys that are given up by hand or tried before their time. It then holds
// the whole history to these invariants:
//
//  1. Nothing accepted is lost: each output of an event was delivered or lies
//     among the dead letters, when everything came to rest.
//  2. Without crashes, restarts and replays each output is delivered once.
//  3. Within an endpoint and key no event is delivered before an earlier one,
//     unless that became a dead letter; where a route's events wait for its
//     plugin, this holds for each route by itself.
//  4. Sends of one key of an endpoint never overlap, whatever is swapped.
//  5. What one event becomes for an endpoint is made by one table; where a
//     route's events wait, what it becomes by each route.
//  6. What positions cover was delivered, or is on disk: a crash shows it by 1.
//  7. A letter counts the attempts that were made.
//  8. A letter goes only when it was delivered or another takes its place.
//  9. Nothing is left among the retries, and no goroutine is left.
//  10. A new endpoint gets everything that is accepted after the swap.
//  11. A replay delivers everything from where it begins.
//  12. A paused endpoint is sent nothing.
//
// HEADGATE_TEST_SEED runs one seed, HEADGATE_TEST_SEEDS that many.
func TestModel(t *testing.T) {
	first, n := uint64(1), 150
	if testing.Short() {
		n = 30
	}
	if v, err := strconv.ParseUint(os.Getenv("HEADGATE_TEST_SEED"), 10, 64); err == nil {
		first, n = v, 1
	} else if v, err := strconv.Atoi(os.Getenv("HEADGATE_TEST_SEEDS")); err == nil {
		n = v
	}
	for seed := first; seed < first+uint64(n); seed++ {
		ok := t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runModel(t, seed) })
		})
		if !ok {
			t.Errorf("run it alone: HEADGATE_TEST_SEED=%d go test -run TestModel ./gateway/dispatch", seed)
		}
	}
}

// model is one run: a world, the dispatcher that lives in it, and what was
// asked of it.
type model struct {
	t *testing.T
	*world
	rng *rand.Rand

	v       *view
	d       *dispatch.Dispatcher
	cfg     modelConfig
	sinks   map[string]*worldSink
	salt    int
	history []modelConfig // by version

	events  []accepted
	crashed bool
	stopped bool            // restarted, or crashed
	since   map[string]int  // the first event that an endpoint must have
	removed map[string]bool // endpoints that were, at some time
	replays []replay        // of endpoints that still are
	twice   map[string]bool // endpoints that were replayed, at some time
	shy     map[string]bool // endpoints that had a route whose events waited
}

// replay is one that was asked for: of events from the first on that are
// accepted, with what the log held and the version in force by then.
type replay struct {
	endpoint string
	first    int
	logged   int
	version  int
}

// accepted is an event with the newest version that was in force by then.
type accepted struct {
	event.Event
	position event.Position
	version  int
}

// modelConfig is a catalog.
type modelConfig struct {
	version   int
	endpoints []string
	paused    map[string]bool // endpoints; never changed, but replaced
	routes    []worldRoute
}

func runModel(t *testing.T, seed uint64) {
	m := &model{
		t: t, world: newWorld(seed), rng: rand.New(rand.NewPCG(seed, 7)),
		sinks: map[string]*worldSink{}, since: map[string]int{}, removed: map[string]bool{}, twice: map[string]bool{}, shy: map[string]bool{},
	}
	kind := seed % 4 // 0: no crash and no restart, 1: restarts, 2 and 3: both
	m.big = seed%10 == 3
	m.spoil.Store(seed%3 == 0)
	m.cfg = modelConfig{endpoints: []string{"a", "b"}}
	m.addRoutes(3)
	m.start()
	for range 25 + m.rng.IntN(25) {
		m.append(1 + m.rng.IntN(12))
		switch p := m.rng.IntN(20); {
		case p < 5:
			time.Sleep(time.Duration(m.rng.IntN(2000)) * time.Millisecond)
		case p < 6:
			time.Sleep(time.Duration(m.rng.IntN(60)) * time.Second)
		case p < 10:
			m.swap()
		case p < 12:
			m.redrive()
		case p == 12 && kind > 0:
			m.restart()
		case p < 15 && kind > 1:
			m.crash()
		case p == 15 && seed%5 < 2:
			m.replay()
		case p == 16:
			m.giveUp()
		case p == 17:
			m.d.Retry(m.cfg.endpoints[m.rng.IntN(len(m.cfg.endpoints))])
		}
	}
	m.settle()
	m.check()
}

func (m *model) addRoutes(n int) {
	for range n {
		m.salt++
		r := worldRoute{
			id: fmt.Sprint("r", m.rng.IntN(6)), salt: m.salt,
			endpoint: m.cfg.endpoints[m.rng.IntN(len(m.cfg.endpoints))],
			faulty:   m.rng.IntN(3) == 0, lame: m.rng.IntN(5) == 0,
		}
		if m.rng.IntN(6) == 0 {
			r.shy = time.Now().Add(time.Duration(m.rng.IntN(20000)) * time.Millisecond)
		}
		if m.rng.IntN(6) == 0 {
			r.stuck = time.Now().Add(time.Duration(m.rng.IntN(5000)) * time.Millisecond)
		}
		m.cfg.routes = slices.DeleteFunc(slices.Clone(m.cfg.routes), func(o worldRoute) bool { return o.id == r.id })
		m.cfg.routes = append(m.cfg.routes, r)
	}
}

// plan makes the next version of the configuration. Sinks stay, but those of
// the endpoints in anew.
func (m *model) plan(anew ...string) dispatch.Plan {
	m.cfg.version = len(m.history)
	m.history = append(m.history, m.cfg)
	for _, r := range m.cfg.routes {
		m.shy[r.endpoint] = m.shy[r.endpoint] || !r.shy.IsZero()
	}
	table, err := worldTable(m.cfg.version, m.cfg.endpoints, m.cfg.routes)
	if err != nil {
		m.t.Fatal(err)
	}
	p := dispatch.Plan{Table: table}
	for _, name := range m.cfg.endpoints {
		if m.sinks[name] == nil || slices.Contains(anew, name) {
			m.sinks[name] = &worldSink{
				w: m.world, v: m.v, name: name, whole: m.rng.IntN(3) == 0,
				capacity: delivery.Capacity{Lanes: 1 + m.rng.IntN(5), Batch: 1 + m.rng.IntN(8), BatchBytes: m.rng.IntN(2) << 20},
			}
		}
		policy := delivery.DefaultPolicy()
		policy.Timeout = 10 * time.Second
		policy.MaxAttempts = []int{0, 0, 5}[m.rng.IntN(3)]
		p.Endpoints = append(p.Endpoints, dispatch.Endpoint{Name: name, Policy: policy, Paused: m.cfg.paused[name], Sink: m.sinks[name]})
	}
	maps.DeleteFunc(m.sinks, func(name string, _ *worldSink) bool { return !slices.Contains(m.cfg.endpoints, name) })
	return p
}

func (m *model) start() {
	m.v = &view{memory: m.disk, w: m.world}
	clear(m.sinks)
	// A disk that fails while the gateway starts ends it; that is not the case here.
	spoil := m.spoil.Swap(false)
	d, err := dispatch.Open(m.t.Context(), m.v, spool{m.disk.retries, m.v, false}, spool{m.disk.letters, m.v, true}, m.plan(), dispatch.Options{Recorder: m.world})
	if err != nil {
		m.t.Fatal(err)
	}
	m.d = d
	m.spoil.Store(spoil)
}

func (m *model) append(n int) {
	var batch []event.Event
	for i := range n {
		e := event.Event{
			ID: strconv.Itoa(len(m.events)), Source: "host", Type: event.TwinUpdate,
			Subject: fmt.Sprint("k", m.rng.IntN(8)), Data: []byte(`{}`),
		}
		if m.big {
			e.Data = large
		}
		batch = append(batch, e)
		m.events = append(m.events, accepted{e, event.Position{Seq: m.disk.Last() + 1, Index: i}, m.cfg.version})
	}
	m.disk.append(batch...)
}

var large = make([]byte, 1<<20)

func (m *model) swap() {
	var anew []string
	switch m.rng.IntN(5) {
	case 0:
		anew = append(anew, m.cfg.endpoints[m.rng.IntN(len(m.cfg.endpoints))])
	case 1:
		name := m.cfg.endpoints[m.rng.IntN(len(m.cfg.endpoints))]
		m.pause(name, !m.cfg.paused[name])
	case 2:
		m.toggle([]string{"b", "c", "d"}[m.rng.IntN(3)])
	default:
		m.addRoutes(1 + m.rng.IntN(2))
	}
	m.bring(anew...)
}

// bring puts the configuration in force.
func (m *model) bring(anew ...string) {
	m.hold(func(name string, held bool) bool { return held && m.cfg.paused[name] })
	p := m.plan(anew...)
	for m.d.Swap(m.t.Context(), p) != nil {
		time.Sleep(100 * time.Millisecond)
	}
	synctest.Wait() // what was picked before is being sent
	m.hold(func(name string, _ bool) bool { return m.cfg.paused[name] })
}

// hold says which endpoints must be sent nothing.
func (m *model) hold(held func(name string, before bool) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range []string{"a", "b", "c", "d"} {
		m.held[name] = held(name, m.held[name])
	}
}

func (m *model) pause(name string, paused bool) {
	m.cfg.paused = maps.Clone(m.cfg.paused)
	if m.cfg.paused == nil {
		m.cfg.paused = map[string]bool{}
	}
	m.cfg.paused[name] = paused
}

// toggle adds the endpoint name, with a route, or removes it.
func (m *model) toggle(name string) {
	if i := slices.Index(m.cfg.endpoints, name); i >= 0 {
		m.cfg.endpoints = slices.Delete(slices.Clone(m.cfg.endpoints), i, i+1)
		m.cfg.routes = slices.DeleteFunc(slices.Clone(m.cfg.routes), func(r worldRoute) bool { return r.endpoint == name })
		m.removed[name] = true
		m.pause(name, false)
		m.replays = slices.DeleteFunc(m.replays, func(r replay) bool { return r.endpoint == name })
		return
	}
	m.cfg.endpoints = append(slices.Clone(m.cfg.endpoints), name)
	m.since[name] = len(m.events)
	m.addRoutes(1)
	m.cfg.routes[len(m.cfg.routes)-1].endpoint = name
}

func (m *model) redrive() {
	refs := m.disk.letters.refs()
	m.rng.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Second)
	defer cancel()
	m.d.Redrive(ctx, refs[:len(refs)-len(refs)/3])
}

func (m *model) replay() {
	name := m.cfg.endpoints[m.rng.IntN(len(m.cfg.endpoints))]
	first := m.rng.IntN(len(m.events))
	m.mu.Lock()
	logged := len(m.log)
	m.mu.Unlock()
	for m.d.Replay(m.t.Context(), name, m.events[first].position) != nil {
		time.Sleep(100 * time.Millisecond)
	}
	m.replays = append(m.replays, replay{name, first, logged, m.cfg.version})
	m.twice[name] = true
	m.since[name] = min(m.since[name], first)
}

// byHand is the reason of what giveUp gives up.
const byHand = "by hand"

// giveUp gives up some of what holds up its key.
func (m *model) giveUp() {
	name := m.cfg.endpoints[m.rng.IntN(len(m.cfg.endpoints))]
	keys, _, _ := m.d.Blocked(name, 1+m.rng.IntN(5))
	for _, k := range keys {
		err := m.d.GiveUp(name, k.First.Route, k.Position, k.First.Output, byHand)
		if (err != nil) != k.UnderWay {
			m.t.Errorf("%s: %+v is given up: %v", name, k, err)
		}
	}
}

func (m *model) restart() {
	m.stopped = true
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Duration(m.rng.IntN(20))*time.Second)
	defer cancel()
	m.d.Close(ctx)
	m.nextLife()
}

// crash ends the process: nothing of what it does from now on has an effect.
func (m *model) crash() {
	m.stopped, m.crashed = true, true
	m.v.dead.Store(true)
	ctx, cancel := context.WithCancel(m.t.Context())
	cancel()
	m.d.Close(ctx)
	m.nextLife()
}

func (m *model) nextLife() {
	m.mu.Lock()
	m.life++
	m.mu.Unlock()
	m.start()
}

// settle lets everything come to rest.
func (m *model) settle() {
	m.calm.Store(true)
	m.spoil.Store(false)
	m.cfg.paused = nil
	m.bring()
	for range 400 {
		time.Sleep(5 * time.Second)
		synctest.Wait()
		owed := 0
		for _, s := range m.d.Status() {
			owed += s.Queued + s.Retrying + int(s.Behind)
		}
		if owed == 0 {
			break
		}
	}
	for _, s := range m.d.Status() {
		if s.Queued+s.Retrying+int(s.Behind) > 0 {
			m.t.Errorf("it does not come to rest: %+v", s)
		}
	}
	if err := m.d.Close(m.t.Context()); err != nil {
		m.t.Error(err)
	}
}

func (m *model) check() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, err := range m.errs {
		m.t.Error(err)
	}
	if refs := m.disk.retries.refs(); len(refs) > 0 {
		m.t.Errorf("%d retries are left: %+v", len(refs), m.disk.retries.at(refs[0]))
	}
	for _, mark := range m.disk.marks {
		if mark.Low != m.disk.Last()+1 {
			m.t.Errorf("%s stands at %d of %d", mark.Endpoint, mark.Low, m.disk.Last())
		}
	}
	m.checkOrder()
	m.checkAttempts()
	m.checkAccounts()
}

// checkOrder holds the log to invariant 3, within each life and, for the first
// delivery of each, over all of them.
func (m *model) checkOrder() {
	type lane struct {
		life          int
		endpoint, key string
		route         string // of an endpoint whose routes need not keep step
	}
	last := map[lane]sent{}
	had := map[identity]bool{}
	for _, s := range m.log {
		if m.big && m.stopped && m.shy[s.endpoint] {
			continue // full of retries, an endpoint goes on in another order after an end
		}
		if s.redrive != (delivery.Ref{}) || m.removed[s.endpoint] || m.twice[s.endpoint] || m.dead[s.identity] {
			continue
		}
		route := ""
		if m.shy[s.endpoint] {
			route = s.route
		}
		lanes := []lane{{s.life, s.endpoint, s.key, route}}
		if !had[s.identity] {
			lanes = append(lanes, lane{-1, s.endpoint, s.key, route})
		}
		had[s.identity] = true
		for _, l := range lanes {
			// An end forgets which events a table had nothing to send for; the
			// next one may have.
			before, ok := last[l]
			if ok && s.position.Compare(before.position) < 0 && (!m.stopped || s.version == before.version) {
				m.t.Errorf("%s, key %s: %+v was delivered after %+v", s.endpoint, s.key, s.identity, before.identity)
			}
			last[l] = s
		}
	}
}

func (m *model) checkAttempts() {
	if m.stopped {
		return // what is under way when a process ends is tried once more
	}
	for _, ref := range m.disk.letters.refs() {
		letter := m.disk.letters.at(ref)
		if got, want := letter.Delivery.Attempts, m.tries[identify(&letter.Delivery)]; got != want && !m.removed[letter.Delivery.Endpoint] && !m.twice[letter.Delivery.Endpoint] {
			m.t.Errorf("letter %s counts %d attempts, %d were made: %s", ref, got, want, letter.Reason)
		}
	}
}

// checkAccounts holds the log and the letters to invariants 1, 2, 5, 10 and 11.
func (m *model) checkAccounts() {
	count := map[identity]int{}
	versions := map[identity]map[string]bool{}
	redriven := map[identity]bool{} // without output
	waited := m.unrendered()
	for _, s := range m.log {
		any := s.identity
		any.output = 0
		if s.redrive != (delivery.Ref{}) {
			redriven[any] = true
			count[s.identity]++
			continue
		}
		count[s.identity]++
		any.route = ""
		if versions[any] == nil {
			versions[any] = map[string]bool{}
		}
		versions[any][s.version] = true
	}
	for _, ref := range m.disk.letters.refs() {
		l := m.disk.letters.at(ref)
		count[identify(&l.Delivery)]++
	}
	if !m.stopped {
		for id, v := range versions {
			if len(v) > 1 && !m.twice[id.endpoint] && !m.shy[id.endpoint] {
				m.t.Errorf("%+v was made by several tables: %v", id, v)
			}
		}
		for id, n := range count {
			if n > 1 && !redriven[identity{endpoint: id.endpoint, route: id.route, position: id.position}] && !m.removed[id.endpoint] && !m.twice[id.endpoint] {
				m.t.Errorf("%+v was delivered or buried %d times", id, n)
			}
		}
	}
	for _, name := range m.cfg.endpoints {
		for _, e := range m.events[m.since[name]:] {
			if !m.accounted(name, e, count, redriven, waited) {
				m.t.Errorf("event %s at %s is lost for %s", e.ID, e.position, name)
			}
		}
	}
	for _, r := range m.replays {
		again := map[identity]int{}
		for _, s := range m.log[r.logged:] {
			again[s.identity]++
		}
		for _, ref := range m.disk.letters.refs() {
			l := m.disk.letters.at(ref)
			again[identify(&l.Delivery)]++
		}
		for _, e := range m.events[r.first:] {
			e.version = max(e.version, r.version)
			if !m.accounted(r.endpoint, e, again, redriven, waited) {
				m.t.Errorf("event %s at %s was not replayed for %s", e.ID, e.position, r.endpoint)
			}
		}
	}
}

// unrendered are the letters of events that waited for their route and were given up, by identity
// without output: they stand for all outputs from one on.
func (m *model) unrendered() map[identity]int {
	from := map[identity]int{}
	for _, ref := range m.disk.letters.refs() {
		l := m.disk.letters.at(ref)
		if !l.Delivery.Unrendered || l.Reason != byHand {
			continue
		}
		id := identify(&l.Delivery)
		id.output = 0
		if n, ok := from[id]; !ok || l.Delivery.Output < n {
			from[id] = l.Delivery.Output
		}
	}
	return from
}

// accounted reports whether there is a version, in force when e was accepted or
// later, of which all outputs were delivered or lie among the letters; where a
// route's events wait, whether there is one for each route.
func (m *model) accounted(name string, e accepted, count map[identity]int, redriven map[identity]bool, waited map[identity]int) bool {
	if !m.shy[name] {
		return m.accountedBy("", name, e, count, redriven, waited)
	}
	for n := range 6 {
		if !m.accountedBy(fmt.Sprint("r", n), name, e, count, redriven, waited) {
			return false
		}
	}
	return true
}

// accountedBy is accounted for one route, or for all.
func (m *model) accountedBy(route, name string, e accepted, count map[identity]int, redriven map[identity]bool, waited map[identity]int) bool {
	for _, cfg := range m.history[e.version:] {
		whole := true
		for i := range cfg.routes {
			r := &cfg.routes[i]
			if r.endpoint != name || route != "" && r.id != route || !r.matches(&e.Event) {
				continue
			}
			n := r.outputs(&e.Event)
			if r.fails(&e.Event) {
				n = 1
			}
			for k := range n {
				id := identity{name, r.id, e.position, k}
				any := identity{name, r.id, e.position, 0}
				from, ok := waited[any]
				whole = whole && (count[id] > 0 || redriven[any] || ok && k >= from)
			}
		}
		if whole {
			return true
		}
	}
	return false
}
