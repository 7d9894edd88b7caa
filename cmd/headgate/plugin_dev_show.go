package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/headgate/headgate/gateway/catalog"
)

// uses reports whether r follows the active version of the plugin.
func uses(r catalog.Route, plugin string) bool {
	return slices.ContainsFunc(r.Refs(), func(ref catalog.Ref) bool { return ref.Name == plugin && ref.Follows() })
}

// pinned is r with the plugin at a version.
func pinned(r catalog.Route, plugin string, version int) catalog.Route {
	pin := func(refs []catalog.PluginRef) []catalog.PluginRef {
		refs = slices.Clone(refs)
		for i := range refs {
			if refs[i].Plugin.Name == plugin && refs[i].Plugin.Follows() {
				refs[i].Plugin.Version = version
			}
		}
		return refs
	}
	r.Filters, r.Transforms = pin(r.Filters), pin(r.Transforms)
	return r
}

// try returns, for each event, in lines what the route makes of it with the
// plugin at a version; none for an event that no plugin of the route looks at.
func (d *dev) try(ctx context.Context, r catalog.Route, version int, events []catalog.StoredEvent) ([][]string, error) {
	route, err := json.Marshal(pinned(r, d.name, version).WithDefaults())
	if err != nil {
		return nil, err
	}
	sent := make([]json.RawMessage, len(events))
	for i := range events {
		if sent[i], err = json.Marshal(events[i].Event); err != nil {
			return nil, err
		}
	}
	results, err := d.client.TestRoute(ctx, route, sent)
	if err != nil {
		return nil, err
	}
	lines := make([][]string, len(events))
	for i, res := range results[:min(len(results), len(events))] {
		lines[i] = made(&events[i], &res, len(r.Transforms) > 0)
	}
	return lines, nil
}

// made tells what became of an event.
func made(e *catalog.StoredEvent, r *catalog.TestResult, transforms bool) (lines []string) {
	switch {
	case r.Error != "":
		lines = append(lines, "fails: "+r.Error)
	case !r.Matched && r.Fuel == 0:
		return nil // the route's own filter dropped it
	case !r.Matched:
		lines = append(lines, "is dropped")
	case len(r.Outputs) == 0:
		lines = append(lines, "becomes nothing")
	case !transforms:
		lines = append(lines, "passes")
	default:
		for i := range r.Outputs {
			lines = append(lines, "→ "+changes(e, &r.Outputs[i]))
		}
	}
	for _, log := range r.Logs {
		lines = append(lines, "log: "+log)
	}
	return lines
}

// changes tells an output by what of it differs from the event.
func changes(e *catalog.StoredEvent, o *catalog.Output) string {
	before, after := attributes(e.Event), attributes(o.Event)
	var parts []string
	for _, name := range slices.Sorted(keys(before, after)) {
		switch {
		case name == "data" || before[name] == after[name]:
		case after[name] == "":
			parts = append(parts, "no "+name)
		default:
			parts = append(parts, name+"="+after[name])
		}
	}
	if p := o.Properties; p != nil {
		text, _ := json.Marshal(p) // of strings and numbers
		var members map[string]json.RawMessage
		_ = json.Unmarshal(text, &members)
		for _, name := range slices.Sorted(keys(members)) {
			parts = append(parts, name+"="+strings.Trim(string(members[name]), `"`))
		}
	}
	if before["data"] != after["data"] {
		parts = append(parts, dataText(&o.Event.Event))
	}
	return cmp.Or(strings.Join(parts, "  "), "as it came")
}

// attributes are the members of an event in the JSON format, strings unquoted.
func attributes(e catalog.CloudEvent) map[string]string {
	text, _ := e.MarshalJSON() // never fails
	var members map[string]json.RawMessage
	_ = json.Unmarshal(text, &members)
	out := map[string]string{}
	for name, v := range members {
		s := string(v)
		if name != "data" {
			_ = json.Unmarshal(v, &s) // a number or a boolean keeps its text
		}
		out[name] = s
	}
	return out
}

// keys yields the names in the maps.
func keys[V any](maps ...map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, m := range maps {
			for name := range m {
				if !seen[name] && !yield(name) {
					return
				}
				seen[name] = true
			}
		}
	}
}

// label names a route, or the plugin where no route uses it.
func (d *dev) label(r catalog.Route) string { return oneLine(cmp.Or(r.ID, d.name), 40) }

// show tells of live events that a plugin looked at: a few of them, and how many
// there were.
func (d *dev) show(ctx context.Context, events []catalog.StoredEvent) error {
	lines := make([][]string, len(events))
	for _, r := range d.routes {
		made, err := d.try(ctx, r, d.version, events)
		if err != nil {
			return err
		}
		for i := range made {
			for _, line := range made[i] {
				lines[i] = append(lines[i], d.label(r)+": "+line)
			}
		}
	}
	shown, more := 0, 0
	for i := range events {
		if lines[i] == nil {
			continue
		}
		d.recent = append(d.recent, events[i])
		if shown++; shown > devShown {
			more++
			continue
		}
		d.tell("%s\n%s", d.event(&events[i]), "  "+strings.Join(lines[i], "\n  "))
	}
	if more > 0 {
		d.tell("and %s", count(more, "more event"))
	}
	d.recent = d.recent[max(len(d.recent)-devRecent, 0):]
	return nil
}

func (d *dev) event(s *catalog.StoredEvent) string {
	e := &s.Event.Event
	return fmt.Sprintf("%s  %s  %s", oneLine(e.TwinKey(), 40), oneLine(shortType(e.Type), 60), oneLine(dataText(e), 200))
}

// compare tells which of the latest events come out otherwise than under the
// version before.
func (d *dev) compare(ctx context.Context, before int) error {
	differ := 0
	for _, r := range d.routes {
		if len(d.recent) == 0 {
			break
		}
		old, err := d.try(ctx, r, before, d.recent)
		if err != nil {
			return err
		}
		now, err := d.try(ctx, r, d.version, d.recent)
		if err != nil {
			return err
		}
		for i := range d.recent {
			if slices.Equal(old[i], now[i]) {
				continue
			}
			if differ++; differ <= devShown {
				d.tell("%s\n  %s - %s\n  %s + %s", d.event(&d.recent[i]),
					d.label(r), strings.Join(old[i], "; "), d.label(r), strings.Join(now[i], "; "))
			}
		}
	}
	if n := len(d.recent); n > 0 {
		d.tell("otherwise than under version %d: %d of the latest %s", before, differ, count(n, "event"))
	}
	return nil
}
