package gateway_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway"
)

func TestTwin(t *testing.T) {
	s := startWith(t, gateway.Options{Dir: t.TempDir()})
	s.fileEndpoint("out")
	s.put("/routes/r", `{"endpointName":"out","filter":"subject = 'room-1'"}`)
	const chunks, each = 30, 10
	for c := range chunks {
		var events []string
		for i := range each {
			n := c*each + i
			events = append(events, update(fmt.Sprint(n), fmt.Sprint("room-", i%5), "/Temperature", fmt.Sprint(n)))
		}
		s.send(events...)
	}
	s.must(http.MethodPost, "/events", "application/cloudevents+json", `{"specversion":"1.0","id":"t","source":"plant.api.weu.digitaltwins.azure.net/digitaltwins/room-1","type":"microsoft.iot.telemetry","datacontenttype":"application/json","data":{"co2":612}}`)
	s.must(http.MethodPost, "/events", "application/cloudevents+json", `{"specversion":"1.0","id":"rel","source":"plant","type":"Microsoft.DigitalTwins.Relationship.Update","subject":"room-1/relationships/door","datacontenttype":"application/json","data":{"patch":[{"op":"replace","path":"/open","value":1}]}}`)
	get := func(query string) map[string]any {
		t.Helper()
		return s.api(http.MethodGet, "/twins?key=room-1&"+query, "").want(t, 200).object(t)
	}
	whole := get("limit=1000")
	items := whole["items"].([]any)
	if len(items) != 62 || at(t, items, 0, "event", "id") != "rel" || at(t, items, 1, "event", "id") != "t" || at(t, items, 2, "event", "id") != "296" || at(t, items, 61, "event", "id") != "1" {
		t.Fatalf("%d items, %.300v", len(items), items)
	}
	if c := whole["covered"].(map[string]any); c["complete"] != true || c["events"] != 302.0 || whole["next"] != nil {
		t.Errorf("covered %v, next %v", c, whole["next"])
	}
	var paths []any
	for _, series := range whole["series"].([]any) {
		paths = append(paths, at(t, series, "path"), float64(len(at(t, series, "points").([]any))))
	}
	if diff := cmp.Diff([]any{"/Temperature", 60.0, "/relationships/door/open", 1.0, "/telemetry/co2", 1.0}, paths); diff != "" {
		t.Errorf("series (-want +got)\n%s", diff)
	}
	point := at(t, whole, "series", 0, "points", 59).([]any)
	if happened := time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC).UnixMilli(); point[0] != float64(happened) || point[1] != 296.0 {
		t.Errorf("the last point is %v, want the event's own time, and 296", point)
	}
	eventually(t, "the delivery of one of its events", func() bool {
		list := at(t, get("limit=3"), "items", 2, "deliveries").([]any)
		return len(list) == 1 && at(t, list, 0, "route") == "r" && at(t, list, 0, "outcome") == "delivered"
	})

	var walked []any
	pages, looked := 0, 0.0
	for after := ""; ; pages++ {
		page := get("limit=7&after=" + after)
		walked = append(walked, page["items"].([]any)...)
		looked += at(t, page, "covered", "events").(float64)
		if after, _ = page["next"].(string); after == "" {
			break
		}
	}
	ids := func(list []any) (ids []any) {
		for _, item := range list {
			ids = append(ids, at(t, item, "id"))
		}
		return ids
	}
	if diff := cmp.Diff(ids(items), ids(walked)); diff != "" || looked != 302 {
		t.Errorf("by pages: %d pages, %v events looked at (-whole +pages)\n%s", pages, looked, diff)
	}

	first, last := at(t, items, 50, "id").(string), at(t, items, 40, "id").(string)
	if got := get("from=" + first + "&to=" + last); len(got["items"].([]any)) != 11 || at(t, got, "covered", "complete") != true {
		t.Errorf("from %s to %s: %d items", first, last, len(got["items"].([]any)))
	}
	moment := func(d time.Duration) string { return url.QueryEscape(time.Now().Add(d).Format(time.RFC3339Nano)) }
	for query, want := range map[string]int{
		"from=" + moment(time.Hour): 0, "to=" + moment(-time.Hour): 0, "from=" + moment(-time.Hour) + "&to=" + moment(time.Hour): 62,
	} {
		if got := get("limit=100&" + query); len(got["items"].([]any)) != want || at(t, got, "covered", "complete") != true {
			t.Errorf("%s: %d items of %v, want %d", query, len(got["items"].([]any)), got["covered"], want)
		}
	}
	none := s.api(http.MethodGet, "/twins?key=nobody", "").want(t, 200).object(t)
	if len(none["items"].([]any)) != 0 || at(t, none, "covered", "events") != 302.0 {
		t.Errorf("%v", none)
	}
}

// A journal that is longer than one scan looks at is walked window by window.
func TestTwinOfALongJournal(t *testing.T) {
	s := startWith(t, gateway.Options{Dir: t.TempDir()})
	s.send(update("old", "room-1", "/x", "1"))
	const chunks = 1500
	for i := range chunks {
		s.send(update(fmt.Sprint(i), "other", "/x", "1"))
	}
	found, pages, looked := 0, 0, 0.0
	for after := ""; ; {
		page := s.api(http.MethodGet, "/twins?key=room-1&after="+after, "").want(t, 200).object(t)
		found += len(page["items"].([]any))
		looked += at(t, page, "covered", "events").(float64)
		pages++
		if after, _ = page["next"].(string); after == "" {
			break
		}
	}
	if found != 1 || pages != 2 || looked != chunks+1 {
		t.Errorf("%d items in %d pages over %v events", found, pages, looked)
	}
}
