package catalog

import (
	"encoding/json"
)

// FilterRequest asks about the text of a filter, or for the text that
// check-boxes and a remainder make.
type FilterRequest struct {
	Text string
	// Position is where the text is to be completed, as a byte offset; nil for
	// nowhere.
	Position *int
	// Boxes, unless nil, make the text.
	Boxes *FilterBoxes
}

// MarshalJSON writes what [DecodeFilterRequest] reads.
func (r FilterRequest) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	if r.Boxes != nil {
		out["kinds"] = map[string]any{"checked": append([]string{}, r.Boxes.Checked...), "rest": r.Boxes.Rest}
	} else {
		out["text"] = r.Text
	}
	if r.Position != nil {
		out["position"] = *r.Position
	}
	return json.Marshal(out)
}

// FilterBoxes are a filter as check-boxes of the kinds of notifications of
// Azure Digital Twins: it matches events of the kinds that are checked, or of
// any type when none is, for which Rest is true too, unless it is empty.
type FilterBoxes struct {
	Checked []string `json:"checked"`
	Rest    string   `json:"rest"`
	// Exact says that Rest does not speak of the type, so that the boxes say all
	// of it.
	Exact bool `json:"exact"`
	// Boxes are all that there are.
	Boxes []FilterBox `json:"boxes"`
}

// FilterBox is one kind of notifications.
type FilterBox struct {
	Kind  string   `json:"kind"`
	Label string   `json:"label"`
	Types []string `json:"types"` // of its events
}

// DecodeFilterRequest reads {"text":"…","position":7}, or {"kinds":{"checked":
// ["twinUpdate"],"rest":"…"}} in place of the text.
func DecodeFilterRequest(b []byte) (FilterRequest, error) {
	o := ReadObject(b)
	var req FilterRequest
	given := o.Raw("text") != nil
	o.String("text", &req.Text)
	if o.Raw("position") != nil {
		n := 0
		if o.Int("position", &n); n < 0 {
			o.Refuse("position", "want a number of bytes, from 0")
		}
		req.Position = &n
	}
	if raw := o.Raw("kinds"); raw != nil {
		if given {
			o.Refuse("kinds", "give the text or the kinds that make it, not both")
		}
		boxes, err := decodeBoxes(raw)
		o.fail(In("kinds", err))
		req.Boxes = &boxes
	} else if !given {
		o.Refuse("text", "is required: the text of the filter; or give kinds to have it made")
	}
	if len(req.Text) > MaxFilterBytes {
		o.Refuse("text", "is %d bytes long; %d are allowed", len(req.Text), MaxFilterBytes)
	}
	return req, o.Close()
}

func decodeBoxes(b json.RawMessage) (FilterBoxes, error) {
	o := readObject(b)
	boxes := FilterBoxes{}
	for i, raw := range o.Array("checked") {
		var kind string
		if err := json.Unmarshal(raw, &kind); err != nil {
			o.Refuse("checked"+index(i), "want the name of a kind")
			break
		}
		boxes.Checked = append(boxes.Checked, kind)
	}
	o.String("rest", &boxes.Rest)
	if len(boxes.Rest) > MaxFilterBytes {
		o.Refuse("rest", "is %d bytes long; %d are allowed", len(boxes.Rest), MaxFilterBytes)
	}
	o.Ignore("exact", "boxes")
	return boxes, o.Close()
}

// FilterCheck is what is known of the text of a filter. All places are byte
// offsets into Text as UTF-8.
type FilterCheck struct {
	Text  string `json:"text"`
	Valid bool   `json:"valid"`
	// Canonical has the same meaning as Text, in the one form that texts of this
	// meaning are compared in.
	Canonical string       `json:"canonical,omitempty"`
	Tree      *FilterNode  `json:"tree,omitempty"`
	Error     *FilterError `json:"error,omitempty"`
	// Types are those of the events that the filter can match; AnyType says that
	// it does not limit them.
	Types   []string      `json:"types"`
	AnyType bool          `json:"anyType"`
	Fields  []FilterField `json:"fields"`
	// Conditions are what must all be true.
	Conditions []FilterSpan `json:"conditions"`
	Hints      []FilterHint `json:"hints"`
	Kinds      *FilterBoxes `json:"kinds,omitempty"`
	// Completions are for the position of the request.
	Completions *FilterCompletions `json:"completions,omitempty"`
}

// FilterNode is a part of a filter. Op is "and", "or", "not", "in", an operator
// such as "=", the name of a function in capitals, "literal" or "field".
type FilterNode struct {
	Op       string       `json:"op"`
	Start    int          `json:"start"`
	End      int          `json:"end"`
	Children []FilterNode `json:"children,omitempty"`
	// Value is that of a literal.
	Value json.RawMessage `json:"value,omitempty"`
	// Field is the name of a field, From where it is read from: "attribute",
	// "body", "patch", "changed", or "nothing" for a name that no event has a
	// value for.
	Field string `json:"field,omitempty"`
	From  string `json:"from,omitempty"`
}

// FilterError is where a text stops being a filter.
type FilterError struct {
	Message string `json:"message"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
	// Line and Column count from 1, the column in characters.
	Line   int `json:"line"`
	Column int `json:"column"`
	// In is "rest" when the fault is in the remainder that check-boxes came with.
	In string `json:"in,omitempty"`
	// Suggestion is a change with which more of the text is a filter.
	Suggestion *FilterHint `json:"suggestion,omitempty"`
}

// FilterSpan is a part of a text.
type FilterSpan struct {
	Text  string `json:"text"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// FilterField is a value of events that a filter asks for.
type FilterField struct {
	Field string `json:"field"`
	From  string `json:"from"`
	// Events is how many of the events looked at had it, and Of how many were
	// looked at; Example is a value of one.
	Events  int             `json:"events"`
	Of      int             `json:"of"`
	Example json.RawMessage `json:"example,omitempty"`
}

// FilterHint is a change of the text that its author may have had in mind: what
// is from Start to End becomes Insert.
type FilterHint struct {
	Message string `json:"message"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
	Insert  string `json:"insert"`
}

// FilterCompletions are the ways to go on: the text from From to To becomes
// what an item inserts.
type FilterCompletions struct {
	From  int                `json:"from"`
	To    int                `json:"to"`
	Items []FilterCompletion `json:"items"`
}

// FilterCompletion is one of them. Kind is "field", "function", "keyword",
// "operator", "type", "value", "path" or "bracket".
type FilterCompletion struct {
	Label  string `json:"label"`
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
	Insert string `json:"insert"`
}
