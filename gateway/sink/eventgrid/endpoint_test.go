package eventgrid_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	emulator "github.com/headgate/headgate/gateway/emulator/eventgrid"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/eventgrid"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// key is base64, as keys of topics are, and obviously none.
var key = base64.StdEncoding.EncodeToString([]byte("this is not a key"))

// topic is an emulated one, as an endpoint of the suite.
type topic struct {
	t      testing.TB
	server *emulator.Server
	name   string
	unwrap func(raw []byte) event.Event
}

const retryAfter = 7 // seconds

func (e *topic) Received() []event.Event {
	var events []event.Event
	for _, p := range e.server.Topic(e.name).Events {
		events = append(events, e.unwrap(p.Event))
	}
	return events
}

func (e *topic) Tries() int { return e.server.Topic(e.name).Requests }

func (e *topic) Fail(fault sinktest.Fault, ids ...string) {
	e.t.Helper()
	f := map[sinktest.Fault]emulator.Fault{
		sinktest.Reject: {Status: 400},
		sinktest.Refuse: {Status: 401},
		sinktest.Busy:   {Status: 503, RetryAfterSeconds: retryAfter},
		sinktest.Drop:   {Drop: emulator.DropBefore},
		sinktest.Stall:  {DelayMilliseconds: 3_600_000},
	}[fault]
	f.IDs = ids
	if err := e.server.Fail(e.name, f); err != nil {
		e.t.Fatal(err)
	}
}

// listen starts an emulator with one topic, for events of every size.
func listen(t testing.TB, schema string) *topic {
	t.Helper()
	s, err := emulator.Listen("127.0.0.1:0", emulator.Options{
		Topics:          []emulator.Topic{{Name: "twins", Schema: schema, Key: key}},
		CertFile:        filepath.Join(t.TempDir(), "ca.pem"),
		MaxEventBytes:   2 << 20,
		MaxRequestBytes: 2 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &topic{t: t, server: s, name: "twins", unwrap: func(raw []byte) event.Event { return decode(t, raw) }}
}

// settings are those of an endpoint for e.
func (e *topic) settings(more string) string {
	file := filepath.Join(e.t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, e.server.CertificatePEM(), 0o600); err != nil {
		e.t.Fatal(err)
	}
	return `{"topicEndpoint":"` + e.server.Endpoint(e.name) + `","caFile":"` + file + `"` + more + `}`
}

func withKey(schema string) string { return `,"accessKey":"` + key + `","schema":"` + schema + `"` }

// open returns a sink that is closed with t.
func open(t testing.TB, settings string, o eventgrid.Options) *eventgrid.Sink {
	t.Helper()
	s, err := eventgrid.New(json.RawMessage(settings), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// wrapping is a sink behind a mapping of its own: it puts each event whole
// into the data of one in the Event Grid schema, where nothing of it is lost.
type wrapping struct{ *eventgrid.Sink }

func (w wrapping) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	mapped := slices.Clone(batch)
	for i := range mapped {
		mapped[i].Event.Data = wrap(&batch[i].Event)
	}
	return w.Sink.Send(ctx, mapped)
}

func wrap(e *event.Event) []byte {
	id, _ := json.Marshal(e.ID)
	b := slices.Concat([]byte(`{"eventType":"t","subject":"s","eventTime":"2026-01-02T03:04:05Z","dataVersion":"1.0","id":`), id, []byte(`,"data":`))
	return append(event.AppendJSON(b, e), '}')
}

func unwrap(t testing.TB, raw []byte) event.Event {
	var e struct{ Data json.RawMessage }
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatalf("%.100q: %v", raw, err)
	}
	return decode(t, e.Data)
}

// decode reads a structured CloudEvent by means of its own.
func decode(t testing.TB, raw []byte) event.Event {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatalf("%.100q: %v", raw, err)
	}
	var e event.Event
	fields := map[string]*string{
		"id": &e.ID, "source": &e.Source, "type": &e.Type, "subject": &e.Subject, "time": &e.Time,
		"dataschema": &e.DataSchema, "datacontenttype": &e.DataContentType,
	}
	text := func(raw json.RawMessage) (s string) {
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatalf("%.100q: %v", raw, err)
		}
		return s
	}
	for name, raw := range members {
		switch field := fields[name]; {
		case field != nil:
			*field = text(raw)
		case name == "specversion" || name == "data" || name == "data_base64":
		case raw[0] == '"':
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: text(raw)})
		case bytes.Equal(raw, []byte("true")) || bytes.Equal(raw, []byte("false")):
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: string(raw), Kind: event.Boolean})
		default:
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: string(raw), Kind: event.Integer})
		}
	}
	if raw, ok := members["data_base64"]; ok {
		e.Data, _ = base64.StdEncoding.DecodeString(text(raw))
	}
	if raw, ok := members["data"]; ok {
		if e.Data = raw; !event.IsJSON(e.DataContentType) {
			e.Data = []byte(text(raw))
		}
	}
	slices.SortFunc(e.Extensions, func(a, b event.Extension) int { return cmp.Compare(a.Name, b.Name) })
	return e
}

// send makes one delivery of each event, with keys of their own.
func send(t testing.TB, s *eventgrid.Sink, events ...event.Event) []delivery.Outcome {
	t.Helper()
	batch := make([]delivery.Delivery, len(events))
	for i, e := range events {
		batch[i].Event = e
	}
	return s.Send(t.Context(), batch)
}

func requireNoSecret(t testing.TB, text string) {
	t.Helper()
	if strings.Contains(text, key) {
		t.Errorf("%q tells the access key", text)
	}
}
