package servicebus

// White-box: what a client's bytes become is seen only through a whole server
// from outside, which a fuzzer cannot afford.

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	client "github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// FuzzDecode takes what a client may send. What is accepted can be delivered
// and shown, and is then what it was.
func FuzzDecode(f *testing.F) {
	id, group := "id", "group"
	one, err := (&client.Message{
		Header:                &client.MessageHeader{TTL: time.Second},
		Annotations:           client.Annotations{"x-opt-partition-key": "group", "x-opt-scheduled-enqueue-time": time.UnixMilli(1e12)},
		Properties:            &client.MessageProperties{MessageID: id, GroupID: &group},
		ApplicationProperties: map[string]any{"s": "text", "n": int64(1)},
		Data:                  [][]byte{[]byte(`{"a":1}`)},
	}).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	batch, err := (&client.Message{Data: [][]byte{one, one}}).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	value, err := (&client.Message{Value: map[string]any{"a": []any{1.5, "b"}}}).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	late := time.UnixMilli(1 << 60)
	far, err := (&client.Message{
		Annotations:           client.Annotations{"x-opt-scheduled-enqueue-time": late},
		ApplicationProperties: map[string]any{"late": late},
	}).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), far)
	f.Add(uint32(0), one)
	f.Add(amqp.BatchFormat, batch)
	f.Add(uint32(0), value)
	f.Fuzz(func(t *testing.T, format uint32, payload []byte) {
		messages, err := decode(format, payload)
		if err != nil {
			if reason, _ := told(err); reason.Condition == amqp.InternalError {
				t.Fatalf("the sender's fault is not the sender's: %v", err)
			}
			return
		}
		for _, m := range messages {
			roundTrip(t, m)
		}
	})
}

func roundTrip(t *testing.T, m broker.Message) {
	t.Helper()
	m.State, m.Sequence, m.EnqueuedAt, m.LockToken, m.Failures = broker.StateScheduled, 7, time.UnixMilli(1e12), broker.Token{}, 3
	m.Properties = map[string]any{"set": "since"}
	b, err := encode(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := decodeOne(b)
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != "" && again.ID != m.ID || again.SessionID != m.SessionID || again.HasSession != m.HasSession ||
		again.PartitionKey != m.PartitionKey || !again.EnqueueAt.Equal(m.EnqueueAt) {
		t.Fatalf("%+v became %+v", m, again)
	}
	got := again.Body.(*amqp.Message)
	if string(got.Body) != string(m.Body.(*amqp.Message).Body) || got.Header.DeliveryCount != 3 {
		t.Fatalf("%+v became %+v", m.Body, got)
	}
	if v, _ := got.Annotations.Get(string(annSequence)); v != int64(7) {
		t.Fatalf("sequence number %v", v)
	}
	if _, err := json.Marshal(describe(m)); err != nil {
		t.Fatal(err)
	}
}

// FuzzManage asks what a client may ask. Every answer can be written, and none
// blames the server.
func FuzzManage(f *testing.F) {
	var names []string
	for name := range operations {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, body := range []amqp.Map{
		amqp.MapOf(map[string]any{"session-id": "s", "session-state": []byte("state")}),
		amqp.MapOf(map[string]any{"lock-tokens": amqp.NewArray(amqp.UUID{1}), "disposition-status": "completed"}),
		amqp.MapOf(map[string]any{"from-sequence-number": int64(0), "message-count": int32(10), "omit-message-body": true}),
		amqp.MapOf(map[string]any{"last-updated-time": endOfTime, "skip": int32(0), "top": int32(5)}),
		amqp.MapOf(map[string]any{"sequence-numbers": amqp.NewArray[int64](1, 2), "receiver-settle-mode": uint32(1)}),
		amqp.MapOf(map[string]any{"messages": amqp.List{amqp.MapOf(map[string]any{"message": []byte{0, 0x53, 0x77, 0x40}})}}),
	} {
		b, err := amqp.AppendValue(nil, body)
		if err != nil {
			f.Fatal(err)
		}
		for j := range names {
			f.Add(uint8(i+j), b)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		body, _, err := amqp.DecodeValue(b)
		if err != nil {
			return
		}
		br, err := broker.New(broker.Config{Queues: []broker.Queue{{Name: "q", Settings: broker.Settings{RequiresSession: which%2 == 0}}}})
		if err != nil {
			t.Fatal(err)
		}
		defer br.Close()
		e, err := br.Entity("q")
		if err != nil {
			t.Fatal(err)
		}
		id := "s"
		m, err := decodeOne([]byte{0, 0x53, 0x77, 0x40})
		if err != nil {
			t.Fatal(err)
		}
		m.SessionID, m.HasSession = id, true
		if err := e.Send(m); err != nil {
			t.Fatal(err)
		}
		if e.RequiresSession() {
			if _, err := e.AcceptSession(t.Context(), t, &id, broker.PeekLock); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // the second time upon what the first has done
			r := manage(e, t, names[int(which)%len(names)], body)
			if r.Status == 0 || r.Status == 500 {
				t.Fatalf("answer %+v", r)
			}
			if _, err := amqp.NewValue(r.Body); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestTicks(t *testing.T) {
	tests := []struct {
		at   time.Time
		want int64
	}{
		{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		{time.Unix(0, 0), 621355968000000000},
		{time.Unix(1, 100), 621355968010000001},
	}
	for _, tt := range tests {
		if got := ticks(tt.at); got != tt.want {
			t.Errorf("ticks(%v) = %d, want %d", tt.at, got, tt.want)
		}
	}
}
