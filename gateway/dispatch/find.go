package dispatch

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// Whereabouts is what an endpoint still has to do with an event.
type Whereabouts struct {
	Endpoint string
	// Owed says that deliveries of the event are neither made nor among the
	// retries or the dead letters: they wait for their first attempt or are in
	// it, or the endpoint has not come to the event yet.
	Owed bool
	// Taken says that the endpoint has come to the event.
	Taken bool
	// Retries are those of the event's deliveries that are among the retries.
	Retries []Retrying
}

// Retrying is a delivery among the retries.
type Retrying struct {
	Route  string
	Output int
	// Kept names it in the spool of retries; zero while it is not on disk.
	Kept delivery.Ref
	// Due is when it is tried next. Waits says that it has not been tried: it is
	// behind an earlier one of its key, or waits for a plugin.
	Due   time.Time
	Waits bool
}

// Find says what each endpoint still has to do with the event at p, in the order
// of their names.
func (d *Dispatcher) Find(p event.Position) []Whereabouts {
	runners := d.all()
	found := make([]Whereabouts, 0, len(runners))
	for _, r := range runners {
		found = append(found, r.find(p))
	}
	slices.SortFunc(found, func(a, b Whereabouts) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return found
}

func (r *runner) find(p event.Position) Whereabouts {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := Whereabouts{Endpoint: r.name, Taken: p.Seq < r.track.next}
	if w.Taken {
		w.Owed = r.track.owes(p)
	} else {
		w.Owed = !r.track.done(p)
	}
	for q := range r.queues() {
		for _, rt := range q.entries {
			if rt.place.position == p && !rt.gone {
				w.Retries = append(w.Retries, rt.retrying())
			}
		}
	}
	return w
}

// owes reports whether deliveries of the event at p, of a chunk that was taken,
// are open.
func (t *tracker) owes(p event.Position) bool {
	live := t.open[t.head:]
	i := sort.Search(len(live), func(i int) bool { return live[i].seq >= p.Seq })
	return i < len(live) && live[i].seq == p.Seq && p.Index < len(live[i].pending) && live[i].pending[p.Index] > 0
}
