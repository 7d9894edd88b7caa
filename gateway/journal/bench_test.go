package journal_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/journal"
)

// BenchmarkAppend: producers that each wait for their answer, 600-byte events.
func BenchmarkAppend(b *testing.B) {
	for _, tt := range []struct{ producers, batch int }{
		{1, 1}, {8, 1}, {64, 1}, {256, 1}, {1, 100}, {8, 100}, {1, 1000},
	} {
		b.Run(fmt.Sprintf("producers=%d/batch=%d", tt.producers, tt.batch), func(b *testing.B) {
			j := open(b, b.TempDir(), journal.Options{})
			events := numbered(0, tt.batch, 350)
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for range tt.producers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := j.Append(b.Context(), events); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N*tt.batch)/b.Elapsed().Seconds(), "events/s")
			b.StopTimer()
		})
	}
}

// BenchmarkRead: one reader that catches up, by events of a chunk.
func BenchmarkRead(b *testing.B) {
	for _, batch := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("chunk=%d", batch), func(b *testing.B) {
			j := open(b, b.TempDir(), journal.Options{})
			events := numbered(0, batch, 350)
			for range 500 {
				if _, err := j.Append(b.Context(), events); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n += readSome(b, j, 500)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func readSome(b *testing.B, j *journal.Journal, to uint64) (n int) {
	var last event.Chunk
	for c, err := range j.Read(b.Context(), 1) {
		if err != nil {
			b.Fatal(err)
		}
		n += len(c.Events)
		if last = c; last.Seq == to {
			break
		}
	}
	return n
}

// BenchmarkReadLive: events from Append to a reader that keeps up.
func BenchmarkReadLive(b *testing.B) {
	j := open(b, b.TempDir(), journal.Options{})
	events := numbered(0, 256, 350)
	b.ReportAllocs()
	next := uint64(1)
	for b.Loop() {
		p, err := j.Append(b.Context(), events)
		if err != nil {
			b.Fatal(err)
		}
		for c, err := range j.Read(b.Context(), next) {
			if err != nil {
				b.Fatal(err)
			}
			if next = c.Seq + 1; c.Seq >= p.Seq {
				break
			}
		}
	}
	b.ReportMetric(float64(b.N*256)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkSpool: concurrent callers put deliveries, get each and remove them.
func BenchmarkSpool(b *testing.B) {
	for _, tt := range []struct{ callers, batch int }{{1, 1}, {64, 1}, {8, 64}} {
		b.Run(fmt.Sprintf("callers=%d/batch=%d", tt.callers, tt.batch), func(b *testing.B) {
			j := open(b, b.TempDir(), journal.Options{})
			entries := letters(0, tt.batch, "hub")
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for range tt.callers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						refs, err := j.Retries().Put(b.Context(), entries)
						if err != nil {
							b.Error(err)
							return
						}
						for _, ref := range refs {
							if _, err := j.Retries().Get(b.Context(), ref); err != nil {
								b.Error(err)
								return
							}
						}
						if err := j.Retries().Remove(b.Context(), refs); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N*tt.batch)/b.Elapsed().Seconds(), "deliveries/s")
			b.StopTimer()
		})
	}
}

// BenchmarkSaveMarks: 100 endpoints with a window of 64 chunks each.
func BenchmarkSaveMarks(b *testing.B) {
	j := open(b, b.TempDir(), journal.Options{})
	var marks []delivery.Mark
	for i := range 100 {
		m := delivery.Mark{Endpoint: fmt.Sprint("endpoint-", i), Low: 1}
		for k := range 64 {
			m.Settled = append(m.Settled, bytes.Repeat([]byte{byte(k * i)}, 32))
		}
		marks = append(marks, m)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := j.SaveMarks(b.Context(), marks); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen: a directory with 100,000 events and 10,000 retries.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	j := open(b, dir, journal.Options{})
	for range 100 {
		if _, err := j.Append(b.Context(), numbered(0, 1000, 350)); err != nil {
			b.Fatal(err)
		}
		if _, err := j.Retries().Put(b.Context(), letters(0, 100, "hub")); err != nil {
			b.Fatal(err)
		}
	}
	shut(b, j)
	for b.Loop() {
		j, err := journal.Open(b.Context(), dir, journal.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
