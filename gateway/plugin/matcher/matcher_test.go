package matcher_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// update is a Twin.Update with the given members of its data.
func update(data string) event.Event {
	return event.Event{
		ID: "1", Source: "hub.example.net", Type: event.TwinUpdate, Subject: "room-1",
		DataContentType: "application/json", Data: []byte(data),
		Extensions: []event.Extension{{Name: "attempt", Value: "3", Kind: event.Integer}, {Name: "site", Value: "north"}},
	}
}

func TestMatch(t *testing.T) {
	const data = `{"modelId":"dtmi:example:Room;1","n":5,"big":9007199254740993,"on":true,"off":false,"none":null,` +
		`"text":"Wärme","list":[1],"obj":{"a":{"b":"x"}},"huge":1e999,"esc\u0061ped":"\u00e4\n",` +
		`"dup":{"a":1},"dup":{"b":2},"$metadata":{"$model":"m"}}`
	tests := []struct {
		filter string
		want   bool
	}{
		{"true", true},
		{"false", false},
		{"true AND $body.on", true},
		{"$body.off", false},
		{"$body.n", false}, // not a boolean
		{"'text'", false},

		{"type = 'Microsoft.DigitalTwins.Twin.Update'", true},
		{"'Microsoft.DigitalTwins.Twin.Update' = type", true},
		{"type = 'microsoft.digitaltwins.twin.update'", false},
		{"type = Microsoft.DigitalTwins.Twin.Update", false}, // unquoted: a name of nothing
		{"type IN ['a', 'Microsoft.DigitalTwins.Twin.Update']", true},
		{"NOT type IN ['a', 'b']", true},
		{"source = 'hub.example.net' AND subject = 'room-1' AND id = '1' AND specversion = '1.0'", true},
		{"datacontenttype = 'application/json'", true},
		{"site = 'north'", true},
		{"attempt = '3'", true},
		{"attempt = 3", false}, // an attribute is text
		{"$eventType = 'x' OR $eventType != 'x'", false},

		{"dataschema = 'x'", false},
		{"dataschema != 'x'", false}, // undefined
		{"NOT dataschema = 'x'", false},
		{"dataschema != 'x' OR true", true},
		{"NOT (dataschema = 'x' AND false)", true},
		{"dataschema = null", false},
		{"dataschema != null", false},
		{"$body.none = null", true},
		{"$body.none != null", false},
		{"$body.n != null", true},
		{"$body.obj != null", true},
		{"$body.obj = null", false},
		{"$body.none = 5", false},
		{"$body.none != 5", true},
		{"null = null", true},
		{"IS_DEFINED($body.none) AND NOT IS_DEFINED($body.nowhere)", true},
		{"IS_DEFINED(dataschema) OR IS_DEFINED($eventType)", false},

		{"$body.n = 5.0 AND $body.n >= 5 AND $body.n <= 5 AND NOT $body.n > 5", true},
		{"$body.n > 4.9 AND 5.1 > $body.n AND $body.n != 4", true},
		{"$body.n < 'a'", false},
		{"$body.n != 'a'", false}, // kinds that do not compare
		{"$body.n = '5'", false},
		{"$body.big = 9007199254740992", true}, // numbers are float64
		{"IS_DEFINED($body.huge)", false},
		{"$body.on = true AND $body.off != true AND $body.off = false", true},
		{"$body.on > false", false}, // booleans have no order
		{"$body.text = 'Wärme' AND $body.text < 'Wärmf' AND $body.text > 'Wär'", true},
		{"$body.text <= 'Wärme' AND $body.text >= 'Wärme'", true},
		{"$body.escaped = 'ä\n'", true},

		{"$body.obj.a.b = 'x'", true},
		{"$body.obj.a.b.c = 'x'", false},
		{"$body.dup.b = 2", true},
		{"IS_DEFINED($body.dup.a)", false}, // the last of equal names is the one
		{"$body.$metadata.$model = 'm'", true},
		{"$body != null", true},
		{"$body.list != null", false}, // arrays cannot be filtered
		{"$body.list[0] = 1 OR $body.list[0] != 1", false},
		{"IS_DEFINED($body.list)", true},
		{"$body.obj = $body.obj", false},

		{"STARTS_WITH($body.modelId, 'dtmi:example:')", true},
		{"STARTS_WITH(subject, '') AND ENDS_WITH(subject, '') AND CONTAINS(subject, '')", true},
		{"STARTS_WITH(subject, 'room-11')", false},
		{"ENDS_WITH($body.modelId, ';1') AND NOT ENDS_WITH($body.modelId, ';2')", true},
		{"CONTAINS($body.modelId, 'Room') AND NOT CONTAINS($body.modelId, 'room')", true},
		{"CONTAINS('a room-1 b', subject)", true},
		{"CONTAINS('aabaabaaab', 'aabaaab')", true},
		{"CONTAINS(subject, 1)", false},
		{"NOT CONTAINS(dataschema, 'a')", false},
		{"CONTAINS(subject, 'room') = true", true},
		{"(subject = 'x') = (id = '2')", true},
		{"(dataschema = 'x') != true", false},
		{"((subject = 'room-1') = true) = $body.on", true},
	}
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) { requireVerdict(t, tt.filter, update(data), tt.want) })
	}
}

