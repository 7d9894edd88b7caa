//go:build linux

package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHostileClients holds connections open in every bad way at once. The
// gateway answers others, ends in time, and keeps nothing of those that left.
func TestHostileClients(t *testing.T) {
	c := startChild(t, filepath.Join(t.TempDir(), "data"), "HEADGATE_DRAIN_TIMEOUT=2s")
	put(t, c, "/endpoints/out", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, filepath.Join(t.TempDir(), "out.ndjson")))
	put(t, c, "/routes/all", `{"endpointName":"out"}`)
	addr := strings.TrimPrefix(c.url, "http://")
	calm := c.resources(t)
	attacks := []string{
		"",          // says nothing
		"POST /eve", // stops in the request line
		"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", // stops in a header
		"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 1000\r\n\r\n{", // stops in the body
		"POST /events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n{",                               // in a chunk
		"GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n",                              // never reads
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", // speaks TLS to a port without
	}
	var conns []net.Conn
	for i := range 50 * len(attacks) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, attacks[i%len(attacks)]); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	large := func() io.Reader { return io.LimitReader(zeros{}, 64<<20) }
	for name, body := range map[string]io.Reader{"64 MiB": large(), "64 MiB in chunks": struct{ io.Reader }{large()}} {
		resp, err := http.Post(c.url+"/events", "application/cloudevents+json", body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d, want 413", name, resp.StatusCode)
		}
	}
	s := startStream(c.url, 2)
	eventually(t, "events beside the attack", func() bool { return s.count() > 200 })
	s.stop(t)
	for _, conn := range conns {
		conn.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "as many descriptors and goroutines as before", func() bool {
		now := c.resources(t)
		return now[0] <= calm[0]+5 && now[1] <= calm[1]+10
	})
	// Again, to end under attack.
	for i := range 10 * len(attacks) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, attacks[i%len(attacks)]); err != nil {
			t.Fatal(err)
		}
	}
	if took := c.terminate(t); took > 10*time.Second {
		t.Errorf("it took %v to end, with a drain timeout of 2s", took)
	}
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// resources counts the open files and the goroutines of the gateway.
func (c *child) resources(t *testing.T) [2]int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, metrics := get(t, c.url+"/metrics")
	goroutines := 0
	for line := range strings.Lines(metrics) {
		fmt.Sscanf(line, "go_goroutines %d", &goroutines)
	}
	if goroutines == 0 {
		t.Fatal("the metrics do not count goroutines")
	}
	return [2]int{len(files), goroutines}
}

// TestHostileEndpoints has one route to each kind of bad receiver and one to
// a good one, which gets everything meanwhile. The gateway ends in time.
func TestHostileEndpoints(t *testing.T) {
	release := make(chan struct{})
	bad := map[string]http.HandlerFunc{
		"silent": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		},
		"drips": func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-r.Context().Done():
					return
				case <-release:
					return
				case <-tick.C:
					w.Write([]byte("."))
					http.NewResponseController(w).Flush()
				}
			}
		},
		"floods": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			io.Copy(w, io.LimitReader(zeros{}, 8<<20))
		},
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		},
		"resets": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			}
		},
		"babbles": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				io.WriteString(conn, "220 smtp ready\r\n")
				conn.Close()
			}
		},
	}
	c := startChild(t, filepath.Join(t.TempDir(), "data"), "HEADGATE_DRAIN_TIMEOUT=2s")
	for name, handler := range bad {
		hook := httptest.NewServer(handler)
		defer hook.Close()
		put(t, c, "/endpoints/"+name, fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"timeout":"60s"}}`, hook.URL))
		put(t, c, "/routes/"+name, fmt.Sprintf(`{"endpointName":%q}`, name))
	}
	defer close(release) // before the servers are closed, which wait for it
	out := filepath.Join(t.TempDir(), "out.ndjson")
	put(t, c, "/endpoints/out", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, out))
	put(t, c, "/routes/all", `{"endpointName":"out"}`)
	s := startStream(c.url, 2)
	eventually(t, "events", func() bool { return s.count() > 500 })
	s.stop(t)
	requireDelivered(t, out, s)
	var status struct {
		Endpoints []struct{ Name, State, Reason string }
	}
	eventually(t, "the bad endpoints to be shown as failing", func() bool {
		_, text := get(t, c.url+"/api/v1/status")
		if err := json.Unmarshal([]byte(text), &status); err != nil {
			t.Fatal(err)
		}
		failing := 0
		for _, e := range status.Endpoints {
			if e.State == "failing" && e.Reason != "" {
				failing++
			}
		}
		return failing >= 4 // all but those that still might answer
	})
	for _, e := range status.Endpoints {
		t.Logf("%s is %s: %s", e.Name, e.State, e.Reason)
	}
	if took := c.terminate(t); took > 10*time.Second {
		t.Errorf("it took %v to end, with a drain timeout of 2s", took)
	}
}

// TestTerminateAtStart: a gateway that is told to end before it is ready does
// so with status 0, and one that is told twice does not drain.
func TestTerminateAtStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	eventually(t, "the first file", func() bool {
		_, err := os.Stat(filepath.Join(dir, "journal"))
		return err == nil
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the gateway ends with %v, want status 0", err)
	}
	startChild(t, dir).terminate(t) // nothing is left half made
}

// TestSecondSignal: the second signal ends a gateway that drains.
func TestSecondSignal(t *testing.T) {
	silent := make(chan struct{})
	asked := make(chan struct{}, 1000)
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-silent
	}))
	defer hook.Close()
	defer close(silent)
	c := startChild(t, filepath.Join(t.TempDir(), "data"), "HEADGATE_DRAIN_TIMEOUT=5m")
	put(t, c, "/endpoints/out", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"timeout":"10m"}}`, hook.URL))
	put(t, c, "/routes/all", `{"endpointName":"out"}`)
	if err := c.request(http.MethodPost, "/events", "application/cloudevents+json", update("1", "t", "/x", "1")); err != nil {
		t.Fatal(err)
	}
	<-asked
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the listener to be closed", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the second signal did not end it")
	}
}
