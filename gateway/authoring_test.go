package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

func checkFilter(t *testing.T, req catalog.FilterRequest) catalog.FilterCheck {
	t.Helper()
	check, err := gateway.CheckFilter(req)
	if err != nil {
		t.Fatal(err)
	}
	return check
}

// A filter is check-boxes and a remainder, and these are the filter.
func TestFilterBoxes(t *testing.T) {
	update, create, remove := "type = '"+event.TwinUpdate+"'", "type = '"+event.TwinCreate+"'", "type = '"+event.TwinDelete+"'"
	tests := []struct {
		text    string
		checked []string
		rest    string
		exact   bool
	}{
		{"true", []string{}, "", true},
		{"false", []string{}, "false", true},
		{update, []string{"twinUpdate"}, "", true},
		{create + " OR " + remove, []string{"twinLifecycle"}, "", true},
		{create, []string{}, create, false},
		{update + " OR " + remove + " OR " + create, []string{"twinUpdate", "twinLifecycle"}, "", true},
		{update + " AND $body.x > 1", []string{"twinUpdate"}, "$body.x > 1", true},
		{"$body.x > 1 OR " + update, []string{}, "$body.x > 1 OR " + update, false},
		{update + " AND NOT type = 'x'", []string{"twinUpdate"}, "NOT type = 'x'", false},
		{"type = 'own' AND " + update, []string{"twinUpdate"}, "type = 'own'", false},
		{"type = '" + event.Telemetry + "' AND (a OR b)", []string{"telemetry"}, "a OR b", true},
		{"$body.x > 1", []string{}, "$body.x > 1", true},
	}
	for _, tt := range tests {
		kinds := checkFilter(t, catalog.FilterRequest{Text: tt.text}).Kinds
		if !slices.Equal(kinds.Checked, tt.checked) || kinds.Rest != tt.rest || kinds.Exact != tt.exact {
			t.Errorf("%s is %q and %q (exact %v), want %q and %q (%v)", tt.text, kinds.Checked, kinds.Rest, kinds.Exact, tt.checked, tt.rest, tt.exact)
		}
		back := checkFilter(t, catalog.FilterRequest{Boxes: kinds})
		if diff := cmp.Diff(kinds, back.Kinds); diff != "" || !back.Valid {
			t.Errorf("%s, by its boxes %s (-want +got):\n%s", tt.text, back.Text, diff)
		}
	}
	check := checkFilter(t, catalog.FilterRequest{Boxes: &catalog.FilterBoxes{Checked: []string{"telemetry"}, Rest: "a) OR (b"}})
	if check.Valid || check.Error == nil || check.Error.In != "rest" || check.Error.Start != 1 || check.Text != "" {
		t.Errorf("a remainder that is no filter: %+v", check)
	}
	if _, err := gateway.CheckFilter(catalog.FilterRequest{Boxes: &catalog.FilterBoxes{Checked: []string{"telemetry", "twins"}}}); err == nil || !strings.Contains(err.Error(), "kinds.checked[1]") {
		t.Errorf("a kind that does not exist: %v", err)
	}
}

// Random boxes, in whatever order they were checked, and remainders come back as
// they were.
func TestFilterBoxesRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	names := []string{"twinUpdate", "twinLifecycle", "relationship", "telemetry"}
	rests := []string{"", "$body.x > 1", "a = 'b' OR c = 'd'", "(a OR b) AND c", "NOT (a AND b)", "CHANGED('/x')", "false", " a\nAND b "}
	for range 200 {
		want := catalog.FilterBoxes{Checked: []string{}, Rest: rests[rng.IntN(len(rests))]}
		for _, n := range names {
			if rng.IntN(2) == 0 {
				want.Checked = append(want.Checked, n)
			}
		}
		clicked := want
		clicked.Checked = slices.Clone(want.Checked)
		rng.Shuffle(len(clicked.Checked), func(i, j int) {
			clicked.Checked[i], clicked.Checked[j] = clicked.Checked[j], clicked.Checked[i]
		})
		check := checkFilter(t, catalog.FilterRequest{Boxes: &clicked})
		if ordered := checkFilter(t, catalog.FilterRequest{Boxes: &want}); check.Text != ordered.Text {
			t.Errorf("%q make %s, and %q %s", clicked.Checked, check.Text, want.Checked, ordered.Text)
		}
		// Where terms are joined anew, blanks around them are not kept.
		if !slices.Equal(check.Kinds.Checked, want.Checked) || canonical(t, check.Kinds.Rest) != canonical(t, want.Rest) {
			t.Errorf("%+v makes %s, which is %+v", want, check.Text, check.Kinds)
		}
	}
}

