package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// ParseFilter answers with all that there can be, and echoes what it was asked.
func (g *gateway) ParseFilter(_ context.Context, req catalog.FilterRequest) (catalog.FilterCheck, error) {
	if req.Text == "refuse" {
		return catalog.FilterCheck{}, &catalog.FieldError{Field: "position", Reason: "is within a character"}
	}
	check := catalog.FilterCheck{
		Text: req.Text, Valid: true, Canonical: "canonical",
		Tree: &catalog.FilterNode{Op: "=", End: 8, Children: []catalog.FilterNode{
			{Op: "field", End: 4, Field: "type", From: "attribute"}, {Op: "literal", Start: 5, End: 8, Value: json.RawMessage("null")},
		}},
		Error: &catalog.FilterError{
			Message: "Unexpected input 'x'", Start: 1, End: 2, Line: 1, Column: 2, In: "rest",
			Suggestion: &catalog.FilterHint{Message: "did you mean y?", Start: 1, End: 2, Insert: "y"},
		},
		Types: []string{"a"}, Fields: []catalog.FilterField{{Field: "type", From: "attribute", Events: 1, Of: 2, Example: json.RawMessage(`"a"`)}},
		Conditions: []catalog.FilterSpan{{Text: "type='a'", End: 8}},
		Hints:      []catalog.FilterHint{{Message: "m", Start: 0, End: 1, Insert: "z"}},
		Kinds:      &catalog.FilterBoxes{Checked: []string{"telemetry"}, Rest: "true", Boxes: []catalog.FilterBox{{Kind: "telemetry", Label: "Telemetry", Types: []string{"t"}}}},
	}
	if req.Boxes != nil {
		check.Kinds = req.Boxes
		check.Kinds.Boxes = []catalog.FilterBox{}
	}
	if req.Position != nil {
		check.Completions = &catalog.FilterCompletions{From: *req.Position, To: *req.Position, Items: []catalog.FilterCompletion{{Label: "l", Kind: "field", Detail: "d", Insert: "i"}}}
	}
	return check, nil
}

// NewMatcher matches events whose subject is the text.
func (g *gateway) NewMatcher(_ context.Context, text string) (admin.Matcher, error) {
	if strings.Contains(text, "syntax error") {
		return nil, &catalog.FieldError{Field: "filter", Reason: "line 1, position 8: unexpected input 'error'"}
	}
	return subject(text), nil
}

type subject string

func (s subject) Matches(e *event.Event) bool { return e.Subject == string(s) }
func (subject) Close() error                  { return nil }

func TestFilterHelp(t *testing.T) {
	s := serve(t)
	position := 7
	for _, req := range []catalog.FilterRequest{
		{Text: "type = 'ä'", Position: &position},
		{Boxes: &catalog.FilterBoxes{Checked: []string{"telemetry"}, Rest: "x > 1"}},
		{},
	} {
		got, err := s.api.ParseFilter(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := s.ParseFilter(t.Context(), req)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", req, diff)
		}
	}
	if _, err := s.api.ParseFilter(t.Context(), catalog.FilterRequest{Text: "refuse"}); err == nil || errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("a refusal = %v", err)
	}
	for body, field := range map[string]string{
		`{}`:                                    "text",
		`{"text":5}`:                            "text",
		`{"text":"a","position":-1}`:            "position",
		`{"text":"a","position":"x"}`:           "position",
		`{"text":"a","position":1.5}`:           "position",
		`{"text":"a","kinds":{}}`:               "kinds",
		`{"kinds":5}`:                           "kinds",
		`{"kinds":{"checked":["telemetry",5]}}`: "kinds.checked[1]",
		`{"kinds":{"rest":5}}`:                  "kinds.rest",
		`{"kinds":{"other":5}}`:                 "kinds.other",
		`{"text":"a","what":1}`:                 "what",
	} {
		var p struct{ Field string }
		if err := json.Unmarshal([]byte(s.want(t, 400, "POST", "/filters:parse", body)), &p); err != nil || p.Field != field {
			t.Errorf("%s is refused for %q, want %q", body, p.Field, field)
		}
	}
	s.want(t, 200, "POST", "/filters:parse", `{"kinds":{"checked":["telemetry"],"rest":"","exact":true,"boxes":[]}}`)
}
