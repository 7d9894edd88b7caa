package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator"
	"github.com/headgate/headgate/gateway/emulator/identity/identitytest"
)

// TestIdentity has a gateway without any key send to a queue, an event hub and a
// topic, and fetch from the first two, all over TLS: by the default chain of
// identities, which finds a managed one in its environment. The emulator takes
// tokens for its own resources alone.
func TestIdentity(t *testing.T) {
	authority := identitytest.ManagedIdentity(t)
	t.Run("tokens for another resource", func(t *testing.T) {
		authority.Mistake("https://storage.azure.com")
		defer authority.Mistake("")
		i := newIdentified(t, "amqp")
		for name, role := range map[string]string{"bus": "Azure Service Bus Data Sender", "hub": "Azure Event Hubs Data Sender", "grid": "EventGrid Data Sender"} {
			probed := i.api(http.MethodPost, "/endpoints/"+name+":test", "").want(t, 200).object(t)
			said, _ := probed["said"].(string)
			if probed["ok"] != false || !strings.Contains(said, role) || !strings.Contains(said, "storage.azure.com") {
				t.Errorf("test of %s: %v, want the role %s", name, probed, role)
			}
		}
		for name, role := range map[string]string{"bus": "Azure Service Bus Data Receiver", "hub": "Azure Event Hubs Data Receiver"} {
			var reason string
			eventually(t, "the source "+name+" to fail", func() bool {
				status := i.api(http.MethodGet, "/sources/"+name, "").want(t, 200).object(t)
				reason, _ = at(t, status, "status", "reason").(string)
				return at(t, status, "status", "state") == "failing"
			})
			if !strings.Contains(reason, role) || !strings.Contains(reason, "storage.azure.com") {
				t.Errorf("the source %s fails because %q, want the role %s", name, reason, role)
			}
		}
	})
	for _, transport := range []string{"amqp", "webSockets"} {
		t.Run(transport, func(t *testing.T) {
			i := newIdentified(t, transport)
			i.route()
			const n = 20
			i.send(fiveTwins(n)...)
			i.wantAll(5, n)
		})
	}
}

// identified is a gateway with endpoints and sources that have no key.
type identified struct {
	*server
	emulator *emulator.Emulator
	back     string // the file of what the sources fetched
}

func newIdentified(t *testing.T, transport string) *identified {
	t.Helper()
	i := &identified{back: filepath.Join(t.TempDir(), "back.ndjson")}
	declared, err := emulator.Parse([]byte(`
serviceBus: {queues: [{name: twins, requiresSession: true}]}
eventGrid: {topics: [{name: twins, schema: cloudEventSchemaV1_0}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	const free = "127.0.0.1:0"
	certificate := filepath.Join(t.TempDir(), "emulator.pem")
	i.emulator, err = emulator.Start(emulator.Options{ServiceBus: free, EventHubs: free, EventGrid: free, Declared: declared, CertFile: certificate})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.emulator.Close(); err != nil {
			t.Error(err)
		}
	})
	i.server = start(t, t.TempDir())
	if status, _ := i.do(http.MethodGet, "/api/v1/plugins/sessions", "", ""); status == http.StatusNotFound {
		i.pushVersion("sessions", guest(t, "../plugins/sessions")).want(t, 201)
	}
	settings := func(service emulator.Service) string {
		return fmt.Sprintf(`{"endpointUri":"sb://%s","entityPath":"twins","caFile":%q,"transport":%q}`, i.emulator.Address(service), certificate, transport)
	}
	bus, hub := settings(emulator.ServiceBus), settings(emulator.EventHubs)
	i.put("/endpoints/bus", `{"kind":"serviceBus","settings":`+bus+`}`)
	i.put("/endpoints/hub", `{"kind":"eventHub","settings":`+hub+`}`)
	i.put("/endpoints/grid", fmt.Sprintf(`{"kind":"eventGrid","settings":{"topicEndpoint":%q,"schema":"cloudEventSchemaV1_0","caFile":%q}}`,
		i.emulator.TopicEndpoint("twins"), certificate))
	i.put("/endpoints/back", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, i.back))
	i.put("/sources/bus", `{"kind":"serviceBus","settings":`+bus+`}`)
	i.put("/sources/hub", `{"kind":"eventHub","settings":`+hub+`}`)
	return i
}

// route has events go out once, and what comes back into the file.
func (i *identified) route() {
	for _, path := range []string{"/endpoints/bus", "/endpoints/hub", "/endpoints/grid", "/sources/bus", "/sources/hub"} {
		if probed := i.api(http.MethodPost, path+":test", "").want(i.t, 200).object(i.t); probed["ok"] != true {
			i.t.Errorf("test of %s: %v", path, probed)
		} else if said := probed["said"].(string); path != "/endpoints/grid" && !strings.Contains(said, "over TLS") || strings.Contains(said, "key") {
			i.t.Errorf("test of %s: %s", path, said)
		}
	}
	i.put("/routes/bus", `{"endpointName":"bus","filter":"NOT IS_DEFINED(producedby)","transforms":[{"plugin":"sessions","config":{"sessionId":"$twin"}}]}`)
	i.put("/routes/hub", `{"endpointName":"hub","filter":"NOT IS_DEFINED(producedby)"}`)
	i.put("/routes/grid", `{"endpointName":"grid","filter":"NOT IS_DEFINED(producedby)"}`)
	i.put("/routes/back", `{"endpointName":"back","filter":"IS_DEFINED(producedby)"}`)
}

// wantAll waits until n events of each twin came to the topic, and came back
// from the queue and from the hub, and holds that those came in their order.
func (i *identified) wantAll(twins, n int) {
	i.t.Helper()
	eventually(i.t, "everything to come back", func() bool {
		return i.state("back")["delivered"] == float64(2*twins*n) && i.state("grid")["delivered"] == float64(twins*n)
	})
	if topics, err := i.emulator.Entities(emulator.EventGrid, "twins", 0); err != nil || topics[0].Accepted != twins*n {
		i.t.Errorf("the topic has %+v, %v, want %d events", topics, err, twins*n)
	}
	text, err := os.ReadFile(i.back)
	if err != nil {
		i.t.Fatal(err)
	}
	// Of two ways that each keep the order, the first copies are in order, and the
	// second ones too.
	first, second := map[string][]string{}, map[string][]string{}
	for line := range strings.Lines(string(text)) {
		var e struct{ ID, Subject string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			i.t.Fatalf("%v: %s", err, line)
		}
		if slices.Contains(first[e.Subject], e.ID) {
			second[e.Subject] = append(second[e.Subject], e.ID)
		} else {
			first[e.Subject] = append(first[e.Subject], e.ID)
		}
	}
	want := map[string][]string{}
	for twin := range twins {
		for k := range n {
			want[fmt.Sprint("twin-", twin)] = append(want[fmt.Sprint("twin-", twin)], fmt.Sprintf("%d-%d", twin, k))
		}
	}
	for _, copies := range []map[string][]string{first, second} {
		if diff := cmp.Diff(want, copies); diff != "" {
			i.t.Errorf("events by their twins (-want +got):\n%s", diff)
		}
	}
}
