package matcher_test

import (
	"math/rand/v2"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

func TestExplain(t *testing.T) {
	room := update(`{"n":5,"on":false,"text":"it's","none":null,"list":[],"obj":{},"patch":[{"op":"replace","path":"/Front","value":{"T":7}}]}`)
	broken := update(`{"n":`)
	tests := []struct {
		name, filter string
		event        event.Event
		part, why    string
	}{
		{
			"false", "subject = 'room-1' AND type = 'Microsoft.DigitalTwins.Twin.Create'", room,
			"type = 'Microsoft.DigitalTwins.Twin.Create'",
			"type = 'Microsoft.DigitalTwins.Twin.Create' is false: type is 'Microsoft.DigitalTwins.Twin.Update'",
		},
		{"the first of several", "$body.n < 1 AND $body.n < 2", room, "$body.n < 1", "$body.n < 1 is false: $body.n is 5"},
		{"missing", "$body.x > 1", room, "$body.x > 1", "$body.x > 1 is undefined: $body.x is missing"},
		{"kinds that do not compare", "$body.text>1", room, "$body.text>1", "$body.text > 1 is undefined: $body.text is 'it''s'"},
		{"alternatives", "(subject = 'a' OR $body.on) AND true", room, "subject = 'a' OR $body.on", "subject = 'a' OR $body.on is false: subject is 'room-1', $body.on is false"},
		{"negation", "NOT subject = 'room-1'", room, "NOT subject = 'room-1'", "NOT subject = 'room-1' is false: subject is 'room-1'"},
		{"null and containers", "$body.none > $body.obj AND true", room, "$body.none > $body.obj", "$body.none > $body.obj is undefined: $body.none is null, $body.obj is an object"},
		{"array", "$body.list = 1", room, "$body.list = 1", "$body.list = 1 is undefined: $body.list is an array"},
		{"unchanged", "CHANGED('/Back')", room, "CHANGED('/Back')", "CHANGED('/Back') is false: no operation in $body.patch touches /Back"},
		{"changed", "CHANGED('/Front/T') AND PATCH('/Front/T') > 9", room, "PATCH('/Front/T') > 9", "PATCH('/Front/T') > 9 is false: PATCH('/Front/T') is 7"},
		{"name of nothing", "$eventType = 'x'", room, "$eventType = 'x'", "$eventType = 'x' is undefined: $eventType names nothing that events have"},
		{"constant", "false", room, "false", "false is false for every event"},
		{"data is not JSON", "$body.n = 5", broken, "$body.n = 5", "$body.n = 5 is undefined: $body.n is missing (the event's data is not JSON: offset 5: the text ends too early)"},
		{"match", "$body.n = 5 AND (true OR false)", room, "", ""},
	}
	rt := newRuntime(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, err := rt.NewExplainer(t.Context(), parse(t, tt.filter))
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			x.Load(&tt.event)
			got := x.Explain(0)
			if got.Matched != (tt.why == "") || got.Why != tt.why {
				t.Errorf("Explain = %+v\nwant %s", got, tt.why)
			}
			if part := tt.filter[got.Start:got.End]; part != tt.part {
				t.Errorf("the condition is at %q, want %q", part, tt.part)
			}
		})
	}
}

// The verdict of an explanation is that of the compiled filter, and of the
// oracle, for any filter and event.
func TestExplainAgreesWithMatcher(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	rt := newRuntime(t)
	for range 20 {
		g := generator{randomBytes(rng, 20_000)}
		requireExplained(t, rt, &g, 100, 40)
	}
}

// FuzzExplain is the same for filters and events that the fuzzer finds.
func FuzzExplain(f *testing.F) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		f.Add(randomBytes(rng, 400))
	}
	rt := newRuntime(f)
	f.Fuzz(func(t *testing.T, choices []byte) { requireExplained(t, rt, &generator{choices}, 4, 4) })
}

func requireExplained(t *testing.T, rt *matcher.Runtime, g *generator, filters, events int) {
	t.Helper()
	var parsed []*filter.Filter
	for range filters {
		f := parse(t, g.condition(3))
		parsed = append(parsed, f, f.Negated())
	}
	x, err := rt.NewExplainer(t.Context(), parsed...)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	set, err := rt.NewSet(t.Context(), parsed, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	m, err := set.NewMatcher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for range events {
		e := g.event()
		m.Load(&e)
		x.Load(&e)
		o := newOracle(e)
		for i, f := range parsed {
			got := x.Explain(i)
			if want := m.Match(i); got.Matched != want {
				t.Fatalf("%s on %s is explained as %+v, and matched: %v", f, e.Data, got, want)
			}
			if got.Matched {
				continue
			}
			c := f.Conditions()[got.Condition]
			if want := o.verdict(c.Root()); got.Verdict != want {
				t.Fatalf("%s on %s is explained as %+v, which the oracle says is %v", c, e.Data, got, want)
			}
			for _, v := range got.Values {
				if want := o.field(v.Field); v.Value != want {
					t.Fatalf("%s of %s is explained as %+v, the oracle has %+v", v.Field, e.Data, v.Value, want)
				}
			}
		}
	}
}

// BenchmarkExplain explains one event to many filters, of which it matches none.
func BenchmarkExplainRoutes(b *testing.B) {
	var filters []*filter.Filter
	for i := range 1000 {
		filters = append(filters, parse(b, mixes[i%len(mixes)].filter(i+100)))
	}
	rt := newRuntime(b)
	b.ReportAllocs()
	for b.Loop() {
		x, err := rt.NewExplainer(b.Context(), filters...)
		if err != nil {
			b.Fatal(err)
		}
		x.Load(&twinUpdate)
		for i := range filters {
			x.Explain(i)
		}
		x.Close()
	}
}
