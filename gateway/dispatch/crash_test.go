package dispatch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
)

// process is a dispatcher that can be killed: what it does afterwards has no
// effect on the disk.
type process struct {
	*dispatch.Dispatcher
	v *view
}

func begin(t *testing.T, m *memory, p dispatch.Plan) process {
	t.Helper()
	w := newWorld(1)
	w.calm.Store(true)
	v := &view{memory: m, w: w}
	d, err := dispatch.Open(t.Context(), v, spool{m.retries, v, false}, spool{m.letters, v, true}, p, dispatch.Options{SaveMark: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return process{d, v}
}

func (p process) kill() {
	p.v.dead.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.Close(ctx)
}

// TestCrashRepeatsOnlyWhatWasNotSaved kills a process while one event is under
// way, one fails, and one was delivered.
func TestCrashRepeatsOnlyWhatWasNotSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		first := newRecorder(func(d delivery.Delivery) delivery.Outcome {
			if d.Event.ID == "fails" {
				return delivery.Transient(errors.New("503"))
			}
			return delivery.Delivered()
		})
		first.capacity = delivery.Capacity{Lanes: 4, Batch: 1}
		p := policy()
		p.InitialBackoff, p.MaxBackoff = time.Hour, time.Hour
		sink := &selective{recorder: first, hang: "hangs"}
		d := begin(t, m, hub(t, sink, p))
		m.append(twin("saved", "a"), twin("hangs", "b"))
		time.Sleep(3 * time.Second) // its position is saved
		m.append(twin("fails", "c"))
		synctest.Wait() // it is among the retries; that is not saved with the position
		d.kill()
		if got := first.ids(); !slices.Equal(got, []string{"saved"}) {
			t.Fatalf("delivered %v before the crash", got)
		}

		// A process that dies at once takes nothing back.
		begin(t, m, hub(t, hangs{}, p)).kill()

		second := newRecorder(nil)
		d = begin(t, m, hub(t, second, p))
		time.Sleep(time.Minute)
		got := second.ids()
		slices.Sort(got)
		if !slices.Equal(got, []string{"fails", "hangs"}) {
			t.Errorf("delivered %v after the crash, want what was owed, each once", got)
		}
		closeNow(t, d.Dispatcher)
	})
}

// selective never answers for one event.
type selective struct {
	*recorder
	hang string
}

func (s *selective) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	if batch[0].Event.ID == s.hang {
		return hangs{}.Send(ctx, batch)
	}
	return s.recorder.Send(ctx, batch)
}
