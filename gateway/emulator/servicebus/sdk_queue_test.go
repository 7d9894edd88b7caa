package servicebus_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

func TestMessageIsKeptWhole(t *testing.T) {
	n := serve(t, servicebus.Options{})
	c := n.client(t)
	id, to := "an id", "to"
	sent := &azservicebus.Message{
		Body: []byte("body"), MessageID: &id, To: &to, ReplyTo: ptr("reply"), Subject: ptr("subject"), ContentType: ptr("text/plain"),
		CorrelationID: ptr("correlation"), PartitionKey: ptr("key"), ReplyToSessionID: ptr("reply session"), TimeToLive: ptr(time.Hour),
		ApplicationProperties: map[string]any{"s": "text", "i": int64(7), "i32": int32(7), "f": 1.5, "b": true, "by": []byte{0, 1}, "t": time.UnixMilli(1e12).UTC()},
	}
	must(t, sender(t, c, "q").SendMessage(within(t), sent, nil))
	m := one(t, queueReceiver(t, c, "q"))
	if string(m.Body) != "body" || m.MessageID != id || *m.To != to || *m.ReplyTo != "reply" || *m.Subject != "subject" ||
		*m.ContentType != "text/plain" || *m.CorrelationID != "correlation" || *m.PartitionKey != "key" ||
		*m.ReplyToSessionID != "reply session" || *m.TimeToLive != time.Hour {
		t.Errorf("received %+v", m)
	}
	for k, want := range sent.ApplicationProperties {
		if got := m.ApplicationProperties[k]; !equal(got, want) {
			t.Errorf("property %s is %T(%v), want %T(%v)", k, got, got, want, want)
		}
	}
	if *m.SequenceNumber != 1 || *m.EnqueuedSequenceNumber != 1 || m.DeliveryCount != 1 || m.State != azservicebus.MessageStateActive ||
		time.Since(*m.EnqueuedTime) > time.Minute || time.Until(*m.LockedUntil) < 30*time.Second || !m.ExpiresAt.Equal(m.EnqueuedTime.Add(time.Hour)) {
		t.Errorf("the broker's word on it: %+v", m)
	}
}

func equal(x, y any) bool {
	if b, ok := x.([]byte); ok {
		return bytes.Equal(b, y.([]byte))
	}
	if at, ok := x.(time.Time); ok {
		return at.Equal(y.(time.Time))
	}
	return x == y
}

func TestSettlement(t *testing.T) {
	n := serve(t, servicebus.Options{})
	c := n.client(t)
	s, r, dead := sender(t, c, "q"), queueReceiver(t, c, "q"), deadLetters(t, c, "q")

	must(t, s.SendMessage(within(t), text("a"), nil))
	m := one(t, r)
	must(t, r.AbandonMessage(within(t), m, &azservicebus.AbandonMessageOptions{PropertiesToModify: map[string]any{"hello": "world"}}))
	m = one(t, r)
	if m.DeliveryCount != 2 || m.ApplicationProperties["hello"] != "world" {
		t.Fatalf("after abandon: %+v", m)
	}
	must(t, r.DeferMessage(within(t), m, &azservicebus.DeferMessageOptions{PropertiesToModify: map[string]any{"n": int64(1)}}))
	nothing(t, r)
	deferred, err := r.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	must(t, err)
	m = deferred[0]
	if string(m.Body) != "a" || m.State != azservicebus.MessageStateDeferred || m.LockToken == [16]byte{} || m.ApplicationProperties["n"] != int64(1) {
		t.Fatalf("deferred: %+v", m)
	}
	must(t, r.RenewMessageLock(within(t), m, nil))
	must(t, r.AbandonMessage(within(t), m, nil)) // by $management: it stays deferred
	deferred, err = r.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	must(t, err)
	m = deferred[0]
	if m.DeliveryCount != 3 {
		t.Errorf("delivery count %d, want 3", m.DeliveryCount)
	}
	why := &azservicebus.DeadLetterOptions{Reason: ptr("reason"), ErrorDescription: ptr("description"), PropertiesToModify: map[string]any{"p": "q"}}
	must(t, r.DeadLetterMessage(within(t), m, why))

	d := one(t, dead)
	if *d.DeadLetterReason != "reason" || *d.DeadLetterErrorDescription != "description" || *d.DeadLetterSource != "q" ||
		d.ApplicationProperties["p"] != "q" || d.ApplicationProperties["hello"] != "world" {
		t.Errorf("dead letter: %+v", d)
	}
	must(t, dead.CompleteMessage(within(t), d, nil))

	must(t, s.SendMessage(within(t), text("b"), nil)) // now by the link
	must(t, r.DeadLetterMessage(within(t), one(t, r), why))
	d = one(t, dead)
	if string(d.Body) != "b" || *d.DeadLetterReason != "reason" || d.ApplicationProperties["p"] != "q" {
		t.Errorf("dead letter: %+v", d)
	}
	must(t, dead.CompleteMessage(within(t), d, nil))
	if info := n.entity(t, "q").Info(); info.Messages != 0 || info.DeadLetters != 0 {
		t.Errorf("left over: %+v", info)
	}
}

