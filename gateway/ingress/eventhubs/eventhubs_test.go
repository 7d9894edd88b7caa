package eventhubs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	emulator "github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/eventhubs"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
)

func TestReads(t *testing.T) {
	n, j := start(t, 3), &pulltest.Journal{}
	for p := range 3 {
		n.send(t, fmt.Sprint(p), numbered(fmt.Sprint(p), 0, 200)...)
	}
	r := run(t, j, &store{}, n.settings(nil))
	wantAll(t, j, r, 600)
	n.send(t, "1", numbered("1", 200, 300)...)
	wantAll(t, j, r, 700)
	if s := r.Status(); s.State != pull.Running || s.Received != 700 || s.LastReceivedAt.IsZero() || s.Reason != "" {
		t.Errorf("status = %+v", s)
	}
	r.Stop()
	if got := r.Status().State; got != pull.Stopped {
		t.Errorf("state = %s once it is stopped", got)
	}
}

// TestResumes holds that a source goes on behind its checkpoints, exactly when
// it was stopped properly.
func TestResumes(t *testing.T) {
	n, j, s := start(t, 2), &pulltest.Journal{}, &store{}
	for round := range 4 {
		r := run(t, j, s, n.settings(nil))
		for p := range 2 {
			n.send(t, fmt.Sprint(p), numbered(fmt.Sprint(p), 50*round, 50*round+50)...)
		}
		wantAll(t, j, r, 100*(round+1))
		r.Stop()
	}
	for p, c := range s.marks {
		if c.Sequence != 199 || c.Offset == "" || c.Hub != n.address+"/hub/$Default" || c.Created.IsZero() {
			t.Errorf("checkpoint of %s = %+v", p, c)
		}
	}
}

// TestStart holds where reading begins without checkpoints, and that what comes
// between two runs of the first one is not passed over.
func TestStart(t *testing.T) {
	for start0, want := range map[string]string{"earliest": "0-00000", "latest": "0-00010"} {
		t.Run(start0, func(t *testing.T) {
			n, j, s := start(t, 1), &pulltest.Journal{}, &store{}
			n.send(t, "0", numbered("0", 0, 10)...)
			r := run(t, j, s, n.settings(map[string]any{"start": start0}))
			pulltest.Eventually(t, "running", func() bool { return r.Status().State == pull.Running })
			r.Stop()
			n.send(t, "0", numbered("0", 10, 12)...)
			r = run(t, j, s, n.settings(map[string]any{"start": start0}))
			pulltest.Eventually(t, "the last event", func() bool {
				all := j.Accepted()
				return len(all) > 0 && all[len(all)-1].ID == "0-00011"
			})
			if got := j.Accepted()[0].ID; got != want {
				t.Errorf("the first event is %s, want %s", got, want)
			}
		})
	}
}

