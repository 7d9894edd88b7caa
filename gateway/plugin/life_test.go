package plugin_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/plugin"
)

// variant makes of a module another one that does the same.
func variant(wasm []byte, n int) []byte {
	name := fmt.Sprintf("variant %06d", n)
	return slices.Concat(wasm, []byte{0, byte(len(name) + 2), byte(len(name))}, []byte(name), []byte{0})
}

// counting is a filter that counts in its memory and drops what comes after so
// many events.
func counting(limit int32) *wasm {
	const at = 1024
	count := slices.Concat(i32c(at), i32c(at), []byte{0x28, 2, 0}, i32c(1), []byte{0x6a, 0x36, 2, 0})
	drop := slices.Concat(get(3), i32c(at), []byte{0x28, 2, 0}, i32c(limit), []byte{0x4c, 0x36, 2, 0})
	w := tiny()
	body := passAll(nil)
	w.with("headgate_filter", "iii>i", count, body, get(3), i32c(-80), []byte{0x6a, 0x21, 3}, drop, i32c(0))
	return w
}

func TestWornInstancesAreReplaced(t *testing.T) {
	for _, tt := range []struct {
		name   string
		guest  *wasm
		limits plugin.Limits
		events int
	}{
		{"by uses", counting(10), plugin.Limits{InstanceUses: 10}, 100},
		{"by age", counting(62), plugin.Limits{InstanceAge: time.Minute}, 300},
		{"by memory", tiny().with("headgate_filter", "iii>i", passAll(nil), // a page for each call, and a trap when there is none
			i32c(1), []byte{0x40, 0}, i32c(-1), []byte{0x46, 0x04, 0x40, 0x00, 0x0b}, i32c(0)), plugin.Limits{MemoryBytes: 8 << 20}, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen notices
				b := bind(t, load(t, newRuntime(t, plugin.Options{Limits: tt.limits, Notify: seen.add}), tt.guest.bytes()), plugin.Filter, "")
				for n := range tt.events {
					if out, err := b.Run(t.Context(), mixed(1), nil); err != nil || len(out) != 1 || out[0].Err != nil {
						t.Fatalf("event %d: %v, %v", n, out, err)
					}
					synctest.Wait() // for the replacement
					time.Sleep(time.Second)
				}
				if len(seen.list) != 0 {
					t.Errorf("notices %+v", seen.list)
				}
			})
		})
	}
}

// TestIdleMemoryIsBounded lets four instances work at once, of which one may
// wait for more.
func TestIdleMemoryIsBounded(t *testing.T) {
	entered, leave := make(chan struct{}, 4), make(chan struct{})
	w := counting(1).importing("headgate_v1", "log", "iii>")
	filter := w.funcs[len(w.funcs)-1].body
	w.with("headgate_filter", "iii>i", i32c(1), i32c(16), i32c(1), call(0), filter)
	r := newRuntime(t, plugin.Options{
		Limits: plugin.Limits{IdleBytes: 1},
		Log:    func(plugin.Log) { entered <- struct{}{}; <-leave },
	})
	b := bind(t, load(t, r, w.bytes()), plugin.Filter, "")
	done := make(chan error)
	for range 4 {
		go func() {
			_, err := b.Run(context.Background(), mixed(1), nil)
			done <- err
		}()
	}
	for range 4 {
		<-entered
	}
	close(leave)
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	// One is left: it counts on, and each of the others would start anew.
	for n := range 3 {
		go func() { <-entered }()
		if out, err := b.Run(t.Context(), mixed(1), nil); err != nil || len(out) != 0 {
			t.Errorf("event %d: %v, %v", n, out, err)
		}
	}
}

