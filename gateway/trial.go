package gateway

import (
	"context"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
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
	bound := trialBindings{}
	defer bound.Close()
	stages, err := g.trialStages(ctx, &snapshot, r, bound)
	if err != nil {
		return nil, err
	}
	results := make([]catalog.TestResult, len(events))
	for i := range events {
		explainer.Load(&events[i])
		if results[i], err = t.explain(ctx, explainer, 0, stages, pipeline.Item{Source: &events[i], Event: &events[i]}); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// trialBindings are the plugins of a test, bound; those that several routes use
// in the same way are bound once.
type trialBindings map[bindingKey]*plugin.Binding

func (bs trialBindings) Close() {
	for _, b := range bs {
		b.Close()
	}
}

// trialStages binds the plugins of r on instances of the trial's own.
func (g *Gateway) trialStages(ctx context.Context, snapshot *catalog.Snapshot, r catalog.Route, bound trialBindings) ([]trialStage, error) {
	return g.trialStagesFrom(ctx, snapshot, r, g.module, bound)
}

// trialStagesFrom is trialStages with modules that need not be stored.
func (g *Gateway) trialStagesFrom(ctx context.Context, snapshot *catalog.Snapshot, r catalog.Route, bytes modules, bound trialBindings) ([]trialStage, error) {
	var stages []trialStage
	err := eachPlugin(snapshot, r, func(kind plugin.Kind, v catalog.Version, config []byte) error {
		key := bindingOf(snapshot, kind, v, config)
		b := bound[key]
		if b == nil {
			options, err := loadOptions(settingsOf(snapshot, v.Name))
			if err != nil {
				return err
			}
			// A test shows each event's own fate, so no breaker comes between.
			options.Breaker = plugin.Breaker{Traps: -1}
			if b, err = bind(ctx, g.trial.plugins, options, key, bytes, false); err != nil {
				return err
			}
			bound[key] = b
		}
		stages = append(stages, trialStage{b, kind, key.name})
		return nil
	})
	return stages, err
}

// trialStage is a plugin of the route that is tried out.
type trialStage struct {
	*plugin.Binding
	kind plugin.Kind
	name string
}

// explain tries the event of item, which the explainer has loaded, on its filter
// i and then on the stages.
func (t *trial) explain(ctx context.Context, x *matcher.Explainer, i int, stages []trialStage, item pipeline.Item) (res catalog.TestResult, err error) {
	res.Outputs = []catalog.Output{}
	if e := x.Explain(i); !e.Matched {
		describeFailure(&res, x.Condition(i, e.Condition), e)
		return res, nil
	}
	err = t.run(ctx, item, stages, &res)
	res.Logs = t.takeLines()
	return res, err
}

// describeFailure says in res which condition of a filter failed.
func describeFailure(res *catalog.TestResult, condition *filter.Filter, e matcher.Explanation) {
	span := filterSpan(condition)
	res.Why, res.Condition, res.Verdict = e.Why, &span, verdictName(e.Verdict)
	for _, v := range e.Values {
		res.Values = append(res.Values, filterValue(v))
	}
}

func verdictName(k filter.Kind) string {
	if k == filter.False {
		return "false"
	}
	return "undefined"
}

// maxShownValue bounds a value that an explanation shows.
const maxShownValue = 1000

func filterValue(v matcher.FieldValue) catalog.FilterValue {
	out := catalog.FilterValue{Field: v.Field.String(), Text: clipText(v.Value.Text(), maxShownValue)}
	if v.Value.Kind != filter.Object && v.Value.Kind != filter.Array && len(v.Value.String) <= maxShownValue {
		out.Value = valueJSON(v.Value)
	}
	return out
}

// clipText is s, or the beginning of it that has at most so many bytes.
func clipText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// run passes an event that the filter matched through the stages. The route
// takes what all filters let pass, also when its transforms make nothing of it.
func (t *trial) run(ctx context.Context, entering pipeline.Item, stages []trialStage, res *catalog.TestResult) error {
	items := []pipeline.Item{entering}
	for _, stage := range stages {
		next, verdict, err := stage.judge(ctx, items)
		if err != nil {
			return err
		}
		res.Fuel += verdict.Fuel
		res.Plugins = append(res.Plugins, verdict)
		if verdict.Error != "" {
			res.Matched, res.Why, res.Error = true, fmt.Sprintf("plugin %s failed", stage.name), verdict.Error
			return nil
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
		out := output(item)
		out.Diff = catalog.DiffEvents(entering.Source, item.Event, out.Properties)
		res.Outputs = append(res.Outputs, out)
	}
	return nil
}

// judge runs items through the stage, one by one, and says what it made of them.
func (s *trialStage) judge(ctx context.Context, items []pipeline.Item) (next []pipeline.Item, v catalog.PluginVerdict, err error) {
	v = catalog.PluginVerdict{Plugin: s.name, Kind: s.kind.String()}
	for _, item := range items {
		out, fuel, err := s.RunOne(ctx, item)
		v.Fuel += uint64(fuel)
		if err != nil {
			return nil, v, err
		}
		next = append(next, out...)
	}
	v.Outputs = len(next)
	for _, item := range next {
		if item.Err != nil {
			v.Verdict, v.Error = "failed", item.Err.Error()
			return next, v, nil
		}
	}
	switch {
	case s.kind == plugin.Filter && len(next) > 0:
		v.Verdict = "pass"
	case s.kind == plugin.Filter:
		v.Verdict = "drop"
	case len(next) > 0:
		v.Verdict = "outputs"
	default:
		v.Verdict = "nothing"
	}
	return next, v, nil
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
