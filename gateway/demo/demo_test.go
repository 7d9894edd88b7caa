package demo_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/demo"
	"github.com/headgate/headgate/gateway/event"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 123456700, time.UTC)

// TestHouse lives in a house for long enough that everything happens, and
// checks what each kind of event promises.
func TestHouse(t *testing.T) {
	h, ids, count := demo.New(1), map[string]bool{}, map[string]int{}
	alarms, patched := map[string]bool{}, map[string]int{}
	for range 5000 {
		e := h.Next(noon)
		if ids[e.ID] {
			t.Fatalf("id %s came twice", e.ID)
		}
		ids[e.ID] = true
		count[e.Type]++

		var data map[string]any
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatalf("%s: data %s: %v", e.Type, e.Data, err)
		}
		if e.Type == event.Telemetry {
			if e.Subject != "" || e.Time != "" || !strings.HasPrefix(e.TwinKey(), "thermostat-") || e.DataSchema == "" {
				t.Fatalf("telemetry is %+v", e)
			}
			continue
		}
		if e.Source != demo.Host || e.Time != "2026-05-04T12:00:00.1234567Z" || e.Subject == "" {
			t.Fatalf("%s is %+v", e.Type, e)
		}
		switch e.Type {
		case event.TwinUpdate:
			op := data["patch"].([]any)[0].(map[string]any)
			patched[op["path"].(string)]++
		case event.TwinCreate, event.TwinDelete:
			if data["$dtId"] != e.Subject || data["$metadata"].(map[string]any)["$model"] != demo.AlarmModel {
				t.Fatalf("%s of %s: %s", e.Type, e.Subject, e.Data)
			}
			if begins := e.Type == event.TwinCreate; alarms[e.Subject] == begins {
				t.Fatalf("%s of %s, whose alarm is %v already", e.Type, e.Subject, begins)
			} else {
				alarms[e.Subject] = begins
			}
		case event.RelationshipCreate, event.RelationshipDelete:
			if e.TwinKey() != data["$sourceId"] {
				t.Fatalf("%s has the twin key %s: %s", e.Type, e.TwinKey(), e.Data)
			}
		}
	}
	for _, typ := range []string{event.TwinCreate, event.TwinUpdate, event.TwinDelete,
		event.RelationshipCreate, event.RelationshipDelete, event.Telemetry} {
		if count[typ] < 10 {
			t.Errorf("%d events of type %s in 5000, want some", count[typ], typ)
		}
	}
	for _, path := range []string{"/temperature", "/occupied", "/Climate/setpoint"} {
		if patched[path] < 10 {
			t.Errorf("%d patches of %s in 5000, want some", patched[path], path)
		}
	}
}

func TestSameSeedSameHouse(t *testing.T) {
	a, b := demo.New(7), demo.New(7)
	for range 100 {
		if diff := cmp.Diff(a.Next(noon), b.Next(noon)); diff != "" {
			t.Fatal(diff)
		}
	}
}
