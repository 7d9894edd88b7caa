package plugin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
)

// trapsOn is a filter that traps on an event whose data starts with a b, as
// the bad ones of mixed do.
func trapsOn() *wasm {
	w := tiny().importing("headgate_v1", "begin", "i>")
	// The record starts 72 bytes before the verdict: data's offset is at 64 of it.
	look := append(append(get(5), call(0)...), concatBytes(
		get(1), get(3), i32c(-8), []byte{0x6a, 0x28, 2, 0, 0x6a, 0x2d, 0, 0}, i32c('b'), []byte{0x46, 0x04, 0x40, 0x00, 0x0b},
	)...)
	return w.with("headgate_filter", "iii>i", passAll(look), i32c(0))
}

func concatBytes(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func withBreaker(t *testing.T, seen *notices, policy plugin.Breaker) *plugin.Module {
	t.Helper()
	m, err := newRuntime(t, plugin.Options{Notify: seen.add}).LoadWith(t.Context(), trapsOn().bytes(), plugin.LoadOptions{Breaker: policy})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func all(n int) (list []int) {
	for k := range n {
		list = append(list, k)
	}
	return list
}

// batchOf numbers events from first on, so that each is another one.
func batchOf(first, n int, bad ...int) []pipeline.Item {
	list := mixed(n, bad...)
	for k := range list {
		list[k].Position.Seq = uint64(first)
	}
	return list
}

func TestBreakerMakesEventsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen notices
		m := withBreaker(t, &seen, plugin.Breaker{Traps: 4, Window: 8, Pause: time.Minute, MaxPause: 3 * time.Minute})
		b, other := bind(t, m, plugin.Filter, ""), bind(t, m, plugin.Filter, `{"a":1}`)

		// Three of eight are too few.
		if out, err := b.Run(t.Context(), batchOf(1, 8, 1, 4, 7), nil); err != nil || origins(out) != "0 1! 2 3 4! 5 6 7!" {
			t.Fatal(origins(out), err)
		}
		if b.Open() != nil || len(seen.of(plugin.EventTrapped)) != 3 {
			t.Fatalf("open %v, notices %+v", b.Open(), seen.list)
		}

		// A burst of 20, all bad: the fourth of eight opens the breaker, and the batch waits.
		burst := batchOf(2, 20, all(20)...)
		var wait *plugin.BreakerError
		out, err := b.Run(t.Context(), burst, nil)
		if !errors.As(err, &wait) || wait.RetryAfter() != time.Minute || wait.Plugin != "test@1" || wait.Digest != m.Info().Digest || out != nil {
			t.Fatalf("%v, %v", out, err)
		}
		if !strings.Contains(err.Error(), "trapped in headgate_filter") {
			t.Error(err)
		}
		opened := seen.of(plugin.BreakerOpened)
		if len(opened) != 1 || !opened[0].Until.Equal(wait.Until) {
			t.Fatalf("notices %+v", opened)
		}
		traps := len(seen.of(plugin.EventTrapped))
		if _, err := b.Run(t.Context(), burst, nil); !errors.As(err, &wait) || len(seen.of(plugin.EventTrapped)) != traps {
			t.Errorf("the guest was run while the breaker was open: %v", err)
		}
		if out, err := other.Run(t.Context(), batchOf(3, 2), nil); err != nil || origins(out) != "0 1" {
			t.Errorf("another configuration: %q, %v", origins(out), err)
		}

		// Each probe goes on where the last one stopped, so that the batch comes to its end.
		pauses := []time.Duration{}
		for err != nil {
			time.Sleep(wait.RetryAfter())
			if out, err = b.Run(t.Context(), burst, nil); err != nil {
				if !errors.As(err, &wait) {
					t.Fatal(err)
				}
				pauses = append(pauses, wait.RetryAfter())
			}
		}
		if want := strings.Repeat("! ", 20); strings.Count(origins(out), "!") != 20 {
			t.Errorf("%q, want %q", origins(out), want)
		}
		if !slices.Equal(pauses, []time.Duration{2 * time.Minute, 3 * time.Minute}) {
			t.Errorf("pauses %v", pauses)
		}
		if b.Open() == nil {
			t.Fatal("closed, though everything trapped")
		}

		// Good events close it.
		time.Sleep(b.Open().RetryAfter())
		if out, err := b.Run(t.Context(), batchOf(4, 12, 3), nil); err != nil || origins(out) != "0 1 2 3! 4 5 6 7 8 9 10 11" || b.Open() != nil {
			t.Errorf("%q, %v, %v", origins(out), err, b.Open())
		}
		if len(seen.of(plugin.BreakerClosed)) != 1 {
			t.Errorf("notices %+v", seen.list)
		}
	})
}

func TestBreakerDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen notices
		m := withBreaker(t, &seen, plugin.Breaker{Traps: 2, Window: 8, DeadLetter: true})
		b := bind(t, m, plugin.Filter, "")
		out, err := b.Run(t.Context(), batchOf(1, 6, 1, 3, 4), nil)
		if err != nil || origins(out) != "0 1! 2 3! 4! 5!" && origins(out) != "0 1! 2 3! 4! 5" {
			t.Fatal(origins(out), err)
		}
		var open *plugin.BreakerError
		if !errors.As(out[4].Err, &open) || open.RetryAfter() != 10*time.Second || len(seen.of(plugin.EventTrapped)) != 2 {
			t.Errorf("%v, %+v", out[4].Err, seen.list)
		}
		out, err = b.Run(t.Context(), batchOf(2, 3), nil)
		if err != nil || origins(out) != "0! 1! 2!" {
			t.Error(origins(out), err)
		}
		time.Sleep(open.RetryAfter())
		if out, err := b.Run(t.Context(), batchOf(3, 3), nil); err != nil || origins(out) != "0 1 2" || b.Open() != nil {
			t.Error(origins(out), err)
		}
	})
}

func TestBreakerCanBeOff(t *testing.T) {
	var seen notices
	b := bind(t, withBreaker(t, &seen, plugin.Breaker{Traps: -1}), plugin.Filter, "")
	if out, err := b.Run(t.Context(), batchOf(1, 200, all(200)...), nil); err != nil || strings.Count(origins(out), "!") != 200 {
		t.Error(origins(out), err)
	}
}

// TestIsolationGoesByBegin counts the calls that a batch with two bad events
// takes: they are named at once, so that nobody tries the others one by one.
func TestIsolationGoesByBegin(t *testing.T) {
	var calls, events int
	r := newRuntime(t, plugin.Options{Measure: func(u plugin.Use) { calls, events = calls+1, events+u.Events }})
	out, err := bind(t, load(t, r, trapsOn().bytes()), plugin.Filter, "").Run(t.Context(), mixed(200, 50, 150), nil)
	if err != nil || len(out) != 200 || out[50].Err == nil || out[150].Err == nil {
		t.Fatal(origins(out), err)
	}
	// 200; 50 alone; 0–49; 51–199; 150 alone; 51–149; 151–199.
	if calls != 7 || events != 200+1+50+149+1+99+49 {
		t.Errorf("%d calls with %d events", calls, events)
	}
	if g := guestError(t, out[150].Err); g.Position != (mixed(200)[150].Position) || g.Fault != plugin.Trapped {
		t.Errorf("%+v", g)
	}
}
