package catalog

import (
	"encoding/json"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// MaxTestEvents bounds the events of one test.
const MaxTestEvents = 1000

// TestRequest asks what a route does to events.
type TestRequest struct {
	Route Route
	// Events are CloudEvents in JSON, exactly as they were sent.
	Events []json.RawMessage
}

// DecodeTest reads {"route":{…},"events":[…]}. Events are not looked into:
// their data may hold what a resource may not.
func DecodeTest(b []byte) (TestRequest, error) {
	o, err := readOuter(b)
	if err != nil {
		return TestRequest{}, err
	}
	var req TestRequest
	if route := o.Raw("route"); route == nil {
		o.Refuse("route", "is required")
	} else {
		req.Route, err = DecodeDraft(route)
		o.fail(In("route", err))
	}
	req.Events = o.Array("events")
	if n := len(req.Events); n > MaxTestEvents {
		o.Refuse("events", "holds %d events; %d are allowed", n, MaxTestEvents)
	}
	return req, o.Close()
}

// readOuter reads an object whose members are not looked into: the events among
// them may hold what a resource may not.
func readOuter(b []byte) (*Object, error) {
	members, err := readMembers(b)
	if err != nil {
		return nil, err
	}
	o := &Object{}
	for _, m := range members {
		for _, have := range o.members {
			if have.name == m.name {
				return nil, refuse(m.name, "is given twice")
			}
		}
		o.members = append(o.members, m)
	}
	return o, nil
}

// Selection says which dead letters an operation is about: those of an
// endpoint, those with the ids, those of a group, or all; exactly one of them.
// Through is the latest that it is about, so that letters that nobody saw yet are
// left out; zero for no such limit.
type Selection struct {
	Endpoint string           `json:"endpoint,omitempty"`
	IDs      []event.Position `json:"ids,omitempty"`
	Group    string           `json:"group,omitempty"`
	All      bool             `json:"all,omitempty"`
	Through  event.Position   `json:"through,omitzero"`
}

// Redriven is what became of a request to send dead letters again.
type Redriven struct {
	// Redriving counts the letters that are on their way, or will be.
	Redriving int `json:"redriving"`
	// Refused are those that stay where they are, and why: what their route is
	// now sends nothing for them.
	Refused []RefusedLetter `json:"refused"`
	// Job tells how it goes.
	Job *RedriveJob `json:"job,omitempty"`
}

// RefusedLetter is a dead letter that cannot be sent again.
type RefusedLetter struct {
	ID     event.Position `json:"id"`
	Reason string         `json:"reason"`
}

// Probed is what came of trying an endpoint, without delivering anything or with
// an event made for it, or a source without taking anything.
type Probed struct {
	OK     bool   `json:"ok"`
	Said   string `json:"said"` // what was found, or why it fails
	TookMs int64  `json:"tookMs"`
	// EventID is the id of the event that was sent; "" when none was.
	EventID string `json:"eventId,omitempty"`
}

// DecodeProbe reads {"send":true}, which asks for an event to be sent; nothing at
// all, or {}, asks for none.
func DecodeProbe(b []byte) (send bool, err error) {
	if len(b) == 0 {
		return false, nil
	}
	o := ReadObject(b)
	o.Bool("send", &send)
	return send, o.Close()
}

// Replay is what an endpoint is delivered once more.
type Replay struct {
	Endpoint string `json:"endpoint"`
	// From is the first event, AcceptedAt when it was accepted.
	From       event.Position `json:"from"`
	AcceptedAt time.Time      `json:"acceptedAt"`
	// Truncated says that what was asked for before From is not kept any more.
	Truncated bool `json:"truncated"`
}

// DecodeReplay reads {"from":"42-0"} or {"from":"2024-05-01T12:00:00Z"}.
func DecodeReplay(b []byte) (Bound, error) {
	o := ReadObject(b)
	var text string
	o.String("from", &text)
	from, err := ParseBound(text)
	if text == "" {
		o.Refuse("from", "is required: a position such as 42-0, or a time such as 2024-05-01T12:00:00Z")
	}
	o.fail(In("from", err))
	return from, o.Close()
}

// maxSelection bounds the ids of a selection.
const maxSelection = 10_000

// DecodeSelection reads {"endpoint":"hub"}, {"ids":["7-0"]}, {"group":"…"}
// or {"all":true}.
func DecodeSelection(b []byte) (Selection, error) {
	o := ReadObject(b)
	s := readSelection(o)
	return s, o.Close()
}

// DecodePurge reads a selection with "confirm":true beside it.
func DecodePurge(b []byte) (Selection, error) {
	o := ReadObject(b)
	s := readSelection(o)
	var confirm bool
	if o.Bool("confirm", &confirm); !confirm {
		o.Refuse("confirm", "must be true: purged dead letters are gone for good")
	}
	return s, o.Close()
}

func readSelection(o *Object) Selection {
	var s Selection
	o.String("endpoint", &s.Endpoint)
	o.String("group", &s.Group)
	o.Bool("all", &s.All)
	var through string
	if o.String("through", &through); through != "" {
		var err error
		if s.Through, err = event.ParsePosition(through); err != nil {
			o.Refuse("through", "%q is not an id of a dead letter, such as \"42-0\"", through)
		}
	}
	list := o.Array("ids")
	if len(list) > maxSelection {
		o.Refuse("ids", "holds %d ids; %d are allowed", len(list), maxSelection)
		return s
	}
	for i, raw := range list {
		var id event.Position
		if err := json.Unmarshal(raw, &id); err != nil {
			o.Refuse("ids"+index(i), "%s is not an id of a dead letter, such as \"42-0\"", raw)
			break
		}
		s.IDs = append(s.IDs, id)
	}
	given := 0
	for _, ok := range []bool{s.Endpoint != "", s.Group != "", s.All, len(s.IDs) > 0} {
		if ok {
			given++
		}
	}
	if given != 1 {
		o.Refuse("", `want exactly one of "endpoint", "ids" (not empty), "group" and "all":true`)
	}
	if len(s.IDs) > 0 && through != "" {
		o.Refuse("through", `goes with "endpoint", "group" or "all": ids say themselves which letters are meant`)
	}
	return s
}