// TestMessages holds what becomes of messages of all kinds; [pull] has the
// details of what is an event.
func TestMessages(t *testing.T) {
	n, j := start(t, 1), &pulltest.Journal{}
	twin := numbered("0", 0, 1)[0]
	twin.Properties["cloudEvents:n"] = int64(7)
	n.send(t, "0", twin,
		&azeventhubs.EventData{Body: []byte("plain text"), Properties: map[string]any{"Device-Id": "d7"}},
		&azeventhubs.EventData{Body: []byte(`{"specversion":"1.0"}`), ContentType: ptr("application/cloudevents+json")},
		&azeventhubs.EventData{Body: []byte(`[]`), ContentType: ptr("application/cloudevents-batch+json")},
		&azeventhubs.EventData{Body: []byte(`{}`), CorrelationID: "m"},
	)
	r := run(t, j, &store{}, n.settings(map[string]any{"wrap": map[string]any{"type": "reading", "subject": "$properties.Device-Id|$correlationId", "source": "plant", "id": "$sequenceNumber"}}))
	pulltest.Eventually(t, "all events", func() bool { return j.Len() >= 4 })
	got := j.Accepted()
	for i := range got {
		if i > 0 && got[i].Time == "" {
			t.Errorf("event %d has no time", i)
		}
		got[i].Time = ""
	}
	want := []event.Event{
		{ID: "0-00000", Source: "twins.example", Type: event.TwinUpdate, Subject: "0", DataContentType: "application/json", Data: []byte(`{"n":0}`),
			Extensions: []event.Extension{{Name: "n", Value: "7", Kind: event.Integer}}},
		{ID: "0-1", Source: "plant", Type: "reading", Subject: "d7", DataContentType: "text/plain; charset=utf-8", Data: []byte("plain text"),
			Extensions: []event.Extension{{Name: "deviceid", Value: "d7"}}},
		{ID: "0-2", Source: "sb://" + n.address + "/hub", Type: pull.UndecodableType, DataContentType: "application/octet-stream", Data: []byte(`{"specversion":"1.0"}`),
			Extensions: []event.Extension{{Name: "reason", Value: "event: id is required"}}},
		{ID: "0-4", Source: "plant", Type: "reading", Subject: "m", DataContentType: "application/json", Data: []byte(`{}`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if s := r.Status(); s.Refused != 1 || s.LastRefusal != "partition 0, sequence number 2: event: id is required" {
		t.Errorf("status = %+v", s)
	}
	if !strings.Contains(r.Log(), "partition 0, sequence number 2") {
		t.Errorf("the log does not tell of the refusal:\n%s", r.Log())
	}
}

// TestFaults holds that under faults nothing is lost, partitions keep their
// order, and nothing comes twice, as long as checkpoints can be saved.
func TestFaults(t *testing.T) {
	faults := map[string]amqp.Fault{
		"connections cut": {Drop: true}, "links detached": {Detach: true},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, j := start(t, 2), &pulltest.Journal{}
			for p := range 2 {
				n.send(t, fmt.Sprint(p), numbered(fmt.Sprint(p), 0, 500)...)
			}
			for _, skip := range []int{10, 150, 300} {
				n.faults.Add(amqp.Rule{Point: amqp.Deliver, Address: "hub", Skip: skip, Times: 1, Fault: fault})
			}
			r := run(t, j, &store{}, n.settings(map[string]any{"maxBatch": 20, "prefetch": 50}))
			wantAll(t, j, r, 1000)
		})
	}
}

// TestFullJournal holds that events wait at their hub while the journal is full,
// and that a source which waits stops at once.
func TestFullJournal(t *testing.T) {
	n, j, s := start(t, 1), &pulltest.Journal{}, &store{}
	j.Refuse(pulltest.Full{})
	n.send(t, "0", numbered("0", 0, 100)...)
	r := run(t, j, s, n.settings(nil))
	pulltest.Eventually(t, "a waiting source", func() bool { return r.Status().State == pull.Waiting })
	if got := r.Status(); got.Reason != "journal is full" || got.Received != 0 {
		t.Errorf("status = %+v", got)
	}
	begun := time.Now()
	r.Stop()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if c := s.marks["0"]; c.Sequence != -1 {
		t.Errorf("checkpoint = %+v, want that of the start", c)
	}
	r = run(t, j, s, n.settings(nil))
	pulltest.Eventually(t, "a waiting source", func() bool { return r.Status().State == pull.Waiting })
	j.Refuse(nil)
	wantAll(t, j, r, 100)
	pulltest.Eventually(t, "a running source", func() bool { return r.Status().State == pull.Running })
}

// TestLostStore holds that a source whose checkpoints cannot be saved says so,
// and reads nothing twice.
func TestLostStore(t *testing.T) {
	n, j, s := start(t, 1), &pulltest.Journal{}, &store{}
	n.send(t, "0", numbered("0", 0, 20)...)
	r := run(t, j, s, n.settings(nil))
	wantAll(t, j, r, 20)
	s.say(errors.New("no space"))
	n.send(t, "0", numbered("0", 20, 40)...)
	pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
	if reason := r.Status().Reason; !strings.Contains(reason, "save the checkpoint of partition 0: no space") {
		t.Errorf("reason = %s", reason)
	}
	s.say(nil)
	n.send(t, "0", numbered("0", 40, 60)...)
	wantAll(t, j, r, 60)
}

// TestEmulatorRestart holds that a source waits for a namespace that is not
// there, and reads a hub that was made anew from its beginning.
func TestEmulatorRestart(t *testing.T) {
	n := start(t, 1)
	j, s := &pulltest.Journal{}, &store{}
	n.stop()
	r := run(t, j, s, n.settings(nil))
	pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
	if reason := r.Status().Reason; !strings.Contains(reason, "connection refused") || strings.Contains(reason+r.Log(), pulltest.Key) {
		t.Errorf("reason = %s", reason)
	}
	want := 0
	for _, events := range []int{20, 10, 30} {
		again := serve(t, n.address, emulator.Options{Hubs: []emulator.Hub{{Name: "hub", Partitions: 1}}})
		again.send(t, "0", numbered("0", 0, events)...)
		want += events
		pulltest.Eventually(t, "all events", func() bool { return j.Len() == want })
		again.stop()
		pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
	}
}

// TestReasons holds what a source says of what is wrong, and that it mends
// itself once that is put right.
func TestReasons(t *testing.T) {
	tests := []struct {
		name     string
		fault    emulator.Fault
		settings map[string]any
		want     []string
	}{
		{"no rights", emulator.Fault{Kind: emulator.Unauthorized}, nil, []string{"401", "claim Listen", "Azure Event Hubs Data Receiver"}},
		{"refused links", emulator.Fault{Kind: emulator.RefuseLink, Entity: "hub/ConsumerGroups", Condition: "amqp:not-found"}, nil, []string{"amqp:not-found", "check the namespace"}},
		{"no such hub", emulator.Fault{}, map[string]any{"entityPath": "none"}, []string{"none", "could not be found"}},
		{"no such group", emulator.Fault{}, map[string]any{"consumerGroup": "none"}, []string{"amqp:not-found", "no consumer group"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, j := start(t, 1), &pulltest.Journal{}
			if tt.fault.Kind != "" {
				if err := n.Inject(tt.fault); err != nil {
					t.Fatal(err)
				}
			}
			r := run(t, j, &store{}, n.settings(tt.settings))
			pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
			for _, want := range tt.want {
				if reason := r.Status().Reason; !strings.Contains(reason, want) {
					t.Errorf("reason = %s, want %q", reason, want)
				}
			}
			if tt.fault.Kind == "" {
				return
			}
			n.ClearFaults()
			n.send(t, "0", numbered("0", 0, 1)...)
			wantAll(t, j, r, 1)
			if state := r.Status().State; state != pull.Running {
				t.Errorf("state = %s", state)
			}
		})
	}
}

// TestTakenAway holds what is said when two gateways read for one group without
// shared checkpoints.
func TestTakenAway(t *testing.T) {
	n := start(t, 1)
	n.send(t, "0", numbered("0", 0, 1)...)
	j := &pulltest.Journal{}
	first := run(t, j, &store{}, n.settings(nil))
	wantAll(t, j, first, 1)
	run(t, &pulltest.Journal{}, &store{}, n.settings(nil))
	pulltest.Eventually(t, "a failing source", func() bool { return first.Status().State == pull.Failing })
	if reason := first.Status().Reason; !strings.Contains(reason, "another reader has taken a partition") {
		t.Errorf("reason = %s", reason)
	}
}

var _ eventhubs.Store = (*store)(nil)

// TestSilentService holds that a source stops in time while it waits for a
// service that takes the connection and says nothing.
func TestSilentService(t *testing.T) {
	address, connected := pulltest.Silent(t)
	silent := &namespace{address: address}
	r := run(t, &pulltest.Journal{}, &store{}, silent.settings(nil))
	<-connected
	begun := time.Now()
	r.Stop()
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("stopping took %s", took)
	}
}
