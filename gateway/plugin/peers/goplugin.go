package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/plugin/peers/guests/goplugin/judgepb"
)

// goPlugin runs in the host that go-plugin generates: loaded once, one plugin
// used again and again. Events are given as the structs of its protocol, made
// beforehand; encoding them is the host's.
type goPlugin struct {
	plugin interface {
		judgepb.Judge
		Close(context.Context) error
	}
	filter bool
	how    kind
	in     []*judgepb.Event
	out    []byte
}

func openGoPlugin(w work, how kind) opener {
	return func(ctx context.Context, k *kit) (guest, error) {
		wasm := goPluginNoop()
		if w != rawNoop {
			var err error
			if wasm, err = k.build(ctx, "goplugin"); err != nil {
				return nil, err
			}
		}
		file := filepath.Join(k.dir, "loaded.wasm")
		if err := os.WriteFile(file, wasm, 0o600); err != nil {
			return nil, err
		}
		newRuntime := judgepb.DefaultWazeroRuntime()
		if how == limited {
			newRuntime = stoppable
		}
		loader, err := judgepb.NewJudgePlugin(ctx, judgepb.WazeroRuntime(newRuntime))
		if err != nil {
			return nil, err
		}
		p, err := loader.Load(ctx, file)
		if err != nil {
			return nil, err
		}
		return &goPlugin{plugin: p, filter: w == goFilter, how: how}, nil
	}
}

// stoppable is the default runtime of go-plugin, but for what ends a call with
// its context.
func stoppable(ctx context.Context) (wazero.Runtime, error) {
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return r, nil
}

func (g *goPlugin) prepare(events []event.Event) error {
	g.in = nil
	for _, e := range events {
		m := &judgepb.Event{
			Id: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.Time,
			Datacontenttype: e.DataContentType, Dataschema: e.DataSchema, Data: e.Data,
		}
		for _, x := range e.Extensions {
			m.Extensions = append(m.Extensions, &judgepb.Extension{Name: x.Name, Value: x.Value})
		}
		g.in = append(g.in, m)
	}
	return nil
}

func (g *goPlugin) call() error {
	ctx := context.Background()
	switch g.how {
	case packed:
		return g.callAll(ctx)
	case limited:
		limit, cancel := context.WithTimeout(ctx, timeLimit)
		defer cancel()
		return g.callOne(limit)
	default:
		return g.callOne(ctx)
	}
}

func (g *goPlugin) callOne(ctx context.Context) error {
	judge := g.plugin.Pass
	if g.filter {
		judge = g.plugin.Filter
	}
	v, err := judge(ctx, g.in[0])
	if err != nil {
		return err
	}
	g.out = g.out[:0]
	if v.Pass {
		g.out = append(g.out, 1)
	}
	return nil
}

func (g *goPlugin) callAll(ctx context.Context) error {
	judge := g.plugin.PassAll
	if g.filter {
		judge = g.plugin.FilterAll
	}
	v, err := judge(ctx, &judgepb.Events{Events: g.in})
	if err != nil {
		return err
	}
	g.out = v.Pass
	return nil
}

func (g *goPlugin) passed(i int) bool { return i < len(g.out) && g.out[i] == 1 }

func (g *goPlugin) close() error { return g.plugin.Close(context.Background()) }

// goPluginNoop answers every call with the same message: Verdict{Pass: true},
// or Verdicts of as many passes as a batch has events.
func goPluginNoop() []byte {
	one, all := "\x08\x01", "\x0a"+string(text(strings.Repeat("\x01", many)))
	answer := func(at, n int) []byte { return i64(int64(rawData+at)<<32 | int64(n)) }
	return raw{
		data: one + all,
		funcs: []rawFunc{
			{name: "judge_api_version", typ: ">l", body: i64(judgepb.JudgePluginAPIVersion)},
			{name: "malloc", typ: "i>i", body: i32(rawRoom)},
			{name: "free", typ: "i>"},
			{name: "judge_pass", typ: "ii>l", body: answer(0, len(one))},
			{name: "judge_pass_all", typ: "ii>l", body: answer(len(one), len(all))},
			{name: "judge_filter", typ: "ii>l", body: answer(0, 0)},
			{name: "judge_filter_all", typ: "ii>l", body: answer(0, 0)},
		},
	}.bytes()
}
