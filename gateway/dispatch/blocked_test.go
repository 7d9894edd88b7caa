package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
)

// TestGiveUpHead: the head of a blocked key becomes a dead letter by hand, the
// others of the key go on in their order, and a redrive brings the letter back.
func TestGiveUpHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var poisoned atomic.Bool
		poisoned.Store(true)
		sink := newRecorder(func(d delivery.Delivery) delivery.Outcome {
			if poisoned.Load() && d.Event.ID == "0" {
				return delivery.Transient(errors.New("busy"))
			}
			return delivery.Delivered()
		})
		p := policy()
		p.InitialBackoff, p.MaxBackoff = time.Hour, time.Hour
		d := open(t, m, hub(t, sink, p))
		if keys, n, ok := d.Blocked("hub", 10); len(keys) != 0 || n != 0 || !ok {
			t.Errorf("Blocked = %v, %d, %v before anything failed", keys, n, ok)
		}
		m.append(twin("0", "a"), twin("1", "b"), twin("2", "a"), twin("3", "a"))
		time.Sleep(time.Second)
		keys, n, ok := d.Blocked("hub", 10)
		if len(keys) != 1 || n != 1 || !ok {
			t.Fatalf("Blocked = %+v, %d, %v, want one key", keys, n, ok)
		}
		head := keys[0]
		if head.Position != (event.Position{Seq: 1}) || head.First.Route != "r" || head.UnderWay || head.First.Waits || head.Behind != 2 ||
			head.First.Kept == (delivery.Ref{}) || time.Until(head.First.Due) < 30*time.Minute {
			t.Errorf("Blocked = %+v", head)
		}
		if keys, n, _ := d.Blocked("hub", 0); len(keys) != 0 || n != 1 {
			t.Errorf("Blocked = %v, %d with the limit 0", keys, n)
		}
		for what, err := range map[string]error{
			"one behind it":       d.GiveUp("hub", "r", event.Position{Seq: 1, Index: 2}, 0, "why"),
			"one that was taken":  d.GiveUp("hub", "r", event.Position{Seq: 1, Index: 1}, 0, "why"),
			"another output":      d.GiveUp("hub", "r", head.Position, 1, "why"),
			"that of a route":     d.GiveUp("hub", "s", head.Position, 0, "why"),
			"that of an endpoint": d.GiveUp("desk", "r", head.Position, 0, "why"),
		} {
			if !errors.Is(err, dispatch.ErrNotBlocking) {
				t.Errorf("GiveUp of %s: %v, want ErrNotBlocking", what, err)
			}
		}
		if err := d.GiveUp("hub", "r", head.Position, 0, "given up by hand"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := sink.ids("a"); !slices.Equal(got, []string{"2", "3"}) {
			t.Errorf("key a: %v, want the others in their order", got)
		}
		if err := d.GiveUp("hub", "r", head.Position, 0, "why"); !errors.Is(err, dispatch.ErrNotBlocking) {
			t.Errorf("GiveUp once more: %v, want ErrNotBlocking", err)
		}
		refs := m.letters.refs()
		if len(refs) != 1 {
			t.Fatalf("%d dead letters, want one", len(refs))
		}
		if letter := m.letters.at(refs[0]); letter.Reason != "given up by hand" || letter.Delivery.Event.ID != "0" || letter.Delivery.Attempts != 1 || len(letter.Delivery.History) != 1 {
			t.Errorf("letter = %+v", letter)
		}
		poisoned.Store(false)
		if done, err := d.Redrive(t.Context(), refs); err != nil || done.Started != 1 {
			t.Fatalf("Redrive = %+v, %v", done, err)
		}
		time.Sleep(time.Second)
		closeNow(t, d)
		requireOnce(t, sink, 4)
		sink.check(t)
		if len(m.letters.refs())+len(m.retries.refs()) != 0 {
			t.Errorf("%d letters and %d retries are left", len(m.letters.refs()), len(m.retries.refs()))
		}
	})
}

