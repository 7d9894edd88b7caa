package sdk_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
	"github.com/headgate/headgate/sdk/plugintest"
)

// filter is a plugin of one function, whatever its configuration.
func filter(f sdk.FilterFunc) sdk.Plugin {
	return sdk.Plugin{Name: "f", Filter: func(json.Value) (sdk.FilterFunc, error) { return f, nil }}
}

// transform is a plugin of one function, whatever its configuration.
func transform(f sdk.TransformFunc) sdk.Plugin {
	return sdk.Plugin{Name: "t", Transform: func(json.Value) (sdk.TransformFunc, error) { return f, nil }}
}

func full() plugintest.Event {
	return plugintest.Event{
		ID: "i", Source: "plant", Type: sdk.TwinUpdate, Subject: "boiler-7", Time: "2024-03-05T07:11:42Z",
		DataContentType: "application/json", DataSchema: "dtmi:example:Boiler;1",
		Extensions: []plugintest.Pair{{Name: "level", Value: "7", Kind: abi.Integer}, {Name: "live", Value: "true", Kind: abi.Boolean}, {Name: "traceparent", Value: "00-1"}},
		Data:       []byte(`{"a":{"b":[1,2]}}`),
	}
}

func TestEventReads(t *testing.T) {
	bare := plugintest.Event{ID: "1", Source: "s", Type: "t"}
	empty := plugintest.Event{ID: "2", Source: "s", Type: "t", Data: []byte{}}
	var got []string
	f := filter(func(e *sdk.Event) (bool, error) {
		v, err := e.JSON()
		again, errAgain := e.JSON()
		if string(v) != string(again) || err != errAgain {
			t.Error("JSON answers the second call otherwise")
		}
		all := maps.Collect(e.Extensions())
		level, hasLevel := e.Extension("level")
		if level != all["level"] || hasLevel != (len(all) > 0) {
			t.Errorf("Extension is %q, Extensions say %q", level, all)
		}
		line := []string{e.ID(), e.Source(), e.Type(), e.Subject(), e.Time(), e.DataContentType(), e.DataSchema(), all["level"], all["live"], all["traceparent"], string(e.Data()), string(v.At("a", "b"))}
		if e.Data() == nil {
			line = append(line, "no data")
		}
		if err != nil {
			line = append(line, err.Error())
		}
		got = append(got, strings.Join(line, "|"))
		return true, nil
	})
	plugintest.New(t, f).Filter(`{}`, full(), bare, empty)
	want := []string{
		`i|plant|Microsoft.DigitalTwins.Twin.Update|boiler-7|2024-03-05T07:11:42Z|application/json|dtmi:example:Boiler;1|7|true|00-1|{"a":{"b":[1,2]}}|[1,2]`,
		`1|s|t||||||||||no data|the event has no data`,
		`2|s|t||||||||||data is not JSON: offset 0: the text ends too early`,
	}
	if diff := cmp.Diff(want, got[:3]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTwinID(t *testing.T) {
	tests := []struct{ name, kind, source, subject, want string }{
		{"twin", sdk.TwinUpdate, "plant", "boiler-7", "boiler-7"},
		{"relationship", sdk.RelationshipUpdate, "plant", "boiler-7/relationships/feeds-1", "boiler-7"},
		{"telemetry", sdk.Telemetry, "plant/digitaltwins/boiler-7", "", "boiler-7"},
		{"telemetry of a component", sdk.Telemetry, "plant/digitaltwins/boiler-7", "front", "boiler-7"},
		{"telemetry in the Event Grid schema", sdk.Telemetry, "/subscriptions/s/topics/t", "boiler-7", "boiler-7"},
		{"telemetry of no twin", sdk.Telemetry, "plant", "front", ""},
		{"no subject", sdk.TwinUpdate, "plant/digitaltwins/boiler-7", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := filter(func(e *sdk.Event) (bool, error) { return e.TwinID() == tt.want, nil })
			e := plugintest.Event{ID: "1", Source: tt.source, Type: tt.kind, Subject: tt.subject}
			if !plugintest.New(t, f).Filter(`{}`, e)[0].Pass {
				t.Errorf("TwinID is not %q", tt.want)
			}
		})
	}
}

func TestPatched(t *testing.T) {
	tests := []struct{ name, data, path, want string }{
		{"set", `{"patch":[{"op":"replace","path":"/a","value":1}]}`, "/a", "1"},
		{"added, escaped name", `{"p\u0061tch":[{"\u006fp":"\u0061dd","path":"\/a","value":{"x":1}}]}`, "/a", `{"x":1}`},
		{"another", `{"patch":[{"op":"replace","path":"/ab","value":1}]}`, "/a", ""},
		{"nested", `{"patch":[{"op":"replace","path":"/a/b","value":1}]}`, "/a/b", "1"},
		{"ancestor replaced", `{"patch":[{"op":"replace","path":"/a","value":{"b":{"c":2}}}]}`, "/a/b/c", "2"},
		{"ancestor replaced without it", `{"patch":[{"op":"add","path":"/a/b","value":1},{"op":"replace","path":"/a","value":{"c":2}}]}`, "/a/b", ""},
		{"ancestor removed", `{"patch":[{"op":"add","path":"/a/b","value":1},{"op":"remove","path":"/a"}]}`, "/a/b", ""},
		{"beneath", `{"patch":[{"op":"add","path":"/a/b","value":1}]}`, "/a", ""},
		{"removed", `{"patch":[{"op":"add","path":"/a","value":1},{"op":"remove","path":"/a"}]}`, "/a", ""},
		{"last wins", `{"patch":[{"op":"add","path":"/a","value":1},{"op":"add","path":"/a","value":2}]}`, "/a", "2"},
		{"tested only", `{"patch":[{"op":"add","path":"/a","value":1},{"op":"test","path":"/a","value":2}]}`, "/a", "1"},
		{"escapes of the pointer", `{"patch":[{"op":"add","path":"/x","value":{"a/b":{"~":3}}}]}`, "/x/a~1b/~0", "3"},
		{"whole twin, which no update replaces", `{"patch":[{"op":"replace","path":"","value":{"a":4}}]}`, "/a", ""},
		{"operations that are none", `{"patch":[1,{},{"op":"add","value":1},{"op":"add","path":7,"value":1}]}`, "/a", ""},
		{"no patch", `{"a":1}`, "/a", ""},
		{"patch that is no list", `{"patch":{"op":"add","path":"/a","value":1}}`, "/a", ""},
		{"not JSON after the patch", `{"patch":[{"op":"add","path":"/a","value":1}]`, "/a", ""},
		{"no object", `[]`, "/a", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := filter(func(e *sdk.Event) (bool, error) {
				if got := string(e.Patched(tt.path)); got != tt.want {
					t.Errorf("Patched(%q) = %s, want %q", tt.path, got, tt.want)
				}
				return true, nil
			})
			plugintest.New(t, f).Filter(`{}`, plugintest.Event{ID: "1", Source: "s", Type: "t", Data: []byte(tt.data)})
		})
	}
}

