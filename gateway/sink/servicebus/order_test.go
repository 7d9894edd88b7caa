package servicebus_test

import (
	"context"
	"testing"
	"time"

	emulator "github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
	"github.com/headgate/headgate/gateway/sink/servicebus"
)

// grouped are deliveries with a session of their key.
func grouped(n int, keys ...string) []delivery.Delivery {
	ds := brokertest.Deliveries(n, keys...)
	for i := range ds {
		ds[i].Properties.SessionID = ds[i].Key
	}
	return ds
}

var faults = []emulator.Fault{
	{Kind: emulator.ServerBusy, Skip: 2, Times: 5},
	{Kind: emulator.DetachLink, Skip: 2, Times: 2},
	{Kind: emulator.DropBefore, Skip: 2, Times: 3},
	{Kind: emulator.DropAfter, Skip: 2, Times: 3},
	{Kind: emulator.SlowSettle, Skip: 2, Times: 3, Delay: broker.Duration(20 * time.Millisecond)},
	{Kind: emulator.RefuseLink, Condition: "amqp:internal-error", Times: 3},
	{Kind: emulator.Unauthorized, Times: 3},
}

// TestOrderOfOneSession cuts and refuses transfers of one session, of which one
// at a time is under way: what is sent again is what the entity holds already
// if and only if the acknowledgement was lost.
func TestOrderOfOneSession(t *testing.T) {
	for _, fault := range append(faults, emulator.Fault{}) {
		t.Run(string(fault.Kind), func(t *testing.T) {
			n := start(t, sessions(broker.Settings{}))
			s := open(t, n.connection(), "q", servicebus.Options{})
			if fault.Kind != "" {
				fault.Entity = "q"
				n.inject(t, fault)
			}
			const total = 60
			for _, batch := range [][]delivery.Delivery{grouped(total, "a")[:10], grouped(total, "a")[10:11], grouped(total, "a")[11:40], grouped(total, "a")[40:]} {
				brokertest.Drive(within(t), t, s, batch)
			}
			again := brokertest.CheckOrder(t, "a", total, n.bySession(t, "q")["a"])
			if want := fault.Kind == emulator.DropAfter; again > 0 != want {
				t.Errorf("%d messages came again, want some: %v", again, want)
			}
		})
	}
}

// TestOrderOfManySessions does the same to many sessions at once, with every
// fault after the other. Where a connection is lost, others lose their
// acknowledgements too; an entity that detects duplicates ends up with each
// message once.
func TestOrderOfManySessions(t *testing.T) {
	keys := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	for _, detects := range []bool{false, true} {
		t.Run(map[bool]string{false: "duplicates stay", true: "duplicates are detected"}[detects], func(t *testing.T) {
			n := start(t, sessions(broker.Settings{RequiresDuplicateDetection: detects}))
			s := open(t, n.connection(), "q", servicebus.Options{})
			for _, fault := range faults {
				fault.Entity = "q"
				n.inject(t, fault)
			}
			const total = 50
			if err := brokertest.Drive(within(t), t, s, grouped(total, keys...)); err == nil {
				t.Error("nothing failed: the test tests nothing")
			}
			got := n.bySession(t, "q")
			again := 0
			for _, key := range keys {
				again += brokertest.CheckOrder(t, key, total, got[key])
			}
			if detects && again > 0 || len(got) != len(keys) {
				t.Errorf("%d sessions, %d messages again", len(got), again)
			}
		})
	}
}

// TestRestart has the namespace go away for a while and come back, empty.
func TestRestart(t *testing.T) {
	n := start(t)
	s := open(t, n.connection(), "q", servicebus.Options{})
	send(t, s, brokertest.Deliveries(1, "before")...)
	n.stop()
	during := brokertest.Deliveries(2, "during")
	for i, out := range s.Send(within(t), during) {
		if want := map[int]delivery.Blame{0: delivery.Nobody, 1: delivery.Held}[i]; out.Blame != want && out.Blame != delivery.Nobody {
			t.Errorf("outcome %d = %v (%v), want %v", i, out.Blame, out.Err, want)
		}
	}
	again := serve(t, n.address, emulator.Options{}, nil)
	if err := brokertest.Drive(within(t), t, s, during); err != nil {
		t.Errorf("the first try after the restart failed: %v", err)
	}
	var ids []string
	for _, m := range receive(t, again.queue(t, "q"), 2) {
		ids = append(ids, eventID(t, m))
	}
	brokertest.CheckOrder(t, "during", 2, ids)
}

// TestNotThereYet opens a sink while nothing listens.
func TestNotThereYet(t *testing.T) {
	n := start(t)
	n.stop()
	s := open(t, n.connection(), "q", servicebus.Options{})
	for _, out := range s.Send(within(t), brokertest.Deliveries(3, "a", "b")) {
		if out.Blame != delivery.Nobody {
			t.Errorf("outcome = %v (%v), want transient", out.Blame, out.Err)
		}
		checkWords(t, out.Err, "cannot connect")
	}
	again := serve(t, n.address, emulator.Options{}, nil)
	send(t, s, brokertest.Deliveries(3, "a", "b")...)
	if got := again.count(t, "q"); got != 6 {
		t.Errorf("%d messages arrived, want 6", got)
	}
}

// TestSlowAnswer: a try that gives up has its link replaced, and nobody else
// loses an acknowledgement for that.
func TestSlowAnswer(t *testing.T) {
	n := start(t)
	s := open(t, n.connection(), "q", servicebus.Options{})
	n.inject(t, emulator.Fault{Kind: emulator.SlowSettle, Entity: "q", Times: 1, Delay: broker.Duration(400 * time.Millisecond)})
	n.inject(t, emulator.Fault{Kind: emulator.SlowSettle, Entity: "q", Times: 1, Delay: broker.Duration(time.Hour)})
	patient := make(chan delivery.Outcome, 1)
	go func() { patient <- s.Send(within(t), brokertest.Deliveries(1, "patient"))[0] }()
	await(t, "the first message", func() bool { return n.count(t, "q") == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	out := s.Send(ctx, brokertest.Deliveries(1, "hasty"))[0]
	if out.Blame != delivery.Nobody {
		t.Errorf("outcome of the hasty one = %v (%v), want transient", out.Blame, out.Err)
	}
	checkWords(t, out.Err, "no answer in time")
	send(t, s, brokertest.Deliveries(1, "next")...) // on a new link
	if out := <-patient; out.Blame != delivery.None {
		t.Errorf("outcome of the patient one = %v (%v), want delivered", out.Blame, out.Err)
	}
	if got := n.count(t, "q"); got != 3 {
		t.Errorf("%d messages arrived, want 3", got)
	}
}

// TestSmallBatches splits what one Send gets to what the entity takes.
func TestSmallBatches(t *testing.T) {
	n := start(t, sessions(broker.Settings{MaxMessageBytes: 1500}))
	s := open(t, n.connection(), "q", servicebus.Options{})
	const total = 100
	send(t, s, grouped(total, "a")...)
	if again := brokertest.CheckOrder(t, "a", total, n.bySession(t, "q")["a"]); again != 0 {
		t.Errorf("%d messages came again", again)
	}
}

// await waits for what others bring about.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	ctx := within(t)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
