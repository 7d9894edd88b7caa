package main

import (
	"context"
	"fmt"

	extism "github.com/extism/go-sdk"

	"github.com/headgate/headgate/gateway/event"
)

// extismGuest runs in Extism: compiled once, one instance used again and again.
type extismGuest struct {
	compiled *extism.CompiledPlugin
	instance *extism.Plugin
	function string
	input    []byte
	output   []byte
}

func openExtism(w work, how kind) opener {
	return func(ctx context.Context, k *kit) (guest, error) {
		wasm, function := raw{funcs: []rawFunc{{name: "pass", typ: ">i", body: i32(0)}}}.bytes(), "pass"
		if w != rawNoop {
			var err error
			if wasm, err = k.build(ctx, "extism"); err != nil {
				return nil, err
			}
		}
		if w == goFilter {
			function = map[bool]string{false: "filter", true: "filter_all"}[how == packed]
		}
		manifest := extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: wasm}}}
		if how == limited {
			manifest.Timeout = uint64(timeLimit.Milliseconds())
		}
		compiled, err := extism.NewCompiledPlugin(ctx, manifest, extism.PluginConfig{EnableWasi: true}, nil)
		if err != nil {
			return nil, err
		}
		instance, err := compiled.Instance(ctx, extism.PluginInstanceConfig{})
		if err != nil {
			return nil, err
		}
		return &extismGuest{compiled: compiled, instance: instance, function: function}, nil
	}
}

// prepare writes the events as JSON, in lines: Extism takes bytes, and leaves
// it to its user what they mean.
func (g *extismGuest) prepare(events []event.Event) error {
	g.input = nil
	for i := range events {
		if i > 0 {
			g.input = append(g.input, '\n')
		}
		g.input = event.AppendJSON(g.input, &events[i])
	}
	return nil
}

func (g *extismGuest) call() error {
	code, output, err := g.instance.Call(g.function, g.input)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("the guest answered %d", code)
	}
	g.output = output
	return nil
}

func (g *extismGuest) passed(i int) bool {
	return g.function == "pass" || i < len(g.output) && g.output[i] == 1
}

func (g *extismGuest) close() error {
	ctx := context.Background()
	if err := g.instance.Close(ctx); err != nil {
		return err
	}
	return g.compiled.Close(ctx)
}