func TestFilterVerdicts(t *testing.T) {
	f := filter(func(e *sdk.Event) (bool, error) {
		if e.ID() == "2" {
			return true, errors.New("this one is odd")
		}
		return e.ID() != "3", nil
	})
	var events []plugintest.Event
	for _, id := range []string{"1", "2", "3", "4"} {
		events = append(events, plugintest.Event{ID: id, Source: "s", Type: "t"})
	}
	want := []plugintest.Verdict{{Pass: true}, {Err: "this one is odd"}, {}, {Pass: true}}
	if diff := cmp.Diff(want, plugintest.New(t, f).Filter(`{}`, events...)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTransformOutputs(t *testing.T) {
	kept := plugintest.Output{Event: full()}
	tests := []struct {
		name  string
		shape sdk.TransformFunc
		want  plugintest.Result
	}{
		{"none", func(*sdk.Event, *sdk.Outputs) error { return nil }, plugintest.Result{}},
		{"as it came in", func(_ *sdk.Event, out *sdk.Outputs) error {
			out.Add()
			return nil
		}, plugintest.Result{Outputs: []plugintest.Output{kept}}},
		{"fails after an output", func(_ *sdk.Event, out *sdk.Outputs) error {
			out.Add().SetSubject("x")
			out.Add().SetExtension("a", "b")
			return errors.New("no")
		}, plugintest.Result{Err: "no"}},
		{"every attribute", func(e *sdk.Event, out *sdk.Outputs) error {
			o := out.Add()
			o.SetID("i2")
			o.SetSource("s2")
			o.SetType("t2")
			o.SetSubject(e.Subject() + "!")
			o.SetTime("2025-01-01T00:00:00Z")
			o.SetDataContentType("text/plain")
			o.SetDataSchema("d2")
			o.SetData([]byte("hello"))
			return nil
		}, plugintest.Result{Outputs: []plugintest.Output{{Event: plugintest.Event{
			ID: "i2", Source: "s2", Type: "t2", Subject: "boiler-7!", Time: "2025-01-01T00:00:00Z",
			DataContentType: "text/plain", DataSchema: "d2", Extensions: full().Extensions, Data: []byte("hello"),
		}}}}},
		{"delivery properties", func(_ *sdk.Event, out *sdk.Outputs) error {
			o := out.Add()
			o.SetSessionID("s")
			o.SetPartitionKey("p")
			o.SetMessageID("m")
			o.SetScheduledTime(time.Date(2030, 1, 2, 3, 4, 5, 6_000_000, time.UTC))
			o.SetTimeToLive(time.Second + time.Nanosecond)
			o.SetProperty("a", "1")
			o.SetProperty("b", "2")
			o.SetProperty("a", "3")
			return nil
		}, plugintest.Result{Outputs: []plugintest.Output{{
			Event: full(), SessionID: "s", PartitionKey: "p", MessageID: "m",
			ScheduledTime: time.Date(2030, 1, 2, 3, 4, 5, 6_000_000, time.UTC), TimeToLive: 1001 * time.Millisecond,
			Properties: []plugintest.Pair{{Name: "a", Value: "3"}, {Name: "b", Value: "2"}},
		}}}},
		{"extensions", func(_ *sdk.Event, out *sdk.Outputs) error {
			o := out.Add()
			o.SetExtension("level", "high")
			o.SetExtension("area", "north")
			o.SetExtension("area", "south")
			o.RemoveExtension("live")
			o.RemoveExtension("nothing")
			out.Add()
			return nil
		}, plugintest.Result{Outputs: []plugintest.Output{func() plugintest.Output {
			o := kept
			o.Extensions = []plugintest.Pair{{Name: "area", Value: "south"}, {Name: "level", Value: "high"}, {Name: "traceparent", Value: "00-1"}}
			return o
		}(), kept}}},
		{"JSON twice, and given up for data", func(_ *sdk.Event, out *sdk.Outputs) error {
			out.Add().JSON().Int(1)
			o := out.Add()
			o.JSON().Int(2)
			o.JSON().Int(3)
			out.Add().JSON().Int(4)
			last := out.Add()
			last.JSON().Int(5)
			last.RemoveData()
			return nil
		}, plugintest.Result{Outputs: func() (all []plugintest.Output) {
			for _, data := range [][]byte{[]byte("1"), []byte("3"), []byte("4"), nil} {
				o := kept
				o.Data = data
				all = append(all, o)
			}
			return all
		}()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := plugintest.New(t, transform(tt.shape)).Transform(`{}`, full(), full())
			if diff := cmp.Diff([]plugintest.Result{tt.want, tt.want}, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	p := filter(nil)
	p.Transform = func(config json.Value) (sdk.TransformFunc, error) {
		return nil, errors.New("not with " + string(config))
	}
	tests := []struct {
		name   string
		kind   abi.Kind
		config string
		want   string
	}{
		{"not JSON", abi.Filter, `{`, "config is not JSON: offset 1: the text ends too early"},
		{"no object", abi.Filter, `[]`, "config is not a JSON object"},
		{"unknown kind", 3, `{}`, "the plugin is not of this kind"},
		{"no function", abi.Filter, `{}`, "the plugin opened no function"},
		{"the plugin's own words", abi.Transform, ` {"a":1} `, `not with {"a":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plugintest.New(t, p).Refusal(tt.kind, tt.config); got != tt.want {
				t.Errorf("refused with %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRegisterPanics(t *testing.T) {
	for name, p := range map[string]sdk.Plugin{
		"no function":    {Name: "x"},
		"schema no JSON": {Name: "x", Config: "{", Filter: filter(nil).Filter},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("Register takes it")
				}
				if _, ok := sdk.Registered(); ok {
					t.Error("it is registered nevertheless")
				}
			}()
			sdk.Register(p)
		})
	}
}

func TestDescription(t *testing.T) {
	p := filter(nil)
	p.Transform = transform(nil).Transform
	p.Description, p.Config = "Does \"things\".", `{"type": "object"}`
	const want = `{"name":"f","description":"Does \"things\".","kinds":["filter","transform"],"config":{"type": "object"}}`
	if got := plugintest.New(t, p).Description(); got != want {
		t.Errorf("description %s\nwant        %s", got, want)
	}
}

func TestHandles(t *testing.T) {
	p := sdk.Plugin{Name: "x", Filter: func(config json.Value) (sdk.FilterFunc, error) {
		id, _ := config.At("id").String()
		return func(e *sdk.Event) (bool, error) { return e.ID() == id, nil }, nil
	}}
	g := sdk.NewGuest(p, silent{})
	config := []byte(`{"id":"a"}`)
	first := g.Open(abi.Filter, config)
	copy(config, `{"id":"b"}`) // a host reuses its memory
	second := g.Open(abi.Filter, config)
	if first == second || first < 0 || second < 0 {
		t.Fatalf("handles %d and %d", first, second)
	}
	for handle, want := range map[int32]abi.Verdict{first: abi.Pass, second: abi.Drop} {
		arena := arenaOf(g, "a")
		g.Filter(handle, arena)
		if got := abi.Input(arena).Record(0).Verdict(); got != want {
			t.Errorf("handle %d: verdict %d, want %d", handle, got, want)
		}
	}
	g.Close(first)
	if third := g.Open(abi.Filter, config); third != first {
		t.Errorf("handle %d is not used again, but %d is", first, third)
	}
}

func TestAlloc(t *testing.T) {
	g := sdk.NewGuest(filter(nil), silent{})
	first := g.Alloc(0)
	if cap(first) == 0 {
		t.Error("no memory for a length of 0, whose address must not be 0")
	}
	for _, n := range []int{1, 100, 16 << 10, 16<<10 + 1, 1 << 20} {
		if b := g.Alloc(n); len(b) != n {
			t.Errorf("Alloc(%d) has %d bytes", n, len(b))
		}
	}
	a, b := g.Alloc(10), g.Alloc(1<<20)
	if &a[0] != &b[0] {
		t.Error("memory that is large enough is not used again")
	}
}

// TestNoGarbage demands that a batch costs no allocation, natively as in a guest.
func TestNoGarbage(t *testing.T) {
	shape := func(e *sdk.Event, out *sdk.Outputs) error {
		v, err := e.JSON()
		if err != nil {
			return err
		}
		o := out.Add()
		o.SetSessionID(e.TwinID())
		o.SetExtension("area", "north")
		o.SetProperty("kind", e.Type())
		w := o.JSON()
		w.BeginObject()
		w.Name("value")
		w.Value(v.At("patch"))
		w.Name("new")
		w.Value(e.Patched("/Temperature"))
		w.EndObject()
		return nil
	}
	g := sdk.NewGuest(transform(shape), silent{})
	handle := g.Open(abi.Transform, []byte(`{}`))
	arena := slices.Clone(arenaOf(g, strings.Repeat("e", 64)))
	if n := testing.AllocsPerRun(10, func() { g.Transform(handle, arena) }); n != 0 {
		t.Errorf("%v allocations in a batch", n)
	}
}

type silent struct{}

func (silent) Begin(uint32)        {}
func (silent) Fail(uint32, string) {}

// arenaOf is an arena of one twin update for each letter of ids.
func arenaOf(g *sdk.Guest, ids string) []byte {
	const data = `{"patch":[{"op":"replace","path":"/Temperature","value":20.5}]}`
	text := 1 + len("s") + len(sdk.TwinUpdate) + len("twin") + len(data)
	arena := g.Alloc(abi.InputBytes(len(ids), 0, len(ids)*text))
	w := abi.NewInputWriter(arena, len(ids), 0)
	for _, id := range ids {
		w.Next()
		w.Set(abi.ID, string(id))
		w.Set(abi.Source, "s")
		w.Set(abi.Type, sdk.TwinUpdate)
		w.Set(abi.Subject, "twin")
		w.SetData([]byte(data))
	}
	return arena
}
