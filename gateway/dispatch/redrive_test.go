package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
)

// buried is a journal with a dead letter for each of n events of one key.
func buried(t *testing.T, n int, stages ...pipeline.Stage) *memory {
	t.Helper()
	m := newMemory()
	sink := newRecorder(func(delivery.Delivery) delivery.Outcome { return delivery.Permanent(errors.New("422")) })
	d := open(t, m, hub(t, sink, policy(), stages...))
	for i := range n {
		m.append(twin(fmt.Sprint(i), "k"))
	}
	time.Sleep(time.Second)
	closeNow(t, d)
	return m
}

func TestRedriveKeepsTheOrderOfAnyNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := buried(t, 1000), newRecorder(nil)
		d := open(t, m, hub(t, sink, policy()))
		refs := m.letters.refs()
		slices.Reverse(refs)
		if done, err := d.Redrive(t.Context(), refs); err != nil || done.Started != 1000 {
			t.Fatalf("Redrive = %+v, %v", done, err)
		}
		time.Sleep(time.Second)
		requireOnce(t, sink, 1000)
		requireOrder(t, sink)
		closeNow(t, d)
		if n := len(m.letters.refs()); n != 0 {
			t.Errorf("%d letters are left", n)
		}
	})
}

// secondFails is a stage that fails the second of the items that it gets, as
// long as it is broken. It keeps no count of its own: live reading and
// catching up may both evaluate the event.
type secondFails struct{ broken *atomic.Bool }

func (s secondFails) Run(_ context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	for i, item := range in {
		if i == 1 && s.broken.Load() {
			item.Err = errors.New("trap")
		}
		out = append(out, item)
	}
	return out, nil
}

func TestRedriveOfOneOutputLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sink := newRecorder(nil)
		var broken atomic.Bool
		broken.Store(true)
		d := open(t, m, hub(t, sink, policy(), times(2), secondFails{&broken}))
		m.append(twin("1", "k"))
		synctest.Wait()
		broken.Store(false)
		if done, err := d.Redrive(t.Context(), m.letters.refs()); err != nil || done.Started != 1 {
			t.Fatalf("Redrive = %+v, %v", done, err)
		}
		synctest.Wait()
		closeNow(t, d)
		var outputs []int
		for _, got := range sink.deliveries() {
			outputs = append(outputs, got.Output)
		}
		if !slices.Equal(outputs, []int{0, 1}) || len(m.letters.refs()) != 0 {
			t.Errorf("outputs %v were delivered, %d letters are left; want 0 and 1, and none", outputs, len(m.letters.refs()))
		}
	})
}

func TestRedriveIsNotMadeTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := buried(t, 1), newRecorder(nil)
		d := open(t, m, hub(t, sink, policy()))
		m.letters.setFail(errors.New("no space")) // the removal does not come to disk
		refs := m.letters.refs()
		for try := range 3 {
			done, err := d.Redrive(t.Context(), refs)
			if err != nil || done.Started != max(1-try, 0) {
				t.Errorf("Redrive %d = %+v, %v", try, done, err)
			}
			time.Sleep(5 * time.Second)
		}
		m.letters.setFail(nil)
		time.Sleep(5 * time.Second)
		closeNow(t, d)
		if len(sink.ids()) != 1 || len(m.letters.refs()) != 0 {
			t.Errorf("delivered %d times, %d letters are left", len(sink.ids()), len(m.letters.refs()))
		}
	})
}