func TestCacheOfOtherVersionsIsDeleted(t *testing.T) {
	dir := t.TempDir()
	for _, old := range []string{"wazero-v1.0.0-amd64-linux", "code-wazerov1.0.0-meter1", "mine"} {
		if err := os.MkdirAll(filepath.Join(dir, old, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	load(t, newRuntime(t, plugin.Options{CacheDir: dir}), tiny().bytes())
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 || !strings.HasPrefix(entries[0].Name(), "code-wazero") || entries[1].Name() != "mine" {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	r := newRuntime(t, plugin.Options{CacheDir: dir})
	for n := range 20 {
		load(t, r, variant(tiny().bytes(), n))
	}
	size := func() (n int64) {
		_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, _ error) error {
			if info, err := d.Info(); err == nil && !d.IsDir() {
				n += info.Size()
			}
			return nil
		})
		return n
	}
	all := size()
	load(t, newRuntime(t, plugin.Options{CacheDir: dir, CacheBytes: all / 2}), variant(tiny().bytes(), 5))
	if left := size(); left > all/2+all/10 || left < all/4 {
		t.Errorf("%d of %d bytes are left, want half", left, all)
	}
}

// TestSwapsLeaveNothing binds and swaps one plugin for the next, as a gateway
// does whose plugins are replaced all day.
func TestSwapsLeaveNothing(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 200
	}
	r, err := plugin.NewRuntime(t.Context(), plugin.Options{}) // no cache: it would keep every module
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	before := swaps(t, r, n/10, 0)
	after := swaps(t, r, n, n)
	if after > before+before/10+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes over %d swaps", before, after, n)
	}
}

// swaps binds n plugins one after another, each before the last is let go, and
// returns the size of the heap after them.
func swaps(t testing.TB, r *plugin.Runtime, n, first int) uint64 {
	t.Helper()
	wasm := tiny().bytes()
	var old *plugin.Binding
	for k := range n {
		m, err := r.Load(context.Background(), variant(wasm, first+k))
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.Bind(context.Background(), plugin.Filter, nil, "x")
		m.Close()
		if err != nil {
			t.Fatal(err)
		}
		if out, err := b.Run(context.Background(), updates(1), nil); err != nil || len(out) != 1 {
			t.Fatal(out, err)
		}
		if old != nil {
			old.Close()
		}
		old = b
	}
	old.Close()
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// BenchmarkSwap is a swap of a small plugin, cached or not.
func BenchmarkSwap(b *testing.B) {
	r, err := plugin.NewRuntime(b.Context(), plugin.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close(b.Context())
	before := swaps(b, r, 100, 0)
	n := 100
	b.ReportAllocs()
	for b.Loop() {
		swaps1 := swaps(b, r, 100, n)
		n += 100
		b.ReportMetric(float64(swaps1)/float64(before), "heap/before")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n-100), "ns/swap")
}

// BenchmarkStart50 starts a gateway's runtime with 50 plugins in standard Go
// from a warm cache: until it is ready, as at a start, and until each has an
// instance.
func BenchmarkStart50(b *testing.B) {
	wasm := build(b, "../../examples/threshold")
	var modules [50][]byte
	for n := range modules {
		modules[n] = variant(wasm, n)
	}
	dir := b.TempDir()
	config := []byte(`{"path":"/Temperature","min":70}`)
	start := func(b *testing.B, warm bool) {
		r, err := plugin.NewRuntime(b.Context(), plugin.Options{CacheDir: dir})
		if err != nil {
			b.Fatal(err)
		}
		for _, wasm := range modules {
			m, err := r.Load(b.Context(), wasm)
			if err != nil {
				b.Fatal(err)
			}
			bind := func() error {
				_, err := m.BindLater(plugin.Filter, config, "x")
				return err
			}
			if warm {
				bind = func() error {
					_, err := m.Bind(b.Context(), plugin.Filter, config, "x")
					return err
				}
			}
			if err := bind(); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		if err := r.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	start(b, false) // fills the cache
	for _, warm := range []bool{false, true} {
		name := "ready"
		if warm {
			name = "warm"
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				start(b, warm)
			}
		})
	}
}
