package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestContract holds one gateway to what outsiders may rely on, through HTTP
// alone. Its parts share the gateway and keep to names of their own.
func TestContract(t *testing.T) {
	s := start(t, t.TempDir())
	for _, part := range []struct {
		name string
		run  func(*testing.T, *server)
	}{
		{"Ingest", contractIngest},
		{"Refusals", contractRefusals},
		{"EventGrid", contractEventGrid},
		{"Resources", contractResources},
		{"Paging", contractPaging},
		{"Endpoints", contractEndpoints},
		{"Secrets", contractSecrets},
		{"Plugins", contractPlugins},
		{"Admission", contractAdmission},
		{"Breaker", contractBreaker},
		{"Provenance", contractProvenance},
		{"Filters", contractFilters},
		{"FilterHelp", contractFilterHelp},
		{"RouteTest", contractRouteTest},
		{"Explain", contractExplain},
		{"TimeSeries", contractTimeSeries},
		{"Webhook", contractWebhook},
		{"File", contractFile},
		{"Blame", contractBlame},
		{"OrderBy", contractOrderBy},
		{"Redrive", contractRedrive},
		{"Replay", contractReplay},
		{"Delete", contractDelete},
		{"Scan", contractScan},
		{"Stream", contractStream},
	} {
		t.Run(part.name, func(t *testing.T) {
			view := *s
			view.t = t
			part.run(t, &view)
		})
	}
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// call sends a request with headers given as name, value, name, value.
func (s *server) call(method, path, body string, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequest(method, s.http.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header[http.CanonicalHeaderKey(header[i])] = append(req.Header[http.CanonicalHeaderKey(header[i])], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// api is call for a path under /api/v1.
func (s *server) api(method, path, body string, header ...string) reply {
	s.t.Helper()
	return s.call(method, "/api/v1"+path, body, append(header, "Content-Type", "application/json")...)
}

// want fails unless the answer has the status.
func (r reply) want(t *testing.T, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// object is the body as a JSON object.
func (r reply) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.body), &m); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return m
}

// problem fails unless the answer is a problem of the status, and returns it.
func (r reply) problem(t *testing.T, status int) map[string]any {
	t.Helper()
	p := r.want(t, status).object(t)
	detail, _ := p["detail"].(string)
	if r.header.Get("Content-Type") != "application/problem+json" || p["status"] != float64(status) || p["type"] == nil || p["title"] == nil || detail == "" {
		t.Fatalf("%s is no whole problem: %s", r.header.Get("Content-Type"), r.body)
	}
	return p
}

// at walks into JSON: object members by string, array elements by int.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

// sink is an endpoint that the test serves: it keeps what arrives, and answers
// as it is told.
type sink struct {
	*httptest.Server

	mu     sync.Mutex // guards what follows
	got    []arrival
	answer func(arrival) (status int, header http.Header)
}

// arrival is a request that came in.
type arrival struct {
	method, uri string
	header      http.Header
	body        string
}

func serveSink(t *testing.T) *sink {
	t.Helper()
	k := &sink{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		a := arrival{r.Method, r.RequestURI, r.Header, string(body)}
		k.got = append(k.got, a)
		if k.answer == nil {
			return
		}
		status, header := k.answer(a)
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(k.Close)
	return k
}

// answers makes the endpoint answer all that follows with the status.
func (k *sink) answers(status int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answer = func(arrival) (int, http.Header) { return status, nil }
}

// arrivals waits until n requests have come, and returns all.
func (k *sink) arrivals(t *testing.T, n int) []arrival {
	t.Helper()
	var got []arrival
	eventually(t, "what the endpoint is to get", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		got = append(got[:0], k.got...)
		return len(got) >= n
	})
	return got
}
