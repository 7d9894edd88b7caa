package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func contractScan(t *testing.T, s *server) {
	begin := time.Now()
	var events []string
	for i := range 7 {
		events = append(events, from("scan", update("scan", fmt.Sprint("room-", i%2), "/x", fmt.Sprint(i))))
	}
	s.send(events[:3]...)
	s.send(events[3:]...)
	scan := func(query string) map[string]any {
		t.Helper()
		return s.api(http.MethodGet, "/events?"+query, "").want(t, 200).object(t)
	}
	whole := scan("source=scan")
	items := whole["items"].([]any)
	if len(items) != 7 || at(t, whole, "covered", "complete") != true {
		t.Fatalf("scan %v", whole)
	}
	id := func(i int) string { return at(t, items, i, "id").(string) }
	var seq, index int
	if n, err := fmt.Sscanf(id(6), "%d-%d", &seq, &index); n != 2 || err != nil {
		t.Errorf("id %q is no SEQ-INDEX", id(6))
	}
	if one := s.api(http.MethodGet, "/events/"+id(6), "").want(t, 200).object(t); at(t, one, "event", "data", "patch", 0, "value") != 6.0 {
		t.Errorf("event %s is %v", id(6), one)
	}
	values := func(query string) (got []any) {
		for _, item := range scan(query)["items"].([]any) {
			got = append(got, at(t, item, "event", "data", "patch", 0, "value"))
		}
		return got
	}
	moment := func(d time.Duration) string { return url.QueryEscape(begin.Add(d).Format(time.RFC3339Nano)) }
	for query, want := range map[string][]any{
		"source=scan&subject=room-1":                                          {1.0, 3.0, 5.0},
		"source=scan&id=scan":                                                 {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0},
		"source=scan&id=other":                                                nil,
		"source=scan&from=" + id(5):                                           {5.0, 6.0},
		"source=scan&from=" + id(1) + "&to=" + id(2):                          {1.0, 2.0},
		"source=scan&to=" + moment(-time.Hour):                                nil,
		"source=scan&from=" + moment(-time.Hour) + "&to=" + moment(time.Hour): {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0},
		"source=scan&from=" + moment(time.Hour):                               nil,
	} {
		if diff := cmp.Diff(want, values(query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	var walked []any
	for after := ""; ; {
		page := scan("source=scan&limit=2&from=" + id(0) + "&after=" + after)
		walked = append(walked, page["items"].([]any)...)
		if after, _ = page["next"].(string); after == "" {
			break
		}
	}
	if diff := cmp.Diff(items, walked); diff != "" {
		t.Errorf("by pages (-whole +pages):\n%s", diff)
	}
	for _, bad := range []string{"limit=0", "limit=x", "from=yesterday", "to=1", "after=x"} {
		s.api(http.MethodGet, "/events?"+bad, "").problem(t, 400)
	}
	s.api(http.MethodGet, "/events/999999-0", "").problem(t, 404)
	s.api(http.MethodGet, fmt.Sprintf("/events/%d-999", seq), "").problem(t, 404)
	s.api(http.MethodGet, "/events/x", "").problem(t, 400)
}

// follow opens the stream, and returns its lines from when it follows.
func (s *server) follow(ctx context.Context, query string) iter.Seq[string] {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http.URL+"/api/v1/events/stream"+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("stream: %s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	return func(yield func(string) bool) {
		defer resp.Body.Close()
		scan := bufio.NewScanner(resp.Body)
		for scan.Scan() && yield(scan.Text()) {
		}
	}
}

func timeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
