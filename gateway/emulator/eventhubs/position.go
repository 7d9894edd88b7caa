package eventhubs

import (
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// selector is the filter by which a reader says where it starts.
const selector = "apache.org:selector-filter:string"

// start returns the sequence number at which a reader with that selector
// starts: an annotation of the last event it knows, after it or at it.
//
//	amqp.annotation.x-opt-offset > '4711'
func (p *partition) start(text string) (int64, *amqp.Error) {
	bad := amqp.Errorf(amqp.InvalidField, "the filter %q does not compare an annotation with a position", text)
	field, ok := strings.CutPrefix(strings.TrimSpace(text), "amqp.annotation.")
	name, value, found := strings.Cut(field, ">")
	value, inclusive := strings.CutPrefix(value, "=")
	value = strings.TrimSpace(value)
	if value == "''" || len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' || !ok || !found {
		return 0, bad
	}
	value = value[1 : len(value)-1]
	name = strings.TrimSpace(name)
	if name == string(offsetAnnotation) && value == "@latest" {
		return p.next, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, bad
	}
	past := func(have int64) bool { return have > n || inclusive && have == n }
	switch name {
	case string(offsetAnnotation):
		return p.find(func(e event) bool { return past(e.offset) }), nil
	case string(sequenceAnnotation):
		return p.find(func(e event) bool { return past(e.sequence) }), nil
	case string(enqueuedAnnotation):
		return p.find(func(e event) bool { return past(e.enqueued.UnixMilli()) }), nil
	}
	return 0, bad
}

// lastEnqueued is when the newest event came; the first day of year 1 for none.
func (p *partition) lastEnqueued() time.Time {
	if len(p.events) == 0 {
		return time.Time{}
	}
	return p.events[len(p.events)-1].enqueued
}
