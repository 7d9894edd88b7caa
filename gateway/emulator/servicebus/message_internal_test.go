package servicebus

// White-box: what a client's bytes become is seen only through a whole server
// from outside, which a fuzzer cannot afford.

import (
	"encoding/json"
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
