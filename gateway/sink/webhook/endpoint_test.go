package webhook_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/sinktest"
	"github.com/headgate/headgate/gateway/sink/webhook"
)

// endpoint is a webhook that reads the CloudEvents HTTP binding by means of
// its own, from the text of the specification.
type endpoint struct {
	decode func(r *http.Request, body []byte) []event.Event

	mu       sync.Mutex // guards what follows
	received []event.Event
	tries    int
	fault    sinktest.Fault
	ids      []string
	resumed  chan struct{} // closed when stalled requests may go on
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault, resumed := e.arrived()
	if fault == sinktest.Stall { // without reading the body: the sink is to be caught in the middle of it
		select {
		case <-r.Context().Done():
		case <-resumed:
		}
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	switch e.take(e.decode(r, body)) {
	case sinktest.Take:
		w.WriteHeader(http.StatusAccepted)
	case sinktest.Reject:
		http.Error(w, "no such shape", http.StatusUnprocessableEntity)
	case sinktest.Refuse:
		http.Error(w, "who are you", http.StatusForbidden)
	case sinktest.Busy:
		w.Header().Set("Retry-After", "7")
		http.Error(w, "later", http.StatusServiceUnavailable)
	case sinktest.Drop:
		panic(http.ErrAbortHandler)
	}
}

func (e *endpoint) arrived() (sinktest.Fault, chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tries++
	return e.fault, e.resumed
}

// take records events unless one of them is to fail.
func (e *endpoint) take(events []event.Event) sinktest.Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	hit := func(x event.Event) bool { return len(e.ids) == 0 || slices.Contains(e.ids, x.ID) }
	if slices.ContainsFunc(events, hit) && e.fault != sinktest.Take {
		return e.fault
	}
	e.received = append(e.received, events...)
	return sinktest.Take
}

func (e *endpoint) Received() []event.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.received)
}

func (e *endpoint) Tries() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tries
}

func (e *endpoint) Fail(fault sinktest.Fault, ids ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.resumed)
	e.fault, e.ids, e.resumed = fault, ids, make(chan struct{})
}

// start serves a new endpoint and returns a sink with settings, in which
// URL stands for the server's address.
func start(t testing.TB, settings string, decode func(*http.Request, []byte) []event.Event) (*webhook.Sink, *endpoint) {
	t.Helper()
	e := &endpoint{decode: decode, resumed: make(chan struct{})}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	t.Cleanup(func() { e.Fail(sinktest.Take) })
	return open(t, strings.ReplaceAll(settings, "URL", server.URL)), e
}

// open returns a sink that is closed with t.
func open(t testing.TB, settings string) *webhook.Sink {
	t.Helper()
	s, err := webhook.New(json.RawMessage(settings), webhook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func decodeBinary(r *http.Request, body []byte) []event.Event {
	var e event.Event
	fields := fieldsOf(&e)
	e.DataContentType = r.Header.Get("Content-Type")
	for name, values := range r.Header {
		name, ok := strings.CutPrefix(strings.ToLower(name), "ce-")
		if !ok || name == "specversion" && values[0] == "1.0" {
			continue
		}
		value, err := url.PathUnescape(values[0])
		if err != nil || len(values) != 1 {
			value = fmt.Sprintf("malformed: %q", values)
		}
		if field := fields[name]; field != nil {
			*field = value
		} else {
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: value})
		}
	}
	sortExtensions(&e)
	e.Data = body
	return []event.Event{e}
}

func decodeStructured(r *http.Request, body []byte) []event.Event {
	if r.Header.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" {
		return nil
	}
	return []event.Event{decodeJSON(body)}
}

func decodeBatch(r *http.Request, body []byte) []event.Event {
	var list []json.RawMessage
	if r.Header.Get("Content-Type") != "application/cloudevents-batch+json" || json.Unmarshal(body, &list) != nil {
		return nil
	}
	events := make([]event.Event, len(list))
	for i, raw := range list {
		events[i] = decodeJSON(raw)
	}
	return events
}

func decodeRaw(r *http.Request, body []byte) []event.Event {
	id, _ := url.PathUnescape(path.Base(r.URL.EscapedPath()))
	return []event.Event{{ID: id, DataContentType: r.Header.Get("Content-Type"), Data: body}}
}

func decodeJSON(raw []byte) event.Event {
	var e event.Event
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return event.Event{ID: "malformed: " + err.Error()}
	}
	fields := fieldsOf(&e)
	for name, value := range members {
		var any any
		_ = json.Unmarshal(value, &any) // it is valid, as part of what is
		field := fields[name]
		switch text, isText := any.(string); {
		case name == "specversion" && text == "1.0", name == "data", name == "data_base64":
		case field != nil:
			*field = text
		case isText:
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: text})
		case any == true || any == false:
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: string(value), Kind: event.Boolean})
		default:
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: string(value), Kind: event.Integer})
		}
	}
	sortExtensions(&e)
	e.Data = members["data"]
	if e.Data != nil && !event.IsJSON(e.DataContentType) {
		var text string
		_ = json.Unmarshal(e.Data, &text)
		e.Data = []byte(text)
	}
	if coded := members["data_base64"]; coded != nil {
		e.Data, _ = base64.StdEncoding.DecodeString(strings.Trim(string(coded), `"`))
	}
	return e
}

func fieldsOf(e *event.Event) map[string]*string {
	return map[string]*string{
		"id": &e.ID, "source": &e.Source, "type": &e.Type, "subject": &e.Subject, "time": &e.Time,
		"dataschema": &e.DataSchema, "datacontenttype": &e.DataContentType,
	}
}

func sortExtensions(e *event.Event) {
	slices.SortFunc(e.Extensions, func(a, b event.Extension) int { return cmp.Compare(a.Name, b.Name) })
}
