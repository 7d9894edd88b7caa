package eventhubs_test

import (
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

// TestPastPrefetch reads more than the client asks for at first, which is 300:
// it asks again only for what was sent as settled.
func TestPastPrefetch(t *testing.T) {
	const total = 1000
	n := start(t, eventhubs.Options{Partitions: 1}, nil)
	bodies := make([]string, total)
	for i := range bodies {
		bodies[i] = fmt.Sprint(i)
	}
	if err := send(t, n.producer(t, "hub"), nil, bodies...); err != nil {
		t.Fatal(err)
	}
	reader, err := n.consumer(t, "hub").NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: ptr(true)}})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(timeout(t))
	for i, e := range receive(t, reader, total) {
		if string(e.Body) != bodies[i] {
			t.Fatalf("event %d is %s", i, e.Body)
		}
	}
}
