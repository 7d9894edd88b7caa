package plugin_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
)

// notices keeps what a runtime reported.
type notices struct {
	mu   sync.Mutex // guards list
	list []plugin.Notice
}

func (n *notices) add(x plugin.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, x)
}

func (n *notices) of(what plugin.What) (list []plugin.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range n.list {
		if x.What == what {
			list = append(list, x)
		}
	}
	return list
}

func guestError(t *testing.T, err error) *plugin.GuestError {
	t.Helper()
	var g *plugin.GuestError
	if !errors.As(err, &g) {
		t.Fatalf("error %T: %v, want a GuestError", err, err)
	}
	return g
}

// TestTrapIsReproduced traps in many ways, and sees each trap again.
func TestTrapIsReproduced(t *testing.T) {
	wasm := build(t, hostileDir)
	for _, tt := range []struct {
		do    string
		kind  plugin.Kind
		grant []string
	}{
		{"panic", plugin.Filter, nil},
		{"loop", plugin.Transform, nil},
		{"magic", plugin.Transform, nil},
		{"world", plugin.Filter, []string{"clock", "random"}},
	} {
		t.Run(tt.do+" "+strings.Join(tt.grant, "+"), func(t *testing.T) {
			var seen notices
			r := newRuntime(t, plugin.Options{Limits: tight, TrapDir: t.TempDir(), Notify: seen.add})
			m, err := r.LoadWith(t.Context(), wasm, plugin.LoadOptions{Grant: tt.grant})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			in := mixed(4, 2)
			accepted := *in[2].Event // an earlier stage made the event of another one
			accepted.ID = "accepted"
			in[2].Source = &accepted
			out, err := bind(t, m, tt.kind, do(tt.do)).Run(t.Context(), in, nil)
			if err != nil || origins(out) != "0 1 2! 3" {
				t.Fatalf("%q, %v", origins(out), err)
			}
			trapped := seen.of(plugin.EventTrapped)
			if len(trapped) != 1 || trapped[0].Plugin != "test@1" || trapped[0].Position != in[2].Position || trapped[0].Err != out[2].Err {
				t.Fatalf("notices %+v", trapped)
			}
			files, err := r.Bundles()
			if err != nil || len(files) != 1 || files[0].Name != trapped[0].Bundle || time.Since(files[0].Time) > time.Minute {
				t.Fatalf("bundles %+v, %v", files, err)
			}
			text, err := r.Bundle(files[0].Name)
			if err != nil {
				t.Fatal(err)
			}
			b, err := plugin.ReadBundle(text)
			if err != nil {
				t.Fatal(err)
			}
			again, err := plugin.Replay(t.Context(), b, wasm)
			if err != nil || !again.Same {
				t.Fatalf("replayed: %v, %q\nthen %+v\nnow  %+v", err, again.Differs, b.Trap, again.Trap)
			}
			if g := guestError(t, out[2].Err); again.Trap.Text != g.Text || again.Trap.Fuel != g.Fuel || g.Fuel == 0 {
				t.Errorf("then %+v\nnow  %+v", g, again.Trap)
			}

			if tt.do != "panic" {
				return
			}
			b.Event.Record = event.AppendRecord(nil, mixed(1)[0].Event) // a good event
			if again, err = plugin.Replay(t.Context(), b, wasm); err != nil || again.Same || again.Trap != nil {
				t.Errorf("a good event trapped: %+v, %v", again, err)
			}
			if _, err := plugin.Replay(t.Context(), b, wasm[:len(wasm)-1]); err == nil {
				t.Error("another module was run")
			}
		})
	}
}

