package emulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator"
)

// everything serves all on free ports.
func everything(d emulator.Declared) emulator.Options {
	const free = "127.0.0.1:0"
	return emulator.Options{ServiceBus: free, EventHubs: free, EventGrid: free, Control: free, Declared: d}
}

// start starts an emulator that ends with t.
func start(t testing.TB, o emulator.Options) *emulator.Emulator {
	t.Helper()
	e, err := emulator.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// parse reads a declaration that must be good.
func parse(t testing.TB, text string) emulator.Declared {
	t.Helper()
	d, err := emulator.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// within bounds a test, so that a hang fails it.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// trust is what clients need to trust e. Those of AMQP take the port for part
// of a host's name, so that they have to be told the name.
func trust(t testing.TB, e *emulator.Emulator) *tls.Config {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(e.CertificatePEM()) {
		t.Fatal("no certificate")
	}
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}
}

// webhook is a subscriber to a topic of CloudEvents. It hands on what it gets.
func webhook(t testing.TB) (url string, got <-chan string) {
	bodies := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- string(body)
	}))
	t.Cleanup(server.Close)
	return server.URL, bodies
}

// TestRefusedOptions starts what must not start.
func TestRefusedOptions(t *testing.T) {
	running := start(t, everything(emulator.Declared{}))
	taken := running.Address(emulator.ServiceBus)
	dir := t.TempDir()
	const free = "127.0.0.1:0"
	tests := []struct {
		name string
		o    emulator.Options
		says []string
	}{
		{"nothing", emulator.Options{Control: free}, []string{"--service-bus", "nothing to serve"}},
		{"open to others", emulator.Options{EventHubs: "0.0.0.0:0"}, []string{"--event-hubs", "--allow-remote", "127.0.0.1"}},
		{"open to others, without a host", emulator.Options{ServiceBus: free, Control: ":0"}, []string{"--control :0", "--allow-remote"}},
		{"no port", emulator.Options{EventGrid: "localhost"}, []string{"--event-grid localhost", "HOST:PORT"}},
		{"port in use", emulator.Options{EventHubs: free, ServiceBus: taken}, []string{"--service-bus", taken, "in use", `""`}},
		{"port in use, Event Grid", emulator.Options{ServiceBus: free, EventGrid: taken}, []string{"--event-grid", taken, "in use"}},
		{"port in use, control", emulator.Options{ServiceBus: free, EventGrid: free, Control: taken}, []string{"--control", taken, "in use"}},
		{"not of this machine", emulator.Options{ServiceBus: "192.0.2.1:0", AllowRemote: true}, []string{"--service-bus", "of this machine"}},
		{"certificate nowhere", emulator.Options{ServiceBus: free, CertFile: filepath.Join(dir, "no", "cert.pem")}, []string{"certificate", "no such file"}},
		{"fast", emulator.Options{ServiceBus: free, Fast: -1}, []string{"--fast -1"}},
		{"a queue and a topic of one name", everything(parse(t, "serviceBus: {queues: [{name: a}], topics: [{name: A}]}")), []string{"serviceBus", "A is declared twice"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := emulator.Start(tt.o)
			if err == nil {
				e.Close()
				t.Fatal("it starts")
			}
			for _, words := range tt.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("error %q does not name %q", err, words)
				}
			}
		})
	}
}

// TestLeftOut serves one service alone.
func TestLeftOut(t *testing.T) {
	e := start(t, emulator.Options{EventHubs: "localhost:0"})
	if e.ConnectionString(emulator.EventHubs) == "" {
		t.Error("no connection string")
	}
	for what, got := range map[string]string{
		"Service Bus": e.ConnectionString(emulator.ServiceBus), "topic": e.TopicEndpoint("a-topic"), "control": e.ControlURL(),
		"connection string of no queue": e.ConnectionString(emulator.Control),
	} {
		if got != "" {
			t.Errorf("%s = %q, want none", what, got)
		}
	}
	if err := e.Inject(emulator.Fault{Service: emulator.ServiceBus, Kind: "server-busy"}); err == nil {
		t.Error("a fault in a service that is left out")
	}
	if _, err := e.Messages("orders", 1, 1); err == nil {
		t.Error("messages of a service that is left out")
	}
}

