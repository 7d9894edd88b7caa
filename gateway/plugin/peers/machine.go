package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// machine is one line: processor, cores, system, commit and date. What the
// system does not tell is left out.
func machine() string {
	parts := []string{fmt.Sprintf("%d cores", runtime.NumCPU()), runtime.GOOS + "/" + runtime.GOARCH}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				parts = append([]string{strings.TrimSpace(value)}, parts...)
				break
			}
		}
	}
	if out, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output(); err == nil {
		parts = append(parts, "commit "+strings.TrimSpace(string(out)))
	}
	return strings.Join(append(parts, time.Now().UTC().Format("2006-01-02 15:04 UTC")), ", ")
}

// loadAverage says what else the machine did in the minutes before.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(text)); err == nil && len(f) >= 2 {
		return fmt.Sprintf("load before the run %s and %s over one and five minutes", f[0], f[1])
	}
	return "load before the run unknown"
}

// eventBytes is the size of an event that is timed, as JSON.
func eventBytes() int { return len(event.AppendJSON(nil, &timed(1)[0])) }
