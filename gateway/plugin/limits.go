package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/plugin/meter"
)

// Limits bound what a guest may use. A zero field takes its value from the
// limits of the runtime, and there from [DefaultLimits].
type Limits struct {
	// Of an uploaded module, before it is compiled.
	ModuleBytes  int64 `json:"moduleBytes,omitempty"`
	Functions    int64 `json:"functions,omitempty"`
	Locals       int64 `json:"locals,omitempty"`    // of a function
	Nesting      int64 `json:"nesting,omitempty"`   // of blocks in a function
	BodyBytes    int64 `json:"bodyBytes,omitempty"` // of a function
	TableEntries int64 `json:"tableEntries,omitempty"`
	Complexity   int64 `json:"complexity,omitempty"` // branches and locals of large functions: see package meter

	MemoryBytes int64 `json:"memoryBytes,omitempty"` // linear memory of an instance; rounded down to pages of 64 KiB
	CallDepth   int64 `json:"callDepth,omitempty"`   // calls within each other; a large frame counts for several

	BatchEvents int64 `json:"batchEvents,omitempty"` // events in a call
	BatchBytes  int64 `json:"batchBytes,omitempty"`  // size of the events in a call; a larger event is alone
	OutputBytes int64 `json:"outputBytes,omitempty"` // what a call of a transform may answer, copies included
	LogBytes    int64 `json:"logBytes,omitempty"`    // text of the log lines kept of a call
	HostCalls   int64 `json:"hostCalls,omitempty"`   // calls of host functions for an event, or for a start

	// Fuel is counted in WebAssembly instructions, roughly: see package meter.
	EventFuel int64 `json:"eventFuel,omitempty"` // for one event, and beside that
	ByteFuel  int64 `json:"byteFuel,omitempty"`  // for each byte of it
	StartFuel int64 `json:"startFuel,omitempty"` // for starting an instance or opening a configuration

	// Of the instances of a module: how many there may be (more calls wait), and
	// when one is replaced by a fresh one, made beside it.
	Instances    int64         `json:"instances,omitempty"`
	InstanceUses int64         `json:"instanceUses,omitempty"` // calls
	InstanceAge  time.Duration `json:"instanceAge,omitempty"`
	IdleBytes    int64         `json:"idleBytes,omitempty"` // memory of the instances that wait for work
}

// DefaultLimits are generous for honest plugins. EventFuel is some tens of
// milliseconds of a tight loop; standard Go is charged far more than it executes,
// some 600 to 1300 for each byte of JSON that it reads, which ByteFuel is for.
func DefaultLimits() Limits {
	m := meter.DefaultLimits()
	return Limits{
		ModuleBytes:  32 << 20,
		Functions:    int64(m.Functions),
		Locals:       int64(m.Locals),
		Nesting:      int64(m.Nesting),
		BodyBytes:    int64(m.BodyBytes),
		TableEntries: int64(m.TableEntries),
		Complexity:   int64(m.Complexity),
		MemoryBytes:  64 << 20,
		CallDepth:    1 << 15,
		BatchEvents:  256,
		BatchBytes:   2 << 20,
		OutputBytes:  16 << 20,
		LogBytes:     64 << 10,
		HostCalls:    10_000,
		EventFuel:    50_000_000,
		ByteFuel:     4_000,
		StartFuel:    2_000_000_000,
		Instances:    4,
		InstanceUses: 1_000_000,
		InstanceAge:  time.Hour,
		IdleBytes:    256 << 20,
	}
}

// DefaultMaxLimits are the most that a server gives to a plugin that asks for
// it, unless it was told otherwise. EventFuel is then most of a second, during
// which a garbage collection of the whole process may have to wait.
func DefaultMaxLimits() Limits {
	l := DefaultLimits()
	l.ModuleBytes = 64 << 20
	l.MemoryBytes = 1 << 30
	l.BatchEvents = meter.LedgerEvents
	l.BatchBytes = 16 << 20
	l.OutputBytes = 64 << 20
	l.LogBytes = 1 << 20
	l.HostCalls = 1_000_000
	l.EventFuel = 1_000_000_000
	l.ByteFuel = 100_000
	l.StartFuel = 20_000_000_000
	l.Instances = 64
	l.InstanceUses = 1_000_000_000
	l.InstanceAge = 24 * time.Hour
	l.IdleBytes = 1 << 30
	return l
}

