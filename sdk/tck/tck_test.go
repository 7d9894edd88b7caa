package tck_test

import (
	"errors"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/plugintest"
	"github.com/headgate/headgate/sdk/tck"
	"github.com/headgate/headgate/sdk/tck/guest"
)

// native runs the guest in this process, without a host around it.
type native struct{}

func (native) Filter(t testing.TB, config string, events []plugintest.Event) (answers []tck.Answer, refused string) {
	g := plugintest.New(t, guest.Plugin())
	if events == nil {
		return nil, g.Refusal(abi.Filter, config)
	}
	for _, v := range g.Filter(config, events...) {
		answers = append(answers, tck.Answer{Pass: v.Pass, Failed: v.Err != "", Words: v.Err})
	}
	return answers, ""
}

func (native) Transform(t testing.TB, config string, events []plugintest.Event) (answers []tck.Answer, refused string) {
	g := plugintest.New(t, guest.Plugin())
	if events == nil {
		return nil, g.Refusal(abi.Transform, config)
	}
	for _, r := range g.Transform(config, events...) {
		answers = append(answers, tck.Answer{Outputs: r.Outputs, Failed: r.Err != "", Words: r.Err})
	}
	return answers, ""
}

func TestNative(t *testing.T) { tck.Run(t, native{}, tck.Options{Bare: true}) }

// gateway is the host that the product has.
type gateway struct{ module *plugin.Module }

func TestGateway(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the runtime for WebAssembly")
	}
	wasm := plugintest.Build(t, "guest/module")
	// What 1,024 outputs of a guest in Go take is more than events are given.
	r, err := plugin.NewRuntime(t.Context(), plugin.Options{Limits: plugin.Limits{EventFuel: 2_000_000_000}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	m, err := r.LoadWith(t.Context(), wasm, plugin.LoadOptions{Breaker: plugin.Breaker{Traps: -1}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tck.Run(t, gateway{m}, tck.Options{})
}

func (g gateway) Filter(t testing.TB, config string, events []plugintest.Event) ([]tck.Answer, string) {
	return g.run(t, plugin.Filter, config, events)
}

func (g gateway) Transform(t testing.TB, config string, events []plugintest.Event) ([]tck.Answer, string) {
	return g.run(t, plugin.Transform, config, events)
}

func (g gateway) run(t testing.TB, kind plugin.Kind, config string, events []plugintest.Event) ([]tck.Answer, string) {
	t.Helper()
	b, err := g.module.Bind(t.Context(), kind, []byte(config), "tck@1")
	if refused := (*plugin.ConfigError)(nil); errors.As(err, &refused) {
		return nil, refused.Text
	}
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	in := make([]pipeline.Item, len(events))
	for i := range events {
		e := eventOf(&events[i])
		in[i] = pipeline.Item{Origin: i, Source: e, Event: e, Position: event.Position{Seq: 1, Index: i}}
	}
	out, err := b.Run(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	answers := make([]tck.Answer, len(events))
	for _, item := range out {
		a := &answers[item.Origin]
		if failed := (*plugin.GuestError)(nil); errors.As(item.Err, &failed) {
			a.Failed = true
			if failed.Fault == plugin.Failed {
				a.Words = failed.Text
			}
		} else if a.Pass = kind == plugin.Filter; !a.Pass {
			a.Outputs = append(a.Outputs, outputOf(item.Event, item.Properties))
		}
	}
	return answers, ""
}

func eventOf(e *plugintest.Event) *event.Event {
	out := &event.Event{
		ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.Time,
		DataContentType: e.DataContentType, DataSchema: e.DataSchema, Data: e.Data,
	}
	for _, p := range e.Extensions {
		out.Extensions = append(out.Extensions, event.Extension{Name: p.Name, Value: p.Value, Kind: event.Kind(p.Kind)})
	}
	return out
}

func outputOf(e *event.Event, p *delivery.Properties) plugintest.Output {
	out := plugintest.Output{Event: plugintest.Event{
		ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.Time,
		DataContentType: e.DataContentType, DataSchema: e.DataSchema, Data: e.Data,
	}}
	for _, x := range e.Extensions {
		out.Extensions = append(out.Extensions, plugintest.Pair{Name: x.Name, Value: x.Value, Kind: abi.ValueKind(x.Kind)})
	}
	if p == nil {
		return out
	}
	out.SessionID, out.PartitionKey, out.MessageID, out.TimeToLive = p.SessionID, p.PartitionKey, p.MessageID, p.TimeToLive
	if out.ScheduledTime = p.ScheduledAt; !p.ScheduledAt.IsZero() {
		out.ScheduledTime = p.ScheduledAt.In(time.UTC)
	}
	for _, x := range p.Application {
		out.Properties = append(out.Properties, plugintest.Pair{Name: x.Name, Value: x.Value})
	}
	return out
}
