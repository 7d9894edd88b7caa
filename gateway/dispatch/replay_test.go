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
	"github.com/headgate/headgate/gateway/event"
)

func replayFrom(t *testing.T, d interface {
	Replay(context.Context, string, event.Position) error
}, from event.Position,
) {
	t.Helper()
	if err := d.Replay(t.Context(), "hub", from); err != nil {
		t.Fatal(err)
	}
}

func TestReplayDeliversOnceMoreFromThePositionOn(t *testing.T) {
	tests := []struct {
		from event.Position
		want string
	}{
		{event.Position{}, "a0 b0 a1 b1 a2 b2"},
		{event.Position{Seq: 1}, "a0 b0 a1 b1 a2 b2"},
		{event.Position{Seq: 1, Index: 1}, "b0 a1 b1 a2 b2"},
		{event.Position{Seq: 3}, "a2 b2"},
		{event.Position{Seq: 3, Index: 9}, ""},
		{event.Position{Seq: 4}, ""},
		{event.Position{Seq: 99}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.from.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, sink := newMemory(), newRecorder(nil)
				sink.capacity.Lanes = 1
				d := open(t, m, hub(t, sink, policy()))
				for i := range 3 {
					m.append(twin(fmt.Sprint("a", i), "k"), twin(fmt.Sprint("b", i), "k"))
				}
				synctest.Wait()
				before := len(sink.ids())
				replayFrom(t, d, tt.from)
				synctest.Wait()
				m.append(twin("new", "k"))
				synctest.Wait()
				closeNow(t, d)
				want := strings.Fields(tt.want + " new")
				if got := sink.ids()[before:]; !slices.Equal(got, want) {
					t.Errorf("delivered %v after the replay, want %v", got, want)
				}
				if m.low() != 5 {
					t.Errorf("the position is %d, want 5", m.low())
				}
			})
		})
	}
}

func TestReplayOutlivesACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		d := begin(t, m, hub(t, newRecorder(nil), policy()))
		m.append(twin("1", "k"))
		m.append(twin("2", "k"))
		time.Sleep(3 * time.Second) // the position is saved
		if err := d.Swap(t.Context(), hub(t, hangs{}, policy())); err != nil {
			t.Fatal(err)
		}
		replayFrom(t, d, event.Position{Seq: 2})
		d.kill()
		sink := newRecorder(nil)
		d = begin(t, m, hub(t, sink, policy()))
		synctest.Wait()
		closeNow(t, d.Dispatcher)
		if got := sink.ids(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("delivered %v after the crash, want the replay of 2", got)
		}
	})
}

// TestReplayOfAnEndpointThatFails holds a replay to it that what lies among the
// retries comes once, what waits in memory comes once, and what is under way is
// not settled by the outcome of an earlier epoch.
func TestReplayOfAnEndpointThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var well atomic.Bool
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
			if well.Load() {
				return delivery.Delivered()
			}
			return delivery.Transient(errors.New("503"))
		})
		p := policy()
		p.MaxBackoff = time.Minute
		d := open(t, m, hub(t, sink, p))
		for i := range 100 {
			m.append(twin(fmt.Sprint(i), fmt.Sprint("k", i%7)))
		}
		synctest.Wait()
		for range 3 {
			replayFrom(t, d, event.Position{Seq: 20})
			time.Sleep(time.Second)
		}
		well.Store(true)
		time.Sleep(time.Hour)
		closeNow(t, d)
		requireOnce(t, sink, 100)
		requireOrder(t, sink)
		if n := len(m.retries.refs()); n != 0 || m.low() != 101 {
			t.Errorf("%d retries are left, the position is %d; want none and 101", n, m.low())
		}
	})
}

func TestReplayWhileASendIsUnderWay(t *testing.T) {
	for name, first := range map[string]delivery.Outcome{
		"delivered": delivery.Delivered(),
		"transient": delivery.Transient(errors.New("503")),
		"permanent": delivery.Permanent(errors.New("422")),
		"held":      delivery.NotTried(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				var calls atomic.Int32
				sink := newRecorder(func(delivery.Delivery) delivery.Outcome {
					if calls.Add(1) == 1 {
						return first
					}
					return delivery.Delivered()
				})
				sink.capacity = delivery.Capacity{Lanes: 1, Batch: 1}
				sink.took = func() { time.Sleep(time.Second) }
				d := open(t, m, hub(t, sink, policy()))
				m.append(twin("1", "k"))
				synctest.Wait()
				replayFrom(t, d, event.Position{Seq: 1})
				time.Sleep(time.Minute)
				closeNow(t, d)
				if n := calls.Load(); n != 2 || m.low() != 2 || len(m.letters.refs()) != 0 {
					t.Errorf("%d sends, position %d, %d letters; want 2, 2 and none", n, m.low(), len(m.letters.refs()))
				}
			})
		})
	}
}

func TestReplayThatIsNotSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		d := begin(t, m, hub(t, newRecorder(nil), policy()))
		defer d.kill()
		if err := d.Replay(t.Context(), "none", event.Position{Seq: 1}); err == nil {
			t.Error("an endpoint that does not exist is replayed")
		}
		d.v.dead.Store(true)
		if err := d.Replay(t.Context(), "hub", event.Position{Seq: 1}); !errors.Is(err, errDead) {
			t.Errorf("Replay = %v, want why it is not on disk", err)
		}
	})
}
