package servicebus_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// TestRefusals has a sender do what the service refuses.
func TestRefusals(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{
		DeclaredOnly: true,
		Queues: []broker.Queue{
			{Name: "plain"},
			{Name: "grouped", Settings: broker.Settings{RequiresSession: true}},
			{Name: "disabled", Settings: broker.Settings{Status: broker.Disabled}},
			{Name: "full", Settings: broker.Settings{MaxSizeBytes: 10}},
		},
	}})
	c := n.client(t)
	different := grouped("s", "a")
	different.PartitionKey = ptr("p")
	tests := []struct {
		name, queue string
		message     *azservicebus.Message
		want        string
	}{
		{"unknown queue", "unknown", text("a"), "amqp:not-found"},
		{"no session", "grouped", text("a"), "amqp:not-allowed"},
		{"key and session differ", "grouped", different, "amqp:not-allowed"},
		{"disabled", "disabled", text("a"), "com.microsoft:entity-disabled"},
		{"full", "full", text("a"), "amqp:resource-limit-exceeded"},
		{"dead-letter queue", "plain/$DeadLetterQueue", text("a"), "amqp:not-allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := sender(t, c, tt.queue).SendMessage(within(t), tt.message, nil)
			var known *azservicebus.Error
			if errors.As(err, &known) && known.Code == azservicebus.CodeNotFound && tt.want == "amqp:not-found" {
				return
			}
			if condition(err) != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	if err := sender(t, c, "plain").SendMessage(within(t), text(strings.Repeat("x", 256<<10)), nil); !errors.Is(err, azservicebus.ErrMessageTooLarge) {
		t.Errorf("too large: error %v", err)
	}
	b := must1[*azservicebus.MessageBatch](t)(sender(t, c, "plain").NewMessageBatch(within(t), nil))
	must(t, b.AddMessage(text(strings.Repeat("x", 200<<10)), nil))
	if err := b.AddMessage(text(strings.Repeat("x", 100<<10)), nil); !errors.Is(err, azservicebus.ErrMessageTooLarge) {
		t.Errorf("batch too large: error %v", err)
	}
	_, err := queueReceiver(t, c, "grouped").ReceiveMessages(within(t), 1, nil)
	if condition(err) != "amqp:not-allowed" {
		t.Errorf("receiver without a session: error %v", err)
	}
	_, err = c.AcceptSessionForQueue(within(t), "plain", "s", nil)
	if condition(err) != "amqp:not-allowed" {
		t.Errorf("session of a queue that has none: error %v", err)
	}
}

func TestKeys(t *testing.T) {
	n := serve(t, servicebus.Options{AMQP: amqp.Options{Authorize: amqp.Keys{keyName: key}.Authorize}})
	must(t, sender(t, n.client(t), "q").SendMessage(within(t), text("a"), nil))
	n.connection = strings.Replace(n.connection, key, "YW5vdGhlcg==", 1)
	err := sender(t, n.client(t), "q").SendMessage(within(t), text("a"), nil)
	var e *azservicebus.Error
	if !errors.As(err, &e) || e.Code != azservicebus.CodeUnauthorizedAccess {
		t.Errorf("error %v, want %s", err, azservicebus.CodeUnauthorizedAccess)
	}
}

// TestSendFaults has a client with its retries send through each fault: a
// message arrives, once or, where only the answer was lost, twice.
func TestSendFaults(t *testing.T) {
	tests := []struct {
		fault servicebus.Fault
		want  int // messages that arrived
		err   bool
	}{
		{servicebus.Fault{Kind: servicebus.ServerBusy, Times: 2}, 1, false},
		{servicebus.Fault{Kind: servicebus.ServerBusy}, 0, true},
		{servicebus.Fault{Kind: servicebus.DetachLink, Times: 1}, 1, false},
		{servicebus.Fault{Kind: servicebus.DropBefore, Times: 1}, 1, false},
		{servicebus.Fault{Kind: servicebus.DropAfter, Times: 1}, 2, false},
		{servicebus.Fault{Kind: servicebus.SlowSettle, Times: 1, Delay: broker.Duration(50 * time.Millisecond)}, 1, false},
		{servicebus.Fault{Kind: servicebus.Unauthorized, Times: 1}, 0, true},
		{servicebus.Fault{Kind: servicebus.RejectMessage, Condition: "com.microsoft:entity-disabled", Times: 1}, 0, true},
		{servicebus.Fault{Kind: servicebus.RefuseLink, Condition: "amqp:resource-limit-exceeded", Times: 1}, 0, true},
		{servicebus.Fault{Kind: servicebus.SizeLimit, Bytes: 10}, 0, true},
		{servicebus.Fault{Kind: servicebus.QuotaLimit, Bytes: 10}, 0, true},
		{servicebus.Fault{Kind: servicebus.DisableEntity}, 0, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %d", tt.fault.Kind, tt.fault.Times), func(t *testing.T) {
			n := serve(t, servicebus.Options{})
			tt.fault.Entity = "q"
			must(t, n.Inject(tt.fault))
			c := n.client(t)
			err := sender(t, c, "q").SendMessage(within(t), text("a message"), nil)
			if got := n.entity(t, "q").Info().Messages; got != tt.want || (err != nil) != tt.err {
				t.Errorf("%d messages arrived, want %d; error %v", got, tt.want, err)
			}
			n.ClearFaults()
			must(t, sender(t, c, "q").SendMessage(within(t), text("a message"), nil))
		})
	}
}

