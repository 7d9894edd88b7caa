package gateway_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	front "github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/sdk/plugintest"
)

// wire is one HTTP/1.1 connection that sends prepared requests and looks at
// the status of each answer alone, so that what is measured is the server.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(b *testing.B, url string) *wire {
	b.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &wire{conn, bufio.NewReader(conn)}
}

func (w *wire) post(request []byte) error {
	if _, err := w.conn.Write(request); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 2")) {
			return fmt.Errorf("answer: %s", line)
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
		}
	}
	_, err := w.in.Discard(length)
	return err
}

func request(path, contentType string, body []byte) []byte {
	return append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, contentType, len(body)), body...)
}

// sample is an event of 600 bytes, as JSON.
func sample(i int) string {
	e := update(fmt.Sprintf("00000000-0000-4000-8000-%012d", i), fmt.Sprintf("thermostat-%03d", i%100), "/Temperature", "20.5")
	pad := 600 - len(e) - len(`,"note":""`)
	return e[:len(e)-1] + `,"note":"` + strings.Repeat("x", max(pad, 0)) + `"}`
}

func batchOf(n int) []byte {
	events := make([]string, n)
	for i := range events {
		events[i] = sample(i)
	}
	return request("/events", "application/cloudevents-batch+json", []byte("["+strings.Join(events, ",")+"]"))
}

func benchServer(b *testing.B) (*gateway.Gateway, *httptest.Server) {
	b.Helper()
	g, err := gateway.Open(b.Context(), gateway.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(g.Handler())
	b.Cleanup(func() {
		srv.Close()
		g.Close(b.Context())
	})
	return g, srv
}

// flood lets each of conns connections send requests times request, and
// returns how long all of that took.
func flood(b *testing.B, url string, conns, requests int, request []byte) time.Duration {
	wires := make([]*wire, conns)
	for i := range wires {
		wires[i] = dial(b, url)
	}
	start := time.Now()
	var wg sync.WaitGroup
	for _, w := range wires {
		wg.Go(func() {
			for range requests {
				if err := w.post(request); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// BenchmarkIngest measures events of 600 bytes from the socket to the durable
// 202. The no-op rows are what the same server does when its handler reads the
// body and answers.
func BenchmarkIngest(b *testing.B) {
	_, srv := benchServer(b)
	noop := front.New()
	noop.POST("/events", func(c front.Context) error {
		if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
			return err
		}
		return c.JSONBlob(http.StatusAccepted, []byte(`{"accepted":1}`))
	})
	noopServer := httptest.NewServer(noop)
	b.Cleanup(noopServer.Close)
	single := request("/events", "application/cloudevents+json", []byte(sample(0)))
	rows := []struct {
		name            string
		url             string
		conns, requests int
		eventsPer       int
		request         []byte
	}{
		{"batches of 100, 8 connections", srv.URL, 8, 50, 100, batchOf(100)},
		{"single events, 64 connections", srv.URL, 64, 300, 1, single},
		{"no-op, single events, 64 connections", noopServer.URL, 64, 300, 1, single},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			var took time.Duration
			events := 0
			for b.Loop() {
				took += flood(b, row.url, row.conns, row.requests, row.request)
				events += row.conns * row.requests * row.eventsPer
			}
			b.ReportMetric(float64(events)/took.Seconds(), "events/s")
		})
	}
}

// BenchmarkEndToEnd measures batched HTTP in, fsync, ten routes with a filter
// each, of which two match, one of them through tsi, to files, fsynced: until
// the last event is delivered.
func BenchmarkEndToEnd(b *testing.B) {
	g, srv := benchServer(b)
	s := &benchAPI{b, srv.URL}
	s.post("/api/v1/plugins/shape/versions", plugintest.Build(b, "../plugins/tsi"))
	dir := b.TempDir()
	for _, name := range []string{"raw", "shaped"} {
		s.put("/endpoints/"+name, fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, filepath.Join(dir, name)))
	}
	for i := range 8 {
		s.put(fmt.Sprintf("/routes/other-%d", i), fmt.Sprintf(`{"endpointName":"raw","filter":"type = 'Microsoft.DigitalTwins.Twin.Update' AND $body.modelId = 'dtmi:other:Model;%d'"}`, i))
	}
	s.put("/routes/raw", `{"endpointName":"raw","filter":"type = 'Microsoft.DigitalTwins.Twin.Update' AND STARTS_WITH($body.modelId, 'dtmi:plant:')"}`)
	s.put("/routes/shaped", `{"endpointName":"shaped","filter":"CHANGED('/Temperature')","transforms":[{"plugin":"shape"}]}`)
	batch := batchOf(100)
	const conns, requests = 8, 100
	var delivered uint64
	var took time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		flood(b, srv.URL, conns, requests, batch)
		delivered += 2 * conns * requests * 100
		for deliveredBy(b, g) < delivered {
			<-time.After(time.Millisecond)
		}
		took += time.Since(start)
	}
	b.ReportMetric(float64(delivered)/2/took.Seconds(), "events/s")
}

// BenchmarkHotSwap swaps the active version of a plugin while events flow, and
// reports how the process's resident memory grew from the first tenth of the
// swaps to the last. HEADGATE_BENCH_SWAPS is the number of swaps; the task
// "bench" makes it 10,000.
func BenchmarkHotSwap(b *testing.B) {
	swaps := 200
	if n, err := strconv.Atoi(os.Getenv("HEADGATE_BENCH_SWAPS")); err == nil {
		swaps = n
	}
	for b.Loop() {
		_, srv := benchServer(b)
		s := &benchAPI{b, srv.URL}
		wasm := plugintest.Build(b, "../plugins/tsi")
		s.post("/api/v1/plugins/shape/versions", wasm)
		s.post("/api/v1/plugins/shape/versions", append(bytes.Clone(wasm), customSection("v2")...))
		s.put("/endpoints/out", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, filepath.Join(b.TempDir(), "out")))
		s.put("/routes/r", `{"endpointName":"out","transforms":[{"plugin":"shape"}]}`)
		var stop atomic.Bool
		var load sync.WaitGroup
		w, batch := dial(b, srv.URL), batchOf(10)
		load.Go(func() {
			for !stop.Load() {
				if err := w.post(batch); err != nil {
					b.Error(err)
					return
				}
			}
		})
		var first, last int64
		start := time.Now()
		for i := range swaps {
			s.put("/plugins/shape/active", fmt.Sprintf(`{"version":%d}`, 1+i%2))
			if i == swaps/10 {
				first = resident(b)
			}
		}
		last = resident(b)
		b.ReportMetric(float64(swaps)/time.Since(start).Seconds(), "swaps/s")
		stop.Store(true)
		load.Wait()
		b.ReportMetric(float64(first)/(1<<20), "MB-early")
		b.ReportMetric(float64(last)/(1<<20), "MB-late")
	}
}

