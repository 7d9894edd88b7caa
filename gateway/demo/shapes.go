package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// notification is what all events but telemetry have in common.
func (f *Factory) notification(now time.Time, typ, subject, data string) event.Event {
	return event.Event{
		ID: f.uuid(), Source: Host, Type: typ, Subject: subject, Time: timestamp(now),
		DataContentType: "application/json", Extensions: f.trace(), Data: []byte(data),
	}
}

// operation is one of a JSON Patch. A removal has no value.
type operation struct{ op, path, value string }

func replace(path, value string) operation { return operation{"replace", path, value} }

// patch is what an update carries.
func patch(model string, ops []operation) string {
	parts := make([]string, len(ops))
	for i, o := range ops {
		if o.value != "" {
			parts[i] = fmt.Sprintf(`"value":%s,`, o.value)
		}
		parts[i] = fmt.Sprintf(`{%s"path":%q,"op":%q}`, parts[i], o.path, o.op)
	}
	return fmt.Sprintf(`{"modelId":%q,"patch":[%s]}`, model, strings.Join(parts, ","))
}

// update is a twin of which properties have changed.
func (f *Factory) update(now time.Time, twin, model string, ops ...operation) event.Event {
	return f.notification(now, event.TwinUpdate, twin, patch(model, ops))
}

// telemetry is what a machine says without changing its twin. It has no time, its
// source names the twin, and its subject the component, if that says it.
func (f *Factory) telemetry(m *machine) event.Event {
	component, data := m.readings(f.rnd)
	return event.Event{
		ID: f.uuid(), Source: Host + "/digitaltwins/" + m.id, Type: event.Telemetry, Subject: component,
		DataContentType: "application/json", DataSchema: m.model(), Extensions: f.trace(), Data: []byte(data),
	}
}

// lifecycle is a twin that was created or deleted: the whole of it.
func (f *Factory) lifecycle(now time.Time, typ, twin, model string, properties ...property) event.Event {
	at := timestamp(now)
	var values, metadata strings.Builder
	for _, p := range properties {
		fmt.Fprintf(&values, `,%q:%s`, p.name, p.value)
		if !strings.HasPrefix(p.value, "{") { // a component has none here
			fmt.Fprintf(&metadata, `,%q:{"lastUpdateTime":%q}`, p.name, at)
		}
	}
	return f.notification(now, typ, twin, fmt.Sprintf(`{"$dtId":%q,"$etag":"W/\"%s\""%s,"$metadata":{"$model":%q%s}}`,
		twin, f.uuid(), &values, model, &metadata))
}

// relationship is one that was created or deleted: the whole of it.
func (f *Factory) relationship(now time.Time, typ, from, name, to string, properties ...property) event.Event {
	var values strings.Builder
	for _, p := range properties {
		fmt.Fprintf(&values, `,%q:%s`, p.name, p.value)
	}
	id := from + "-" + name + "-" + to
	return f.notification(now, typ, from+"/relationships/"+id, fmt.Sprintf(
		`{"$relationshipId":%q,"$etag":"W/\"%s\"","$sourceId":%q,"$relationshipName":%q,"$targetId":%q%s}`,
		id, f.uuid(), from, name, to, &values))
}

// relationshipUpdate is a relationship of which properties have changed.
func (f *Factory) relationshipUpdate(now time.Time, from, name, to, model string, ops ...operation) event.Event {
	return f.notification(now, event.RelationshipUpdate, from+"/relationships/"+from+"-"+name+"-"+to, patch(model, ops))
}

// timestamp writes a time as Azure Digital Twins does, with seven decimals.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
