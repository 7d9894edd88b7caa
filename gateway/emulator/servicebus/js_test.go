package servicebus_test

import (
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
	"github.com/headgate/headgate/gateway/npmtest"
)

// TestJavaScriptClient has Microsoft's own JavaScript SDK do what the tests of
// its Go SDK do: a second reading of the protocol.
func TestJavaScriptClient(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{
		DeclaredOnly: true,
		Queues: []broker.Queue{
			{Name: "plain"},
			{Name: "dups", Settings: broker.Settings{RequiresDuplicateDetection: true}},
			{Name: "poison", Settings: broker.Settings{MaxDeliveryCount: 2}},
			{Name: "brief", Settings: broker.Settings{LockDuration: broker.Duration(time.Second)}},
			{Name: "grouped", Settings: broker.Settings{RequiresSession: true}},
		},
		Topics: []broker.Topic{{Name: "topic", Subscriptions: []broker.Subscription{{Name: "a"}, {Name: "b"}}}},
	}})
	t.Logf("%s", npmtest.Run(t, "testdata/jsclient", nil, n.connection))
}
