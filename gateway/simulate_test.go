package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway"
)

// Simulated twins are senders like others: what they send is routed, and they
// end when they are told to, when their time is over, and with the gateway.
func TestSimulation(t *testing.T) {
	s := start(t, t.TempDir())
	path := s.fileEndpoint("out")
	s.put("/routes/all", `{"endpointName":"out"}`)
	if got := s.put("/simulation", `{"rate":500,"for":"10m"}`); !strings.Contains(got, `"running":true`) {
		t.Fatalf("started: %s", got)
	}
	if line := lines(t, path, 50)[49]; !strings.HasPrefix(line["source"].(string), "demo-factory.") {
		t.Errorf("an event of %v", line["source"])
	}
	stopped := s.api(http.MethodDelete, "/simulation", "").want(t, 200).object(t)
	if stopped["running"] != false || stopped["error"] != nil || stopped["sent"].(float64) < 50 {
		t.Errorf("stopped: %v", stopped)
	}
	lines(t, path, int(stopped["sent"].(float64)))
	if again := s.api(http.MethodDelete, "/simulation", "").want(t, 200).object(t); again["sent"] != stopped["sent"] {
		t.Errorf("it went on after it was stopped: %v, then %v", stopped, again)
	}
	s.put("/simulation", `{"rate":20,"for":"1s"}`)
	eventually(t, "the simulation to end by itself", func() bool { return !s.gateway.Simulation().Running })
	if end := s.gateway.Simulation(); end.Error != "" || end.Sent == 0 || end.EndsAt.Sub(end.StartedAt) < 900*time.Millisecond {
		t.Errorf("ended by itself: %+v", end)
	}
	s.put("/simulation", `{"rate":1000,"for":"24h"}`) // stop, in Cleanup, ends it
}

// What keeps simulated events out is told.
func TestSimulationIsRefused(t *testing.T) {
	opts := gateway.Options{Dir: t.TempDir()}
	opts.Journal.ReserveBytes = 1 << 60 // more than any disk has
	s := startWith(t, opts)
	s.put("/simulation", `{}`)
	eventually(t, "the simulation to be refused", func() bool { return s.gateway.Simulation().Error != "" })
	if end := s.gateway.Simulation(); end.Running || !strings.Contains(end.Error, "free") {
		t.Errorf("%+v, want that it ended since no space is free", end)
	}
}
