package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

// until is a stage that is left alone until a time, and then makes two of each.
type until time.Time

func (u until) Run(_ context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	if rest := time.Until(time.Time(u)); rest > 0 {
		return nil, leftAlone(rest)
	}
	for _, item := range in {
		out = append(out, item, item)
	}
	return out, nil
}

func beside(t *testing.T, sink dispatch.Sink, p delivery.Policy, stage pipeline.Stage) dispatch.Plan {
	t.Helper()
	return plan(t, []route.Rule{rule("waits", 0, stage), rule("goes", 0)}, dispatch.Endpoint{Name: "hub", Policy: p, Sink: sink})
}

// of are the ids that the sink got of a route, in their order, with outputs.
func of(sink *recorder, route string) string {
	var ids []string
	for _, d := range sink.deliveries() {
		if d.Route == route {
			ids = append(ids, fmt.Sprintf("%s.%d", d.Event.ID, d.Output))
		}
	}
	return strings.Join(ids, " ")
}

// TestWaitingRouteHoldsUpNobody holds that the events of a route whose plugin is
// left alone wait on disk, over a crash, and go through it in order, while the
// other route to the endpoint goes on.
func TestWaitingRouteHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, stage := newMemory(), until(time.Now().Add(time.Hour))
		first := newRecorder(nil)
		d := begin(t, m, beside(t, first, policy(), stage))
		var want []string
		for i := range 10 {
			m.append(twin(fmt.Sprint(i), "k"))
			want = append(want, fmt.Sprintf("%d.0", i))
		}
		time.Sleep(time.Minute)
		if got := of(first, "goes"); got != strings.Join(want, " ") {
			t.Errorf("the other route delivered %q, want %v", got, want)
		}
		if got := of(first, "waits"); got != "" || len(m.retries.refs()) != 10 {
			t.Errorf("%q of the route that waits, %d of its events on disk; want none and 10", got, len(m.retries.refs()))
		}
		d.kill()

		second := newRecorder(nil)
		d = begin(t, m, beside(t, second, policy(), stage))
		m.append(twin("10", "k"))
		time.Sleep(2 * time.Hour)
		m.append(twin("11", "k"))
		time.Sleep(time.Minute)
		closeNow(t, d.Dispatcher)
		want = nil
		for i := range 12 {
			want = append(want, fmt.Sprintf("%d.0 %[1]d.1", i))
		}
		if got := of(second, "waits"); got != strings.Join(want, " ") {
			t.Errorf("the route that waited delivered %q, want %v", got, want)
		}
		if got := of(second, "goes"); got != "10.0 11.0" {
			t.Errorf("the other route delivered %q after the crash, want what came since", got)
		}
		if n := len(m.retries.refs()); n != 0 || m.low() != 13 {
			t.Errorf("%d retries are left, the position is %d", n, m.low())
		}
	})
}

func TestWaitingEventsEnd(t *testing.T) {
	tests := map[string]struct {
		end     func(t *testing.T, d *dispatch.Dispatcher, sink *recorder)
		letters int
		want    string
	}{
		"with their age limit": {func(*testing.T, *dispatch.Dispatcher, *recorder) { time.Sleep(48 * time.Hour) }, 3, ""},
		"with their route": {func(t *testing.T, d *dispatch.Dispatcher, sink *recorder) {
			swap(t, d, plan(t, []route.Rule{rule("goes", 0)}, dispatch.Endpoint{Name: "hub", Policy: policy(), Sink: sink}))
			time.Sleep(48 * time.Hour)
		}, 0, ""},
		"with their endpoint": {func(t *testing.T, d *dispatch.Dispatcher, _ *recorder) { swap(t, d, plan(t, nil)) }, 3, ""},
		"under another version": {func(t *testing.T, d *dispatch.Dispatcher, sink *recorder) {
			swap(t, d, beside(t, sink, policy(), times(1)))
			time.Sleep(20 * time.Minute)
		}, 0, "0.0 1.0 2.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, sink := newMemory(), newRecorder(nil)
				d := open(t, m, beside(t, sink, policy(), until(time.Now().Add(10*time.Minute))))
				if name == "with their age limit" {
					swap(t, d, beside(t, sink, policy(), until(time.Now().Add(1000*time.Hour))))
				}
				for i := range 3 {
					m.append(twin(fmt.Sprint(i), "k"))
				}
				synctest.Wait()
				tt.end(t, d, sink)
				closeNow(t, d)
				var letters []string
				for _, ref := range m.letters.refs() {
					if l := m.letters.at(ref); l.Delivery.Unrendered && l.Delivery.Route == "waits" {
						letters = append(letters, l.Reason)
					}
				}
				if len(letters) != tt.letters || slices.Contains(letters, "") || len(m.retries.refs()) != 0 {
					t.Errorf("letters %q, %d retries; want %d letters", letters, len(m.retries.refs()), tt.letters)
				}
				if got := of(sink, "waits"); got != tt.want {
					t.Errorf("delivered %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func swap(t *testing.T, d *dispatch.Dispatcher, p dispatch.Plan) {
	t.Helper()
	if err := d.Swap(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}
