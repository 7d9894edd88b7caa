package adt

import (
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// operation is a change of an endpoint. It is in force before it is answered,
// so that all that is left for a client to learn is that it is done.
type operation struct {
	in           instance
	endpoint     string
	deleted      bool
	began, ended time.Time
}

// operations are the latest changes, for clients that ask how theirs fared. The
// zero value is ready for use.
type operations struct {
	mu    sync.Mutex // guards what follows
	byID  map[string]operation
	order []string // the oldest first
}

// keptOperations is how many are remembered, and pollAfter how long a client is
// to wait before it asks, in seconds. The service says 10; here nothing is left
// to wait for.
const (
	keptOperations = 4096
	pollAfter      = 1
)

// done remembers op, and returns the headers that tell the client of r where to
// ask for it.
func (o *operations) done(r *http.Request, subscription string, op operation) map[string]string {
	id := uuid()
	o.mu.Lock()
	if o.byID == nil {
		o.byID = map[string]operation{}
	}
	if o.order = append(o.order, id); len(o.order) > keptOperations {
		delete(o.byID, o.order[0])
		o.order = o.order[1:]
	}
	o.byID[id] = op
	o.mu.Unlock()
	base := "/subscriptions/" + subscription + "/providers/" + provider + "/locations/local/"
	query := url.Values{"api-version": {r.URL.Query().Get("api-version")}}
	return map[string]string{
		"Azure-AsyncOperation": absolute(r, base+"operationStatuses/"+id, query),
		"Location":             absolute(r, base+"operationResults/"+id, query),
		"Retry-After":          strconv.Itoa(pollAfter),
	}
}

func (o *operations) get(r *http.Request, id string) (operation, error) {
	if r.Method != http.MethodGet {
		return operation{}, notAllowed(r, "GET")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	op, ok := o.byID[id]
	if !ok {
		return op, refuse(http.StatusNotFound, codeARMMissing, "There is no operation "+id+", or it was long ago, or the gateway was started anew; read the resource instead.")
	}
	return op, nil
}

func (s *Server) operationStatus(r *http.Request, id string) (reply, error) {
	op, err := s.operations.get(r, id)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: struct {
		ID        string    `json:"id"`
		Name      string    `json:"name"`
		Status    string    `json:"status"`
		StartTime time.Time `json:"startTime"`
		EndTime   time.Time `json:"endTime"`
	}{r.URL.Path, id, succeeded, op.began.UTC(), op.ended.UTC()}}, nil
}

func (s *Server) operationResult(r *http.Request, id string) (reply, error) {
	op, err := s.operations.get(r, id)
	if err != nil {
		return reply{}, err
	}
	if op.deleted {
		return reply{status: http.StatusNoContent}, nil
	}
	e, err := s.endpoint(op.in, op.endpoint)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: op.in.resource(e, succeeded)}, nil
}
