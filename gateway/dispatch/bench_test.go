package dispatch_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/route"
)

// endless is a journal whose chunks come when they are asked for.
type endless struct {
	*memory
	chunk event.Chunk
	allow chan struct{}
	last  atomic.Uint64
}

func (j *endless) Last() uint64 { return j.last.Load() }

func (j *endless) Read(ctx context.Context, from uint64) iter.Seq2[event.Chunk, error] {
	return func(yield func(event.Chunk, error) bool) {
		for c := j.chunk; ; from++ {
			if c.Seq = from; from > j.last.Load() {
				select {
				case <-j.allow:
					j.last.Store(from)
				case <-ctx.Done():
					return
				}
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// nowhere takes everything and tells how much.
type nowhere struct{ took *atomic.Int64 }

func (s nowhere) Capacity() delivery.Capacity { return delivery.Capacity{Lanes: 4, Batch: 256} }
func (s nowhere) Close() error                { return nil }
func (s nowhere) Send(_ context.Context, batch []delivery.Delivery) []delivery.Outcome {
	s.took.Add(int64(len(batch)))
	return outcomes.Get().([]delivery.Outcome)[:len(batch)]
}

var outcomes = sync.Pool{New: func() any { return make([]delivery.Outcome, 256) }}

// modulo lets a filter i pass the events whose id ends in it.
type modulo struct {
	n, at int
	none  bool
}

func (f *modulo) Load(e *event.Event) { f.at = (f.at + 1) % f.n }
func (f *modulo) Match(i int) bool    { return !f.none && i == f.at }
func (f *modulo) Close() error        { return nil }

// BenchmarkDispatch measures the dispatcher between a journal in memory and
// sinks that do nothing: chunks of 256 events of 600 bytes, each of which
// matches the route of one endpoint, or of none.
func BenchmarkDispatch(b *testing.B) {
	for _, endpoints := range []int{1, 10, 100} {
		for _, none := range []bool{false, true} {
			name := fmt.Sprintf("endpoints=%d/match", endpoints)
			if none {
				name = fmt.Sprintf("endpoints=%d/none", endpoints)
			}
			b.Run(name, func(b *testing.B) { benchmarkDispatch(b, endpoints, none, 256) })
		}
	}
	b.Run("single/endpoints=100/match", func(b *testing.B) { benchmarkDispatch(b, 100, false, 1) })
}

func benchmarkDispatch(b *testing.B, endpoints int, none bool, events int) {
	j := &endless{memory: newMemory(), allow: make(chan struct{}, 16)}
	for i := range events {
		j.chunk.Events = append(j.chunk.Events, event.Event{
			ID: fmt.Sprint("event-", i), Source: "host.api.digitaltwins.azure.net", Type: event.TwinUpdate,
			Subject: fmt.Sprint("twin-", i%64), Time: "2026-01-02T03:04:05Z", DataContentType: "application/json",
			Data: make([]byte, 450),
		})
	}
	var took atomic.Int64
	var rules []route.Rule
	p := dispatch.Plan{}
	for i := range endpoints {
		name := fmt.Sprint("e", i)
		p.Endpoints = append(p.Endpoints, dispatch.Endpoint{Name: name, Policy: policy(), Sink: nowhere{&took}})
		r := rule("r"+name, i)
		r.Filter = i
		rules = append(rules, r)
	}
	var err error
	p.Table, err = route.NewTable(rules, endpoints, func() (route.Filters, error) { return &modulo{n: endpoints, none: none}, nil }, route.Options{})
	if err != nil {
		b.Fatal(err)
	}
	d, err := dispatch.Open(b.Context(), j, j.retries, j.letters, p, dispatch.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close(context.Background())
	behind := func() uint64 {
		var most uint64
		for _, s := range d.Status() {
			most = max(most, s.Behind)
		}
		return most
	}
	for behind() > 0 {
		runtime.Gosched()
	}
	b.ReportAllocs()
	sent := 0
	for b.Loop() {
		j.allow <- struct{}{}
		sent += events
		for !none && int64(sent)-took.Load() > 2048 {
			runtime.Gosched()
		}
	}
	for (!none && took.Load() < int64(sent)) || behind() > 0 {
		runtime.Gosched()
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sent), "ns/event")
}
