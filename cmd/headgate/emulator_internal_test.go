package main // white-box: a command exports nothing

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// TestEmulatorProcess runs the emulator as a process of its own, beside a
// gateway that sends to all that it serves, and ends both with SIGTERM.
func TestEmulatorProcess(t *testing.T) {
	dir := t.TempDir()
	file := "serviceBus:\n  queues:\n    - {name: twins, requiresSession: true}\neventHubs:\n  hubs:\n    - {name: series, partitions: 2}\n"
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

	server := serveIn(t, dir, nil, "--data", "data", "--listen", "127.0.0.1:0")
	do := func(stdin string, args ...string) {
		t.Helper()
		if _, stderr, status := outcome(t, map[string]string{"HEADGATE_SERVER": server.url}, stdin, args...); status != 0 {
			t.Fatalf("headgate %s: status %d, stderr %q", strings.Join(args, " "), status, stderr)
		}
	}
	do("", "put", "endpoint", "queue", "--kind", "serviceBus", "--set", "connectionString="+says["service-bus"], "--set", "entityPath=twins")
	do("", "put", "endpoint", "hub", "--kind", "eventHub", "--set", "connectionString="+says["event-hubs"], "--set", "entityPath=series")
	do("", "put", "endpoint", "topic", "--kind", "eventGrid", "--set", "topicEndpoint="+says["event-grid"],
		"--set", "accessKey="+says["key"], "--set", "caFile="+filepath.Join(dir, says["certificate"]))
	do("", "put", "route", "by-twin", "--endpoint", "queue", "--transform", "sessions")
	do("", "put", "route", "series", "--endpoint", "hub", "--transform", "tsi")
	do("", "put", "route", "all", "--endpoint", "topic")
	do(eventOne+"\n"+strings.Replace(eventOne, "e1", "e2", 1)+"\n", "send")

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client, err := azservicebus.NewClientFromConnectionString(says["service-bus"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	session, err := client.AcceptSessionForQueue(ctx, "twins", "room-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"e1", "e2"} {
		got, err := session.ReceiveMessages(ctx, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if id := got[0].ApplicationProperties["cloudEvents:id"]; id != want {
			t.Errorf("received %v, want %s", id, want)
		}
	}
	entities := ""
	for !strings.Contains(entities, `"accepted":2`) || strings.Count(entities, `"$dtId":"room-1"`) < 2 {
		resp, err := http.Get(says["control"] + "/entities")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if entities = string(b); err != nil || wait(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("the emulator holds %s, %v", entities, err)
		}
	}

	server.terminate(t)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM the emulator ends with %v, want status 0; stderr:\n%s", err, stderr.String())
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
		{"no such file", []string{"--file", "none.yaml"}, 1, []string{"--file", "none.yaml"}},
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
