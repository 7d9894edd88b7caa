package route

import "sync/atomic"

// Count is what a rule did to one chunk.
type Count struct {
	Rule    *Rule
	Matched int // events that its filter let pass
	Outputs int // what its pipeline made of them
	Errors  int // events on which a stage failed
}

// Tally sums up what a route did, over all tables. Its memory is the same for
// all of them.
type Tally struct{ Matched, Outputs, Errors atomic.Uint64 }

// Add adds c.
func (t *Tally) Add(c Count) {
	t.Matched.Add(uint64(c.Matched))
	t.Outputs.Add(uint64(c.Outputs))
	if c.Errors > 0 {
		t.Errors.Add(uint64(c.Errors))
	}
}
