package gateway_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	hubs "github.com/headgate/headgate/gateway/emulator/eventhubs"
	bus "github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// brokers are an emulated Service Bus and Event Hubs, with a queue "plain", a
// queue "sessions" and an event hub "hub" of two partitions.
type brokers struct {
	t          testing.TB
	bus, hub   string // connection strings
	servicebus *bus.Server
}

func startBrokers(t testing.TB) *brokers {
	t.Helper()
	lock := broker.Settings{LockDuration: broker.Duration(5 * time.Second), MaxDeliveryCount: 1000}
	sessions := lock
	sessions.RequiresSession = true
	b, err := bus.New(bus.Options{Entities: broker.Config{Queues: []broker.Queue{{Name: "plain", Settings: lock}, {Name: "sessions", Settings: sessions}}}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := hubs.New(hubs.Options{Hubs: []hubs.Hub{{Name: "hub", Partitions: 2}}, AMQP: amqp.Options{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	serve := func(s interface {
		Serve(context.Context, net.Listener) error
	}) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, ln) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		return "Endpoint=sb://" + ln.Addr().String() + ";SharedAccessKeyName=all;SharedAccessKey=bm90IGEga2V5;UseDevelopmentEmulator=true"
	}
	return &brokers{t: t, bus: serve(b), hub: serve(h), servicebus: b}
}

// sendTwins sends events with the ids TWIN-FROM to TWIN-(TO-1), of one twin, to a
// queue, by session where the twin is one.
func (b *brokers) sendTwins(queue, twin string, from, to int) {
	b.t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(b.bus, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer c.Close(ctx)
	sender, err := c.NewSender(queue, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := from; i < to; i++ {
		id := fmt.Sprintf("%s-%d", twin, i)
		m := &azservicebus.Message{Body: []byte(`{}`), MessageID: &id, ApplicationProperties: twinProperties(id, twin)}
		if queue == "sessions" {
			m.SessionID = &twin
		}
		if err := sender.SendMessage(ctx, m, nil); err != nil {
			b.t.Fatal(err)
		}
	}
}

// sendHub is sendTwins to a partition of the hub.
func (b *brokers) sendHub(partition, twin string, from, to int) {
	b.t.Helper()
	p, err := azeventhubs.NewProducerClientFromConnectionString(b.hub, "hub", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer p.Close(ctx)
	batch, err := p.NewEventDataBatch(ctx, &azeventhubs.EventDataBatchOptions{PartitionID: &partition})
	if err != nil {
		b.t.Fatal(err)
	}
	for i := from; i < to; i++ {
		id := fmt.Sprintf("%s-%d", twin, i)
		if err := batch.AddEventData(&azeventhubs.EventData{Body: []byte(`{}`), Properties: twinProperties(id, twin)}, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := p.SendEventDataBatch(ctx, batch, nil); err != nil {
		b.t.Fatal(err)
	}
}

func twinProperties(id, twin string) map[string]any {
	return map[string]any{
		"cloudEvents:specversion": "1.0", "cloudEvents:id": id, "cloudEvents:source": "plant.api.weu.digitaltwins.azure.net",
		"cloudEvents:type": "Microsoft.DigitalTwins.Twin.Update", "cloudEvents:subject": twin,
	}
}

func (b *brokers) queueSource(queue string) string {
	return fmt.Sprintf(`{"kind":"serviceBus","settings":{"connectionString":%q,"entityPath":%q}}`, b.bus, queue)
}

func (b *brokers) hubSource(more string) string {
	return fmt.Sprintf(`{"kind":"eventHub","settings":{"connectionString":%q,"entityPath":"hub"%s}}`, b.hub, more)
}

// sourceState waits until a source says that it is in a state, and returns its
// status.
func (s *server) sourceState(name, state string) map[string]any {
	s.t.Helper()
	var status map[string]any
	eventually(s.t, "source "+name+" to be "+state, func() bool {
		status, _ = s.api(http.MethodGet, "/sources/"+name, "").want(s.t, http.StatusOK).object(s.t)["status"].(map[string]any)
		return status["state"] == state
	})
	return status
}

// requireTwins waits until the file has n events, and holds that none came twice
// and those of each twin in order.
func requireTwins(t *testing.T, path string, n int) {
	t.Helper()
	next := map[string]int{}
	for _, e := range lines(t, path, n) {
		twin := e["subject"].(string)
		if want := fmt.Sprintf("%s-%d", twin, next[twin]); e["id"] != want {
			t.Fatalf("%s came where %s was to come", e["id"], want)
		}
		next[twin]++
	}
	if got := len(readLines(t, path)); got != n {
		t.Errorf("%d events came, want %d", got, n)
	}
}

// TestSources fetches events while sources are put, changed, switched off and
// on and deleted, and the gateway is stopped and started.
func TestSources(t *testing.T) {
	b, dir := startBrokers(t), t.TempDir()
	s := start(t, dir)
	out := s.fileEndpoint("out")
	s.put("/routes/all", `{"endpointName":"out"}`)

	b.sendTwins("sessions", "a", 0, 50)
	b.sendHub("0", "h", 0, 50)
	s.api(http.MethodPut, "/sources/orders", b.queueSource("sessions")).want(t, http.StatusCreated)
	s.api(http.MethodPut, "/sources/twins", b.hubSource("")).want(t, http.StatusCreated)
	requireTwins(t, out, 100)
	if status := s.sourceState("orders", "running"); status["received"] != 50.0 || status["kind"] != "serviceBus" || status["lastReceivedAt"] == nil {
		t.Errorf("status of orders = %v", status)
	}
	s.sourceState("twins", "running")
	if all := s.api(http.MethodGet, "/status", "").object(t)["sources"].([]any); len(all) != 2 {
		t.Errorf("the status of the whole has %v", all)
	}

	// A change restarts the source, and the same again does not.
	stored := s.api(http.MethodGet, "/sources/orders", "")
	if strings.Contains(stored.body, "bm90IGEga2V5") || !strings.Contains(stored.body, "SharedAccessKey=***") {
		t.Errorf("the source is shown as %s", stored.body)
	}
	s.api(http.MethodPut, "/sources/orders", stored.body).want(t, http.StatusOK)
	if status := s.sourceState("orders", "running"); status["received"] != 50.0 {
		t.Errorf("the same again restarted it: %v", status)
	}
	b.sendTwins("sessions", "a", 50, 100)
	s.api(http.MethodPut, "/sources/orders", strings.Replace(stored.body, `"entityPath":"sessions"`, `"entityPath":"sessions","maxConcurrentSessions":2`, 1), "If-Match", stored.header.Get("ETag")).want(t, http.StatusOK)
	b.sendTwins("sessions", "a", 100, 150)
	requireTwins(t, out, 200)

	// What comes while it is off waits at the broker.
	for _, name := range []string{"orders", "twins"} {
		off := strings.Replace(s.api(http.MethodGet, "/sources/"+name, "").body, `"enabled":true`, `"enabled":false`, 1)
		s.api(http.MethodPut, "/sources/"+name, off).want(t, http.StatusOK)
		s.sourceState(name, "disabled")
	}
	b.sendTwins("sessions", "a", 150, 200)
	b.sendHub("0", "h", 50, 100)
	for _, name := range []string{"orders", "twins"} {
		on := strings.Replace(s.api(http.MethodGet, "/sources/"+name, "").body, `"enabled":false`, `"enabled":true`, 1)
		s.api(http.MethodPut, "/sources/"+name, on).want(t, http.StatusOK)
	}
	requireTwins(t, out, 300)

	// And while the gateway is.
	s.stop()
	b.sendHub("0", "h", 100, 150)
	b.sendTwins("sessions", "a", 200, 250)
	s = start(t, dir)
	b.sendHub("1", "k", 0, 50)
	requireTwins(t, out, 450)

	// A source that is gone fetches nothing, and begins anew when it is made anew.
	s.api(http.MethodDelete, "/sources/orders", "").want(t, http.StatusNoContent)
	s.api(http.MethodGet, "/sources/orders", "").problem(t, http.StatusNotFound)
	s.api(http.MethodDelete, "/sources/twins", "").want(t, http.StatusNoContent)
	s.api(http.MethodPut, "/sources/twins", b.hubSource(`,"start":"latest"`)).want(t, http.StatusCreated)
	s.sourceState("twins", "running")
	b.sendHub("0", "h", 150, 200)
	requireTwins(t, out, 500)
	if past := s.api(http.MethodGet, "/sources/orders/revisions", "").want(t, http.StatusOK); !strings.Contains(past.body, `"deleted":true`) || strings.Contains(past.body, "bm90IGEga2V5") {
		t.Errorf("history = %s", past.body)
	}
	if audit := s.api(http.MethodGet, "/audit", "").want(t, http.StatusOK); !strings.Contains(audit.body, `"kind":"source","name":"orders"`) {
		t.Errorf("audit = %s", audit.body)
	}
}

// TestSourceRefusals holds what is not taken for a source, and that one which
// cannot connect is taken and says why.
func TestSourceRefusals(t *testing.T) {
	s := start(t, t.TempDir())
	for _, tt := range []struct{ body, field string }{
		{`{"kind":"kafka"}`, "kind"},
		{`{"kind":"serviceBus"}`, "settings.connectionString"},
		{`{"kind":"serviceBus","settings":{"connectionString":"hidden"}}`, "settings.connectionString"},
		{`{"kind":"serviceBus","settings":{"endpointUri":"sb://n.example"}}`, "settings.entityPath"},
		{`{"kind":"serviceBus","settings":{"endpointUri":"sb://n.example","entityPath":"q","sessions":"maybe"}}`, "settings.sessions"},
		{`{"kind":"serviceBus","settings":{"endpointUri":"sb://n.example","topic":"t"}}`, "settings.subscription"},
		{`{"kind":"serviceBus","settings":{"endpointUri":"sb://n.example","entityPath":"q","maxConcurrentSessions":0}}`, "settings.maxConcurrentSessions"},
		{`{"kind":"serviceBus","settings":{"endpointUri":"sb://n.example","entityPath":"q","wrap":{"id":"$uuid"}}}`, "settings.wrap.id"},
		{`{"kind":"eventHub","settings":{"endpointUri":"sb://n.example"}}`, "settings.entityPath"},
		{`{"kind":"eventHub","settings":{"endpointUri":"sb://n.example","entityPath":"h","start":"now"}}`, "settings.start"},
		{`{"kind":"eventHub","settings":{"endpointUri":"sb://n.example","entityPath":"h","checkpointContainerUri":"ftp://x"}}`, "settings.checkpointContainerUri"},
		{`{"kind":"eventHub","settings":{"endpointUri":"sb://n.example","entityPath":"h","checkpointConnectionString":"hidden"}}`, "settings.checkpointContainer"},
		{`{"kind":"eventHub","settings":{"connectionString":"Endpoint=sb://n;SharedAccessKeyName=a;SharedAccessKey=***","entityPath":"h"}}`, "settings.connectionString"},
	} {
		r := s.api(http.MethodPut, "/sources/x", tt.body)
		if p := r.problem(t, http.StatusBadRequest); p["field"] != tt.field || strings.Contains(r.body, "hidden") {
			t.Errorf("PUT %s: %s, want a fault of %s", tt.body, r.body, tt.field)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().String()
	ln.Close()
	s.api(http.MethodPut, "/sources/lost", `{"kind":"serviceBus","settings":{"connectionString":"Endpoint=sb://`+nobody+`;SharedAccessKeyName=a;SharedAccessKey=bm90IGEga2V5;UseDevelopmentEmulator=true","entityPath":"q"}}`).want(t, http.StatusCreated)
	status := s.sourceState("lost", "failing")
	if reason, _ := status["reason"].(string); !strings.HasPrefix(reason, "sb://"+nobody+"/q: ") || strings.Contains(reason, "bm90IGEga2V5") {
		t.Errorf("reason = %s", reason)
	}
	whole := s.api(http.MethodGet, "/status", "").object(t)
	if reason, _ := whole["reason"].(string); whole["state"] != "failing" || !strings.HasPrefix(reason, "Source lost is failing since ") {
		t.Errorf("the whole is %v: %s", whole["state"], reason)
	}
	s.api(http.MethodDelete, "/sources/lost", "").want(t, http.StatusNoContent)
}

// TestKillSources kills a gateway many times while it fetches: every event that
// was sent comes, and those of each twin first come in their order.
func TestKillSources(t *testing.T) {
	kills := 6
	if testing.Short() {
		kills = 2
	}
	b := startBrokers(t)
	dir, out := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "out.ndjson")
	c := startChild(t, dir)
	for path, body := range map[string]string{
		"/endpoints/out": fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, out),
		"/sources/bus":   b.queueSource("sessions"), "/sources/hub": b.hubSource(""),
	} {
		if err := c.request(http.MethodPut, "/api/v1"+path, "application/json", body); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.request(http.MethodPut, "/api/v1/routes/all", "application/json", `{"endpointName":"out"}`); err != nil {
		t.Fatal(err)
	}
	const each = 100 // events of a twin per kill
	twins := []string{"a", "b", "c", "h"}
	for kill := range kills {
		var senders sync.WaitGroup
		for _, twin := range twins {
			senders.Go(func() {
				if twin == "h" {
					b.sendHub("0", twin, kill*each, kill*each+each)
				} else {
					b.sendTwins("sessions", twin, kill*each, kill*each+each)
				}
			})
		}
		<-time.After(time.Duration(rand.IntN(150)) * time.Millisecond)
		c.kill()
		senders.Wait()
		c = startChild(t, dir)
	}
	want := kills * each * len(twins)
	seen := map[string]bool{}
	next := map[string]int{}
	eventually(t, "all events", func() bool {
		clear(seen)
		clear(next)
		for _, e := range readLines(t, out) {
			id, twin := e["id"].(string), e["subject"].(string)
			if seen[id] {
				continue
			}
			seen[id] = true
			if id != fmt.Sprintf("%s-%d", twin, next[twin]) {
				t.Fatalf("%s came where %s-%d was to come", id, twin, next[twin])
			}
			next[twin]++
		}
		return len(seen) == want
	})
	accepted := 0
	for after := ""; ; {
		var page struct {
			Items []struct{}
			Next  string
		}
		c.get(t, "/api/v1/events?limit=1000&from=1-0&after="+after, &page)
		accepted += len(page.Items)
		if after = page.Next; after == "" {
			break
		}
	}
	t.Logf("%d events over %d kills, %d accepted", want, kills, accepted)
}
