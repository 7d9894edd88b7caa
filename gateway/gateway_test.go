package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/sdk/plugintest"
)

// server is a gateway in this process, with a real journal, catalog and Wasm
// host, behind a loopback address.
type server struct {
	t       *testing.T
	gateway *gateway.Gateway
	http    *httptest.Server
	dir     string
}

func start(t *testing.T, dir string) *server {
	t.Helper()
	return startWith(t, gateway.Options{Dir: dir})
}

func startWith(t *testing.T, opts gateway.Options) *server {
	t.Helper()
	g, err := gateway.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, gateway: g, http: httptest.NewServer(g.Handler()), dir: opts.Dir}
	t.Cleanup(s.stop)
	return s
}

func (s *server) stop() {
	s.http.Close()
	if err := s.gateway.Close(context.Background()); err != nil {
		s.t.Errorf("Close: %v", err)
	}
}

// do sends a request and returns the status and the body of the answer.
func (s *server) do(method, path, contentType, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.http.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// must sends a request that has to be answered 2xx.
func (s *server) must(method, path, contentType, body string) string {
	s.t.Helper()
	status, answer := s.do(method, path, contentType, body)
	if status/100 != 2 {
		s.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

func (s *server) put(path, body string) string {
	s.t.Helper()
	return s.must(http.MethodPut, "/api/v1"+path, "application/json", body)
}

// send posts events as one batch.
func (s *server) send(events ...string) {
	s.t.Helper()
	s.must(http.MethodPost, "/events", "application/cloudevents-batch+json", "["+strings.Join(events, ",")+"]")
}

// upload pushes a version of a plugin.
func (s *server) upload(name string, wasm []byte) string {
	s.t.Helper()
	return s.must(http.MethodPost, "/api/v1/plugins/"+name+"/versions", "application/wasm", string(wasm))
}

// fileEndpoint makes an endpoint of the kind file, and returns its path.
func (s *server) fileEndpoint(name string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name+".ndjson")
	s.put("/endpoints/"+name, fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, path))
	return path
}

// update is a Twin.Update event of Azure Digital Twins.
func update(id, twin, path, value string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"plant.api.weu.digitaltwins.azure.net","type":"Microsoft.DigitalTwins.Twin.Update","subject":%q,"time":"2026-03-01T12:00:00.1234567Z","datacontenttype":"application/json","data":{"modelId":"dtmi:plant:Thermostat;1","patch":[{"value":%s,"path":%q,"op":"replace"}]}}`, id, twin, value, path)
}

// lines waits until the file at path holds n lines, and returns them decoded.
func lines(t *testing.T, path string, n int) []map[string]any {
	t.Helper()
	var all []map[string]any
	eventually(t, fmt.Sprintf("%d lines in %s", n, filepath.Base(path)), func() bool {
		all = readLines(t, path)
		return len(all) >= n
	})
	return all
}

func readLines(t *testing.T, path string) []map[string]any {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1] // the rest is being written
	var all []map[string]any
	scan := bufio.NewScanner(bytes.NewReader(b))
	scan.Buffer(nil, 4<<20)
	for scan.Scan() {
		var e map[string]any
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			t.Fatalf("line %q: %v", scan.Bytes(), err)
		}
		all = append(all, e)
	}
	return all
}

// eventually waits for cond, which is tried again and again for some time.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func ids(events []map[string]any) []string {
	var all []string
	for _, e := range events {
		all = append(all, e["id"].(string))
	}
	return all
}

var guests struct {
	sync.Mutex
	built map[string][]byte
}

// guest builds a plugin of this module once.
func guest(t *testing.T, dir string) []byte {
	t.Helper()
	guests.Lock()
	defer guests.Unlock()
	if guests.built[dir] == nil {
		if guests.built == nil {
			guests.built = map[string][]byte{}
		}
		guests.built[dir] = plugintest.Build(t, dir)
	}
	return guests.built[dir]
}

func TestWalk(t *testing.T) {
	s := start(t, t.TempDir())
	s.upload("shape", guest(t, "../plugins/tsi"))
	raw, shaped := s.fileEndpoint("raw"), s.fileEndpoint("shaped")
	s.put("/routes/all", `{"endpointName":"raw"}`)
	s.put("/routes/warm", `{"endpointName":"shaped","filter":"type = 'Microsoft.DigitalTwins.Twin.Update' AND PATCH('/Temperature') > 20","transforms":[{"plugin":"shape"}]}`)
	s.send(update("1", "room-1", "/Temperature", "19"), update("2", "room-1", "/Temperature", "20.5"), update("3", "room-2", "/Humidity", "70"))

	if got := ids(lines(t, raw, 3)); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"1", "2", "3"}) {
		t.Errorf("raw got %v", got)
	}
	got := lines(t, shaped, 1)
	if len(got) != 1 || got[0]["id"] != "2" {
		t.Fatalf("shaped got %v, want event 2 alone", got)
	}
	data, _ := json.Marshal(got[0]["data"])
	if string(data) != `{"$dtId":"room-1","Temperature":20.5}` {
		t.Errorf("shaped data = %s", data)
	}
	for _, name := range []string{"idempotencykey", "producedby"} {
		if v, _ := got[0][name].(string); v == "" {
			t.Errorf("%s is missing", name)
		}
	}
	origin := s.must(http.MethodGet, "/api/v1/provenance/"+got[0]["producedby"].(string), "", "")
	if !strings.Contains(origin, `"route":"warm"`) || !strings.Contains(origin, `"name":"shape"`) {
		t.Errorf("provenance = %s, want the route and its plugin", origin)
	}
}

func TestRestartLosesAndRepeatsNothing(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	path := first.fileEndpoint("all")
	first.put("/routes/all", `{"endpointName":"all"}`)
	var want []string
	for i := range 500 {
		id := fmt.Sprint(i)
		first.send(update(id, fmt.Sprint("twin-", i%7), "/x", "1"))
		want = append(want, id)
	}
	first.stop()
	second := start(t, dir)
	second.send(update("last", "twin", "/x", "1"))
	got := ids(lines(t, path, len(want)+1))
	slices.Sort(want)
	want = append(want, "last")
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("after a restart %d events are in the file, want %d, each once", len(got), len(want))
	}
}

// TestHotSwap changes a route, an endpoint and the active version of a plugin
// while events flow. Numbered claims:
//
//  1. every event is delivered exactly once;
//  2. what is accepted after a change was answered is under it;
//  3. events of one twin leave in order, also over a change of the endpoint.
func TestHotSwap(t *testing.T) {
	s := start(t, t.TempDir())
	var files []string // one after the other
	endpoint := func() {
		files = append(files, filepath.Join(t.TempDir(), "out"))
		s.put("/endpoints/out", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, files[len(files)-1]))
	}
	endpoint()
	s.upload("shape", guest(t, "../plugins/tsi"))
	s.upload("shape", append(guest(t, "../plugins/tsi"), customSection("v2")...))
	s.put("/routes/r", `{"endpointName":"out","transforms":[{"plugin":"shape"}]}`)

	var sent, changes int
	after := map[int]int{} // the first event after a change, and the first file that it may be in
	batch := func() {
		var events []string
		for range 20 {
			events = append(events, update(fmt.Sprint(sent), fmt.Sprint("twin-", sent%5), "/x", fmt.Sprint(sent)))
			sent++
		}
		s.send(events...)
	}
	for round := range 60 {
		batch()
		switch round % 3 {
		case 0:
			s.put("/plugins/shape/active", fmt.Sprintf(`{"version":%d}`, 1+changes%2))
		case 1:
			s.put("/routes/r", fmt.Sprintf(`{"endpointName":"out","filter":"type != 'x%d'","transforms":[{"plugin":"shape"}]}`, round))
		case 2:
			endpoint()
			after[sent] = len(files) - 1
		}
		changes++
	}
	batch()

	where := map[string]int{}
	eventually(t, "all events", func() bool {
		n := 0
		for _, path := range files {
			n += len(readLines(t, path))
		}
		return n >= sent
	})
	last := map[string]float64{}
	for i, path := range files {
		for _, e := range readLines(t, path) {
			id := e["id"].(string)
			if _, twice := where[id]; twice {
				t.Errorf("event %s was delivered twice", id)
			}
			where[id] = i
			twin, x := e["subject"].(string), e["data"].(map[string]any)["x"].(float64)
			if before, ok := last[twin]; ok && x < before {
				t.Errorf("%s: event %v came after %v", twin, x, before)
			}
			last[twin] = x
		}
	}
	if len(where) != sent {
		t.Errorf("%d of %d events were delivered", len(where), sent)
	}
	for first, file := range after {
		if got := where[fmt.Sprint(first)]; got < file {
			t.Errorf("event %d, accepted after change %d of the endpoint, went where change %d led", first, file, got)
		}
	}
}

// customSection is a section that a Wasm runtime skips; it makes other bytes
// of the same module.
func customSection(name string) []byte {
	section := append([]byte{0, byte(len(name) + 2), byte(len(name))}, name...)
	return append(section, 0)
}

func TestRefusals(t *testing.T) {
	s := start(t, t.TempDir())
	s.fileEndpoint("hub")
	s.put("/routes/r", `{"endpointName":"hub"}`)
	tests := []struct {
		name, method, path, contentType, body string
		status                                int
		says                                  string
	}{
		{"malformed JSON", "POST", "/events", "application/cloudevents+json", `{"id":`, 400, "JSON"},
		{"missing attribute", "POST", "/events", "application/cloudevents+json", `{"specversion":"1.0","id":"1","source":"/s"}`, 400, `"field":"type"`},
		{"one bad event of a batch", "POST", "/events", "application/cloudevents-batch+json", "[" + update("1", "t", "/x", "1") + `,{"specversion":"1.0"}]`, 400, `"index":1`},
		{"unknown content type", "POST", "/events", "text/csv", "a,b", 415, "application/cloudevents+json"},
		{"filter that does not parse", "PUT", "/api/v1/routes/x", "application/json", `{"endpointName":"hub","filter":"this is not a valid filter"}`, 400, "Line=1, Position=6"},
		{"missing endpoint", "PUT", "/api/v1/routes/x", "application/json", `{"endpointName":"nope"}`, 400, "nope"},
		{"unknown plugin", "PUT", "/api/v1/routes/x", "application/json", `{"endpointName":"hub","filters":[{"plugin":"nope"}]}`, 400, "nope"},
		{"unknown member", "PUT", "/api/v1/routes/x", "application/json", `{"endpointName":"hub","filtre":"true"}`, 400, "filtre"},
		{"unknown kind", "PUT", "/api/v1/endpoints/x", "application/json", `{"kind":"fax"}`, 400, "fax"},
		{"webhook without url", "PUT", "/api/v1/endpoints/x", "application/json", `{"kind":"webhook","settings":{}}`, 400, "url"},
		{"endpoint in use", "DELETE", "/api/v1/endpoints/hub", "", "", 409, "r"},
		{"module that is not Wasm", "POST", "/api/v1/plugins/p/versions", "application/wasm", "#!/bin/sh", 400, "WebAssembly"},
		{"path that is none", "GET", "/nothing", "", "", 404, "/api/v1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := s.do(tt.method, tt.path, tt.contentType, tt.body)
			if status != tt.status || !strings.Contains(answer, tt.says) {
				t.Errorf("%d %s\nwant %d with %q", status, answer, tt.status, tt.says)
			}
		})
	}
	if first := s.must(http.MethodGet, "/api/v1/events", "", ""); !strings.Contains(first, `"items":[]`) {
		t.Errorf("a refused request left events: %s", first)
	}
}

func TestForeignAndUsedDirectories(t *testing.T) {
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.doc"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Open(t.Context(), gateway.Options{Dir: foreign}); err == nil || !strings.Contains(err.Error(), "thesis.doc") || !strings.Contains(err.Error(), "--data") {
		t.Errorf("foreign directory: %v, want what is in it and what to do", err)
	}
	if entries, _ := os.ReadDir(foreign); len(entries) != 1 {
		t.Errorf("the foreign directory was written to: %v", entries)
	}
	s := start(t, filepath.Join(t.TempDir(), "data"))
	if _, err := gateway.Open(t.Context(), gateway.Options{Dir: s.dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second gateway on a directory: %v, want that it is in use", err)
	}
}

func TestRedriveByAPI(t *testing.T) {
	s := start(t, t.TempDir())
	var mu sync.Mutex
	reject, got := true, 0
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if reject {
			http.Error(w, "no such asset", http.StatusUnprocessableEntity)
			return
		}
		got++
	}))
	defer hook.Close()
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, hook.URL))
	s.put("/routes/r", `{"endpointName":"hook"}`)
	s.send(update("1", "a", "/x", "1"), update("2", "a", "/x", "2"))
	list := func() string { return s.must(http.MethodGet, "/api/v1/dead-letters?endpoint=hook", "", "") }
	eventually(t, "two dead letters", func() bool { return strings.Count(list(), `"deadAt"`) == 2 })
	if l := list(); !strings.Contains(l, "422") || !strings.Contains(l, "no such asset") || !strings.Contains(l, `"attempts":1`) {
		t.Errorf("dead letters = %s, want the reason and the attempts", l)
	}
	mu.Lock()
	reject = false
	mu.Unlock()
	s.must(http.MethodPost, "/api/v1/dead-letters/redrive", "application/json", `{"endpoint":"hook"}`)
	eventually(t, "an empty list", func() bool { return strings.Contains(list(), `"items":[]`) })
	mu.Lock()
	defer mu.Unlock()
	if got != 2 {
		t.Errorf("the endpoint got %d events by the redrive, want 2", got)
	}
}

func TestRouteTest(t *testing.T) {
	s := start(t, t.TempDir())
	s.upload("shape", guest(t, "../plugins/tsi"))
	body := `{"route":{"filter":"subject = 'room-1'","transforms":[{"plugin":"shape"}]},"events":[` + update("1", "room-1", "/T", "1") + "," + update("2", "room-2", "/T", "2") + `]}`
	answer := s.must(http.MethodPost, "/api/v1/routes:test", "application/json", body)
	var got struct {
		Results []struct {
			Matched bool
			Why     string
			Outputs []struct{ Event struct{ Data map[string]any } }
		}
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 2 || !got.Results[0].Matched || got.Results[1].Matched {
		t.Fatalf("results = %s", answer)
	}
	if data := got.Results[0].Outputs[0].Event.Data; data["$dtId"] != "room-1" || data["T"] != 1.0 {
		t.Errorf("output = %v", data)
	}
	if why := got.Results[1].Why; !strings.Contains(why, "room-2") {
		t.Errorf("why = %q, want the value that the condition saw", why)
	}
}
