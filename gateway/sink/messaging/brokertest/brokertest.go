// Package brokertest is the far side for tests of senders over AMQP: an entity
// behind the emulators' server, which records what it takes and fails by event
// id, as the suite of sinks wants it. What entities of Service Bus or Event
// Hubs do beyond that is for tests against the emulators themselves.
package brokertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// Wait is what a busy entity asks senders to wait, in seconds.
const Wait = 7

// Entity is a queue or an event hub. It is a [sinktest.Endpoint].
type Entity struct {
	t          testing.TB
	address    string
	max        uint64
	management *amqp.Requests

	mu       sync.Mutex // guards what follows
	received []event.Event
	forget   bool
	taken    int
	tries    int
	fault    sinktest.Fault
	ids      []string
}

// Listen starts an entity that takes transfers of at most max bytes. It ends
// with t.
func Listen(t testing.TB, max uint64) *Entity {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &Entity{t: t, address: ln.Addr().String(), max: max}
	e.management = amqp.NewRequests(func(context.Context, amqp.Request) amqp.Response { return amqp.Response{Status: 501} })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- amqp.NewServer(e, amqp.Options{}).Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e
}

// ConnectionString opens the namespace of the entity; any name of an entity will do.
func (e *Entity) ConnectionString() string {
	return "Endpoint=sb://" + e.address + ";SharedAccessKeyName=send;SharedAccessKey=bm90IGEga2V5;UseDevelopmentEmulator=true"
}

// Attach takes every link, as [amqp.Handler].
func (e *Entity) Attach(ctx context.Context, l *amqp.Link) error {
	if strings.HasSuffix(l.Address(), "$management") {
		return e.management.Attach(ctx, l)
	}
	l.SetMaxMessageSize(e.max)
	l.OnTransfer(e.take)
	l.Grant(1000)
	return nil
}

// take is one try, of one message or a batch.
func (e *Entity) take(d *amqp.Delivery) {
	if e.count(d) {
		d.Settle(amqp.Accepted{})
		return
	}
	messages, err := d.Messages()
	if err != nil {
		d.Settle(amqp.Reject(amqp.DecodeError, err.Error()))
		return
	}
	events := make([]event.Event, len(messages))
	for i, m := range messages {
		if events[i], err = Decode(m); err != nil {
			e.t.Errorf("took a message that is no event: %v", err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tries++
	switch e.failing(events) {
	case sinktest.Take:
		e.received = append(e.received, events...)
		e.taken += len(events)
		d.Settle(amqp.Accepted{})
	case sinktest.Reject:
		d.Settle(amqp.Reject("com.microsoft:argument-error", "the message cannot be taken"))
	case sinktest.Refuse:
		d.Settle(amqp.Reject("com.microsoft:entity-disabled", "the entity is disabled"))
	case sinktest.Busy:
		d.Settle(amqp.Reject("com.microsoft:server-busy", fmt.Sprintf("the request is being throttled. Please wait %d seconds and try again.", Wait)))
	case sinktest.Drop:
		d.Link().Conn().Drop()
	case sinktest.Stall: // until the sink hangs up
	}
}

// count counts the messages of a delivery instead of looking into them, if it is
// to.
func (e *Entity) count(d *amqp.Delivery) bool {
	e.mu.Lock()
	forget := e.forget
	e.mu.Unlock()
	if !forget {
		return false
	}
	n := 1
	if d.Format == amqp.BatchFormat {
		if envelope, err := amqp.DecodeMessage(d.Payload); err == nil {
			n = len(envelope.Data())
		}
	}
	e.mu.Lock()
	e.taken += n
	e.mu.Unlock()
	return true
}

// Forget makes the entity count what it takes and do nothing else, for
// benchmarks.
func (e *Entity) Forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget, e.received = true, nil
}

// Taken counts the events that were taken.
func (e *Entity) Taken() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.taken
}

func (e *Entity) failing(events []event.Event) sinktest.Fault {
	if len(e.ids) == 0 || slices.ContainsFunc(events, func(x event.Event) bool { return slices.Contains(e.ids, x.ID) }) {
		return e.fault
	}
	return sinktest.Take
}

// Received returns the events that were taken.
func (e *Entity) Received() []event.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.received)
}

// Tries counts transfers.
func (e *Entity) Tries() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tries
}

// Fail makes later transfers fail.
func (e *Entity) Fail(fault sinktest.Fault, ids ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault, e.ids = fault, ids
}

// Decode reads the event that a message carries in the binary mode of the
// CloudEvents AMQP binding.
func Decode(m *amqp.Message) (event.Event, error) {
	e := event.Event{Data: slices.Concat(m.Data()...)}
	if m.Properties == nil || m.Properties.MessageID == nil {
		return e, errors.New("no message id")
	}
	if m.Properties.ContentType != nil {
		e.DataContentType = string(*m.Properties.ContentType)
	}
	var add []event.Extension
	core := map[string]*string{
		"specversion": new(string), "id": &e.ID, "source": &e.Source, "type": &e.Type,
		"subject": &e.Subject, "time": &e.Time, "dataschema": &e.DataSchema,
	}
	for _, p := range m.ApplicationProperties {
		key, _ := p.Key.(string)
		name, ok := strings.CutPrefix(key, "cloudEvents:")
		if !ok {
			continue
		}
		if to := core[name]; to != nil {
			if *to, ok = p.Value.(string); !ok {
				return e, fmt.Errorf("%s is a %T, not a string", key, p.Value)
			}
			continue
		}
		x := event.Extension{Name: name, Value: fmt.Sprint(p.Value)}
		switch p.Value.(type) {
		case string:
		case int64:
			x.Kind = event.Integer
		case bool:
			x.Kind = event.Boolean
		default:
			return e, fmt.Errorf("%s is a %T", key, p.Value)
		}
		add = append(add, x)
	}
	e = e.WithExtensions(add...)
	if *core["specversion"] != event.SpecVersion {
		return e, fmt.Errorf("specversion is %q", *core["specversion"])
	}
	return e, nil
}