func TestMatchPatch(t *testing.T) {
	patch := func(operations string) event.Event { return update(`{"modelId":"m","patch":[` + operations + `]}`) }
	room := patch(`{"value":21.5,"path":"/Temperature","op":"replace"}`)
	tests := []struct {
		name, filter string
		event        event.Event
		want         bool
	}{
		{"replaced", "PATCH('/Temperature') > 21", room, true},
		{"changed", "CHANGED('/Temperature')", room, true},
		{"another", "CHANGED('/Humidity')", room, false},
		{"another is a plain no", "NOT CHANGED('/Humidity')", room, true},
		{"no value of another", "PATCH('/Humidity') != 1", room, false},
		{"name is not a prefix", "CHANGED('/Temp') OR CHANGED('/TemperatureMax')", room, false},
		{"root", "CHANGED('')", room, true},
		{"no value of the root", "IS_DEFINED(PATCH(''))", room, false},
		{"added", "PATCH('/a') = 'x' AND CHANGED('/a')", patch(`{"op":"add","path":"/a","value":"x"}`), true},
		{"null", "PATCH('/a') = null", patch(`{"op":"replace","path":"/a","value":null}`), true},
		{"removed", "CHANGED('/a')", patch(`{"op":"remove","path":"/a"}`), true},
		{"value of the removed", "IS_DEFINED(PATCH('/a'))", patch(`{"op":"remove","path":"/a"}`), false},
		{"value beside a remove", "IS_DEFINED(PATCH('/a'))", patch(`{"op":"remove","path":"/a","value":1}`), false},
		{"replaced whole", "PATCH('/Front/Temperature') = 5 AND CHANGED('/Front/Temperature')", patch(`{"op":"replace","path":"/Front","value":{"Temperature":5}}`), true},
		{"replaced whole without it", "CHANGED('/Front/T') AND NOT IS_DEFINED(PATCH('/Front/T'))", patch(`{"op":"replace","path":"/Front","value":{}}`), true},
		{"replaced whole by a scalar", "CHANGED('/Front/T') AND NOT IS_DEFINED(PATCH('/Front/T'))", patch(`{"op":"replace","path":"/Front","value":3}`), true},
		{"removed whole", "CHANGED('/Front/T')", patch(`{"op":"remove","path":"/Front"}`), true},
		{"all replaced", "PATCH('/a/b') = 1", patch(`{"op":"replace","path":"","value":{"a":{"b":1}}}`), true},
		{"beneath", "CHANGED('/Front')", patch(`{"op":"add","path":"/Front/T","value":1}`), true},
		{"value with a change beneath", "IS_DEFINED(PATCH('/Front'))", patch(`{"op":"add","path":"/Front/T","value":1}`), false},
		{"in an array", "CHANGED('/list') AND CHANGED('/list/0')", patch(`{"op":"add","path":"/list/0","value":1}`), true},
		{"last wins", "PATCH('/a') = 2", patch(`{"op":"add","path":"/a","value":1},{"op":"replace","path":"/a","value":2}`), true},
		{"last wins, whole after part", "PATCH('/a/b') = 2", patch(`{"op":"add","path":"/a/b","value":1},{"op":"replace","path":"/a","value":{"b":2}}`), true},
		{"last wins, part after whole", "PATCH('/a/b') = 1", patch(`{"op":"replace","path":"/a","value":{"b":2}},{"op":"add","path":"/a/b","value":1}`), true},
		{"last wins, removed after all", "IS_DEFINED(PATCH('/a/b'))", patch(`{"op":"add","path":"/a/b","value":1},{"op":"remove","path":"/a"}`), false},
		{"escapes", "PATCH('/a~1b/m~0n') = 1", patch(`{"op":"add","path":"/a~1b","value":{"m~n":1}}`), true},
		{"escapes in order", "PATCH('/~01') = 1", patch(`{"op":"add","path":"/~01","value":1}`), true},
		{"escaped JSON", "PATCH('/ä') = 1", patch(`{"op":"add","path":"\/\u00e4","value":1}`), true},
		{"empty name", "PATCH('/') = 1 AND CHANGED('/')", patch(`{"op":"add","path":"/","value":1}`), true},
		{"other operations", "CHANGED('')", patch(`{"op":"test","path":"/a","value":1}`), false},
		{"malformed operations", "CHANGED('')", patch(`5,{"op":"add"},{"op":"add","path":"a"},{"path":"/a"},{"op":"add","path":7}`), false},
		{"no patch", "CHANGED('')", update(`{"a":1}`), false},
		{"patch is no array", "CHANGED('')", update(`{"patch":{"op":"add","path":"/a"}}`), false},
		{"no data", "NOT CHANGED('/a')", event.Event{Type: event.TwinUpdate}, true},
		{"not JSON", "$body.a = 1 OR CHANGED('/a')", update(`{"a":1`), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireVerdict(t, tt.filter, tt.event, tt.want) })
	}
}

