package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

var errBusy = errors.New("busy")

// hub is an endpoint of that name with one route to it.
func hub(t *testing.T, sink dispatch.Sink, p delivery.Policy, stages ...pipeline.Stage) dispatch.Plan {
	return plan(t, []route.Rule{rule("r", 0, stages...)}, dispatch.Endpoint{Name: "hub", Policy: p, Sink: sink})
}

func TestPauseBeginsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var refuse atomic.Bool
		refuse.Store(true)
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
			if refuse.Load() {
				return delivery.Refused(errors.New("401"))
			}
			return delivery.Delivered()
		})
		sink.capacity = delivery.Capacity{Lanes: 32, Batch: 1}
		sink.took = func() { time.Sleep(time.Millisecond) }
		d := open(t, m, hub(t, sink, policy()))
		for i := range 64 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i)))
		}
		time.Sleep(10 * time.Millisecond)
		refuse.Store(false)
		time.Sleep(2 * time.Second)
		if n := len(sink.ids()); n != 64 {
			t.Errorf("%d of 64 delivered 2 s after 32 lanes were refused at once: the pause began too long", n)
		}
		closeNow(t, d)
	})
}

func TestOverloadedEndpointIsNotStormed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		tries := 0
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
			if tries++; tries%40 == 0 { // it takes one in 40
				return delivery.Delivered()
			}
			return delivery.Transient(errors.New("429"))
		})
		d := open(t, m, hub(t, sink, policy()))
		for i := range 2000 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i)))
		}
		time.Sleep(20 * time.Second)
		if n := sink.tried(); n > 2000*7 {
			t.Errorf("%d tries of 2000 deliveries in 20 s: each success makes all others try again", n)
		}
		closeNow(t, d)
	})
}

func TestOneBadKeyLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sink := newRecorder(func(d delivery.Delivery) delivery.Outcome {
			if d.Key == "bad" {
				return delivery.Transient(errBusy)
			}
			return delivery.Delivered()
		})
		sink.took = func() { time.Sleep(time.Millisecond) }
		d := open(t, m, hub(t, sink, policy()))
		for i := range 6000 {
			m.append(twin(fmt.Sprint("bad", i), "bad"))
		}
		time.Sleep(time.Minute)
		for i := range 20_000 { // more than the queue holds
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i%50)))
		}
		time.Sleep(time.Hour)
		if n := len(sink.ids()); n != 20_000 {
			t.Errorf("%d of 20000 delivered beside a key that fails: %+v", n, d.Status())
		}
		closeNow(t, d)
	})
}

func TestRetriesDoNotStarveFirstAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var delivered atomic.Int32
		sink := oneByOne(func(d delivery.Delivery) delivery.Outcome {
			if strings.HasPrefix(d.Key, "bad") {
				time.Sleep(time.Second)
				return delivery.Transient(errBusy)
			}
			delivered.Add(1)
			return delivery.Delivered()
		})
		p := policy()
		p.MaxBackoff = 2 * time.Second
		d := open(t, m, hub(t, sink, p))
		for i := range 100 {
			m.append(twin(fmt.Sprint("bad", i), fmt.Sprint("bad", i)))
		}
		time.Sleep(10 * time.Minute)
		for i := range 50 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i)))
		}
		time.Sleep(2 * time.Minute)
		if n := delivered.Load(); n != 50 {
			t.Errorf("%d of 50 delivered beside 100 slow retries", n)
		}
		closeNow(t, d)
	})
}

// oneByOne is a sink that answers one delivery at a time.
type oneByOne func(delivery.Delivery) delivery.Outcome

func (s oneByOne) Capacity() delivery.Capacity { return delivery.Capacity{} }
func (s oneByOne) Close() error                { return nil }
func (s oneByOne) Send(_ context.Context, batch []delivery.Delivery) []delivery.Outcome {
	return []delivery.Outcome{s(batch[0])}
}

