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

// world is what the events say that there is.
type world struct {
	t             *testing.T
	twins         map[string]string // their models
	relationships map[string]bool
	values        map[string][]float64 // by twin and path
	ops           map[string]int
}

// take holds what one event promises, and what it says against those before.
func (w *world) take(e event.Event) {
	w.t.Helper()
	var data map[string]any
	if err := json.Unmarshal(e.Data, &data); err != nil {
		w.t.Fatalf("%s: data %s: %v", e.Type, e.Data, err)
	}
	twin := e.TwinKey()
	if e.Type == event.Telemetry {
		if e.Subject != "" && e.Subject != "arm" || e.Time != "" || w.twins[twin] == "" || e.DataSchema != w.twins[twin] || len(data) < 2 {
			w.t.Fatalf("telemetry is %+v", e)
		}
		return
	}
	if e.Source != demo.Host || e.Time != "2026-05-04T12:00:00.1234567Z" || e.Subject == "" {
		w.t.Fatalf("%s is %+v", e.Type, e)
	}
	begins := e.Type == event.TwinCreate || e.Type == event.RelationshipCreate
	switch e.Type {
	case event.TwinCreate, event.TwinDelete:
		model, _ := data["$metadata"].(map[string]any)["$model"].(string)
		if data["$dtId"] != e.Subject || data["$etag"] == "" || (w.twins[twin] == "") != begins || !strings.HasPrefix(model, "dtmi:example:factory:") {
			w.t.Fatalf("%s of %s, whose model is %q: %s", e.Type, twin, w.twins[twin], e.Data)
		}
		w.twins[twin] = model
		if !begins {
			delete(w.twins, twin)
		}
	case event.RelationshipCreate, event.RelationshipDelete:
		target, _ := data["$targetId"].(string)
		if twin != data["$sourceId"] || w.twins[twin] == "" || w.twins[target] == "" || w.relationships[e.Subject] == begins ||
			!strings.HasSuffix(e.Subject, data["$relationshipId"].(string)) {
			w.t.Fatalf("%s of %s to %s: %s", e.Type, twin, target, e.Data)
		}
		w.relationships[e.Subject] = begins
	case event.TwinUpdate, event.RelationshipUpdate:
		if e.Type == event.TwinUpdate && data["modelId"] != w.twins[twin] || e.Type == event.RelationshipUpdate && !w.relationships[e.Subject] {
			w.t.Fatalf("%s of %s: %s", e.Type, e.Subject, e.Data)
		}
		for _, op := range data["patch"].([]any) {
			op := op.(map[string]any)
			w.ops[op["op"].(string)+" "+op["path"].(string)]++
			if v, ok := op["value"].(float64); ok {
				w.values[twin+op["path"].(string)] = append(w.values[twin+op["path"].(string)], v)
			}
		}
	}
}

// TestFactory lives in a factory for long enough that everything happens.
func TestFactory(t *testing.T) {
	f, ids, count := demo.New(1), map[string]bool{}, map[string]int{}
	w := &world{t, map[string]string{}, map[string]bool{}, map[string][]float64{}, map[string]int{}}
	alarms, components := 0, 0
	for range 8000 {
		e := f.Next(noon)
		if ids[e.ID] {
			t.Fatalf("id %s came twice", e.ID)
		}
		ids[e.ID] = true
		count[e.Type]++
		if e.Type == event.TwinCreate && strings.HasPrefix(e.Subject, "alarm-oven-") {
			alarms++
		}
		if e.Type == event.Telemetry && e.Subject != "" {
			components++
		}
		w.take(e)
	}
	for _, typ := range []string{event.TwinCreate, event.TwinUpdate, event.TwinDelete,
		event.RelationshipCreate, event.RelationshipUpdate, event.RelationshipDelete, event.Telemetry} {
		if count[typ] < 20 {
			t.Errorf("%d events of type %s in 8000, want some", count[typ], typ)
		}
	}
	if alarms < 10 || components < 100 {
		t.Errorf("%d alarms and %d events of components, want some", alarms, components)
	}
	for _, op := range []string{"replace /temperature", "replace /pressure", "replace /strokes", "replace /cycleTime", "replace /controller/setpoint",
		"replace /serial", "add /order", "remove /order", "replace /done"} {
		if w.ops[op] < 10 {
			t.Errorf("%d times %s in 8000 events, want some", w.ops[op], op)
		}
	}
	// What is measured stays within reason, and moves in small steps.
	for path, within := range map[string][3]float64{
		"oven-1/temperature": {190, 245, 20}, "press-2/pressure": {165, 195, 12}, "conveyor-3/speed": {.7, .9, .1}, "robot-1/cycleTime": {5.5, 8.5, .8},
	} {
		values := w.values[path]
		for i, v := range values {
			if v < within[0] || v > within[1] || i > 0 && max(v-values[i-1], values[i-1]-v) > within[2]*2 {
				t.Fatalf("%s is %v, after %v", path, v, values[max(0, i-3):i])
			}
		}
		if len(values) < 50 {
			t.Errorf("%d values of %s, want many", len(values), path)
		}
	}
}

// TestAlarmComesEarly: at 20 events a second nobody waits long for one, whatever
// the seed.
func TestAlarmComesEarly(t *testing.T) {
	for seed := range uint64(200) {
		f, came := demo.New(seed), false
		for range 300 {
			e := f.Next(noon)
			came = came || e.Type == event.TwinCreate && strings.HasPrefix(e.Subject, "alarm-")
		}
		if !came {
			t.Errorf("seed %d: no alarm among the first 300 events", seed)
		}
	}
}

func TestSameSeedSameFactory(t *testing.T) {
	a, b := demo.New(7), demo.New(7)
	for range 300 {
		if diff := cmp.Diff(a.Next(noon), b.Next(noon)); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestSamples holds that there is something of everything.
func TestSamples(t *testing.T) {
	count := map[string]int{}
	for _, e := range demo.Samples() {
		count[e.Type]++
	}
	for _, typ := range []string{event.TwinCreate, event.TwinUpdate, event.TwinDelete,
		event.RelationshipCreate, event.RelationshipUpdate, event.RelationshipDelete, event.Telemetry} {
		if count[typ] < 2 {
			t.Errorf("samples of each type: %v, want more of type %s", count, typ)
		}
	}
}
