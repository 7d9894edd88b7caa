package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/headgate/headgate/gateway/pipeline"
)

// Replayed is what became of a bundle.
type Replayed struct {
	// Trap is how the guest failed this time; nil when it did not.
	Trap *GuestError
	// Same says that it failed as the bundle says, to the instruction. Otherwise
	// Differs says in what.
	Same    bool
	Differs string
	Items   []pipeline.Item // what came out
	Logs    []Log
}

// Replay runs the event of a bundle through the module that trapped on it, as
// it was run then: alone, on a fresh instance, in the same world. It touches
// nothing else. The error says why it could not.
func Replay(ctx context.Context, b *Bundle, wasm []byte) (*Replayed, error) {
	sum := sha256.Sum256(wasm)
	if digest := "sha256:" + hex.EncodeToString(sum[:]); digest != b.Digest {
		return nil, fmt.Errorf("the module is %s, the bundle is of %s", digest, b.Digest)
	}
	kind, err := kindOf(b.Kind)
	if err != nil {
		return nil, err
	}
	r := &Replayed{}
	rt, err := NewRuntime(ctx, Options{Limits: b.Limits, Log: func(l Log) { r.Logs = append(r.Logs, l) }})
	if err != nil {
		return nil, err
	}
	defer rt.Close(ctx)
	m, err := rt.LoadWith(ctx, wasm, LoadOptions{Grant: b.Granted})
	if err == nil {
		defer m.Close()
		r.Logs = nil
		r.Items, err = replay(ctx, m, kind, b)
	}
	if errors.As(err, &r.Trap) {
		err = nil
	}
	if err == nil {
		r.compare(b)
	}
	return r, err
}

// replay returns the guest's failure as an error.
func replay(ctx context.Context, m *Module, kind Kind, b *Bundle) ([]pipeline.Item, error) {
	cfg, err := m.configs.retain(kind, b.Config)
	if err != nil {
		return nil, err
	}
	defer m.configs.release(cfg)
	i, err := newInstance(ctx, m, b.Plugin, nil, &tape{calls: b.Calls})
	if err != nil {
		return nil, err
	}
	defer i.close()
	h, err := i.handle(cfg)
	if err != nil || b.Event == nil {
		return nil, err
	}
	item, err := b.Item()
	if err != nil {
		return nil, err
	}
	out, err := i.run(cfg, h, []pipeline.Item{item}, nil)
	if err == nil && len(out) > 0 && out[0].Err != nil {
		err = out[0].Err
	}
	return out, err
}

func (r *Replayed) compare(b *Bundle) {
	if r.Trap == nil {
		r.Differs = "it did not fail"
	} else if got := trapOf(r.Trap); got != b.Trap {
		switch want := b.Trap; {
		case got.Fault != want.Fault || got.Text != want.Text:
			r.Differs = fmt.Sprintf("it was %s (%s), and now is %s (%s)", want.Fault, want.Text, got.Fault, got.Text)
		case got.Fuel != want.Fuel:
			r.Differs = fmt.Sprintf("it used %d fuel, and now %d", want.Fuel, got.Fuel)
		default:
			r.Differs = "its stack is another one"
		}
	}
	if r.Same = r.Differs == ""; !r.Same && versions() != b.Versions {
		r.Differs += fmt.Sprintf("; the versions are others too: %+v then, %+v now", b.Versions, versions())
	}
}
