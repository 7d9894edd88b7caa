package plugin_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/abi"
)

const hostileDir = "testdata/hostile"

// tight are limits under which a hostile guest ends quickly.
var tight = plugin.Limits{MemoryBytes: 32 << 20, EventFuel: 20_000_000, StartFuel: 200_000_000, Instances: 2}

// mixed are events with good data, but for those at bad.
func mixed(n int, bad ...int) []pipeline.Item {
	list := updates(n)
	for _, k := range bad {
		list[k].Event.Data = []byte("bad")
	}
	return list
}

// do is the configuration that makes the hostile guest misbehave so.
func do(what string) string { return fmt.Sprintf(`{"do":%q}`, what) }

// origins lists what came out as "0 1! 3": a mark on those that failed.
func origins(list []pipeline.Item) string {
	var words []string
	for _, it := range list {
		w := fmt.Sprint(it.Origin)
		if it.Err != nil {
			w += "!"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

// TestHostileGuest runs a batch of five in which the second misbehaves. The
// other four must come through, whatever it does.
func TestHostileGuest(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{Limits: tight}), build(t, hostileDir))
	both := []plugin.Kind{plugin.Filter, plugin.Transform}
	filter, transform := both[:1], both[1:]
	for _, tt := range []struct {
		do    string
		kinds []plugin.Kind
		fault plugin.Fault
		words string
	}{
		{"panic", both, plugin.Trapped, "panic: boom"},
		{"index", both, plugin.Trapped, "index out of range"},
		{"exit", both, plugin.Trapped, "exit with code 3"},
		{"loop", both, plugin.OutOfFuel, ""},
		{"recurse", both, plugin.OutOfFuel, "the limit of eventFuel is 20000000"},
		{"grow", both, plugin.OutOfFuel, ""},
		{"fail", both, plugin.Failed, "it is bad"},
		{"fail another", both, plugin.Breach, "fail("},
		{"fail config", both, plugin.Breach, "fail(-1)"},
		{"words out of memory", both, plugin.Breach, "leads out of the memory"},
		{"log out of memory", both, plugin.Breach, "leads out of the memory"},
		{"begin again", both, plugin.Breach, "begin("},
		{"begin too far", both, plugin.Breach, "begin("},

		{"status", filter, plugin.Breach, "status 7"},
		{"no verdict", filter, plugin.Failed, "gave no verdict"},
		{"verdict", filter, plugin.Failed, "verdict 9"},

		{"magic", transform, plugin.Breach, "starts with 0x"},
		{"count", transform, plugin.Breach, "leads out of an arena"},
		{"table", transform, plugin.Breach, "leads out of an arena"},
		{"unaligned arena", transform, plugin.Breach, "not aligned"},
		{"arena out of memory", transform, plugin.Breach, "leads out of the memory"},
		{"huge arena", transform, plugin.Breach, "the limit of outputBytes is 16777216"},
		{"slot out of arena", transform, plugin.Breach, "subject at 0x7fffff00"},
		{"slot out of input", transform, plugin.Breach, "data at 0xffffff00"},
		{"slot wraps", transform, plugin.Breach, "message id"},
		{"list out of arena", transform, plugin.Breach, "extensions at"},
		{"unaligned list", transform, plugin.Breach, "application properties at"},
		{"pair out of arena", transform, plugin.Breach, "number 0 of the extensions"},
		{"absent pair", transform, plugin.Breach, "number 0 of the extensions"},
		{"wrong input", transform, plugin.Breach, "in a call of"},
		{"reserved", transform, plugin.Breach, "reserved"},
		{"many outputs", transform, plugin.Breach, "more than 1024 outputs"},
		{"amplify", transform, plugin.Breach, "outputs of more than"},
		{"no id", transform, plugin.BadOutput, "no id"},
		{"empty source", transform, plugin.BadOutput, "the source is empty"},
		{"control character", transform, plugin.BadOutput, "control characters"},
		{"not UTF-8", transform, plugin.BadOutput, "not UTF-8"},
		{"not a time", transform, plugin.BadOutput, "not RFC 3339"},
		{"too large", transform, plugin.BadOutput, "the limit is 1048576"},
		{"extension name", transform, plugin.BadOutput, `"Level" is not an extension's name`},
		{"reserved extension", transform, plugin.BadOutput, `"source" is not an extension's name`},
		{"extension twice", transform, plugin.BadOutput, "twice"},
		{"bad integer", transform, plugin.BadOutput, `"01" of kind 1`},
		{"bad boolean", transform, plugin.BadOutput, `"TRUE" of kind 2`},
		{"bad kind", transform, plugin.BadOutput, "kind 3"},
		{"many extensions", transform, plugin.BadOutput, "257 extensions"},
		{"negative time to live", transform, plugin.BadOutput, "time to live"},
	} {
		for _, kind := range tt.kinds {
			t.Run(kind.String()+"/"+tt.do, func(t *testing.T) {
				b := bind(t, m, kind, do(tt.do))
				out, err := b.Run(t.Context(), mixed(5, 1), nil)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := origins(out), "0 1! 2 3 4"; got != want {
					t.Fatalf("came out %q, want %q", got, want)
				}
				var g *plugin.GuestError
				if !errors.As(out[1].Err, &g) {
					t.Fatalf("error %T: %v", out[1].Err, out[1].Err)
				}
				if g.Fault != tt.fault || !strings.Contains(g.Text, tt.words) || strings.Contains(g.Error(), "\n") {
					t.Errorf("fault %q, text %q\nwant %q, …%q…", g.Fault, g.Text, tt.fault, tt.words)
				}
				if g.Plugin != "test@1" || g.Digest != m.Info().Digest {
					t.Errorf("blames %q, %q", g.Plugin, g.Digest)
				}
				if tt.fault == plugin.Trapped && tt.do != "exit" && g.Trace == "" {
					t.Error("a trap without a trace")
				}
			})
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	limits := plugin.Limits{MemoryBytes: 16 << 20, EventFuel: 5_000_000_000}
	m := load(t, newRuntime(t, plugin.Options{Limits: limits}), build(t, hostileDir))
	out, err := bind(t, m, plugin.Filter, do("grow")).Run(t.Context(), mixed(2, 1), nil)
	if err != nil || origins(out) != "0 1!" {
		t.Fatalf("%q, %v", origins(out), err)
	}
	if !strings.Contains(out[1].Err.Error(), "out of memory") {
		t.Error(out[1].Err)
	}
}

func TestStrangeButAllowed(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{Limits: tight}), build(t, hostileDir))
	for _, tt := range []struct {
		do   string
		kind plugin.Kind
		want string
	}{
		{"good", plugin.Filter, "0 2"},
		{"good", plugin.Transform, "0 1 2"},
		{"undo", plugin.Transform, "0 2"},
		{"several", plugin.Transform, "0 1 1 1 2"},
		{"nothing", plugin.Transform, ""}, // one call, so nothing at all comes out
		{"overwrite", plugin.Filter, "0 2!"},
		{"input overwritten", plugin.Transform, "0 1! 2"},
	} {
		t.Run(tt.do, func(t *testing.T) {
			out, err := bind(t, m, tt.kind, do(tt.do)).Run(t.Context(), mixed(3, 1), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := origins(out); got != tt.want {
				t.Errorf("came out %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTransformOutput(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{}), build(t, hostileDir))
	in := mixed(2, 1)
	in[1].Properties = &delivery.Properties{SessionID: "old", Application: []delivery.Property{{Name: "gone", Value: "1"}}}
	in[0].Properties = &delivery.Properties{SessionID: "kept"}
	out, err := bind(t, m, plugin.Transform, do("everything")).Run(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in[0].Event, out[0].Event); diff != "" || out[0].Properties != in[0].Properties {
		t.Errorf("an event left alone changed: %s", diff)
	}
	want := *in[1].Event
	want.ID, want.Subject, want.Time, want.Data = "new", want.Source, "2026-01-02T03:04:05.678Z", []byte{}
	want.Extensions = []event.Extension{{Name: "aa", Value: "true", Kind: event.Boolean}, {Name: "zz", Value: "-7", Kind: event.Integer}}
	if diff := cmp.Diff(&want, out[1].Event); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&delivery.Properties{
		SessionID: "session", PartitionKey: in[1].Event.ID, MessageID: "message",
		ScheduledAt: time.UnixMilli(1_700_000_000_123).UTC(), TimeToLive: time.Minute,
		Application: []delivery.Property{{Name: "Name", Value: "wert ä"}},
	}, out[1].Properties); diff != "" {
		t.Error(diff)
	}
	if out[1].Source != in[1].Source || out[1].Position != in[1].Position {
		t.Error("the output lost its source or position")
	}
}

func TestEveryEventTraps(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{Limits: tight}), build(t, hostileDir))
	out, err := bind(t, m, plugin.Filter, do("panic")).Run(t.Context(), mixed(3, 0, 1, 2), nil)
	if err != nil || origins(out) != "0! 1! 2!" {
		t.Fatalf("%q, %v", origins(out), err)
	}
}

func TestStateDependentTrap(t *testing.T) {
	var log recorder
	m := load(t, newRuntime(t, plugin.Options{Limits: tight, Log: log.add}), build(t, hostileDir))
	out, err := bind(t, m, plugin.Filter, do("depend on state")).Run(t.Context(), mixed(5), nil)
	if err != nil || origins(out) != "0 1 2 3 4" {
		t.Fatalf("%q, %v", origins(out), err)
	}
	if !log.has("", abi.Warn, "depends on what it saw before") && !log.has("test@1", abi.Error, "panic: third") {
		t.Errorf("nothing was reported: %+v", log.lines)
	}
}

func TestConfigErrors(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{Limits: tight}), build(t, hostileDir))
	for _, tt := range []struct{ name, config, words string }{
		{"refused", do("refuse"), "refuses the configuration: do is refused"},
		{"refused without a word", do("refuse silently"), "does not say why"},
		{"not JSON", "{", "not JSON"},
		{"not an object", "[]", "want a JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := m.Bind(t.Context(), plugin.Filter, []byte(tt.config), "p@2")
			var c *plugin.ConfigError
			if !errors.As(err, &c) || c.Plugin != "p@2" || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error %v, want a ConfigError with %q", err, tt.words)
			}
		})
	}
	for _, tt := range []struct {
		config string
		fault  plugin.Fault
	}{
		{do("open panics"), plugin.Trapped},
		{do("open loops"), plugin.OutOfFuel},
		{do("wrong handle"), plugin.Breach},
		{do("fail an event in open"), plugin.Breach},
	} {
		t.Run(tt.config, func(t *testing.T) {
			_, err := m.Bind(t.Context(), plugin.Transform, []byte(tt.config), "p@2")
			var g *plugin.GuestError
			if !errors.As(err, &g) || g.Fault != tt.fault || g.Func != abi.ExportOpen {
				t.Errorf("error %v, want fault %v", err, tt.fault)
			}
		})
	}
	if _, err := load(t, newRuntime(t, plugin.Options{}), build(t, "../../plugins/tsi")).Bind(t.Context(), plugin.Filter, nil, "tsi@1"); err == nil ||
		!strings.Contains(err.Error(), "tsi@1 is no filter") {
		t.Errorf("a transform was bound as a filter: %v", err)
	}
}