// TestGiveUpWhileNothingIsSent: also the head of an endpoint that is paused, or
// refuses everything, is given up at once.
func TestGiveUpWhileNothingIsSent(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		t.Run(fmt.Sprint("refuses=", refuses), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
					if refuses {
						return delivery.Refused(errors.New("401"))
					}
					return delivery.Transient(errors.New("busy"))
				})
				p := policy()
				p.InitialBackoff, p.MaxBackoff = time.Hour, time.Hour
				d := open(t, m, hub(t, sink, p))
				m.append(twin("0", "a"), twin("1", "a"))
				time.Sleep(time.Second)
				if !refuses {
					swap(t, d, held(t, sink, p))
				}
				before := sink.tried()
				if err := d.GiveUp("hub", "r", event.Position{Seq: 1}, 0, "why"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if n := len(m.letters.refs()); n != 1 || sink.tried() != before {
					t.Errorf("%d dead letters and %d tries, want one and none", n, sink.tried()-before)
				}
				if keys, _, _ := d.Blocked("hub", 10); len(keys) != 1 || keys[0].Position.Index != 1 {
					t.Errorf("Blocked = %+v, want the next of the key", keys)
				}
				closeNow(t, d)
				sink.check(t)
			})
		})
	}
}

// TestGiveUpUnderWay: what is being tried at this moment may yet be delivered.
func TestGiveUpUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		tries := 0
		sink := &slowSink{took: 20 * time.Second, outcome: func() delivery.Outcome {
			if tries++; tries == 1 {
				return delivery.Transient(errors.New("busy"))
			}
			return delivery.Delivered()
		}}
		d := open(t, m, hub(t, sink, policy()))
		m.append(twin("0", "a"))
		time.Sleep(25 * time.Second) // it is in its second try
		if keys, _, _ := d.Blocked("hub", 10); len(keys) != 1 || !keys[0].UnderWay {
			t.Errorf("Blocked = %+v, want it under way", keys)
		}
		if err := d.GiveUp("hub", "r", event.Position{Seq: 1}, 0, "why"); !errors.Is(err, dispatch.ErrUnderWay) {
			t.Errorf("GiveUp: %v, want ErrUnderWay", err)
		}
		time.Sleep(time.Minute)
		if _, n, _ := d.Blocked("hub", 10); n != 0 || len(m.letters.refs()) != 0 {
			t.Errorf("%d keys are blocked, %d letters", n, len(m.letters.refs()))
		}
		closeNow(t, d)
	})
}

// slowSink takes its time for each call.
type slowSink struct {
	took    time.Duration
	outcome func() delivery.Outcome
}

func (s *slowSink) Send(_ context.Context, batch []delivery.Delivery) []delivery.Outcome {
	time.Sleep(s.took)
	out := make([]delivery.Outcome, len(batch))
	for i := range out {
		out[i] = s.outcome()
	}
	return out
}

func (s *slowSink) Capacity() delivery.Capacity { return delivery.Capacity{Lanes: 1, Batch: 1} }
func (s *slowSink) Close() error                { return nil }

// TestRetryNow: what rests is tried at once, in its order, whether single
// deliveries failed or the endpoint refuses everything.
func TestRetryNow(t *testing.T) {
	for name, failure := range map[string]delivery.Outcome{"transient": delivery.Transient(errors.New("busy")), "refused": delivery.Refused(errors.New("401"))} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				var fails atomic.Bool
				fails.Store(true)
				sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
					if fails.Load() {
						return failure
					}
					return delivery.Delivered()
				})
				p := policy()
				p.InitialBackoff, p.MaxBackoff = time.Hour, time.Hour
				d := open(t, m, hub(t, sink, p))
				for i := range 10 {
					m.append(twin(fmt.Sprint(2*i), "a"), twin(fmt.Sprint(2*i+1), "b"))
				}
				time.Sleep(time.Second)
				fails.Store(false)
				time.Sleep(time.Minute)
				if n := len(sink.deliveries()); n != 0 {
					t.Fatalf("%d deliveries before the hour is over", n)
				}
				if !d.Retry("hub") || d.Retry("desk") {
					t.Error("Retry knows other endpoints than there are")
				}
				time.Sleep(time.Second)
				closeNow(t, d)
				requireOnce(t, sink, 20)
				requireOrder(t, sink)
				sink.check(t)
			})
		})
	}
}