// TestRemote is reached by every address of this machine, and names one that
// works.
func TestRemote(t *testing.T) {
	e := start(t, emulator.Options{ServiceBus: "0.0.0.0:0", EventGrid: ":0", Control: "[::]:0", AllowRemote: true})
	for _, s := range []emulator.Service{emulator.ServiceBus, emulator.EventGrid, emulator.Control} {
		if !strings.HasPrefix(e.Address(s), "localhost:") {
			t.Errorf("%s is at %s", s, e.Address(s))
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust(t, e)}}
	defer client.CloseIdleConnections()
	resp, err := client.Post(e.TopicEndpoint("plant")+"?api-version=2018-01-01", "application/json", strings.NewReader("[]"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized { // it shows no key
		t.Errorf("the topic answers %s", resp.Status)
	}
}

// TestStrangers has clients speak something else, or nothing, on the ports for
// AMQP: they disturb nobody, and do not hold up the end.
func TestStrangers(t *testing.T) {
	e, err := emulator.Start(everything(parse(t, "eventHubs: {partitions: 3}")))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var silent []net.Conn
	for _, s := range []emulator.Service{emulator.ServiceBus, emulator.EventHubs} {
		for _, said := range []string{"", "A", "\x16", "\x16\x03\x01\xff\xff", "\x16\x03\x01\x00\x05hello", "GET / HTTP/1.1\r\n\r\n", "AMQP\x09\x09\x09\x09"} {
			nc, err := net.Dial("tcp", e.Address(s))
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if _, err := io.WriteString(nc, said); err != nil {
				t.Fatal(err)
			}
			silent = append(silent, nc)
		}
	}
	throughEventHubs(t, e, nil)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	for i, nc := range silent { // each is told of the end, or was before
		if err := nc.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("connection %d is open", i)
		}
	}
	if err := e.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// TestRun runs the whole command: what it prints is all that clients need.
func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	file := filepath.Join(t.TempDir(), "cert.pem")
	o := everything(emulator.Declared{})
	o.CertFile = file
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- emulator.Run(ctx, o, w) }()
	lines := map[string]string{}
	var text strings.Builder
	for buf := make([]byte, 1024); !strings.HasSuffix(text.String(), "ready\n"); {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(buf[:n])
	}
	for line := range strings.Lines(text.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		lines[name] = value
	}
	for name, prefix := range map[string]string{
		"service-bus": "Endpoint=sb://127.0.0.1:", "event-hubs": "Endpoint=sb://127.0.0.1:", "event-grid": "https://127.0.0.1:",
		"key": emulator.AnyKey, "certificate": file, "control": "http://127.0.0.1:", "ready": "",
	} {
		if value, ok := lines[name]; !ok || !strings.HasPrefix(value, prefix) {
			t.Errorf("%s: %q", name, value)
		}
	}
	if len(lines) != 7 {
		t.Errorf("it says\n%s", text.String())
	}
	if cert, err := os.ReadFile(file); err != nil || !strings.Contains(string(cert), "BEGIN CERTIFICATE") || strings.Contains(string(cert), "KEY") {
		t.Errorf("the certificate is %s, %v", cert, err)
	}
	var said emulator.Connections
	if status := call(t, "GET", lines["control"]+"/", "", &said); status != 200 || said.ServiceBus != lines["service-bus"] || said.EventGrid != lines["event-grid"] || said.Key != emulator.AnyKey {
		t.Errorf("the control API says %d %+v", status, said)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
}

// call makes a request of the control API and reads its answer into out.
func call(t testing.TB, method, url, body string, out any, header ...string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
	}
	return resp.StatusCode
}