// limit is one of the Limits, by the name that errors and configuration use.
type limit struct {
	name  string
	value *int64
}

func (l *Limits) all() [21]limit {
	return [...]limit{
		{"moduleBytes", &l.ModuleBytes},
		{"functions", &l.Functions},
		{"locals", &l.Locals},
		{"nesting", &l.Nesting},
		{"bodyBytes", &l.BodyBytes},
		{"tableEntries", &l.TableEntries},
		{"complexity", &l.Complexity},
		{"memoryBytes", &l.MemoryBytes},
		{"callDepth", &l.CallDepth},
		{"batchEvents", &l.BatchEvents},
		{"batchBytes", &l.BatchBytes},
		{"outputBytes", &l.OutputBytes},
		{"logBytes", &l.LogBytes},
		{"hostCalls", &l.HostCalls},
		{"eventFuel", &l.EventFuel},
		{"byteFuel", &l.ByteFuel},
		{"startFuel", &l.StartFuel},
		{"instances", &l.Instances},
		{"instanceUses", &l.InstanceUses},
		{"instanceAge", (*int64)(&l.InstanceAge)},
		{"idleBytes", &l.IdleBytes},
	}
}

// Set sets the limit of that name from text: a whole number, or for instanceAge
// a duration such as "30m". Its error is a sentence about the limit.
func (l *Limits) Set(name, text string) error {
	for _, x := range l.all() {
		if x.name != name {
			continue
		}
		if x.value == (*int64)(&l.InstanceAge) {
			age, err := time.ParseDuration(text)
			if err != nil || age <= 0 {
				return fmt.Errorf("limit %s: %q is not a duration such as 30m", name, text)
			}
			l.InstanceAge = age
			return nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n <= 0 {
			return fmt.Errorf("limit %s: %q is not a whole number from 1", name, text)
		}
		*x.value = n
		return nil
	}
	var names []string
	for _, x := range l.all() {
		names = append(names, x.name)
	}
	return fmt.Errorf("there is no limit %q; there are %s", name, strings.Join(names, ", "))
}

// LimitError says that a plugin asks for more than the server gives to any.
type LimitError struct {
	Limit      string // its name, as in the JSON form of Limits
	Value, Max int64
}

// Error names the limit and both values.
func (e *LimitError) Error() string {
	return fmt.Sprintf("limit %s: %d is not within 1 and this server's maximum, %d", e.Limit, e.Value, e.Max)
}

// within reports a field of l that is negative or above that of most.
func (l Limits) within(most Limits) error {
	for i, m := range most.all() {
		if x := l.all()[i]; *x.value < 0 || *x.value > *m.value {
			return &LimitError{Limit: x.name, Value: *x.value, Max: *m.value}
		}
	}
	return nil
}

// Or returns l with the fields of d where it has none.
func (l Limits) Or(d Limits) Limits {
	for i, x := range d.all() {
		if v := l.all()[i].value; *v == 0 {
			*v = *x.value
		}
	}
	return l
}

// fuel is what an event of so many bytes may use.
func (l *Limits) fuel(size int) int64 { return l.EventFuel + l.ByteFuel*int64(size) }

// outOfFuel is why an event was stopped.
func (l *Limits) outOfFuel() string {
	return fmt.Sprintf("the limit of eventFuel is %d, and byteFuel %d for each byte of the event", l.EventFuel, l.ByteFuel)
}

// pages is the most memory of an instance, as WebAssembly counts it.
func (l *Limits) pages() uint32 { return uint32(min(max(l.MemoryBytes/pageBytes, 1), 1<<16)) }

func (l *Limits) meter() meter.Limits {
	return meter.Limits{
		Functions: int(l.Functions), Locals: int(l.Locals), Nesting: int(l.Nesting),
		BodyBytes: int(l.BodyBytes), TableEntries: int(l.TableEntries), Complexity: int(l.Complexity),
	}
}

const pageBytes = 64 << 10
