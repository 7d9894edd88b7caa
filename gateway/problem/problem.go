// Package problem is how the HTTP interfaces say what went wrong: problem
// details as RFC 9457 describes them.
package problem

import (
	"encoding/json"
	"net/http"
)

// MediaType is the content type of a written [Problem].
const MediaType = "application/problem+json"

// Problem is one refusal. Detail tells the caller what to do.
type Problem struct {
	// Status is the HTTP status.
	Status int
	// Detail is a sentence for a human.
	Detail string
	// Title is short and the same for every problem of the kind; empty means
	// the status' own words.
	Title string
	// Index, unless nil, is the zero-based place of the fault in a batch.
	Index *int
	// Field, unless empty, names the attribute or setting at fault.
	Field string
	// Errors, unless empty, are all faults of a request that has several; Field
	// and Detail are about the first.
	Errors []Fault
	// ID, unless empty, is also in the server's log.
	ID string
	// Error, unless nil, is the member by which Azure's clients look for a code.
	Error *AzureError
}

// Fault is one of several faults of a request.
type Fault struct {
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// AzureError is the body of an error as Azure's services write it.
type AzureError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// MarshalJSON writes the problem's members in the order of RFC 9457.
func (p Problem) MarshalJSON() ([]byte, error) {
	title := p.Title
	if title == "" {
		title = http.StatusText(p.Status)
	}
	return json.Marshal(struct {
		Type   string      `json:"type"`
		Title  string      `json:"title"`
		Status int         `json:"status"`
		Detail string      `json:"detail,omitempty"`
		Index  *int        `json:"index,omitempty"`
		Field  string      `json:"field,omitempty"`
		Errors []Fault     `json:"errors,omitempty"`
		ID     string      `json:"id,omitempty"`
		Error  *AzureError `json:"error,omitempty"`
	}{"about:blank", title, p.Status, p.Detail, p.Index, p.Field, p.Errors, p.ID, p.Error})
}

// Write answers a request with p.
func (p Problem) Write(w http.ResponseWriter) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_, err = w.Write(append(body, '\n'))
	return err
}
