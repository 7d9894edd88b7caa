package eventhubs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	emulator "github.com/headgate/headgate/gateway/emulator/eventhubs"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/eventhubs"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
)

// faults are those of a namespace, by what they are.
var faults = map[string]amqp.Rule{
	"busy":         {Point: amqp.Transfer, Skip: 2, Times: 5, Fault: amqp.Fault{Error: amqp.Errorf("com.microsoft:server-busy", "throttled")}},
	"detach":       {Point: amqp.Transfer, Skip: 2, Times: 2, Fault: amqp.Fault{Detach: true}},
	"drop before":  {Point: amqp.Transfer, Skip: 2, Times: 3, Fault: amqp.Fault{Drop: true}},
	"drop after":   {Point: amqp.Settle, Skip: 2, Times: 3, Fault: amqp.Fault{Drop: true}},
	"slow":         {Point: amqp.Settle, Skip: 2, Times: 3, Fault: amqp.Fault{Delay: 20 * time.Millisecond}},
	"refuse":       {Point: amqp.Attach, Times: 3, Fault: amqp.Fault{Error: amqp.Errorf(amqp.InternalError, "not now")}},
	"unauthorized": {Point: amqp.PutToken, Times: 3, Fault: amqp.Fault{Error: amqp.Errorf(amqp.UnauthorizedAccess, "no")}},
	"nothing":      {Point: amqp.Attach, Times: 1, Address: "elsewhere"},
}

// TestOrderOfOneKey cuts and refuses transfers of one key, of which one at a
// time is under way: what is sent again is what the hub holds already if and
// only if the acknowledgement was lost.
func TestOrderOfOneKey(t *testing.T) {
	for name, rule := range faults {
		t.Run(name, func(t *testing.T) {
			n := start(t)
			s := open(t, n.connection(), "hub", eventhubs.Options{})
			n.faults.Add(rule)
			const total = 60
			all := brokertest.Deliveries(total, "a")
			for _, batch := range [][]delivery.Delivery{all[:10], all[10:11], all[11:40], all[40:]} {
				brokertest.Drive(within(t), t, s, batch)
			}
			again := brokertest.CheckOrder(t, "a", total, n.byKey(t, "hub")["a"])
			if want := name == "drop after"; again > 0 != want {
				t.Errorf("%d events came again, want some: %v", again, want)
			}
		})
	}
}

// TestOrderOfManyKeys does the same to many keys at once, with every fault
// after the other.
func TestOrderOfManyKeys(t *testing.T) {
	n := start(t)
	s := open(t, n.connection(), "hub", eventhubs.Options{})
	for _, rule := range faults {
		n.faults.Add(rule)
	}
	const total = 50
	keys := strings.Split("abcdefghijkl", "")
	if err := brokertest.Drive(within(t), t, s, brokertest.Deliveries(total, keys...)); err == nil {
		t.Error("nothing failed: the test tests nothing")
	}
	got := n.byKey(t, "hub")
	for _, key := range keys {
		brokertest.CheckOrder(t, key, total, got[key])
	}
}

// TestRestart has the namespace go away for a while and come back, empty.
func TestRestart(t *testing.T) {
	n := start(t)
	s := open(t, n.connection(), "hub", eventhubs.Options{})
	send(t, s, brokertest.Deliveries(1, "before")...)
	n.stop()
	during := brokertest.Deliveries(2, "during")
	for i, out := range s.Send(within(t), during) {
		if out.Blame != delivery.Nobody && (out.Blame != delivery.Held || i == 0) {
			t.Errorf("outcome %d = %v (%v), want transient", i, out.Blame, out.Err)
		}
	}
	again := serve(t, n.address, emulator.Options{})
	if err := brokertest.Drive(within(t), t, s, during); err != nil {
		t.Errorf("the first try after the restart failed: %v", err)
	}
	brokertest.CheckOrder(t, "during", 2, again.byKey(t, "hub")["during"])
}

// TestSmallBatches splits what one Send gets to what the hub takes.
func TestSmallBatches(t *testing.T) {
	n := serve(t, "127.0.0.1:0", emulator.Options{MaxSize: 1500})
	s := open(t, n.connection(), "hub", eventhubs.Options{})
	const total = 100
	send(t, s, brokertest.Deliveries(total, "a")...)
	if again := brokertest.CheckOrder(t, "a", total, n.byKey(t, "hub")["a"]); again != 0 {
		t.Errorf("%d events came again", again)
	}
}