func TestRedriveWaitsForRoomAndTakesTheTableOfThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := buried(t, 1), newRecorder(nil)
		var open4096 atomic.Bool
		sink.took = func() {
			for !open4096.Load() {
				time.Sleep(time.Second)
			}
		}
		d := open(t, m, hub(t, sink, policy()))
		for i := range 5000 {
			m.append(twin(fmt.Sprint("new", i), fmt.Sprint("k", i)))
		}
		time.Sleep(time.Second)
		done := make(chan error, 1)
		go func() {
			_, err := d.Redrive(t.Context(), m.letters.refs())
			done <- err
		}()
		time.Sleep(time.Second)
		shaped := setting(func(_ *event.Event, p *delivery.Properties) { p.MessageID = "of then" })
		if err := d.Swap(t.Context(), hub(t, sink, policy(), shaped)); err != nil {
			t.Fatal(err)
		}
		open4096.Store(true)
		if err := <-done; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		closeNow(t, d)
		i := slices.IndexFunc(sink.deliveries(), func(d delivery.Delivery) bool { return !strings.HasPrefix(d.Event.ID, "new") })
		if i < 0 || sink.deliveries()[i].Properties.MessageID != "of then" {
			t.Errorf("the letter was not driven under the table in force when there was room")
		}
	})
}

func TestRedriveIsRemovedWithItsEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := buried(t, 1), newRecorder(nil)
		d := open(t, m, hub(t, sink, policy()))
		m.letters.setFail(errors.New("no space"))
		d.Redrive(t.Context(), m.letters.refs())
		synctest.Wait()
		if err := d.Swap(t.Context(), plan(t, nil)); err != nil {
			t.Fatal(err)
		}
		m.letters.setFail(nil)
		closeNow(t, d)
		if n := len(m.letters.refs()); n != 0 {
			t.Errorf("%d letters are left of a redrive that was delivered", n)
		}
	})
}

// progress keeps what it is told.
type progress struct {
	mu                                  sync.Mutex
	started, delivered, failed, refused int
}

func (p *progress) Started(delivery.Ref)        { p.change(func() { p.started++ }) }
func (p *progress) Refused(delivery.Ref, error) { p.change(func() { p.refused++ }) }
func (p *progress) Done(_ delivery.Ref, delivered bool) {
	p.change(func() {
		if delivered {
			p.delivered++
		} else {
			p.failed++
		}
	})
}

func (p *progress) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

func (p *progress) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%d started, %d delivered, %d failed, %d refused", p.started, p.delivered, p.failed, p.refused)
}

func TestRedriveTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := buried(t, 10)
		sink := newRecorder(func(d delivery.Delivery) delivery.Outcome {
			switch {
			case d.Event.ID == "3":
				return delivery.Permanent(errors.New("422"))
			case d.Event.ID == "4" && d.Attempts == 0:
				return delivery.Transient(errors.New("busy")) // and delivered later
			}
			return delivery.Delivered()
		})
		d := open(t, m, hub(t, sink, policy(), stage(func(item pipeline.Item) pipeline.Item {
			if item.Event.ID == "5" {
				item.Err = errors.New("trap")
			}
			return item
		})))
		p := &progress{}
		refs := append(m.letters.refs(), event.Position{Seq: 999})
		m.letters.setFail(errors.New("no space"))
		if err := d.RedriveTelling(t.Context(), refs, p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if got, want := p.String(), "9 started, 0 delivered, 0 failed, 2 refused"; got != want {
			t.Errorf("before anything is on disk: %s, want %s", got, want)
		}
		m.letters.setFail(nil)
		time.Sleep(time.Minute)
		if got, want := p.String(), "9 started, 8 delivered, 1 failed, 2 refused"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if n := len(m.letters.refs()); n != 2 {
			t.Errorf("%d letters are left, want those that failed or were refused", n)
		}
		closeNow(t, d)
	})
}

func TestRedriveTellsOfAnEndpointThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := buried(t, 5)
		sink := newRecorder(func(delivery.Delivery) delivery.Outcome { return delivery.Transient(errors.New("busy")) })
		d := open(t, m, hub(t, sink, policy()))
		p := &progress{}
		if err := d.RedriveTelling(t.Context(), m.letters.refs(), p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		if err := d.Swap(t.Context(), plan(t, nil)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got, want := p.String(), "5 started, 0 delivered, 5 failed, 0 refused"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		closeNow(t, d)
	})
}
