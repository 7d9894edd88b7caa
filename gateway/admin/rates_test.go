package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
)

func TestRates(t *testing.T) {
	s := serve(t)
	got, err := s.api.Rates(t.Context(), catalog.RatesQuery{Routes: []string{"a", "b"}, Step: 20 * time.Second, From: time.Now().Add(-time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(catalog.Series{-1, 3}, got.Gateway.In); diff != "" || got.Routes[0].ID != "[a b] 0" || got.Endpoints[0].Name != "[]" {
		t.Errorf("%+v\n%s", got, diff)
	}
	for path, field := range map[string]string{
		"/rates?from=yesterday":   "from",
		"/rates?to=-5m":           "to",
		"/rates?step=7s":          "step",
		"/rates?step=soon":        "step",
		"/rates?top=1001":         "top",
		"/rates/stream?every=1ms": "every",
		"/rates/stream?every=1h":  "every",
		"/rates/stream?top=-1":    "top",
	} {
		if body := s.want(t, 400, "GET", path, ""); !strings.Contains(body, `"field":"`+field+`"`) {
			t.Errorf("%s: %s, want the field %s", path, body, field)
		}
	}
	s.want(t, 200, "GET", "/rates?from=15m&to=1m&endpoint=e&endpoint=f&top=0", "")
	s.want(t, 405, "POST", "/rates", "{}")
}

func TestRatesStream(t *testing.T) {
	s := serve(t)
	ticks, err := s.api.FollowRates(t.Context(), catalog.RatesQuery{Top: 10}, 250*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	for tick, err := range ticks {
		if n++; err != nil || tick.Gateway.In != n || tick.Routes["r"] != [4]uint64{4, 3, 2, 1} || tick.Endpoints["e"][4] != 5 || tick.Sources["s"] != 7 {
			t.Fatalf("tick %d: %+v, %v", n, tick, err)
		}
		if n == 2 {
			break
		}
	}
}

func TestRatesStreamEndsWithTheServer(t *testing.T) {
	s := serve(t)
	ticks, err := s.api.FollowRates(t.Context(), catalog.RatesQuery{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	s.tail.Close()
	for _, err := range ticks {
		if err == nil {
			t.Error("a tick after the end")
		}
	}
}