// recorder keeps the lines that guests wrote.
type recorder struct {
	mu    sync.Mutex // guards lines
	lines []plugin.Log
}

func (r *recorder) add(l plugin.Log) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, l)
}

func (r *recorder) has(name string, level abi.Level, text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		if (name == "" || l.Plugin == name) && l.Level == level && strings.Contains(l.Text, text) {
			return true
		}
	}
	return false
}

func TestGuestLogs(t *testing.T) {
	var log recorder
	m := load(t, newRuntime(t, plugin.Options{Log: log.add}), build(t, hostileDir))
	b := bind(t, m, plugin.Filter, do("log"))
	if _, err := b.Run(t.Context(), mixed(3, 2), nil); err != nil {
		t.Fatal(err)
	}
	at := event.Position{Seq: 7, Index: 2}
	want := []plugin.Log{
		{Plugin: "test@1", Digest: m.Info().Digest, Level: abi.Warn, Position: at, Text: "seen\uFFFD[1m"},
		{Plugin: "test@1", Digest: m.Info().Digest, Level: abi.Error, Position: at, Text: "one"},
		{Plugin: "test@1", Digest: m.Info().Digest, Level: abi.Error, Position: at, Text: "two"},
	}
	if diff := cmp.Diff(want, log.lines); diff != "" {
		t.Error(diff)
	}
}

