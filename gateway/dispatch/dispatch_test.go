package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

func TestDeliversInOrderOfTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := newMemory(), newRecorder(nil)
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		var want []string
		for i := range 50 {
			a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
			m.append(twin(a, "a"), twin(b, "b"))
			want = append(want, a)
		}
		synctest.Wait()
		if got := sink.ids("a"); !slices.Equal(got, want) {
			t.Errorf("key a: %v, want %v", got, want)
		}
		closeNow(t, d)
		sink.check(t)
		if !sink.isClosed() {
			t.Error("sink is open after Close")
		}
	})
}

func TestRenderAddsItsAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := newMemory(), newRecorder(nil)
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		m.append(twin("1", "a"))
		synctest.Wait()
		closeNow(t, d)
		e := sink.deliveries()[0].Event
		if got, _ := e.Extension("producedby"); got != "0123456789abcdef" {
			t.Errorf("producedby = %q", got)
		}
		if got, _ := e.Extension("idempotencykey"); len(got) != 32 {
			t.Errorf("idempotencykey = %q, want 32 hex digits", got)
		}
	})
}

func TestFailedHeadBlocksItsKeyAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var down atomic.Bool
		down.Store(true)
		sink := newRecorder(func(d delivery.Delivery) delivery.Outcome {
			if down.Load() && d.Key == "a" {
				return delivery.Transient(errors.New("busy"))
			}
			return delivery.Delivered()
		})
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		for i := range 5 {
			m.append(twin(fmt.Sprint("a", i), "a"), twin(fmt.Sprint("b", i), "b"))
		}
		synctest.Wait()
		if got := sink.ids("b"); len(got) != 5 {
			t.Errorf("neighbour got %v, want 5 events", got)
		}
		if got := sink.ids("a"); len(got) != 0 {
			t.Errorf("blocked key got %v", got)
		}
		if s := d.Status()[0]; s.Retrying != 5 {
			t.Errorf("Retrying = %d, want 5", s.Retrying)
		}
		down.Store(false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := sink.ids("a"); !slices.Equal(got, []string{"a0", "a1", "a2", "a3", "a4"}) {
			t.Errorf("key a: %v, want its order", got)
		}
		m.append(twin("a5", "a"))
		synctest.Wait()
		if got := sink.ids("a"); got[len(got)-1] != "a5" {
			t.Errorf("key a is still blocked: %v", got)
		}
		closeNow(t, d)
		sink.check(t)
		if n := len(m.retries.refs()); n != 0 {
			t.Errorf("%d retries are left on disk", n)
		}
	})
}

func TestBackoffDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var at []time.Duration
		start := time.Now()
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
			at = append(at, time.Since(start))
			return delivery.Transient(errors.New("busy"))
		})
		p := policy()
		p.MaxAttempts = 4
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: p, Sink: sink}))
		m.append(twin("1", "a"))
		time.Sleep(time.Minute)
		closeNow(t, d)
		if len(at) != 4 {
			t.Fatalf("%d attempts, want 4", len(at))
		}
		for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if got := at[i+1] - at[i]; got > want || got < want*8/10 {
				t.Errorf("wait %d = %s, want within a fifth below %s", i+1, got, want)
			}
		}
		refs := m.letters.refs()
		if len(refs) != 1 {
			t.Fatalf("%d dead letters, want 1", len(refs))
		}
		letter := m.letters.at(refs[0])
		if letter.Delivery.Attempts != 4 || letter.Reason != "busy" || len(letter.Delivery.History) != 4 {
			t.Errorf("letter = %d attempts, reason %q, %d in history", letter.Delivery.Attempts, letter.Reason, len(letter.Delivery.History))
		}
		if n := len(m.retries.refs()); n != 0 {
			t.Errorf("%d retries are left on disk", n)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var at []time.Time
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
			if at = append(at, time.Now()); len(at) == 1 {
				return delivery.Transient(errors.New("429")).After(time.Minute)
			}
			return delivery.Delivered()
		})
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		m.append(twin("1", "a"))
		time.Sleep(2 * time.Minute)
		closeNow(t, d)
		if len(at) != 2 || at[1].Sub(at[0]) != time.Minute {
			t.Errorf("attempts at %v, want two, a minute apart", at)
		}
	})
}

func TestRejectedEventBecomesADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sink := newRecorder(func(d delivery.Delivery) delivery.Outcome {
			if d.Event.ID == "bad" {
				return delivery.Permanent(errors.New("400 bad request"))
			}
			return delivery.Delivered()
		})
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		m.append(twin("1", "a"), twin("bad", "a"), twin("2", "a"))
		synctest.Wait()
		closeNow(t, d)
		if got := sink.ids(); !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("delivered %v, want 1 and 2", got)
		}
		if n := len(m.letters.refs()); n != 1 {
			t.Errorf("%d dead letters, want 1", n)
		}
		if low := m.low(); low != 2 {
			t.Errorf("mark = %d, want 2: the letter settles its event", low)
		}
	})
}

func TestRefusalPausesTheEndpointAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var refuse atomic.Bool
		refuse.Store(true)
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
			if refuse.Load() {
				return delivery.Refused(errors.New("401 unauthorised"))
			}
			return delivery.Delivered()
		})
		p := policy()
		p.MaxAttempts = 2 // counts nothing that is the endpoint's fault
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: p, Sink: sink}))
		for i := range 6000 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i%100)))
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if s := d.Status()[0]; s.State != dispatch.Failing || !strings.Contains(s.Reason, "401") || s.RetryAt.IsZero() {
			t.Errorf("status = %+v, want failing with the reason and when it is asked again", s)
		}
		if n := sink.tried(); n > 150 {
			t.Errorf("%d tries in 3 hours, want the endpoint left alone", n)
		}
		refuse.Store(false)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := len(sink.ids()); n != 6000 {
			t.Errorf("delivered %d, want 6000", n)
		}
		closeNow(t, d)
		sink.check(t)
		requireOrder(t, sink)
		if n := len(m.letters.refs()); n != 0 {
			t.Errorf("%d dead letters, want none before the age limit", n)
		}
	})
}

func TestAgeLimitEndsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome { return delivery.Refused(errors.New("403")) })
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		for i := range 6000 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i%100)))
		}
		time.Sleep(25 * time.Hour)
		closeNow(t, d)
		if n := len(m.letters.refs()); n != 6000 {
			t.Errorf("%d dead letters after 25 hours, want all 6000", n)
		}
	})
}

// TestRejectionsAreTold: an endpoint that takes no event as it is is well, so
// its status says why by another field, also after it took another event, until
// it is configured anew.
func TestRejectionsAreTold(t *testing.T) {
	for _, reason := range []string{
		"the event is too large", "amqp:not-allowed: the queue requires sessions", `the partitionKey "a" is not the sessionId "b"`,
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				answer := func(d delivery.Delivery) delivery.Outcome {
					switch d.Key {
					case "bad":
						return delivery.Permanent(errors.New(reason))
					case "busy":
						return delivery.Transient(errBusy)
					}
					return delivery.Delivered()
				}
				d := open(t, m, hub(t, newRecorder(answer), policy()))
				var at time.Time
				for _, step := range []struct {
					key, reason string
					state       dispatch.State
				}{
					{"good", "", dispatch.Healthy},
					{"bad", "", dispatch.Healthy},
					{"good", "", dispatch.Healthy},
					{"busy", "busy", dispatch.Failing},
					{"good", "", dispatch.Healthy},
				} {
					if step.key == "bad" {
						at = time.Now()
					}
					m.append(twin(step.key, step.key))
					synctest.Wait()
					want := reason
					if at.IsZero() {
						want = ""
					}
					s := d.Status()[0]
					if s.State != step.state || s.Reason != step.reason || s.Rejection != want || !s.RejectedAt.Equal(at) {
						t.Errorf("after a %s event: %s %q, rejection %q at %v; want %s %q, %q at %v",
							step.key, s.State, s.Reason, s.Rejection, s.RejectedAt, step.state, step.reason, want, at)
					}
					time.Sleep(time.Millisecond)
				}
				if err := d.Swap(t.Context(), hub(t, newRecorder(nil), policy())); err != nil {
					t.Fatal(err)
				}
				if s := d.Status()[0]; s.Rejection != "" || !s.RejectedAt.IsZero() {
					t.Errorf("configured anew: rejection %q at %v, want none", s.Rejection, s.RejectedAt)
				}
				closeNow(t, d)
			})
		})
	}
}

func TestSlowEndpointIsDetachedAndCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, fast, slow := newMemory(), newRecorder(nil), newRecorder(nil)
		slow.took = func() { time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) }
		d := open(t, m, plan(t, []route.Rule{rule("f", 0), rule("s", 1)},
			dispatch.Endpoint{Name: "fast", Policy: policy(), Sink: fast},
			dispatch.Endpoint{Name: "slow", Policy: policy(), Sink: slow}))
		const events = 20_000
		for i := range events {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i%64)))
			if i%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		synctest.Wait()
		if n := len(fast.ids()); n != events {
			t.Errorf("fast endpoint got %d of %d events: it waits for the slow one", n, events)
		}
		for range 1000 {
			if len(slow.ids()) == events {
				break
			}
			time.Sleep(time.Second)
		}
		requireOnce(t, slow, events)
		requireOrder(t, slow)
		m.append(twin("last", "k"))
		time.Sleep(time.Second)
		if s := d.Status()[1]; s.State != dispatch.Healthy || s.Behind != 0 {
			t.Errorf("status = %+v, want healthy and caught up", s)
		}
		closeNow(t, d)
		fast.check(t)
		slow.check(t)
	})
}

func TestRestartGoesOnWhereItStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sinks := make([]*recorder, 0, 20)
		total := 0
		for round := range 20 {
			sink := newRecorder(func(d delivery.Delivery) delivery.Outcome {
				if rand.IntN(10) == 0 {
					return delivery.Transient(errors.New("busy"))
				}
				return delivery.Delivered()
			})
			sinks = append(sinks, sink)
			d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
			for range 50 {
				m.append(twin(fmt.Sprint(total), fmt.Sprint("k", total%7)), twin(fmt.Sprint(total+1), fmt.Sprint("k", (total+1)%7)))
				total += 2
			}
			if round == 19 {
				time.Sleep(time.Hour)
			}
			closeNow(t, d)
			sink.check(t)
		}
		all := newRecorder(nil)
		for _, s := range sinks {
			all.sent = append(all.sent, s.deliveries()...)
		}
		requireOnce(t, all, total)
		requireOrder(t, all)
	})
}

func TestRefusesToLoseWhatTheDiskDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.letters.setFail(errors.New("no space"))
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome { return delivery.Permanent(errors.New("400")) })
		d := open(t, m, plan(t, []route.Rule{rule("r", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
		m.append(twin("1", "a"))
		time.Sleep(time.Minute)
		if low := m.low(); low != 1 {
			t.Errorf("mark = %d while the letter is not on disk, want 1", low)
		}
		m.letters.setFail(nil)
		time.Sleep(5 * time.Second)
		closeNow(t, d)
		if n := len(m.letters.refs()); n != 1 {
			t.Errorf("%d dead letters, want 1", n)
		}
	})
}

// stage makes a pipeline stage of a function over one item.
type stage func(pipeline.Item) pipeline.Item

func (s stage) Run(_ context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	for _, item := range in {
		out = append(out, s(item))
	}
	return out, nil
}

// requireOnce fails unless s got the events 0 to n-1, each once.
func requireOnce(t *testing.T, s *recorder, n int) {
	t.Helper()
	count := map[string]int{}
	for _, id := range s.ids() {
		count[id]++
	}
	for i := range n {
		if c := count[fmt.Sprint(i)]; c != 1 {
			t.Fatalf("event %d was delivered %d times, want once", i, c)
		}
	}
}

// requireOrder fails unless the events of each key came in the journal's order.
func requireOrder(t *testing.T, s *recorder) {
	t.Helper()
	last := map[string]event.Position{}
	for _, d := range s.deliveries() {
		if prev, ok := last[d.Key]; ok && d.Position.Compare(prev) <= 0 {
			t.Fatalf("key %s: %s was delivered after %s", d.Key, d.Position, prev)
		}
		last[d.Key] = d.Position
	}
}
