package emulator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/emulator"
	"github.com/headgate/headgate/gateway/npmtest"
)

// TestJavaScriptClients has Microsoft's own JavaScript SDKs speak to all three
// services by TLS, with a key that is asked for.
func TestJavaScriptClients(t *testing.T) {
	d := parse(t, "{serviceBus: {queues: [{name: orders, requiresSession: true}]}, eventHubs: {hubs: [{name: telemetry}]}}")
	d.Key = "YSBrZXk="
	e := start(t, everything(d))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, e.CertificatePEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	secure := func(s emulator.Service) string {
		return strings.TrimSuffix(e.ConnectionString(s), ";UseDevelopmentEmulator=true")
	}
	npmtest.Run(t, "testdata/jsclient", []string{"NODE_EXTRA_CA_CERTS=" + ca},
		secure(emulator.ServiceBus), secure(emulator.EventHubs), e.TopicEndpoint("plant"), e.Key())
	topics, err := e.Entities(emulator.EventGrid, "plant", 10)
	if err != nil || len(topics) != 1 || topics[0].Accepted != 1 || !strings.Contains(string(topics[0].Events[0].Event), `"subject":"boiler-7"`) {
		t.Errorf("the topic holds %+v, %v", topics, err)
	}
}
