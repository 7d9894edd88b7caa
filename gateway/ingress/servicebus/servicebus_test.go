package servicebus_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
)

func TestReceives(t *testing.T) {
	tests := []struct {
		name     string
		queue    broker.Queue
		settings map[string]any
		twins    []string
	}{
		{"a queue", plain(broker.Settings{}), nil, []string{""}},
		{"a queue, message by message", plain(broker.Settings{}), map[string]any{"maxBatch": 1, "sessions": false}, []string{""}},
		{"sessions", sessions(broker.Settings{}), map[string]any{"sessions": true}, []string{"a", "b", "c"}},
		{"sessions that the entity asks for", sessions(broker.Settings{}), nil, []string{"a", "b", "c", "d", "e"}},
		{"more sessions than receivers", sessions(broker.Settings{}), map[string]any{"maxConcurrentSessions": 2}, []string{"a", "b", "c", "d", "e", "f", "g"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, j := start(t, tt.queue), &pulltest.Journal{}
			messages := numbered(700, tt.twins...)
			n.send(t, "q", messages[:300]...)
			r := run(t, j, n.settings(tt.settings))
			n.send(t, "q", messages[300:]...)
			if len(tt.twins) > 1 || tt.settings["maxBatch"] == 1 {
				wantAll(t, n, j, r, "q", len(messages))
			} else { // without sessions there is order only message by message
				wantOnce(t, n, j, r, "q", len(messages))
			}
			status := r.Status()
			if status.State != pull.Running || status.Received != 700 || status.LastReceivedAt.IsZero() || status.Refused != 0 {
				t.Errorf("status = %+v", status)
			}
			r.Stop()
			if got := r.Status().State; got != pull.Stopped {
				t.Errorf("state = %s once it is stopped", got)
			}
		})
	}
}

func TestSubscription(t *testing.T) {
	n := serve(t, "127.0.0.1:0", broker.Config{Topics: []broker.Topic{{Name: "t", Subscriptions: []broker.Subscription{
		{Name: "s", Settings: broker.Settings{RequiresSession: true}}, {Name: "other"},
	}}}})
	for name, settings := range map[string]map[string]any{
		"by path":  {"entityPath": "t/Subscriptions/s"},
		"by names": {"topic": "t", "subscription": "s", "entityPath": ""},
	} {
		t.Run(name, func(t *testing.T) {
			j := &pulltest.Journal{}
			r := run(t, j, n.settings(settings))
			n.send(t, "t", numbered(20, "x", "y")...)
			wantAll(t, n, j, r, "t/Subscriptions/s", 20)
			r.Stop()
		})
	}
}

// TestStatusOfIdle holds that a source with nothing to do says that it runs.
func TestStatusOfIdle(t *testing.T) {
	for _, queue := range []broker.Queue{plain(broker.Settings{}), sessions(broker.Settings{})} {
		n := start(t, queue)
		r := run(t, &pulltest.Journal{}, n.settings(nil))
		pulltest.Eventually(t, "running", func() bool { return r.Status().State == pull.Running })
		begun := time.Now()
		r.Stop()
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("to stop while it waited took %s", took)
		}
	}
}

