package dispatch_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

func TestSwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, one, two := newMemory(), newRecorder(nil), newRecorder(nil)
		one.took = func() { time.Sleep(5 * time.Millisecond) }
		two.capacity.Lanes = 7
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: one}))
		for i := range 200 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i%9)))
		}
		time.Sleep(20 * time.Millisecond)
		added := newRecorder(nil)
		if err := d.Swap(t.Context(), plan(t, []route.Rule{rule("r", 0), rule("a", 1)},
			dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: two},
			dispatch.Endpoint{Name: "added", Policy: policy(), Sink: added})); err != nil {
			t.Fatal(err)
		}
		before := len(one.ids())
		for i := range 100 {
			m.append(twin(fmt.Sprint(200+i), fmt.Sprint("k", i%9)))
		}
		time.Sleep(time.Minute)
		if got := added.ids(); len(got) != 100 || slices.Min(got) != "200" {
			t.Errorf("the new endpoint got %d events from %s on, want the 100 that came after the swap", len(got), slices.Min(got))
		}
		both := newRecorder(nil)
		both.sent = append(one.deliveries(), two.deliveries()...)
		requireOnce(t, both, 300)
		requireOrder(t, both)
		if n := len(one.ids()); n > before+one.capacity.Lanes*one.capacity.Batch {
			t.Errorf("the old sink took %d events after the swap", n-before)
		}
		if !one.isClosed() {
			t.Error("the old sink is open")
		}
		closeNow(t, d)
		one.check(t)
		two.check(t)
	})
}

func TestDeletedEndpointLeavesDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome { return delivery.Transient(errors.New("busy")) })
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		for i := range 20 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i%3)))
		}
		synctest.Wait()
		if err := d.Swap(t.Context(), plan(t, nil)); err != nil {
			t.Fatal(err)
		}
		if err := d.Buried(t.Context(), "hub"); err != nil {
			t.Error(err)
		}
		n := len(m.letters.refs()) // a crash from here on changes nothing
		closeNow(t, d)
		if n != 20 {
			t.Errorf("%d dead letters, want what was owed: 20", n)
		}
		if n := len(m.retries.refs()); n != 0 {
			t.Errorf("%d retries are left", n)
		}
	})
}

func TestRedrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var reject atomic.Bool
		reject.Store(true)
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
			if reject.Load() {
				return delivery.Permanent(errors.New("422"))
			}
			return delivery.Delivered()
		})
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		for i := range 5 {
			m.append(twin(fmt.Sprint(i), "k"))
		}
		synctest.Wait()
		done, err := d.Redrive(t.Context(), m.letters.refs())
		if err != nil || done.Started != 5 {
			t.Fatalf("Redrive = %+v, %v", done, err)
		}
		synctest.Wait()
		refs := m.letters.refs()
		if len(refs) != 5 {
			t.Fatalf("%d letters after a redrive that failed, want 5", len(refs))
		}
		if got := m.letters.at(refs[0]).Delivery.Attempts; got != 2 {
			t.Errorf("attempts = %d, want 2: those before are added", got)
		}
		reject.Store(false)
		if done, err = d.Redrive(t.Context(), refs); err != nil || done.Started != 5 {
			t.Fatalf("Redrive = %+v, %v", done, err)
		}
		synctest.Wait()
		if got := sink.ids(); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("redriven %v, want the order of the key", got)
		}
		if n := len(m.letters.refs()); n != 0 {
			t.Errorf("%d letters are left", n)
		}
		if _, had := sink.deliveries()[0].Event.Extension("idempotencykey"); !had {
			t.Error("a redriven event lacks its idempotencykey")
		}
		closeNow(t, d)
	})
}

func TestRedriveUsesTheTableInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := newMemory(), newRecorder(nil)
		broken := stage(func(item pipeline.Item) pipeline.Item {
			item.Err = errors.New("plugin tsi: trap")
			return item
		})
		d := open(t, m, plan(t, []route.Rule{rule("r", 0, broken)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		m.append(twin("1", "k"))
		synctest.Wait()
		refs := m.letters.refs()
		if len(refs) != 1 || !m.letters.at(refs[0]).Delivery.Unrendered {
			t.Fatalf("letters = %v, want one that was never rendered", refs)
		}
		if done, _ := d.Redrive(t.Context(), refs); done.Started != 0 || len(done.Refused) != 1 {
			t.Errorf("Redrive with the broken plugin = %+v, want a refusal", done)
		}
		fixed := stage(func(item pipeline.Item) pipeline.Item {
			e := *item.Event
			e.Data = []byte(`"shaped"`)
			item.Event = &e
			return item
		})
		if err := d.Swap(t.Context(), plan(t, []route.Rule{rule("r", 0, fixed)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink})); err != nil {
			t.Fatal(err)
		}
		if done, _ := d.Redrive(t.Context(), refs); done.Started != 1 {
			t.Errorf("Redrive = %+v", done)
		}
		synctest.Wait()
		if len(sink.ids()) != 1 || string(sink.deliveries()[0].Event.Data) != `"shaped"` {
			t.Errorf("sent %v", sink.deliveries())
		}
		closeNow(t, d)
	})
}