// TestDetachInTheMiddle cuts the link after some of a series.
func TestDetachInTheMiddle(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{Queues: []broker.Queue{{Name: "q", Settings: broker.Settings{RequiresDuplicateDetection: true}}}}})
	for _, kind := range []servicebus.FaultKind{servicebus.DetachLink, servicebus.DropBefore, servicebus.DropAfter} {
		must(t, n.Inject(servicebus.Fault{Kind: kind, Entity: "q", Skip: 3, Times: 1}))
	}
	s := sender(t, n.client(t), "q")
	for i := range 20 {
		id := fmt.Sprint(i)
		must(t, s.SendMessage(within(t), &azservicebus.Message{MessageID: &id}, nil))
	}
	for i, m := range n.entity(t, "q").Peek(1, 100, nil) {
		if m.ID != fmt.Sprint(i) {
			t.Fatalf("message %d has id %s", i, m.ID)
		}
	}
	if got := n.entity(t, "q").Info().Messages; got != 20 {
		t.Errorf("%d messages, want each once", got)
	}
}

func TestSettleFaults(t *testing.T) {
	tests := []struct {
		kind servicebus.FaultKind
		left int
	}{
		{servicebus.DropBeforeSettle, 1},
		{servicebus.DropAfterSettle, 0},
	}
	for _, tt := range tests {
		t.Run(string(tt.kind), func(t *testing.T) {
			n := serve(t, servicebus.Options{})
			c := n.client(t)
			must(t, sender(t, c, "q").SendMessage(within(t), text("a"), nil))
			r := queueReceiver(t, c, "q")
			m := one(t, r)
			must(t, n.Inject(servicebus.Fault{Kind: tt.kind, Entity: "q", Times: 1}))
			ctx, cancel := context.WithTimeout(context.Background(), time.Second) // it retries after 4 s at least
			defer cancel()
			if err := r.CompleteMessage(ctx, m, nil); err == nil {
				t.Error("no error")
			}
			q := n.entity(t, "q")
			until(t, "the lock to be freed", func() bool { return q.Info().Locked == 0 })
			if got := q.Info().Messages; got != tt.left {
				t.Errorf("%d messages are left, want %d", got, tt.left)
			}
		})
	}
}

// TestConnectionIsLost expects that whoever comes next gets what the lost
// client had, in order, sessions and all.
func TestConnectionIsLost(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	lost, c := n.client(t), n.client(t)
	s := sender(t, c, "q")
	for i := range 5 {
		must(t, s.SendMessage(within(t), grouped("s", fmt.Sprint(i)), nil))
	}
	r := acceptNamed(t, lost, "s")
	got, err := r.ReceiveMessages(within(t), 3, &azservicebus.ReceiveMessagesOptions{TimeAfterFirstMessage: time.Second})
	must(t, err)
	must(t, r.CompleteMessage(within(t), got[0], nil))
	must(t, n.Inject(servicebus.Fault{Kind: servicebus.DropBeforeSettle, Entity: "q", Times: 1}))
	gone, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := r.CompleteMessage(gone, got[2], nil); err == nil {
		t.Fatal("the connection was not lost")
	}
	var next *azservicebus.SessionReceiver
	until(t, "the session to be free", func() bool {
		next, err = c.AcceptSessionForQueue(within(t), "q", "s", nil)
		return err == nil
	})
	for i := 1; i < 5; i++ {
		m := one(t, next)
		if string(m.Body) != fmt.Sprint(i) || m.DeliveryCount != 1 {
			t.Fatalf("received %q, delivery %d; want %d", m.Body, m.DeliveryCount, i)
		}
		must(t, next.CompleteMessage(within(t), m, nil))
	}
}

// TestDisabledUnderReceiver expects that a receiver that waits is told.
func TestDisabledUnderReceiver(t *testing.T) {
	n := serve(t, servicebus.Options{})
	r := queueReceiver(t, n.client(t), "q")
	ended := make(chan error, 1)
	go func() {
		_, err := r.ReceiveMessages(within(t), 1, nil)
		ended <- err
	}()
	must(t, n.Inject(servicebus.Fault{Kind: servicebus.DisableEntity, Entity: "q"}))
	if err := <-ended; condition(err) != "com.microsoft:entity-disabled" {
		t.Errorf("error %v", err)
	}
}

// TestRestart has a client go on with a server that took another's place.
func TestRestart(t *testing.T) {
	ln := must1[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	first := must1[*servicebus.Server](t)(servicebus.New(servicebus.Options{}))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- first.Serve(ctx, ln) }()
	n := &namespace{first, connectionString(ln.Addr())}
	s := sender(t, n.client(t), "q")
	must(t, s.SendMessage(within(t), text("a"), nil))
	stop()
	must(t, <-done)
	first.Close()

	second := must1[*servicebus.Server](t)(servicebus.New(servicebus.Options{}))
	serveOn(t, second, must1[net.Listener](t)(net.Listen("tcp", ln.Addr().String())))
	must(t, s.SendMessage(within(t), text("b"), nil))
	if messages := must1[[]servicebus.Message](t)(second.Messages("q", 1, 10)); len(messages) != 1 || string(messages[0].Body) != "b" {
		t.Errorf("the second server has %v", messages)
	}
}

func TestFaultsThatCannotBe(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{DeclaredOnly: true}})
	for _, f := range []servicebus.Fault{
		{Kind: "nonsense"},
		{Kind: servicebus.RejectMessage},
		{Kind: servicebus.SizeLimit, Entity: "unknown"},
		{Kind: servicebus.ServerBusy, Times: -1},
	} {
		if err := n.Inject(f); err == nil {
			t.Errorf("Inject(%+v) took it", f)
		}
	}
	if left := n.Faults(); len(left) != 0 {
		t.Errorf("faults %v are left", left)
	}
}
