package servicebus_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	emulator "github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
)

// TestLedger holds that under every fault nothing is lost, and each session keeps
// its order; and that nothing comes twice, since messages that were accepted are
// known when they come again.
func TestLedger(t *testing.T) {
	faults := map[string]func(t *testing.T, n *namespace){
		"connections cut before settlements": func(t *testing.T, n *namespace) {
			n.inject(t, emulator.Fault{Kind: emulator.DropBeforeSettle, Skip: 40, Times: 2})
		},
		"connections cut after settlements": func(t *testing.T, n *namespace) {
			n.inject(t, emulator.Fault{Kind: emulator.DropAfterSettle, Skip: 40, Times: 2})
		},
		"connections cut instead of messages": func(_ *testing.T, n *namespace) {
			n.faults.Add(amqp.Rule{Point: amqp.Deliver, Address: "q", Skip: 25, Times: 1, Fault: amqp.Fault{Drop: true}})
			n.faults.Add(amqp.Rule{Point: amqp.Deliver, Address: "q", Skip: 60, Times: 1, Fault: amqp.Fault{Drop: true}})
		},
		"links detached instead of messages": func(_ *testing.T, n *namespace) {
			n.faults.Add(amqp.Rule{Point: amqp.Deliver, Address: "q", Skip: 25, Times: 2, Fault: amqp.Fault{Detach: true}})
		},
		"links detached by settlements": func(_ *testing.T, n *namespace) {
			n.faults.Add(amqp.Rule{Point: amqp.Respond, Address: "q", Skip: 25, Times: 2, Fault: amqp.Fault{Detach: true}})
		},
		"settlements refused": func(_ *testing.T, n *namespace) {
			n.faults.Add(amqp.Rule{Point: amqp.Respond, Address: "q", Skip: 25, Times: 3, Fault: amqp.Fault{
				Error: amqp.Errorf("com.microsoft:server-busy", "by a fault"),
			}})
		},
		"locks lost": func(t *testing.T, n *namespace) {
			n.faults.Add(amqp.Rule{Point: amqp.Respond, Address: "q", Skip: 25, Times: 3, Fault: amqp.Fault{
				Error: amqp.Errorf("com.microsoft:message-lock-lost", "by a fault"),
			}})
			n.inject(t, emulator.Fault{Kind: emulator.LockLost, Entity: "q"})
		},
		"slow settlements": func(t *testing.T, n *namespace) {
			n.inject(t, emulator.Fault{Kind: emulator.SlowSettle, Times: 20, Delay: broker.Duration(50 * time.Millisecond)})
		},
	}
	for name, fault := range faults {
		for _, twins := range [][]string{{""}, {"a", "b", "c", "d"}} {
			t.Run(fmt.Sprintf("%s, %d sessions", name, len(twins)), func(t *testing.T) {
				t.Parallel()
				// Locks that outlast their links would make the test wait for their end.
				settings := broker.Settings{LockDuration: broker.Duration(5 * time.Second), MaxDeliveryCount: 1000}
				queue := plain(settings)
				if len(twins) > 1 {
					queue = sessions(settings)
				}
				n, j := start(t, queue), &pulltest.Journal{}
				n.send(t, "q", numbered(200, twins...)...)
				fault(t, n)
				r := run(t, j, n.settings(nil))
				if len(twins) > 1 {
					wantAll(t, n, j, r, "q", 200)
				} else { // what was under way comes when its lock has ended
					wantOnce(t, n, j, r, "q", 200)
				}
				if left := n.count(t, "q/$DeadLetterQueue"); left != 0 {
					t.Errorf("%d messages are dead letters", left)
				}
			})
		}
	}
}

// TestFullJournal holds that messages wait, locked, while the journal is full,
// longer than their locks last.
func TestFullJournal(t *testing.T) {
	for _, twins := range [][]string{{""}, {"a", "b", "c"}} {
		t.Run(fmt.Sprintf("%d sessions", len(twins)), func(t *testing.T) {
			t.Parallel()
			settings := broker.Settings{LockDuration: broker.Duration(2 * time.Second), MaxDeliveryCount: 1}
			queue := plain(settings)
			if len(twins) > 1 {
				queue = sessions(settings)
			}
			n, j := start(t, queue), &pulltest.Journal{}
			j.Refuse(pulltest.Full{})
			n.send(t, "q", numbered(30, twins...)...)
			r := run(t, j, n.settings(nil))
			pulltest.Eventually(t, "a waiting source", func() bool { return r.Status().State == pull.Waiting })
			if s := r.Status(); s.Reason != "journal is full" || s.Received != 0 {
				t.Errorf("status = %+v", s)
			}
			since := time.Now()
			pulltest.Eventually(t, "time past the end of a lock", func() bool { return time.Since(since) > 5*time.Second })
			if got := n.count(t, "q"); got != 30 {
				t.Errorf("%d messages are there while the journal is full, want all 30", got)
			}
			j.Refuse(nil)
			wantAll(t, n, j, r, "q", 30)
			pulltest.Eventually(t, "a running source", func() bool { return r.Status().State == pull.Running })
		})
	}
}

