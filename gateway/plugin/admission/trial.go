package admission

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/schema"
)

// Use is one way in which a plugin will be used.
type Use struct {
	Route  string // the id of the route, if it is one's
	Kind   plugin.Kind
	Config []byte // JSON; nothing stands for {}
	Events []pipeline.Item
}

// Trial is what a module made of events, one by one, in one use.
type Trial struct {
	Route  string          `json:"route,omitempty"`
	Kind   string          `json:"kind"`
	Config json.RawMessage `json:"config"`
	// Refused is why it does not take the configuration; it was then not tried.
	Refused string `json:"refused,omitempty"`

	Events  int `json:"events"` // that it was tried on
	Passed  int `json:"passed"` // of those, that went on
	Outputs int `json:"outputs"`
	Failed  int `json:"failed"`
	// Untried is how many events were left when the time was up.
	Untried int `json:"untried,omitempty"`

	Fuel    Quantiles `json:"fuel"`      // of an event
	Latency Quantiles `json:"latencyNs"` // of an event that is called alone, with the host's part

	// Deterministic says that a second run, on a fresh instance, made the same
	// of every event; Different are the ids of the first few of which it did not.
	Deterministic bool     `json:"deterministic"`
	Different     []string `json:"different,omitempty"`

	Failures []Failure `json:"failures,omitempty"` // the first few
	Samples  []Sample  `json:"samples,omitempty"`  // of what went on, the first few
}

