package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// describeMachine is one line: processor, cores, memory, system, Go, commit
// and date. What the system does not tell is left out.
func describeMachine(cpu string) string {
	parts := []string{cpu, fmt.Sprintf("%d cores", runtime.NumCPU())}
	if cpu == "" {
		parts = parts[1:]
	}
	if gib := memory(); gib > 0 {
		parts = append(parts, fmt.Sprintf("%.0f GiB", gib))
	}
	parts = append(parts, runtime.GOOS+"/"+runtime.GOARCH, goVersion())
	if out, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output(); err == nil {
		parts = append(parts, "commit "+strings.TrimSpace(string(out)))
	}
	return strings.Join(append(parts, time.Now().UTC().Format("2006-01-02 15:04 UTC")), ", ")
}

// goVersion is that of the go command, which built the benchmarks.
func goVersion() string {
	out, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		return runtime.Version()
	}
	return strings.TrimSpace(string(out))
}

// memory is the machine's in GiB, where /proc tells.
func memory() float64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			kib, _ := strconv.ParseFloat(f[1], 64)
			return kib / (1 << 20)
		}
	}
	return 0
}
