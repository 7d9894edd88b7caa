package golden

import (
	"errors"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/plugintest"
)

// host runs the plugin of the package under test as the gateway does.
type host struct {
	module *plugin.Module
	used   plugin.Use // by the latest call
}

// newHost builds the plugin in the current directory and loads it.
func newHost(t testing.TB) *host {
	t.Helper()
	h := &host{}
	r, err := plugin.NewRuntime(t.Context(), plugin.Options{Measure: func(u plugin.Use) { h.used = u }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	m, err := r.Load(t.Context(), plugintest.Build(t, "."))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	h.module = m
	return h
}

func (h *host) bind(t testing.TB, config string) *plugin.Binding {
	t.Helper()
	b, err := h.module.Bind(t.Context(), plugin.Transform, []byte(config), "test@1")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// transform is plugintest's, in the host.
func (h *host) transform(t testing.TB, config string, events []plugintest.Event) []plugintest.Result {
	t.Helper()
	b := h.bind(t, config)
	defer b.Close()
	out, err := b.Run(t.Context(), items(events), nil)
	if err != nil {
		t.Fatal(err)
	}
	results := make([]plugintest.Result, len(events))
	for _, it := range out {
		r := &results[it.Origin]
		if it.Err != nil {
			r.Err = it.Err.Error()
			if g := (*plugin.GuestError)(nil); errors.As(it.Err, &g) && g.Fault == plugin.Failed {
				r.Err = g.Text
			}
			continue
		}
		r.Outputs = append(r.Outputs, output(&it))
	}
	return results
}

func items(events []plugintest.Event) []pipeline.Item {
	list := make([]pipeline.Item, len(events))
	for i := range events {
		e := accepted(&events[i])
		list[i] = pipeline.Item{Origin: i, Source: e, Event: e, Position: event.Position{Seq: 1, Index: i}}
	}
	return list
}

func accepted(e *plugintest.Event) *event.Event {
	out := &event.Event{
		ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.Time,
		DataContentType: e.DataContentType, DataSchema: e.DataSchema, Data: e.Data,
	}
	for _, p := range e.Extensions {
		out.Extensions = append(out.Extensions, event.Extension{Name: p.Name, Value: p.Value, Kind: event.Kind(p.Kind)})
	}
	return out
}

func output(it *pipeline.Item) plugintest.Output {
	e := it.Event
	o := plugintest.Output{Event: plugintest.Event{
		ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.Time,
		DataContentType: e.DataContentType, DataSchema: e.DataSchema, Data: e.Data,
	}}
	for _, x := range e.Extensions {
		o.Extensions = append(o.Extensions, plugintest.Pair{Name: x.Name, Value: x.Value, Kind: abi.ValueKind(x.Kind)})
	}
	if p := it.Properties; p != nil {
		o.SessionID, o.PartitionKey, o.MessageID = p.SessionID, p.PartitionKey, p.MessageID
		o.ScheduledTime, o.TimeToLive = p.ScheduledAt, p.TimeToLive
		for _, a := range p.Application {
			o.Properties = append(o.Properties, plugintest.Pair{Name: a.Name, Value: a.Value})
		}
	}
	return o
}
