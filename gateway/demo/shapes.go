package demo

import (
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// notification is what all events but telemetry have in common.
func (h *House) notification(now time.Time, typ, subject, data string) event.Event {
	return event.Event{
		ID: h.uuid(), Source: Host, Type: typ, Subject: subject, Time: timestamp(now),
		DataContentType: "application/json", Extensions: h.trace(), Data: []byte(data),
	}
}

// update is a property of a twin that was replaced.
func (h *House) update(now time.Time, twin, model, path, value string) event.Event {
	return h.notification(now, event.TwinUpdate, twin,
		fmt.Sprintf(`{"modelId":%q,"patch":[{"value":%s,"path":%q,"op":"replace"}]}`, model, value, path))
}

// telemetry is what a thermostat says without changing its twin. It has no
// subject and no time, and its source names the twin.
func (h *House) telemetry(r *room) event.Event {
	humidity := 38 + 6*h.rnd.Float64()
	return event.Event{
		ID: h.uuid(), Source: Host + "/digitaltwins/thermostat-" + r.number, Type: event.Telemetry,
		DataContentType: "application/json", DataSchema: ThermostatModel, Extensions: h.trace(),
		Data: fmt.Appendf(nil, `{"Temperature":%s,"Humidity":%s}`, number(r.temperature), number(humidity)),
	}
}

// lifecycle is the alarm of a room, created or deleted: the whole twin.
func (h *House) lifecycle(now time.Time, typ string, r *room) event.Event {
	at := timestamp(now)
	return h.notification(now, typ, "alarm-"+r.number, fmt.Sprintf(
		`{"$dtId":"alarm-%s","$etag":"W/\"%s\"","room":"room-%s","temperature":%s,`+
			`"$metadata":{"$model":%q,"room":{"lastUpdateTime":%q},"temperature":{"lastUpdateTime":%q}}}`,
		r.number, h.uuid(), r.number, number(r.temperature), AlarmModel, at, at))
}

// relationship is somebody's being in a room, begun or ended.
func (h *House) relationship(now time.Time, typ, who string, r *room) event.Event {
	id := who + "-in-" + r.number
	return h.notification(now, typ, who+"/relationships/"+id, fmt.Sprintf(
		`{"$relationshipId":%q,"$etag":"W/\"%s\"","$sourceId":%q,"$relationshipName":"isIn","$targetId":"room-%s"}`,
		id, h.uuid(), who, r.number))
}

// timestamp writes a time as Azure Digital Twins does, with seven decimals.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
