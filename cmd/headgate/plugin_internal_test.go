package main // white-box: a command exports nothing

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// startServer runs a gateway in a process of its own and returns its URL.
func startServer(t *testing.T) string {
	t.Helper()
	server := exec.Command(os.Args[0], "serve", "--listen", "127.0.0.1:0")
	server.Env = append(os.Environ(), asHeadgate+"=1", "HEADGATE_DATA="+filepath.Join(t.TempDir(), "data"))
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	server.Stderr = &stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(os.Interrupt)
		defer time.AfterFunc(time.Minute, func() { server.Process.Kill() }).Stop()
		if err := server.Wait(); err != nil {
			t.Errorf("the server ends with %v; stderr:\n%s", err, stderr.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the server says %q, %v; stderr:\n%s", line, err, stderr.String())
	}
	return url
}

// screen is what a command has written so far.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until get returns a text that holds want; a compiler may have to
// do its part meanwhile.
func await(t *testing.T, want string, get func() string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !strings.Contains(get(), want); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %q in:\n%s", want, get())
		}
		if err := wait(t.Context(), 5*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

func change(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("%s lacks %q: %v\n%s", file, from, err, text)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o644); err != nil {
		t.Fatal(err)
	}
}

const (
	hot  = `{"specversion":"1.0","id":"hot","source":"house","type":"Microsoft.DigitalTwins.Twin.Update","subject":"room-1","data":{"patch":[{"value":81,"path":"/Temperature","op":"replace"}]}}`
	cold = `{"specversion":"1.0","id":"cold","source":"house","type":"Microsoft.DigitalTwins.Twin.Update","subject":"room-2","data":{"patch":[{"value":5,"path":"/Temperature","op":"replace"}]}}`
)

// TestFirstPlugin is a new user's first plugin: from nothing to one that works
// on live events by three commands, offline; then another version, by the command
// that watches.
func TestFirstPlugin(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-mod=mod")
	dir := t.TempDir()
	t.Chdir(dir)
	env := map[string]string{"HEADGATE_SERVER": startServer(t)}
	do := func(status int, want, stdin string, args ...string) {
		t.Helper()
		stdout, stderr, got := outcome(t, env, stdin, args...)
		if got != status || !strings.Contains(stdout+stderr, want) {
			t.Fatalf("headgate %s: status %d, stdout %q, stderr %q; want %d and %q", strings.Join(args, " "), got, stdout, stderr, status, want)
		}
	}
	out := filepath.Join(dir, "out.ndjson")
	delivered := func() string {
		b, _ := os.ReadFile(out)
		return string(b)
	}
	do(0, "created", "", "put", "endpoint", "out", "--kind", "file", "--set", "path="+out)

	begin := time.Now()
	do(0, "filter warm is in warm", "", "plugin", "new", "warm", "--kind", "filter")
	do(0, "warm version 1 uploaded", "", "plugin", "push", "warm", "--file", "warm")
	do(0, "route warm created", "", "put", "route", "warm", "--endpoint", "out", "--filter-plugin", `warm={"path":"/Temperature","min":30}`)
	do(0, "2 events accepted", hot+cold, "send")
	await(t, `"id":"hot"`, delivered)
	t.Logf("from nothing to a delivered event: %v", time.Since(begin))
	if strings.Contains(delivered(), "cold") {
		t.Errorf("the filter passed\n%s", delivered())
	}

	do(0, "1 test passed", "", "plugin", "test", "warm")
	do(1, "already and is not empty", "", "plugin", "new", "warm", "--kind", "transform")
	change(t, "warm/main.go", "value >= min", "value < min")
	do(1, "1 of 1 tests fail", "", "plugin", "test", "warm")
	do(0, "want.json written", "", "plugin", "test", "warm", "--update")

	develop(t, env["HEADGATE_SERVER"], func(screen func() string) {
		await(t, "warm version 2 is active", screen)
		await(t, "it is used by warm", screen)
		do(0, "2 events accepted", hot+cold, "send")
		await(t, "warm: is dropped", screen)
		await(t, "warm: passes", screen)
		await(t, `"id":"cold"`, delivered)
		change(t, "warm/main.go", "value < min", "value < nonsense")
		await(t, "undefined: nonsense", screen)
		change(t, "warm/main.go", "value < nonsense", "value < 1000+min")
		await(t, "warm version 3 is active", screen)
		await(t, "1 of 1 test FAILED: updates", screen)
		await(t, "warm - is dropped", screen)
		await(t, "warm + passes", screen)
		await(t, "otherwise than under version 2: 1 of the latest 2 events", screen)
	})
	do(0, "3", "", "plugin", "list", "warm")
}

// develop runs plugin dev on the directory warm while work works.
func develop(t *testing.T, server string, work func(screen func() string)) {
	t.Helper()
	var s screen
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"plugin", "dev", "warm", "--server", server}, app{
			self: "headgate", in: strings.NewReader(""), out: &s, err: &s, zone: time.UTC,
			env: func(string) (string, bool) { return "", false },
		})
	}()
	work(s.String)
	cancel()
	if status := <-ended; status != 0 {
		t.Errorf("dev ends with status %d:\n%s", status, s.String())
	}
	if testing.Verbose() {
		t.Log(s.String())
	}
}
