package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/demo"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/admission"
	"github.com/headgate/headgate/gateway/store"
)

// AddVersion admits a module as a version of a plugin; see [admin.Plugins].
func (g *Gateway) AddVersion(ctx context.Context, by admin.Change, name string, module []byte, dryRun bool) (a catalog.Admitted, created bool, err error) {
	report, err := g.inspect(ctx, name, module)
	if err != nil {
		return a, false, err
	}
	if len(report.Refused) > 0 {
		return a, false, &catalog.FieldError{Reason: refusal(report)}
	}
	if a.Report, err = json.Marshal(report); err != nil {
		return a, false, err
	}
	v := catalog.Version{ConfigSchema: report.Config, Kinds: report.Kinds}
	snapshot := g.store.Snapshot()
	have, _ := snapshot.Plugin(name)
	if dryRun {
		v.Name, v.Digest, v.Size = name, report.Digest, int64(len(module))
		if i := slices.IndexFunc(have.Versions, func(h catalog.Version) bool { return h.Digest == v.Digest }); i >= 0 {
			v = have.Versions[i]
		}
		a.Version, a.DryRun = v, true
		return a, false, by.If.Check("plugin", name, have.Revision)
	}
	err = g.change(ctx, by.By, func(tx *store.Tx) error {
		snapshot := tx.Snapshot()
		have, _ := snapshot.Plugin(name)
		if err := by.If.Check("plugin", name, have.Revision); err != nil {
			return err
		}
		a.Version, created, err = tx.AddVersion(name, v, module)
		return err
	})
	return a, created, err
}

// refusal is why a module is refused, with what to do about it.
func refusal(r *admission.Report) string {
	parts := []string{strings.Join(r.Refused, "; ")}
	for _, w := range r.Warnings {
		parts = append(parts, w.Text+": "+w.Hint)
	}
	return strings.Join(parts, ". ")
}

// inspect takes a module apart and tries it as the routes that follow the
// plugin would use it, on the latest events that each of them takes; where no
// route does, as each of its kinds, on the latest events of all.
func (g *Gateway) inspect(ctx context.Context, name string, module []byte) (*admission.Report, error) {
	g.trial.running.Lock()
	defer g.trial.running.Unlock()
	snapshot := g.store.Snapshot()
	load, err := loadOptions(settingsOf(&snapshot, name))
	if err != nil {
		return nil, err
	}
	events, err := g.latest(ctx)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		for i, e := range demo.Samples() {
			events = append(events, pipeline.Item{Source: &e, Event: &e, Position: event.Position{Seq: 1, Index: i}})
		}
	}
	uses, err := g.uses(ctx, &snapshot, name, events)
	if err != nil {
		return nil, err
	}
	return admission.Inspect(ctx, module, admission.Options{
		CacheDir: filepath.Join(g.opts.Dir, cacheDir),
		Limits:   g.builder.plugins.Limits(), MaxLimits: g.builder.plugins.MaxLimits(),
		Load: load, Uses: uses, Events: events,
	})
}

// Bounds of what a module is tried on.
const (
	maxTrialEvents = 1000
	maxTrialBytes  = 8 << 20
	maxTrialUses   = 8
)

// latest returns the latest accepted events that a module is tried on.
func (g *Gateway) latest(ctx context.Context) ([]pipeline.Item, error) {
	items, _, err := g.latestEvents(ctx, maxTrialEvents, maxTrialBytes)
	return items, err
}

// latestEvents returns the latest accepted events, the oldest first: at most n,
// and no more than size bytes of them.
func (g *Gateway) latestEvents(ctx context.Context, n, size int) (items []pipeline.Item, covered catalog.Covered, err error) {
	covered.Complete = true
scan:
	for seq := g.journal.Last(); seq > 0 && seq >= g.journal.First() && len(items) < n; seq-- {
		chunk, err := g.journal.Chunk(ctx, seq)
		if ctx.Err() != nil {
			return nil, covered, ctx.Err()
		}
		if err != nil {
			covered.Complete = false
			continue // purged meanwhile, or damaged: a trial can do without
		}
		for i := range slices.Backward(chunk.Events) {
			e := &chunk.Events[i]
			if size -= e.Size(); size < 0 {
				covered.Complete = false
				break scan
			}
			if len(items) == n {
				break scan
			}
			at := event.Position{Seq: seq, Index: i}
			if len(items) == 0 {
				covered.To, covered.ToTime = at.String(), chunk.Accepted
			}
			covered.From, covered.FromTime = at.String(), chunk.Accepted
			items = append(items, pipeline.Item{Source: e, Event: e, Position: at})
		}
	}
	slices.Reverse(items)
	covered.Events = len(items)
	return items, covered, nil
}

// uses returns how the routes that follow the plugin's name use it.
func (g *Gateway) uses(ctx context.Context, s *catalog.Snapshot, name string, events []pipeline.Item) ([]admission.Use, error) {
	var uses []admission.Use
	for _, id := range s.FollowersOf(name) {
		r, _ := s.Route(id)
		parsed, err := parseFilter(r.Filter)
		if err != nil {
			return nil, err // it was stored by another version
		}
		explainer, err := g.trial.filters.NewExplainer(ctx, parsed)
		if err != nil {
			return nil, err
		}
		var taken []pipeline.Item
		for _, item := range events {
			explainer.Load(item.Event)
			if failing, _ := explainer.Failing(0); failing < 0 {
				taken = append(taken, item)
			}
		}
		explainer.Close()
		for _, part := range []struct {
			kind plugin.Kind
			refs []catalog.PluginRef
		}{{plugin.Filter, r.Filters}, {plugin.Transform, r.Transforms}} {
			for _, ref := range part.refs {
				if ref.Plugin.Name == name && ref.Plugin.Follows() && len(uses) < maxTrialUses {
					uses = append(uses, admission.Use{Route: id, Kind: part.kind, Config: ref.Config, Events: taken})
				}
			}
		}
	}
	return uses, nil
}

// Traps lists the traps that are kept, the latest first.
func (g *Gateway) Traps() ([]catalog.Trap, error) {
	files, err := g.builder.plugins.Bundles()
	if err != nil {
		return nil, err
	}
	var list []catalog.Trap
	for _, f := range files {
		text, err := g.builder.plugins.Bundle(f.Name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it made room for a later one
		}
		if err != nil {
			return nil, err
		}
		b, err := plugin.ReadBundle(text)
		if err != nil {
			g.log.Warn("a bundle of a trap cannot be read", "bundle", f.Name, "err", err)
			continue
		}
		t := catalog.Trap{
			ID: f.Name, Time: f.Time, Size: f.Size, Plugin: b.Plugin, Digest: b.Digest, Kind: b.Kind,
			Fault: string(b.Trap.Fault), Text: b.Trap.Text, At: b.Trap.At, Fuel: b.Trap.Fuel,
		}
		if b.Event != nil {
			t.Position = b.Event.Position
		}
		list = append(list, t)
	}
	return list, nil
}

// Trap returns the bundle of a trap.
func (g *Gateway) Trap(id string) ([]byte, error) {
	text, err := g.builder.plugins.Bundle(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &catalog.NotFoundError{Kind: "trap", Name: id}
	}
	if err != nil {
		return nil, fmt.Errorf("trap %s: %w", id, err)
	}
	return text, nil
}
