package eventgrid

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// apiVersion is the only one of the publishing API.
const apiVersion = "2018-01-01"

// Published is an event that a topic took.
type Published struct {
	At    time.Time       `json:"at"`
	Event json.RawMessage `json:"event"`
}

// publish serves POST [/{topic}]/api/events.
func (s *Server) publish(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("topic")
	t, err := s.topicFor(name, r)
	if err == nil {
		err = s.take(t, w, r)
	}
	var cut *cutError
	switch {
	case errors.As(err, &cut):
		panic(http.ErrAbortHandler) // how a handler ends the connection without an answer
	case err != nil:
		s.refuse(w, err)
	}
}

// topicFor counts a request to a topic, which it may create.
func (s *Server) topicFor(name string, r *http.Request) (*topic, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "" {
		name = defaultTopic
		if len(s.topics) > 0 {
			name = s.topics[0].Name
		}
	}
	t := s.find(name)
	if t == nil {
		if s.opts.Declared {
			return nil, &refusal{http.StatusNotFound, "NotFound", "there is no topic " + name}
		}
		schema := EventGridSchema
		if form, err := formOf(r.Header.Get("Content-Type")); err == nil && form != gridForm {
			schema = CloudEventSchema
		}
		if err := s.declare(Topic{Name: name, Schema: schema}); err != nil {
			return nil, &refusal{http.StatusNotFound, "NotFound", err.Error()}
		}
		t = s.find(name)
	}
	t.requests++
	return t, nil
}

// take answers 200, or returns why not.
func (s *Server) take(t *topic, w http.ResponseWriter, r *http.Request) error {
	s.mu.Lock()
	fault, d, key := t.fault, decoder{t.Schema, t.id, s.opts.MaxEventBytes}, t.Key
	s.mu.Unlock()
	if err := s.strike(t, fault, w, r, nil); err != nil {
		return err
	}
	if err := checkVersion(r); err != nil {
		return err
	}
	if err := authorize(r, key, s.clock.Now()); err != nil {
		return err
	}
	body, err := s.body(r)
	if err != nil {
		return err
	}
	events, err := d.decode(r.Header.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	if err := s.strike(t, fault, w, r, events); err != nil {
		return err
	}
	s.accept(t, events)
	if fault.Drop == DropAfter && fault.hits(events) && s.spend(t, fault) {
		return &cutError{}
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func checkVersion(r *http.Request) error {
	switch v := r.URL.Query().Get("api-version"); v {
	case apiVersion:
		return nil
	case "":
		return &refusal{http.StatusBadRequest, "MissingApiVersionParameter", "the query parameter api-version is required"}
	default:
		return &refusal{http.StatusBadRequest, "UnsupportedApiVersion", "api-version " + v + " is unknown; there is " + apiVersion}
	}
}

func (s *Server) body(r *http.Request) ([]byte, error) {
	most := s.opts.MaxRequestBytes
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	if err != nil {
		return nil, malformed("the body broke off: %v", err)
	}
	if len(body) > most {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the request is larger than the service takes"}
	}
	return body, nil
}

// accept records events and hands them to the topic's subscriptions.
func (s *Server) accept(t *topic, events []accepted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	t.accepted += len(events)
	for _, e := range events {
		t.events = append(t.events, Published{At: now, Event: e.raw})
		for _, sub := range t.subscriptions {
			if sub.state == Succeeded && sub.wants(e) {
				sub.enqueue(e, now)
			}
		}
	}
	t.events = latest(t.events, s.opts.Keep)
}

// latest cuts list to its last n elements, now and then.
func latest[T any](list []T, n int) []T {
	if len(list) <= 2*n {
		return list
	}
	return append([]T(nil), list[len(list)-n:]...)
}

// refuse writes an error as the service does.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	status, code := http.StatusInternalServerError, ""
	var known *refusal
	if errors.As(err, &known) {
		status, code = known.status, known.code
	}
	type detail struct {
		Code    string   `json:"code"`
		Message string   `json:"message"`
		Details []detail `json:"details,omitempty"`
	}
	whole := detail{Code: strings.ReplaceAll(http.StatusText(status), " ", ""), Message: err.Error()}
	if code != "" {
		whole.Details = []detail{{Code: code, Message: err.Error()}}
	}
	writeJSON(w, status, map[string]detail{"error": whole})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil { // an event that is not JSON cannot get here
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