func TestJournalIsPurgedWhenNobodyOwesAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := newMemory(), newRecorder(nil)
		d := open(t, m, hub(t, sink, policy()))
		m.append(twin("1", "k"))
		time.Sleep(time.Second)
		if err := d.Swap(t.Context(), plan(t, nil)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			m.append(twin("2", "k"))
			time.Sleep(time.Second)
			if n, at := m.saved(); n != 0 || at != m.Last() {
				t.Errorf("%d positions were saved last, at chunk %d of %d: what nobody owes is never purged", n, at, m.Last())
			}
		}
		closeNow(t, d)
	})
}

func TestEstateOutlivesATroubledDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sink := newRecorder(nil)
		sink.took = func() { time.Sleep(time.Hour) }
		sink.capacity = delivery.Capacity{Lanes: 1, Batch: 1}
		d := open(t, m, hub(t, sink, policy()))
		for i := range 20 {
			m.append(twin(fmt.Sprint(i), "k"))
		}
		synctest.Wait()
		m.letters.setFail(errors.New("no space"))
		sink.took = nil
		if err := d.Swap(t.Context(), plan(t, nil)); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(2 * time.Hour)
			m.letters.setFail(nil)
		}()
		soon, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := d.Buried(soon, "hub"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Buried on a disk that fails = %v, want the end of its context", err)
		}
		closeNow(t, d) // waits for it
		if err := d.Buried(t.Context(), "hub"); err != nil {
			t.Errorf("Buried at the end = %v", err)
		}
		if n := len(m.letters.refs()) + len(sink.ids()); n != 20 {
			t.Errorf("%d of 20 deliveries of a deleted endpoint were delivered or are among the dead letters", n)
		}
	})
}

func TestEndpointMadeAnewWaitsForItsPredecessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var under atomic.Int32
		var together atomic.Bool
		busy := func() {
			if under.Add(1) > 1 {
				together.Store(true)
			}
			time.Sleep(time.Second)
			under.Add(-1)
		}
		one, two := newRecorder(nil), newRecorder(nil)
		one.took, two.took = busy, busy
		one.capacity, two.capacity = delivery.Capacity{Lanes: 1, Batch: 1}, delivery.Capacity{Lanes: 1, Batch: 1}
		d := open(t, m, hub(t, one, policy()))
		m.append(twin("1", "k"))
		synctest.Wait()
		for _, p := range []dispatch.Plan{plan(t, nil), hub(t, two, policy())} {
			if err := d.Swap(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		m.append(twin("2", "k"))
		time.Sleep(5 * time.Second)
		if together.Load() {
			t.Error("the endpoint that was deleted and the one of its name sent one key at once")
		}
		if got := two.ids(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("the new endpoint got %v", got)
		}
		closeNow(t, d)
	})
}

func TestShutdownIsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		p := policy()
		p.MaxAttempts = 1
		d := open(t, m, hub(t, hangs{}, p))
		m.append(twin("1", "k"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d.Close(ctx)
		if n := len(m.letters.refs()); n != 0 {
			t.Errorf("%d dead letters of a send that the shutdown interrupted", n)
		}
		sink := newRecorder(nil)
		d = open(t, m, hub(t, sink, p))
		synctest.Wait()
		if got := sink.ids(); !slices.Equal(got, []string{"1"}) {
			t.Errorf("delivered %v after the restart", got)
		}
		closeNow(t, d)
	})
}

// hangs is a sink that never answers.
type hangs struct{}

func (hangs) Capacity() delivery.Capacity { return delivery.Capacity{} }
func (hangs) Close() error                { return nil }
func (hangs) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	<-ctx.Done()
	return slices.Repeat([]delivery.Outcome{delivery.Transient(context.Cause(ctx))}, len(batch))
}

func TestOldEventsAreTriedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sink := newRecorder(func(d delivery.Delivery) delivery.Outcome {
			if d.Event.ID == "0" {
				return delivery.Transient(errBusy)
			}
			return delivery.Delivered()
		})
		sink.capacity = delivery.Capacity{Lanes: 1, Batch: 1}
		// The gateway was off for longer than the age limit.
		m.setMarks(delivery.Mark{Endpoint: "hub", Low: 1})
		for i := range 100 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i)))
		}
		time.Sleep(25 * time.Hour)
		d := open(t, m, hub(t, sink, policy()))
		time.Sleep(time.Minute)
		if n := len(sink.ids()); n != 99 {
			t.Errorf("%d of 99 delivered: one failure made letters of what was never tried", n)
		}
		closeNow(t, d)
	})
}

func TestUnreadableRetryIsSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var fail atomic.Bool
		fail.Store(true)
		answer := func(delivery.Delivery) delivery.Outcome {
			if fail.Load() {
				return delivery.Transient(errBusy)
			}
			return delivery.Delivered()
		}
		sink := newRecorder(answer)
		d := open(t, m, hub(t, sink, policy()))
		m.append(twin("1", "k"), twin("2", "k"))
		synctest.Wait()
		m.retries.damage(m.retries.refs()[0])
		fail.Store(false)
		time.Sleep(time.Minute)
		if got := sink.ids(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("delivered %v beside a retry that cannot be read, want 2", got)
		}
		closeNow(t, d)
		sink = newRecorder(nil)
		d = open(t, m, hub(t, sink, policy())) // it does not refuse to start
		m.append(twin("3", "k"))
		synctest.Wait()
		if got := sink.ids(); !slices.Equal(got, []string{"3"}) {
			t.Errorf("delivered %v after a restart, want 3", got)
		}
		closeNow(t, d)
	})
}

func TestSlowRouteHoldsUpItsEndpointAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, fast, slow := newMemory(), newRecorder(nil), newRecorder(nil)
		var lazy atomic.Bool
		lazy.Store(true)
		drag := stage(func(item pipeline.Item) pipeline.Item {
			if lazy.Load() {
				time.Sleep(50 * time.Millisecond)
			}
			return item
		})
		d := open(t, m, plan(t, []route.Rule{rule("f", 0), rule("s", 1, drag)},
			dispatch.Endpoint{Name: "fast", Policy: policy(), Sink: fast},
			dispatch.Endpoint{Name: "slow", Policy: policy(), Sink: slow}))
		for i := range 1000 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i%10)))
		}
		time.Sleep(time.Second)
		if n := len(fast.ids()); n != 1000 {
			t.Errorf("%d of 1000 delivered to an endpoint whose route is fast", n)
		}
		time.Sleep(time.Minute)
		requireOnce(t, slow, 1000)
		requireOrder(t, slow)
		lazy.Store(false)
		for i := range 50 {
			m.append(twin(fmt.Sprint(1000+i), fmt.Sprint("k", i%10)))
			time.Sleep(time.Millisecond)
		}
		if n := len(slow.ids()); n != 1050 {
			t.Errorf("%d of 1050 delivered once the route is fast again", n)
		}
		closeNow(t, d)
	})
}

func TestManyOutputsOfOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := newMemory(), newRecorder(nil)
		const outputs = 1<<16 + 1
		d := open(t, m, hub(t, sink, policy(), times(outputs)))
		m.append(twin("1", "k"))
		time.Sleep(time.Second)
		if n := len(sink.ids()); n != outputs {
			t.Errorf("%d of %d outputs delivered", n, outputs)
		}
		closeNow(t, d)
		if low := m.low(); low != 2 {
			t.Errorf("mark = %d, want 2", low)
		}
	})
}

// times is a stage that makes n outputs of each event.
type times int

func (n times) Run(_ context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	for _, item := range in {
		out = append(out, slices.Repeat([]pipeline.Item{item}, int(n))...)
	}
	return out, nil
}
