package catalog_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// changes writes a difference in short.
func changes(list []catalog.EventChange) (out []string) {
	for _, c := range list {
		out = append(out, strings.TrimRight(fmt.Sprintf("%s %s %s %s→%s", c.Part, c.Op, c.Path, c.Before, c.After), " "))
	}
	return out
}

func TestDiffEvents(t *testing.T) {
	data := func(s string) event.Event { return event.Event{ID: "1", Source: "s", Type: "t", Data: []byte(s)} }
	tests := []struct {
		name          string
		before, after event.Event
		properties    delivery.Properties
		want          []string
	}{
		{"the same", data(`{"a":1}`), data(`{"a":1}`), delivery.Properties{}, nil},
		{"blanks, order and escapes", data(`{"a":1, "b":"\u0041"}`), data(`{"b":"A","a":1}`), delivery.Properties{}, nil},
		{"members", data(`{"a":1,"b":{"c":2,"d":3}}`), data(`{"b":{"c":null,"d":3},"e":[1]}`), delivery.Properties{}, []string{
			"data remove /a 1→", "data replace /b/c 2→null", "data add /e →[1]",
		}},
		{"names in pointers", data(`{"a/b":1,"m~n":1}`), data(`{"a/b":2,"m~n":2}`), delivery.Properties{}, []string{"data replace /a~1b 1→2", "data replace /m~0n 1→2"}},
		{"elements", data(`[1,2,3]`), data(`[1,4]`), delivery.Properties{}, []string{"data replace /1 2→4", "data remove /2 3→"}},
		{"another kind", data(`{"a":[]}`), data(`{"a":{}}`), delivery.Properties{}, []string{"data replace /a []→{}"}},
		{"no data any more", data(`{"a":1}`), data(``), delivery.Properties{}, []string{`data remove  {"a":1}→`}},
		{"text", data(`hello`), data(`{"a":1}`), delivery.Properties{}, []string{`data replace  "hello"→{"a":1}`}},
		{"bytes", data("\xff\x00"), data("\xfe"), delivery.Properties{}, []string{`data replace  "(2 bytes)"→"(1 bytes)"`}},
		{
			"attributes", event.Event{ID: "1", Source: "s", Type: "t", Subject: "x", Extensions: []event.Extension{{Name: "site", Value: "n"}}},
			event.Event{ID: "1", Source: "s", Type: "u", Time: "2026-01-02T03:04:05Z"}, delivery.Properties{},
			[]string{`attribute remove site "n"→`, `attribute remove subject "x"→`, `attribute add time →"2026-01-02T03:04:05Z"`, `attribute replace type "t"→"u"`},
		},
		{
			"properties", data("1"), data("1"),
			delivery.Properties{SessionID: "a", PartitionKey: "b", MessageID: "c", ScheduledAt: time.Unix(0, 0).UTC(), TimeToLive: time.Minute, Application: []delivery.Property{{Name: "k", Value: "v"}}},
			[]string{`property add sessionId →"a"`, `property add partitionKey →"b"`, `property add messageId →"c"`, `property add scheduledAt →"1970-01-01T00:00:00Z"`, `property add timeToLive →"1m"`, `property add application/k →"v"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := changes(catalog.DiffEvents(&tt.before, &tt.after, catalog.NewProperties(tt.properties)))
			if !slices.Equal(got, tt.want) {
				t.Errorf("changes %q\nwant    %q", got, tt.want)
			}
		})
	}
}

// FuzzDiffEvents holds a difference to its bounds, and to being one: equal JSON
// has none, and other JSON has some.
func FuzzDiffEvents(f *testing.F) {
	f.Add(`{"a":[1,{"b":2}]}`, `{"a":[1,{"b":3}],"c":null}`)
	f.Add(strings.Repeat("[", 500)+strings.Repeat("]", 500), strings.Repeat("[", 501)+strings.Repeat("]", 501))
	f.Add(`["`+strings.Repeat("x", 5000)+`"]`, `["`+strings.Repeat("ä", 5000)+`"]`)
	f.Add("\xff", "hello")
	f.Fuzz(func(t *testing.T, before, after string) {
		a, b := event.Event{Data: []byte(before)}, event.Event{Data: []byte(after)}
		list := catalog.DiffEvents(&a, &b, nil)
		if len(list) > 500 {
			t.Fatalf("%d changes", len(list))
		}
		if before == after && len(list) > 0 {
			t.Fatalf("%q differs from itself by %v", before, changes(list))
		}
		for _, c := range list {
			if len(c.Before) > 3<<10 || len(c.After) > 3<<10 {
				t.Fatalf("a change of %d and %d bytes", len(c.Before), len(c.After))
			}
			if _, err := json.Marshal(c); err != nil {
				t.Fatalf("%v: %v", c, err)
			}
		}
		var x, y any
		if len(list) == 0 && json.Unmarshal(a.Data, &x) == nil && json.Unmarshal(b.Data, &y) == nil && !equalJSON(t, x, y) {
			t.Fatalf("%q and %q do not differ", before, after)
		}
	})
}

func equalJSON(t *testing.T, x, y any) bool {
	t.Helper()
	a, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(y)
	if err != nil {
		t.Fatal(err)
	}
	return string(a) == string(b)
}
