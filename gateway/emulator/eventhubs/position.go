package eventhubs

import (
	"sort"
	"strconv"
	"strings"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// selector is the filter by which a reader says where it starts.
const selector = "apache.org:selector-filter:string"

// position is where a reader starts: after the event that an annotation's
// value names, or at it.
type position struct {
	annotation amqp.Symbol
	value      int64
	inclusive  bool
	latest     bool // after the newest; the rest says nothing then
}

// parsePosition reads what clients write:
//
//	amqp.annotation.x-opt-offset > '4711'
func parsePosition(text string) (position, bool) {
	name, ok := strings.CutPrefix(strings.TrimSpace(text), "amqp.annotation.")
	name, value, found := strings.Cut(name, ">")
	value, inclusive := strings.CutPrefix(value, "=")
	value, opened := strings.CutPrefix(strings.TrimSpace(value), "'")
	value, closed := strings.CutSuffix(value, "'")
	if !ok || !found || !opened || !closed {
		return position{}, false
	}
	p := position{annotation: amqp.Symbol(strings.TrimSpace(name)), inclusive: inclusive}
	switch p.annotation {
	case offsetAnnotation:
		if value == "@latest" {
			return position{latest: true}, true
		}
	case sequenceAnnotation, enqueuedAnnotation:
	default:
		return position{}, false
	}
	var err error
	p.value, err = strconv.ParseInt(value, 10, 64)
	return p, err == nil
}

// start returns the sequence number of the first event from a position on.
func (p *partition) start(from position) int64 {
	if from.latest {
		return p.next
	}
	i := sort.Search(len(p.events), func(i int) bool {
		v := p.events[i].annotation(from.annotation)
		return v > from.value || from.inclusive && v == from.value
	})
	if i == len(p.events) {
		return p.next
	}
	return p.events[i].sequence
}

// annotation is the value of an event's annotation that rises from event to event.
func (e event) annotation(name amqp.Symbol) int64 {
	switch name {
	case offsetAnnotation:
		return e.offset
	case enqueuedAnnotation:
		return e.enqueued.UnixMilli()
	}
	return e.sequence
}
