package main

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/emulator"
)

// The endpoints of the example.
const (
	hubEndpoint   = "hub"
	queueEndpoint = "queue"
	topicEndpoint = "topic"
	deskEndpoint  = "desk"
)

// What the emulator holds for the example.
const (
	hubName   = "telemetry"
	queueName = "lines"
	topicName = "alarms"
	hookName  = "desk"
)

// tailEverything asks the live tail for all that happens.
var tailEverything = catalog.EventQuery{}

// seedRoute is a route of the example.
type seedRoute struct {
	id, endpoint, filter string
	transform            string // a plugin, with its configuration
	config               any
	about                string
}

func seedRoutes() []seedRoute {
	const update = "type = 'Microsoft.DigitalTwins.Twin.Update'"
	return []seedRoute{
		{"series", hubEndpoint, update, "tsi", nil, "every twin update as a flat time series event, by the plugin tsi, into an event hub"},
		{"lines", queueEndpoint, "STARTS_WITH(subject, 'line-')", "sessions", map[string]any{"sessionId": "$twin"},
			"what happens on a line, by the plugin sessions, into Service Bus: each line is a session"},
		{"alarms", topicEndpoint, "STARTS_WITH(subject, 'alarm-')", "", nil,
			"alarms, twins that come and go: in the Event Grid schema to a topic, and on to a webhook"},
		{"hot", deskEndpoint, update + " AND PATCH('/temperature') > 228", "", nil, "PATCH('/temperature') > 228: an oven is hot, straight to a webhook"},
	}
}

// endpoints are the settings of the example's endpoints, by their names.
func (d *demonstration) endpoints() map[string]any {
	endpoint := func(kind string, settings map[string]string) any {
		return map[string]any{"kind": kind, "settings": settings}
	}
	return map[string]any{
		hubEndpoint: endpoint("eventHub", map[string]string{
			"connectionString": d.emulator.ConnectionString(emulator.EventHubs), "entityPath": hubName}),
		queueEndpoint: endpoint("serviceBus", map[string]string{
			"connectionString": d.emulator.ConnectionString(emulator.ServiceBus), "entityPath": queueName}),
		topicEndpoint: endpoint("eventGrid", map[string]string{
			"topicEndpoint": d.emulator.TopicEndpoint(topicName), "accessKey": d.emulator.Key(), "caFile": d.certFile}),
		deskEndpoint: endpoint("webhook", map[string]string{"url": d.receiver.url + "/desk"}),
	}
}

// seed puts the example's endpoints and routes into the gateway.
func (d *demonstration) seed(ctx context.Context) error {
	for name, doc := range d.endpoints() {
		b, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		if _, _, err := d.client.PutEndpointJSON(ctx, name, b, catalog.Precondition{}); err != nil {
			return err
		}
	}
	for _, r := range seedRoutes() {
		doc := map[string]any{"endpointName": r.endpoint, "filter": r.filter}
		if r.transform != "" {
			doc["transforms"] = []map[string]any{{"plugin": r.transform, "config": r.config}}
		}
		b, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		if _, _, err := d.client.PutRouteJSON(ctx, r.id, b, catalog.Precondition{}); err != nil {
			return err
		}
	}
	return nil
}

// readyWriter waits for the line that says where a gateway serves.
type readyWriter struct {
	line []byte
	url  chan string
}

// Write implements io.Writer.
func (w *readyWriter) Write(p []byte) (int, error) {
	w.line = append(w.line, p...)
	if url, ok := bytes.CutPrefix(w.line, []byte("listening on ")); ok {
		if url, _, ok := bytes.Cut(url, []byte("\n")); ok {
			w.line = nil
			w.url <- string(url)
		}
	}
	return len(p), nil
}
