package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/config"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/store"
)

// PutPluginSettings replaces what an operator decides of a plugin; see
// [admin.Plugins]. The routes that use it run under the new settings when it
// returns.
func (g *Gateway) PutPluginSettings(ctx context.Context, by admin.Change, name string, s catalog.PluginSettings) (p catalog.Plugin, err error) {
	options, err := loadOptions(s)
	if err != nil {
		return p, err
	}
	if err := g.builder.plugins.Allows(options.Limits); err != nil {
		return p, &catalog.FieldError{Field: "limits", Reason: err.Error()}
	}
	err = g.change(ctx, by.By, func(tx *store.Tx) error {
		p, err = tx.PutPluginSettings(name, s, by.If)
		return err
	})
	return p, err
}

// settingsOf returns the settings of the plugin called name, which need not be.
func settingsOf(s *catalog.Snapshot, name string) catalog.PluginSettings {
	p, _ := s.Plugin(name)
	return p.PluginSettings
}

// loadOptions returns how the host is to load a plugin with such settings. Its
// error is a [*catalog.FieldError].
//
// Events that come while a plugin's breaker is open become dead letters unless
// the settings say that they wait: a person is told sooner, and can drive them
// again once it is mended.
func loadOptions(s catalog.PluginSettings) (plugin.LoadOptions, error) {
	o := plugin.LoadOptions{Grant: s.Grants, Breaker: plugin.Breaker{DeadLetter: true}}
	for name, raw := range s.Limits {
		text := string(raw)
		var quoted string
		if json.Unmarshal(raw, &quoted) == nil {
			text = quoted
		}
		if err := o.Limits.Set(name, text); err != nil {
			return o, &catalog.FieldError{Field: "limits." + name, Reason: err.Error()}
		}
	}
	for i, grant := range s.Grants {
		if known := plugin.Capabilities(); !slices.Contains(known, grant) {
			return o, &catalog.FieldError{
				Field:  fmt.Sprintf("grants[%d]", i),
				Reason: fmt.Sprintf("%q is not a capability; there are %s", grant, strings.Join(known, ", ")),
			}
		}
	}
	if b := s.Breaker; b != nil {
		o.Breaker = plugin.Breaker{
			Traps: b.Traps, Window: b.Window,
			Pause: time.Duration(b.Pause), MaxPause: time.Duration(b.MaxPause),
			DeadLetter: b.OnOpen != catalog.OnOpenWait,
		}
	}
	return o, nil
}

// pluginLimits reads the limits of the process's configuration. Its error names
// the setting.
func pluginLimits(c config.Plugins) (limits, most plugin.Limits, err error) {
	for _, part := range []struct {
		setting string
		texts   map[string]string
		to      *plugin.Limits
	}{{"plugin-limits", c.Limits, &limits}, {"plugin-max-limits", c.MaxLimits, &most}} {
		for _, name := range slices.Sorted(maps.Keys(part.texts)) {
			if err := part.to.Set(name, part.texts[name]); err != nil {
				return limits, most, fmt.Errorf("%s: %w", part.setting, err)
			}
		}
	}
	return limits, most, nil
}
