package dispatch_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

// TestMemory holds deliveries to what they take themselves: the chunk that an
// event came in, or the event that a plugin made a small one of, is not kept
// for them beyond reason.
func TestMemory(t *testing.T) {
	shrink := stage(func(item pipeline.Item) pipeline.Item {
		e := *item.Event
		e.Data = []byte(`1`)
		item.Event = &e
		return item
	})
	sparse := func(i int) []event.Event { // one small event that matches beside a large one that does not
		large := event.Event{ID: "large", Source: "host", Type: "other", Subject: "x", Data: make([]byte, 128<<10)}
		small := shared(large.Data, twin(fmt.Sprint(i), fmt.Sprint("k", i)))
		return []event.Event{large, small}
	}
	whole := func(i int) []event.Event {
		e := twin(fmt.Sprint(i), fmt.Sprint("k", i))
		e.Data = make([]byte, 128<<10)
		return []event.Event{e}
	}
	tests := []struct {
		name   string
		events func(i int) []event.Event
		stages []pipeline.Stage
		fail   bool
	}{
		{"keys of retries", sparse, nil, true},
		{"queue of few events of each chunk", sparse, nil, false},
		{"queue of small outputs of large events", whole, []pipeline.Stage{shrink}, false},
		{"retries of small outputs of large events", whole, []pipeline.Stage{shrink}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.forget, m.retries.blind = true, true
				var sink dispatch.Sink = hangs{}
				if tt.fail {
					sink = oneByOne(func(delivery.Delivery) delivery.Outcome { return delivery.Transient(errBusy) })
				}
				p := policy()
				p.InitialBackoff, p.MaxBackoff, p.Timeout = time.Hour, time.Hour, time.Hour
				pl := hub(t, sink, p, tt.stages...)
				pl.Table.Close()
				pl.Table = ofType(t, event.TwinUpdate, []route.Rule{rule("r", 0, tt.stages...)})
				d := open(t, m, pl)
				before := heap()
				for i := range 1500 {
					m.append(tt.events(i)...)
					synctest.Wait()
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if grown := heap() - before; grown > 48<<20 {
					t.Errorf("%d MiB are held for 1500 deliveries: %+v", grown>>20, d.Status())
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				d.Close(ctx)
			})
		})
	}
}

// shared returns e with texts that share memory with data, as those of a chunk do.
func shared(data []byte, e event.Event) event.Event {
	b := event.AppendRecord(data[:0], &e)
	return event.NewRecordReader(b).Event()
}

func heap() int {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int(s.HeapAlloc)
}

// ofType is a table all of whose rules take the events of one type.
func ofType(t *testing.T, typ string, rules []route.Rule) *route.Table {
	t.Helper()
	table, err := route.NewTable(rules, 1, func() (route.Filters, error) { return &typed{typ: typ}, nil }, route.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

type typed struct {
	typ string
	e   *event.Event
}

func (f *typed) Load(e *event.Event) { f.e = e }
func (f *typed) Matches(dst []int) []int {
	if f.e.Type != f.typ {
		return dst
	}
	return append(dst, 0)
}
func (f *typed) Close() error { return nil }

func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := newMemory(), newRecorder(nil)
		d := open(t, m, hub(t, sink, policy()))
		var users sync.WaitGroup
		for u := range 4 {
			users.Go(func() {
				for i := range 50 {
					switch u {
					case 0:
						m.append(twin(fmt.Sprint(i), "k"))
					case 1:
						d.Status()
					case 2:
						d.Redrive(t.Context(), m.letters.refs())
					case 3:
						if err := d.Swap(t.Context(), hub(t, sink, policy())); err != nil {
							t.Error(err)
						}
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		users.Wait()
		closeNow(t, d)
		closeNow(t, d)
		requireOnce(t, sink, 50)
		if err := d.Swap(t.Context(), hub(t, sink, policy())); err == nil {
			t.Error("Swap after Close succeeds")
		}
	})
}
