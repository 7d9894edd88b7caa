package eventgrid

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// handler serves publishers, and under /emulator/ those who watch and steer.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/events", s.publish)
	mux.HandleFunc("POST /{topic}/api/events", s.publish)
	mux.HandleFunc("GET /emulator/validate", s.manual)
	mux.HandleFunc("POST /emulator/validate", s.manual)
	mux.HandleFunc("GET /emulator/topics", s.listTopics)
	mux.HandleFunc("GET /emulator/topics/{topic}", s.getTopic)
	mux.HandleFunc("PUT /emulator/topics/{topic}", s.putTopic)
	mux.HandleFunc("PUT /emulator/topics/{topic}/fault", s.putFault)
	mux.HandleFunc("PUT /emulator/topics/{topic}/subscriptions/{name}", s.putSubscription)
	mux.HandleFunc("DELETE /emulator/topics/{topic}/subscriptions/{name}", s.deleteSubscription)
	mux.HandleFunc("GET /emulator/topics/{topic}/subscriptions/{name}/dead-letters", s.listDeadLetters)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, &refusal{http.StatusNotFound, "NotFound", r.Method + " " + r.URL.Path + " leads nowhere"})
	})
	return mux
}

// ServeHTTP serves one request, as the listener does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.serving.Add(1)
	}
	s.mu.Unlock()
	if closed {
		panic(http.ErrAbortHandler)
	}
	defer s.serving.Done()
	s.mux.ServeHTTP(w, r)
}

// listTopics serves all of the snapshot but its events and dead letters.
func (s *Server) listTopics(w http.ResponseWriter, _ *http.Request) {
	all := s.Snapshot()
	for i := range all.Topics {
		all.Topics[i].Events = []Published{}
		for j := range all.Topics[i].Subscriptions {
			all.Topics[i].Subscriptions[j].DeadLetters = []DeadLetter{}
		}
	}
	writeJSON(w, http.StatusOK, all)
}

func (s *Server) getTopic(w http.ResponseWriter, r *http.Request) {
	t := s.Topic(r.PathValue("topic"))
	if t.Name == "" {
		s.refuse(w, missing(r))
		return
	}
	writeJSON(w, http.StatusOK, t)
}

func (s *Server) putTopic(w http.ResponseWriter, r *http.Request) {
	var t Topic
	err := readJSON(r, &t)
	if err == nil {
		t.Name = r.PathValue("topic")
		err = s.Declare(t)
	}
	if err != nil {
		s.refuse(w, malformed("%v", err))
		return
	}
	s.getTopic(w, r)
}

func (s *Server) putFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	err := readJSON(r, &f)
	if err == nil {
		err = s.Fail(r.PathValue("topic"), f)
	}
	if err != nil {
		s.refuse(w, malformed("%v", err))
		return
	}
	writeJSON(w, http.StatusOK, f)
}

func (s *Server) putSubscription(w http.ResponseWriter, r *http.Request) {
	var d Subscription
	if err := readJSON(r, &d); err != nil {
		s.refuse(w, malformed("%v", err))
		return
	}
	d.Name = r.PathValue("name")
	made, err := s.Subscribe(r.Context(), r.PathValue("topic"), d)
	if err != nil {
		s.refuse(w, malformed("%v", err))
		return
	}
	writeJSON(w, http.StatusOK, made)
}

func (s *Server) deleteSubscription(w http.ResponseWriter, r *http.Request) {
	if !s.Unsubscribe(r.Context(), r.PathValue("topic"), r.PathValue("name")) {
		s.refuse(w, missing(r))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// listDeadLetters serves an array such as the service writes into a blob.
func (s *Server) listDeadLetters(w http.ResponseWriter, r *http.Request) {
	for _, sub := range s.Topic(r.PathValue("topic")).Subscriptions {
		if sub.Name == r.PathValue("name") {
			writeJSON(w, http.StatusOK, sub.DeadLetters)
			return
		}
	}
	s.refuse(w, missing(r))
}

func missing(r *http.Request) error {
	return &refusal{http.StatusNotFound, "NotFound", r.URL.Path + " does not exist"}
}

// readJSON reads one object strictly.
func readJSON(r *http.Request, into any) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, oneMiB))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("the body: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body: must be one JSON object")
	}
	return nil
}
