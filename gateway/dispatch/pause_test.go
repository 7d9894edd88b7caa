package dispatch_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/route"
)

// held is hub with the endpoint paused.
func held(t *testing.T, sink dispatch.Sink, p delivery.Policy) dispatch.Plan {
	return plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: p, Paused: true, Sink: sink})
}

// TestPausedByAPerson: what comes and what failed waits, also over a restart and
// longer than a delivery may take, and goes in its order when the endpoint is
// resumed. No letter is redriven meanwhile.
func TestPausedByAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var broken, refuse atomic.Bool
		refuse.Store(true)
		answer := func(d delivery.Delivery) delivery.Outcome {
			switch {
			case d.Event.ID == "0" && refuse.Load():
				return delivery.Permanent(errors.New("422"))
			case broken.Load():
				return delivery.Transient(errors.New("busy"))
			}
			return delivery.Delivered()
		}
		sink, p := newRecorder(answer), policy()
		p.MaxAge = time.Hour
		d := open(t, m, hub(t, sink, p))
		m.append(twin("0", "dead")) // a letter, to be redriven
		time.Sleep(time.Second)
		broken.Store(true)
		m.append(twin("1", "k"), twin("2", "k")) // retries
		time.Sleep(time.Second)
		broken.Store(false)
		refuse.Store(false)

		swap(t, d, held(t, sink, p))
		synctest.Wait()
		before := sink.tried()
		if done, err := d.Redrive(t.Context(), m.letters.refs()); err != nil || len(done.Refused) != 1 {
			t.Fatalf("Redrive = %+v, %v, want a refusal", done, err)
		}
		for i := range 60 { // more than wait in memory
			var batch []event.Event
			for k := range 100 {
				batch = append(batch, twin(fmt.Sprint(3+100*i+k), []string{"k", "l"}[k%2]))
			}
			m.append(batch...)
		}
		time.Sleep(3 * time.Hour)
		s := d.Status()[0]
		if s.State != dispatch.Paused || s.Behind == 0 || s.Retrying == 0 {
			t.Errorf("status = %+v, want it paused, with retries and a backlog", s)
		}
		closeNow(t, d) // and is not waited for
		tries := sink.tried()
		sink = newRecorder(answer)
		d = open(t, m, held(t, sink, p))
		time.Sleep(3 * time.Hour)
		if n := sink.tried() + tries - before; n != 0 {
			t.Fatalf("%d deliveries were tried while it was paused", n)
		}
		if n := len(m.letters.refs()); n != 1 {
			t.Fatalf("%d dead letters while it was paused, want the one from before", n)
		}

		swap(t, d, hub(t, sink, p))
		if done, err := d.Redrive(t.Context(), m.letters.refs()); err != nil || done.Started != 1 {
			t.Fatalf("Redrive = %+v, %v", done, err)
		}
		time.Sleep(time.Minute)
		if s := d.Status()[0]; s.State != dispatch.Healthy || s.Behind != 0 || s.Retrying != 0 {
			t.Errorf("status = %+v after it was resumed", s)
		}
		closeNow(t, d)
		requireOnce(t, sink, 6003)
		requireOrder(t, sink)
		sink.check(t)
		if n := len(m.letters.refs()); n != 0 {
			t.Errorf("%d dead letters are left", n)
		}
	})
}

// TestPausedWhileFailing: the pause of a person is the one that is shown, and the
// failures are not forgotten.
func TestPausedWhileFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome { return delivery.Refused(errors.New("401")) })
		d := open(t, m, hub(t, sink, policy()))
		m.append(twin("0", "k"))
		time.Sleep(time.Second)
		swap(t, d, held(t, sink, policy()))
		synctest.Wait()
		before := sink.tried()
		time.Sleep(48 * time.Hour) // more than the default age
		if s := d.Status()[0]; s.State != dispatch.Paused || s.Reason != "401" || s.Since.IsZero() || !s.RetryAt.IsZero() {
			t.Errorf("status = %+v, want it paused, with the reason of the failures and no next try", s)
		}
		if sink.tried() != before || len(m.letters.refs()) != 0 {
			t.Errorf("%d tries and %d dead letters while it was paused", sink.tried()-before, len(m.letters.refs()))
		}
		swap(t, d, hub(t, sink, policy()))
		synctest.Wait()
		if s := d.Status()[0]; s.State != dispatch.Failing {
			t.Errorf("status = %+v after it was resumed, want it failing again", s)
		}
		closeNow(t, d)
	})
}

// TestPausedEndpointIsDeleted: what it is owed becomes dead letters.
func TestPausedEndpointIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := newMemory(), newRecorder(nil)
		d := open(t, m, held(t, sink, policy()))
		for i := range 10 {
			m.append(twin(fmt.Sprint(i), "k"))
		}
		synctest.Wait()
		swap(t, d, plan(t, nil))
		if err := d.Buried(t.Context(), "hub"); err != nil {
			t.Fatal(err)
		}
		closeNow(t, d)
		if n := len(m.letters.refs()); n != 10 || sink.tried() != 0 {
			t.Errorf("%d dead letters and %d tries, want 10 and none", n, sink.tried())
		}
	})
}
