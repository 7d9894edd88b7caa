package gateway

import (
	"context"
	"fmt"
	"sync"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// trial is where routes are tried out: the same code as live, on instances of
// its own, so that nothing that a test does is seen by an event.
type trial struct {
	plugins *plugin.Runtime
	filters *matcher.Runtime

	running sync.Mutex // one test at a time

	mu    sync.Mutex // guards lines
	lines []string   // that the plugins of the test logged
}

func (t *trial) log(l plugin.Log) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, fmt.Sprintf("%s: %s: %s", l.Plugin, l.Level, l.Text))
}

// takeLines returns what was logged since it was last called.
func (t *trial) takeLines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := t.lines
	t.lines = nil
	return lines
}

// TestRoute tries r on events; see [admin.Tester].
func (g *Gateway) TestRoute(ctx context.Context, r catalog.Route, events []event.Event) ([]catalog.TestResult, error) {
	snapshot := g.store.Snapshot()
	if err := snapshot.CheckPlugins(r); err != nil {
		return nil, err
	}
	r, err := g.builder.mapped(&snapshot, r)
	if err != nil {
		return nil, err
	}
	t := &g.trial
	t.running.Lock()
	defer t.running.Unlock()
	t.takeLines()

	parsed, err := parseFilter(r.Filter)
	if err != nil {
		return nil, err
	}
	explainer, err := t.filters.NewExplainer(ctx, parsed)
	if err != nil {
		return nil, err
	}
	defer explainer.Close()
	var stages []trialStage
	defer func() {
		for _, s := range stages {
			s.Close()
		}
	}()
	err = eachPlugin(&snapshot, r, func(kind plugin.Kind, v catalog.Version, config []byte) error {
		key := bindingOf(&snapshot, kind, v, config)
		options, err := loadOptions(settingsOf(&snapshot, v.Name))
		if err != nil {
			return err
		}
		// A test shows each event's own fate, so no breaker comes between.
		options.Breaker = plugin.Breaker{Traps: -1}
		bound, err := bind(ctx, t.plugins, options, key, g.module, false)
		if err == nil {
			stages = append(stages, trialStage{bound, kind, key.name})
		}
		return err
	})
	if err != nil {
		return nil, err
	}

	results := make([]catalog.TestResult, len(events))
	for i := range events {
		res := &results[i]
		res.Outputs = []catalog.Output{}
		if why := explainer.Explain(&events[i]); !why.Matched {
			res.Why = why.Why
			continue
		}
		if err := t.run(ctx, &events[i], stages, res); err != nil {
			return nil, err
		}
		res.Logs = t.takeLines()
	}
	return results, nil
}

// trialStage is a plugin of the route that is tried out.
type trialStage struct {
	*plugin.Binding
	kind plugin.Kind
	name string
}

// run passes an event that the filter matched through the stages. The route
// takes what all filters let pass, also when its transforms make nothing of it.
func (t *trial) run(ctx context.Context, e *event.Event, stages []trialStage, res *catalog.TestResult) error {
	items := []pipeline.Item{{Source: e, Event: e}}
	for _, stage := range stages {
		var next []pipeline.Item
		for _, item := range items {
			out, fuel, err := stage.RunOne(ctx, item)
			res.Fuel += uint64(fuel)
			if err != nil {
				return err
			}
			next = append(next, out...)
		}
		for _, item := range next {
			if item.Err != nil {
				res.Matched, res.Why, res.Error = true, fmt.Sprintf("plugin %s failed", stage.name), item.Err.Error()
				return nil
			}
		}
		if items = next; len(items) > 0 {
			continue
		}
		if stage.kind == plugin.Filter {
			res.Why = fmt.Sprintf("plugin %s does not let it pass", stage.name)
		} else {
			res.Matched, res.Why = true, fmt.Sprintf("the filter matches, and plugin %s makes nothing of it", stage.name)
		}
		return nil
	}
	res.Matched = true
	res.Why = "the filter matches"
	if len(stages) > 0 {
		res.Why = "the filter and all plugins let it pass"
	}
	for _, item := range items {
		res.Outputs = append(res.Outputs, output(item))
	}
	return nil
}

func output(item pipeline.Item) catalog.Output {
	out := catalog.Output{Event: catalog.CloudEvent{Event: *item.Event}}
	var p delivery.Properties
	if item.Properties != nil {
		p = *item.Properties
	}
	out.Properties = catalog.NewProperties(p)
	return out
}