func TestSettleByAnotherLink(t *testing.T) {
	n := serve(t, servicebus.Options{})
	c := n.client(t)
	must(t, sender(t, c, "q").SendMessage(within(t), text("a"), nil))
	first := queueReceiver(t, c, "q")
	m := one(t, first)
	must(t, first.Close(within(t)))
	nothing(t, queueReceiver(t, c, "q")) // the lock outlives the link
	must(t, queueReceiver(t, c, "q").CompleteMessage(within(t), &azservicebus.ReceivedMessage{LockToken: m.LockToken}, nil))
	if info := n.entity(t, "q").Info(); info.Messages != 0 {
		t.Errorf("left over: %+v", info)
	}
}

func TestDeliveryCountEnds(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{Queues: []broker.Queue{{Name: "q", Settings: broker.Settings{MaxDeliveryCount: 2}}}}})
	c := n.client(t)
	must(t, sender(t, c, "q").SendMessage(within(t), text("poison"), nil))
	r := queueReceiver(t, c, "q")
	for range 2 {
		must(t, r.AbandonMessage(within(t), one(t, r), nil))
	}
	if d := one(t, deadLetters(t, c, "q")); *d.DeadLetterReason != "MaxDeliveryCountExceeded" {
		t.Errorf("dead letter %+v", d)
	}
}

func TestReceiveAndDelete(t *testing.T) {
	n := serve(t, servicebus.Options{})
	c := n.client(t)
	s := sender(t, c, "q")
	for range 5 {
		must(t, s.SendMessage(within(t), text("a"), nil))
	}
	r := must1[*azservicebus.Receiver](t)(c.NewReceiverForQueue("q", &azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete}))
	got := must1[[]*azservicebus.ReceivedMessage](t)(r.ReceiveMessages(within(t), 3, nil))
	if left := n.entity(t, "q").Info().Messages; len(got) != 3 || left != 2 {
		t.Errorf("received %d of 5, %d are left", len(got), left)
	}
}

func TestLockIsLost(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{Queues: []broker.Queue{
		{Name: "q", Settings: broker.Settings{LockDuration: broker.Duration(200 * time.Millisecond)}},
	}}})
	c := n.client(t)
	must(t, sender(t, c, "q").SendMessage(within(t), text("a"), nil))
	r := queueReceiver(t, c, "q")
	m := one(t, r)
	again := one(t, r) // when the lock has run out
	if again.DeliveryCount != 2 {
		t.Errorf("delivery count %d, want 2", again.DeliveryCount)
	}
	for _, err := range []error{r.CompleteMessage(within(t), m, nil), r.RenewMessageLock(within(t), m, nil)} {
		var e *azservicebus.Error
		if !errors.As(err, &e) || e.Code != azservicebus.CodeLockLost {
			t.Errorf("error %v, want %s", err, azservicebus.CodeLockLost)
		}
	}
}

