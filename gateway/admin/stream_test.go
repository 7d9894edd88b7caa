package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

func chunk(seq uint64, events ...event.Event) event.Chunk {
	return event.Chunk{Seq: seq, Accepted: time.Unix(1, 0).UTC(), Events: events}
}

func try(seq uint64, out delivery.Outcome) delivery.Try {
	return delivery.Try{
		Delivery: &delivery.Delivery{Event: sample("1", "room"), Endpoint: "hub", Route: "r", Position: event.Position{Seq: seq}, Attempts: 1},
		At:       time.Unix(2, 0).UTC(), Took: 3 * time.Millisecond, Outcome: out,
	}
}

func TestFollow(t *testing.T) {
	s := serve(t)
	items, err := s.api.Follow(t.Context(), catalog.EventQuery{Subject: "room"}, true)
	if err != nil {
		t.Fatal(err)
	}
	s.tail.Accepted(chunk(7, sample("0", "hall"), sample("1", "room")))
	s.tail.Record([]delivery.Try{
		try(7, delivery.NotTried()), // no attempt, so no news
		try(7, delivery.Refused(errors.New("401 <unauthorised>\nnow"))),
		try(7, delivery.Delivered()),
	})
	var got []client.Tailed
	for item, err := range items {
		if err != nil {
			if !errors.Is(err, client.ErrStreamEnded) {
				t.Errorf("stream ended with %v", err)
			}
			break
		}
		if got = append(got, item); len(got) == 3 {
			s.tail.Close()
		}
	}
	report := catalog.DeliveryReport{
		ID: event.Position{Seq: 7}, EventID: "1", Route: "r", Endpoint: "hub", Attempt: 1,
		At: time.Unix(2, 0).UTC(), Took: catalog.Duration(3 * time.Millisecond), Outcome: "endpoint", Error: "401 <unauthorised>\nnow",
	}
	delivered := report
	delivered.Outcome, delivered.Error = "delivered", ""
	room := sample("1", "room")
	room.Data = []byte(`{"a":"<1>"}`) // without blanks
	want := []client.Tailed{
		{Accepted: &catalog.StoredEvent{ID: event.Position{Seq: 7, Index: 1}, AcceptedAt: time.Unix(1, 0).UTC(), Event: catalog.CloudEvent{Event: room}}},
		{Delivery: &report}, {Delivery: &delivered},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tail (-want +got):\n%s", diff)
	}
}

func TestStreamWithoutDeliveries(t *testing.T) {
	s := serve(t)
	items, err := s.api.Follow(t.Context(), catalog.EventQuery{}, false)
	if err != nil {
		t.Fatal(err)
	}
	s.tail.Record([]delivery.Try{try(1, delivery.Delivered())})
	s.tail.Accepted(chunk(2, sample("2", "")))
	for item, err := range items {
		if err != nil || item.Accepted == nil || item.Accepted.Event.ID != "2" {
			t.Errorf("first item = %+v, %v, want the accepted event", item, err)
		}
		break
	}
}

func TestStreamText(t *testing.T) {
	s := serve(t)
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/api/v1/events/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("Content-Type = %q", kind)
	}
	want := ": following\nretry: 2000\n\n" +
		"event: accepted\nid: 3-0\ndata: {\"id\":\"3-0\",\"acceptedAt\":\"1970-01-01T00:00:01Z\",\"event\":{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"subject\":\"room\",\"datacontenttype\":\"application/json\",\"data\":{\"a\":\"<1>\"}}}\n\n"
	s.tail.Accepted(chunk(3, sample("1", "room")))
	got := make([]byte, len(want))
	for n := 0; n < len(got); {
		m, err := resp.Body.Read(got[n:])
		if n += m; err != nil {
			t.Fatalf("after %q: %v", got[:n], err)
		}
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("stream (-want +got):\n%s", diff)
	}
}

func TestStreamHeartbeat(t *testing.T) {
	s := serveWith(t, admin.Options{Heartbeat: time.Millisecond})
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/api/v1/events/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got strings.Builder
	for b := make([]byte, 64); !strings.Contains(got.String(), ": alive\n\n: alive\n\n"); {
		n, err := resp.Body.Read(b)
		if err != nil {
			t.Fatalf("after %q: %v", got.String(), err)
		}
		got.Write(b[:n])
	}
}

