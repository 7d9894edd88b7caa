package gateway_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScanLatest(t *testing.T) {
	s := start(t, t.TempDir())
	for n := range 3 { // three chunks of four events
		var batch []string
		for i := range 4 {
			batch = append(batch, fmt.Sprintf(`{"specversion":"1.0","id":"%d-%d","source":"/s","type":"t","subject":"twin-%d"}`, n, i, i%2))
		}
		s.send(batch...)
	}
	all := s.api("GET", "/events?limit=100", "").want(t, 200).object(t)["items"].([]any)
	if len(all) != 12 {
		t.Fatalf("%d events are in the journal, want 12", len(all))
	}
	at := func(i int) string { return all[i].(map[string]any)["id"].(string) }
	time := func(i int) string { return url.QueryEscape(all[i].(map[string]any)["acceptedAt"].(string)) }
	tests := []struct {
		name, query string
		want        []string
		complete    bool
	}{
		{"the last three", "limit=3", []string{"2-1", "2-2", "2-3"}, false},
		{"of a subject, over chunks", "limit=3&subject=twin-1", []string{"1-3", "2-1", "2-3"}, false},
		{"all there are", "limit=100&subject=twin-0", []string{"0-0", "0-2", "1-0", "1-2", "2-0", "2-2"}, true},
		{"up to a position", "limit=2&to=" + at(5), []string{"1-0", "1-1"}, false},
		{"from a position", "limit=100&from=" + at(9), []string{"2-1", "2-2", "2-3"}, true},
		{"up to a time", "limit=2&to=" + time(6), []string{"1-2", "1-3"}, false},
		{"from a time", "limit=100&from=" + time(8), []string{"2-0", "2-1", "2-2", "2-3"}, true},
		{"none", "limit=3&subject=nobody", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := s.api("GET", "/events?latest=true&"+tt.query, "").want(t, 200).object(t)
			var got []string
			for _, item := range page["items"].([]any) {
				got = append(got, item.(map[string]any)["event"].(map[string]any)["id"].(string))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if complete := page["covered"].(map[string]any)["complete"]; complete != tt.complete {
				t.Errorf("complete is %v, want %v", complete, tt.complete)
			}
		})
	}
	if p := s.api("GET", "/events?latest=true&after=1-0", "").problem(t, 400); p["field"] != "after" {
		t.Errorf("after with latest: %v", p)
	}
}
