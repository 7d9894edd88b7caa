package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/catalog"
)

func TestPluginsTellWhatTheyDid(t *testing.T) {
	s := startWith(t, gateway.Options{
		Dir: t.TempDir(), Version: "v7", Settings: []catalog.Setting{{Name: "token", Value: "***", Secret: true}},
	})
	s.fileEndpoint("out")
	s.put("/routes/r", `{"endpointName":"out","transforms":[{"plugin":"adx"}]}`)
	const bad = `{"specversion":"1.0","id":"%d","source":"x.api.digitaltwins.azure.net","type":"Microsoft.DigitalTwins.Twin.Update","subject":"t","time":"2026-03-01T12:00:00Z","datacontenttype":"application/json","data":{"patch":7}}`
	s.send(update("1", "room", "/x", "1"), fmt.Sprintf(bad, 2), fmt.Sprintf(bad, 3))
	var v map[string]any
	eventually(t, "figures", func() bool {
		v = s.api(http.MethodGet, "/plugins/adx/versions/1", "").want(t, 200).object(t)
		stats, _ := v["stats"].(map[string]any)
		return stats != nil && stats["events"].(float64) >= 3
	})
	stats := v["stats"].(map[string]any)
	if stats["fuel"].(float64) <= 0 || stats["maxFuel"].(float64) <= 0 || stats["p99Micros"].(float64) < stats["p50Micros"].(float64) || stats["p50Micros"].(float64) <= 0 {
		t.Errorf("%v", stats)
	}
	if idle := s.api(http.MethodGet, "/plugins/maps", "").want(t, 200).object(t); at(t, idle, "versions", 0).(map[string]any)["stats"] != nil {
		t.Errorf("%v of a plugin that never ran", idle)
	}
	s.api(http.MethodGet, "/plugins/adx/logs?level=error", "").want(t, 200)
	s.api(http.MethodGet, "/plugins/nothing/logs", "").problem(t, 404)

	config := s.api(http.MethodGet, "/config", "").want(t, 200).object(t)
	if config["version"] != "v7" || at(t, config, "items", 0, "value") != "***" {
		t.Errorf("%v", config)
	}
	if emulated := s.api(http.MethodGet, "/emulator", "").want(t, 200).object(t); emulated["running"] != false {
		t.Errorf("%v, where no emulator runs", emulated)
	}
}

func TestTrapsAreGrouped(t *testing.T) {
	s := start(t, t.TempDir())
	s.fileEndpoint("out")
	s.upload("trapper", guest(t, "workbench/testdata/awkward"))
	s.put("/routes/r", `{"endpointName":"out","filters":[{"plugin":"trapper","config":{"do":"trap"}}]}`)
	s.send(update("2", "room", "/x", "1"), update("2", "room", "/x", "1"), update("3", "room", "/x", "1"))
	var groups []any
	eventually(t, "a group of two traps", func() bool {
		groups = s.api(http.MethodGet, "/traps/groups?plugin=trapper", "").want(t, 200).object(t)["items"].([]any)
		return len(groups) == 1 && at(t, groups, 0, "count") == 2.0
	})
	if at(t, groups, 0, "plugin") != "trapper@1" || at(t, groups, 0, "latest", "id") == nil || at(t, groups, 0, "id") == "" {
		t.Errorf("%v", groups)
	}
	logs := s.api(http.MethodGet, "/plugins/trapper/logs?level=error", "").want(t, 200).object(t)["items"].([]any)
	if len(logs) < 2 || at(t, logs, 0, "from") != "server" || at(t, logs, 0, "trap") == nil || !strings.Contains(at(t, logs, 0, "text").(string), "failed on an event") {
		t.Errorf("%v", logs)
	}
	eventually(t, "the last event to be done with", func() bool {
		return len(s.letters("out")) == 2 && strings.Contains(s.api(http.MethodGet, "/plugins/trapper/logs", "").want(t, 200).body, "looks at 3")
	})
	s.api(http.MethodDelete, "/routes/r", "").want(t, 204)
	s.api(http.MethodDelete, "/plugins/trapper", "").want(t, 204)
	s.api(http.MethodGet, "/plugins/trapper/logs", "").problem(t, 404)
	s.upload("trapper", guest(t, "workbench/testdata/awkward"))
	if logs := s.api(http.MethodGet, "/plugins/trapper/logs", "").want(t, 200).object(t)["items"].([]any); len(logs) != 0 {
		t.Errorf("lines of a plugin of the same name that was deleted: %v", logs)
	}
}

// entities stand for an emulator beside the gateway.
type entities struct{}

func (entities) Entities(service, _ string, limit int) ([]json.RawMessage, error) {
	return []json.RawMessage{fmt.Appendf(nil, `{"service":%q,"name":"orders","limit":%d}`, service, limit)}, nil
}

func TestEmulatorIsShown(t *testing.T) {
	s := startWith(t, gateway.Options{Dir: t.TempDir(), Emulator: entities{}})
	v := s.api(http.MethodGet, "/emulator?service=eventHubs&limit=5", "").want(t, 200).object(t)
	if at(t, v, "items", 0, "service") != "eventHubs" || at(t, v, "items", 0, "limit") != 5.0 {
		t.Errorf("%v", v)
	}
}

// A plugin that is left alone is told by the status, until it is out of use.
func TestOpenBreakerIsSeen(t *testing.T) {
	s := start(t, t.TempDir())
	s.pushVersion("broken", guest(t, "workbench/testdata/awkward")).want(t, 201)
	s.put("/plugins/broken", `{"breaker":{"traps":1,"window":1,"pause":"1h","maxPause":"1h"}}`)
	s.fileEndpoint("hub")
	s.put("/routes/broken", `{"endpointName":"hub","filters":[{"plugin":"broken","config":{"do":"trap"}}]}`)
	status := func() map[string]any { return s.api(http.MethodGet, "/status", "").want(t, 200).object(t) }
	if b := status()["breakers"]; b != nil {
		t.Fatalf("before an event the open breakers are %v", b)
	}
	for i := range 4 {
		s.send(update(fmt.Sprint(i), "room", "/x", "1"))
	}
	eventually(t, "the breaker to open", func() bool { return status()["breakers"] != nil })
	now := status()
	if plugin := fmt.Sprint(at(t, now, "breakers", 0, "plugin")); now["state"] != "failing" || !strings.HasPrefix(plugin, "broken") || !strings.Contains(now["reason"].(string), "is left alone until") {
		t.Errorf("with an open breaker: %v, %v, %v", now["state"], now["reason"], now["breakers"])
	}
	s.api(http.MethodDelete, "/routes/broken", "").want(t, 204)
	if b := status()["breakers"]; b != nil {
		t.Errorf("out of use the open breakers are %v", b)
	}
}