func canonical(t *testing.T, text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return checkFilter(t, catalog.FilterRequest{Text: text}).Canonical
}

func TestCheckFilterPositions(t *testing.T) {
	position := func(n int) *int { return &n }
	for _, tt := range []struct {
		text     string
		position int
		refused  string
	}{{"", 0, ""}, {"a", 1, ""}, {"a", 2, "the text has 1 bytes"}, {"'ä'", 2, "within a character"}, {"'ä'", 3, ""}, {"\xff", 1, ""}} {
		_, err := gateway.CheckFilter(catalog.FilterRequest{Text: tt.text, Position: position(tt.position)})
		if (err == nil) != (tt.refused == "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
			t.Errorf("position %d of %q: %v, want %q", tt.position, tt.text, err, tt.refused)
		}
	}
}

// contractFilterHelp asks a server that has seen events.
func contractFilterHelp(t *testing.T, s *server) {
	for i := range 5 {
		s.send(from("help", fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"help","type":"Help.Wanted","subject":"twin","helpzone":"north",`+
			`"data":{"modelId":"dtmi:help;1","nested":{"Depth":%d,"list":[1]},"we.ird":1,"patch":[{"op":"replace","path":"/Help~1Zone","value":{"T":%d.5}},{"op":"remove","path":"/gone"}]}}`, i, i%2, i)))
	}
	ask := func(text string) map[string]any {
		t.Helper()
		body := fmt.Sprintf(`{"text":%q,"position":%d}`, text, len(text))
		return s.api(http.MethodPost, "/filters:parse", body).want(t, 200).object(t)
	}
	labels := func(text string) (list []string) {
		t.Helper()
		items, _ := at(t, ask(text), "completions", "items").([]any)
		for _, item := range items {
			list = append(list, at(t, item, "label").(string))
		}
		return list
	}
	for text, want := range map[string][]string{
		"type = 'Help":             {"'Help.Wanted'"},
		"helpz":                    {"helpzone"},
		"helpzone = ":              {"'north'"},
		"nested.De":                {"$body.nested.Depth"},
		"$body.nested.Depth > ":    {"0", "1"},
		"CHANGED('/Help":           {"'/Help~1Zone'", "'/Help~1Zone/T'"},
		"PATCH('/Help~1Zone/T') =": {"0.5", "4.5"},
		"CHANGED('/go":             {"'/gone'"},
	} {
		got := labels(text)
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s is completed by %q, want %q among them", text, got, w)
			}
		}
	}
	if got := labels("we.ir"); len(got) != 0 {
		t.Errorf("a name that no filter can write is offered: %q", got)
	}
	check := ask("$body.nested.depth = 1")
	if got := at(t, check, "hints", 0, "insert"); got != "$body.nested.Depth" {
		t.Errorf("a slip of the pen leads to %v: %v", got, check)
	}
	check = ask("helpzone = 'a' AND $body.nested.Depth > 0")
	if events := at(t, check, "fields", 1, "events"); events != 5.0 || at(t, check, "fields", 1, "example") == nil {
		t.Errorf("fields are %v", at(t, check, "fields"))
	}
	check = ask("type = 'a'\nAND AND")
	for path, want := range map[string]any{"message": "Unexpected input 'AND'", "start": 15.0, "end": 18.0, "line": 2.0, "column": 5.0} {
		if got := at(t, check, "error", path); got != want {
			t.Errorf("%s of the error is %v, want %v", path, got, want)
		}
	}
	s.api(http.MethodPost, "/filters:parse", `{"text":"a","position":9}`).problem(t, 400)
	s.api(http.MethodPost, "/filters:parse", `{"text":"`+strings.Repeat("a", 64<<10+1)+`"}`).problem(t, 400)
}
