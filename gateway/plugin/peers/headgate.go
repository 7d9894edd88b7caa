package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/matcher"
	"github.com/headgate/headgate/gateway/plugin/peers/guests/wanted"
	"github.com/headgate/headgate/sdk/abi"
)

// headgate runs a plugin in this repository's host, as a route would: metered,
// limited, with the default options.
type headgate struct {
	runtime *plugin.Runtime
	module  *plugin.Module
	binding *plugin.Binding
	in, out []pipeline.Item
}

func openHeadgate(w work) opener {
	return func(ctx context.Context, k *kit) (guest, error) {
		wasm, config := headgateNoop(), "{}"
		if w != rawNoop {
			var err error
			if wasm, err = k.build(ctx, "headgate"); err != nil {
				return nil, err
			}
			config = map[work]string{goNoop: `{"do":"no-op"}`, goFilter: `{"do":"filter"}`}[w]
		}
		r, err := plugin.NewRuntime(ctx, plugin.Options{})
		if err != nil {
			return nil, err
		}
		m, err := r.Load(ctx, wasm)
		if err != nil {
			return nil, errors.Join(err, r.Close(ctx))
		}
		b, err := m.Bind(ctx, plugin.Filter, []byte(config), "judge@1")
		if err != nil {
			m.Close()
			return nil, errors.Join(err, r.Close(ctx))
		}
		return &headgate{runtime: r, module: m, binding: b}, nil
	}
}

func (h *headgate) prepare(events []event.Event) error {
	h.in = make([]pipeline.Item, len(events))
	for i := range events {
		h.in[i] = pipeline.Item{Origin: i, Source: &events[i], Event: &events[i], Position: event.Position{Seq: 1, Index: i}}
	}
	return nil
}

func (h *headgate) call() (err error) {
	h.out, err = h.binding.Run(context.Background(), h.in, h.out[:0])
	return err
}

func (h *headgate) passed(i int) bool {
	return slices.ContainsFunc(h.out, func(it pipeline.Item) bool { return it.Origin == i && it.Err == nil })
}

func (h *headgate) close() error {
	h.binding.Close()
	h.module.Close()
	return h.runtime.Close(context.Background())
}

// headgateNoop passes every event. It calls begin for each, as the ABI asks:
// by that the fuel of each event is its own.
func headgateNoop() []byte {
	const handle, arena, verdict, end, number = 0, 1, 3, 4, 5
	description := `{"name":"no-op","kinds":["filter"]}`
	load := func(offset byte) []byte { return []byte{0x28, 2, offset} }
	filter := slices.Concat(
		get(arena), get(arena), load(8), add, i32(abi.VerdictOffset), add, set(verdict),
		get(verdict), get(arena), load(4), i32(abi.InputRecordBytes), []byte{0x6c}, add, set(end),
		[]byte{0x03, 0x40}, // loop
		get(number), call(0),
		get(verdict), i32(int64(abi.Pass)), []byte{0x36, 2, 0}, // i32.store
		get(number), i32(1), add, set(number),
		get(verdict), i32(abi.InputRecordBytes), add, set(verdict),
		get(verdict), get(end), []byte{0x49, 0x0d, 0, 0x0b}, // below: again
		i32(0))
	return raw{
		imports: []rawFunc{{module: abi.Module, name: abi.ImportBegin, typ: "i>"}},
		data:    description,
		funcs: []rawFunc{
			{name: abi.ExportDescribe, typ: ">l", body: i64(int64(abi.Pack(rawData, uint32(len(description)))))},
			{name: abi.ExportAlloc, typ: "i>i", body: i32(rawRoom)},
			{name: abi.ExportOpen, typ: "iii>i", body: i32(handle)},
			{name: abi.ExportClose, typ: "i>"},
			{name: abi.ExportFilter, typ: "iii>i", locals: 3, body: filter},
		},
	}.bytes()
}

// filterText is package wanted in the filter language of routes, which needs
// no plugin.
type filterText struct {
	runtime *matcher.Runtime
	set     *matcher.Set
	matcher *matcher.Matcher
	events  []event.Event
	verdict []bool
}

func openText(ctx context.Context, _ *kit) (guest, error) {
	f, err := filter.Parse(fmt.Sprintf("type = '%s' AND $body.modelId = '%s'", wanted.Type, wanted.Model))
	if err != nil {
		return nil, err
	}
	r, err := matcher.NewRuntime(ctx)
	if err != nil {
		return nil, err
	}
	set, err := r.NewSet(ctx, []*filter.Filter{f}, nil)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	m, err := set.NewMatcher(ctx)
	if err != nil {
		set.Close()
		return nil, errors.Join(err, r.Close())
	}
	return &filterText{runtime: r, set: set, matcher: m}, nil
}

func (t *filterText) prepare(events []event.Event) error {
	t.events, t.verdict = events, make([]bool, len(events))
	return nil
}

func (t *filterText) call() error {
	for i := range t.events {
		t.matcher.Load(&t.events[i])
		t.verdict[i] = t.matcher.Match(0)
	}
	return nil
}

func (t *filterText) passed(i int) bool { return t.verdict[i] }

func (t *filterText) close() error {
	err := t.matcher.Close()
	t.set.Close()
	return errors.Join(err, t.runtime.Close())
}
