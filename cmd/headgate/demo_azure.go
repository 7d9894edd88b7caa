package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/headgate/headgate/gateway/emulator"
	"github.com/headgate/headgate/gateway/event"
)

// startEmulator starts a Service Bus, an Event Hubs and an Event Grid for the
// example, and waits until the topic's subscription stands. They keep what
// arrived in the last minute, or their newest events, to be looked at.
func (d *demonstration) startEmulator(ctx context.Context) error {
	declared, err := emulator.Parse(fmt.Appendf(nil, `
serviceBus:
  queues:
    - {name: %s, requiresSession: true, requiresDuplicateDetection: true, duplicateDetectionHistoryTimeWindow: 1m, defaultMessageTimeToLive: 1m}
eventHubs:
  keepBytesPerPartition: 1048576
  hubs:
    - {name: %s, partitions: 4}
eventGrid:
  keepEvents: 100
  topics:
    - name: %s
      subscriptions:
        - {name: %s, endpointUrl: %q}
`, queueName, hubName, topicName, hookName, d.receiver.url+"/alarms"))
	if err != nil {
		return err
	}
	const free = "127.0.0.1:0"
	d.emulator, err = emulator.Start(emulator.Options{
		ServiceBus: free, EventHubs: free, EventGrid: free, Control: free, Declared: declared, CertFile: d.certFile,
	})
	if err != nil {
		return err
	}
	for {
		topics, err := d.emulator.Entities(emulator.EventGrid, topicName, 0)
		if err != nil {
			return err
		}
		if topics[0].Subscriptions[0].State == "Succeeded" {
			return nil
		}
		if err := wait(ctx, 5*time.Millisecond); err != nil {
			return nil // told to stop
		}
	}
}

// arrivals tells the board what came to the hub and the queue.
type arrivals struct {
	emulator *emulator.Emulator
	board    *board
	newest   int            // events of a partition that are looked at
	message  int64          // the next of the queue
	sessions map[string]int // messages of each
}

func newArrivals(e *emulator.Emulator, b *board, rate float64) *arrivals {
	return &arrivals{emulator: e, board: b, newest: min(2000, 50+int(3*rate)), message: 1, sessions: map[string]int{}}
}

// dataOf tells the data of an event as it arrived, in as few characters.
func dataOf(eventType any, data []byte) string {
	text, _ := eventType.(string)
	return dataText(&event.Event{Type: text, Data: data})
}

// tell tells the board what came since the last time.
func (a *arrivals) tell() error {
	hubs, err := a.emulator.Entities(emulator.EventHubs, hubName, a.newest)
	if err != nil {
		return err
	}
	for _, p := range hubs[0].Partitions {
		for _, e := range p.Events {
			if id, ok := e.Properties["cloudEvents:id"].(string); ok {
				a.board.output(hubEndpoint, id, fmt.Sprintf("partition %s: %s", p.ID, e.Body))
			}
		}
	}
	for {
		const most = 1000
		messages, err := a.emulator.Messages(queueName, a.message, most)
		if err != nil {
			return err
		}
		for _, m := range messages {
			a.message = m.Sequence + 1
			if id, ok := m.Properties["cloudEvents:id"].(string); ok && m.SessionID != nil {
				a.sessions[*m.SessionID]++
				a.board.output(queueEndpoint, id, fmt.Sprintf("session %s, message %d: %s",
					*m.SessionID, a.sessions[*m.SessionID], dataOf(m.Properties["cloudEvents:type"], m.Body)))
			}
		}
		if len(messages) < most {
			return nil
		}
	}
}

// receiver is the webhooks of the example, on a port of this machine: /desk
// for the gateway, /alarms for the subscription to the Event Grid topic.
type receiver struct {
	url    string
	board  *board
	server *http.Server
	done   chan struct{} // closed when the server has stopped
}

func newReceiver(b *board) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String(), board: b, done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /desk", taking(r.desk))
	mux.HandleFunc("POST /alarms", taking(r.alarms))
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(l) // it ends by close
	}()
	return r, nil
}

// taking reads a request and answers what take returns as JSON.
func taking(take func(r *http.Request, body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		var answer any
		if err == nil {
			answer, err = take(r, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // the sender went away
	}
}

// desk takes a CloudEvent in binary mode.
func (r *receiver) desk(req *http.Request, body []byte) (any, error) {
	r.board.output(deskEndpoint, req.Header.Get("ce-id"), "POST "+req.URL.Path+": "+dataOf(req.Header.Get("ce-type"), body))
	return struct{}{}, nil
}

// alarms takes what Event Grid delivers, and its request for consent.
func (r *receiver) alarms(req *http.Request, body []byte) (any, error) {
	var events []struct {
		ID, EventType string
		Data          struct {
			ValidationCode string
			Data           json.RawMessage // an event of digital twins wraps it twice
		}
	}
	if err := json.Unmarshal(body, &events); err != nil || len(events) == 0 {
		return nil, errors.Join(errors.New("want events in the Event Grid schema"), err)
	}
	if req.Header.Get("Aeg-Event-Type") == "SubscriptionValidation" {
		return map[string]string{"validationResponse": events[0].Data.ValidationCode}, nil
	}
	for _, e := range events {
		r.board.output(topicEndpoint, e.ID, "subscription "+hookName+", POST "+req.URL.Path+": "+dataOf(e.EventType, e.Data.Data))
	}
	return struct{}{}, nil
}

func (r *receiver) close() {
	r.server.Close()
	<-r.done
}

// emulated shows what lies in an emulator as the gateway's API does.
type emulated struct{ emulator *emulator.Emulator }

// Entities implements [admin.Emulator].
func (e emulated) Entities(service, name string, limit int) ([]json.RawMessage, error) {
	entities, err := e.emulator.Entities(emulator.Service(service), name, limit)
	if err != nil {
		return nil, err
	}
	all := make([]json.RawMessage, len(entities))
	for i := range entities {
		if all[i], err = json.Marshal(entities[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
