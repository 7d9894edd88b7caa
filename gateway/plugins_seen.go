package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/causes"
	"github.com/headgate/headgate/gateway/logbook"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/telemetry"
	"github.com/headgate/headgate/sdk/abi"
)

func (g *Gateway) logPlugin(l plugin.Log) {
	g.log.Info(l.Text, telemetry.KeyPlugin, l.Plugin, "level", l.Level, telemetry.KeyPosition, l.Position)
	levels := map[abi.Level]logbook.Level{abi.Debug: logbook.Debug, abi.Info: logbook.Info, abi.Warn: logbook.Warn, abi.Error: logbook.Error}
	g.logbook.Write(l.Plugin, logbook.Line{At: time.Now(), Level: levels[l.Level], Text: l.Text, Position: l.Position})
}

// notePlugin logs what an operator should know of a plugin.
func (g *Gateway) notePlugin(n plugin.Notice) {
	say, line := g.log.Warn, logbook.Line{At: time.Now(), Level: logbook.Warn, Server: true, Position: n.Position, Trap: n.Bundle}
	switch n.What {
	case plugin.EventTrapped:
		line.Level, line.Text = logbook.Error, fmt.Sprint("it failed on an event: ", n.Err)
	case plugin.StartTrapped:
		line.Level, line.Text = logbook.Error, fmt.Sprint("it does not start: ", n.Err)
	case plugin.StateDependent:
		line.Text = fmt.Sprint("a batch failed of which each event passed alone: ", n.Err)
	case plugin.BreakerOpened:
		line.Level, line.Text = logbook.Error, fmt.Sprintf("it kept failing, and is left alone until %s: %v", n.Until.UTC().Format(time.RFC3339), n.Err)
	case plugin.BreakerClosed:
		say, line.Level, line.Text = g.log.Info, logbook.Info, "it runs again"
	default:
		line.Text = fmt.Sprint(n.What, ": ", n.Err)
	}
	g.logbook.Write(n.Plugin, line)
	say("plugin: "+string(n.What), telemetry.KeyPlugin, n.Plugin, telemetry.KeyPosition, n.Position,
		"bundle", n.Bundle, "until", n.Until, telemetry.KeyErr, n.Err)
}

func (g *Gateway) measurePlugin(u plugin.Use) {
	g.metrics.PluginCalled(u.Plugin, u.Events, u.Fuel, u.Elapsed, u.Failed)
	g.logbook.Measure(logbook.Use{Plugin: u.Plugin, Events: u.Events, Fuel: u.Fuel, MostFuel: u.MostFuel, Elapsed: u.Elapsed, Failed: u.Failed})
}

// VersionStats is what a version of a plugin did since the start; see
// [admin.PluginLooks].
func (g *Gateway) VersionStats(name string, version int) *catalog.VersionStats {
	f := g.logbook.Figures(fmt.Sprintf("%s@%d", name, version))
	if f.Calls == 0 {
		return nil
	}
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	return &catalog.VersionStats{
		Events: f.Events, Calls: f.Calls, Traps: f.Failed, Fuel: f.Fuel, MaxFuel: f.MostFuel,
		P50Micros: micros(f.P50), P99Micros: micros(f.P99),
	}
}

// PluginLogs returns what a plugin said, and what is to be said of it.
func (g *Gateway) PluginLogs(q admin.LogQuery) (catalog.PluginLogs, error) {
	snapshot := g.store.Snapshot()
	if _, ok := snapshot.Plugin(q.Plugin); !ok {
		return catalog.PluginLogs{}, &catalog.NotFoundError{Kind: "plugin", Name: q.Plugin}
	}
	out := catalog.PluginLogs{Items: []catalog.PluginLogLine{}}
	lines, dropped := g.logbook.Lines(q.Plugin, q.Version, logbook.Level(max(slices.Index(catalog.LogLevels, q.Level), 0)), q.Limit)
	out.Dropped = dropped
	for _, l := range lines {
		line := catalog.PluginLogLine{
			At: l.At.UTC(), Version: l.Version, Level: catalog.LogLevels[l.Level], Text: l.Text, From: "plugin", Position: l.Position, Trap: l.Trap,
		}
		if l.Server {
			line.From = "server"
		}
		out.Items = append(out.Items, line)
	}
	return out, nil
}

// TrapGroups lists the traps by their cause, the latest first.
func (g *Gateway) TrapGroups() ([]catalog.TrapGroup, error) {
	traps, err := g.Traps()
	if err != nil {
		return nil, err
	}
	byKey := map[string]*catalog.TrapGroup{}
	for _, t := range traps {
		cause := causes.Fold(t.Text)
		key := t.Plugin + "\x00" + t.Kind + "\x00" + t.Fault + "\x00" + t.At + "\x00" + cause
		group := byKey[key]
		if group == nil {
			sum := sha256.Sum256([]byte(key))
			group = &catalog.TrapGroup{
				ID: hex.EncodeToString(sum[:6]), Plugin: t.Plugin, Digest: t.Digest, Kind: t.Kind, Fault: t.Fault, At: t.At, Cause: cause,
				First: t.Time, Last: t.Time, Latest: t,
			}
			byKey[key] = group
		}
		group.Count++
		if t.Time.Before(group.First) {
			group.First = t.Time
		}
		if t.Time.After(group.Last) {
			group.Last, group.Latest = t.Time, t
		}
	}
	groups := make([]catalog.TrapGroup, 0, len(byKey))
	for _, group := range byKey {
		groups = append(groups, *group)
	}
	slices.SortFunc(groups, func(a, b catalog.TrapGroup) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID)) })
	return groups, nil
}

// forgetPlugins drops what is known of plugins that are gone.
func (g *Gateway) forgetPlugins(snapshot *catalog.Snapshot) {
	g.logbook.Forget(func(name string, version int) bool {
		p, ok := snapshot.Plugin(name)
		if ok && version != 0 {
			_, ok = p.Version(version)
		}
		return ok
	})
}
