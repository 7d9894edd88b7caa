package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/abi"
)

// TestManyBindingsOneModule runs many configurations of one module at once, on
// fewer instances than goroutines, some of them trapping.
func TestManyBindingsOneModule(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{Limits: tight}), build(t, hostileDir))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			what, want := "good", "0 2 3"
			if g%4 == 0 {
				what, want = "panic", "0 1! 2 3"
			}
			for n := range 5 {
				b, err := m.Bind(context.Background(), plugin.Filter, fmt.Appendf(nil, `{"do":%q,"n":%d}`, what, g*10+n), "x")
				if err != nil {
					t.Error(err)
					return
				}
				for range 5 {
					if out, err := b.Run(context.Background(), mixed(4, 1), nil); err != nil || origins(out) != want {
						t.Errorf("%s: %q, %v", what, origins(out), err)
					}
				}
				b.Close()
			}
		})
	}
	wg.Wait()
}

// TestPoolIsBounded holds the only instance in a log call and asks for another.
func TestPoolIsBounded(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := newRuntime(t, plugin.Options{
		Limits: plugin.Limits{Instances: 1},
		Log: func(l plugin.Log) {
			if l.Level == abi.Warn {
				close(entered)
				<-leave
			}
		},
	})
	m := load(t, r, build(t, hostileDir))
	slow, other := bind(t, m, plugin.Filter, do("log")), bind(t, m, plugin.Filter, do("good"))
	done := make(chan error)
	go func() {
		_, err := slow.Run(context.Background(), mixed(1, 0), nil)
		done <- err
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		_, err := other.Run(ctx, mixed(1), nil)
		waiting <- err
	}()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("a second instance was made, or: %v", err)
	}
	slow.Close() // while it runs
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if out, err := other.Run(t.Context(), mixed(1), nil); err != nil || len(out) != 1 {
		t.Error(out, err)
	}
}

// TestHandlesAreClosed binds configurations after one another: the guest hears
// of those that are gone.
func TestHandlesAreClosed(t *testing.T) {
	var log recorder
	m := load(t, newRuntime(t, plugin.Options{Log: log.add}), build(t, hostileDir))
	for n := range 3 {
		b, err := m.Bind(t.Context(), plugin.Filter, fmt.Appendf(nil, `{"n":%d}`, n), "x")
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
	}
	keep := bind(t, m, plugin.Filter, "{}")
	same := bind(t, m, plugin.Filter, " { } ")
	same.Close()
	if _, err := keep.Run(t.Context(), updates(1), nil); err != nil {
		t.Fatal(err)
	}
	bind(t, m, plugin.Filter, do("count closed"))
	if !log.has("", abi.Info, "closed 3 of 4") {
		t.Errorf("%+v", log.lines)
	}
}
