package catalog

import (
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// LetterGroup is the dead letters of one endpoint with one cause.
type LetterGroup struct {
	// ID is the same for as long as endpoint and cause are.
	ID       string `json:"id"`
	Endpoint string `json:"endpoint"`
	// Cause is the reason without what differs from letter to letter, Example one
	// as it is.
	Cause   string       `json:"cause"`
	Example string       `json:"example"`
	Count   int          `json:"count"`
	Routes  []RouteCount `json:"routes"` // the most first
	First   time.Time    `json:"first"`
	Last    time.Time    `json:"last"`
	Series  []int        `json:"series"` // letters in each step
}

// RouteCount is how many of something are of a route.
type RouteCount struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
}

// LetterGroups are the groups of dead letters.
type LetterGroups struct {
	Items   []LetterGroup `json:"items"`   // the largest first
	Groups  int           `json:"groups"`  // how many there are
	Letters int           `json:"letters"` // in all of them
	// Newest is the id of the latest of them, for the "through" of a selection;
	// zero when there is none.
	Newest event.Position `json:"newest,omitzero"`
	// Complete is false while the letters of the last run are being read.
	Complete bool        `json:"complete"`
	Series   LetterSteps `json:"series"`
}

// LetterSteps are the steps of the series of all groups.
type LetterSteps struct {
	From        time.Time `json:"from"`
	StepSeconds float64   `json:"stepSeconds"`
	Steps       int       `json:"steps"`
}

// The states of a redrive.
const (
	RedriveRunning  = "running"
	RedriveStopping = "stopping" // no more letters are started
	RedriveStopped  = "stopped"
	RedriveDone     = "done"
)

// RedriveJob is how dead letters are sent again.
type RedriveJob struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	Selection Selection `json:"selection"`
	Total     int       `json:"total"` // letters that were selected
	Started   int       `json:"started"`
	Delivered int       `json:"delivered"` // letters that left the list
	Failed    int       `json:"failed"`    // letters that returned to it
	Refused   int       `json:"refused"`   // letters that stay where they are
	Pending   int       `json:"pending"`   // started, and neither delivered nor failed
	StartedAt time.Time `json:"startedAt"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	Rate      float64   `json:"rate"` // letters a second, lately or, at its end, over all
	Error     string    `json:"error,omitempty"`
	Refusals  []Refusal `json:"refusals"` // the most first
}

// Refusal is why some letters were refused.
type Refusal struct {
	Reason  string         `json:"reason"`
	Count   int            `json:"count"`
	Example event.Position `json:"example"`
}

// PreviewRequest asks what a redrive of the first Limit of some letters would send.
type PreviewRequest struct {
	Selection
	Limit int
}

// MaxPreview bounds the letters of one preview.
const MaxPreview = 200

// DecodePreview reads a selection with "limit":20 beside it, which is the default.
func DecodePreview(b []byte) (PreviewRequest, error) {
	o := ReadObject(b)
	r := PreviewRequest{Selection: readSelection(o), Limit: 20}
	o.Int("limit", &r.Limit)
	if r.Limit < 1 || r.Limit > MaxPreview {
		o.Refuse("limit", "want a number from 1 to %d", MaxPreview)
	}
	return r, o.Close()
}

// What a redrive would do with a letter.
const (
	PreviewSame    = "same"    // it would send what failed
	PreviewChanged = "changed" // it would send something else
	PreviewNew     = "new"     // the letter never came through its plugins, and would now
	PreviewNothing = "nothing" // its route sends nothing for it now: it stays
	PreviewFails   = "fails"   // a plugin fails on it again: it stays
	PreviewRefused = "refused" // it cannot be driven: it stays
)

// Preview is what a redrive would send.
type Preview struct {
	Items    []PreviewedLetter `json:"items"`
	Selected int               `json:"selected"` // letters that were asked about
	// Counts say how many of Items have each result.
	Counts map[string]int `json:"counts"`
}

// PreviewedLetter is what a redrive of one letter would send.
type PreviewedLetter struct {
	ID       event.Position `json:"id"`
	Endpoint string         `json:"endpoint"`
	Route    string         `json:"route"`
	Reason   string         `json:"reason"` // why it was given up
	Result   string         `json:"result"`
	Why      string         `json:"why,omitempty"`
	// Before is what failed, nil where it was never made.
	Before  *CloudEvent `json:"before,omitempty"`
	Outputs []Output    `json:"outputs"` // with their differences to it
}