// A follower that asks for less is told what it was not told.
func TestFollowSome(t *testing.T) {
	var all []event.Event
	for i := range 200 {
		all = append(all, sample(fmt.Sprint(i), []string{"room", "hall"}[i%2]))
	}
	tests := []struct {
		name      string
		query     catalog.TailQuery
		unmatched uint64
		sampled   bool
	}{
		{"filter", catalog.TailQuery{Filter: "room", Deliveries: true}, 100, false},
		{"sample", catalog.TailQuery{Sample: 20, Deliveries: true}, 0, true},
		{"filter and sample", catalog.TailQuery{Filter: "room", Sample: 20, Deliveries: true}, 100, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t)
			items, err := s.api.FollowTail(t.Context(), tt.query)
			if err != nil {
				t.Fatal(err)
			}
			s.tail.Accepted(chunk(7, all...))
			var tries []delivery.Try
			for i, e := range all {
				tries = append(tries, delivery.Try{Delivery: &delivery.Delivery{Event: e, Position: event.Position{Seq: 7, Index: i}}, Outcome: delivery.Delivered()})
			}
			s.tail.Record(tries)
			told := map[event.Position]bool{}
			var ids []int
			delivered := 0
			var left catalog.Dropped
			for item, err := range items {
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case item.Accepted != nil:
					told[item.Accepted.ID] = true
					ids = append(ids, item.Accepted.ID.Index)
				case item.Delivery != nil:
					if delivered++; !told[item.Delivery.ID] {
						t.Errorf("told of a delivery of %s, and not of the event", item.Delivery.ID)
					}
				}
				left.Sampled += item.Sampled
				left.Unmatched += item.Unmatched
				if len(told)+int(left.Sampled+left.Unmatched) == len(all) && delivered == len(told) {
					break
				}
			}
			if left.Unmatched != tt.unmatched || (left.Sampled > 0) != tt.sampled || !slices.IsSorted(ids) {
				t.Errorf("told %v, left out %+v", ids, left)
			}
			if tt.sampled && (len(ids) < tt.query.Sample || len(ids) > 2*tt.query.Sample || ids[len(ids)-1]-ids[0] < 160) {
				t.Errorf("a sample of %d in a second is %v", tt.query.Sample, ids)
			}
		})
	}
}

// stuck is a client that takes nothing until it is released.
type stuck struct {
	*httptest.ResponseRecorder
	begun, release chan struct{}
}

func (w *stuck) Write(b []byte) (int, error) {
	select {
	case w.begun <- struct{}{}:
	default:
	}
	<-w.release
	return w.ResponseRecorder.Write(b)
}

// A follower that is too slow is told how much it missed, and nobody waits.
func TestSlowFollower(t *testing.T) {
	tail := admin.NewTail()
	e := echo.New()
	admin.New(admin.Backend{Tail: tail}, nil, admin.Options{Heartbeat: time.Hour}).Mount(e.Group("/api/v1"))
	w := &stuck{httptest.NewRecorder(), make(chan struct{}, 1), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/events/stream", nil))
	}()
	<-w.begun
	const sent = 5000
	for i := range uint64(sent) {
		tail.Accepted(chunk(i+1, sample(fmt.Sprint(i), "room")))
	}
	status := tail.Status()
	if status.Followers != 1 || status.Dropped == 0 || status.Dropped >= sent {
		t.Errorf("status = %+v", status)
	}
	tail.Accepted(chunk(1, event.Event{ID: "huge", Source: "s", Type: "t", Data: make([]byte, 9<<20)}))
	close(w.release)
	tail.Close()
	tail.Close()
	<-done
	// It was released and ended at once: what it got is whole, whatever came first.
	told := strings.Count(w.Body.String(), "event: accepted")
	if i := strings.Index(w.Body.String(), "event: dropped\ndata: "); i >= 0 {
		var d catalog.Dropped
		line, _, _ := strings.Cut(w.Body.String()[i+len("event: dropped\ndata: "):], "\n")
		if err := json.Unmarshal([]byte(line), &d); err != nil || told+int(d.Dropped) != sent+1 {
			t.Errorf("told %d and dropped %d of %d, %v", told, d.Dropped, sent+1, err)
		}
	} else if told != 0 {
		t.Errorf("told %d events and not how many were dropped", told)
	}
	if s := tail.Status(); s.Followers != 0 {
		t.Errorf("followers = %d after the end", s.Followers)
	}
}

func TestClosedTailEndsLaterStreams(t *testing.T) {
	s := serve(t)
	s.tail.Close()
	items, err := s.api.Follow(t.Context(), catalog.EventQuery{}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range items {
		if !errors.Is(err, client.ErrStreamEnded) {
			t.Errorf("err = %v, want ErrStreamEnded", err)
		}
	}
}

func BenchmarkTailNobody(b *testing.B) {
	tail := admin.NewTail()
	c := chunk(1, sample("1", "room"))
	b.ReportAllocs()
	for b.Loop() {
		tail.Accepted(c)
	}
}
