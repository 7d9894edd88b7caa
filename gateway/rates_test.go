package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sums adds up what the series of an object hold, by name.
func sums(t *testing.T, v any) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for name, series := range v.(map[string]any) {
		list, ok := series.([]any)
		if !ok {
			continue
		}
		for _, n := range list {
			if n, ok := n.(float64); ok {
				out[name] += n
			}
		}
	}
	return out
}

func TestRatesCountEvents(t *testing.T) {
	var refuse atomic.Bool
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refuse.Load() {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(hook.Close)
	s := start(t, t.TempDir())
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, hook.URL))
	s.fileEndpoint("file")
	s.put("/routes/all", `{"endpointName":"hook"}`)
	s.put("/routes/half", `{"endpointName":"hook","filter":"subject = 'b'"}`)
	s.put("/routes/none", `{"endpointName":"hook","filter":"subject = 'c'"}`)
	s.put("/routes/off", `{"endpointName":"hook","enabled":false}`)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http.URL+"/api/v1/rates/stream?every=250ms", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()

	s.send(update("1", "a", "/x", "1"), update("2", "b", "/x", "1"), update("3", "b", "/x", "1"))
	want := func(path string, of ...any) func(map[string]float64) bool {
		return func(want map[string]float64) bool {
			v := s.api(http.MethodGet, "/rates"+path, "").want(t, 200).object(t)
			return cmp.Diff(want, sums(t, at(t, v, of...))) == ""
		}
	}
	eventually(t, "the gateway's counts", func() bool {
		return want("", "gateway")(map[string]float64{"in": 3, "delivered": 5, "failed": 0, "dead": 0, "waiting": 0})
	})
	refuse.Store(true)
	s.send(update("4", "a", "/x", "1"))
	for what, ok := range map[string]func() bool{
		"the gateway's": func() bool {
			return want("", "gateway")(map[string]float64{"in": 4, "delivered": 5, "failed": 1, "dead": 1, "waiting": 0})
		},
		"the endpoint's": func() bool {
			return want("?endpoint=hook", "endpoints", 0)(map[string]float64{"delivered": 5, "failed": 1, "dead": 1, "backlog": 0, "retrying": 0})
		},
		"the best route's": func() bool {
			return want("?top=1", "routes", 0)(map[string]float64{"evaluated": 4, "matched": 4, "outputs": 4, "errors": 0})
		},
		"another's": func() bool {
			return want("?route=all&route=half", "routes", 1)(map[string]float64{"evaluated": 4, "matched": 2, "outputs": 2, "errors": 0})
		},
		"an idle one's": func() bool {
			return want("?route=none", "routes", 0)(map[string]float64{"evaluated": 4, "matched": 0, "outputs": 0, "errors": 0})
		},
	} {
		eventually(t, what+" counts", ok)
	}

	v := s.api(http.MethodGet, "/rates?from=20h", "").want(t, 200).object(t)
	if at(t, v, "stepSeconds") != 60.0 || len(at(t, v, "gateway", "in").([]any)) != 1201 || at(t, v, "gateway", "in", 0) != nil {
		t.Errorf("twenty hours: %.300v", v)
	}
	s.api(http.MethodGet, "/rates?from=20h&step=10s", "").problem(t, 400)
	s.api(http.MethodGet, "/rates?from=48h", "").problem(t, 400)

	// The stream told of all four events, over its ticks.
	in, routes := 0.0, map[string]float64{}
	lines := bufio.NewScanner(stream.Body)
	for lines.Scan() && in < 4 {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var tick struct {
			Gateway struct{ In float64 }
			Routes  map[string][4]float64
		}
		if err := json.Unmarshal([]byte(data), &tick); err != nil {
			t.Fatal(err)
		}
		in += tick.Gateway.In
		for id, n := range tick.Routes {
			routes[id] += n[1]
		}
	}
	if in != 4 || routes["none"] != 0 {
		t.Errorf("the stream told of %v events, by route %v", in, routes)
	}
}
