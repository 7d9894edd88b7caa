package matcher_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
)

// TestFilterCorpus runs a corpus of filters and events from outside of the
// repository, when it is there.
func TestFilterCorpus(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "fixtures", "adt")
	text, err := os.ReadFile(filepath.Join(dir, "filters.json"))
	if err != nil {
		t.Skip("no corpus of filters beside the checkout")
	}
	var corpus []struct {
		Filter  string
		Parses  bool
		Error   string
		Matches []string `json:"expected_fixture_matches"`
	}
	if err := json.Unmarshal(text, &corpus); err != nil {
		t.Fatal(err)
	}
	events := readEvents(t, dir)
	for _, c := range corpus {
		t.Run(c.Filter, func(t *testing.T) {
			_, err := filter.Parse(c.Filter)
			if (err == nil) != c.Parses || err != nil && err.Error() != c.Error {
				t.Fatalf("Parse = %v, want %q", err, c.Error)
			}
			if err != nil {
				return
			}
			m := newMatcher(t, c.Filter)
			for name, e := range events {
				m.Load(&e)
				if got, want := m.Match(0), slices.Contains(c.Matches, name); got != want {
					t.Errorf("on %s = %v, want %v", name, got, want)
				}
			}
		})
	}
}

func readEvents(t *testing.T, dir string) map[string]event.Event {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	events := make(map[string]event.Event)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			SpecVersion, ID, Source, Type, Subject, Time, DataContentType, DataSchema string

			Data json.RawMessage
		}
		if json.Unmarshal(text, &e) != nil || e.SpecVersion == "" {
			continue // the corpus itself
		}
		events[filepath.Base(name)] = event.Event{
			ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.Time,
			DataContentType: e.DataContentType, DataSchema: e.DataSchema, Data: e.Data,
		}
	}
	return events
}