// Quantiles of a measure over the events of a trial.
type Quantiles struct {
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// Failure is an event on which the plugin failed.
type Failure struct {
	Event string `json:"event"` // its id
	Error string `json:"error"`
}

// Sample is an event with what became of it, in the CloudEvents JSON format.
type Sample struct {
	Event   json.RawMessage   `json:"event"`
	Outputs []json.RawMessage `json:"outputs"`
}

const (
	runTime = 5 * time.Second
	maxFew  = 3
)

// try runs the module in each of its uses.
func (r *Report) try(ctx context.Context, rt *plugin.Runtime, wasm []byte, info plugin.Info, o Options) error {
	uses := o.Uses
	if len(uses) == 0 {
		for _, kind := range info.Kinds {
			uses = append(uses, Use{Kind: kind, Events: o.Events})
		}
	}
	if o.Time <= 0 {
		o.Time = runTime
	}
	for _, use := range uses {
		t := Trial{Route: use.Route, Kind: use.Kind.String(), Config: json.RawMessage("{}")}
		if len(use.Config) > 0 {
			t.Config = use.Config
		}
		if err := r.attempt(ctx, rt, wasm, info, o, use, &t); err != nil {
			return err
		}
		r.Trials = append(r.Trials, t)
	}
	return nil
}

// attempt runs the module twice over the events of a use, each time on a fresh
// instance.
func (r *Report) attempt(ctx context.Context, rt *plugin.Runtime, wasm []byte, info plugin.Info, o Options, use Use, t *Trial) error {
	if info.Config != nil {
		s, err := schema.Parse(info.Config)
		if err != nil {
			return err // judge has read it
		}
		if err := s.Check(t.Config); err != nil {
			t.Refused = err.Error()
			return nil
		}
	}
	var first, second []made
	for _, run := range []*[]made{&first, &second} {
		took, err := pass(ctx, rt, wasm, o, use, run)
		if refused := (*plugin.ConfigError)(nil); errors.As(err, &refused) {
			t.Refused = refused.Text
			return nil
		}
		if failed := (*plugin.GuestError)(nil); errors.As(err, &failed) {
			t.Refused = failed.Error()
			return nil
		}
		if err != nil {
			return err
		}
		if r.Start == 0 || took < r.Start {
			r.Start = took
		}
	}
	t.tell(use.Events, first, second)
	return nil
}

// made is what a module made of one event.
type made struct {
	outputs  [][]byte // with their properties
	samples  []json.RawMessage
	err      string
	fuel     int64
	duration time.Duration
}

// pass passes the events of a use through a fresh instance, one by one, until
// they, or the time, are over. It returns how long the instance took to start
// and open.
func pass(ctx context.Context, rt *plugin.Runtime, wasm []byte, o Options, use Use, to *[]made) (time.Duration, error) {
	m, err := rt.LoadWith(ctx, wasm, o.Load) // nobody else has it open, so nor its instances
	if err != nil {
		return 0, err
	}
	defer m.Close()
	begin := time.Now()
	b, err := m.Bind(ctx, use.Kind, use.Config, "trial")
	if err != nil {
		return 0, err
	}
	defer b.Close()
	started := time.Since(begin)
	for _, item := range use.Events {
		if time.Since(begin) > o.Time {
			break
		}
		at := time.Now()
		out, fuel, err := b.RunOne(ctx, item)
		if err != nil {
			return 0, err
		}
		one := made{fuel: fuel, duration: time.Since(at)}
		for i := range out {
			if out[i].Err != nil {
				one.err = out[i].Err.Error()
				break
			}
			text := event.AppendJSON(nil, out[i].Event)
			one.samples = append(one.samples, text)
			one.outputs = append(one.outputs, withProperties(text, out[i].Properties))
		}
		*to = append(*to, one)
	}
	return started, nil
}

func withProperties(text []byte, p *delivery.Properties) []byte {
	if p == nil {
		return text
	}
	more, err := json.Marshal(p)
	if err != nil {
		return append(slices.Clip(text), err.Error()...)
	}
	return append(slices.Clip(text), more...)
}

// tell fills t with what two runs over events made.
func (t *Trial) tell(events []pipeline.Item, first, second []made) {
	t.Events, t.Untried = len(first), len(events)-len(first)
	t.Deterministic = true
	var fuel, latency []int64
	for i := range first {
		one := &first[i]
		fuel, latency = append(fuel, one.fuel), append(latency, int64(one.duration))
		switch {
		case one.err != "":
			if t.Failed++; len(t.Failures) < maxFew {
				t.Failures = append(t.Failures, Failure{Event: events[i].Event.ID, Error: one.err})
			}
		case len(one.outputs) > 0:
			t.Passed++
			t.Outputs += len(one.outputs)
			if len(t.Samples) < maxFew {
				t.Samples = append(t.Samples, Sample{Event: event.AppendJSON(nil, events[i].Event), Outputs: one.samples})
			}
		}
		if i < len(second) && !one.same(&second[i]) {
			t.Deterministic = false
			if len(t.Different) < maxFew {
				t.Different = append(t.Different, events[i].Event.ID)
			}
		}
	}
	t.Fuel, t.Latency = quantiles(fuel), quantiles(latency)
}

func (m *made) same(o *made) bool {
	return m.err == o.err && slices.EqualFunc(m.outputs, o.outputs, func(a, b []byte) bool { return string(a) == string(b) })
}

func quantiles(values []int64) Quantiles {
	if len(values) == 0 {
		return Quantiles{}
	}
	slices.Sort(values)
	at := func(percent int) int64 { return values[(len(values)*percent+99)/100-1] }
	return Quantiles{P50: at(50), P99: at(99), Max: values[len(values)-1]}
}

// warnOfTrials tells what the trials give reason for.
func (r *Report) warnOfTrials(add func(hint, format string, args ...any)) {
	for _, t := range r.Trials {
		as := "as a " + t.Kind
		if t.Route != "" {
			as += " in route " + t.Route
		}
		switch {
		case t.Refused != "" && t.Route == "":
			add("It is not tried then; a route has to give it one that it takes.", "%s it does not take the configuration %s: %s", as, t.Config, t.Refused)
		case t.Refused != "":
			add("Change the route before this version is activated, or make the version take it.", "%s it does not take the configuration %s: %s", as, t.Config, t.Refused)
		}
		if !t.Deterministic && t.Refused == "" {
			add("It keeps state from event to event, or asks for the real time or for random numbers; retries and replays may then come out differently.",
				"%s it made something else of the same events the second time, of %s for one", as, t.Different[0])
		}
		if t.Failed > 0 && t.Failed == t.Events {
			add("If it is meant for other events, filter them in the route.", "%s it failed on all of the %d events that it was tried on: %s", as, t.Events, t.Failures[0].Error)
		}
		if t.Untried > 0 {
			add("Look for what it does most often: every event waits for it.", "%s it got through %d of %d events in the time for a trial", as, t.Events, t.Events+t.Untried)
		}
	}
}
