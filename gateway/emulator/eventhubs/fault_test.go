package eventhubs_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

// TestFaults has a batch arrive once in spite of a fault, or, where only the
// acknowledgement was lost, twice.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault string
		want  int
	}{
		{`{"kind":"server-busy","times":2}`, 1},
		{`{"kind":"reject","condition":"com.microsoft:timeout","times":1}`, 1},
		{`{"kind":"refuse","condition":"amqp:connection:forced","times":1}`, 1},
		{`{"kind":"detach","times":1}`, 1},
		{`{"kind":"drop-before","times":1,"entity":"HUB"}`, 1},
		{`{"kind":"drop-after","times":1}`, 2},
		{`{"kind":"slow","times":1,"delay":"20ms"}`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			n := start(t, eventhubs.Options{Partitions: 1}, nil)
			inject(t, n, tt.fault)
			if err := send(t, n.producer(t, "hub"), nil, "x"); err != nil {
				t.Fatal(err)
			}
			if left := n.Faults(); len(left) != 0 {
				t.Errorf("the fault did not happen: %v", left)
			}
			if got := n.Entities(0)[0].Partitions[0].Count; got != tt.want {
				t.Errorf("%d events, want %d", got, tt.want)
			}
		})
	}
}

func inject(t *testing.T, n *namespace, fault string) {
	t.Helper()
	var f eventhubs.Fault
	if err := json.Unmarshal([]byte(fault), &f); err != nil {
		t.Fatal(err)
	}
	if err := n.Inject(f); err != nil {
		t.Fatal(err)
	}
}

// TestReaderFaults has a consumer miss nothing that a fault keeps from it.
func TestReaderFaults(t *testing.T) {
	for _, kind := range []string{"detach-receiver", "drop-receiver"} {
		n := start(t, eventhubs.Options{Partitions: 1}, nil)
		if err := send(t, n.producer(t, "hub"), nil, "a", "b", "c"); err != nil {
			t.Fatal(err)
		}
		inject(t, n, `{"kind":"`+kind+`","skip":1,"times":1}`)
		reader, err := n.consumer(t, "hub").NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: ptr(true)}})
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close(timeout(t))
		var got string
		for _, e := range receive(t, reader, 3) {
			got += string(e.Body)
		}
		if got != "abc" || len(n.Faults()) != 0 {
			t.Errorf("%s: read %s, rules left: %v", kind, got, n.Faults())
		}
	}
}

// TestLastingFaults last until they are cleared.
func TestLastingFaults(t *testing.T) {
	n := start(t, eventhubs.Options{}, nil)
	inject(t, n, `{"kind":"unauthorized"}`)
	err := send(t, n.producer(t, "hub"), nil, "x")
	if e := (*azeventhubs.Error)(nil); !errors.As(err, &e) || e.Code != azeventhubs.ErrorCodeUnauthorizedAccess {
		t.Errorf("error = %v, want unauthorized access", err)
	}
	n.ClearFaults()
	inject(t, n, `{"kind":"size-limit","entity":"hub","bytes":100}`)
	p := n.producer(t, "hub")
	if err := send(t, p, nil, strings.Repeat("x", 100)); err == nil || !strings.Contains(err.Error(), string(amqp.MessageSizeExceeded)) {
		t.Errorf("error = %v, want %s", err, amqp.MessageSizeExceeded)
	}
	n.ClearFaults()
	if err := send(t, p, nil, strings.Repeat("x", 100)); err != nil {
		t.Error(err)
	}
}

func TestNoSuchFault(t *testing.T) {
	n := start(t, eventhubs.Options{Declared: true}, nil)
	for _, f := range []eventhubs.Fault{{}, {Kind: "lock-lost"}, {Kind: eventhubs.RejectBatch}, {Kind: eventhubs.SlowSettle, Delay: -1}, {Kind: eventhubs.SizeLimit, Entity: "hub"}} {
		if err := n.Inject(f); err == nil {
			t.Errorf("%+v was injected", f)
		}
	}
	b, err := json.Marshal(eventhubs.Fault{Kind: eventhubs.SlowSettle, Delay: 1500_000_000})
	if want := `{"kind":"slow","delay":"1.5s"}`; err != nil || string(b) != want {
		t.Errorf("a fault is %s, %v, want %s", b, err, want)
	}
}
