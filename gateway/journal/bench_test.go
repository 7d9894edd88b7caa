package journal_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

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
