package logbook

import (
	"math/bits"
	"sync"
	"time"
)

// Use is what a call of a plugin took.
type Use struct {
	Plugin   string // "name@version"
	Events   int
	Fuel     int64 // of all events
	MostFuel int64 // of one
	Elapsed  time.Duration
	Failed   bool
}

// Figures are what a version did since the start.
type Figures struct {
	Events, Calls, Failed uint64
	Fuel, MostFuel        int64
	P50, P99              time.Duration // of one event, the batch's time shared out
}

type figures struct {
	mu    sync.Mutex // guards what follows
	sum   Figures
	times histogram
}

// Measure adds what a call took.
func (b *Book) Measure(u Use) {
	b.mu.RLock()
	f := b.figures[u.Plugin]
	b.mu.RUnlock()
	if f == nil {
		if f = b.addFigures(u.Plugin); f == nil {
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sum.Calls++
	f.sum.Events += uint64(u.Events)
	f.sum.Fuel += u.Fuel
	f.sum.MostFuel = max(f.sum.MostFuel, u.MostFuel)
	if u.Failed {
		f.sum.Failed++
	}
	if u.Events > 0 {
		f.times.add(u.Elapsed/time.Duration(u.Events), uint64(u.Events))
	}
}

func (b *Book) addFigures(plugin string) *figures {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.figures[plugin]; f != nil || len(b.figures) >= maxPlugins {
		return f
	}
	f := &figures{}
	b.figures[plugin] = f
	return f
}

// Figures returns those of the version that is called "name@version".
func (b *Book) Figures(plugin string) Figures {
	b.mu.RLock()
	f := b.figures[plugin]
	b.mu.RUnlock()
	if f == nil {
		return Figures{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.sum
	out.P50, out.P99 = f.times.quantile(50), f.times.quantile(99)
	return out
}

// parts is into how many buckets each power of two is divided: a quantile is off
// by an eighth at most.
const parts = 8

// histogram counts durations in buckets that grow with them.
type histogram struct {
	buckets [(64 - 3) * parts]uint64
	total   uint64
}

func (h *histogram) add(d time.Duration, n uint64) {
	h.buckets[bucket(uint64(max(d, 0)))] += n
	h.total += n
}

// bucket is that of n: exact below parts, then parts to each power of two.
func bucket(n uint64) int {
	if n < parts {
		return int(n)
	}
	shift := bits.Len64(n) - 4
	return (shift+1)*parts + int(n>>shift) - parts
}

// least is the smallest number of a bucket.
func least(b int) uint64 {
	if b < 2*parts {
		return uint64(b)
	}
	return uint64(parts+b%parts) << (b/parts - 1)
}

// quantile is what percent of the durations were at most, to the middle of its
// bucket.
func (h *histogram) quantile(percent uint64) time.Duration {
	want, seen := (h.total*percent+99)/100, uint64(0)
	for b, n := range h.buckets {
		if seen += n; n > 0 && seen >= want {
			if b < parts {
				return time.Duration(b)
			}
			return time.Duration((least(b) + least(b+1) - 1) / 2)
		}
	}
	return 0
}
