package amqp_test

import (
	"errors"
	"testing"
	"time"

	client "github.com/Azure/go-amqp"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// messages are what the reference client can say, from little to everything.
func messages() map[string]*client.Message {
	now := time.UnixMilli(1_700_000_000_123).UTC()
	return map[string]*client.Message{
		"nothing":      {},
		"data":         {Data: [][]byte{[]byte("one")}},
		"more data":    {Data: [][]byte{[]byte("one"), {}, make([]byte, 300)}},
		"a value":      {Value: map[string]any{"a": int64(1), "b": []any{true, nil, "x"}}},
		"a null value": {Value: client.Null{}},
		"sequences":    {Sequence: [][]any{{int32(1), "a"}, {}}},
		"all": {
			Header:              &client.MessageHeader{Durable: true, Priority: 9, TTL: time.Minute, FirstAcquirer: true, DeliveryCount: 3},
			DeliveryAnnotations: client.Annotations{"x-opt-lock-token": client.UUID{1, 2, 3}},
			Annotations:         client.Annotations{"x-opt-partition-key": "k", "x-opt-scheduled-enqueue-time": now, int64(7): "number"},
			Properties: &client.MessageProperties{
				MessageID: "m", UserID: []byte("u"), To: ptr("to"), Subject: ptr("s"), ReplyTo: ptr("r"), CorrelationID: uint64(7),
				ContentType: ptr("application/json"), ContentEncoding: ptr("gzip"), AbsoluteExpiryTime: &now, CreationTime: &now,
				GroupID: ptr(""), GroupSequence: ptr(uint32(4)), ReplyToGroupID: ptr("g"),
			},
			ApplicationProperties: map[string]any{
				"bool": true, "u8": uint8(1), "u16": uint16(2), "u32": uint32(3), "u64": uint64(4), "i8": int8(-1), "i16": int16(-2), "i32": int32(-3), "i64": int64(-4),
				"f32": float32(1.5), "f64": 2.5, "string": "é", "bytes": []byte{0}, "time": now, "uuid": client.UUID{9}, "null": nil,
			},
			Data:   [][]byte{[]byte(`{"a":1}`)},
			Footer: client.Annotations{"crc": int64(1)},
		},
	}
}

// TestMessages has the reference client read what was decoded and encoded here.
func TestMessages(t *testing.T) {
	for name, want := range messages() {
		t.Run(name, func(t *testing.T) {
			b, err := want.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			m, err := amqp.DecodeMessage(b)
			if err != nil {
				t.Fatal(err)
			}
			for name, m := range map[string]*amqp.Message{"message": m, "clone": m.Clone()} {
				again, err := m.Append(nil)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(reference(t, b), reference(t, again), same...); diff != "" {
					t.Errorf("%s (-want +got)\n%s", name, diff)
				}
			}
		})
	}
}

var same = []cmp.Option{cmpopts.IgnoreUnexported(client.Message{}), cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}

func reference(t *testing.T, b []byte) *client.Message {
	t.Helper()
	m := &client.Message{}
	if err := m.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMessageParts(t *testing.T) {
	b, err := messages()["all"].MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	m, err := amqp.DecodeMessage(b)
	if err != nil {
		t.Fatal(err)
	}
	p := m.Properties
	if p.MessageID != "m" || *p.GroupID != "" || *p.ContentType != "application/json" || p.CorrelationID != uint64(7) {
		t.Errorf("properties = %+v", p)
	}
	if h := m.Header; *h.TTL != 60_000 || *h.Priority != 9 || h.DeliveryCount != 3 {
		t.Errorf("header = %+v", h)
	}
	if v, _ := m.ApplicationProperties.Get("i32"); v != int32(-3) {
		t.Errorf("i32 is a %T", v)
	}
	if d := m.Data(); len(d) != 1 || string(d[0]) != `{"a":1}` {
		t.Errorf("data = %q", d)
	}
	if _, ok := m.Value(); ok {
		t.Error("data is a value")
	}
	m.ApplicationProperties.Set("i32", "other")
	m.ApplicationProperties.Delete("bool")
	c := m.Clone()
	c.Annotations.Set(amqp.Symbol("x-opt-partition-key"), "other")
	c.Header.DeliveryCount++
	c.Properties.MessageID = nil
	if v, _ := m.Annotations.Get("x-opt-partition-key"); v != "k" || m.Header.DeliveryCount != 3 || m.Properties.MessageID != "m" {
		t.Error("a change of the clone shows")
	}
	v, err := amqp.NewValue(amqp.MapOf(map[string]any{"b": int64(2), "a": nil}))
	if err != nil {
		t.Fatal(err)
	}
	got, ok := v.Value()
	if diff := cmp.Diff(amqp.Map{{Key: "a"}, {Key: "b", Value: int64(2)}}, got); !ok || diff != "" {
		t.Error(diff)
	}
	if v.Data() != nil {
		t.Error("a value is data")
	}
}

func TestMalformedMessages(t *testing.T) {
	tests := map[string]string{
		"a value that is no section":     `a101"a"`,
		"an unknown section":             `00537940`,
		"a section of another type":      `00537245`,
		"data that is text":              `005375a101"a"`,
		"a sequence that is data":        `005376a000`,
		"two headers":                    `0053704500537045`,
		"properties before a header":     `0053734500537045`,
		"data and a value":               `005375a00000537740`,
		"two values":                     `0053774000537740`,
		"a header of text":               `005370c00401a10161`,
		"a message id that is a boolean": `005373c0020141`,
		"half a section":                 `005375a005`,
	}
	for name, in := range tests {
		if m, err := amqp.DecodeMessage(literal(t, in)); !errors.Is(err, amqp.ErrDecode) {
			t.Errorf("%s: DecodeMessage = %+v, %v, want ErrDecode", name, m, err)
		}
	}
	symbolic := `00a310"amqp:header:list"c0020141` + `00a310"amqp:data:binary"a000`
	if m, err := amqp.DecodeMessage(literal(t, symbolic)); err != nil || !m.Header.Durable {
		t.Errorf("symbolic descriptors: %+v, %v", m, err)
	}
}

func TestBatch(t *testing.T) {
	one, _ := client.NewMessage([]byte("1")).MarshalBinary()
	two, _ := client.NewMessage([]byte("2")).MarshalBinary()
	batch, _ := (&client.Message{Annotations: client.Annotations{"x-opt-partition-key": "k"}, Data: [][]byte{one, two}}).MarshalBinary()
	got, err := amqp.DecodeMessages(amqp.BatchFormat, batch)
	if err != nil || len(got) != 2 || string(got[1].Data()[0]) != "2" {
		t.Errorf("DecodeMessages = %v, %v", got, err)
	}
	if got, err := amqp.DecodeMessages(0, batch); err != nil || len(got) != 1 || len(got[0].Data()) != 2 {
		t.Errorf("DecodeMessages of no batch = %v, %v", got, err)
	}
	empty, _ := (&client.Message{}).MarshalBinary()
	for name, in := range map[string][]byte{"nothing": empty, "no message": {0}} {
		if _, err := amqp.DecodeMessages(amqp.BatchFormat, in); !errors.Is(err, amqp.ErrDecode) {
			t.Errorf("%s: error %v, want ErrDecode", name, err)
		}
	}
}

func ptr[T any](v T) *T { return &v }
