package main // white-box: a command exports nothing

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asHeadgate makes the test binary be the command, so that a test can have a
// process of its own to signal.
const asHeadgate = "HEADGATE_TEST_BE_THE_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asHeadgate) != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestServeProcess does what the help of headgate proposes, against a process
// of its own, and ends that with SIGTERM.
func TestServeProcess(t *testing.T) {
	dir := t.TempDir()
	server := exec.CommandContext(t.Context(), os.Args[0], "serve", "--listen", "127.0.0.1:0")
	server.Env = append(os.Environ(), asHeadgate+"=1", "HEADGATE_DATA="+filepath.Join(dir, "data"), "HEADGATE_TOKEN=s3cret")
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	server.Stderr = &stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Process.Kill()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the server says %q, %v; stderr:\n%s", line, err, stderr.String())
	}

	env := map[string]string{"HEADGATE_SERVER": url, "HEADGATE_TOKEN": "s3cret"}
	do := func(want, stdin string, args ...string) {
		t.Helper()
		stdout, stderr, status := outcome(t, env, stdin, args...)
		if status != 0 || !strings.Contains(stdout, want) {
			t.Fatalf("headgate %s: status %d, stdout %q, stderr %q; want %q", strings.Join(args, " "), status, stdout, stderr, want)
		}
	}
	file := filepath.Join(dir, "out.ndjson")
	do("endpoint out created", "", "put", "endpoint", "out", "--kind", "file", "--set", "path="+file)
	do("1 of 2 events match", eventOne+eventTwo, "routes", "test", "--filter", "PATCH('/temperature') > 26", "--events", "-")
	do("route warm created", "", "put", "route", "warm", "--endpoint", "out", "--filter", "PATCH('/temperature') > 26")
	do("warm", "", "get", "routes")
	do("2 events accepted", eventOne+"\n"+eventTwo+"\n", "send")
	do("1 route", "", "status")

	deadline := time.Now().Add(30 * time.Second)
	for {
		b, _ := os.ReadFile(file)
		if strings.HasSuffix(string(b), "\n") {
			if n := strings.Count(string(b), "\n"); n != 1 || !strings.Contains(string(b), `"id":"e1"`) {
				t.Fatalf("the file holds %d events:\n%s", n, b)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing was delivered; stderr:\n%s", stderr.String())
		}
		if err := wait(t.Context(), 5*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}

	if _, _, status := outcome(t, map[string]string{"HEADGATE_SERVER": url}, "", "status"); status != exitRefused {
		t.Errorf("status without the token: exit status %d, want %d", status, exitRefused)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("after SIGTERM the server ends with %v, want status 0; stderr:\n%s", err, stderr.String())
	}
}
