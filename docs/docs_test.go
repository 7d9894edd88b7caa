// Package docs_test runs every command that the documentation shows.
package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCommands runs, for each document, the lines of its "sh" blocks as one
// script, in a copy of the repository, with a server of its own. A command
// that serves goes to the background; one that would never end, or is this
// very test run, is replaced as substitutes says.
func TestCommands(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "headgate"), "./cmd/headgate")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	tests := []struct {
		doc     string
		expects map[string]string // what a file that the commands leave holds
	}{
		{"README.md", map[string]string{"out.ndjson": `"subject":"boiler-7"`}},
		{"CONTRIBUTING.md", nil},
		{"docs/operations.md", nil},
		{"docs/plugins.md", map[string]string{"out.ndjson": `"subject":"ROOM-101"`}},
		{"docs/api.md", nil},
		{"docs/filters.md", nil},
		{"docs/emulator.md", nil},
		{"docs/endpoints.md", nil},
		{"docs/adt.md", nil},
		{"docs/git.md", map[string]string{"readings.ndjson": `boiler-7`}},
		{"docs/sources.md", map[string]string{"back.ndjson": `"subject":"boiler-7"`}},
		{"plugins/tsi/README.md", nil},
		{"examples/threshold/README.md", nil},
	}
	for _, tt := range tests {
		t.Run(tt.doc, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root, tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			script := script(string(text))
			if script == "" {
				return // it shows no command
			}
			dir := t.TempDir()
			copyTree(t, root, dir)
			copyUI(t, root, dir)
			run(t, bin, dir, script)
			for name, want := range tt.expects {
				eventually(t, name+" to hold "+want, func() bool {
					b, _ := os.ReadFile(filepath.Join(dir, name))
					return bytes.Contains(b, []byte(want))
				})
			}
		})
	}
}

// TestPrograms compiles the Go programs that the documentation shows.
func TestPrograms(t *testing.T) {
	for _, doc := range []string{"README.md", "docs/plugins.md", "examples/threshold/README.md"} {
		text, err := os.ReadFile(filepath.Join("..", doc))
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range strings.Split(string(text), "```go\n")[1:] {
			program, _, _ := strings.Cut(block, "```")
			if !strings.HasPrefix(program, "package main") {
				continue
			}
			// It has to lie in the module to find the SDK, or to seem to.
			dir := t.TempDir()
			here, err := filepath.Abs("program/main.go")
			if err != nil {
				t.Fatal(err)
			}
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{here: filepath.Join(dir, "main.go")}})
			if err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string][]byte{"main.go": []byte(program), "overlay.json": overlay} {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"),
				"-buildmode=c-shared", "-o", filepath.Join(dir, "out.wasm"), "./program")
			build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
			if out, err := build.CombinedOutput(); err != nil {
				t.Errorf("%s, program %d: %v\n%s", doc, i+1, err, out)
			}
		}
	}
}

// script is the commands of a document, prepared to be run. Lines are joined
// where the shell would join them.
func script(text string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "```sh"):
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			b.WriteString(prepare(line))
		}
	}
	return b.String()
}

func prepare(line string) string {
	command, _, _ := strings.Cut(line, "#")
	switch command = strings.TrimSpace(command); {
	case command == "go tool task test", command == "go tool task lint":
		return "go tool task --summary " + strings.TrimPrefix(command, "go tool task ") + "\n"
	case command == "go tool task demo":
		return "go tool task demo -- --listen 127.0.0.1:0 --duration 3s\n"
	case strings.HasPrefix(command, "headgate serve"), strings.HasPrefix(command, "bin/headgate serve"):
		return "serve " + command + "\n"
	case strings.HasPrefix(command, "headgate emulator"):
		command, _, _ = strings.Cut(command, " >")
		return "emulate " + command + "\n"
	}
	return line
}

// prelude is what a script is preceded by: serve starts a server in the
// background, and emulate an emulator on free ports; they wait until it is
// ready, and the end of the script ends it.
const prelude = `set -euo pipefail
running=
trap 'for one in $running; do kill $one && wait $one; done' EXIT
background() {
	local log=$1 ready=$2
	shift 2
	"$@" > "$log" 2>&1 &
	running="$! $running"
	until grep -q "^$ready" "$log"; do
		kill -0 $! || { cat "$log"; exit 1; }
		sleep 0.05
	done
}
serve() { background serve.log 'listening on' "$@"; }
emulate() {
	background emulator.txt ready "$@" --service-bus 127.0.0.1:0 --event-hubs 127.0.0.1:0 --event-grid 127.0.0.1:0 --control 127.0.0.1:0
}
`

func run(t *testing.T, bin, dir, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	addr := freeAddress(t)
	cmd := exec.CommandContext(ctx, "bash", "-c", prelude+script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HEADGATE_LISTEN="+addr, "HEADGATE_SERVER=http://"+addr)
	// What a script leaves running ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n--- script\n%s\n--- output\n%s", err, script, out)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// copyTree copies what belongs to the repository.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = from
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// copyUI copies the web UI where it is built, so that building it in the copy
// finds it done: its packages take longer to install than all the rest.
func copyUI(t *testing.T, from, to string) {
	t.Helper()
	built := filepath.Join(from, "web/dist/app")
	stamp, err := os.ReadFile(built + ".sha256")
	if os.IsNotExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(to, "web/dist/app"), os.DirFS(built)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "web/dist/app.sha256"), stamp, 0o644); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-deadline:
			t.Fatal(fmt.Sprint("waited in vain for ", what))
		case <-tick.C:
		}
	}
}
