package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// board shows what becomes of events: calmly, one event at a time, the kind
// that was shown least first. Its methods may be called from any goroutine.
type board struct {
	out    io.Writer
	width  int
	settle time.Duration // how long an event is given to reach its endpoints

	mu      sync.Mutex // guards what follows
	walks   map[event.Position]*walk
	outputs map[outputKey]string
	older   map[outputKey]string // the outputs before those
	shown   map[string]int       // by the walk's kind
	in      int                  // events since the last summary
	since   time.Time            // when that was
	took    map[string]int       // deliveries since then, by route
	failed  int                  // attempts that failed since then
	dropped uint64               // what the board was too slow to be told
}

// walk is what is known of one event's way through the gateway.
type walk struct {
	at         time.Time // when the board first heard of it
	event      *event.Event
	deliveries []catalog.DeliveryReport
}

// outputKey finds what an endpoint received.
type outputKey struct{ endpoint, eventID string }

// maxWalks bounds what is remembered between two looks at the board.
const maxWalks = 5000

func newBoard(out io.Writer, now time.Time) *board {
	return &board{
		out: out, width: 110, settle: 800 * time.Millisecond, since: now,
		walks: map[event.Position]*walk{}, outputs: map[outputKey]string{}, shown: map[string]int{}, took: map[string]int{},
	}
}

// begin has the rates counted from now on.
func (b *board) begin(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.since = now
}

// walk returns the walk of the event at p, beginning it when it is new; nil
// when too much is remembered already.
func (b *board) walk(p event.Position, now time.Time) *walk {
	w := b.walks[p]
	if w == nil && len(b.walks) < maxWalks {
		w = &walk{at: now}
		b.walks[p] = w
	}
	return w
}

// accepted tells of an event that came in.
func (b *board) accepted(e catalog.StoredEvent, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.in++
	if w := b.walk(e.ID, now); w != nil {
		w.event = &e.Event.Event
	}
}

// delivery tells of an attempt.
func (b *board) delivery(r catalog.DeliveryReport, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Outcome == "delivered" {
		b.took[r.Route]++
	} else {
		b.failed++
	}
	if w := b.walk(r.ID, now); w != nil {
		w.deliveries = append(w.deliveries, r)
	}
}

// output tells what an endpoint received.
func (b *board) output(endpoint, eventID, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.outputs) >= 2*maxWalks { // most are of walks that were passed over
		b.older, b.outputs = b.outputs, map[outputKey]string{}
	}
	b.outputs[outputKey{endpoint, eventID}] = text
}

// missed tells that the board was not told of everything.
func (b *board) missed(n uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped += n
}

// show writes one of the events that have had their time, and forgets them.
// It reports whether there was one.
func (b *board) show(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	var best *walk
	for _, p := range slices.SortedFunc(maps.Keys(b.walks), event.Position.Compare) {
		w := b.walks[p]
		if now.Sub(w.at) < b.settle {
			continue
		}
		delete(b.walks, p)
		if w.event != nil && (best == nil || b.stale(w) < b.stale(best)) {
			best = w
		}
	}
	if best != nil {
		b.shown[best.kind()]++
		b.write(best)
	}
	return best != nil
}

// stale ranks walks by how little there is in seeing them: their kind was
// shown often, or no route took them.
func (b *board) stale(w *walk) int {
	n := 2 * b.shown[w.kind()]
	if len(w.deliveries) == 0 {
		n++
	}
	return n
}

// latest are the latest attempts of the deliveries, by route.
func (w *walk) latest() []catalog.DeliveryReport {
	var latest []catalog.DeliveryReport
	for _, d := range w.deliveries {
		at := slices.IndexFunc(latest, func(l catalog.DeliveryReport) bool { return l.Route == d.Route && l.Output == d.Output })
		if at < 0 {
			latest = append(latest, d)
		} else if d.Attempt > latest[at].Attempt {
			latest[at] = d
		}
	}
	slices.SortStableFunc(latest, func(a, b catalog.DeliveryReport) int { return cmp.Compare(a.Route, b.Route) })
	return latest
}

// kind tells walks apart that are worth seeing apart.
func (w *walk) kind() string {
	kind := w.event.Type
	for _, d := range w.latest() {
		kind += " " + d.Route + d.Outcome
	}
	return kind
}

func (b *board) write(w *walk) {
	e := w.event
	head := fmt.Sprintf("%-14s %-19s ", oneLine(e.TwinKey(), 14), shortType(e.Type))
	fmt.Fprintf(b.out, "\n%s%s\n", head, oneLine(dataText(e), b.width-len(head)))
	if len(w.deliveries) == 0 {
		fmt.Fprintln(b.out, "    no route takes it")
	}
	for _, d := range w.latest() {
		way := fmt.Sprintf("    → %-10s → %-9s ", d.Route, d.Endpoint)
		fmt.Fprintf(b.out, "%s%s\n", way, oneLine(b.outcome(d), b.width-len([]rune(way))))
	}
}

// outcome is what became of a delivery: what its endpoint received, or why it
// did not.
func (b *board) outcome(d catalog.DeliveryReport) string {
	key, times := outputKey{d.Endpoint, d.EventID}, ""
	what := cmp.Or(b.outputs[key], b.older[key], "delivered")
	if d.Attempt > 1 {
		times = fmt.Sprintf(" at attempt %d", d.Attempt)
	}
	switch {
	case d.Outcome == "delivered" && times != "":
		return "delivered" + times + ": " + what
	case d.Outcome == "delivered":
		return what
	case d.Dead:
		return "dead letter" + times + ": " + reason(d.Error)
	}
	return "failed" + times + ", will be tried again: " + reason(d.Error)
}

// reason is an error without the address of the endpoint, which is known.
func reason(err string) string {
	if address, rest, ok := strings.Cut(err, ": "); ok && strings.Contains(address, "://") {
		return rest
	}
	return err
}

// summary writes the rates since the last summary, and begins anew.
func (b *board) summary(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seconds := max(now.Sub(b.since).Seconds(), .001)
	parts := []string{fmt.Sprintf("%.0f events/s in", float64(b.in)/seconds)}
	for _, route := range slices.Sorted(maps.Keys(b.took)) {
		parts = append(parts, fmt.Sprintf("%s %.1f/s", route, float64(b.took[route])/seconds))
	}
	if b.failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed attempts", b.failed))
	}
	if b.dropped > 0 {
		parts = append(parts, fmt.Sprintf("%d not shown", b.dropped))
	}
	fmt.Fprintf(b.out, "\n── %s ──\n", strings.Join(parts, " · "))
	b.in, b.failed, b.dropped, b.since = 0, 0, 0, now
	clear(b.took)
}