// A matcher must not remember anything of the event before.
func TestLoadForgets(t *testing.T) {
	m := newMatcher(t, "$body.a = 1", "subject = 'room-1'", "CHANGED('/x')", "PATCH('/x') = 1", "IS_DEFINED($body.a)")
	full := update(`{"a":1,"patch":[{"op":"add","path":"/x","value":1}]}`)
	bare := event.Event{Type: "t", Data: []byte(`[]`)}
	for round := range 3 {
		for _, e := range []struct {
			event *event.Event
			want  bool
		}{{&full, true}, {&bare, false}, {&event.Event{}, false}} {
			m.Load(e.event)
			for i := range 5 {
				if got := m.Match(i); got != e.want {
					t.Fatalf("round %d: filter %d on %q = %v, want %v", round, i, e.event.Data, got, e.want)
				}
			}
		}
	}
}

func TestMatchLargeEvents(t *testing.T) {
	long := strings.Repeat("ab", 250_000)
	e := update(fmt.Sprintf(`{"a":%q,"b":%q,"c":"x"}`, long, long[1:]))
	m := newMatcher(t, "$body.c = 'x'", "CONTAINS($body.a, $body.b)", "CONTAINS($body.b, $body.a)", "$body.b > $body.a", "ENDS_WITH($body.a, $body.b)")
	small := update(`{"a":"ab","b":"b","c":"x"}`)
	for _, e := range []*event.Event{&small, &e, &small} {
		m.Load(e)
		for i, want := range []bool{true, true, false, true, true} {
			if got := m.Match(i); got != want {
				t.Errorf("filter %d on %d bytes = %v, want %v", i, len(e.Data), got, want)
			}
		}
	}
}

// Constants of every length take another way through the compiled comparison.
func TestMatchConstantLengths(t *testing.T) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	text := strings.Repeat(alphabet, 3)
	rt := newRuntime(t)
	for n := 1; n <= len(text); n++ {
		same := text[:n]
		m := newMatcherOf(t, newSet(t, rt, nil, "subject = '"+same+"'", "STARTS_WITH(subject, '"+same+"')"))
		expect := func(subject string, want ...bool) {
			m.Load(&event.Event{Subject: subject})
			for i := range want {
				if got := m.Match(i); got != want[i] {
					t.Errorf("filter %d for %q on %q = %v, want %v", i, same, subject, got, want[i])
				}
			}
		}
		expect(same, true, true)
		expect(same+"x", false, true)
		expect(same[:n-1], false, false)
		for i := range n {
			expect(same[:i]+"#"+same[i+1:], false, false)
		}
	}
}

// The largest filters that parse also compile.
func TestLargestFilters(t *testing.T) {
	const depth = filter.MaxDepth - 2 // requireVerdict puts NOT and parentheses around it
	deep := strings.Repeat("(", depth/2) + strings.Repeat("NOT ", depth/2) + "subject != 'room-1'" + strings.Repeat(")", depth/2)
	list := "subject IN ['room-1'" + strings.Repeat(",'twin-000000000000'", 3000) + "]"
	wide := "subject = 'room-1'" + strings.Repeat(" AND ($body.a > 1 OR true)", 2400)
	nested := strings.Repeat("(", depth-1) + "CONTAINS(subject, 'room')" + strings.Repeat(" = true)", depth-1)
	constant := "subject != '" + strings.Repeat("x", filter.MaxBytes-20) + "'"
	for _, text := range []string{deep, list, wide, nested, constant} {
		requireVerdict(t, text, update(`{}`), true)
	}
}

func requireVerdict(t *testing.T, text string, e event.Event, want bool) {
	t.Helper()
	m := newMatcher(t, text, "NOT ("+text+")")
	m.Load(&e)
	if got := m.Match(0); got != want {
		t.Errorf("%.200s on %s = %v, want %v", text, e.Data, got, want)
	}
	if m.Match(0) && m.Match(1) {
		t.Errorf("%.200s and its negation both match %s", text, e.Data)
	}
	if f := parse(t, text); newOracle(e).matches(f) != want {
		t.Errorf("the oracle does not want %v", want)
	}
}

func newMatcher(t testing.TB, texts ...string) *matcher.Matcher {
	t.Helper()
	return newMatcherOf(t, newSet(t, newRuntime(t), nil, texts...))
}

func newMatcherOf(t testing.TB, set *matcher.Set) *matcher.Matcher {
	t.Helper()
	m, err := set.NewMatcher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newRuntime(t testing.TB) *matcher.Runtime {
	t.Helper()
	rt, err := matcher.NewRuntime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	return rt
}

func newSet(t testing.TB, rt *matcher.Runtime, prev *matcher.Set, texts ...string) *matcher.Set {
	t.Helper()
	set, err := rt.NewSet(t.Context(), parseAll(t, texts), prev)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func parse(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%.200q): %v", text, err)
	}
	return f
}