func TestLogFloodIsBounded(t *testing.T) {
	var log recorder
	m := load(t, newRuntime(t, plugin.Options{Log: log.add, Limits: plugin.Limits{LogBytes: 1000}}), build(t, hostileDir))
	if _, err := bind(t, m, plugin.Filter, do("log flood")).Run(t.Context(), mixed(1, 0), nil); err != nil {
		t.Fatal(err)
	}
	if n := len(log.lines); n < 10 || n > 30 || !log.has("test@1", abi.Warn, "more lines were written") {
		t.Errorf("%d lines were kept, the last %+v", n, log.lines[n-1])
	}
}

func TestRunOneTellsFuel(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{Limits: tight}), build(t, hostileDir))
	b := bind(t, m, plugin.Filter, do("loop"))
	for range 2 {
		out, fuel, err := b.RunOne(t.Context(), mixed(1)[0])
		if err != nil || origins(out) != "0" || fuel < 100 || fuel >= tight.EventFuel {
			t.Errorf("good event: %q, %d, %v, want it with the little fuel it took", origins(out), fuel, err)
		}
		out, fuel, err = b.RunOne(t.Context(), mixed(1, 0)[0])
		if err != nil || origins(out) != "0!" || fuel < tight.EventFuel {
			t.Errorf("endless event: %q, %d, %v, want it failed with all fuel used", origins(out), fuel, err)
		}
	}
}
