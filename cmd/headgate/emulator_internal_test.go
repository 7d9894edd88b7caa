package main // white-box: a command exports nothing

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// TestEmulatorProcess runs the emulator as a process of its own, takes what it
// prints for its word, and ends it with SIGTERM.
func TestEmulatorProcess(t *testing.T) {
	dir := t.TempDir()
	file := "serviceBus:\n  queues:\n    - {name: twins, requiresSession: true}\neventHubs:\n  hubs:\n    - {name: series, partitions: 2}\neventGrid:\n  topics:\n    - {name: plant}\n"
	if err := os.WriteFile(filepath.Join(dir, "emulator.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	free := []string{"--service-bus", "127.0.0.1:0", "--event-hubs", "127.0.0.1:0", "--event-grid", "127.0.0.1:0", "--control", "127.0.0.1:0"}
	cmd := command(t, dir, nil, append([]string{"emulator", "--file", "emulator.yaml", "--cert-file", "cert.pem"}, free...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	says := map[string]string{}
	for lines := bufio.NewReader(stdout); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the emulator says %v, then %v; stderr:\n%s", says, err, stderr.String())
		}
		name, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if says[name] = text; name == "ready" {
			break
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client, err := azservicebus.NewClientFromConnectionString(says["service-bus"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	sender, err := client.NewSender("twins", nil)
	if err != nil {
		t.Fatal(err)
	}
	twin := "room-1"
	if err := sender.SendMessage(ctx, &azservicebus.Message{Body: []byte("21.5"), SessionID: &twin}, nil); err != nil {
		t.Fatal(err)
	}
	session, err := client.AcceptNextSessionForQueue(ctx, "twins", nil)
	if err != nil || session.SessionID() != twin {
		t.Fatalf("session %v, %v", session, err)
	}
	got, err := session.ReceiveMessages(ctx, 1, nil)
	if err != nil || string(got[0].Body) != "21.5" {
		t.Fatalf("received %+v, %v", got, err)
	}

	pem, err := os.ReadFile(filepath.Join(dir, says["certificate"]))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer trusting.CloseIdleConnections()
	event := `[{"id":"1","subject":"room-1","eventType":"T","eventTime":"2026-01-02T03:04:05Z","dataVersion":"1","data":{}}]`
	req, err := http.NewRequestWithContext(ctx, "POST", says["event-grid"]+"?api-version=2018-01-01", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("aeg-sas-key", says["key"])
	resp, err := trusting.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the topic answers %s", resp.Status)
	}

	resp, err = http.Get(says["control"] + "/entities")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	entities, err := io.ReadAll(resp.Body)
	for _, words := range []string{`"sessionId":"room-1"`, `"state":"locked"`, `"name":"series"`, `"accepted":1`} {
		if err != nil || !strings.Contains(string(entities), words) {
			t.Errorf("the emulator holds %s, %v; want %s", entities, err, words)
		}
	}

	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM the emulator ends with %v, want status 0; stderr:\n%s", err, stderr.String())
	}
}

// TestEmulatorBesideAnother has every usual port be taken: what has no address
// of its own gets a free one, and prints it.
func TestEmulatorBesideAnother(t *testing.T) {
	usual := []string{"127.0.0.1:5673", "127.0.0.1:8443", "127.0.0.1:8081"}
	for _, address := range usual {
		if l, err := net.Listen("tcp", address); err == nil { // else somebody else has it
			defer l.Close()
		}
	}
	ctx, interrupt := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("it was not ready within a minute"))
	defer interrupt()
	out, stderr := &watched{until: []*regexp.Regexp{regexp.MustCompile(`(?m)^ready$`)}, then: interrupt}, &strings.Builder{}
	status := run(ctx, []string{"emulator", "--service-bus", "127.0.0.1:0"}, app{
		self: "headgate", in: strings.NewReader(""), out: out, err: stderr, env: func(string) (string, bool) { return "", false },
	})
	if status != 0 || context.Cause(ctx) != context.Canceled {
		t.Errorf("status %d, %v; stderr:\n%s", status, context.Cause(ctx), stderr)
	}
	for _, address := range usual {
		if strings.Contains(out.String(), address) {
			t.Errorf("it is at %s, which is taken:\n%s", address, out)
		}
	}
	for _, name := range []string{"service-bus: Endpoint=sb://127.0.0.1:", "event-hubs: Endpoint=sb://127.0.0.1:", "event-grid: https://127.0.0.1:", "control: http://127.0.0.1:"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("there is no %s:\n%s", name, out)
		}
	}
}

// TestEmulatorRefuses starts emulators that must not start.
func TestEmulatorRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"unknown.yaml": "serviceBus:\n  queue: []\n",
		"two.yaml":     "serviceBus:\n  queues:\n    - {name: a, lockDuration: 1h}\n    - {name: b/, lockDuration: x}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	alone := []string{"--event-hubs", "", "--event-grid", "", "--control", ""}
	tests := []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"open to others", []string{"--service-bus", "0.0.0.0:0"}, 2, []string{"--service-bus 0.0.0.0:0", "--allow-remote"}},
		{"nothing", append([]string{"--service-bus", ""}, alone...), 2, []string{"nothing to serve"}},
		{"port in use", append([]string{"--service-bus", address}, alone...), 1, []string{address, "in use", "--service-bus"}},
		{"fast", []string{"--fast", "0"}, 2, []string{"--fast must be above 0"}},
		{"no such file", []string{"--file", "none.yaml"}, 2, []string{"--file", "none.yaml"}},
		{"a directory", []string{"--file", "."}, 2, []string{"--file", "directory"}},
		{"unknown key", []string{"--file", "unknown.yaml"}, 2, []string{"unknown.yaml: line 2, column 3", `"queue"`, "queues"}},
		{"two faults", []string{"--file", "two.yaml"}, 2, []string{"two.yaml: line 3, column 8", "at most 5m", "two.yaml: line 4"}},
		{"an argument", []string{"now"}, 2, []string{"now"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := command(t, dir, nil, append([]string{"emulator"}, tt.args...)...).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != tt.status {
				t.Errorf("ends with %v, want status %d", err, tt.status)
			}
			for _, words := range tt.says {
				if !strings.Contains(string(out), words) {
					t.Errorf("says %q, want it to name %q", out, words)
				}
			}
		})
	}
}
