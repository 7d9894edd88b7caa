package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/event"
)

// EventChange is one difference between an event as it was accepted and as a
// route made it. Part is "data", where Path is a JSON Pointer; "attribute", or
// "property" of the delivery, where Path is a name. Op is "add", "remove" or
// "replace".
type EventChange struct {
	Part   string          `json:"part"`
	Op     string          `json:"op"`
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Bounds of a difference.
const (
	maxChanges     = 500
	maxChangeBytes = 2 << 10 // of one value; longer ones are described
	maxDiffDepth   = 32      // what lies deeper is compared as a whole
)

// DiffEvents returns what a route that made after of before changed; p are the
// properties that it set. It is never nil.
func DiffEvents(before, after *event.Event, p *Properties) []EventChange {
	return DiffOutputs(before, nil, after, p)
}

// DiffOutputs returns what tells two outputs of a route apart, with the
// properties of each, which may be nil. It is never nil.
func DiffOutputs(before *event.Event, had *Properties, after *event.Event, has *Properties) []EventChange {
	d := differ{list: []EventChange{}}
	was, is := attributesOf(before), attributesOf(after)
	for _, name := range namesOf(was, is) {
		a, b := was[name], is[name]
		d.add("attribute", name, a, b)
	}
	d.data(before.Data, after.Data)
	d.properties(had, has)
	return d.list
}

type differ struct {
	list  []EventChange
	depth int
}

// add notes that before became after; nil is nothing, and the same is no change.
func (d *differ) add(part, path string, before, after json.RawMessage) {
	if bytes.Equal(before, after) || len(d.list) == maxChanges || sameText(before, after) {
		return
	}
	op := "replace"
	switch {
	case before == nil:
		op = "add"
	case after == nil:
		op = "remove"
	}
	d.list = append(d.list, EventChange{Part: part, Op: op, Path: path, Before: short(before), After: short(after)})
}

// data compares data as JSON, where it is.
func (d *differ) data(before, after []byte) {
	if bytes.Equal(before, after) {
		return
	}
	d.compare("", asJSON(before), asJSON(after))
}

// asJSON returns b, compact, or where it is not JSON a string that shows it; nil
// for no data.
func asJSON(b []byte) json.RawMessage {
	switch {
	case len(b) == 0:
		return nil
	case json.Valid(b):
		return compact(b)
	case utf8.Valid(b):
		return quote(string(b))
	}
	return quote("(" + strconv.Itoa(len(b)) + " bytes)")
}

// compare notes the differences of two values at path.
func (d *differ) compare(path string, before, after json.RawMessage) {
	if bytes.Equal(before, after) {
		return
	}
	if d.depth == maxDiffDepth {
		d.add("data", path, before, after)
		return
	}
	d.depth++
	defer func() { d.depth-- }()
	var was, is map[string]json.RawMessage
	if isOpen(before, '{') && isOpen(after, '{') && json.Unmarshal(before, &was) == nil && json.Unmarshal(after, &is) == nil {
		for _, name := range namesOf(was, is) {
			d.member(path+"/"+pointerEscape.Replace(name), was[name], is[name])
		}
		return
	}
	var list, now []json.RawMessage
	if isOpen(before, '[') && isOpen(after, '[') && json.Unmarshal(before, &list) == nil && json.Unmarshal(after, &now) == nil {
		for i := range max(len(list), len(now)) {
			var a, b json.RawMessage
			if i < len(list) {
				a = list[i]
			}
			if i < len(now) {
				b = now[i]
			}
			d.member(path+"/"+strconv.Itoa(i), a, b)
		}
		return
	}
	d.add("data", path, before, after)
}

func (d *differ) member(path string, before, after json.RawMessage) {
	if len(d.list) == maxChanges {
		return
	}
	if before == nil || after == nil {
		d.add("data", path, before, after)
		return
	}
	d.compare(path, before, after)
}

func (d *differ) properties(had, has *Properties) {
	was, is := propertiesOf(had), propertiesOf(has)
	find := func(list []property, name string) json.RawMessage {
		if i := slices.IndexFunc(list, func(p property) bool { return p.name == name }); i >= 0 {
			return list[i].value
		}
		return nil
	}
	for _, p := range is {
		d.add("property", p.name, find(was, p.name), p.value)
	}
	for _, p := range was {
		if find(is, p.name) == nil {
			d.add("property", p.name, p.value, nil)
		}
	}
}

// property is one of a delivery's properties, as JSON.
type property struct {
	name  string
	value json.RawMessage
}

func propertiesOf(p *Properties) (list []property) {
	if p == nil {
		return nil
	}
	for _, set := range []struct{ name, value string }{
		{"sessionId", p.SessionID}, {"partitionKey", p.PartitionKey}, {"messageId", p.MessageID},
	} {
		if set.value != "" {
			list = append(list, property{set.name, quote(set.value)})
		}
	}
	if !p.ScheduledAt.IsZero() {
		list = append(list, property{"scheduledAt", quote(p.ScheduledAt.Format(time.RFC3339Nano))})
	}
	if p.TimeToLive != 0 {
		list = append(list, property{"timeToLive", quote(p.TimeToLive.String())})
	}
	for _, a := range p.Application {
		list = append(list, property{"application/" + a.Name, quote(a.Value)})
	}
	return list
}

// attributesOf are the attributes that e has, as JSON strings.
func attributesOf(e *event.Event) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	set := func(name, value string) {
		if value != "" {
			out[name] = quote(value)
		}
	}
	set("id", e.ID)
	set("source", e.Source)
	set("type", e.Type)
	set("subject", e.Subject)
	set("time", e.Time)
	set("datacontenttype", e.DataContentType)
	set("dataschema", e.DataSchema)
	for _, x := range e.Extensions {
		set(x.Name, x.Value)
	}
	return out
}

func namesOf(a, b map[string]json.RawMessage) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// sameText reports whether both are strings that differ in their escapes alone.
func sameText(a, b json.RawMessage) bool {
	var s, t string
	return isOpen(a, '"') && isOpen(b, '"') && json.Unmarshal(a, &s) == nil && json.Unmarshal(b, &t) == nil && s == t
}

func isOpen(v json.RawMessage, bracket byte) bool { return len(v) > 0 && v[0] == bracket }

// short returns v, or a string that describes it where it is long.
func short(v json.RawMessage) json.RawMessage {
	if len(v) <= maxChangeBytes {
		return v
	}
	return quote("(" + strconv.Itoa(len(v)) + " bytes: " + strings.ToValidUTF8(string(v[:100]), "") + "…)")
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")
