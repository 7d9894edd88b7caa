package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
)

// TestProbeSends has endpoints of all kinds that run here tried by an event, and
// looks for it where their consumers do.
func TestProbeSends(t *testing.T) {
	c, hook, web := emulate(t), subscribe(t), serveSink(t)
	s := start(t, t.TempDir())
	if status, _ := s.do(http.MethodGet, "/api/v1/plugins/eventgrid", "", ""); status == http.StatusNotFound {
		s.pushVersion("eventgrid", guest(t, "../plugins/eventgrid")).want(t, 201)
	}
	archive := filepath.Join(t.TempDir(), "archive.ndjson")
	s.put("/endpoints/bus", fmt.Sprintf(`{"kind":"serviceBus","settings":{"connectionString":%q,"entityPath":"twins"}}`, c.serviceBus))
	s.put("/endpoints/hub", fmt.Sprintf(`{"kind":"eventHub","settings":{"connectionString":%q,"entityPath":"twins"}}`, c.eventHubs))
	s.put("/endpoints/grid", fmt.Sprintf(`{"kind":"eventGrid","settings":{"topicEndpoint":%q,"accessKey":%q,"caFile":%q}}`, c.grid.Endpoint("twins"), notAKey, c.gridCA))
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, web.URL))
	s.put("/endpoints/archive", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, archive))
	s.api(http.MethodPost, "/endpoints/grid:test", `{}`).want(t, 200) // the topic is there from its first use on
	if _, err := c.grid.Subscribe(t.Context(), "twins", eventgrid.Subscription{Name: "hook", EndpointURL: hook.URL}); err != nil {
		t.Fatal(err)
	}
	sent := map[string]string{}
	for _, name := range []string{"bus", "hub", "grid", "hook", "archive"} {
		probed := s.api(http.MethodPost, "/endpoints/"+name+":test", `{"send":true}`).want(t, 200).object(t)
		sent[name], _ = probed["eventId"].(string)
		if probed["ok"] != true || sent[name] == "" || !strings.Contains(fmt.Sprint(probed["said"]), sent[name]) {
			t.Errorf("%s: %v", name, probed)
		}
	}

	client, err := azservicebus.NewClientFromConnectionString(c.serviceBus, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	session, err := client.AcceptSessionForQueue(ctx, "twins", "headgate-probe", nil)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := session.ReceiveMessages(ctx, 1, nil)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	if p := messages[0].ApplicationProperties; p["cloudEvents:id"] != sent["bus"] || p["cloudEvents:type"] != "Headgate.Probe" || messages[0].MessageID == "" {
		t.Errorf("the queue got %v, message id %q", p, messages[0].MessageID)
	}

	eventually(t, "the subscriber to have one", func() bool { return len(hook.events()) == 1 })
	var e struct{ ID, EventType, Subject string }
	if err := json.Unmarshal(hook.events()[0], &e); err != nil || e.ID != sent["grid"] || e.EventType != "Headgate.Probe" || e.Subject != "headgate-probe" {
		t.Errorf("the subscriber got %s, %v", hook.events()[0], err)
	}
	if got := web.arrivals(t, 1)[0]; got.header.Get("Ce-Id") != sent["hook"] || got.body != `{"endpoint":"hook"}` {
		t.Errorf("the webhook got %v, %s", got.header, got.body)
	}
	if got := lines(t, archive, 1)[0]; got["id"] != sent["archive"] || got["idempotencykey"] == nil || got["producedby"] != nil {
		t.Errorf("the file got %v", got)
	}
	for name := range sent {
		if status := s.state(name); status["delivered"] != 0.0 || status["deadLetters"] != 0.0 {
			t.Errorf("a probe of %s is among what the gateway delivered: %v", name, status)
		}
	}
}

// TestProbeSendsNothing covers endpoints that take no event, and those that must
// not be sent one.
func TestProbeSendsNothing(t *testing.T) {
	s := start(t, t.TempDir())
	refuses := serveSink(t)
	refuses.answers(http.StatusForbidden)
	s.put("/endpoints/refuses", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, refuses.URL))
	path := filepath.Join(t.TempDir(), "archive.ndjson")
	s.put("/endpoints/paused", fmt.Sprintf(`{"kind":"file","settings":{"path":%q},"paused":true}`, path))
	for name, want := range map[string]string{"refuses": "403", "paused": "is paused"} {
		probed := s.api(http.MethodPost, "/endpoints/"+name+":test", `{"send":true}`).want(t, 200).object(t)
		if probed["ok"] != false || !strings.Contains(fmt.Sprint(probed["said"]), want) {
			t.Errorf("%s: %v, want %s", name, probed, want)
		}
	}

	// A plugin that is called eventgrid, and makes nothing of a probe.
	made := s.pushVersion("eventgrid", guest(t, "../plugins/tsi")).object(t)
	s.api(http.MethodPut, "/plugins/eventgrid/active", fmt.Sprintf(`{"version":%v}`, made["version"])).want(t, 200)
	s.put("/endpoints/grid", fmt.Sprintf(`{"kind":"eventGrid","settings":{"topicEndpoint":%q,"accessKey":%q}}`, "https://127.0.0.1:1/api/events", notAKey))
	probed := s.api(http.MethodPost, "/endpoints/grid:test", `{"send":true}`).want(t, 200).object(t)
	if probed["ok"] != false || probed["eventId"] != nil || !strings.Contains(fmt.Sprint(probed["said"]), "makes, which makes none of a probe: nothing") {
		t.Errorf("a plugin that makes nothing: %v", probed)
	}
	if got := readLines(t, path); len(got) != 0 {
		t.Errorf("the paused endpoint got %v", got)
	}
	s.api(http.MethodPost, "/endpoints/nowhere:test", `{"send":true}`).problem(t, 404)
}
