package eventhubs_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/eventhubs"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

var _ sink.Prober = (*eventhubs.Sink)(nil)

func TestSink(t *testing.T) {
	features := sinktest.Features{
		Faults:        []sinktest.Fault{sinktest.Reject, sinktest.Refuse, sinktest.Busy, sinktest.Drop, sinktest.Stall},
		RetryAfter:    brokertest.Wait * time.Second,
		EmptyIsNoData: true,
	}
	sinktest.Run(t, features, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		e := brokertest.Listen(t, 2<<20)
		return open(t, e.ConnectionString(), "hub", eventhubs.Options{}), e
	})
}

// open returns a sink for an entity.
func open(t testing.TB, connection, entity string, o eventhubs.Options) *eventhubs.Sink {
	t.Helper()
	return openWith(t, map[string]string{"connectionString": connection, "entityPath": entity}, o)
}

func openWith(t testing.TB, settings map[string]string, o eventhubs.Options) *eventhubs.Sink {
	t.Helper()
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	s, err := eventhubs.New(raw, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}