// TestMessages holds what becomes of messages of all kinds; [pull] has the
// details of what is an event.
func TestMessages(t *testing.T) {
	n, j := start(t, plain(broker.Settings{})), &pulltest.Journal{}
	twin := cloudEvent("1", "room")
	twin.ApplicationProperties["cloudEvents:traceparent"] = "00-1"
	n.send(t, "q",
		twin,
		&azservicebus.Message{ContentType: ptr("application/cloudevents+json"), Body: []byte(`{"specversion":"1.0","id":"2","source":"s","type":"t","data":{"a":1}}`)},
		&azservicebus.Message{ContentType: ptr("application/cloudevents-batch+json"), Body: []byte(`[{"specversion":"1.0","id":"3","source":"s","type":"t"},{"specversion":"1.0","id":"4","source":"s","type":"t"}]`)},
		&azservicebus.Message{Body: []byte(`21.5`), MessageID: ptr("5"), PartitionKey: ptr("hall"), ApplicationProperties: map[string]any{"Unit": "C", "floor": int64(2)}},
		&azservicebus.Message{ContentType: ptr("application/cloudevents+json"), Body: []byte(`{`), MessageID: ptr("bad")},
		&azservicebus.Message{ApplicationProperties: map[string]any{"cloudEvents:specversion": "1.0", "cloudEvents:id": "x"}, MessageID: ptr("worse")},
		cloudEvent("6", "room"),
	)
	r := run(t, j, n.settings(nil))
	pulltest.Eventually(t, "all messages settled", func() bool { return n.count(t, "q") == 0 && j.Len() == 6 })
	got := j.Accepted()
	want := []event.Event{
		{ID: "1", Source: "twins.example", Type: event.TwinUpdate, Subject: "room", DataContentType: "application/json", Data: []byte(`{"id":"1"}`),
			Extensions: []event.Extension{{Name: "traceparent", Value: "00-1"}}},
		{ID: "2", Source: "s", Type: "t", Data: []byte(`{"a":1}`)},
		{ID: "3", Source: "s", Type: "t"},
		{ID: "4", Source: "s", Type: "t"},
		{ID: "5", Source: "sb://" + n.address + "/q", Type: "headgate.servicebus.message", Subject: "hall", DataContentType: "application/json", Data: []byte(`21.5`),
			Extensions: []event.Extension{{Name: "floor", Value: "2", Kind: event.Integer}, {Name: "unit", Value: "C"}}},
		{ID: "6", Source: "twins.example", Type: event.TwinUpdate, Subject: "room", DataContentType: "application/json", Data: []byte(`{"id":"6"}`)},
	}
	if _, err := time.Parse(time.RFC3339Nano, got[4].Time); err != nil {
		t.Errorf("time of a wrapped message: %v", err)
	}
	got[4].Time = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	dead, err := n.Messages("q/$DeadLetterQueue", 0, 10)
	if err != nil || len(dead) != 2 {
		t.Fatalf("dead letters = %+v, %v, want 2", dead, err)
	}
	told := ""
	for _, d := range dead {
		if d.Properties["DeadLetterReason"] != "NotAnEvent" {
			t.Errorf("the reason of a dead letter is %v", d.Properties)
		}
		told += fmt.Sprintln(d.Properties["DeadLetterErrorDescription"])
	}
	s := r.Status()
	for _, want := range []string{"is not JSON", "source is required"} {
		if !strings.Contains(told, want) {
			t.Errorf("the dead letters tell %q, want %q", told, want)
		}
	}
	if s.Refused != 2 || !strings.HasPrefix(s.LastRefusal, "sequence number ") || s.Received != 6 {
		t.Errorf("status = %+v", s)
	}
	if !strings.Contains(r.Log(), "a message that is no event") {
		t.Errorf("the log does not tell of a refusal:\n%s", r.Log())
	}
}

// TestPoison holds that a message on which the SDK panics does not end the
// process, is told of, and keeps nobody else's from coming.
func TestPoison(t *testing.T) {
	n, j := start(t, plain(broker.Settings{MaxDeliveryCount: 2, LockDuration: broker.Duration(time.Second)})), &pulltest.Journal{}
	m := cloudEvent("1", "room")
	m.ApplicationProperties["DeadLetterReason"] = int64(1)
	n.send(t, "q", m, cloudEvent("2", "room"))
	r := run(t, j, n.settings(nil))
	pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
	if reason := r.Status().Reason; !strings.Contains(reason, "cannot read a message") {
		t.Errorf("reason = %s", reason)
	}
	pulltest.Eventually(t, "the other message", func() bool { return j.Len() == 1 })
	pulltest.Eventually(t, "the service to dead-letter it", func() bool { return n.count(t, "q") == 0 && n.count(t, "q/$DeadLetterQueue") == 1 })
	n.send(t, "q", cloudEvent("3", "room"))
	pulltest.Eventually(t, "a running source", func() bool { return j.Len() == 2 && r.Status().State == pull.Running })
}
