package rates

import "time"

// Lengths of the two kinds of step in seconds, and how many of each are kept.
const (
	fineSeconds   = 10
	coarseSeconds = 60
	fineSteps     = 3600 / fineSeconds
	coarseSteps   = 24 * 3600 / coarseSeconds
	finePerCoarse = coarseSeconds / fineSeconds
)

// stepOf is the number of the fine step that t is in, counted from 1970.
func stepOf(t time.Time) int64 { return t.Unix() / fineSeconds }

// timeOf is when a fine step begins.
func timeOf(step int64) time.Time { return time.Unix(step*fineSeconds, 0).UTC() }

// columns are the numbers of a row: how many, and which of them are gauges,
// which are what they are now, and do not grow.
type columns struct {
	n      int
	gauges uint8 // a bit for each
}

func (c columns) isGauge(i int) bool { return c.gauges&(1<<i) != 0 }

// The columns of each kind of row, in the order in which they are counted.
var (
	gatewayColumns  = columns{n: 5, gauges: 1 << 4}
	routeColumns    = columns{n: 4}
	endpointColumns = columns{n: 6, gauges: 1<<3 | 1<<4}
	sourceColumns   = columns{n: 1}
)

// endpointEvaluated is the column of an endpoint that its routes share.
const endpointEvaluated = 5

// row is one thing's numbers over time.
type row struct {
	columns
	since  int64    // the first fine step of which anything is known
	last   []uint64 // the counters as they were read last
	grown  []uint64 // by how much they grew in the step under way; what a gauge is
	fine   []series
	coarse []series
}

func newRow(since int64, c columns) *row {
	r := &row{columns: c, since: since, last: make([]uint64, c.n), grown: make([]uint64, c.n), fine: make([]series, c.n), coarse: make([]series, c.n)}
	for i := range r.fine {
		r.fine[i], r.coarse[i] = newSeries(fineSteps+blockSteps), newSeries(coarseSteps+blockSteps)
	}
	return r
}

// count takes the counters as they are now.
func (r *row) count(now ...uint64) {
	for i, n := range now {
		switch {
		case r.isGauge(i):
			r.grown[i] = n
		case n < r.last[i]:
			r.grown[i] += n // it began anew
		default:
			r.grown[i] += n - r.last[i]
		}
		r.last[i] = n
	}
}

// write writes down the steps from from to before to. Of several that passed
// unseen, what was counted is in the last: nobody knows better.
func (r *row) write(from, to int64, same interned) {
	from = max(from, to-fineSteps)
	for i := range r.n {
		for step := from; step < to; step++ {
			if step == to-1 || r.isGauge(i) {
				r.fine[i].set(step, r.grown[i], same)
			}
		}
		for minute := from / finePerCoarse; minute < to/finePerCoarse; minute++ {
			r.coarse[i].set(minute, r.sum(i, minute*finePerCoarse, (minute+1)*finePerCoarse), same)
		}
		if !r.isGauge(i) {
			r.grown[i] = 0
		}
	}
}

// sum is what column i came to from the fine step from to before to: for a gauge
// what it was at the end.
func (r *row) sum(i int, from, to int64) (n uint64) {
	if r.isGauge(i) {
		return r.fine[i].at(to - 1)
	}
	for step := from; step < to; step++ {
		n += r.fine[i].at(step)
	}
	return n
}

// at is what column i came to in the fine steps from from to before to, of which
// now is the one under way; from coarse steps where that is said. It reports
// false when nothing is known of any of them.
func (r *row) at(i int, from, to, now int64, coarse bool) (uint64, bool) {
	if to <= r.since || from > now {
		return 0, false
	}
	to = min(to, now+1)
	if r.isGauge(i) {
		switch {
		case to > now:
			return r.grown[i], true
		case coarse && (to-1)/finePerCoarse < now/finePerCoarse:
			return r.coarse[i].at((to - 1) / finePerCoarse), true
		}
		return r.fine[i].at(to - 1), true
	}
	var n uint64
	if to > now {
		n = r.grown[i]
		to = now
	}
	if coarse {
		for minute := now / finePerCoarse; from < to && from/finePerCoarse < minute; from += finePerCoarse {
			n += r.coarse[i].at(from / finePerCoarse)
		}
	}
	return n + r.sum(i, from, to), true
}
