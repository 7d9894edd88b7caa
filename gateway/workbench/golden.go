package workbench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
)

// Answers are what a module makes of a case, in the form of want.json.
type Answers struct {
	// Refused are the words with which the module refuses the configuration,
	// by kind.
	Refused   map[string]string `json:"refused,omitempty"`
	Filter    []Verdict         `json:"filter,omitempty"`
	Transform []Made            `json:"transform,omitempty"`
}

// Verdict is a filter's answer to the event with the id Event.
type Verdict struct {
	Event string `json:"event"`
	Pass  bool   `json:"pass"`
	Error string `json:"error,omitempty"` // why the event would be a dead letter
}

// Made is what a transform makes of the event with the id Event.
type Made struct {
	Event   string           `json:"event"`
	Outputs []catalog.Output `json:"outputs"`
	Error   string           `json:"error,omitempty"`
}

// Result is what came of a case.
type Result struct {
	Case
	Answers Answers
	// Diff shows, line by line, what came out ("+") and was wanted ("-"); empty
	// when they are the same.
	Diff string
	// Unsteady are events to which the module answers differently alone than in
	// a batch; a gateway may do either.
	Unsteady []string
	Fuel     int64    // the most that one event took, alone
	Logs     []string // that the module wrote
}

// Passed reports whether everything came out as wanted.
func (r *Result) Passed() bool { return r.Want != nil && r.Diff == "" && len(r.Unsteady) == 0 }

// Try runs a case on fresh instances of the module: all events as a batch, and
// each alone. A module of both kinds is tried as both, unless what is wanted
// names one.
func (b *Bench) Try(ctx context.Context, wasm []byte, c Case) (*Result, error) {
	r := &Result{Case: c}
	m, err := b.load(ctx, wasm)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	for _, kind := range c.tries(m.Info().Kinds) {
		if err := b.try(ctx, m, kind, r); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
	}
	if c.Want != nil {
		r.Diff, err = c.differs(r.Answers)
	}
	return r, err
}

func (b *Bench) try(ctx context.Context, m *plugin.Module, kind plugin.Kind, r *Result) error {
	defer b.takeLines() // those of the events alone are the same again
	bound, err := m.Bind(ctx, kind, r.Config, m.Info().Name)
	if refused := (*plugin.ConfigError)(nil); errors.As(err, &refused) {
		if r.Answers.Refused == nil {
			r.Answers.Refused = map[string]string{}
		}
		r.Answers.Refused[kind.String()] = refused.Text
		return nil
	}
	if err != nil {
		return err
	}
	defer bound.Close()
	items := make([]pipeline.Item, len(r.Events))
	for i := range r.Events {
		at := event.Position{Seq: 1, Index: i}
		items[i] = pipeline.Item{Origin: i, Source: &r.Events[i], Event: &r.Events[i], Position: at}
	}
	out, err := bound.Run(ctx, items, nil)
	if err != nil {
		return err
	}
	batch := r.answers(kind, out)
	r.Logs = append(r.Logs, b.takeLines()...)
	for i, item := range items {
		out, fuel, err := bound.RunOne(ctx, item)
		if err != nil {
			return err
		}
		r.Fuel = max(r.Fuel, fuel)
		alone, together := r.answers(kind, out).of(i), batch.of(i)
		if diff, err := diffJSON(together, alone); err != nil {
			return err
		} else if diff != "" {
			r.Unsteady = append(r.Unsteady, fmt.Sprintf("event %s comes out otherwise alone (+) than in a batch (-):\n%s", item.Event.ID, diff))
		}
	}
	if kind == plugin.Filter {
		r.Answers.Filter = batch.Filter
	} else {
		r.Answers.Transform = batch.Transform
	}
	return nil
}

// answers gathers what came out for each event of the case.
func (r *Result) answers(kind plugin.Kind, out []pipeline.Item) Answers {
	var a Answers
	if kind == plugin.Filter {
		a.Filter = make([]Verdict, len(r.Events))
	} else {
		a.Transform = make([]Made, len(r.Events))
	}
	for i := range r.Events {
		if kind == plugin.Filter {
			a.Filter[i].Event = r.Events[i].ID
		} else {
			a.Transform[i] = Made{Event: r.Events[i].ID, Outputs: []catalog.Output{}}
		}
	}
	for _, item := range out {
		words := faultWords(item.Err)
		if kind == plugin.Filter {
			a.Filter[item.Origin].Pass, a.Filter[item.Origin].Error = item.Err == nil, words
			continue
		}
		made := &a.Transform[item.Origin]
		if made.Error = words; item.Err == nil {
			o := catalog.Output{Event: catalog.CloudEvent{Event: *item.Event}}
			if item.Properties != nil {
				o.Properties = catalog.NewProperties(*item.Properties)
			}
			made.Outputs = append(made.Outputs, o)
		}
	}
	return a
}

// of is the answer to event number i.
func (a Answers) of(i int) Answers {
	if a.Filter != nil {
		return Answers{Filter: a.Filter[i : i+1]}
	}
	return Answers{Transform: a.Transform[i : i+1]}
}

// faultWords say why an event failed, without what another build changes.
func faultWords(err error) string {
	if err == nil {
		return ""
	}
	g := (*plugin.GuestError)(nil)
	if !errors.As(err, &g) {
		return err.Error()
	}
	switch {
	case g.Fault == plugin.Failed:
		return g.Text
	case g.Text == "":
		return string(g.Fault)
	}
	return string(g.Fault) + ": " + g.Text
}

// Update writes what came out as what is wanted. It reports whether that
// changed the file.
func (r *Result) Update() (bool, error) {
	text, err := pretty(r.Answers)
	if err != nil || bytes.Equal(text, r.Want) {
		return false, err
	}
	return true, os.WriteFile(filepath.Join(r.Dir, wantFile), text, 0o644)
}

// pretty writes v as people read JSON.
func pretty(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