// TestStopWhileFull holds that a source stops at once while it waits, and leaves
// its messages.
func TestStopWhileFull(t *testing.T) {
	n, j := start(t, plain(broker.Settings{})), &pulltest.Journal{}
	j.Refuse(pulltest.Full{})
	n.send(t, "q", numbered(3, "")...)
	r := run(t, j, n.settings(nil))
	pulltest.Eventually(t, "a waiting source", func() bool { return r.Status().State == pull.Waiting })
	begun := time.Now()
	r.Stop()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if got := n.count(t, "q"); got != 3 || j.Len() != 0 {
		t.Errorf("%d messages are left and %d events accepted, want 3 and none", got, j.Len())
	}
}

// TestRestarts holds that another source goes on where one has stopped.
func TestRestarts(t *testing.T) {
	n, j := start(t, sessions(broker.Settings{})), &pulltest.Journal{}
	messages := numbered(400, "a", "b", "c")
	r := run(t, j, n.settings(nil))
	for i := 0; i < len(messages); i += 100 {
		n.send(t, "q", messages[i:i+100]...)
		enough := i + 30
		pulltest.Eventually(t, "some events", func() bool { return j.Len() > enough })
		r.Stop()
		r = run(t, j, n.settings(nil))
	}
	wantAll(t, n, j, r, "q", len(messages))
}

// TestEmulatorRestart holds that a source waits for a namespace that is not
// there, at its start or later, and takes what is new there for new.
func TestEmulatorRestart(t *testing.T) {
	n := start(t, plain(broker.Settings{}))
	j := &pulltest.Journal{}
	n.stop()
	r := run(t, j, n.settings(nil))
	pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
	if reason := r.Status().Reason; !strings.Contains(reason, "connection refused") || !strings.HasPrefix(reason, "sb://"+n.address+"/q: ") {
		t.Errorf("reason = %s", reason)
	}
	for round := range 3 {
		again := serve(t, n.address, broker.Config{Queues: []broker.Queue{plain(broker.Settings{})}})
		again.send(t, "q", numbered(20, "")...) // with the same ids and sequence numbers
		pulltest.Eventually(t, "all events", func() bool { return j.Len() == 20*(round+1) && again.count(t, "q") == 0 })
		pulltest.Eventually(t, "a running source", func() bool { return r.Status().State == pull.Running })
		again.stop()
		pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
	}
}

// TestReasons holds what a source says of what is wrong, and that it mends
// itself once that is put right.
func TestReasons(t *testing.T) {
	tests := []struct {
		name     string
		queue    broker.Queue
		fault    emulator.Fault
		settings map[string]any
		want     []string
	}{
		{"no rights", plain(broker.Settings{}), emulator.Fault{Kind: emulator.Unauthorized}, nil, []string{"401", "claim Listen", "Azure Service Bus Data Receiver"}},
		{"no such queue", plain(broker.Settings{}), emulator.Fault{Kind: emulator.RefuseLink, Condition: "amqp:not-found"}, nil, []string{"amqp:not-found", "check the namespace and the names"}},
		{"a disabled queue", plain(broker.Settings{}), emulator.Fault{Kind: emulator.DisableEntity, Entity: "q"}, nil, []string{"entity-disabled", "enable the entity"}},
		{"a busy service", plain(broker.Settings{}), emulator.Fault{Kind: emulator.RefuseLink, Condition: "com.microsoft:server-busy"}, nil, []string{"server-busy"}},
		{"no rights to sessions", sessions(broker.Settings{}), emulator.Fault{Kind: emulator.Unauthorized}, map[string]any{"sessions": true}, []string{"401", "claim Listen"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, j := start(t, tt.queue), &pulltest.Journal{}
			n.inject(t, tt.fault)
			r := run(t, j, n.settings(tt.settings))
			pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
			s := r.Status()
			for _, want := range tt.want {
				if !strings.Contains(s.Reason, want) {
					t.Errorf("reason = %s, want %q", s.Reason, want)
				}
			}
			if strings.Contains(s.Reason+r.Log(), pulltest.Key) {
				t.Errorf("the key is told: %s\n%s", s.Reason, r.Log())
			}
			n.ClearFaults()
			pulltest.Eventually(t, "a running source", func() bool { return r.Status().State == pull.Running })
			twin := ""
			if tt.queue.RequiresSession {
				twin = "a"
			}
			n.send(t, "q", numbered(1, twin)...)
			wantAll(t, n, j, r, "q", 1)
		})
	}
}

// TestWrongMode holds what is said when the settings and the entity disagree on
// sessions.
func TestWrongMode(t *testing.T) {
	for _, tt := range []struct {
		queue    broker.Queue
		sessions bool
		want     string
	}{
		{sessions(broker.Settings{}), false, `set sessions to true or "auto"`},
		{plain(broker.Settings{}), true, `set sessions to false or "auto"`},
	} {
		n := start(t, tt.queue)
		r := run(t, &pulltest.Journal{}, n.settings(map[string]any{"sessions": tt.sessions}))
		pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
		if reason := r.Status().Reason; !strings.Contains(reason, tt.want) {
			t.Errorf("reason = %s, want %q", reason, tt.want)
		}
	}
}

// TestSilentService holds that a source stops in time while it waits for a
// service that takes the connection and says nothing.
func TestSilentService(t *testing.T) {
	address, connected := pulltest.Silent(t)
	silent := &namespace{address: address}
	r := run(t, &pulltest.Journal{}, silent.settings(nil))
	<-connected
	begun := time.Now()
	r.Stop()
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("stopping took %s", took)
	}
}