func TestSchedule(t *testing.T) {
	n := serve(t, servicebus.Options{})
	c := n.client(t)
	s, r := sender(t, c, "q"), queueReceiver(t, c, "q")
	at := time.Now().Add(time.Second)
	numbers, err := s.ScheduleMessages(within(t), []*azservicebus.Message{text("soon"), text("never")}, at, nil)
	must(t, err)
	far, err := s.ScheduleMessages(within(t), []*azservicebus.Message{text("far")}, at.Add(time.Hour), nil)
	must(t, err)
	must(t, s.SendMessage(within(t), &azservicebus.Message{Body: []byte("annotated"), ScheduledEnqueueTime: ptr(at.Add(time.Hour))}, nil))
	must(t, s.CancelScheduledMessages(within(t), numbers[1:], nil))
	if err := s.CancelScheduledMessages(within(t), numbers[1:], nil); err == nil {
		t.Error("cancelled what was cancelled")
	}
	peeked := must1[[]*azservicebus.ReceivedMessage](t)(r.PeekMessages(within(t), 10, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &far[0]}))
	if len(peeked) != 2 || string(peeked[0].Body) != "far" || peeked[0].State != azservicebus.MessageStateScheduled || string(peeked[1].Body) != "annotated" {
		t.Errorf("peeked %v", peeked)
	}
	m := one(t, r)
	if string(m.Body) != "soon" || m.EnqueuedTime.Before(at.Add(-time.Millisecond)) || m.State != azservicebus.MessageStateActive {
		t.Errorf("received %+v", m)
	}
	if info := n.entity(t, "q").Info(); info.Scheduled != 2 {
		t.Errorf("left over: %+v", info)
	}
}

func TestPeek(t *testing.T) {
	n := serve(t, servicebus.Options{})
	c := n.client(t)
	s, r := sender(t, c, "q"), queueReceiver(t, c, "q")
	if peeked := must1[[]*azservicebus.ReceivedMessage](t)(r.PeekMessages(within(t), 1, nil)); len(peeked) != 0 {
		t.Fatalf("peeked %v into an empty queue", peeked)
	}
	big := strings.Repeat("x", 200<<10) // more than one frame, and than one answer holds of ten
	for range 10 {
		must(t, s.SendMessage(within(t), text(big), nil))
	}
	var all int
	for all < 10 {
		peeked := must1[[]*azservicebus.ReceivedMessage](t)(r.PeekMessages(within(t), 10, nil))
		if len(peeked) == 0 || string(peeked[0].Body) != big || *peeked[0].SequenceNumber != int64(all+1) {
			t.Fatalf("peeked %d after %d", len(peeked), all)
		}
		all += len(peeked)
	}
	if m := one(t, r); m.DeliveryCount != 1 || string(m.Body) != big {
		t.Errorf("peeking changed the message: %d deliveries", m.DeliveryCount)
	}
}

func TestDuplicates(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{Queues: []broker.Queue{{Name: "q", Settings: broker.Settings{RequiresDuplicateDetection: true}}}}})
	c := n.client(t)
	s := sender(t, c, "q")
	for range 3 {
		must(t, s.SendMessage(within(t), &azservicebus.Message{Body: []byte("a"), MessageID: ptr("same")}, nil))
	}
	must(t, s.SendMessage(within(t), &azservicebus.Message{Body: []byte("b"), MessageID: ptr("other")}, nil))
	if info := n.entity(t, "q").Info(); info.Messages != 2 {
		t.Errorf("%+v, want 2 messages", info)
	}
}

func TestTopic(t *testing.T) {
	n := serve(t, servicebus.Options{})
	c := n.client(t)
	// Made on first use, by the subscriptions.
	var subs []*azservicebus.Receiver
	for _, name := range []string{"one", "two"} {
		r := must1[*azservicebus.Receiver](t)(c.NewReceiverForSubscription("t", name, nil))
		nothing(t, r)
		subs = append(subs, r)
	}
	must(t, sender(t, c, "t").SendMessage(within(t), text("a"), nil))
	for _, r := range subs {
		m := one(t, r)
		must(t, r.DeadLetterMessage(within(t), m, nil))
	}
	dead := must1[*azservicebus.Receiver](t)(c.NewReceiverForSubscription("t", "two", &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter}))
	if m := one(t, dead); *m.DeadLetterSource != "t/Subscriptions/two" {
		t.Errorf("dead letter from %s", *m.DeadLetterSource)
	}
	transfer := must1[*azservicebus.Receiver](t)(c.NewReceiverForSubscription("t", "two", &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueTransfer}))
	nothing(t, transfer)
}