// BenchmarkIdle reports the resident memory of a gateway that does nothing, in
// a process of its own, and how long it takes to be ready.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		start := time.Now()
		c := startChild(b, filepath.Join(b.TempDir(), "data"))
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms-to-ready")
		<-time.After(2 * time.Second)
		b.ReportMetric(float64(residentOf(b, c.cmd.Process.Pid))/(1<<20), "MB")
		c.kill()
	}
}

// resident is what the process holds once its garbage is collected: a leak,
// not how generous the collector is.
func resident(b *testing.B) int64 {
	debug.FreeOSMemory()
	return residentOf(b, os.Getpid())
}

// residentOf is the resident memory of a process, in bytes.
func residentOf(b *testing.B, pid int) int64 {
	b.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Skip("no /proc to read resident memory from")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func deliveredBy(b *testing.B, g *gateway.Gateway) uint64 {
	b.Helper()
	status, err := g.Status(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var n uint64
	for _, e := range status.Endpoints {
		n += e.Delivered
	}
	return n
}

// benchAPI sets a gateway up.
type benchAPI struct {
	b   *testing.B
	url string
}

func (s *benchAPI) put(path, body string) {
	s.b.Helper()
	s.do(http.MethodPut, "/api/v1"+path, "application/json", []byte(body))
}

func (s *benchAPI) post(path string, body []byte) {
	s.b.Helper()
	s.do(http.MethodPost, path, "application/wasm", body)
}

func (s *benchAPI) do(method, path, contentType string, body []byte) {
	s.b.Helper()
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.b.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.b.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	if resp.StatusCode/100 != 2 {
		s.b.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
}