func TestStartTrapIsReproduced(t *testing.T) {
	wasm := build(t, hostileDir)
	var seen notices
	r := newRuntime(t, plugin.Options{Limits: tight, TrapDir: t.TempDir(), Notify: seen.add})
	if _, err := load(t, r, wasm).Bind(t.Context(), plugin.Filter, []byte(do("open panics")), "x@1"); err == nil {
		t.Fatal("bound")
	}
	n := seen.of(plugin.StartTrapped)
	if len(n) != 1 || n[0].Plugin != "x@1" {
		t.Fatalf("notices %+v", n)
	}
	text, err := r.Bundle(n[0].Bundle)
	if err != nil {
		t.Fatal(err)
	}
	b, err := plugin.ReadBundle(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := plugin.Replay(t.Context(), b, wasm); err != nil || !again.Same || again.Trap.At != "main.exportOpen" {
		t.Errorf("%+v, %v\nthen %+v\nnow  %+v", again, err, b.Trap, again.Trap)
	}
}

func TestBundlesAreBounded(t *testing.T) {
	dir := t.TempDir()
	stranger := filepath.Join(dir, "mine.json")
	if err := os.WriteFile(stranger, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(o plugin.Options) *plugin.Runtime {
		o.Limits, o.TrapDir = tight, dir
		return newRuntime(t, o)
	}
	r := open(plugin.Options{TrapFiles: 3})
	b := bind(t, load(t, r, build(t, hostileDir)), plugin.Filter, do("panic"))
	for range 5 {
		if _, err := b.Run(t.Context(), mixed(1, 0), nil); err != nil {
			t.Fatal(err)
		}
	}
	files, err := r.Bundles()
	if err != nil || len(files) != 3 || !files[0].Time.After(files[2].Time) {
		t.Fatalf("%+v, %v", files, err)
	}
	again, err := open(plugin.Options{TrapBytes: files[0].Size + 1}).Bundles()
	if err != nil || len(again) != 1 || again[0] != files[0] {
		t.Errorf("%+v, %v, want the newest", again, err)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "mine.json", "../" + files[0].Name, "trap-20200101T000000.000000000-../../etc/passwd.json", files[2].Name} {
		if _, err := r.Bundle(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("bundle %q: %v", name, err)
		}
	}
}

// TestWorldFollowsFromTheEvent asks for the time and random numbers, in a batch
// and alone, on instances with other histories.
func TestWorldFollowsFromTheEvent(t *testing.T) {
	var log recorder
	m := load(t, newRuntime(t, plugin.Options{Limits: tight, Log: log.add}), build(t, hostileDir))
	b := bind(t, m, plugin.Filter, do("tell"))
	run := func(in []pipeline.Item) []string {
		t.Helper()
		log.lines = nil
		if _, err := b.Run(t.Context(), in, nil); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, l := range log.lines {
			lines = append(lines, l.Text)
		}
		return lines
	}
	all := mixed(3, 0, 1, 2)
	all[1].Source.Time = "2031-05-06T07:08:09Z"
	all[2].Source.Time = ""
	together := run(all)
	if len(together) != 3 || !strings.HasPrefix(together[0], "2021-12-09T20:28:52.97953") ||
		!strings.HasPrefix(together[1], "2031-05-06T07:08:09.0000") || !strings.HasPrefix(together[2], "2020-01-01T00:00:00.0000") {
		t.Fatalf("lines %q", together)
	}
	numbers := func(line string) string { return line[strings.LastIndexByte(line, ' '):] }
	if numbers(together[0]) == numbers(together[1]) || numbers(together[1]) == numbers(together[2]) {
		t.Errorf("two events have the same random numbers: %q", together)
	}
	for k := range all {
		if alone := run(all[k : k+1]); len(alone) != 1 || numbers(alone[0]) != numbers(together[k]) || alone[0][:23] != together[k][:23] {
			t.Errorf("event %d: together %q, alone %q", k, together[k], alone)
		}
	}
}

func TestRealClockIsGranted(t *testing.T) {
	var log recorder
	r := newRuntime(t, plugin.Options{Limits: tight, Log: log.add})
	m, err := r.LoadWith(t.Context(), build(t, hostileDir), plugin.LoadOptions{Grant: []string{"clock", "random", "unwanted"}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := m.Info().Granted; !slices.Equal(got, []string{"clock", "random"}) {
		t.Errorf("granted %q", got)
	}
	b := bind(t, m, plugin.Filter, do("tell"))
	for range 2 {
		if _, err := b.Run(t.Context(), mixed(1, 0), nil); err != nil {
			t.Fatal(err)
		}
	}
	lines := log.lines[len(log.lines)-2:]
	at, err := time.Parse(time.RFC3339Nano, strings.Fields(lines[0].Text)[0])
	if err != nil || time.Since(at).Abs() > time.Hour || lines[0].Text[len(lines[0].Text)-16:] == lines[1].Text[len(lines[1].Text)-16:] {
		t.Errorf("%q, %v", lines, err)
	}
}

func TestFuelIsTold(t *testing.T) {
	var uses []plugin.Use
	r := newRuntime(t, plugin.Options{Measure: func(u plugin.Use) { uses = append(uses, u) }})
	// Each event costs more than the one before: the number of the event times a round.
	w := tiny().importing("headgate_v1", "begin", "i>")
	spinN := slices.Concat(get(5), []byte{0x21, 6}, []byte{0x03, 0x40}, get(6), i32c(1), []byte{0x6b, 0x22, 6}, i32c(0), []byte{0x4a, 0x0d, 0, 0x0b})
	w.with("headgate_filter", "iii>i", passAll(slices.Concat(get(5), call(0), spinN)), i32c(0))
	w.funcs[len(w.funcs)-1].locals = 4
	b := bind(t, load(t, r, w.bytes()), plugin.Filter, "")
	in := updates(6)
	in[5].Fuel = 1000
	out, err := b.Run(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for k, it := range out {
		total += it.Fuel
		if k >= 2 && k < 5 && it.Fuel-out[k-1].Fuel != 9 {
			t.Errorf("event %d took %d fuel, the one before %d", k, it.Fuel, out[k-1].Fuel)
		}
	}
	if out[5].Fuel < 1000 {
		t.Errorf("the fuel of an earlier stage is lost: %d", out[5].Fuel)
	}
	total -= 1000
	if len(uses) != 1 || uses[0].Fuel != total || uses[0].Events != 6 || uses[0].Plugin != "test@1" || uses[0].MostFuel >= total || uses[0].Failed {
		t.Errorf("uses %+v, want %d fuel", uses, total)
	}
}

func TestLoadOptionsStayWithinTheMaximum(t *testing.T) {
	r := newRuntime(t, plugin.Options{MaxLimits: plugin.Limits{MemoryBytes: 128 << 20, EventFuel: 1 << 40}})
	for _, tt := range []struct {
		limits plugin.Limits
		want   string
	}{
		{plugin.Limits{MemoryBytes: 128 << 20}, ""},
		{plugin.Limits{MemoryBytes: 128<<20 + 1}, "limit memoryBytes: 134217729 is not within 1 and this server's maximum, 134217728"},
		{plugin.Limits{EventFuel: 1<<40 + 1}, "limit eventFuel"},
		{plugin.Limits{CallDepth: -1}, "limit callDepth"},
		{plugin.Limits{Instances: 5}, "limit instances: 5 is not within 1 and this server's maximum, 4"},
	} {
		m, err := r.LoadWith(t.Context(), tiny().bytes(), plugin.LoadOptions{Limits: tt.limits})
		var l *plugin.LimitError
		switch {
		case tt.want == "" && err == nil:
			if m.Limits().MemoryBytes != tt.limits.MemoryBytes || m.Limits().EventFuel != plugin.DefaultLimits().EventFuel {
				t.Errorf("limits %+v", m.Limits())
			}
			m.Close()
		case !errors.As(err, &l) || !strings.Contains(err.Error(), tt.want):
			t.Errorf("%+v: %v, want %q", tt.limits, err, tt.want)
		}
	}
	if _, err := plugin.NewRuntime(context.Background(), plugin.Options{Limits: plugin.Limits{MemoryBytes: 2}, MaxLimits: plugin.Limits{MemoryBytes: 1}}); err == nil {
		t.Error("limits above the maximum")
	}
}
