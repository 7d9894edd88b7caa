package servicebus_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

func TestSnapshot(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{
		Queues: []broker.Queue{{Name: "q"}, {Name: "grouped", Settings: broker.Settings{RequiresSession: true}}},
		Topics: []broker.Topic{{Name: "t", Subscriptions: []broker.Subscription{{Name: "s"}}}},
	}})
	c := n.client(t)
	s, r := sender(t, c, "q"), queueReceiver(t, c, "q")
	for _, body := range []string{"dead", "locked", "deferred"} {
		must(t, s.SendMessage(within(t), text(body), nil))
	}
	must(t, r.DeadLetterMessage(within(t), one(t, r), &azservicebus.DeadLetterOptions{Reason: ptr("why")}))
	one(t, r)
	must(t, r.DeferMessage(within(t), one(t, r), nil))
	must(t, s.SendMessage(within(t), &azservicebus.Message{
		Body: []byte(`{"json":1}`), MessageID: ptr("id"), Subject: ptr("subject"), TimeToLive: ptr(time.Hour),
		ApplicationProperties: map[string]any{"n": int64(1), "b": []byte{0xff}},
	}, nil))
	must(t, s.SendMessage(within(t), &azservicebus.Message{Body: []byte("later"), ScheduledEnqueueTime: ptr(time.Now().Add(time.Hour))}, nil))
	must(t, sender(t, c, "grouped").SendMessage(within(t), grouped("s", "a"), nil))

	var got []string
	for _, e := range n.Entities() {
		got = append(got, e.Path+" "+e.Kind)
		if e.Path == "q" && (e.Messages != 4 || e.Ready != 1 || e.Locked != 1 || e.Deferred != 1 || e.Scheduled != 1 || e.DeadLetters != 1 || e.Bytes == 0) {
			t.Errorf("%+v", e)
		}
		if e.Path == "grouped" && (len(e.Sessions) != 1 || e.Sessions[0].ID != "s" || e.Sessions[0].Messages != 1) {
			t.Errorf("%+v", e)
		}
	}
	want := []string{"grouped queue", "q queue", "t topic", "t/Subscriptions/s subscription"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	messages, err := n.Messages("q", 1, 10)
	must(t, err)
	got = nil
	for _, m := range messages {
		got = append(got, m.State+" "+string(m.Body))
	}
	if diff := cmp.Diff([]string{"locked locked", "deferred deferred", `active {"json":1}`, "scheduled later"}, got); diff != "" {
		t.Error(diff)
	}
	var plain map[string]any
	b, err := json.Marshal(messages[2])
	must(t, err)
	must(t, json.Unmarshal(b, &plain))
	for k, want := range map[string]any{
		"messageId": "id", "subject": "subject", "body": map[string]any{"json": 1.0}, "sequenceNumber": 4.0,
		"applicationProperties": map[string]any{"n": 1.0, "b": "/w=="},
	} {
		if diff := cmp.Diff(want, plain[k]); diff != "" {
			t.Errorf("%s: %s", k, diff)
		}
	}
	dead, err := n.Messages("q/$DeadLetterQueue", 1, 10)
	must(t, err)
	if len(dead) != 1 || dead[0].Properties["DeadLetterReason"] != "why" || dead[0].DeadLetterSource != "q" {
		t.Errorf("dead letters %+v", dead)
	}
}
