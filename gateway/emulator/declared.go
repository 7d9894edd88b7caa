package emulator

import (
	"fmt"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// Declared is what is there from the start. All else is made on first use,
// except in a service that is declaredOnly. Its JSON is also that of the file
// which [Parse] reads.
type Declared struct {
	// Key is the shared access key of all three services; without one every
	// key is good.
	Key        string        `json:"key,omitempty"`
	ServiceBus broker.Config `json:"serviceBus"`
	EventHubs  Hubs          `json:"eventHubs"`
	EventGrid  Topics        `json:"eventGrid"`
}

// Hubs declares event hubs. A zero value is the default.
type Hubs struct {
	Hubs []eventhubs.Hub `json:"hubs,omitempty"`
	// Partitions are those of a hub that does not say: 4.
	Partitions int `json:"partitions,omitempty"`
	// MaxMessageBytes bounds a batch: 1 MiB.
	MaxMessageBytes uint64 `json:"maxMessageSizeBytes,omitempty"`
	// KeepBytes bounds, about, what is kept of a partition's newest events: 64 MiB.
	KeepBytes    int  `json:"keepBytesPerPartition,omitempty"`
	DeclaredOnly bool `json:"declaredOnly,omitempty"`
}

// Topics declares Event Grid topics. A zero value is the default.
type Topics struct {
	Topics []eventgrid.Topic `json:"topics,omitempty"`
	// KeepEvents bounds the events, and the dead letters, that are kept of a
	// topic and of a subscription to be looked at: 10,000.
	KeepEvents   int  `json:"keepEvents,omitempty"`
	DeclaredOnly bool `json:"declaredOnly,omitempty"`
}

// check says what is wrong with a value of a file, as such: what it declares
// is what its service would take.
func check(value any) error {
	switch v := value.(type) {
	case broker.Queue:
		return declarable(broker.Config{Queues: []broker.Queue{v}})
	case broker.Topic:
		return declarable(broker.Config{Topics: []broker.Topic{v}})
	case eventhubs.Hub:
		_, err := eventhubs.New(eventhubs.Options{Hubs: []eventhubs.Hub{v}})
		return err
	case eventgrid.Topic:
		return v.Validate()
	case Hubs:
		if v.Partitions < 0 || v.KeepBytes < 0 {
			return fmt.Errorf("partitions and keepBytesPerPartition must not be negative")
		}
	case Topics:
		if v.KeepEvents < 0 {
			return fmt.Errorf("keepEvents must not be negative")
		}
	}
	return nil
}

func declarable(c broker.Config) error {
	b, err := broker.New(c)
	if err == nil {
		b.Close()
	}
	return err
}
