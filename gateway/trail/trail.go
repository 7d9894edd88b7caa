// Package trail remembers the latest attempts to deliver, by the event that
// they were for.
//
// A [Trail] is a ring of a fixed size: recording allocates nothing but the texts
// of failures, and what is older than the ring is forgotten.
package trail

import (
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// Options are the optional parts of a trail.
type Options struct {
	// Attempts is how many are remembered, of 64 bytes each; 0 means 65,536.
	Attempts int
	// Errors is how many texts of failures are, of up to 300 bytes; 0 means 4,096.
	Errors int
}

// Bounds of what a trail keeps.
const (
	maxError = 300     // bytes of an error's text
	maxNames = 1 << 16 // names of endpoints, routes and their states
)

// Attempt is one try of a delivery.
type Attempt struct {
	Endpoint, Route string
	Output          int
	// Number counts all tries of the delivery, from 1.
	Number int
	At     time.Time
	Took   time.Duration
	Blame  delivery.Blame
	Error  string // empty for a success, and where it is forgotten
	Dead   bool   // it became a dead letter
	// ProducedBy names the state of the route that made the delivery.
	ProducedBy string
}

// Trail remembers attempts. It is safe for concurrent use.
type Trail struct {
	mu     sync.Mutex // guards what follows
	ring   []record
	next   uint64 // the number of the record to come
	errors []string
	failed uint64 // the number of the error to come
	names  []string
	ids    map[string]uint32
	last   [3]name // the names that were asked for last, by their role
}

// record is an attempt as it is kept, with numbers for names.
type record struct {
	seq                         uint64
	at                          int64
	took                        time.Duration
	failure                     uint64 // 1 + the number of the error's text; 0 for none
	index, output, number       uint32
	endpoint, route, producedBy uint32
	blame                       delivery.Blame
	dead                        bool
}

type name struct {
	text string
	id   uint32
}

// New returns an empty trail.
func New(o Options) *Trail {
	if o.Attempts <= 0 {
		o.Attempts = 1 << 16
	}
	if o.Errors <= 0 {
		o.Errors = 1 << 12
	}
	return &Trail{ring: make([]record, o.Attempts), errors: make([]string, o.Errors), ids: map[string]uint32{}}
}

// Record remembers tries. It does not hold on to them.
func (t *Trail) Record(tries []delivery.Try) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.names) > maxNames {
		t.forget()
	}
	for i := range tries {
		try := &tries[i]
		if try.Outcome.Blame == delivery.Held {
			continue
		}
		d := try.Delivery
		by, _ := d.Event.Extension("producedby")
		r := record{
			seq: d.Position.Seq, index: uint32(d.Position.Index), output: uint32(d.Output), number: uint32(d.AllAttempts()),
			at: try.At.UnixNano(), took: try.Took, blame: try.Outcome.Blame, dead: try.Dead,
			endpoint: t.id(0, d.Endpoint), route: t.id(1, d.Route), producedBy: t.id(2, by),
		}
		if try.Outcome.Err != nil {
			t.errors[t.failed%uint64(len(t.errors))] = clip(try.Outcome.Err.Error())
			t.failed++
			r.failure = t.failed
		}
		t.ring[t.next%uint64(len(t.ring))] = r
		t.next++
	}
}

// forget empties the trail.
func (t *Trail) forget() {
	clear(t.ring)
	clear(t.errors)
	clear(t.ids)
	t.names, t.next, t.failed, t.last = nil, 0, 0, [3]name{}
}

// id is the number of text, which names what its role says.
func (t *Trail) id(role int, text string) uint32 {
	if last := &t.last[role]; last.text == text && len(t.names) > 0 {
		return last.id
	}
	id, ok := t.ids[text]
	if !ok {
		text = strings.Clone(text) // it may be a part of a whole event
		id = uint32(len(t.names))
		t.names = append(t.names, text)
		t.ids[text] = id
	}
	t.last[role] = name{t.names[id], id}
	return id
}

// step is how many records are looked at before recorders may go on.
const step = 4096

// Of returns the attempts for the event at p that are remembered, oldest first.
func (t *Trail) Of(p event.Position) []Attempt {
	return t.Among([]event.Position{p})[p]
}

// Among returns the attempts for each of some events, as Of does.
func (t *Trail) Among(events []event.Position) map[event.Position][]Attempt {
	found := make(map[event.Position][]Attempt, len(events))
	for _, p := range events {
		found[p] = nil
	}
	if len(events) == 0 {
		return found
	}
	for from := uint64(0); ; {
		t.mu.Lock()
		size := uint64(len(t.ring))
		if t.next > size {
			from = max(from, t.next-size)
		}
		end := min(from+step, t.next)
		for n := from; n < end; n++ {
			r := &t.ring[n%size]
			p := event.Position{Seq: r.seq, Index: int(r.index)}
			if list, wanted := found[p]; wanted {
				found[p] = append(list, t.attempt(r))
			}
		}
		done := end >= t.next
		from = end
		t.mu.Unlock()
		if done {
			return found
		}
	}
}

// Made is an attempt with the event that it was for.
type Made struct {
	Event event.Position
	Attempt
}

// Latest returns the latest attempts to deliver to an endpoint that are
// remembered, newest first, or only those that failed; at most limit.
func (t *Trail) Latest(endpoint string, failed bool, limit int) []Made {
	var made []Made
	before := uint64(1<<64 - 1)
	for {
		t.mu.Lock()
		size := uint64(len(t.ring))
		end := min(before, t.next)
		oldest := t.next - min(t.next, size)
		from := max(oldest, end-min(end, step))
		id, known := t.ids[endpoint]
		for n := end; known && n > from && len(made) < limit; n-- {
			if r := &t.ring[(n-1)%size]; r.endpoint == id && (!failed || r.blame != delivery.None) {
				made = append(made, Made{event.Position{Seq: r.seq, Index: int(r.index)}, t.attempt(r)})
			}
		}
		t.mu.Unlock()
		if !known || from <= oldest || len(made) == limit {
			return made
		}
		before = from
	}
}

func (t *Trail) attempt(r *record) Attempt {
	a := Attempt{
		Endpoint: t.names[r.endpoint], Route: t.names[r.route], ProducedBy: t.names[r.producedBy],
		Output: int(r.output), Number: int(r.number), At: time.Unix(0, r.at), Took: r.took, Blame: r.blame, Dead: r.dead,
	}
	if r.failure > 0 && r.failure+uint64(len(t.errors)) > t.failed {
		a.Error = t.errors[(r.failure-1)%uint64(len(t.errors))]
	}
	return a
}

// Since is when the oldest attempt that is remembered was made, and whether any
// is forgotten.
func (t *Trail) Since() (at time.Time, forgotten bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := uint64(len(t.ring))
	switch {
	case t.next == 0:
		return time.Time{}, false
	case t.next <= size:
		return time.Unix(0, t.ring[0].at), false
	}
	return time.Unix(0, t.ring[t.next%size].at), true
}

func clip(s string) string {
	if len(s) <= maxError {
		return s
	}
	end := maxError
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.Clone(s[:end]) + "…"
}
