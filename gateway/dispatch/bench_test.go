package dispatch_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/route"
)

// endless is a journal of one chunk, again and again.
type endless struct {
	*memory
	chunk event.Chunk

	mu    sync.Mutex // guards what follows
	last  uint64
	grown chan struct{}
}

func (j *endless) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

func (j *endless) grow() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	close(j.grown)
	j.grown = make(chan struct{})
}

func (j *endless) Read(ctx context.Context, from uint64) iter.Seq2[event.Chunk, error] {
	return func(yield func(event.Chunk, error) bool) {
		for c := j.chunk; ctx.Err() == nil; {
			j.mu.Lock()
			last, grown := j.last, j.grown
			j.mu.Unlock()
			if from > last {
				select {
				case <-grown:
				case <-ctx.Done():
				}
				continue
			}
			if c.Seq = from; !yield(c, nil) {
				return
			}
			from++
		}
	}
}

// nowhere takes everything and tells how much.
type nowhere struct {
	took *atomic.Int64
	more chan struct{}
}

func (s nowhere) Capacity() delivery.Capacity { return delivery.Capacity{Lanes: 4, Batch: 256} }
func (s nowhere) Close() error                { return nil }
func (s nowhere) Send(_ context.Context, batch []delivery.Delivery) []delivery.Outcome {
	s.took.Add(int64(len(batch)))
	select {
	case s.more <- struct{}{}:
	default:
	}
	return delivered[:len(batch)]
}

// await waits until n were taken.
func (s nowhere) await(n int) {
	for s.took.Load() < int64(n) {
		<-s.more
	}
}

var delivered [256]delivery.Outcome

// modulo lets a filter pass the events whose number has that remainder.
type modulo struct {
	n, at int
	none  bool
}

func (f *modulo) Load(e *event.Event) { f.at = int(e.Data[0]) % f.n }
func (f *modulo) Matches(dst []int) []int {
	if f.none {
		return dst
	}
	return append(dst, f.at)
}
func (f *modulo) Close() error { return nil }

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
	j := &endless{memory: newMemory(), grown: make(chan struct{})}
	for i := range events {
		j.chunk.Events = append(j.chunk.Events, event.Event{
			ID: fmt.Sprint("event-", i), Source: "host.api.digitaltwins.azure.net", Type: event.TwinUpdate,
			Subject: fmt.Sprint("twin-", i%64), Time: "2026-01-02T03:04:05Z", DataContentType: "application/json",
			Data: append([]byte{byte(i)}, make([]byte, 450)...),
		})
	}
	sink := nowhere{new(atomic.Int64), make(chan struct{}, 1)}
	var rules []route.Rule
	p := dispatch.Plan{}
	for i := range endpoints {
		name := fmt.Sprint("e", i)
		p.Endpoints = append(p.Endpoints, dispatch.Endpoint{Name: name, Policy: policy(), Sink: sink})
		r := rule("r"+name, i)
		r.Filter, r.Tally = i, new(route.Tally)
		rules = append(rules, r)
	}
	var err error
	p.Table, err = route.NewTable(rules, endpoints, func() (route.Filters, error) { return &modulo{n: endpoints, none: none}, nil }, route.Options{})
	if err != nil {
		b.Fatal(err)
	}
	read := make(chan struct{}, 1)
	d, err := dispatch.Open(b.Context(), j, j.retries, j.letters, p, dispatch.Options{Accepted: func(event.Chunk) { read <- struct{}{} }})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close(context.Background())
	sent := 0
	b.ReportAllocs()
	for b.Loop() {
		// The reader goes on only as fast as what it read is handed over.
		j.grow()
		<-read
		if sent += events; !none {
			sink.await(sent - 1024)
		}
	}
	if !none {
		sink.await(sent)
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sent), "ns/event")
}
