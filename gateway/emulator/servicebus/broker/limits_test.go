package broker_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

func TestLimits(t *testing.T) {
	q := queue(t, broker.Settings{MaxMessageBytes: 10, MaxSizeBytes: 15})
	send(t, q, msg("0123456789"))
	wantError(t, q.Send(msg("0123456789a")), broker.ErrTooLarge)
	wantError(t, q.Send(msg("01234"), msg("012345")), broker.ErrTooLarge)
	wantError(t, q.Send(msg("012345")), broker.ErrQuota)
	send(t, q, msg("01234"))
	long := msg("")
	long.ID = strings.Repeat("i", 129)
	wantError(t, q.Send(long), broker.ErrArgument)
	long.ID = strings.Repeat("𝄞", 65)
	wantError(t, q.Send(long), broker.ErrArgument)
	r := receiver(t, q, broker.ReceiveAndDelete)
	wantBodies(t, ready(t, r), "0123456789", "01234")
	send(t, q, msg("0123456789"))
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, broker.Settings{Status: broker.SendDisabled})
		wantError(t, q.Send(msg("a")), broker.ErrDisabled)
		wantError(t, q.Sendable(), broker.ErrDisabled)
		r := receiver(t, q, broker.PeekLock)
		ended := make(chan error)
		go func() {
			_, err := r.Next(ever)
			ended <- err
		}()
		synctest.Wait()
		if err := q.SetStatus(broker.ReceiveDisabled); err != nil {
			t.Fatal(err)
		}
		wantError(t, <-ended, broker.ErrDisabled)
		send(t, q, msg("a"))
		if err := q.SetStatus("nonsense"); err == nil {
			t.Error("SetStatus took nonsense")
		}
		if err := q.SetStatus(broker.Active); err != nil {
			t.Fatal(err)
		}
		wantBodies(t, ready(t, r), "a")
	})
}

func TestLostReceiverFreesItsLocks(t *testing.T) {
	q := queue(t, broker.Settings{})
	send(t, q, msg("a"), msg("b"), msg("c"))
	kept, lost := receiver(t, q, broker.PeekLock), receiver(t, q, broker.PeekLock)
	m, err := kept.Next(ever)
	if err != nil {
		t.Fatal(err)
	}
	wantBodies(t, ready(t, lost), "b", "c")
	kept.Close(false)
	lost.Close(true)
	lost.Close(true)
	again := ready(t, receiver(t, q, broker.PeekLock))
	wantBodies(t, again, "b", "c")
	if again[0].Failures != 1 {
		t.Errorf("failures %d, want 1", again[0].Failures)
	}
	if err := q.Settle(nil, m.LockToken, broker.Disposition{}); err != nil {
		t.Errorf("a lock must outlive a receiver that was closed: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	b := open(t, broker.Config{
		DeclaredOnly: true,
		Queues:       []broker.Queue{{Name: "a/b"}, {Name: "dyn-*"}},
		Topics:       []broker.Topic{{Name: "t", Subscriptions: []broker.Subscription{{Name: "s"}}}},
	})
	tests := []struct{ address, want string }{
		{"a/b", "a/b"},
		{"/A/B/", "a/b"},
		{"a/b/$DeadLetterQueue", "a/b/$DeadLetterQueue"},
		{"a/b/$transfer/$deadletterqueue", "a/b/$Transfer/$DeadLetterQueue"},
		{"dyn-1", "dyn-1"},
		{"t", "t"},
		{"t/Subscriptions/s", "t/Subscriptions/s"},
		{"t/subscriptions/S/$DeadLetterQueue", "t/Subscriptions/s/$DeadLetterQueue"},
		{"a", ""},
		{"a/b/Subscriptions/s", ""},
		{"t/Subscriptions/other", ""},
		{"t/Subscriptions/", ""},
		{"t/Subscriptions/x/y", ""},
		{"", ""},
		{"$management", ""},
		{"q?", ""},
		{"İ/Subscriptions/x", ""},
		{strings.Repeat("q", 261), ""},
	}
	for _, tt := range tests {
		e, err := b.Entity(tt.address)
		if tt.want == "" {
			wantError(t, err, broker.ErrNotFound)
		} else if err != nil || e.Path() != tt.want {
			t.Errorf("Entity(%q) = %v, %v, want %q", tt.address, e, err, tt.want)
		}
	}
	if n := len(b.Entities()); n != 4 {
		t.Errorf("%d entities, want 4", n)
	}
}

func TestConfigIsWrittenAsItIsRead(t *testing.T) {
	want := broker.Config{Queues: []broker.Queue{{Name: "q", Settings: broker.Settings{
		RequiresSession: true, LockDuration: broker.Duration(90 * time.Second), MaxDeliveryCount: 3, Status: broker.SendDisabled,
	}}}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if text := `{"queues":[{"name":"q","requiresSession":true,"lockDuration":"1m30s","maxDeliveryCount":3,"status":"sendDisabled"}]}`; string(b) != text {
		t.Errorf("%s, want %s", b, text)
	}
	var got broker.Config
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfig(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"whole", `{"queues":[{"name":"q","requiresSession":true,"lockDuration":"30s","status":"active"}],
			"topics":[{"name":"t","requiresDuplicateDetection":true,"subscriptions":[{"name":"s","maxDeliveryCount":3}]}]}`, ""},
		{"twice", `{"queues":[{"name":"q"},{"name":"Q"}]}`, "declared twice"},
		{"subscription twice", `{"topics":[{"name":"t","subscriptions":[{"name":"s"},{"name":"S"}]}]}`, "declared twice"},
		{"topic and queue", `{"queues":[{"name":"q"}],"topics":[{"name":"q"}]}`, "declared twice"},
		{"no name", `{"queues":[{"lockDuration":"30s"}]}`, "not a name"},
		{"bad pattern", `{"queues":[{"name":"[*"}]}`, "not a name"},
		{"long lock", `{"queues":[{"name":"q","lockDuration":"6m"}]}`, "at most 5m0s"},
		{"duration", `{"queues":[{"name":"q","lockDuration":30}]}`, `a string such as "30s"`},
		{"negative", `{"queues":[{"name":"q","maxDeliveryCount":-1}]}`, "negative"},
		{"status", `{"queues":[{"name":"q","status":"on"}]}`, `status "on"`},
		{"topic with sessions", `{"topics":[{"name":"t","requiresSession":true}]}`, "set for its subscriptions"},
		{"subscription with duplicates", `{"topics":[{"name":"t","subscriptions":[{"name":"s","requiresDuplicateDetection":true}]}]}`, "set for the topic"},
		{"subscription name", `{"topics":[{"name":"t","subscriptions":[{"name":"a/b"}]}]}`, "not a name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var cfg broker.Config
			err := json.Unmarshal([]byte(tt.config), &cfg)
			if err == nil {
				var b *broker.Broker
				if b, err = broker.New(cfg); err == nil {
					b.Close()
				}
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
