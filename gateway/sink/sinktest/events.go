package sinktest

import (
	"fmt"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

const (
	instance = "plant.api.weu.digitaltwins.azure.net"
	trace    = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)

// Events returns an event of every shape that a sink must carry: the seven
// types of Azure Digital Twins, and the corners of CloudEvents. Ids are unique.
func Events() []event.Event {
	return append(twinEvents(), oddEvents()...)
}

func twinEvents() []event.Event {
	twin := `{"$dtId":"pump-7","$etag":"W/\"5d\"","speed":1450.0,"$metadata":{"$model":"dtmi:plant:Pump;1","speed":{"lastUpdateTime":"2024-05-01T08:00:00.1234567Z"}}}`
	edge := `{"$relationshipId":"feeds-1","$etag":"W/\"5e\"","$sourceId":"pump-7","$relationshipName":"feeds","$targetId":"tank-2","litres":20}`
	rows := []struct{ typ, subject, data string }{
		{event.TwinCreate, "pump-7", twin},
		{event.TwinUpdate, "pump-7", `{"modelId":"dtmi:plant:Pump;1","patch":[{"value":1500.50,"path":"/speed","op":"replace"},{"path":"/note","op":"remove"}]}`},
		{event.TwinDelete, "pump-7", twin},
		{event.RelationshipCreate, "pump-7/relationships/feeds-1", edge},
		{event.RelationshipUpdate, "pump-7/relationships/feeds-1", `{"modelId":"dtmi:plant:Pump;1","patch":[{"value":21,"path":"/litres","op":"replace"}]}`},
		{event.RelationshipDelete, "pump-7/relationships/feeds-1", edge},
	}
	var events []event.Event
	for i, row := range rows {
		events = append(events, event.Event{
			ID: fmt.Sprintf("twin-%d", i), Source: instance, Type: row.typ, Subject: row.subject,
			Time: "2024-05-01T08:00:00.1234567Z", DataContentType: "application/json",
			Extensions: []event.Extension{{Name: "traceparent", Value: trace}}, Data: []byte(row.data),
		})
	}
	return append(events, event.Event{
		ID: "telemetry-0", Source: instance + "/digitaltwins/pump-7", Type: event.Telemetry,
		DataContentType: "application/json", DataSchema: "dtmi:plant:Pump;1",
		Extensions: []event.Extension{{Name: "traceparent", Value: trace}}, Data: []byte(`{"bar":2.50}`),
	})
}

func oddEvents() []event.Event {
	const text = ` %41 100% "quoted" \back/ <&> ü€😀 end `
	odd := event.Event{
		ID: "odd-text" + text, Source: "urn:x:" + text, Type: "t" + text, Subject: text,
		Time: "2024-02-29T23:59:59.999999999+05:30", DataContentType: "application/json",
		DataSchema: "urn:schema:" + text,
		Extensions: []event.Extension{
			{Name: "flag", Value: "true", Kind: event.Boolean},
			{Name: "max", Value: "2147483647", Kind: event.Integer},
			{Name: "min", Value: "-2147483648", Kind: event.Integer},
			{Name: "name42", Value: text},
			{Name: "number", Value: "007"},
		},
		Data: []byte(`{"k":"` + strings.Repeat(`ü€😀\u0000\/`, 3) + `"}`),
	}
	bare := event.Event{ID: "bare", Source: "s", Type: "t"}
	events := []event.Event{odd, bare}
	for _, row := range []struct{ id, contentType, data string }{
		{"json-undeclared", "", `{"a":1}`},
		{"json-spaced", "application/json; charset=utf-8", "\t{ \"a\" : [ 1.0 , 1e400 ],\r\n\"big\": 12345678901234567890123 ,\n\"a\": 2 }\n"},
		{"json-scalar", "application/json", `-0.0`},
		{"json-null", "application/json", `null`},
		{"json-text", "application/json", `"line\nbreak"`},
		{"json-suffix", "application/vnd.plant+json", `[]`},
		{"json-not", "application/json", `{"a":`},
		{"text", "text/plain", "first\r\nsecond\t\"third\"\u2028 ü"},
		{"xml", "application/xml", "<a b='1'>\n</a>"},
		{"bytes", "application/octet-stream", "\x00\x01\xfe\xff\n{}"},
		{"bytes-as-text", "text/plain", "\xff\xfe"},
		{"bytes-undeclared", "", "\x80\x81"},
	} {
		events = append(events, event.Event{
			ID: row.id, Source: "s", Type: "t", DataContentType: row.contentType, Data: []byte(row.data),
		})
	}
	return append(events, event.Event{ID: "empty", Source: "s", Type: "t", DataContentType: "text/plain", Data: []byte{}})
}

// largest returns an event of the greatest size that is accepted.
func largest() event.Event {
	e := event.Event{ID: "largest", Source: "s", Type: "t", DataContentType: "application/json"}
	e.Data = []byte(`"` + strings.Repeat("ü", (event.MaxEventBytes-e.Size()-2)/2) + `"`)
	return e
}

// deliveries makes each event one of a batch, all with one key.
func deliveries(events ...event.Event) []delivery.Delivery {
	batch := make([]delivery.Delivery, len(events))
	for i, e := range events {
		batch[i] = delivery.Delivery{
			Event: e, Endpoint: "endpoint", Route: "route", Key: "key",
			Position: event.Position{Seq: 1, Index: i}, Accepted: time.Unix(1714550400, 0),
		}
	}
	return batch
}

// numbered returns n deliveries, in order, with the given key. Their data says
// which they are, so that a sink of data alone can be tested too.
func numbered(key string, n int) []delivery.Delivery {
	batch := deliveries(make([]event.Event, n)...)
	for i := range batch {
		id := fmt.Sprintf("%s-%d", key, i)
		batch[i].Key = key
		batch[i].Event = event.Event{
			ID: id, Source: instance, Type: event.TwinUpdate, Subject: key,
			DataContentType: "application/json", Data: []byte(`"` + id + `"`),
		}
	}
	return batch
}

// cut splits deliveries as the engine does: to a sink's capacity.
func cut(all []delivery.Delivery, c delivery.Capacity) [][]delivery.Delivery {
	var batches [][]delivery.Delivery
	var batch []delivery.Delivery
	size := 0
	for _, d := range all {
		n := d.Event.Size()
		if len(batch) > 0 && (len(batch) == c.Batch || c.BatchBytes > 0 && size+n > c.BatchBytes) {
			batches, batch, size = append(batches, batch), nil, 0
		}
		batch, size = append(batch, d), size+n
	}
	return append(batches, batch)
}
